//! One history: a store is used, loses power, is opened again, and is compared with the model.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use bytes::Bytes;
use keepmq_store::disk::Disk;
use keepmq_store::inspect;
use keepmq_store::testing::{Chance, FaultyDisk};
use keepmq_store::{
    Activity, Admission, Batch, Journal, MasterKey, OnDurable, Options, Recovery, Store, StoreError, Urgency,
};

use crate::model::Model;
use crate::workload::{STREAMS, Workload};

const SEGMENT: u64 = 32 << 10;

/// What happens in a history besides ordinary work and crashes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    Ordinary,
    /// Short lives, and power that fails while the store is opened or closed.
    Restless,
    /// The store may use little of the disk.
    Cramped,
    /// The disk itself has little room.
    FullDisk,
    /// The newest checkpoint is damaged before an opening.
    BadCheckpoint,
    /// Tables are damaged or removed before an opening.
    BadTable,
}

/// What a store has reported.
#[derive(Default)]
struct Reports {
    durable: AtomicU64,
    failed: AtomicBool,
}

/// What histories went through, to see that they go where it hurts.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) openings: u64,
    pub(crate) crashes: u64,
    pub(crate) crashes_while_opening: u64,
    pub(crate) unreported_found: u64,
    pub(crate) unreported_lost: u64,
    pub(crate) full: u64,
    pub(crate) activity: Activity,
}

pub(crate) struct History {
    pub(crate) tally: Tally,
    shape: Shape,
    chance: Chance,
    workload: Workload,
    disk: FaultyDisk,
    reports: Arc<Reports>,
    epoch: u64,
    /// What was there when the store was opened.
    base: Model,
    /// What was committed since, in order.
    committed: Vec<Batch>,
    /// The base and all that was committed.
    expected: Model,
    /// So many of them were reported as durable.
    kept: u64,
}

impl History {
    pub(crate) fn new(seed: u64, shape: Shape) -> Self {
        Self {
            tally: Tally::default(),
            shape,
            chance: Chance::new(seed),
            workload: Workload::new(seed ^ 0xabcd),
            disk: FaultyDisk::new(seed),
            reports: Arc::default(),
            epoch: 0,
            base: Model::default(),
            committed: Vec::new(),
            expected: Model::default(),
            kept: 0,
        }
    }

    pub(crate) fn run(&mut self) {
        let lives = 2 + self.chance.below(5);
        for _ in 0..lives {
            self.spoil();
            let journal = self.open();
            self.live(&journal);
            self.end(journal);
        }
        self.disk.limit(None);
        let journal = self.open();
        journal.close().expect("a healthy store closes");
        drop(journal);
        self.inspect();
    }

    /// What is left must stand up to a look at every byte.
    fn inspect(&self) {
        let key = || Some(MasterKey::new([9; 32]));
        let report = inspect::verify(Arc::new(self.disk.clone()), key()).expect("nobody has it");
        let forgiven = matches!(self.shape, Shape::BadCheckpoint | Shape::BadTable);
        assert!(forgiven || (report.faults.is_empty() && report.losses.is_empty()), "{report:?}");
        let stat = inspect::stat(Arc::new(self.disk.clone()), key()).expect("nobody has it");
        assert_eq!(stat.records, self.base.streams.values().map(|records| records.len() as u64).sum());
        assert_eq!(stat.records, stat.segments.iter().map(|segment| segment.records).sum());
        assert_eq!(stat.values, self.base.state.len() as u64);
    }

    fn options(&self) -> Options {
        let max_bytes = if self.shape == Shape::Cramped { 10 * SEGMENT } else { u64::MAX };
        Options {
            segment_bytes: SEGMENT,
            frame_bytes: 1500,
            checkpoint_bytes: SEGMENT,
            table_cache_bytes: 100_000,
            frame_cache_bytes: 100_000,
            max_bytes,
            ..Options::sealed(MasterKey::new([9; 32]))
        }
    }

