//! What selectors see of a message.

use bytes::Bytes;
use keepmq_model::{
    DEFAULT_PRIORITY, DeadCause, DeadLetter, Destination, Envelope, Extras, Format, Formats, Group, Marks,
    Message, MessageId, Native, Protocol, Value, View,
};
use keepmq_selector::{Facts, Selector};

/// Properties of every type.
struct Typed;

impl Format for Typed {
    fn protocol(&self) -> Protocol {
        Protocol::Amqp
    }

    fn view(&self, _: &Envelope, _: &Native) -> View {
        let properties = vec![
            ("weight".into(), Value::U16(3000)),
            ("huge".into(), Value::U64(u64::MAX)),
            ("half".into(), Value::F32(0.5)),
            ("color".into(), Value::Text("blue".into())),
            ("bytes".into(), Value::Bytes(Bytes::new())),
            ("nothing".into(), Value::Null),
        ];
        View {
            properties,
            correlation_id: Some(Value::Text("c".into())),
            reply_to: Some(Destination::queue("answers").unwrap()),
            subject: Some("order".into()),
            ..View::default()
        }
    }
}

fn message() -> Message {
    let native = Native { protocol: Protocol::Amqp, layout: 0, head: Bytes::new(), body: Bytes::new() };
    let mut envelope = Envelope::new(Destination::queue("q.a").unwrap());
    envelope.id = MessageId { epoch: 10, number: 7 };
    envelope.timestamp_ms = 1000;
    envelope.user = Some("joe".into());
    let group = Some(Group { id: "g".into(), sequence: 3 });
    envelope.extras = Some(Box::new(Extras { group, ..Extras::default() }));
    assert_eq!(envelope.priority, DEFAULT_PRIORITY);
    Message::new(envelope, native)
}

#[test]
fn a_dead_letter_is_found_by_its_cause() {
    let formats = Formats::new(&[&Typed]);
    let message = message();
    let dead = DeadLetter {
        cause: DeadCause::Rejected,
        from: Destination::queue("q").unwrap(),
        detail: "poison".into(),
        expired_ms: 9,
    };
    let marks = Marks { dead: Some(Box::new(dead)), ..Marks::default() };
    let selector: Selector =
        "dlqDeliveryFailureCause LIKE '%poison%' AND originalExpiration = 9".parse().unwrap();
    assert!(selector.matches(&Facts::new(&message, &marks, &formats)));
    assert!(!selector.matches(&Facts::new(&message, &Marks::default(), &formats)));
}

#[test]
fn headers_and_properties() {
    let formats = Formats::new(&[&Typed]);
    let message = message();
    let marks = Marks { redeliveries: 2, ..Marks::default() };
    let facts = Facts::new(&message, &marks, &formats);
    for text in [
        "JMSPriority = 4 and JMSDeliveryMode = 'NON_PERSISTENT'",
        "JMSTimestamp = 1000 and JMSExpiration = 0",
        "JMSDestination = 'queue://q.a' and JMSDestination like 'queue:%'",
        "JMSRedelivered and JMSXDeliveryCount = 3",
        "JMSXGroupID = 'g' and JMSXGroupSeq = 3 and JMSXUserID = 'joe'",
        "JMSXProducerTXID is null",
    ] {
        assert!(Selector::parse(text).unwrap().matches(&facts), "{text}");
    }
    for text in [
        "JMSMessageID = 'ID:keepmq-a-7'",
        "JMSCorrelationID = 'c' and JMSReplyTo = 'queue://answers' and JMSType = 'order'",
        "color = 'blue' and weight > 2500 and half = 0.5 and huge > 9e18",
        "bytes is not null and nothing is null and Color is null",
    ] {
        assert!(Selector::parse(text).unwrap().matches(&facts), "{text}");
    }
}

/// Must not be asked.
struct Never;

impl Format for Never {
    fn protocol(&self) -> Protocol {
        Protocol::Amqp
    }

    fn view(&self, _: &Envelope, _: &Native) -> View {
        panic!("the message was decoded");
    }
}

#[test]
fn what_the_envelope_decides_decodes_nothing() {
    let formats = Formats::new(&[&Never]);
    let (message, marks) = (message(), Marks::default());
    for text in [
        "JMSPriority > 8 AND color = 'blue'",
        "JMSPriority > 8",
        "NOT (JMSXUserID = 'joe' OR color = 'blue')",
    ] {
        assert!(!Selector::parse(text).unwrap().matches(&Facts::new(&message, &marks, &formats)), "{text}");
    }
}
