//! How a table lies on disk.

use super::super::header::Header;
use super::super::place::{Entry, Place, Run};
use super::super::seal::{Keyring, Seal, SealFailed};
use super::super::young::HeldTable;
use super::{BLOCK, size};
use crate::api::{Seq, StreamId};
use crate::wire::{Cursor, Malformed, put_near, put_number};

/// "KMQT", the last bytes but a checksum.
const FOOTER_MAGIC: [u8; 4] = *b"KMQT";
pub(super) const FOOTER_LEN: usize = 24;
/// The number under which the directory is sealed; blocks are numbered from zero.
pub(super) const DIRECTORY: u64 = u64::MAX;

/// An entry takes at least so many bytes, a run and a mention of a block too.
const LEAST_ENTRY: usize = 6;
const LEAST_RUN: usize = 5;
const LEAST_BLOCK: usize = 7;

/// Where a block lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BlockAt {
    pub(super) at: u64,
    pub(super) len: u32,
    pub(super) crc: u32,
    /// The number of its first entry.
    pub(super) first: Seq,
}

/// The bytes of a table file.
pub(crate) fn encode(
    table: &HeldTable,
    runs: &[Run],
    header: Header,
    keyring: &Keyring,
) -> Result<Vec<u8>, SealFailed> {
    let (head, seal) = header.write(keyring)?;
    let mut out = head.to_vec();
    let mut blocks = Vec::new();
    let entries: Vec<&Entry> = table.runs.iter().flatten().collect();
    for (number, entries) in (0..).zip(entries.chunks(size(BLOCK))) {
        let at = out.len();
        encode_block(&mut out, entries);
        let crc = close_piece(&seal, number, &mut out, at)?;
        let len = u32::try_from(out.len() - at).map_err(|_| SealFailed)?;
        blocks.push(BlockAt { at: at as u64, len, crc, first: entries.first().map_or(0, |entry| entry.seq) });
    }
    let at = out.len();
    encode_directory(&mut out, runs, &blocks);
    let crc = close_piece(&seal, DIRECTORY, &mut out, at)?;
    let len = u32::try_from(out.len() - at).map_err(|_| SealFailed)?;
    write_footer(&mut out, at as u64, len, crc);
    Ok(out)
}

/// Seals the bytes from `at` on; returns their checksum.
fn close_piece(seal: &Seal, number: u64, out: &mut Vec<u8>, at: usize) -> Result<u32, SealFailed> {
    let piece = out.get_mut(at..).ok_or(SealFailed)?;
    if let Some(tag) = seal.close(number, &[], piece)? {
        out.extend_from_slice(tag.as_ref());
    }
    Ok(crc32fast::hash(out.get(at..).unwrap_or_default()))
}

fn write_footer(out: &mut Vec<u8>, at: u64, len: u32, crc: u32) {
    let start = out.len();
    out.extend_from_slice(&at.to_le_bytes());
    out.extend_from_slice(&len.to_le_bytes());
    out.extend_from_slice(&crc.to_le_bytes());
    out.extend_from_slice(&FOOTER_MAGIC);
    let crc = crc32fast::hash(out.get(start..).unwrap_or_default());
    out.extend_from_slice(&crc.to_le_bytes());
}

pub(super) fn read_footer(bytes: &[u8]) -> Option<(u64, u32, u32)> {
    let (covered, crc) = bytes.split_last_chunk::<4>()?;
    if crc32fast::hash(covered) != u32::from_le_bytes(*crc) || !covered.ends_with(&FOOTER_MAGIC) {
        return None;
    }
    let mut cursor = Cursor::new(covered);
    Some((cursor.u64().ok()?, cursor.u32().ok()?, cursor.u32().ok()?))
}

