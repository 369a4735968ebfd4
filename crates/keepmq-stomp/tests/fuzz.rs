//! Mutated bytes and wild events, on the stable compiler. `KEEPMQ_FUZZ_CASES` says how many cases are tried.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that can't go on fails")]

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use keepmq_model::{
    BrokerFormat, Delivery, DeliveryId, Destination, Envelope, Event, Flow, Formats, Io, LinkId, Marks,
    Message, Native, Now, Outgoing, Principal, Protocol, Refusal, RefusalKind, Session, Tag, Verb,
};
use keepmq_stomp::codec::{Decoder, Side, Version};
use keepmq_stomp::{FrameLimits, HeartBeat, Limits, Options, StompFormat, StompSession};

const SMALL: FrameLimits = FrameLimits { headers: 12, line: 200, head: 600, body: 300 };

const LOGINS: [&str; 3] = [
    "CONNECT\nlogin:u\npasscode:p\n\n\0",
    "STOMP\naccept-version:1.1\nhost:h\nlogin:u\npasscode:p\nclient-id:c\nheart-beat:1000,1000\n\n\0",
    "CONNECT\r\naccept-version:1.2,1.1\r\nlogin:u\r\npasscode:p\r\nclient-id:c\r\n\r\n\0\r\n",
];

const FRAMES: [&str; 24] = [
    "SEND\ndestination:/queue/a\nreceipt:1\n\nhello\0",
    "SEND\ndestination:/queue/a,/topic/b,c\ncontent-length:5\npersistent:true\n\nhe\0lo\0",
    "SEND\ndestination:/topic/a\ntransaction:t\npriority:9\nexpires:1\ntimestamp:2\nx\\cy:a\\nb\n\n\0",
    "SEND\ndestination:/temp-queue/a\nreply-to:/temp-topic/b\nJMSXGroupID:g\nJMSXGroupSeq:1\n\nx\0",
    "SEND\ndestination:/queue/a\nAMQ_SCHEDULED_DELAY:1\nAMQ_SCHEDULED_CRON:*\namq-msg-type:text\n\nx\0",
    "SUBSCRIBE\nid:1\ndestination:/queue/a\nack:client\nreceipt:2\n\n\0",
    "SUBSCRIBE\nid:2\ndestination:/topic/>\nack:auto\nactivemq.prefetchSize:4\nselector:a=1\n\n\0",
    "SUBSCRIBE\nid:3\ndestination:/queue/b\nack:client-individual\nactivemq.priority:-3\n\n\0",
    "SUBSCRIBE\nid:4\ndestination:/topic/b\nactivemq.subscriptionName:s\nno-local:true\n\n\0",
    "SUBSCRIBE\nid:5\ndestination:/queue/b\nbrowser:true\n\n\0",
    "SUBSCRIBE\nid:6\ndestination:/queue/c\nack:auto\n\n\0",
    "UNSUBSCRIBE\nid:1\nreceipt:3\n\n\0",
    "UNSUBSCRIBE\nid:4\nactivemq.subcriptionName:s\n\n\0",
    "ACK\nid:1-1\nreceipt:4\n\n\0",
    "ACK\nid:1-2\ntransaction:t\n\n\0",
    "ACK\nsubscription:1\nmessage-id:ID\\ckeepmq-1-1\n\n\0",
    "ACK\nmessage-id:ID:keepmq-1-2\n\n\0",
    "NACK\nid:1-3\nrequeue:false\n\n\0",
    "BEGIN\ntransaction:t\nreceipt:5\n\n\0",
    "COMMIT\ntransaction:t\nreceipt:6\n\n\0",
    "ABORT\ntransaction:t\n\n\0",
    "\n\r\n\n",
    "DISCONNECT\nreceipt:7\n\n\0",
    "SEND\r\ndestination:/queue/a\r\ncontent-type:text/plain\r\n\r\nbody\0",
];

