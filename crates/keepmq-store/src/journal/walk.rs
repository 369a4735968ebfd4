//! Reads the frames of a segment one after the other, and tells a torn end from damage.

use std::ops::Range;
use std::sync::Arc;

use super::files::{Files, Name};
use super::frame::{ALIGN, FrameHead, HEAD_LEN, MAGIC};
use super::record::Opening;
use super::segment::{DATA_START, Segment};
use crate::api::StoreError;
use crate::disk::DiskFile;

/// How much is read at once.
const WINDOW: usize = 4 << 20;

/// What comes next in a segment.
pub(crate) enum Step<'a> {
    /// A frame and its opened records.
    Frame { at: u32, head: FrameHead, records: &'a [u8] },
    /// Frames that were synced once and are not what they were.
    Damage(Gap),
    /// Nothing else counts.
    End(End),
}

/// Where frames are missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Gap {
    /// Their bytes in the file.
    pub(crate) bytes: Range<u64>,
    /// Their numbers.
    pub(crate) frames: Range<u32>,
}

impl Gap {
    /// What to tell an operator.
    pub(crate) fn describe(&self, files: &Files, name: Name) -> String {
        let Range { start, end } = &self.bytes;
        let (first, behind) = (self.frames.start, self.frames.end);
        format!(
            "{} at byte {start}: {} bytes are damaged; {} frame(s) from number {first} on are lost",
            files.place(name),
            end.saturating_sub(*start),
            behind.saturating_sub(first),
        )
    }
}

/// How a segment ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct End {
    /// The first byte behind the last frame.
    pub(crate) at: u32,
    /// Whether something was being written there when it ended.
    pub(crate) torn: bool,
}

/// A walk over the frames of a segment.
pub(crate) struct Walk<'a> {
    files: &'a Files,
    segment: &'a Segment,
    file: Arc<dyn DiskFile>,
    /// Where the segment must end, if a later one says so.
    known: Option<Opening>,
    /// Nothing is read from here on.
    limit: u64,
    at: u64,
    number: u32,
    window: Vec<u8>,
    window_at: u64,
}

impl<'a> Walk<'a> {
    /// Begins at the first frame. `known` is what the next segment says about this one.
    pub(crate) fn new(
        files: &'a Files,
        segment: &'a Segment,
        known: Option<Opening>,
    ) -> Result<Self, StoreError> {
        let file = files.open(segment.name())?;
        let len = file.len().map_err(|error| files.error(segment.name(), "read", &error))?;
        // Places are kept in 32 bits; segments are made smaller than that.
        let limit = known.map_or(len, |known| len.min(u64::from(known.end))).min(u64::from(u32::MAX));
        let at = u64::from(DATA_START);
        Ok(Self { files, segment, file, known, limit, at, number: 0, window: Vec::new(), window_at: 0 })
    }

