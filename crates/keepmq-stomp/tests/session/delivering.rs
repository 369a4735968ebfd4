//! MESSAGE frames.

use std::sync::Arc;

use bytes::Bytes;
use keepmq_model::{
    DeadCause, DeadLetter, Delivery, Destination, Envelope, Event, Extras, Group, LinkId, Marks, Message,
    MessageId, Native, Protocol, Publish,
};
use keepmq_stomp::codec::Version;

use crate::peer::{Got, Peer, deliver, delivery, destination_of, message};

fn subscribed(version: Version, headers: &str) -> (Peer, LinkId) {
    let mut peer = Peer::open(version);
    let link = peer.subscribe(&format!("SUBSCRIBE\nid:s\n{headers}\n"));
    (peer, link)
}

/// What another client gets of this SEND frame.
fn passed_on(frame: &str, from: Version, to: Version) -> Got {
    let mut sender = Peer::open(from);
    sender.send(frame);
    let Publish { message, .. } = sender.publish();
    let (mut peer, link) = subscribed(to, "destination:/queue/q\n");
    let message = Arc::into_inner(message).expect("nobody else holds it");
    peer.event(Event::Deliver(delivery(link, 1, 1, message)));
    peer.frame()
}

fn names(got: &Got) -> Vec<&str> {
    got.headers.iter().map(|(name, _)| &name[..]).collect()
}

#[test]
fn a_frame_has_the_brokers_headers_first() {
    let (mut peer, link) = subscribed(Version::V1_2, "destination:/queue/q\nack:client\n");
    peer.event(deliver(link, 5));
    let bytes = peer.bytes();
    assert_eq!(
        String::from_utf8(bytes).unwrap(),
        "MESSAGE\nsubscription:s\ndestination:/queue/q\nmessage-id:ID\\ckeepmq-a-5\nack:1-1\n\
         timestamp:1600000000000\nexpires:0\npriority:4\ncontent-length:5\n\nhello\0\n"
    );
}

#[test]
fn the_message_id_is_the_brokers_in_every_version() {
    for version in Version::ALL {
        let (mut peer, link) = subscribed(version, "destination:/queue/q\nack:client\n");
        peer.event(deliver(link, 5));
        let got = peer.frame();
        let id = MessageId { epoch: 10, number: 5 };
        assert_eq!(got.get("message-id"), Some(&id.to_string()[..]));
        assert_eq!(got.get("ack").is_some(), version == Version::V1_2);
        assert_eq!(got.get("subscription"), Some("s"));
    }
}

#[test]
fn everything_in_the_envelope_and_the_marks_is_told() {
    let (mut peer, link) = subscribed(Version::V1_2, "destination:/queue/q\n");
    let mut message = message(1, "queue://q", "x");
    let envelope = &mut message.envelope;
    (envelope.durable, envelope.priority, envelope.expires_ms) = (true, 9, 77);
    envelope.user = Some("u:1".into());
    envelope.extras =
        Some(Box::new(Extras { group: Some(Group { id: "g".into(), sequence: -1 }), ..Extras::default() }));
    let mut delivery = delivery(link, 1, 1, message);
    delivery.marks.redeliveries = 3;
    peer.event(Event::Deliver(delivery));
    let got = peer.frame();
    for (name, value) in [
        ("redelivered", "true"),
        ("redelivery-count", "3"),
        ("timestamp", "1600000000000"),
        ("expires", "77"),
        ("priority", "9"),
        ("persistent", "true"),
        ("JMSXUserID", "u:1"),
        ("JMSXGroupID", "g"),
        ("JMSXGroupSeq", "-1"),
        ("content-length", "1"),
    ] {
        assert_eq!(got.get(name), Some(value), "{name}");
    }
}

#[test]
fn a_first_delivery_says_nothing_of_others() {
    let (mut peer, link) = subscribed(Version::V1_2, "destination:/queue/q\n");
    peer.event(deliver(link, 1));
    let got = peer.frame();
    for name in ["redelivered", "redelivery-count", "persistent", "JMSXUserID", "JMSXGroupID", "ack"] {
        assert_eq!(got.get(name), None, "{name}");
    }
}

