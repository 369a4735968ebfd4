use std::sync::Arc;

use super::super::fixture::{Filler, at, batch, put, reader_of, target};
use super::super::segment::Segment;
use super::*;
use crate::api::{Op, Seq};
use crate::testing::FaultyDisk;

const LEN: u64 = 64 << 10;

/// A closed segment with a number of records of a hundred bytes, of which only some are left.
fn closed(index: &mut Index, id: u64, records: u64, left: impl Fn(Seq) -> bool) {
    index.begin(Segment::unreadable(id, 1));
    for seq in 0..records {
        let place = Place { frame: 8192, offset: 0, len: 100, fan: 1 };
        index.put(target(id, seq), place, false).unwrap();
    }
    let end = DATA_START + u32::try_from(records).unwrap() * 110;
    index.close(1, end);
    for seq in (0..records).filter(|seq| !left(*seq)) {
        index.release(at(id, seq)).unwrap();
    }
}

fn chosen(index: &Index, full: bool, quiet: bool) -> Option<u64> {
    choose(index, LEN, full, quiet, |_| false).map(|closed| closed.segment.id)
}

fn index() -> Index {
    Index::new(reader_of(&FaultyDisk::new(1)))
}

/// Two segments that are young and full of life.
fn young_ones(index: &mut Index) {
    closed(index, 100, 500, |_| true);
    closed(index, 101, 500, |_| true);
}

#[test]
fn a_segment_is_chosen_when_three_quarters_of_it_are_dead() {
    let mut index = index();
    closed(&mut index, 1, 500, |seq| seq % 3 == 0);
    young_ones(&mut index);
    assert_eq!(chosen(&index, false, false), None);
    closed(&mut index, 0, 500, |seq| seq % 5 == 0);
    assert_eq!(chosen(&index, false, false), Some(0));
}

#[test]
fn the_deadest_is_chosen_first() {
    let mut index = index();
    closed(&mut index, 1, 500, |seq| seq % 6 == 0);
    closed(&mut index, 2, 500, |seq| seq % 60 == 0);
    closed(&mut index, 3, 500, |seq| seq % 7 == 0);
    young_ones(&mut index);
    assert_eq!(chosen(&index, false, false), Some(2));
}

#[test]
fn the_youngest_are_left_alone_until_it_is_quiet() {
    let mut index = index();
    closed(&mut index, 1, 500, |seq| seq == 7);
    closed(&mut index, 2, 500, |seq| seq == 7);
    assert_eq!(chosen(&index, false, false), None);
    assert!(chosen(&index, false, true).is_some());
    assert!(chosen(&index, true, false).is_some());
}

#[test]
fn when_room_is_short_a_quarter_of_death_is_enough() {
    let mut index = index();
    closed(&mut index, 1, 500, |seq| seq % 3 != 0);
    young_ones(&mut index);
    assert_eq!(chosen(&index, false, true), None);
    assert_eq!(chosen(&index, true, false), Some(1));
}

#[test]
fn a_wholly_dead_segment_has_nothing_to_move() {
    let mut index = index();
    closed(&mut index, 1, 500, |_| false);
    assert_eq!(chosen(&index, true, true), None);
}

#[test]
fn one_that_was_refused_is_not_chosen_again() {
    let mut index = index();
    closed(&mut index, 1, 500, |seq| seq == 7);
    closed(&mut index, 2, 500, |seq| seq % 100 == 7);
    let again = choose(&index, LEN, true, true, |id| id == 1).map(|closed| closed.segment.id);
    assert_eq!(again, Some(2));
}

#[test]
fn short_segments_are_joined_when_there_are_many() {
    let mut index = index();
    for id in 0..9 {
        closed(&mut index, id, 5, |_| true);
        assert_eq!(chosen(&index, false, true), (id == 8).then_some(0), "{id}");
    }
}

#[test]
fn a_payload_that_few_of_many_still_need_counts_in_part() {
    let mut index = index();
    index.begin(Segment::unreadable(1, 1));
    let place = Place { frame: 8192, offset: 0, len: 50_000, fan: 100 };
    (0..100).for_each(|stream| index.put(target(stream, 1), place, false).unwrap());
    index.close(1, DATA_START + 51_000);
    assert_eq!(chosen(&index, false, true), None);
    (0..80).for_each(|stream| assert!(index.release(at(stream, 1)).unwrap()));
    assert_eq!(chosen(&index, false, true), Some(1));
}

/// A real segment with these changes, closed, and its index.
fn filled(ops: &[Op]) -> (Arc<Reader>, Index) {
    let disk = FaultyDisk::new(1);
    let mut filler = Filler::new(&disk, 1, 2000);
    let mut index = Index::new(reader_of(&disk));
    index.begin(Arc::clone(&filler.segment));
    let built = filler.write(&[batch(ops.to_vec())]);
    for (op, place) in ops.iter().zip(&built.places) {
        let Op::Put { targets, .. } = op else { continue };
        targets.iter().for_each(|target| index.put(*target, *place, false).unwrap());
    }
    index.close(filler.known().frames, filler.known().end);
    (Arc::clone(&filler.reader), index)
}

