//! Branches of global transactions.

use keepmq_core::Limits;
use keepmq_model::{
    DeliveryId, Event, Finish, Kind, LinkId, Outcome, Publish, Refusal, RefusalKind, Settle, TxId, Verb, Xid,
};
use keepmq_store::Store;

use crate::broker::{Broker, Peer, entry, grants, map, message, publish, queue, topic};

const TX: TxId = TxId(5);

fn xid(number: u8) -> Xid {
    Xid::new(1, &[number], b"b").unwrap()
}

fn join(peer: &mut Peer<'_>, number: u8) {
    peer.say(Verb::Join { tx: TX, branch: xid(number) });
}

fn send_in(peer: &mut Peer<'_>, destination: keepmq_model::Destination, text: &str, durable: bool) {
    let sent = publish(message(destination, text, durable));
    peer.say(Verb::Publish(Publish { tx: Some(TX), ..sent }));
}

fn accept_in(peer: &mut Peer<'_>, id: DeliveryId) {
    let (link, tx) = (LinkId(1), Some(TX));
    let (from, through, outcome) = (id.number, id.number, Outcome::Accepted);
    peer.say(Verb::Settle(Settle { link, leg: id.leg, from, through, outcome, tx, tag: None, reason: None }));
}

/// Says whether it is over.
fn prepare(peer: &mut Peer<'_>, number: u8) -> Result<bool, Refusal> {
    match peer.ask(|tag| Verb::Prepare { branch: xid(number), tag })? {
        Event::Prepared { is_over, .. } => Ok(is_over),
        other => panic!("{other:?}"),
    }
}

fn finish(peer: &mut Peer<'_>, number: u8, how: Finish) -> Result<(), Refusal> {
    peer.ask(|tag| Verb::Finish { branch: xid(number), how, tag }).map(drop)
}

fn in_doubt(peer: &mut Peer<'_>) -> Vec<Xid> {
    match peer.ask(|tag| Verb::InDoubt { tag }).unwrap() {
        Event::InDoubt { branches, .. } => branches,
        other => panic!("{other:?}"),
    }
}

/// A branch that takes the first of two messages of `in` and sends to two queues.
fn worked(broker: &Broker, number: u8) -> Peer<'_> {
    let mut peer = broker.admin();
    for text in ["1", "2"] {
        peer.send(queue("in"), text, true).unwrap();
    }
    peer.consume("in", 10);
    let first = peer.deliveries().remove(0).id;
    join(&mut peer, number);
    accept_in(&mut peer, first);
    send_in(&mut peer, queue("a"), "x", true);
    send_in(&mut peer, queue("b"), "y", false);
    send_in(&mut peer, queue("a"), "z", true);
    peer
}

fn depths(broker: &Broker) -> [u64; 3] {
    broker.settle();
    ["in", "a", "b"].map(|name| broker.depth(name))
}

#[test]
fn a_prepared_branch_outlives_its_connection_and_is_committed_by_another() {
    let broker = Broker::new();
    let mut peer = worked(&broker, 1);
    assert_eq!(in_doubt(&mut peer), []);
    assert_eq!(prepare(&mut peer, 1), Ok(false));
    assert_eq!(prepare(&mut peer, 1), Ok(false), "the first answer again");
    drop(peer);
    assert_eq!(depths(&broker), [1, 0, 0], "what it accepted does not come back");
    let mut other = broker.admin();
    assert_eq!(in_doubt(&mut other), [xid(1)]);
    finish(&mut other, 1, Finish::Commit).unwrap();
    assert_eq!(depths(&broker), [1, 2, 1]);
    assert_eq!(in_doubt(&mut other), []);
    assert_eq!(finish(&mut other, 1, Finish::Commit).unwrap_err().kind, RefusalKind::NotFound);
}

