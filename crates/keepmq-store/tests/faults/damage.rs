//! Bytes that are not what was written.

use keepmq_store::disk::Disk;
use keepmq_store::{Store, StreamId, inspect};

use crate::rig::{Rig, at, files, frames, logs, options, put, put_many, release};

/// Ten records, each synced by itself, in a segment that is still being filled.
fn ten_frames() -> (Rig, String) {
    let rig = Rig::new();
    rig.put_each(1, 0..10, 200);
    let log = logs(&rig.disk)[0].clone();
    (rig, log)
}

/// Many segments, all closed, with tables and checkpoints.
fn many_segments() -> Rig {
    let rig = Rig::new();
    for seq in 0..400 {
        rig.keep([put(seq % 3, seq, vec![9; 1000])]);
        rig.journal.keep_once(false);
    }
    rig.journal.close().unwrap();
    rig
}

#[test]
fn a_torn_tail_is_cut_and_counted() {
    let (rig, log) = ten_frames();
    let last = *frames(&rig.disk, &log).last().unwrap();
    rig.disk.flip(&log, last + 70, 1);
    let rig = rig.crashed();
    assert_eq!(rig.recovery.damage, [""; 0]);
    assert_eq!(rig.journal.activity().torn_frames, 1);
    assert_eq!(rig.numbers(1), (0..9).collect::<Vec<_>>());
}

#[test]
fn a_tail_that_was_cut_never_comes_back() {
    let (rig, log) = ten_frames();
    let last = *frames(&rig.disk, &log).last().unwrap();
    rig.disk.flip(&log, last + 70, 1);
    let rig = rig.crashed();
    rig.keep([put(1, 50, "later")]);
    let kept = rig.disk.content(&log).len() as u64;
    if kept > last + 70 {
        rig.disk.flip(&log, last + 70, 1);
    }
    let rig = rig.crashed();
    assert_eq!(rig.recovery.damage, [""; 0]);
    assert_eq!(rig.numbers(1), (0..9).chain([50]).collect::<Vec<_>>());
}

#[test]
fn a_flipped_byte_in_the_middle_is_reported_with_its_place_and_costs_only_its_frame() {
    // Frame 0 opens the segment; frame n holds record n - 1. Byte 2 is in the magic, 25 in the number, 33 in the length,
    // 37 in the checksum, 45 in the records, 255 in the tag.
    for frame in [0, 1, 5, 9] {
        for byte in [2, 25, 33, 37, 45, 255] {
            let (rig, log) = ten_frames();
            let places = frames(&rig.disk, &log);
            let length = places[2] - places[1];
            let byte = if frame == 0 { byte.min(45) } else { byte };
            rig.disk.flip(&log, places[frame] + byte, 6);
            let rig = rig.crashed();
            let damage = rig.recovery.damage.join("\n");
            let place = format!("{log} at byte {}: ", places[frame]);
            assert!(damage.contains(&place), "frame {frame}, byte {byte}: {damage}");
            assert!(frame == 0 || damage.contains(&format!("{length} bytes are damaged")), "{damage}");
            let expected: Vec<u64> = (0..10).filter(|seq| *seq + 1 != frame as u64).collect();
            assert_eq!(rig.numbers(1), expected, "frame {frame}, byte {byte}");
        }
    }
}

#[test]
fn the_neighbours_of_a_damaged_frame_tell_which_records_it_may_have_held() {
    let (rig, log) = ten_frames();
    rig.disk.flip(&log, frames(&rig.disk, &log)[5] + 60, 0);
    let rig = rig.crashed();
    let damage = rig.recovery.damage.join("\n");
    assert!(damage.contains("stream 1 has nothing from 4 to 4"), "{damage}");
}

#[test]
fn after_a_checkpoint_damage_is_not_reported_again() {
    let (rig, log) = ten_frames();
    rig.disk.flip(&log, frames(&rig.disk, &log)[5] + 60, 0);
    let rig = rig.crashed();
    assert_eq!(rig.recovery.damage.len(), 1);
    rig.settle();
    let rig = rig.crashed();
    assert_eq!(rig.recovery.damage, [""; 0]);
    assert_eq!(rig.numbers(1).len(), 9);
}

#[test]
fn a_damaged_record_in_an_old_segment_is_told_to_its_reader_once_and_released() {
    let rig = many_segments();
    let log = logs(&rig.disk)[1].clone();
    rig.disk.flip(&log, frames(&rig.disk, &log)[3] + 60, 0);
    let rig = Rig::on(&rig.disk, &options());
    assert_eq!(rig.recovery.damage, [""; 0], "old segments are not read at the start");
    let before = rig.journal.usage().records;
    let lost: Vec<(u64, Vec<u64>)> = (0..3).map(|stream| (stream, rig.page(stream).lost)).collect();
    let (stream, seq) =
        lost.iter().find_map(|(stream, lost)| lost.first().map(|seq| (*stream, *seq))).unwrap();
    assert_eq!(lost.iter().map(|(_, lost)| lost.len()).sum::<usize>(), 1);
    assert_eq!(rig.journal.read(&[at(stream, seq)]).unwrap(), [None]);
    assert!((0..3).all(|stream| rig.page(stream).lost.is_empty()));
    assert_eq!(rig.journal.usage().records, before - 1);
    rig.settle();
    let rig = rig.crashed();
    assert_eq!(rig.journal.usage().records, before - 1, "the release lasts");
    assert!((0..3).all(|stream| rig.page(stream).lost.is_empty()));
}

