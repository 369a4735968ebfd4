//! Messages that topics keep for later subscribers.

use keepmq_model::{Attach, Destination, Filter, Publish, Replay, Retain, Source, Verb};

use crate::broker::{Broker, Peer, attach, body, entry, filter, grants, map, message, publish, topic};

fn keep(peer: &mut Peer<'_>, destination: Destination, text: &str, retain: Retain) {
    let sent = publish(message(destination, text, true));
    peer.ask(|tag| Verb::Publish(Publish { tag: Some(tag), retain, ..sent })).unwrap();
}

fn look(peer: &mut Peer<'_>, pattern: &str) -> Vec<String> {
    let filters = vec![Filter { replay: Replay::Always, ..filter(pattern) }];
    peer.attach(Attach { ..attach(9, Source::Subscription { filters }) }).unwrap();
    let deliveries = peer.deliveries();
    assert!(deliveries.iter().all(|delivery| delivery.marks.retained));
    peer.detach(9);
    deliveries.iter().map(body).collect()
}

#[test]
fn a_later_subscriber_gets_the_last_kept_message_of_each_topic() {
    let broker = Broker::new();
    let mut peer = broker.admin();
    keep(&mut peer, topic("a.1"), "old", Retain::Keep);
    keep(&mut peer, topic("a.2"), "two", Retain::Keep);
    keep(&mut peer, topic("a.1"), "one", Retain::Keep);
    keep(&mut peer, topic("b"), "b", Retain::Keep);
    assert_eq!(look(&mut peer, "a.>"), ["two", "one"]);
    assert_eq!(look(&mut peer, "a.1"), ["one"]);
    assert_eq!(look(&mut peer, "*.1"), ["one"]);
    assert_eq!(look(&mut peer, "c"), [""; 0]);
}

#[test]
fn a_subscriber_that_is_there_gets_it_as_an_ordinary_message() {
    let broker = Broker::new();
    let (mut peer, mut sender) = (broker.admin(), broker.admin());
    peer.subscribe(1, "a").unwrap();
    keep(&mut sender, topic("a"), "x", Retain::Keep);
    let delivery = peer.deliveries().remove(0);
    assert!(!delivery.marks.retained);
}

#[test]
fn a_cleared_topic_keeps_nothing() {
    let broker = Broker::new();
    let mut peer = broker.admin();
    keep(&mut peer, topic("a"), "x", Retain::Keep);
    keep(&mut peer, topic("a"), "", Retain::Clear);
    assert_eq!(look(&mut peer, "a"), [""; 0]);
    assert_eq!(broker.gate.status().store.records, 0);
}

#[test]
fn kept_messages_survive_a_crash() {
    let broker = Broker::new();
    let mut peer = broker.admin();
    for n in 0..20 {
        keep(&mut peer, topic(&format!("a.{n}")), "old", Retain::Keep);
        keep(&mut peer, topic(&format!("a.{n}")), &n.to_string(), Retain::Keep);
    }
    drop(peer);
    let broker = broker.crash();
    assert!(broker.faults.is_empty(), "{:?}", broker.faults);
    let mut peer = broker.admin();
    assert_eq!(look(&mut peer, "a.>"), (0..20).map(|n| n.to_string()).collect::<Vec<_>>());
    keep(&mut peer, topic("a.3"), "new", Retain::Keep);
    assert_eq!(look(&mut peer, "a.3"), ["new"]);
    assert_eq!(broker.gate.status().store.records, 20);
}

#[test]
fn what_is_kept_is_judged_by_its_own_topic_when_it_is_delivered() {
    let readers = entry(keepmq_model::Kind::Topic, "a.*", grants(&["readers"], &[], &[]));
    let broker = Broker::with(keepmq_core::Limits::default(), map(vec![readers]));
    let mut admin = broker.admin();
    keep(&mut admin, topic("a.open"), "open", Retain::Keep);
    keep(&mut admin, topic("a.b.secret"), "secret", Retain::Keep);
    let mut reader = broker.login("reader", &["readers"], None);
    assert_eq!(look(&mut reader, "a.>"), ["open"]);
}

#[test]
fn a_topic_that_was_subscribed_before_is_not_sent_again_unless_asked() {
    let broker = Broker::new();
    let mut peer = broker.login("admin", &["admins"], Some("c"));
    keep(&mut peer, topic("a"), "x", Retain::Keep);
    let name = keepmq_model::SubscriptionName { client_id: "c".into(), name: "s".into() };
    let filters = Some(vec![Filter { replay: Replay::IfNew, ..filter("a") }]);
    let source = || Source::Durable { name: name.clone(), filters: filters.clone() };
    peer.attach(attach(1, source())).unwrap();
    let first = peer.deliveries();
    assert_eq!(first.len(), 1);
    peer.settle(1, first[0].id, keepmq_model::Outcome::Accepted).unwrap();
    peer.detach(1);
    peer.attach(attach(1, source())).unwrap();
    assert!(peer.deliveries().is_empty());
}

#[test]
fn expired_messages_are_not_kept_for_anyone() {
    let broker = Broker::new();
    let mut peer = broker.admin();
    let mut mortal = message(topic("a"), "x", true);
    mortal.envelope.expires_ms = broker.now() + 10;
    peer.say(Verb::Publish(Publish { retain: Retain::Keep, ..publish(mortal) }));
    broker.settle();
    broker.pass(10);
    assert_eq!(look(&mut peer, "a"), [""; 0]);
}

#[test]
fn the_number_of_kept_messages_is_bounded() {
    let limits = keepmq_core::Limits { retained_messages: 2, ..Default::default() };
    let broker = Broker::with(limits, map(Vec::new()));
    let mut peer = broker.admin();
    let mut refused = 0;
    for n in 0..20 {
        let sent = publish(message(topic(&format!("a.{n}")), "x", true));
        let answer = peer.ask(|tag| Verb::Publish(Publish { tag: Some(tag), retain: Retain::Keep, ..sent }));
        refused += u32::from(answer.is_err());
    }
    assert!(broker.gate.status().retained <= 2 * 3 && refused >= 14, "each of three shards keeps two");
}
