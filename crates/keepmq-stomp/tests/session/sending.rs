//! SEND: what becomes of its headers and body, and when its receipt is given.

use keepmq_model::{Body, Flow, Kind, RefusalKind, Retain, Value, Verb};
use keepmq_stomp::codec::Version;

use crate::peer::{FORMATS, Peer, limits};

fn sent(headers: &str) -> keepmq_model::Publish {
    let mut peer = Peer::open(Version::V1_2);
    peer.send(&format!("SEND\ndestination:/queue/a\n{headers}\nbody"));
    peer.publish()
}

fn refused(headers: &str) -> String {
    let mut peer = Peer::open(Version::V1_2);
    peer.send(&format!("SEND\n{headers}\nbody"));
    assert!(peer.verbs().is_empty(), "{headers}");
    let error = peer.frame();
    assert_eq!(error.command, "ERROR");
    assert!(matches!(peer.flow, Flow::Close(_)));
    error.get("message").unwrap().to_owned()
}

#[test]
fn a_plain_message_has_activemqs_defaults() {
    let publish = sent("");
    let envelope = &publish.message.envelope;
    assert_eq!(envelope.destination.to_string(), "queue://a");
    assert!(!envelope.durable && publish.tag.is_none() && publish.tx.is_none() && publish.also.is_empty());
    assert_eq!((envelope.priority, envelope.expires_ms, envelope.timestamp_ms), (4, 0, 0));
    assert!(envelope.extras.is_none() && publish.note.is_none() && publish.retain == Retain::No);
    assert_eq!(&publish.message.native.body[..], b"body");
    assert_eq!(&publish.message.native.head[..], b"\0");
}

#[test]
fn known_headers_go_into_the_envelope() {
    let publish = sent(
        "persistent:true\npriority:9\nexpires:1700000000001\ntimestamp:5\nJMSXGroupID:g\nJMSXGroupSeq:-1\n\
         AMQ_SCHEDULED_DELAY:1000\nAMQ_SCHEDULED_PERIOD:20\nAMQ_SCHEDULED_REPEAT:3\nAMQ_SCHEDULED_CRON:0 * * * *\n",
    );
    let envelope = &publish.message.envelope;
    assert!(envelope.durable);
    assert_eq!((envelope.priority, envelope.expires_ms, envelope.timestamp_ms), (9, 1_700_000_000_001, 5));
    let extras = envelope.extras.as_ref().unwrap();
    let group = extras.group.as_ref().unwrap();
    assert_eq!((&*group.id, group.sequence), ("g", -1));
    let schedule = extras.schedule.as_ref().unwrap();
    assert_eq!((schedule.delay_ms, schedule.period_ms, schedule.repeat), (1000, 20, 3));
    assert_eq!(&*schedule.cron, "0 * * * *");
    assert_eq!(publish.message.native.head.len(), 1, "nothing of it is stored twice");
}

#[test]
fn persistence_is_read_with_care() {
    for (value, durable) in
        [("true", true), ("True", true), ("TRUE", true), ("false", false), ("False", false)]
    {
        assert_eq!(sent(&format!("persistent:{value}\n")).message.envelope.durable, durable);
    }
    assert!(refused("destination:/queue/a\npersistent:yes\n").contains("persistent"));
}

#[test]
fn bad_values_are_refused() {
    for header in [
        "priority:10",
        "priority:-1",
        "priority:+4",
        "priority:high",
        "priority:",
        "priority:256",
        "expires:-1",
        "expires:soon",
        "expires:99999999999999999999",
        "timestamp:x",
        "JMSXGroupID:g\nJMSXGroupSeq:x",
        "AMQ_SCHEDULED_DELAY:-1",
        "AMQ_SCHEDULED_PERIOD:x",
        "AMQ_SCHEDULED_REPEAT:4294967296",
        "amq-msg-type:map",
    ] {
        let message = refused(&format!("destination:/queue/a\n{header}\n"));
        let name = header.lines().last().unwrap().split(':').next().unwrap();
        assert!(message.contains(name), "{message} for {header}");
    }
}

