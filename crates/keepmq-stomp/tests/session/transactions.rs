//! BEGIN, COMMIT, ABORT, and what is said in between.

use keepmq_model::{Flow, LinkId, Outcome, RefusalKind, Settle, Tag, TxId, Verb};
use keepmq_stomp::codec::Version;

use crate::peer::{Peer, deliver, limits};

fn begun(version: Version) -> (Peer, TxId) {
    let mut peer = Peer::open(version);
    peer.send("BEGIN\ntransaction:t\n\n");
    match peer.verb() {
        Verb::Begin { tx } => (peer, tx),
        other => panic!("{other:?}"),
    }
}

fn with_deliveries(version: Version, ack: &str, count: u64) -> (Peer, LinkId) {
    let mut peer = Peer::open(version);
    let link = peer.subscribe(&format!("SUBSCRIBE\nid:s\ndestination:/queue/q\nack:{ack}\n\n"));
    peer.events((1..=count).map(|n| deliver(link, n)));
    peer.frames();
    peer.send("BEGIN\ntransaction:t\n\n");
    peer.verbs();
    (peer, link)
}

fn committed(peer: &mut Peer) -> (TxId, Tag) {
    match peer.verb() {
        Verb::Commit { tx, tag } => (tx, tag),
        other => panic!("{other:?}"),
    }
}

fn settled(peer: &mut Peer) -> Vec<(u64, u64, Option<TxId>)> {
    peer.settles().iter().map(|s: &Settle| (s.from, s.through, s.tx)).collect()
}

#[test]
fn messages_are_sent_in_a_transaction_and_committed() {
    let (mut peer, tx) = begun(Version::V1_2);
    peer.send("SEND\ndestination:/queue/a\ntransaction:t\npersistent:true\n\nx");
    let publish = peer.publish();
    assert_eq!((publish.tx, publish.tag), (Some(tx), None));
    peer.send("COMMIT\ntransaction:t\nreceipt:r\n\n");
    let (committed, tag) = committed(&mut peer);
    assert_eq!(committed, tx);
    assert!(peer.is_quiet(), "the receipt waits until it is durable");
    peer.done(tag);
    assert_eq!(peer.frame().get("receipt-id"), Some("r"));
}

#[test]
fn an_abort_is_answered_when_it_is_done() {
    let (mut peer, tx) = begun(Version::V1_1);
    peer.send("ABORT\ntransaction:t\nreceipt:r\n\n");
    let Verb::Rollback { tx: rolled, tag } = peer.verb() else { panic!("not rolled back") };
    assert_eq!(rolled, tx);
    peer.done(tag);
    assert_eq!(peer.frame().get("receipt-id"), Some("r"));
}

#[test]
fn a_beginning_is_answered_at_once() {
    let mut peer = Peer::open(Version::V1_2);
    peer.send("BEGIN\ntransaction:t\nreceipt:r\n\n");
    assert!(matches!(peer.verb(), Verb::Begin { .. }));
    assert_eq!(peer.frame().get("receipt-id"), Some("r"));
}

#[test]
fn names_may_be_used_again_and_are_told_apart() {
    let (mut peer, first) = begun(Version::V1_2);
    peer.send("BEGIN\ntransaction:T\n\n");
    let Verb::Begin { tx: second } = peer.verb() else { panic!("not begun") };
    peer.send("COMMIT\ntransaction:t\n\n");
    assert_eq!(committed(&mut peer).0, first);
    peer.send("BEGIN\ntransaction:t\n\n");
    let Verb::Begin { tx: third } = peer.verb() else { panic!("not begun") };
    assert!(first != second && second != third && first != third);
}

#[test]
fn unknown_and_repeated_names_are_refused() {
    for frame in [
        "BEGIN\ntransaction:t\n\n",
        "COMMIT\ntransaction:u\n\n",
        "ABORT\ntransaction:u\n\n",
        "SEND\ndestination:/queue/a\ntransaction:u\n\nx",
        "ACK\nid:1-1\ntransaction:u\n\n",
        "BEGIN\n\n",
        "COMMIT\n\n",
        "ABORT\ntransaction:\n\n",
    ] {
        let (mut peer, _) = begun(Version::V1_2);
        peer.send(frame);
        assert!(peer.verbs().is_empty(), "{frame}");
        let message = peer.frame().get("message").unwrap().to_owned();
        assert!(message.contains("transaction"), "{message}");
    }
}

