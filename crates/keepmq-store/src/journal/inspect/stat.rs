//! Tells what holds the disk.

use std::sync::Arc;

use hashbrown::HashMap;

use super::super::files::{Files, Name};
use super::super::index::{Closed, Index};
use super::super::reader::Reader;
use super::super::recover::load;
use super::super::seal::MasterKey;
use super::super::segment::DATA_START;
use super::super::table::Table;
use crate::api::{Locator, StoreError, StreamId, StreamInfo};
use crate::disk::Disk;

/// What a store consists of. Sizes are in bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stat {
    /// Living records.
    pub records: u64,
    /// Their payloads; one that is kept for several targets counts for each.
    pub live_bytes: u64,
    /// Keyed values.
    pub values: u64,
    /// Keys and values together.
    pub value_bytes: u64,
    /// All segment files.
    pub segment_bytes: u64,
    /// All tables.
    pub table_bytes: u64,
    /// All checkpoints.
    pub checkpoint_bytes: u64,
    /// Files that are kept ready.
    pub spare_bytes: u64,
    /// The segments, the oldest first.
    pub segments: Vec<SegmentStat>,
    /// What lives in each stream, sorted by id.
    pub streams: Vec<StreamInfo>,
    /// The living record that was written first.
    pub oldest: Option<Locator>,
}

/// A segment, and what keeps it from being given back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SegmentStat {
    /// Its file.
    pub path: String,
    /// The file's length.
    pub file_bytes: u64,
    /// What was written in it.
    pub used_bytes: u64,
    /// What of that still is of use.
    pub live_bytes: u64,
    /// Living records.
    pub records: u64,
    /// The streams that these belong to, the one that holds most first.
    pub holders: Vec<Holder>,
}

/// A stream that keeps a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Which.
    pub stream: StreamId,
    /// Its living records in the segment.
    pub records: u64,
    /// What they hold of it.
    pub live_bytes: u64,
}

/// Tells what a store consists of. Fails when a broker has it, or the key is another.
pub fn stat(disk: Arc<dyn Disk>, key: Option<MasterKey>) -> Result<Stat, StoreError> {
    let (reader, _held) = super::look(disk, key)?;
    let mut loaded = load(&reader)?;
    let mut stat = Stat {
        records: loaded.index.records(),
        live_bytes: loaded.index.bytes(),
        values: loaded.index.state.len() as u64,
        value_bytes: loaded.index.state.bytes(),
        ..Stat::default()
    };
    let mut ids: Vec<StreamId> = loaded.index.streams().collect();
    ids.sort_unstable();
    stat.streams = ids.into_iter().filter_map(|id| loaded.index.info(id)).collect();
    for name in &loaded.names {
        let len = length(&reader.files, *name)?;
        match name {
            Name::Segment(id) => {
                stat.segment_bytes += len;
                let closed = loaded.index.closed_at(*id);
                stat.segments.push(segment_stat(reader.files.place(*name), len, closed));
            }
            Name::Table(_) => stat.table_bytes += len,
            Name::Checkpoint(_) => stat.checkpoint_bytes += len,
            Name::Spare(_) | Name::Unfinished(_) => stat.spare_bytes += len,
        }
    }
    stat.oldest = oldest(&reader, &loaded.index);
    Ok(stat)
}

fn length(files: &Files, name: Name) -> Result<u64, StoreError> {
    files.open(name)?.len().map_err(|error| files.error(name, "read", &error))
}

fn segment_stat(path: String, file_bytes: u64, closed: Option<&Closed>) -> SegmentStat {
    let Some(closed) = closed else {
        return SegmentStat { path, file_bytes, ..SegmentStat::default() };
    };
    let mut holders: HashMap<StreamId, Holder> = HashMap::new();
    for (run, live) in closed.runs.iter().zip(closed.live.runs()).filter(|(_, live)| live.records > 0) {
        let none = Holder { stream: run.stream, records: 0, live_bytes: 0 };
        let holder = holders.entry(run.stream).or_insert(none);
        holder.records += u64::from(live.records);
        holder.live_bytes += live.share;
    }
    let mut holders: Vec<Holder> = holders.into_values().collect();
    holders.sort_unstable_by_key(|holder| (std::cmp::Reverse(holder.live_bytes), holder.stream));
    SegmentStat {
        path,
        file_bytes,
        used_bytes: u64::from(closed.end.saturating_sub(DATA_START)),
        live_bytes: closed.live.share(),
        records: closed.live.records(),
        holders,
    }
}

/// The living record that lies first in the oldest segment that has any.
fn oldest(reader: &Reader, index: &Index) -> Option<Locator> {
    let closed = index.closed().find(|closed| closed.live.records() > 0)?;
    let table = match &closed.table {
        Table::Held(table) => Arc::clone(table),
        Table::File(file) => Arc::new(file.load(reader).ok()?),
    };
    let runs = closed.runs.iter().zip(&table.runs);
    let entries = runs.flat_map(|(run, entries)| {
        let ordinals = (run.start..).zip(entries);
        let living = ordinals.filter(|(ordinal, _)| closed.live.is_live(*ordinal));
        living.map(|(_, entry)| {
            (entry.place.frame, entry.place.offset, Locator { stream: run.stream, seq: entry.seq })
        })
    });
    entries.min().map(|(_, _, at)| at)
}