#[test]
fn the_users_headers_are_kept_and_the_connections_are_not() {
    let publish = sent(
        "colour:blue\nreceipt:77\nlogin:u\npasscode:p\nmessage-id:mine\nsubscription:1\nack:1-1\nredelivered:true\n\
         JMSXUserID:root\noriginal-destination:/queue/x\ndlqDeliveryFailureCause:x\ncolour:red\ncorrelation-id:c\n\
         type:t\ncontent-type:text/xml\ncontent-length:4\nreply-to:/queue/r\na\\cb:c\\nd\n",
    );
    let view = publish.message.view(&FORMATS);
    let properties: Vec<(&str, &Value)> = view.properties.iter().map(|(k, v)| (&**k, v)).collect();
    let text = |text: &'static str| Value::Text(text.into());
    assert_eq!(properties, [("colour", &text("blue")), ("a:b", &text("c\nd"))]);
    assert_eq!(view.message_id, Some(text("mine")));
    assert_eq!(view.correlation_id, Some(text("c")));
    assert_eq!(view.subject.as_deref(), Some("t"));
    assert_eq!(view.reply_to.as_ref().unwrap().to_string(), "queue://r");
    for secret in [&b"passcode"[..], b"login", b"receipt", b"root"] {
        assert!(!publish.message.native.head.windows(secret.len()).any(|w| w == secret));
    }
}

#[test]
fn a_stated_length_makes_bytes_and_none_makes_text() {
    let bytes =
        |publish: &keepmq_model::Publish| matches!(publish.message.view(&FORMATS).body, Body::Bytes(_));
    assert!(bytes(&sent("content-length:4\n")) && !bytes(&sent("")));
    assert!(!bytes(&sent("content-length:4\namq-msg-type:TEXT\n")) && bytes(&sent("amq-msg-type:bytes\n")));
}

#[test]
fn a_receipt_is_given_when_the_message_is_safe() {
    let mut peer = Peer::open(Version::V1_2);
    peer.send("SEND\ndestination:/queue/a\nreceipt:r:1\n\nx");
    let tag = peer.publish().tag.unwrap();
    assert!(peer.is_quiet() && peer.flow == Flow::Continue);
    peer.done(tag);
    let receipt = peer.frame();
    assert_eq!((&receipt.command[..], receipt.get("receipt-id")), ("RECEIPT", Some("r:1")));
    peer.done(tag);
    assert!(peer.is_quiet(), "an answer counts once");
}

#[test]
fn receipts_come_in_the_order_of_the_answers() {
    let mut peer = Peer::open(Version::V1_1);
    let tags: Vec<_> = (0..3)
        .map(|i| {
            peer.send(&format!("SEND\ndestination:/queue/a\nreceipt:{i}\n\nx"));
            peer.publish().tag.unwrap()
        })
        .collect();
    for i in [1, 0, 2] {
        peer.done(tags[i]);
    }
    let frames = peer.frames();
    let receipts: Vec<_> = frames.iter().map(|f| f.get("receipt-id").unwrap()).collect();
    assert_eq!(receipts, ["1", "0", "2"]);
}

#[test]
fn a_refused_message_is_told_with_its_receipt() {
    for (version, closes) in [(Version::V1_0, false), (Version::V1_1, true), (Version::V1_2, true)] {
        let mut peer = Peer::open(version);
        peer.send("SEND\ndestination:/queue/a\nreceipt:77\n\nx");
        let tag = peer.publish().tag;
        let text = "User u is not authorized to write to: queue://a";
        peer.refuse(tag, RefusalKind::Forbidden, text);
        let error = peer.frame();
        assert_eq!((error.get("message"), error.get("receipt-id")), (Some(text), Some("77")));
        assert_eq!(matches!(peer.flow, Flow::Close(_)), closes, "{version:?}");
    }
}

