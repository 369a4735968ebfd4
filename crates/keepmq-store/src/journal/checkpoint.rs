//! Checkpoints: what memory held at some moment, so that not the whole log has to be read at the next start.
//!
//! A checkpoint may be taken at any time. It names the segment that was being filled then, and the log is read again
//! from the beginning of that one: every change can be carried out twice without harm, because numbers are never used
//! twice and a later change to a key stands behind an earlier one.
//!
//! The file is a header and chunks. Each chunk is sealed and checked by itself and holds whole items; the last one is
//! marked, so that a shortened file is noticed.

use std::sync::Arc;

use super::files::{Files, Name, WriteError};
use super::header::{HEADER_LEN, Header, Kind};
use super::index::Closed;
use super::live::{Live, RunLive};
use super::place::Run;
use super::reader::Reader;
use super::record::Opening;
use super::seal::Seal;
use super::segment::unusable_error;
use super::state::State;
use super::table::{decode_runs, encode_runs};
use crate::api::StoreError;
use crate::disk::DiskFile;
use crate::wire::{Cursor, Malformed, put_number, put_string};

/// A chunk is closed when it is at least this long.
const CHUNK: usize = 256 * 1024;
const CHUNK_HEAD: usize = 8;
const LAST: u32 = 1 << 31;

const MOMENT: u8 = 1;
const SEGMENT: u8 = 2;
const VALUE: u8 = 3;

/// The position of a checkpoint in the life of the store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Moment {
    /// The log is to be read from this segment on.
    pub(crate) replay_from: u64,
    /// That segment was not begun yet: the store had been closed in order.
    pub(crate) closed: bool,
    /// No segment had this number yet.
    pub(crate) next_segment: u64,
    /// How the segment before `replay_from` ended.
    pub(crate) last: Opening,
}

/// What is written.
pub(crate) struct Snapshot {
    pub(crate) moment: Moment,
    /// Closed segments with living records.
    pub(crate) segments: Vec<Closed>,
    pub(crate) state: State,
}

/// What is read.
pub(crate) struct Checkpoint {
    pub(crate) epoch: u64,
    pub(crate) store: [u8; 16],
    pub(crate) moment: Moment,
    pub(crate) segments: Vec<Summary>,
    pub(crate) state: State,
}

/// A closed segment as a checkpoint knows it.
pub(crate) struct Summary {
    pub(crate) id: u64,
    pub(crate) epoch: u64,
    pub(crate) frames: u32,
    pub(crate) end: u32,
    pub(crate) runs: Vec<Run>,
    pub(crate) live: Live,
}

/// Writes a checkpoint into an empty file and syncs it; returns its length.
pub(crate) fn write(
    reader: &Reader,
    file: &dyn DiskFile,
    header: Header,
    snapshot: &Snapshot,
) -> Result<u64, WriteError> {
    let name = Name::Checkpoint(header.id);
    let (head, seal) = header.write(&reader.keyring).map_err(|_| reader.files.seal_error(name))?;
    let mut out = Chunks { files: &reader.files, name, file, seal, at: 0, number: 0, chunk: Vec::new() };
    out.write(&head)?;
    encode_moment(&mut out.chunk, &snapshot.moment);
    for closed in &snapshot.segments {
        encode_segment(&mut out.chunk, closed);
        out.flush_full()?;
    }
    for (key, value) in snapshot.state.iter() {
        out.chunk.push(VALUE);
        put_string(&mut out.chunk, key);
        put_string(&mut out.chunk, value);
        out.flush_full()?;
    }
    out.flush(LAST)?;
    file.sync().map_err(|error| reader.files.write_error(name, "sync", &error))?;
    Ok(out.at)
}

struct Chunks<'a> {
    files: &'a Files,
    name: Name,
    file: &'a dyn DiskFile,
    seal: Seal,
    at: u64,
    number: u64,
    chunk: Vec<u8>,
}

impl Chunks<'_> {
    fn flush_full(&mut self) -> Result<(), WriteError> {
        if self.chunk.len() >= CHUNK { self.flush(0) } else { Ok(()) }
    }

    fn flush(&mut self, mark: u32) -> Result<(), WriteError> {
        let mut chunk = std::mem::take(&mut self.chunk);
        let sealed = self.seal.close(number_of(self.number, mark), &[], &mut chunk);
        let tag = sealed.map_err(|_| self.files.seal_error(self.name))?;
        chunk.extend_from_slice(tag.as_ref().map_or(&[], AsRef::as_ref));
        let len = u32::try_from(chunk.len()).ok().filter(|len| *len < LAST);
        let len = (len.ok_or_else(|| self.files.seal_error(self.name))? | mark).to_le_bytes();
        self.write(&len)?;
        self.write(&checksum(len, &chunk).to_le_bytes())?;
        self.write(&chunk)?;
        self.number += 1;
        chunk.clear();
        self.chunk = chunk;
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), WriteError> {
        self.file
            .write_at(bytes, self.at)
            .map_err(|error| self.files.write_error(self.name, "write", &error))?;
        self.at += bytes.len() as u64;
        Ok(())
    }
}

/// The last chunk is sealed as such, so a file that was shortened does not open.
fn number_of(number: u64, mark: u32) -> u64 {
    if mark == LAST { number | 1 << 63 } else { number }
}

fn checksum(len: [u8; 4], chunk: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&len);
    hasher.update(chunk);
    hasher.finalize()
}

