//! MQTT messages as others see them, and others' messages as MQTT clients see them.
//!
//! # Layout of the native form
//!
//! Layout 1 (MQTT 3.1 and 3.1.1): `head` is one byte, bits 0 and 1 the publisher's `QoS`, bit 2 its retain flag; `body` is
//! the payload. MQTT 5 will be layout 2: the same byte, then the properties. The topic is the envelope's destination.
//!
//! # What is lost on the way from another protocol
//!
//! MQTT 3.1.1 carries a topic, a payload and three flags.
//!
//! | the message has | an MQTT client gets |
//! | --- | --- |
//! | body `Empty` | an empty payload |
//! | body `Text` | the text in UTF-8 |
//! | body `Bytes` | the bytes |
//! | body `Object` | the serialised bytes, as they are |
//! | body `Map` | a JSON object; of a key that comes twice, both stand there |
//! | body `Stream` | a JSON array |
//! | a number in a map or stream | a JSON number; its type is lost; NaN and the infinities are `null` |
//! | bytes in a map or stream | base64 (RFC 4648, section 4) in a JSON string; that it was bytes is lost |
//! | a character, symbol or UUID there | a JSON string; its type is lost |
//! | a timestamp there | its milliseconds since 1970 |
//! | a map there with keys that aren't text | the keys' JSON text as strings; of a list or map `"null"` |
//! | lists or maps there over 32 deep | `null` |
//! | properties, ids, reply-to, subject, content type | nothing |
//! | priority, expiry, group, time, user | nothing |
//! | its being durable | nothing: it comes with `QoS` 1 at most |
//!
//! # What is lost on the way to another protocol
//!
//! Nothing but the flags: the payload is body `Bytes`, also where it is text, as with `ActiveMQ`. There are no properties.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use keepmq_model::{Body, Destination, Envelope, Format, Formats, Message, Native, Protocol, View};

use crate::codec::Qos;
use crate::json;

const LAYOUT: u8 = 1;
const HEADS: &[u8; 8] = &[0, 1, 2, 3, 4, 5, 6, 7];
const HEAD_RETAIN: u8 = 0b100;

/// Makes the message of a PUBLISH or a will.
pub(crate) fn message(destination: Destination, qos: Qos, retain: bool, payload: Bytes) -> Arc<Message> {
    let mut envelope = Envelope::new(destination);
    envelope.durable = qos.is_answered();
    let native = Native { protocol: Protocol::Mqtt, layout: LAYOUT, head: head(qos, retain), body: payload };
    Arc::new(Message::new(envelope, native))
}

/// Heads are one of eight bytes, and so cost nothing.
fn head(qos: Qos, retain: bool) -> Bytes {
    let byte = usize::from(qos as u8 | if retain { HEAD_RETAIN } else { 0 });
    Bytes::from_static(HEADS.get(byte..=byte).unwrap_or_default())
}

/// The publisher's `QoS`. Other protocols have no such word; what they send comes with `QoS` 1 at most, durable or not:
/// being kept through a crash of the broker and arriving at the client are two things. A head that can't be read is taken by
/// the same rule.
pub(crate) fn publisher_qos(message: &Message) -> Qos {
    let native = &message.native;
    if native.protocol != Protocol::Mqtt {
        return Qos::AtLeastOnce;
    }
    native.head.first().and_then(|head| Qos::from_number(head & 0b11).ok()).unwrap_or(Qos::AtLeastOnce)
}

/// The payload that an MQTT client gets.
#[inline]
pub(crate) fn payload<'a>(message: &'a Message, formats: &Formats) -> Cow<'a, Bytes> {
    if message.native.protocol == Protocol::Mqtt {
        return Cow::Borrowed(&message.native.body);
    }
    match &message.view(formats).body {
        Body::Text(text) => Cow::Owned(text.clone().into_bytes()),
        Body::Bytes(bytes) | Body::Object(bytes) => Cow::Borrowed(bytes),
        Body::Map(pairs) => Cow::Owned(json::object(pairs)),
        Body::Stream(values) => Cow::Owned(json::array(values)),
        // Empty, and what is invented later.
        _ => Cow::Owned(Bytes::new()),
    }
}

/// Reads the native form of MQTT messages.
#[derive(Clone, Copy, Debug, Default)]
pub struct MqttFormat;

impl Format for MqttFormat {
    fn protocol(&self) -> Protocol {
        Protocol::Mqtt
    }

    fn view(&self, _: &Envelope, native: &Native) -> View {
        View { body: Body::Bytes(native.body.clone()), ..View::default() }
    }
}

#[cfg(test)]
mod tests;