#[test]
fn a_dead_letter_says_where_it_was_and_why_it_died() {
    for (detail, cause) in [
        ("", "a consumer rejected the message"),
        ("no such\norder", "a consumer rejected the message: no such\norder"),
    ] {
        let (mut peer, link) = subscribed(Version::V1_2, "destination:/queue/ActiveMQ.DLQ\n");
        let mut delivery = delivery(link, 1, 1, message(1, "queue://orders", "x"));
        delivery.marks.dead = Some(Box::new(DeadLetter {
            cause: DeadCause::Rejected,
            from: destination_of("queue://orders"),
            detail: detail.into(),
            expired_ms: 7,
        }));
        peer.event(Event::Deliver(delivery));
        let got = peer.frame();
        assert_eq!(got.get("destination"), Some("/queue/ActiveMQ.DLQ"));
        assert_eq!(got.get("original-destination"), Some("/queue/orders"));
        assert_eq!(got.get("dlqDeliveryFailureCause"), Some(cause));
        assert_eq!(got.get("originalExpiration"), Some("7"));
    }
}

#[test]
fn a_wildcard_subscription_tells_each_messages_destination() {
    for (pattern, destination, wanted) in
        [("/queue/a.*", "queue://a.b", "/queue/a.b"), ("/topic/>", "topic://x.y", "/topic/x.y")]
    {
        let (mut peer, link) = subscribed(Version::V1_1, &format!("destination:{pattern}\n"));
        peer.event(Event::Deliver(delivery(link, 1, 1, message(1, destination, "x"))));
        assert_eq!(peer.frame().get("destination"), Some(wanted));
    }
}

#[test]
fn a_stomp_message_comes_out_as_it_went_in() {
    let send = "SEND\ndestination:/queue/q\ncolour:blue\nempty:\ncontent-type:text/xml\nreply-to:/queue/r\n\
                correlation-id:c\\c1\ntype:order\na\\cb:\u{e9}\\n\u{1f600}\n\n<a/>";
    for to in [Version::V1_1, Version::V1_2] {
        let got = passed_on(send, Version::V1_2, to);
        for (name, value) in [
            ("colour", "blue"),
            ("empty", ""),
            ("content-type", "text/xml"),
            ("reply-to", "/queue/r"),
            ("correlation-id", "c:1"),
            ("type", "order"),
            ("a:b", "\u{e9}\n\u{1f600}"),
        ] {
            assert_eq!(got.get(name), Some(value), "{name}");
        }
        assert_eq!(got.text(), "<a/>");
    }
}

#[test]
fn each_version_replaces_what_it_cannot_say() {
    let send = "SEND\ndestination:/queue/q\na\\cb\\nc:d\\ne\\rf\\cg\\\\h\n\n";
    for (to, name, value) in [
        (Version::V1_2, "a:b\nc", "d\ne\rf:g\\h"),
        (Version::V1_1, "a:b\nc", "d\ne f:g\\h"),
        (Version::V1_0, "a_b_c", "d e f:g\\h"),
    ] {
        assert_eq!(passed_on(send, Version::V1_2, to).get(name), Some(value), "{to:?}");
    }
}

#[test]
fn nothing_of_the_connection_or_the_sender_overrides_the_broker() {
    let send = "SEND\ndestination:/queue/q\nmessage-id:forged\nsubscription:forged\nack:forged\nredelivered:true\n\
                redelivery-count:9\nJMSXUserID:root\noriginal-destination:forged\ndlqDeliveryFailureCause:forged\n\
                browser:end\nreceipt-id:forged\nreceipt:r\nlogin:forged\npasscode:forged\n message-id :forged\n\
                \tdestination:forged\n\nx";
    for to in Version::ALL {
        let got = passed_on(send, Version::V1_2, to);
        let wanted = [
            "subscription",
            "destination",
            "message-id",
            "timestamp",
            "expires",
            "priority",
            "content-length",
        ];
        assert_eq!(names(&got), wanted, "{to:?}");
        assert!(!got.headers.iter().any(|(_, value)| value.contains("forged")));
    }
}