    pub(crate) fn next(&mut self) -> Result<Step<'_>, StoreError> {
        if self.known.is_some_and(|known| self.number >= known.frames) {
            return Ok(self.end(false));
        }
        let expected = self.number;
        let here = self.head_at(self.at)?.filter(|head| head.number == expected);
        match here {
            Some(head) => self.frame(head),
            None => self.skip(),
        }
    }

    /// Gives out the frame at the present place.
    fn frame(&mut self, head: FrameHead) -> Result<Step<'_>, StoreError> {
        let at = self.at;
        self.at = head.next(at);
        self.number = head.number + 1;
        let segment = self.segment;
        let (from, len) = (at + HEAD_LEN as u64, head.length as usize);
        let stored = self.bytes(from, len)?;
        // The checksum was found right, so a seal that does not open is no accident of the disk.
        let opened = segment.seal().and_then(|seal| head.open(seal, stored)).map(|records| records.len());
        let Some(len) = opened else {
            let gap = Gap { bytes: at..head.next(at), frames: head.number..head.number + 1 };
            return Ok(Step::Damage(gap));
        };
        let records = self.bytes(from, len)?;
        Ok(Step::Frame { at: narrow(at), head, records })
    }

    /// There is no good frame here: looks for a later one.
    fn skip(&mut self) -> Result<Step<'_>, StoreError> {
        let (from, expected) = (self.at, self.number);
        let next = self.good_frame_behind(from)?;
        if let Some((at, head)) = next {
            if self.known.is_some() || self.was_synced(at, head)? {
                (self.at, self.number) = (at, head.number);
                return Ok(Step::Damage(Gap { bytes: from..at, frames: expected..head.number }));
            }
        } else if let Some(known) = self.known {
            (self.at, self.number) = (u64::from(known.end), known.frames);
            return Ok(Step::Damage(Gap { bytes: from..self.at, frames: expected..known.frames }));
        }
        let torn = next.is_some() || self.begun(from)?;
        Ok(self.end(torn))
    }

    /// Whether the frame that is missing here had been synced: so it is, if a frame of a later sync is there.
    fn was_synced(&mut self, mut at: u64, mut head: FrameHead) -> Result<bool, StoreError> {
        let missing = self.number;
        while head.group <= missing {
            match self.good_frame_behind(head.next(at))? {
                Some(next) => (at, head) = next,
                None => return Ok(false),
            }
        }
        Ok(true)
    }

    fn end(&self, torn: bool) -> Step<'static> {
        Step::End(End { at: narrow(self.at), torn })
    }

    /// The first good frame at or behind a place whose number is not below the expected one.
    fn good_frame_behind(&mut self, from: u64) -> Result<Option<(u64, FrameHead)>, StoreError> {
        let mut at = from;
        while let Some(found) = self.magic_behind(at)? {
            if let Some(head) = self.head_at(found)?.filter(|head| head.number >= self.number) {
                return Ok(Some((found, head)));
            }
            at = found + ALIGN as u64;
        }
        Ok(None)
    }

    /// The header at a place, if the frame is whole and belongs here.
    fn head_at(&mut self, at: u64) -> Result<Option<FrameHead>, StoreError> {
        let Some((head, crc)) = FrameHead::parse(self.bytes(at, HEAD_LEN)?) else {
            return Ok(None);
        };
        let end = at + HEAD_LEN as u64 + u64::from(head.length);
        if !self.segment.owns(&head) || end > self.limit {
            return Ok(None);
        }
        let stored = self.bytes(at + HEAD_LEN as u64, head.length as usize)?;
        Ok(head.intact(crc, stored).then_some(head))
    }

    /// Whether a frame of this segment was begun here.
    fn begun(&mut self, at: u64) -> Result<bool, StoreError> {
        let head = FrameHead::parse(self.bytes(at, HEAD_LEN)?);
        Ok(head.is_some_and(|(head, _)| self.segment.owns(&head)))
    }

    /// The next place where a frame could begin.
    fn magic_behind(&mut self, from: u64) -> Result<Option<u64>, StoreError> {
        let mut at = from;
        while at < self.limit {
            let window = self.bytes(at, WINDOW / 4)?;
            let found = window.chunks(ALIGN).position(|chunk| chunk.starts_with(&MAGIC));
            if let Some(chunk) = found {
                return Ok(Some(at + (chunk * ALIGN) as u64));
            }
            at += (window.len() as u64).next_multiple_of(ALIGN as u64).max(ALIGN as u64);
        }
        Ok(None)
    }

    /// Bytes of the file, fewer where it or the segment ends.
    fn bytes(&mut self, at: u64, len: usize) -> Result<&mut [u8], StoreError> {
        let left = usize::try_from(self.limit.saturating_sub(at)).unwrap_or(usize::MAX);
        let len = len.min(left);
        let skip = at.checked_sub(self.window_at).and_then(|skip| usize::try_from(skip).ok());
        let skip = skip.filter(|skip| skip.saturating_add(len) <= self.window.len());
        if skip.is_none() {
            self.window.resize(len.max(WINDOW.min(left)), 0);
            let read = self.file.read_at(&mut self.window, at);
            let read = read.map_err(|error| self.files.error(self.segment.name(), "read", &error))?;
            self.window.truncate(read);
            self.window_at = at;
        }
        let skip = skip.unwrap_or(0);
        let end = self.window.len().min(skip + len);
        Ok(self.window.get_mut(skip..end).unwrap_or_default())
    }
}

/// Places are below the limit of the walk, which fits.
fn narrow(at: u64) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
