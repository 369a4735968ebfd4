//! What was read, by the names of the wire, to be compared with the vectors.

use bytes::Bytes;
use serde_json::{Map, Value};

use super::super::structure::{Structure, TransactionId};
use super::super::text::JavaText;
use super::super::throwable::Throwable;
use super::super::wire::{Destination, DestinationKind, MessageKind};

pub(crate) trait Json {
    fn json(&self, version: u8) -> Value;
}

pub(crate) fn put(map: &mut Map<String, Value>, name: &str, value: &impl Json, version: u8) {
    map.insert(name.to_owned(), value.json(version));
}

macro_rules! plain {
    ($($kind:ty),*) => { $(impl Json for $kind {
        fn json(&self, _: u8) -> Value {
            Value::from(*self)
        }
    })* };
}

plain!(bool, i8, i16, i32, i64, &str);

impl Json for JavaText {
    fn json(&self, _: u8) -> Value {
        self.to_str().into()
    }
}

impl Json for Bytes {
    fn json(&self, _: u8) -> Value {
        hex(self).into()
    }
}

impl Json for [u8; 8] {
    fn json(&self, _: u8) -> Value {
        hex(self).into()
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

impl<T: Json> Json for Option<T> {
    fn json(&self, version: u8) -> Value {
        self.as_ref().map_or(Value::Null, |value| value.json(version))
    }
}

impl<T: Json> Json for Vec<T> {
    fn json(&self, version: u8) -> Value {
        self.iter().map(|value| value.json(version)).collect()
    }
}

impl<T: Json> Json for Box<T> {
    fn json(&self, version: u8) -> Value {
        (**self).json(version)
    }
}

impl Json for Destination {
    fn json(&self, version: u8) -> Value {
        let name = match self.kind {
            DestinationKind::Queue => "ActiveMQQueue",
            DestinationKind::Topic => "ActiveMQTopic",
            DestinationKind::TempQueue => "ActiveMQTempQueue",
            DestinationKind::TempTopic => "ActiveMQTempTopic",
        };
        let mut map = Map::new();
        put(&mut map, "@type", &name, version);
        put(&mut map, "physicalName", &self.physical_name, version);
        map.into()
    }
}

impl Json for TransactionId {
    fn json(&self, version: u8) -> Value {
        match self {
            Self::Local(id) => id.json(version),
            Self::Xa(id) => id.json(version),
        }
    }
}

impl Json for Throwable {
    fn json(&self, version: u8) -> Value {
        let mut map = Map::new();
        put(&mut map, "class", &self.class, version);
        put(&mut map, "message", &self.message, version);
        let frame = |frame: &super::super::throwable::Frame| {
            let texts = [&frame.class, &frame.method, &frame.file].map(|text| text.json(version));
            texts.into_iter().chain([Value::from(frame.line)]).collect::<Value>()
        };
        map.insert("stackTrace".into(), self.frames.iter().map(frame).collect());
        put(&mut map, "cause", &self.cause, version);
        map.into()
    }
}

pub(crate) fn message_type(kind: MessageKind) -> &'static str {
    match kind {
        MessageKind::Plain => "ActiveMQMessage",
        MessageKind::Bytes => "ActiveMQBytesMessage",
        MessageKind::Map => "ActiveMQMapMessage",
        MessageKind::Object => "ActiveMQObjectMessage",
        MessageKind::Stream => "ActiveMQStreamMessage",
        MessageKind::Text => "ActiveMQTextMessage",
        MessageKind::Blob => "ActiveMQBlobMessage",
    }
}

/// Only one kind of message has these.
pub(crate) fn without_blob(map: &mut Map<String, Value>, kind: MessageKind) {
    if kind != MessageKind::Blob {
        ["remoteBlobUrl", "mimeType", "deletedByBroker"].iter().for_each(|name| {
            map.remove(*name);
        });
    }
}

/// The fields of a command as the vectors have them: its own type is not among them, nor are stack traces where none were
/// negotiated.
pub(crate) fn fields(command: &super::super::wire::Command, version: u8, stack_traces: bool) -> Value {
    assert_ne!(command.code(), 0);
    let mut value = command.json(version);
    if let Value::Object(map) = &mut value {
        map.remove("@type");
        if !stack_traces {
            map.values_mut().for_each(without_traces);
        }
    }
    value
}

fn without_traces(value: &mut Value) {
    if let Value::Object(map) = value {
        map.remove("stackTrace");
        map.remove("cause");
    }
}
