//! ACK and NACK in every version and mode, and what the session settles by itself.

use keepmq_model::{Closing, End, Event, Flow, Io, LinkId, Now, Outcome, Outgoing, Session, Settle, Verb};
use keepmq_stomp::codec::Version;

use crate::peer::{Peer, deliver, deliver_leg, delivery, message};

fn client(version: Version, ack: &str) -> (Peer, LinkId) {
    let mut peer = Peer::open(version);
    let link = peer.subscribe(&format!("SUBSCRIBE\nid:s\ndestination:/queue/q\nack:{ack}\n\n"));
    (peer, link)
}

/// Delivers messages 1 to `count` and gives the values by which 1.2 acknowledges them.
fn delivered(peer: &mut Peer, link: LinkId, count: u64) -> Vec<String> {
    peer.events((1..=count).map(|n| deliver(link, n)));
    let frames = peer.frames();
    assert_eq!(frames.len() as u64, count);
    frames.iter().map(|f| f.get("ack").unwrap_or_default().to_owned()).collect()
}

fn runs(settles: &[Settle]) -> Vec<(u32, u64, u64, Outcome)> {
    settles.iter().map(|s| (s.leg, s.from, s.through, s.outcome)).collect()
}

#[test]
fn a_client_acknowledges_a_message_and_all_before_it() {
    let (mut peer, link) = client(Version::V1_2, "client");
    let acks = delivered(&mut peer, link, 5);
    peer.send(&format!("ACK\nid:{}\n\n", acks[2]));
    let settles = peer.settles();
    assert_eq!(runs(&settles), [(1, 1, 3, Outcome::Accepted)]);
    assert!(settles[0].link == link && settles[0].tx.is_none() && settles[0].tag.is_none());
    peer.send(&format!("ACK\nid:{}\n\n", acks[4]));
    assert_eq!(runs(&peer.settles()), [(1, 4, 5, Outcome::Accepted)]);
}

#[test]
fn single_messages_are_acknowledged_in_any_order() {
    let (mut peer, link) = client(Version::V1_2, "client-individual");
    let acks = delivered(&mut peer, link, 4);
    for (at, number) in [(2, 3), (0, 1), (3, 4), (1, 2)] {
        peer.send(&format!("ACK\nid:{}\n\n", acks[at]));
        assert_eq!(runs(&peer.settles()), [(1, number, number, Outcome::Accepted)]);
    }
}

#[test]
fn several_legs_become_one_verb_each() {
    let (mut peer, link) = client(Version::V1_2, "client");
    let legs = [(1, 1), (2, 1), (1, 2), (2, 2), (3, 1), (1, 3)];
    peer.events((1..).zip(legs).map(|(n, (leg, number))| deliver_leg(link, leg, number, n)));
    let ack = peer.frames()[4].get("ack").unwrap().to_owned();
    peer.send(&format!("ACK\nid:{ack}\nreceipt:r\n\n"));
    let settles = peer.settles();
    let accepted = Outcome::Accepted;
    assert_eq!(runs(&settles), [(1, 1, 2, accepted), (2, 1, 2, accepted), (3, 1, 1, accepted)]);
    for settle in settles.iter().rev() {
        assert!(peer.is_quiet(), "the receipt waits for all legs");
        peer.done(settle.tag.unwrap());
    }
    assert_eq!(peer.frame().get("receipt-id"), Some("r"));
}

#[test]
fn one_refused_leg_is_told_once() {
    let (mut peer, link) = client(Version::V1_1, "client");
    peer.events([deliver_leg(link, 1, 1, 1), deliver_leg(link, 2, 1, 2)]);
    let id = peer.frames()[1].get("message-id").unwrap().replace(':', "\\c");
    peer.send(&format!("ACK\nsubscription:s\nmessage-id:{id}\nreceipt:r\n\n"));
    let settles = peer.settles();
    peer.refuse(settles[1].tag, keepmq_model::RefusalKind::Unavailable, "no");
    assert_eq!(peer.frame().get("receipt-id"), Some("r"));
    peer.done(settles[0].tag.unwrap());
    assert!(peer.is_quiet());
}

