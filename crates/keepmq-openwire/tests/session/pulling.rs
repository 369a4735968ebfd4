//! Clients that ask for each message.

use keepmq_model::{LinkId, RefusalKind, Session, Tag, Verb};
use keepmq_openwire::codec::{Command, MessagePull};

use crate::peer::{Peer, consumer_id, delivery};

fn pull(peer: &mut Peer, timeout: i64) {
    let pull = MessagePull { consumer_id: Some(consumer_id(1)), timeout, ..MessagePull::default() };
    peer.send(Command::MessagePull(Box::new(pull)));
}

fn drained(peer: &mut Peer) -> Tag {
    let verbs = peer.verbs();
    let Some(Verb::Drain { tag, .. }) = verbs.last() else { panic!("{verbs:?}") };
    *tag
}

fn is_empty(peer: &mut Peer) -> bool {
    let commands = peer.commands();
    let [Command::MessageDispatch(dispatch)] = &commands[..] else { panic!("{commands:?}") };
    dispatch.message.is_none()
}

fn asking() -> (Peer, LinkId) {
    let mut peer = Peer::open();
    let link = peer.consume(1, "q", 0);
    (peer, link)
}

#[test]
fn who_will_not_wait_is_told_at_once_that_there_is_nothing() {
    let (mut peer, _) = asking();
    pull(&mut peer, -1);
    let tag = drained(&mut peer);
    assert!(peer.commands().is_empty());
    peer.done(tag);
    assert!(is_empty(&mut peer));
}

#[test]
fn a_message_that_comes_with_the_answer_is_not_missed() {
    let (mut peer, link) = asking();
    pull(&mut peer, -1);
    let tag = drained(&mut peer);
    peer.events(vec![keepmq_model::Event::Done { tag }, delivery(link, 1)]);
    assert!(!is_empty(&mut peer));
}

#[test]
fn who_waits_is_told_when_the_time_is_over() {
    let (mut peer, _) = asking();
    pull(&mut peer, 500);
    assert!(matches!(peer.verb(), Verb::Grant { credit: 1, .. }));
    let deadline = peer.session.deadline().unwrap();
    assert_eq!(deadline, peer.now.mono_ms + 500);
    peer.now.mono_ms = deadline;
    peer.tick();
    let tag = drained(&mut peer);
    peer.done(tag);
    assert!(is_empty(&mut peer));
}

#[test]
fn who_waits_for_ever_does() {
    let (mut peer, link) = asking();
    pull(&mut peer, 0);
    assert!(matches!(peer.verb(), Verb::Grant { credit: 1, .. }));
    peer.now.mono_ms += 9_000;
    peer.tick();
    assert!(peer.verbs().is_empty() && peer.commands().is_empty());
    peer.event(delivery(link, 1));
    assert!(!is_empty(&mut peer));
    pull(&mut peer, 0);
    assert!(matches!(peer.verb(), Verb::Grant { credit: 1, .. }), "the next wish is a new one");
}

#[test]
fn what_is_still_being_read_is_asked_for_again() {
    let (mut peer, _) = asking();
    pull(&mut peer, -1);
    let tag = drained(&mut peer);
    peer.refuse(Some(tag), RefusalKind::Busy);
    assert!(peer.commands().is_empty());
    peer.now.mono_ms = peer.session.deadline().unwrap();
    peer.tick();
    let tag = drained(&mut peer);
    peer.done(tag);
    assert!(is_empty(&mut peer));
}