#[test]
fn a_prepared_branch_outlives_the_broker() {
    for how in [Finish::Commit, Finish::Rollback] {
        let broker = Broker::new();
        let mut peer = worked(&broker, 1);
        prepare(&mut peer, 1).unwrap();
        drop(peer);
        let broker = broker.crash();
        assert_eq!(broker.faults, [""; 0]);
        assert_eq!(depths(&broker), [1, 0, 0]);
        let mut peer = broker.admin();
        assert_eq!(in_doubt(&mut peer), [xid(1)]);
        finish(&mut peer, 1, how).unwrap();
        let wanted = if how == Finish::Commit { [1, 2, 0] } else { [2, 0, 0] };
        assert_eq!(depths(&broker), wanted, "{how:?}; what was not durable is gone");
        drop(peer);
        let broker = broker.crash();
        assert_eq!(broker.faults, [""; 0]);
        assert_eq!(depths(&broker), wanted, "{how:?}");
        let mut peer = broker.admin();
        assert_eq!(in_doubt(&mut peer), []);
        peer.consume("in", 10);
        let first = if how == Finish::Commit { "2" } else { "1" };
        assert_eq!(peer.bodies()[0], first, "{how:?}");
        assert_eq!(broker.store.usage().records, wanted.iter().sum::<u64>(), "nothing else is stored");
    }
}

#[test]
fn what_was_not_promised_durably_is_not_promised() {
    let broker = Broker::new();
    let mut peer = worked(&broker, 1);
    broker.settle();
    let tag = peer.tag();
    peer.say(Verb::Prepare { branch: xid(1), tag });
    assert!(peer.answer(tag).is_none(), "before it is on disk");
    drop(peer);
    let broker = broker.crash();
    assert_eq!(depths(&broker), [2, 0, 0]);
    assert_eq!(in_doubt(&mut broker.admin()), []);
}

#[test]
fn a_rolled_back_branch_gives_its_consumer_back_what_it_held() {
    let broker = Broker::new();
    let mut peer = worked(&broker, 1);
    prepare(&mut peer, 1).unwrap();
    finish(&mut peer, 1, Finish::Rollback).unwrap();
    assert!(peer.deliveries().is_empty(), "it was never taken from the consumer");
    for number in 1..=2 {
        peer.settle(1, DeliveryId { leg: 0, number }, Outcome::Accepted).unwrap();
    }
    assert_eq!(depths(&broker), [0; 3]);
}

#[test]
fn one_whose_consumer_is_gone_goes_back_to_the_queue() {
    let broker = Broker::new();
    let mut peer = worked(&broker, 1);
    prepare(&mut peer, 1).unwrap();
    peer.detach(1);
    assert_eq!(depths(&broker)[0], 1);
    finish(&mut peer, 1, Finish::Rollback).unwrap();
    peer.consume("in", 10);
    let back = peer.deliveries();
    assert_eq!(back.iter().map(crate::broker::body).collect::<Vec<_>>(), ["1", "2"]);
    assert_eq!(back[0].marks.redeliveries, 1);
}

#[test]
fn one_phase_is_enough_where_nothing_was_prepared() {
    let broker = Broker::new();
    let mut peer = worked(&broker, 1);
    assert_eq!(finish(&mut peer, 1, Finish::Commit).unwrap_err().kind, RefusalKind::Conflict);
    finish(&mut peer, 1, Finish::CommitAtOnce).unwrap();
    assert_eq!(depths(&broker), [0, 2, 1], "the second message of `in` is held");
    drop(peer);
    let mut peer = worked(&broker, 2);
    prepare(&mut peer, 2).unwrap();
    assert_eq!(finish(&mut peer, 2, Finish::CommitAtOnce).unwrap_err().kind, RefusalKind::Conflict);
}

#[test]
fn an_open_branch_ends_with_its_connection_and_an_empty_one_with_its_preparation() {
    let broker = Broker::new();
    drop(worked(&broker, 1));
    let mut peer = broker.admin();
    assert_eq!(finish(&mut peer, 1, Finish::CommitAtOnce).unwrap_err().kind, RefusalKind::NotFound);
    assert_eq!(depths(&broker), [2, 0, 0]);
    join(&mut peer, 3);
    assert_eq!(prepare(&mut peer, 3), Ok(true));
    assert_eq!(prepare(&mut peer, 3).unwrap_err().kind, RefusalKind::NotFound);
}

