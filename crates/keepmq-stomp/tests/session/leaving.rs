//! DISCONNECT, and what the broker ends.

use keepmq_model::{Closing, Event, Flow, Refusal, RefusalKind, Verb};
use keepmq_stomp::codec::Version;

use crate::peer::{Peer, deliver};

#[test]
fn leaving_without_a_receipt_ends_at_once() {
    for version in Version::ALL {
        let mut peer = Peer::open(version);
        peer.send("DISCONNECT\n\n");
        assert_eq!(peer.flow, Flow::Close(Closing::Asked));
        assert!(peer.is_quiet());
    }
}

#[test]
fn leaving_with_a_receipt_ends_with_it() {
    let mut peer = Peer::open(Version::V1_2);
    peer.send("DISCONNECT\nreceipt:bye\n\n");
    assert_eq!(peer.frame().get("receipt-id"), Some("bye"));
    assert_eq!(peer.flow, Flow::Close(Closing::Asked));
}

#[test]
fn the_last_receipt_comes_after_every_other_answer() {
    let mut peer = Peer::open(Version::V1_2);
    let link = peer.subscribe("SUBSCRIBE\nid:s\ndestination:/queue/q\n\n");
    peer.send("SEND\ndestination:/queue/a\nreceipt:1\n\nx");
    let first = peer.publish().tag.unwrap();
    peer.send("SEND\ndestination:/queue/a\npersistent:true\n\nx");
    let second = peer.publish().tag.expect("the last receipt waits for it");
    peer.send_bytes(b"DISCONNECT\nreceipt:bye\n\n\0SEND\ndestination:/queue/never\n\nx\0");
    assert_eq!(peer.flow, Flow::Pause);
    peer.event(deliver(link, 1));
    assert!(peer.is_quiet(), "a leaving client gets no more messages, and is not read any more");
    peer.done(second);
    assert!(peer.is_quiet() && peer.flow == Flow::Pause);
    peer.done(first);
    let frames = peer.frames();
    let receipts: Vec<_> = frames.iter().map(|f| f.get("receipt-id").unwrap()).collect();
    assert_eq!(receipts, ["1", "bye"]);
    assert_eq!(peer.flow, Flow::Close(Closing::Asked));
    assert!(peer.verbs().is_empty());
}

#[test]
fn a_refusal_while_leaving_is_told() {
    for (version, last) in [(Version::V1_0, "RECEIPT"), (Version::V1_2, "ERROR")] {
        let mut peer = Peer::open(version);
        peer.send("SEND\ndestination:/queue/a\nreceipt:1\n\nx");
        let tag = peer.publish().tag;
        peer.send("DISCONNECT\nreceipt:bye\n\n");
        peer.refuse(tag, RefusalKind::Busy, "full");
        let frames = peer.frames();
        assert_eq!((&frames[0].command[..], frames[0].get("receipt-id")), ("ERROR", Some("1")));
        assert_eq!(frames.last().unwrap().command, last);
        assert!(matches!(peer.flow, Flow::Close(_)));
    }
}

#[test]
fn the_brokers_end_is_told_in_every_version() {
    for version in Version::ALL {
        let mut peer = Peer::open(version);
        peer.event(Event::Ending { refusal: Refusal::new(RefusalKind::Unavailable, "the broker stops") });
        assert_eq!(peer.frame().get("message"), Some("unavailable: the broker stops"));
        assert_eq!(peer.fault(), "the broker stops");
    }
}

#[test]
fn links_need_not_be_closed_one_by_one() {
    let mut peer = Peer::open(Version::V1_2);
    peer.subscribe("SUBSCRIBE\nid:s\ndestination:/queue/q\n\n");
    peer.send("BEGIN\ntransaction:t\n\n");
    assert!(matches!(peer.verb(), Verb::Begin { .. }));
    peer.send("DISCONNECT\nreceipt:bye\n\n");
    assert!(peer.verbs().is_empty());
    assert_eq!(peer.frame().get("receipt-id"), Some("bye"));
}
