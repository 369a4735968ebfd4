//! SUBSCRIBE (MQTT 3.1.1, section 3.8).

use bytes::{BufMut, BytesMut};

use super::read::Reader;
use super::write::put_text;
use super::{Fault, PacketId, PacketType, Qos, put_header};

/// Asks for topics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscribe<'a> {
    /// Its id.
    pub id: PacketId,
    list: &'a [u8],
}

/// A topic filter and the most that is wanted of its messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted<'a> {
    /// The topic filter.
    pub filter: &'a str,
    /// The `QoS` asked for.
    pub qos: Qos,
}

impl<'a> Subscribe<'a> {
    /// Reads what follows the fixed header. The list is checked here and read again by [`Self::wanted`]: it is never copied,
    /// however long it claims to be.
    pub fn decode(body: &'a [u8]) -> Result<Self, Fault> {
        let packet = PacketType::Subscribe;
        let mut reader = Reader::new(packet, body);
        let id = reader.id()?;
        if reader.is_empty() {
            return Err(Fault::NoFilters(packet)); // [MQTT-3.8.3-3]
        }
        let list = reader.clone().rest();
        while !reader.is_empty() {
            read_wanted(&mut reader)?;
        }
        Ok(Self { id, list })
    }

    /// What is asked for, in the packet's order.
    pub fn wanted(&self) -> impl Iterator<Item = Wanted<'a>> + use<'a> {
        let mut reader = Reader::new(PacketType::Subscribe, self.list);
        std::iter::from_fn(move || read_wanted(&mut reader).ok())
    }

    pub(super) fn encode(&self, out: &mut BytesMut) {
        put_header(out, PacketType::Subscribe, 0b0010, 2 + self.list.len());
        out.put_u16(self.id.get());
        out.extend_from_slice(self.list);
    }

    /// Writes the packet that asks for these.
    pub fn write(out: &mut BytesMut, id: PacketId, wanted: &[Wanted<'_>]) {
        let mut list = BytesMut::new();
        for wanted in wanted {
            put_text(&mut list, wanted.filter);
            list.put_u8(wanted.qos as u8);
        }
        let packet = Subscribe { id, list: &list };
        packet.encode(out);
    }
}

fn read_wanted<'a>(reader: &mut Reader<'a>) -> Result<Wanted<'a>, Fault> {
    Ok(Wanted {
        filter: reader.text()?,                 // [MQTT-3.8.3-1]
        qos: Qos::from_number(reader.byte()?)?, // [MQTT-3-8.3-4]
    })
}
