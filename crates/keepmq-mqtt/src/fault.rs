//! Everything that a peer can do wrong.

use std::fmt;

use keepmq_model::NameFault;

use crate::codec::{ConnectCode, PacketType};

/// What a peer did wrong. Ends the connection (MQTT 3.1.1, section 4.8). The text may be logged: it holds numbers and names
/// of the specification, never anything that the peer wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// A packet type that the specification reserves.
    ReservedType(u8),
    /// Flags that the packet may not carry.
    Flags {
        /// The packet.
        packet: PacketType,
        /// Its flags.
        flags: u8,
    },
    /// A remaining length that goes on after four bytes.
    LongLength,
    /// A remaining length that isn't in its shortest form.
    PaddedLength,
    /// A packet over the limit.
    TooLarge {
        /// Bytes of the whole packet.
        length: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// A packet that ends within a field.
    CutShort(PacketType),
    /// A packet with bytes behind its last field.
    Trailing(PacketType),
    /// Text that isn't well-formed UTF-8.
    NotUtf8,
    /// Text with U+0000.
    Nul,
    /// A packet id of zero.
    ZeroId(PacketType),
    /// A `QoS` that doesn't exist.
    Qos(u8),
    /// DUP on a message of `QoS` 0.
    DupWithoutQos,
    /// Flags of a CONNECT that don't fit each other.
    ConnectFlags(u8),
    /// A protocol name or level that isn't spoken here.
    Version(u8),
    /// A return code or flag of an acknowledgement that doesn't exist.
    Code {
        /// The packet.
        packet: PacketType,
        /// The code.
        code: u8,
    },
    /// A request without a topic filter.
    NoFilters(PacketType),
    /// A first packet other than CONNECT.
    NotConnect(u8),
    /// A second CONNECT.
    SecondConnect,
    /// A client id that nobody may have.
    ClientId,
    /// A packet that only servers send.
    FromServer(PacketType),
    /// A topic name or filter without characters.
    EmptyTopic,
    /// A wildcard in a topic name.
    WildcardInTopic,
    /// A wildcard that isn't a whole level, or `#` before the last one.
    MisplacedWildcard,
    /// A topic name that the broker can't hold.
    Name(NameFault),
    /// More filters than a session may have.
    TooManyFilters(u16),
    /// More messages of `QoS` 2 under way than the session takes.
    ReceiveMaximum(u16),
    /// A packet id that is still in use.
    IdInUse(u16),
    /// An answer to a message that isn't the answer its `QoS` asks for.
    WrongAnswer {
        /// The answer.
        packet: PacketType,
        /// To this packet id.
        id: u16,
    },
    /// Silence for more than one and a half times the keep alive.
    Silent(u16),
}

impl Fault {
    /// How a CONNECT with this fault is answered before the connection is closed; `None` when it isn't (section 3.2.2.3).
    pub fn connect_code(&self) -> Option<ConnectCode> {
        match self {
            Self::Version(_) => Some(ConnectCode::UnacceptableVersion),
            Self::ClientId => Some(ConnectCode::IdentifierRejected),
            _ => None,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ReservedType(number) => write!(f, "packet type {number} is reserved"),
            Self::Flags { packet, flags } => {
                write!(f, "{} may not carry the flags {flags:04b}", packet.name())
            }
            Self::LongLength => f.write_str("the remaining length takes more than four bytes"),
            Self::PaddedLength => f.write_str("the remaining length is not in its shortest form"),
            Self::TooLarge { length, limit } => {
                write!(f, "a packet of {length} bytes is over the limit of {limit}")
            }
            Self::CutShort(packet) => write!(f, "{} ends within a field", packet.name()),
            Self::Trailing(packet) => write!(f, "{} has bytes behind its last field", packet.name()),
            Self::NotUtf8 => f.write_str("a text is not well-formed UTF-8"),
            Self::Nul => f.write_str("a text holds U+0000"),
            Self::ZeroId(packet) => write!(f, "{} has packet id 0", packet.name()),
            Self::Qos(number) => write!(f, "there is no QoS {number}"),
            Self::DupWithoutQos => f.write_str("PUBLISH of QoS 0 carries DUP"),
            Self::ConnectFlags(flags) => write!(f, "the flags {flags:08b} of CONNECT do not fit each other"),
            Self::Version(level) => write!(f, "only MQTT 3.1 and 3.1.1 are spoken here, not level {level}"),
            Self::Code { packet, code } => write!(f, "{} has the unknown code {code}", packet.name()),
            Self::NoFilters(packet) => write!(f, "{} names no topic filter", packet.name()),
            Self::NotConnect(number) => write!(f, "the first packet is of type {number}, not CONNECT"),
            Self::SecondConnect => f.write_str("a second CONNECT"),
            Self::ClientId => {
                f.write_str("the client id is missing, too long, or has wildcards or control characters")
            }
            Self::FromServer(packet) => write!(f, "{} is sent by servers only", packet.name()),
            Self::EmptyTopic => f.write_str("a topic is empty"),
            Self::WildcardInTopic => f.write_str("the topic of a message holds a wildcard"),
            Self::MisplacedWildcard => f.write_str("a wildcard of a topic filter stands where it may not"),
            Self::Name(fault) => fault.fmt(f),
            Self::TooManyFilters(limit) => write!(f, "a request with more than {limit} topic filters"),
            Self::ReceiveMaximum(limit) => write!(f, "more than {limit} messages of QoS 2 under way"),
            Self::IdInUse(id) => write!(f, "packet id {id} is still in use"),
            Self::WrongAnswer { packet, id } => {
                write!(f, "{} does not answer the message with packet id {id}", packet.name())
            }
            Self::Silent(seconds) => {
                write!(f, "silent for one and a half times the keep alive of {seconds} s")
            }
        }
    }
}

impl std::error::Error for Fault {}

impl From<NameFault> for Fault {
    fn from(fault: NameFault) -> Self {
        Self::Name(fault)
    }
}
