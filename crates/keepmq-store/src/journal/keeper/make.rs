//! Makes files: segments to fill, and whatever has to appear whole or not at all.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::super::files::{Files, Name, WriteError};
use super::super::header::Kind;
use super::super::segment::{DATA_START, Segment};
use super::super::writer::Progress;
use super::{HOLD, Keeper, Ready};
use crate::api::StoreError;
use crate::disk::DiskFile;

/// So many spares are made ahead. They are also what is given up for a checkpoint when the disk is full.
const SPARES: usize = 1;

/// How much is filled at once while the writer has a segment: its syncs have to get in between.
const FILL: usize = 128 << 10;

/// How much is filled at once when the writer waits for the file.
const FILL_IN_HASTE: usize = 1 << 20;

impl Keeper {
    /// Sees to it that a segment is ready for the writer.
    pub(super) fn reserve(&mut self) -> Result<Progress, WriteError> {
        let demand = self.shared.demand.load(Ordering::Relaxed);
        let unfit = self.shared.ready.lock().take_if(|ready| u64::from(ready.capacity) < demand);
        if let Some(ready) = unfit {
            self.give_back(&ready)?;
        }
        let nothing_to_do = self.shared.ready.lock().is_some();
        if nothing_to_do || (self.hold > 0 && self.spares.is_empty()) {
            return Ok(Progress::Idle);
        }
        let ready = self.prepare(demand)?;
        self.shared.demand.store(0, Ordering::Relaxed);
        *self.shared.ready.lock() = Some(ready);
        self.shared.space.judge();
        self.shared.queue.poke();
        Ok(Progress::Worked)
    }

    /// Sees to it that there is a spare behind the segment that is ready.
    pub(super) fn reserve_spare(&mut self) -> Result<Progress, WriteError> {
        if self.hold > 0 {
            return Ok(Progress::Idle);
        }
        if self.spares.len() < SPARES && self.shared.space.may_grow(self.segment_len) {
            let spare = self.make_spare(self.segment_len)?;
            self.spares.push(spare);
            return Ok(Progress::Worked);
        }
        if self.shared.ready.lock().is_some() {
            self.shared.space.set_disk_is_full(false);
        }
        Ok(Progress::Idle)
    }

    fn prepare(&mut self, least: u64) -> Result<Ready, WriteError> {
        self.prepare_of(self.segment_len.max(least.next_multiple_of(4096)))
    }

    /// Makes a segment of this length, that lasts.
    pub(crate) fn prepare_of(&mut self, len: u64) -> Result<Ready, WriteError> {
        let spare = if len == self.segment_len { self.spares.pop() } else { None };
        let spare = spare.map_or_else(|| self.make_spare(len), Ok)?;
        let id = self.number();
        let file = self.files().open(Name::Spare(spare))?;
        let header = self.header(Kind::Segment, id);
        let segment = Segment::start(self.files(), &*file, header, &self.shared.reader.keyring)?;
        file.sync().map_err(|error| self.files().error(Name::Spare(spare), "sync", &error))?;
        self.files().rename(Name::Spare(spare), Name::Segment(id))?;
        self.files().sync()?;
        self.shared.space.room_changed(u64::from(DATA_START), 0);
        let capacity = u32::try_from(len).unwrap_or(u32::MAX);
        Ok(Ready { segment, file, capacity })
    }

    /// Fills a file with zeroes. Only then does the file system know for good where the file lies, and a sync of what is
    /// written over them need not tell it.
    fn make_spare(&mut self, len: u64) -> Result<u64, WriteError> {
        let (unfinished, spare) = (Name::Unfinished(self.number()), Name::Spare(self.next));
        self.next += 1;
        let filled = self.fill(unfinished, len);
        if filled.is_err() {
            self.discard(unfinished);
            self.hold = HOLD;
        }
        filled?;
        self.shared.space.resized(0, len);
        self.shared.space.room_changed(0, len);
        self.files().rename(unfinished, spare)?;
        Ok(spare.number())
    }

    fn fill(&mut self, name: Name, len: u64) -> Result<(), WriteError> {
        let shared = Arc::clone(&self.shared);
        let files = shared.files();
        let file = files.create(name).map_err(|error| files.write_error(name, "create", &error))?;
        let mut at = 0;
        while at < len {
            let haste = self.breath.is_zero() || self.shared.space.room() < self.segment_len / 2;
            let most = if haste { FILL_IN_HASTE } else { FILL };
            let part = usize::try_from(len - at).unwrap_or(most).min(most);
            file.write_zeroes(part, at).map_err(|error| files.write_error(name, "write", &error))?;
            file.sync().map_err(|error| files.write_error(name, "sync", &error))?;
            at += part as u64;
            if !haste {
                std::thread::sleep(self.breath);
            }
            if !self.breath.is_zero() {
                // A writer that fills segments as fast as they are made has to take along what holds the old ones.
                self.lay_out_moves()?;
            }
        }
        Ok(())
    }

    /// Makes a spare of a segment that was never written to, if it is as long as others.
    fn give_back(&mut self, ready: &Ready) -> Result<(), StoreError> {
        if u64::from(ready.capacity) != self.segment_len {
            self.shared.space.room_changed(u64::from(ready.capacity - DATA_START), 0);
            return self.remove(ready.segment.name());
        }
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

    pub(crate) fn has_spare(&self) -> bool {
        !self.spares.is_empty()
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
            self.give_back(&ready)?;
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
        let len = written.inspect_err(|_| self.discard(unfinished))?;
        let before = self.len(name);
        self.files().rename(unfinished, name)?;
        self.files().sync()?;
        self.shared.space.resized(before, len);
        Ok(len)
    }

    /// Removes a file that was not finished, if that can be done: the next start does it otherwise.
    fn discard(&self, unfinished: Name) {
        let _ = self.files().remove(unfinished);
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
        self.files().open(name).ok().and_then(|file| file.len().ok()).unwrap_or(0)
    }
}
