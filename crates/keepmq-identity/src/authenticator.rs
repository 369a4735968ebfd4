//! Judges logins.

use std::collections::HashMap;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use arc_swap::ArcSwap;
use aws_lc_rs::hmac;
use keepmq_model::{Now, Principal, Secret};
use parking_lot::Mutex;
use thiserror::Error;

use crate::cache::Cache;
use crate::guard::{Attempt, Guard};
use crate::hash::{Derive, Derived, Hash, derive};
use crate::password::LONGEST;
use crate::turnstile::{HashingBounds, Turnstile};
use crate::users::{User, Users};
use crate::users_file::{UsersFault, load};
use crate::why;

/// By what a login was judged, for the audit log.
pub const BY_USERS: &str = "users";
/// By a password that is on its way out.
pub const BY_OLD_PASSWORD: &str = "users, by the old password";

/// What became of a login.
///
/// The peer hears the same of every refusal but [`why::BUSY`], and should hear it no sooner than
/// [`REFUSE_AFTER`](crate::REFUSE_AFTER) after its login came: what the guard refuses is not hashed, and would otherwise
/// be told by its haste.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is them.
    Verified {
        /// Who.
        principal: Arc<Principal>,
        /// By what: [`BY_USERS`] or [`BY_OLD_PASSWORD`].
        by: &'static str,
    },
    /// It is not, or nobody can say.
    Refused {
        /// For the audit log, one of [`why`]; never for the peer.
        why: &'static str,
    },
}

/// The machine gives no randomness.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the machine gives no randomness")]
pub struct NoRandomness;

/// The users as they are now, ready to be asked.
#[derive(Debug, Default)]
struct Set {
    epoch: u64,
    users: HashMap<Arc<str>, (User, Arc<Principal>)>,
}

impl Set {
    fn new(epoch: u64, users: &Users) -> Self {
        let entry = |user: &User| (Arc::clone(&user.name), (user.clone(), Arc::new(user.principal())));
        Self { epoch, users: users.list().iter().map(entry).collect() }
    }
}

/// Judges logins by the users' passwords. [`Self::verify`] may take as long as a hash and the wait for one: it is called
/// where blocking hurts nobody.
#[derive(Debug)]
pub struct Authenticator {
    set: ArcSwap<Set>,
    key: hmac::Key,
    nobody: Hash,
    cache: Mutex<Cache>,
    guard: Mutex<Guard>,
    turnstile: Turnstile,
    derive: Derive,
}

impl Authenticator {
    /// For these users.
    pub fn new(users: &Users, bounds: HashingBounds) -> Result<Self, NoRandomness> {
        Self::with(users, bounds, derive)
    }

    fn with(users: &Users, bounds: HashingBounds, derive: Derive) -> Result<Self, NoRandomness> {
        let mut key = zeroize::Zeroizing::new([0; 32]);
        aws_lc_rs::rand::fill(&mut *key).map_err(|_| NoRandomness)?;
        Ok(Self {
            set: ArcSwap::from_pointee(Set::new(0, users)),
            key: hmac::Key::new(hmac::HMAC_SHA256, &*key),
            nobody: Hash::of_nobody().ok_or(NoRandomness)?,
            cache: Mutex::default(),
            guard: Mutex::default(),
            turnstile: Turnstile::new(bounds),
            derive,
        })
    }

    /// Puts other users in the place of the present ones. Logins under way are judged by the one or the other; what was
    /// remembered of earlier logins is forgotten.
    pub fn replace(&self, users: &Users) {
        self.set.rcu(|set| Set::new(set.epoch + 1, users));
    }

    /// Reads the users anew. When they can't be read, the present ones stay.
    pub fn reload(&self, path: &Path) -> Result<(), UsersFault> {
        self.replace(&load(path)?);
        Ok(())
    }

