//! From CONNECT to the end.

use keepmq_model::{
    Closing, End, Event, Flow, LOGIN_BYTES, Refusal, RefusalKind, Resumed, Session, Source, Taking, Verb,
};
use keepmq_mqtt::codec::{ConnAck, Connect, ConnectCode, Packet, Publish, Qos, Version};
use keepmq_mqtt::{Limits, Options};

use crate::fake::{Fake, bytes, connect, is_fault, welcome, wire};

fn options() -> Options {
    Options { connection: 42, ..Options::default() }
}

fn fake() -> Fake {
    Fake::new(options())
}

fn connack(code: ConnectCode) -> Packet<'static> {
    Packet::ConnAck(ConnAck::refused(code))
}

fn present(session_present: bool) -> Packet<'static> {
    Packet::ConnAck(ConnAck { session_present, code: ConnectCode::Accepted })
}

/// [MQTT-3.1.0-1]
#[test]
fn nothing_but_connect_is_read_before_the_login() {
    for first in (0x00..=0xf0).step_by(0x10).filter(|first| *first != 0x10) {
        let mut fake = fake();
        // One byte is enough.
        assert!(matches!(fake.feed(&[first]), Flow::Close(Closing::Fault(_))), "{first:x}");
        fake.said_nothing();
        assert_eq!(fake.written(), []);
    }
}

#[test]
fn before_the_login_a_packet_is_at_most_so_long() {
    let mut fake = fake();
    // Nothing of the packet has come yet.
    is_fault(&fake.feed(&[0x10, 0xff, 0xff, 0xff, 0x7f]), "over the limit of 65536");
    let mut fake = Fake::new(options());
    let fits = u8::try_from(LOGIN_BYTES >> 14).unwrap();
    assert_eq!(fake.feed(&[0x10, 0x80, 0x80, fits - 1]), Flow::Continue);
    fake.said_nothing();
}

#[test]
fn connect_is_read_byte_by_byte() {
    let connect = bytes(&Packet::Connect(connect()));
    let mut fake = fake();
    let (last, rest) = connect.split_last().unwrap();
    for byte in rest {
        assert_eq!(fake.feed(&[*byte]), Flow::Continue);
        fake.said_nothing();
    }
    assert_eq!(fake.feed(&[*last]), Flow::Pause);
    let login = fake.login();
    assert_eq!(login.user.as_deref(), Some("u"));
    assert_eq!(login.password.unwrap().expose(), b"secret");
    assert_eq!(login.client_id.as_deref(), Some("client"));
    assert!(login.take_over); // [MQTT-3.1.4-2]
    assert_eq!(fake.written(), []);
}

/// What comes behind CONNECT waits for its answer.
#[test]
fn what_follows_connect_waits() {
    let mut fake = fake();
    let mut bytes = bytes(&Packet::Connect(connect()));
    bytes.extend_from_slice(&[0xc0, 0]);
    assert_eq!(fake.feed(&bytes), Flow::Pause);
    fake.login();
    assert_eq!(fake.event(welcome()), Flow::Pause);
    let Verb::Forget { tag, .. } = fake.said_one() else { panic!() };
    assert_eq!(fake.done(tag), Flow::Continue);
    assert_eq!(fake.feed(&[]), Flow::Continue);
    fake.wrote(&[present(false), Packet::PingResp]); // [MQTT-3.2.0-1]
}

/// [MQTT-3.1.2-1], [MQTT-3.1.2-2]
#[test]
fn other_versions_are_told_so() {
    for (name, level) in [("MQTT", 5), ("MQTT", 3), ("MQIsdp", 4), ("HTTP", 1)] {
        let mut fake = fake();
        let mut body = vec![0, u8::try_from(name.len()).unwrap()];
        body.extend_from_slice(name.as_bytes());
        body.extend_from_slice(&[level, 2, 0, 60, 0, 0]);
        let mut packet = vec![0x10, u8::try_from(body.len()).unwrap()];
        packet.extend_from_slice(&body);
        is_fault(&fake.feed(&packet), "only MQTT 3.1 and 3.1.1");
        fake.wrote(&[connack(ConnectCode::UnacceptableVersion)]);
        fake.said_nothing();
    }
}

