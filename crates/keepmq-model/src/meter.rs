//! Counts the bytes of all messages in memory, whoever holds them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// Counters that threads take turns to get. More than processors of most machines would only make the sum slower.
const STRIPES: usize = 8;

/// A counter with a cache line of its own.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Stripe(AtomicU64);

/// A handle on the count.
///
/// Messages hold the handle by which they were counted. Who counts up is mostly on another processor than who counts
/// down: each thread has a counter of its own, and each batch of messages should have [a handle of its own](Self::another).
#[derive(Debug, Default)]
pub struct Meter(Arc<[Stripe; STRIPES]>);

impl Meter {
    /// Bytes held now.
    pub fn bytes(&self) -> u64 {
        self.0.iter().fold(0, |sum, stripe| sum.wrapping_add(stripe.0.load(Ordering::Relaxed)))
    }

    /// Another handle on the same count.
    #[must_use]
    pub fn another(&self) -> Self {
        Self(Arc::clone(&self.0))
    }

    /// This thread's counter. One alone may run below zero and wrap; their sum does not.
    fn stripe(&self) -> &AtomicU64 {
        static THREADS: AtomicUsize = AtomicUsize::new(0);
        thread_local! {
            static OWN: usize = THREADS.fetch_add(1, Ordering::Relaxed) % STRIPES;
        }
        &self.0[OWN.with(|own| *own)].0
    }
}

/// Bytes that are counted until this is dropped.
#[derive(Debug)]
pub(crate) struct Charge {
    meter: Arc<Meter>,
    bytes: u64,
}

impl Charge {
    pub(crate) fn new(meter: &Arc<Meter>, bytes: u64) -> Self {
        meter.stripe().fetch_add(bytes, Ordering::Relaxed);
        Self { meter: Arc::clone(meter), bytes }
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.meter.stripe().fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handles_and_threads_share_one_count() {
        let meter = Meter::default();
        let (one, other) = (Arc::new(meter.another()), Arc::new(meter.another()));
        let charges = [Charge::new(&one, 5), Charge::new(&other, 7)];
        assert_eq!((meter.bytes(), one.bytes()), (12, 12));
        std::thread::Builder::new()
            .name("other".to_owned())
            .spawn(move || drop(charges))
            .unwrap()
            .join()
            .unwrap();
        assert_eq!(meter.bytes(), 0);
    }
}
