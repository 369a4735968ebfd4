//! Writes the living records of mostly dead segments again, a few at a time, so that a forgotten record never holds a
//! whole segment.
//!
//! The keeper reads them and lays out a few; the writer takes these along in front of the next batches. In front,
//! because what it knows then to be alive cannot have been released by anything before them in the log.

use std::collections::VecDeque;

use bytes::Bytes;
use hashbrown::HashMap;

use super::group::most_bytes_of_put;
use super::index::{Closed, Index};
use super::place::{Entry, Place};
use super::reader::Reader;
use super::record::Targets;
use super::segment::DATA_START;
use super::table::Table;
use crate::api::{Locator, Payload, StoreError, Target};

/// At most so many payloads are moved with one group.
const PAYLOADS: usize = 64;
/// And at most so many records.
const RECORDS: usize = 512;
/// And no more when they are so long in all.
const BYTES: usize = 256 * 1024;

/// Above this part (in per cent) of dead bytes a segment is worth moving.
const DEAD: u64 = 75;
/// When room is short, less is enough.
const DEAD_WHEN_FULL: u64 = 25;
/// Segments that are younger than so many others will mostly be dead before they would be moved.
const YOUNGEST: usize = 2;
/// So many segments may be short; more of them are joined.
const SHORT_SEGMENTS: usize = 8;

/// Some records of one segment, to be written again.
pub(crate) struct Moves {
    pub(crate) from: u64,
    pub(crate) list: Vec<Move>,
}

/// A payload and those of its records that move.
pub(crate) struct Move {
    pub(crate) targets: Targets,
    pub(crate) payload: Payload,
}

impl Moves {
    /// Drops what died meanwhile.
    pub(crate) fn keep_living(&mut self, index: &mut Index) {
        for one in &mut self.list {
            one.targets.retain(|target| index.lives_in(self.from, target.at).unwrap_or(false));
        }
        self.list.retain(|one| !one.targets.is_empty());
    }

    /// What they take in a group at most.
    pub(crate) fn most_bytes(&self) -> u64 {
        self.list.iter().map(|one| most_bytes_of_put(one.targets.len(), one.payload.len()) as u64).sum()
    }
}

/// The records of a segment that is being emptied.
pub(crate) struct Compaction {
    pub(crate) from: u64,
    rest: VecDeque<(Place, Targets)>,
    /// The frame that was read last: the next payloads are mostly in it.
    frame: Option<(u32, Bytes)>,
}

impl Compaction {
    /// Lists what lives in a segment, in the order of its frames.
    pub(crate) fn new(reader: &Reader, closed: &Closed) -> Result<Self, StoreError> {
        let mut payloads: HashMap<(u32, u32), (Place, Targets)> = HashMap::new();
        let file;
        let table = match &closed.table {
            Table::Held(table) => table.as_ref(),
            Table::File(table) => {
                file = table.load(reader)?;
                &file
            }
        };
        for (run, entries) in closed.runs.iter().zip(&table.runs) {
            for (ordinal, entry) in (run.start..).zip(entries) {
                if closed.live.is_live(ordinal) {
                    let Entry { seq, meta, place } = *entry;
                    let target = Target { at: Locator { stream: run.stream, seq }, meta };
                    let list = payloads.entry((place.frame, place.offset)).or_insert((place, Targets::new()));
                    list.1.push(target);
                }
            }
        }
        let mut rest: Vec<(Place, Targets)> = payloads.into_values().collect();
        rest.sort_unstable_by_key(|(place, _)| (place.frame, place.offset));
        Ok(Self { from: closed.segment.id, rest: rest.into(), frame: None })
    }

    /// Reads the next few; `None` when all were read.
    pub(crate) fn next(&mut self, reader: &Reader, closed: &Closed) -> Result<Option<Moves>, StoreError> {
        let mut moves = Moves { from: self.from, list: Vec::new() };
        let (mut records, mut bytes) = (0, 0);
        while moves.list.len() < PAYLOADS && records < RECORDS && bytes < BYTES {
            let Some((place, mut targets)) = self.rest.pop_front() else {
                break;
            };
            if targets.len() > RECORDS {
                let later = targets.drain(RECORDS..).collect();
                self.rest.push_front((place, later));
            }
            records += targets.len();
            bytes += place.len as usize;
            let payload = Payload { head: Bytes::new(), body: self.payload(reader, closed, place)? };
            moves.list.push(Move { targets, payload });
        }
        Ok(Some(moves).filter(|moves| !moves.list.is_empty()))
    }

    fn payload(&mut self, reader: &Reader, closed: &Closed, place: Place) -> Result<Bytes, StoreError> {
        let frame = match &self.frame {
            Some((at, frame)) if *at == place.frame => frame.clone(),
            _ => Bytes::from(closed.segment.frame(&reader.files, place.frame)?),
        };
        self.frame = Some((place.frame, frame.clone()));
        place.payload(&frame).ok_or_else(|| {
            let what = "a record reaches beyond its frame";
            reader.files.corrupt(closed.segment.name(), u64::from(place.frame), what)
        })
    }
}

/// The segment that is most worth emptying.
pub(crate) fn choose(
    index: &Index,
    segment_len: u64,
    full: bool,
    quiet: bool,
    refused: impl Fn(u64) -> bool,
) -> Option<Closed> {
    let skip = if full || quiet { 0 } else { YOUNGEST };
    let threshold = if full { DEAD_WHEN_FULL } else { DEAD };
    let living = |closed: &&Closed| closed.live.records() > 0 && !refused(closed.segment.id);
    let candidates: Vec<&Closed> = index.closed().rev().skip(skip).filter(living).collect();
    let is_dead = |closed: &&&Closed| closed.live.share() * 100 / used(closed) <= 100 - threshold;
    if let Some(deadest) = candidates.iter().filter(is_dead).min_by_key(|closed| closed.live.share()) {
        return Some((*deadest).clone());
    }
    let short = candidates.iter().filter(|closed| used(closed) < segment_len / 4);
    let oldest = short.clone().next_back().map(|closed| (*closed).clone());
    oldest.filter(|_| short.count() > SHORT_SEGMENTS)
}

/// Bytes of frames in a segment.
fn used(closed: &Closed) -> u64 {
    u64::from(closed.end.saturating_sub(DATA_START)).max(1)
}

#[cfg(test)]
mod tests;
