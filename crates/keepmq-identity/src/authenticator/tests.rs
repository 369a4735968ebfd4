use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::*;
use crate::hash::Salt;
use crate::users::OldHash;

thread_local! {
    static HASHED: Cell<usize> = const { Cell::new(0) };
}

/// Fast, and counted for each test, which has a thread of its own.
#[expect(clippy::unnecessary_wraps, reason = "it stands in for one that can fail")]
pub(super) fn quick(password: &[u8], salt: &Salt) -> Option<Derived> {
    HASHED.set(HASHED.get() + 1);
    let mut derived = Derived::default();
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, salt), password);
    derived.copy_from_slice(tag.as_ref());
    Some(derived)
}

/// How many hashes something costs.
fn hashes(work: impl FnOnce()) -> usize {
    let before = HASHED.get();
    work();
    HASHED.get() - before
}

/// The PHC form of what [`quick`] makes.
pub(super) fn quick_hash(password: &str, salt: Salt) -> Hash {
    use base64ct::{Base64Unpadded, Encoding};
    let derived = quick(password.as_bytes(), &salt).unwrap();
    let [salt, derived] = [&salt[..], &derived[..]].map(Base64Unpadded::encode_string);
    Hash::parse(&format!("$argon2id$v=19$m=19456,t=2,p=1${salt}${derived}")).unwrap()
}

fn user(name: &str, password: &str) -> User {
    User {
        name: name.into(),
        groups: vec!["aa".into()],
        hash: quick_hash(password, [3; 16]),
        old: None,
        disabled: false,
    }
}

fn users(list: Vec<User>) -> Users {
    let mut users = Users::default();
    for user in list {
        users.insert(user).unwrap();
    }
    users
}

fn bounds() -> HashingBounds {
    HashingBounds { at_once: 2, waiting: 0, patience: Duration::ZERO }
}

fn authenticator(list: Vec<User>) -> Authenticator {
    Authenticator::with(&users(list), bounds(), quick).unwrap()
}

fn secret(text: &str) -> Secret {
    Secret::new(text.as_bytes().to_vec())
}

const HERE: &str = "10.0.0.1";

fn at(ms: u64) -> Now {
    Now { mono_ms: ms, unix_ms: 1_700_000_000_000 + ms }
}

fn login(of: &Authenticator, user: &str, password: &str, ms: u64) -> &'static str {
    login_from(of, user, password, HERE, ms)
}

fn login_from(of: &Authenticator, user: &str, password: &str, source: &str, ms: u64) -> &'static str {
    match of.verify(user, &secret(password), source.parse().unwrap(), at(ms)) {
        Verdict::Verified { principal, by } => {
            assert_eq!(&*principal.name, user);
            by
        }
        Verdict::Refused { why } => why,
    }
}

#[test]
fn the_right_password_is_taken_and_names_the_groups() {
    let of = authenticator(vec![user("ann", "vbcdefg12345")]);
    let verdict = of.verify("ann", &secret("vbcdefg12345"), HERE.parse().unwrap(), at(0));
    let principal = Arc::new(Principal::new("ann", ["aa"]));
    assert_eq!(verdict, Verdict::Verified { principal, by: BY_USERS });
}

#[test]
fn every_refusal_costs_one_hash() {
    let mut disabled = user("dan", "vbcdefg12345");
    disabled.disabled = true;
    let mut changing = user("eve", "vbcdefg12345");
    let old = quick_hash("old-password", [3; 16]);
    changing.old = Some(OldHash { hash: old, until_ms: u64::MAX });
    let of = authenticator(vec![user("ann", "vbcdefg12345"), disabled, changing]);
    for (name, password, why) in [
        ("ann", "wrong-wrong-1", why::WRONG),
        ("ann", "", why::WRONG),
        ("nobody", "vbcdefg12345", why::UNKNOWN),
        ("", "", why::UNKNOWN),
        ("dan", "vbcdefg12345", why::DISABLED),
        ("dan", "wrong-wrong-1", why::DISABLED),
        ("eve", "wrong-wrong-1", why::WRONG),
    ] {
        let cost = hashes(|| assert_eq!(login(&of, name, password, 0), why, "{name}"));
        assert_eq!(cost, 1, "{name} {password}");
    }
}

#[test]
fn a_password_is_compared_letter_by_letter_and_whole() {
    let of = authenticator(vec![user("ann", "vbcdefg12345")]);
    for (number, near) in ["vbcdefg1234", "vbcdefg123456", "Vbcdefg12345", "vbcdefg12345\0", "vbcdefg12345 "]
        .into_iter()
        .enumerate()
    {
        let source = format!("10.1.0.{number}");
        assert_eq!(login_from(&of, "ann", near, &source, 0), why::WRONG, "{near:?}");
    }
}

