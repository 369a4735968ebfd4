//! Who sends more than others take is slowed, told, and in the end refused; consumers are never held up by it.

use keepmq_core::Limits;
use keepmq_model::{Event, Outcome, RefusalKind, Verb};

use crate::broker::{Broker, Peer, map, message, publish, queue, topic};

fn tight() -> Broker {
    let limits = Limits {
        line_bytes: 10_000,
        subscriber_backlog: 10,
        outbox_bytes: 1_000_000,
        slow_patience_ms: 500,
        sender_patience_ms: 2_000,
        ..Limits::default()
    };
    Broker::with(limits, map(Vec::new()))
}

fn slowed(peer: &mut Peer<'_>) -> Vec<bool> {
    peer.events();
    let told = peer.events.iter().filter_map(|event| match event {
        Event::Slowed { why } => Some(why.is_some()),
        _ => None,
    });
    let told = told.collect();
    peer.events.retain(|event| !matches!(event, Event::Slowed { .. }));
    told
}

fn send(peer: &mut Peer<'_>, count: usize) {
    for _ in 0..count {
        peer.say(Verb::Publish(publish(message(queue("q"), &"x".repeat(900), false))));
    }
}

#[test]
fn a_sender_that_fills_a_queue_waits_until_it_is_emptied() {
    let broker = tight();
    let (mut sender, mut consumer) = (broker.admin(), broker.admin());
    send(&mut sender, 12);
    assert_eq!(slowed(&mut sender), [true]);
    assert!(!sender.client.wants_input());
    consumer.consume("q", 100);
    let deliveries = consumer.deliveries();
    consumer.settle_range(1, 0, 0, deliveries.last().unwrap().id.number, Outcome::Accepted).unwrap();
    assert_eq!(slowed(&mut sender), [false]);
    assert!(sender.client.wants_input());
}

#[test]
fn a_sender_that_waited_too_long_is_refused_until_there_is_room() {
    let broker = tight();
    let mut sender = broker.admin();
    send(&mut sender, 12);
    assert!(sender.client.flow_deadline().is_some());
    broker.pass(2_000);
    sender.events();
    assert!(sender.client.wants_input(), "to be told");
    let refusal = sender.send(queue("q"), "x", false).unwrap_err();
    assert_eq!(refusal.kind, RefusalKind::Busy);
    let mut consumer = broker.admin();
    consumer.consume("q", 100);
    assert_eq!(consumer.deliveries().len(), 10);
    sender.events();
    sender.send(queue("q"), "x", false).unwrap();
}

#[test]
fn a_connection_that_consumes_is_read_on_and_its_messages_are_held() {
    let broker = tight();
    let mut both = broker.admin();
    both.attach(crate::broker::attach(1, crate::broker::from_queue("other"))).unwrap();
    broker.admin().send(queue("other"), "work", true).unwrap();
    send(&mut both, 10);
    assert!(both.client.wants_input(), "its settlements come by the same way");
    let work = both.deliveries();
    send(&mut both, 3);
    both.settle(1, work[0].id, Outcome::Accepted).unwrap();
    assert_eq!(broker.depth("q"), 10, "what it sends is held");
    let mut consumer = broker.admin();
    consumer.consume("q", 100);
    assert_eq!(consumer.deliveries().len(), 10);
    both.events();
    assert_eq!(consumer.deliveries().len(), 3);
}

#[test]
fn what_is_held_is_refused_in_the_end() {
    let broker = tight();
    let mut both = broker.admin();
    both.attach(crate::broker::attach(1, crate::broker::from_queue("other"))).unwrap();
    send(&mut both, 10);
    send(&mut both, 3);
    broker.pass(2_000);
    let refused = both.events().iter().filter(|event| matches!(event, Event::Refused { .. })).count();
    assert_eq!(refused, 3);
}

#[test]
fn what_is_held_is_bounded() {
    let broker = tight();
    let mut both = broker.admin();
    both.attach(crate::broker::attach(1, crate::broker::from_queue("other"))).unwrap();
    send(&mut both, 12 + 1200);
    let refused = both.events().iter().filter(|event| matches!(event, Event::Refused { .. })).count();
    assert!(refused > 200, "{refused}");
    assert!(broker.gate.status().memory_bytes < 2_000_000);
}

