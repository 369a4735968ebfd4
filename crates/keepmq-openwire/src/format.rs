//! Stored OpenWire messages in the common terms of all protocols.
//!
//! | of the message | in the view |
//! | --- | --- |
//! | content of a text, bytes, map, stream or object message | that kind of body; bytes when it can't be read |
//! | a compressed content | inflated, up to 100 MiB |
//! | properties | properties of their types; none when they can't be read |
//! | `messageId` | the field, as its text |
//! | `correlationId`, `type` | correlation id, subject |
//! | `replyTo` that names one destination | the field |
//! | `remoteBlobUrl` of a blob message | a property of that name; nobody fetches it |
//! | group, priority, expiry, time | of the envelope |

use keepmq_model::{Envelope, Format, Native, Protocol, Value, View};

use crate::body;
use crate::codec::primitive::Values;
use crate::codec::{JavaText, Message, MessageId};
use crate::destination::targets;
use crate::head::load;

/// Reads stored OpenWire messages.
#[derive(Debug)]
pub struct OpenWireFormat;

impl Format for OpenWireFormat {
    fn protocol(&self) -> Protocol {
        Protocol::OpenWire
    }

    fn view(&self, _: &Envelope, native: &Native) -> View {
        match load(native) {
            Some(message) => view(&message),
            None => View { body: keepmq_model::Body::Bytes(native.body.clone()), ..View::default() },
        }
    }
}

fn view(message: &Message) -> View {
    let properties = message.marshalled_properties.as_ref().and_then(|bytes| Values::new(bytes).map().ok());
    let mut properties = properties.unwrap_or_default();
    if let Some(url) = &message.remote_blob_url {
        properties.push(("remoteBlobUrl".into(), Value::Text(url.to_text())));
    }
    let text = |text: &JavaText| Value::Text(text.to_text());
    let reply_to = message.reply_to.as_ref().and_then(|destination| targets(destination, 1).ok()?.pop());
    View {
        body: body::read(message),
        properties,
        message_id: message.message_id.as_ref().map(|id| Value::Text(shown(id).into())),
        correlation_id: message.correlation_id.as_ref().map(text),
        reply_to,
        subject: message.jms_type.as_ref().map(JavaText::to_text),
        ..View::default()
    }
}

/// A message's id as JMS shows it (openwire.md, section 11).
pub(crate) fn shown(id: &MessageId) -> String {
    if let Some(text) = &id.text_view {
        let text = text.to_str();
        return if text.starts_with("ID:") { text.into_owned() } else { format!("ID:{text}") };
    }
    match &id.producer_id {
        Some(producer) => {
            let connection = producer.connection_id.as_ref().map(ToString::to_string).unwrap_or_default();
            format!("{connection}:{}:{}:{}", producer.session_id, producer.value, id.producer_sequence_id)
        }
        None => format!("ID:{}", id.producer_sequence_id),
    }
}
