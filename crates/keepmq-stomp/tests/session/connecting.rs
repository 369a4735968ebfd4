//! Login and the choice of a version.

use keepmq_model::{Closing, Event, Flow, RefusalKind, Session, Verb};
use keepmq_stomp::codec::Version;

use crate::peer::{Peer, deliver};

#[test]
fn a_login_asks_the_broker_and_waits() {
    let mut peer = Peer::new();
    peer.send("CONNECT\naccept-version:1.2\nlogin:u\npasscode:p:w\nclient-id:me\nhost:x\n\n");
    assert_eq!(peer.flow, Flow::Pause);
    let login = peer.login();
    assert_eq!(login.user.as_deref(), Some("u"));
    assert_eq!(login.password.unwrap().expose(), b"p:w");
    assert_eq!(login.client_id.as_deref(), Some("me"));
    assert!(!login.take_over && peer.is_quiet());
}

#[test]
fn the_newest_common_version_is_told() {
    for (accept, version) in [
        ("", Version::V1_0),
        ("accept-version:1.0\n", Version::V1_0),
        ("accept-version:1.0,1.1\n", Version::V1_1),
        ("accept-version:1.1,1.2\n", Version::V1_2),
        ("accept-version:1.2,9.9\n", Version::V1_2),
    ] {
        for command in ["CONNECT", "STOMP"] {
            let mut peer = Peer::new();
            assert_eq!(peer.session.describe(), "STOMP");
            peer.send(&format!("{command}\n{accept}login:u\npasscode:p\n\n"));
            peer.verbs();
            peer.welcome();
            let connected = peer.frame();
            assert_eq!(connected.command, "CONNECTED");
            assert_eq!(connected.get("version"), Some(version.text()), "{accept}");
            assert_eq!(connected.get("session"), Some("keepmq-17"));
            let server = connected.get("server").unwrap();
            assert_eq!(server, concat!("KeepMQ/", env!("CARGO_PKG_VERSION")));
            assert_eq!(connected.get("user-name"), None);
            assert_eq!(peer.session.describe(), format!("STOMP {}", version.text()));
            assert_eq!(peer.flow, Flow::Continue);
        }
    }
}

#[test]
fn no_common_version_is_told_with_ours() {
    let mut peer = Peer::new();
    peer.send("CONNECT\naccept-version:2.0,3\nlogin:u\npasscode:p\n\n");
    let error = peer.frame();
    assert_eq!((&error.command[..], error.get("version")), ("ERROR", Some("1.2,1.1,1.0")));
    assert!(peer.fault().contains("1.2") && peer.verbs().is_empty());
}

#[test]
fn a_refused_login_is_told_and_ends_every_version() {
    for version in Version::ALL {
        let mut peer = Peer::new();
        let accept = version.text();
        peer.send(&format!("STOMP\naccept-version:{accept}\nlogin:u\npasscode:p\n\n"));
        peer.verbs();
        let text = "User name [u] or password is invalid.";
        peer.refuse(None, RefusalKind::Unauthenticated, text);
        let error = peer.frame();
        assert_eq!((&error.command[..], error.get("message")), ("ERROR", Some(text)));
        assert_eq!(peer.fault(), text);
    }
}

#[test]
fn a_busy_login_ends_1_0_as_well() {
    let mut peer = Peer::new();
    peer.send("CONNECT\nlogin:u\n\n");
    peer.verbs();
    peer.refuse(None, RefusalKind::Busy, "too many connections");
    assert_eq!(peer.frame().get("message"), Some("busy: too many connections"));
    assert!(peer.fault().contains("too many"));
}

#[test]
fn a_login_may_lack_everything() {
    let mut peer = Peer::new();
    peer.send("CONNECT\n\n");
    let login = peer.login();
    assert!(login.user.is_none() && login.password.is_none() && login.client_id.is_none());
}

#[test]
fn an_empty_client_id_is_none() {
    let mut peer = Peer::new();
    peer.send("CONNECT\naccept-version:1.2\nclient-id:\nlogin:\n\n");
    let login = peer.login();
    assert_eq!((login.client_id, login.user.as_deref()), (None, Some("")));
}

#[test]
fn a_client_id_with_a_wildcard_or_a_control_character_is_refused() {
    for id in ["a>b", "*", "#", "a+", "a\u{1b}b"] {
        let mut peer = Peer::new();
        peer.send(&format!("CONNECT\naccept-version:1.2\nclient-id:{id}\n\n"));
        let error = peer.frame();
        let message = error.get("message").unwrap_or_default();
        assert!(message.contains("holds a wildcard or a control character"), "{message}");
    }
}

#[test]
fn spaces_belong_to_the_passcode_since_1_1() {
    for (accept, wanted) in
        [("", "p w"), ("accept-version:1.1\n", " p w "), ("accept-version:1.2\n", " p w ")]
    {
        let mut peer = Peer::new();
        peer.send(&format!("CONNECT\n{accept}login: u\npasscode: p w \n\n"));
        assert_eq!(peer.login().password.unwrap().expose(), wanted.as_bytes());
    }
}

