//! Tables: where the records of a closed segment are, on disk, so that memory need not hold it.
//!
//! A table is a file of blocks of [`BLOCK`] entries each, and at its end a directory that says what runs there are,
//! where the blocks are, and the first number in each. Blocks are read when something is looked up in them, and kept
//! in a bounded cache. Everything is sealed under the file's own key and checked. A table that is lost or damaged can
//! be made again from the segment.

mod codec;

use std::sync::{Arc, OnceLock};

use codec::{BlockAt, DIRECTORY, FOOTER_LEN, decode_block, decode_directory, read_footer};
pub(crate) use codec::{decode_runs, encode, encode_runs};

use super::files::{Files, Name};
use super::header::{HEADER_LEN, Header, Kind};
use super::place::{Entry, Run};
use super::reader::Reader;
use super::seal::Seal;
use super::segment::unusable_error;
use super::young::{HeldTable, lower_bound};
use crate::api::{Seq, StoreError};

/// How many entries are read at once.
pub(crate) const BLOCK: u32 = 1024;

/// The entries of a closed segment, in memory until they are on disk.
#[derive(Clone)]
pub(crate) enum Table {
    Held(Arc<HeldTable>),
    File(Arc<TableFile>),
}

/// A table on disk.
pub(crate) struct TableFile {
    id: u64,
    directory: OnceLock<Directory>,
}

struct Directory {
    seal: Seal,
    runs: Vec<Run>,
    blocks: Vec<BlockAt>,
}

/// Entries of one run that follow one another.
pub(crate) enum Piece {
    Held(Arc<HeldTable>, usize, usize),
    Block(Arc<[Entry]>, usize, usize),
}

impl Piece {
    pub(crate) fn entries(&self) -> &[Entry] {
        match self {
            Self::Held(table, run, from) => table.runs.get(*run).and_then(|run| run.get(*from..)),
            Self::Block(block, from, to) => block.get(*from..*to),
        }
        .unwrap_or_default()
    }
}

impl Table {
    /// How many entries of the run have a number below `seq`.
    pub(crate) fn below(
        &self,
        reader: &Reader,
        index: usize,
        run: &Run,
        seq: Seq,
    ) -> Result<u32, StoreError> {
        if seq <= run.first {
            return Ok(0);
        }
        if seq > run.last {
            return Ok(run.count);
        }
        match self {
            Self::Held(table) => {
                Ok(count(lower_bound(table.runs.get(index).map_or(&[], Vec::as_slice), seq)))
            }
            Self::File(file) => file.below(reader, run, seq),
        }
    }

    /// Entries of the run from the one after `skip` others on: at least one, if there is one.
    pub(crate) fn piece(
        &self,
        reader: &Reader,
        index: usize,
        run: &Run,
        skip: u32,
    ) -> Result<Piece, StoreError> {
        match self {
            Self::Held(table) => Ok(Piece::Held(Arc::clone(table), index, size(skip))),
            Self::File(file) => file.piece(reader, run, skip),
        }
    }
}

impl TableFile {
    /// A table that is read when it is needed.
    pub(crate) fn new(id: u64) -> Arc<Self> {
        Arc::new(Self { id, directory: OnceLock::new() })
    }

    /// The runs that the table has.
    pub(crate) fn runs(&self, reader: &Reader) -> Result<&[Run], StoreError> {
        self.directory(reader).map(|directory| directory.runs.as_slice())
    }

    /// Reads the whole table, past the cache.
    pub(crate) fn load(&self, reader: &Reader) -> Result<HeldTable, StoreError> {
        let directory = self.directory(reader)?;
        let mut entries = Vec::new();
        for number in 0..count(directory.blocks.len()) {
            entries.extend(self.read_block(&reader.files, directory, number)?);
        }
        let mut rest = entries.as_slice();
        let mut table = HeldTable::default();
        for run in &directory.runs {
            let (own, others) = rest
                .split_at_checked(size(run.count))
                .ok_or_else(|| reader.files.corrupt(Name::Table(self.id), 0, "entries are missing"))?;
            table.runs.push(own.to_vec());
            rest = others;
        }
        Ok(table)
    }

    fn below(&self, reader: &Reader, run: &Run, seq: Seq) -> Result<u32, StoreError> {
        let directory = self.directory(reader)?;
        // Blocks behind the one that the run begins in begin with entries of the run, if they have any.
        let (begins, ends) = (run.start / BLOCK, (run.end() - 1) / BLOCK);
        let inner = directory.blocks.get(size(begins + 1)..=size(ends)).unwrap_or_default();
        let number = begins + count(inner.partition_point(|block| block.first < seq));
        let start = (number * BLOCK).max(run.start);
        let piece = self.piece(reader, run, start - run.start)?;
        Ok(start - run.start + count(lower_bound(piece.entries(), seq)))
    }

