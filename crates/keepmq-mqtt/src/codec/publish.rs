//! PUBLISH (MQTT 3.1.1, section 3.3).

use bytes::{BufMut, BytesMut};

use super::header::{DUP, RETAIN};
use super::read::Reader;
use super::{Fault, Header, PacketId, PacketType, Qos, put_header};

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publish<'a> {
    /// A copy of one sent before.
    pub dup: bool,
    /// How surely it arrives.
    pub qos: Qos,
    /// Whether the topic keeps it, or kept it.
    pub retain: bool,
    /// Where it is sent: UTF-8 that nobody has checked yet, because most topics are known already.
    pub topic: &'a [u8],
    /// Its id, when it is answered.
    pub id: Option<PacketId>,
    /// What is sent.
    pub payload: &'a [u8],
}

impl<'a> Publish<'a> {
    /// Reads what follows the fixed header.
    #[inline]
    pub fn decode(header: &Header, body: &'a [u8]) -> Result<Self, Fault> {
        let mut reader = Reader::new(PacketType::Publish, body);
        let qos = Qos::from_number(header.flags >> 1 & 3)?; // [MQTT-3.3.1-4]
        let topic = reader.bytes()?;
        let id = if qos.is_answered() { Some(reader.id()?) } else { None }; // [MQTT-2.3.1-5]
        Ok(Self {
            dup: header.flags & DUP != 0,
            qos,
            retain: header.flags & RETAIN != 0,
            topic,
            id,
            payload: reader.rest(),
        })
    }

    /// Writes the packet.
    pub fn encode(&self, out: &mut BytesMut) {
        let dup = if self.dup { DUP } else { 0 };
        let flags = dup | (self.qos as u8) << 1 | u8::from(self.retain);
        let topic = self.topic.get(..usize::from(u16::MAX)).unwrap_or(self.topic);
        put_publish(out, flags, topic, self.id, self.payload.len());
        out.extend_from_slice(self.payload);
    }
}

/// Writes everything of a PUBLISH but its payload. The topic has at most 65,535 bytes. Says where the topic was written.
#[inline]
pub(crate) fn put_publish(
    out: &mut BytesMut,
    flags: u8,
    topic: &[u8],
    id: Option<PacketId>,
    payload: usize,
) -> std::ops::Range<usize> {
    let width = if id.is_some() { 2 } else { 0 };
    out.reserve(5 + 2 + topic.len() + width);
    put_header(out, PacketType::Publish, flags, 2 + topic.len() + width + payload);
    out.put_u16(u16::try_from(topic.len()).unwrap_or(u16::MAX));
    let start = out.len();
    out.extend_from_slice(topic);
    let end = out.len();
    if let Some(id) = id {
        out.put_u16(id.get());
    }
    start..end
}
