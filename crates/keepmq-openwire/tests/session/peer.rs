//! A client and a broker with a session between them.

use std::io::IoSlice;
use std::sync::Arc;

use bytes::BytesMut;
use keepmq_model::{
    BrokerFormat, Delivery, DeliveryId, Destination, Envelope, Event, Flow, Format, Formats, Io, LinkId,
    Marks, Message, MessageId, Native, Now, Outgoing, Principal, Protocol, Refusal, RefusalKind, Session,
    Tag, Verb,
};
use keepmq_openwire::codec::{
    self, Command, ConnectionId, ConnectionInfo, ConsumerId, ConsumerInfo, DestinationKind, MessageDispatch,
    ProducerId, ProducerInfo, SessionId, SessionInfo, WireFormat,
};
use keepmq_openwire::{BrokerName, Limits, Offer, OpenWireSession, Options};

static FORMATS: [&dyn Format; 1] = [&BrokerFormat];

pub(crate) const CONNECTION: &str = "ID:host-1-2:1";

pub(crate) struct Peer {
    pub(crate) session: OpenWireSession,
    format: WireFormat,
    pub(crate) say: Vec<Verb>,
    pub(crate) out: Outgoing,
    pub(crate) now: Now,
    pub(crate) flow: Flow,
    /// What came and was not looked at.
    received: Vec<Command>,
    next_delivery: u64,
    offer: Offer,
}

pub(crate) fn options(limits: Limits) -> Options {
    let broker =
        BrokerName { id: "ID:keepmq".into(), name: "keepmq".into(), url: "ssl://127.0.0.1:61617".into() };
    Options {
        limits: Arc::new(limits),
        formats: Formats::new(&FORMATS),
        broker: Arc::new(broker),
        offer: Offer::default(),
    }
}

impl Peer {
    /// A connection on which nothing has come yet.
    pub(crate) fn new() -> Self {
        Self::with(Limits::default())
    }

    pub(crate) fn with(limits: Limits) -> Self {
        Self {
            session: OpenWireSession::new(options(limits)),
            format: WireFormat::new(1 << 24),
            say: Vec::new(),
            out: Outgoing::default(),
            now: Now { mono_ms: 1_000_000, unix_ms: 1_700_000_000_000 },
            flow: Flow::Continue,
            received: Vec::new(),
            next_delivery: 0,
            offer: Offer::default(),
        }
    }

    /// A connection that is logged in, with a session, a producer and nothing left to look at.
    pub(crate) fn open() -> Self {
        Self::open_as(connection())
    }

    pub(crate) fn open_as(connection: ConnectionInfo) -> Self {
        let mut peer = Self::new();
        peer.greet(&Offer::default());
        peer.send(Command::ConnectionInfo(Box::new(connection)));
        peer.event(Event::Welcome(Arc::new(Principal::new("u", []))));
        let id = SessionId { connection_id: Some(CONNECTION.into()), value: 1 };
        peer.send(Command::SessionInfo(Box::new(SessionInfo {
            session_id: Some(id),
            ..SessionInfo::default()
        })));
        let producer = ProducerInfo { producer_id: Some(producer()), ..ProducerInfo::default() };
        peer.send(Command::ProducerInfo(Box::new(producer)));
        peer.say.clear();
        peer.commands();
        peer
    }

    pub(crate) fn greet(&mut self, offer: &Offer) {
        self.offer = offer.clone();
        self.send(Command::WireFormatInfo(Box::new(offer.info("1"))));
        self.commands();
    }

    pub(crate) fn send(&mut self, command: Command) {
        let mut bytes = Outgoing::default();
        self.format.encode(&command, &mut bytes);
        self.receive(&written(&bytes));
    }

    pub(crate) fn receive(&mut self, bytes: &[u8]) {
        let mut input = BytesMut::from(bytes);
        let mut io = Io { say: &mut self.say, out: &mut self.out, now: self.now };
        self.flow = self.session.receive(&mut input, &mut io);
        self.session.batch_end(&mut io);
    }

    pub(crate) fn event(&mut self, event: Event) {
        self.events(vec![event]);
    }

    pub(crate) fn events(&mut self, events: Vec<Event>) {
        let mut io = Io { say: &mut self.say, out: &mut self.out, now: self.now };
        for event in events {
            self.flow = self.session.event(event, &mut io);
        }
        self.session.batch_end(&mut io);
    }

    pub(crate) fn tick(&mut self) {
        let mut io = Io { say: &mut self.say, out: &mut self.out, now: self.now };
        self.flow = self.session.tick(&mut io);
    }

