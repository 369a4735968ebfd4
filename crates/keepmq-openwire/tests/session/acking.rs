//! Acknowledgements of every kind.

use keepmq_model::{LinkId, Outcome, Settle, TxId, Verb};
use keepmq_openwire::codec::{
    Command, ConnectionId, LocalTransactionId, MessageAck, MessageId, Throwable, TransactionId,
};

use crate::peer::{CONNECTION, Peer, consumer, consumer_id, topic};

const DELIVERED: i8 = 0;
const POISON: i8 = 1;
const STANDARD: i8 = 2;
const REDELIVERED: i8 = 3;
const INDIVIDUAL: i8 = 4;
const EXPIRED: i8 = 6;

pub(crate) fn ack(kind: i8, first: Option<&MessageId>, last: &MessageId, count: i32) -> MessageAck {
    MessageAck {
        command_id: 70,
        consumer_id: Some(consumer_id(1)),
        ack_type: kind,
        first_message_id: first.cloned(),
        last_message_id: Some(last.clone()),
        message_count: count,
        ..MessageAck::default()
    }
}

/// A consumer with so many messages.
fn holding(count: usize) -> (Peer, LinkId, Vec<MessageId>) {
    let mut peer = Peer::open();
    let link = peer.consume(1, "q", 10);
    let ids = (0..count).map(|_| peer.deliver(link).message.unwrap().message_id.unwrap()).collect();
    (peer, link, ids)
}

fn told(peer: &mut Peer, ack: MessageAck) -> Vec<Verb> {
    peer.send(Command::MessageAck(Box::new(ack)));
    peer.verbs()
}

#[test]
fn a_range_is_settled_and_makes_room() {
    let (mut peer, link, ids) = holding(4);
    let verbs = told(&mut peer, ack(STANDARD, Some(&ids[0]), &ids[2], 3));
    let [Verb::Settle(settle), Verb::Grant { credit: 3, .. }] = &verbs[..] else { panic!("{verbs:?}") };
    assert!(matches!(settle, Settle { from: 1, through: 3, outcome: Outcome::Accepted, tx: None, .. }));
    assert_eq!(settle.link, link);
}

#[test]
fn without_a_first_it_begins_with_the_oldest() {
    let (mut peer, _, ids) = holding(3);
    let verbs = told(&mut peer, ack(STANDARD, None, &ids[1], 2));
    assert!(matches!(
        verbs[..],
        [Verb::Settle(Settle { from: 1, through: 2, .. }), Verb::Grant { credit: 2, .. }]
    ));
}

#[test]
fn one_alone_leaves_those_before_it() {
    let (mut peer, _, ids) = holding(3);
    let verbs = told(&mut peer, ack(INDIVIDUAL, None, &ids[1], 1));
    assert!(matches!(
        verbs[..],
        [Verb::Settle(Settle { from: 2, through: 2, .. }), Verb::Grant { credit: 1, .. }]
    ));
    let verbs = told(&mut peer, ack(STANDARD, Some(&ids[0]), &ids[2], 2));
    let ranges: Vec<(u64, u64)> = verbs
        .iter()
        .filter_map(
            |verb| if let Verb::Settle(settle) = verb { Some((settle.from, settle.through)) } else { None },
        )
        .collect();
    assert_eq!(ranges, [(1, 1), (3, 3)]);
}

#[test]
fn what_the_application_has_makes_room_once() {
    let (mut peer, _, ids) = holding(4);
    let verbs = told(&mut peer, ack(DELIVERED, None, &ids[3], 4));
    assert!(matches!(verbs[..], [Verb::Grant { credit: 4, .. }]), "{verbs:?}");
    let verbs = told(&mut peer, ack(STANDARD, None, &ids[3], 4));
    assert!(matches!(verbs[..], [Verb::Settle(_)]), "room was made for them before: {verbs:?}");
}

#[test]
fn poison_goes_aside_with_its_cause() {
    let (mut peer, _, ids) = holding(1);
    let cause = Throwable::new("java.lang.Exception", "Exceeded redelivery policy limit");
    let poison = MessageAck { poison_cause: Some(Box::new(cause)), ..ack(POISON, Some(&ids[0]), &ids[0], 1) };
    let verbs = told(&mut peer, poison);
    let [Verb::Settle(settle), Verb::Grant { .. }] = &verbs[..] else { panic!() };
    assert_eq!(settle.outcome, Outcome::Rejected);
    assert_eq!(settle.reason.as_deref(), Some("java.lang.Exception: Exceeded redelivery policy limit"));
}

#[test]
fn what_expired_at_the_client_goes_aside_too() {
    let (mut peer, _, ids) = holding(1);
    let verbs = told(&mut peer, ack(EXPIRED, Some(&ids[0]), &ids[0], 1));
    assert!(matches!(&verbs[0], Verb::Settle(settle) if settle.outcome == Outcome::Rejected));
}

