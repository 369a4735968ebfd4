use proptest::prelude::*;

use super::super::fixture::{at, header, reader_of, target};
use super::super::index::Index;
use super::super::place::Place;
use super::super::segment::Segment;
use super::*;
use crate::testing::FaultyDisk;

const MOMENT: Moment = Moment {
    replay_from: 12,
    closed: false,
    next_segment: 30,
    last: Opening { segment: 11, frames: 4, end: 9000 },
};

/// Two segments with some dead records, and some values.
fn snapshot(disk: &FaultyDisk, values: usize, value_len: usize) -> Snapshot {
    let mut index = Index::new(reader_of(disk));
    for id in 1..3 {
        index.begin(Segment::unreadable(id, 7));
        for seq in 0..200 {
            let place = Place { frame: 8192, offset: 3, len: 20, fan: 1 };
            index.put(target(seq % 3, id * 1000 + seq), place, false).unwrap();
        }
        index.close(5, 20_000);
    }
    assert!((0..50).all(|seq| index.release(at(seq % 3, 1000 + seq)).unwrap()));
    let mut state = State::default();
    (0..values).for_each(|n| state.set(format!("key {n}").as_bytes(), &vec![7; value_len]));
    Snapshot { moment: MOMENT, segments: index.closed().cloned().collect(), state }
}

fn write_to(disk: &FaultyDisk, number: u64, snapshot: &Snapshot) -> u64 {
    let reader = reader_of(disk);
    let file = reader.files.create(Name::Checkpoint(number)).unwrap();
    write(&reader, &*file, header(Kind::Checkpoint, number), snapshot).unwrap()
}

fn assert_same(read: &Checkpoint, snapshot: &Snapshot) {
    assert_eq!((read.moment, read.epoch, read.store), (MOMENT, 1, [3; 16]));
    assert_eq!(read.state.sorted(), snapshot.state.sorted());
    assert_eq!(read.segments.len(), snapshot.segments.len());
    for (summary, closed) in read.segments.iter().zip(&snapshot.segments) {
        assert_eq!(summary.known(), closed.known());
        assert_eq!((summary.epoch, &summary.runs[..]), (7, &closed.runs[..]));
        assert_eq!(summary.live.runs(), closed.live.runs());
        assert!((0..250).all(|ordinal| summary.live.is_live(ordinal) == closed.live.is_live(ordinal)));
    }
}

#[test]
fn a_checkpoint_is_read_as_written() {
    let disk = FaultyDisk::new(1);
    let snapshot = snapshot(&disk, 10, 5);
    let len = write_to(&disk, 4, &snapshot);
    assert_eq!(len, disk.content(&Name::Checkpoint(4).text()).len() as u64);
    assert_same(&read(&reader_of(&disk), 4).unwrap(), &snapshot);
}

#[test]
fn one_of_many_chunks_is_read_as_written() {
    let disk = FaultyDisk::new(1);
    let snapshot = snapshot(&disk, 300, 10_000);
    assert!(write_to(&disk, 4, &snapshot) > 8 * CHUNK as u64);
    assert_same(&read(&reader_of(&disk), 4).unwrap(), &snapshot);
}

#[test]
fn one_that_ends_with_a_whole_chunk_too_early_is_refused() {
    let disk = FaultyDisk::new(1);
    write_to(&disk, 4, &snapshot(&disk, 300, 10_000));
    let name = Name::Checkpoint(4).text();
    let bytes = disk.content(&name);
    let mut at = HEADER_LEN;
    while at < bytes.len() {
        disk.damage(&name, |bytes| bytes.truncate(at));
        assert!(read(&reader_of(&disk), 4).is_err(), "cut at {at}");
        disk.damage(&name, |now| *now = bytes.clone());
        let len = u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) & !LAST;
        at += CHUNK_HEAD + len as usize;
    }
}

