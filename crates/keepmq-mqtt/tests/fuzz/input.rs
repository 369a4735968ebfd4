//! What is thrown at codec and session.

use keepmq_mqtt::codec::{Connect, Packet, Qos, Version, Will};
use proptest::prelude::*;
use proptest::sample::Index;

use crate::fake::{self, connect, subscribe, unsubscribe, wire};

pub(crate) fn any_qos() -> impl Strategy<Value = Qos> {
    prop_oneof![Just(Qos::AtMostOnce), Just(Qos::AtLeastOnce), Just(Qos::ExactlyOnce)]
}

/// What a client may well send.
pub(crate) fn packet() -> impl Strategy<Value = Vec<u8>> {
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

pub(crate) fn any_connect() -> impl Strategy<Value = Vec<u8>> {
    (any::<bool>(), any::<bool>(), any_qos(), any::<bool>(), any::<u16>()).prop_map(
        |(clean_session, old, qos, with_will, keep_alive)| {
            let will = with_will.then_some(Will { topic: "w", payload: b"gone", qos, retain: clean_session });
            let version = if old { Version::V31 } else { Version::V311 };
            fake::bytes(&Packet::Connect(Connect { version, clean_session, keep_alive, will, ..connect() }))
        },
    )
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

pub(crate) fn damaged(bytes: impl Strategy<Value = Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    (bytes, proptest::collection::vec(damage(), 0..4)).prop_map(|(mut bytes, damage)| {
        for damage in damage {
            damage.apply(&mut bytes);
        }
        bytes
    })
}

/// One thing that happens to a session.
#[derive(Clone, Debug)]
pub(crate) enum Step {
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
pub(crate) struct DeliverStep {
    pub(crate) place: u64,
    pub(crate) qos: Qos,
    pub(crate) name: &'static str,
    pub(crate) protocol: usize,
    pub(crate) redeliveries: u32,
    pub(crate) head: Vec<u8>,
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

pub(crate) fn step() -> impl Strategy<Value = Step> {
    let note = (proptest::collection::vec(any::<u8>(), 0..5), proptest::collection::vec(any::<u8>(), 0..10));
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
