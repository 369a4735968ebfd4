//! A scripted broker and a scripted client around one session.
#![allow(dead_code, reason = "each test file uses its own part")]
#![allow(unreachable_pub, reason = "several test programs share it")]

use std::io::IoSlice;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use keepmq_model::{
    Bind, Closing, Delivery, DeliveryId, Destination, End, Envelope, Event, Flow, Io, LinkId, Login, Marks,
    Message, Native, Now, Outgoing, Principal, Protocol, Publish, Refusal, RefusalKind, Resumed, Session,
    Settle, Tag, Verb,
};
use keepmq_mqtt::codec::{
    Ack, Connect, Header, MAX_LENGTH, Packet, PacketId, PacketType, Password, Publish as Wire, Qos,
    Subscribe, Unsubscribe, Version, Wanted,
};
use keepmq_mqtt::{MqttSession, Options};

pub const LINK: LinkId = LinkId(1);

pub struct Fake {
    pub session: MqttSession,
    pub input: BytesMut,
    pub now: Now,
    out: Outgoing,
    say: Vec<Verb>,
}

impl Fake {
    pub fn new(options: Options) -> Self {
        Self {
            session: MqttSession::new(options),
            input: BytesMut::new(),
            now: Now { mono_ms: 1000, unix_ms: 0 },
            out: Outgoing::default(),
            say: Vec::new(),
        }
    }

