//! Builds what is written and synced at once: some frames with whole batches in them.

use std::sync::Arc;

use super::frame::{FrameHead, HEAD_LEN};
use super::place::Place;
use super::record::{Encoder, Opening, put_opening, put_set, put_unset};
use super::seal::SealFailed;
use super::segment::Segment;
use crate::api::{Locator, Op, Payload, Target};

/// What a record takes besides what it carries, at most.
pub(crate) const RECORD: usize = 32;

/// What a frame takes besides its records, at most.
const FRAME_COST: u64 = 80;

/// Frames for one segment.
pub(crate) struct Group {
    segment: Arc<Segment>,
    /// A frame is closed before the record that would make it longer than this.
    frame_len: usize,
    /// Where in the file the bytes will be written.
    at: u32,
    /// The number of the first frame.
    first: u32,
    number: u32,
    out: Vec<u8>,
    /// Where in `out` the open frame begins.
    frame: Option<usize>,
    encoder: Encoder,
    /// The open frame holds a part of the batch that is being written.
    in_batch: bool,
    /// Where the payloads of the puts lie, in their order.
    places: Vec<Place>,
}

/// A finished group.
pub(crate) struct Built {
    /// What is to be written.
    pub(crate) bytes: Vec<u8>,
    pub(crate) frames: u32,
    pub(crate) places: Vec<Place>,
}

impl Group {
    /// Begins with frame `first` at `at`. `buffer` is cleared and used again.
    pub(crate) fn new(
        segment: Arc<Segment>,
        frame_len: usize,
        at: u32,
        first: u32,
        mut buffer: Built,
    ) -> Self {
        buffer.bytes.clear();
        buffer.places.clear();
        Self {
            segment,
            frame_len,
            at,
            first,
            number: first,
            out: buffer.bytes,
            frame: None,
            encoder: Encoder::default(),
            in_batch: false,
            places: buffer.places,
        }
    }

    /// Bytes so far, without what closing the last frame adds.
    pub(crate) fn len(&self) -> u64 {
        self.out.len() as u64
    }

    pub(crate) fn opening(&mut self, opening: Opening) -> Result<(), SealFailed> {
        self.room(0)?;
        put_opening(&mut self.out, opening);
        Ok(())
    }

    /// Writes one change of a batch.
    pub(crate) fn op(&mut self, op: &Op) -> Result<(), SealFailed> {
        match op {
            Op::Put { targets, .. } if targets.is_empty() => {}
            Op::Put { targets, payload } => self.put(targets, payload, false)?,
            Op::Release(at) => self.release(*at)?,
            Op::Truncate { stream, from, through } => {
                self.room(0)?;
                self.encoder.truncate(&mut self.out, *stream, *from, *through);
            }
            Op::Set { key, value } => {
                self.room(key.len() + value.len())?;
                put_set(&mut self.out, key, value);
            }
            Op::Unset { key } => {
                self.room(key.len())?;
                put_unset(&mut self.out, key);
            }
        }
        self.in_batch = true;
        Ok(())
    }

    pub(crate) fn end_batch(&mut self) {
        self.in_batch = false;
    }

    pub(crate) fn put(
        &mut self,
        targets: &[Target],
        payload: &Payload,
        moved: bool,
    ) -> Result<(), SealFailed> {
        let frame = self.room(payload.len())?;
        let lies = self.encoder.put(&mut self.out, targets, payload, moved);
        self.places.push(Place {
            frame: self.at + narrow(frame)?,
            offset: narrow(lies - frame - HEAD_LEN)?,
            len: narrow(payload.len())?,
            fan: narrow(targets.len())?,
        });
        Ok(())
    }

    pub(crate) fn release(&mut self, at: Locator) -> Result<(), SealFailed> {
        self.room(0)?;
        self.encoder.release(&mut self.out, at);
        Ok(())
    }

    /// Makes sure that there is an open frame with room for so many bytes; returns where it begins.
    fn room(&mut self, bytes: usize) -> Result<usize, SealFailed> {
        if let Some(start) = self.frame {
            if self.out.len() - start - HEAD_LEN + bytes <= self.frame_len {
                return Ok(start);
            }
            self.close_frame(self.in_batch)?;
        }
        let start = self.out.len();
        self.out.resize(start + HEAD_LEN, 0);
        self.encoder = Encoder::default();
        self.frame = Some(start);
        Ok(start)
    }

    fn close_frame(&mut self, continues: bool) -> Result<(), SealFailed> {
        let Some(start) = self.frame.take() else {
            return Ok(());
        };
        let head = FrameHead {
            continues,
            segment: self.segment.id,
            epoch: self.segment.epoch,
            number: self.number,
            group: self.first,
            length: 0,
        };
        head.close(self.segment.seal().ok_or(SealFailed)?, &mut self.out, start)?;
        self.number += 1;
        Ok(())
    }

    /// Closes the last frame.
    pub(crate) fn finish(mut self) -> Result<Built, SealFailed> {
        self.close_frame(false)?;
        Ok(Built { bytes: self.out, frames: self.number - self.first, places: self.places })
    }
}

impl Built {
    pub(crate) fn empty() -> Self {
        Self { bytes: Vec::new(), frames: 0, places: Vec::new() }
    }

    /// Lets go of memory that only an unusually large group needed.
    pub(crate) fn trimmed(mut self, most: usize) -> Self {
        if self.bytes.capacity() > most {
            self.bytes = Vec::new();
            self.places = Vec::new();
        }
        self
    }
}

/// What the records of some changes take at most.
pub(crate) fn most_bytes(ops: &[Op]) -> u64 {
    let most = |op: &Op| match op {
        Op::Put { targets, payload } => most_bytes_of_put(targets.len(), payload.len()),
        Op::Set { key, value } => RECORD + key.len() + value.len(),
        Op::Unset { key } => RECORD + key.len(),
        Op::Release(_) | Op::Truncate { .. } => RECORD,
    };
    ops.iter().map(|op| most(op) as u64).sum()
}

/// What a put takes at most.
pub(crate) fn most_bytes_of_put(targets: usize, payload: usize) -> usize {
    const TARGET: usize = 30;
    RECORD + targets * TARGET + payload
}

/// Adds what the frames around so many bytes of records take at most. A frame is closed early by a record that does not
/// fit any more, so two neighbours always hold more than one frame's worth.
pub(crate) fn with_frames(records: u64, frame_len: usize) -> u64 {
    records + FRAME_COST * (2 + 2 * records / frame_len.max(1) as u64)
}

/// Segments are shorter than 32 bits can say.
fn narrow(len: usize) -> Result<u32, SealFailed> {
    u32::try_from(len).map_err(|_| SealFailed)
}

#[cfg(test)]
mod tests;
