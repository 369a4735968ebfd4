//! Local transactions.

use keepmq_model::{LinkId, Outcome, Publish, RefusalKind, Settle, TxId, Verb};

use crate::broker::{Broker, Peer, message, publish, queue, topic};

const TX: TxId = TxId(5);

fn send_in(peer: &mut Peer<'_>, name: &str, text: &str) {
    let sent = publish(message(queue(name), text, true));
    peer.say(Verb::Publish(Publish { tx: Some(TX), ..sent }));
}

#[test]
fn nothing_is_seen_before_the_commit_and_everything_after_it() {
    let broker = Broker::new();
    let mut peer = broker.admin();
    peer.say(Verb::Begin { tx: TX });
    for name in ["a", "b", "c", "d"] {
        send_in(&mut peer, name, "x");
    }
    broker.settle();
    assert_eq!(["a", "b", "c", "d"].map(|name| broker.depth(name)), [0; 4]);
    peer.ask(|tag| Verb::Commit { tx: TX, tag }).unwrap();
    assert_eq!(["a", "b", "c", "d"].map(|name| broker.depth(name)), [1; 4]);
}

#[test]
fn messages_and_settlements_over_all_shards_are_one_commit() {
    let broker = Broker::new();
    let mut peer = broker.admin();
    peer.consume("in", 10);
    for name in ["in", "a", "b", "c"] {
        peer.send(queue(name), "x", true).unwrap();
    }
    let id = peer.deliveries().remove(0).id;
    peer.say(Verb::Begin { tx: TX });
    for name in ["a", "b", "c"] {
        send_in(&mut peer, name, "y");
    }
    let (link, tx) = (LinkId(1), Some(TX));
    let (from, through, outcome) = (id.number, id.number, Outcome::Accepted);
    peer.say(Verb::Settle(Settle { link, leg: 0, from, through, outcome, tx, tag: None, reason: None }));
    let tag = peer.tag();
    peer.say(Verb::Commit { tx: TX, tag });
    assert!(peer.answer(tag).is_none());
    assert_eq!(broker.store.complete(usize::MAX), 1, "one batch for all shards");
    assert!(peer.answer(tag).unwrap().is_ok());
    drop(peer);
    let broker = broker.crash();
    assert_eq!(["in", "a", "b", "c"].map(|name| broker.depth(name)), [0, 2, 2, 2]);
}

#[test]
fn a_rolled_back_transaction_leaves_nothing_and_its_deliveries_held() {
    let broker = Broker::new();
    let mut peer = broker.admin();
    peer.consume("in", 1);
    peer.send(queue("in"), "x", true).unwrap();
    let id = peer.deliveries().remove(0).id;
    peer.say(Verb::Begin { tx: TX });
    send_in(&mut peer, "a", "y");
    let (link, tx) = (LinkId(1), Some(TX));
    let (from, through, outcome) = (id.number, id.number, Outcome::Accepted);
    peer.say(Verb::Settle(Settle { link, leg: 0, from, through, outcome, tx, tag: None, reason: None }));
    peer.ask(|tag| Verb::Rollback { tx: TX, tag }).unwrap();
    assert_eq!(broker.depth("a"), 0);
    peer.settle(1, id, Outcome::Accepted).unwrap();
}

#[test]
fn a_refused_message_spoils_its_transaction() {
    let map = crate::broker::map(vec![crate::broker::entry(
        keepmq_model::Kind::Queue,
        "mine.>",
        crate::broker::grants(&[], &["some"], &["some"]),
    )]);
    let broker = Broker::with(keepmq_core::Limits::default(), map);
    let mut peer = broker.login("u", &["some"], None);
    peer.say(Verb::Begin { tx: TX });
    send_in(&mut peer, "mine.a", "x");
    send_in(&mut peer, "theirs", "x");
    let refusal = peer.ask(|tag| Verb::Commit { tx: TX, tag }).unwrap_err();
    assert_eq!(refusal.kind, RefusalKind::Forbidden);
    broker.settle();
    assert_eq!((broker.depth("mine.a"), broker.depth("theirs")), (0, 0));
}

#[test]
fn unknown_and_repeated_transactions_are_refused() {
    let broker = Broker::new();
    let mut peer = broker.admin();
    assert!(peer.ask(|tag| Verb::Commit { tx: TX, tag }).is_err());
    assert!(peer.ask(|tag| Verb::Rollback { tx: TX, tag }).is_err());
    let sent = publish(message(queue("a"), "", true));
    assert!(peer.ask(|tag| Verb::Publish(Publish { tx: Some(TX), tag: Some(tag), ..sent })).is_err());
    peer.say(Verb::Begin { tx: TX });
    peer.say(Verb::Begin { tx: TX });
    assert!(peer.events().iter().any(|event| matches!(event, keepmq_model::Event::Refused { .. })));
}

#[test]
fn a_transaction_is_bounded() {
    let limits = keepmq_core::Limits { changes_per_transaction: 3, ..Default::default() };
    let broker = Broker::with(limits, crate::broker::map(Vec::new()));
    let mut peer = broker.admin();
    peer.say(Verb::Begin { tx: TX });
    for _ in 0..4 {
        send_in(&mut peer, "a", "x");
    }
    let refusal = peer.ask(|tag| Verb::Commit { tx: TX, tag }).unwrap_err();
    assert_eq!(refusal.kind, RefusalKind::TooLarge);
    assert_eq!(broker.depth("a"), 0);
}

#[test]
fn an_open_transaction_ends_with_its_connection() {
    let broker = Broker::new();
    {
        let mut peer = broker.admin();
        peer.say(Verb::Begin { tx: TX });
        send_in(&mut peer, "a", "x");
    }
    broker.settle();
    assert_eq!(broker.depth("a"), 0);
}

#[test]
fn an_empty_transaction_can_be_committed() {
    let broker = Broker::new();
    let mut peer = broker.admin();
    peer.say(Verb::Begin { tx: TX });
    peer.ask(|tag| Verb::Commit { tx: TX, tag }).unwrap();
}

#[test]
fn topics_take_part_in_transactions() {
    let broker = Broker::new();
    let mut peer = broker.admin();
    peer.subscribe(1, "t").unwrap();
    peer.say(Verb::Begin { tx: TX });
    let sent = publish(message(topic("t"), "x", false));
    peer.say(Verb::Publish(Publish { tx: Some(TX), ..sent }));
    assert!(peer.bodies().is_empty());
    peer.ask(|tag| Verb::Commit { tx: TX, tag }).unwrap();
    assert_eq!(peer.bodies(), ["x"]);
}
