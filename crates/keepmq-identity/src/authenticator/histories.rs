//! Whatever is done in whatever order: who is let in is in the users of that moment, with that password. The oracle is a
//! plain list, without a guard, a cache or a hash.

use std::time::Duration;

use proptest::prelude::*;

use super::tests::{quick, quick_hash};
use super::*;
use crate::users::OldHash;

const NAMES: [&str; 3] = ["ann", "bob", "eve"];
const PASSWORDS: [&str; 3] = ["password-one", "password-two", "password-six"];
const SALT: [u8; 16] = [3; 16];

/// A user as the oracle knows them.
#[derive(Clone, Debug)]
struct Known {
    name: &'static str,
    password: &'static str,
    old: Option<(&'static str, u64)>,
    disabled: bool,
}

#[derive(Clone, Debug)]
enum Step {
    Login { name: usize, password: usize, source: u8 },
    Password { name: usize, password: usize, keep: Option<u64> },
    Disable { name: usize, disabled: bool },
    Remove { name: usize },
    Wait { ms: u64 },
}

fn step() -> impl Strategy<Value = Step> {
    let (name, password) = (0..NAMES.len(), 0..PASSWORDS.len());
    prop_oneof![
        6 => (name.clone(), password.clone(), 0u8..3)
            .prop_map(|(name, password, source)| Step::Login { name, password, source }),
        2 => (name.clone(), password, prop::option::of(1u64..200_000))
            .prop_map(|(name, password, keep)| Step::Password { name, password, keep }),
        1 => (name.clone(), any::<bool>()).prop_map(|(name, disabled)| Step::Disable { name, disabled }),
        1 => name.prop_map(|name| Step::Remove { name }),
        2 => (0u64..100_000).prop_map(|ms| Step::Wait { ms }),
    ]
}

fn users_of(known: &[Known]) -> Users {
    let mut users = Users::default();
    for one in known {
        let old = one.old.map(|(password, until_ms)| OldHash { hash: quick_hash(password, SALT), until_ms });
        let (name, hash) = (one.name.into(), quick_hash(one.password, SALT));
        users.insert(User { name, groups: Vec::new(), hash, old, disabled: one.disabled }).unwrap();
    }
    users
}

/// What the oracle says of a login.
fn expected(known: &[Known], name: &str, password: &str, now: u64) -> Option<&'static str> {
    let user = known.iter().find(|one| one.name == name && !one.disabled)?;
    if user.password == password {
        return Some(BY_USERS);
    }
    user.old.is_some_and(|(old, until)| old == password && now < until).then_some(BY_OLD_PASSWORD)
}

/// Takes a change over; returns whether the users are others than before.
fn change(known: &mut Vec<Known>, step: &Step, now: u64) -> bool {
    match *step {
        Step::Password { name, password, keep } => {
            let (name, password) = (NAMES[name], PASSWORDS[password]);
            let before = known.iter().find(|one| one.name == name).cloned();
            let old = before.as_ref().and_then(|one| Some((one.password, now + keep?)));
            let disabled = before.is_some_and(|one| one.disabled);
            known.retain(|one| one.name != name);
            known.push(Known { name, password, old, disabled });
            true
        }
        Step::Disable { name, disabled } => {
            for one in known.iter_mut().filter(|one| one.name == NAMES[name]) {
                one.disabled = disabled;
            }
            true
        }
        Step::Remove { name } => {
            known.retain(|one| one.name != NAMES[name]);
            true
        }
        Step::Login { .. } | Step::Wait { .. } => false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn nobody_is_let_in_whom_the_users_of_the_moment_do_not_know(steps in prop::collection::vec(step(), 1..80)) {
        let bounds = HashingBounds { at_once: 1, waiting: 0, patience: Duration::ZERO };
        let of = Authenticator::with(&Users::default(), bounds, quick).unwrap();
        let (mut known, mut now) = (Vec::new(), Now { mono_ms: 0, unix_ms: 1_000_000 });
        for step in steps {
            if change(&mut known, &step, now.unix_ms) {
                of.replace(&users_of(&known));
            }
            match step {
                Step::Wait { ms } => now = Now { mono_ms: now.mono_ms + ms, unix_ms: now.unix_ms + ms },
                Step::Login { name, password, source } => {
                    let (name, password) = (NAMES[name], PASSWORDS[password]);
                    let wanted = expected(&known, name, password, now.unix_ms);
                    let verdict = of.verify(name, &Secret::new(password.into()), [10, 0, 0, source].into(), now);
                    match verdict {
                        Verdict::Verified { by, .. } => prop_assert_eq!(Some(by), wanted),
                        // The guard may refuse whom the users know, and nothing else may.
                        Verdict::Refused { why } => prop_assert!(wanted.is_none() || why.starts_with("locked"), "{why}"),
                    }
                }
                _ => {}
            }
        }
    }

    #[test]
    fn no_name_and_no_password_make_it_panic(name in "\\PC{0,40}", password: Vec<u8>, source: u128) {
        let bounds = HashingBounds { at_once: 1, waiting: 0, patience: Duration::ZERO };
        let of = Authenticator::with(&Users::default(), bounds, quick).unwrap();
        let source = std::net::Ipv6Addr::from(source).into();
        let verdict = of.verify(&name, &Secret::new(password), source, Now::default());
        prop_assert_eq!(verdict, Verdict::Refused { why: why::UNKNOWN });
    }
}
