//! What damaged frames may have held.

use std::ops::Range;

use hashbrown::HashSet;

use super::super::index::Index;
use super::super::reader::Reader;
use super::super::record::Targets;
use super::super::table::TableFile;
use crate::api::{Locator, Seq, StreamId, Target};

/// So many streams are named; more are counted.
const MOST: usize = 20;

/// What the records behind a gap tell about those in it: numbers that a stream leaves out there.
pub(super) struct Neighbours {
    what: String,
    seen: HashSet<StreamId>,
    jumps: Vec<(StreamId, Seq, Seq)>,
}

impl Neighbours {
    pub(super) fn new(what: String) -> Self {
        Self { what, seen: HashSet::new(), jumps: Vec::new() }
    }

    /// Looks at new records before they are put into the index.
    pub(super) fn notice(&mut self, targets: &Targets, index: &Index) {
        for Locator { stream, seq } in targets.iter().map(|target| target.at) {
            if self.seen.insert(stream)
                && let Some(before) = index.highest(stream)
                && seq > before.saturating_add(1)
            {
                self.jumps.push((stream, before + 1, seq - 1));
            }
        }
    }

    pub(super) fn describe(&self) -> String {
        if self.jumps.is_empty() {
            return format!("{}; which records they held is not known", self.what);
        }
        let jump = |(stream, first, last): &(StreamId, Seq, Seq)| {
            format!("stream {} has nothing from {first} to {last}", stream.0)
        };
        format!("{}; to go by their neighbours, {}", self.what, list(self.jumps.iter().map(jump)))
    }
}

/// Joins a list that may be long.
pub(super) fn list(items: impl ExactSizeIterator<Item = String>) -> String {
    let more = items.len().saturating_sub(MOST);
    let shown = items.take(MOST).collect::<Vec<_>>().join(", ");
    if more == 0 { shown } else { format!("{shown} and {more} more") }
}

/// Puts the records of damaged frames into the index, if the segment's table names them: a reader will then hear that
/// they are lost, and not just find nothing. Returns what they were, in words.
pub(super) fn restore_from_table(
    reader: &Reader,
    id: u64,
    bytes: Range<u64>,
    index: &mut Index,
) -> Option<String> {
    let file = TableFile::new(id);
    let table = file.load(reader).ok()?;
    let runs = file.runs(reader).ok()?;
    let mut held = Vec::new();
    for (run, entries) in runs.iter().zip(&table.runs) {
        let inside = entries.iter().filter(|entry| bytes.contains(&u64::from(entry.place.frame)));
        let mut numbers: Option<(Seq, Seq, u64)> = None;
        for entry in inside {
            let target = Target { at: Locator { stream: run.stream, seq: entry.seq }, meta: entry.meta };
            // The segment that is being filled takes it in any case.
            let _ = index.put(target, entry.place, run.stray);
            let (first, _, count) = numbers.unwrap_or((entry.seq, entry.seq, 0));
            numbers = Some((first, entry.seq, count + 1));
        }
        held.extend(
            numbers.map(|(first, last, count)| {
                format!("{count} of stream {} ({first} to {last})", run.stream.0)
            }),
        );
    }
    Some(format!("by the segment's table they held {}", list(held.into_iter())))
}
