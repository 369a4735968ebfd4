//! Bytes that nobody should send. `KEEPMQ_FUZZ_CASES` says how many of each kind are tried.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "these are tests")]

#[path = "session/fake.rs"]
mod fake;

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use fake::{Fake, connect, delivery, message, subscribe, unsubscribe, welcome, wire};
use keepmq_model::{
    Delivery, DeliveryId, Destination, End, Envelope, Event, Flow, Marks, Message, Native, Protocol, Refusal,
    RefusalKind, Resumed, Tag, Verb,
};
use keepmq_mqtt::codec::{Connect, Header, Packet, Qos, Version, Will};
use keepmq_mqtt::{Limits, Options, RefusedPublish};
use proptest::prelude::*;
use proptest::sample::Index;

/// Whole packets are at most so long.
const LIMIT: u32 = 2048;

#[expect(
    clippy::disallowed_methods,
    reason = "how long to fuzz is the caller's choice"
)]
fn cases() -> ProptestConfig {
    let cases = std::env::var("KEEPMQ_FUZZ_CASES")
        .ok()
        .and_then(|cases| cases.parse().ok());
    ProptestConfig {
        cases: cases.unwrap_or(200),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

fn any_qos() -> impl Strategy<Value = Qos> {
    prop_oneof![
        Just(Qos::AtMostOnce),
        Just(Qos::AtLeastOnce),
        Just(Qos::ExactlyOnce)
    ]
}

/// What a client may well send.
fn packet() -> impl Strategy<Value = Vec<u8>> {
    let topic = prop_oneof![Just("a/b"), Just("a"), Just("x/y/z"), Just("$SYS/a")];
    let filter = prop_oneof![Just("a/b"), Just("#"), Just("+/b"), Just("a"), Just("a/#")];
    let id = 1u16..6;
    let body = proptest::collection::vec(any::<u8>(), 0..40);
    prop_oneof![
        4 => (topic, any_qos(), id.clone(), any::<bool>(), body).prop_map(|(topic, qos, id, flag, body)| {
            let mut packet = wire(topic, qos, id, &body);
            packet.id = packet.id.filter(|_| qos.is_answered());
            packet.retain = flag;
            packet.dup = flag && qos.is_answered();
            fake::bytes(&Packet::Publish(packet))
        }),
        3 => (id.clone(), 0..4usize).prop_map(|(id, which)| {
            let ack = fake::ack(id);
            let packets = [Packet::PubAck(ack), Packet::PubRec(ack), Packet::PubRel(ack), Packet::PubComp(ack)];
            fake::bytes(&packets[which])
        }),
        2 => (id.clone(), proptest::collection::vec((filter.clone(), any_qos()), 1..4))
            .prop_map(|(id, list)| subscribe(id, &list)),
        1 => (id, proptest::collection::vec(filter, 1..4)).prop_map(|(id, list)| unsubscribe(id, &list)),
        1 => Just(fake::bytes(&Packet::PingReq)),
    ]
}

fn any_connect() -> impl Strategy<Value = Vec<u8>> {
    (
        any::<bool>(),
        any::<bool>(),
        any_qos(),
        any::<bool>(),
        any::<u16>(),
    )
        .prop_map(|(clean_session, old, qos, with_will, keep_alive)| {
            let will = with_will.then_some(Will {
                topic: "w",
                payload: b"gone",
                qos,
                retain: clean_session,
            });
            let version = if old { Version::V31 } else { Version::V311 };
            fake::bytes(&Packet::Connect(Connect {
                version,
                clean_session,
                keep_alive,
                will,
                ..connect()
            }))
        })
}

/// How bytes are spoilt.
#[derive(Clone, Debug)]
enum Damage {
    Set(Index, u8),
    Flip(Index, u8),
    Insert(Index, Vec<u8>),
    Remove(Index, usize),
    Double(Index),
    Cut(Index),
}

fn damage() -> impl Strategy<Value = Damage> {
    let byte = prop_oneof![any::<u8>(), Just(0), Just(0x7f), Just(0x80), Just(0xff)];
    prop_oneof![
        (any::<Index>(), byte).prop_map(|(at, byte)| Damage::Set(at, byte)),
        (any::<Index>(), 0..8u8).prop_map(|(at, bit)| Damage::Flip(at, bit)),
        (any::<Index>(), proptest::collection::vec(any::<u8>(), 1..5))
            .prop_map(|(at, bytes)| Damage::Insert(at, bytes)),
        (any::<Index>(), 1..5usize).prop_map(|(at, count)| Damage::Remove(at, count)),
        any::<Index>().prop_map(Damage::Double),
        any::<Index>().prop_map(Damage::Cut),
    ]
}

impl Damage {
    fn apply(&self, bytes: &mut Vec<u8>) {
        if bytes.is_empty() {
            return;
        }
        let length = bytes.len();
        match self {
            Self::Set(at, byte) => bytes[at.index(length)] = *byte,
            Self::Flip(at, bit) => bytes[at.index(length)] ^= 1 << bit,
            Self::Insert(at, more) => {
                drop(bytes.splice(at.index(length)..at.index(length), more.iter().copied()));
            }
            Self::Remove(at, count) => {
                let start = at.index(length);
                bytes.drain(start..(start + count).min(length));
            }
            Self::Double(at) => bytes.extend_from_within(at.index(length)..),
            Self::Cut(at) => bytes.truncate(at.index(length)),
        }
    }
}

fn damaged(bytes: impl Strategy<Value = Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    (bytes, proptest::collection::vec(damage(), 0..4)).prop_map(|(mut bytes, damage)| {
        for damage in damage {
            damage.apply(&mut bytes);
        }
        bytes
    })
}

/// What can be read is written back as something that reads the same.
fn read_all(version: Version, mut bytes: &[u8]) {
    while let Ok(Some(header)) = Header::read(version, bytes, LIMIT as usize) {
        assert!(header.total() <= LIMIT as usize);
        let Some((whole, rest)) = bytes.split_at_checked(header.total()) else {
            return;
        };
        let Ok(packet) = Packet::decode(&header, &whole[header.start..]) else {
            return;
        };
        let mut again = BytesMut::new();
        packet.encode(&mut again);
        let header = Header::read(version, &again, LIMIT as usize + 16)
            .unwrap()
            .unwrap();
        assert_eq!(Packet::decode(&header, &again[header.start..]), Ok(packet));
        bytes = rest;
    }
}

/// One thing that happens to a session.
#[derive(Clone, Debug)]
enum Step {
    Bytes(Vec<u8>),
    /// An answer to one of the requests so far, or with a tag out of the air.
    Done(Index),
    Refused(Index, usize),
    Wild(u64, bool),
    Attached(Vec<(Vec<u8>, Vec<u8>)>),
    Deliver(DeliverStep),
    Slowed(bool),
    Welcome,
    Detached,
    Tick(u64),
}

#[derive(Clone, Debug)]
struct DeliverStep {
    place: u64,
    qos: Qos,
    name: &'static str,
    protocol: usize,
    redeliveries: u32,
    head: Vec<u8>,
}

fn deliver_step() -> impl Strategy<Value = DeliverStep> {
    let place = prop_oneof![0u64..10, 65_530u64..65_540, any::<u64>()];
    let name = prop_oneof![Just("a.b"), Just("a"), Just("a*b"), Just(".."), Just("x>y")];
    let head = proptest::collection::vec(any::<u8>(), 0..3);
    (place, any_qos(), name, 0..6usize, 0..2u32, head).prop_map(
        |(place, qos, name, protocol, redeliveries, head)| DeliverStep {
            place,
            qos,
            name,
            protocol,
            redeliveries,
            head,
        },
    )
}

fn step() -> impl Strategy<Value = Step> {
    let note = (
        proptest::collection::vec(any::<u8>(), 0..5),
        proptest::collection::vec(any::<u8>(), 0..10),
    );
    prop_oneof![
        12 => packet().prop_map(Step::Bytes),
        1 => damaged(packet()).prop_map(Step::Bytes),
        1 => proptest::collection::vec(any::<u8>(), 0..20).prop_map(Step::Bytes),
        10 => any::<Index>().prop_map(Step::Done),
        2 => (any::<Index>(), 0..10usize).prop_map(|(which, kind)| Step::Refused(which, kind)),
        1 => (any::<u64>(), any::<bool>()).prop_map(|(tag, done)| Step::Wild(tag, done)),
        1 => proptest::collection::vec(note, 0..4).prop_map(Step::Attached),
        8 => deliver_step().prop_map(Step::Deliver),
        1 => any::<bool>().prop_map(Step::Slowed),
        1 => Just(Step::Welcome),
        1 => (0u64..200_000).prop_map(Step::Tick),
    ]
}

fn delivered(step: &DeliverStep, number: u64) -> Delivery {
    let message = match Protocol::from_u8(u8::try_from(step.protocol).unwrap()) {
        None => message(step.name, step.qos, b"payload"),
        Some(protocol) => {
            let native = Native {
                protocol,
                layout: 7,
                head: Bytes::copy_from_slice(&step.head),
                body: Bytes::from_static(b"foreign"),
            };
            Arc::new(Message::new(
                Envelope::new(Destination::topic(step.name).unwrap()),
                native,
            ))
        }
    };
    Delivery {
        id: DeliveryId { leg: 0, number },
        place: step.place,
        marks: Marks {
            redeliveries: step.redeliveries,
            ..Marks::default()
        },
        ..delivery(number, message)
    }
}

struct Run {
    fake: Fake,
    tags: Vec<Tag>,
    number: u64,
    over: bool,
}

impl Run {
    fn take(&mut self, step: &Step) {
        let refusal = |kind: usize| Refusal::new(RefusalKind::ALL[kind], "no");
        let tag = |which: &Index| match self.tags.len() {
            0 => Tag(which.index(1 << 20) as u64),
            length => self.tags[which.index(length)],
        };
        let (fed, flow) = match step {
            Step::Bytes(bytes) => (bytes.len(), self.feed(&bytes.clone())),
            Step::Done(which) => (0, self.fake.done(tag(which))),
            Step::Refused(which, kind) => {
                let tag = (*kind != 0).then(|| tag(which));
                (
                    0,
                    self.fake.event(Event::Refused {
                        tag,
                        refusal: refusal(*kind),
                    }),
                )
            }
            Step::Wild(wild, true) => (0, self.fake.done(Tag(*wild))),
            Step::Wild(wild, false) => {
                let tag = Some(Tag(*wild));
                (
                    0,
                    self.fake.event(Event::Refused {
                        tag,
                        refusal: refusal(3),
                    }),
                )
            }
            Step::Attached(notes) => {
                let notes = notes
                    .iter()
                    .map(|(key, value)| (Bytes::from(key.clone()), Bytes::from(value.clone())));
                let resumed = Resumed {
                    filters: Vec::new(),
                    notes: notes.collect(),
                };
                let event = Event::Attached {
                    link: fake::LINK,
                    tag: Tag(0),
                    resumed: Some(Box::new(resumed)),
                };
                (0, self.fake.event(event))
            }
            Step::Deliver(step) => {
                self.number += 1;
                (0, self.fake.event(Event::Deliver(delivered(step, self.number))))
            }
            Step::Slowed(slowed) => {
                let why = slowed.then(|| refusal(6));
                (0, self.fake.event(Event::Slowed { why }))
            }
            Step::Welcome => (0, self.fake.event(welcome())),
            Step::Detached => {
                let event = Event::Detached {
                    link: fake::LINK,
                    refusal: refusal(3),
                };
                (0, self.fake.event(event))
            }
            Step::Tick(ms) => (0, self.fake.tick(*ms)),
        };
        self.check(fed, &flow);
    }

    /// A driver doesn't read on behind a pause or an end.
    fn feed(&mut self, bytes: &[u8]) -> Flow {
        if self.over {
            return Flow::Pause;
        }
        self.fake.feed(bytes)
    }

    fn check(&mut self, fed: usize, flow: &Flow) {
        let said = self.fake.said();
        let written = self.fake.written();
        if self.over {
            assert!(
                said.iter()
                    .all(|verb| matches!(verb, Verb::Settle(_) | Verb::Grant { .. })),
                "{said:?}"
            );
            assert!(written.is_empty());
        }
        // Nobody gets more answers than they sent requests: 4 bytes for 2 at most, and what was resumed or delivered.
        assert!(
            written.len() <= 4096 + 2 * fed,
            "{} bytes for {fed}",
            written.len()
        );
        fake::decode_all(&written);
        self.over |= matches!(flow, Flow::Close(_));
        self.tags.extend(said.iter().filter_map(tag_of));
    }
}

fn tag_of(verb: &Verb) -> Option<Tag> {
    match verb {
        Verb::Attach(attach) => Some(attach.tag),
        Verb::Bind(bind) => Some(bind.tag),
        Verb::Unbind { tag, .. } | Verb::Forget { tag, .. } => Some(*tag),
        Verb::Publish(publish) => publish.tag,
        Verb::Note(note) => note.tag,
        Verb::Login(_) | Verb::Grant { .. } | Verb::Settle(_) => None,
        other => panic!("{other:?}"),
    }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn any_bytes_are_read_without_harm(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        read_all(Version::V31, &bytes);
        read_all(Version::V311, &bytes);
    }

    #[test]
    fn damaged_packets_are_read_without_harm(bytes in damaged(prop_oneof![packet(), any_connect()])) {
        read_all(Version::V31, &bytes);
        read_all(Version::V311, &bytes);
    }

    #[test]
    fn a_damaged_connect_says_one_login_or_nothing(bytes in damaged(any_connect()), step in 1usize..20) {
        let mut fake = Fake::new(Options::default());
        let mut flow = Flow::Continue;
        for chunk in bytes.chunks(step) {
            flow = fake.feed(chunk);
            if flow != Flow::Continue { break }
        }
        let said = fake.said();
        let one = matches!(said[..], [Verb::Login(_)]);
        prop_assert_eq!(one, flow == Flow::Pause);
        prop_assert!(one || said.is_empty());
        prop_assert!(fake.written().len() <= 4);
        fake.end(End::Broken);
        fake.said_nothing();
    }

    #[test]
    fn a_session_survives_everything(
        connect in any_connect(),
        steps in proptest::collection::vec(step(), 0..150),
        silent in any::<bool>(),
        login in 0..3usize,
    ) {
        let options = Options {
            limits: Limits { max_packet: LIMIT, receive_maximum: 3, filters: 3, unanswered_filters: 2, unanswered_messages: 4 },
            refused_publish: if silent { RefusedPublish::AcknowledgeAndDrop } else { RefusedPublish::Close },
            window: 3,
            ..Options::default()
        };
        let mut run = Run { fake: Fake::new(options), tags: Vec::new(), number: 0, over: false };
        if login > 0 {
            run.take(&Step::Bytes(connect));
            run.take(&Step::Welcome);
            if login > 1 {
                let tag = run.tags.first().copied().unwrap();
                let flow = run.fake.done(tag);
                run.check(0, &flow);
                run.take(&Step::Attached(Vec::new()));
            }
        }
        for step in &steps {
            run.take(step);
        }
        run.take(&Step::Detached);
        run.fake.end(End::Broken);
        let said = run.fake.said();
        prop_assert!(said.len() <= 3, "{said:?}");
    }
}

/// What a packet claims costs nothing: ten thousand connections hold the beginning of a large packet.
#[test]
fn claimed_lengths_allocate_nothing() {
    let before = resident_kib();
    let mut fakes = Vec::new();
    for number in 0..10_000u32 {
        let mut fake = Fake::new(Options::default());
        assert_eq!(fake.feed(&[0x10, 0xf0, 0xff, 0x03]), Flow::Continue);
        let mut logged_in = Fake::clean(Options::default());
        assert_eq!(
            logged_in.feed(&[0x30, 0xff, 0xff, 0xff, 0x06, 0xff, 0xff]),
            Flow::Continue
        );
        fakes.push((number, fake, logged_in));
    }
    if let (Some(before), Some(after)) = (before, resident_kib()) {
        let each = (after.saturating_sub(before)) * 1024 / 20_000;
        assert!(each < 4096, "{each} bytes for each connection");
    }
    assert_eq!(fakes.len(), 10_000);
}

fn resident_kib() -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}
