//! SUBACK (MQTT 3.1.1, section 3.9).

use bytes::{BufMut, BytesMut};

use super::read::Reader;
use super::{Fault, PacketId, PacketType, Qos, put_header};

/// Answers a SUBSCRIBE.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubAck<'a> {
    /// The id of the SUBSCRIBE [MQTT-3.8.4-2].
    pub id: PacketId,
    codes: &'a [u8],
}

/// Answers one filter of a SUBSCRIBE: the `QoS` granted, or no.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SubCode {
    /// Yes, with at most this `QoS`.
    Granted(Qos),
    /// No.
    Failure,
}

impl SubCode {
    fn from_number(code: u8) -> Result<Self, Fault> {
        if code == 0x80 {
            return Ok(Self::Failure);
        }
        let packet = PacketType::SubAck;
        Qos::from_number(code).map(Self::Granted).map_err(|_| Fault::Code { packet, code }) // [MQTT-3.9.3-2]
    }

    fn number(self) -> u8 {
        match self {
            Self::Granted(qos) => qos as u8,
            Self::Failure => 0x80,
        }
    }
}

impl<'a> SubAck<'a> {
    pub(super) fn decode(body: &'a [u8]) -> Result<Self, Fault> {
        let mut reader = Reader::new(PacketType::SubAck, body);
        let id = reader.id()?;
        if reader.is_empty() {
            return Err(Fault::CutShort(PacketType::SubAck));
        }
        let codes = reader.rest();
        for code in codes {
            SubCode::from_number(*code)?;
        }
        Ok(Self { id, codes })
    }

    /// An answer for each filter, in the order of the SUBSCRIBE [MQTT-3.9.3-1].
    pub fn codes(&self) -> impl Iterator<Item = SubCode> + use<'a> {
        self.codes.iter().flat_map(|code| SubCode::from_number(*code))
    }

    pub(super) fn encode(&self, out: &mut BytesMut) {
        put_header(out, PacketType::SubAck, 0, 2 + self.codes.len());
        out.put_u16(self.id.get());
        out.extend_from_slice(self.codes);
    }

    /// Writes the packet with these answers.
    pub fn write(out: &mut BytesMut, id: PacketId, codes: impl ExactSizeIterator<Item = SubCode>) {
        put_header(out, PacketType::SubAck, 0, 2 + codes.len());
        out.put_u16(id.get());
        for code in codes {
            out.put_u8(code.number());
        }
    }
}
