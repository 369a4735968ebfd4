//! Durable means durable, and a backlog larger than memory.

use std::sync::Arc;

use keepmq_core::Limits;
use keepmq_model::{Attach, Event, LinkId, Outcome, Publish, RefusalKind, Taking, Verb};
use keepmq_store::Admission;

use crate::broker::{Broker, attach, body, from_queue, map, message, publish, queue};

#[test]
fn a_durable_message_is_neither_answered_nor_delivered_before_it_is_on_disk() {
    let broker = Broker::new();
    let mut peer = broker.admin();
    peer.consume("q", 10);
    let tag = peer.tag();
    peer.say(Verb::Publish(Publish { tag: Some(tag), ..publish(message(queue("q"), "x", true)) }));
    assert!(peer.answer(tag).is_none());
    assert!(!peer.events.iter().any(|event| matches!(event, Event::Deliver(_))));
    broker.settle();
    assert!(peer.answer(tag).unwrap().is_ok());
    assert_eq!(peer.bodies(), ["x"]);
}

#[test]
fn what_was_not_on_disk_is_gone_after_a_crash_and_what_was_is_there() {
    let broker = Broker::new();
    let mut peer = broker.admin();
    peer.send(queue("q"), "safe", true).unwrap();
    peer.say(Verb::Publish(publish(message(queue("q"), "unsafe", true))));
    peer.say(Verb::Publish(publish(message(queue("q"), "memory", false))));
    drop(peer);
    let broker = broker.crash();
    let mut peer = broker.admin();
    peer.consume("q", 10);
    assert_eq!(peer.bodies(), ["safe"]);
}

#[test]
fn an_acknowledged_message_does_not_come_back() {
    let broker = Broker::new();
    let mut peer = broker.admin();
    peer.send(queue("q"), "1", true).unwrap();
    peer.send(queue("q"), "2", true).unwrap();
    peer.consume("q", 1);
    let id = peer.deliveries()[0].id;
    peer.settle(1, id, Outcome::Accepted).unwrap();
    drop(peer);
    let broker = broker.crash();
    let mut peer = broker.admin();
    peer.consume("q", 10);
    assert_eq!(peer.bodies(), ["2"]);
}

#[test]
fn messages_keep_their_facts_through_a_crash() {
    let broker = Broker::new();
    let mut peer = broker.admin();
    let mut sent = message(queue("q"), "x", true);
    sent.envelope.priority = 7;
    sent.envelope.expires_ms = broker.now() + 100_000;
    sent.envelope.timestamp_ms = 42;
    peer.say(Verb::Publish(publish(sent)));
    broker.settle();
    drop(peer);
    let broker = broker.crash();
    let mut peer = broker.admin();
    peer.consume("q", 1);
    let delivery = peer.deliveries().remove(0);
    let envelope = &delivery.message.envelope;
    assert_eq!((envelope.priority, envelope.timestamp_ms, envelope.durable), (7, 42, true));
    assert_eq!(envelope.user.as_deref(), Some("admin"));
    assert!(envelope.expires_ms > 0);
}

fn small() -> Limits {
    Limits { line_window: 8, ..Limits::default() }
}

#[test]
fn a_backlog_larger_than_memory_comes_in_order() {
    let broker = Broker::with(small(), map(Vec::new()));
    let mut peer = broker.admin();
    for n in 0..2000 {
        peer.say(Verb::Publish(publish(message(queue("q"), &n.to_string(), true))));
        if n % 100 == 0 {
            broker.settle();
        }
    }
    broker.settle();
    assert_eq!(broker.depth("q"), 2000);
    assert!(broker.gate.status().memory_bytes < 20 * 250, "{}", broker.gate.status().memory_bytes);
    peer.consume("q", 50);
    let mut got = Vec::new();
    while got.len() < 2000 {
        let deliveries = peer.deliveries();
        assert!(!deliveries.is_empty(), "stuck at {}", got.len());
        got.extend(deliveries.iter().map(body));
        peer.settle_range(1, 0, 0, deliveries.last().unwrap().id.number, Outcome::Accepted).unwrap();
    }
    assert_eq!(got, (0..2000).map(|n| n.to_string()).collect::<Vec<_>>());
    assert_eq!(broker.gate.status().store.records, 0);
}

