//! Transactions.

use bytes::Bytes;
use keepmq_model::{Event, Finish, RefusalKind, TxId, Verb, Xid};
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

const PREPARE: i8 = 1;
const COMMIT_PREPARED: i8 = 3;
const END: i8 = 7;

fn branch() -> TransactionId {
    TransactionId::Xa(XaTransactionId {
        format_id: 7,
        global_transaction_id: Some(Bytes::from_static(b"g")),
        branch_qualifier: Some(Bytes::from_static(b"b")),
    })
}

fn xid() -> Xid {
    Xid::new(7, b"g", b"b").unwrap()
}

/// A consumer that acknowledged a message in a branch.
fn acknowledged_in_branch() -> (Peer, TxId) {
    let mut peer = Peer::open();
    let link = peer.consume(1, "q", 10);
    let last = peer.deliver(link).message.unwrap().message_id.unwrap();
    peer.send(info(Some(branch()), BEGIN));
    let Verb::Join { tx, branch: joined } = peer.verb() else { panic!() };
    assert_eq!(joined, xid());
    let within = MessageAck { transaction_id: Some(branch()), ..ack(2, None, &last, 1) };
    peer.send(Command::MessageAck(Box::new(within)));
    assert!(matches!(peer.verb(), Verb::Settle(settle) if settle.tx == Some(tx)));
    peer.send(info(Some(branch()), END));
    assert!(matches!(&peer.commands()[..], [Command::Response(_)]));
    (peer, tx)
}

#[test]
fn a_branch_is_prepared_and_committed() {
    let (mut peer, _) = acknowledged_in_branch();
    peer.send(info(Some(branch()), PREPARE));
    let Verb::Prepare { tag, .. } = peer.verb() else { panic!() };
    peer.event(Event::Prepared { tag, is_over: false });
    assert!(matches!(&peer.commands()[..], [Command::IntegerResponse(response)] if response.result == 0));
    peer.send(info(Some(branch()), COMMIT_PREPARED));
    let Verb::Finish { how: Finish::Commit, tag, .. } = peer.verb() else { panic!() };
    peer.done(tag);
    assert!(matches!(peer.verbs()[..], [Verb::Grant { credit: 1, .. }]));
    assert!(matches!(&peer.commands()[..], [Command::Response(_)]));
}

#[test]
fn an_empty_branch_is_over_once_it_is_prepared() {
    let mut peer = Peer::open();
    peer.send(info(Some(branch()), BEGIN));
    peer.send(info(Some(branch()), BEGIN));
    assert!(matches!(peer.verbs()[..], [Verb::Join { .. }]));
    peer.send(info(Some(branch()), PREPARE));
    let Verb::Prepare { tag, .. } = peer.verb() else { panic!() };
    peer.event(Event::Prepared { tag, is_over: true });
    assert!(matches!(&peer.commands()[..], [Command::IntegerResponse(response)] if response.result == 3));
    peer.send(info(Some(branch()), BEGIN));
    assert!(matches!(peer.verb(), Verb::Join { .. }), "it is another one");
}

#[test]
fn what_another_connection_commits_is_over_here_too() {
    let (mut peer, tx) = acknowledged_in_branch();
    peer.event(Event::Finished { tx, committed: true });
    assert!(matches!(peer.verbs()[..], [Verb::Grant { credit: 1, .. }]));
    assert!(peer.commands().is_empty(), "nobody asked");
}

#[test]
fn managers_find_the_number_of_what_is_wrong_in_the_text() {
    let cases = [
        (RefusalKind::NotFound, -4),
        (RefusalKind::Conflict, -6),
        (RefusalKind::RolledBack, 100),
        (RefusalKind::Busy, -3),
    ];
    for (kind, code) in cases {
        let (mut peer, _) = acknowledged_in_branch();
        peer.send(info(Some(branch()), COMMIT));
        let Verb::Finish { how: Finish::CommitAtOnce, tag, .. } = peer.verb() else { panic!() };
        peer.refuse(Some(tag), kind);
        let (_, class, text) = peer.exception();
        assert_eq!(class, "javax.transaction.xa.XAException");
        assert!(text.ends_with(&format!("xaErrorCode:{code}")), "{text}");
    }
}

#[test]
fn managers_are_told_what_is_prepared() {
    let mut peer = Peer::open();
    peer.send(info(None, RECOVER));
    let Verb::InDoubt { tag } = peer.verb() else { panic!() };
    peer.event(Event::InDoubt { tag, branches: vec![xid()] });
    let commands = peer.commands();
    let [Command::DataArrayResponse(response)] = &commands[..] else { panic!("{commands:?}") };
    assert_eq!(response.data, Some(vec![Box::new(Command::XaTransactionId(as_xa(branch())))]));
}

fn as_xa(id: TransactionId) -> XaTransactionId {
    let TransactionId::Xa(id) = id else { panic!() };
    id
}

#[test]
fn a_branch_with_too_long_a_name_is_refused() {
    let mut peer = Peer::open();
    let id = XaTransactionId { global_transaction_id: Some(vec![0; 65].into()), ..as_xa(branch()) };
    peer.send(info(Some(TransactionId::Xa(id)), COMMIT));
    assert!(peer.exception().2.contains("too long"));
}
