//! A client and a broker around one session. The client reads frames by code of its own, so that a mistake of the codec
//! is not made twice.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use keepmq_model::{
    Attach, BrokerFormat, Closing, Delivery, DeliveryId, Destination, Envelope, Event, Flow, Formats, Io,
    LinkId, Login, Marks, Message, MessageId, Native, Now, Outgoing, Principal, Protocol, Publish, Refusal,
    RefusalKind, Session, Settle, Tag, Verb,
};
use keepmq_stomp::codec::Version;
use keepmq_stomp::{HeartBeat, Limits, Options, StompFormat, StompSession};

pub(crate) const FORMATS: Formats = Formats::new(&[&StompFormat, &BrokerFormat]);

pub(crate) struct Peer {
    pub(crate) session: StompSession,
    pub(crate) version: Version,
    pub(crate) now: Now,
    pub(crate) flow: Flow,
    input: BytesMut,
    out: Outgoing,
    say: Vec<Verb>,
}

/// A frame that the client got.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Got {
    pub(crate) command: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Got {
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| &value[..])
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

pub(crate) fn limits() -> Limits {
    Limits::default()
}

impl Peer {
    pub(crate) fn with(limits: Limits, heart_beat: HeartBeat) -> Self {
        let options = Options { limits: Arc::new(limits), formats: FORMATS, connection: 17, heart_beat };
        Self {
            session: StompSession::new(options),
            version: Version::V1_0,
            now: Now { mono_ms: 1000, unix_ms: 1_700_000_000_000 },
            flow: Flow::Continue,
            input: BytesMut::new(),
            out: Outgoing::default(),
            say: Vec::new(),
        }
    }

    pub(crate) fn new() -> Self {
        Self::with(limits(), HeartBeat::default())
    }

    /// A client that is logged in, with the client id `c`.
    pub(crate) fn open(version: Version) -> Self {
        Self::open_with(version, limits())
    }

    pub(crate) fn open_with(version: Version, limits: Limits) -> Self {
        let mut peer = Self::with(limits, HeartBeat::default());
        let accept = version.text();
        peer.send(&format!(
            "CONNECT\naccept-version:{accept}\nhost:h\nlogin:u\npasscode:secret\nclient-id:c\n\n"
        ));
        assert_eq!(peer.flow, Flow::Pause);
        assert!(matches!(peer.verbs()[..], [Verb::Login(_)]));
        peer.version = version;
        peer.welcome();
        assert_eq!(peer.frame().command, "CONNECTED");
        peer
    }

    pub(crate) fn welcome(&mut self) {
        self.event(Event::Welcome(Arc::new(Principal::new("u", ["g"]))));
    }

    /// Sends a frame; its NUL is added.
    pub(crate) fn send(&mut self, frame: &str) {
        self.send_bytes(format!("{frame}\0").as_bytes());
    }

    pub(crate) fn send_bytes(&mut self, bytes: &[u8]) {
        self.input.extend_from_slice(bytes);
        self.read();
    }

    /// As a driver does: reads only while it may, and again after each event.
    fn read(&mut self) {
        if self.flow == Flow::Continue {
            let mut io = io(&mut self.say, &mut self.out, self.now);
            self.flow = self.session.receive(&mut self.input, &mut io);
            self.session.batch_end(&mut io_again(&mut self.say, &mut self.out, self.now));
        }
    }

    pub(crate) fn event(&mut self, event: Event) {
        self.events([event]);
    }

    /// Several events as one batch.
    pub(crate) fn events(&mut self, events: impl IntoIterator<Item = Event>) {
        for event in events {
            let mut io = io(&mut self.say, &mut self.out, self.now);
            self.flow = self.session.event(event, &mut io);
        }
        self.session.batch_end(&mut io_again(&mut self.say, &mut self.out, self.now));
        self.read();
    }

    pub(crate) fn tick(&mut self) {
        let mut io = io(&mut self.say, &mut self.out, self.now);
        self.flow = self.session.tick(&mut io);
    }

    pub(crate) fn done(&mut self, tag: Tag) {
        self.event(Event::Done { tag });
    }

    pub(crate) fn refuse(&mut self, tag: Option<Tag>, kind: RefusalKind, text: &'static str) {
        self.event(Event::Refused { tag, refusal: Refusal::new(kind, text) });
    }

    pub(crate) fn verbs(&mut self) -> Vec<Verb> {
        std::mem::take(&mut self.say)
    }

    /// The one verb that was said.
    pub(crate) fn verb(&mut self) -> Verb {
        let mut verbs = self.verbs();
        assert_eq!(verbs.len(), 1, "{verbs:?}");
        verbs.remove(0)
    }

