//! Bytes that nobody should send. `KEEPMQ_FUZZ_CASES` says how many of each kind are tried.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "these are tests")]

#[path = "session/fake.rs"]
mod fake;
#[path = "fuzz/input.rs"]
mod input;

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use fake::{Fake, delivery, message, welcome};
use input::{DeliverStep, Step, any_connect, damaged, packet, step};
use keepmq_model::{
    Delivery, DeliveryId, Destination, End, Envelope, Event, Flow, Marks, Message, Native, Protocol, Refusal,
    RefusalKind, Resumed, Tag, Verb,
};
use keepmq_mqtt::codec::{Header, Packet, Version};
use keepmq_mqtt::{Limits, Options, RefusedPublish};
use proptest::prelude::*;
use proptest::sample::Index;

/// Whole packets are at most so long.
const LIMIT: u32 = 2048;

#[expect(clippy::disallowed_methods, reason = "how long to fuzz is the caller's choice")]
fn cases() -> ProptestConfig {
    let cases = std::env::var("KEEPMQ_FUZZ_CASES").ok().and_then(|cases| cases.parse().ok());
    ProptestConfig { cases: cases.unwrap_or(200), failure_persistence: None, ..ProptestConfig::default() }
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
        let header = Header::read(version, &again, LIMIT as usize + 16).unwrap().unwrap();
        assert_eq!(Packet::decode(&header, &again[header.start..]), Ok(packet));
        bytes = rest;
    }
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
            Arc::new(Message::new(Envelope::new(Destination::topic(step.name).unwrap()), native))
        }
    };
    Delivery {
        id: DeliveryId { leg: 0, number },
        place: step.place,
        marks: Marks { redeliveries: step.redeliveries, ..Marks::default() },
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
                (0, self.fake.event(Event::Refused { tag, refusal: refusal(*kind) }))
            }
            Step::Wild(wild, true) => (0, self.fake.done(Tag(*wild))),
            Step::Wild(wild, false) => {
                let tag = Some(Tag(*wild));
                (0, self.fake.event(Event::Refused { tag, refusal: refusal(3) }))
            }
            Step::Attached(notes) => {
                let notes =
                    notes.iter().map(|(key, value)| (Bytes::from(key.clone()), Bytes::from(value.clone())));
                let resumed = Resumed { filters: Vec::new(), notes: notes.collect() };
                let event =
                    Event::Attached { link: fake::LINK, tag: Tag(0), resumed: Some(Box::new(resumed)) };
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
                let event = Event::Detached { link: fake::LINK, refusal: refusal(3) };
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
            assert!(said.iter().all(|verb| matches!(verb, Verb::Settle(_) | Verb::Grant { .. })), "{said:?}");
            assert!(written.is_empty());
        }
        // Nobody gets more answers than they sent requests: 4 bytes for 2 at most, and what was resumed or delivered.
        assert!(written.len() <= 4096 + 2 * fed, "{} bytes for {fed}", written.len());
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

/// Chosen by a fuzzer that follows the coverage (`cargo bolero test -p keepmq-mqtt any_bytes`), or else by chance.
#[test]
fn any_bytes() {
    bolero::check!().for_each(|bytes: &[u8]| {
        read_all(Version::V31, bytes);
        read_all(Version::V311, bytes);
    });
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
        assert_eq!(logged_in.feed(&[0x30, 0xff, 0xff, 0xff, 0x06, 0xff, 0xff]), Flow::Continue);
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