#[test]
fn transactions_are_limited_in_number() {
    let mut few = limits();
    few.transactions = 2;
    let mut peer = Peer::open_with(Version::V1_0, few);
    for name in ["a", "b"] {
        peer.send(&format!("BEGIN\ntransaction:{name}\n\n"));
    }
    assert_eq!(peer.verbs().len(), 2);
    peer.send("BEGIN\ntransaction:c\n\n");
    assert!(peer.verbs().is_empty() && peer.frame().get("message").unwrap().starts_with("busy: "));
    peer.send("ABORT\ntransaction:a\n\nBEGIN\ntransaction:c\n\n".replace("\n\nB", "\n\n\0B").as_str());
    assert_eq!(peer.verbs().len(), 2);
}

#[test]
fn acknowledgements_in_a_transaction_count_when_it_is_committed() {
    let (mut peer, _) = with_deliveries(Version::V1_2, "client", 4);
    peer.send("ACK\nid:1-2\ntransaction:t\n\n");
    let tx = Some(TxId(1));
    assert_eq!(settled(&mut peer), [(1, 2, tx)]);
    peer.send("COMMIT\ntransaction:t\n\n");
    let (_, tag) = committed(&mut peer);
    peer.done(tag);
    peer.send("ACK\nid:1-4\n\n");
    assert_eq!(settled(&mut peer), [(3, 4, None)]);
}

#[test]
fn after_an_abort_the_deliveries_are_unacknowledged_again() {
    for (ack, wanted) in [("client", vec![(1, 3, None)]), ("client-individual", vec![(2, 2, None)])] {
        let (mut peer, _) = with_deliveries(Version::V1_2, ack, 3);
        peer.send("ACK\nid:1-2\ntransaction:t\n\n");
        assert_eq!(settled(&mut peer).len(), 1);
        peer.send("ABORT\ntransaction:t\n\n");
        peer.verbs();
        let again = if ack == "client" { "1-3" } else { "1-2" };
        peer.send(&format!("ACK\nid:{again}\n\n"));
        assert_eq!(settled(&mut peer), wanted);
    }
}

#[test]
fn what_a_transaction_speaks_of_is_not_spoken_of_elsewhere() {
    let (mut peer, _) = with_deliveries(Version::V1_0, "client", 3);
    peer.send("ACK\nmessage-id:ID:keepmq-a-2\ntransaction:t\n\n");
    peer.verbs();
    peer.send("ACK\nmessage-id:ID:keepmq-a-2\n\n");
    assert!(peer.verbs().is_empty() && peer.frame().command == "ERROR");
    peer.send("ACK\nmessage-id:ID:keepmq-a-3\n\n");
    assert_eq!(settled(&mut peer), [(3, 3, None)], "it passes over the transaction's");
}

#[test]
fn a_refused_commit_gives_the_deliveries_back() {
    let (mut peer, _) = with_deliveries(Version::V1_0, "client-individual", 1);
    peer.send("ACK\nmessage-id:ID:keepmq-a-1\ntransaction:t\n\n");
    peer.verbs();
    peer.send("COMMIT\ntransaction:t\nreceipt:r\n\n");
    let (_, tag) = committed(&mut peer);
    peer.refuse(Some(tag), RefusalKind::Conflict, "a part of it was refused");
    assert_eq!(peer.frame().get("receipt-id"), Some("r"));
    peer.send("ACK\nmessage-id:ID:keepmq-a-1\n\n");
    assert_eq!(settled(&mut peer), [(1, 1, None)]);
}

#[test]
fn a_negative_word_may_be_part_of_a_transaction() {
    let (mut peer, _) = with_deliveries(Version::V1_1, "client-individual", 1);
    peer.send("NACK\nsubscription:s\nmessage-id:ID\\ckeepmq-a-1\ntransaction:t\n\n");
    let settles = peer.settles();
    assert_eq!((settles[0].outcome, settles[0].tx), (Outcome::Failed, Some(TxId(1))));
}

#[test]
fn a_receipt_in_a_transaction_is_given_when_the_broker_has_it() {
    let (mut peer, tx) = begun(Version::V1_2);
    peer.send("SEND\ndestination:/queue/a\ntransaction:t\nreceipt:r\n\nx");
    let publish = peer.publish();
    assert_eq!(publish.tx, Some(tx));
    peer.done(publish.tag.unwrap());
    assert_eq!(peer.frame().get("receipt-id"), Some("r"));
    assert_eq!(peer.flow, Flow::Continue);
}

#[test]
fn an_unsubscribed_link_does_not_disturb_the_commit() {
    let (mut peer, _) = with_deliveries(Version::V1_2, "client", 2);
    peer.send("ACK\nid:1-2\ntransaction:t\n\n");
    peer.send("UNSUBSCRIBE\nid:s\n\n");
    peer.verbs();
    peer.send("COMMIT\ntransaction:t\nreceipt:r\n\n");
    let (_, tag) = committed(&mut peer);
    peer.done(tag);
    assert_eq!(peer.frame().get("receipt-id"), Some("r"));
}
