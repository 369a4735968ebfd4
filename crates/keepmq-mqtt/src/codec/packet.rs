//! Any packet, in either direction.

use bytes::{BufMut, BytesMut};

use super::read::Reader;
use super::{Ack, ConnAck, Connect, Fault, Header, PacketType, Publish, SubAck, Subscribe, Unsubscribe};

/// A packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Packet<'a> {
    /// A client asks for a connection.
    Connect(Connect<'a>),
    /// The server answers it.
    ConnAck(ConnAck),
    /// A message.
    Publish(Publish<'a>),
    /// Answers a message of `QoS` 1.
    PubAck(Ack),
    /// First answer to a message of `QoS` 2.
    PubRec(Ack),
    /// Answers that answer.
    PubRel(Ack),
    /// Ends the handshake of `QoS` 2.
    PubComp(Ack),
    /// Asks for topics.
    Subscribe(Subscribe<'a>),
    /// Answers that.
    SubAck(SubAck<'a>),
    /// Takes topics back.
    Unsubscribe(Unsubscribe<'a>),
    /// Answers that.
    UnsubAck(Ack),
    /// A sign of life.
    PingReq,
    /// Answers it.
    PingResp,
    /// The client leaves.
    Disconnect,
}

impl<'a> Packet<'a> {
    /// Reads what follows the fixed header. `body` has [`Header::length`] bytes.
    pub fn decode(header: &Header, body: &'a [u8]) -> Result<Self, Fault> {
        let packet = header.packet;
        let bare = |ready: Self| Reader::new(packet, body).finish().map(|()| ready);
        let ack = || Ack::decode(packet, body);
        match packet {
            PacketType::Connect => Connect::decode(body).map(Self::Connect),
            PacketType::ConnAck => ConnAck::decode(body).map(Self::ConnAck),
            PacketType::Publish => Publish::decode(header, body).map(Self::Publish),
            PacketType::PubAck => ack().map(Self::PubAck),
            PacketType::PubRec => ack().map(Self::PubRec),
            PacketType::PubRel => ack().map(Self::PubRel),
            PacketType::PubComp => ack().map(Self::PubComp),
            PacketType::Subscribe => Subscribe::decode(body).map(Self::Subscribe),
            PacketType::SubAck => SubAck::decode(body).map(Self::SubAck),
            PacketType::Unsubscribe => Unsubscribe::decode(body).map(Self::Unsubscribe),
            PacketType::UnsubAck => ack().map(Self::UnsubAck),
            PacketType::PingReq => bare(Self::PingReq),
            PacketType::PingResp => bare(Self::PingResp),
            PacketType::Disconnect => bare(Self::Disconnect),
        }
    }

    /// What it is.
    pub fn packet_type(&self) -> PacketType {
        match self {
            Self::Connect(_) => PacketType::Connect,
            Self::ConnAck(_) => PacketType::ConnAck,
            Self::Publish(_) => PacketType::Publish,
            Self::PubAck(_) => PacketType::PubAck,
            Self::PubRec(_) => PacketType::PubRec,
            Self::PubRel(_) => PacketType::PubRel,
            Self::PubComp(_) => PacketType::PubComp,
            Self::Subscribe(_) => PacketType::Subscribe,
            Self::SubAck(_) => PacketType::SubAck,
            Self::Unsubscribe(_) => PacketType::Unsubscribe,
            Self::UnsubAck(_) => PacketType::UnsubAck,
            Self::PingReq => PacketType::PingReq,
            Self::PingResp => PacketType::PingResp,
            Self::Disconnect => PacketType::Disconnect,
        }
    }

    /// Writes the packet.
    pub fn encode(&self, out: &mut BytesMut) {
        match self {
            Self::Connect(connect) => connect.encode(out),
            Self::ConnAck(ack) => ack.encode(out),
            Self::Publish(publish) => publish.encode(out),
            Self::PubAck(ack)
            | Self::PubRec(ack)
            | Self::PubRel(ack)
            | Self::PubComp(ack)
            | Self::UnsubAck(ack) => {
                ack.encode(self.packet_type(), out);
            }
            Self::Subscribe(subscribe) => subscribe.encode(out),
            Self::SubAck(ack) => ack.encode(out),
            Self::Unsubscribe(unsubscribe) => unsubscribe.encode(out),
            Self::PingReq | Self::PingResp | Self::Disconnect => {
                out.put_slice(&[self.packet_type().first_byte(0), 0]);
            }
        }
    }
}
