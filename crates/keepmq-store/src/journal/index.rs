//! Where every living record is: the one structure that all readers and the writer share, behind a lock.
//!
//! The records of the segment that is being filled are held one by one. Of closed segments memory holds their runs,
//! a bit per record and sums; where exactly a record lies is in the segment's table, on disk. What was released last
//! was mostly put last, so it is found without the disk.

mod closed;
mod gather;

use std::collections::BTreeMap;
use std::sync::Arc;

use hashbrown::HashMap;
use smallvec::SmallVec;

pub(crate) use closed::{Closed, reconcile};
pub(crate) use gather::{Gathered, RunView};

use super::place::{Entry, Place};
use super::reader::Reader;
use super::record::Opening;
use super::segment::Segment;
use super::state::State;
use super::table::Table;
use super::young::{Closing, YoungTable};
use crate::api::{Locator, Seq, StoreError, StreamId, Target};

/// See the module.
pub(crate) struct Index {
    reader: Arc<Reader>,
    streams: HashMap<StreamId, Stream>,
    young: Option<(Arc<Segment>, YoungTable)>,
    closed: BTreeMap<u64, Closed>,
    records: u64,
    bytes: u64,
    /// How the segment that was closed last ended.
    pub(crate) last: Opening,
    pub(crate) state: State,
    /// What was found wrong since the store was opened.
    pub(crate) faults: Vec<String>,
}

/// What lives in a stream.
#[derive(Default)]
struct Stream {
    records: u64,
    bytes: u64,
    /// No record that lives has a higher number, and mostly none had.
    highest: Seq,
    /// In closed segments, in the order of the segments.
    runs: SmallVec<[RunAt; 1]>,
}

/// A run with living records. Its ends are here so that searching them touches nothing else.
#[derive(Clone, Copy)]
struct RunAt {
    segment: u64,
    index: u32,
    first: Seq,
    last: Seq,
}

impl Index {
    pub(crate) fn new(reader: Arc<Reader>) -> Self {
        Self {
            reader,
            streams: HashMap::new(),
            young: None,
            closed: BTreeMap::new(),
            records: 0,
            bytes: 0,
            last: Opening::default(),
            state: State::default(),
            faults: Vec::new(),
        }
    }

    /// Living records.
    pub(crate) fn records(&self) -> u64 {
        self.records
    }

    /// Bytes of living payloads.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The segment that is being filled.
    pub(crate) fn young(&self) -> Option<u64> {
        self.young.as_ref().map(|(segment, _)| segment.id)
    }

    pub(crate) fn closed(&self) -> impl DoubleEndedIterator<Item = &Closed> {
        self.closed.values()
    }

    pub(crate) fn closed_at(&self, id: u64) -> Option<&Closed> {
        self.closed.get(&id)
    }

    pub(crate) fn streams(&self) -> impl Iterator<Item = StreamId> {
        self.streams.keys().copied()
    }

    /// The highest number that was put in a stream, as long as it is not empty.
    pub(crate) fn highest(&self, stream: StreamId) -> Option<Seq> {
        self.streams.get(&stream).map(|stream| stream.highest)
    }

    /// Begins to fill a segment.
    pub(crate) fn begin(&mut self, segment: Arc<Segment>) {
        self.young = Some((segment, YoungTable::default()));
    }

    /// Closes the segment that is being filled. `frames` of its frames count, and they end before `end`.
    pub(crate) fn close(&mut self, frames: u32, end: u32) {
        let Some((segment, young)) = self.young.take() else {
            return;
        };
        let Closing { runs, live, table } = young.close();
        let closed = Closed {
            segment,
            frames,
            end,
            runs: runs.into(),
            live: Arc::new(live),
            table: Table::Held(Arc::new(table)),
        };
        self.last = closed.known();
        self.link_runs(&closed);
        self.closed.insert(closed.segment.id, closed);
    }

    /// Takes in a closed segment with all that lives in it.
    pub(crate) fn link(&mut self, closed: Closed) {
        for (run, live) in closed.runs.iter().zip(closed.live.runs()) {
            if live.records > 0 {
                let stream = self.streams.entry(run.stream).or_default();
                stream.records += u64::from(live.records);
                stream.bytes += live.bytes;
                self.records += u64::from(live.records);
                self.bytes += live.bytes;
            }
        }
        self.link_runs(&closed);
        self.closed.insert(closed.segment.id, closed);
    }

