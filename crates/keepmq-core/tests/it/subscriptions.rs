//! Subscriptions that stay.

use bytes::Bytes;
use keepmq_model::{
    Attach, Event, LinkId, Note, Outcome, Publish, RefusalKind, Source, SubscriptionName, Taking, Verb,
};

use crate::broker::{Broker, Peer, attach, body, filter, message, publish, topic};

fn resumed(event: Event) -> Option<keepmq_model::Resumed> {
    let Event::Attached { resumed, .. } = event else { panic!("{event:?}") };
    resumed.map(|resumed| *resumed)
}

fn name(client_id: &str) -> SubscriptionName {
    SubscriptionName { client_id: client_id.into(), name: "s".into() }
}

fn durable_client<'a>(broker: &'a Broker, id: &str) -> Peer<'a> {
    broker.login("admin", &["admins"], Some(id))
}

#[test]
fn messages_wait_for_an_absent_subscriber_and_survive_a_crash() {
    let broker = Broker::new();
    assert!(resumed(durable_client(&broker, "c").durable(1, "c", "s", "t").unwrap()).is_none());
    broker.admin().send(topic("t"), "x", true).unwrap();
    let broker = broker.crash();
    assert!(broker.faults.is_empty(), "{:?}", broker.faults);
    let mut peer = durable_client(&broker, "c");
    let resumed = resumed(peer.durable(1, "c", "s", "t").unwrap()).unwrap();
    assert_eq!(resumed.filters, [filter("t")]);
    let delivery = peer.deliveries().remove(0);
    assert_eq!(body(&delivery), "x");
    peer.settle(1, delivery.id, Outcome::Accepted).unwrap();
    assert_eq!(broker.gate.status().store.records, 0);
}

#[test]
fn one_stored_copy_serves_all_subscriptions_of_a_shard() {
    let broker = Broker::new();
    for n in 0..9 {
        let id = format!("c{n}");
        durable_client(&broker, &id).durable(1, &id, "s", "t").unwrap();
    }
    broker.admin().send(topic("t"), "x", true).unwrap();
    assert_eq!(broker.gate.status().store.records, 9, "each has its own place for it");
    let broker = broker.crash();
    for n in 0..9 {
        let id = format!("c{n}");
        let mut peer = durable_client(&broker, &id);
        peer.durable(1, &id, "s", "t").unwrap();
        assert_eq!(peer.bodies(), ["x"]);
    }
}

#[test]
fn what_need_not_survive_a_crash_still_waits_for_an_absent_subscriber() {
    let broker = Broker::new();
    durable_client(&broker, "c").durable(1, "c", "s", "t").unwrap();
    broker.admin().send(topic("t"), "x", false).unwrap();
    let mut peer = durable_client(&broker, "c");
    peer.durable(1, "c", "s", "t").unwrap();
    assert_eq!(peer.bodies(), ["x"]);
}

#[test]
fn a_filter_that_does_not_keep_gets_nothing_while_nobody_is_there() {
    let broker = Broker::new();
    let mut lazy = filter("t");
    lazy.keep = false;
    let source = || Source::Durable { name: name("c"), filters: Some(vec![lazy.clone()]) };
    durable_client(&broker, "c").attach(attach(1, source())).unwrap();
    broker.admin().send(topic("t"), "missed", true).unwrap();
    let mut peer = durable_client(&broker, "c");
    peer.attach(attach(1, source())).unwrap();
    broker.admin().send(topic("t"), "seen", true).unwrap();
    assert_eq!(peer.bodies(), ["seen"]);
    assert_eq!(broker.gate.status().store.records, 0);
}

#[test]
fn another_filter_under_the_same_name_starts_afresh() {
    let broker = Broker::new();
    durable_client(&broker, "c").durable(1, "c", "s", "t").unwrap();
    broker.admin().send(topic("t"), "old", true).unwrap();
    let mut peer = durable_client(&broker, "c");
    assert!(resumed(peer.durable(1, "c", "s", "u").unwrap()).is_none());
    broker.admin().send(topic("t"), "t", true).unwrap();
    broker.admin().send(topic("u"), "u", true).unwrap();
    assert_eq!(peer.bodies(), ["u"]);
    assert_eq!(broker.gate.status().durable_subscriptions, 1);
}

