use proptest::prelude::*;

use super::super::fixture::{Filler, batch, put};
use super::super::frame::ALIGN;
use super::*;
use crate::testing::FaultyDisk;

/// What a walk comes to.
#[derive(Debug, Default, PartialEq, Eq)]
struct Walked {
    frames: Vec<(u32, u32)>,
    gaps: Vec<Gap>,
    torn: bool,
    end: u32,
}

fn walk(filler: &Filler, known: Option<Opening>) -> Walked {
    let mut walk = Walk::new(&filler.reader.files, &filler.segment, known).unwrap();
    let mut walked = Walked::default();
    loop {
        match walk.next().unwrap() {
            Step::Frame { at, head, records } => {
                assert!(!records.is_empty());
                walked.frames.push((head.number, at));
            }
            Step::Damage(gap) => walked.gaps.push(gap),
            Step::End(End { at, torn }) => {
                return Walked { torn, end: at, ..walked };
            }
        }
    }
}

fn numbers(walked: &Walked) -> Vec<u32> {
    walked.frames.iter().map(|(number, _)| *number).collect()
}

/// Five groups of one frame each.
fn five_groups() -> (FaultyDisk, Filler) {
    let disk = FaultyDisk::new(1);
    let mut filler = Filler::new(&disk, 7, 4096);
    for seq in 0..5 {
        filler.write(&[batch([put(1, seq, vec![7; 100])])]);
    }
    (disk, filler)
}

/// One group, then one of three frames.
fn group_of_three() -> (FaultyDisk, Filler) {
    let disk = FaultyDisk::new(1);
    let mut filler = Filler::new(&disk, 7, 1000);
    filler.write(&[batch([put(1, 0, vec![7; 100])])]);
    filler.write(&[batch((1..4).map(|seq| put(1, seq, vec![7; 900])))]);
    (disk, filler)
}

fn flip(disk: &FaultyDisk, filler: &Filler, at: u32) {
    disk.flip(&filler.name(), u64::from(at), 3);
}

#[test]
fn an_undamaged_segment_is_walked_to_its_end() {
    let (_disk, filler) = five_groups();
    let walked = walk(&filler, None);
    assert_eq!(numbers(&walked), [0, 1, 2, 3, 4]);
    assert_eq!((walked.gaps.len(), walked.torn, walked.end), (0, false, filler.known().end));
    assert_eq!(walk(&filler, Some(filler.known())), walked);
}

#[test]
fn a_flipped_byte_in_the_middle_is_damage_wherever_it_is_in_the_frame() {
    // In the magic, the version, the number, the length, the checksum, the records, the tag.
    for offset in [0, 4, 24, 32, 36, 40, 100, 160] {
        for known in [false, true] {
            let (disk, filler) = five_groups();
            let whole = walk(&filler, None);
            let (start, end) = (whole.frames[2].1, whole.frames[3].1);
            flip(&disk, &filler, start + offset);
            let walked = walk(&filler, known.then(|| filler.known()));
            assert_eq!(numbers(&walked), [0, 1, 3, 4], "byte {offset}");
            assert_eq!(walked.gaps, [Gap { bytes: start.into()..end.into(), frames: 2..3 }], "byte {offset}");
            assert!(!walked.torn);
        }
    }
}

#[test]
fn a_damaged_first_frame_costs_no_other() {
    let (disk, filler) = five_groups();
    flip(&disk, &filler, DATA_START + 50);
    let walked = walk(&filler, None);
    assert_eq!(numbers(&walked), [1, 2, 3, 4]);
    assert_eq!(walked.gaps[0].frames, 0..1);
}

#[test]
fn a_bad_last_frame_is_a_torn_end_unless_the_next_segment_knows_better() {
    let (disk, filler) = five_groups();
    let last = walk(&filler, None).frames[4].1;
    flip(&disk, &filler, last + 60);
    let walked = walk(&filler, None);
    assert_eq!((numbers(&walked), walked.end, walked.torn), (vec![0, 1, 2, 3], last, true));
    assert_eq!(walked.gaps, []);
    let walked = walk(&filler, Some(filler.known()));
    assert_eq!(walked.gaps, [Gap { bytes: last.into()..filler.known().end.into(), frames: 4..5 }]);
}

#[test]
fn of_the_last_group_any_frame_may_be_missing_and_what_follows_it_does_not_count() {
    for missing in 0..3 {
        let (disk, filler) = group_of_three();
        let whole = walk(&filler, None);
        assert_eq!(numbers(&whole), [0, 1, 2, 3]);
        let at = whole.frames[missing + 1].1;
        flip(&disk, &filler, at + 45);
        let walked = walk(&filler, None);
        assert_eq!((walked.frames.len(), walked.end, walked.torn), (missing + 1, at, true));
        assert_eq!(walked.gaps, []);
    }
}

