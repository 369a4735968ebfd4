use proptest::prelude::*;

use super::super::fixture::{Filler, batch, header, put, reader_of};
use super::super::seal::MasterKey;
use super::*;
use crate::testing::FaultyDisk;

fn filled() -> (FaultyDisk, Filler) {
    let disk = FaultyDisk::new(1);
    let mut filler = Filler::new(&disk, 3, 4096);
    filler.write(&[batch([put(1, 1, vec![7; 100])])]);
    filler.write(&[batch([put(1, 2, vec![8; 20_000])])]);
    (disk, filler)
}

fn load(disk: &FaultyDisk, id: u64) -> Result<(Arc<Segment>, Header), Unusable> {
    let reader = reader_of(disk);
    Segment::load(&reader.files, id, &reader.keyring).unwrap()
}

/// Where the second frame begins.
fn second(filler: &Filler) -> u32 {
    let file = filler.reader.files.open(filler.segment.name()).unwrap();
    let mut bytes = [0; HEAD_LEN];
    file.read_at(&mut bytes, u64::from(DATA_START)).unwrap();
    let (head, _) = FrameHead::parse(&bytes).unwrap();
    u32::try_from(head.next(u64::from(DATA_START))).unwrap()
}

#[test]
fn a_segment_is_loaded_as_it_was_started() {
    let (disk, filler) = filled();
    let (segment, found) = load(&disk, 3).unwrap();
    assert_eq!((segment.id, segment.epoch, found), (3, 1, header(Kind::Segment, 3)));
    assert_eq!(segment.frame(&filler.reader.files, DATA_START).unwrap().len(), 106);
}

#[test]
fn either_header_is_enough() {
    for place in HEADER_PLACES {
        let (disk, filler) = filled();
        disk.flip(&filler.name(), place + 77, 2);
        assert!(load(&disk, 3).is_ok());
        let damaged = Segment::damaged_headers(&filler.reader.files, 3, &filler.reader.keyring);
        assert_eq!(damaged.unwrap(), [place]);
    }
}

#[test]
fn without_a_header_nothing_is_known() {
    let (disk, filler) = filled();
    for place in HEADER_PLACES {
        disk.flip(&filler.name(), place + 77, 2);
    }
    assert_eq!(load(&disk, 3).err(), Some(Unusable::Damaged));
    let lost = Segment::unreadable(3, 1).frame(&filler.reader.files, DATA_START).unwrap_err();
    assert!(lost.to_string().ends_with("the header of the segment is lost"), "{lost}");
}

#[test]
fn a_file_that_was_given_the_name_of_another_segment_is_refused() {
    let (disk, filler) = filled();
    filler.reader.files.rename(Name::Segment(3), Name::Segment(4)).unwrap();
    assert_eq!(load(&disk, 4).err(), Some(Unusable::Damaged));
}

#[test]
fn a_wrong_key_is_told_from_damage() {
    let (disk, _) = filled();
    let reader = reader_of(&disk);
    let wrong = Keyring::new(Some(&MasterKey::new([9; 32]))).unwrap();
    assert_eq!(Segment::load(&reader.files, 3, &wrong).unwrap().err(), Some(Unusable::WrongKey));
}

#[test]
fn a_frame_longer_than_the_first_look_is_read_whole() {
    let (_disk, filler) = filled();
    let frame = filler.segment.frame(&filler.reader.files, second(&filler)).unwrap();
    assert!(frame.len() > FIRST_READ && frame.ends_with(&vec![8; 20_000]));
}

#[test]
fn what_is_wrong_with_a_frame_is_said() {
    let (disk, filler) = filled();
    let at = second(&filler);
    let fault = |disk: &FaultyDisk, at| {
        let error = filler.segment.frame(&reader_of(disk).files, at).unwrap_err();
        let StoreError::Corrupt { offset, what, .. } = error else { panic!("{error}") };
        assert_eq!(offset, u64::from(at));
        what
    };
    assert_eq!(fault(&disk, DATA_START + 8), "there is no frame here");
    assert_eq!(fault(&disk, 200_000), "there is no frame here");
    assert_eq!(fault(&disk, 999_999), "there is no frame here");
    let cut = disk.fork(1);
    cut.damage(&filler.name(), |bytes| bytes.truncate(at as usize + 5000));
    assert_eq!(fault(&cut, at), "the frame is cut off");
    let flipped = disk.fork(1);
    flipped.flip(&filler.name(), u64::from(at) + 500, 1);
    assert_eq!(fault(&flipped, at), "the checksum does not agree");
    let foreign = disk.fork(1);
    foreign.damage(&filler.name(), |bytes| bytes[at as usize + 8] ^= 1);
    assert_eq!(fault(&foreign, at), "the frame belongs to another segment");
}

#[test]
fn a_claimed_length_allocates_nothing_that_is_not_there() {
    let (disk, filler) = filled();
    let at = second(&filler) as usize;
    disk.damage(&filler.name(), |bytes| {
        bytes[at + 32..at + 36].copy_from_slice(&u32::MAX.to_le_bytes());
    });
    let error = filler.segment.frame(&reader_of(&disk).files, u32::try_from(at).unwrap()).unwrap_err();
    assert!(error.to_string().ends_with("the frame is cut off"), "{error}");
}

#[test]
fn what_a_segment_says_about_the_one_before_is_read_if_it_is_there() {
    let (_disk, filler) = filled();
    assert_eq!(filler.segment.opening(&filler.reader.files).unwrap(), None, "the first record is no opening");
    let unreadable = Segment::unreadable(3, 1);
    assert_eq!(unreadable.opening(&filler.reader.files).unwrap(), None);
}

#[test]
fn a_disk_that_does_not_answer_is_not_an_empty_segment() {
    let (disk, filler) = filled();
    let reader = reader_of(&disk);
    disk.refuse_reads(true);
    assert!(matches!(filler.segment.opening(&reader.files), Err(StoreError::Io { .. })));
    assert!(matches!(Segment::load(&reader.files, 3, &reader.keyring), Err(StoreError::Io { .. })));
}

proptest! {
    #[test]
    fn a_frame_is_read_as_written_or_refused(
        edits in proptest::collection::vec((0..400_usize, any::<u8>()), 1..5),
        at in 0..300_u32,
    ) {
        let (disk, filler) = filled();
        let before = filler.segment.frame(&filler.reader.files, DATA_START).unwrap();
        disk.damage(&filler.name(), |bytes| {
            for (at, value) in &edits {
                bytes[DATA_START as usize + at] = *value;
            }
        });
        if let Ok(frame) = filler.segment.frame(&reader_of(&disk).files, DATA_START + at) {
            prop_assert!(frame == before || at > 0);
        }
    }
}
