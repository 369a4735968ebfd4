//! Consumers, browsers and subscriptions that want some of the messages only.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use keepmq_core::Limits;
use keepmq_model::{
    Attach, Destination, Event, Filter, LinkId, Message, Outcome, Publish, RefusalKind, Source,
    SubscriptionName, Taking, Verb,
};

use crate::broker::{Broker, Peer, attach, body, filter, from_queue, map, message, publish, queue, topic};

/// A message with properties, its body being the first of them.
fn with(destination: Destination, head: &str, durable: bool) -> Message {
    let mut message = message(destination, head, durable);
    message.native.head = Bytes::copy_from_slice(head.as_bytes());
    message
}

fn send(peer: &mut Peer<'_>, destination: Destination, head: &str, durable: bool) {
    let message = Arc::new(with(destination, head, durable));
    let unsent = publish(crate::broker::message(queue("unsent"), "", false));
    peer.ask(|tag| Verb::Publish(Publish { tag: Some(tag), message, ..unsent })).unwrap();
}

/// A consumer of a queue by link 1.
fn consume(peer: &mut Peer<'_>, pattern: &str, credit: u32, selector: &str) {
    let selector = (!selector.is_empty()).then(|| selector.into());
    peer.attach(Attach { credit, selector, ..attach(1, from_queue(pattern)) }).unwrap();
}

fn small() -> Broker {
    Broker::with(Limits { line_window: 8, ..Limits::default() }, map(Vec::new()))
}

#[test]
fn a_message_goes_only_to_whom_it_is_wanted_by() {
    let broker = Broker::new();
    let (mut blue, mut red, mut sender) = (broker.admin(), broker.admin(), broker.admin());
    consume(&mut blue, "q", 10, "color = 'blue'");
    consume(&mut red, "q", 10, "color = 'red'");
    for head in ["color=blue;n=1", "color=red;n=2", "color=green;n=3", "color=blue;n=4"] {
        send(&mut sender, queue("q"), head, true);
    }
    assert_eq!(blue.bodies(), ["color=blue;n=1", "color=blue;n=4"]);
    assert_eq!(red.bodies(), ["color=red;n=2"]);
    assert_eq!(broker.depth("q"), 1, "nobody wants the green one");
    let mut all = broker.admin();
    consume(&mut all, "q", 10, "  ");
    assert_eq!(all.bodies(), ["color=green;n=3"], "a blank selector wants everything");
}

#[test]
fn whoever_has_no_credit_blocks_nobody() {
    let broker = Broker::new();
    let (mut blue, mut all, mut sender) = (broker.admin(), broker.admin(), broker.admin());
    consume(&mut blue, "q", 1, "color = 'blue'");
    for head in ["color=blue;n=1", "color=blue;n=2", "color=red;n=3"] {
        send(&mut sender, queue("q"), head, false);
    }
    assert_eq!(blue.bodies(), ["color=blue;n=1"]);
    consume(&mut all, "q", 10, "");
    assert_eq!(all.bodies(), ["color=blue;n=2", "color=red;n=3"]);
}

#[test]
fn a_selector_on_the_envelope_and_its_marks() {
    let broker = Broker::new();
    let (mut first, mut second, mut sender) = (broker.admin(), broker.admin(), broker.admin());
    consume(&mut second, "q", 10, "JMSRedelivered AND JMSXDeliveryCount = 2");
    send(&mut sender, queue("q"), "n=1", true);
    assert!(second.bodies().is_empty());
    consume(&mut first, "q", 10, "NOT JMSRedelivered");
    let delivery = first.deliveries().remove(0);
    first.settle(1, delivery.id, Outcome::Failed).unwrap();
    assert_eq!(second.bodies(), ["n=1"], "it came back and is looked at again");
}

#[test]
fn what_lies_deep_is_found_and_the_rest_stays() {
    for durable in [true, false] {
        let broker = small();
        let (mut blue, mut sender) = (broker.admin(), broker.admin());
        for n in 0..600 {
            let color = if n % 50 == 49 { "blue" } else { "red" };
            send(&mut sender, queue("q"), &format!("color={color};n={n}"), durable);
        }
        consume(&mut blue, "q", 3, "color = 'blue'");
        let mut got = Vec::new();
        loop {
            let deliveries = blue.deliveries();
            if deliveries.is_empty() {
                break;
            }
            got.extend(deliveries.iter().map(body));
            for delivery in deliveries {
                blue.settle(1, delivery.id, Outcome::Accepted).unwrap();
            }
        }
        let wanted: Vec<String> = (0..12).map(|n| format!("color=blue;n={}", n * 50 + 49)).collect();
        assert_eq!(got, wanted);
        assert_eq!(broker.depth("q"), 588);
        take_all(&broker, 588, |n| n % 50 != 49);
    }
}

