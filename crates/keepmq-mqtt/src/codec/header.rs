//! The fixed header that every packet begins with (MQTT 3.1.1, section 2.2).

use bytes::{BufMut, BytesMut};

use super::{Fault, Version};

/// Largest value of the field "remaining length" (section 2.2.3).
pub const MAX_LENGTH: usize = 268_435_455;

/// What a packet is (section 2.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum PacketType {
    /// A client asks for a connection.
    Connect = 1,
    /// The server answers it.
    ConnAck = 2,
    /// A message.
    Publish = 3,
    /// Answers a message of `QoS` 1.
    PubAck = 4,
    /// First answer to a message of `QoS` 2.
    PubRec = 5,
    /// Answers that answer.
    PubRel = 6,
    /// Ends the handshake of `QoS` 2.
    PubComp = 7,
    /// Asks for topics.
    Subscribe = 8,
    /// Answers that.
    SubAck = 9,
    /// Takes topics back.
    Unsubscribe = 10,
    /// Answers that.
    UnsubAck = 11,
    /// A sign of life.
    PingReq = 12,
    /// Answers it.
    PingResp = 13,
    /// The client leaves.
    Disconnect = 14,
}

impl PacketType {
    /// All of them, in the order of their numbers, which begin with 1.
    pub const ALL: [Self; 14] = [
        Self::Connect,
        Self::ConnAck,
        Self::Publish,
        Self::PubAck,
        Self::PubRec,
        Self::PubRel,
        Self::PubComp,
        Self::Subscribe,
        Self::SubAck,
        Self::Unsubscribe,
        Self::UnsubAck,
        Self::PingReq,
        Self::PingResp,
        Self::Disconnect,
    ];

    fn from_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number).checked_sub(1)?).copied()
    }

    /// Its name in the specification.
    pub fn name(self) -> &'static str {
        match self {
            Self::Connect => "CONNECT",
            Self::ConnAck => "CONNACK",
            Self::Publish => "PUBLISH",
            Self::PubAck => "PUBACK",
            Self::PubRec => "PUBREC",
            Self::PubRel => "PUBREL",
            Self::PubComp => "PUBCOMP",
            Self::Subscribe => "SUBSCRIBE",
            Self::SubAck => "SUBACK",
            Self::Unsubscribe => "UNSUBSCRIBE",
            Self::UnsubAck => "UNSUBACK",
            Self::PingReq => "PINGREQ",
            Self::PingResp => "PINGRESP",
            Self::Disconnect => "DISCONNECT",
        }
    }

    /// The flags that it must carry [MQTT-2.2.2-1]; a PUBLISH chooses its own.
    fn fixed_flags(self) -> u8 {
        match self {
            Self::PubRel | Self::Subscribe | Self::Unsubscribe => 0b0010,
            _ => 0,
        }
    }

    /// The first byte of a packet with these flags.
    pub(super) fn first_byte(self, flags: u8) -> u8 {
        (self as u8) << 4 | flags
    }
}

/// Flag: a copy of a message sent before.
pub(crate) const DUP: u8 = 0b1000;
/// Flag: the topic keeps the message, or kept it.
pub(crate) const RETAIN: u8 = 0b0001;

/// A decoded fixed header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// What follows.
    pub packet: PacketType,
    /// The four flags, checked already.
    pub flags: u8,
    /// Bytes of this header itself.
    pub start: usize,
    /// Bytes that follow this header.
    pub length: usize,
}

impl Header {
    /// Reads the header at the front of `bytes`; `None` while it is incomplete. Everything that can be known from it is
    /// checked here, before anything of the packet is waited for: the type, the flags [MQTT-2.2.2-2], and that the whole
    /// packet takes at most `limit` bytes.
    pub fn read(version: Version, bytes: &[u8], limit: usize) -> Result<Option<Self>, Fault> {
        let Some((first, rest)) = bytes.split_first() else {
            return Ok(None);
        };
        let packet = PacketType::from_number(first >> 4).ok_or(Fault::ReservedType(first >> 4))?;
        let flags = first & 0x0f;
        check_flags(version, packet, flags)?;
        let Some((length, width)) = read_length(rest)? else {
            return Ok(None);
        };
        let header = Self { packet, flags, start: 1 + width, length };
        if header.total() > limit {
            return Err(Fault::TooLarge { length: header.total(), limit });
        }
        Ok(Some(header))
    }

    /// Bytes of the whole packet.
    pub fn total(&self) -> usize {
        self.start + self.length
    }
}

fn check_flags(version: Version, packet: PacketType, flags: u8) -> Result<(), Fault> {
    if packet == PacketType::Publish {
        return match flags >> 1 & 3 {
            3 => Err(Fault::Qos(3)), // [MQTT-3.3.1-4]
            // [MQTT-3.3.1-2]
            0 if flags & DUP != 0 && version != Version::V31 => Err(Fault::DupWithoutQos),
            _ => Ok(()),
        };
    }
    let wanted = packet.fixed_flags();
    // MQTT 3.1, section 2.1: the requests that are sent again carry DUP then.
    let repeated = version == Version::V31 && wanted != 0 && flags == wanted | DUP;
    if flags == wanted || repeated { Ok(()) } else { Err(Fault::Flags { packet, flags }) }
}

/// Reads a remaining length (section 2.2.3): its value and how many bytes it took. A length that goes on after four bytes
/// or isn't in its shortest form is a fault: nobody may read the bytes behind it as something else than we do.
fn read_length(bytes: &[u8]) -> Result<Option<(usize, usize)>, Fault> {
    let mut value = 0;
    for (index, byte) in bytes.iter().take(4).enumerate() {
        value |= usize::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return if index > 0 && *byte == 0 {
                Err(Fault::PaddedLength)
            } else {
                Ok(Some((value, index + 1)))
            };
        }
    }
    if bytes.len() >= 4 { Err(Fault::LongLength) } else { Ok(None) }
}

/// Writes a fixed header. `length` is at most [`MAX_LENGTH`].
#[inline]
pub(crate) fn put_header(out: &mut BytesMut, packet: PacketType, flags: u8, length: usize) {
    debug_assert!(length <= MAX_LENGTH);
    out.put_u8(packet.first_byte(flags));
    let mut rest = length.min(MAX_LENGTH);
    loop {
        let [low, ..] = (rest & 0x7f).to_le_bytes();
        rest >>= 7;
        if rest == 0 {
            out.put_u8(low);
            return;
        }
        out.put_u8(low | 0x80);
    }
}

#[cfg(test)]
mod tests;
