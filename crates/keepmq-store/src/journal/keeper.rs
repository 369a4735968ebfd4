//! The keeper: everything that must not stand in the writer's way. It makes segments ready, puts tables and
//! checkpoints on disk, gives back what is dead, and lays out what is to be moved.

mod make;
mod reclaim;

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use hashbrown::HashSet;

use super::checkpoint::{self, Moment, Snapshot};
use super::compact::{self, Compaction};
use super::files::{Files, Name, WriteError};
use super::header::{Header, Kind};
use super::index::Closed;
use super::options::Options;
use super::recover::{Kept, Loaded};
use super::segment::Segment;
use super::shared::Shared;
use super::table::{self, Table, TableFile};
use super::writer::Progress;
use super::young::HeldTable;
use crate::api::StoreError;
use crate::disk::DiskFile;

/// How often an idle keeper looks around.
const TICK: Duration = Duration::from_millis(500);

/// How many ticks to wait before a file is filled again, after one that did not fit on the disk.
const HOLD: u32 = 8;

/// How long the disk is left to the writer after each piece of a file that is filled.
const BREATH: Duration = Duration::from_millis(1);

/// So many checkpoints are kept: one damaged file must not cost the past.
const CHECKPOINTS: usize = 2;

/// A segment to fill.
pub(crate) struct Ready {
    pub(crate) segment: Arc<Segment>,
    pub(crate) file: Arc<dyn DiskFile>,
    /// Its length.
    pub(crate) capacity: u32,
}

/// One kind of work; it does one piece of it.
type Work = fn(&mut Keeper) -> Result<Progress, WriteError>;

/// All kinds, in turn: each does a bounded piece, so a writer in a hurry for segments cannot keep the rest from being
/// done, nor the other way round.
const WORKS: [Work; 6] = [
    Keeper::reserve,
    Keeper::checkpoint_if_due,
    Keeper::put_table,
    Keeper::reclaim,
    Keeper::lay_out_moves,
    Keeper::reserve_spare,
];

/// See the module.
pub(crate) struct Keeper {
    shared: Arc<Shared>,
    segment_len: u64,
    checkpoint_bytes: u64,
    epoch: u64,
    store: [u8; 16],
    /// The number of the next file.
    next: u64,
    /// Zero-filled files of a segment's length.
    spares: Vec<u64>,
    /// The newest checkpoints that are known to be good, the oldest first.
    checkpoints: VecDeque<Kept>,
    /// Older checkpoints, and damaged ones, to be removed once there are enough good ones.
    old_checkpoints: Vec<u64>,
    /// A checkpoint is wanted whatever the log.
    wanted: bool,
    log_at_checkpoint: u64,
    checkpoint_len: u64,
    compaction: Option<Compaction>,
    /// How long the log was when no segment was worth emptying.
    nothing_to_move: Option<u64>,
    /// Segments that could not be emptied.
    refused: HashSet<u64>,
    /// Dead segments that a reader still looks at.
    leaving: Vec<Closed>,
    log_at_tick: u64,
    /// Nothing was written since the last tick.
    quiet: bool,
    /// The kind of work whose turn it is.
    turn: usize,
    /// For so many ticks no file is filled: the last one did not fit on the disk, and trying is expensive.
    hold: u32,
    /// How long it pauses while it fills a file; not at all as long as it has no thread of its own.
    breath: Duration,
}

impl Keeper {
    pub(crate) fn new(shared: Arc<Shared>, options: &Options, loaded: &Loaded, store: [u8; 16]) -> Self {
        let damaged = !loaded.damage.is_empty();
        Self {
            shared,
            segment_len: options.segment_len(),
            checkpoint_bytes: options.checkpoint_bytes,
            epoch: loaded.epoch + 1,
            store,
            next: loaded.next,
            spares: Vec::new(),
            checkpoints: loaded.checkpoint.iter().cloned().collect(),
            old_checkpoints: loaded.names.iter().filter_map(|name| name.checkpoint()).collect(),
            wanted: damaged || loaded.replayed_bytes > options.checkpoint_bytes / 2,
            log_at_checkpoint: 0,
            checkpoint_len: 0,
            compaction: None,
            nothing_to_move: None,
            refused: HashSet::new(),
            leaving: Vec::new(),
            log_at_tick: 0,
            quiet: false,
            turn: 0,
            hold: 0,
            breath: Duration::ZERO,
        }
    }