#[test]
fn an_endless_password_is_wrong_even_when_it_begins_right() {
    let longest = "vbcde".repeat(LONGEST / 5);
    let of = authenticator(vec![user("ann", &longest)]);
    assert_eq!(login(&of, "ann", &format!("{longest}x"), 0), why::WRONG);
    assert_eq!(login(&of, "ann", &"x".repeat(1 << 20), 0), why::WRONG);
    assert_eq!(login(&of, "ann", &longest, 0), BY_USERS);
}

#[test]
fn a_minute_long_the_same_login_costs_no_hash() {
    let of = authenticator(vec![user("ann", "vbcdefg12345")]);
    assert_eq!(hashes(|| assert_eq!(login(&of, "ann", "vbcdefg12345", 0), BY_USERS)), 1);
    for (ms, cost) in [(1, 0), (59_999, 0), (60_000, 1), (60_001, 0)] {
        assert_eq!(hashes(|| assert_eq!(login(&of, "ann", "vbcdefg12345", ms), BY_USERS)), cost, "{ms}");
    }
    assert_eq!(hashes(|| assert_eq!(login_from(&of, "ann", "vbcdefg12345", "10.0.0.9", 3), BY_USERS)), 0);
}

#[test]
fn a_wrong_password_is_hashed_though_the_right_one_is_remembered() {
    let of = authenticator(vec![user("ann", "vbcdefg12345")]);
    assert_eq!(login(&of, "ann", "vbcdefg12345", 0), BY_USERS);
    assert_eq!(hashes(|| assert_eq!(login(&of, "ann", "wrong-wrong-1", 0), why::WRONG)), 1);
}

#[test]
fn a_change_of_the_users_holds_at_once() {
    let of = authenticator(vec![user("ann", "vbcdefg12345"), user("bob", "vbcdefg12345")]);
    assert_eq!(login(&of, "ann", "vbcdefg12345", 0), BY_USERS);
    assert_eq!(login(&of, "bob", "vbcdefg12345", 0), BY_USERS);
    let mut disabled = user("bob", "vbcdefg12345");
    disabled.disabled = true;
    of.replace(&users(vec![user("ann", "other-password-1"), disabled]));
    assert_eq!(login(&of, "ann", "vbcdefg12345", 1), why::WRONG);
    assert_eq!(login(&of, "ann", "other-password-1", 1), BY_USERS);
    assert_eq!(login(&of, "bob", "vbcdefg12345", 1), why::DISABLED);
    of.replace(&Users::default());
    assert_eq!(login(&of, "ann", "other-password-1", 2), why::UNKNOWN);
}

#[test]
fn who_is_logged_in_can_be_looked_up_after_a_change() {
    let of = authenticator(vec![user("ann", "vbcdefg12345"), user("bob", "vbcdefg12345")]);
    assert_eq!(*of.principal("ann").unwrap(), Principal::new("ann", ["aa"]));
    let mut disabled = user("bob", "vbcdefg12345");
    disabled.disabled = true;
    of.replace(&users(vec![disabled]));
    assert_eq!((of.principal("ann"), of.principal("bob")), (None, None));
}

#[test]
fn an_old_password_is_good_until_its_day_and_is_told_of() {
    let mut ann = user("ann", "new-password-1");
    let until_ms = at(30_000).unix_ms;
    ann.old = Some(OldHash { hash: quick_hash("old-password-1", [3; 16]), until_ms });
    let of = authenticator(vec![ann]);
    assert_eq!(hashes(|| assert_eq!(login(&of, "ann", "old-password-1", 0), BY_OLD_PASSWORD)), 1);
    assert_eq!(hashes(|| assert_eq!(login(&of, "ann", "new-password-1", 0), BY_USERS)), 1);
    assert_eq!(hashes(|| assert_eq!(login(&of, "ann", "old-password-1", 29_999), BY_OLD_PASSWORD)), 0);
    assert_eq!(
        login(&of, "ann", "old-password-1", 30_000),
        why::WRONG,
        "remembered no longer than it is good"
    );
    assert_eq!(login(&of, "ann", "new-password-1", 30_000), BY_USERS);
}

#[test]
fn guessing_is_slowed_and_not_even_hashed() {
    let of = authenticator(vec![user("ann", "vbcdefg12345")]);
    for _ in 0..5 {
        assert_eq!(login(&of, "ann", "wrong-wrong-1", 0), why::WRONG);
    }
    assert_eq!(hashes(|| assert_eq!(login(&of, "ann", "vbcdefg12345", 999), why::LOCKED_PAIR)), 0);
    assert_eq!(login_from(&of, "ann", "vbcdefg12345", "10.0.0.2", 999), BY_USERS);
    assert_eq!(login(&of, "ann", "vbcdefg12345", 1_000), BY_USERS);
}

