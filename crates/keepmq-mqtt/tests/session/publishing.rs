//! Messages from the client.

use bytes::Bytes;
use keepmq_model::{DEFAULT_PRIORITY, Event, Flow, Note, Protocol, Publish, RefusalKind, Retain, Tag, Verb};
use keepmq_mqtt::codec::{Ack, Packet, Publish as Wire, Qos};
use keepmq_mqtt::{Limits, Options, RefusedPublish};

use crate::fake::{Fake, ack, bytes, is_fault, wire};

fn options() -> Options {
    Options::default()
}

fn send(fake: &mut Fake, packet: Wire<'_>) -> Publish {
    assert_eq!(fake.send(&Packet::Publish(packet)), Flow::Continue);
    fake.published()
}

fn tag(publish: &Publish) -> Tag {
    publish.tag.unwrap()
}

fn done(publish: &Publish) -> Event {
    Event::Done { tag: tag(publish) }
}

/// [MQTT-4.3.1-1]
#[test]
fn qos_0_is_published_and_not_answered() {
    let mut fake = Fake::clean(options());
    let publish = send(&mut fake, wire("a/b.c", Qos::AtMostOnce, 0, b"hello"));
    assert_eq!((publish.tag, publish.retain, publish.tx), (None, Retain::No, None));
    assert!(publish.also.is_empty() && publish.note.is_none());
    let envelope = &publish.message.envelope;
    assert_eq!(envelope.destination.to_string(), "topic://a.b/c");
    assert_eq!((envelope.durable, envelope.priority, envelope.expires_ms), (false, DEFAULT_PRIORITY, 0));
    let native = &publish.message.native;
    assert_eq!((native.protocol, native.layout), (Protocol::Mqtt, 1));
    assert_eq!((&native.head[..], &native.body[..]), (&[0][..], &b"hello"[..]));
    assert_eq!(fake.written(), []);
}

/// [MQTT-3.3.4-1], [MQTT-4.3.2-2], [MQTT-2.3.1-6]
#[test]
fn qos_1_is_answered_when_it_is_safe() {
    let mut fake = Fake::clean(options());
    let publish = send(&mut fake, wire("t", Qos::AtLeastOnce, 7, b"x"));
    assert!(publish.message.envelope.durable);
    assert_eq!(publish.message.native.head[..], [1]);
    assert_eq!(fake.written(), []);
    assert_eq!(fake.event(done(&publish)), Flow::Continue);
    fake.wrote(&[Packet::PubAck(ack(7))]);
    // A second answer means nothing.
    fake.event(done(&publish));
    assert_eq!(fake.written(), []);
}

/// [MQTT-4.6.0-2]
#[test]
fn answers_are_written_in_the_order_of_the_messages() {
    let mut fake = Fake::clean(options());
    let one = send(&mut fake, wire("t", Qos::AtLeastOnce, 3, b""));
    let two = send(&mut fake, wire("t", Qos::ExactlyOnce, 2, b""));
    let three = send(&mut fake, wire("t", Qos::AtLeastOnce, 1, b""));
    fake.events([done(&three), done(&two)]);
    assert_eq!(fake.written(), []);
    fake.event(done(&one));
    fake.wrote(&[Packet::PubAck(ack(3)), Packet::PubRec(ack(2)), Packet::PubAck(ack(1))]);
}

/// [MQTT-3.3.1-1] is the client's; to the server a copy of `QoS` 1 is one more message [MQTT-4.3.2-2].
#[test]
fn an_id_used_again_while_it_is_in_use_is_answered_as_often() {
    let mut fake = Fake::clean(options());
    let one = send(&mut fake, wire("t", Qos::AtLeastOnce, 7, b"1"));
    let two = send(&mut fake, wire("t", Qos::AtLeastOnce, 7, b"2"));
    assert_ne!(tag(&one), tag(&two));
    fake.events([done(&one), done(&two)]);
    fake.wrote(&[Packet::PubAck(ack(7)), Packet::PubAck(ack(7))]);
}