/// A plain consumer gets everything that is left, once and in order.
fn take_all(broker: &Broker, count: usize, left: impl Fn(u32) -> bool) {
    let mut all = broker.admin();
    consume(&mut all, "q", 1000, "");
    let deliveries = all.deliveries();
    let numbers: Vec<u32> =
        deliveries.iter().map(|d| body(d).rsplit_once('=').unwrap().1.parse().unwrap()).collect();
    assert_eq!(numbers.len(), count);
    assert!(numbers.is_sorted_by(|a, b| a < b) && numbers.iter().all(|n| left(*n)), "{numbers:?}");
    let last = deliveries.last().unwrap().id;
    all.settle_range(1, last.leg, 1, last.number, Outcome::Accepted).unwrap();
    broker.settle();
    assert_eq!((broker.depth("q"), broker.gate.status().store.records), (0, 0));
}

#[test]
fn what_was_found_deep_survives_a_crash_and_comes_once() {
    let broker = small();
    let (mut blue, mut sender) = (broker.admin(), broker.admin());
    for n in 0..200 {
        let color = if n % 20 == 19 { "blue" } else { "red" };
        send(&mut sender, queue("q"), &format!("color={color};n={n}"), true);
    }
    consume(&mut blue, "q", 5, "color = 'blue'");
    let held = blue.deliveries();
    assert_eq!(held.len(), 5);
    blue.settle(1, held[0].id, Outcome::Accepted).unwrap();
    blue.settle(1, held[4].id, Outcome::Released).unwrap();
    drop((blue, sender));
    let broker = broker.crash();
    take_all(&broker, 199, |n| n != 19);
}

#[test]
fn what_a_lost_consumer_held_goes_back_to_its_place() {
    let broker = small();
    let (mut blue, mut sender) = (broker.admin(), broker.admin());
    for n in 0..200 {
        let color = if n % 20 == 19 { "blue" } else { "red" };
        send(&mut sender, queue("q"), &format!("color={color};n={n}"), true);
    }
    consume(&mut blue, "q", 5, "color = 'blue'");
    assert_eq!(blue.deliveries().len(), 5);
    drop(blue);
    let mut other = broker.admin();
    consume(&mut other, "q", 100, "color = 'blue' AND n > 50");
    let numbers: Vec<String> = other.bodies();
    assert_eq!(numbers.len(), 8, "{numbers:?}");
    drop((other, sender));
    broker.settle();
    take_all(&broker, 200, |_| true);
}

#[test]
fn nothing_is_looked_at_twice() {
    let broker = small();
    let (mut blue, mut sender) = (broker.admin(), broker.admin());
    for n in 0..3000 {
        sender.say(Verb::Publish(publish(with(queue("q"), &format!("color=red;n={n}"), true))));
    }
    broker.settle();
    consume(&mut blue, "q", 10, "color = 'blue'");
    broker.settle();
    let pages = broker.pages.load(Ordering::Relaxed);
    assert!((20..60).contains(&pages), "{pages} pages for a look at everything");
    for n in 0..50 {
        send(&mut sender, queue("q"), &format!("color=red;n={n}"), true);
    }
    assert!(blue.bodies().is_empty());
    let more = broker.pages.load(Ordering::Relaxed) - pages;
    assert!(more <= 60, "{more} pages for a look at 50 new messages");
    send(&mut sender, queue("q"), "color=blue;n=1", true);
    assert_eq!(blue.bodies(), ["color=blue;n=1"]);
}

#[test]
fn a_purge_leaves_what_is_held() {
    let broker = small();
    let (mut blue, mut sender) = (broker.admin(), broker.admin());
    for n in 0..100 {
        let color = if n % 20 == 19 { "blue" } else { "red" };
        send(&mut sender, queue("q"), &format!("color={color};n={n}"), true);
    }
    consume(&mut blue, "q", 3, "color = 'blue'");
    assert_eq!(blue.deliveries().len(), 3);
    sender.ask(|tag| Verb::Purge { destination: queue("q"), tag }).unwrap();
    assert_eq!((broker.depth("q"), broker.gate.status().store.records), (0, 3));
    drop((blue, sender));
    let broker = broker.crash();
    take_all(&broker, 3, |n| n % 20 == 19);
}

