//! Messages to the client.

use std::sync::Arc;

use bytes::Bytes;
use keepmq_model::{
    Body, Delivery, DeliveryId, Destination, Envelope, Event, Flow, Format, Formats, Marks, Message, Native,
    Note, Protocol, Verb, View,
};
use keepmq_mqtt::codec::{Packet, PacketType, Publish as Wire, Qos};
use keepmq_mqtt::{MqttFormat, Options};

use crate::fake::{Fake, LINK, ack, deliver, delivery, is_fault, message, types, wire};

const Q0: Qos = Qos::AtMostOnce;
const Q1: Qos = Qos::AtLeastOnce;
const Q2: Qos = Qos::ExactlyOnce;

fn options() -> Options {
    Options::default()
}

fn with_window(window: u16) -> Options {
    Options { window, ..options() }
}

fn clean(options: Options, filters: &[(&str, Qos)]) -> Fake {
    Fake::clean(options).subscribed(filters)
}

fn durable(options: Options, filters: &[(&str, Qos)]) -> Fake {
    let mut fake = Fake::durable(options, None);
    fake.written();
    fake.subscribed(filters)
}

fn publish<'a>(topic: &'a str, qos: Qos, number: u16, payload: &'a [u8]) -> Packet<'a> {
    Packet::Publish(wire(topic, qos, number, payload))
}

/// [MQTT-3.8.4-6]: the lower of what was published and what was granted.
#[test]
fn the_lower_qos_counts() {
    for sent in [Q0, Q1, Q2] {
        for granted in [Q0, Q1, Q2] {
            let mut fake = clean(options(), &[("a/b", granted)]);
            fake.event(deliver(4, message("a.b", sent, b"hi")));
            let qos = sent.min(granted);
            let number = if qos == Q0 { 0 } else { 5 };
            fake.wrote(&[publish("a/b", qos, number, b"hi")]);
        }
    }
}

/// [MQTT-3.3.2-3]
#[test]
fn the_topic_is_the_other_name_of_the_destination() {
    let mut fake = clean(options(), &[("#", Q0)]);
    fake.event(deliver(1, message("a/b.c.ä", Q0, b"")));
    fake.wrote(&[publish("a.b/c/ä", Q0, 0, b"")]);
}

/// [MQTT-3.3.5-1]
#[test]
fn overlapping_filters_give_one_copy_of_the_highest_qos() {
    let mut fake = clean(options(), &[("a/b", Q0), ("a/+", Q1), ("x", Q2)]);
    fake.event(deliver(1, message("a.b", Q2, b"")));
    fake.wrote(&[publish("a/b", Q1, 2, b"")]);
}

/// [MQTT-3.3.1-8], [MQTT-3.3.1-9], [MQTT-3.3.1-1], [MQTT-3.3.1-2], [MQTT-3.3.1-3]
#[test]
fn marks_become_flags() {
    let mut fake = clean(options(), &[("t", Q1)]);
    for (number, (qos, redeliveries, retained)) in
        [(Q0, 0, true), (Q0, 3, false), (Q1, 1, true), (Q1, 0, false)].into_iter().enumerate()
    {
        let number = number as u64 + 1;
        let marks = Marks { redeliveries, retained, ..Marks::default() };
        fake.event(Event::Deliver(Delivery { marks, ..delivery(number, message("t", qos, b"")) }));
        let packet = Wire {
            dup: qos == Q1 && redeliveries > 0,
            retain: retained,
            ..wire("t", qos, if qos == Q1 { u16::try_from(number).unwrap() + 1 } else { 0 }, b"")
        };
        fake.wrote(&[Packet::Publish(packet)]);
    }
}

/// The publisher's own DUP and retain flags are not passed on [MQTT-3.3.1-3].
#[test]
fn the_publishers_flags_are_not_passed_on() {
    let mut sender = Fake::clean(options());
    let packet = Wire { dup: true, retain: true, ..wire("t", Q1, 1, b"x") };
    sender.send(&Packet::Publish(packet));
    let message = Arc::clone(&sender.published().message);
    let mut fake = clean(options(), &[("t", Q1)]);
    fake.event(deliver(1, message));
    fake.wrote(&[publish("t", Q1, 2, b"x")]);
}

