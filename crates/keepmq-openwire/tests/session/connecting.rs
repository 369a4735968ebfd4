//! The wire format, login, signs of life, and the end.

use keepmq_model::{Closing, Event, Flow, RefusalKind, Session, Verb};
use keepmq_openwire::Offer;
use keepmq_openwire::codec::{BrokerInfo, Command, ConnectionInfo, KeepAliveInfo, RemoveInfo, ShutdownInfo};

use crate::peer::{Peer, connection, consumer};

fn login(info: ConnectionInfo) -> Peer {
    let mut peer = Peer::new();
    peer.greet(&Offer::default());
    peer.commands();
    peer.send(Command::ConnectionInfo(Box::new(info)));
    peer
}

#[test]
fn the_broker_tells_its_wire_format_and_its_name() {
    let mut peer = Peer::new();
    peer.send(Command::WireFormatInfo(Box::new(Offer::default().info("1"))));
    let commands = peer.commands();
    assert!(matches!(commands[..], [Command::WireFormatInfo(_), Command::BrokerInfo(_)]), "{commands:?}");
    assert_eq!(peer.session.describe(), "OpenWire 12");
}

#[test]
fn an_old_client_is_spoken_to_in_its_version() {
    let mut peer = Peer::new();
    let old = Offer { version: 3, tight: false, cache: false, max_inactivity_ms: 0, ..Offer::default() };
    peer.send(Command::WireFormatInfo(Box::new(old.info("1"))));
    assert_eq!(peer.session.describe(), "OpenWire 3");
}

#[test]
fn a_login_is_a_verb_and_its_answer_a_response() {
    let mut peer = login(connection());
    let Verb::Login(login) = peer.verb() else { panic!() };
    assert_eq!((login.user.as_deref(), login.client_id.as_deref()), (Some("u"), Some("client")));
    assert_eq!(login.password.unwrap().expose(), b"secret");
    assert!(!login.take_over && peer.flow == Flow::Pause, "nothing is read until it is answered");
    peer.event(Event::Welcome(std::sync::Arc::new(keepmq_model::Principal::new("u", []))));
    let commands = peer.commands();
    assert!(matches!(&commands[0], Command::Response(response) if response.correlation_id == 1));
    assert!(matches!(commands[1], Command::ConnectionControl(_)), "{commands:?}");
    assert_eq!(peer.flow, Flow::Continue);
}

#[test]
fn a_password_may_be_empty_or_absent() {
    for (password, wanted) in
        [(Some(""), Some(&b""[..])), (None, None), (Some("pässwörd"), Some("pässwörd".as_bytes()))]
    {
        let mut peer = login(ConnectionInfo { password: password.map(Into::into), ..connection() });
        let Verb::Login(login) = peer.verb() else { panic!() };
        assert_eq!(login.password.as_ref().map(keepmq_model::Secret::expose), wanted);
    }
}

#[test]
fn a_client_that_comes_back_takes_its_place() {
    let mut peer = login(ConnectionInfo { failover_reconnect: true, ..connection() });
    assert!(matches!(peer.verb(), Verb::Login(login) if login.take_over));
}

#[test]
fn a_refused_login_is_told_in_its_own_word_and_ends() {
    let classes = [
        (RefusalKind::Unauthenticated, "java.lang.SecurityException"),
        (RefusalKind::Conflict, "javax.jms.InvalidClientIDException"),
    ];
    for (kind, class) in classes {
        let mut peer = login(connection());
        peer.refuse(None, kind);
        let (id, found, _) = peer.exception();
        assert_eq!((id, &*found), (Some(1), class));
        assert!(matches!(peer.flow, Flow::Close(Closing::Fault(_))));
    }
}

#[test]
fn a_connection_without_ids_is_refused_before_anybody_is_asked() {
    let without = [
        ConnectionInfo { client_id: None, ..connection() },
        ConnectionInfo { client_id: Some("a*".into()), ..connection() },
        ConnectionInfo { connection_id: None, ..connection() },
        ConnectionInfo { client_id: Some("x".repeat(5000).into()), ..connection() },
    ];
    for info in without {
        let mut peer = login(info);
        assert!(peer.verbs().is_empty());
        assert_eq!(peer.exception().1, "javax.jms.InvalidClientIDException");
        assert!(matches!(peer.flow, Flow::Close(_)));
    }
}

#[test]
fn nothing_is_done_before_login() {
    let mut peer = Peer::new();
    peer.greet(&Offer::default());
    peer.commands();
    peer.send(Command::SessionInfo(Box::default()));
    assert_eq!(peer.exception().1, "java.lang.SecurityException");
    assert!(peer.verbs().is_empty() && matches!(peer.flow, Flow::Close(_)));
}

#[test]
fn the_first_command_must_be_the_wire_format() {
    let mut peer = Peer::new();
    peer.send(Command::SessionInfo(Box::default()));
    assert!(matches!(peer.flow, Flow::Close(Closing::Fault(_))));
    assert!(peer.commands().is_empty());
}

#[test]
fn a_sign_of_life_is_answered_by_one_and_said_when_it_is_due() {
    let mut peer = Peer::open();
    let sign = KeepAliveInfo { response_required: true, ..KeepAliveInfo::default() };
    peer.send(Command::KeepAliveInfo(sign));
    assert!(matches!(peer.commands()[..], [Command::KeepAliveInfo(_)]));
    peer.now.mono_ms = peer.session.deadline().unwrap();
    peer.tick();
    assert!(matches!(peer.commands()[..], [Command::KeepAliveInfo(_)]));
    assert_eq!(peer.flow, Flow::Continue);
}

#[test]
fn a_silent_client_is_missed() {
    let mut peer = Peer::open();
    peer.now.mono_ms += 10_000 + 60_000;
    peer.tick();
    let Flow::Close(Closing::Fault(text)) = &peer.flow else { panic!() };
    assert!(text.contains("inactive"), "{text}");
}

#[test]
fn a_client_that_goes_is_answered_and_then_let_go() {
    let mut peer = Peer::open();
    let link = peer.consume(1, "q", 10);
    let object = Command::ConnectionId(connection().connection_id.unwrap());
    let remove = RemoveInfo {
        command_id: 9,
        response_required: true,
        object_id: Some(Box::new(object)),
        last_delivered_sequence_id: -2,
    };
    peer.send(Command::RemoveInfo(Box::new(remove)));
    assert!(matches!(peer.verb(), Verb::Detach { link: gone, tried: None, .. } if gone == link));
    assert!(matches!(&peer.commands()[..], [Command::Response(response)] if response.correlation_id == 9));
    peer.send(Command::ShutdownInfo(ShutdownInfo::default()));
    assert_eq!(peer.flow, Flow::Close(Closing::Asked));
}

#[test]
fn another_broker_is_told_that_there_is_no_network() {
    let mut peer = Peer::open();
    peer.send(Command::BrokerInfo(Box::new(BrokerInfo {
        network_connection: true,
        ..BrokerInfo::default()
    })));
    assert!(matches!(&peer.flow, Flow::Close(Closing::Fault(text)) if text.contains("networks of brokers")));
}

#[test]
fn sessions_must_be_told_of_first() {
    let mut peer = Peer::open();
    let mut info = consumer(1, crate::peer::queue("q"), 1);
    info.consumer_id.as_mut().unwrap().session_id = 7;
    peer.send(Command::ConsumerInfo(Box::new(info)));
    let (id, class, text) = peer.exception();
    assert_eq!((id, &*class), (Some(50), "java.lang.IllegalStateException"));
    assert!(text.starts_with("Cannot add a consumer to a session that had not been registered"), "{text}");
}