    fn files(&self) -> &Files {
        &self.shared.reader.files
    }

    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next - 1
    }

    fn header(&self, kind: Kind, id: u64) -> Header {
        Header { kind, id, epoch: self.epoch, store: self.store }
    }

    /// Works until the end is asked for.
    pub(crate) fn run(&mut self, stopped: impl Fn() -> bool) -> Result<(), StoreError> {
        self.breath = BREATH;
        while !stopped() {
            if self.step()? != Progress::Worked {
                let rung = self.shared.bell.wait(TICK);
                if !rung {
                    self.tick();
                }
            }
        }
        Ok(())
    }

    /// Notes whether the log stands still.
    pub(crate) fn tick(&mut self) {
        let log = self.shared.counters.log_bytes.load(Ordering::Relaxed);
        self.quiet = log == self.log_at_tick;
        self.log_at_tick = log;
        self.hold = self.hold.saturating_sub(1);
        self.nothing_to_move = None;
    }

    /// Says whether the log stands still, in place of [`Keeper::tick`].
    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn set_quiet(&mut self, quiet: bool) {
        self.quiet = quiet;
        self.hold = 0;
        self.nothing_to_move = None;
    }

    /// Does one piece of work.
    pub(crate) fn step(&mut self) -> Result<Progress, StoreError> {
        if let Some(error) = self.shared.failure() {
            return Err(error.clone());
        }
        for _ in 0..WORKS.len() {
            let turn = self.turn;
            let Some(work) = WORKS.get(turn) else { break };
            self.turn = (turn + 1) % WORKS.len();
            match work(self) {
                Ok(Progress::Worked) => return Ok(Progress::Worked),
                Ok(_) => {}
                Err(WriteError::Failed(error)) => return Err(error),
                Err(WriteError::NoRoom) => {
                    self.shared.space.set_disk_is_full(true);
                    if self.give_up_spare()? {
                        // The room is for this, before it becomes a spare again.
                        self.turn = turn;
                        return Ok(Progress::Worked);
                    }
                }
            }
        }
        Ok(Progress::Idle)
    }

    /// Puts the table of one closed segment on disk.
    fn put_table(&mut self) -> Result<Progress, WriteError> {
        let closed = {
            let index = self.shared.index.lock();
            let held = index
                .closed()
                .find(|closed| matches!(&closed.table, Table::Held(table) if !table.runs.is_empty()));
            held.cloned()
        };
        let Some(closed) = closed else {
            return Ok(Progress::Idle);
        };
        let Table::Held(held) = &closed.table else {
            return Ok(Progress::Idle);
        };
        let id = closed.segment.id;
        if closed.live.records() == 0 {
            // Nobody will look for anything in it.
            self.shared.index.lock().set_table(id, Table::Held(Arc::new(HeldTable::default())));
            return Ok(Progress::Worked);
        }
        let name = Name::Table(id);
        let bytes =
            table::encode(held, &closed.runs, self.header(Kind::Table, id), &self.shared.reader.keyring);
        let bytes = bytes.map_err(|_| self.files().seal_error(name))?;
        self.publish(name, |_, file, files| {
            file.write_at(&bytes, 0).map_err(|error| files.write_error(name, "write", &error))?;
            file.sync().map_err(|error| files.write_error(name, "sync", &error))?;
            Ok(bytes.len() as u64)
        })?;
        self.shared.reader.forget(id);
        self.shared.index.lock().set_table(id, Table::File(TableFile::new(id)));
        Ok(Progress::Worked)
    }

    fn checkpoint_if_due(&mut self) -> Result<Progress, WriteError> {
        let log = self.shared.counters.log_bytes.load(Ordering::Relaxed) - self.log_at_checkpoint;
        let due = self.wanted || log >= self.checkpoint_bytes.max(self.checkpoint_len) || self.frees_enough();
        if !due {
            return Ok(Progress::Idle);
        }
        self.write_checkpoint()?;
        Ok(Progress::Worked)
    }

    /// Writes down what memory holds.
    fn write_checkpoint(&mut self) -> Result<(), WriteError> {
        let log = self.shared.counters.log_bytes.load(Ordering::Relaxed);
        let number = self.number();
        let snapshot = self.snapshot();
        let kept = Kept { number, replay_from: snapshot.moment.replay_from, segments: snapshot.needs() };
        let header = self.header(Kind::Checkpoint, number);
        let len = self.publish(Name::Checkpoint(number), |keeper, file, _| {
            checkpoint::write(&keeper.shared.reader, file, header, &snapshot)
        })?;
        drop(snapshot);
        self.shared.counters.checkpoints.fetch_add(1, Ordering::Relaxed);
        (self.log_at_checkpoint, self.checkpoint_len, self.wanted) = (log, len, false);
        self.checkpoints.push_back(kept);
        self.remove_old_checkpoints()?;
        Ok(())
    }

    fn snapshot(&self) -> Snapshot {
        let index = self.shared.index.lock();
        let moment = Moment {
            replay_from: index.young().unwrap_or(self.next),
            closed: index.young().is_none(),
            next_segment: self.next,
            last: index.last,
        };
        let segments = index.closed().filter(|closed| closed.live.records() > 0).cloned().collect();
        Snapshot { moment, segments, state: index.state.clone() }
    }

    fn remove_old_checkpoints(&mut self) -> Result<(), StoreError> {
        while self.checkpoints.len() > CHECKPOINTS {
            self.old_checkpoints.extend(self.checkpoints.pop_front().map(|kept| kept.number));
        }
        if self.checkpoints.len() == CHECKPOINTS {
            let kept: Vec<u64> = self.checkpoints.iter().map(|kept| kept.number).collect();
            for number in std::mem::take(&mut self.old_checkpoints) {
                if !kept.contains(&number) {
                    self.remove(Name::Checkpoint(number))?;
                }
            }
        }
        Ok(())
    }

    /// Lays out the next records to be moved, if the last ones were taken.
    #[allow(clippy::unnecessary_wraps)] // It is one of several kinds of work, most of which may fail.
    pub(super) fn lay_out_moves(&mut self) -> Result<Progress, WriteError> {
        if self.shared.moves.lock().is_some() {
            return Ok(Progress::Idle);
        }
        let Some(mut compaction) = self.compaction.take().or_else(|| self.begin_compaction()) else {
            return Ok(Progress::Idle);
        };
        let id = compaction.from;
        let closed = self.shared.closed(id);
        let next = match &closed {
            Some(closed) => compaction.next(&self.shared.reader, closed),
            None => Ok(None),
        };
        match next {
            Ok(Some(moves)) => {
                *self.shared.moves.lock() = Some(moves);
                self.compaction = Some(compaction);
                self.shared.queue.poke();
            }
            // Either all has moved, or it will not: a reader will report what is damaged.
            Ok(None) | Err(_) => {
                self.refused.insert(id);
            }
        }
        Ok(Progress::Worked)
    }

    fn begin_compaction(&mut self) -> Option<Compaction> {
        let log = self.shared.counters.log_bytes.load(Ordering::Relaxed);
        // Looking through all segments is not free, and little changes from one commit to the next.
        if self.nothing_to_move.is_some_and(|before| log - before < self.segment_len / 16) {
            return None;
        }
        let chosen = {
            let index = self.shared.index.lock();
            let full = self.shared.space.is_full();
            compact::choose(&index, self.segment_len, full, self.quiet, |id| self.refused.contains(&id))
        };
        self.nothing_to_move = chosen.is_none().then_some(log);
        let chosen = chosen?;
        let begun = Compaction::new(&self.shared.reader, &chosen);
        if begun.is_err() {
            self.refused.insert(chosen.segment.id);
        }
        begun.ok()
    }

    /// The writer has ended in order: leaves everything so that the next start is quick.
    pub(crate) fn finish(&mut self) -> Result<(), StoreError> {
        if let Some(error) = self.shared.failure() {
            return Err(error.clone());
        }
        loop {
            let done = self.put_table().and_then(|progress| match progress {
                Progress::Worked => Ok(false),
                _ => self.write_checkpoint().map(|()| true),
            });
            match done {
                Ok(true) => break,
                Ok(false) => {}
                Err(WriteError::Failed(error)) => return Err(error),
                Err(WriteError::NoRoom) => {
                    // Without it the next start reads the log: longer, but complete.
                    if !self.give_up_spare()? {
                        break;
                    }
                }
            }
        }
        while self.reclaim_one()? {}
        self.tidy()
    }
}

#[cfg(test)]
mod tests;