#[test]
fn a_link_by_wildcard_chooses_on_every_queue() {
    let broker = Broker::new();
    let (mut blue, mut sender) = (broker.admin(), broker.admin());
    consume(&mut blue, "a.*", 10, "color = 'blue'");
    for (name, head) in [("a.1", "color=blue;n=1"), ("a.2", "color=red;n=2"), ("a.2", "color=blue;n=3")] {
        send(&mut sender, queue(name), head, true);
    }
    assert_eq!(blue.bodies(), ["color=blue;n=1", "color=blue;n=3"]);
    assert_eq!(broker.depth("a.2"), 1);
}

#[test]
fn browsers_see_what_they_want() {
    let broker = small();
    let (mut looking, mut sender) = (broker.admin(), broker.admin());
    for n in 0..60 {
        send(
            &mut sender,
            queue("q"),
            &format!("color={};n={n}", if n % 10 == 5 { "blue" } else { "red" }),
            true,
        );
    }
    let selector = Some("color = 'blue'".into());
    looking.attach(Attach { taking: Taking::Browse, selector, ..attach(1, from_queue("q")) }).unwrap();
    assert_eq!(looking.bodies().len(), 6);
    assert!(looking.events().iter().any(|event| matches!(event, Event::Exhausted { link: LinkId(1) })));
    assert_eq!(broker.depth("q"), 60);
}

#[test]
fn subscriptions_store_what_they_want_only() {
    let broker = Broker::new();
    let (mut passing, mut sender) = (broker.admin(), broker.admin());
    let mut durable = broker.login("admin", &["admins"], Some("c"));
    let blue = || Filter { selector: Some("color = 'blue'".into()), ..filter("t") };
    passing.attach(attach(1, Source::Subscription { filters: vec![blue()] })).unwrap();
    let name = SubscriptionName { client_id: "c".into(), name: "s".into() };
    let source = || Source::Durable { name: name.clone(), filters: Some(vec![blue()]) };
    durable.attach(attach(1, source())).unwrap();
    durable.detach(1);
    for head in ["color=red;n=1", "color=blue;n=2"] {
        send(&mut sender, topic("t"), head, true);
    }
    assert_eq!(passing.bodies(), ["color=blue;n=2"]);
    assert_eq!(broker.gate.status().store.records, 1);
    drop((passing, sender, durable));
    let broker = broker.crash();
    let mut sender = broker.admin();
    for head in ["color=red;n=3", "color=blue;n=4"] {
        send(&mut sender, topic("t"), head, true);
    }
    let mut durable = broker.login("admin", &["admins"], Some("c"));
    durable.attach(attach(1, source())).unwrap();
    assert_eq!(durable.bodies(), ["color=blue;n=2", "color=blue;n=4"]);
}

#[test]
fn a_subscription_gets_what_one_of_its_filters_wants() {
    let broker = Broker::new();
    let (mut peer, mut sender) = (broker.admin(), broker.admin());
    let chosen = |pattern, selector: &str| Filter { selector: Some(selector.into()), ..filter(pattern) };
    let filters = vec![chosen("t", "color = 'blue'"), chosen(">", "n > 5"), filter("u")];
    peer.attach(attach(1, Source::Subscription { filters })).unwrap();
    for head in ["color=red;n=1", "color=blue;n=2", "color=red;n=9"] {
        send(&mut sender, topic("t"), head, false);
    }
    send(&mut sender, topic("u"), "color=red;n=1", false);
    assert_eq!(peer.bodies(), ["color=blue;n=2", "color=red;n=9", "color=red;n=1"]);
}

#[test]
fn what_is_no_selector_is_refused_with_its_place() {
    let broker = Broker::new();
    let mut peer = broker.login("admin", &["admins"], Some("c"));
    let wrong = || Some(Arc::from("color = blue and"));
    let filters = vec![Filter { selector: wrong(), ..filter("t") }];
    let name = SubscriptionName { client_id: "c".into(), name: "s".into() };
    for attach in [
        Attach { selector: wrong(), ..attach(1, from_queue("q")) },
        Attach { selector: wrong(), taking: Taking::Browse, ..attach(1, from_queue("q")) },
        attach(1, Source::Subscription { filters: filters.clone() }),
        attach(1, Source::Durable { name, filters: Some(filters) }),
    ] {
        let refusal = peer.attach(attach).unwrap_err();
        assert_eq!(refusal.kind, RefusalKind::InvalidSelector);
        assert!(refusal.text.starts_with("at byte 16 of the selector: expected"), "{refusal}");
    }
}
