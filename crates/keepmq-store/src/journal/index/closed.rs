//! A segment that takes no more frames.

use std::sync::Arc;

use super::super::live::{self, Live, RunLive};
use super::super::place::{Entry, Run};
use super::super::reader::Reader;
use super::super::rebuild::rebuild;
use super::super::record::Opening;
use super::super::segment::Segment;
use super::super::table::Table;
use super::super::young::{Closing, YoungTable};
use crate::api::{Seq, StoreError};

/// What memory holds of a closed segment. Copies share everything, as it was when they were made.
#[derive(Clone)]
pub(crate) struct Closed {
    pub(crate) segment: Arc<Segment>,
    /// How many of its frames count.
    pub(crate) frames: u32,
    /// The first byte behind them.
    pub(crate) end: u32,
    pub(crate) runs: Arc<[Run]>,
    pub(crate) live: Arc<Live>,
    pub(crate) table: Table,
}

/// A living record of a closed segment.
pub(crate) struct Found {
    /// The number of its run.
    pub(crate) index: usize,
    pub(crate) ordinal: u32,
    pub(crate) entry: Entry,
}

impl Closed {
    /// What the next segment would say about this one.
    pub(crate) fn known(&self) -> Opening {
        Opening { segment: self.segment.id, frames: self.frames, end: self.end }
    }

    /// The living record with this number in a run.
    pub(super) fn find(&self, reader: &Reader, index: usize, seq: Seq) -> Result<Option<Found>, StoreError> {
        let Some(run) = self.runs.get(index) else {
            return Ok(None);
        };
        let mut skip = self.table.below(reader, index, run, seq)?;
        while skip < run.count {
            let piece = self.table.piece(reader, index, run, skip)?;
            if piece.entries().is_empty() {
                break;
            }
            for entry in piece.entries() {
                if entry.seq != seq {
                    return Ok(None);
                }
                let ordinal = run.start + skip;
                if self.live.is_live(ordinal) {
                    return Ok(Some(Found { index, ordinal, entry: *entry }));
                }
                skip += 1;
            }
        }
        Ok(None)
    }

    /// Kills everything in a run between two numbers, both included.
    pub(super) fn kill_range(
        &mut self,
        reader: &Reader,
        index: usize,
        from: Seq,
        through: Seq,
    ) -> Result<(), StoreError> {
        let Some(run) = self.runs.get(index).copied() else {
            return Ok(());
        };
        if from <= run.first && run.last <= through {
            Arc::make_mut(&mut self.live).kill_run(index, &run);
            return Ok(());
        }
        let below = self.table.below(reader, index, &run, through.saturating_add(1))?;
        let mut next = run.start + self.table.below(reader, index, &run, from)?;
        while let Some(ordinal) = self.live.first_in(next..run.start + below) {
            let piece = self.table.piece(reader, index, &run, ordinal - run.start)?;
            let live = Arc::make_mut(&mut self.live);
            next = ordinal;
            for entry in piece.entries().iter().take_while(|entry| entry.seq <= through) {
                live.kill(index, next, entry.place);
                next += 1;
            }
            if next == ordinal {
                break;
            }
        }
        Ok(())
    }
}

/// Makes runs and table of a closed segment again from its frames, and keeps what is known of the dead wherever the
/// two agree. Where they do not, because frames are damaged, everything counts as alive: what was released may come
/// back, nothing is lost. Returns what to tell an operator.
pub(crate) fn reconcile(reader: &Reader, closed: &mut Closed) -> Result<Vec<String>, StoreError> {
    let name = closed.segment.name();
    let mut faults = Vec::new();
    let young = match rebuild(reader, &closed.segment, closed.known()) {
        Ok(rebuilt) => {
            faults.extend(rebuilt.gaps.iter().map(|gap| gap.describe(&reader.files, name)));
            rebuilt.young
        }
        Err(error @ StoreError::Corrupt { .. }) => {
            faults.push(error.to_string());
            YoungTable::default()
        }
        Err(error) => return Err(error),
    };
    let made = young.close();
    let (dead, sums, differing) = carry_over(closed, &made);
    if !differing.is_empty() {
        faults.push(format!(
            "{}: with damaged frames it is not known which records were released; they may come back in {}",
            reader.files.place(name),
            differing.join(", ")
        ));
    }
    let count = made.runs.last().map_or(0, Run::end);
    closed.runs = made.runs.into();
    closed.live = Arc::new(Live::new(count, dead, sums));
    closed.table = Table::Held(Arc::new(made.table));
    Ok(faults)
}

/// The dead of the old runs among the records of the new ones.
fn carry_over(closed: &Closed, made: &Closing) -> (Vec<u64>, Vec<RunLive>, Vec<String>) {
    let (mut dead, mut sums, mut differing) = (Vec::new(), Vec::new(), Vec::new());
    for (run, entries) in made.runs.iter().zip(&made.table.runs) {
        let old = closed.runs.iter().find(|old| old.key() == run.key());
        let same = old.filter(|old| (old.first, old.last, old.count) == (run.first, run.last, run.count));
        if same.is_none() {
            differing.push(format!("stream {}", run.stream.0));
        }
        let mut sum = RunLive::default();
        for (step, entry) in (0..).zip(entries) {
            if same.is_some_and(|old| !closed.live.is_live(old.start + step)) {
                live::set(&mut dead, run.start + step);
            } else {
                sum.add(entry.place);
            }
        }
        sums.push(sum);
    }
    (dead, sums, differing)
}
