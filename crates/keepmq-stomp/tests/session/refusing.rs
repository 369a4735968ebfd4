//! ERROR frames.

use keepmq_model::{DecisionId, Event, Flow, Refusal, RefusalKind};
use keepmq_stomp::codec::Version;

use crate::peer::Peer;

#[test]
fn every_kind_is_told_and_ends_what_it_must() {
    for version in Version::ALL {
        for kind in RefusalKind::ALL {
            let mut peer = Peer::open(version);
            peer.refuse(None, kind, "the reason");
            let error = peer.frame();
            assert!(error.get("message").unwrap().ends_with("the reason"));
            assert_eq!(error.get("content-type"), Some("text/plain"));
            assert!(error.text().lines().count() == 2 && error.text().contains("the reason"));
            let closes = version > Version::V1_0 || kind.is_fatal();
            assert_eq!(matches!(peer.flow, Flow::Close(_)), closes, "{version:?} {kind:?}");
        }
    }
}

#[test]
fn a_decision_is_named() {
    let mut peer = Peer::open(Version::V1_1);
    let mut refusal =
        Refusal::new(RefusalKind::Forbidden, "User u is not authorized to read from: queue://q");
    refusal.decision = Some(DecisionId { epoch: 1, number: 2 });
    peer.event(Event::Refused { tag: None, refusal });
    let wanted = "User u is not authorized to read from: queue://q (decision D-1-2)";
    assert_eq!(peer.frame().get("message"), Some(wanted));
    assert_eq!(peer.fault(), wanted);
}

#[test]
fn broken_frames_end_every_version() {
    for version in Version::ALL {
        for (bytes, word) in [
            (&b"NONSENSE\n\n\0"[..], "command"),
            (b"MESSAGE\ndestination:/queue/a\n\n\0", "command"),
            (b"SEND\nno colon\n\n\0", "colon"),
            (b"SEND\ncontent-length:x\n\n\0", "content-length"),
            (b"SEND\ncontent-length:200000000\n", "body"),
            (b"SEND\na:\xff\n\n\0", "UTF-8"),
            (b"BEGIN\ntransaction:t\n\nbody\0", "SEND"),
        ] {
            let mut peer = Peer::open(version);
            peer.send_bytes(bytes);
            let error = peer.frame();
            assert!(error.get("message").unwrap().contains(word), "{error:?}");
            assert!(peer.fault().contains(word) && peer.verbs().is_empty());
        }
    }
}

#[test]
fn frames_before_a_broken_one_count() {
    let mut peer = Peer::open(Version::V1_2);
    peer.send_bytes(b"SEND\ndestination:/queue/a\n\nx\0JUNK\n\n\0SEND\ndestination:/queue/a\n\nx\0");
    assert_eq!(peer.verbs().len(), 1);
    assert_eq!(peer.frame().command, "ERROR");
}

#[test]
fn the_peers_words_come_back_short() {
    let mut peer = Peer::open(Version::V1_2);
    peer.send(&format!("SEND\ndestination:{}\n\n", "\\n:\\\\".repeat(3000)));
    let bytes = peer.bytes();
    assert!(bytes.len() < 4096, "{}", bytes.len());
}

#[test]
fn a_1_0_connection_goes_on_after_a_harmless_error() {
    let mut peer = Peer::open(Version::V1_0);
    peer.send("UNSUBSCRIBE\nid:7\nreceipt:r\n\n");
    assert_eq!(peer.frame().get("receipt-id"), Some("r"));
    peer.send("SEND\ndestination:/queue/a\n\nx");
    peer.publish();
}