    /// Damages what the store must be able to do without.
    fn spoil(&mut self) {
        let names = self.disk.list().expect("the power is on");
        match self.shape {
            Shape::BadCheckpoint => {
                let newest = names.iter().filter(|name| name.starts_with("checkpoint")).max();
                // With one checkpoint nothing was removed yet, and the whole log is there.
                if let Some(name) = newest.filter(|_| self.chance.one_in(2)) {
                    self.flip_somewhere(name);
                }
            }
            Shape::BadTable => {
                for name in names.iter().filter(|name| name.ends_with("idx")) {
                    match self.chance.below(4) {
                        0 => self.flip_somewhere(name),
                        1 => self.remove(name),
                        2 => self.cut(name),
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }

    fn flip_somewhere(&mut self, name: &str) {
        let len = self.disk.content(name).len() as u64;
        let (at, bit) = (self.chance.below(len), self.chance.index(8) as u8);
        self.disk.flip(name, at, bit);
    }

    fn remove(&self, name: &str) {
        self.disk.remove(name).expect("the power is on");
        self.disk.sync().expect("the power is on");
    }

    fn cut(&mut self, name: &str) {
        let keep = self.chance.index(self.disk.content(name).len());
        self.disk.damage(name, |bytes| bytes.truncate(keep));
    }

    /// Opens the store, through as many crashes as it takes, and finds out what is in it.
    fn open(&mut self) -> Journal {
        let often = if self.shape == Shape::Restless { 2 } else { 6 };
        loop {
            if self.chance.one_in(often) {
                self.disk.cut_power_after(self.chance.below(60));
            }
            self.reports = Arc::default();
            let disk = Arc::new(self.disk.clone());
            match Journal::open_manual(disk, &self.options(), self.callback()) {
                Ok((journal, recovery)) => {
                    if self.disk.is_off() {
                        drop(journal);
                        self.disk.crash();
                        self.spoil();
                        continue;
                    }
                    self.disk.keep_power();
                    self.judge(&journal, &recovery);
                    return journal;
                }
                Err(_) if self.disk.is_off() => {
                    self.tally.crashes_while_opening += 1;
                    self.disk.crash();
                    self.spoil();
                }
                // An operator would make room.
                Err(StoreError::Full { .. }) if self.shape == Shape::FullDisk => self.disk.limit(None),
                Err(error) => panic!("it does not open: {error}"),
            }
        }
    }

    fn callback(&self) -> OnDurable {
        let reports = Arc::clone(&self.reports);
        Box::new(move |result| match result {
            Ok(ticket) => {
                assert!(!reports.failed.load(Ordering::Relaxed), "{ticket:?} comes after the failure");
                let before = reports.durable.swap(ticket.0, Ordering::Relaxed);
                assert!(before < ticket.0, "{ticket:?} comes after {before}");
            }
            Err(_) => assert!(!reports.failed.swap(true, Ordering::Relaxed), "a failure is told once"),
        })
    }

    /// What was found must be what was there before with some of what was committed: all that was reported, and
    /// nothing out of order.
    fn judge(&mut self, journal: &Journal, recovery: &Recovery) {
        let forgiven = matches!(self.shape, Shape::BadCheckpoint | Shape::BadTable);
        assert!(forgiven || recovery.damage.is_empty(), "{:?}", recovery.damage);
        assert!(recovery.epoch > self.epoch, "epoch {} after {}", recovery.epoch, self.epoch);
        self.epoch = recovery.epoch;
        let state: BTreeMap<Bytes, Bytes> = recovery.state.iter().cloned().collect();
        let found = Model::of(journal, STREAMS, state, 1 + self.chance.index(50));
        let reported = self.kept as usize;
        let mut candidate = self.base.clone();
        self.committed.iter().take(reported).for_each(|batch| candidate.apply(batch));
        let mut rest = self.committed.iter().skip(reported);
        self.tally.openings += 1;
        self.tally.unreported_lost += rest.len() as u64;
        while candidate != found {
            let Some(batch) = rest.next() else {
                panic!(
                    "after {reported} reported of {} committed batches: {}",
                    self.committed.len(),
                    difference(&self.base, &self.committed, reported, &found)
                );
            };
            candidate.apply(batch);
            self.tally.unreported_lost -= 1;
            self.tally.unreported_found += 1;
        }
        found.check_sums(journal, Some(recovery));
        self.workload.restarted(&found);
        self.base = found.clone();
        self.expected = found;
        self.committed.clear();
        self.kept = 0;
    }

    fn live(&mut self, journal: &Journal) {
        let steps = if self.shape == Shape::Restless { 30 } else { 250 };
        let steps = 1 + self.chance.below(steps);
        if self.chance.one_in(2) {
            self.disk.cut_power_after(self.chance.below(steps * 3));
        }
        for _ in 0..steps {
            if self.disk.is_off() {
                break;
            }
            self.step(journal);
        }
        self.kept = self.reports.durable.load(Ordering::Relaxed);
        assert!(
            self.disk.is_off() || !self.reports.failed.load(Ordering::Relaxed),
            "it failed for no reason"
        );
    }

    fn step(&mut self, journal: &Journal) {
        if self.shape == Shape::FullDisk && self.chance.one_in(20) {
            let room = self.chance.below(6) * SEGMENT / 2;
            self.disk.limit(Some(self.disk.used() + room));
        }
        match self.chance.below(10) {
            0..5 => self.commit(journal),
            5..8 => self.write(journal),
            8 => _ = journal.keep_once(self.chance.one_in(3)),
            _ if self.chance.one_in(8) => self.look(journal),
            _ => _ = (0..4).filter(|_| journal.keep_once(false)).count(),
        }
    }

    /// Sometimes the power fails in just this write, or in its sync.
    fn write(&mut self, journal: &Journal) {
        if self.chance.one_in(40) {
            self.disk.cut_power_after(self.chance.below(2));
        }
        journal.write_once();
    }

    fn commit(&mut self, journal: &Journal) {
        self.workload.frugal = journal.admission() != Admission::Open;
        self.tally.full += u64::from(self.workload.frugal);
        let batch = self.workload.batch(&self.expected);
        self.expected.apply(&batch);
        self.committed.push(batch.clone());
        journal.commit(batch, Urgency::Now);
    }

    /// What is seen is what is durable.
    fn look(&mut self, journal: &Journal) {
        let durable = self.reports.durable.load(Ordering::Relaxed);
        assert_eq!(journal.durable().0, durable);
        let mut expected = self.base.clone();
        self.committed.iter().take(durable as usize).for_each(|batch| expected.apply(batch));
        let found = Model::of(journal, STREAMS, expected.state.clone(), 1 + self.chance.index(50));
        if !self.disk.is_off() {
            assert!(found == expected, "what is seen is not what is durable");
            found.check_sums(journal, None);
        }
    }

    /// In order, or not.
    fn end(&mut self, journal: Journal) {
        if !self.disk.is_off() && self.chance.one_in(3) {
            if self.shape == Shape::Restless && self.chance.one_in(2) {
                self.disk.cut_power_after(self.chance.below(30));
            }
            let closed = journal.close();
            self.kept = self.reports.durable.load(Ordering::Relaxed);
            if closed.is_ok() {
                assert_eq!(self.kept as usize, self.committed.len(), "closing keeps everything");
            }
        }
        self.tally.note(&journal);
        self.tally.crashes += u64::from(self.disk.is_off());
        drop(journal);
        self.disk.crash();
    }
}

impl Tally {
    fn note(&mut self, journal: &Journal) {
        let (sum, more) = (&mut self.activity, journal.activity());
        sum.syncs += more.syncs;
        sum.log_bytes += more.log_bytes;
        sum.moved_records += more.moved_records;
        sum.reclaimed_segments += more.reclaimed_segments;
        sum.checkpoints += more.checkpoints;
        sum.torn_frames += more.torn_frames;
    }
}

/// Where the first difference is, for a human.
fn difference(base: &Model, committed: &[Batch], reported: usize, found: &Model) -> String {
    let mut expected = base.clone();
    committed.iter().take(reported).for_each(|batch| expected.apply(batch));
    let mut text = String::new();
    for stream in 0..STREAMS {
        let (want, have) = (expected.streams.get(&stream), found.streams.get(&stream));
        let keys = |records: Option<&BTreeMap<u64, (u64, Bytes)>>| -> Vec<u64> {
            records.map(|records| records.keys().copied().collect()).unwrap_or_default()
        };
        if want != have {
            let (want, have) = (keys(want), keys(have));
            let missing: Vec<_> = want.iter().filter(|seq| !have.contains(seq)).collect();
            let extra: Vec<_> = have.iter().filter(|seq| !want.contains(seq)).collect();
            let _ = write!(text, "stream {stream}: missing {missing:?}, not expected {extra:?}; ");
        }
    }
    if expected.state != found.state {
        text += "keyed values differ";
    }
    text
}