/// [MQTT-3.3.1-5], [MQTT-3.3.1-10], [MQTT-3.3.1-11], [MQTT-3.3.1-12]
#[test]
fn the_retain_flag_tells_the_topic_what_to_keep() {
    let mut fake = Fake::clean(options());
    for (retain, payload, wanted) in [
        (true, &b"x"[..], Retain::Keep),
        (true, b"", Retain::Clear),
        (false, b"x", Retain::No),
        (false, b"", Retain::No),
    ] {
        for qos in [Qos::AtMostOnce, Qos::AtLeastOnce, Qos::ExactlyOnce] {
            let packet = Wire { retain, ..wire("t", qos, qos as u16, payload) };
            let publish = send(&mut fake, packet);
            assert_eq!(publish.retain, wanted);
            let Some(tag) = publish.tag else { continue };
            fake.done(tag);
            fake.send(&Packet::PubRel(ack(2)));
        }
    }
}

/// [MQTT-3.3.2-1], [MQTT-3.3.2-2], [MQTT-4.7.3-1], [MQTT-2.3.1-1]
#[test]
fn messages_for_no_topic_are_faults() {
    for (topic, words) in [("a/+", "wildcard"), ("#", "wildcard"), ("", "empty"), ("a\n", "control")] {
        let mut fake = Fake::clean(options());
        is_fault(&fake.send(&Packet::Publish(wire(topic, Qos::AtMostOnce, 0, b""))), words);
        fake.said_nothing();
    }
    let mut fake = Fake::clean(options());
    is_fault(&fake.feed(&[0x32, 5, 0, 1, b't', 0, 0]), "packet id 0");
    let mut fake = Fake::clean(options());
    is_fault(&fake.feed(&[0x36, 5, 0, 1, b't', 0, 1]), "no QoS 3"); // [MQTT-3.3.1-4]
    let mut fake = Fake::clean(options());
    is_fault(&fake.feed(&[0x30, 4, 0, 2, 0xff, 0xff]), "UTF-8");
}

#[test]
fn a_fault_stops_at_its_packet() {
    let mut fake = Fake::clean(options());
    let mut input = bytes(&Packet::Publish(wire("good", Qos::AtMostOnce, 0, b"")));
    input.extend(bytes(&Packet::Publish(wire("#", Qos::AtMostOnce, 0, b""))));
    input.extend(bytes(&Packet::Publish(wire("late", Qos::AtMostOnce, 0, b""))));
    is_fault(&fake.feed(&input), "wildcard");
    assert_eq!(fake.published().message.envelope.destination.name(), "good");
    assert_eq!(fake.feed(&[]), Flow::Pause);
    fake.said_nothing();
}