    fn piece(&self, reader: &Reader, run: &Run, skip: u32) -> Result<Piece, StoreError> {
        let ordinal = run.start.saturating_add(skip);
        let number = ordinal / BLOCK;
        let block = self.block(reader, number)?;
        let begins = number * BLOCK;
        Ok(Piece::Block(block, size(ordinal - begins), size(run.end().saturating_sub(begins).min(BLOCK))))
    }

    fn block(&self, reader: &Reader, number: u32) -> Result<Arc<[Entry]>, StoreError> {
        let key = (self.id, number);
        if let Some(block) = reader.blocks.get(key) {
            return Ok(block);
        }
        let directory = self.directory(reader)?;
        let block: Arc<[Entry]> = self.read_block(&reader.files, directory, number)?.into();
        reader.blocks.put(key, Arc::clone(&block), size_of_val(&*block) + 64);
        Ok(block)
    }

    fn read_block(
        &self,
        files: &Files,
        directory: &Directory,
        number: u32,
    ) -> Result<Vec<Entry>, StoreError> {
        let name = Name::Table(self.id);
        let missing = || files.corrupt(name, 0, format!("block {number} is missing"));
        let block = *directory.blocks.get(size(number)).ok_or_else(missing)?;
        let mut bytes = read_piece(files, name, block.at, size(block.len))?;
        let fault = |what: &str| files.corrupt(name, block.at, what);
        if crc32fast::hash(&bytes) != block.crc {
            return Err(fault("the checksum of a block does not agree"));
        }
        let opened = directory.seal.open(u64::from(number), &[], &mut bytes);
        let opened = opened.ok_or_else(|| fault("the seal of a block does not agree"))?;
        decode_block(opened).map_err(|malformed| fault(&malformed.to_string()))
    }

    fn directory(&self, reader: &Reader) -> Result<&Directory, StoreError> {
        if let Some(directory) = self.directory.get() {
            return Ok(directory);
        }
        let read = read_directory(reader, self.id)?;
        Ok(self.directory.get_or_init(|| read))
    }
}

fn read_directory(reader: &Reader, id: u64) -> Result<Directory, StoreError> {
    let (files, name) = (&reader.files, Name::Table(id));
    let head = read_piece(files, name, 0, HEADER_LEN)?;
    let (header, seal) =
        Header::read(&head, &reader.keyring).map_err(|why| unusable_error(files, name, why))?;
    if header.kind != Kind::Table || header.id != id {
        return Err(files.corrupt(name, 0, "the file is not the table of this segment"));
    }
    let len = files.read(name)?.len().map_err(|error| files.error(name, "read", &error))?;
    let end = len.saturating_sub(FOOTER_LEN as u64);
    let footer = read_piece(files, name, end, FOOTER_LEN)?;
    let fault = |what: &str| files.corrupt(name, end, what);
    let (at, length, crc) = read_footer(&footer).ok_or_else(|| fault("the footer is damaged"))?;
    if at.checked_add(u64::from(length)) != Some(end) {
        return Err(fault("the footer names a directory that is not before it"));
    }
    let mut bytes = read_piece(files, name, at, size(length))?;
    if crc32fast::hash(&bytes) != crc {
        return Err(fault("the checksum of the directory does not agree"));
    }
    let opened = seal.open(DIRECTORY, &[], &mut bytes);
    let opened = opened.ok_or_else(|| fault("the seal of the directory does not agree"))?;
    let (runs, blocks) = decode_directory(opened).map_err(|malformed| fault(&malformed.to_string()))?;
    Ok(Directory { seal, runs, blocks })
}

fn read_piece(files: &Files, name: Name, at: u64, len: usize) -> Result<Vec<u8>, StoreError> {
    let file = files.read(name)?;
    let there = file.len().map_err(|error| files.error(name, "read", &error))?;
    if at.checked_add(len as u64).is_none_or(|end| end > there) {
        return Err(files.corrupt(name, at, "the file is cut off"));
    }
    let mut bytes = vec![0; len];
    let read = file.read_at(&mut bytes, at).map_err(|error| files.error(name, "read", &error))?;
    bytes.truncate(read);
    Ok(bytes)
}

fn size(count: u32) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

fn count(size: usize) -> u32 {
    u32::try_from(size).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
