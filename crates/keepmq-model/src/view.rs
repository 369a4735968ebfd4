//! The pivot between protocols: a message's properties and body in terms that all of them can be rendered from.
//!
//! Value types are those of AMQP 1.0 (part 1, section 1.6); body kinds are those of JMS.

use bytes::Bytes;

use crate::Text;
use crate::destination::Destination;

/// A typed value.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// Nothing.
    Null,
    /// True or false.
    Bool(bool),
    /// Signed 8 bits.
    I8(i8),
    /// Signed 16 bits.
    I16(i16),
    /// Signed 32 bits.
    I32(i32),
    /// Signed 64 bits.
    I64(i64),
    /// Unsigned 8 bits.
    U8(u8),
    /// Unsigned 16 bits.
    U16(u16),
    /// Unsigned 32 bits.
    U32(u32),
    /// Unsigned 64 bits.
    U64(u64),
    /// IEEE 754 single.
    F32(f32),
    /// IEEE 754 double.
    F64(f64),
    /// One character.
    Char(char),
    /// Milliseconds since 1970.
    Timestamp(i64),
    /// 128 bits.
    Uuid([u8; 16]),
    /// Bytes.
    Bytes(Bytes),
    /// Text.
    Text(Text),
    /// A name of a closed vocabulary (AMQP symbol).
    Symbol(Text),
    /// Values in order.
    List(Vec<Value>),
    /// Pairs in order.
    Map(Vec<(Value, Value)>),
}

/// What a message carries.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum Body {
    /// No body at all (JMS `Message`).
    #[default]
    Empty,
    /// JMS `TextMessage`.
    Text(Text),
    /// JMS `BytesMessage`.
    Bytes(Bytes),
    /// JMS `MapMessage`.
    Map(Vec<(Text, Value)>),
    /// JMS `StreamMessage`.
    Stream(Vec<Value>),
    /// JMS `ObjectMessage`: a serialised Java object, which the broker never looks into.
    Object(Bytes),
}

/// A message as any protocol can render it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct View {
    /// What it carries.
    pub body: Body,
    /// Application properties in the sender's order.
    pub properties: Vec<(Text, Value)>,
    /// The sender's own id for it.
    pub message_id: Option<Value>,
    /// The id of the message that it belongs to.
    pub correlation_id: Option<Value>,
    /// Where answers go.
    pub reply_to: Option<Destination>,
    /// The sender's word for its purpose (`JMSType`, AMQP subject).
    pub subject: Option<Text>,
    /// MIME type of the body.
    pub content_type: Option<Text>,
    /// Encoding over the MIME type.
    pub content_encoding: Option<Text>,
}

impl View {
    /// The first property of this name.
    pub fn property(&self, name: &str) -> Option<&Value> {
        self.properties.iter().find(|(key, _)| **key == *name).map(|(_, value)| value)
    }
}
