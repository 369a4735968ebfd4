//! Remembers for a minute who has just logged in, so that a thousand connections that come back at once cost one hash.
//!
//! What is kept is a tag of name and password under a key that only this process knows: a copy of its memory shows no
//! password that could be tried elsewhere. A tag is good in the epoch of the users that it was made in; a change of the
//! users raises the epoch and so forgets all of them.

use std::collections::HashMap;
use std::sync::Arc;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac;
use keepmq_model::Secret;

/// Most tags of one user: the new password and the old one.
const MOST_OF_A_USER: usize = 2;

/// A name and a password, hashed.
pub(crate) type Tag = hmac::Tag;

#[derive(Debug)]
struct Kept {
    tag: Tag,
    by: &'static str,
    until: u64,
}

/// Who has just logged in. Only users are in it, and each twice at most: their number is its bound.
#[derive(Debug, Default)]
pub(crate) struct Cache {
    epoch: u64,
    users: HashMap<Arc<str>, Vec<Kept>>,
}

impl Cache {
    /// How long a login is remembered, in milliseconds.
    pub(crate) const LIFE_MS: u64 = 60_000;

    /// What is kept of a name and a password.
    pub(crate) fn tag(key: &hmac::Key, user: &str, password: &Secret) -> Tag {
        let mut context = hmac::Context::with_key(key);
        context.update(b"login");
        context.update(&user.len().to_be_bytes());
        context.update(user.as_bytes());
        context.update(password.expose());
        context.sign()
    }

    /// By what this login was judged a short while ago, if it was right.
    pub(crate) fn find(&self, epoch: u64, user: &str, tag: &Tag, now: u64) -> Option<&'static str> {
        if self.epoch != epoch {
            return None;
        }
        let is_it = |kept: &&Kept| {
            now < kept.until && verify_slices_are_equal(kept.tag.as_ref(), tag.as_ref()).is_ok()
        };
        self.users.get(user)?.iter().find(is_it).map(|kept| kept.by)
    }

    /// Remembers a login that was right in this epoch.
    pub(crate) fn keep(&mut self, epoch: u64, user: &Arc<str>, tag: Tag, by: &'static str, until: u64) {
        if epoch < self.epoch {
            return;
        }
        if epoch > self.epoch {
            *self = Self { epoch, ..Self::default() };
        }
        let kept = self.users.entry(Arc::clone(user)).or_default();
        // A user has one password of each kind; the one before was of users that are no more, or the same.
        kept.retain(|kept| kept.by != by);
        kept.truncate(MOST_OF_A_USER - 1);
        kept.push(Kept { tag, by, until });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> hmac::Key {
        hmac::Key::new(hmac::HMAC_SHA256, &[7; 32])
    }

    fn tag(user: &str, password: &str) -> Tag {
        Cache::tag(&key(), user, &Secret::new(password.as_bytes().to_vec()))
    }

    fn filled() -> Cache {
        let mut cache = Cache::default();
        cache.keep(1, &"ann".into(), tag("ann", "secret"), "new", 1_000);
        cache
    }

    #[test]
    fn a_login_is_remembered_for_its_time() {
        let cache = filled();
        assert_eq!(cache.find(1, "ann", &tag("ann", "secret"), 999), Some("new"));
        assert_eq!(cache.find(1, "ann", &tag("ann", "secret"), 1_000), None);
    }

    #[test]
    fn another_password_or_user_is_not_remembered() {
        let cache = filled();
        assert_eq!(cache.find(1, "ann", &tag("ann", "secret2"), 0), None);
        assert_eq!(cache.find(1, "bob", &tag("bob", "secret"), 0), None);
        assert_eq!(cache.find(1, "ann", &tag("bob", "secret"), 0), None);
        assert_ne!(tag("ab", "c").as_ref(), tag("a", "bc").as_ref());
    }

    #[test]
    fn a_change_of_the_users_forgets_everybody() {
        let mut cache = filled();
        assert_eq!(cache.find(2, "ann", &tag("ann", "secret"), 0), None);
        cache.keep(2, &"bob".into(), tag("bob", "x"), "new", 1_000);
        assert_eq!((cache.users.len(), cache.find(1, "ann", &tag("ann", "secret"), 0)), (1, None));
    }

    #[test]
    fn a_login_judged_by_users_of_before_is_not_remembered() {
        let mut cache = filled();
        cache.keep(0, &"bob".into(), tag("bob", "x"), "new", 1_000);
        assert_eq!(cache.users.len(), 1);
        assert!(cache.find(0, "bob", &tag("bob", "x"), 0).is_none());
    }

    #[test]
    fn old_and_new_password_are_remembered_and_no_more() {
        let mut cache = filled();
        cache.keep(1, &"ann".into(), tag("ann", "old"), "old", 1_000);
        cache.keep(1, &"ann".into(), tag("ann", "secret"), "new", 2_000);
        assert_eq!(cache.users["ann"].len(), 2);
        assert_eq!(cache.find(1, "ann", &tag("ann", "old"), 0), Some("old"));
        assert_eq!(cache.find(1, "ann", &tag("ann", "secret"), 1_500), Some("new"));
    }
}
