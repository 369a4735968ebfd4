//! A journal that does nothing by itself, on a disk that can fail.

use std::sync::Arc;

use bytes::Bytes;
use keepmq_store::disk::Disk;
use keepmq_store::testing::FaultyDisk;
use keepmq_store::testing::conformance::Durable;
use keepmq_store::{
    Batch, Journal, Locator, MasterKey, Op, Options, Page, Payload, Recovery, Scan, Seq, Store, StoreError,
    StreamId, Target, Ticket, Urgency,
};

pub(crate) const KEY: [u8; 32] = [5; 32];
pub(crate) const SEGMENT: u64 = 64 << 10;

pub(crate) fn options() -> Options {
    Options { segment_bytes: SEGMENT, checkpoint_bytes: 4 * SEGMENT, ..Options::sealed(MasterKey::new(KEY)) }
}

pub(crate) struct Rig {
    pub(crate) disk: FaultyDisk,
    pub(crate) durable: Durable,
    pub(crate) journal: Journal,
    pub(crate) recovery: Recovery,
}

impl Rig {
    pub(crate) fn new() -> Self {
        Self::on(&FaultyDisk::new(1), &options())
    }

    pub(crate) fn on(disk: &FaultyDisk, options: &Options) -> Self {
        Self::open(disk, options).unwrap()
    }

    pub(crate) fn open(disk: &FaultyDisk, options: &Options) -> Result<Self, StoreError> {
        let durable = Durable::default();
        let (journal, recovery) = Journal::open_manual(Arc::new(disk.clone()), options, durable.callback())?;
        Ok(Self { disk: disk.clone(), durable, journal, recovery })
    }

    /// The power fails, and the store is opened again.
    pub(crate) fn crashed(self) -> Self {
        let disk = self.disk.clone();
        drop(self);
        disk.crash();
        Self::on(&disk, &options())
    }

    /// Closed in order and opened again.
    pub(crate) fn reopened(self) -> Self {
        self.journal.close().unwrap();
        let disk = self.disk.clone();
        drop(self);
        Self::on(&disk, &options())
    }

    /// Commits and writes.
    pub(crate) fn keep(&self, ops: impl IntoIterator<Item = Op>) -> Ticket {
        let ticket = self.commit(ops);
        while self.journal.durable() < ticket {
            assert!(
                self.journal.write_once() || self.journal.keep_once(false),
                "{ticket:?} cannot be written"
            );
        }
        ticket
    }

    pub(crate) fn commit(&self, ops: impl IntoIterator<Item = Op>) -> Ticket {
        self.journal.commit(Batch { ops: ops.into_iter().collect() }, Urgency::Now)
    }

    /// Puts records of this length, one with each commit.
    pub(crate) fn put_each(&self, stream: u64, numbers: impl IntoIterator<Item = Seq>, len: usize) {
        for seq in numbers {
            self.keep([put(stream, seq, vec![1; len])]);
        }
    }

    /// Releases records, one with each commit.
    pub(crate) fn release_each(&self, stream: u64, numbers: impl IntoIterator<Item = Seq>) {
        for seq in numbers {
            self.keep([release(stream, seq)]);
        }
    }

    /// Lets the store do all that it has to do when it is quiet.
    pub(crate) fn settle(&self) {
        while self.journal.keep_once(true) || self.journal.write_once() {}
    }

    pub(crate) fn page(&self, stream: u64) -> Page {
        let scan = Scan { stream: StreamId(stream), from: 0, records: usize::MAX, bytes: usize::MAX };
        self.journal.scan(scan).unwrap()
    }

    pub(crate) fn numbers(&self, stream: u64) -> Vec<Seq> {
        let page = self.page(stream);
        assert_eq!(page.lost, [0; 0]);
        page.records.iter().map(|record| record.seq).collect()
    }

    /// The files whose names begin so, sorted.
    pub(crate) fn files(&self, prefix: &str) -> Vec<String> {
        files(&self.disk, prefix)
    }
}

pub(crate) fn files(disk: &FaultyDisk, prefix: &str) -> Vec<String> {
    disk.list().unwrap().into_iter().filter(|name| name.starts_with(prefix)).collect()
}

/// The logs of all segments, the oldest first.
pub(crate) fn logs(disk: &FaultyDisk) -> Vec<String> {
    let mut logs = files(disk, "segment-");
    logs.retain(|name| name.ends_with("log"));
    logs
}

pub(crate) fn at(stream: u64, seq: Seq) -> Locator {
    Locator { stream: StreamId(stream), seq }
}

pub(crate) fn put(stream: u64, seq: Seq, body: impl Into<Bytes>) -> Op {
    put_many(&[(stream, seq)], body)
}

pub(crate) fn put_many(targets: &[(u64, Seq)], body: impl Into<Bytes>) -> Op {
    let target = |(stream, seq): &(u64, Seq)| Target { at: at(*stream, *seq), meta: 7 };
    let payload = Payload { head: Bytes::new(), body: body.into() };
    Op::Put { targets: targets.iter().map(target).collect(), payload }
}

pub(crate) fn release(stream: u64, seq: Seq) -> Op {
    Op::Release(at(stream, seq))
}

/// Where the frames of a log begin.
pub(crate) fn frames(disk: &FaultyDisk, log: &str) -> Vec<u64> {
    let bytes = disk.content(log);
    let mut frames = Vec::new();
    let mut at = 8192;
    while bytes.get(at..at + 4) == Some(b"KMQF") {
        frames.push(at as u64);
        let length = u32::from_le_bytes(bytes[at + 32..at + 36].try_into().unwrap());
        at = (at + 40 + length as usize).next_multiple_of(8);
    }
    frames
}