#[test]
fn damage_in_a_segment_with_a_table_is_reported_with_the_records_it_cost() {
    let rig = Rig::new();
    for seq in 0..150 {
        rig.keep([put(seq % 3, seq, vec![9; 1000])]);
    }
    // The first segments have tables, but no checkpoint covers them.
    for _ in 0..8 {
        rig.journal.keep_once(false);
    }
    let log = logs(&rig.disk)[0].clone();
    rig.disk.flip(&log, frames(&rig.disk, &log)[4] + 60, 0);
    let rig = rig.crashed();
    let damage = rig.recovery.damage.join("\n");
    assert!(damage.contains("they held 1 of stream 0 (3 to 3)"), "{damage}");
    assert_eq!(rig.page(0).lost, [3], "its reader hears of it too");
}

#[test]
fn a_missing_segment_is_reported_with_what_it_held() {
    let rig = many_segments();
    rig.disk.remove(&logs(&rig.disk)[1]).unwrap();
    let rig = Rig::on(&rig.disk, &options());
    let damage = rig.recovery.damage.join("\n");
    assert!(damage.contains("the segment is missing; it held") && damage.contains("of stream 2"), "{damage}");
    let lost: usize = (0..3).map(|stream| rig.page(stream).lost.len()).sum();
    assert!(lost > 20, "its table is there, so readers hear of each record");
    assert_eq!(rig.journal.usage().records, 400 - lost as u64);
}

#[test]
fn a_segment_that_is_missing_with_its_table_is_reported_and_the_rest_is_there() {
    let rig = many_segments();
    let log = logs(&rig.disk)[1].clone();
    rig.disk.remove(&log).unwrap();
    rig.disk.remove(&log.replace("log", "idx")).unwrap();
    let rig = Rig::on(&rig.disk, &options());
    assert!(rig.recovery.damage[0].contains("the segment is missing; it held"));
    let left: usize = (0..3).map(|stream| rig.numbers(stream).len()).sum();
    assert!(left > 300 && left < 400);
    assert_eq!(rig.journal.usage().records, left as u64);
}

#[test]
fn a_segment_that_is_missing_from_the_log_is_reported() {
    let rig = Rig::new();
    rig.put_each(1, 0..150, 1000);
    let logs = logs(&rig.disk);
    rig.disk.remove(&logs[1]).unwrap();
    rig.disk.sync().unwrap();
    let rig = rig.crashed();
    let damage = rig.recovery.damage.join("\n");
    assert!(damage.contains(&format!("{}: the segment is missing", logs[1])), "{damage}");
    let left = rig.numbers(1);
    assert!(left.contains(&0) && left.contains(&149) && left.len() < 150);
}

#[test]
fn a_segment_that_is_cut_off_is_reported_with_the_place() {
    let rig = many_segments();
    let log = logs(&rig.disk)[1].clone();
    rig.disk.damage(&log, |bytes| bytes.truncate(30_000));
    let rig = Rig::on(&rig.disk, &options());
    let damage = rig.recovery.damage.join("\n");
    assert!(damage.contains(&format!("{log}: the segment is cut off at byte 30000 of")), "{damage}");
    let lost: usize = (0..3).map(|stream| rig.page(stream).lost.len()).sum();
    assert!(lost > 10 && lost < 100, "{lost}");
}

#[test]
fn one_damaged_header_of_a_segment_costs_nothing() {
    let rig = many_segments();
    let log = logs(&rig.disk)[1].clone();
    rig.disk.flip(&log, 60, 1);
    let rig = Rig::on(&rig.disk, &options());
    assert_eq!(rig.recovery.damage, [""; 0]);
    assert_eq!((0..3).map(|stream| rig.numbers(stream).len()).sum::<usize>(), 400);
}

#[test]
fn two_damaged_headers_cost_the_segment_and_are_reported() {
    let rig = many_segments();
    let log = logs(&rig.disk)[1].clone();
    rig.disk.flip(&log, 60, 1);
    rig.disk.flip(&log, 4096 + 60, 1);
    let rig = Rig::on(&rig.disk, &options());
    assert!(rig.recovery.damage[0].contains("the header of the segment is damaged; it held"));
    assert!((0..3).any(|stream| !rig.page(stream).lost.is_empty()));
}

#[test]
fn a_damaged_checkpoint_is_reported_and_the_one_before_used() {
    let rig = many_segments();
    let checkpoints = rig.files("checkpoint-");
    assert_eq!(checkpoints.len(), 2);
    rig.disk.flip(&checkpoints[1], 200, 1);
    let rig = Rig::on(&rig.disk, &options());
    let damage = rig.recovery.damage.join("\n");
    assert!(damage.contains(&checkpoints[1]) && damage.contains("an older checkpoint is used"), "{damage}");
    assert_eq!((0..3).map(|stream| rig.numbers(stream).len()).sum::<usize>(), 400);
}

