//! What is released gives its room back.

use std::sync::Arc;

use keepmq_store::{MasterKey, Store, StreamId, inspect};

use crate::rig::{KEY, Rig, SEGMENT, logs, options, put, put_many, release};

/// A backlog of so many records of a kilobyte.
fn backlog(records: u64) -> Rig {
    let rig = Rig::new();
    for seq in 0..records {
        rig.keep([put(1, seq, vec![1; 1000])]);
        rig.journal.keep_once(false);
    }
    rig
}

#[test]
fn released_segments_are_given_back_and_their_files_filled_again() {
    let rig = backlog(0);
    for seq in 0..3000 {
        rig.keep([put(1, seq, vec![1; 1000])]);
        if seq >= 50 {
            rig.keep([release(1, seq - 50)]);
        }
        rig.journal.keep_once(false);
    }
    assert!(rig.journal.activity().reclaimed_segments > 30);
    assert!(rig.journal.usage().disk_bytes < 16 * SEGMENT, "{:?}", rig.journal.usage());
    assert_eq!(rig.journal.usage().disk_bytes, rig.disk.used());
    rig.settle();
    assert!(rig.journal.usage().disk_bytes < 7 * SEGMENT, "{:?}", rig.journal.usage());
}

#[test]
fn a_forgotten_record_does_not_hold_its_segment() {
    let rig = backlog(3000);
    let before = rig.journal.usage().disk_bytes;
    // Two in each hundred are forgotten.
    for seq in (0..3000).filter(|seq| seq % 50 != 7) {
        rig.keep([release(1, seq)]);
    }
    rig.settle();
    assert!(rig.journal.activity().moved_records >= 50);
    let after = rig.journal.usage().disk_bytes;
    assert!(after < 8 * SEGMENT && after < before / 5, "{before} bytes became {after}");
    let forgotten: Vec<u64> = (0..3000).filter(|seq| seq % 50 == 7).collect();
    assert_eq!(rig.numbers(1), forgotten);
    let rig = rig.crashed();
    assert_eq!(rig.numbers(1), forgotten);
    assert_eq!(rig.page(1).records[3].payload, vec![1; 1000]);
}

#[test]
fn records_are_moved_a_few_with_each_commit() {
    let rig = backlog(1000);
    for seq in (0..1000).filter(|seq| seq % 10 != 0) {
        rig.commit([release(1, seq)]);
    }
    rig.journal.write_once();
    let mut before = 0;
    for seq in 2000..2200 {
        rig.keep([put(2, seq, "new")]);
        for _ in 0..3 {
            rig.journal.keep_once(false);
        }
        let moved = rig.journal.activity().moved_records;
        assert!(moved - before <= 64, "{} at once", moved - before);
        before = moved;
    }
    assert!(before > 0);
}

#[test]
fn a_record_that_is_released_while_it_is_to_be_moved_stays_released() {
    let rig = backlog(300);
    for seq in (0..300).filter(|seq| seq % 20 != 0) {
        rig.keep([release(1, seq)]);
    }
    // Moves are laid out and not taken yet.
    while rig.journal.activity().moved_records == 0 && rig.journal.keep_once(true) {}
    let left: Vec<u64> = (0..300).filter(|seq| seq % 20 == 0).collect();
    rig.keep(left.iter().map(|seq| release(1, *seq)));
    rig.settle();
    assert_eq!(rig.numbers(1), [0; 0]);
    let rig = rig.crashed();
    assert_eq!(rig.numbers(1), [0; 0]);
}

#[test]
fn a_shared_payload_is_moved_once_for_all_its_records() {
    let rig = Rig::new();
    let targets: Vec<(u64, u64)> = (0..200).map(|stream| (stream, 5)).collect();
    rig.keep([put_many(&targets, vec![7; 2000])]);
    for seq in 0..200 {
        rig.keep([put(999, seq, vec![1; 1000])]);
    }
    rig.keep((0..200).map(|seq| release(999, seq)));
    let before = rig.journal.activity();
    rig.settle();
    let after = rig.journal.activity();
    assert_eq!(after.moved_records - before.moved_records, 200);
    assert!(after.log_bytes - before.log_bytes < 20_000, "{before:?} {after:?}");
    let rig = rig.crashed();
    assert!((0..200).all(|stream| rig.page(stream).records[0].payload == vec![7; 2000]));
}

