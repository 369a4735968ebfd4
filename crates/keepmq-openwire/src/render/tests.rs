use bytes::Bytes;
use keepmq_model::{Body, BrokerFormat, DeadCause, DeadLetter, Destination, Envelope, Format, Kind, Native};

use super::*;
use crate::format::{OpenWireFormat, shown};
use crate::head::store;

static FORMATS: [&dyn Format; 2] = [&OpenWireFormat, &BrokerFormat];

fn formats() -> Formats {
    Formats::new(&FORMATS)
}

fn rendered(envelope: Envelope, native: Native, marks: &Marks) -> Message {
    let broker = BrokerName { id: "ID:keepmq".into(), name: "keepmq".into(), url: "ssl://h:61617".into() };
    render(&keepmq_model::Message::new(envelope, native), marks, &formats(), &broker)
}

fn queue(name: &str) -> Destination {
    Destination::queue(name).unwrap()
}

fn properties(message: &Message) -> Vec<(String, Value)> {
    let bytes = message.marshalled_properties.clone().unwrap_or_default();
    let pairs = Values::new(&bytes).map().unwrap_or_default();
    pairs.into_iter().map(|(name, value)| (name.to_string(), value)).collect()
}

fn own() -> Message {
    let producer = ProducerId { connection_id: Some("ID:h-1:1".into()), session_id: 1, value: 2 };
    Message {
        kind: MessageKind::Text,
        producer_id: Some(producer.clone()),
        message_id: Some(MessageId {
            producer_id: Some(producer),
            producer_sequence_id: 3,
            ..MessageId::default()
        }),
        destination: Some(wire_destination(&queue("q"))),
        reply_to: Some(wire_destination(&Destination::new(Kind::TempQueue, "ID:h-1:1:1").unwrap())),
        correlation_id: Some("corr".into()),
        jms_type: Some("kind".into()),
        timestamp: 1,
        marshalled_properties: Some(body::map(&[("n".into(), Value::I32(7))])),
        content: Some(Bytes::from_static(b"\0\0\0\x02hi")),
        ..Message::default()
    }
}

fn envelope(name: &str) -> Envelope {
    let mut envelope = Envelope::new(queue(name));
    envelope.id = keepmq_model::MessageId { epoch: 2, number: 9 };
    envelope.durable = true;
    envelope.timestamp_ms = 1234;
    envelope
}

#[test]
fn its_own_messages_go_out_as_they_came_in() {
    let marks = Marks { redeliveries: 2, ..Marks::default() };
    let message = rendered(envelope("q"), store(own()), &marks);
    let wanted = Message { persistent: true, priority: 4, timestamp: 1234, redelivery_counter: 2, ..own() };
    assert_eq!(message, wanted);
}

#[test]
fn who_wants_no_timestamp_gets_none() {
    let sent = store(Message { timestamp: 0, ..own() });
    assert_eq!(rendered(envelope("q"), sent, &Marks::default()).timestamp, 0);
}

#[test]
fn one_of_several_destinations_tells_all_of_them() {
    let sent = Message {
        destination: Some(crate::codec::Destination {
            kind: crate::codec::DestinationKind::Queue,
            physical_name: Some("q,r".into()),
        }),
        ..own()
    };
    let message = rendered(envelope("q"), store(sent.clone()), &Marks::default());
    assert_eq!(message.destination, Some(wire_destination(&queue("q"))));
    assert_eq!(message.original_destination, sent.destination);
}

#[test]
fn a_dead_letter_tells_its_story() {
    let letter = |detail: &str| DeadLetter {
        cause: DeadCause::Expired,
        from: queue("q"),
        detail: detail.into(),
        expired_ms: 5,
    };
    for (detail, wanted) in
        [("", DeadCause::Expired.text()), ("java.lang.Exception: no", "java.lang.Exception: no")]
    {
        let marks = Marks { dead: Some(Box::new(letter(detail))), ..Marks::default() };
        let message = rendered(envelope("ActiveMQ.DLQ"), store(own()), &marks);
        assert_eq!(message.original_destination, Some(wire_destination(&queue("q"))));
        let properties = properties(&message);
        assert_eq!(properties[0], ("n".to_owned(), Value::I32(7)));
        assert_eq!(properties[1], ("dlqDeliveryFailureCause".to_owned(), Value::Text(wanted.into())));
        assert_eq!(properties[2], ("originalExpiration".to_owned(), Value::I64(5)));
    }
}

#[test]
fn what_it_means_to_others_is_in_the_view() {
    let message = keepmq_model::Message::new(envelope("q"), store(own()));
    let view = message.view(&formats());
    assert_eq!(view.body, Body::Text("hi".into()));
    assert_eq!(view.property("n"), Some(&Value::I32(7)));
    assert_eq!(view.message_id, Some(Value::Text("ID:h-1:1:1:2:3".into())));
    assert_eq!(view.correlation_id, Some(Value::Text("corr".into())));
    assert_eq!(view.subject.as_deref(), Some("kind"));
    assert_eq!(view.reply_to, Some(Destination::new(Kind::TempQueue, "ID:h-1:1:1").unwrap()));
}

#[test]
fn a_stored_message_that_can_not_be_read_is_its_bytes() {
    let native = Native { protocol: Protocol::OpenWire, layout: 99, head: Bytes::new(), body: "raw".into() };
    let message = keepmq_model::Message::new(envelope("q"), native.clone());
    assert_eq!(message.view(&formats()).body, Body::Bytes("raw".into()));
    assert_eq!(rendered(envelope("q"), native, &Marks::default()).kind, MessageKind::Bytes);
}

#[test]
fn a_message_of_another_protocol_has_an_id_of_its_own() {
    let native = Native { protocol: Protocol::Broker, layout: 0, head: Bytes::new(), body: "héllo".into() };
    let message = rendered(envelope("q"), native, &Marks::default());
    assert_eq!(message.kind, MessageKind::Text);
    assert_eq!(body::read(&message), Body::Text("héllo".into()));
    assert_eq!(shown(&message.message_id.unwrap()), "ID:keepmq-2:-1:1:9");
}

#[test]
fn an_advisory_is_a_message_with_facts() {
    let destination = Destination::new(Kind::TempQueue, "ID:h-1:1:5").unwrap();
    for added in [true, false] {
        let advisory = Advisory::Destination { destination: destination.clone(), added };
        let envelope = Envelope::new(Destination::topic(advisory.topic()).unwrap());
        let message = rendered(envelope, advisory.native(), &Marks::default());
        assert_eq!((message.kind, message.jms_type.clone()), (MessageKind::Plain, Some("Advisory".into())));
        let Some(Command::DestinationInfo(info)) = message.data_structure.as_deref() else { panic!() };
        assert_eq!(info.operation_type, i8::from(!added));
        assert_eq!(info.connection_id, Some(ConnectionId { value: Some("ID:h-1:1".into()) }));
        assert_eq!(properties(&message)[1], ("originBrokerName".to_owned(), Value::Text("keepmq".into())));
    }
}

#[test]
fn an_id_reads_as_jms_shows_it() {
    let of = |text: &str| MessageId { text_view: Some(text.into()), ..MessageId::default() };
    assert_eq!((shown(&of("ID:x")), shown(&of("x"))), ("ID:x".to_owned(), "ID:x".to_owned()));
    assert_eq!(shown(&MessageId { producer_sequence_id: 4, ..MessageId::default() }), "ID:4");
}
