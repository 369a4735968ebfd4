//! Where the threads of a run post what the others must know.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};

use rustix::event::{EventfdFlags, eventfd};

use crate::error::Error;

/// How far a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum Phase {
    /// All connections are open and nobody sends.
    Wait,
    /// Messages are published and received, and nothing of it is measured yet.
    WarmUp,
    /// As before, and measured.
    Measure,
    /// What was published is received.
    Drain,
    /// Everybody goes home.
    End,
}

/// Wakes a thread that waits for its sockets.
#[derive(Debug)]
struct Bell {
    wakes: OwnedFd,
    /// Whether its thread wants to know of progress.
    listens: AtomicBool,
}

/// The board of one run.
#[derive(Debug)]
pub(crate) struct Board {
    phase: AtomicU8,
    began: AtomicU64,
    measured_from: AtomicU64,
    /// Messages sent, per producer.
    published: Vec<AtomicU64>,
    /// Publishes that the broker has answered, per producer.
    accepted: Vec<AtomicU64>,
    /// Producers that have nothing more to send.
    done: AtomicU64,
    /// Different messages, per consumer.
    received: Vec<AtomicU64>,
    /// How far each consumer is with each producer.
    progress: Vec<AtomicU64>,
    bells: Vec<Bell>,
}

impl Board {
    pub(crate) fn new(producers: usize, consumers: usize, threads: usize) -> Result<Self, Error> {
        let zeros = |count: usize| (0..count).map(|_| AtomicU64::new(0)).collect::<Vec<_>>();
        let bell = |_| {
            let wakes = eventfd(0, EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC)?;
            Ok(Bell { wakes, listens: AtomicBool::new(false) })
        };
        let bells = (0..threads).map(bell).collect::<rustix::io::Result<_>>();
        Ok(Self {
            phase: AtomicU8::new(Phase::Wait as u8),
            began: AtomicU64::new(0),
            measured_from: AtomicU64::new(u64::MAX),
            published: zeros(producers),
            accepted: zeros(producers),
            done: AtomicU64::new(0),
            received: zeros(consumers),
            progress: zeros(producers * consumers),
            bells: bells.map_err(|errno| Error::system("no event descriptor can be made")(errno.into()))?,
        })
    }

    pub(crate) fn phase(&self) -> Phase {
        match self.phase.load(Ordering::Acquire) {
            0 => Phase::Wait,
            1 => Phase::WarmUp,
            2 => Phase::Measure,
            3 => Phase::Drain,
            _ => Phase::End,
        }
    }

    /// Goes on to a later phase; never back.
    pub(crate) fn advance(&self, phase: Phase) {
        self.phase.fetch_max(phase as u8, Ordering::AcqRel);
        self.bells.iter().for_each(Bell::ring);
    }

    /// Timetables begin at this time.
    pub(crate) fn begin(&self, time: u64) {
        self.began.store(time, Ordering::Release);
    }

    /// When timetables began.
    pub(crate) fn began(&self) -> u64 {
        self.began.load(Ordering::Acquire)
    }

    /// Messages that were meant to be sent from now on are measured.
    pub(crate) fn measure_from(&self, time: u64) {
        self.measured_from.store(time, Ordering::Release);
    }

    /// Messages with this time or a later one are measured.
    pub(crate) fn measured_from(&self) -> u64 {
        self.measured_from.load(Ordering::Acquire)
    }

    pub(crate) fn post_producer(&self, producer: usize, published: u64, accepted: u64) {
        self.published[producer].store(published, Ordering::Relaxed);
        self.accepted[producer].store(accepted, Ordering::Release);
    }

    pub(crate) fn post_done(&self) {
        self.done.fetch_add(1, Ordering::AcqRel);
    }

    pub(crate) fn post_received(&self, consumer: usize, received: u64) {
        self.received[consumer].store(received, Ordering::Release);
    }

    /// `far` messages of the producer have come to the consumer.
    pub(crate) fn post_progress(&self, consumer: usize, producer: usize, far: u64) {
        self.progress[self.place(consumer, producer)].store(far, Ordering::SeqCst);
    }

