//! Where records lie, and what is known of them without reading them.

use bytes::Bytes;

use crate::api::{Meta, Seq, StreamId};

/// Where a payload lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// Where its frame begins in the segment's file.
    pub(crate) frame: u32,
    /// Where it begins in the frame's opened bytes.
    pub(crate) offset: u32,
    pub(crate) len: u32,
    /// How many records were put with this one payload.
    pub(crate) fan: u32,
}

impl Place {
    /// What the record holds of its segment: its part of the payload, and about what its own mention takes.
    pub(crate) fn share(&self) -> u64 {
        const MENTION: u64 = 8;
        u64::from(self.len) / u64::from(self.fan.max(1)) + MENTION
    }

    /// The payload, as a part of its opened frame; `None` when it reaches beyond.
    pub(crate) fn payload(&self, frame: &Bytes) -> Option<Bytes> {
        let from = usize::try_from(self.offset).ok()?;
        let to = from.checked_add(usize::try_from(self.len).ok()?)?;
        (to <= frame.len()).then(|| frame.slice(from..to))
    }
}

/// A record of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) seq: Seq,
    pub(crate) meta: Meta,
    pub(crate) place: Place,
}

/// The records of one stream in one segment, in rising order.
///
/// A stream has up to two runs in a segment: what came in rising order, and strays: what was moved here from older
/// segments. Kept apart they overlap little with the runs of other segments, so few have to be searched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) stream: StreamId,
    pub(crate) stray: bool,
    pub(crate) first: Seq,
    pub(crate) last: Seq,
    /// The ordinal in the segment of its first record.
    pub(crate) start: u32,
    pub(crate) count: u32,
}

impl Run {
    /// What makes it the same run when the table is made again from the frames.
    pub(crate) fn key(&self) -> (StreamId, bool) {
        (self.stream, self.stray)
    }

    pub(crate) fn end(&self) -> u32 {
        self.start + self.count
    }
}
