use super::super::fixture::{KEY, at, batch, header, put, reader_of, target};
use super::super::header::Kind;
use super::super::place::Place;
use super::super::table;
use super::super::young::YoungTable;
use super::super::{Journal, Options};
use super::*;
use crate::api::{Op, Seq, Store, StreamId, Urgency};
use crate::disk::Disk;
use crate::testing::FaultyDisk;
use crate::testing::conformance::Durable;

fn key() -> MasterKey {
    MasterKey::new(KEY)
}

fn journal(disk: &FaultyDisk) -> Journal {
    let options = Options {
        segment_bytes: 32 << 10,
        checkpoint_bytes: 64 << 10,
        ..Options::sealed(MasterKey::new(KEY))
    };
    Journal::open_manual(Arc::new(disk.clone()), &options, Durable::default().callback()).unwrap().0
}

fn commit(journal: &Journal, ops: impl IntoIterator<Item = Op>) {
    let ticket = journal.commit(batch(ops), Urgency::Now);
    while journal.durable() < ticket {
        assert!(journal.write_once() || journal.keep_once(false));
    }
}

/// A store with some segments, tables and checkpoints, closed.
fn store() -> FaultyDisk {
    let disk = FaultyDisk::new(1);
    let journal = journal(&disk);
    for seq in 0..150 {
        commit(&journal, [put(seq % 3, seq, vec![1; 1000])]);
        journal.keep_once(false);
    }
    commit(&journal, [Op::Set { key: "key".into(), value: "value".into() }]);
    journal.close().unwrap();
    disk
}

fn report(disk: &FaultyDisk) -> Report {
    verify(Arc::new(disk.clone()), Some(key())).unwrap()
}

fn file(disk: &FaultyDisk, prefix: &str, suffix: &str, number: usize) -> String {
    let names = disk.list().unwrap().into_iter();
    let mut names: Vec<_> = names.filter(|name| name.starts_with(prefix) && name.ends_with(suffix)).collect();
    names.sort();
    names.swap_remove(number)
}

#[test]
fn a_healthy_store_has_no_faults_and_all_of_it_was_read() {
    let disk = store();
    let report = report(&disk);
    assert_eq!((report.faults.len(), report.losses.len(), report.torn_frames), (0, 0, 0));
    assert!(report.segments >= 5 && report.tables >= 5 && report.checkpoints == 2, "{report:?}");
    // Each batch is a record, and each segment has an opening.
    assert!(report.records >= 151 && report.frames >= 151, "{report:?}");
}

#[test]
fn an_empty_directory_is_a_healthy_store() {
    assert_eq!(report(&FaultyDisk::new(1)), Report::default());
    assert_eq!(stat(Arc::new(FaultyDisk::new(1)), Some(key())).unwrap(), Stat::default());
}

/// The faults after a bit of a file was turned round.
fn faults_of(prefix: &str, suffix: &str, number: usize, at: u64) -> (String, Report) {
    let disk = store();
    let name = file(&disk, prefix, suffix, number);
    disk.flip(&name, at, 3);
    (name, report(&disk))
}

#[test]
fn each_kind_of_fault_is_listed_with_its_place() {
    for (prefix, suffix, number, at, what) in [
        ("segment-", "log", 1, 9000, "bytes are damaged"),
        ("segment-", "log", 1, 30, "one of the two headers is damaged"),
        ("segment-", "log", 1, 4096 + 30, "one of the two headers is damaged"),
        ("segment-", "idx", 1, 30, "the header is damaged"),
        ("segment-", "idx", 1, 135, "the checksum of a block does not agree"),
        ("checkpoint-", "", 0, 140, "the checksum of a chunk does not agree"),
        ("checkpoint-", "", 1, 20, "the header is damaged"),
    ] {
        let (name, report) = faults_of(prefix, suffix, number, at);
        let fault = &report.faults[0];
        assert_eq!(report.faults.len(), 1, "{name}, byte {at}: {:?}", report.faults);
        assert_eq!(fault.path, name);
        assert!(fault.what.contains(what), "{name}, byte {at}: {}", fault.what);
    }
}