/// Chance that repeats: xorshift (Marsaglia 2003).
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).unwrap()
    }

    fn one_in(&mut self, bound: usize) -> bool {
        self.below(bound) == 0
    }

    fn byte(&mut self) -> u8 {
        const LIKELY: &[u8] = b"\n\r\0:\\,/-0159ac ";
        match self.below(3) {
            0 => u8::try_from(self.below(256)).unwrap(),
            _ => LIKELY[self.below(LIKELY.len())],
        }
    }

    fn mutate(&mut self, bytes: &mut Vec<u8>) {
        for _ in 0..self.below(3) {
            let at = self.below(bytes.len() + 1);
            match self.below(5) {
                0 if at < bytes.len() => bytes[at] = self.byte(),
                1 => bytes.insert(at, self.byte()),
                2 if at < bytes.len() => drop(bytes.remove(at)),
                3 => bytes.truncate(at),
                _ => {
                    let piece: Vec<u8> = bytes[at..].iter().copied().take(1 + self.below(400)).collect();
                    for _ in 0..self.below(40) {
                        bytes.splice(at..at, piece.iter().copied());
                    }
                }
            }
        }
    }

    /// A login and some frames, a few of them spoilt.
    fn conversation(&mut self) -> Vec<u8> {
        let mut all = LOGINS[self.below(LOGINS.len())].as_bytes().to_vec();
        if self.one_in(8) {
            self.mutate(&mut all);
        }
        for _ in 0..self.below(16) {
            let mut frame = FRAMES[self.below(FRAMES.len())].as_bytes().to_vec();
            if self.one_in(6) {
                self.mutate(&mut frame);
            }
            all.extend(frame);
        }
        all
    }
}

fn cases() -> u64 {
    #[expect(clippy::disallowed_methods, reason = "a test run says how long it may take")]
    let cases = std::env::var("KEEPMQ_FUZZ_CASES");
    cases.ok().and_then(|cases| cases.parse().ok()).unwrap_or(1000)
}

fn limits() -> Limits {
    Limits {
        login: FrameLimits { body: 0, ..SMALL },
        open: SMALL,
        id: 64,
        prefetch: 8,
        max_prefetch: 16,
        subscriptions: 4,
        transactions: 2,
        temporaries: 2,
        parts: 4,
        unanswered: 8,
        remembered: 4,
    }
}

struct Run {
    session: StompSession,
    input: BytesMut,
    out: Outgoing,
    say: Vec<Verb>,
    now: Now,
    flow: Flow,
    tags: Vec<Tag>,
    links: Vec<LinkId>,
    delivered: u64,
}

impl Run {
    fn new() -> Self {
        let options = Options {
            limits: Arc::new(limits()),
            formats: Formats::new(&[&StompFormat, &BrokerFormat]),
            connection: 1,
            heart_beat: HeartBeat::default(),
        };
        Self {
            session: StompSession::new(options),
            input: BytesMut::new(),
            out: Outgoing::default(),
            say: Vec::new(),
            now: Now::default(),
            flow: Flow::Continue,
            tags: Vec::new(),
            links: Vec::new(),
            delivered: 0,
        }
    }