#[test]
fn a_forgotten_subscription_keeps_nothing() {
    let broker = Broker::new();
    let mut peer = durable_client(&broker, "c");
    peer.durable(1, "c", "s", "t").unwrap();
    broker.admin().send(topic("t"), "x", true).unwrap();
    assert_eq!(peer.deliveries().len(), 1);
    peer.ask(|tag| Verb::Forget { name: name("c"), tag }).unwrap();
    let status = broker.gate.status();
    assert_eq!((status.store.records, status.durable_subscriptions), (0, 0));
    let refusal = peer.ask(|tag| Verb::Forget { name: name("c"), tag }).unwrap_err();
    assert_eq!(refusal.kind, RefusalKind::NotFound);
    drop(peer);
    assert_eq!(broker.crash().gate.status().durable_subscriptions, 0);
}

#[test]
fn without_the_client_id_nobody_gets_at_a_subscription() {
    let broker = Broker::new();
    durable_client(&broker, "c").durable(1, "c", "s", "t").unwrap();
    let mut other = durable_client(&broker, "d");
    assert_eq!(other.durable(1, "c", "s", "t").unwrap_err().kind, RefusalKind::Conflict);
    assert!(other.ask(|tag| Verb::Forget { name: name("c"), tag }).is_err());
    assert_eq!(broker.admin().durable(1, "c", "s", "t").unwrap_err().kind, RefusalKind::Conflict);
}

#[test]
fn another_user_with_the_same_client_id_does_not_inherit_the_backlog() {
    let broker = Broker::new();
    durable_client(&broker, "c").durable(1, "c", "s", "t").unwrap();
    broker.admin().send(topic("t"), "secret", true).unwrap();
    let mut thief = broker.login("thief", &["admins"], Some("c"));
    assert_eq!(thief.durable(1, "c", "s", "t").unwrap_err().kind, RefusalKind::Forbidden);
    assert!(thief.ask(|tag| Verb::Forget { name: name("c"), tag }).is_err());
    assert!(thief.bodies().is_empty());
}

#[test]
fn a_client_id_is_taken_over_by_the_same_user_only() {
    let broker = Broker::new();
    let mut first = durable_client(&broker, "c");
    first.durable(1, "c", "s", "t").unwrap();
    broker.admin().send(topic("t"), "x", true).unwrap();
    assert_eq!(first.bodies(), ["x"]);
    assert!(broker.try_login("admin", &["admins"], Some("c"), false).is_err(), "not without asking for it");
    assert!(broker.try_login("other", &["admins"], Some("c"), true).is_err());
    let mut second = broker.try_login("admin", &["admins"], Some("c"), true).unwrap();
    assert!(first.events().iter().any(|event| matches!(event, Event::Ending { .. })));
    second.durable(1, "c", "s", "t").unwrap();
    let again = second.deliveries().remove(0);
    assert_eq!((body(&again).as_str(), again.marks.redeliveries), ("x", 1));
    drop(first);
    assert!(broker.try_login("admin", &["admins"], Some("c"), false).is_err(), "the second one holds it");
    second.settle(1, again.id, Outcome::Accepted).unwrap();
}

#[test]
fn a_message_has_the_same_place_each_time_it_is_delivered() {
    let broker = Broker::new();
    let place = |broker: &Broker| {
        let mut peer = durable_client(broker, "c");
        peer.durable(1, "c", "s", "t").unwrap();
        peer.deliveries().first().map(|delivery| delivery.place)
    };
    assert_eq!(place(&broker), None);
    broker.admin().send(topic("t"), "x", true).unwrap();
    let first = place(&broker).unwrap();
    assert_eq!(place(&broker), Some(first));
    assert_eq!(place(&broker.crash()), Some(first), "also after a crash");
}

fn note(key: &'static [u8], value: Option<&'static [u8]>) -> Note {
    let value = value.map(Bytes::from_static);
    Note { link: LinkId(1), key: Bytes::from_static(key), value, tag: None }
}