#[test]
fn a_negative_word_counts_as_a_failed_try() {
    let (mut peer, link) = client(Version::V1_2, "client-individual");
    let acks = delivered(&mut peer, link, 3);
    for (at, extra, outcome) in [
        (0, "", Outcome::Failed),
        (1, "requeue:false\n", Outcome::Rejected),
        (2, "requeue:true\n", Outcome::Failed),
    ] {
        peer.send(&format!("NACK\nid:{}\n{extra}\n", acks[at]));
        let number = at as u64 + 1;
        assert_eq!(runs(&peer.settles()), [(1, number, number, outcome)]);
    }
}

#[test]
fn a_negative_word_is_cumulative_in_client_mode() {
    let (mut peer, link) = client(Version::V1_2, "client");
    let acks = delivered(&mut peer, link, 3);
    peer.send(&format!("NACK\nid:{}\n\n", acks[1]));
    assert_eq!(runs(&peer.settles()), [(1, 1, 2, Outcome::Failed)]);
}

#[test]
fn in_1_1_messages_are_named_by_subscription_and_id() {
    let (mut peer, link) = client(Version::V1_1, "client");
    delivered(&mut peer, link, 3);
    peer.send("ACK\nsubscription:s\nmessage-id:ID\\ckeepmq-a-2\n\n");
    assert_eq!(runs(&peer.settles()), [(1, 1, 2, Outcome::Accepted)]);
    peer.send("NACK\nsubscription:s\nmessage-id:ID\\ckeepmq-a-3\n\n");
    assert_eq!(runs(&peer.settles()), [(1, 3, 3, Outcome::Failed)]);
}

#[test]
fn in_1_0_messages_are_named_by_id_alone() {
    let (mut peer, link) = client(Version::V1_0, "client");
    let other = peer.subscribe("SUBSCRIBE\nid:t\ndestination:/topic/t\nack:client\n\n");
    delivered(&mut peer, link, 2);
    peer.event(Event::Deliver(delivery(other, 1, 1, message(9, "topic://t", "x"))));
    peer.frames();
    peer.send("ACK\nmessage-id:ID:keepmq-a-9\n\n");
    let settles = peer.settles();
    assert_eq!((settles[0].link, settles[0].through), (other, 1));
    peer.send("ACK\nsubscription:s\nmessage-id: ID:keepmq-a-2\n\n");
    assert_eq!(runs(&peer.settles()), [(1, 1, 2, Outcome::Accepted)]);
}

#[test]
fn nack_is_not_of_1_0() {
    let (mut peer, link) = client(Version::V1_0, "client");
    delivered(&mut peer, link, 1);
    peer.send("NACK\nmessage-id:ID:keepmq-a-1\n\n");
    assert!(peer.frame().get("message").unwrap().contains("NACK"));
    assert!(peer.verbs().is_empty() && peer.flow == Flow::Continue);
}

#[test]
fn what_is_not_outstanding_is_refused() {
    for (version, frame) in [
        (Version::V1_2, "ACK\nid:1-3\n\n"),
        (Version::V1_2, "ACK\nid:1-0\n\n"),
        (Version::V1_2, "ACK\nid:2-1\n\n"),
        (Version::V1_2, "ACK\nid:x\n\n"),
        (Version::V1_2, "ACK\nid:ID\\ckeepmq-a-1\n\n"),
        (Version::V1_2, "ACK\nmessage-id:ID\\ckeepmq-a-1\nsubscription:s\n\n"),
        (Version::V1_1, "ACK\nsubscription:s\nmessage-id:ID\\ckeepmq-a-3\n\n"),
        (Version::V1_1, "ACK\nsubscription:t\nmessage-id:ID\\ckeepmq-a-1\n\n"),
        (Version::V1_1, "ACK\nmessage-id:ID\\ckeepmq-a-1\n\n"),
        (Version::V1_1, "NACK\nsubscription:s\n\n"),
        (Version::V1_0, "ACK\nmessage-id:ID:keepmq-b-1\n\n"),
        (Version::V1_0, "ACK\nmessage-id:\n\n"),
        (Version::V1_0, "ACK\n\n"),
    ] {
        let (mut peer, link) = client(version, "client");
        delivered(&mut peer, link, 2);
        peer.send(frame);
        assert_eq!(peer.frame().command, "ERROR", "{frame}");
        assert!(peer.verbs().is_empty(), "{frame}");
    }
}

