//! No room.

use keepmq_store::testing::FaultyDisk;
use keepmq_store::{Admission, Options, Store, StoreError};

use crate::rig::{Rig, SEGMENT, options, put, release};

/// Puts until the store says that it is full; returns how many records there are.
fn fill(rig: &Rig) -> u64 {
    let mut seq = 0;
    while rig.journal.admission() == Admission::Open {
        rig.keep([put(1, seq, vec![1; 1000])]);
        rig.journal.keep_once(false);
        seq += 1;
        assert!(seq < 10_000, "it never becomes full");
    }
    seq
}

fn limited() -> Options {
    Options { max_bytes: 20 * SEGMENT, ..options() }
}

#[test]
fn near_the_limit_the_store_is_full_before_it_is_over() {
    let rig = Rig::on(&FaultyDisk::new(1), &limited());
    let records = fill(&rig);
    let usage = rig.journal.usage();
    assert_eq!(usage.limit_bytes, 20 * SEGMENT);
    assert!(usage.disk_bytes <= usage.limit_bytes, "{usage:?}");
    assert_eq!(usage.disk_bytes, rig.disk.used());
    assert!(records * 1000 > usage.limit_bytes / 2, "most of the room is of use: {records} records");
}

#[test]
fn a_full_store_takes_releases_and_opens_again_when_enough_is_free() {
    let rig = Rig::on(&FaultyDisk::new(1), &limited());
    let records = fill(&rig);
    for seq in 0..records / 2 {
        rig.keep([release(1, seq)]);
        if seq == 5 {
            assert_eq!(rig.journal.admission(), Admission::Full, "not for a few");
        }
    }
    rig.settle();
    assert_eq!(rig.journal.admission(), Admission::Open);
    assert!(rig.journal.usage().disk_bytes < 15 * SEGMENT);
    assert_eq!(rig.numbers(1), (records / 2..records).collect::<Vec<_>>());
}

#[test]
fn scattered_releases_free_a_full_store_too() {
    let rig = Rig::on(&FaultyDisk::new(1), &limited());
    let records = fill(&rig);
    let (gone, kept): (Vec<u64>, Vec<u64>) = (0..records).partition(|seq| seq % 2 == 0);
    rig.release_each(1, gone);
    rig.settle();
    assert_eq!(rig.journal.admission(), Admission::Open);
    assert_eq!(rig.numbers(1), kept);
}

#[test]
fn a_full_disk_is_full_for_puts_and_not_for_releases() {
    let rig = Rig::new();
    rig.put_each(1, 0..100, 1000);
    rig.settle();
    rig.disk.limit(Some(rig.disk.used()));
    let more = fill(&rig) + 1000;
    rig.release_each(1, 0..100);
    assert!(more > 1000);
    assert!(rig.durable.reports().iter().all(Result::is_ok), "a full disk is no failure");
    rig.settle();
    let rig = rig.reopened();
    assert_eq!(rig.recovery.damage, [""; 0]);
}

#[test]
fn when_the_disk_has_room_again_the_store_opens_again() {
    let rig = Rig::new();
    rig.disk.limit(Some(rig.disk.used()));
    assert!(rig.durable.reports().iter().all(Result::is_ok));
    fill(&rig);
    assert_eq!(rig.journal.admission(), Admission::Full);
    rig.disk.limit(None);
    rig.settle();
    assert_eq!(rig.journal.admission(), Admission::Open);
}

#[test]
fn when_there_is_no_room_at_all_batches_wait_and_none_is_half_written() {
    let rig = Rig::new();
    rig.disk.limit(Some(rig.disk.used()));
    let mut committed = 0;
    // A broker would have stopped long ago.
    while rig.journal.pending_bytes() < 10 * SEGMENT {
        rig.commit([put(1, committed, vec![1; 1000])]);
        committed += 1;
        rig.journal.write_once();
        rig.journal.keep_once(false);
    }
    let durable = rig.journal.durable().0;
    assert!(durable < committed);
    assert_eq!(rig.numbers(1).len() as u64, durable);
    let copy = rig.disk.fork(3);
    copy.crash();
    let found = Rig::on(&copy, &options());
    assert_eq!((found.recovery.damage.len(), found.numbers(1).len() as u64), (0, durable));
    rig.disk.limit(None);
    rig.settle();
    assert_eq!(rig.journal.durable().0, committed);
    assert_eq!(rig.numbers(1).len() as u64, committed);
}

#[test]
fn a_store_on_a_full_disk_opens_as_long_as_a_small_segment_can_be_made() {
    let rig = Rig::new();
    rig.put_each(1, 0..200, 1000);
    // What the last segment did not use is given back by cutting it short.
    rig.disk.limit(Some(rig.disk.used() + 10_000));
    let rig = rig.crashed();
    assert_eq!(rig.numbers(1).len(), 200);
    rig.keep([release(1, 0)]);
}

#[test]
fn a_disk_without_any_room_for_a_new_store_is_refused() {
    let disk = FaultyDisk::new(1);
    disk.limit(Some(100));
    assert!(matches!(Rig::open(&disk, &options()), Err(StoreError::Full { .. })));
    disk.limit(None);
    Rig::on(&disk, &options());
}

#[test]
fn a_store_that_is_closed_while_full_is_complete_when_it_is_opened() {
    let rig = Rig::on(&FaultyDisk::new(1), &limited());
    let records = fill(&rig);
    rig.disk.limit(Some(rig.disk.used()));
    rig.commit([release(1, 0)]);
    rig.journal.close().unwrap();
    rig.disk.limit(None);
    let rig = Rig::on(&rig.disk, &limited());
    assert_eq!(rig.recovery.damage, [""; 0]);
    assert_eq!(rig.numbers(1).len() as u64, records - 1);
}

#[test]
fn a_batch_larger_than_a_segment_has_one_to_itself() {
    let rig = Rig::new();
    rig.keep([put(1, 1, vec![1; 1000])]);
    rig.keep((2..12).map(|seq| put(1, seq, vec![2; 40_000])));
    rig.keep([put(1, 20, vec![3; 1000])]);
    let rig = rig.crashed();
    assert_eq!(rig.numbers(1), (1..12).chain([20]).collect::<Vec<_>>());
    assert_eq!(rig.page(1).records[5].payload, vec![2; 40_000]);
}

#[test]
fn a_store_that_cannot_write_what_waits_says_so_when_it_is_closed() {
    let rig = Rig::new();
    rig.keep([put(1, 0, "kept")]);
    rig.disk.limit(Some(rig.disk.used()));
    for seq in 1..400 {
        rig.commit([put(1, seq, vec![1; 1000])]);
    }
    assert!(matches!(rig.journal.close(), Err(StoreError::Full { .. })));
    let durable = rig.journal.durable().0;
    assert!(durable < 400);
    rig.disk.limit(None);
    let rig = rig.crashed();
    assert_eq!(rig.recovery.damage, [""; 0]);
    assert_eq!(rig.numbers(1).len() as u64, durable);
}