#[test]
fn a_large_body_is_passed_on_whole() {
    let body = "x".repeat(100_000);
    let got = passed_on(&format!("SEND\ndestination:/queue/q\n\n{body}"), Version::V1_2, Version::V1_2);
    assert_eq!((got.get("content-length"), got.text()), (Some("100000"), &body[..]));
}

#[test]
fn a_body_with_nuls_is_passed_on_whole() {
    let got = passed_on("SEND\ndestination:/queue/q\ncontent-length:3\n\na\0b", Version::V1_0, Version::V1_0);
    assert_eq!((got.get("content-length"), &got.body[..]), (Some("3"), &b"a\0b"[..]));
}

#[test]
fn an_answer_goes_to_a_temporary_queue_by_its_real_name() {
    let got =
        passed_on("SEND\ndestination:/queue/q\nreply-to:temp-queue://ID.9\n\n", Version::V1_2, Version::V1_2);
    assert_eq!(got.get("reply-to"), Some("/remote-temp-queue/ID.9"));
    let unknown = passed_on("SEND\ndestination:/queue/q\nreply-to:my desk\n\n", Version::V1_2, Version::V1_2);
    assert_eq!(unknown.get("reply-to"), Some("my desk"));
}

#[test]
fn the_end_of_a_browse_is_told_as_activemq_does() {
    let (mut peer, link) = subscribed(Version::V1_2, "destination:/queue/q\nbrowser:true\n");
    peer.events([deliver(link, 1), Event::Exhausted { link }]);
    let frames = peer.frames();
    assert_eq!((frames.len(), frames[0].get("browser")), (2, None));
    let end = &frames[1];
    assert_eq!((&end.command[..], end.get("browser")), ("MESSAGE", Some("end")));
    assert_eq!((end.get("subscription"), end.get("destination")), (Some("s"), Some("/queue/q")));
    assert!(end.body.is_empty());
    peer.event(Event::Exhausted { link: LinkId(99) });
    assert!(peer.is_quiet());
    peer.send("UNSUBSCRIBE\nid:s\n\n");
    assert_eq!(peer.verbs().len(), 1);
}

#[test]
fn a_hostile_subscription_id_stays_in_its_line() {
    let (mut peer, link) = subscribed(Version::V1_2, "destination:/queue/q\n");
    peer.verbs();
    let other = peer.subscribe("SUBSCRIBE\nid:a\\nb\\cc\ndestination:/queue/q\n\n");
    peer.events([deliver(link, 1), deliver(other, 1)]);
    assert_eq!(peer.frames()[1].get("subscription"), Some("a\nb:c"));
}

fn stored(layout: u8, head: &'static [u8]) -> Message {
    let mut envelope = Envelope::new(Destination::queue("q").unwrap());
    envelope.id = MessageId { epoch: 1, number: 1 };
    let native = Native {
        protocol: Protocol::Stomp,
        layout,
        head: Bytes::from_static(head),
        body: Bytes::from_static(b"x"),
    };
    Message::new(envelope, native)
}

#[test]
fn damaged_and_forged_stored_headers_do_no_harm() {
    for (layout, head) in [
        (1, &b""[..]),
        (1, b"\x00\x05\x00ab"),
        (1, b"\x00\x01\x00\xff\x01\x00b"),
        (1, b"\x00\x0a\x00message-id\x01\x00b"),
        (1, b"\x00\x00\x00\x01\x00b"),
        (1, b"\xff\xff\xff\xff\xff"),
        (7, b"\x00\x01\x00a\x01\x00b"),
    ] {
        let (mut peer, link) = subscribed(Version::V1_2, "destination:/queue/q\n");
        let delivery = Delivery { marks: Marks::default(), ..delivery(link, 1, 1, stored(layout, head)) };
        peer.event(Event::Deliver(delivery));
        let got = peer.frame();
        assert_eq!((got.headers.len(), got.text()), (7, "x"), "{head:?}");
        assert_eq!(got.get("message-id"), Some("ID:keepmq-1-1"));
    }
}
