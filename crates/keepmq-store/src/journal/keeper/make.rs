//! Makes files: segments to fill, and whatever has to appear whole or not at all.

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::super::files::{Files, Name, WriteError};
use super::super::header::Kind;
use super::super::segment::{DATA_START, Segment};
use super::super::writer::Progress;
use super::{Keeper, Ready};
use crate::api::StoreError;
use crate::disk::DiskFile;

/// So many spares are made ahead. They are also what is given up for a checkpoint when the disk is full.
const SPARES: usize = 1;

/// How much is filled at once: the writer's syncs have to get in between.
const FILL: usize = 128 << 10;

/// And how long the disk is left to the writer after each, unless it waits for just this file.
const BREATH: Duration = Duration::from_millis(1);

impl Keeper {
    /// Sees to it that a segment is ready, and a spare behind it.
    pub(super) fn reserve(&mut self) -> Result<Progress, WriteError> {
        let demand = self.shared.demand.load(Ordering::Relaxed);
        let unfit = self
            .shared
            .ready
            .lock()
            .take_if(|ready| u64::from(ready.capacity) < demand);
        if let Some(ready) = unfit {
            self.give_back(&ready)?;
        }
        if self.shared.ready.lock().is_none() {
            let ready = self.prepare(demand)?;
            self.shared.demand.store(0, Ordering::Relaxed);
            *self.shared.ready.lock() = Some(ready);
            self.shared.space.judge();
            self.shared.queue.poke();
            return Ok(Progress::Worked);
        }
        if self.spares.len() < SPARES && self.shared.space.may_grow(self.segment_len) {
            let spare = self.make_spare(self.segment_len)?;
            self.spares.push(spare);
            return Ok(Progress::Worked);
        }
        self.shared.space.set_disk_is_full(false);
        Ok(Progress::Idle)
    }

    fn prepare(&mut self, least: u64) -> Result<Ready, WriteError> {
        self.prepare_of(self.segment_len.max(least.next_multiple_of(4096)))
    }

    /// Makes a segment of this length, that lasts.
    pub(crate) fn prepare_of(&mut self, len: u64) -> Result<Ready, WriteError> {
        let spare = match self.spares.pop().filter(|_| len == self.segment_len) {
            Some(spare) => spare,
            None => self.make_spare(len)?,
        };
        let id = self.number();
        let file = self.files().open(Name::Spare(spare))?;
        let header = self.header(Kind::Segment, id);
        let segment = Segment::start(self.files(), &*file, header, &self.shared.reader.keyring)?;
        file.sync()
            .map_err(|error| self.files().error(Name::Spare(spare), "sync", &error))?;
        self.files().rename(Name::Spare(spare), Name::Segment(id))?;
        self.files().sync()?;
        self.shared.space.room_changed(u64::from(DATA_START), 0);
        let capacity = u32::try_from(len).unwrap_or(u32::MAX);
        Ok(Ready {
            segment,
            file,
            capacity,
        })
    }

    /// Fills a file with zeroes. Only then does the file system know for good where the file lies, and a sync of what is
    /// written over them need not tell it.
    fn make_spare(&mut self, len: u64) -> Result<u64, WriteError> {
        let (unfinished, spare) = (Name::Unfinished(self.number()), Name::Spare(self.next));
        self.next += 1;
        let filled = self.fill(unfinished, len);
        if filled.is_err() {
            self.files().remove(unfinished)?;
        }
        filled?;
        self.shared.space.resized(0, len);
        self.shared.space.room_changed(0, len);
        self.files().rename(unfinished, spare)?;
        Ok(spare.number())
    }

    fn fill(&self, name: Name, len: u64) -> Result<(), WriteError> {
        let files = self.files();
        let file = files
            .create(name)
            .map_err(|error| files.write_error(name, "create", &error))?;
        let zeroes = vec![0; FILL];
        let mut at = 0;
        while at < len {
            let part = usize::try_from(len - at).unwrap_or(FILL).min(FILL);
            let part = zeroes.get(..part).unwrap_or(&zeroes);
            file.write_at(part, at)
                .map_err(|error| files.write_error(name, "write", &error))?;
            file.sync()
                .map_err(|error| files.write_error(name, "sync", &error))?;
            at += part.len() as u64;
            if self.breathes && self.shared.ready.lock().is_some() {
                std::thread::sleep(BREATH);
            }
        }
        Ok(())
    }

    /// Makes a spare of a segment that was never written to.
    fn give_back(&mut self, ready: &Ready) -> Result<(), StoreError> {
        let spare = self.number();
        self.files().rename(ready.segment.name(), Name::Spare(spare))?;
        self.files().sync()?;
        self.shared.space.room_changed(0, u64::from(DATA_START));
        self.spares.push(spare);
        Ok(())
    }

    /// Frees the room of a spare for something more pressing; false when there is none.
    pub(super) fn give_up_spare(&mut self) -> Result<bool, StoreError> {
        let Some(spare) = self.spares.pop() else {
            return Ok(false);
        };
        self.shared.space.room_changed(self.segment_len, 0);
        self.remove(Name::Spare(spare))?;
        Ok(true)
    }

    /// Takes note of a spare that was found.
    pub(super) fn adopt_spare(&mut self, spare: u64) {
        self.shared.space.room_changed(0, self.segment_len);
        self.spares.push(spare);
    }

    /// Leaves behind only what the next start can use.
    pub(super) fn tidy(&mut self) -> Result<(), StoreError> {
        let ready = self.shared.ready.lock().take();
        if let Some(ready) = ready {
            if u64::from(ready.capacity) == self.segment_len {
                self.give_back(&ready)?;
            } else {
                self.remove(ready.segment.name())?;
            }
        }
        let last = self.shared.index.lock().last.segment;
        self.cut_short(last)?;
        self.files().sync()
    }

    /// Lets a file appear under its name, whole. `write` fills and syncs it and tells its length.
    pub(super) fn publish(
        &mut self,
        name: Name,
        write: impl FnOnce(&Self, &dyn DiskFile, &Files) -> Result<u64, WriteError>,
    ) -> Result<u64, WriteError> {
        let unfinished = Name::Unfinished(self.number());
        let created = self.files().create(unfinished);
        let file = created.map_err(|error| self.files().write_error(unfinished, "create", &error))?;
        let written = write(self, &*file, self.files());
        if matches!(written, Err(WriteError::NoRoom)) {
            self.files().remove(unfinished)?;
        }
        let len = written?;
        let before = self.len(name);
        self.files().rename(unfinished, name)?;
        self.files().sync()?;
        self.shared.space.resized(before, len);
        Ok(len)
    }

    /// Removes a file and what it counted for.
    pub(super) fn remove(&self, name: Name) -> Result<(), StoreError> {
        let len = self.len(name);
        self.files().remove(name)?;
        self.shared.space.resized(len, 0);
        Ok(())
    }

    /// The length of a file; zero when it is not there.
    pub(super) fn len(&self, name: Name) -> u64 {
        self.files()
            .open(name)
            .ok()
            .and_then(|file| file.len().ok())
            .unwrap_or(0)
    }
}