    /// Lets go of a closed segment with all that lives in it.
    pub(crate) fn unlink(&mut self, id: u64) -> Option<Closed> {
        let closed = self.closed.remove(&id)?;
        for (run, live) in closed.runs.iter().zip(closed.live.runs()) {
            let Some(stream) = self.streams.get_mut(&run.stream) else {
                continue;
            };
            stream.runs.retain(|at| at.segment != id);
            self.subtract(run.stream, u64::from(live.records), live.bytes);
        }
        Some(closed)
    }

    fn link_runs(&mut self, closed: &Closed) {
        for (index, (run, live)) in (0..).zip(closed.runs.iter().zip(closed.live.runs())) {
            if live.records > 0
                && let Some(stream) = self.streams.get_mut(&run.stream)
            {
                stream.highest = stream.highest.max(run.last);
                let segment = closed.segment.id;
                let at = stream.runs.partition_point(|other| (other.segment, other.index) < (segment, index));
                stream.runs.insert(at, RunAt { segment, index, first: run.first, last: run.last });
            }
        }
    }

    /// Notes that the table of a closed segment is on disk.
    pub(crate) fn set_table(&mut self, id: u64, table: Table) {
        if let Some(closed) = self.closed.get_mut(&id) {
            closed.table = table;
        }
    }

    /// Keeps a record. One that lives under the same number already gives way: it was moved.
    pub(crate) fn put(&mut self, target: Target, place: Place, moved: bool) -> Result<(), StoreError> {
        let known = self.streams.get(&target.at.stream);
        if known.is_some_and(|stream| target.at.seq <= stream.highest) {
            self.release(target.at)?;
        }
        let Some((_, young)) = &mut self.young else {
            return Ok(());
        };
        young.add(target, place, moved);
        let stream = self.streams.entry(target.at.stream).or_default();
        stream.highest = stream.highest.max(target.at.seq);
        stream.records += 1;
        stream.bytes += u64::from(place.len);
        self.records += 1;
        self.bytes += u64::from(place.len);
        Ok(())
    }

    /// Gives up a record; false when there is none.
    pub(crate) fn release(&mut self, at: Locator) -> Result<bool, StoreError> {
        if let Some(place) = self.young.as_mut().and_then(|(_, young)| young.kill(at)) {
            self.subtract(at.stream, 1, u64::from(place.len));
            return Ok(true);
        }
        self.with_repair(|index| index.release_closed(at))
    }

    fn release_closed(&mut self, at: Locator) -> Result<bool, Broken> {
        let Some((segment, found)) = self.find_closed(at)? else {
            return Ok(false);
        };
        let Some(closed) = self.closed.get_mut(&segment) else {
            return Ok(false);
        };
        Arc::make_mut(&mut closed.live).kill(found.index, found.ordinal, found.entry.place);
        let run_is_empty = closed.live.run(found.index).records == 0;
        if run_is_empty {
            self.drop_run(at.stream, segment, found.index);
        }
        self.subtract(at.stream, 1, u64::from(found.entry.place.len));
        Ok(true)
    }

    /// Gives up every record between two numbers, both included.
    pub(crate) fn truncate(&mut self, stream: StreamId, from: Seq, through: Seq) -> Result<(), StoreError> {
        let (mut records, mut bytes) = (0, 0);
        if let Some((_, young)) = &mut self.young {
            young.kill_range(stream, from, through, |place| {
                records += 1;
                bytes += u64::from(place.len);
            });
        }
        self.subtract(stream, records, bytes);
        self.with_repair(|index| index.truncate_closed(stream, from, through))
    }

    fn truncate_closed(&mut self, stream: StreamId, from: Seq, through: Seq) -> Result<(), Broken> {
        let runs = self.streams.get(&stream).map(|stream| stream.runs.clone()).unwrap_or_default();
        runs.into_iter()
            .filter(|at| at.first <= through)
            .try_for_each(|at| self.truncate_run(stream, at, from, through))
    }

