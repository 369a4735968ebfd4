//! What waits for one connection to take it.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use keepmq_model::Event;
use parking_lot::Mutex;

/// Tells a connection that there is something for it. Called often: it must be cheap and never block.
pub type Bell = Box<dyn Fn() + Send + Sync>;

/// Events for one connection. Bounded by the credit that its links were granted, and in bytes.
pub(crate) struct Outbox {
    client: u64,
    events: Mutex<Vec<Event>>,
    bytes: AtomicUsize,
    limit: usize,
    /// A link was passed over for want of room: the links must be pumped once there is some.
    starved: AtomicBool,
    rung: AtomicBool,
    bell: Bell,
}

impl Outbox {
    pub(crate) fn new(client: u64, limit: usize, bell: Bell) -> Self {
        Self {
            client,
            events: Mutex::default(),
            bytes: AtomicUsize::new(0),
            limit,
            starved: AtomicBool::new(false),
            rung: AtomicBool::new(false),
            bell,
        }
    }

    /// Whether a message may be handed out now; when not, the connection will ask again by itself.
    pub(crate) fn has_room(&self) -> bool {
        if self.bytes.load(Ordering::Relaxed) < self.limit {
            return true;
        }
        self.starved.store(true, Ordering::SeqCst);
        // The connection may have emptied the box in between, and would then not ask again.
        self.bytes.load(Ordering::SeqCst) < self.limit
    }

    /// Counts bytes that are about to be put in.
    pub(crate) fn reserve(&self, bytes: usize) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Puts events in.
    pub(crate) fn put(&self, events: impl Iterator<Item = Event>) {
        self.events.lock().extend(events);
    }

    /// Tells the connection, unless it has been told and not looked yet.
    pub(crate) fn ring(&self) {
        if !self.rung.swap(true, Ordering::SeqCst) {
            (self.bell)();
        }
    }

    /// The connection looks now: whatever comes later rings the bell again.
    pub(crate) fn look(&self) {
        self.rung.swap(false, Ordering::SeqCst);
    }

    /// Takes everything out, behind what is in `into`.
    pub(crate) fn take(&self, into: &mut Vec<Event>) {
        let mut events = self.events.lock();
        if into.is_empty() {
            std::mem::swap(&mut *events, into);
        } else {
            into.append(&mut events);
        }
    }

    /// Gives room back for messages that were taken out. Says whether links were passed over before.
    pub(crate) fn release(&self, bytes: usize) -> bool {
        let left = self.bytes.fetch_sub(bytes, Ordering::SeqCst).saturating_sub(bytes);
        left < self.limit && self.starved.swap(false, Ordering::SeqCst)
    }

    /// The connection takes nothing any more: its links are passed over from now on, so that what one of them gives back
    /// does not go to the next.
    pub(crate) fn close(&self) {
        self.bytes.store(usize::MAX / 2, Ordering::SeqCst);
    }

    /// Gives memory back while nothing waits.
    pub(crate) fn shrink(&self) {
        let mut events = self.events.lock();
        if events.is_empty() {
            *events = Vec::new();
        }
    }
}

impl fmt::Debug for Outbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Outbox({})", self.client)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use keepmq_model::Tag;
    use std::sync::Arc;

    fn outbox(limit: usize) -> (Outbox, Arc<AtomicUsize>) {
        let rings = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&rings);
        let bell = Box::new(move || {
            count.fetch_add(1, Ordering::Relaxed);
        });
        (Outbox::new(1, limit, bell), rings)
    }

    #[test]
    fn a_connection_that_has_not_looked_is_told_once() {
        let (outbox, rings) = outbox(10);
        outbox.ring();
        outbox.ring();
        assert_eq!(rings.load(Ordering::Relaxed), 1);
        outbox.look();
        outbox.ring();
        assert_eq!(rings.load(Ordering::Relaxed), 2);
    }

    #[test]
    fn a_link_that_was_passed_over_is_remembered() {
        let (outbox, _) = outbox(10);
        outbox.reserve(10);
        assert!(!outbox.has_room());
        assert!(outbox.release(10), "links must be pumped");
        assert!(outbox.has_room());
        outbox.reserve(5);
        assert!(!outbox.release(5), "nobody was passed over");
    }

    #[test]
    fn events_come_out_in_the_order_they_went_in() {
        let (outbox, _) = outbox(10);
        let done = |n| Event::Done { tag: Tag(n) };
        outbox.put([done(1), done(2)].into_iter());
        let mut out = vec![done(0)];
        outbox.take(&mut out);
        outbox.put([done(3)].into_iter());
        outbox.take(&mut out);
        let tags: Vec<u64> =
            out.iter().map(|e| if let Event::Done { tag } = e { tag.0 } else { 99 }).collect();
        assert_eq!(tags, [0, 1, 2, 3]);
    }
}