#[test]
fn notes_are_kept_with_the_subscription() {
    let broker = Broker::new();
    let mut peer = durable_client(&broker, "c");
    peer.durable(1, "c", "s", "t").unwrap();
    for (key, value) in [(&b"a"[..], Some(&b"1"[..])), (b"b", Some(b"2")), (b"a", None), (b"c", Some(b""))] {
        peer.ask(|tag| Verb::Note(Note { tag: Some(tag), ..note(key, value) })).unwrap();
    }
    drop(peer);
    let broker = broker.crash();
    let mut peer = durable_client(&broker, "c");
    let resumed = resumed(peer.durable(1, "c", "s", "t").unwrap()).unwrap();
    let notes: Vec<(&[u8], &[u8])> = resumed.notes.iter().map(|(k, v)| (&k[..], &v[..])).collect();
    assert_eq!(notes, [(&b"b"[..], &b"2"[..]), (b"c", b"")]);
}

#[test]
fn a_message_and_its_note_are_durable_together_or_not_at_all() {
    let broker = Broker::new();
    let mut peer = durable_client(&broker, "c");
    peer.durable(1, "c", "s", "t").unwrap();
    let tag = peer.tag();
    let sent = publish(message(topic("t"), "x", true));
    let note = Some(Box::new(note(b"id", Some(b""))));
    peer.say(Verb::Publish(Publish { tag: Some(tag), note, ..sent }));
    assert!(peer.answer(tag).is_none(), "not before it is on disk");
    assert_eq!(broker.store.complete(usize::MAX), 1, "one commit");
    assert!(peer.answer(tag).unwrap().is_ok());
}

#[test]
fn notes_are_bounded() {
    let broker = Broker::new();
    let mut peer = durable_client(&broker, "c");
    peer.durable(1, "c", "s", "t").unwrap();
    let long = note(&[0; 65], Some(b""));
    let refusal = peer.ask(|tag| Verb::Note(Note { tag: Some(tag), ..long })).unwrap_err();
    assert_eq!(refusal.kind, RefusalKind::TooLarge);
    peer.subscribe(2, "t").unwrap();
    let elsewhere = Note { link: LinkId(2), ..note(b"a", Some(b"")) };
    assert!(peer.ask(|tag| Verb::Note(Note { tag: Some(tag), ..elsewhere })).is_err());
}

#[test]
fn filters_that_a_session_adds_survive_a_crash() {
    let broker = Broker::new();
    let mut peer = durable_client(&broker, "c");
    peer.attach(attach(1, Source::Durable { name: name("c"), filters: None })).unwrap();
    for pattern in ["a", "b", "c.>"] {
        let bind = |tag| keepmq_model::Bind { link: LinkId(1), filter: filter(pattern), tag };
        peer.ask(|tag| Verb::Bind(Box::new(bind(tag)))).unwrap();
    }
    let pattern = keepmq_model::Pattern::new("b").unwrap();
    peer.ask(|tag| Verb::Unbind { link: LinkId(1), pattern, tag }).unwrap();
    drop(peer);
    let broker = broker.crash();
    for name in ["a", "b", "c.d"] {
        broker.admin().send(topic(name), name, true).unwrap();
    }
    let mut peer = durable_client(&broker, "c");
    let event = peer.attach(attach(1, Source::Durable { name: name("c"), filters: None })).unwrap();
    assert_eq!(resumed(event).unwrap().filters, [filter("a"), filter("c.>")]);
    assert_eq!(peer.bodies(), ["a", "c.d"]);
}

#[test]
fn no_delivery_comes_before_the_news_that_its_link_is_open() {
    let broker = Broker::new();
    durable_client(&broker, "c").durable(1, "c", "s", "t").unwrap();
    broker.admin().send(topic("t"), "x", true).unwrap();
    let mut peer = durable_client(&broker, "c");
    // A message before it waits for the disk, and so does the answer.
    peer.client
        .say(Verb::Publish(Publish { tag: Some(peer_tag()), ..publish(message(topic("u"), "", true)) }));
    let source = Source::Durable { name: name("c"), filters: Some(vec![filter("t"), filter("v")]) };
    peer.client.say(Verb::Attach(Box::new(Attach { taking: Taking::Unsettled, ..attach(1, source) })));
    assert!(!peer.events().iter().any(|event| matches!(event, Event::Deliver(_))));
}

fn peer_tag() -> keepmq_model::Tag {
    keepmq_model::Tag(77)
}