#[test]
fn messages_are_read_however_they_are_cut() {
    let large = vec![b'x'; 5000];
    let mut input = bytes(&Packet::Publish(wire("a", Qos::AtMostOnce, 0, b"")));
    input.extend(bytes(&Packet::Publish(wire("b", Qos::AtLeastOnce, 1, &large))));
    input.extend(bytes(&Packet::Publish(wire("c", Qos::AtMostOnce, 0, b"end"))));
    for step in [1, 2, 3, 7, 100, 4096, input.len()] {
        let mut fake = Fake::clean(options());
        for chunk in input.chunks(step) {
            assert_eq!(fake.feed(chunk), Flow::Continue);
        }
        let bodies: Vec<Bytes> = fake
            .said()
            .into_iter()
            .map(|verb| match verb {
                Verb::Publish(publish) => publish.message.native.body.clone(),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(bodies, [&b""[..], &large, b"end"]);
        assert!(fake.input.is_empty());
    }
}

#[test]
fn a_busy_topic_is_one_destination() {
    let mut fake = Fake::clean(options());
    let one = send(&mut fake, wire("a/b", Qos::AtMostOnce, 0, b""));
    let two = send(&mut fake, wire("a/b", Qos::AtMostOnce, 0, b""));
    assert!(one.message.envelope.destination.is_same(&two.message.envelope.destination));
}

/// A message that was not taken is not acknowledged: the connection ends [MQTT-3.3.5-2], [MQTT-4.8.0-2].
#[test]
fn a_refused_message_ends_the_connection() {
    for kind in RefusalKind::ALL {
        for (qos, number) in [(Qos::AtMostOnce, 0), (Qos::AtLeastOnce, 1), (Qos::ExactlyOnce, 1)] {
            let mut fake = Fake::clean(options());
            let publish = send(&mut fake, wire("t", qos, number, b""));
            is_fault(&fake.refuse(publish.tag, kind), "no");
            assert_eq!(fake.written(), []);
        }
    }
}

/// The other choice of [MQTT-3.3.5-2].
#[test]
fn a_missing_right_may_be_hidden_from_the_client() {
    let options = Options { refused_publish: RefusedPublish::AcknowledgeAndDrop, ..options() };
    for kind in RefusalKind::ALL {
        let mut fake = Fake::clean(options);
        let publish = send(&mut fake, wire("t", Qos::AtLeastOnce, 1, b""));
        let flow = fake.refuse(publish.tag, kind);
        if kind == RefusalKind::Forbidden {
            assert_eq!(flow, Flow::Continue);
            fake.wrote(&[Packet::PubAck(ack(1))]);
        } else {
            is_fault(&flow, "no");
        }
    }
    let mut fake = Fake::durable(options, None);
    fake.written();
    send(&mut fake, wire("t", Qos::AtMostOnce, 0, b""));
    assert_eq!(fake.refuse(None, RefusalKind::Forbidden), Flow::Continue);
    // Of a dropped message nothing was noted, so nothing is to be removed.
    let publish = send(&mut fake, wire("t", Qos::ExactlyOnce, 2, b""));
    assert_eq!(fake.refuse(publish.tag, RefusalKind::Forbidden), Flow::Continue);
    fake.wrote(&[Packet::PubRec(ack(2))]);
    fake.send(&Packet::PubRel(ack(2)));
    fake.said_nothing();
    fake.wrote(&[Packet::PubComp(ack(2))]);
}

/// [MQTT-4.3.3-2], [MQTT-4.6.0-3]
#[test]
fn qos_2_of_a_clean_session_is_led_through_its_handshake() {
    let mut fake = Fake::clean(options());
    let packet = || wire("t", Qos::ExactlyOnce, 7, b"x");
    let publish = send(&mut fake, packet());
    assert!(publish.note.is_none() && publish.message.envelope.durable);
    assert_eq!(fake.written(), []);
    // A copy before PUBREC is not a message.
    fake.send(&Packet::Publish(Wire { dup: true, ..packet() }));
    fake.said_nothing();
    fake.event(done(&publish));
    fake.wrote(&[Packet::PubRec(ack(7))]);
    // Nor is one after it, but it is answered.
    fake.send(&Packet::Publish(Wire { dup: true, ..packet() }));
    fake.said_nothing();
    fake.wrote(&[Packet::PubRec(ack(7))]);
    fake.send(&Packet::PubRel(ack(7)));
    fake.wrote(&[Packet::PubComp(ack(7))]);
    // Released ids are free, and a second PUBREL is answered like the first.
    fake.send(&Packet::PubRel(ack(7)));
    fake.wrote(&[Packet::PubComp(ack(7))]);
    fake.said_nothing();
    send(&mut fake, packet());
}

/// A copy is answered in its turn [MQTT-4.6.0-3].
#[test]
fn a_copy_does_not_overtake() {
    let mut fake = Fake::clean(options());
    let one = send(&mut fake, wire("t", Qos::ExactlyOnce, 1, b""));
    fake.event(done(&one));
    fake.written();
    let two = send(&mut fake, wire("t", Qos::ExactlyOnce, 2, b""));
    fake.send(&Packet::Publish(wire("t", Qos::ExactlyOnce, 1, b"")));
    assert_eq!(fake.written(), []);
    fake.event(done(&two));
    fake.wrote(&[Packet::PubRec(ack(2)), Packet::PubRec(ack(1))]);
}

#[test]
fn qos_2_of_a_durable_session_is_noted_with_its_message() {
    let mut fake = Fake::durable(options(), None);
    fake.written();
    let publish = send(&mut fake, wire("t", Qos::ExactlyOnce, 0x1234, b"x"));
    let Some(note) = &publish.note else { panic!() };
    assert_eq!(note.key[..], [b'i', 0x12, 0x34]);
    assert_eq!((note.value.as_deref(), note.tag), (Some(&b""[..]), None));
    fake.event(done(&publish));
    fake.wrote(&[Packet::PubRec(ack(0x1234))]);
    fake.send(&Packet::PubRel(ack(0x1234)));
    let Verb::Note(Note { key, value: None, tag: Some(tag), .. }) = fake.said_one() else { panic!() };
    assert_eq!(key[..], [b'i', 0x12, 0x34]);
    // PUBCOMP says that the id may be used again, so it must be forgotten first.
    assert_eq!(fake.written(), []);
    fake.send(&Packet::PubRel(ack(0x1234)));
    fake.said_nothing();
    fake.done(tag);
    fake.wrote(&[Packet::PubComp(ack(0x1234))]);
    fake.done(tag);
    assert_eq!(fake.written(), []);
}

#[test]
fn qos_0_and_1_of_a_durable_session_need_no_note() {
    let mut fake = Fake::durable(options(), None);
    for (qos, number) in [(Qos::AtMostOnce, 0), (Qos::AtLeastOnce, 1)] {
        assert!(send(&mut fake, wire("t", qos, number, b"")).note.is_none());
    }
}

/// [MQTT-2.3.1-2]
#[test]
fn an_id_used_before_pubcomp_is_a_fault() {
    let mut fake = Fake::durable(options(), None);
    let publish = send(&mut fake, wire("t", Qos::ExactlyOnce, 7, b""));
    fake.event(done(&publish));
    fake.send(&Packet::PubRel(ack(7)));
    is_fault(&fake.send(&Packet::Publish(wire("t", Qos::ExactlyOnce, 7, b""))), "still in use");
}

#[test]
fn a_note_that_cannot_be_removed_ends_the_connection() {
    let mut fake = Fake::durable(options(), None);
    let publish = send(&mut fake, wire("t", Qos::ExactlyOnce, 7, b""));
    fake.event(done(&publish));
    fake.send(&Packet::PubRel(ack(7)));
    let Verb::Note(Note { tag, .. }) = fake.said_one() else { panic!() };
    is_fault(&fake.refuse(tag, RefusalKind::Unavailable), "no");
}

/// Endless PUBLISH of `QoS` 2 without PUBREL.
#[test]
fn qos_2_under_way_is_bounded() {
    let limits = Limits { receive_maximum: 3, ..Limits::default() };
    let mut fake = Fake::clean(Options { limits, ..options() });
    for number in 1..=3 {
        for _ in 0..2 {
            let packet = Packet::Publish(wire("t", Qos::ExactlyOnce, number, b""));
            assert_eq!(fake.send(&packet), Flow::Continue);
        }
    }
    assert_eq!(fake.said().len(), 3);
    let packet = Packet::Publish(wire("t", Qos::ExactlyOnce, 4, b""));
    is_fault(&fake.send(&packet), "more than 3 messages of QoS 2");
    fake.said_nothing();
}

/// A client that sends faster than the disk is not read for a while, and not called silent for it.
#[test]
fn reading_waits_while_too_much_is_unanswered() {
    let limits = Limits { unanswered_messages: 2, ..Limits::default() };
    let connect = keepmq_mqtt::codec::Connect { keep_alive: 1, ..crate::fake::connect() };
    let mut fake = Fake::clean_with(Options { limits, ..options() }, &connect);
    let input: Vec<u8> = (1..=5)
        .flat_map(|number| bytes(&Packet::Publish(wire("t", Qos::AtLeastOnce, number, b""))))
        .collect();
    assert_eq!(fake.feed(&input), Flow::Pause);
    let said = fake.said();
    assert_eq!(said.len(), 2);
    assert_eq!(fake.tick(60_000), Flow::Continue);
    let mut answered = Vec::new();
    let mut waiting = said;
    while !waiting.is_empty() {
        for verb in std::mem::take(&mut waiting) {
            let Verb::Publish(publish) = verb else { panic!() };
            assert_eq!(fake.event(done(&publish)), Flow::Continue);
            fake.feed(&[]);
            waiting.extend(fake.said());
        }
        answered.extend(fake.written());
    }
    let acks: Vec<u8> = (1..=5).flat_map(|number| bytes(&Packet::PubAck(ack(number)))).collect();
    assert_eq!(answered, acks);
}

#[test]
fn acknowledgements_without_a_message_are_answered_where_the_client_needs_it() {
    let mut fake = Fake::clean(options());
    for (packet, answer) in [
        (Packet::PubAck as fn(Ack) -> Packet<'static>, None),
        (Packet::PubRec, Some(Packet::PubRel(ack(9)))),
        (Packet::PubRel, Some(Packet::PubComp(ack(9)))),
        (Packet::PubComp, None),
    ] {
        assert_eq!(fake.send(&packet(ack(9))), Flow::Continue);
        fake.wrote(answer.as_slice());
        fake.said_nothing();
    }
}
