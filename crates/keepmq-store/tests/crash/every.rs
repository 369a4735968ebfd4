//! One history that goes through everything the store does, with the power failing at each of its changes to the disk
//! in turn.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use keepmq_store::testing::FaultyDisk;
use keepmq_store::{
    Batch, Journal, Locator, MasterKey, Op, Options, Payload, Recovery, Store, StoreError, StreamId, Target,
    Urgency,
};

use crate::model::Model;

const STREAMS: u64 = 3;

fn options() -> Options {
    Options {
        segment_bytes: 32 << 10,
        checkpoint_bytes: 48 << 10,
        frame_bytes: 2000,
        ..Options::sealed(MasterKey::new([9; 32]))
    }
}

/// How far the history came.
#[derive(Default)]
struct Progress {
    /// In order, over all openings.
    committed: Vec<Batch>,
    /// Of these, so many were reported as durable.
    reported: usize,
}

/// An open store.
struct Life<'a> {
    journal: Journal,
    durable: Arc<AtomicU64>,
    /// What was committed before it was opened.
    before: usize,
    progress: &'a mut Progress,
}

fn open(disk: &FaultyDisk, durable: &Arc<AtomicU64>) -> Result<(Journal, Recovery), StoreError> {
    let durable = Arc::clone(durable);
    let on_durable = Box::new(move |report: Result<keepmq_store::Ticket, StoreError>| {
        if let Ok(ticket) = report {
            durable.store(ticket.0, Ordering::Relaxed);
        }
    });
    Journal::open_manual(Arc::new(disk.clone()), &options(), on_durable)
}

impl<'a> Life<'a> {
    fn begin(disk: &FaultyDisk, progress: &'a mut Progress) -> Option<Self> {
        let durable = Arc::default();
        let (journal, recovery) = open(disk, &durable).ok()?;
        assert_eq!(recovery.damage, [""; 0]);
        let before = progress.committed.len();
        Some(Self { journal, durable, before, progress })
    }

    fn commit(&mut self, ops: Vec<Op>) {
        let batch = Batch { ops };
        self.progress.committed.push(batch.clone());
        self.journal.commit(batch, Urgency::Now);
    }

    /// Writes and keeps house until nothing is left to do.
    fn settle(&mut self) {
        while self.journal.write_once() || self.journal.keep_once(true) {}
        self.note();
    }

    fn write(&mut self) {
        while self.journal.write_once() || (self.journal.pending_bytes() > 0 && self.journal.keep_once(false))
        {
        }
        self.note();
    }

    fn note(&mut self) {
        self.progress.reported = self.before + usize::try_from(self.durable.load(Ordering::Relaxed)).unwrap();
    }

    fn close(mut self) -> bool {
        let closed = self.journal.close().is_ok();
        self.note();
        closed
    }
}

fn put(stream: u64, seq: u64, len: usize) -> Op {
    let at = Locator { stream: StreamId(stream), seq };
    let body = Bytes::from(vec![u8::try_from(seq % 250).unwrap(); len]);
    Op::Put { targets: [Target { at, meta: seq }].into(), payload: Payload { head: Bytes::new(), body } }
}

fn release(stream: u64, seq: u64) -> Op {
    Op::Release(Locator { stream: StreamId(stream), seq })
}

/// Goes through the history until it ends or the power does; false in the latter case.
fn live(disk: &FaultyDisk, progress: &mut Progress) -> bool {
    fill(disk, progress) && forget(disk, progress) && outgrow(disk, progress)
}

/// Fills some segments, with batches over several frames, and closes the store.
fn fill(disk: &FaultyDisk, progress: &mut Progress) -> bool {
    let Some(mut life) = Life::begin(disk, progress) else {
        return false;
    };
    life.commit(vec![Op::Set { key: "k".into(), value: "1".into() }, put(0, 1, 100)]);
    for seq in 2..60 {
        life.commit(vec![put(seq % STREAMS, seq, 1500)]);
        if seq % 7 == 0 {
            life.commit((0..5).map(|step| put(2, 1000 + seq * 10 + step, 700)).collect());
        }
        life.write();
        life.journal.keep_once(false);
    }
    life.write();
    life.close()
}

/// Releases most, so that the rest has to move, and ends without closing.
fn forget(disk: &FaultyDisk, progress: &mut Progress) -> bool {
    let Some(mut life) = Life::begin(disk, progress) else {
        return false;
    };
    for seq in (2..60).filter(|seq| seq % 9 != 0) {
        life.commit(vec![release(seq % STREAMS, seq)]);
        life.write();
    }
    life.commit(vec![Op::Unset { key: "k".into() }, Op::Set { key: "l".into(), value: "2".into() }]);
    life.settle();
    life.commit(vec![Op::Truncate { stream: StreamId(2), from: 0, through: 1300 }, put(1, 5000, 10)]);
    life.settle();
    !disk.is_off()
}

/// Writes something larger than a segment, releases it, and closes.
fn outgrow(disk: &FaultyDisk, progress: &mut Progress) -> bool {
    let Some(mut life) = Life::begin(disk, progress) else {
        return false;
    };
    life.commit(vec![put(0, 6000, 50_000), put(1, 6000, 10)]);
    life.settle();
    life.commit(vec![release(0, 6000)]);
    life.settle();
    life.close()
}

/// What is found after the crash is what was committed up to some point, and that is not before what was reported.
fn judge(disk: &FaultyDisk, progress: &Progress, place: &str) {
    let (journal, recovery) = open(disk, &Arc::default()).unwrap_or_else(|error| panic!("{place}: {error}"));
    assert_eq!(recovery.damage, [""; 0], "{place}");
    let state = recovery.state.iter().cloned().collect();
    let found = Model::of(&journal, STREAMS, state, 40);
    found.check_sums(&journal, Some(&recovery));
    let mut expected = Model::default();
    progress.committed.iter().take(progress.reported).for_each(|batch| expected.apply(batch));
    let mut rest = progress.committed.iter().skip(progress.reported);
    while expected != found {
        let Some(batch) = rest.next() else {
            panic!("{place}: not what was committed, with {} batches reported", progress.reported)
        };
        expected.apply(batch);
    }
    // And it goes on from there.
    journal.commit(Batch { ops: vec![put(0, 9999, 10)] }, Urgency::Now);
    assert!(journal.write_once(), "{place}");
    journal.close().unwrap_or_else(|error| panic!("{place}: {error}"));
}

#[test]
fn whatever_change_to_the_disk_the_power_fails_at_nothing_reported_is_lost() {
    let whole = FaultyDisk::new(1);
    let mut progress = Progress::default();
    assert!(live(&whole, &mut progress));
    assert_eq!(progress.reported, progress.committed.len());
    let changes = whole.changes();
    assert!(changes > 400, "{changes} changes");
    for cut in 0..changes {
        let disk = FaultyDisk::new(cut);
        disk.cut_power_after(cut);
        let mut progress = Progress::default();
        live(&disk, &mut progress);
        for outcome in 0..2 {
            let copy = disk.fork(cut * 7 + outcome);
            copy.crash();
            // Sometimes the power fails once more while the store is opened.
            if outcome > 0 {
                copy.cut_power_after(cut % 40);
                drop(open(&copy, &Arc::default()));
                copy.crash();
            }
            judge(&copy, &progress, &format!("cut at change {cut}, outcome {outcome}"));
        }
    }
}
