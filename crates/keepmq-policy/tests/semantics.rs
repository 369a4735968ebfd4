//! The map behaves as ActiveMQ's does.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use keepmq_model::{Destination, Kind, Pattern, Principal};
use keepmq_policy::{
    Admin, Entry, Grants, Map, Policy, Read, Right, Rule, Write, decide, decide_pattern, judge,
};
use proptest::prelude::*;

fn grants(read: &str, write: &str, admin: &str) -> Grants {
    let list = |text: &str| text.split(',').filter(|g| !g.is_empty()).map(Arc::from).collect();
    Grants { read: list(read), write: list(write), admin: list(admin) }
}

fn entry(kind: Kind, pattern: &str, grants: Grants) -> Entry {
    let place = format!("test:{pattern}").into();
    Entry { kind, pattern: Pattern::new(pattern).unwrap(), grants, place }
}

fn policy(map: Map) -> Arc<Policy> {
    Arc::new(Policy { epoch: 7, map })
}

fn user(groups: &[&str]) -> Arc<Principal> {
    Arc::new(Principal::new("u", groups.iter().copied()))
}

fn queue(name: &str) -> Destination {
    Destination::queue(name).unwrap()
}

#[test]
fn an_empty_map_denies_everything_but_temporary_destinations() {
    let policy = policy(Map::default());
    let who = user(&["admins", "activemq-webconsole"]);
    for kind in [Kind::Queue, Kind::Topic] {
        let destination = Destination::new(kind, "a").unwrap();
        assert_eq!(decide::<Read>(&policy, &who, &destination).unwrap_err().rule, Rule::NoEntry);
        assert!(decide::<Write>(&policy, &who, &destination).is_err());
        assert!(decide::<Admin>(&policy, &who, &destination).is_err());
    }
    assert!(decide::<Read>(&policy, &who, &Destination::new(Kind::TempQueue, "t").unwrap()).is_ok());
}

#[test]
fn rights_of_all_matching_entries_add_up() {
    let map = Map::new(
        vec![
            entry(Kind::Queue, ">", grants("users", "", "")),
            entry(Kind::Queue, "A.>", grants("", "users", "")),
            entry(Kind::Queue, "A.B", grants("admins", "admins", "admins")),
        ],
        None,
        None,
    );
    let (policy, who) = (policy(map), user(&["users"]));
    assert!(decide::<Read>(&policy, &who, &queue("A.B")).is_ok(), "a narrower entry can't take a right away");
    assert!(decide::<Write>(&policy, &who, &queue("A.B")).is_ok());
    assert!(decide::<Admin>(&policy, &who, &queue("A.B")).is_err());
    assert!(decide::<Write>(&policy, &who, &queue("B")).is_err());
}

#[test]
fn a_queue_entry_says_nothing_of_a_topic() {
    let map = Map::new(vec![entry(Kind::Queue, ">", grants("users", "users", "users"))], None, None);
    let (policy, who) = (policy(map), user(&["users"]));
    assert!(decide::<Read>(&policy, &who, &queue("A")).is_ok());
    let denial = decide::<Read>(&policy, &who, &Destination::topic("A").unwrap()).unwrap_err();
    assert_eq!(denial.to_string(), "User u is not authorized to read from: topic://A");
    assert_eq!((denial.rule, denial.epoch), (Rule::NoEntry, 7));
}

#[test]
fn the_default_entry_is_added_not_a_fallback() {
    let map = Map::new(
        vec![entry(Kind::Queue, "A", grants("others", "", ""))],
        Some(grants("users", "", "")),
        None,
    );
    let (policy, who) = (policy(map), user(&["users"]));
    assert!(decide::<Read>(&policy, &who, &queue("A")).is_ok());
    assert_eq!(judge(&policy, &who, Right::Read, Kind::Queue, "A").rule, Rule::Default);
    assert!(decide::<Read>(&policy, &who, &queue("B")).is_ok());
}

#[test]
fn a_star_is_every_group_but_not_none() {
    let map = Map::new(vec![entry(Kind::Topic, ">", grants("*", "", ""))], None, None);
    let policy = policy(map);
    let topic = Destination::topic("A").unwrap();
    assert!(decide::<Read>(&policy, &user(&["whatever"]), &topic).is_ok());
    assert!(decide::<Read>(&policy, &user(&[]), &topic).is_err());
}

#[test]
fn group_names_compare_exactly() {
    let map = Map::new(vec![entry(Kind::Queue, ">", grants("Users", "", ""))], None, None);
    assert!(decide::<Read>(&policy(map), &user(&["users"]), &queue("A")).is_err());
}