/// [MQTT-3.1.4-1], [MQTT-3.2.2-6]: a malformed CONNECT is closed without a CONNACK.
#[test]
fn a_malformed_connect_is_not_answered() {
    let mut good = bytes(&Packet::Connect(connect()));
    good[9] |= 1; // [MQTT-3.1.2-3]
    let mut fake = fake();
    is_fault(&fake.feed(&good), "flags");
    assert_eq!(fake.written(), []);
    fake.said_nothing();
}

/// [MQTT-3.1.3-6], [MQTT-3.1.3-7], [MQTT-3.1.3-8]
#[test]
fn an_empty_client_id_is_for_clean_sessions_of_3_1_1() {
    let connect = |clean_session, version| Connect { client_id: "", clean_session, version, ..connect() };
    let mut taken = fake();
    assert_eq!(taken.send(&Packet::Connect(connect(true, Version::V311))), Flow::Pause);
    assert_eq!(taken.login().client_id.as_deref(), Some("auto-42"));
    // Nobody can have left a session behind under that id.
    assert_eq!(taken.event(welcome()), Flow::Continue);
    taken.said_nothing();
    taken.wrote(&[present(false)]);
    for (clean, version) in [(false, Version::V311), (true, Version::V31), (false, Version::V31)] {
        let mut fake = fake();
        is_fault(&fake.send(&Packet::Connect(connect(clean, version))), "client id");
        fake.wrote(&[connack(ConnectCode::IdentifierRejected)]);
        fake.said_nothing();
    }
}

/// [MQTT-3.1.3-5], [MQTT-3.1.3-9]
#[test]
fn strange_client_ids_are_rejected() {
    let long = "x".repeat(257);
    for client_id in ["a+", "#", "a*b", ">", "a\nb", "\u{7f}", &long] {
        let mut fake = fake();
        let packet = Packet::Connect(Connect { client_id, ..connect() });
        is_fault(&fake.send(&packet), "client id");
        fake.wrote(&[connack(ConnectCode::IdentifierRejected)]);
    }
    for client_id in ["a", "0123456789abcdefghijklmnopqrstuvwxyz", "a/b.c $%", &long[..256]] {
        let mut fake = fake();
        let packet = Packet::Connect(Connect { client_id, ..connect() });
        assert_eq!(fake.send(&packet), Flow::Pause, "{client_id}");
        assert_eq!(fake.login().client_id.as_deref(), Some(client_id));
    }
}

/// There is no way in without a name: the broker judges the absence of one.
#[test]
fn a_missing_user_is_passed_on_as_missing() {
    let mut fake = fake();
    let packet = Packet::Connect(Connect { user: None, password: None, ..connect() });
    assert_eq!(fake.send(&packet), Flow::Pause);
    let login = fake.login();
    assert!(login.user.is_none() && login.password.is_none());
    is_fault(&fake.refuse(None, RefusalKind::Unauthenticated), "no");
    fake.wrote(&[connack(ConnectCode::BadUserOrPassword)]);
}

/// [MQTT-3.2.2-4], [MQTT-3.2.2-5]
#[test]
fn each_refusal_of_a_login_has_its_code() {
    for (kind, code) in [
        (RefusalKind::Malformed, ConnectCode::IdentifierRejected),
        (RefusalKind::TooLarge, ConnectCode::IdentifierRejected),
        (RefusalKind::Unauthenticated, ConnectCode::BadUserOrPassword),
        (RefusalKind::Forbidden, ConnectCode::Forbidden),
        (RefusalKind::NotFound, ConnectCode::Forbidden),
        (RefusalKind::Conflict, ConnectCode::IdentifierRejected),
        (RefusalKind::Busy, ConnectCode::ServerUnavailable),
        (RefusalKind::Unavailable, ConnectCode::ServerUnavailable),
        (RefusalKind::Unsupported, ConnectCode::Forbidden),
        (RefusalKind::Internal, ConnectCode::ServerUnavailable),
    ] {
        let mut fake = fake();
        fake.send(&Packet::Connect(connect()));
        is_fault(&fake.refuse(None, kind), "no");
        fake.wrote(&[connack(code)]);
        // [MQTT-3.1.4-5]: nothing of what was sent behind it is read.
        assert_eq!(fake.feed(&bytes(&Packet::Publish(wire("t", Qos::AtMostOnce, 0, b"")))), Flow::Pause);
        fake.said();
        fake.end(End::Broken);
        fake.said_nothing();
    }
}