#[test]
fn chunks_in_another_order_are_refused() {
    let disk = FaultyDisk::new(1);
    write_to(&disk, 4, &snapshot(&disk, 300, 10_000));
    disk.damage(&Name::Checkpoint(4).text(), |bytes| {
        let len = |at: usize| {
            (u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) & !LAST) as usize + CHUNK_HEAD
        };
        let second = HEADER_LEN + len(HEADER_LEN);
        let third = second + len(second);
        let swapped =
            [&bytes[..HEADER_LEN], &bytes[second..third], &bytes[HEADER_LEN..second], &bytes[third..]]
                .concat();
        *bytes = swapped;
    });
    let error = read(&reader_of(&disk), 4).err().unwrap();
    assert!(error.to_string().contains("seal"), "{error}");
}

#[test]
fn a_checkpoint_under_another_number_is_refused() {
    let disk = FaultyDisk::new(1);
    write_to(&disk, 4, &snapshot(&disk, 1, 1));
    let reader = reader_of(&disk);
    reader.files.rename(Name::Checkpoint(4), Name::Checkpoint(5)).unwrap();
    assert!(read(&reader, 5).err().unwrap().to_string().contains("not this checkpoint"));
}

#[test]
fn a_checkpoint_of_what_was_not_touched_is_small() {
    let disk = FaultyDisk::new(1);
    let mut untouched = snapshot(&disk, 0, 0);
    untouched.segments.retain(|closed| closed.segment.id == 2);
    let len = write_to(&disk, 4, &untouched);
    assert!(len < 300, "{len} bytes");
}

#[test]
fn a_full_disk_is_told_from_a_failing_one() {
    let disk = FaultyDisk::new(1);
    let snapshot = snapshot(&disk, 10, 5);
    let reader = reader_of(&disk);
    let file = reader.files.create(Name::Checkpoint(4)).unwrap();
    disk.limit(Some(200));
    let full = write(&reader, &*file, header(Kind::Checkpoint, 4), &snapshot);
    assert!(matches!(full, Err(WriteError::NoRoom)));
    disk.limit(None);
    disk.refuse_sync_after(0);
    let failed = write(&reader, &*file, header(Kind::Checkpoint, 4), &snapshot);
    assert!(matches!(failed, Err(WriteError::Failed(_))));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn any_damage_is_refused_without_panic(
        edits in proptest::collection::vec((any::<prop::sample::Index>(), 1..=255_u8), 1..4),
        cut in proptest::option::of(any::<prop::sample::Index>()),
    ) {
        let disk = FaultyDisk::new(1);
        write_to(&disk, 4, &snapshot(&disk, 10, 5));
        let name = Name::Checkpoint(4).text();
        let before = disk.content(&name);
        disk.damage(&name, |bytes| {
            for (at, change) in &edits {
                let at = at.index(bytes.len());
                bytes[at] ^= change;
            }
            if let Some(cut) = &cut {
                bytes.truncate(cut.index(bytes.len()));
            }
        });
        prop_assume!(disk.content(&name) != before);
        prop_assert!(read(&reader_of(&disk), 4).is_err());
    }

    #[test]
    fn items_that_were_changed_under_the_seal_are_read_or_refused_without_panic(
        edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut: prop::sample::Index,
    ) {
        let disk = FaultyDisk::new(1);
        let snapshot = snapshot(&disk, 0, 0);
        let mut chunk = Vec::new();
        encode_moment(&mut chunk, &snapshot.moment);
        snapshot.segments.iter().for_each(|closed| encode_segment(&mut chunk, closed));
        for (at, value) in &edits {
            let at = at.index(chunk.len());
            chunk[at] = *value;
        }
        chunk.truncate(cut.index(chunk.len() + 1));
        let state = State::default();
        let mut checkpoint = Checkpoint { epoch: 0, store: [0; 16], moment: MOMENT, segments: Vec::new(), state };
        let _ = decode_chunk(&chunk, &mut checkpoint);
        let words: usize = checkpoint.segments.iter().map(|summary| summary.live.dead_bits().len()).sum();
        prop_assert!(words * 8 <= chunk.len(), "no count is believed");
    }
}