fn encode_block(out: &mut Vec<u8>, entries: &[&Entry]) {
    put_number(out, entries.len() as u64);
    let mut before = Entry { seq: 0, meta: 0, place: Place { frame: 0, offset: 0, len: 0, fan: 1 } };
    for entry in entries {
        put_near(out, before.seq, entry.seq);
        put_near(out, before.meta, entry.meta);
        put_near(out, u64::from(before.place.frame), u64::from(entry.place.frame));
        put_near(out, u64::from(before.place.offset), u64::from(entry.place.offset));
        put_near(out, u64::from(before.place.len), u64::from(entry.place.len));
        put_number(out, u64::from(entry.place.fan));
        before = **entry;
    }
}

pub(super) fn decode_block(bytes: &[u8]) -> Result<Vec<Entry>, Malformed> {
    let mut cursor = Cursor::new(bytes);
    let entries = cursor.count(LEAST_ENTRY)?;
    let mut block: Vec<Entry> = Vec::with_capacity(entries);
    let mut before = Entry { seq: 0, meta: 0, place: Place { frame: 0, offset: 0, len: 0, fan: 1 } };
    for _ in 0..entries {
        before = Entry {
            seq: cursor.near(before.seq)?,
            meta: cursor.near(before.meta)?,
            place: Place {
                frame: cursor.near32(before.place.frame)?,
                offset: cursor.near32(before.place.offset)?,
                len: cursor.near32(before.place.len)?,
                fan: cursor.number32()?,
            },
        };
        block.push(before);
    }
    cursor.end()?;
    Ok(block)
}

fn encode_directory(out: &mut Vec<u8>, runs: &[Run], blocks: &[BlockAt]) {
    encode_runs(out, runs);
    put_number(out, blocks.len() as u64);
    let mut before = 0;
    for block in blocks {
        put_near(out, before, block.at);
        put_number(out, u64::from(block.len));
        out.extend_from_slice(&block.crc.to_le_bytes());
        put_number(out, block.first);
        before = block.at;
    }
}

pub(super) fn decode_directory(bytes: &[u8]) -> Result<(Vec<Run>, Vec<BlockAt>), Malformed> {
    let mut cursor = Cursor::new(bytes);
    let runs = decode_runs(&mut cursor)?;
    let count = cursor.count(LEAST_BLOCK)?;
    let mut blocks = Vec::with_capacity(count);
    let mut at = 0;
    for _ in 0..count {
        at = cursor.near(at)?;
        blocks.push(BlockAt { at, len: cursor.number32()?, crc: cursor.u32()?, first: cursor.number()? });
    }
    cursor.end()?;
    Ok((runs, blocks))
}

/// Writes what runs a segment has.
pub(crate) fn encode_runs(out: &mut Vec<u8>, runs: &[Run]) {
    put_number(out, runs.len() as u64);
    let mut stream = 0;
    for run in runs {
        put_near(out, stream, run.stream.0);
        out.push(u8::from(run.stray));
        put_number(out, run.first);
        put_number(out, run.last.wrapping_sub(run.first));
        put_number(out, u64::from(run.count));
        stream = run.stream.0;
    }
}

/// Reads what [`encode_runs`] wrote.
pub(crate) fn decode_runs(cursor: &mut Cursor<'_>) -> Result<Vec<Run>, Malformed> {
    let count = cursor.count(LEAST_RUN)?;
    let mut runs = Vec::with_capacity(count);
    let (mut stream, mut start) = (0, 0_u32);
    for _ in 0..count {
        stream = cursor.near(stream)?;
        let stray = cursor.u8()? != 0;
        let first = cursor.number()?;
        let last = first.wrapping_add(cursor.number()?);
        let count = cursor.number32()?;
        let end = start.checked_add(count).filter(|_| count > 0 && last >= first);
        let end = end.ok_or_else(|| cursor.malformed("a run that cannot be"))?;
        runs.push(Run { stream: StreamId(stream), stray, first, last, start, count });
        start = end;
    }
    Ok(runs)
}

#[cfg(test)]
mod tests;
