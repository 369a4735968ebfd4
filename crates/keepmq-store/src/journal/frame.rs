//! Frames: what is sealed, checked and read as one.
//!
//! A frame is a header of [`HEAD_LEN`] bytes and the (sealed) records. Frames start at multiples of [`ALIGN`], so that
//! the next one can be found behind a damaged one. Their numbers in a segment leave no gap. All frames of one sync
//! carry the number of the first of them: of these, and only of these, some may be missing after a crash.

use super::seal::{Seal, SealFailed};
use crate::wire::Cursor;

/// Length of a frame's header in bytes.
pub(crate) const HEAD_LEN: usize = 40;

/// Frames start at multiples of this.
pub(crate) const ALIGN: usize = 8;

/// "KMQF", the first bytes of each frame.
pub(crate) const MAGIC: [u8; 4] = *b"KMQF";

const VERSION: u8 = 1;
const COVERED_LEN: usize = HEAD_LEN - 4;
const CONTINUES: u8 = 1;

/// A frame's description of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FrameHead {
    /// The last batch goes on in the next frame, and counts only if that one is there.
    pub(crate) continues: bool,
    pub(crate) segment: u64,
    pub(crate) epoch: u64,
    /// Its number in the segment, from zero.
    pub(crate) number: u32,
    /// The number of the first frame that was synced together with it.
    pub(crate) group: u32,
    /// Bytes behind the header.
    pub(crate) length: u32,
}

impl FrameHead {
    fn covered(&self) -> [u8; COVERED_LEN] {
        let mut bytes = [0; COVERED_LEN];
        bytes[..4].copy_from_slice(&MAGIC);
        bytes[4] = VERSION;
        bytes[5] = if self.continues { CONTINUES } else { 0 };
        bytes[8..16].copy_from_slice(&self.segment.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.epoch.to_le_bytes());
        bytes[24..28].copy_from_slice(&self.number.to_le_bytes());
        bytes[28..32].copy_from_slice(&self.group.to_le_bytes());
        bytes[32..36].copy_from_slice(&self.length.to_le_bytes());
        bytes
    }

    /// Reads a header and the checksum beside it; `None` when this is none.
    pub(crate) fn parse(bytes: &[u8]) -> Option<(Self, u32)> {
        let mut cursor = Cursor::new(bytes);
        let magic = cursor.bytes().ok()?;
        let [version, flags, zero, also_zero] = cursor.bytes().ok()?;
        if magic != MAGIC || version != VERSION || flags & !CONTINUES != 0 || zero | also_zero != 0 {
            return None;
        }
        let head = Self {
            continues: flags & CONTINUES != 0,
            segment: cursor.u64().ok()?,
            epoch: cursor.u64().ok()?,
            number: cursor.u32().ok()?,
            group: cursor.u32().ok()?,
            length: cursor.u32().ok()?,
        };
        Some((head, cursor.u32().ok()?))
    }

    /// Where the frame after this one starts, when this one starts at `at`.
    pub(crate) fn next(&self, at: u64) -> u64 {
        (at + HEAD_LEN as u64 + u64::from(self.length)).next_multiple_of(ALIGN as u64)
    }

    /// Checks what lies behind the header against the checksum.
    pub(crate) fn intact(&self, crc: u32, stored: &[u8]) -> bool {
        let mut hasher = crc32fast::Hasher::new();
        hasher.update(&self.covered());
        hasher.update(stored);
        hasher.finalize() == crc
    }

