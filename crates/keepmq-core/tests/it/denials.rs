//! The gate says no: nothing is touched, the record tells why, a changed map takes effect at once.

use std::sync::Arc;

use keepmq_core::Limits;
use keepmq_model::{
    Attach, Event, Kind, Publish, Refusal, RefusalKind, Retain, Source, SubscriptionName, Taking, Verb,
};
use keepmq_policy::{AuditEvent, DecisionRecord, Map, Rule};

use crate::broker::{
    Broker, Peer, attach, entry, filter, from_queue, grants, map, message, publish, queue, topic,
};

fn denied(broker: &Broker) -> Vec<DecisionRecord> {
    let audited = broker.audited.lock().unwrap();
    let records = audited.iter().filter_map(|event| match event {
        AuditEvent::Denied(record) => Some(record.clone()),
        _ => None,
    });
    records.collect()
}

/// The refusal names the decision that the record tells about.
fn check(broker: &Broker, refusal: &Refusal, text: &str) {
    assert_eq!(refusal.kind, RefusalKind::Forbidden);
    assert_eq!(refusal.text, text);
    let record = denied(broker).pop().unwrap();
    assert_eq!(Some(record.id), refusal.decision);
    assert_eq!(record.denial.to_string(), text);
    assert_eq!((&*record.peer, &*record.listener), ("127.0.0.1:1", "test"));
}

#[test]
fn a_user_without_grants_can_do_nothing() {
    let broker = Broker::new();
    broker.admin().send(queue("q"), "x", true).unwrap();
    broker.admin().send(topic("t"), "x", true).unwrap();
    let before = format!("{:?}", (broker.gate.queues(), broker.gate.status().topics));
    let mut peer = broker.login("u", &["nobody"], Some("c"));
    let send = |peer: &mut Peer<'_>, to| peer.send(to, "y", true).unwrap_err();
    check(&broker, &send(&mut peer, queue("q")), "User u is not authorized to write to: queue://q");
    check(&broker, &send(&mut peer, queue("new")), "User u is not authorized to write to: queue://new");
    check(&broker, &send(&mut peer, topic("t")), "User u is not authorized to write to: topic://t");
    let read = peer.attach(attach(1, from_queue("q"))).unwrap_err();
    check(&broker, &read, "User u is not authorized to read from: queue://q");
    let browse = Attach { taking: Taking::Browse, ..attach(1, from_queue("q")) };
    check(&broker, &peer.attach(browse).unwrap_err(), "User u is not authorized to read from: queue://q");
    let wild = peer.attach(attach(1, from_queue(">"))).unwrap_err();
    check(&broker, &wild, "User u is not authorized to read from: queue://>");
    let subscribe = peer.subscribe(1, "t").unwrap_err();
    check(&broker, &subscribe, "User u is not authorized to read from: topic://t");
    let durable = peer.durable(1, "c", "s", "t.>").unwrap_err();
    check(&broker, &durable, "User u is not authorized to read from: topic://t.>");
    let purge = peer.ask(|tag| Verb::Purge { destination: queue("q"), tag }).unwrap_err();
    check(&broker, &purge, "User u is not authorized to create: queue://q");
    let delete = peer.ask(|tag| Verb::Delete { destination: queue("q"), tag }).unwrap_err();
    check(&broker, &delete, "User u is not authorized to create: queue://q");
    let delete = peer.ask(|tag| Verb::Delete { destination: topic("t"), tag }).unwrap_err();
    check(&broker, &delete, "User u is not authorized to create: topic://t");
    broker.settle();
    assert_eq!(before, format!("{:?}", (broker.gate.queues(), broker.gate.status().topics)), "untouched");
    assert_eq!(broker.gate.status().denials, 11);
    assert!(peer.deliveries().is_empty());
}

