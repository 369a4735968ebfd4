//! The guessing guard: misses are counted, and whoever has missed too often waits, twice as long each time.
//!
//! Three counts are kept, and each is there for one kind of guesser:
//!
//! * for a **user from a source**: somebody tries many passwords of one user. Five misses are free, then the wait begins
//!   with a second and ends at a quarter of an hour. Only that source waits for that user: nobody can lock out a user
//!   who logs in from elsewhere.
//! * for a **source**: somebody tries many users. Twenty misses are free, and the wait ends at five minutes.
//! * for a **user**: somebody tries from many sources. Fifty misses are free, and the wait ends at half a minute, for it
//!   is one that others can cause.
//!
//! A user who has logged in from a source within a day has proven that source: the second and third count do not touch
//! them there. On loopback no wait is longer than five seconds, and the third count does not hold, so that whoever sits
//! at the machine gets in. A source is one IPv4 address, or the 64 bits of an IPv6 address that a network gives its
//! hosts to play with. What is refused during a wait is not looked at, and so is not counted.
//!
//! Counts fade by half each quarter of an hour without a miss or a wait. The tables are bounded; what is oldest and unproven goes first. Keys are
//! hashes: people type their password into the field for the name.

use std::collections::HashMap;
use std::net::IpAddr;

use aws_lc_rs::hmac;

use crate::turnstile::Key;

const SECOND: u64 = 1_000;
const MINUTE: u64 = 60 * SECOND;

/// What is known of misses fades by half in this time.
const HALF_LIFE: u64 = 15 * MINUTE;
/// How long a login proves its source.
const PROVEN: u64 = 24 * 60 * MINUTE;
/// The longest wait on loopback.
const LOOPBACK_WAIT: u64 = 5 * SECOND;
/// More doublings than this lead beyond every longest wait.
const MOST_DOUBLINGS: u32 = 20;
/// Most entries of each table.
const MOST: usize = 20_000;

/// How many misses are free, and how long the longest wait is.
#[derive(Clone, Copy, Debug)]
struct Allowance {
    free: u32,
    longest: u64,
}

const PAIR: Allowance = Allowance { free: 5, longest: 15 * MINUTE };
const SOURCE: Allowance = Allowance { free: 20, longest: 5 * MINUTE };
const USER: Allowance = Allowance { free: 50, longest: 30 * SECOND };

/// Who tries to log in from where, as the guard knows them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Attempt {
    /// The user from this source.
    pub pair: Key,
    source: Key,
    user: Key,
    loopback: bool,
}

impl Attempt {
    /// Under the key of this process.
    pub(crate) fn new(key: &hmac::Key, user: &str, source: IpAddr) -> Self {
        let (prefix, length) = prefix(source);
        let prefix = &prefix[..length];
        Self {
            pair: digest(key, &[b"pair", prefix, user.as_bytes()]),
            source: digest(key, &[b"source", prefix]),
            user: digest(key, &[b"user", user.as_bytes()]),
            loopback: source.to_canonical().is_loopback(),
        }
    }
}

/// What an address is counted as.
fn prefix(source: IpAddr) -> ([u8; 8], usize) {
    let mut bytes = [0; 8];
    match source.to_canonical() {
        IpAddr::V4(address) => {
            bytes[..4].copy_from_slice(&address.octets());
            (bytes, 4)
        }
        IpAddr::V6(address) => {
            bytes.copy_from_slice(&address.octets()[..8]);
            (bytes, 8)
        }
    }
}

/// Each part with its length before it, so that no two lists of parts are one text.
fn digest(key: &hmac::Key, parts: &[&[u8]]) -> Key {
    let mut context = hmac::Context::with_key(key);
    for part in parts {
        context.update(&part.len().to_be_bytes());
        context.update(part);
    }
    let mut short = Key::default();
    short.iter_mut().zip(context.sign().as_ref()).for_each(|(to, from)| *to = *from);
    short
}

/// What is known of one key. Times are milliseconds of a clock that never steps.
#[derive(Clone, Copy, Debug, Default)]
struct Count {
    misses: u32,
    /// The last miss, or the end of its wait.
    last: u64,
    locked_until: u64,
    proven_until: u64,
}

impl Count {
    fn fade(&mut self, now: u64) {
        let halvings = now.saturating_sub(self.last) / HALF_LIFE;
        if halvings > 0 {
            self.misses =
                u32::try_from(halvings).ok().and_then(|by| self.misses.checked_shr(by)).unwrap_or(0);
            self.last += halvings * HALF_LIFE;
        }
    }

    fn miss(&mut self, allowance: Allowance, loopback: bool, now: u64) {
        self.fade(now);
        self.misses = self.misses.saturating_add(1);
        self.last = now;
        if self.misses >= allowance.free {
            let wait = SECOND << (self.misses - allowance.free).min(MOST_DOUBLINGS);
            let longest = if loopback { LOOPBACK_WAIT } else { allowance.longest };
            self.locked_until = now.saturating_add(wait.min(longest));
            // Waiting is no merit: what is known fades only once the wait is over.
            self.last = self.locked_until;
        }
    }

    fn is_locked(&self, now: u64) -> bool {
        now < self.locked_until
    }

    fn is_proven(&self, now: u64) -> bool {
        now < self.proven_until
    }
}

/// What the guard has counted.
#[derive(Debug, Default)]
pub(crate) struct Guard {
    pairs: HashMap<Key, Count>,
    sources: HashMap<Key, Count>,
    users: HashMap<Key, Count>,
}

impl Guard {
    /// Whether this one has to wait, and why.
    pub(crate) fn locked(&self, attempt: &Attempt, now: u64) -> Option<&'static str> {
        let locked =
            |table: &HashMap<Key, Count>, key| table.get(key).is_some_and(|count| count.is_locked(now));
        if locked(&self.pairs, &attempt.pair) {
            return Some(crate::why::LOCKED_PAIR);
        }
        if self.pairs.get(&attempt.pair).is_some_and(|count| count.is_proven(now)) {
            return None;
        }
        if locked(&self.sources, &attempt.source) {
            return Some(crate::why::LOCKED_SOURCE);
        }
        if !attempt.loopback && locked(&self.users, &attempt.user) {
            return Some(crate::why::LOCKED_USER);
        }
        None
    }

    /// A wrong guess.
    pub(crate) fn miss(&mut self, attempt: &Attempt, now: u64) {
        count_of(&mut self.pairs, attempt.pair, now).miss(PAIR, attempt.loopback, now);
        count_of(&mut self.sources, attempt.source, now).miss(SOURCE, attempt.loopback, now);
        count_of(&mut self.users, attempt.user, now).miss(USER, attempt.loopback, now);
    }

    /// A right one. It forgives this user at this source only: with an account of their own, a guesser would otherwise
    /// wipe the source's count between two guesses.
    pub(crate) fn hit(&mut self, attempt: &Attempt, now: u64) {
        *count_of(&mut self.pairs, attempt.pair, now) =
            Count { last: now, proven_until: now.saturating_add(PROVEN), ..Count::default() };
    }
}

fn count_of(table: &mut HashMap<Key, Count>, key: Key, now: u64) -> &mut Count {
    if table.len() >= MOST && !table.contains_key(&key) {
        let least = table.iter().min_by_key(|(_, count)| (count.is_proven(now), count.last));
        if let Some(key) = least.map(|(key, _)| *key) {
            table.remove(&key);
        }
    }
    table.entry(key).or_default()
}

#[cfg(test)]
mod tests;