#[test]
fn small_and_large_payloads_arrive_whole() {
    let mut fake = clean(options(), &[("t", Q1)]);
    for (number, length) in [0, 1, 127, 128, 8191, 8192, 100_000].into_iter().enumerate() {
        let payload = vec![b'x'; length];
        let number = u16::try_from(number + 1).unwrap();
        fake.events([
            deliver(u64::from(number), message("t", Q1, &payload)),
            deliver(u64::from(number) + 100, message("t", Q0, b"next")),
        ]);
        fake.wrote(&[publish("t", Q1, number + 1, &payload), publish("t", Q0, 0, b"next")]);
    }
}

/// [MQTT-3.3.2-2]: a name that would be a filter never reaches a client, and costs it nothing.
#[test]
fn a_name_that_is_no_topic_is_passed_over() {
    for name in ["a*b", "x.y>z", "*a.b"] {
        let mut fake = durable(options(), &[("#", Q1)]);
        fake.event(deliver(1, message(name, Q1, b"")));
        assert_eq!(fake.written(), []);
        assert_eq!(fake.settled(), [(0, 1, 1)]);
        let mut fake = clean(options(), &[("#", Q1)]);
        fake.event(deliver(1, message(name, Q1, b"")));
        assert_eq!(fake.written(), []);
        assert_eq!(fake.granted(), 1);
    }
}

#[test]
fn without_a_filter_nothing_is_sent() {
    let mut fake = Fake::durable(options(), None);
    fake.written();
    fake.event(deliver(1, message("a", Q1, b"")));
    assert_eq!(fake.written(), []);
    assert_eq!(fake.settled(), [(0, 1, 1)]);
}

/// Retained messages may come before the filter's own answer.
#[test]
fn a_filter_counts_from_the_moment_of_asking() {
    let mut fake = Fake::clean(options());
    fake.feed(&crate::fake::subscribe(1, &[("a", Q1)]));
    let binds = fake.bound();
    fake.event(deliver(1, message("a", Q1, b"kept")));
    fake.wrote(&[publish("a", Q1, 2, b"kept")]);
    fake.done(binds[0].tag);
    assert_eq!(types(&fake.written()), [PacketType::SubAck]);
}

#[test]
fn qos_0_of_a_durable_session_is_settled_at_once() {
    let mut fake = durable(options(), &[("t", Q0)]);
    fake.events((1..=5).map(|number| deliver(number, message("t", Q1, b""))));
    assert_eq!(fake.settled(), [(0, 1, 5)]);
}

/// [MQTT-4.3.2-1], [MQTT-4.6.0-5]
#[test]
fn qos_1_of_a_durable_session_is_settled_by_puback() {
    let mut fake = durable(options(), &[("t", Q1)]);
    fake.events((1..=5).map(|number| deliver(number, message("t", Q1, b""))));
    fake.said_nothing();
    let acks = |numbers: &[u16]| -> Vec<u8> {
        let each = numbers.iter().map(|number| Packet::PubAck(ack(number + 1)));
        each.flat_map(|packet| crate::fake::bytes(&packet)).collect()
    };
    fake.feed(&acks(&[1, 2]));
    assert_eq!(fake.settled(), [(0, 1, 2)]);
    fake.feed(&acks(&[5, 3, 4]));
    assert_eq!(fake.settled(), [(0, 3, 5)]);
    fake.feed(&acks(&[3]));
    fake.said_nothing();
}

#[test]
fn what_was_acknowledged_is_settled_even_when_the_connection_ends() {
    let mut fake = durable(options(), &[("t", Q1)]);
    fake.event(deliver(1, message("t", Q1, b"")));
    let mut input = crate::fake::bytes(&Packet::PubAck(ack(2)));
    input.extend_from_slice(&[0xe0, 0]);
    assert!(matches!(fake.feed(&input), Flow::Close(_)));
    assert_eq!(fake.settled(), [(0, 1, 1)]);
}