#[test]
fn before_the_login_nothing_can_be_said() {
    let broker = Broker::new();
    let mut client = broker.gate.connect("127.0.0.1:1", &"test".into(), Box::new(|| {}));
    client.say(Verb::Publish(publish(message(queue("q"), "x", false))));
    client.flush();
    let mut events = Vec::new();
    client.events(&mut events);
    let [Event::Refused { refusal, .. }] = &events[..] else { panic!("{events:?}") };
    assert_eq!(refusal.kind, RefusalKind::Unauthenticated);
    assert_eq!(broker.gate.status().queues, 0);
}

#[test]
fn creating_needs_the_right_to() {
    let rights = entry(Kind::Queue, ">", grants(&["users"], &["users"], &[]));
    let topics = entry(Kind::Topic, ">", grants(&["users"], &["users"], &[]));
    let broker = Broker::with(Limits::default(), map(vec![rights, topics]));
    let mut peer = broker.login("u", &["users"], None);
    let refusal = peer.send(queue("q"), "x", true).unwrap_err();
    check(&broker, &refusal, "User u is not authorized to create: queue://q");
    assert!(peer.attach(attach(1, from_queue("q"))).is_err());
    assert!(peer.subscribe(1, "t").is_err());
    assert!(peer.send(topic("t"), "x", false).is_err());
    broker.admin().send(queue("q"), "", true).unwrap();
    broker.admin().send(topic("t"), "", true).unwrap();
    peer.send(queue("q"), "x", true).unwrap();
    peer.attach(attach(1, from_queue("q"))).unwrap();
    peer.subscribe(2, "t").unwrap();
    peer.send(topic("t"), "x", false).unwrap();
}

#[test]
fn every_part_of_a_composite_name_is_judged() {
    let mine = entry(Kind::Queue, "mine", grants(&[], &["users"], &["users"]));
    let broker = Broker::with(Limits::default(), map(vec![mine]));
    let mut peer = broker.login("u", &["users"], None);
    let sent = publish(message(queue("mine"), "x", true));
    let also = [queue("secret")].into_iter().collect();
    let refusal = peer.ask(|tag| Verb::Publish(Publish { tag: Some(tag), also, ..sent })).unwrap_err();
    check(&broker, &refusal, "User u is not authorized to write to: queue://secret");
    assert_eq!(broker.depth("mine"), 0, "nothing was sent to the part that is allowed");
}

#[test]
fn a_wildcard_subscriber_gets_only_what_it_may_read() {
    let some = entry(Kind::Topic, "a.*", grants(&["users"], &[], &[]));
    let queues = entry(Kind::Queue, "a.*", grants(&["users"], &[], &[]));
    let broker = Broker::with(Limits::default(), map(vec![some, queues]));
    let (mut peer, mut admin) = (broker.login("u", &["users"], None), broker.admin());
    peer.subscribe(1, "a.>").unwrap();
    peer.attach(attach(2, from_queue("a.>"))).unwrap();
    for name in ["a.b", "a.b.secret"] {
        admin.send(topic(name), name, false).unwrap();
        admin.send(queue(name), name, false).unwrap();
    }
    assert_eq!(peer.bodies(), ["a.b", "a.b"]);
}

#[test]
fn the_record_names_the_rule_that_decided() {
    let others = entry(Kind::Queue, "q.>", grants(&["others"], &[], &[]));
    let broker = Broker::with(Limits::default(), Map::new(vec![others], None, None));
    let mut peer = broker.login("u", &["users"], None);
    assert!(peer.attach(attach(1, from_queue("q.a"))).is_err());
    assert!(peer.attach(attach(1, from_queue("p"))).is_err());
    let rules: Vec<Rule> = denied(&broker).into_iter().map(|record| record.denial.rule).collect();
    assert_eq!(rules, [Rule::NotGranted(vec!["map:q.>".into()]), Rule::NoEntry]);
}

#[test]
fn a_changed_map_holds_for_the_next_message() {
    let open = || entry(Kind::Queue, "q", grants(&[], &["users"], &["users"]));
    let broker = Broker::with(Limits::default(), map(vec![open()]));
    let mut peer = broker.login("u", &["users"], None);
    peer.send(queue("q"), "1", true).unwrap();
    broker.gate.set_map(map(Vec::new()));
    let refusal = peer.send(queue("q"), "2", true).unwrap_err();
    assert_eq!(refusal.kind, RefusalKind::Forbidden);
    broker.gate.set_map(map(vec![open()]));
    peer.send(queue("q"), "3", true).unwrap();
    assert_eq!(broker.depth("q"), 2);
}

