//! CONNACK (MQTT 3.1.1, section 3.2).

use bytes::{BufMut, BytesMut};

use super::read::Reader;
use super::{Fault, PacketType, put_header};

/// Answers a CONNECT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnAck {
    /// Whether the server remembers the client's session; never with a refusal [MQTT-3.2.2-4], and in MQTT 3.1 never at all.
    pub session_present: bool,
    /// Yes or no.
    pub code: ConnectCode,
}

/// Yes or no to a CONNECT (section 3.2.2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum ConnectCode {
    /// Yes.
    Accepted = 0,
    /// The version of the protocol isn't spoken here.
    UnacceptableVersion = 1,
    /// The client id may not be used.
    IdentifierRejected = 2,
    /// Not now.
    ServerUnavailable = 3,
    /// User name or password are wrong or missing.
    BadUserOrPassword = 4,
    /// The user may not do this ("not authorized").
    Forbidden = 5,
}

impl ConnectCode {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 6] = [
        Self::Accepted,
        Self::UnacceptableVersion,
        Self::IdentifierRejected,
        Self::ServerUnavailable,
        Self::BadUserOrPassword,
        Self::Forbidden,
    ];
}

impl ConnAck {
    /// A no.
    pub fn refused(code: ConnectCode) -> Self {
        Self { session_present: false, code }
    }

    pub(super) fn decode(body: &[u8]) -> Result<Self, Fault> {
        let packet = PacketType::ConnAck;
        let mut reader = Reader::new(packet, body);
        let present = reader.byte()?;
        let number = reader.byte()?;
        reader.finish()?;
        let unknown = |code| Fault::Code { packet, code };
        let code = *ConnectCode::ALL.get(usize::from(number)).ok_or(unknown(number))?;
        // [MQTT-3.2.2-4]
        if present > 1 || (present == 1 && code != ConnectCode::Accepted) {
            return Err(unknown(present));
        }
        Ok(Self { session_present: present == 1, code })
    }

    /// Writes the packet.
    pub fn encode(self, out: &mut BytesMut) {
        put_header(out, PacketType::ConnAck, 0, 2);
        out.put_u8(u8::from(self.session_present));
        out.put_u8(self.code as u8);
    }
}
