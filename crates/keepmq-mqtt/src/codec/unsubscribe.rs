//! UNSUBSCRIBE (MQTT 3.1.1, section 3.10).

use bytes::{BufMut, BytesMut};

use super::read::Reader;
use super::write::put_text;
use super::{Fault, PacketId, PacketType, put_header};

/// Takes topics back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsubscribe<'a> {
    /// Its id.
    pub id: PacketId,
    list: &'a [u8],
}

impl<'a> Unsubscribe<'a> {
    /// Reads what follows the fixed header; as with SUBSCRIBE the list is checked and stays where it is.
    pub fn decode(body: &'a [u8]) -> Result<Self, Fault> {
        let packet = PacketType::Unsubscribe;
        let mut reader = Reader::new(packet, body);
        let id = reader.id()?;
        if reader.is_empty() {
            return Err(Fault::NoFilters(packet)); // [MQTT-3.10.3-2]
        }
        let list = reader.clone().rest();
        while !reader.is_empty() {
            reader.text()?; // [MQTT-3.10.3-1]
        }
        Ok(Self { id, list })
    }

    /// The topic filters, in the packet's order.
    pub fn filters(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let mut reader = Reader::new(PacketType::Unsubscribe, self.list);
        std::iter::from_fn(move || reader.text().ok())
    }

    pub(super) fn encode(&self, out: &mut BytesMut) {
        put_header(out, PacketType::Unsubscribe, 0b0010, 2 + self.list.len());
        out.put_u16(self.id.get());
        out.extend_from_slice(self.list);
    }

    /// Writes the packet that takes these back.
    pub fn write(out: &mut BytesMut, id: PacketId, filters: &[&str]) {
        let mut list = BytesMut::new();
        for filter in filters {
            put_text(&mut list, filter);
        }
        let packet = Unsubscribe { id, list: &list };
        packet.encode(out);
    }
}
