//! Temporary destinations.

use keepmq_model::{Attach, Destination, Event, Kind, Pattern, RefusalKind, Source, Verb};

use crate::broker::{Broker, Peer, attach, body, filter};

fn create(peer: &mut Peer<'_>, kind: Kind) -> Destination {
    match peer.ask(|tag| Verb::CreateTemporary { kind, name: None, tag }).unwrap() {
        Event::Created { destination, .. } => destination,
        other => panic!("{other:?}"),
    }
}

fn from(destination: &Destination) -> Attach {
    attach(5, Source::Queue { kind: destination.kind(), pattern: Pattern::from(destination) })
}

#[test]
fn request_and_reply_work_for_a_user_of_whom_the_map_says_nothing() {
    let broker = Broker::new();
    let (mut asker, mut answerer) = (broker.login("someone", &[], None), broker.admin());
    let reply_to = create(&mut asker, Kind::TempQueue);
    asker.attach(from(&reply_to)).unwrap();
    answerer.send(reply_to.clone(), "answer", false).unwrap();
    let delivery = asker.deliveries().remove(0);
    assert_eq!((body(&delivery).as_str(), &delivery.message.envelope.destination), ("answer", &reply_to));
}

#[test]
fn only_its_own_connection_reads_a_temporary_queue() {
    let broker = Broker::new();
    let (mut owner, mut thief) = (broker.admin(), broker.admin());
    let queue = create(&mut owner, Kind::TempQueue);
    assert_eq!(thief.attach(from(&queue)).unwrap_err().kind, RefusalKind::Forbidden);
    let destination = queue.clone();
    assert!(thief.ask(|tag| Verb::Delete { destination, tag }).is_err());
    let topic = create(&mut owner, Kind::TempTopic);
    let mut wanted = filter(topic.name());
    wanted.kind = Kind::TempTopic;
    let subscription = || attach(6, Source::Subscription { filters: vec![wanted.clone()] });
    assert_eq!(thief.attach(subscription()).unwrap_err().kind, RefusalKind::Forbidden);
    owner.attach(subscription()).unwrap();
    thief.send(topic, "hello", false).unwrap();
    assert_eq!(owner.bodies(), ["hello"]);
}

#[test]
fn temporary_destinations_end_with_their_connection() {
    let broker = Broker::new();
    let mut other = broker.admin();
    let (queue, topic) = {
        let mut owner = broker.admin();
        (create(&mut owner, Kind::TempQueue), create(&mut owner, Kind::TempTopic))
    };
    for gone in [queue, topic] {
        assert_eq!(other.send(gone, "late", false).unwrap_err().kind, RefusalKind::NotFound);
    }
    let status = broker.gate.status();
    assert_eq!((status.queues, status.topics), (0, 0));
}

#[test]
fn a_send_after_the_owner_went_is_refused_though_the_sender_sent_before() {
    let broker = Broker::new();
    let mut other = broker.admin();
    let mut owner = broker.admin();
    let (queue, topic) = (create(&mut owner, Kind::TempQueue), create(&mut owner, Kind::TempTopic));
    other.send(queue.clone(), "1", false).unwrap();
    other.send(topic.clone(), "1", false).unwrap();
    drop(owner);
    assert_eq!(other.send(queue, "2", false).unwrap_err().kind, RefusalKind::NotFound);
    assert_eq!(other.send(topic, "2", false).unwrap_err().kind, RefusalKind::NotFound);
}

#[test]
fn names_of_temporary_destinations_differ() {
    let broker = Broker::new();
    let mut peer = broker.admin();
    let (one, two) = (create(&mut peer, Kind::TempQueue), create(&mut peer, Kind::TempQueue));
    assert_ne!(one, two);
}

#[test]
fn a_connection_makes_so_many_only() {
    let limits = keepmq_core::Limits { temporaries_per_connection: 2, ..Default::default() };
    let broker = Broker::with(limits, crate::broker::map(Vec::new()));
    let mut peer = broker.admin();
    create(&mut peer, Kind::TempQueue);
    create(&mut peer, Kind::TempQueue);
    let kind = Kind::TempQueue;
    assert_eq!(
        peer.ask(|tag| Verb::CreateTemporary { kind, name: None, tag }).unwrap_err().kind,
        RefusalKind::Busy
    );
}

#[test]
fn an_entry_of_the_map_rules_them_when_there_is_one() {
    let temporary = crate::broker::grants(&["temps"], &["temps"], &["temps"]);
    let map = keepmq_policy::Map::new(Vec::new(), None, Some(temporary));
    let broker = Broker::with(keepmq_core::Limits::default(), map);
    let kind = Kind::TempQueue;
    let mut outsider = broker.login("out", &["others"], None);
    let refusal = outsider.ask(|tag| Verb::CreateTemporary { kind, name: None, tag }).unwrap_err();
    assert_eq!(refusal.kind, RefusalKind::Forbidden);
    create(&mut broker.login("in", &["temps"], None), kind);
}
