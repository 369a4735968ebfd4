//! Messages of other protocols on STOMP frames: one test for each row of the table of losses.

use bytes::Bytes;
use keepmq_model::{
    Body, Destination, Envelope, Event, Format, Formats, Message, Native, Protocol, Text, Value, View,
};
use keepmq_stomp::StompFormat;
use keepmq_stomp::codec::Version;
use keepmq_stomp::{HeartBeat, Options, StompSession};
use proptest::prelude::*;

use crate::peer::{Got, Peer, delivery, limits};

/// A protocol whose stored body is the number of the view that it stands for.
struct Foreign;

static VIEWS: std::sync::Mutex<Vec<View>> = std::sync::Mutex::new(Vec::new());

impl Format for Foreign {
    fn protocol(&self) -> Protocol {
        Protocol::Amqp
    }

    fn view(&self, _: &Envelope, native: &Native) -> View {
        let number: usize = std::str::from_utf8(&native.body).unwrap().parse().unwrap();
        VIEWS.lock().unwrap()[number].clone()
    }
}

fn foreign(view: View) -> Message {
    let mut views = VIEWS.lock().unwrap();
    views.push(view);
    let native = Native {
        protocol: Protocol::Amqp,
        layout: 1,
        head: Bytes::new(),
        body: Bytes::from((views.len() - 1).to_string()),
    };
    Message::new(Envelope::new(Destination::queue("q").unwrap()), native)
}

fn rendered_in(version: Version, view: View) -> Got {
    let mut peer = Peer::open(version);
    peer.session = StompSession::new(Options {
        limits: std::sync::Arc::new(limits()),
        formats: Formats::new(&[&StompFormat, &Foreign]),
        connection: 1,
        heart_beat: HeartBeat::default(),
    });
    peer.send(&format!("CONNECT\naccept-version:{}\n\n", version.text()));
    peer.verbs();
    peer.welcome();
    peer.frames();
    let link = peer.subscribe("SUBSCRIBE\nid:s\ndestination:/queue/q\n\n");
    peer.event(Event::Deliver(delivery(link, 1, 1, foreign(view))));
    peer.frame()
}

fn rendered(view: View) -> Got {
    rendered_in(Version::V1_2, view)
}

fn with_body(body: Body) -> Got {
    let view = View { body, ..View::default() };
    rendered(view)
}

fn text(text: &str) -> Value {
    Value::Text(text.into())
}

#[test]
fn text_and_bytes_are_the_body() {
    for (body, wanted) in [
        (Body::Text("h\u{e9}\n".into()), "h\u{e9}\n"),
        (Body::Bytes(Bytes::from_static(b"a\0b")), "a\0b"),
        (Body::Object(Bytes::from_static(b"\xac\xed"[..0].as_ref())), ""),
        (Body::Empty, ""),
    ] {
        let got = with_body(body);
        assert_eq!(got.text(), wanted);
        assert_eq!(got.get("content-length"), Some(&wanted.len().to_string()[..]));
        assert_eq!(got.get("transformation"), None);
    }
}

#[test]
fn a_serialised_object_passes_as_bytes() {
    assert_eq!(with_body(Body::Object(Bytes::from_static(b"\xac\xed\0\x05"))).body, b"\xac\xed\0\x05");
}

#[test]
fn maps_and_streams_become_json() {
    let map = vec![("a".into(), Value::I32(1)), ("b".into(), text("x\"y"))];
    let got = with_body(Body::Map(map));
    assert_eq!(got.get("transformation"), Some("jms-map-json"));
    assert_eq!(got.text(), "{\"a\":1,\"b\":\"x\\\"y\"}");
    let got = with_body(Body::Stream(vec![Value::Bool(true), Value::Null]));
    assert_eq!(got.get("transformation"), Some("jms-map-json"));
    assert_eq!(got.text(), "[true,null]");
}

#[test]
fn fields_become_headers() {
    let view = View {
        correlation_id: Some(Value::U64(7)),
        message_id: Some(text("the sender's own is left out")),
        reply_to: Some(Destination::new(keepmq_model::Kind::TempQueue, "ID.1").unwrap()),
        subject: Some("order".into()),
        content_type: Some("text/xml".into()),
        content_encoding: Some("gzip".into()),
        ..View::default()
    };
    let got = rendered(view);
    for (name, value) in [
        ("correlation-id", "7"),
        ("reply-to", "/remote-temp-queue/ID.1"),
        ("type", "order"),
        ("content-type", "text/xml"),
        ("content-encoding", "gzip"),
    ] {
        assert_eq!(got.get(name), Some(value), "{name}");
    }
    assert_eq!(got.get("message-id"), Some("ID:keepmq-0-0"));
}

