//! Temporary destinations under a client's own words.

use keepmq_model::{Event, Flow, Kind, RefusalKind, Source, Tag, Verb};
use keepmq_stomp::codec::Version;

use crate::peer::{Peer, delivery, destination_of, limits, message};

fn wanted(peer: &mut Peer) -> (Kind, Tag) {
    assert_eq!(peer.flow, Flow::Pause);
    match peer.verb() {
        Verb::CreateTemporary { kind, name: None, tag } => (kind, tag),
        other => panic!("{other:?}"),
    }
}

fn create(peer: &mut Peer, kind: Kind, name: &str) {
    let (wanted, tag) = wanted(peer);
    assert_eq!(wanted, kind);
    peer.event(Event::Created { tag, destination: keepmq_model::Destination::new(kind, name).unwrap() });
}

#[test]
fn a_subscription_has_its_temporary_queue_made() {
    let mut peer = Peer::open(Version::V1_2);
    peer.send("SUBSCRIBE\nid:s\ndestination:/temp-queue/answers\n\n");
    create(&mut peer, Kind::TempQueue, "ID.1");
    assert_eq!(peer.flow, Flow::Continue);
    let attach = peer.attach();
    let Source::Queue { kind, pattern } = &attach.source else { panic!("{:?}", attach.source) };
    assert_eq!((*kind, pattern.as_str()), (Kind::TempQueue, "ID.1"));
    let message = message(1, "temp-queue://ID.1", "x");
    peer.event(Event::Deliver(delivery(attach.link, 1, 1, message)));
    assert_eq!(peer.frame().get("destination"), Some("/temp-queue/answers"));
}

#[test]
fn a_reply_to_goes_out_by_its_real_name_and_comes_back_by_ours() {
    let mut peer = Peer::open(Version::V1_2);
    peer.send("SEND\ndestination:/queue/q\nreply-to:/temp-queue/answers\n\nx");
    create(&mut peer, Kind::TempQueue, "ID.1");
    let publish = peer.publish();
    let head = &publish.message.native.head;
    let real = b"/remote-temp-queue/ID.1";
    assert!(head.windows(real.len()).any(|w| w == real));
    let link = peer.subscribe("SUBSCRIBE\nid:s\ndestination:/queue/q\n\n");
    let message = std::sync::Arc::into_inner(publish.message).unwrap();
    peer.event(Event::Deliver(delivery(link, 1, 1, message)));
    assert_eq!(peer.frame().get("reply-to"), Some("/temp-queue/answers"));
}

#[test]
fn what_follows_waits_its_turn() {
    let mut peer = Peer::open(Version::V1_2);
    let second = "SEND\ndestination:/queue/b\n\n2\0";
    peer.send_bytes(format!("SEND\ndestination:/temp-topic/t\n\n1\0{second}").as_bytes());
    create(&mut peer, Kind::TempTopic, "ID.1");
    let sent: Vec<String> = peer
        .verbs()
        .iter()
        .map(|verb| match verb {
            Verb::Publish(publish) => publish.message.envelope.destination.to_string(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(sent, ["temp-topic://ID.1", "queue://b"]);
}

#[test]
fn a_frame_may_need_several() {
    let mut peer = Peer::open(Version::V1_2);
    peer.send("SEND\ndestination:/temp-queue/a,/temp-queue/b\nreply-to:/temp-queue/c\nreceipt:r\n\nbody");
    for (number, name) in (1..=3).zip(["ID.a", "ID.b", "ID.c"]) {
        create(&mut peer, Kind::TempQueue, name);
        assert_eq!(peer.flow == Flow::Continue, number == 3);
    }
    let publish = peer.publish();
    assert_eq!(publish.message.envelope.destination.name(), "ID.a");
    assert_eq!((publish.also[0].name(), &publish.message.native.body[..]), ("ID.b", &b"body"[..]));
}

#[test]
fn an_alias_is_made_once_and_told_apart_by_kind() {
    let mut peer = Peer::open(Version::V1_2);
    peer.send("SEND\ndestination:/temp-queue/a\n\n");
    create(&mut peer, Kind::TempQueue, "ID.1");
    peer.publish();
    peer.send("SEND\ndestination:/temp-queue/a\n\n");
    assert_eq!(peer.publish().message.envelope.destination, destination_of("temp-queue://ID.1"));
    peer.send("SEND\ndestination:/temp-topic/a\n\n");
    create(&mut peer, Kind::TempTopic, "ID.2");
}

#[test]
fn a_refused_one_refuses_the_frame() {
    for (version, closes) in [(Version::V1_0, false), (Version::V1_1, true)] {
        let mut peer = Peer::open(version);
        peer.send_bytes(b"SEND\ndestination:/temp-queue/a\nreceipt:r\n\nx\0BEGIN\ntransaction:t\n\n\0");
        let (_, tag) = wanted(&mut peer);
        peer.refuse(Some(tag), RefusalKind::Forbidden, "User u is not authorized to create: temp-queue");
        assert_eq!(peer.frame().get("receipt-id"), Some("r"));
        assert_eq!(matches!(peer.flow, Flow::Close(_)), closes);
        assert_eq!(peer.verbs().len(), usize::from(!closes), "a 1.0 connection goes on with the next frame");
    }
}

#[test]
fn aliases_are_limited_in_number_and_length() {
    let mut few = limits();
    few.temporaries = 1;
    let mut peer = Peer::open_with(Version::V1_0, few);
    peer.send("SEND\ndestination:/temp-queue/a\n\n");
    create(&mut peer, Kind::TempQueue, "ID.1");
    peer.publish();
    peer.send("SEND\ndestination:/temp-queue/b\n\n");
    assert!(peer.frame().get("message").unwrap().starts_with("busy: ") && peer.verbs().is_empty());
    let mut peer = Peer::open(Version::V1_0);
    peer.send(&format!("SEND\ndestination:/temp-queue/{}\n\n", "a".repeat(300)));
    assert!(peer.frame().get("message").unwrap().starts_with("too large: ") && peer.verbs().is_empty());
}

#[test]
fn a_frame_that_is_refused_for_another_reason_has_made_its_destination() {
    let mut peer = Peer::open(Version::V1_0);
    peer.send("SEND\ndestination:/temp-queue/a\npriority:99\n\n");
    create(&mut peer, Kind::TempQueue, "ID.1");
    assert!(peer.frame().get("message").unwrap().contains("priority"));
}

#[test]
fn the_broker_may_end_the_connection_meanwhile() {
    let mut peer = Peer::open(Version::V1_2);
    peer.send("SEND\ndestination:/temp-queue/a\n\n");
    let (_, tag) = wanted(&mut peer);
    peer.event(Event::Ending { refusal: keepmq_model::Refusal::new(RefusalKind::Unavailable, "stopping") });
    peer.frames();
    peer.event(Event::Created { tag, destination: destination_of("temp-queue://ID.1") });
    assert!(peer.is_quiet());
}