#[test]
fn a_remembered_password_does_not_help_a_guesser_past_the_wait() {
    let of = authenticator(vec![user("ann", "vbcdefg12345")]);
    assert_eq!(login_from(&of, "ann", "vbcdefg12345", "10.0.0.2", 0), BY_USERS);
    for _ in 0..5 {
        login(&of, "ann", "wrong-wrong-1", 0);
    }
    assert_eq!(login(&of, "ann", "vbcdefg12345", 1), why::LOCKED_PAIR);
}

#[test]
fn names_that_nobody_has_are_counted_like_others() {
    let of = authenticator(vec![]);
    for _ in 0..5 {
        assert_eq!(login(&of, "nobody", "wrong-wrong-1", 0), why::UNKNOWN);
    }
    assert_eq!(login(&of, "nobody", "wrong-wrong-1", 0), why::LOCKED_PAIR);
}

#[test]
fn when_all_are_hashing_the_broker_is_busy_and_nobody_is_blamed() {
    let of = authenticator(vec![user("ann", "vbcdefg12345")]);
    let (one, two) = (of.turnstile.enter([1; 16]), of.turnstile.enter([2; 16]));
    for _ in 0..10 {
        assert_eq!(login(&of, "ann", "wrong-wrong-1", 0), why::BUSY);
    }
    drop((one, two));
    assert_eq!(login(&of, "ann", "vbcdefg12345", 0), BY_USERS);
}

static STORM: AtomicUsize = AtomicUsize::new(0);

fn counted(password: &[u8], salt: &Salt) -> Option<Derived> {
    STORM.fetch_add(1, Ordering::SeqCst);
    quick(password, salt)
}

/// Nobody is told to come back later.
fn patient() -> HashingBounds {
    HashingBounds { at_once: 8, waiting: 100, patience: Duration::from_mins(10) }
}

/// Holds back the logins of this user from [`HERE`] until so many of them wait, and then lets them go.
fn all_at_once(of: &Authenticator, user: &str, number: usize, login: impl Fn(usize) + Sync) {
    let attempt = Attempt::new(&of.key, user, HERE.parse().unwrap());
    let held = of.turnstile.enter(attempt.pair).unwrap();
    std::thread::scope(|threads| {
        for index in 0..number {
            let login = &login;
            threads.spawn(move || login(index));
        }
        of.turnstile.until_waiting(number);
        drop(held);
    });
}

#[test]
fn a_storm_of_one_program_costs_one_hash() {
    let of = Authenticator::with(&users(vec![user("ann", "vbcdefg12345")]), patient(), counted).unwrap();
    all_at_once(&of, "ann", 32, |_| assert_eq!(login(&of, "ann", "vbcdefg12345", 0), BY_USERS));
    assert_eq!(STORM.load(Ordering::SeqCst), 1);
}

#[test]
fn parallel_guesses_do_not_outrun_the_count() {
    let of = Authenticator::with(&users(vec![user("ann", "vbcdefg12345")]), patient(), quick).unwrap();
    let looked_at = AtomicUsize::new(0);
    all_at_once(&of, "ann", 64, |number| {
        if login(&of, "ann", &format!("wrong-wrong-{number}"), 0) == why::WRONG {
            looked_at.fetch_add(1, Ordering::SeqCst);
        }
    });
    assert_eq!(looked_at.into_inner(), 5);
}

#[test]
fn the_real_hash_function_judges_too() {
    let mut users = Users::default();
    users.add("ann", &["aa"], &secret("vbcdefg12345")).unwrap();
    let of = Authenticator::new(&users, HashingBounds::default()).unwrap();
    assert_eq!(login(&of, "ann", "vbcdefg12345", 0), BY_USERS);
    assert_eq!(login(&of, "ann", "vbcdefg12346", 0), why::WRONG);
}

#[test]
fn users_that_cannot_be_read_leave_the_present_ones() {
    let of = authenticator(vec![user("ann", "vbcdefg12345")]);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("users.toml");
    assert!(of.reload(&path).is_err());
    keepmq_config::private::write_new(&path, b"[[user]\n").unwrap();
    assert!(of.reload(&path).is_err());
    assert_eq!(login(&of, "ann", "vbcdefg12345", 0), BY_USERS);
    keepmq_config::private::replace(&path, b"").unwrap();
    of.reload(&path).unwrap();
    assert_eq!(login(&of, "ann", "vbcdefg12345", 0), why::UNKNOWN);
}

#[test]
fn nothing_secret_is_printed() {
    let of = authenticator(vec![user("ann", "vbcdefg12345")]);
    login(&of, "ann", "vbcdefg12345", 0);
    let text = format!("{of:?}");
    assert!(!text.contains("vbcdefg12345") && !text.contains("argon2id"));
}