#[test]
fn a_missing_frame_of_a_group_is_damage_once_a_later_group_is_there() {
    let (disk, mut filler) = group_of_three();
    filler.write(&[batch([put(1, 9, vec![7; 100])])]);
    let at = walk(&filler, None).frames[1].1;
    flip(&disk, &filler, at + 45);
    let walked = walk(&filler, None);
    assert_eq!(numbers(&walked), [0, 2, 3, 4]);
    assert_eq!(walked.gaps[0].frames, 1..2);
}

#[test]
fn several_gaps_are_told_apart() {
    let (disk, filler) = five_groups();
    let frames = walk(&filler, None).frames;
    for frame in [1, 3] {
        flip(&disk, &filler, frames[frame].1 + 45);
    }
    let gaps: Vec<_> = walk(&filler, None).gaps.into_iter().map(|gap| gap.frames).collect();
    assert_eq!(gaps, [1..2, 3..4]);
}

#[test]
fn frames_that_another_segment_left_in_the_file_do_not_count() {
    let (disk, filler) = five_groups();
    let old = disk.content(&filler.name());
    let mut again = Filler::new(&disk, 8, 4096);
    disk.damage(&again.name(), |bytes| {
        let from = DATA_START as usize;
        bytes[from..].copy_from_slice(&old[from..]);
    });
    assert_eq!(walk(&again, None), Walked { end: DATA_START, ..Walked::default() });
    again.write(&[batch([put(1, 1, vec![8; 100])])]);
    let walked = walk(&again, None);
    assert_eq!((numbers(&walked), walked.torn, walked.gaps.len()), (vec![0], false, 0));
}

#[test]
fn what_comes_after_the_known_end_does_not_count() {
    let (_disk, mut filler) = five_groups();
    let known = filler.known();
    filler.write(&[batch([put(1, 9, vec![7; 100])])]);
    assert_eq!(numbers(&walk(&filler, Some(known))), [0, 1, 2, 3, 4]);
}

#[test]
fn a_segment_that_is_cut_off_before_its_known_end_lacks_the_rest() {
    let (disk, filler) = five_groups();
    let cut = walk(&filler, None).frames[3].1 as usize;
    disk.damage(&filler.name(), |bytes| bytes.truncate(cut + 10));
    let walked = walk(&filler, Some(filler.known()));
    assert_eq!(numbers(&walked), [0, 1, 2]);
    assert_eq!(walked.gaps[0].frames, 3..5);
}

#[test]
fn a_frame_whose_checksum_was_made_to_agree_does_not_pass_the_seal() {
    let (disk, filler) = five_groups();
    let (start, end) = (walk(&filler, None).frames[2].1 as usize, walk(&filler, None).frames[3].1 as usize);
    disk.damage(&filler.name(), |bytes| {
        bytes[start + HEAD_LEN + 3] ^= 1;
        let (head, _) = FrameHead::parse(&bytes[start..]).unwrap();
        let stored = start + HEAD_LEN..start + HEAD_LEN + head.length as usize;
        let mut hasher = crc32fast::Hasher::new();
        hasher.update(&bytes[start..start + HEAD_LEN - 4]);
        hasher.update(&bytes[stored]);
        bytes[start + HEAD_LEN - 4..start + HEAD_LEN].copy_from_slice(&hasher.finalize().to_le_bytes());
    });
    let walked = walk(&filler, None);
    assert_eq!(numbers(&walked), [0, 1, 3, 4]);
    assert_eq!(walked.gaps, [Gap { bytes: start as u64..end as u64, frames: 2..3 }]);
}

#[test]
fn a_gap_is_described_with_its_place() {
    let (_disk, filler) = five_groups();
    let gap = Gap { bytes: 100..180, frames: 2..4 };
    let text = gap.describe(&filler.reader.files, filler.segment.name());
    let expected = "segment-0000000000000007.log at byte 100: 80 bytes are damaged; 2 frame(s) from number 2 on are lost";
    assert_eq!(text, expected);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Whatever happens to a segment: no panic, no endless walk, and only frames that were written, in order.
    #[test]
    fn whatever_is_damaged_only_what_was_written_is_found(
        edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 1..200_usize), 1..6),
        cut in proptest::option::of(any::<prop::sample::Index>()),
        known: bool,
    ) {
        let (disk, filler) = five_groups();
        let whole = walk(&filler, None);
        let used = filler.known().end as usize;
        disk.damage(&filler.name(), |bytes| {
            for (at, value, len) in &edits {
                let at = at.index(used);
                bytes[at..used.min(at + len)].fill(*value);
            }
            if let Some(cut) = &cut {
                bytes.truncate(cut.index(used));
            }
        });
        let walked = walk(&filler, known.then(|| filler.known()));
        prop_assert!(walked.frames.iter().all(|frame| whole.frames.contains(frame)));
        prop_assert!(walked.frames.is_sorted());
        prop_assert!((walked.end as usize).is_multiple_of(ALIGN));
    }
}
