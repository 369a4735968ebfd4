//! Batches as a broker might commit them.

use bytes::Bytes;
use keepmq_store::testing::Chance;
use keepmq_store::{Batch, Locator, Op, Payload, Seq, StreamId, Target};

use crate::model::Model;

/// So many streams are used.
pub(crate) const STREAMS: u64 = 7;

/// Draws batches and knows which numbers were given.
pub(crate) struct Workload {
    pub(crate) chance: Chance,
    next: Vec<Seq>,
    /// Releases only, as when the store is full.
    pub(crate) frugal: bool,
}

impl Workload {
    pub(crate) fn new(seed: u64) -> Self {
        Self { chance: Chance::new(seed), next: vec![1; 7], frugal: false }
    }

    /// After a restart a broker goes on behind what it found.
    pub(crate) fn restarted(&mut self, found: &Model) {
        for (stream, records) in &found.streams {
            if let (Some(last), Some(next)) =
                (records.keys().next_back(), self.next.get_mut(*stream as usize))
            {
                *next = last + 1;
            }
        }
    }

    /// Some changes to what will be there.
    pub(crate) fn batch(&mut self, expected: &Model) -> Batch {
        let ops = match self.chance.below(12) {
            0 => 0,
            1 => 40,
            _ => 1 + self.chance.below(6),
        };
        Batch { ops: (0..ops).map(|_| self.op(expected)).collect() }
    }

    fn op(&mut self, expected: &Model) -> Op {
        if self.frugal {
            return self.release(expected);
        }
        match self.chance.below(20) {
            0 => self.set(),
            1 => Op::Unset { key: self.key() },
            2 => self.truncate(expected),
            3..=5 => self.put_many(),
            6..=11 => self.release(expected),
            _ => self.put(),
        }
    }

    fn key(&mut self) -> Bytes {
        format!("key {}", self.chance.below(8)).into()
    }

    fn set(&mut self) -> Op {
        let len = self.chance.index(60);
        Op::Set { key: self.key(), value: self.chance.bytes(len).into() }
    }

    fn target(&mut self, stream: u64) -> Target {
        let next = &mut self.next[stream as usize];
        let seq = *next;
        *next += if self.chance.one_in(5) { 1 + self.chance.below(9) } else { 1 };
        Target { at: Locator { stream: StreamId(stream), seq }, meta: self.chance.below(1000) }
    }

    fn put(&mut self) -> Op {
        let stream = self.chance.below(STREAMS);
        Op::Put { targets: [self.target(stream)].into(), payload: self.payload() }
    }

    fn put_many(&mut self) -> Op {
        let from = self.chance.below(STREAMS);
        let targets = (from..STREAMS).map(|stream| self.target(stream)).collect();
        Op::Put { targets, payload: self.payload() }
    }

    fn payload(&mut self) -> Payload {
        let len = match self.chance.below(60) {
            0 => 40_000,
            1 | 2 => 6_000,
            3..=6 => 0,
            _ => self.chance.index(500),
        };
        let head = self.chance.index(20);
        Payload { head: self.chance.bytes(head).into(), body: self.chance.bytes(len).into() }
    }

    /// Mostly the first of a stream, often any, sometimes one that is not there.
    fn release(&mut self, expected: &Model) -> Op {
        let stream = self.chance.below(STREAMS);
        let records = expected.streams.get(&stream);
        let seq = match (records, self.chance.below(8)) {
            (Some(records), 0..4) => records.keys().next().copied(),
            (Some(records), 4..7) => records.keys().nth(self.chance.index(records.len())).copied(),
            _ => None,
        };
        let seq = seq.unwrap_or_else(|| self.chance.below(200));
        Op::Release(Locator { stream: StreamId(stream), seq })
    }

    fn truncate(&mut self, expected: &Model) -> Op {
        let stream = self.chance.below(STREAMS);
        let records = expected.streams.get(&stream);
        let any = records.and_then(|records| records.keys().nth(self.chance.index(records.len())));
        let through = any.copied().unwrap_or(3);
        let from = if self.chance.one_in(2) { 0 } else { self.chance.below(through + 2) };
        Op::Truncate { stream: StreamId(stream), from, through }
    }
}