#[test]
fn properties_become_text() {
    let properties: Vec<(Text, Value)> = vec![
        ("bool".into(), Value::Bool(true)),
        ("double".into(), Value::F64(1e10)),
        ("float".into(), Value::F32(f32::NAN)),
        ("bytes".into(), Value::Bytes(Bytes::from_static(b"foo"))),
        ("null".into(), Value::Null),
        ("list".into(), Value::List(vec![])),
        ("map".into(), Value::Map(vec![])),
        ("symbol".into(), Value::Symbol("s".into())),
        (" ".into(), text("a name of spaces")),
    ];
    let view = View { properties, ..View::default() };
    let got = rendered(view);
    for (name, value) in [
        ("bool", Some("true")),
        ("double", Some("1.0E10")),
        ("float", Some("NaN")),
        ("bytes", Some("Zm9v")),
        ("null", None),
        ("list", None),
        ("map", None),
        ("symbol", Some("s")),
        (" ", None),
    ] {
        assert_eq!(got.get(name), value, "{name}");
    }
}

#[test]
fn a_binary_correlation_id_becomes_base64() {
    let view = View { correlation_id: Some(Value::Bytes(Bytes::from_static(b"\xff\0"))), ..View::default() };
    assert_eq!(rendered(view).get("correlation-id"), Some("/wA="));
}

#[test]
fn properties_never_stand_in_for_fields_or_the_broker() {
    let mut view = View { subject: Some("order".into()), body: Body::Map(vec![]), ..View::default() };
    for name in
        ["type", "transformation", "destination", "message-id", "ack", "JMSXUserID", " ack", "content-length"]
    {
        view.properties.push((name.into(), text("forged")));
    }
    let got = rendered(view);
    assert!(!got.headers.iter().any(|(_, value)| value == "forged"), "{got:?}");
    let mut view = View::default();
    view.properties.push(("type".into(), text("mine")));
    assert_eq!(rendered(view).get("type"), Some("mine"), "nothing else has the name");
}

#[test]
fn an_unknown_protocol_gives_its_bare_body() {
    let mut peer = Peer::open(Version::V1_2);
    let link = peer.subscribe("SUBSCRIBE\nid:s\ndestination:/queue/q\n\n");
    let native = Native {
        protocol: Protocol::OpenWire,
        layout: 1,
        head: Bytes::from_static(b"xyz"),
        body: Bytes::from_static(b"abc"),
    };
    let message = Message::new(Envelope::new(Destination::queue("q").unwrap()), native);
    peer.event(Event::Deliver(delivery(link, 1, 1, message)));
    assert_eq!(peer.frame().body, b"abc");
}

/// What a version's replacements make of a name or a value.
fn replaced(text: &str, version: Version, is_name: bool) -> String {
    let stand_in = if is_name { '_' } else { ' ' };
    text.chars()
        .map(|c| match (c, version) {
            ('\0', _) | ('\r', Version::V1_0 | Version::V1_1) | ('\n', Version::V1_0) => stand_in,
            (':', Version::V1_0) if is_name => stand_in,
            _ => c,
        })
        .collect()
}

fn hostile() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z:\\\\\n\r\0 \u{e9}\u{1f600}]{0,12}",
        Just("message-id".to_owned()),
        Just("x\n\nbody\0MESSAGE\ndestination:/queue/x\n\n\0".to_owned()),
        ".{0,30}",
    ]
}

proptest! {
    /// Whatever the properties hold, the frame parses back to exactly one frame with those headers.
    #[test]
    fn no_header_can_be_injected(
        properties in proptest::collection::vec((hostile(), hostile()), 0..6), subject in hostile(), body in hostile(),
        version in proptest::sample::select(Version::ALL.to_vec()),
    ) {
        let view = View {
            subject: Some(subject.clone().into()),
            body: Body::Text(body.clone().into()),
            properties: properties.iter().map(|(n, v)| (n.clone().into(), text(v))).collect(),
            ..View::default()
        };
        let got = rendered_in(version, view);
        let own = ["subscription", "destination", "message-id", "timestamp", "expires", "priority"];
        let mut wanted: Vec<(String, String)> = vec![("type".to_owned(), replaced(&subject, version, false))];
        for (name, value) in &properties {
            let hidden = own.contains(&name.trim()) || name == "type" || name.trim().is_empty();
            if !hidden {
                wanted.push((replaced(name, version, true), replaced(value, version, false)));
            }
        }
        wanted.push(("content-length".to_owned(), body.len().to_string()));
        let names: Vec<&str> = got.headers.iter().take(own.len()).map(|(n, _)| &n[..]).collect();
        prop_assert_eq!(names, own);
        prop_assert_eq!(&got.headers[own.len()..], &wanted[..]);
        prop_assert_eq!(got.body, body.as_bytes());
    }
}
