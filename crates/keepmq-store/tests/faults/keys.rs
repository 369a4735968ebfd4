//! Who may open a store.

use std::sync::Arc;

use keepmq_store::disk::{Disk, FsDisk};
use keepmq_store::testing::FaultyDisk;
use keepmq_store::testing::conformance::Durable;
use keepmq_store::{Journal, MasterKey, Options, Store, StoreError, inspect};

use crate::rig::{KEY, Rig, logs, options, put};

fn filled() -> FaultyDisk {
    let rig = Rig::new();
    rig.keep([put(1, 1, "secret in the store")]);
    rig.settle();
    rig.disk.clone()
}

fn refusal(disk: &FaultyDisk, options: &Options) -> StoreError {
    let before = disk.changes();
    let error = Rig::open(disk, options).err().expect("it is refused");
    assert_eq!(disk.changes(), before, "a store that is refused is not touched");
    error
}

#[test]
fn a_wrong_key_is_refused_and_is_never_an_empty_store() {
    let disk = filled();
    let wrong = Options { master_key: Some(MasterKey::new([6; 32])), ..options() };
    let error = refusal(&disk, &wrong);
    assert!(matches!(error, StoreError::WrongKey { .. }), "{error}");
    assert_eq!(Rig::on(&disk, &options()).numbers(1), [1]);
}

#[test]
fn a_sealed_store_is_refused_without_a_key_and_a_plain_one_with_it() {
    let plain = || Options { master_key: None, ..options() };
    assert!(matches!(refusal(&filled(), &plain()), StoreError::WrongKey { .. }));
    let disk = FaultyDisk::new(1);
    Rig::on(&disk, &plain()).keep([put(1, 1, "x")]);
    assert!(matches!(refusal(&disk, &options()), StoreError::WrongKey { .. }));
    assert_eq!(Rig::on(&disk, &plain()).numbers(1), [1]);
}

#[test]
fn one_file_under_another_key_is_damage_and_not_a_wrong_key() {
    let disk = filled();
    let other = FaultyDisk::new(2);
    let wrong = Options { master_key: Some(MasterKey::new([6; 32])), ..options() };
    Rig::on(&other, &wrong).keep([put(1, 1, "x")]);
    let foreign = other.content(&logs(&other)[0]);
    let target = logs(&disk)[0].clone();
    disk.damage(&target, |bytes| bytes.clone_from(&foreign));
    let rig = Rig::on(&disk, &options());
    assert!(!rig.recovery.damage.is_empty());
}

#[test]
fn a_later_format_is_named_and_left_alone() {
    let disk = filled();
    for log in logs(&disk) {
        for place in [0, 4096] {
            disk.damage(&log, |bytes| {
                bytes[place + 8] = 9;
                let crc = crc32fast::hash(&bytes[place..place + 124]);
                bytes[place + 124..place + 128].copy_from_slice(&crc.to_le_bytes());
            });
        }
    }
    let error = refusal(&disk, &options());
    assert!(matches!(error, StoreError::Version { found: 9, known: 1, .. }), "{error}");
}

#[test]
fn nothing_that_is_stored_can_be_read_from_the_disk() {
    let disk = filled();
    for name in disk.list().unwrap() {
        let content = disk.content(&name);
        assert!(!content.windows(6).any(|window| window == b"secret"), "{name}");
        assert!(!content.windows(32).any(|window| window == KEY), "{name}");
    }
}

#[test]
fn a_second_owner_is_refused_and_so_are_the_tools() {
    let rig = Rig::new();
    let key = || Some(MasterKey::new(KEY));
    let disk = || Arc::new(rig.disk.clone());
    assert!(matches!(Rig::open(&rig.disk, &options()), Err(StoreError::Fenced { .. })));
    assert!(matches!(inspect::verify(disk(), key()), Err(StoreError::Fenced { .. })));
    assert!(matches!(inspect::stat(disk(), key()), Err(StoreError::Fenced { .. })));
    rig.journal.close().unwrap();
    inspect::verify(disk(), key()).unwrap();
    Rig::on(&rig.disk, &options());
}

#[test]
fn on_a_real_disk_a_second_owner_is_refused_by_the_name_of_the_lock() {
    let directory = tempfile::tempdir().unwrap();
    let open = || {
        let disk = Arc::new(FsDisk::open(directory.path()).unwrap());
        Journal::open(disk, options(), Durable::default().callback())
    };
    let (journal, _) = open().unwrap();
    let error = open().err().unwrap();
    assert!(error.to_string().ends_with("/lock is in use by another process"), "{error}");
    journal.close().unwrap();
    open().unwrap();
}

#[test]
fn the_tools_refuse_a_wrong_key() {
    let disk = filled();
    let wrong = Some(MasterKey::new([6; 32]));
    assert!(matches!(inspect::verify(Arc::new(disk), wrong), Err(StoreError::WrongKey { .. })));
}

#[test]
fn a_segment_from_another_store_with_the_same_key_is_damage() {
    let disk = filled();
    let other = FaultyDisk::new(2);
    let rig = Rig::on(&other, &options());
    rig.keep([put(1, 9, "foreign")]);
    drop(rig);
    let target = logs(&disk)[0].clone();
    assert_eq!(target, logs(&other)[0], "it even has the same number");
    let foreign = other.content(&target);
    disk.damage(&target, |bytes| bytes.clone_from(&foreign));
    let rig = Rig::on(&disk, &options());
    assert!(
        rig.recovery.damage.join(" ").contains("header of the segment is damaged"),
        "{:?}",
        rig.recovery.damage
    );
    assert!(rig.page(1).records.iter().all(|record| record.seq != 9));
}