    /// What came since the last look. The first frame is always in the form of the beginning.
    pub(crate) fn commands(&mut self) -> Vec<Command> {
        let mut input = BytesMut::from(&written(&self.out)[..]);
        self.out = Outgoing::default();
        let mut all = std::mem::take(&mut self.received);
        let mut fresh = WireFormat::new(1 << 24);
        if input.get(4) == Some(&1) {
            all.extend(fresh.decode(&mut input).unwrap());
            if !input.is_empty() {
                let Some(Command::WireFormatInfo(info)) = all.first() else { panic!() };
                let agreed = self.offer.negotiate(&Offer::read(info).unwrap()).unwrap();
                self.format.negotiated(&agreed);
            }
        }
        while let Some(command) = self.format.decode(&mut input).unwrap() {
            all.push(command);
        }
        all
    }

    pub(crate) fn verbs(&mut self) -> Vec<Verb> {
        std::mem::take(&mut self.say)
    }

    pub(crate) fn verb(&mut self) -> Verb {
        let mut verbs = self.verbs();
        assert_eq!(verbs.len(), 1, "{verbs:?}");
        verbs.remove(0)
    }

    pub(crate) fn done(&mut self, tag: Tag) {
        self.event(Event::Done { tag });
    }

    pub(crate) fn refuse(&mut self, tag: Option<Tag>, kind: RefusalKind) {
        self.event(Event::Refused { tag, refusal: Refusal::new(kind, "why") });
    }

    /// The class and the text of the exception that answers a command, or that came by itself.
    pub(crate) fn exception(&mut self) -> (Option<i32>, String, String) {
        let mut commands = self.commands();
        assert_eq!(commands.len(), 1, "{commands:?}");
        let (id, exception) = match commands.remove(0) {
            Command::ExceptionResponse(response) => (Some(response.correlation_id), response.exception),
            Command::ConnectionError(error) => (None, error.exception),
            other => panic!("{other:?}"),
        };
        let exception = exception.unwrap();
        (id, exception.class.unwrap().to_string(), exception.message.unwrap().to_string())
    }

    /// A consumer of this queue with this prefetch, open; returns its link.
    pub(crate) fn consume(&mut self, value: i64, name: &str, prefetch: i32) -> LinkId {
        self.attach(consumer(value, queue(name), prefetch))
    }

    pub(crate) fn attach(&mut self, info: ConsumerInfo) -> LinkId {
        self.send(Command::ConsumerInfo(Box::new(info)));
        let Verb::Attach(attach) = self.verb() else { panic!() };
        self.event(Event::Attached { link: attach.link, tag: attach.tag, resumed: None });
        self.commands();
        attach.link
    }

    /// A message comes by a link; returns what the client got of it.
    pub(crate) fn deliver(&mut self, link: LinkId) -> MessageDispatch {
        self.next_delivery += 1;
        let number = self.next_delivery;
        self.event(delivery(link, number));
        match self.commands().remove(0) {
            Command::MessageDispatch(dispatch) => *dispatch,
            other => panic!("{other:?}"),
        }
    }
}

pub(crate) fn delivery(link: LinkId, number: u64) -> Event {
    let native =
        Native { protocol: Protocol::Broker, layout: 0, head: bytes::Bytes::new(), body: "x".into() };
    let mut envelope = Envelope::new(Destination::queue("q").unwrap());
    envelope.id = MessageId { epoch: 1, number };
    Event::Deliver(Delivery {
        link,
        id: DeliveryId { leg: 0, number },
        place: number,
        marks: Marks::default(),
        message: Arc::new(Message::new(envelope, native)),
    })
}

pub(crate) fn written(out: &Outgoing) -> Vec<u8> {
    let mut slices = [IoSlice::new(&[]); 16];
    let count = out.slices(&mut slices);
    slices[..count].iter().flat_map(|slice| slice.iter().copied()).collect()
}

pub(crate) fn connection() -> ConnectionInfo {
    ConnectionInfo {
        command_id: 1,
        response_required: true,
        connection_id: Some(ConnectionId { value: Some(CONNECTION.into()) }),
        client_id: Some("client".into()),
        user_name: Some("u".into()),
        password: Some("secret".into()),
        manageable: true,
        ..ConnectionInfo::default()
    }
}

pub(crate) fn producer() -> ProducerId {
    ProducerId { connection_id: Some(CONNECTION.into()), session_id: 1, value: 1 }
}

pub(crate) fn queue(name: &str) -> codec::Destination {
    codec::Destination { kind: DestinationKind::Queue, physical_name: Some(name.into()) }
}

pub(crate) fn topic(name: &str) -> codec::Destination {
    codec::Destination { kind: DestinationKind::Topic, physical_name: Some(name.into()) }
}

pub(crate) fn consumer_id(value: i64) -> ConsumerId {
    ConsumerId { connection_id: Some(CONNECTION.into()), session_id: 1, value }
}

pub(crate) fn consumer(value: i64, destination: codec::Destination, prefetch: i32) -> ConsumerInfo {
    ConsumerInfo {
        command_id: 50,
        response_required: true,
        consumer_id: Some(consumer_id(value)),
        destination: Some(destination),
        prefetch_size: prefetch,
        ..ConsumerInfo::default()
    }
}
