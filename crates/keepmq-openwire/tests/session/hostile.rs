//! Peers that mean no good: whatever comes, nothing panics, and what is kept is bounded.

use keepmq_model::{Closing, Event, Flow, Verb};
use keepmq_openwire::codec::{Command, ConsumerInfo, SessionId, SessionInfo};
use keepmq_openwire::{Limits, Offer};
use proptest::prelude::*;

use crate::peer::{CONNECTION, Peer, connection, consumer, queue};

#[test]
fn a_long_claim_before_login_ends_the_connection() {
    for claim in [u32::MAX, 1 << 20, 16 * 1024 + 1] {
        let mut peer = Peer::new();
        peer.receive(&claim.to_be_bytes());
        assert!(matches!(&peer.flow, Flow::Close(Closing::Fault(_))), "{claim}");
    }
}

#[test]
fn what_a_connection_holds_is_limited() {
    let mut peer = Peer::with(Limits { consumers: 2, producers: 3, ..Limits::default() });
    peer.greet(&Offer::default());
    peer.send(Command::ConnectionInfo(Box::new(connection())));
    peer.event(Event::Welcome(std::sync::Arc::new(keepmq_model::Principal::new("u", []))));
    let session = |value| {
        let session_id = Some(SessionId { connection_id: Some(CONNECTION.into()), value });
        Command::SessionInfo(Box::new(SessionInfo { session_id, ..SessionInfo::default() }))
    };
    (1..=2).for_each(|value| peer.send(session(value)));
    peer.verbs();
    peer.commands();
    peer.send(session(3));
    assert_eq!(peer.exception().1, "javax.jms.ResourceAllocationException");
    for value in 1..=2 {
        peer.consume(value, "q", 1);
    }
    peer.send(Command::ConsumerInfo(Box::new(consumer(3, queue("q"), 1))));
    assert_eq!(peer.exception().1, "javax.jms.ResourceAllocationException");
}

#[test]
fn a_peer_that_is_not_answered_is_read_no_further() {
    let mut peer = Peer::with(Limits { unanswered: 2, ..Limits::default() });
    peer.greet(&Offer::default());
    peer.send(Command::ConnectionInfo(Box::new(connection())));
    peer.event(Event::Welcome(std::sync::Arc::new(keepmq_model::Principal::new("u", []))));
    let session_id = Some(SessionId { connection_id: Some(CONNECTION.into()), value: 1 });
    peer.send(Command::SessionInfo(Box::new(SessionInfo { session_id, ..SessionInfo::default() })));
    peer.verbs();
    for value in 1..=2 {
        peer.send(Command::ConsumerInfo(Box::new(consumer(value, queue("q"), 1))));
    }
    assert_eq!(peer.flow, Flow::Pause);
    let Some(Verb::Attach(attach)) = peer.verbs().pop() else { panic!() };
    peer.event(Event::Attached { link: attach.link, tag: attach.tag, resumed: None });
    assert_eq!(peer.flow, Flow::Continue);
}

#[test]
fn a_name_of_very_many_destinations_is_refused() {
    let mut peer = Peer::open();
    let names: Vec<String> = (0..1000).map(|n| format!("q{n}")).collect();
    peer.send(Command::ConsumerInfo(Box::new(ConsumerInfo { ..consumer(1, queue(&names.join(",")), 1) })));
    assert!(peer.verbs().is_empty());
    assert_eq!(peer.exception().1, "javax.jms.ResourceAllocationException");
}

/// The recorded commands of all versions that a broker could be sent, in any order.
fn recorded() -> Vec<Vec<u8>> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/commands-v12.jsonl");
    let text = std::fs::read_to_string(path).unwrap();
    let vectors = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let usable = vectors.filter(|vector| vector["tight"] == true && vector["cache"] == false);
    let unhex = |hex: &str| {
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
    };
    usable.map(|vector| unhex(vector["hex"].as_str().unwrap())).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_commands_in_any_order_are_dealt_with(places in proptest::collection::vec(any::<prop::sample::Index>(), 1..60)) {
        let all = recorded();
        let mut peer = Peer::new();
        peer.greet(&Offer { cache: false, ..Offer::default() });
        peer.send(Command::ConnectionInfo(Box::new(connection())));
        peer.event(Event::Welcome(std::sync::Arc::new(keepmq_model::Principal::new("u", []))));
        for place in places {
            if matches!(peer.flow, Flow::Close(_)) {
                break;
            }
            peer.receive(&all[place.index(all.len())]);
            for verb in peer.verbs() {
                if let Verb::Attach(attach) = verb {
                    peer.event(Event::Attached { link: attach.link, tag: attach.tag, resumed: None });
                }
            }
        }
    }

    #[test]
    fn any_bytes_before_login_are_dealt_with(bytes in any::<Vec<u8>>()) {
        let mut peer = Peer::new();
        peer.receive(&bytes);
        prop_assert!(peer.verbs().is_empty());
    }
}
