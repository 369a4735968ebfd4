//! What selectors see of the broker's own messages.

use std::cell::OnceCell;

use keepmq_model::{DEAD_CAUSE_PROPERTY, EXPIRED_PROPERTY, Formats, Marks, Message, Value, View};

use crate::identifier::{Header, Identifier};
use crate::operand::{Lookup, Operand, unsigned};

/// A message with what is noted beside it. Decodes the message when something of it is asked for, and keeps what had to
/// be spelled out (ids and destinations), so that asking twice costs once.
#[derive(Debug)]
pub struct Facts<'a> {
    message: &'a Message,
    marks: &'a Marks,
    formats: &'a Formats,
    id: OnceCell<String>,
    destination: OnceCell<String>,
    reply_to: OnceCell<String>,
}

impl<'a> Facts<'a> {
    /// Of a message.
    pub fn new(message: &'a Message, marks: &'a Marks, formats: &'a Formats) -> Self {
        let (id, destination, reply_to) = (OnceCell::new(), OnceCell::new(), OnceCell::new());
        Self { message, marks, formats, id, destination, reply_to }
    }

    fn view(&self) -> &View {
        self.message.view(self.formats)
    }

    fn header(&self, header: Header) -> Operand<'_> {
        let envelope = &self.message.envelope;
        let group = envelope.extras.as_ref().and_then(|extras| extras.group.as_ref());
        match header {
            Header::MessageId => self.message_id(),
            Header::Destination => {
                Operand::Text(self.destination.get_or_init(|| envelope.destination.to_string()))
            }
            Header::ReplyTo => self.view().reply_to.as_ref().map_or(Operand::Null, |destination| {
                Operand::Text(self.reply_to.get_or_init(|| destination.to_string()))
            }),
            Header::CorrelationId => self.view().correlation_id.as_ref().map_or(Operand::Null, Operand::from),
            Header::Type => text(self.view().subject.as_deref()),
            Header::Priority => Operand::Exact(envelope.priority.into()),
            Header::DeliveryMode if envelope.durable => Operand::Text("PERSISTENT"),
            Header::DeliveryMode => Operand::Text("NON_PERSISTENT"),
            Header::Timestamp => unsigned(envelope.timestamp_ms),
            Header::Expiration => unsigned(envelope.expires_ms),
            Header::Redelivered => Operand::Truth(self.marks.redeliveries > 0),
            Header::DeliveryCount => Operand::Exact(i64::from(self.marks.redeliveries) + 1),
            Header::GroupId => text(group.map(|group| &*group.id)),
            Header::GroupSequence => {
                group.map_or(Operand::Null, |group| Operand::Exact(group.sequence.into()))
            }
            Header::UserId => text(envelope.user.as_deref()),
        }
    }

    fn message_id(&self) -> Operand<'_> {
        match &self.view().message_id {
            Some(Value::Text(id)) => Operand::Text(id),
            Some(other) => Operand::from(other),
            None => Operand::Text(self.id.get_or_init(|| self.message.envelope.id.to_string())),
        }
    }
}

fn text(text: Option<&str>) -> Operand<'_> {
    text.map_or(Operand::Null, Operand::Text)
}

impl Lookup for Facts<'_> {
    fn value(&self, identifier: &Identifier) -> Operand<'_> {
        match identifier {
            Identifier::Header(header) => self.header(*header),
            Identifier::Property(name) => match (&**name, &self.marks.dead) {
                (DEAD_CAUSE_PROPERTY, Some(dead)) => Operand::Text(dead.why()),
                (EXPIRED_PROPERTY, Some(dead)) if dead.expired_ms != 0 => unsigned(dead.expired_ms),
                _ => self.view().property(name).map_or(Operand::Null, Operand::from),
            },
        }
    }
}