#[test]
fn nobody_fills_a_queue_beyond_twice_its_mark() {
    let broker = tight();
    let mut refused = 0;
    for _ in 0..40 {
        let mut sender = broker.admin();
        send(&mut sender, 1);
        refused += sender.events().iter().filter(|e| matches!(e, Event::Refused { .. })).count();
    }
    assert!(refused > 15, "{refused}");
    assert!(broker.depth("q") < 25);
}

#[test]
fn durable_messages_go_to_disk_and_nobody_waits() {
    let broker = tight();
    let mut sender = broker.admin();
    for _ in 0..100 {
        sender.say(Verb::Publish(publish(message(queue("q"), &"x".repeat(900), true))));
        broker.settle();
    }
    assert_eq!(slowed(&mut sender), [false; 0]);
    assert_eq!(broker.depth("q"), 100);
    assert!(broker.gate.status().memory_bytes < 12_000);
}

#[test]
fn a_slow_subscriber_holds_the_sender_up_for_a_while_and_then_loses_its_oldest() {
    let broker = tight();
    let (mut slow, mut sender) = (broker.admin(), broker.admin());
    let source = keepmq_model::Source::Subscription { filters: vec![crate::broker::filter("t")] };
    slow.attach(keepmq_model::Attach { credit: 1, ..crate::broker::attach(1, source) }).unwrap();
    let mut tell = |count: std::ops::Range<usize>| {
        for n in count {
            sender.say(Verb::Publish(publish(message(topic("t"), &n.to_string(), false))));
        }
        slowed(&mut sender)
    };
    assert_eq!(tell(0..13), [true]);
    broker.pass(300);
    assert_eq!(tell(13..14), [false; 0], "held, as long as it is slowed");
    broker.pass(300);
    assert_eq!(tell(14..15), [false]);
    let mut other = broker.admin();
    other.say(Verb::Publish(publish(message(topic("t"), "last", false))));
    let mut got = slow.deliveries();
    loop {
        let last = got.last().unwrap().id.number;
        slow.settle_range(1, 0, 0, last, Outcome::Accepted).unwrap();
        let next = slow.deliveries();
        if next.is_empty() {
            break;
        }
        got.extend(next);
    }
    let texts: Vec<String> = got.iter().map(crate::broker::body).collect();
    assert_eq!(texts.first().map(String::as_str), Some("0"));
    assert!(texts.len() < 16 && texts.contains(&"last".to_owned()), "{texts:?}");
}

#[test]
fn all_messages_together_are_bounded() {
    let limits = Limits { memory_bytes: 20_000, ..Limits::default() };
    let broker = Broker::with(limits, map(Vec::new()));
    let mut sender = broker.admin();
    for n in 0..19 {
        let name = format!("q{n}");
        sender.say(Verb::Publish(publish(message(queue(&name), &"x".repeat(900), false))));
    }
    assert_eq!(slowed(&mut sender), [true]);
    let mut consumer = broker.admin();
    consumer.consume(">", 1000);
    let deliveries = consumer.deliveries();
    for delivery in &deliveries {
        consumer.settle(1, delivery.id, Outcome::Accepted).unwrap();
    }
    drop(deliveries);
    assert!(sender.client.flow_deadline().is_some_and(|at| at <= broker.now() + 100), "it looks by itself");
    assert_eq!(slowed(&mut sender), [false]);
}

#[test]
fn a_sender_that_was_held_up_by_a_slow_subscriber_goes_on_by_itself() {
    let broker = tight();
    let (mut slow, mut sender) = (broker.admin(), broker.admin());
    let source = keepmq_model::Source::Subscription { filters: vec![crate::broker::filter("t")] };
    slow.attach(keepmq_model::Attach { credit: 1, ..crate::broker::attach(1, source) }).unwrap();
    for n in 0..13 {
        sender.say(Verb::Publish(publish(message(topic("t"), &n.to_string(), false))));
    }
    assert_eq!(slowed(&mut sender), [true]);
    assert!(!sender.client.wants_input());
    assert_eq!(
        sender.client.flow_deadline(),
        Some(broker.now() + 500),
        "when the subscriber's patience is over"
    );
    broker.pass(500);
    sender.events();
    assert_eq!(slowed(&mut sender), [false], "though nobody sent or took anything");
    assert_eq!(sender.client.flow_deadline(), None);
    assert!(sender.client.wants_input());
}