#[test]
fn nothing_is_acknowledged_twice() {
    for version in [Version::V1_0, Version::V1_2] {
        let (mut peer, link) = client(version, "client");
        let acks = delivered(&mut peer, link, 2);
        let frame = match version {
            Version::V1_2 => format!("ACK\nid:{}\n\n", acks[1]),
            _ => "ACK\nmessage-id:ID:keepmq-a-2\n\n".to_owned(),
        };
        peer.send(&frame);
        assert_eq!(peer.settles().len(), 1);
        peer.send(&frame);
        assert!(peer.frame().get("message").unwrap().starts_with("not found: "));
        assert!(peer.verbs().is_empty());
    }
}

#[test]
fn an_automatic_subscription_has_nothing_to_acknowledge() {
    let (mut peer, link) = client(Version::V1_1, "auto");
    peer.event(deliver(link, 1));
    peer.verbs();
    peer.frames();
    peer.send("ACK\nsubscription:s\nmessage-id:ID\\ckeepmq-a-1\n\n");
    assert_eq!(peer.frame().command, "ERROR");
}

#[test]
fn automatic_acknowledgements_are_gathered_to_the_end_of_a_batch() {
    let (mut peer, link) = client(Version::V1_2, "auto");
    peer.events((1..=7).map(|n| deliver(link, n)));
    let frames = peer.frames();
    assert!(frames.len() == 7 && frames[0].get("ack").is_none());
    assert_eq!(runs(&peer.settles()), [(1, 1, 7, Outcome::Accepted)]);
    let legs = [(1, 8), (2, 1), (1, 9), (2, 2)];
    peer.events(legs.map(|(leg, number)| deliver_leg(link, leg, number, number)));
    assert_eq!(runs(&peer.settles()), [(1, 8, 9, Outcome::Accepted), (2, 1, 2, Outcome::Accepted)]);
    peer.events([]);
    assert!(peer.verbs().is_empty());
}

#[test]
fn a_settled_topic_is_granted_a_quarter_at_a_time() {
    let mut peer = Peer::open(Version::V1_2);
    let link = peer.subscribe("SUBSCRIBE\nid:s\ndestination:/topic/q\nactivemq.prefetchSize:8\n\n");
    peer.event(deliver(link, 1));
    assert!(peer.verbs().is_empty());
    peer.event(deliver(link, 2));
    assert!(matches!(peer.verb(), Verb::Grant { link: l, credit: 2 } if l == link));
    peer.events((3..=7).map(|n| deliver(link, n)));
    assert!(matches!(peer.verb(), Verb::Grant { credit: 5, .. }));
}

#[test]
fn a_browse_is_granted_a_quarter_at_a_time() {
    let mut peer = Peer::open(Version::V1_2);
    let link =
        peer.subscribe("SUBSCRIBE\nid:s\ndestination:/queue/q\nbrowser:true\nactivemq.prefetchSize:8\n\n");
    peer.events((1..=3).map(|n| deliver(link, n)));
    assert!(matches!(peer.verb(), Verb::Grant { link: l, credit: 3 } if l == link));
}

#[test]
fn a_window_of_one_is_granted_each_time() {
    let mut peer = Peer::open(Version::V1_2);
    let link = peer.subscribe("SUBSCRIBE\nid:s\ndestination:/topic/q\nactivemq.prefetchSize:1\n\n");
    peer.event(deliver(link, 1));
    assert!(matches!(peer.verb(), Verb::Grant { credit: 1, .. }));
}