    /// As what a user is known now; `None` when they are gone or disabled. For those who logged in before a change.
    pub fn principal(&self, name: &str) -> Option<Arc<Principal>> {
        let set = self.set.load();
        let (user, principal) = set.users.get(name)?;
        (!user.disabled).then(|| Arc::clone(principal))
    }

    /// Judges a login.
    pub fn verify(&self, user: &str, password: &Secret, source: IpAddr, now: Now) -> Verdict {
        let attempt = Attempt::new(&self.key, user, source);
        if let Some(verdict) = self.judge_by_memory(user, password, &attempt, now) {
            return verdict;
        }
        let Some(_pass) = self.turnstile.enter(attempt.pair) else {
            return Verdict::Refused { why: why::BUSY };
        };
        // While this one waited, another may have answered the question, or used up what is free.
        self.judge_by_memory(user, password, &attempt, now)
            .unwrap_or_else(|| self.judge_by_hash(user, password, &attempt, now))
    }

    fn judge_by_memory(&self, user: &str, password: &Secret, attempt: &Attempt, now: Now) -> Option<Verdict> {
        // The guard comes first: a password that is remembered could otherwise be guessed at without a wait.
        if let Some(why) = self.guard.lock().locked(attempt, now.mono_ms) {
            return Some(Verdict::Refused { why });
        }
        let set = self.set.load();
        let tag = Cache::tag(&self.key, user, password);
        let by = self.cache.lock().find(set.epoch, user, &tag, now.mono_ms)?;
        let (_, principal) = set.users.get(user)?;
        // What proves the source is the password, however it was compared.
        self.guard.lock().hit(attempt, now.mono_ms);
        Some(Verdict::Verified { principal: Arc::clone(principal), by })
    }

    fn judge_by_hash(&self, name: &str, password: &Secret, attempt: &Attempt, now: Now) -> Verdict {
        let set = self.set.load_full();
        let found = set.users.get(name);
        let salt = found.map_or(&self.nobody, |(user, _)| &user.hash).salt();
        // Nobody has a longer one; it is cut so that nobody is kept busy by its length.
        let bytes = password.expose();
        let Some(derived) = (self.derive)(bytes.get(..LONGEST).unwrap_or(bytes), salt) else {
            return Verdict::Refused { why: why::BUSY };
        };
        let until = self.compare(found.map(|(user, _)| user), &derived, now);
        let refused = match (found, until) {
            (None, _) => why::UNKNOWN,
            (Some((user, _)), _) if user.disabled => why::DISABLED,
            (Some(_), None) => why::WRONG,
            (Some(_), Some(_)) if bytes.len() > LONGEST => why::WRONG,
            (Some((_, principal)), Some((by, until))) => {
                let tag = Cache::tag(&self.key, name, password);
                self.cache.lock().keep(set.epoch, &principal.name, tag, by, until);
                self.guard.lock().hit(attempt, now.mono_ms);
                return Verdict::Verified { principal: Arc::clone(principal), by };
            }
        };
        self.guard.lock().miss(attempt, now.mono_ms);
        Verdict::Refused { why: refused }
    }

    /// Compares with both passwords that a user can have, whether they have them or not. A match comes with what it was
    /// and until when it may be remembered.
    fn compare(&self, user: Option<&User>, derived: &Derived, now: Now) -> Option<(&'static str, u64)> {
        let hash = user.map_or(&self.nobody, |user| &user.hash);
        let old = user.and_then(|user| user.old.as_ref()).filter(|old| now.unix_ms < old.until_ms);
        let (is_new, is_old) = (hash.is(derived), old.map_or(&self.nobody, |old| &old.hash).is(derived));
        let remember = now.mono_ms.saturating_add(Cache::LIFE_MS);
        match (is_new, is_old, old) {
            (true, _, _) => Some((BY_USERS, remember)),
            (false, true, Some(old)) => {
                let left = old.until_ms - now.unix_ms;
                Some((BY_OLD_PASSWORD, remember.min(now.mono_ms.saturating_add(left))))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod histories;
#[cfg(test)]
mod tests;
