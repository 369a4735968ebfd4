//! Who gets in, how long and how much a stranger may cost, and how connections end.

use std::io::Write;

use keepmq_config::Ingress;
use keepmq_core::Limits;
use keepmq_net::{Bounds, Listener, Slots};
use keepmq_policy::AuditEvent;

use crate::server::{Server, Wanted};

#[test]
fn messages_go_from_one_connection_to_another() {
    let server = Server::start(Wanted::default());
    let (mut one, mut two) = (server.login(), server.login());
    one.say("SUB t");
    assert_eq!(one.hear().as_deref(), Some("OK"));
    two.say("PUB t hello");
    assert_eq!(two.hear().as_deref(), Some("OK"));
    assert_eq!(one.hear().as_deref(), Some("hello"));
}

#[test]
fn a_source_that_no_rule_allows_is_turned_away_and_recorded() {
    let ingress = Ingress { allow: vec!["10.0.0.0/8".parse().unwrap()], deny: Vec::new() };
    let server = Server::start(Wanted { ingress, ..Wanted::default() });
    assert_eq!(server.connect().hear(), None);
    let (peer, listener, why) = server.wait_for(|event| match event {
        AuditEvent::Rejected { peer, listener, why } => Some((peer.clone(), listener.clone(), why.clone())),
        _ => None,
    });
    assert_eq!((&*peer, &*listener), ("127.0.0.1", "lines"));
    assert!(why.contains("source address"));
}

#[test]
fn a_flood_of_rejections_is_recorded_as_a_number() {
    let server = Server::start(Wanted { ingress: Ingress::default(), ..Wanted::default() });
    for _ in 0..50 {
        assert_eq!(server.connect().hear(), None);
    }
    server.wait_for(|event| matches!(event, AuditEvent::Rejected { .. }).then_some(()));
    assert_eq!(server.audited(), 1, "the others are counted until the next record");
}

#[test]
fn more_connections_than_places_are_turned_away() {
    let server = Server::start(Wanted { slots: Slots::new(2, 10, 100), ..Wanted::default() });
    let (mut one, _two) = (server.login(), server.login());
    assert_eq!(server.connect().hear(), None);
    one.say("QUIT");
    assert_eq!(one.hear().as_deref(), Some("BYE"));
    assert_eq!(one.hear(), None);
    // The place comes back a moment after the connection is closed.
    let again = (0..1000).any(|_| {
        let mut client = server.connect();
        client.stream.write_all(b"LOGIN u\n").is_ok() && client.hear().is_some()
    });
    assert!(again);
}

#[test]
fn a_silent_stranger_is_closed_when_the_deadline_passes() {
    let bounds = Bounds { login_ms: 50, ..Bounds::default() };
    let server = Server::start(Wanted { bounds, ..Wanted::default() });
    assert_eq!(server.connect().hear(), None);
}

#[test]
fn the_deadline_is_for_the_whole_login_not_for_each_byte() {
    let bounds = Bounds { login_ms: 200, ..Bounds::default() };
    let server = Server::start(Wanted { bounds, ..Wanted::default() });
    let mut client = server.connect();
    let closed = (0..10_000).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(5));
        client.stream.write_all(b"x").is_err()
    });
    assert!(closed);
}

#[test]
fn a_login_that_is_slow_to_come_has_no_deadline_once_it_is_there() {
    let bounds = Bounds { login_ms: 100, ..Bounds::default() };
    let server = Server::start(Wanted { bounds, ..Wanted::default() });
    let mut client = server.login();
    client.say("LATER 300");
    assert_eq!(client.hear().as_deref(), Some("TICK"));
}

#[test]
fn a_stranger_who_sends_without_end_is_closed() {
    let server = Server::start(Wanted::default());
    let mut client = server.connect();
    let chunk = vec![b'x'; 16 * 1024];
    let sent = (0..1000).take_while(|_| client.stream.write_all(&chunk).is_ok()).count();
    assert!(sent < 1000, "64 KiB, and what the operating system holds");
}

#[test]
fn a_refused_login_is_told_and_recorded_with_one_number() {
    let server = Server::start(Wanted::default());
    let mut client = server.connect();
    client.say("LOGIN nobody");
    let told = client.hear().unwrap();
    assert_eq!(client.hear(), None);
    let (id, user, why) = server.wait_for(|event| match event {
        AuditEvent::LoginRefused { id, user, why, .. } => Some((*id, user.clone(), *why)),
        _ => None,
    });
    assert_eq!((&*user, why), ("nobody", "unknown"));
    assert_eq!(told, format!("NO User name [nobody] or password is invalid. (decision {id})"));
}

