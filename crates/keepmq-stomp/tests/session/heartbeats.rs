//! Signs of life both ways.

use keepmq_model::{Event, Flow, Refusal, RefusalKind, Session};

use crate::peer::{Peer, deliver};

fn beating(header: &str) -> Peer {
    let mut peer = Peer::new();
    peer.send(&format!("CONNECT\naccept-version:1.2\nheart-beat:{header}\n\n"));
    peer.verbs();
    peer.version = keepmq_stomp::codec::Version::V1_2;
    peer
}

fn open(header: &str) -> Peer {
    let mut peer = beating(header);
    peer.welcome();
    peer.frames();
    peer
}

#[test]
fn the_agreed_intervals_are_told() {
    for (header, told) in
        [("0,0", "0,0"), ("5000,7000", "7000,5000"), ("10,10", "1000,1000"), ("0,2000", "2000,0")]
    {
        let mut peer = beating(header);
        assert_eq!(peer.session.deadline(), None, "before login another deadline holds");
        peer.welcome();
        assert_eq!(peer.frame().get("heart-beat"), Some(told));
    }
}

#[test]
fn no_heart_beat_means_no_deadline() {
    assert_eq!(open("0,0").session.deadline(), None);
    let mut peer = Peer::new();
    peer.send("CONNECT\n\n");
    peer.welcome();
    assert_eq!(peer.session.deadline(), None);
}

#[test]
fn a_sign_is_given_when_nothing_else_was_written() {
    let mut peer = open("0,2000");
    assert_eq!(peer.session.deadline(), Some(2800));
    peer.now.mono_ms = 2800;
    peer.tick();
    assert_eq!(peer.bytes(), b"\n");
    assert_eq!((peer.flow.clone(), peer.session.deadline()), (Flow::Continue, Some(4600)));
    let link = peer.subscribe("SUBSCRIBE\nid:s\ndestination:/queue/q\n\n");
    peer.now.mono_ms = 4000;
    peer.event(deliver(link, 1));
    assert_eq!(peer.session.deadline(), Some(5800), "a message is a sign of life");
    peer.bytes();
    peer.now.mono_ms = 5000;
    peer.tick();
    assert!(peer.bytes().is_empty(), "too early");
}

#[test]
fn a_silent_client_is_told_and_left() {
    let mut peer = open("2000,0");
    assert_eq!(peer.session.deadline(), Some(5000));
    peer.now.mono_ms = 4999;
    peer.tick();
    assert!(peer.is_quiet() && peer.flow == Flow::Continue);
    peer.now.mono_ms = 5000;
    peer.tick();
    assert_eq!(peer.frame().command, "ERROR");
    assert!(peer.fault().contains("2000 ms"));
}

#[test]
fn any_byte_is_a_sign_of_life() {
    let mut peer = open("2000,0");
    for at in [2500, 6000, 9000] {
        peer.now.mono_ms = at;
        peer.send_bytes(b"\n");
        assert_eq!(peer.session.deadline(), Some(at + 4000));
    }
    peer.now.mono_ms = 12_000;
    peer.send_bytes(b"SEND\nhalf a fra");
    assert_eq!(peer.session.deadline(), Some(16_000));
}

#[test]
fn a_client_that_is_not_read_is_not_blamed() {
    let mut peer = open("2000,0");
    peer.event(Event::Slowed { why: Some(Refusal::new(RefusalKind::Busy, "memory is short")) });
    assert!(peer.is_quiet(), "nothing is told on the wire");
    assert_eq!(peer.session.deadline(), None);
    peer.now.mono_ms = 60_000;
    peer.tick();
    assert!(peer.is_quiet() && peer.flow == Flow::Continue);
    peer.event(Event::Slowed { why: None });
    assert_eq!(peer.session.deadline(), Some(64_000));
}

#[test]
fn a_leaving_client_is_kept_alive() {
    let mut peer = open("2000,2000");
    peer.send("SEND\ndestination:/queue/a\nreceipt:r\n\nx");
    peer.send("DISCONNECT\nreceipt:bye\n\n");
    for at in [2800, 4600, 6400] {
        assert_eq!(peer.session.deadline(), Some(at));
        peer.now.mono_ms = at;
        peer.tick();
        assert_eq!((peer.bytes(), peer.flow.clone()), (b"\n".to_vec(), Flow::Pause));
    }
}

#[test]
fn a_client_that_waits_for_a_temporary_destination_is_not_blamed() {
    let mut peer = open("2000,0");
    peer.send("SEND\ndestination:/temp-queue/a\n\nx");
    assert_eq!(peer.flow, Flow::Pause);
    peer.verbs();
    peer.now.mono_ms = 60_000;
    peer.tick();
    assert!(peer.bytes().is_empty() && peer.flow == Flow::Pause);
    assert_eq!(peer.session.deadline(), Some(64_000));
}