/// All that is laid out, a few at a time.
fn all_moves(reader: &Reader, index: &Index) -> Vec<Moves> {
    let closed = index.closed_at(1).unwrap().clone();
    let mut compaction = Compaction::new(reader, &closed).unwrap();
    std::iter::from_fn(|| compaction.next(reader, &closed).unwrap()).collect()
}

fn numbers(moves: &[Moves]) -> Vec<(u64, Seq)> {
    let all = moves.iter().flat_map(|moves| &moves.list).flat_map(|one| &one.targets);
    all.map(|target| (target.at.stream.0, target.at.seq)).collect()
}

#[test]
fn what_lives_is_laid_out_in_the_order_of_the_log() {
    let (reader, mut index) =
        filled(&(0..100).map(|seq| put(seq % 3, seq, format!("body {seq}"))).collect::<Vec<_>>());
    for seq in (0..100).filter(|seq| seq % 4 != 0) {
        index.release(at(seq % 3, seq)).unwrap();
    }
    let moves = all_moves(&reader, &index);
    let expected: Vec<_> = (0..100).filter(|seq| seq % 4 == 0).map(|seq| (seq % 3, seq)).collect();
    assert_eq!(numbers(&moves), expected);
    let first = &moves[0].list[1];
    assert_eq!((first.payload.body.as_ref(), first.targets[0].meta), (&b"body 4"[..], 1004));
}

#[test]
fn not_more_than_a_few_are_laid_out_at_once() {
    let (reader, index) = filled(&(0..200).map(|seq| put(1, seq, vec![0; 10])).collect::<Vec<_>>());
    let moves = all_moves(&reader, &index);
    assert_eq!(moves.iter().map(|moves| moves.list.len()).collect::<Vec<_>>(), [64, 64, 64, 8]);
    let (reader, index) = filled(&(0..9).map(|seq| put(1, seq, vec![0; 20_000])).collect::<Vec<_>>());
    let moves = all_moves(&reader, &index);
    assert!(moves.iter().all(|moves| moves.list.len() <= BYTES / 20_000 + 1));
}

#[test]
fn a_shared_payload_goes_with_all_its_living_records_some_hundred_at_a_time() {
    let targets = (0..1200).map(|stream| target(stream, 5)).collect();
    let payload = Payload { head: Bytes::new(), body: "shared".into() };
    let (reader, mut index) = filled(&[Op::Put { targets, payload }]);
    (0..100).for_each(|stream| assert!(index.release(at(stream, 5)).unwrap()));
    let moves = all_moves(&reader, &index);
    let counts: Vec<usize> = moves.iter().map(|moves| moves.list[0].targets.len()).collect();
    assert_eq!(counts, [512, 512, 76]);
    assert!(moves.iter().all(|moves| moves.list[0].payload.body == "shared"));
}

#[test]
fn what_died_since_it_was_laid_out_is_not_moved() {
    let (reader, mut index) = filled(&(0..10).map(|seq| put(1, seq, "x")).collect::<Vec<_>>());
    let mut moves = all_moves(&reader, &index).remove(0);
    index.release(at(1, 3)).unwrap();
    index.truncate(crate::api::StreamId(1), 0, 1).unwrap();
    moves.keep_living(&mut index);
    let left = numbers(std::slice::from_ref(&moves));
    assert_eq!(left, [2, 4, 5, 6, 7, 8, 9].map(|seq| (1, seq)));
}

#[test]
fn what_was_moved_already_is_not_moved_from_its_old_place_again() {
    let (reader, mut index) = filled(&(0..3).map(|seq| put(1, seq, "x")).collect::<Vec<_>>());
    let mut moves = all_moves(&reader, &index).remove(0);
    index.begin(Segment::unreadable(2, 1));
    let place = Place { frame: 8192, offset: 0, len: 1, fan: 1 };
    index.put(target(1, 0), place, true).unwrap();
    index.close(1, 9000);
    moves.keep_living(&mut index);
    assert_eq!(numbers(std::slice::from_ref(&moves)), [(1, 1), (1, 2)]);
}

#[test]
fn what_moves_take_is_reckoned_from_above() {
    let (reader, index) = filled(&(0..64).map(|seq| put(seq, seq, vec![1; 100])).collect::<Vec<_>>());
    let moves = all_moves(&reader, &index).remove(0);
    assert!(moves.most_bytes() >= 64 * 103);
}

#[test]
fn a_damaged_frame_stops_the_moving_of_its_segment() {
    let disk = FaultyDisk::new(1);
    let mut filler = Filler::new(&disk, 1, 1000);
    let mut index = Index::new(reader_of(&disk));
    index.begin(Arc::clone(&filler.segment));
    let built = filler.write(&[batch([put(1, 1, vec![1; 500])])]);
    index.put(target(1, 1), built.places[0], false).unwrap();
    index.close(filler.known().frames, filler.known().end);
    disk.flip(&filler.name(), u64::from(DATA_START) + 60, 1);
    let closed = index.closed_at(1).unwrap().clone();
    let mut compaction = Compaction::new(&filler.reader, &closed).unwrap();
    assert!(matches!(compaction.next(&filler.reader, &closed), Err(StoreError::Corrupt { .. })));
}