#[test]
fn a_login_is_recorded() {
    let server = Server::start(Wanted::default());
    let _client = server.login();
    let (user, by) = server.wait_for(|event| match event {
        AuditEvent::LoggedIn { user, by, .. } => Some((user.clone(), *by)),
        _ => None,
    });
    assert_eq!((&*user, by), ("u", "test"));
}

#[test]
fn what_was_sent_with_the_login_is_carried_out_after_it() {
    let server = Server::start(Wanted::default());
    let mut client = server.connect();
    client.stream.write_all(b"LOGIN u\nSUB t\nPUB t x\n").unwrap();
    let heard: Vec<String> = (0..4).map(|_| client.hear().unwrap()).collect();
    assert_eq!(heard[..2], ["WELCOME u", "OK"]);
    assert!(heard[2..].contains(&"OK".to_owned()) && heard[2..].contains(&"x".to_owned()), "{heard:?}");
}

#[test]
fn a_session_says_its_last_words_however_it_ends() {
    let server = Server::start(Wanted::default());
    let mut watcher = server.login();
    watcher.say("SUB ends");
    assert_eq!(watcher.hear().as_deref(), Some("OK"));
    let mut polite = server.login();
    polite.say("QUIT");
    assert_eq!(watcher.hear().as_deref(), Some("Asked"));
    drop(server.login());
    assert_eq!(watcher.hear().as_deref(), Some("Broken"));
    let mut wrong = server.login();
    wrong.say("NONSENSE");
    assert_eq!(wrong.hear(), None);
    assert_eq!(watcher.hear().as_deref(), Some("Broken"));
}

#[test]
fn a_shutdown_is_told_to_everyone_and_waited_for() {
    let server = Server::start(Wanted::default());
    let mut clients: Vec<_> = (0..20).map(|_| server.login()).collect();
    assert!(server.end());
    for client in &mut clients {
        assert_eq!(client.hear().as_deref(), Some("NO the broker is shutting down"));
        assert_eq!(client.hear(), None);
    }
    assert_eq!(server.gate.status().connections, 0);
}

#[test]
fn a_large_message_arrives_whole() {
    let server = Server::start(Wanted::default());
    let (mut one, mut two) = (server.login(), server.login());
    one.say("SUB big");
    assert_eq!(one.hear().as_deref(), Some("OK"));
    two.say("BIG 5000000");
    assert_eq!(one.hear().unwrap().len(), 5_000_000);
}

#[test]
fn a_peer_that_pauses_gets_the_rest_when_it_reads_on() {
    let server = Server::start(Wanted::default());
    let (mut pausing, mut sender) = (server.login(), server.login());
    pausing.say("SUB big");
    assert_eq!(pausing.hear().as_deref(), Some("OK"));
    // More than the buffers on the way hold.
    for _ in 0..100 {
        sender.say("BIG 200000");
        assert_eq!(sender.hear().as_deref(), Some("OK"));
    }
    for _ in 0..100 {
        assert_eq!(pausing.hear().unwrap().len(), 200_000);
    }
}

#[test]
fn a_peer_that_takes_nothing_is_closed_and_holds_little() {
    let limits = Limits { slow_patience_ms: 10, ..Limits::default() };
    let bounds = Bounds { stall_ms: 300, ..Bounds::default() };
    let server = Server::start(Wanted { bounds, limits, ..Wanted::default() });
    let (mut slow, mut sender, mut watcher) = (server.login(), server.login(), server.login());
    watcher.say("SUB ends");
    assert_eq!(watcher.hear().as_deref(), Some("OK"));
    slow.say("SUB big");
    assert_eq!(slow.hear().as_deref(), Some("OK"));
    for _ in 0..200 {
        sender.say("BIG 200000");
        assert_eq!(sender.hear().as_deref(), Some("OK"));
    }
    assert_eq!(watcher.hear().as_deref(), Some("Broken"));
}

#[test]
fn two_listeners_at_one_address_are_refused() {
    let server = Server::start(Wanted::default());
    let error = Listener::open("other", server.address).unwrap_err();
    assert!(error.to_string().starts_with("listener other: 127.0.0.1:"), "{error}");
}

#[test]
fn places_are_free_again_after_many_connections() {
    let server = Server::start(Wanted { slots: Slots::new(5, 5, 5), ..Wanted::default() });
    for _ in 0..50 {
        let mut client = server.login();
        client.say("QUIT");
        while client.hear().is_some() {}
        while server.gate.status().connections > 0 {
            std::thread::yield_now();
        }
    }
}
