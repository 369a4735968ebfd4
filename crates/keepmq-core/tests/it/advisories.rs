//! What the broker tells of itself on advisory topics.

use keepmq_core::Limits;
use keepmq_model::{Advisory, Destination, Event, Kind, Refusal, RefusalKind, Verb};

use crate::broker::{Broker, Peer, entry, grants, map, queue, topic};

const TEMP_QUEUES: &str = "ActiveMQ.Advisory.TempQueue";

fn make(peer: &mut Peer<'_>, name: &str) -> Result<Destination, Refusal> {
    let (kind, name) = (Kind::TempQueue, Some(name.into()));
    match peer.ask(|tag| Verb::CreateTemporary { kind, name, tag })? {
        Event::Created { destination, .. } => Ok(destination),
        other => panic!("{other:?}"),
    }
}

/// What a reader has been told: names, each with whether it was made.
fn told(peer: &mut Peer<'_>) -> Vec<(String, bool)> {
    let read = |native: &keepmq_model::Native| match Advisory::read(native) {
        Some(Advisory::Destination { destination, added }) => (destination.name().to_owned(), added),
        None => panic!("not an advisory: {native:?}"),
    };
    peer.deliveries().iter().map(|delivery| read(&delivery.message.native)).collect()
}

#[test]
fn a_reader_hears_of_temporary_queues_that_are_there_that_come_and_that_go() {
    let broker = Broker::new();
    let (mut reader, mut early, mut late) = (broker.admin(), broker.admin(), broker.admin());
    make(&mut early, "ID:early:1").unwrap();
    reader.subscribe(1, TEMP_QUEUES).unwrap();
    assert_eq!(told(&mut reader), [("ID:early:1".to_owned(), true)]);
    make(&mut late, "ID:late:1").unwrap();
    assert_eq!(told(&mut reader), [("ID:late:1".to_owned(), true)]);
    drop(early);
    assert_eq!(told(&mut reader), [("ID:early:1".to_owned(), false)]);
}

#[test]
fn a_wildcard_hears_what_happens_and_advisories_cause_none() {
    let broker = Broker::new();
    let (mut reader, mut other) = (broker.admin(), broker.admin());
    reader.subscribe(1, "ActiveMQ.Advisory.>").unwrap();
    other.send(queue("orders"), "x", false).unwrap();
    other.send(topic("prices"), "x", false).unwrap();
    other.subscribe(1, "ActiveMQ.Advisory.Queue").unwrap();
    let destination = queue("orders");
    other.ask(|tag| Verb::Delete { destination, tag }).unwrap();
    let wanted = [("orders", true), ("prices", true), ("orders", false)];
    assert_eq!(told(&mut reader), wanted.map(|(name, added)| (name.to_owned(), added)));
}

#[test]
fn a_reader_needs_the_right_to_read_them_and_no_other() {
    let may_read = entry(Kind::Topic, "ActiveMQ.Advisory.>", grants(&["users"], &[], &[]));
    let broker = Broker::with(Limits::default(), map(vec![may_read]));
    let (mut user, mut stranger) =
        (broker.login("u", &["users"], None), broker.login("s", &["others"], None));
    user.subscribe(1, TEMP_QUEUES).unwrap();
    assert_eq!(stranger.subscribe(1, TEMP_QUEUES).unwrap_err().kind, RefusalKind::Forbidden);
    assert_eq!(user.send(topic(TEMP_QUEUES), "lie", false).unwrap_err().kind, RefusalKind::Forbidden);
}

#[test]
fn the_topics_count_as_destinations_where_peers_have_them_made() {
    let limits = Limits { destinations: 2, ..Limits::default() };
    let broker = Broker::with(limits, map(Vec::new()));
    let mut reader = broker.admin();
    for n in 1..=2 {
        reader.subscribe(n, &format!("ActiveMQ.Advisory.Consumer.Queue.q{n}")).unwrap();
    }
    let refusal = reader.subscribe(3, "ActiveMQ.Advisory.Consumer.Queue.q3").unwrap_err();
    assert_eq!(refusal.kind, RefusalKind::Busy);
}

#[test]
fn a_name_that_the_client_chose_is_its_own_until_it_goes() {
    let broker = Broker::new();
    let mut owner = broker.admin();
    let queue = make(&mut owner, "ID:host-1:1").unwrap();
    assert_eq!(make(&mut owner, "ID:host-1:1").unwrap(), queue);
    let mut thief = broker.admin();
    assert_eq!(make(&mut thief, "ID:host-1:1").unwrap_err().kind, RefusalKind::Conflict);
    assert_eq!(make(&mut thief, "ID.>").unwrap_err().kind, RefusalKind::Malformed);
    drop(owner);
    make(&mut thief, "ID:host-1:1").unwrap();
}
