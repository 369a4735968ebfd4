//! What clients send.

use keepmq_model::{Kind, RefusalKind, Verb};
use keepmq_openwire::codec::{
    Command, ConnectionInfo, Destination, DestinationInfo, DestinationKind, Message, MessageId, MessageKind,
    ProducerId, ProducerInfo, RemoveInfo,
};

use crate::peer::{CONNECTION, Peer, connection, producer, queue};

fn message(destination: Destination) -> Message {
    Message {
        kind: MessageKind::Text,
        command_id: 80,
        response_required: true,
        producer_id: Some(producer()),
        destination: Some(destination),
        message_id: Some(MessageId {
            producer_id: Some(producer()),
            producer_sequence_id: 1,
            ..MessageId::default()
        }),
        persistent: true,
        priority: 7,
        timestamp: 1000,
        expiration: 2000,
        content: Some(bytes::Bytes::from_static(b"\0\0\0\x02hi")),
        ..Message::default()
    }
}

fn send(peer: &mut Peer, message: Message) {
    peer.send(Command::Message(Box::new(message)));
}

#[test]
fn a_message_is_published_and_answered_when_it_is_safe() {
    let mut peer = Peer::open();
    send(&mut peer, message(queue("q")));
    let Verb::Publish(publish) = peer.verb() else { panic!() };
    let envelope = &publish.message.envelope;
    assert_eq!(
        (envelope.destination.to_string().as_str(), envelope.durable, envelope.priority),
        ("queue://q", true, 7)
    );
    assert_eq!((envelope.timestamp_ms, envelope.expires_ms), (1000, 2000));
    assert_eq!(&publish.message.native.body[..], b"\0\0\0\x02hi", "the body is as it came");
    assert!(peer.commands().is_empty());
    peer.done(publish.tag.unwrap());
    assert!(matches!(&peer.commands()[..], [Command::Response(response)] if response.correlation_id == 80));
}

#[test]
fn who_connects_again_by_itself_numbers_its_messages() {
    let number = |peer: &mut Peer| {
        send(peer, message(queue("q")));
        let Verb::Publish(publish) = peer.verb() else { panic!() };
        publish.message.envelope.extras.as_ref().and_then(|extras| extras.duplicate.clone())
    };
    assert_eq!(number(&mut Peer::open()), None);
    let mut peer = Peer::open_as(ConnectionInfo { fault_tolerant: true, ..connection() });
    let sender = format!("{CONNECTION}:1:1");
    assert_eq!(number(&mut peer), Some((sender.as_str().into(), 1)));
    let object_id = Some(Box::new(Command::ProducerId(producer())));
    peer.send(Command::RemoveInfo(Box::new(RemoveInfo { object_id, ..RemoveInfo::default() })));
    assert!(matches!(peer.verb(), Verb::EndSender { sender: over } if *over == *sender));
}

#[test]
fn a_group_is_one_of_the_facts() {
    let mut peer = Peer::open();
    send(&mut peer, Message { group_id: Some("g".into()), group_sequence: -1, ..message(queue("q")) });
    let Verb::Publish(publish) = peer.verb() else { panic!() };
    let group = publish.message.envelope.extras.as_ref().unwrap().group.clone().unwrap();
    assert_eq!((&*group.id, group.sequence), ("g", -1));
}

#[test]
fn a_composite_goes_everywhere_or_nowhere() {
    let mut peer = Peer::open();
    send(&mut peer, message(queue("a,topic://b")));
    let Verb::Publish(publish) = peer.verb() else { panic!() };
    assert_eq!(publish.also.len(), 1);
    assert_eq!(publish.also[0].kind(), Kind::Topic);
}

#[test]
fn a_message_without_an_answer_tells_a_refusal_by_itself() {
    let mut peer = Peer::open();
    send(&mut peer, Message { response_required: false, ..message(queue("q")) });
    let Verb::Publish(publish) = peer.verb() else { panic!() };
    assert_eq!(publish.tag, None);
    peer.refuse(None, RefusalKind::Forbidden);
    let (id, class, _) = peer.exception();
    assert_eq!((id, &*class), (None, "java.lang.SecurityException"));
}