#[test]
fn a_refusal_without_a_receipt_is_told_too() {
    let mut peer = Peer::open(Version::V1_0);
    peer.send("SEND\ndestination:/queue/a\n\nx");
    assert!(peer.publish().tag.is_none());
    peer.refuse(None, RefusalKind::Busy, "the store is full");
    let error = peer.frame();
    assert_eq!((error.get("message"), error.get("receipt-id")), (Some("busy: the store is full"), None));
    assert_eq!(peer.flow, Flow::Continue);
}

#[test]
fn composite_names_go_out_as_one_message() {
    let mut peer = Peer::open(Version::V1_2);
    peer.send("SEND\ndestination:/queue/a,/topic/b,c\n\nx");
    let publish = peer.publish();
    assert_eq!(publish.message.envelope.destination.to_string(), "queue://a");
    let also: Vec<String> = publish.also.iter().map(ToString::to_string).collect();
    assert_eq!(also, ["topic://b", "queue://c"]);
}

#[test]
fn destinations_that_nothing_can_be_sent_to_are_refused() {
    assert!(refused("colour:blue\n").contains("destination"));
    assert!(refused("destination:/queue/a.*\n").contains("a.*"));
    assert!(refused("destination:/queue/a,/topic/>\n").contains('>'));
    assert!(refused("destination:somewhere\n").contains("/remote-temp-queue/"));
    assert!(refused("destination:/queue/\n").contains("empty"));
}

#[test]
fn a_remote_temporary_destination_is_sent_to_by_its_name() {
    for (name, kind) in [("/remote-temp-queue/ID.1", Kind::TempQueue), ("temp-topic://ID.1", Kind::TempTopic)]
    {
        let mut peer = Peer::open(Version::V1_2);
        peer.send(&format!("SEND\ndestination:{name}\n\nx"));
        let destination = peer.publish().message.envelope.destination.clone();
        assert_eq!((destination.kind(), destination.name()), (kind, "ID.1"));
    }
}

#[test]
fn an_overlong_receipt_is_refused_and_not_repeated() {
    let mut peer = Peer::open(Version::V1_2);
    peer.send(&format!("SEND\ndestination:/queue/a\nreceipt:{}\n\nx", "r".repeat(257)));
    let error = peer.frame();
    assert!(error.get("message").unwrap().contains("receipt") && error.get("receipt-id").is_none());
    assert!(peer.verbs().is_empty());
}

#[test]
fn many_unanswered_messages_pause_the_reading() {
    let mut few = limits();
    few.unanswered = 3;
    let mut peer = Peer::open_with(Version::V1_2, few);
    let frames = "SEND\ndestination:/queue/a\npersistent:true\n\nx\0".repeat(5);
    peer.send_bytes(frames.as_bytes());
    assert_eq!(peer.flow, Flow::Pause);
    let tags: Vec<_> = peer
        .verbs()
        .into_iter()
        .map(|verb| match verb {
            Verb::Publish(publish) => publish.tag.unwrap(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(tags.len(), 3);
    peer.done(tags[1]);
    assert_eq!((peer.flow.clone(), peer.verbs().len()), (Flow::Pause, 0));
    peer.done(tags[0]);
    assert_eq!(peer.verbs().len(), 2, "what waited is read when there is room");
    assert!(peer.bytes().is_empty(), "nobody asked for a receipt");
}

#[test]
fn a_destination_is_named_once_in_memory() {
    let mut peer = Peer::open(Version::V1_2);
    let mut destinations = (0..2).map(|_| {
        peer.send("SEND\ndestination:/queue/a\n\nx");
        peer.publish().message.envelope.destination.clone()
    });
    let (first, second) = (destinations.next().unwrap(), destinations.next().unwrap());
    assert!(first.is_same(&second));
}