#[test]
fn what_goes_back_into_a_deep_backlog_is_delivered_once_more_and_no_more() {
    let broker = Broker::with(small(), map(Vec::new()));
    let mut peer = broker.admin();
    for n in 0..100 {
        peer.say(Verb::Publish(publish(message(queue("q"), &n.to_string(), true))));
    }
    broker.settle();
    for _ in 0..5 {
        let mut lost = broker.admin();
        lost.consume("q", 30);
        assert_eq!(lost.deliveries().len(), 30);
    }
    peer.consume("q", 1000);
    let got = peer.bodies();
    assert_eq!(got, (0..100).map(|n| n.to_string()).collect::<Vec<_>>());
}

#[test]
fn a_deep_backlog_is_browsed_to_its_end() {
    let broker = Broker::with(small(), map(Vec::new()));
    let mut peer = broker.admin();
    for n in 0..300 {
        peer.say(Verb::Publish(publish(message(queue("q"), &n.to_string(), true))));
    }
    broker.settle();
    let browse = Attach { taking: Taking::Browse, credit: 10, ..attach(1, from_queue("q")) };
    peer.attach(browse).unwrap();
    let mut got = Vec::new();
    for _ in 0..100 {
        got.extend(peer.bodies());
        peer.say(Verb::Grant { link: LinkId(1), credit: 10 });
    }
    assert_eq!(got, (0..300).map(|n| n.to_string()).collect::<Vec<_>>());
    assert!(peer.events.iter().any(|event| matches!(event, Event::Exhausted { .. })));
    assert_eq!(broker.depth("q"), 300);
}

#[test]
fn a_deep_backlog_is_purged_whole() {
    let broker = Broker::with(small(), map(Vec::new()));
    let mut peer = broker.admin();
    for n in 0..300 {
        peer.say(Verb::Publish(publish(message(queue("q"), &n.to_string(), true))));
    }
    broker.settle();
    peer.ask(|tag| Verb::Purge { destination: queue("q"), tag }).unwrap();
    assert_eq!(broker.gate.status().store.records, 0);
    peer.send(queue("q"), "new", true).unwrap();
    peer.consume("q", 10);
    assert_eq!(peer.bodies(), ["new"]);
}

#[test]
fn a_full_store_refuses_durable_messages_and_takes_the_rest() {
    let broker = Broker::new();
    let mut peer = broker.admin();
    peer.send(queue("q"), "1", true).unwrap();
    broker.store.set_admission(Admission::Full);
    let refusal = peer.send(queue("q"), "2", true).unwrap_err();
    assert_eq!(refusal.kind, RefusalKind::Unavailable);
    assert!(refusal.text.contains("full"));
    peer.send(queue("q"), "3", false).unwrap();
    peer.consume("q", 10);
    let deliveries = peer.deliveries();
    assert_eq!(deliveries.iter().map(body).collect::<Vec<_>>(), ["1", "3"]);
    peer.settle(1, deliveries[0].id, Outcome::Accepted).unwrap();
    broker.store.set_admission(Admission::Open);
    peer.send(queue("q"), "4", true).unwrap();
}

#[test]
fn answers_keep_the_order_of_the_questions() {
    let broker = Broker::new();
    let mut peer = broker.admin();
    let tags: Vec<_> = (0..6).map(|_| peer.tag()).collect();
    for (n, tag) in tags.iter().enumerate() {
        let sent = publish(message(queue(&format!("q{n}")), "", n % 2 == 0));
        peer.client.say(Verb::Publish(Publish { tag: Some(*tag), ..sent }));
    }
    peer.client.flush();
    while broker.store.complete(1) > 0 {
        peer.events();
    }
    let done: Vec<_> = peer
        .events()
        .iter()
        .filter_map(|event| if let Event::Done { tag } = event { Some(*tag) } else { None })
        .collect();
    assert_eq!(done, tags);
}

#[test]
fn memory_is_given_back_when_messages_are_done_with() {
    let broker = Broker::new();
    let mut peer = broker.admin();
    for durable in [true, false] {
        peer.send(queue("q"), "x", durable).unwrap();
    }
    assert!(broker.gate.status().memory_bytes > 0);
    peer.consume("q", 10);
    let deliveries = peer.deliveries();
    peer.settle_range(1, 0, 0, 2, Outcome::Accepted).unwrap();
    drop(deliveries);
    assert_eq!(broker.gate.status().memory_bytes, 0);
}

#[test]
fn the_gate_lives_no_longer_than_its_users() {
    let broker = Broker::new();
    let weak = Arc::downgrade(&broker.gate);
    drop(broker.admin());
    drop(broker);
    assert!(weak.upgrade().is_none(), "a circle of owners would leak every message");
}
