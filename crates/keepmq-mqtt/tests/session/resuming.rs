//! A session that is taken up again.

use bytes::Bytes;
use keepmq_model::{Delivery, Event, Filter, Flow, Kind, Marks, Pattern, Replay, Resumed, Verb};
use keepmq_mqtt::Options;
use keepmq_mqtt::codec::{ConnAck, ConnectCode, Packet, Publish as Wire, Qos};

use crate::fake::{Fake, ack, delivery, is_fault, message, wire};

fn filter(pattern: &str, option: u32) -> Filter {
    Filter {
        kind: Kind::Topic,
        pattern: Pattern::new(pattern).unwrap(),
        option,
        keep: true,
        no_local: false,
        replay: Replay::Always,
        selector: None,
    }
}

fn sent(id: u16, place: u64) -> (Bytes, Bytes) {
    let key = [&b"o"[..], &id.to_be_bytes()].concat();
    (key.into(), Bytes::copy_from_slice(&place.to_be_bytes()))
}

fn received(id: u16) -> (Bytes, Bytes) {
    let key = [&b"i"[..], &id.to_be_bytes()].concat();
    (key.into(), Bytes::new())
}

fn resumed(filters: Vec<Filter>, notes: Vec<(Bytes, Bytes)>) -> Fake {
    Fake::durable(Options::default(), Some(Resumed { filters, notes }))
}

fn again(number: u64, place: u64, qos: Qos) -> Event {
    Event::Deliver(Delivery {
        place,
        marks: Marks { redeliveries: 1, ..Marks::default() },
        ..delivery(number, message("t", qos, b"x"))
    })
}

fn welcome_back() -> Packet<'static> {
    Packet::ConnAck(ConnAck { session_present: true, code: ConnectCode::Accepted })
}

/// [MQTT-4.4.0-1]: unanswered messages come again under the same ids, with DUP.
#[test]
fn messages_come_again_as_they_were() {
    let mut fake = resumed(vec![filter("t", 2)], vec![]);
    fake.wrote(&[welcome_back()]);
    fake.events([again(1, 70_000, Qos::AtLeastOnce), again(2, 70_001, Qos::ExactlyOnce)]);
    let dup = |qos, id| Packet::Publish(Wire { dup: true, ..wire("t", qos, id, b"x") });
    fake.wrote(&[dup(Qos::AtLeastOnce, 4466), dup(Qos::ExactlyOnce, 4467)]);
}

/// [MQTT-4.4.0-1], [MQTT-4.6.0-4]: in the order of the messages, also across the end of the ids.
#[test]
fn pubrel_is_said_again_behind_connack() {
    let notes = vec![sent(1, 65_535), sent(2, 65_536), sent(65_535, 65_534)];
    let mut fake = resumed(vec![filter("t", 2)], notes);
    let rel = |id| Packet::PubRel(ack(id));
    fake.wrote(&[welcome_back(), rel(65_535), rel(1), rel(2)]);
    fake.said_nothing();
    // Whether the broker had settled them is known when something from behind them comes.
    fake.send(&Packet::PubComp(ack(1)));
    fake.said_nothing();
    fake.event(again(1, 70_000, Qos::AtLeastOnce));
    let Verb::Note(note) = fake.said_one() else { panic!() };
    assert_eq!((&note.key[..], note.value), (&b"o\0\x01"[..], None));
    fake.send(&Packet::PubComp(ack(2)));
    let Verb::Note(note) = fake.said_one() else { panic!() };
    assert_eq!((&note.key[..], note.value), (&b"o\0\x02"[..], None));
}

/// The broker stopped between the note and the settlement: the client has the message, so it isn't sent again.
#[test]
fn a_message_that_the_client_has_is_settled_and_not_sent() {
    let mut fake = resumed(vec![filter("t", 2)], vec![sent(12, 11)]);
    fake.written();
    fake.events([again(1, 10, Qos::ExactlyOnce), again(2, 11, Qos::ExactlyOnce)]);
    let packet = Wire { dup: true, ..wire("t", Qos::ExactlyOnce, 11, b"x") };
    fake.wrote(&[Packet::Publish(packet)]);
    assert_eq!(fake.settled(), [(0, 2, 2)]);
}

/// [MQTT-4.3.3-2]: a message that was sent and not released on the old connection is not published twice.
#[test]
fn a_copy_of_a_message_received_before_is_known() {
    let mut fake = resumed(vec![], vec![received(7)]);
    fake.written();
    let packet = Packet::Publish(Wire { dup: true, ..wire("t", Qos::ExactlyOnce, 7, b"x") });
    assert_eq!(fake.send(&packet), Flow::Continue);
    fake.said_nothing();
    fake.wrote(&[Packet::PubRec(ack(7))]);
    fake.send(&Packet::PubRel(ack(7)));
    let Verb::Note(note) = fake.said_one() else { panic!() };
    assert_eq!((&note.key[..], &note.value), (&b"i\0\x07"[..], &None));
    fake.done(note.tag.unwrap());
    fake.wrote(&[Packet::PubComp(ack(7))]);
}

/// And PUBCOMP may come before the message does.
#[test]
fn a_message_that_the_client_is_done_with_is_settled_and_not_sent() {
    // Whatever QoS it would come with now.
    for option in 0..3 {
        let mut fake = resumed(vec![filter("t", option)], vec![sent(12, 11)]);
        fake.send(&Packet::PubComp(ack(12)));
        fake.written();
        fake.said_nothing();
        fake.event(again(1, 11, Qos::ExactlyOnce));
        assert_eq!(fake.written(), []);
        let said = fake.said();
        assert!(matches!(said[..], [Verb::Settle(_), Verb::Note(_)]), "{said:?}");
    }
}

#[test]
fn an_id_noted_as_sent_is_in_use() {
    let mut fake = resumed(vec![filter("t", 2)], vec![sent(12, 11)]);
    fake.written();
    fake.event(again(1, 11 + 65_535, Qos::AtLeastOnce));
    fake.send(&Packet::PubComp(ack(12)));
    let Verb::Note(note) = fake.said_one() else { panic!() };
    // It is free when the note is gone.
    assert_eq!(fake.written(), []);
    fake.done(note.tag.unwrap());
    assert!(!fake.written().is_empty());
    // The other way round it is the coming message that makes sure.
    let mut fake = resumed(vec![filter("t", 2)], vec![sent(12, 11)]);
    fake.send(&Packet::PubComp(ack(12)));
    fake.written();
    fake.event(again(1, 11 + 65_535, Qos::AtLeastOnce));
    let Verb::Note(note) = fake.said_one() else { panic!() };
    assert_eq!(fake.written(), []);
    fake.done(note.tag.unwrap());
    assert!(!fake.written().is_empty());
    let mut fake = resumed(vec![filter("t", 2)], vec![sent(12, 11)]);
    is_fault(&fake.send(&Packet::PubAck(ack(12))), "does not answer");
}

#[test]
fn notes_that_cannot_be_read_do_no_harm() {
    let odd = |key: &'static [u8], value: &'static [u8]| (Bytes::from_static(key), Bytes::from_static(value));
    let notes = vec![odd(b"", b""), odd(b"i\0\0", b""), odd(b"o\0\x05", b"short"), odd(b"z\0\x01", b"")];
    let mut fake = resumed(vec![filter("t", 99)], notes);
    fake.wrote(&[welcome_back(), Packet::PubRel(ack(5))]);
}
