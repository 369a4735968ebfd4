//! Consumers: what they attach to, what they are sent, how they end.

use keepmq_model::{DeliveryId, Event, Kind, LinkId, Refusal, RefusalKind, Source, Taking, Verb};
use keepmq_openwire::codec::{Command, ConsumerControl, ConsumerInfo, RemoveInfo, RemoveSubscriptionInfo};

use crate::peer::{Peer, consumer, consumer_id, delivery, queue, topic};

fn attach(info: ConsumerInfo) -> Vec<Verb> {
    let mut peer = Peer::open();
    peer.send(Command::ConsumerInfo(Box::new(info)));
    peer.verbs()
}

fn remove(value: i64, last_delivered_sequence_id: i64) -> Command {
    let object_id = Some(Box::new(Command::ConsumerId(consumer_id(value))));
    Command::RemoveInfo(Box::new(RemoveInfo {
        command_id: 60,
        response_required: true,
        object_id,
        last_delivered_sequence_id,
    }))
}

#[test]
fn a_queue_consumer_takes_as_many_as_its_prefetch() {
    let info = ConsumerInfo {
        selector: Some("a = 1".into()),
        exclusive: true,
        priority: 5,
        ..consumer(1, queue("q"), 10)
    };
    let verbs = attach(info);
    let [Verb::Attach(attach)] = &verbs[..] else { panic!() };
    assert!(
        matches!(&attach.source, Source::Queue { kind: Kind::Queue, pattern } if pattern.to_string() == "q")
    );
    assert_eq!((attach.credit, attach.taking, attach.refill), (10, Taking::Unsettled, false));
    assert_eq!((attach.selector.as_deref(), attach.exclusive, attach.priority), (Some("a = 1"), true, 5));
}

#[test]
fn a_topic_consumer_has_filters_one_for_each_name() {
    let info =
        ConsumerInfo { no_local: true, selector: Some("a = 1".into()), ..consumer(1, topic("a,b.>"), 10) };
    let verbs = attach(info);
    let [Verb::Attach(attach)] = &verbs[..] else { panic!() };
    let Source::Subscription { filters } = &attach.source else { panic!() };
    assert_eq!((filters.len(), attach.taking), (2, Taking::Settled));
    assert!(filters.iter().all(|filter| filter.no_local && filter.selector.is_some()));
    assert_eq!(attach.selector, None);
}

#[test]
fn a_composite_of_queues_has_a_link_for_each() {
    let mut peer = Peer::open();
    peer.send(Command::ConsumerInfo(Box::new(consumer(1, queue("a,b"), 10))));
    let verbs = peer.verbs();
    let [Verb::Attach(one), Verb::Attach(two)] = &verbs[..] else { panic!() };
    peer.event(Event::Attached { link: one.link, tag: one.tag, resumed: None });
    assert!(peer.commands().is_empty(), "both must be open");
    peer.event(Event::Attached { link: two.link, tag: two.tag, resumed: None });
    assert!(matches!(peer.commands()[..], [Command::Response(_)]));
}

#[test]
fn a_durable_subscription_belongs_to_the_client_id() {
    let mut peer = Peer::open();
    let info = ConsumerInfo { subscription_name: Some("s".into()), ..consumer(1, topic("t"), 10) };
    peer.send(Command::ConsumerInfo(Box::new(info.clone())));
    let Verb::Attach(attach) = peer.verb() else { panic!() };
    assert!(
        matches!(&attach.source, Source::Durable { name, .. } if &*name.client_id == "client" && &*name.name == "s")
    );
    let twice = ConsumerInfo { consumer_id: Some(consumer_id(2)), ..info };
    peer.send(Command::ConsumerInfo(Box::new(twice)));
    assert!(peer.exception().2.starts_with("Durable consumer is in use for client: client"));
    let forget = RemoveSubscriptionInfo {
        command_id: 61,
        response_required: true,
        subscription_name: Some("s".into()),
        ..RemoveSubscriptionInfo::default()
    };
    peer.send(Command::RemoveSubscriptionInfo(Box::new(forget.clone())));
    assert_eq!(peer.exception().2, "Durable consumer is in use");
    peer.send(remove(1, -2));
    peer.verbs();
    peer.commands();
    peer.send(Command::RemoveSubscriptionInfo(Box::new(forget)));
    let Verb::Forget { tag, .. } = peer.verb() else { panic!() };
    peer.refuse(Some(tag), RefusalKind::NotFound);
    let (id, class, text) = peer.exception();
    assert_eq!((id, &*class), (Some(61), "javax.jms.InvalidDestinationException"));
    assert!(text.starts_with("No durable subscription exists for clientID: client and subscriptionName: s"));
}

