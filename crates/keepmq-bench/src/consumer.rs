//! A connection that receives.

use crate::latency::Latencies;
use crate::ledger::{Arrival, Ledger};
use crate::payload::Strange;
use crate::plan::Kind;
use crate::producer::Run;
use crate::wire::{Fault, Sink};

/// A connection that receives.
#[derive(Debug)]
pub(crate) struct Consumer {
    number: usize,
    /// The thread that drives it.
    thread: usize,
    run: Run,
    /// The producers whose messages come here.
    senders: Vec<usize>,
    received: u64,
    measured_from: u64,
    /// The time when what is being taken arrived.
    now: u64,
    pub(crate) tally: Received,
}

/// What a consumer has measured.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) ledger: Ledger,
    /// From the moment that a message was meant for to its arrival.
    pub(crate) latencies: Latencies,
    /// Different messages that were sent since measuring began.
    pub(crate) measured: u64,
    /// When the last one arrived.
    pub(crate) last: u64,
}

impl Consumer {
    pub(crate) fn new(number: usize, thread: usize, run: Run) -> Self {
        let senders =
            (0..run.plan.producers).filter(|producer| run.plan.reaches(*producer, number)).collect();
        let ledger = Ledger::new(run.plan.producers);
        let tally = Received { ledger, latencies: Latencies::new(), measured: 0, last: 0 };
        Self { number, thread, run, senders, received: 0, measured_from: u64::MAX, now: 0, tally }
    }

    pub(crate) fn number(&self) -> usize {
        self.number
    }

    /// What is taken from here on arrived at this time.
    pub(crate) fn arrived(&mut self, now: u64) {
        self.now = now;
        self.measured_from = self.run.board.measured_from();
    }

    /// Tells the others how far it is.
    pub(crate) fn post(&self) {
        self.run.board.post_received(self.number, self.received);
        if self.run.plan.outstanding.is_none() {
            return;
        }
        for producer in &self.senders {
            // In a topic the highest number tells how far it is, whatever was lost below; competitors share the numbers.
            let far = match self.run.plan.kind {
                Kind::Topic => self.tally.ledger.end(*producer),
                Kind::Queue => self.tally.ledger.distinct(*producer),
            };
            self.run.board.post_progress(self.number, *producer, far);
        }
        self.run.board.tell_progress(self.thread);
    }
}

impl Sink for Consumer {
    #[inline]
    fn message(&mut self, body: &[u8]) {
        let stamp = match self.run.bodies.read(body) {
            Ok(stamp) => stamp,
            Err(Strange::Foreign) => return self.tally.ledger.foreign += 1,
            Err(Strange::Damaged) => return self.tally.ledger.damaged += 1,
        };
        if !matches!(
            self.tally.ledger.enter(stamp.producer, stamp.sequence),
            Some(Arrival::Next | Arrival::Late)
        ) {
            return;
        }
        self.received += 1;
        self.tally.last = self.now;
        if stamp.time >= self.measured_from {
            self.tally.measured += 1;
            self.tally.latencies.record(self.now.saturating_sub(stamp.time));
        }
    }

    fn accepted(&mut self, place: u32) -> Result<(), Fault> {
        Err(Fault::Malformed(format!("an acknowledgement of publish {place} where nothing was published")))
    }

    fn settled(&mut self) {}
}

#[cfg(test)]
mod tests;