#[test]
fn with_both_checkpoints_damaged_what_the_log_has_is_recovered_and_the_rest_reported() {
    let rig = many_segments();
    for checkpoint in rig.files("checkpoint-") {
        rig.disk.flip(&checkpoint, 200, 1);
    }
    let rig = Rig::on(&rig.disk, &options());
    let damage = rig.recovery.damage.join("\n");
    assert!(damage.contains("no checkpoint can be read"), "{damage}");
    assert_eq!((0..3).map(|stream| rig.numbers(stream).len()).sum::<usize>(), 400);
}

#[test]
fn missing_tables_are_made_again() {
    let rig = many_segments();
    let tables: Vec<_> = rig.files("segment-").into_iter().filter(|name| name.ends_with("idx")).collect();
    assert!(tables.len() > 4);
    for table in &tables {
        rig.disk.remove(table).unwrap();
    }
    let rig = Rig::on(&rig.disk, &options());
    assert_eq!(rig.recovery.damage, [""; 0]);
    assert_eq!((0..3).map(|stream| rig.numbers(stream).len()).sum::<usize>(), 400);
    rig.settle();
    assert!(tables.iter().all(|table| files(&rig.disk, "segment-").contains(table)));
}

#[test]
fn a_table_that_breaks_while_the_store_is_open_is_made_again_and_told() {
    let rig = Rig::on(&many_segments().disk, &options());
    rig.journal.take_faults();
    for table in rig.files("segment-").iter().filter(|name| name.ends_with("idx")) {
        rig.disk.flip(table, 140, 1);
    }
    rig.keep([release(0, 60), release(1, 61)]);
    assert_eq!((0..3).map(|stream| rig.numbers(stream).len()).sum::<usize>(), 398);
    let faults = rig.journal.take_faults();
    assert!(!faults.is_empty() && faults.iter().all(|fault| fault.contains("made again")), "{faults:?}");
    assert_eq!(rig.journal.take_faults(), [""; 0]);
}

#[test]
fn a_batch_over_several_frames_is_found_whole_or_not_at_all() {
    let many = 60;
    for kept in [true, false] {
        let mut small = options();
        small.frame_bytes = 1024;
        let rig = Rig::on(&keepmq_store::testing::FaultyDisk::new(1), &small);
        rig.keep([put(1, 1, "before")]);
        rig.keep((0..many).map(|seq| put(2, seq, vec![7; 300])));
        let log = logs(&rig.disk)[0].clone();
        let frames = frames(&rig.disk, &log);
        assert!(frames.len() > 10);
        if !kept {
            rig.disk.flip(&log, frames.last().unwrap() + 50, 1);
        }
        let rig = rig.crashed();
        assert_eq!(rig.recovery.damage, [""; 0]);
        assert_eq!(rig.numbers(2).len(), if kept { 60 } else { 0 });
        assert_eq!(rig.numbers(1), [1]);
    }
}

#[test]
fn verifying_finds_the_fault_and_touches_nothing() {
    let rig = many_segments();
    let key = || Some(keepmq_store::MasterKey::new(crate::rig::KEY));
    let whole = inspect::verify(std::sync::Arc::new(rig.disk.clone()), key()).unwrap();
    assert_eq!((whole.faults.len(), whole.losses.len()), (0, 0), "{whole:?}");
    let log = logs(&rig.disk)[1].clone();
    let place = frames(&rig.disk, &log)[3];
    rig.disk.flip(&log, place + 60, 0);
    let changes = rig.disk.changes();
    let report = inspect::verify(std::sync::Arc::new(rig.disk.clone()), key()).unwrap();
    assert_eq!(rig.disk.changes(), changes);
    let fault = &report.faults[0];
    assert_eq!((fault.path.as_str(), fault.offset), (log.as_str(), place));
    assert_eq!(report.frames, whole.frames - 1);
}

#[test]
fn a_shared_payload_that_is_lost_is_lost_for_each_of_its_records() {
    let rig = Rig::new();
    let targets: Vec<(u64, u64)> = (0..5).map(|stream| (stream, 1)).collect();
    rig.keep([put_many(&targets, vec![1; 500])]);
    rig.keep([put(0, 2, "fine")]);
    let rig = rig.reopened();
    let log = logs(&rig.disk)[0].clone();
    rig.disk.flip(&log, frames(&rig.disk, &log)[1] + 100, 0);
    let rig = Rig::on(
        &{
            rig.journal.close().unwrap();
            rig.disk.clone()
        },
        &options(),
    );
    for stream in 0..5 {
        assert_eq!(rig.page(stream).lost, [1]);
        assert_eq!(rig.journal.stream(StreamId(stream)).map(|info| info.records), (stream == 0).then_some(1));
    }
}