#[test]
fn what_can_not_be_consumed_is_refused() {
    let bad = [
        consumer(1, queue("a,topic://b"), 1),
        ConsumerInfo { subscription_name: Some("s".into()), ..consumer(1, queue("q"), 1) },
        ConsumerInfo { destination: None, ..consumer(1, queue("q"), 1) },
        ConsumerInfo { consumer_id: None, ..consumer(1, queue("q"), 1) },
    ];
    for info in bad {
        let mut peer = Peer::open();
        peer.send(Command::ConsumerInfo(Box::new(info)));
        assert!(peer.verbs().is_empty());
        assert_eq!(peer.exception().1, "javax.jms.JMSException");
    }
}

#[test]
fn a_refused_consumer_is_told_and_forgotten() {
    let mut peer = Peer::open();
    peer.send(Command::ConsumerInfo(Box::new(consumer(1, queue("q"), 1))));
    let Verb::Attach(attach) = peer.verb() else { panic!() };
    peer.refuse(Some(attach.tag), RefusalKind::InvalidSelector);
    let (id, class, _) = peer.exception();
    assert_eq!((id, &*class), (Some(50), "javax.jms.InvalidSelectorException"));
    peer.send(remove(1, -2));
    assert!(peer.exception().2.starts_with("Cannot remove a consumer that had not been registered"));
}

#[test]
fn a_delivery_names_its_consumer_and_its_queue() {
    let mut peer = Peer::open();
    let link = peer.consume(3, "q", 10);
    let dispatch = peer.deliver(link);
    assert_eq!((dispatch.consumer_id, dispatch.destination), (Some(consumer_id(3)), Some(queue("q"))));
    let message = dispatch.message.unwrap();
    assert_eq!(message.destination, Some(queue("q")));
    assert_eq!(message.message_id.unwrap().broker_sequence_id, 1 << 40 | 1);
    peer.event(delivery(LinkId(99), 1));
    assert!(peer.commands().is_empty(), "nobody is there any more");
}

#[test]
fn a_browser_is_told_that_it_has_seen_everything() {
    let mut peer = Peer::open();
    let link = peer.attach(ConsumerInfo { browser: true, ..consumer(1, queue("q"), 10) });
    peer.event(Event::Exhausted { link });
    let commands = peer.commands();
    let [Command::MessageDispatch(dispatch)] = &commands[..] else { panic!() };
    assert_eq!((&dispatch.message, &dispatch.destination), (&None, &None));
}

#[test]
fn a_consumer_that_goes_tells_what_its_application_saw() {
    for (last_seen, wanted) in
        [(-2, None), (-1, Some(vec![])), (1 << 40 | 2, Some(vec![DeliveryId { leg: 0, number: 2 }]))]
    {
        let mut peer = Peer::open();
        let link = peer.consume(1, "q", 10);
        (0..3).for_each(|_| drop(peer.deliver(link)));
        peer.send(remove(1, last_seen));
        let Verb::Detach { tried, .. } = peer.verb() else { panic!() };
        assert_eq!(tried, wanted);
        assert!(matches!(peer.commands()[..], [Command::Response(_)]));
    }
}

#[test]
fn a_link_that_the_broker_closes_closes_the_consumer() {
    let mut peer = Peer::open();
    let link = peer.consume(1, "q", 10);
    peer.event(Event::Detached { link, refusal: Refusal::new(RefusalKind::Forbidden, "the map changed") });
    let commands = peer.commands();
    let [Command::ConnectionError(_), Command::ConsumerControl(control)] = &commands[..] else { panic!() };
    assert!(control.close && control.consumer_id == Some(consumer_id(1)));
}

#[test]
fn a_failover_client_raises_its_prefetch_later() {
    let mut peer = Peer::open();
    let link = peer.consume(1, "q", 0);
    let control =
        ConsumerControl { consumer_id: Some(consumer_id(1)), prefetch: 7, ..ConsumerControl::default() };
    peer.send(Command::ConsumerControl(Box::new(control)));
    assert!(matches!(peer.verb(), Verb::Grant { link: of, credit: 7 } if of == link));
}