#[test]
fn temporary_destinations_have_an_entry_of_their_own() {
    let temporary = Destination::new(Kind::TempQueue, "t").unwrap();
    let entries = || vec![entry(Kind::Queue, ">", grants("users", "users", "users"))];
    let unruled = policy(Map::new(entries(), None, None));
    assert!(decide::<Write>(&unruled, &user(&["nobody"]), &temporary).is_ok());
    let ruled = policy(Map::new(entries(), None, Some(grants("", "temps", ""))));
    assert!(decide::<Write>(&ruled, &user(&["temps"]), &temporary).is_ok());
    assert!(decide::<Read>(&ruled, &user(&["temps"]), &temporary).is_err());
    assert!(
        decide::<Write>(&ruled, &user(&["users"]), &temporary).is_err(),
        "`>` for queues does not reach it"
    );
}

#[test]
fn a_denial_names_the_entries_that_apply() {
    let map = Map::new(
        vec![
            entry(Kind::Queue, "A.>", grants("others", "", "")),
            entry(Kind::Queue, "B", grants("others", "", "")),
        ],
        None,
        None,
    );
    let denial = decide::<Read>(&policy(map), &user(&["users"]), &queue("A.B")).unwrap_err();
    assert_eq!(denial.rule, Rule::NotGranted(vec!["test:A.>".into()]));
}

#[test]
fn a_wildcard_subscription_is_judged_by_its_text_and_then_by_each_name() {
    let map = Map::new(
        vec![
            entry(Kind::Topic, "A.*", grants("users", "", "")),
            entry(Kind::Topic, "A.B.C", grants("admins", "", "")),
        ],
        None,
        None,
    );
    let (policy, who) = (policy(map), user(&["users"]));
    let pattern = |text: &str| Pattern::new(text).unwrap();
    assert!(decide_pattern(&policy, &who, Kind::Topic, &pattern(">")).is_err());
    let reader = decide_pattern(&policy, &who, Kind::Topic, &pattern("A.>")).unwrap();
    let topic = |name: &str| Destination::topic(name).unwrap();
    assert_eq!(reader.permit(&topic("A.B")).unwrap().destination(), &topic("A.B"));
    assert!(reader.permit(&topic("A.B.C")).is_none());
}

fn some_entries() -> impl Strategy<Value = Vec<Entry>> {
    let pattern = prop_oneof![Just(">"), Just("A"), Just("A.>"), Just("A.*"), Just("*.B"), Just("*")];
    let groups = || proptest::sample::subsequence(vec!["x", "y", "z", "*"], 0..3);
    let one = (any::<bool>(), pattern, groups(), groups(), groups()).prop_map(|(queue, pattern, r, w, a)| {
        let kind = if queue { Kind::Queue } else { Kind::Topic };
        entry(kind, pattern, grants(&r.join(","), &w.join(","), &a.join(",")))
    });
    proptest::collection::vec(one, 0..8)
}

fn all_verdicts(map: Map, who: &Arc<Principal>) -> Vec<bool> {
    let policy = policy(map);
    let names = ["A", "B", "A.B", "A.B.C", "B.B"];
    let mut verdicts = Vec::new();
    for kind in [Kind::Queue, Kind::Topic] {
        for name in names {
            for right in Right::ALL {
                verdicts.push(judge(&policy, who, right, kind, name).allowed);
            }
        }
    }
    verdicts
}

proptest! {
    #[test]
    fn taking_a_grant_out_never_allows_more(entries in some_entries(), which in any::<prop::sample::Index>()) {
        prop_assume!(!entries.is_empty());
        let who = user(&["x"]);
        let before = all_verdicts(Map::new(entries.clone(), None, None), &who);
        let mut fewer = entries.clone();
        fewer.remove(which.index(entries.len()));
        let after = all_verdicts(Map::new(fewer, None, None), &who);
        prop_assert!(before.iter().zip(&after).all(|(b, a)| *b || !*a));
    }

    #[test]
    fn the_order_of_entries_means_nothing(mut entries in some_entries(), seed in any::<prop::sample::Index>()) {
        let who = user(&["x", "y"]);
        let before = all_verdicts(Map::new(entries.clone(), None, None), &who);
        if !entries.is_empty() {
            let turn = seed.index(entries.len());
            entries.rotate_left(turn);
        }
        prop_assert_eq!(before, all_verdicts(Map::new(entries, None, None), &who));
    }

    #[test]
    fn every_yes_has_a_grant_behind_it(entries in some_entries(), name in "[AB](\\.[ABC]){0,2}") {
        let who = user(&["x"]);
        let policy = policy(Map::new(entries.clone(), None, None));
        for right in Right::ALL {
            let granted = entries.iter().any(|entry| {
                let groups = entry.grants.groups(right);
                entry.kind == Kind::Queue
                    && entry.pattern.matches(&name)
                    && groups.iter().any(|group| matches!(&**group, "x" | "*"))
            });
            prop_assert_eq!(judge(&policy, &who, right, Kind::Queue, &name).allowed, granted);
        }
    }
}
