//! The packets that carry a packet id and nothing else: PUBACK, PUBREC, PUBREL, PUBCOMP, UNSUBACK (MQTT 3.1.1, sections 3.4
//! to 3.7 and 3.11). MQTT 5 adds reason codes here.

use bytes::{BufMut, BytesMut};

use super::read::Reader;
use super::{Fault, PacketId, PacketType};

/// Answers a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ack {
    /// The id of the packet that is answered.
    pub id: PacketId,
}

impl Ack {
    pub(super) fn decode(packet: PacketType, body: &[u8]) -> Result<Self, Fault> {
        let mut reader = Reader::new(packet, body);
        let id = reader.id()?;
        reader.finish()?;
        Ok(Self { id })
    }

    /// Writes the acknowledgement `packet`.
    #[inline]
    pub fn encode(self, packet: PacketType, out: &mut BytesMut) {
        let flags = if packet == PacketType::PubRel { 0b0010 } else { 0 };
        let [high, low] = self.id.get().to_be_bytes();
        out.put_slice(&[packet.first_byte(flags), 2, high, low]);
    }
}