    fn truncate_run(&mut self, stream: StreamId, at: RunAt, from: Seq, through: Seq) -> Result<(), Broken> {
        let reader = Arc::clone(&self.reader);
        let Some(closed) = self.closed.get_mut(&at.segment) else {
            return Ok(());
        };
        let index = size(at.index);
        let before = closed.live.run(index);
        closed.kill_range(&reader, index, from, through).map_err(|error| Broken { id: at.segment, error })?;
        let after = closed.live.run(index);
        if after.records == 0 {
            self.drop_run(stream, at.segment, index);
        }
        self.subtract(stream, u64::from(before.records - after.records), before.bytes - after.bytes);
        Ok(())
    }

    /// Where a record lies and in which segment, if it lives.
    pub(crate) fn find(&mut self, at: Locator) -> Result<Option<(Arc<Segment>, Entry)>, StoreError> {
        if let Some((segment, young)) = &self.young
            && let Some(entry) = young.find(at)
        {
            return Ok(Some((Arc::clone(segment), entry)));
        }
        let found = self.with_repair(|index| index.find_closed(at))?;
        let segment = |id| self.closed.get(&id).map(|closed| Arc::clone(&closed.segment));
        Ok(found.and_then(|(id, found)| Some((segment(id)?, found.entry))))
    }

    /// Whether a record lives in a closed segment.
    pub(crate) fn lives_in(&mut self, id: u64, at: Locator) -> Result<bool, StoreError> {
        let found = self.with_repair(|index| index.find_closed(at))?;
        Ok(found.is_some_and(|(segment, _)| segment == id))
    }

    /// The newest segments are searched first: a record that was moved lives in a later one.
    fn find_closed(&self, at: Locator) -> Result<Option<(u64, closed::Found)>, Broken> {
        let Some(stream) = self.streams.get(&at.stream) else {
            return Ok(None);
        };
        for run in stream.runs.iter().rev().filter(|run| run.first <= at.seq && at.seq <= run.last) {
            let Some(closed) = self.closed.get(&run.segment) else {
                continue;
            };
            let found = closed.find(&self.reader, size(run.index), at.seq);
            if let Some(found) = found.map_err(|error| Broken { id: run.segment, error })? {
                return Ok(Some((run.segment, found)));
            }
        }
        Ok(None)
    }

    fn drop_run(&mut self, stream: StreamId, segment: u64, index: usize) {
        if let Some(stream) = self.streams.get_mut(&stream) {
            stream.runs.retain(|at| at.segment != segment || size(at.index) != index);
        }
    }

    fn subtract(&mut self, id: StreamId, records: u64, bytes: u64) {
        let Some(stream) = self.streams.get_mut(&id) else {
            return;
        };
        stream.records = stream.records.saturating_sub(records);
        stream.bytes = stream.bytes.saturating_sub(bytes);
        self.records = self.records.saturating_sub(records);
        self.bytes = self.bytes.saturating_sub(bytes);
        if stream.records == 0 {
            self.streams.remove(&id);
        }
    }

    /// Does something that needs tables. One that is damaged is made again from its segment; one that cannot be read
    /// just now is an error, and nothing was done.
    fn with_repair<T>(
        &mut self,
        mut work: impl FnMut(&mut Self) -> Result<T, Broken>,
    ) -> Result<T, StoreError> {
        // A table made from the segment is in memory and cannot break once more, so each is made at most once.
        for _ in 0..=self.closed.len() {
            match work(self) {
                Ok(done) => return Ok(done),
                Err(Broken { id, error }) => self.repair(id, error)?,
            }
        }
        work(self).map_err(|broken| broken.error)
    }

    /// Makes the table of a closed segment again from its frames, if `why` it is needed is damage.
    pub(crate) fn repair(&mut self, id: u64, why: StoreError) -> Result<(), StoreError> {
        if !matches!(why, StoreError::Corrupt { .. }) {
            return Err(why);
        }
        let Some(mut closed) = self.unlink(id) else {
            return Ok(());
        };
        self.reader.forget(id);
        let outcome = reconcile(&self.reader, &mut closed);
        self.link(closed);
        self.faults.push(format!("{why}: the table was made again from its segment"));
        self.faults.extend(outcome?);
        Ok(())
    }
}

/// The table of a closed segment cannot be read.
struct Broken {
    id: u64,
    error: StoreError,
}

fn size(index: u32) -> usize {
    usize::try_from(index).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests;
