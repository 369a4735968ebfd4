//! What a reader takes away from the index, to read on without holding its lock.

use std::sync::Arc;

use super::super::live::Live;
use super::super::place::{Entry, Run};
use super::super::segment::Segment;
use super::super::table::Table;
use super::{Broken, Index, RunAt, size};
use crate::api::{Seq, StreamId, StreamInfo};

/// A part of a stream: the records in memory, and where the others are.
pub(crate) struct Gathered {
    /// Living records of the segment that is being filled.
    pub(crate) young: Option<(Arc<Segment>, Vec<Entry>)>,
    pub(crate) runs: Vec<RunView>,
    /// Everything up to and including this number is covered; `None` when the whole stream is.
    pub(crate) through: Option<Seq>,
}

/// A run as it was when it was gathered.
pub(crate) struct RunView {
    pub(crate) segment: Arc<Segment>,
    pub(crate) table: Table,
    pub(crate) live: Arc<Live>,
    pub(crate) run: Run,
    pub(crate) index: usize,
}

impl Index {
    /// What is needed to read `records` records of a stream from a number on.
    pub(crate) fn gather(&self, id: StreamId, from: Seq, records: usize) -> Gathered {
        let young =
            self.young.as_ref().map(|(segment, young)| (Arc::clone(segment), young.from(id, from, records)));
        // A full list may have more behind it.
        let full = young.as_ref().and_then(|(_, list)| list.last().filter(|_| list.len() >= records));
        let mut through = full.map(|entry| entry.seq);
        let mut at: Vec<_> =
            self.streams.get(&id).map(|stream| &stream.runs[..]).unwrap_or_default().to_vec();
        at.retain(|run| run.last >= from);
        at.sort_unstable_by_key(|run| run.first);
        let (mut runs, mut enough) = (Vec::new(), 0);
        for run in at {
            if enough >= records && run.first > from {
                through = through.into_iter().chain([run.first - 1]).min();
                break;
            }
            let Some(view) = self.view(run.segment, size(run.index)) else {
                continue;
            };
            // A run that begins before the place asked for may have few records behind it.
            if run.first >= from {
                enough += size(view.live.run(view.index).records);
            }
            runs.push(view);
        }
        Gathered { young, runs, through }
    }

    fn view(&self, segment: u64, index: usize) -> Option<RunView> {
        let closed = self.closed.get(&segment)?;
        Some(RunView {
            segment: Arc::clone(&closed.segment),
            table: closed.table.clone(),
            live: Arc::clone(&closed.live),
            run: *closed.runs.get(index)?,
            index,
        })
    }

    /// What lives in a stream. Its ends may have to be looked up in tables.
    pub(crate) fn info(&mut self, id: StreamId) -> Option<StreamInfo> {
        let (first, last) = match self.with_repair(|index| index.ends(id)) {
            Ok(ends) => ends?,
            // About right is better than nothing when the disk does not answer.
            Err(_) => self.outer_ends(id)?,
        };
        let stream = self.streams.get(&id)?;
        Some(StreamInfo { id, records: stream.records, bytes: stream.bytes, first, last })
    }

    /// Numbers that nothing living lies outside of.
    fn outer_ends(&self, id: StreamId) -> Option<(Seq, Seq)> {
        let young = self.young.as_ref().and_then(|(_, young)| young.ends(id));
        let runs = self.streams.get(&id)?.runs.iter().map(|run| (run.first, run.last));
        runs.chain(young).reduce(|one, two| (one.0.min(two.0), one.1.max(two.1)))
    }

    fn ends(&self, id: StreamId) -> Result<Option<(Seq, Seq)>, Broken> {
        let (mut first, mut last) = self.young.as_ref().and_then(|(_, young)| young.ends(id)).unzip();
        for at in self.streams.get(&id).map(|stream| &stream.runs[..]).unwrap_or_default() {
            if first.is_none_or(|first| at.first < first) {
                first = self.end_of(*at, End::First)?.into_iter().chain(first).min();
            }
            if last.is_none_or(|last| at.last > last) {
                last = self.end_of(*at, End::Last)?.into_iter().chain(last).max();
            }
        }
        Ok(first.zip(last))
    }

    /// The first or last living number of a run.
    fn end_of(&self, at: RunAt, end: End) -> Result<Option<Seq>, Broken> {
        let index = size(at.index);
        let Some(RunView { run, live, table, .. }) = self.view(at.segment, index) else {
            return Ok(None);
        };
        let (own, found) = match end {
            End::First => (run.first, live.first_in(run.start..run.end())),
            End::Last => (run.last, live.last_in(run.start..run.end())),
        };
        let Some(skip) = found.map(|ordinal| ordinal - run.start) else {
            return Ok(None);
        };
        let is_own = match end {
            End::First => skip == 0,
            End::Last => skip + 1 == run.count,
        };
        if is_own {
            return Ok(Some(own));
        }
        let piece = table.piece(&self.reader, index, &run, skip);
        let piece = piece.map_err(|error| Broken { id: at.segment, error })?;
        Ok(piece.entries().first().map(|entry| entry.seq))
    }
}

#[derive(Clone, Copy)]
enum End {
    First,
    Last,
}