#[test]
fn credit_comes_back_for_what_was_written() {
    let mut fake = clean(with_window(8), &[("t", Q0)]);
    fake.events((1..=8).map(|number| deliver(number, message("t", Q0, b""))));
    assert_eq!(fake.granted(), 8);
}

/// It is said when a quarter of the window has gathered or nothing is under way.
#[test]
fn credit_for_acknowledged_messages_is_gathered() {
    let mut fake = clean(with_window(8), &[("t", Q1)]);
    fake.events((1..=4).map(|number| deliver(number, message("t", Q1, b""))));
    fake.said_nothing();
    fake.send(&Packet::PubAck(ack(2)));
    fake.said_nothing();
    fake.send(&Packet::PubAck(ack(3)));
    assert_eq!(fake.granted(), 2);
    fake.send(&Packet::PubAck(ack(4)));
    fake.said_nothing();
    fake.send(&Packet::PubAck(ack(5)));
    assert_eq!(fake.granted(), 2);
}

/// [MQTT-4.3.3-1]
#[test]
fn qos_2_of_a_clean_session_is_led_through_its_handshake() {
    let mut fake = clean(with_window(4), &[("t", Q2)]);
    fake.event(deliver(1, message("t", Q2, b"")));
    fake.wrote(&[publish("t", Q2, 2, b"")]);
    for _ in 0..2 {
        fake.send(&Packet::PubRec(ack(2)));
        fake.wrote(&[Packet::PubRel(ack(2))]);
        fake.said_nothing();
    }
    fake.send(&Packet::PubComp(ack(2)));
    assert_eq!(fake.granted(), 1);
    fake.send(&Packet::PubComp(ack(2)));
    fake.said_nothing();
    assert_eq!(fake.written(), []);
}

/// The note is said before the settlement, and PUBREL when it is safe.
#[test]
fn qos_2_of_a_durable_session_is_noted() {
    let mut fake = durable(options(), &[("t", Q2)]);
    fake.event(deliver(0x1233, message("t", Q2, b"")));
    fake.wrote(&[publish("t", Q2, 0x1234, b"")]);
    fake.said_nothing();
    fake.send(&Packet::PubRec(ack(0x1234)));
    let said = fake.said();
    let [Verb::Note(note), Verb::Settle(settle)] = &said[..] else { panic!("{said:?}") };
    assert_eq!((&note.key[..], note.link), (&[b'o', 0x12, 0x34][..], LINK));
    assert_eq!(note.value.as_deref(), Some(&0x1233u64.to_be_bytes()[..]));
    assert_eq!((settle.from, settle.through), (0x1233, 0x1233));
    assert_eq!(fake.written(), []);
    fake.done(note.tag.unwrap());
    fake.wrote(&[Packet::PubRel(ack(0x1234))]);
    fake.send(&Packet::PubRec(ack(0x1234)));
    fake.wrote(&[Packet::PubRel(ack(0x1234))]);
    fake.said_nothing();
    fake.send(&Packet::PubComp(ack(0x1234)));
    let Verb::Note(Note { key, value: None, tag: Some(_), .. }) = fake.said_one() else { panic!() };
    assert_eq!(key[..], [b'o', 0x12, 0x34]);
}

/// A client that says PUBREC for everything and PUBCOMP for nothing gets no more than two windows.
#[test]
fn unfinished_handshakes_are_bounded() {
    let mut fake = durable(with_window(2), &[("t", Q2)]);
    fake.events((1..=4).map(|number| deliver(number, message("t", Q2, b""))));
    fake.written();
    let mut settled = 0;
    for number in 2..=5 {
        fake.send(&Packet::PubRec(ack(number)));
        for verb in fake.said() {
            match verb {
                Verb::Note(note) => drop(fake.done(note.tag.unwrap())),
                Verb::Settle(_) => settled += 1,
                other => panic!("{other:?}"),
            }
        }
    }
    assert_eq!(settled, 2);
    fake.send(&Packet::PubComp(ack(5)));
    let said = fake.said();
    assert!(matches!(said[..], [Verb::Settle(_), Verb::Note(_)]), "{said:?}");
}

