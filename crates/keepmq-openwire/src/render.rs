//! Messages as OpenWire clients get them.
//!
//! # What is lost on the way from another protocol
//!
//! | the message has | an OpenWire client gets |
//! | --- | --- |
//! | body text, bytes, map, stream, object | the message of that kind; bytes of MQTT, as from `ActiveMQ` |
//! | no body | a plain message |
//! | a property of a type that Java has not | the next wider type, or text |
//! | an id of the sender's own | the id, with `ID:` before it |
//! | content type and encoding | properties `content-type` and `content-encoding` |
//! | everything else of the envelope and the view | the header that JMS has for it |

use keepmq_model::{
    Advisory, DEAD_CAUSE_PROPERTY, EXPIRED_PROPERTY, Formats, Marks, Protocol, Text, Value, View,
};

use crate::body;
use crate::codec::primitive::Values;
use crate::codec::{
    BrokerId, Command, ConnectionId, DestinationInfo, JavaText, Message, MessageId, MessageKind, ProducerId,
};
use crate::destination::{is_wire, wire_destination};
use crate::head::load;

/// What the broker is called.
#[derive(Clone, Debug, Default)]
pub struct BrokerName {
    /// Tells it from all others.
    pub id: Box<str>,
    /// For people.
    pub name: Box<str>,
    /// Where clients find it.
    pub url: Box<str>,
}

/// A message with what the broker noted of it.
pub(crate) fn render(
    message: &keepmq_model::Message,
    marks: &Marks,
    formats: &Formats,
    broker: &BrokerName,
) -> Message {
    let mut rendered = match (load(&message.native), Advisory::read(&message.native)) {
        (Some(own), _) => own,
        (None, Some(advisory)) => told(&advisory, broker),
        (None, None) => foreign(message, message.view(formats)),
    };
    let envelope = &message.envelope;
    // Most lie where they were sent. One of several destinations, or a dead letter, is told where that was.
    if !rendered.destination.as_ref().is_some_and(|sent_to| is_wire(sent_to, &envelope.destination)) {
        let sent_to = rendered.destination.replace(wire_destination(&envelope.destination));
        rendered.original_destination = sent_to.or(rendered.original_destination);
    }
    rendered.persistent = envelope.durable;
    rendered.priority = i8::try_from(envelope.priority).unwrap_or_default();
    rendered.expiration = i64::try_from(envelope.expires_ms).unwrap_or_default();
    // The sender may have wished that it has none.
    if rendered.timestamp != 0 || message.native.protocol != Protocol::OpenWire {
        rendered.timestamp = i64::try_from(envelope.timestamp_ms).unwrap_or_default();
    }
    rendered.redelivery_counter = i32::try_from(marks.redeliveries).unwrap_or(i32::MAX);
    rendered.jmsx_group_first_for_consumer = marks.first_of_group;
    rendered.message_id.get_or_insert_with(|| id_of(message, None));
    if let Some(dead) = &marks.dead {
        bury(&mut rendered, dead);
    }
    rendered
}

/// A dead letter tells where it was and why it is not there any more (openwire-broker-behaviour.md, section 8).
fn bury(message: &mut Message, dead: &keepmq_model::DeadLetter) {
    message.original_destination = Some(wire_destination(&dead.from));
    let read = message.marshalled_properties.as_ref().map(|bytes| Values::new(bytes).map());
    // Properties that can't be read stay as they are.
    let Ok(mut properties) = read.unwrap_or(Ok(Vec::new())) else { return };
    properties.push((DEAD_CAUSE_PROPERTY.into(), Value::Text(dead.why().into())));
    if dead.expired_ms != 0 {
        let expired = i64::try_from(dead.expired_ms).unwrap_or(i64::MAX);
        properties.push((EXPIRED_PROPERTY.into(), Value::I64(expired)));
    }
    message.marshalled_properties = Some(body::map(&properties));
}

/// A message of another protocol.
fn foreign(message: &keepmq_model::Message, view: &View) -> Message {
    let (kind, content) = body::write(&view.body);
    let mut properties = view.properties.clone();
    let more = [("content-type", &view.content_type), ("content-encoding", &view.content_encoding)];
    let more = more.into_iter().filter_map(|(name, text)| Some((name.into(), Value::Text(text.clone()?))));
    properties.extend(more);
    let extras = message.envelope.extras.as_ref();
    let group = extras.and_then(|extras| extras.group.as_ref());
    Message {
        kind,
        content,
        marshalled_properties: (!properties.is_empty()).then(|| body::map(&properties)),
        message_id: Some(id_of(message, view.message_id.as_ref())),
        correlation_id: view.correlation_id.as_ref().map(as_text),
        reply_to: view.reply_to.as_ref().map(wire_destination),
        jms_type: view.subject.as_ref().map(JavaText::from),
        group_id: group.map(|group| JavaText::from(&group.id)),
        group_sequence: group.map_or(0, |group| group.sequence),
        user_id: message.envelope.user.as_deref().map(JavaText::from),
        ..Message::default()
    }
}

fn as_text(value: &Value) -> JavaText {
    match value {
        Value::Text(text) | Value::Symbol(text) => JavaText::from(text),
        Value::Bytes(bytes) => JavaText::from(String::from_utf8_lossy(bytes).into_owned()),
        Value::U64(number) => number.to_string().into(),
        Value::Uuid(bytes) => format!("{:032x}", u128::from_be_bytes(*bytes)).into(),
        other => format!("{other:?}").into(),
    }
}

/// A name for a message that has none in this protocol: the broker's, as if it were the broker's producer, and the sender's
/// own beside it.
fn id_of(message: &keepmq_model::Message, own: Option<&Value>) -> MessageId {
    let id = message.envelope.id;
    let connection = format!("ID:keepmq-{:x}", id.epoch);
    let producer = ProducerId { connection_id: Some(connection.into()), session_id: -1, value: 1 };
    let own = own.map(as_text).filter(|_| message.native.protocol != Protocol::Broker);
    MessageId {
        text_view: own,
        producer_id: Some(producer),
        producer_sequence_id: i64::try_from(id.number).unwrap_or(i64::MAX),
        broker_sequence_id: 0,
    }
}

/// What the broker tells of itself (openwire-broker-behaviour.md, section 12).
fn told(advisory: &Advisory, broker: &BrokerName) -> Message {
    let text = |text: &str| Value::Text(Text::from(text));
    let origin = [
        ("originBrokerId".into(), text(&broker.id)),
        ("originBrokerName".into(), text(&broker.name)),
        ("originBrokerURL".into(), text(&broker.url)),
    ];
    Message {
        kind: MessageKind::Plain,
        jms_type: Some("Advisory".into()),
        data_structure: Some(Box::new(structure(advisory))),
        marshalled_properties: Some(body::map(&origin)),
        broker_path: Some(vec![BrokerId { value: Some((&*broker.id).into()) }]),
        ..Message::default()
    }
}

fn structure(advisory: &Advisory) -> Command {
    let Advisory::Destination { destination, added } = advisory;
    // A temporary one is named after the connection that made it.
    let owner = destination.name().rsplit_once(':').map(|(connection, _)| connection);
    let owner = owner.filter(|_| destination.kind().is_temporary());
    Command::DestinationInfo(Box::new(DestinationInfo {
        connection_id: owner.map(|owner| ConnectionId { value: Some(owner.into()) }),
        destination: Some(wire_destination(destination)),
        operation_type: i8::from(!*added),
        ..DestinationInfo::default()
    }))
}

#[cfg(test)]
mod tests;
