use super::*;

fn crashed_copies(disk: &FaultyDisk, name: &str) -> Vec<Vec<u8>> {
    (0..200)
        .map(|seed| {
            let copy = disk.fork(seed);
            copy.crash();
            copy.content(name)
        })
        .collect()
}

fn disk_with(bytes: &[u8]) -> (FaultyDisk, Arc<dyn DiskFile>) {
    let disk = FaultyDisk::new(1);
    let file = disk.create("file").unwrap();
    file.write_at(bytes, 0).unwrap();
    file.sync().unwrap();
    disk.sync().unwrap();
    (disk, file)
}

#[test]
fn what_was_synced_survives_every_crash() {
    let (disk, _file) = disk_with(b"kept");
    assert!(crashed_copies(&disk, "file").iter().all(|content| content == b"kept"));
}

#[test]
fn what_was_not_synced_survives_in_whole_in_part_or_not_at_all() {
    let (disk, file) = disk_with(b"old");
    file.write_at(&[7; 2000], 3).unwrap();
    let copies = crashed_copies(&disk, "file");
    assert!(copies.iter().all(|copy| copy.starts_with(b"old")));
    assert!(copies.iter().any(|copy| copy.len() == 3));
    assert!(copies.iter().any(|copy| copy.len() == 2003 && copy[3..].iter().all(|byte| *byte == 7)));
    assert!(copies.iter().any(|copy| copy[3..].contains(&0) && copy.contains(&7)), "some are torn");
}

#[test]
fn names_that_were_not_synced_may_be_lost() {
    let (disk, _file) = disk_with(b"kept");
    disk.rename("file", "other").unwrap();
    disk.create("new").unwrap();
    let (mut renamed, mut kept, mut made) = (0, 0, 0);
    for seed in 0..100 {
        let copy = disk.fork(seed);
        copy.crash();
        let names = copy.list().unwrap();
        renamed += i32::from(names.contains(&"other".to_owned()));
        kept += i32::from(names.contains(&"file".to_owned()));
        made += i32::from(names.contains(&"new".to_owned()));
    }
    assert_eq!(renamed + kept, 100);
    assert!(renamed > 10 && kept > 10 && made > 10 && made < 90);
}

#[test]
fn power_fails_at_the_chosen_change_and_old_handles_stay_dead() {
    let (disk, file) = disk_with(b"kept");
    disk.cut_power_after(1);
    file.write_at(b"a", 0).unwrap();
    assert!(file.write_at(b"b", 1).is_err());
    assert!(disk.is_off() && file.len().is_err() && disk.list().is_err());
    disk.crash();
    assert!(file.len().is_err());
    assert_eq!(disk.open("file").unwrap().len().unwrap(), 4);
}

#[test]
fn a_refused_sync_loses_what_it_should_have_kept() {
    let (disk, file) = disk_with(b"old");
    disk.refuse_sync_after(0);
    file.write_at(b"new", 0).unwrap();
    assert!(file.sync().is_err());
    file.sync().unwrap();
    assert_eq!(disk.content("file"), b"new", "it is seen until the crash");
    assert!(crashed_copies(&disk, "file").iter().all(|copy| copy == b"old"));
}

#[test]
fn a_full_disk_refuses_growth_and_takes_overwriting() {
    let (disk, file) = disk_with(b"12345678");
    disk.limit(Some(8));
    file.write_at(b"new", 5).unwrap();
    assert_eq!(file.write_at(b"new", 6).unwrap_err().kind(), io::ErrorKind::StorageFull);
    assert_eq!(disk.used(), 8);
    file.truncate(2).unwrap();
    file.write_at(b"new", 5).unwrap();
}

#[test]
fn the_lock_is_held_until_the_handle_goes_or_the_power_does() {
    let disk = FaultyDisk::new(1);
    let held = disk.lock("lock").unwrap();
    assert_eq!(disk.lock("lock").err().unwrap().kind(), io::ErrorKind::WouldBlock);
    drop(held);
    let _held = disk.lock("lock").unwrap();
    disk.crash();
    disk.lock("lock").unwrap();
}

#[test]
fn a_flipped_bit_is_seen_at_once_and_after_a_crash() {
    let (disk, file) = disk_with(&[0, 0]);
    disk.flip("file", 1, 3);
    let mut buffer = [0; 2];
    file.read_at(&mut buffer, 0).unwrap();
    assert_eq!(buffer, [0, 8]);
    assert!(crashed_copies(&disk, "file").iter().all(|copy| copy == &[0, 8]));
}

#[test]
fn the_same_seed_crashes_in_the_same_way() {
    let (disk, file) = disk_with(b"old");
    file.write_at(&[7; 3000], 3).unwrap();
    assert_eq!(crashed_copies(&disk, "file"), crashed_copies(&disk, "file"));
}
