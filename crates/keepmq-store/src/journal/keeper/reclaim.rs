//! Gives back the room of what is dead.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::super::files::{Name, WriteError};
use super::super::index::Closed;
use super::super::live::Live;
use super::super::recover::Loaded;
use super::super::segment::{DATA_START, Segment};
use super::super::table::Table;
use super::super::writer::Progress;
use super::super::young::HeldTable;
use super::{CHECKPOINTS, Keeper};
use crate::api::StoreError;

/// So many dead segments are kept to be filled again.
const SPARES: usize = 2;

/// So many dead segments are worth a checkpoint while the log goes on: without one they cannot go.
const WORTH: usize = 2;

impl Keeper {
    /// Removes one dead segment, if one may go.
    pub(super) fn reclaim(&mut self) -> Result<Progress, WriteError> {
        Ok(if self.reclaim_one()? { Progress::Worked } else { Progress::Idle })
    }

    pub(super) fn reclaim_one(&mut self) -> Result<bool, StoreError> {
        let unneeded = self.leaving.iter().position(|closed| Arc::strong_count(&closed.segment) == 1);
        if let Some(at) = unneeded {
            let closed = self.leaving.swap_remove(at);
            self.remove_segment(&closed)?;
            return Ok(true);
        }
        let gone = {
            let mut index = self.shared.index.lock();
            let dead = index.closed().filter(|closed| closed.live.records() == 0);
            let dead = dead.map(|closed| closed.segment.id).find(|id| self.may_go(*id));
            dead.and_then(|id| index.unlink(id))
        };
        let found = gone.is_some();
        self.leaving.extend(gone);
        Ok(found)
    }

    /// Whether no checkpoint that might be used needs a segment.
    fn may_go(&self, id: u64) -> bool {
        self.checkpoints.len() >= CHECKPOINTS && !self.checkpoints.iter().any(|kept| kept.needs(id))
    }

    fn remove_segment(&mut self, closed: &Closed) -> Result<(), StoreError> {
        let id = closed.segment.id;
        self.shared.reader.forget(id);
        self.refused.remove(&id);
        if self.len(Name::Table(id)) > 0 {
            self.remove(Name::Table(id))?;
        }
        let segment = Name::Segment(id);
        if self.spares.len() < SPARES && self.len(segment) == self.segment_len {
            let spare = self.number();
            self.files().rename(segment, Name::Spare(spare))?;
            // Before it gets another header: it must not be found under its old name with that.
            self.files().sync()?;
            self.adopt_spare(spare);
        } else if self.len(segment) > 0 {
            self.remove(segment)?;
        }
        self.hold = 0;
        self.shared.space.judge();
        self.shared.counters.reclaimed.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    /// Whether dead segments wait for a checkpoint, and it is time for one.
    pub(super) fn frees_enough(&self) -> bool {
        let index = self.shared.index.lock();
        let dead = index.closed().filter(|closed| closed.live.records() == 0);
        let waiting = dead.filter(|closed| !self.may_go(closed.segment.id)).count();
        let eager = self.quiet || self.shared.space.is_full();
        waiting >= if eager { 1 } else { WORTH }
    }

    /// Goes through what an earlier opening left behind, before anything is written: counts what is of use and removes
    /// the rest.
    pub(crate) fn sweep(&mut self, loaded: &Loaded) -> Result<(), StoreError> {
        for name in &loaded.names {
            let len = self.len(*name);
            self.shared.space.resized(0, len);
            match *name {
                Name::Spare(spare) if len == self.segment_len && self.spares.len() < SPARES => {
                    self.adopt_spare(spare);
                }
                Name::Unfinished(_) | Name::Spare(_) => self.remove(*name)?,
                Name::Segment(id) => self.sweep_segment(id, len, loaded)?,
                Name::Table(id) => {
                    if self.shared.index.lock().closed_at(id).is_none()
                        && !loaded.names.contains(&Name::Segment(id))
                    {
                        self.remove(*name)?;
                    }
                }
                Name::Checkpoint(_) => {}
            }
        }
        Ok(())
    }

    fn sweep_segment(&mut self, id: u64, len: u64, loaded: &Loaded) -> Result<(), StoreError> {
        if self.shared.closed(id).is_some() {
            return self.cut_short(id);
        }
        let replayed_from = loaded.checkpoint.as_ref().map_or(0, |kept| kept.replay_from);
        if id < replayed_from {
            // All in it is dead, but an older checkpoint may still need it: it goes as every other does.
            self.shared.index.lock().link(dead(id));
            return Ok(());
        }
        // It was made ready and never written to.
        let name = Name::Segment(id);
        if len == self.segment_len && self.spares.len() < SPARES {
            let spare = self.number();
            self.files().rename(name, Name::Spare(spare))?;
            self.files().sync()?;
            self.adopt_spare(spare);
            return Ok(());
        }
        self.remove(name)
    }

    /// Gives back the unused end of a closed segment, if it is a large part.
    pub(super) fn cut_short(&self, id: u64) -> Result<(), StoreError> {
        let end = self.shared.closed(id).map(|closed| u64::from(closed.end));
        let (Some(end), name) = (end, Name::Segment(id)) else {
            return Ok(());
        };
        let len = self.len(name);
        if len.saturating_sub(end) > self.segment_len / 8 {
            let file = self.files().open(name)?;
            file.truncate(end).map_err(|error| self.files().error(name, "truncate", &error))?;
            self.shared.space.resized(len, end);
        }
        Ok(())
    }
}

/// A segment of which nothing is known but that nothing in it lives.
fn dead(id: u64) -> Closed {
    Closed {
        segment: Segment::unreadable(id, 0),
        frames: 0,
        end: DATA_START,
        runs: Arc::new([]),
        live: Arc::new(Live::default()),
        table: Table::Held(Arc::new(HeldTable::default())),
    }
}