#[test]
fn what_would_be_lost_is_told_beside_what_is_damaged() {
    let (_, report) = faults_of("checkpoint-", "", 1, 140);
    assert!(report.losses[0].contains("an older checkpoint is used"), "{:?}", report.losses);
    let disk = store();
    disk.remove(&file(&disk, "segment-", "log", 1)).unwrap();
    let report = verify(Arc::new(disk), Some(key())).unwrap();
    assert!(report.losses[0].contains("the segment is missing; it held"), "{:?}", report.losses);
}

#[test]
fn a_table_of_another_time_is_noticed() {
    let disk = store();
    let (one, two) = (file(&disk, "segment-", "idx", 1), file(&disk, "segment-", "idx", 2));
    let other = disk.content(&two);
    disk.damage(&one, |bytes| bytes.clone_from(&other));
    let report = report(&disk);
    assert!(report.faults[0].what.contains("not the table of this segment"), "{:?}", report.faults);
}

#[test]
fn a_store_after_a_crash_is_healthy_though_its_end_is_torn() {
    let disk = FaultyDisk::new(1);
    let journal = journal(&disk);
    (0..5).for_each(|seq| commit(&journal, [put(1, seq, vec![1; 300])]));
    drop(journal);
    let log = file(&disk, "segment-", "log", 0);
    let end = disk.content(&log).iter().rposition(|byte| *byte != 0).unwrap();
    disk.flip(&log, end as u64 - 30, 1);
    let report = report(&disk);
    assert_eq!((report.faults.len(), report.losses.len(), report.torn_frames), (0, 0, 1));
}

#[test]
fn every_file_is_counted_once_and_named_by_its_kind() {
    let disk = store();
    let stat = stat(Arc::new(disk.clone()), Some(key())).unwrap();
    let sum = stat.segment_bytes + stat.table_bytes + stat.checkpoint_bytes + stat.spare_bytes;
    assert_eq!(sum, disk.used());
    assert_eq!((stat.records, stat.values, stat.value_bytes), (150, 1, 8));
    assert_eq!(stat.segments.iter().map(|segment| segment.file_bytes).sum::<u64>(), stat.segment_bytes);
    assert!(stat.segments.iter().all(|segment| segment.used_bytes <= segment.file_bytes));
}

#[test]
fn the_holders_of_a_segment_are_those_with_something_alive_in_it() {
    let disk = store();
    let journal = journal(&disk);
    let gone = (0..150_u64).filter(|seq| seq % 3 == 1);
    commit(&journal, gone.map(|seq| Op::Release(at(1, seq))));
    let half: Vec<Seq> = (0..150).filter(|seq| seq % 6 == 0).collect();
    commit(&journal, half.into_iter().map(|seq| Op::Release(at(0, seq))));
    journal.close().unwrap();
    let stat = stat(Arc::new(disk), Some(key())).unwrap();
    for segment in stat.segments.iter().filter(|segment| segment.records > 0) {
        let holders: Vec<u64> = segment.holders.iter().map(|holder| holder.stream.0).collect();
        assert_eq!(holders, [2, 0], "{segment:?}");
        assert_eq!(segment.records, segment.holders.iter().map(|holder| holder.records).sum::<u64>());
        assert_eq!(segment.live_bytes, segment.holders.iter().map(|holder| holder.live_bytes).sum::<u64>());
    }
    assert_eq!(stat.oldest, Some(at(2, 2)));
    assert_eq!(stat.streams.iter().map(|info| info.id).collect::<Vec<_>>(), [StreamId(0), StreamId(2)]);
}

#[test]
fn a_checkpoint_that_knows_a_segment_otherwise_than_its_table_is_noticed() {
    let disk = store();
    let name = file(&disk, "segment-", "idx", 1);
    let id = u64::from_str_radix(&name[8..24], 16).unwrap();
    // A table that is whole and sealed, but of other records.
    let mut young = YoungTable::default();
    young.add(target(1, 1), Place { frame: 8192, offset: 3, len: 10, fan: 1 }, false);
    let made = young.close();
    let reader = reader_of(&disk);
    let bytes = table::encode(&made.table, &made.runs, header(Kind::Table, id), &reader.keyring).unwrap();
    disk.damage(&name, |old| old.clone_from(&bytes));
    let report = report(&disk);
    let faults: Vec<&str> = report.faults.iter().map(|fault| fault.what.as_str()).collect();
    assert!(faults.contains(&"the table does not say what the segment says"), "{faults:?}");
    assert!(faults.iter().any(|fault| fault.starts_with("it knows segment-")), "{faults:?}");
}
