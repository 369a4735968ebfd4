//! Transactions.

use keepmq_model::{RefusalKind, TxId, Verb};
use keepmq_openwire::codec::{
    Command, ConnectionId, LocalTransactionId, MessageAck, TransactionId, TransactionInfo, XaTransactionId,
};

use crate::acking::ack;
use crate::peer::{CONNECTION, Peer};

const BEGIN: i8 = 0;
const COMMIT: i8 = 2;
const ROLLBACK: i8 = 4;
const RECOVER: i8 = 5;

fn local(value: i64) -> TransactionId {
    let connection_id = Some(ConnectionId { value: Some(CONNECTION.into()) });
    TransactionId::Local(LocalTransactionId { connection_id, value })
}

fn info(id: Option<TransactionId>, operation: i8) -> Command {
    Command::TransactionInfo(Box::new(TransactionInfo {
        command_id: 90,
        response_required: operation != BEGIN,
        transaction_id: id,
        operation,
        ..TransactionInfo::default()
    }))
}

pub(crate) fn begin(peer: &mut Peer, value: i64) {
    peer.send(info(Some(local(value)), BEGIN));
    assert!(matches!(peer.verb(), Verb::Begin { tx } if tx.0 == value.cast_unsigned()));
}

/// A consumer that acknowledged two messages in transaction 5.
fn acknowledged() -> Peer {
    let mut peer = Peer::open();
    let link = peer.consume(1, "q", 10);
    peer.deliver(link);
    let last = peer.deliver(link).message.unwrap().message_id.unwrap();
    peer.send(Command::MessageAck(Box::new(ack(0, None, &last, 2))));
    begin_quietly(&mut peer);
    let within = MessageAck { transaction_id: Some(local(5)), ..ack(2, None, &last, 2) };
    peer.send(Command::MessageAck(Box::new(within)));
    peer.verbs();
    peer
}

fn begin_quietly(peer: &mut Peer) {
    peer.send(info(Some(local(5)), BEGIN));
}

#[test]
fn what_is_committed_is_over() {
    let mut peer = acknowledged();
    peer.send(info(Some(local(5)), COMMIT));
    let Verb::Commit { tx: TxId(5), tag } = peer.verb() else { panic!() };
    peer.done(tag);
    assert!(peer.verbs().is_empty(), "room was made when the application got them");
    assert!(matches!(&peer.commands()[..], [Command::Response(response)] if response.correlation_id == 90));
    peer.send(info(Some(local(5)), COMMIT));
    let (_, class, text) = peer.exception();
    assert_eq!(class, "javax.jms.JMSException");
    assert!(text.ends_with(":5' has not been started."), "{text}");
}

#[test]
fn what_is_rolled_back_can_be_acknowledged_again() {
    let mut peer = acknowledged();
    peer.send(info(Some(local(5)), ROLLBACK));
    let Verb::Rollback { tag, .. } = peer.verb() else { panic!() };
    peer.done(tag);
    peer.commands();
    let link = keepmq_model::LinkId(1);
    let third = peer.deliver(link).message.unwrap().message_id.unwrap();
    peer.send(Command::MessageAck(Box::new(ack(2, None, &third, 3))));
    let verbs = peer.verbs();
    assert!(
        matches!(verbs[..], [Verb::Settle(_), Verb::Grant { credit: 1, .. }]),
        "two had their room before: {verbs:?}"
    );
}

#[test]
fn a_commit_that_fails_leaves_everything_as_it_was() {
    let mut peer = acknowledged();
    peer.send(info(Some(local(5)), COMMIT));
    let Verb::Commit { tag, .. } = peer.verb() else { panic!() };
    peer.refuse(Some(tag), RefusalKind::Forbidden);
    assert_eq!(peer.exception().1, "java.lang.SecurityException");
}

#[test]
fn beginning_twice_is_beginning_once() {
    let mut peer = Peer::open();
    begin(&mut peer, 5);
    begin_quietly(&mut peer);
    assert!(peer.verbs().is_empty());
}

#[test]
fn managers_are_told_that_there_are_none() {
    let mut peer = Peer::open();
    let id = TransactionId::Xa(XaTransactionId { format_id: 1, ..XaTransactionId::default() });
    peer.send(info(Some(id), COMMIT));
    let (_, class, text) = peer.exception();
    assert_eq!(class, "javax.transaction.xa.XAException");
    assert!(text.ends_with("xaErrorCode:-3"), "{text}");
    peer.send(info(None, RECOVER));
    let commands = peer.commands();
    assert!(matches!(&commands[..], [Command::DataArrayResponse(response)] if response.data == Some(vec![])));
}
