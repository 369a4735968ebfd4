//! Message groups.

use std::collections::HashMap;

use keepmq_core::Limits;
use keepmq_model::{Attach, Delivery, Extras, Group, Outcome, Publish, Verb};
use proptest::prelude::*;

use crate::broker::{Broker, Peer, attach, body, from_queue, map, message, publish, queue};

fn send(peer: &mut Peer<'_>, group: &str, sequence: i32, text: &str) {
    let mut sent = message(queue("q"), text, true);
    let group = Group { id: group.into(), sequence };
    sent.envelope.extras = Some(Box::new(Extras { group: Some(group), ..Extras::default() }));
    peer.ask(|tag| Verb::Publish(Publish { tag: Some(tag), ..publish(sent) })).unwrap();
}

fn texts(peer: &mut Peer<'_>) -> String {
    peer.bodies().concat()
}

#[test]
fn a_group_stays_with_its_consumer_and_others_are_shared() {
    let broker = Broker::new();
    let (mut one, mut two, mut sender) = (broker.admin(), broker.admin(), broker.admin());
    one.consume("q", 10);
    two.consume("q", 10);
    for (group, text) in [("g", "a"), ("h", "b"), ("g", "c"), ("h", "d"), ("g", "e")] {
        send(&mut sender, group, 0, text);
    }
    assert_eq!((&*texts(&mut one), &*texts(&mut two)), ("ace", "bd"));
    drop(one);
    send(&mut sender, "g", 0, "f");
    assert_eq!(texts(&mut two), "acef", "what it held is taken over with its group, in order");
}

#[test]
fn a_consumer_that_can_take_no_more_holds_nobody_up() {
    let broker = Broker::new();
    let (mut one, mut two, mut sender) = (broker.admin(), broker.admin(), broker.admin());
    one.consume("q", 1);
    send(&mut sender, "g", 0, "a");
    two.consume("q", 10);
    for (group, text) in [("g", "b"), ("g", "c"), ("h", "d"), ("g", "e")] {
        send(&mut sender, group, 0, text);
    }
    assert_eq!(texts(&mut two), "d");
    assert_eq!(broker.depth("q"), 3, "what waits for it still waits");
    let first = one.deliveries().remove(0);
    one.settle(1, first.id, Outcome::Accepted).unwrap();
    assert_eq!(texts(&mut one), "b");
    drop(one);
    assert_eq!(texts(&mut two), "bce");
}

#[test]
fn no_more_is_parked_than_the_window_holds() {
    let limits = Limits { line_window: 4, ..Limits::default() };
    let broker = Broker::with(limits, map(Vec::new()));
    let (mut one, mut two, mut sender) = (broker.admin(), broker.admin(), broker.admin());
    one.consume("q", 1);
    send(&mut sender, "g", 0, "a");
    two.consume("q", 10);
    for text in ["b", "c", "d", "e", "f", "g"] {
        send(&mut sender, "g", 0, text);
    }
    send(&mut sender, "h", 0, "x");
    assert_eq!(texts(&mut two), "", "it waits behind them");
    assert_eq!(broker.depth("q"), 7);
    let mut seen = String::new();
    for _ in 0..7 {
        for delivery in one.deliveries() {
            seen += &body(&delivery);
            one.settle(1, delivery.id, Outcome::Accepted).unwrap();
        }
    }
    assert_eq!((&*seen, &*texts(&mut two)), ("abcdefg", "x"));
}

#[test]
fn a_group_is_closed_and_begun_anew() {
    let broker = Broker::new();
    let mut peer = broker.admin();
    peer.consume("q", 10);
    let first = |delivery: &Delivery| delivery.marks.first_of_group;
    for (sequence, text) in [(1, "a"), (2, "b"), (-1, "c"), (0, "d"), (0, "e"), (1, "f")] {
        send(&mut peer, "g", sequence, text);
    }
    let firsts: Vec<bool> = peer.deliveries().iter().map(first).collect();
    assert_eq!(firsts, [true, false, false, true, false, true]);
}

#[test]
fn a_selector_that_does_not_want_all_of_its_group_loses_nothing() {
    let broker = Broker::new();
    let (mut one, mut two, mut sender) = (broker.admin(), broker.admin(), broker.admin());
    let selector = Some("JMSXGroupSeq < 5".into());
    one.attach(Attach { selector, ..attach(1, from_queue("q")) }).unwrap();
    send(&mut sender, "g", 0, "a");
    two.consume("q", 10);
    send(&mut sender, "g", 7, "b");
    send(&mut sender, "g", 2, "c");
    assert_eq!((&*texts(&mut one), &*texts(&mut two)), ("ac", "b"));
}