/// [MQTT-3.1.2-6], [MQTT-3.1.4-3], [MQTT-3.1.4-4]: an older session goes before the new one is confirmed; what topics keep
/// is none of it [MQTT-3.1.2-7].
#[test]
fn a_clean_session_removes_an_older_one() {
    for gone in [true, false] {
        let mut fake = fake();
        fake.send(&Packet::Connect(connect()));
        fake.said();
        assert_eq!(fake.event(welcome()), Flow::Pause);
        let Verb::Forget { name, tag } = fake.said_one() else { panic!() };
        assert_eq!((&*name.client_id, &*name.name), ("client", "$mqtt"));
        assert_eq!(fake.written(), []);
        let flow = if gone { fake.done(tag) } else { fake.refuse(Some(tag), RefusalKind::NotFound) };
        assert_eq!(flow, Flow::Continue);
        fake.wrote(&[present(false)]); // [MQTT-3.2.2-1]
    }
    let mut fake = fake();
    fake.send(&Packet::Connect(connect()));
    fake.said();
    fake.event(welcome());
    let Verb::Forget { tag, .. } = fake.said_one() else { panic!() };
    is_fault(&fake.refuse(Some(tag), RefusalKind::Unavailable), "no");
    fake.wrote(&[connack(ConnectCode::ServerUnavailable)]);
}

/// [MQTT-3.1.2-4], [MQTT-3.1.2-5], [MQTT-3.1.3-2], [MQTT-3.2.2-2], [MQTT-3.2.2-3]
#[test]
fn a_durable_session_is_taken_up_or_begun() {
    for (version, resumed, flag) in
        [(Version::V311, true, true), (Version::V311, false, false), (Version::V31, true, false)]
    {
        let mut fake = fake();
        fake.send(&Packet::Connect(Connect { version, clean_session: false, ..connect() }));
        fake.said();
        assert_eq!(fake.event(welcome()), Flow::Pause);
        let Verb::Attach(attach) = fake.said_one() else { panic!() };
        assert_eq!((attach.taking, attach.refill, attach.credit), (Taking::Unsettled, true, 256));
        let Source::Durable { name, filters: None } = attach.source else { panic!() };
        assert_eq!((&*name.client_id, &*name.name), ("client", "$mqtt"));
        let event = Event::Attached {
            link: attach.link,
            tag: attach.tag,
            resumed: resumed.then(|| Box::new(Resumed::default())),
        };
        assert_eq!(fake.event(event), Flow::Continue);
        fake.wrote(&[present(flag)]);
    }
}

#[test]
fn a_durable_session_may_be_refused() {
    let mut fake = fake();
    fake.send(&Packet::Connect(Connect { clean_session: false, ..connect() }));
    fake.event(welcome());
    let Some(Verb::Attach(attach)) = fake.said().pop() else { panic!() };
    is_fault(&fake.refuse(Some(attach.tag), RefusalKind::Forbidden), "no");
    fake.wrote(&[connack(ConnectCode::Forbidden)]);
}

/// [MQTT-3.1.0-2]
#[test]
fn a_second_connect_is_a_fault() {
    let mut fake = Fake::clean(options());
    is_fault(&fake.send(&Packet::Connect(connect())), "second CONNECT");
    fake.said_nothing();
    assert_eq!(fake.written(), []);
}

/// [MQTT-3.12.4-1]
#[test]
fn a_ping_is_answered() {
    let mut fake = Fake::clean(options());
    assert_eq!(fake.feed(&[0xc0, 0, 0xc0]), Flow::Continue);
    fake.wrote(&[Packet::PingResp]);
    assert_eq!(fake.feed(&[0]), Flow::Continue);
    fake.wrote(&[Packet::PingResp]);
}