    pub(crate) fn publish(&mut self) -> Publish {
        match self.verb() {
            Verb::Publish(publish) => publish,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn login(&mut self) -> Login {
        match self.verb() {
            Verb::Login(login) => *login,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn attach(&mut self) -> Attach {
        match self.verb() {
            Verb::Attach(attach) => *attach,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn settles(&mut self) -> Vec<Settle> {
        self.verbs()
            .into_iter()
            .map(|verb| match verb {
                Verb::Settle(settle) => settle,
                other => panic!("{other:?}"),
            })
            .collect()
    }

    /// Subscribes, with the broker agreeing: the link.
    pub(crate) fn subscribe(&mut self, frame: &str) -> LinkId {
        self.send(frame);
        let attach = self.attach();
        self.event(Event::Attached { link: attach.link, tag: attach.tag, resumed: None });
        attach.link
    }

    /// Everything that was written, as bytes.
    pub(crate) fn bytes(&mut self) -> Vec<u8> {
        let mut all = Vec::new();
        while !self.out.is_empty() {
            let mut slices = [std::io::IoSlice::new(&[]); 8];
            let filled = self.out.slices(&mut slices);
            let next: Vec<u8> = slices[..filled].iter().flat_map(|s| s.iter().copied()).collect();
            self.out.advance(next.len());
            all.extend(next);
        }
        all
    }

    /// Everything that was written, as frames.
    pub(crate) fn frames(&mut self) -> Vec<Got> {
        let bytes = self.bytes();
        read_frames(&bytes, self.version)
    }

    /// The one frame that was written.
    pub(crate) fn frame(&mut self) -> Got {
        let mut frames = self.frames();
        assert_eq!(frames.len(), 1, "{frames:?}");
        frames.remove(0)
    }

    /// Whether the session said nothing to anyone.
    pub(crate) fn is_quiet(&self) -> bool {
        self.say.is_empty() && self.out.is_empty()
    }

    /// What the session has left of the client's bytes.
    pub(crate) fn unread(&self) -> &[u8] {
        &self.input
    }

    /// The text with which the connection was closed.
    pub(crate) fn fault(&self) -> &str {
        match &self.flow {
            Flow::Close(Closing::Fault(text)) => text,
            other => panic!("{other:?}"),
        }
    }
}

fn io<'a>(say: &'a mut Vec<Verb>, out: &'a mut Outgoing, now: Now) -> Io<'a> {
    Io { say, out, now }
}

use self::io as io_again;

/// Reads a server's frames: strictly, as a client of this version does.
pub(crate) fn read_frames(mut bytes: &[u8], version: Version) -> Vec<Got> {
    let mut frames = Vec::new();
    loop {
        while let [b'\n', rest @ ..] = bytes {
            bytes = rest;
        }
        if bytes.is_empty() {
            return frames;
        }
        let end = bytes.windows(2).position(|two| two == b"\n\n").expect("an empty line");
        let head = std::str::from_utf8(&bytes[..end]).expect("UTF-8");
        assert!(!head.contains(['\r', '\0']), "{head:?}");
        let (command, lines) = head.split_once('\n').unwrap_or((head, ""));
        let plain = command == "CONNECTED" || version == Version::V1_0;
        let headers: Vec<(String, String)> = lines
            .lines()
            .map(|line| {
                let (name, value) = line.split_once(':').expect("a colon");
                assert!(!name.is_empty() && (plain || !value.contains(':')), "{line:?}");
                (plain_text(name, plain), plain_text(value, plain))
            })
            .collect();
        bytes = &bytes[end + 2..];
        let length = headers.iter().find(|(name, _)| name == "content-length");
        let length = match length {
            Some((_, length)) => length.parse().unwrap(),
            None => bytes.iter().position(|byte| *byte == 0).expect("a NUL"),
        };
        assert_eq!(bytes[length], 0, "the NUL behind the body of {head:?}");
        frames.push(Got { command: command.to_owned(), headers, body: bytes[..length].to_vec() });
        bytes = &bytes[length + 1..];
    }
}

fn plain_text(escaped: &str, plain: bool) -> String {
    if plain {
        return escaped.to_owned();
    }
    let mut text = String::new();
    let mut chars = escaped.chars();
    while let Some(c) = chars.next() {
        text.push(match c {
            '\\' => match chars.next() {
                Some('n') => '\n',
                Some('r') => '\r',
                Some('c') => ':',
                Some('\\') => '\\',
                other => panic!("escape {other:?} in {escaped:?}"),
            },
            c => c,
        });
    }
    text
}

/// A message of the broker's own protocol, with this number.
pub(crate) fn message(number: u64, destination: &str, body: &'static str) -> Message {
    let mut envelope = Envelope::new(destination_of(destination));
    envelope.id = MessageId { epoch: 10, number };
    envelope.timestamp_ms = 1_600_000_000_000;
    let native = Native {
        protocol: Protocol::Broker,
        layout: 0,
        head: Bytes::new(),
        body: Bytes::from_static(body.as_bytes()),
    };
    Message::new(envelope, native)
}

pub(crate) fn destination_of(text: &str) -> Destination {
    match text.split_once("://") {
        Some(("queue", name)) => Destination::queue(name).unwrap(),
        Some(("topic", name)) => Destination::topic(name).unwrap(),
        Some(("temp-queue", name)) => Destination::new(keepmq_model::Kind::TempQueue, name).unwrap(),
        _ => panic!("{text}"),
    }
}

pub(crate) fn delivery(link: LinkId, leg: u32, number: u64, message: Message) -> Delivery {
    Delivery {
        link,
        id: DeliveryId { leg, number },
        place: number,
        marks: Marks::default(),
        message: Arc::new(message),
    }
}

/// The `number`th delivery of leg 1, whose message has the same number.
pub(crate) fn deliver(link: LinkId, number: u64) -> Event {
    deliver_leg(link, 1, number, number)
}

pub(crate) fn deliver_leg(link: LinkId, leg: u32, number: u64, message_number: u64) -> Event {
    Event::Deliver(delivery(link, leg, number, message(message_number, "queue://q", "hello")))
}
