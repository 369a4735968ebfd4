//! What the writer, the keeper and all callers of a journal share.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use super::compact::Moves;
use super::files::Files;
use super::index::{Closed, Index};
use super::keeper::Ready;
use super::queue::{Queue, Stop};
use super::reader::Reader;
use super::space::Space;
use crate::api::{Locator, OnDurable, StoreError, Ticket};

pub(crate) struct Shared {
    pub(crate) reader: Arc<Reader>,
    pub(crate) index: Mutex<Index>,
    pub(crate) queue: Queue,
    pub(crate) space: Space,
    /// The segment to fill next.
    pub(crate) ready: Mutex<Option<Ready>>,
    /// A segment of at least this length is needed; zero when any will do.
    pub(crate) demand: AtomicU64,
    /// Records to be written again, so that their segment can go.
    pub(crate) moves: Mutex<Option<Moves>>,
    /// Damaged records that were reported and are to be released.
    pub(crate) buried: Mutex<Vec<Locator>>,
    pub(crate) durable: AtomicU64,
    pub(crate) counters: Counters,
    pub(crate) bell: Bell,
    failure: OnceLock<StoreError>,
    on_durable: OnDurable,
    pub(crate) lazy_delay: Duration,
}

/// What a journal has done since it was opened.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) syncs: AtomicU64,
    pub(crate) log_bytes: AtomicU64,
    pub(crate) moved: AtomicU64,
    pub(crate) reclaimed: AtomicU64,
    pub(crate) checkpoints: AtomicU64,
    pub(crate) torn: AtomicU64,
}

impl Shared {
    pub(crate) fn new(
        reader: Arc<Reader>,
        index: Index,
        space: Space,
        on_durable: OnDurable,
        lazy_delay: Duration,
    ) -> Self {
        Self {
            reader,
            index: Mutex::new(index),
            queue: Queue::new(),
            space,
            ready: Mutex::new(None),
            demand: AtomicU64::new(0),
            moves: Mutex::new(None),
            buried: Mutex::new(Vec::new()),
            durable: AtomicU64::new(0),
            counters: Counters::default(),
            bell: Bell::default(),
            failure: OnceLock::new(),
            on_durable,
            lazy_delay,
        }
    }

    pub(crate) fn files(&self) -> &Files {
        &self.reader.files
    }

    /// A closed segment as it is now.
    pub(crate) fn closed(&self, id: u64) -> Option<Closed> {
        self.index.lock().closed_at(id).cloned()
    }

    pub(crate) fn complete(&self, ticket: Ticket) {
        self.durable.store(ticket.0, Ordering::Release);
        (self.on_durable)(Ok(ticket));
    }

    /// Gives up damaged records that a reader was told of.
    pub(crate) fn bury(&self, lost: impl Iterator<Item = Locator>) {
        let lost: Vec<Locator> = lost.collect();
        {
            let mut index = self.index.lock();
            for at in &lost {
                // What is not found now is released by the writer.
                let _ = index.release(*at);
            }
        }
        self.buried.lock().extend(lost);
        self.queue.poke();
    }

    /// Stops everything for good. The first reason counts.
    pub(crate) fn fail(&self, error: StoreError) {
        let _ = self.failure.set(error);
        self.space.fail();
        self.queue.stop(Stop::Abandon);
        self.bell.ring();
    }

    pub(crate) fn failure(&self) -> Option<&StoreError> {
        self.failure.get()
    }

    /// Tells the owner of the store that it has failed. The caller sees to it that this happens once.
    pub(crate) fn report_failure(&self) {
        if let Some(error) = self.failure() {
            (self.on_durable)(Err(error.clone()));
        }
    }
}

/// Wakes the keeper.
#[derive(Default)]
pub(crate) struct Bell {
    rung: Mutex<bool>,
    changed: Condvar,
}

impl Bell {
    pub(crate) fn ring(&self) {
        *self.rung.lock() = true;
        self.changed.notify_one();
    }

    /// Waits for a ring, at most so long; false when there was none.
    pub(crate) fn wait(&self, most: Duration) -> bool {
        let mut rung = self.rung.lock();
        if !*rung {
            self.changed.wait_for(&mut rung, most);
        }
        std::mem::take(&mut rung)
    }
}
