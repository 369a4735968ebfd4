//! The journal: one log on disk for everything, and an index that tells where each living record is.
//!
//! # How it works
//!
//! The log is cut into **segments**, files of a fixed length that are filled with zeroes before they are used. A
//! thread of its own, the **writer**, gathers the batches that were committed while the disk was busy, makes sealed
//! **frames** of them, writes and syncs them at once, lets the **index** know, and reports their tickets. Another, the
//! **keeper**, does what must not delay it: it makes segments, writes the **tables** of closed segments and
//! **checkpoints**, and gives back dead segments, whose files are filled again.
//!
//! # What is on disk
//!
//! | file | content |
//! | --- | --- |
//! | `segment-ID.log` | header, twice; frames from byte 8192 on; zeroes, or what an earlier segment left there |
//! | `segment-ID.idx` | header; blocks of entries; a directory of runs and blocks; a footer: the segment's table |
//! | `checkpoint-ID` | header; chunks with the moment, the closed segments and the keyed values |
//! | `spare-ID` | zeroes, or an old segment: to be filled |
//! | `unfinished-ID` | of no use after a crash |
//! | `lock` | nothing: it is locked while the store is open |
//!
//! All numbers come from one count. A header holds the file's own random key, sealed under the master key; whatever
//! follows is sealed under that, and has a checksum besides, so that damage can be found without the key.
//!
//! # What holds at all times
//!
//! * What was reported as durable is found again, whole, after any crash; of what was not, a prefix in the order of
//!   tickets may be found, batch by batch.
//! * A file is named before it is needed and synced before anything relies on it. A segment's number and key are never
//!   used twice. What is sealed under a key is never sealed again with other content under the same number.
//! * A segment goes only when the two newest checkpoints can do without it, so one damaged checkpoint costs a longer
//!   start and nothing else.
//! * Each segment says how the one before it ended. So only the last one that was written may end in the middle of
//!   something; anywhere else that is damage, and reported.
//! * A failed write or sync fails the store. Nothing is tried again: what the disk then holds is not known.

mod cache;
mod checkpoint;
mod compact;
mod files;
#[cfg(test)]
mod fixture;
mod frame;
mod group;
mod header;
mod index;
pub mod inspect;
mod keeper;
mod live;
mod open;
mod options;
mod place;
mod queue;
mod reader;
mod rebuild;
mod record;
mod recover;
mod scan;
mod seal;
mod segment;
mod shared;
mod space;
mod state;
mod table;
mod threads;
mod walk;
mod writer;
mod young;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use parking_lot::Mutex;

pub use options::Options;
pub use seal::MasterKey;

use crate::api::{
    Admission, Batch, Locator, OnDurable, Page, Recovery, Scan, Store, StoreError, Stored, StreamId,
    StreamInfo, Ticket, Urgency, Usage,
};
use crate::disk::{Disk, DiskFile};
use shared::Shared;
use threads::Threads;

/// A store on disk. See the module for how it works.
///
/// A batch that takes more than a gibibyte fails the store: whoever commits bounds its messages and transactions.
pub struct Journal {
    shared: Arc<Shared>,
    engine: Mutex<Engine>,
}

/// What drives a journal.
enum Engine {
    Threads(Threads, Held),
    /// Nothing happens by itself: a test owns the order of events.
    #[cfg(any(test, feature = "testing"))]
    Manual(Box<Parts>, Held),
    Closed,
}

#[cfg(any(test, feature = "testing"))]
type Parts = (writer::Writer, keeper::Keeper);

/// Keeps other processes out while it lives.
type Held = Arc<dyn DiskFile>;

/// What a journal has done since it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Activity {
    /// How often the log was synced.
    pub syncs: u64,
    /// Bytes written to the log.
    pub log_bytes: u64,
    /// Records that were written again so that their segment could go.
    pub moved_records: u64,
    /// Segments that were given back.
    pub reclaimed_segments: u64,
    /// Checkpoints that were written.
    pub checkpoints: u64,
    /// Frames at the end of the log that a crash had torn, found when the store was opened. Nobody had been told that
    /// they were durable.
    pub torn_frames: u64,
}

impl Journal {
    /// Opens the store in a directory, or makes one, and starts its threads.
    ///
    /// Fails with [`StoreError::Fenced`] when another process has it, with [`StoreError::WrongKey`] when the key is not
    /// the one that it was made with, with [`StoreError::Version`] when a later version wrote it, and with
    /// [`StoreError::Full`] when there is no room to begin a segment. Damage is no failure: see [`Recovery::damage`].
    #[allow(clippy::needless_pass_by_value)] // The key goes with the options.
    pub fn open(
        disk: Arc<dyn Disk>,
        options: Options,
        on_durable: OnDurable,
    ) -> Result<(Self, Recovery), StoreError> {
        let opened = open::open(disk, &options, on_durable)?;
        let threads = Threads::start(&opened.shared, opened.writer, opened.keeper)?;
        let engine = Mutex::new(Engine::Threads(threads, opened.held));
        Ok((Self { shared: opened.shared, engine }, opened.recovery))
    }

