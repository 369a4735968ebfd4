//! CONNECT (MQTT 3.1.1, section 3.1; MQTT 3.1, section 3.1).

use std::fmt;

use bytes::{BufMut, BytesMut};

use super::read::Reader;
use super::write::{put_bytes, put_text};
use super::{Fault, PacketType, Qos, Version, put_header};

const CLEAN: u8 = 0b0000_0010;
const WILL: u8 = 0b0000_0100;
const WILL_QOS: u8 = 0b0001_1000;
const WILL_RETAIN: u8 = 0b0010_0000;
const PASSWORD: u8 = 0b0100_0000;
const USER: u8 = 0b1000_0000;

/// A client asks for a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connect<'a> {
    /// The version it speaks.
    pub version: Version,
    /// Whether its session begins and ends with the connection.
    pub clean_session: bool,
    /// Seconds; 0 for none.
    pub keep_alive: u16,
    /// Who it is; may be empty.
    pub client_id: &'a str,
    /// What the server sends when the client is lost.
    pub will: Option<Will<'a>>,
    /// User name.
    pub user: Option<&'a str>,
    /// Password.
    pub password: Option<Password<'a>>,
}

/// What the server sends when a client is lost (section 3.1.2.5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Will<'a> {
    /// Where it is sent.
    pub topic: &'a str,
    /// What is sent.
    pub payload: &'a [u8],
    /// How surely.
    pub qos: Qos,
    /// Whether the topic keeps it.
    pub retain: bool,
}

/// A password that is never printed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Password<'a>(pub &'a [u8]);

impl fmt::Debug for Password<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl Version {
    fn from_name(name: &[u8], level: u8) -> Result<Self, Fault> {
        match (name, level) {
            (b"MQIsdp", 3) => Ok(Self::V31),
            (b"MQTT", 4) => Ok(Self::V311),
            _ => Err(Fault::Version(level)), // [MQTT-3.1.2-2]
        }
    }

    fn name_and_level(self) -> (&'static str, u8) {
        match self {
            Self::V31 => ("MQIsdp", 3),
            Self::V311 => ("MQTT", 4),
        }
    }
}

impl<'a> Connect<'a> {
    /// Reads what follows the fixed header. A version that isn't spoken here is found before anything behind it is read.
    pub fn decode(body: &'a [u8]) -> Result<Self, Fault> {
        let mut reader = Reader::new(PacketType::Connect, body);
        let name = reader.bytes()?;
        let version = Version::from_name(name, reader.byte()?)?;
        let flags = reader.byte()?;
        check_flags(version, flags)?;
        let keep_alive = reader.short()?;
        // Client id, will, user, password, in this order [MQTT-3.1.3-1].
        let client_id = reader.text()?;
        let will = Will::decode(flags, &mut reader)?;
        let user = decode_user(version, flags, &mut reader)?;
        let password = if flags & PASSWORD != 0 && !lacks(version, &reader) {
            Some(Password(reader.bytes()?))
        } else {
            None
        };
        reader.finish()?;
        Ok(Self { version, clean_session: flags & CLEAN != 0, keep_alive, client_id, will, user, password })
    }

    /// Writes the packet.
    pub fn encode(&self, out: &mut BytesMut) {
        let (name, level) = self.version.name_and_level();
        let mut body = BytesMut::new();
        put_text(&mut body, name);
        body.put_u8(level);
        body.put_u8(self.flags());
        body.put_u16(self.keep_alive);
        put_text(&mut body, self.client_id);
        if let Some(will) = &self.will {
            put_text(&mut body, will.topic);
            put_bytes(&mut body, will.payload);
        }
        if let Some(user) = self.user {
            put_text(&mut body, user);
        }
        if let Some(Password(password)) = self.password {
            put_bytes(&mut body, password);
        }
        put_header(out, PacketType::Connect, 0, body.len());
        out.extend_from_slice(&body);
    }

    fn flags(&self) -> u8 {
        let set = |wanted, bit| if wanted { bit } else { 0 };
        let will =
            self.will.as_ref().map_or(0, |will| WILL | (will.qos as u8) << 3 | set(will.retain, WILL_RETAIN));
        set(self.clean_session, CLEAN)
            | will
            | set(self.user.is_some(), USER)
            | set(self.password.is_some(), PASSWORD)
    }
}

impl<'a> Will<'a> {
    fn decode(flags: u8, reader: &mut Reader<'a>) -> Result<Option<Self>, Fault> {
        if flags & WILL == 0 {
            return Ok(None);
        }
        Ok(Some(Self {
            qos: Qos::from_number((flags & WILL_QOS) >> 3)?, // [MQTT-3.1.2-14]
            retain: flags & WILL_RETAIN != 0,
            topic: reader.text()?, // [MQTT-3.1.3-10]
            payload: reader.bytes()?,
        }))
    }
}

/// MQTT 3.1 was lenient: reserved bits and the bits of an absent will meant nothing there.
fn check_flags(version: Version, flags: u8) -> Result<(), Fault> {
    let reserved = flags & 1 != 0; // [MQTT-3.1.2-3]
    let ghost = flags & WILL == 0 && flags & (WILL_QOS | WILL_RETAIN) != 0; // [MQTT-3.1.2-13], [MQTT-3.1.2-15]
    let password_only = flags & USER == 0 && flags & PASSWORD != 0; // [MQTT-3.1.2-22]
    if password_only || (version != Version::V31 && (reserved || ghost)) {
        return Err(Fault::ConnectFlags(flags));
    }
    Ok(())
}

fn decode_user<'a>(version: Version, flags: u8, reader: &mut Reader<'a>) -> Result<Option<&'a str>, Fault> {
    if flags & USER == 0 || lacks(version, reader) {
        return Ok(None);
    }
    reader.text().map(Some) // [MQTT-3.1.3-11]
}

/// MQTT 3.1, section 3.1: the packet may end before the user name or password that its flags announce.
fn lacks(version: Version, reader: &Reader<'_>) -> bool {
    version == Version::V31 && reader.is_empty()
}