#[test]
fn a_login_is_not_unescaped() {
    let mut peer = Peer::new();
    peer.send("CONNECT\naccept-version:1.2\nlogin:a\\cb\npasscode:\\x\\n\n\n");
    let login = peer.login();
    assert_eq!(login.user.as_deref(), Some("a\\cb"));
    assert_eq!(login.password.unwrap().expose(), b"\\x\\n");
}

#[test]
fn what_follows_the_login_at_once_is_read_in_the_chosen_version() {
    let mut peer = Peer::new();
    let login = "CONNECT\naccept-version:1.2\nlogin:u\npasscode:p\n\n\0";
    let send = "SEND\r\ndestination:/queue/a\r\ncolour:a\\rb\r\n\r\nhi\0";
    peer.send_bytes(format!("{login}{send}").as_bytes());
    assert!(matches!(peer.verbs()[..], [Verb::Login(_)]));
    peer.welcome();
    let message = peer.publish().message;
    assert_eq!(&message.native.body[..], b"hi");
    let head = &message.native.head;
    assert!(head.windows(3).any(|w| w == b"a\rb"));
}

#[test]
fn nothing_but_a_login_comes_first() {
    for frame in [
        "SEND\ndestination:/queue/a\n\nx",
        "SUBSCRIBE\nid:1\ndestination:/queue/a\n\n",
        "BEGIN\ntransaction:1\n\n",
        "DISCONNECT\n\n",
        "CONNECTED\n\n",
        "GET / HTTP/1.1\r\n\r\n",
    ] {
        let mut peer = Peer::new();
        peer.send(frame);
        assert_eq!(peer.frame().command, "ERROR", "{frame}");
        assert!(peer.fault().contains("CONNECT") && peer.verbs().is_empty());
    }
}

#[test]
fn a_second_login_ends_the_connection() {
    for version in Version::ALL {
        let mut peer = Peer::open(version);
        peer.send("CONNECT\nlogin:v\npasscode:p\n\n");
        assert_eq!(peer.frame().command, "ERROR");
        assert!(peer.fault().contains("already") && peer.verbs().is_empty());
    }
}

#[test]
fn login_frames_have_small_limits() {
    for (frame, word) in [
        (format!("CONNECT\nlogin:{}\n\n", "x".repeat(9000)), "header line"),
        (format!("CONNECT\n{}\n", "a:b\n".repeat(33)), "more headers"),
        (format!("CONNECT\n{}\n", format!("a:{}\n", "x".repeat(8000)).repeat(3)), "headers are longer"),
        (format!("CONNECT\nclient-id:{}\n\n", "x".repeat(257)), "client-id"),
        ("CONNECT\ncontent-length:100000\n\n".to_owned(), "body"),
    ] {
        let mut peer = Peer::new();
        peer.send(&frame);
        assert!(peer.fault().contains(word), "{} for {word}", peer.fault());
        assert!(peer.verbs().is_empty() && peer.bytes().len() < 4096);
    }
}

#[test]
fn a_broken_login_leaves_no_passcode_in_the_read_buffer() {
    let mut peer = Peer::new();
    peer.send_bytes(b"CONNECT\npasscode:hunter2hunter2\nnonsense\n\n\0");
    assert!(peer.fault().contains("colon"));
    assert!(!peer.unread().windows(7).any(|w| w == b"hunter2"));
}

#[test]
fn a_bad_heart_beat_is_refused() {
    let mut peer = Peer::new();
    peer.send("CONNECT\naccept-version:1.2\nheart-beat:x,y\n\n");
    assert!(peer.fault().contains("heart-beat"));
}

#[test]
fn a_request_id_is_answered_as_activemq_does() {
    for header in ["request-id", "receipt"] {
        let mut peer = Peer::new();
        peer.send(&format!("CONNECT\nlogin:u\npasscode:p\n{header}:r 1\n\n"));
        peer.verbs();
        peer.welcome();
        let connected = peer.frame();
        assert_eq!((connected.get("response-id"), connected.get("receipt-id")), (Some("r 1"), Some("r 1")));
    }
}

#[test]
fn a_welcome_out_of_place_is_passed_over() {
    let mut peer = Peer::new();
    peer.welcome();
    assert!(peer.is_quiet());
    let mut peer = Peer::open(Version::V1_2);
    peer.welcome();
    assert!(peer.is_quiet() && peer.flow == Flow::Continue);
}

#[test]
fn after_the_end_nothing_is_said_or_written() {
    let mut peer = Peer::open(Version::V1_2);
    let link = peer.subscribe("SUBSCRIBE\nid:1\ndestination:/queue/q\n\n");
    peer.send("DISCONNECT\n\n");
    assert_eq!(peer.flow, Flow::Close(Closing::Asked));
    peer.event(deliver(link, 1));
    peer.event(Event::Ending { refusal: keepmq_model::Refusal::new(RefusalKind::Unavailable, "stopping") });
    peer.tick();
    assert!(peer.is_quiet());
    assert_eq!(peer.flow, Flow::Close(Closing::Asked));
}