    /// The same without threads: nothing happens but through [`Journal::write_once`] and [`Journal::keep_once`], so that
    /// a test can repeat it.
    #[cfg(any(test, feature = "testing"))]
    pub fn open_manual(
        disk: Arc<dyn Disk>,
        options: &Options,
        on_durable: OnDurable,
    ) -> Result<(Self, Recovery), StoreError> {
        let opened = open::open(disk, options, on_durable)?;
        let engine = Mutex::new(Engine::Manual(Box::new((opened.writer, opened.keeper)), opened.held));
        Ok((Self { shared: opened.shared, engine }, opened.recovery))
    }

    /// Writes what waits, at most one group; false when there was nothing to write, or no room to write it in.
    #[cfg(any(test, feature = "testing"))]
    pub fn write_once(&self) -> bool {
        self.drive(|writer, _| writer.step())
    }

    /// Lets the keeper do one piece of work; false when there was none. `quiet` tells it that the log stands still.
    #[cfg(any(test, feature = "testing"))]
    pub fn keep_once(&self, quiet: bool) -> bool {
        self.drive(|_, keeper| {
            keeper.set_quiet(quiet);
            keeper.step()
        })
    }

    #[cfg(any(test, feature = "testing"))]
    fn drive(
        &self,
        step: impl FnOnce(&mut writer::Writer, &mut keeper::Keeper) -> Result<writer::Progress, StoreError>,
    ) -> bool {
        let mut engine = self.engine.lock();
        let Engine::Manual(parts, _) = &mut *engine else {
            return false;
        };
        let known = self.shared.failure().is_some();
        let (writer, keeper) = &mut **parts;
        let progress = step(writer, keeper);
        drop(engine);
        if let Err(error) = &progress {
            self.shared.fail(error.clone());
            if !known {
                self.shared.report_failure();
            }
        }
        matches!(progress, Ok(writer::Progress::Worked))
    }

    /// What was done since the store was opened.
    pub fn activity(&self) -> Activity {
        let counters = &self.shared.counters;
        Activity {
            syncs: counters.syncs.load(Ordering::Relaxed),
            log_bytes: counters.log_bytes.load(Ordering::Relaxed),
            moved_records: counters.moved.load(Ordering::Relaxed),
            reclaimed_segments: counters.reclaimed.load(Ordering::Relaxed),
            checkpoints: counters.checkpoints.load(Ordering::Relaxed),
            torn_frames: counters.torn.load(Ordering::Relaxed),
        }
    }

    /// What was found damaged since the store was opened, in words an operator can act on. Each is told once.
    pub fn take_faults(&self) -> Vec<String> {
        std::mem::take(&mut self.shared.index.lock().faults)
    }

    fn shut(&self) -> Result<(), StoreError> {
        match std::mem::replace(&mut *self.engine.lock(), Engine::Closed) {
            Engine::Closed => {}
            Engine::Threads(threads, _held) => threads.close(&self.shared)?,
            #[cfg(any(test, feature = "testing"))]
            Engine::Manual(mut parts, _held) => {
                let (writer, keeper) = &mut *parts;
                threads::close_by_hand(&self.shared, writer, keeper)?;
            }
        }
        self.shared.failure().map_or(Ok(()), |error| Err(error.clone()))
    }
}

impl Store for Journal {
    fn commit(&self, batch: Batch, urgency: Urgency) -> Ticket {
        self.shared.queue.push(batch, urgency)
    }

    fn durable(&self) -> Ticket {
        Ticket(self.shared.durable.load(Ordering::Acquire))
    }

    fn admission(&self) -> Admission {
        self.shared.space.admission()
    }

    fn pending_bytes(&self) -> u64 {
        self.shared.queue.pending()
    }

    fn read(&self, at: &[Locator]) -> Result<Vec<Option<Stored>>, StoreError> {
        scan::read(&self.shared.reader, &self.shared.index, at)
    }

    fn scan(&self, scan: Scan) -> Result<Page, StoreError> {
        let page = scan::scan(&self.shared.reader, &self.shared.index, scan)?;
        if !page.lost.is_empty() {
            self.shared.bury(page.lost.iter().map(|seq| Locator { stream: scan.stream, seq: *seq }));
        }
        Ok(page)
    }

    fn stream(&self, id: StreamId) -> Option<StreamInfo> {
        self.shared.index.lock().info(id)
    }

    fn usage(&self) -> Usage {
        let (records, live_bytes) = {
            let index = self.shared.index.lock();
            (index.records(), index.bytes())
        };
        Usage {
            records,
            live_bytes,
            disk_bytes: self.shared.space.disk(),
            pending_bytes: self.shared.queue.pending(),
            limit_bytes: self.shared.space.limit(),
        }
    }

    fn close(&self) -> Result<(), StoreError> {
        self.shut()
    }
}

impl Drop for Journal {
    /// Without [`Store::close`] the threads end at once: what was not reported as durable may be lost, and the next
    /// start has to read the log.
    fn drop(&mut self) {
        if let Engine::Threads(threads, _held) = std::mem::replace(self.engine.get_mut(), Engine::Closed) {
            threads.abandon(&self.shared);
        }
    }
}

#[cfg(test)]
mod tests;