/// [MQTT-3.1.2-24]
#[test]
fn silence_beyond_one_and_a_half_times_the_keep_alive_ends_the_connection() {
    let connect = Connect { keep_alive: 10, ..connect() };
    let mut fake = Fake::clean_with(options(), &connect);
    assert_eq!(fake.session.deadline(), Some(1000 + 15_000));
    assert_eq!(fake.tick(14_000), Flow::Continue);
    fake.feed(&[0xc0, 0]);
    assert_eq!(fake.session.deadline(), Some(15_000 + 15_000));
    assert_eq!(fake.tick(14_999), Flow::Continue);
    is_fault(&fake.tick(1), "keep alive of 10 s");
    assert_eq!(fake.session.deadline(), None);
}

/// Being called is not being heard, but a large packet on its way is.
#[test]
fn only_what_the_client_sends_is_a_sign_of_life() {
    let connect = Connect { keep_alive: 10, ..connect() };
    let mut fake = Fake::clean_with(options(), &connect);
    assert_eq!(fake.tick(10_000), Flow::Continue);
    fake.feed(&[]);
    assert_eq!(fake.session.deadline(), Some(16_000));
    fake.feed(&[0x30, 0xff, 0x7f, 0]);
    assert_eq!(fake.session.deadline(), Some(11_000 + 15_000));
    assert_eq!(fake.tick(10_000), Flow::Continue);
    fake.feed(&[]);
    assert_eq!(fake.session.deadline(), Some(11_000 + 15_000));
    fake.feed(&[1]);
    assert_eq!(fake.session.deadline(), Some(21_000 + 15_000));
}

#[test]
fn no_keep_alive_means_no_deadline_and_neither_does_the_login() {
    assert_eq!(Fake::clean(options()).session.deadline(), None);
    let mut fake = fake();
    fake.send(&Packet::Connect(Connect { keep_alive: 1, ..connect() }));
    assert_eq!(fake.session.deadline(), None);
    assert_eq!(fake.tick(1_000_000), Flow::Continue);
}

/// A client that is slowed isn't read, and so seems silent.
#[test]
fn a_slowed_client_is_not_silent() {
    let connect = Connect { keep_alive: 10, ..connect() };
    let mut fake = Fake::clean_with(options(), &connect);
    let why = Some(Refusal::new(RefusalKind::Busy, "full"));
    assert_eq!(fake.event(Event::Slowed { why }), Flow::Continue);
    assert_eq!(fake.tick(100_000), Flow::Continue);
    assert_eq!(fake.event(Event::Slowed { why: None }), Flow::Continue);
    assert_eq!(fake.tick(14_999), Flow::Continue);
    assert!(matches!(fake.tick(1), Flow::Close(_)));
}

#[test]
fn a_packet_over_the_limit_is_refused_by_its_header() {
    let limits = Limits { max_packet: 1000, ..Limits::default() };
    let mut fake = Fake::clean(Options { limits, ..options() });
    is_fault(&fake.feed(&[0x30, 0xe8, 0x07]), "1003 bytes is over the limit of 1000");
}

#[test]
fn it_tells_what_it_speaks() {
    let mut greeting = fake();
    assert_eq!(greeting.session.describe(), "MQTT");
    greeting.send(&Packet::Connect(Connect { version: Version::V31, ..connect() }));
    assert_eq!(greeting.session.describe(), "MQTT 3.1");
    assert_eq!(Fake::clean(options()).session.describe(), "MQTT 3.1.1");
}

/// An old client repeats a message of `QoS` 0 with DUP set; 3.1.1 forbids it.
#[test]
fn version_3_1_keeps_its_own_rules() {
    let packet = Packet::Publish(Publish { dup: true, ..wire("t", Qos::AtMostOnce, 0, b"") });
    let mut new = Fake::clean(options());
    is_fault(&new.send(&packet), "DUP");
    let old = Connect { version: Version::V31, ..connect() };
    let mut old = Fake::clean_with(options(), &old);
    assert_eq!(old.send(&packet), Flow::Continue);
    old.published();
}