#[test]
fn groups_of_which_nothing_is_out_are_forgotten_when_there_are_many() {
    let limits = Limits { groups_per_queue: 2, ..Limits::default() };
    let broker = Broker::with(limits, map(Vec::new()));
    let mut peer = broker.admin();
    peer.consume("q", 1000);
    let mut firsts = |group: &str, settles: bool| {
        send(&mut peer, group, 0, "x");
        let delivery = peer.deliveries().remove(0);
        if settles {
            peer.settle(1, delivery.id, Outcome::Accepted).unwrap();
        }
        delivery.marks.first_of_group
    };
    assert!(firsts("held", false));
    for number in 0..50 {
        assert!(firsts(&number.to_string(), true));
    }
    assert!(firsts("0", true), "it was forgotten");
    assert!(!firsts("held", true), "something of it is out");
}

#[test]
fn what_is_parked_is_purged_too() {
    let broker = Broker::new();
    let (mut one, mut two) = (broker.admin(), broker.admin());
    one.consume("q", 1);
    two.consume("q", 1);
    for text in ["a", "b", "c"] {
        send(&mut one, "g", 0, text);
    }
    assert_eq!(broker.depth("q"), 2);
    one.ask(|tag| Verb::Purge { destination: queue("q"), tag }).unwrap();
    assert_eq!(broker.depth("q"), 0);
}

#[derive(Clone, Debug)]
enum Act {
    Send(u8),
    Settle(usize, prop::sample::Index, bool),
    Leave(usize),
    Crash,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        8 => (0u8..5).prop_map(Act::Send),
        8 => (0usize..3, any::<prop::sample::Index>(), prop::bool::weighted(0.8))
            .prop_map(|(who, which, accepts)| Act::Settle(who, which, accepts)),
        1 => (0usize..3).prop_map(Act::Leave),
        1 => Just(Act::Crash),
    ]
}

proptest! {
    /// Nobody gets a message of a group while another holds one of it; each comes until it is accepted, and then never
    /// again.
    #[test]
    fn a_group_is_never_with_two(acts in proptest::collection::vec(act(), 1..120), window in 2usize..20) {
        let limits = Limits {
            line_window: window,
            groups_per_queue: 2,
            max_returns: 10_000,
            max_redeliveries: 10_000,
            ..Limits::default()
        };
        let mut broker = Broker::with(limits, map(Vec::new()));
        let mut open: HashMap<String, bool> = HashMap::new();
        let mut acts = acts.into_iter().peekable();
        let mut number = 0;
        while acts.peek().is_some() {
            let mut crashes = false;
            {
                let mut peers = [broker.admin(), broker.admin(), broker.admin()];
                let mut held: [Vec<Delivery>; 3] = Default::default();
                peers.iter_mut().for_each(|peer| peer.consume("q", 2));
                for act in acts.by_ref() {
                    match act {
                        Act::Send(group) => {
                            number += 1;
                            let text = format!("{group}.{number}");
                            send(&mut peers[0], &group.to_string(), 0, &text);
                            open.insert(text, true);
                        }
                        Act::Settle(who, which, accepts) if !held[who].is_empty() => {
                            let place = which.index(held[who].len());
                            let delivery = held[who].remove(place);
                            let outcome = if accepts { Outcome::Accepted } else { Outcome::Failed };
                            peers[who].settle(1, delivery.id, outcome).unwrap();
                            if accepts {
                                prop_assert!(open.remove(&body(&delivery)).is_some(), "it came twice");
                            }
                        }
                        Act::Settle(..) => {}
                        Act::Leave(who) => {
                            held[who].clear();
                            peers[who].detach(1);
                            // Those that were under way are not its any more either.
                            peers[who].deliveries();
                            peers[who].consume("q", 2);
                        }
                        Act::Crash => {
                            crashes = true;
                            break;
                        }
                    }
                    for who in 0..3 {
                        let new = peers[who].deliveries();
                        held[who].extend(new);
                    }
                    let mut owners: HashMap<String, usize> = HashMap::new();
                    for (who, held) in held.iter().enumerate() {
                        for delivery in held {
                            let text = body(delivery);
                            let group = text.split('.').next().unwrap().to_owned();
                            prop_assert_eq!(*owners.entry(group).or_insert(who), who, "{}", text);
                        }
                    }
                }
            }
            if crashes {
                broker = broker.crash();
            }
        }
        if !open.is_empty() {
            let mut peer = broker.admin();
            drain(&mut peer, &mut open);
        }
        prop_assert!(open.is_empty(), "lost: {:?}", open);
    }
}

/// Takes and accepts all that is there, as the only consumer.
fn drain(peer: &mut Peer<'_>, open: &mut HashMap<String, bool>) {
    peer.consume("q", 1000);
    for delivery in peer.deliveries() {
        peer.settle(1, delivery.id, Outcome::Accepted).unwrap();
        open.remove(&body(&delivery));
    }
}