#[test]
fn what_is_tried_again_at_the_client_stays() {
    let (mut peer, _, ids) = holding(1);
    assert!(told(&mut peer, ack(REDELIVERED, Some(&ids[0]), &ids[0], 1)).is_empty());
    assert!(peer.commands().is_empty());
}

#[test]
fn messages_of_a_topic_are_only_counted() {
    let mut peer = Peer::open();
    let link = peer.attach(consumer(1, topic("t"), 10));
    let ids: Vec<MessageId> =
        (0..3).map(|_| peer.deliver(link).message.unwrap().message_id.unwrap()).collect();
    let verbs = told(&mut peer, ack(STANDARD, Some(&ids[0]), &ids[1], 2));
    assert!(matches!(verbs[..], [Verb::Grant { credit: 2, .. }]));
    let verbs = told(&mut peer, ack(STANDARD, None, &ids[2], 1000));
    assert!(matches!(verbs[..], [Verb::Grant { credit: 1, .. }]), "no more than were dispatched: {verbs:?}");
}

#[test]
fn what_does_not_match_is_told() {
    let (mut peer, _, ids) = holding(2);
    let other = MessageId { producer_sequence_id: 99, ..ids[0].clone() };
    for bad in
        [ack(STANDARD, Some(&ids[1]), &ids[0], 2), ack(STANDARD, None, &other, 1), ack(9, None, &ids[0], 1)]
    {
        let bad = MessageAck { response_required: true, ..bad };
        assert!(told(&mut peer, bad).is_empty());
        assert_eq!(peer.exception().0, Some(70));
    }
}

#[test]
fn a_consumer_that_is_gone_or_has_nothing_is_not_missed() {
    let (mut peer, _, ids) = holding(1);
    told(&mut peer, ack(STANDARD, None, &ids[0], 1));
    assert!(told(&mut peer, ack(STANDARD, None, &ids[0], 1)).is_empty());
    let gone = MessageAck { consumer_id: Some(consumer_id(9)), ..ack(STANDARD, None, &ids[0], 1) };
    assert!(told(&mut peer, gone).is_empty());
    assert!(peer.commands().is_empty());
}

#[test]
fn in_a_transaction_they_stay_until_it_ends() {
    let (mut peer, _, ids) = holding(2);
    let name =
        LocalTransactionId { connection_id: Some(ConnectionId { value: Some(CONNECTION.into()) }), value: 5 };
    let tx = Some(TransactionId::Local(name));
    let within = |ack| MessageAck { transaction_id: tx.clone(), ..ack };
    assert!(told(&mut peer, within(ack(STANDARD, None, &ids[1], 2))).is_empty(), "it has not begun");
    assert!(peer.exception().2.contains("has not been started"));
    crate::transactions::begin(&mut peer, 5);
    let verbs = told(&mut peer, within(ack(STANDARD, None, &ids[1], 2)));
    assert!(matches!(verbs[..], [Verb::Settle(Settle { from: 1, through: 2, tx: Some(TxId(5)), .. })]));
    assert!(told(&mut peer, within(ack(POISON, None, &ids[1], 2))).is_empty());
    assert!(peer.exception().2.contains("Poison ack cannot be transacted"));
}

#[test]
fn who_waits_for_an_acknowledgement_is_answered_when_it_lasts() {
    let (mut peer, _, ids) = holding(2);
    let waited = |last| MessageAck { response_required: true, ..ack(INDIVIDUAL, None, last, 1) };
    let verbs = told(&mut peer, waited(&ids[0]));
    let [Verb::Settle(Settle { tag: Some(tag), .. }), Verb::Grant { .. }] = &verbs[..] else {
        panic!("{verbs:?}")
    };
    assert!(peer.commands().is_empty());
    peer.done(*tag);
    assert!(matches!(&peer.commands()[..], [Command::Response(response)] if response.correlation_id == 70));
    let delivered = MessageAck { response_required: true, ..ack(DELIVERED, None, &ids[1], 1) };
    told(&mut peer, delivered);
    assert!(matches!(peer.commands()[..], [Command::Response(_)]), "there is nothing that could last");
}

#[test]
fn a_client_can_not_claim_to_have_more_than_it_was_sent() {
    let (mut peer, _, ids) = holding(3);
    let verbs = told(&mut peer, ack(DELIVERED, None, &ids[2], i32::MAX));
    assert!(matches!(verbs[..], [Verb::Grant { credit: 3, .. }]), "{verbs:?}");
    assert!(told(&mut peer, ack(DELIVERED, None, &ids[2], i32::MAX)).is_empty());
}