#[test]
fn who_lost_the_right_to_read_is_detached_and_told() {
    let read = |kind| entry(kind, ">", grants(&["users"], &[], &[]));
    let broker = Broker::with(Limits::default(), map(vec![read(Kind::Queue), read(Kind::Topic)]));
    let mut admin = broker.admin();
    admin.send(queue("q"), "1", true).unwrap();
    admin.send(topic("t"), "1", true).unwrap();
    let mut peer = broker.login("u", &["users"], None);
    peer.attach(attach(1, from_queue("q"))).unwrap();
    peer.subscribe(2, "t").unwrap();
    peer.attach(attach(3, from_queue(">"))).unwrap();
    assert_eq!(peer.bodies(), ["1"]);
    let (epoch, lost) = broker.gate.set_map(map(vec![read(Kind::Queue)]));
    assert_eq!((epoch, lost), (2, 1));
    let (_, lost) = broker.gate.set_map(map(Vec::new()));
    assert_eq!(lost, 2);
    admin.send(queue("q"), "2", true).unwrap();
    admin.send(topic("t"), "2", true).unwrap();
    assert!(peer.bodies().is_empty());
    let mut links: Vec<u32> = peer.events.iter().filter_map(detached).collect();
    links.sort_unstable();
    assert_eq!(links, [1, 2, 3]);
    assert_eq!(broker.depth("q"), 2, "what it held went back");
}

fn detached(event: &Event) -> Option<u32> {
    match event {
        Event::Detached { link, refusal } => {
            assert!(refusal.decision.is_some());
            Some(link.0)
        }
        _ => None,
    }
}

#[test]
fn an_absent_subscriber_that_lost_its_right_gets_nothing_any_more() {
    let read = entry(Kind::Topic, "t", grants(&["users"], &[], &[]));
    let broker = Broker::with(Limits::default(), map(vec![read]));
    broker.admin().send(topic("t"), "", false).unwrap();
    broker.login("u", &["users"], Some("c")).durable(1, "c", "s", "t").unwrap();
    broker.gate.set_map(map(Vec::new()));
    broker.admin().send(topic("t"), "secret", true).unwrap();
    assert_eq!(broker.gate.status().store.records, 0);
}

#[test]
fn a_subscription_that_is_taken_up_as_it_was_has_its_lost_rights_recorded() {
    let broker =
        Broker::with(Limits::default(), map(vec![entry(Kind::Topic, "t", grants(&["users"], &[], &[]))]));
    broker.admin().send(topic("t"), "", false).unwrap();
    broker.login("u", &["users"], Some("c")).durable(1, "c", "s", "t").unwrap();
    broker.gate.set_map(map(Vec::new()));
    assert!(denied(&broker).is_empty());
    let mut peer = broker.login("u", &["users"], Some("c"));
    let name = SubscriptionName { client_id: "c".into(), name: "s".into() };
    peer.attach(attach(1, Source::Durable { name, filters: None })).unwrap();
    assert_eq!(denied(&broker).len(), 1);
}

#[test]
fn what_waits_for_a_subscriber_is_judged_again_when_it_is_delivered() {
    let rule = |pattern| entry(Kind::Topic, pattern, grants(&["users"], &[], &[]));
    let broker = Broker::with(Limits::default(), map(vec![rule("a.>")]));
    broker.login("u", &["users"], Some("c")).durable(1, "c", "s", "a.>").unwrap();
    let mut peer = broker.login("u", &["users"], None);
    let source = Source::Subscription { filters: vec![filter("a.>")] };
    peer.attach(Attach { credit: 0, ..attach(1, source) }).unwrap();
    for name in ["a.open", "a.b.secret", "a.other"] {
        broker.admin().send(topic(name), name, true).unwrap();
    }
    // The text `a.>` is covered by `a.*` as well, the name `a.b.secret` is not.
    broker.gate.set_map(map(vec![rule("a.*")]));
    peer.say(Verb::Grant { link: keepmq_model::LinkId(1), credit: 10 });
    assert_eq!(peer.bodies(), ["a.open", "a.other"]);
    let mut late = broker.login("u", &["users"], Some("c"));
    late.durable(1, "c", "s", "a.>").unwrap();
    assert_eq!(late.bodies(), ["a.open", "a.other"]);
}