#[test]
fn what_was_written_is_settled_before_the_link_goes() {
    let (mut peer, link) = client(Version::V1_2, "auto");
    let mut say = Vec::new();
    let mut out = Outgoing::default();
    let now = Now::default();
    let mut io = Io { say: &mut say, out: &mut out, now };
    peer.session.event(deliver(link, 1), &mut io);
    // No end of a batch in between: the frame arrives while the settlement is still gathered.
    let mut input = bytes::BytesMut::from(&b"UNSUBSCRIBE\nid:s\n\n\0"[..]);
    peer.session.receive(&mut input, &mut io);
    assert!(matches!(say[..], [Verb::Settle(Settle { through: 1, .. }), Verb::Detach { .. }]));
}

#[test]
fn what_was_written_is_settled_when_the_client_leaves_or_errs() {
    for (frame, closing) in [("DISCONNECT\n\n\0", true), ("NONSENSE\n\n\0", false)] {
        let (mut peer, link) = client(Version::V1_2, "auto");
        let mut say = Vec::new();
        let mut out = Outgoing::default();
        let mut io = Io { say: &mut say, out: &mut out, now: Now::default() };
        peer.session.event(deliver(link, 1), &mut io);
        let mut input = bytes::BytesMut::from(frame.as_bytes());
        let flow = peer.session.receive(&mut input, &mut io);
        assert_eq!(flow == Flow::Close(Closing::Asked), closing);
        assert!(matches!(say[..], [Verb::Settle(Settle { through: 1, .. })]));
    }
}

#[test]
fn a_broken_connection_settles_nothing() {
    for (end, count) in [(End::Broken, 0), (End::Shutdown, 0), (End::Asked, 1)] {
        let (mut peer, link) = client(Version::V1_2, "auto");
        let mut say = Vec::new();
        let mut out = Outgoing::default();
        let mut io = Io { say: &mut say, out: &mut out, now: Now::default() };
        peer.session.event(deliver(link, 1), &mut io);
        peer.session.end(end, &mut io);
        assert_eq!(say.len(), count, "{end:?}");
    }
}

#[test]
fn a_receipt_of_an_ack_waits_for_the_broker() {
    let (mut peer, link) = client(Version::V1_2, "client");
    let acks = delivered(&mut peer, link, 1);
    peer.send(&format!("ACK\nid:{}\nreceipt:r\n\n", acks[0]));
    let tag = peer.settles()[0].tag.unwrap();
    assert!(peer.is_quiet());
    peer.done(tag);
    assert_eq!(peer.frame().get("receipt-id"), Some("r"));
}

#[test]
fn an_ack_after_unsubscribing_is_refused() {
    let (mut peer, link) = client(Version::V1_2, "client");
    let acks = delivered(&mut peer, link, 1);
    peer.send("UNSUBSCRIBE\nid:s\n\n");
    peer.verbs();
    peer.send(&format!("ACK\nid:{}\n\n", acks[0]));
    assert!(peer.verbs().is_empty() && peer.frame().command == "ERROR");
}

#[test]
fn a_browsed_message_may_be_acknowledged_in_vain() {
    for (version, frame) in [
        (Version::V1_2, "ACK\nid:1-0\nreceipt:r\n\n"),
        (Version::V1_1, "ACK\nsubscription:s\nmessage-id:ID\\ckeepmq-a-1\nreceipt:r\n\n"),
    ] {
        let mut peer = Peer::open(version);
        let link = peer.subscribe("SUBSCRIBE\nid:s\ndestination:/queue/q\nbrowser:true\nack:client\n\n");
        peer.event(deliver(link, 1));
        assert_eq!(peer.frame().get("ack"), (version == Version::V1_2).then_some("1-0"));
        peer.send(frame);
        assert!(peer.verbs().is_empty());
        assert_eq!(peer.frame().get("receipt-id"), Some("r"));
    }
}
