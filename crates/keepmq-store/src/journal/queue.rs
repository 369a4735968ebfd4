//! Where committed batches wait for the writer.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use crate::api::{Batch, Ticket, Urgency};

/// So many batches that nobody waits for are written early: what waits takes memory.
const MOST_LAZY: usize = 4096;

/// A committed batch.
pub(crate) struct Queued {
    pub(crate) ticket: Ticket,
    pub(crate) batch: Batch,
    /// What it counts for in `pending_bytes`.
    pub(crate) size: u64,
}

/// How the writer is to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// Write what waits, then end.
    Drain,
    /// End at once.
    Abandon,
}

/// Batches in the order of their tickets.
pub(crate) struct Queue {
    inner: Mutex<Inner>,
    bell: Condvar,
    pending: AtomicU64,
}

struct Inner {
    batches: VecDeque<Queued>,
    last: Ticket,
    /// Somebody waits for a batch, or another thread wants the writer to look around.
    urgent: bool,
    sleep: Sleep,
    stop: Option<Stop>,
}

/// How the writer sleeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sleep {
    /// Not at all.
    Awake,
    /// For a time that it has set itself: batches that nobody waits for need not wake it.
    Light,
    /// Until it is woken.
    Deep,
}

impl Queue {
    pub(crate) fn new() -> Self {
        let inner = Inner {
            batches: VecDeque::new(),
            last: Ticket::default(),
            urgent: false,
            sleep: Sleep::Awake,
            stop: None,
        };
        Self { inner: Mutex::new(inner), bell: Condvar::new(), pending: AtomicU64::new(0) }
    }

    /// Adds a batch; once the writer was told to stop it is ignored.
    pub(crate) fn push(&self, batch: Batch, urgency: Urgency) -> Ticket {
        let size = batch.size();
        let mut inner = self.inner.lock();
        inner.last.0 += 1;
        let ticket = inner.last;
        if inner.stop.is_some() {
            return ticket;
        }
        self.pending.fetch_add(size, Ordering::Relaxed);
        inner.batches.push_back(Queued { ticket, batch, size });
        if urgency == Urgency::Now || inner.batches.len() >= MOST_LAZY {
            inner.urgent = true;
        }
        let wake = match inner.sleep {
            Sleep::Awake => false,
            Sleep::Light => inner.urgent,
            Sleep::Deep => true,
        };
        if wake {
            inner.sleep = Sleep::Awake;
            drop(inner);
            self.bell.notify_one();
        }
        ticket
    }

    /// Takes all that waits; tells whether the writer is to end.
    pub(crate) fn take(&self, into: &mut VecDeque<Queued>) -> Option<Stop> {
        let mut inner = self.inner.lock();
        inner.urgent = false;
        if into.is_empty() {
            std::mem::swap(into, &mut inner.batches);
        } else {
            into.append(&mut inner.batches);
        }
        inner.stop
    }

    /// Notes that so many bytes are durable, or never will be.
    pub(crate) fn settle(&self, bytes: u64) {
        self.pending.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Bytes that are committed and not durable.
    pub(crate) fn pending(&self) -> u64 {
        self.pending.load(Ordering::Relaxed)
    }

    /// Makes the writer look around.
    pub(crate) fn poke(&self) {
        let mut inner = self.inner.lock();
        inner.urgent = true;
        inner.sleep = Sleep::Awake;
        drop(inner);
        self.bell.notify_one();
    }

    pub(crate) fn stop(&self, how: Stop) {
        self.inner.lock().stop = Some(how);
        self.poke();
    }

    /// Sleeps until another thread pokes, at most so long.
    pub(crate) fn pause(&self, most: Duration) {
        let mut inner = self.inner.lock();
        if !inner.urgent {
            self.bell.wait_for(&mut inner, most);
        }
    }

    /// Sleeps until there is something to do; batches that nobody waits for may wait for `lazy`.
    ///
    /// The first sleep is always a light one: where consumers acknowledge what producers wait for, each acknowledgement
    /// would wake the writer for nothing.
    pub(crate) fn wait(&self, lazy: Duration) {
        let mut inner = self.inner.lock();
        let mut rested = false;
        while !inner.urgent && inner.stop.is_none() {
            if rested && inner.batches.is_empty() {
                inner.sleep = Sleep::Deep;
                self.bell.wait(&mut inner);
            } else {
                inner.sleep = Sleep::Light;
                rested = self.bell.wait_for(&mut inner, lazy).timed_out();
                if rested && !inner.batches.is_empty() {
                    break;
                }
            }
        }
        inner.sleep = Sleep::Awake;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::testing::conformance::put;

    fn batch() -> Batch {
        Batch { ops: vec![put(1, 1, "abc")] }
    }

    fn tickets(queue: &Queue) -> Vec<u64> {
        let mut taken = VecDeque::new();
        queue.take(&mut taken);
        taken.iter().map(|queued| queued.ticket.0).collect()
    }

    #[test]
    fn batches_keep_the_order_of_their_tickets() {
        let queue = Queue::new();
        let given: Vec<u64> = (0..5).map(|_| queue.push(batch(), Urgency::Now).0).collect();
        assert_eq!(given, tickets(&queue));
        assert_eq!(tickets(&queue), [0; 0]);
        assert_eq!(queue.pending(), 5 * batch().size());
    }

    #[test]
    fn an_urgent_batch_ends_a_wait_and_a_lazy_one_after_its_delay() {
        let queue = Arc::new(Queue::new());
        for urgency in [Urgency::Now, Urgency::Lazy] {
            let sleeper = Arc::clone(&queue);
            let thread = std::thread::Builder::new()
                .spawn(move || {
                    sleeper.wait(Duration::from_millis(20));
                    tickets(&sleeper).len()
                })
                .unwrap();
            queue.push(batch(), urgency);
            assert_eq!(thread.join().unwrap(), 1);
        }
    }

    #[test]
    fn a_poke_ends_a_wait_though_nothing_was_committed() {
        let queue = Queue::new();
        queue.poke();
        queue.wait(Duration::from_mins(1));
        assert_eq!(tickets(&queue), [0; 0]);
    }

    #[test]
    fn after_the_stop_batches_are_numbered_and_ignored() {
        let queue = Queue::new();
        queue.push(batch(), Urgency::Now);
        queue.stop(Stop::Drain);
        assert_eq!(queue.push(batch(), Urgency::Now), Ticket(2));
        assert_eq!(tickets(&queue), [1]);
        assert_eq!(queue.take(&mut VecDeque::new()), Some(Stop::Drain));
        queue.wait(Duration::from_mins(1));
    }
}
