//! Copies that senders send again after their connection broke.

use keepmq_core::Limits;
use keepmq_model::{Extras, Publish, Tag, Verb};

use crate::broker::{Broker, Peer, entry, grants, map, message, publish, queue};

fn numbered(tag: Tag, sender: &str, number: u64, durable: bool) -> Verb {
    let mut sent = message(queue("q"), &number.to_string(), durable);
    let duplicate = Some((sender.into(), number));
    sent.envelope.extras = Some(Box::new(Extras { duplicate, ..Extras::default() }));
    Verb::Publish(Publish { tag: Some(tag), ..publish(sent) })
}

fn send(peer: &mut Peer<'_>, sender: &str, number: u64) {
    peer.ask(|tag| numbered(tag, sender, number, true)).unwrap();
}

#[test]
fn a_copy_is_answered_and_not_taken_also_after_a_crash() {
    let broker = Broker::new();
    let mut peer = broker.admin();
    for number in [1, 2, 3, 3, 2] {
        send(&mut peer, "p", number);
    }
    assert_eq!(broker.depth("q"), 3);
    let tag = peer.tag();
    peer.say(numbered(tag, "p", 4, true));
    drop(peer);
    let broker = broker.crash();
    let mut peer = broker.admin();
    for number in [2, 3] {
        send(&mut peer, "p", number);
    }
    assert_eq!(broker.depth("q"), 3);
    send(&mut peer, "p", 4);
    assert_eq!(broker.depth("q"), 4, "this one had not been safe");
}

#[test]
fn a_copy_is_answered_once_the_first_one_is_safe() {
    let broker = Broker::new();
    let (mut one, mut two) = (broker.admin(), broker.admin());
    let (first, again) = (one.tag(), two.tag());
    one.say(numbered(first, "p", 1, true));
    two.say(numbered(again, "p", 1, true));
    assert!(two.answer(again).is_none());
    broker.settle();
    assert!(two.answer(again).unwrap().is_ok());
    assert_eq!(broker.depth("q"), 1);
}

#[test]
fn senders_are_those_of_their_user() {
    let everybody = || grants(&["some"], &["some"], &["some"]);
    let broker =
        Broker::with(Limits::default(), map(vec![entry(keepmq_model::Kind::Queue, ">", everybody())]));
    let (mut one, mut two) = (broker.login("one", &["some"], None), broker.login("two", &["some"], None));
    send(&mut one, "p", 7);
    send(&mut two, "p", 3);
    assert_eq!(broker.depth("q"), 2);
}

#[test]
fn what_is_not_durable_is_not_remembered() {
    let broker = Broker::new();
    let mut peer = broker.admin();
    for _ in 0..2 {
        peer.ask(|tag| numbered(tag, "p", 1, false)).unwrap();
    }
    assert_eq!(broker.depth("q"), 2);
}

#[test]
fn a_sender_that_is_over_is_forgotten_and_so_is_the_oldest_of_too_many() {
    let limits = Limits { remembered_senders: 2, ..Limits::default() };
    let broker = Broker::with(limits, map(Vec::new()));
    let mut peer = broker.admin();
    for sender in ["a", "b", "c"] {
        send(&mut peer, sender, 1);
    }
    peer.say(Verb::EndSender { sender: "c".into() });
    drop(peer);
    broker.settle();
    let broker = broker.crash();
    assert_eq!(broker.faults, [""; 0]);
    let mut peer = broker.admin();
    for (sender, depth) in [("b", 3), ("a", 4), ("c", 5)] {
        send(&mut peer, sender, 1);
        assert_eq!(broker.depth("q"), depth, "{sender}");
    }
}