    fn call(&mut self, step: impl FnOnce(&mut StompSession, &mut BytesMut, &mut Io<'_>) -> Flow) {
        let mut io = Io { say: &mut self.say, out: &mut self.out, now: self.now };
        self.flow = step(&mut self.session, &mut self.input, &mut io);
        self.session.batch_end(&mut io);
    }

    fn read(&mut self) {
        if self.flow == Flow::Continue {
            self.call(Session::receive);
        }
        if self.flow == Flow::Continue {
            let most = SMALL.head + SMALL.body + 2;
            assert!(self.input.len() <= most, "{} bytes wait for the rest of a frame", self.input.len());
        }
    }

    fn event(&mut self, event: Event) {
        self.call(|session, _, io| session.event(event, io));
        self.read();
    }

    /// What was said is noted, so that it can be answered.
    fn listen(&mut self) -> bool {
        let mut logs_in = false;
        for verb in std::mem::take(&mut self.say) {
            match verb {
                Verb::Login(_) => logs_in = true,
                Verb::Attach(attach) => {
                    self.links.push(attach.link);
                    self.tags.push(attach.tag);
                }
                Verb::Publish(publish) => self.tags.extend(publish.tag),
                Verb::Settle(settle) => self.tags.extend(settle.tag),
                Verb::Detach { tag, .. }
                | Verb::Forget { tag, .. }
                | Verb::Commit { tag, .. }
                | Verb::Rollback { tag, .. }
                | Verb::CreateTemporary { tag, .. } => self.tags.push(tag),
                _ => {}
            }
        }
        assert!(self.tags.len() <= 10, "no more is asked than may be unanswered");
        logs_in
    }

    /// The broker does something, mostly what it should.
    fn act(&mut self, chance: &mut Chance) {
        if self.listen() {
            return self.event(Event::Welcome(Arc::new(Principal::new("u", ["g"]))));
        }
        let tag = (!self.tags.is_empty()).then(|| self.tags.swap_remove(chance.below(self.tags.len())));
        let event = match (chance.below(8), tag) {
            (0, tag) => {
                Event::Refused { tag, refusal: Refusal::new(RefusalKind::ALL[chance.below(10)], "no") }
            }
            (1..=3, Some(tag)) => Event::Created { tag, destination: Destination::queue("t").unwrap() },
            (4..=6, Some(tag)) => Event::Done { tag },
            (7, tag) => {
                self.tags.extend(tag);
                self.now.mono_ms += 700;
                self.call(|session, _, io| session.tick(io));
                return;
            }
            (_, tag) => {
                self.tags.extend(tag);
                self.delivery(chance)
            }
        };
        self.event(event);
    }

    fn delivery(&mut self, chance: &mut Chance) -> Event {
        let link = self.links.get(chance.below(4)).copied().unwrap_or(LinkId(9));
        self.delivered += 1;
        let mut envelope = Envelope::new(Destination::topic("t").unwrap());
        (envelope.id.epoch, envelope.id.number) = (1, self.delivered);
        let head: Vec<u8> = (0..chance.below(40)).map(|_| chance.byte()).collect();
        let native = Native {
            protocol: Protocol::ALL[chance.below(5)],
            layout: 1,
            head: head.into(),
            body: Bytes::from_static(b"bo\0dy"),
        };
        Event::Deliver(Delivery {
            link,
            id: DeliveryId { leg: 1, number: self.delivered },
            place: self.delivered,
            marks: Marks::default(),
            message: Arc::new(Message::new(envelope, native)),
        })
    }

    /// What was written are whole frames, none of them long.
    fn check_written(&mut self) {
        let version = match self.session.describe() {
            "STOMP 1.2" => Version::V1_2,
            "STOMP 1.1" => Version::V1_1,
            _ => Version::V1_0,
        };
        let mut written = BytesMut::new();
        while !self.out.is_empty() {
            let mut slices = [std::io::IoSlice::new(&[])];
            self.out.slices(&mut slices);
            written.extend_from_slice(&slices[0]);
            let length = slices[0].len();
            self.out.advance(length);
        }
        let mut decoder = Decoder::new(Side::Server, version);
        loop {
            let before = written.len();
            let frame = decoder.next(&mut written, &FrameLimits::OPEN).expect("frames");
            assert!(before - written.len() < 4096);
            match frame {
                Some(frame) => decoder.recycle(frame),
                None => break,
            }
        }
        assert!(written.is_empty(), "half a frame: {written:?}");
    }
}

#[test]
fn mutated_conversations_keep_to_the_limits() {
    for case in 1..=cases() {
        let mut chance = Chance(case.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let bytes = chance.conversation();
        let mut run = Run::new();
        let mut rest = &bytes[..];
        while !rest.is_empty() && !matches!(run.flow, Flow::Close(_)) {
            let (piece, after) = rest.split_at(1 + chance.below(rest.len().min(100)));
            rest = after;
            run.input.extend_from_slice(piece);
            run.read();
            for _ in 0..chance.below(4) {
                run.act(&mut chance);
            }
            run.listen();
            run.check_written();
        }
    }
}

#[test]
fn mutated_frames_are_read_the_same_in_any_pieces() {
    for case in 1..=cases() {
        let mut chance = Chance(case.wrapping_mul(0x2545_f491_4f6c_dd1d) | 1);
        let bytes = chance.conversation();
        for version in Version::ALL {
            let whole = read(&bytes, bytes.len(), version);
            assert_eq!(read(&bytes, 1 + chance.below(7), version), whole);
        }
    }
}

/// Chosen by a fuzzer that follows the coverage (`cargo bolero test -p keepmq-stomp any_bytes`), or else by chance.
#[test]
fn any_bytes() {
    bolero::check!().for_each(|bytes: &[u8]| {
        for version in Version::ALL {
            assert_eq!(read(bytes, 5, version), read(bytes, bytes.len(), version));
        }
        let mut run = Run::new();
        run.input.extend_from_slice(bytes);
        run.read();
        run.check_written();
    });
}

/// What the frames say and how it ends, read in pieces of this size.
fn read(bytes: &[u8], size: usize, version: Version) -> Vec<String> {
    let mut decoder = Decoder::new(Side::Client, version);
    let mut input = BytesMut::new();
    let mut said = Vec::new();
    for piece in bytes.chunks(size.max(1)) {
        input.extend_from_slice(piece);
        loop {
            match decoder.next(&mut input, &SMALL) {
                Ok(Some(frame)) => {
                    let headers: Vec<_> = frame.headers().collect();
                    said.push(format!("{:?} {headers:?} {:?}", frame.command(), frame.body()));
                }
                Ok(None) => break,
                Err(fault) => {
                    said.push(format!("{fault:?}"));
                    return said;
                }
            }
        }
    }
    said
}
