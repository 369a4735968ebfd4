//! What everybody who reads a journal needs: its files, its keys, and what was read lately.

use std::sync::Arc;

use bytes::Bytes;

use super::cache::Cache;
use super::files::Files;
use super::place::Entry;
use super::seal::Keyring;
use super::segment::Segment;
use crate::api::StoreError;

pub(crate) struct Reader {
    pub(crate) files: Files,
    pub(crate) keyring: Keyring,
    /// Blocks of tables, by segment and number.
    pub(crate) blocks: Cache<(u64, u32), Arc<[Entry]>>,
    /// Opened frames, by segment and place.
    frames: Cache<(u64, u32), Bytes>,
}

impl Reader {
    /// The bounds are in bytes.
    pub(crate) fn new(files: Files, keyring: Keyring, tables: usize, frames: usize) -> Self {
        Self { files, keyring, blocks: Cache::new(tables), frames: Cache::new(frames) }
    }

    /// The opened records of a frame.
    pub(crate) fn frame(&self, segment: &Segment, at: u32) -> Result<Bytes, StoreError> {
        let key = (segment.id, at);
        if let Some(frame) = self.frames.get(key) {
            return Ok(frame);
        }
        let frame = Bytes::from(segment.frame(&self.files, at)?);
        self.frames.put(key, frame.clone(), frame.len() + 64);
        Ok(frame)
    }

    /// Forgets what was read of a segment.
    pub(crate) fn forget(&self, id: u64) {
        self.blocks.forget(|(segment, _)| segment == id);
        self.frames.forget(|(segment, _)| segment == id);
    }
}
