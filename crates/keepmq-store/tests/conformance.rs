//! The journal does what every engine has to do, sealed and plain, with small segments and with large ones, on a real
//! disk and on the one that the crash tests use.
#![allow(clippy::unwrap_used, clippy::expect_used)] // A test fails by panicking.

use std::sync::Arc;

use keepmq_store::disk::{Disk, FsDisk};
use keepmq_store::testing::FaultyDisk;
use keepmq_store::testing::conformance::{self, Opener};
use keepmq_store::{Journal, MasterKey, OnDurable, Options, Recovery, Store};
use parking_lot::Mutex;

struct Subject {
    key: Option<[u8; 32]>,
    segment_bytes: u64,
    fresh: Box<dyn Fn() -> Arc<dyn Disk>>,
    disk: Mutex<Option<Arc<dyn Disk>>>,
}

impl Subject {
    fn new(key: Option<[u8; 32]>, segment_bytes: u64, fresh: impl Fn() -> Arc<dyn Disk> + 'static) -> Self {
        Self { key, segment_bytes, fresh: Box::new(fresh), disk: Mutex::new(None) }
    }

    fn open(&self, disk: Arc<dyn Disk>, on_durable: OnDurable) -> (Arc<dyn Store>, Recovery) {
        let options = Options {
            master_key: self.key.map(MasterKey::new),
            segment_bytes: self.segment_bytes,
            checkpoint_bytes: 2 * self.segment_bytes,
            ..Options::plain()
        };
        let (journal, recovery) = Journal::open(disk, options, on_durable).unwrap();
        (Arc::new(journal), recovery)
    }
}

impl Opener for Subject {
    fn fresh(&self, on_durable: OnDurable) -> (Arc<dyn Store>, Recovery) {
        let disk = (self.fresh)();
        *self.disk.lock() = Some(Arc::clone(&disk));
        self.open(disk, on_durable)
    }

    fn again(&self, on_durable: OnDurable) -> (Arc<dyn Store>, Recovery) {
        let disk = self.disk.lock().clone().expect("one was opened");
        self.open(disk, on_durable)
    }
}

/// A directory that goes with the test.
fn directory() -> impl Fn() -> Arc<dyn Disk> {
    let root = tempfile::tempdir().unwrap();
    let count = std::sync::atomic::AtomicU32::new(0);
    move || {
        let number = count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        Arc::new(FsDisk::open(root.path().join(number.to_string())).unwrap())
    }
}

#[test]
fn a_sealed_journal_on_a_real_disk_conforms() {
    conformance::run(&Subject::new(Some([7; 32]), 1 << 20, directory()));
}

#[test]
fn a_plain_journal_on_a_real_disk_conforms() {
    conformance::run(&Subject::new(None, 4 << 20, directory()));
}

#[test]
fn a_journal_of_tiny_segments_conforms() {
    conformance::run(&Subject::new(Some([7; 32]), 32 << 10, || Arc::new(FaultyDisk::new(1))));
}