    fn with<T>(&mut self, call: impl FnOnce(&mut MqttSession, &mut BytesMut, &mut Io<'_>) -> T) -> T {
        let mut io = Io { say: &mut self.say, out: &mut self.out, now: self.now };
        call(&mut self.session, &mut self.input, &mut io)
    }

    /// Bytes come from the client.
    pub fn feed(&mut self, bytes: &[u8]) -> Flow {
        self.input.extend_from_slice(bytes);
        let flow = self.with(MqttSession::receive);
        self.batch_end();
        flow
    }

    pub fn send(&mut self, packet: &Packet<'_>) -> Flow {
        self.feed(&bytes(packet))
    }

    /// Events come from the broker, in one batch; tells how the last one left things.
    pub fn events(&mut self, events: impl IntoIterator<Item = Event>) -> Flow {
        let mut flow = Flow::Continue;
        for event in events {
            flow = self.with(|session, _, io| session.event(event, io));
        }
        self.batch_end();
        flow
    }

    pub fn event(&mut self, event: Event) -> Flow {
        self.events([event])
    }

    pub fn done(&mut self, tag: Tag) -> Flow {
        self.event(Event::Done { tag })
    }

    pub fn refuse(&mut self, tag: Option<Tag>, kind: RefusalKind) -> Flow {
        let refusal = Refusal::new(kind, "no");
        self.event(Event::Refused { tag, refusal })
    }

    fn batch_end(&mut self) {
        self.with(|session, _, io| session.batch_end(io));
    }

    pub fn tick(&mut self, later_ms: u64) -> Flow {
        self.now.mono_ms += later_ms;
        self.with(|session, _, io| session.tick(io))
    }

    pub fn end(&mut self, end: End) {
        self.with(|session, _, io| session.end(end, io));
    }

    /// What was written since the last look.
    pub fn written(&mut self) -> Vec<u8> {
        let mut all = Vec::new();
        while !self.out.is_empty() {
            let mut slices = [IoSlice::new(&[]); 4];
            let filled = self.out.slices(&mut slices);
            let before = all.len();
            slices[..filled].iter().for_each(|slice| all.extend_from_slice(slice));
            self.out.advance(all.len() - before);
        }
        all
    }

    /// Whether exactly these packets were written since the last look.
    #[track_caller]
    pub fn wrote(&mut self, packets: &[Packet<'_>]) {
        let written = self.written();
        assert_eq!(decode_all(&written), packets);
    }

    /// What was said since the last look.
    pub fn said(&mut self) -> Vec<Verb> {
        std::mem::take(&mut self.say)
    }

    /// The only verb since the last look.
    #[track_caller]
    pub fn said_one(&mut self) -> Verb {
        let mut said = self.said();
        assert_eq!(said.len(), 1, "{said:?}");
        said.remove(0)
    }

    #[track_caller]
    pub fn said_nothing(&mut self) {
        let said = self.said();
        assert!(said.is_empty(), "{said:?}");
    }

    #[track_caller]
    pub fn login(&mut self) -> Login {
        match self.said_one() {
            Verb::Login(login) => *login,
            other => panic!("{other:?}"),
        }
    }

    #[track_caller]
    pub fn published(&mut self) -> Publish {
        match self.said_one() {
            Verb::Publish(publish) => publish,
            other => panic!("{other:?}"),
        }
    }

    /// The filters that were bound, with their tags.
    #[track_caller]
    pub fn bound(&mut self) -> Vec<Bind> {
        let binds = self.said().into_iter().filter_map(|verb| match verb {
            Verb::Bind(bind) => Some(*bind),
            Verb::Attach(_) => None,
            other => panic!("{other:?}"),
        });
        binds.collect()
    }

    /// Only settlements were said: (leg, from, through).
    #[track_caller]
    pub fn settled(&mut self) -> Vec<(u32, u64, u64)> {
        let settled = self.said().into_iter().map(|verb| match verb {
            Verb::Settle(Settle { leg, from, through, .. }) => (leg, from, through),
            other => panic!("{other:?}"),
        });
        settled.collect()
    }

    /// Only credit was given back: how much.
    #[track_caller]
    pub fn granted(&mut self) -> u32 {
        let granted = self.said().into_iter().map(|verb| match verb {
            Verb::Grant { credit, .. } => credit,
            other => panic!("{other:?}"),
        });
        granted.sum()
    }

    /// A client with a clean session.
    pub fn clean(options: Options) -> Self {
        Self::clean_with(options, &connect())
    }

    pub fn clean_with(options: Options, connect: &Connect<'_>) -> Self {
        let mut fake = Self::new(options);
        assert_eq!(fake.send(&Packet::Connect(connect.clone())), Flow::Pause);
        assert_eq!(fake.event(welcome()), Flow::Pause);
        let said = fake.said();
        let Some(Verb::Forget { tag, .. }) = said.last() else { panic!("{said:?}") };
        assert_eq!(fake.done(*tag), Flow::Continue);
        fake.written();
        fake
    }

    /// A client with a session that outlives its connection.
    pub fn durable(options: Options, resumed: Option<Resumed>) -> Self {
        let mut fake = Self::new(options);
        let connect = Connect { clean_session: false, ..connect() };
        assert_eq!(fake.send(&Packet::Connect(connect)), Flow::Pause);
        assert_eq!(fake.event(welcome()), Flow::Pause);
        let said = fake.said();
        let Some(Verb::Attach(attach)) = said.last() else { panic!("{said:?}") };
        let event = Event::Attached { link: LINK, tag: attach.tag, resumed: resumed.map(Box::new) };
        assert_eq!(fake.event(event), Flow::Continue);
        fake
    }

    /// Asks for filters, all of which are granted.
    #[track_caller]
    pub fn subscribed(mut self, filters: &[(&str, Qos)]) -> Self {
        self.feed(&subscribe(900, filters));
        for bind in self.bound() {
            self.done(bind.tag);
        }
        assert!(!self.written().is_empty());
        self
    }
}

#[track_caller]
pub fn is_fault(flow: &Flow, words: &str) {
    match flow {
        Flow::Close(Closing::Fault(text)) => assert!(text.contains(words), "{text}"),
        other => panic!("{other:?}"),
    }
}

pub fn welcome() -> Event {
    Event::Welcome(Arc::new(Principal::new("u", ["g"])))
}

pub fn id(number: u16) -> PacketId {
    PacketId::new(number).unwrap()
}

pub fn ack(number: u16) -> Ack {
    Ack { id: id(number) }
}

/// A CONNECT with user and password, a clean session and no keep alive.
pub fn connect() -> Connect<'static> {
    Connect {
        version: Version::V311,
        clean_session: true,
        keep_alive: 0,
        client_id: "client",
        will: None,
        user: Some("u"),
        password: Some(Password(b"secret")),
    }
}

pub fn wire<'a>(topic: &'a str, qos: Qos, number: u16, payload: &'a [u8]) -> Wire<'a> {
    Wire { dup: false, qos, retain: false, topic: topic.as_bytes(), id: PacketId::new(number), payload }
}

pub fn bytes(packet: &Packet<'_>) -> Vec<u8> {
    let mut out = BytesMut::new();
    packet.encode(&mut out);
    out.to_vec()
}

pub fn subscribe(number: u16, filters: &[(&str, Qos)]) -> Vec<u8> {
    let wanted: Vec<Wanted<'_>> = filters.iter().map(|(filter, qos)| Wanted { filter, qos: *qos }).collect();
    let mut out = BytesMut::new();
    Subscribe::write(&mut out, id(number), &wanted);
    out.to_vec()
}

pub fn unsubscribe(number: u16, filters: &[&str]) -> Vec<u8> {
    let mut out = BytesMut::new();
    Unsubscribe::write(&mut out, id(number), filters);
    out.to_vec()
}

pub fn decode_all(mut bytes: &[u8]) -> Vec<Packet<'_>> {
    let mut packets = Vec::new();
    while !bytes.is_empty() {
        let header = Header::read(Version::V311, bytes, MAX_LENGTH + 5).unwrap().unwrap();
        let (packet, rest) = bytes.split_at(header.total());
        packets.push(Packet::decode(&header, &packet[header.start..]).unwrap());
        bytes = rest;
    }
    packets
}

/// The types of the packets in `bytes`.
pub fn types(bytes: &[u8]) -> Vec<PacketType> {
    decode_all(bytes).iter().map(Packet::packet_type).collect()
}

/// A message as another MQTT client sent it.
pub fn message(name: &str, qos: Qos, payload: &[u8]) -> Arc<Message> {
    let mut envelope = Envelope::new(Destination::topic(name).unwrap());
    envelope.durable = qos != Qos::AtMostOnce;
    let native = Native {
        protocol: Protocol::Mqtt,
        layout: 1,
        head: Bytes::copy_from_slice(&[qos as u8]),
        body: Bytes::copy_from_slice(payload),
    };
    Arc::new(Message::new(envelope, native))
}

/// A delivery with this number, at the place with the same one.
pub fn delivery(number: u64, message: Arc<Message>) -> Delivery {
    Delivery {
        link: LINK,
        id: DeliveryId { leg: 0, number },
        place: number,
        marks: Marks::default(),
        message,
    }
}

pub fn deliver(number: u64, message: Arc<Message>) -> Event {
    Event::Deliver(delivery(number, message))
}
