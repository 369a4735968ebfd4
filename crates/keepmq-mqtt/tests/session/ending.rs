//! The will, and how connections end.

use keepmq_model::{Closing, End, Event, Flow, Refusal, RefusalKind, Retain};
use keepmq_mqtt::Options;
use keepmq_mqtt::codec::{ConnAck, Connect, ConnectCode, Packet, Qos, Will};

use crate::fake::{self, Fake, LINK, connect, is_fault, welcome, wire};

fn options() -> Options {
    Options::default()
}

fn fake() -> Fake {
    Fake::new(options())
}

fn with_will(qos: Qos, retain: bool, payload: &'static [u8]) -> Fake {
    let will = Will { topic: "last/will", payload, qos, retain };
    let connect = Connect { will: Some(will), ..connect() };
    Fake::clean_with(options(), &connect)
}

/// [MQTT-3.1.2-8], [MQTT-3.1.2-9], [MQTT-3.1.2-16], [MQTT-3.1.2-17]
#[test]
fn the_will_of_a_lost_client_is_said() {
    for end in [End::Broken, End::Shutdown] {
        for (qos, retain, payload, word) in [
            (Qos::AtMostOnce, false, &b"gone"[..], Retain::No),
            (Qos::AtLeastOnce, true, b"gone", Retain::Keep),
            (Qos::ExactlyOnce, true, b"", Retain::Clear),
        ] {
            let mut fake = with_will(qos, retain, payload);
            fake.end(end);
            let will = fake.published();
            assert_eq!(will.message.envelope.destination.to_string(), "topic://last.will");
            assert_eq!(will.message.envelope.durable, qos != Qos::AtMostOnce);
            assert_eq!(will.message.native.body, payload);
            assert_eq!((will.retain, will.tag, will.note.is_none()), (word, None, true));
            fake.end(end);
            fake.said_nothing();
        }
    }
}

/// [MQTT-3.1.2-10], [MQTT-3.14.4-3]
#[test]
fn disconnect_forgets_the_will_and_what_follows_it() {
    let mut fake = with_will(Qos::AtMostOnce, false, b"gone");
    let mut bytes = vec![0xe0, 0];
    bytes.extend_from_slice(&fake::bytes(&Packet::Publish(wire("t", Qos::AtMostOnce, 0, b""))));
    assert_eq!(fake.feed(&bytes), Flow::Close(Closing::Asked));
    fake.end(End::Broken);
    fake.said_nothing();
    assert_eq!(fake.written(), []);
}

/// [MQTT-3.1.2-12]
#[test]
fn without_a_will_nothing_is_said() {
    let mut fake = Fake::clean(options());
    fake.end(End::Broken);
    fake.said_nothing();
}

#[test]
fn an_end_that_was_asked_for_says_no_will() {
    let mut fake = with_will(Qos::AtMostOnce, false, b"gone");
    fake.end(End::Asked);
    fake.said_nothing();
}

/// [MQTT-3.1.2-8]: it belongs to a connection that was accepted.
#[test]
fn no_will_is_said_before_connack() {
    let will = Will { topic: "w", payload: b"", qos: Qos::AtMostOnce, retain: false };
    let packet = Packet::Connect(Connect { will: Some(will), ..connect() });
    let mut greeted = fake();
    greeted.send(&packet);
    greeted.said();
    greeted.end(End::Broken);
    greeted.said_nothing();
    let mut welcomed = fake();
    welcomed.send(&packet);
    welcomed.event(welcome());
    welcomed.said();
    welcomed.end(End::Broken);
    welcomed.said_nothing();
}

#[test]
fn a_fault_leaves_the_will_to_be_said() {
    let mut fake = with_will(Qos::AtMostOnce, false, b"gone");
    is_fault(&fake.feed(&[0xf0]), "reserved");
    fake.end(End::Broken);
    assert_eq!(fake.published().message.native.body, "gone");
}

#[test]
fn a_will_for_no_topic_is_a_fault() {
    for topic in ["a/#", "+", ""] {
        let will = Will { topic, payload: b"", qos: Qos::AtMostOnce, retain: false };
        let mut fake = fake();
        let flow = fake.send(&Packet::Connect(Connect { will: Some(will), ..connect() }));
        assert!(matches!(flow, Flow::Close(Closing::Fault(_))));
        fake.said_nothing();
    }
}

/// The broker's own endings; before CONNACK the client is told with a code.
#[test]
fn an_ending_closes_at_any_time() {
    let ending = || Event::Ending { refusal: Refusal::new(RefusalKind::Unavailable, "shutting down") };
    let mut silent = fake();
    is_fault(&silent.event(ending()), "shutting down");
    let mut greeted = fake();
    greeted.send(&Packet::Connect(connect()));
    is_fault(&greeted.event(ending()), "shutting down");
    greeted.wrote(&[Packet::ConnAck(ConnAck::refused(ConnectCode::ServerUnavailable))]);
    let mut open = Fake::clean(options());
    is_fault(&open.event(ending()), "shutting down");
    assert_eq!(open.written(), []);
    // Nothing is heard any more.
    assert_eq!(open.feed(&[0xc0, 0]), Flow::Pause);
    assert_eq!(open.event(welcome()), Flow::Pause);
    assert_eq!(open.written(), []);
}

#[test]
fn a_detached_link_ends_the_connection() {
    let mut fake = Fake::durable(options(), None);
    let refusal = Refusal::new(RefusalKind::Forbidden, "the right was taken back");
    is_fault(&fake.event(Event::Detached { link: LINK, refusal }), "taken back");
}

#[test]
fn packets_of_servers_are_faults() {
    for packet in [&[0x20, 2, 0, 0][..], &[0x90, 3, 0, 1, 0], &[0xb0, 2, 0, 1], &[0xd0, 0]] {
        let mut fake = Fake::clean(options());
        is_fault(&fake.feed(packet), "servers only");
    }
}