#[test]
fn a_payload_for_ten_thousand_subscribers_costs_one_body_and_a_few_bytes_each() {
    let rig = Rig::new();
    let before = rig.journal.activity().log_bytes;
    let targets: Vec<(u64, u64)> = (0..10_000).map(|stream| (stream, 100 + stream % 30)).collect();
    rig.keep([put_many(&targets, vec![7; 256])]);
    let cost = rig.journal.activity().log_bytes - before;
    assert!(cost < 256 + 10_000 * 5, "{cost} bytes");
    rig.keep([release(77, 100 + 77 % 30)]);
    let rig = rig.reopened();
    assert_eq!(rig.recovery.streams.len(), 9_999);
    assert_eq!(rig.journal.stream(StreamId(77)), None);
    assert_eq!(rig.page(9_999).records[0].payload, vec![7; 256]);
}

#[test]
fn many_short_segments_are_joined() {
    let mut rig = Rig::new();
    for seq in 0..30 {
        rig.keep([put(1, seq, "one for each life")]);
        rig = rig.reopened();
        rig.settle();
    }
    assert!(logs(&rig.disk).len() < 15, "{:?}", logs(&rig.disk));
    assert_eq!(rig.numbers(1), (0..30).collect::<Vec<_>>());
}

#[test]
fn a_store_that_crashes_again_and_again_does_not_grow() {
    let mut rig = backlog(100);
    for _ in 0..30 {
        rig = rig.crashed();
    }
    assert!(rig.disk.used() < 12 * SEGMENT, "{} bytes", rig.disk.used());
    assert_eq!(rig.numbers(1).len(), 100);
}

#[test]
fn stat_tells_what_holds_the_disk() {
    let rig = backlog(300);
    rig.keep([put(42, 1, vec![1; 100])]);
    rig.release_each(1, 0..250);
    rig.journal.close().unwrap();
    let disk = Arc::new(rig.disk.clone());
    let changes = rig.disk.changes();
    let stat = inspect::stat(disk, Some(MasterKey::new(KEY))).unwrap();
    assert_eq!(rig.disk.changes(), changes, "nothing is changed");
    assert_eq!((stat.records, stat.live_bytes), (51, 50_100));
    assert_eq!(stat.oldest.unwrap().seq, 250);
    let streams: Vec<(u64, u64)> = stat.streams.iter().map(|info| (info.id.0, info.records)).collect();
    assert_eq!(streams, [(1, 50), (42, 1)]);
    let holding: Vec<_> = stat.segments.iter().filter(|segment| segment.records > 0).collect();
    assert!(
        holding.iter().all(|segment| !segment.holders.is_empty() && segment.live_bytes <= segment.used_bytes)
    );
    let last = holding.last().unwrap();
    assert_eq!(last.holders.last().unwrap().stream, StreamId(42));
    assert_eq!(last.holders[0].stream, StreamId(1));
    let sum = stat.segment_bytes + stat.table_bytes + stat.checkpoint_bytes + stat.spare_bytes;
    assert_eq!(sum, rig.disk.used());
}

#[test]
fn old_checkpoints_go_and_two_stay() {
    let rig = backlog(2000);
    assert!(rig.journal.activity().checkpoints > 3);
    assert_eq!(rig.files("checkpoint-").len(), 2);
    assert_eq!(rig.files("unfinished-").len(), 0);
    let rig = rig.crashed();
    assert_eq!(rig.numbers(1).len(), 2000);
    drop(Rig::on(
        &{
            rig.journal.close().unwrap();
            rig.disk.clone()
        },
        &options(),
    ));
}
