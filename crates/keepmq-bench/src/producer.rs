//! A connection that publishes.

use std::sync::Arc;

use crate::board::{Board, Phase};
use crate::error::Error;
use crate::latency::Latencies;
use crate::link::Link;
use crate::pace::Pace;
use crate::payload::Bodies;
use crate::plan::{Kind, Plan};
use crate::window::Window;
use crate::wire::{Fault, Sink, Wire};

/// Bytes that are written before the sockets are looked at again.
const BATCH: usize = 64 * 1024;

/// When a producer has something to do again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Next {
    /// At once.
    Now,
    /// At this time.
    At(u64),
    /// When something happened.
    OnEvent,
}

/// What all connections of a run share.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    pub(crate) plan: Arc<Plan>,
    pub(crate) board: Arc<Board>,
    pub(crate) bodies: Arc<Bodies>,
}

/// A connection that publishes.
#[derive(Debug)]
pub(crate) struct Producer {
    number: usize,
    /// The thread that drives it.
    thread: usize,
    run: Run,
    pace: Pace,
    window: Option<Window>,
    /// Measured messages that it may send.
    share: Option<u64>,
    /// It may send messages with numbers below this before it must look how far the consumers are.
    room_until: u64,
    /// Whether the window was full and has not yet emptied enough.
    was_full: bool,
    sent: u64,
    accepted: u64,
    is_done: bool,
    /// The time when what is being taken arrived.
    pub(crate) now: u64,
    pub(crate) tally: Sent,
}

/// What a producer has measured.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    /// From the moment that a message was meant for to its acknowledgement.
    pub(crate) latencies: Latencies,
    /// Messages sent since measuring began.
    pub(crate) measured: u64,
    /// When the last one was sent.
    pub(crate) last: u64,
    /// Publishes that wait for their acknowledgement.
    pub(crate) waiting: u64,
}

impl Producer {
    pub(crate) fn new(number: usize, thread: usize, run: Run, pace: Pace) -> Self {
        let plan = Arc::clone(&run.plan);
        Self {
            number,
            thread,
            run,
            pace,
            window: plan.window.map(Window::new),
            share: plan.share_of(number),
            room_until: plan.outstanding.unwrap_or(u64::MAX),
            was_full: false,
            sent: 0,
            accepted: 0,
            is_done: false,
            now: 0,
            tally: Sent { latencies: Latencies::new(), measured: 0, last: 0, waiting: 0 },
        }
    }

    /// Writes what is due and may go.
    pub(crate) fn fill(&mut self, link: &mut Link, now: u64) -> Result<Next, Error> {
        let is_early = self.run.board.phase() == Phase::Wait;
        if is_early || self.is_done || !link.is_flushed() {
            return Ok(Next::OnEvent);
        }
        let before = self.sent;
        let (out, wire) = link.outbox();
        let next = self.write_batch(out, wire, now);
        if self.sent > before {
            self.tally.last = now;
            link.flush()?;
        }
        Ok(next)
    }

    fn write_batch(&mut self, out: &mut Vec<u8>, wire: &Wire, now: u64) -> Next {
        let phase = self.run.board.phase();
        let measured_from = self.run.board.measured_from();
        while out.len() < BATCH {
            if self.is_over(phase) {
                self.is_done = true;
                // Who sees that it is done must also see all that it sent.
                self.post();
                self.run.board.post_done();
                return Next::OnEvent;
            }
            let time = match self.may_send(now) {
                Ok(time) => time,
                Err(next) => return next,
            };
            let place = self.window.as_mut().and_then(|window| window.take(time)).unwrap_or_default();
            wire.begin_publish(out, place);
            // Its number fits: there are at most 50,000 producers.
            self.run.bodies.write(out, u32::try_from(self.number).unwrap_or_default(), self.sent, time);
            wire.end_publish(out);
            self.sent += 1;
            self.tally.measured += u64::from(time >= measured_from);
        }
        Next::Now
    }

    fn is_over(&self, phase: Phase) -> bool {
        phase >= Phase::Drain || self.share == Some(self.tally.measured)
    }

    /// The time to put on the next message, if it may go now.
    fn may_send(&mut self, now: u64) -> Result<u64, Next> {
        let due = self.pace.due(self.sent, self.run.board.began(), now);
        if due > now {
            return Err(Next::At(due));
        }
        if self.is_window_full() || self.sent >= self.room_until && !self.finds_room() {
            return Err(Next::OnEvent);
        }
        Ok(due)
    }

    fn is_window_full(&mut self) -> bool {
        let Some(window) = &self.window else { return false };
        let needed = if self.was_full { self.batch_of(window.places()) } else { 1 };
        self.was_full = window.free() < needed;
        self.was_full
    }

    /// Who waited for a full window to empty waits until it is worth while, as clients do: one write for many messages.
    fn batch_of(&self, places: usize) -> usize {
        match self.pace {
            Pace::Fast => (places / 16).max(1),
            Pace::Timetable { .. } => 1,
        }
    }

    /// Looks how far the consumers are.
    fn finds_room(&mut self) -> bool {
        let Some(most) = self.run.plan.outstanding else { return true };
        let batch = u64::try_from(self.batch_of(usize::try_from(most).unwrap_or(usize::MAX))).unwrap_or(1);
        let mut room = self.measure_room(most);
        if room < self.sent + batch {
            // What happened before the bell was set is seen by the second look, what happens after it rings.
            self.run.board.listen(self.thread);
            room = self.measure_room(most);
        }
        if room < self.sent + batch {
            return false;
        }
        self.room_until = room;
        true
    }

    fn measure_room(&self, most: u64) -> u64 {
        let consumers = self.run.plan.consumers_of(self.number);
        let mut progress = consumers.map(|consumer| self.run.board.progress(consumer, self.number));
        let far = match self.run.plan.kind {
            Kind::Topic => progress.min(),
            Kind::Queue => progress.next().map(|first| first + progress.sum::<u64>()),
        };
        far.map_or(u64::MAX, |far| far + most)
    }

    /// Tells the others how far it is.
    pub(crate) fn post(&mut self) {
        self.run.board.post_producer(self.number, self.sent, self.accepted);
        let waiting = self.window.as_ref().map_or(0, Window::waiting);
        self.tally.waiting = u64::try_from(waiting).unwrap_or_default();
    }
}

impl Sink for Producer {
    /// It has not subscribed to anything; what comes all the same is counted nowhere and missed elsewhere.
    fn message(&mut self, _body: &[u8]) {}

    fn accepted(&mut self, place: u32) -> Result<(), Fault> {
        let time = self.window.as_mut().and_then(|window| window.release(place));
        let unknown = || {
            Fault::Malformed(format!("an acknowledgement of publish {place}, which does not wait for one"))
        };
        let time = time.ok_or_else(unknown)?;
        self.accepted += 1;
        if time >= self.run.board.measured_from() {
            self.tally.latencies.record(self.now.saturating_sub(time));
        }
        Ok(())
    }

    fn settled(&mut self) {}
}

#[cfg(test)]
mod tests;
