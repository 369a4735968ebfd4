//! The wire format of MQTT 3.1 and 3.1.1: a file per packet.
//!
//! Decoding borrows from the bytes it is given and allocates nothing; what a peer claims is never believed before the bytes
//! are there. Packets with bytes behind their last field are refused. Where 3.1 and 3.1.1 differ, [`Version`] tells; what
//! MQTT 5 adds to a packet (properties behind the variable header, reason codes in acknowledgements) has its place in that
//! packet's file.
//!
//! Both directions are here, so that load generators and tests speak through the same code.

mod ack;
mod connack;
mod connect;
mod header;
mod packet;
mod publish;
mod read;
mod suback;
mod subscribe;
mod unsubscribe;
mod write;

use std::num::NonZeroU16;

pub use crate::fault::Fault;
pub use ack::Ack;
pub use connack::{ConnAck, ConnectCode};
pub use connect::{Connect, Password, Will};
pub use header::{Header, MAX_LENGTH, PacketType};
pub use packet::Packet;
pub use publish::Publish;
pub use suback::{SubAck, SubCode};
pub use subscribe::{Subscribe, Wanted};
pub use unsubscribe::Unsubscribe;

pub(crate) use header::{DUP, RETAIN, put_header};
pub(crate) use publish::put_publish;
pub(crate) use read::check_text;

/// Names a packet that is answered; never zero [MQTT-2.3.1-1].
pub type PacketId = NonZeroU16;

/// A version of the protocol.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Version {
    /// MQTT 3.1: protocol name `MQIsdp`, level 3.
    V31,
    /// MQTT 3.1.1: protocol name `MQTT`, level 4.
    #[default]
    V311,
}

/// How surely a message arrives (section 4.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Qos {
    /// At most once: no answer.
    #[default]
    AtMostOnce = 0,
    /// At least once: answered by PUBACK.
    AtLeastOnce = 1,
    /// Exactly once: PUBREC, PUBREL, PUBCOMP.
    ExactlyOnce = 2,
}

impl Qos {
    /// The `QoS` with this number.
    pub fn from_number(number: u8) -> Result<Self, Fault> {
        match number {
            0 => Ok(Self::AtMostOnce),
            1 => Ok(Self::AtLeastOnce),
            2 => Ok(Self::ExactlyOnce),
            other => Err(Fault::Qos(other)),
        }
    }

    /// Whether messages are answered, and so carry a packet id.
    pub fn is_answered(self) -> bool {
        self != Self::AtMostOnce
    }
}

#[cfg(test)]
mod tests;
