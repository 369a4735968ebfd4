//! Lets only so many through at a time: hashing a password costs 19 MiB and a core for a while.

use std::time::Duration;

use parking_lot::{Condvar, Mutex};

/// Who wants through; one of each at a time.
pub(crate) type Key = [u8; 16];

/// How many may hash, and how many may wait for it.
#[derive(Clone, Copy, Debug)]
pub struct HashingBounds {
    /// At a time.
    pub at_once: usize,
    /// Waiting; whoever comes then is told that the broker is busy.
    pub waiting: usize,
    /// How long one waits; afterwards the same.
    pub patience: Duration,
}

impl Default for HashingBounds {
    fn default() -> Self {
        Self { at_once: 2, waiting: 256, patience: Duration::from_secs(5) }
    }
}

/// One at a time for each key, and not too many altogether.
#[derive(Debug)]
pub(crate) struct Turnstile {
    bounds: HashingBounds,
    state: Mutex<State>,
    freed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    inside: Vec<Key>,
    waiting: usize,
}

impl State {
    fn is_free_for(&self, key: &Key, at_once: usize) -> bool {
        self.inside.len() < at_once && !self.inside.contains(key)
    }
}

/// The right to be inside; given back when dropped.
#[derive(Debug)]
pub(crate) struct Pass<'t> {
    turnstile: &'t Turnstile,
    key: Key,
}

impl Turnstile {
    pub(crate) fn new(bounds: HashingBounds) -> Self {
        Self { bounds, state: Mutex::default(), freed: Condvar::new() }
    }

    /// Waits to be let in; `None` when too many wait or it takes too long.
    ///
    /// One at a time for each key does two things. A guesser with a thousand connections learns of each miss before the
    /// next guess is looked at, so that the guard's count is never overtaken. And of a thousand connections of one
    /// program that come back at once, one hashes, and the others find the answer in the cache.
    pub(crate) fn enter(&self, key: Key) -> Option<Pass<'_>> {
        let mut state = self.state.lock();
        if !state.is_free_for(&key, self.bounds.at_once) {
            if state.waiting >= self.bounds.waiting {
                return None;
            }
            state.waiting += 1;
            let blocked = |state: &mut State| !state.is_free_for(&key, self.bounds.at_once);
            let waited = self.freed.wait_while_for(&mut state, blocked, self.bounds.patience);
            state.waiting -= 1;
            if waited.timed_out() && !state.is_free_for(&key, self.bounds.at_once) {
                return None;
            }
        }
        state.inside.push(key);
        Some(Pass { turnstile: self, key })
    }
}

#[cfg(test)]
impl Turnstile {
    /// Comes back when so many wait.
    pub(crate) fn until_waiting(&self, number: usize) {
        while self.state.lock().waiting < number {
            std::thread::yield_now();
        }
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        let mut state = self.turnstile.state.lock();
        if let Some(at) = state.inside.iter().position(|key| *key == self.key) {
            state.inside.swap_remove(at);
        }
        drop(state);
        self.turnstile.freed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    const A: Key = [1; 16];
    const B: Key = [2; 16];
    const C: Key = [3; 16];

    fn turnstile(at_once: usize, waiting: usize, patience: Duration) -> Turnstile {
        Turnstile::new(HashingBounds { at_once, waiting, patience })
    }

    #[test]
    fn only_so_many_are_inside() {
        let turnstile = turnstile(2, 0, Duration::ZERO);
        let (a, b) = (turnstile.enter(A).unwrap(), turnstile.enter(B).unwrap());
        assert!(turnstile.enter(C).is_none());
        drop(a);
        let c = turnstile.enter(C).unwrap();
        assert!(turnstile.enter(A).is_none());
        drop((b, c));
        assert!(turnstile.enter(A).is_some());
    }

    #[test]
    fn one_of_each_key_is_inside() {
        let turnstile = turnstile(5, 0, Duration::ZERO);
        let inside = turnstile.enter(A).unwrap();
        assert!(turnstile.enter(A).is_none());
        assert!(turnstile.enter(B).is_some());
        drop(inside);
        assert!(turnstile.enter(A).is_some());
    }

    #[test]
    fn nobody_waits_for_ever() {
        let turnstile = turnstile(1, 5, Duration::from_millis(1));
        let _inside = turnstile.enter(A).unwrap();
        assert!(turnstile.enter(B).is_none());
        assert_eq!(turnstile.state.lock().waiting, 0);
    }

    #[test]
    fn who_waits_is_let_in_when_there_is_room() {
        let turnstile = turnstile(1, 10, Duration::from_mins(10));
        let (inside, most, done) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
        std::thread::scope(|threads| {
            for number in 0..8 {
                let (turnstile, inside, most, done) = (&turnstile, &inside, &most, &done);
                threads.spawn(move || {
                    let pass = turnstile.enter([number; 16]).unwrap();
                    most.fetch_max(inside.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    inside.fetch_sub(1, Ordering::SeqCst);
                    done.fetch_add(1, Ordering::SeqCst);
                    drop(pass);
                });
            }
        });
        assert_eq!((most.into_inner(), done.into_inner()), (1, 8));
        assert!(turnstile.state.lock().inside.is_empty());
    }
}