#[test]
fn a_temporary_destination_that_is_gone_has_an_exception_of_its_own() {
    let mut peer = Peer::open();
    send(&mut peer, message(queue("q")));
    let Verb::Publish(publish) = peer.verb() else { panic!() };
    peer.refuse(publish.tag, RefusalKind::NotFound);
    assert_eq!(peer.exception().1, "org.apache.activemq.DestinationDoesNotExistException");
}

#[test]
fn a_window_opens_again_by_exactly_what_the_message_took() {
    let mut peer = Peer::open();
    let id = ProducerId { value: 2, ..producer() };
    let info = ProducerInfo { producer_id: Some(id.clone()), window_size: 5000, ..ProducerInfo::default() };
    peer.send(Command::ProducerInfo(Box::new(info)));
    send(
        &mut peer,
        Message { response_required: false, producer_id: Some(id.clone()), ..message(queue("q")) },
    );
    let Verb::Publish(publish) = peer.verb() else { panic!() };
    peer.done(publish.tag.unwrap());
    let commands = peer.commands();
    let [Command::ProducerAck(ack)] = &commands[..] else { panic!() };
    assert_eq!((&ack.producer_id, ack.size), (&Some(id), 1024 + 6));
}

#[test]
fn a_producer_is_judged_when_it_is_made() {
    let mut peer = Peer::open();
    let info = ProducerInfo {
        command_id: 81,
        response_required: true,
        producer_id: Some(ProducerId { value: 2, ..producer() }),
        destination: Some(queue("a,b")),
        ..ProducerInfo::default()
    };
    peer.send(Command::ProducerInfo(Box::new(info)));
    let verbs = peer.verbs();
    let [Verb::Target { .. }, Verb::Target { tag, .. }] = &verbs[..] else { panic!("{verbs:?}") };
    peer.refuse(Some(*tag), RefusalKind::Forbidden);
    assert_eq!(peer.exception().0, Some(81));
    send(
        &mut peer,
        Message { producer_id: Some(ProducerId { value: 2, ..producer() }), ..message(queue("q")) },
    );
    assert!(peer.exception().2.contains("invalid (null) producer state"));
}

#[test]
fn what_can_not_be_sent_is_refused() {
    let mut properties = bytes::BytesMut::new();
    let delay = keepmq_model::Value::I64(5);
    keepmq_openwire::codec::primitive::put_map(
        &mut properties,
        [("AMQ_SCHEDULED_DELAY", &delay)].into_iter(),
    );
    let bad = [
        message(queue("a.>")),
        message(queue("")),
        Message { destination: None, ..message(queue("q")) },
        Message { producer_id: None, ..message(queue("q")) },
        Message { marshalled_properties: Some(properties.freeze()), ..message(queue("q")) },
    ];
    for message in bad {
        let mut peer = Peer::open();
        send(&mut peer, message);
        assert!(peer.verbs().is_empty());
        assert_eq!((peer.exception().0, peer.flow.clone()), (Some(80), keepmq_model::Flow::Continue));
    }
}

#[test]
fn a_temporary_destination_is_named_after_its_connection() {
    let mut peer = Peer::open();
    let info = |name: &str, operation_type| {
        let destination = Destination { kind: DestinationKind::TempQueue, physical_name: Some(name.into()) };
        Command::DestinationInfo(Box::new(DestinationInfo {
            command_id: 82,
            response_required: true,
            destination: Some(destination),
            operation_type,
            ..DestinationInfo::default()
        }))
    };
    let own = format!("{CONNECTION}:1");
    peer.send(info(&own, 0));
    let Verb::CreateTemporary { name, tag, kind: Kind::TempQueue } = peer.verb() else { panic!() };
    assert_eq!(name.as_deref(), Some(&*own));
    peer.done(tag);
    assert!(matches!(peer.commands()[..], [Command::Response(_)]));
    for other in ["ID:other:1", CONNECTION, &format!("{CONNECTION}:")] {
        peer.send(info(other, 0));
        assert_eq!(peer.exception().0, Some(82));
    }
    peer.send(info(&own, 1));
    let Verb::Delete { tag, .. } = peer.verb() else { panic!() };
    peer.refuse(Some(tag), RefusalKind::NotFound);
    assert!(matches!(peer.commands()[..], [Command::Response(_)]), "it is gone, which is what was wanted");
}