#[test]
fn a_wrong_answer_is_a_fault() {
    for (qos, packet) in [
        (Q1, Packet::PubRec(ack(2))),
        (Q1, Packet::PubComp(ack(2))),
        (Q2, Packet::PubAck(ack(2))),
        (Q2, Packet::PubComp(ack(2))),
    ] {
        let mut fake = clean(options(), &[("t", qos)]);
        fake.event(deliver(1, message("t", qos, b"")));
        is_fault(&fake.send(&packet), "does not answer");
    }
}

/// [MQTT-2.3.1-4]: an id is given to one message at a time, and nothing overtakes the one that waits [MQTT-4.6.0-6].
#[test]
fn a_delivery_waits_while_its_id_is_in_use() {
    let mut fake = durable(options(), &[("t", Q1)]);
    let at = |number: u64, place: u64, qos| {
        Event::Deliver(Delivery { place, ..delivery(number, message("t", qos, b"")) })
    };
    fake.events([at(1, 7, Q1), at(2, 7 + 65_535, Q1), at(3, 7 + 65_536, Q0), at(4, 7 + 65_537, Q1)]);
    fake.wrote(&[publish("t", Q1, 8, b"")]);
    fake.said_nothing();
    fake.send(&Packet::PubAck(ack(8)));
    fake.wrote(&[publish("t", Q1, 8, b""), publish("t", Q0, 0, b""), publish("t", Q1, 10, b"")]);
    assert_eq!(fake.settled(), [(0, 1, 1), (0, 3, 3)]);
    fake.send(&Packet::PubAck(ack(8)));
    assert_eq!(fake.settled(), [(0, 2, 2)]);
}

/// [MQTT-2.3.1-1], [MQTT-4.4.0-1]
#[test]
fn ids_follow_from_places() {
    let mut fake = clean(options(), &[("t", Q1)]);
    for (number, (place, wanted)) in
        [(0, 1), (65_534, 65_535), (131_070, 1), (u64::MAX, 1)].into_iter().enumerate()
    {
        let delivery = Delivery {
            place,
            id: DeliveryId { leg: 0, number: number as u64 + 1 },
            ..delivery(1, message("t", Q1, b""))
        };
        fake.event(Event::Deliver(delivery));
        fake.wrote(&[publish("t", Q1, wanted, b"")]);
        fake.send(&Packet::PubAck(ack(wanted)));
    }
}

struct Foreign;

impl Format for Foreign {
    fn protocol(&self) -> Protocol {
        Protocol::Amqp
    }

    fn view(&self, _: &Envelope, native: &Native) -> View {
        View {
            body: Body::Text(String::from_utf8_lossy(&native.body).to_uppercase().into()),
            ..View::default()
        }
    }
}

static FORMATS: &[&dyn Format] = &[&MqttFormat, &Foreign];

#[test]
fn a_message_of_another_protocol_is_rendered_and_comes_with_qos_1_at_most() {
    for (granted, number) in [(Q0, 0), (Q1, 2), (Q2, 2)] {
        let options = Options { formats: Formats::new(FORMATS), ..options() };
        let mut fake = clean(options, &[("t", granted)]);
        let native = Native {
            protocol: Protocol::Amqp,
            layout: 9,
            head: Bytes::new(),
            body: Bytes::from_static(b"hello"),
        };
        let message = Message::new(Envelope::new(Destination::topic("t").unwrap()), native);
        fake.event(deliver(1, Arc::new(message)));
        fake.wrote(&[publish("t", granted.min(Q1), number, b"HELLO")]);
    }
}
