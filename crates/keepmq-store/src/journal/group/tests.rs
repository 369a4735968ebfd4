use bytes::Bytes;
use proptest::prelude::*;

use super::super::fixture::{Filler, at, batch, put, target};
use super::super::record::{Record, Records};
use super::super::walk::{Step, Walk};
use super::*;
use crate::api::{Batch, StreamId};
use crate::testing::FaultyDisk;

/// Whether each frame goes on in the next, and how many records it has.
fn frames(filler: &Filler) -> Vec<(bool, usize)> {
    let mut walk = Walk::new(&filler.reader.files, &filler.segment, None).unwrap();
    let mut frames = Vec::new();
    while let Step::Frame { head, records, .. } = walk.next().unwrap() {
        frames.push((head.continues, Records::new(records).count()));
    }
    frames
}

#[test]
fn small_batches_share_a_frame() {
    let mut filler = Filler::new(&FaultyDisk::new(1), 1, 4096);
    let batches: Vec<Batch> = (0..5).map(|seq| batch([put(1, seq, "abc"), put(2, seq, "de")])).collect();
    let built = filler.write(&batches);
    assert_eq!((built.frames, built.places.len()), (1, 10));
    assert_eq!(frames(&filler), [(false, 10)]);
}

#[test]
fn a_batch_over_several_frames_says_so_in_all_but_the_last() {
    let mut filler = Filler::new(&FaultyDisk::new(1), 1, 1000);
    filler.write(&[batch((0..5).map(|seq| put(1, seq, vec![0; 450])))]);
    assert_eq!(frames(&filler), [(true, 2), (true, 2), (false, 1)]);
}

#[test]
fn a_frame_that_ends_with_a_batch_does_not_go_on() {
    let mut filler = Filler::new(&FaultyDisk::new(1), 1, 1000);
    let batches: Vec<Batch> = (0..4).map(|seq| batch([put(1, seq, vec![0; 900])])).collect();
    filler.write(&batches);
    assert_eq!(frames(&filler), [(false, 1); 4]);
}

#[test]
fn a_record_longer_than_a_frame_has_one_to_itself() {
    let mut filler = Filler::new(&FaultyDisk::new(1), 1, 1000);
    filler.write(&[batch([put(1, 0, "a"), put(1, 1, vec![0; 5000]), put(1, 2, "b")])]);
    assert_eq!(frames(&filler), [(true, 1), (true, 1), (false, 1)]);
}

#[test]
fn nothing_but_empty_batches_is_written_as_nothing() {
    let mut filler = Filler::new(&FaultyDisk::new(1), 1, 1000);
    let built = filler.write(&[Batch::default(), Batch::default()]);
    assert_eq!((built.bytes.len(), built.frames), (0, 0));
    let none = Op::Put { targets: smallvec::SmallVec::new(), payload: Payload::default() };
    assert_eq!(filler.write(&[batch([none])]).frames, 0);
}

#[test]
fn payloads_are_read_back_from_their_places() {
    let disk = FaultyDisk::new(1);
    let mut filler = Filler::new(&disk, 1, 1000);
    filler.write(&[batch([put(1, 0, "first")])]);
    let payload = Payload { head: "he".into(), body: "ad".into() };
    let many = Op::Put { targets: [target(1, 1), target(2, 1)].into_iter().collect(), payload };
    let built = filler.write(&[batch([put(1, 5, vec![9; 990]), many])]);
    let read = |place: &Place| {
        let frame = Bytes::from(filler.segment.frame(&filler.reader.files, place.frame).unwrap());
        place.payload(&frame).unwrap()
    };
    assert_eq!(read(&built.places[0]), vec![9; 990]);
    assert_eq!(read(&built.places[1]), "head");
    assert_eq!(built.places[1].fan, 2);
}

#[test]
fn what_the_store_itself_writes_is_no_part_of_a_batch() {
    let filler = Filler::new(&FaultyDisk::new(1), 1, 1000);
    let mut group = Group::new(filler.segment.clone(), 1000, 8192, 0, Built::empty());
    group.opening(Opening { segment: 4, frames: 5, end: 6 }).unwrap();
    group.put(&[target(1, 1)], &Payload { head: Bytes::new(), body: vec![1; 990].into() }, true).unwrap();
    group.release(at(3, 3)).unwrap();
    let built = group.finish().unwrap();
    assert_eq!(built.frames, 2);
    let file = filler.reader.files.open(filler.segment.name()).unwrap();
    file.write_at(&built.bytes, 8192).unwrap();
    assert_eq!(frames(&filler), [(false, 2), (false, 1)]);
    let first = filler.segment.frame(&filler.reader.files, 8192).unwrap();
    let opening = Record::Opening(Opening { segment: 4, frames: 5, end: 6 });
    assert_eq!(Records::new(&first).next(), Some(Ok(opening)));
}

#[test]
fn the_memory_of_a_huge_group_is_let_go() {
    let built = Built { bytes: Vec::with_capacity(1000), frames: 1, places: Vec::new() };
    assert_eq!(built.trimmed(999).bytes.capacity(), 0);
    let built = Built { bytes: Vec::with_capacity(1000), frames: 1, places: Vec::new() };
    assert!(built.trimmed(2000).bytes.capacity() >= 1000);
}

fn any_op() -> impl Strategy<Value = Op> {
    let bytes = |most: usize| proptest::collection::vec(any::<u8>(), 0..most).prop_map(Bytes::from);
    prop_oneof![
        (proptest::collection::vec(any::<(u64, u64, u64)>(), 1..20), bytes(3000)).prop_map(|(list, body)| {
            let target = |(stream, seq, meta): (u64, u64, u64)| Target { at: at(stream, seq), meta };
            Op::Put {
                targets: list.into_iter().map(target).collect(),
                payload: Payload { head: Bytes::new(), body },
            }
        }),
        any::<(u64, u64)>().prop_map(|(stream, seq)| Op::Release(at(stream, seq))),
        any::<(u64, u64, u64)>().prop_map(|(stream, from, through)| Op::Truncate {
            stream: StreamId(stream),
            from,
            through
        }),
        (bytes(50), bytes(500)).prop_map(|(key, value)| Op::Set { key, value }),
        bytes(50).prop_map(|key| Op::Unset { key }),
    ]
}

proptest! {
    /// Whether a batch fits is decided before it is written: the estimate must never be too low.
    #[test]
    fn no_batch_takes_more_than_was_reckoned(
        batches in proptest::collection::vec(proptest::collection::vec(any_op(), 0..12), 1..6),
        frame_len in 1024..5000_usize,
    ) {
        let filler = Filler::new(&FaultyDisk::new(1), 1, frame_len);
        let mut group = Group::new(filler.segment.clone(), frame_len, 8192, 0, Built::empty());
        let mut most = 0;
        for ops in &batches {
            most = group.len() + with_frames(most_bytes(ops), frame_len);
            for op in ops {
                group.op(op).unwrap();
            }
            group.end_batch();
        }
        let built = group.finish().unwrap();
        prop_assert!(built.bytes.len() as u64 <= most, "{} bytes, reckoned {most}", built.bytes.len());
    }
}