#[test]
fn several_connections_work_on_one_branch() {
    let broker = Broker::new();
    let (mut one, mut two) = (broker.admin(), broker.admin());
    join(&mut one, 1);
    join(&mut two, 1);
    send_in(&mut one, queue("a"), "x", true);
    send_in(&mut two, queue("a"), "y", true);
    prepare(&mut one, 1).unwrap();
    finish(&mut one, 1, Finish::Commit).unwrap();
    assert_eq!(broker.depth("a"), 2);
    assert!(two.events().iter().any(|event| matches!(event, Event::Finished { tx: TX, committed: true })));
    assert!(!one.events().iter().any(|event| matches!(event, Event::Finished { .. })), "it knows");
    join(&mut two, 2);
    join(&mut one, 2);
    drop(one);
    assert!(two.events().iter().any(|event| matches!(event, Event::Finished { committed: false, .. })));
}

#[test]
fn others_neither_see_nor_end_a_branch() {
    let everybody = || grants(&["some"], &["some"], &["some"]);
    let broker = Broker::with(Limits::default(), map(vec![entry(Kind::Queue, ">", everybody())]));
    let mut peer = worked(&broker, 1);
    prepare(&mut peer, 1).unwrap();
    let mut thief = broker.login("thief", &["some"], None);
    assert_eq!(in_doubt(&mut thief), []);
    for how in [Finish::Commit, Finish::Rollback] {
        assert_eq!(finish(&mut thief, 1, how).unwrap_err().kind, RefusalKind::NotFound);
    }
    join(&mut thief, 1);
    assert!(matches!(&thief.events()[..], [Event::Refused { .. }]));
    finish(&mut peer, 1, Finish::Commit).unwrap();
}

#[test]
fn a_refusal_within_a_branch_rolls_it_back() {
    let mine = entry(Kind::Queue, "mine", grants(&["some"], &["some"], &["some"]));
    let broker = Broker::with(Limits::default(), map(vec![mine]));
    let mut peer = broker.login("u", &["some"], None);
    join(&mut peer, 1);
    send_in(&mut peer, queue("mine"), "x", true);
    send_in(&mut peer, queue("theirs"), "y", true);
    let refusal = prepare(&mut peer, 1).unwrap_err();
    assert_eq!(refusal.kind, RefusalKind::RolledBack);
    assert!(refusal.decision.is_some(), "{refusal}");
    assert_eq!(broker.depth("mine"), 0);
    assert_eq!(finish(&mut peer, 1, Finish::Rollback).unwrap_err().kind, RefusalKind::NotFound);
}

#[test]
fn prepared_branches_are_bounded() {
    let limits = Limits { prepared_transactions: 1, ..Limits::default() };
    let broker = Broker::with(limits, map(Vec::new()));
    let mut peer = worked(&broker, 1);
    prepare(&mut peer, 1).unwrap();
    let mut other = broker.admin();
    join(&mut other, 2);
    send_in(&mut other, queue("a"), "x", true);
    assert_eq!(prepare(&mut other, 2).unwrap_err().kind, RefusalKind::RolledBack);
    assert_eq!(depths(&broker)[1], 0);
}

#[test]
fn a_queue_that_a_prepared_branch_took_from_stays() {
    let broker = Broker::new();
    let mut peer = worked(&broker, 1);
    prepare(&mut peer, 1).unwrap();
    peer.detach(1);
    let refusal = peer.ask(|tag| Verb::Delete { destination: queue("in"), tag }).unwrap_err();
    assert!(refusal.text.contains("prepared"), "{refusal}");
}

#[test]
fn topics_get_what_a_branch_sent_when_it_is_committed() {
    let broker = Broker::new();
    let mut reader = broker.login("admin", &["admins"], Some("c"));
    reader.durable(1, "c", "s", "t").unwrap();
    let mut peer = broker.admin();
    join(&mut peer, 1);
    send_in(&mut peer, topic("t"), "x", true);
    prepare(&mut peer, 1).unwrap();
    assert!(reader.deliveries().is_empty());
    drop((peer, reader));
    let broker = broker.crash();
    finish(&mut broker.admin(), 1, Finish::Commit).unwrap();
    let mut reader = broker.login("admin", &["admins"], Some("c"));
    reader.durable(1, "c", "s", "t").unwrap();
    assert_eq!(reader.bodies(), ["x"]);
}