    pub(crate) fn progress(&self, consumer: usize, producer: usize) -> u64 {
        self.progress[self.place(consumer, producer)].load(Ordering::SeqCst)
    }

    fn place(&self, consumer: usize, producer: usize) -> usize {
        consumer * self.published.len() + producer
    }

    /// From now on progress rings this thread's bell, once. Progress must be looked at again after this.
    pub(crate) fn listen(&self, thread: usize) {
        self.bells[thread].listens.store(true, Ordering::SeqCst);
    }

    /// Tells the other threads that wait for it that there was progress.
    pub(crate) fn tell_progress(&self, thread: usize) {
        let others = self.bells.iter().enumerate().filter(|(other, _)| *other != thread);
        let listening = others.filter(|(_, bell)| bell.listens.load(Ordering::SeqCst));
        listening.for_each(|(_, bell)| {
            bell.listens.store(false, Ordering::SeqCst);
            bell.ring();
        });
    }

    /// What a thread must wait for besides its sockets.
    pub(crate) fn bell(&self, thread: usize) -> BorrowedFd<'_> {
        self.bells[thread].wakes.as_fd()
    }

    /// Makes the bell silent again.
    pub(crate) fn quiet(&self, thread: usize) {
        // It fails if it had not rung, which is as good.
        let _ = rustix::io::read(&self.bells[thread].wakes, &mut [0; 8]);
    }

    /// Messages sent by each producer.
    pub(crate) fn published(&self) -> Vec<u64> {
        self.published.iter().map(|count| count.load(Ordering::Relaxed)).collect()
    }

    /// The sums of all connections.
    pub(crate) fn totals(&self) -> Totals {
        // Who is done first: what was published until then is in the sum that is made after it.
        let done = self.done.load(Ordering::Acquire);
        let sum = |counts: &[AtomicU64]| counts.iter().map(|count| count.load(Ordering::Acquire)).sum();
        let (accepted, received) = (sum(&self.accepted), sum(&self.received));
        Totals { published: sum(&self.published), accepted, received, done }
    }
}

impl Bell {
    fn ring(&self) {
        // It fails only if it rings already.
        let _ = rustix::io::write(&self.wakes, &1_u64.to_ne_bytes());
    }
}

/// What all connections have done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) published: u64,
    pub(crate) accepted: u64,
    pub(crate) received: u64,
    /// Producers that have nothing more to send.
    pub(crate) done: u64,
}

#[cfg(test)]
mod tests {
    use super::{Board, Phase, Totals};

    #[test]
    fn phases_go_forward_only() {
        let board = Board::new(1, 1, 1).unwrap();
        assert_eq!(board.phase(), Phase::Wait);
        board.advance(Phase::Drain);
        board.advance(Phase::Measure);
        assert_eq!(board.phase(), Phase::Drain);
    }

    #[test]
    fn what_is_posted_is_summed() {
        let board = Board::new(2, 2, 1).unwrap();
        board.post_producer(0, 5, 3);
        board.post_producer(1, 7, 7);
        board.post_received(1, 9);
        board.post_done();
        board.post_progress(1, 0, 4);
        assert_eq!((board.progress(1, 0), board.progress(0, 1)), (4, 0));
        assert_eq!(board.totals(), Totals { published: 12, accepted: 10, received: 9, done: 1 });
        assert_eq!(board.published(), [5, 7]);
    }

    #[test]
    fn progress_wakes_those_who_listen_once() {
        let rings = |board: &Board, thread| rustix::io::read(board.bell(thread), &mut [0; 8]).is_ok();
        let board = Board::new(1, 1, 2).unwrap();
        board.tell_progress(0);
        assert!(!rings(&board, 1));
        board.listen(1);
        board.tell_progress(1);
        assert!(!rings(&board, 1));
        board.tell_progress(0);
        board.tell_progress(0);
        assert!(rings(&board, 1) && !rings(&board, 1));
        board.advance(Phase::End);
        board.quiet(0);
        assert!(!rings(&board, 0) && rings(&board, 1));
    }
}
