use proptest::prelude::*;

use super::*;
use crate::why;

fn key() -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, &[1; 32])
}

fn attempt(user: &str, source: &str) -> Attempt {
    Attempt::new(&key(), user, source.parse().unwrap())
}

/// Guesses as fast as the guard lets; returns how many guesses it looked at until then.
fn guesses_until(guard: &mut Guard, attempt: &Attempt, from: u64, until: u64) -> u32 {
    let (mut looked_at, mut now) = (0, from);
    while now < until {
        if guard.locked(attempt, now).is_none() {
            guard.miss(attempt, now);
            looked_at += 1;
        }
        now += 100;
    }
    looked_at
}

#[test]
fn five_misses_are_free_and_then_each_wait_is_twice_as_long() {
    let (mut guard, ann) = (Guard::default(), attempt("ann", "10.0.0.1"));
    for _ in 0..4 {
        guard.miss(&ann, 0);
        assert_eq!(guard.locked(&ann, 0), None);
    }
    let mut now = 0;
    for wait in [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900] {
        guard.miss(&ann, now);
        assert_eq!(guard.locked(&ann, now + wait * SECOND - 1), Some(why::LOCKED_PAIR), "{wait}");
        now += wait * SECOND;
        assert_eq!(guard.locked(&ann, now), None, "{wait}");
    }
}

#[test]
fn a_guesser_gets_about_a_hundred_guesses_a_day() {
    let (mut guard, ann) = (Guard::default(), attempt("ann", "10.0.0.1"));
    let looked_at = guesses_until(&mut guard, &ann, 0, 24 * 60 * MINUTE);
    assert!(looked_at < 120, "{looked_at}");
}

#[test]
fn a_user_is_not_locked_out_elsewhere() {
    let mut guard = Guard::default();
    for number in 0..20 {
        guard.miss(&attempt("ann", "203.0.113.1"), number);
    }
    assert_eq!(guard.locked(&attempt("ann", "203.0.113.1"), 20), Some(why::LOCKED_PAIR));
    assert_eq!(guard.locked(&attempt("ann", "10.0.0.1"), 20), None);
    assert_eq!(guard.locked(&attempt("bob", "10.0.0.1"), 20), None);
}

#[test]
fn a_source_that_tries_many_users_waits() {
    let mut guard = Guard::default();
    for number in 0..20 {
        assert_eq!(guard.locked(&attempt(&format!("user{number}"), "203.0.113.1"), 0), None);
        guard.miss(&attempt(&format!("user{number}"), "203.0.113.1"), 0);
    }
    assert_eq!(guard.locked(&attempt("fresh", "203.0.113.1"), 0), Some(why::LOCKED_SOURCE));
    assert_eq!(guard.locked(&attempt("fresh", "203.0.113.2"), 0), None);
}

#[test]
fn many_sources_that_try_one_user_make_strangers_wait_half_a_minute_at_most() {
    let mut guard = Guard::default();
    for number in 0..200 {
        guard.miss(&attempt("ann", &format!("203.0.113.{number}")), 0);
    }
    let stranger = attempt("ann", "198.51.100.1");
    assert_eq!(guard.locked(&stranger, 0), Some(why::LOCKED_USER));
    assert_eq!(guard.locked(&stranger, 30 * SECOND), None);
    assert_eq!(guard.locked(&attempt("bob", "198.51.100.1"), 0), None);
}

#[test]
fn who_has_proven_a_source_is_not_touched_by_what_others_do() {
    let mut guard = Guard::default();
    let ann = attempt("ann", "10.0.0.1");
    guard.hit(&ann, 0);
    for number in 0..200 {
        guard.miss(&attempt(&format!("user{number}"), "10.0.0.1"), 1);
        guard.miss(&attempt("ann", &format!("203.0.113.{number}")), 1);
    }
    assert_eq!(guard.locked(&ann, 2), None);
    assert_eq!(guard.locked(&attempt("bob", "10.0.0.1"), 2), Some(why::LOCKED_SOURCE));
    // But whoever guesses at the proven place itself waits like anybody.
    for _ in 0..5 {
        guard.miss(&ann, 3);
    }
    assert_eq!(guard.locked(&ann, 3), Some(why::LOCKED_PAIR));
}

#[test]
fn a_proof_is_good_for_a_day() {
    let mut guard = Guard::default();
    let ann = attempt("ann", "10.0.0.1");
    guard.hit(&ann, 0);
    for number in 0..20 {
        guard.miss(&attempt(&format!("user{number}"), "10.0.0.1"), PROVEN);
    }
    assert_eq!(guard.locked(&ann, PROVEN - 1), None);
    assert_eq!(guard.locked(&ann, PROVEN), Some(why::LOCKED_SOURCE));
}