    /// Opens the records in place; `None` when they were changed or belong elsewhere.
    pub(crate) fn open<'a>(&self, seal: &Seal, stored: &'a mut [u8]) -> Option<&'a mut [u8]> {
        seal.open(u64::from(self.number), &self.covered(), stored)
    }

    /// Turns the bytes from `start` on, which are room for a header and then records, into a sealed frame. The length
    /// in `self` is set here.
    pub(crate) fn close(mut self, seal: &Seal, out: &mut Vec<u8>, start: usize) -> Result<(), SealFailed> {
        let body = start + HEAD_LEN;
        let length = out.len().saturating_sub(body) + seal.overhead();
        self.length = u32::try_from(length).map_err(|_| SealFailed)?;
        let covered = self.covered();
        let records = out.get_mut(body..).ok_or(SealFailed)?;
        if let Some(tag) = seal.close(u64::from(self.number), &covered, records)? {
            out.extend_from_slice(tag.as_ref());
        }
        let mut hasher = crc32fast::Hasher::new();
        hasher.update(&covered);
        hasher.update(&out[body..]);
        out[start..start + COVERED_LEN].copy_from_slice(&covered);
        out[start + COVERED_LEN..body].copy_from_slice(&hasher.finalize().to_le_bytes());
        out.resize(out.len().next_multiple_of(ALIGN), 0);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::seal::{Keyring, MasterKey};
    use super::*;

    const HEAD: FrameHead =
        FrameHead { continues: true, segment: 3, epoch: 2, number: 7, group: 5, length: 0 };

    fn seal() -> Seal {
        Keyring::new(Some(&MasterKey::new([1; 32]))).unwrap().fresh(b"").unwrap().0
    }

    fn frame(seal: &Seal, records: &[u8]) -> Vec<u8> {
        let mut out = vec![0; HEAD_LEN];
        out.extend_from_slice(records);
        HEAD.close(seal, &mut out, 0).unwrap();
        out
    }

    /// The records, if the frame is as it was written.
    fn open(seal: &Seal, frame: &[u8]) -> Option<Vec<u8>> {
        let (head, crc) = FrameHead::parse(frame)?;
        let stored = frame.get(HEAD_LEN..HEAD_LEN + head.length as usize)?;
        if !head.intact(crc, stored) {
            return None;
        }
        let mut stored = stored.to_vec();
        head.open(seal, &mut stored).map(|records| records.to_vec())
    }

    #[test]
    fn a_frame_is_opened_as_closed() {
        let seal = seal();
        let frame = frame(&seal, b"records");
        assert_eq!(frame.len() % ALIGN, 0);
        let (head, _) = FrameHead::parse(&frame).unwrap();
        assert_eq!(head, FrameHead { length: 7 + 16, ..HEAD });
        assert_eq!(head.next(8), 8 + frame.len() as u64);
        assert_eq!(open(&seal, &frame).unwrap(), b"records");
    }

    #[test]
    fn damage_is_noticed_without_the_key() {
        let frame = frame(&seal(), b"records");
        for at in 0..HEAD_LEN + 23 {
            let mut changed = frame.clone();
            changed[at] ^= 4;
            let whole = FrameHead::parse(&changed).is_some_and(|(head, crc)| {
                changed
                    .get(HEAD_LEN..HEAD_LEN + head.length as usize)
                    .is_some_and(|stored| head.intact(crc, stored))
            });
            assert!(!whole, "byte {at}");
        }
    }

    #[test]
    fn a_header_that_somebody_rewrote_does_not_open() {
        let seal = seal();
        let frame = frame(&seal, b"records");
        let (head, _) = FrameHead::parse(&frame).unwrap();
        let moved = [
            FrameHead { segment: 4, ..head },
            FrameHead { epoch: 3, ..head },
            FrameHead { number: 8, ..head },
            FrameHead { group: 6, ..head },
            FrameHead { continues: false, ..head },
        ];
        for head in moved {
            let mut stored = frame[HEAD_LEN..HEAD_LEN + 23].to_vec();
            assert!(head.open(&seal, &mut stored).is_none(), "{head:?}");
        }
    }

    proptest! {
        #[test]
        fn changed_frames_never_open_and_never_panic(
            edits in proptest::collection::vec((0..64_usize, 1..=255_u8), 1..5),
            cut in 0..=64_usize,
        ) {
            let seal = seal();
            let whole = frame(&seal, b"some records here");
            let mut changed = whole.clone();
            for (at, change) in edits {
                changed[at] ^= change;
            }
            changed.truncate(cut);
            // Padding is not covered, and edits may undo one another.
            if changed.get(..HEAD_LEN + 33).is_none_or(|read| *read != whole[..HEAD_LEN + 33]) {
                prop_assert_eq!(open(&seal, &changed), None);
            }
        }
    }
}
