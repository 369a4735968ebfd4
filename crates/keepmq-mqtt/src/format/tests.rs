//! A test for each row of the table of losses.

use keepmq_model::{BrokerFormat, DEFAULT_PRIORITY, Text, Value};

use super::*;

static FORMATS: &[&dyn Format] = &[&MqttFormat, &BrokerFormat, &Foreign];

/// Stands for another protocol: the body tells which view to make.
struct Foreign;

impl Format for Foreign {
    fn protocol(&self) -> Protocol {
        Protocol::Amqp
    }

    fn view(&self, _: &Envelope, native: &Native) -> View {
        let map =
            || vec![("a".into(), Value::Bytes(Bytes::from_static(b"foo"))), ("b".into(), Value::I32(-1))];
        View {
            body: match &native.body[..] {
                b"text" => Body::Text("grüße".into()),
                b"bytes" => Body::Bytes(Bytes::from_static(&[0, 255])),
                b"object" => Body::Object(Bytes::from_static(&[0xac, 0xed])),
                b"map" => Body::Map(map()),
                b"stream" => Body::Stream(map().into_iter().map(|(_, value)| value).collect()),
                _ => Body::Empty,
            },
            properties: vec![("p".into(), Value::Bool(true))],
            subject: Some(Text::from("s")),
            ..View::default()
        }
    }
}

fn foreign(protocol: Protocol, body: &'static str) -> Message {
    let native = Native {
        protocol,
        layout: 0,
        head: Bytes::from_static(&[2]),
        body: Bytes::from_static(body.as_bytes()),
    };
    Message::new(Envelope::new(Destination::topic("t").unwrap()), native)
}

fn seen(body: &'static str) -> Bytes {
    payload(&foreign(Protocol::Amqp, body), &Formats::new(FORMATS)).into_owned()
}

#[test]
fn an_empty_body_is_an_empty_payload() {
    assert_eq!(seen("empty"), "");
}

#[test]
fn text_is_utf8() {
    assert_eq!(seen("text"), "grüße");
    assert_eq!(payload(&foreign(Protocol::Broker, "hello"), &Formats::new(FORMATS))[..], *b"hello");
}

#[test]
fn bytes_and_objects_are_as_they_are() {
    assert_eq!(seen("bytes"), [0, 255][..]);
    assert_eq!(seen("object"), [0xac, 0xed][..]);
}

#[test]
fn maps_and_streams_are_json() {
    assert_eq!(seen("map"), "{\"a\":\"Zm9v\",\"b\":-1}");
    assert_eq!(seen("stream"), "[\"Zm9v\",-1]");
}

#[test]
fn a_protocol_that_nobody_knows_gives_its_bare_body() {
    assert_eq!(payload(&foreign(Protocol::Stomp, "raw"), &Formats::default())[..], *b"raw");
}

#[test]
fn messages_of_others_come_with_qos_1_durable_or_not() {
    let mut message = foreign(Protocol::Amqp, "text");
    assert_eq!(publisher_qos(&message), Qos::AtLeastOnce);
    message.envelope.durable = true;
    assert_eq!(publisher_qos(&message), Qos::AtLeastOnce);
}

#[test]
fn others_get_bytes_and_nothing_else() {
    for payload in [&b"text"[..], &[0xff, 0], b""] {
        let payload = Bytes::from_static(payload);
        let message = message(Destination::topic("a.b").unwrap(), Qos::ExactlyOnce, true, payload.clone());
        let wanted = View { body: Body::Bytes(payload), ..View::default() };
        assert_eq!(*message.view(&Formats::new(FORMATS)), wanted);
    }
}

#[test]
fn the_envelope_says_what_the_core_must_know() {
    let destination = Destination::topic("a.b").unwrap();
    for (qos, durable) in [(Qos::AtMostOnce, false), (Qos::AtLeastOnce, true), (Qos::ExactlyOnce, true)] {
        let message = message(destination.clone(), qos, false, Bytes::new());
        let envelope = &message.envelope;
        assert_eq!((envelope.durable, envelope.priority), (durable, DEFAULT_PRIORITY));
        assert_eq!((envelope.expires_ms, &envelope.destination), (0, &destination));
    }
}

/// Stored messages outlive the code: these bytes may never change their meaning.
#[test]
fn layout_1_is_one_byte() {
    for (qos, retain, byte) in [
        (Qos::AtMostOnce, false, 0),
        (Qos::AtLeastOnce, false, 1),
        (Qos::ExactlyOnce, false, 2),
        (Qos::AtMostOnce, true, 4),
        (Qos::AtLeastOnce, true, 5),
        (Qos::ExactlyOnce, true, 6),
    ] {
        let message = message(Destination::topic("t").unwrap(), qos, retain, Bytes::from_static(b"p"));
        assert_eq!(message.native.layout, 1);
        assert_eq!(message.native.head[..], [byte]);
        assert_eq!(publisher_qos(&message), qos);
        assert_eq!(payload(&message, &Formats::default())[..], *b"p");
    }
}

#[test]
fn a_head_that_cannot_be_read_means_qos_1() {
    for head in [&[][..], &[3], &[7, 1]] {
        let mut message = foreign(Protocol::Mqtt, "x");
        message.native.head = Bytes::from_static(head);
        assert_eq!(publisher_qos(&message), Qos::AtLeastOnce);
    }
}