#[test]
fn a_retained_message_needs_the_right_to_write() {
    let broker = Broker::new();
    let mut peer = broker.login("u", &["users"], None);
    let sent = publish(message(topic("t"), "x", true));
    let refused = peer.ask(|tag| Verb::Publish(Publish { tag: Some(tag), retain: Retain::Keep, ..sent }));
    assert!(refused.is_err());
    assert_eq!(broker.gate.status().retained, 0);
}

#[test]
fn the_sender_that_a_message_names_is_the_one_who_sent_it() {
    let broker = Broker::new();
    let mut peer = broker.admin();
    peer.consume("q", 1);
    let mut forged = message(queue("q"), "x", false);
    forged.envelope.user = Some("somebody-else".into());
    peer.say(Verb::Publish(publish(forged)));
    let delivery = peer.deliveries().remove(0);
    assert_eq!(delivery.message.envelope.user.as_deref(), Some("admin"));
}

#[test]
fn destinations_are_bounded() {
    let limits = Limits { destinations: 3, ..Limits::default() };
    let broker = Broker::with(limits, map(Vec::new()));
    let mut peer = broker.admin();
    for n in 0..3 {
        peer.send(queue(&n.to_string()), "", true).unwrap();
    }
    assert_eq!(peer.send(queue("more"), "", true).unwrap_err().kind, RefusalKind::Busy);
    assert_eq!(peer.send(topic("more"), "", true).unwrap_err().kind, RefusalKind::Busy);
}

#[test]
fn links_and_filters_are_bounded() {
    let limits = Limits { links_per_connection: 2, filters_per_subscription: 2, ..Limits::default() };
    let broker = Broker::with(limits, map(Vec::new()));
    let mut peer = broker.admin();
    let filters = || vec![filter("a"), filter("b"), filter("c")];
    let refusal = peer.attach(attach(1, Source::Subscription { filters: filters() })).unwrap_err();
    assert_eq!(refusal.kind, RefusalKind::Busy);
    peer.subscribe(1, "a").unwrap();
    peer.subscribe(2, "a").unwrap();
    assert_eq!(peer.subscribe(3, "a").unwrap_err().kind, RefusalKind::Busy);
}

#[test]
fn explaining_uses_what_decides() {
    let policy = keepmq_policy::Policy { epoch: 1, map: map(Vec::new()) };
    let who = Arc::new(keepmq_model::Principal::new("admin", ["admins"]));
    let verdict = keepmq_policy::judge(&policy, &who, keepmq_policy::Right::Read, Kind::Queue, "q");
    assert_eq!((verdict.allowed, verdict.rule), (true, Rule::Entry("map:>".into())));
}

#[test]
fn connections_of_changed_users_end() {
    let broker = Broker::new();
    let (mut gone, mut moved, mut same) = (
        broker.login("gone", &["g"], None),
        broker.login("moved", &["g"], None),
        broker.login("same", &["g"], None),
    );
    let ended = broker.gate.end_changed(|name| match name {
        "moved" => Some(Arc::new(keepmq_model::Principal::new("moved", ["h"]))),
        "same" => Some(Arc::new(keepmq_model::Principal::new("same", ["g"]))),
        _ => None,
    });
    assert_eq!(ended, 2);
    let is_ending =
        |peer: &mut Peer<'_>| peer.events().iter().any(|event| matches!(event, Event::Ending { .. }));
    assert!(is_ending(&mut gone) && is_ending(&mut moved) && !is_ending(&mut same));
}