#[test]
fn a_right_guess_forgives_its_user_at_its_source_only() {
    let mut guard = Guard::default();
    let (own, other) = (attempt("mallory", "203.0.113.1"), attempt("ann", "203.0.113.1"));
    // Four guesses at another, one login of their own, and so on: the other's count goes on.
    for _ in 0..4 {
        guard.miss(&other, 0);
        guard.hit(&own, 0);
    }
    guard.miss(&other, 0);
    assert_eq!(guard.locked(&other, 0), Some(why::LOCKED_PAIR));
    guard.hit(&other, 0);
    assert_eq!(guard.locked(&other, 0), None);
}

#[test]
fn loopback_never_waits_longer_than_five_seconds() {
    for source in ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"] {
        let mut guard = Guard::default();
        let admin = attempt("admin", source);
        for number in 0..1_000 {
            guard.miss(&attempt(&format!("user{number}"), source), 0);
            guard.miss(&admin, 0);
            guard.miss(&attempt("admin", "203.0.113.1"), 0);
        }
        assert!(guard.locked(&admin, 0).is_some(), "{source}");
        assert_eq!(guard.locked(&admin, LOOPBACK_WAIT), None, "{source}");
    }
}

#[test]
fn counts_fade_by_half_each_quarter_of_an_hour() {
    let (mut guard, ann) = (Guard::default(), attempt("ann", "10.0.0.1"));
    for _ in 0..4 {
        guard.miss(&ann, 0);
    }
    let mut now = HALF_LIFE;
    // Two are left of four, so that two more are free and the third is the fifth.
    for _ in 0..2 {
        guard.miss(&ann, now);
        assert_eq!(guard.locked(&ann, now), None);
    }
    guard.miss(&ann, now);
    assert_eq!(guard.locked(&ann, now), Some(why::LOCKED_PAIR));
    now += 100 * HALF_LIFE;
    guard.miss(&ann, now);
    assert_eq!(guard.locked(&ann, now), None, "long ago is forgotten");
}

#[test]
fn an_ipv6_network_is_one_source_and_an_ipv4_address_is_one() {
    let same = |a, b| attempt("ann", a) == attempt("ann", b);
    assert!(same("2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff"));
    assert!(!same("2001:db8:1:2::1", "2001:db8:1:3::1"));
    assert!(same("10.0.0.1", "::ffff:10.0.0.1"));
    assert!(!same("10.0.0.1", "10.0.0.2"));
    assert!(!same("10.0.0.1", "a00:1::"), "the same bytes of another family");
}

#[test]
fn the_tables_are_bounded_and_keep_what_is_young_or_proven() {
    let mut guard = Guard::default();
    let proven = attempt("ann", "10.0.0.1");
    guard.hit(&proven, 0);
    let young = attempt("bob", "10.0.0.2");
    for number in 0..MOST + 100 {
        guard.miss(&attempt(&format!("user{number}"), "203.0.113.1"), 1);
        if number == MOST - 50 {
            (0..5).for_each(|_| guard.miss(&young, 2));
        }
    }
    assert!(guard.pairs.len() <= MOST && guard.users.len() <= MOST);
    assert!(guard.pairs.contains_key(&proven.pair));
    assert_eq!(guard.locked(&young, 2), Some(why::LOCKED_PAIR));
}

proptest! {
    #[test]
    fn nobody_but_the_guesser_waits_longer_than_five_minutes(
        misses in prop::collection::vec((0u8..4, 0u8..4, 0u64..600_000), 0..300),
        at in 0u64..600_000,
    ) {
        let mut guard = Guard::default();
        let at_place = |user: u8, source: u8| attempt(&format!("user{user}"), &format!("203.0.113.{source}"));
        let mut sorted = misses.clone();
        sorted.sort_by_key(|(_, _, when)| *when);
        for (user, source, when) in sorted.iter().filter(|(_, _, when)| *when <= at) {
            guard.miss(&at_place(*user, *source), *when);
        }
        // Somebody whom no miss was counted for, at a source and with a name that others guessed from and at.
        let innocent = attempt("user9", "203.0.113.1");
        prop_assert_eq!(guard.locked(&innocent, at + SOURCE.longest), None);
        let elsewhere = attempt("user1", "198.51.100.7");
        prop_assert_eq!(guard.locked(&elsewhere, at + USER.longest), None);
    }

    #[test]
    fn no_time_makes_it_panic(times in prop::collection::vec(any::<u64>(), 0..50)) {
        let (mut guard, ann) = (Guard::default(), attempt("ann", "10.0.0.1"));
        for now in times {
            guard.miss(&ann, now);
            let _ = guard.locked(&ann, now);
            if now % 3 == 0 {
                guard.hit(&ann, now);
            }
        }
    }
}
