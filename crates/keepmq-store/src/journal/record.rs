//! The changes of batches as they lie in a frame.
//!
//! Numbers are written as steps from the ones before them in the frame, so neighbours cost a byte each. A frame is
//! decoded by itself: the steps begin anew with each.

use crate::api::{Locator, Meta, Payload, Seq, StreamId, Target};
use crate::wire::{Cursor, Malformed, put_near, put_number, put_string};

use smallvec::SmallVec;

/// Where one payload is found; nearly always one place.
pub(crate) type Targets = SmallVec<[Target; 1]>;

const PUT: u8 = 1;
const PUT_MANY: u8 = 2;
const MOVED: u8 = 3;
const RELEASE: u8 = 4;
const TRUNCATE: u8 = 5;
const SET: u8 = 6;
const UNSET: u8 = 7;
const OPENING: u8 = 8;

/// A target takes at least so many bytes.
const LEAST_TARGET: usize = 3;

/// One change as read from a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Record<'a> {
    Put {
        targets: Targets,
        payload: Span,
        /// It is the new place of a record that lived before, not a new record.
        moved: bool,
    },
    Release(Locator),
    Truncate {
        stream: StreamId,
        from: Seq,
        through: Seq,
    },
    Set {
        key: &'a [u8],
        value: &'a [u8],
    },
    Unset {
        key: &'a [u8],
    },
    /// Stands first in each segment.
    Opening(Opening),
}

/// Where a payload lies in the opened bytes of its frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) offset: u32,
    pub(crate) len: u32,
}

/// What a segment knows of the one before it: so a later reader can tell where that one must end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Opening {
    /// The segment before; zero when there was none.
    pub(crate) segment: u64,
    /// How many of its frames count.
    pub(crate) frames: u32,
    /// The first byte behind them.
    pub(crate) end: u32,
}

/// The numbers that the next ones are written as steps from.
#[derive(Clone, Copy, Debug, Default)]
struct Before {
    stream: u64,
    seq: Seq,
    meta: Meta,
}

/// Appends changes to the bytes of a frame.
#[derive(Debug, Default)]
pub(crate) struct Encoder {
    before: Before,
}

impl Encoder {
    /// Writes a payload for its targets; returns where it lies in `out`.
    pub(crate) fn put(
        &mut self,
        out: &mut Vec<u8>,
        targets: &[Target],
        payload: &Payload,
        moved: bool,
    ) -> usize {
        if let ([target], false) = (targets, moved) {
            out.push(PUT);
            self.target(out, target);
        } else {
            out.push(if moved { MOVED } else { PUT_MANY });
            put_number(out, targets.len() as u64);
            for target in targets {
                self.target(out, target);
            }
        }
        put_number(out, payload.len() as u64);
        let at = out.len();
        out.extend_from_slice(&payload.head);
        out.extend_from_slice(&payload.body);
        at
    }

    pub(crate) fn release(&mut self, out: &mut Vec<u8>, at: Locator) {
        out.push(RELEASE);
        self.locator(out, at);
    }

    pub(crate) fn truncate(&mut self, out: &mut Vec<u8>, stream: StreamId, from: Seq, through: Seq) {
        out.push(TRUNCATE);
        self.locator(out, Locator { stream, seq: from });
        put_near(out, from, through);
    }

    fn target(&mut self, out: &mut Vec<u8>, target: &Target) {
        self.locator(out, target.at);
        put_near(out, self.before.meta, target.meta);
        self.before.meta = target.meta;
    }

    fn locator(&mut self, out: &mut Vec<u8>, at: Locator) {
        put_near(out, self.before.stream, at.stream.0);
        put_near(out, self.before.seq, at.seq);
        (self.before.stream, self.before.seq) = (at.stream.0, at.seq);
    }
}

pub(crate) fn put_set(out: &mut Vec<u8>, key: &[u8], value: &[u8]) {
    out.push(SET);
    put_string(out, key);
    put_string(out, value);
}

pub(crate) fn put_unset(out: &mut Vec<u8>, key: &[u8]) {
    out.push(UNSET);
    put_string(out, key);
}

pub(crate) fn put_opening(out: &mut Vec<u8>, opening: Opening) {
    out.push(OPENING);
    put_number(out, opening.segment);
    put_number(out, u64::from(opening.frames));
    put_number(out, u64::from(opening.end));
}

/// Reads the changes of a frame. Stops behind the first that is malformed.
pub(crate) struct Records<'a> {
    cursor: Cursor<'a>,
    before: Before,
    stopped: bool,
}

impl<'a> Records<'a> {
    pub(crate) fn new(frame: &'a [u8]) -> Self {
        Self { cursor: Cursor::new(frame), before: Before::default(), stopped: false }
    }

    fn record(&mut self) -> Result<Record<'a>, Malformed> {
        match self.cursor.u8()? {
            PUT => {
                let target = self.target()?;
                Ok(Record::Put {
                    targets: SmallVec::from_elem(target, 1),
                    payload: self.span()?,
                    moved: false,
                })
            }
            tag @ (PUT_MANY | MOVED) => {
                let targets = self.targets()?;
                Ok(Record::Put { targets, payload: self.span()?, moved: tag == MOVED })
            }
            RELEASE => self.locator().map(Record::Release),
            TRUNCATE => {
                let Locator { stream, seq: from } = self.locator()?;
                let through = self.cursor.near(from)?;
                Ok(Record::Truncate { stream, from, through })
            }
            SET => Ok(Record::Set { key: self.cursor.string()?, value: self.cursor.string()? }),
            UNSET => Ok(Record::Unset { key: self.cursor.string()? }),
            OPENING => self.opening().map(Record::Opening),
            _ => Err(self.cursor.malformed("a record of an unknown kind")),
        }
    }

    fn targets(&mut self) -> Result<Targets, Malformed> {
        let count = self.cursor.count(LEAST_TARGET)?;
        let mut targets = Targets::with_capacity(count);
        for _ in 0..count {
            targets.push(self.target()?);
        }
        Ok(targets)
    }

    fn target(&mut self) -> Result<Target, Malformed> {
        let at = self.locator()?;
        self.before.meta = self.cursor.near(self.before.meta)?;
        Ok(Target { at, meta: self.before.meta })
    }

    fn locator(&mut self) -> Result<Locator, Malformed> {
        self.before.stream = self.cursor.near(self.before.stream)?;
        self.before.seq = self.cursor.near(self.before.seq)?;
        Ok(Locator { stream: StreamId(self.before.stream), seq: self.before.seq })
    }

    fn span(&mut self) -> Result<Span, Malformed> {
        let len = self.cursor.number32()?;
        let at = self.cursor.at();
        self.cursor.take(usize::try_from(len).unwrap_or(usize::MAX))?;
        let offset = u32::try_from(at).map_err(|_| self.cursor.malformed("a frame is too long"))?;
        Ok(Span { offset, len })
    }

    fn opening(&mut self) -> Result<Opening, Malformed> {
        let segment = self.cursor.number()?;
        Ok(Opening { segment, frames: self.cursor.number32()?, end: self.cursor.number32()? })
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = Result<Record<'a>, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.stopped || self.cursor.left() == 0 {
            return None;
        }
        let record = self.record();
        self.stopped = record.is_err();
        Some(record)
    }
}

#[cfg(test)]
mod tests;