/// Reads a checkpoint.
pub(crate) fn read(reader: &Reader, number: u64) -> Result<Checkpoint, StoreError> {
    let (files, name) = (&reader.files, Name::Checkpoint(number));
    let file = files.open(name)?;
    let head = read_exactly(files, name, &*file, 0, HEADER_LEN)?;
    let (header, seal) =
        Header::read(&head, &reader.keyring).map_err(|why| unusable_error(files, name, why))?;
    if header.kind != Kind::Checkpoint || header.id != number {
        return Err(files.corrupt(name, 0, "the file is not this checkpoint"));
    }
    let mut checkpoint = Checkpoint {
        epoch: header.epoch,
        store: header.store,
        moment: Moment::default(),
        segments: Vec::new(),
        state: State::default(),
    };
    let mut at = HEADER_LEN as u64;
    for number in 0.. {
        let head = read_exactly(files, name, &*file, at, CHUNK_HEAD)?;
        let mut cursor = Cursor::new(&head);
        let fault = |what: &str| files.corrupt(name, at, what);
        let (len, crc) =
            cursor.u32().and_then(|len| Ok((len, cursor.u32()?))).map_err(|_| fault("cut off"))?;
        let body = usize::try_from(len & !LAST).unwrap_or(usize::MAX);
        let mut chunk = read_exactly(files, name, &*file, at + CHUNK_HEAD as u64, body)?;
        if checksum(len.to_le_bytes(), &chunk) != crc {
            return Err(fault("the checksum of a chunk does not agree"));
        }
        let opened = seal.open(number_of(number, len & LAST), &[], &mut chunk);
        let opened = opened.ok_or_else(|| fault("the seal of a chunk does not agree"))?;
        decode_chunk(opened, &mut checkpoint).map_err(|malformed| fault(&malformed.to_string()))?;
        if len & LAST != 0 {
            break;
        }
        at += (CHUNK_HEAD + body) as u64;
    }
    Ok(checkpoint)
}

fn read_exactly(
    files: &Files,
    name: Name,
    file: &dyn DiskFile,
    at: u64,
    len: usize,
) -> Result<Vec<u8>, StoreError> {
    let there = file.len().map_err(|error| files.error(name, "read", &error))?;
    if there.saturating_sub(at) < len as u64 {
        return Err(files.corrupt(name, at, "the file is cut off"));
    }
    let mut bytes = vec![0; len];
    let read = file.read_at(&mut bytes, at).map_err(|error| files.error(name, "read", &error))?;
    bytes.truncate(read);
    Ok(bytes)
}

fn encode_moment(out: &mut Vec<u8>, moment: &Moment) {
    out.push(MOMENT);
    put_number(out, moment.replay_from);
    out.push(u8::from(moment.closed));
    put_number(out, moment.next_segment);
    put_number(out, moment.last.segment);
    put_number(out, u64::from(moment.last.frames));
    put_number(out, u64::from(moment.last.end));
}

fn decode_moment(cursor: &mut Cursor<'_>) -> Result<Moment, Malformed> {
    Ok(Moment {
        replay_from: cursor.number()?,
        closed: cursor.u8()? != 0,
        next_segment: cursor.number()?,
        last: Opening { segment: cursor.number()?, frames: cursor.number32()?, end: cursor.number32()? },
    })
}

fn encode_segment(out: &mut Vec<u8>, closed: &Closed) {
    out.push(SEGMENT);
    put_number(out, closed.segment.id);
    put_number(out, closed.segment.epoch);
    put_number(out, u64::from(closed.frames));
    put_number(out, u64::from(closed.end));
    encode_runs(out, &closed.runs);
    for run in closed.live.runs() {
        put_number(out, u64::from(run.records));
        put_number(out, run.bytes);
        put_number(out, run.share);
    }
    // Zeroes at the end say nothing: in a backlog that nobody has touched yet there is nothing else.
    let dead = closed.live.dead_bits();
    let words = dead.len() - dead.iter().rev().take_while(|word| **word == 0).count();
    put_number(out, words as u64);
    dead.iter().take(words).for_each(|word| out.extend_from_slice(&word.to_le_bytes()));
}

fn decode_segment(cursor: &mut Cursor<'_>) -> Result<Summary, Malformed> {
    let (id, epoch) = (cursor.number()?, cursor.number()?);
    let (frames, end) = (cursor.number32()?, cursor.number32()?);
    let runs = decode_runs(cursor)?;
    let mut sums = Vec::with_capacity(runs.len());
    for _ in &runs {
        sums.push(RunLive { records: cursor.number32()?, bytes: cursor.number()?, share: cursor.number()? });
    }
    let count = runs.last().map_or(0, Run::end);
    let words = cursor.count(8)?;
    let mut dead = Vec::with_capacity(words);
    for _ in 0..words {
        dead.push(cursor.u64()?);
    }
    Ok(Summary { id, epoch, frames, end, runs, live: Live::new(count, dead, sums) })
}

fn decode_chunk(chunk: &[u8], checkpoint: &mut Checkpoint) -> Result<(), Malformed> {
    let mut cursor = Cursor::new(chunk);
    while cursor.left() > 0 {
        match cursor.u8()? {
            MOMENT => checkpoint.moment = decode_moment(&mut cursor)?,
            SEGMENT => checkpoint.segments.push(decode_segment(&mut cursor)?),
            VALUE => {
                let key = cursor.string()?;
                checkpoint.state.set(key, cursor.string()?);
            }
            _ => return Err(cursor.malformed("an item of an unknown kind")),
        }
    }
    Ok(())
}

impl Summary {
    /// What the segment after this one would say about it.
    pub(crate) fn known(&self) -> Opening {
        Opening { segment: self.id, frames: self.frames, end: self.end }
    }
}

impl Snapshot {
    /// The segments that a reader of this checkpoint needs, besides those from `replay_from` on.
    pub(crate) fn needs(&self) -> Arc<[u64]> {
        self.segments.iter().map(|closed| closed.segment.id).collect()
    }
}

#[cfg(test)]
mod tests;
