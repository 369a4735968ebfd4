//! Topics: fan-out, wildcards, what a subscription that ends with its link gets.

use keepmq_model::{Attach, Filter, Kind, LinkId, Outcome, RefusalKind, Source, Taking, Verb};

use crate::broker::{Broker, Peer, attach, body, entry, filter, grants, map, message, publish, queue, topic};

#[test]
fn every_subscriber_gets_a_copy() {
    let broker = Broker::new();
    let (mut one, mut two, mut sender) = (broker.admin(), broker.admin(), broker.admin());
    one.subscribe(1, "t").unwrap();
    two.subscribe(1, "t").unwrap();
    sender.send(topic("t"), "x", false).unwrap();
    assert_eq!((one.bodies(), two.bodies()), (vec!["x".to_owned()], vec!["x".to_owned()]));
}

#[test]
fn a_message_without_subscribers_is_done_with_at_once() {
    let broker = Broker::new();
    let mut sender = broker.admin();
    sender.send(topic("t"), "x", true).unwrap();
    assert_eq!(broker.gate.status().store.records, 0);
}

#[test]
fn a_subscription_gets_one_copy_however_many_of_its_filters_match() {
    let broker = Broker::new();
    let mut peer = broker.admin();
    let filters = vec![filter("a.*"), filter("a.>"), filter("a.b")];
    peer.attach(attach(1, Source::Subscription { filters })).unwrap();
    peer.send(topic("a.b"), "x", false).unwrap();
    assert_eq!(peer.bodies(), ["x"]);
}

#[test]
fn filters_come_and_go_while_a_link_is_open() {
    let broker = Broker::new();
    let mut peer = broker.admin();
    peer.attach(attach(1, Source::Subscription { filters: Vec::new() })).unwrap();
    peer.send(topic("a"), "1", false).unwrap();
    let bind = |tag| keepmq_model::Bind { link: LinkId(1), filter: filter("a"), tag };
    peer.ask(|tag| Verb::Bind(Box::new(bind(tag)))).unwrap();
    peer.send(topic("a"), "2", false).unwrap();
    let pattern = keepmq_model::Pattern::new("a").unwrap();
    peer.ask(|tag| Verb::Unbind { link: LinkId(1), pattern: pattern.clone(), tag }).unwrap();
    peer.send(topic("a"), "3", false).unwrap();
    assert_eq!(peer.bodies(), ["2"]);
    assert!(peer.ask(|tag| Verb::Unbind { link: LinkId(1), pattern, tag }).is_err(), "it is not bound");
}

#[test]
fn a_subscription_can_leave_out_what_its_own_connection_sends() {
    let broker = Broker::new();
    let (mut peer, mut other) = (broker.admin(), broker.admin());
    let filters = vec![Filter { no_local: true, ..filter("t") }];
    peer.attach(attach(1, Source::Subscription { filters })).unwrap();
    peer.send(topic("t"), "mine", false).unwrap();
    other.send(topic("t"), "other", false).unwrap();
    assert_eq!(peer.bodies(), ["other"]);
}

#[test]
fn hidden_topics_are_not_met_by_a_leading_wildcard() {
    let broker = Broker::new();
    let mut peer = broker.admin();
    peer.subscribe(1, ">").unwrap();
    peer.subscribe(2, "$SYS.>").unwrap();
    broker.gate.publish_status("$SYS.broker.uptime", "7".into());
    let links: Vec<u32> = peer.deliveries().iter().map(|delivery| delivery.link.0).collect();
    assert_eq!(links, [2]);
}

#[test]
fn what_a_passing_subscription_held_ends_with_it() {
    let broker = Broker::new();
    let mut peer = broker.admin();
    peer.subscribe(1, "t").unwrap();
    peer.send(topic("t"), "x", true).unwrap();
    assert_eq!(peer.deliveries().len(), 1);
    peer.detach(1);
    peer.subscribe(1, "t").unwrap();
    assert!(peer.deliveries().is_empty());
}

#[test]
fn a_failed_delivery_of_a_subscription_comes_again() {
    let broker = Broker::new();
    let mut peer = broker.admin();
    peer.subscribe(1, "t").unwrap();
    peer.send(topic("t"), "x", false).unwrap();
    let first = peer.deliveries().remove(0);
    peer.settle(1, first.id, Outcome::Failed).unwrap();
    let again = peer.deliveries().remove(0);
    assert_eq!((again.marks.redeliveries, again.place), (1, first.place));
}

#[test]
fn messages_of_one_sender_keep_their_order_through_a_small_window() {
    let broker = Broker::new();
    let (mut peer, mut sender) = (broker.admin(), broker.admin());
    let source = Source::Subscription { filters: vec![filter("t")] };
    peer.attach(Attach { taking: Taking::Settled, credit: 3, refill: false, ..attach(1, source) }).unwrap();
    for n in 0..20 {
        sender.say(Verb::Publish(publish(message(topic("t"), &n.to_string(), false))));
    }
    let mut got = Vec::new();
    for _ in 0..10 {
        got.extend(peer.bodies());
        peer.say(Verb::Grant { link: LinkId(1), credit: 3 });
    }
    assert_eq!(got, (0..20).map(|n| n.to_string()).collect::<Vec<_>>());
}

#[test]
fn a_deleted_topic_is_a_new_one_when_it_is_used_again() {
    let broker = Broker::new();
    let mut peer = broker.admin();
    peer.send(topic("t"), "x", false).unwrap();
    peer.ask(|tag| Verb::Delete { destination: topic("t"), tag }).unwrap();
    assert_eq!(broker.gate.status().topics, 0);
    peer.subscribe(1, "t").unwrap();
    assert!(peer.ask(|tag| Verb::Delete { destination: topic("t"), tag }).is_err(), "somebody subscribes");
    peer.send(topic("t"), "y", false).unwrap();
    assert_eq!(peer.bodies(), ["y"]);
}

#[test]
fn a_virtual_topic_fills_the_queues_that_were_made_for_it() {
    let broker = Broker::new();
    let (mut sender, mut one, mut two, mut live) =
        (broker.admin(), broker.admin(), broker.admin(), broker.admin());
    sender.send(topic("VirtualTopic.orders"), "too early", true).unwrap();
    one.consume("Consumer.a.VirtualTopic.orders", 10);
    two.consume("Consumer.b.VirtualTopic.orders", 10);
    live.subscribe(1, "VirtualTopic.orders").unwrap();
    sender.send(topic("VirtualTopic.orders"), "x", true).unwrap();
    sender.send(topic("VirtualTopic.others"), "y", true).unwrap();
    let got = one.deliveries();
    assert_eq!(got.iter().map(body).collect::<Vec<_>>(), ["x"]);
    assert_eq!(got[0].message.envelope.destination, queue("Consumer.a.VirtualTopic.orders"));
    assert_eq!((two.bodies(), live.bodies()), (vec!["x".to_owned()], vec!["x".to_owned()]));
}

#[test]
fn queues_of_virtual_topics_keep_what_comes_and_end_when_they_are_deleted() {
    let broker = Broker::new();
    let made = |peer: &mut Peer<'_>| {
        let destination = queue("Consumer.a.VirtualTopic.orders");
        peer.ask(|tag| Verb::Target { destination, tag }).unwrap();
    };
    let mut peer = broker.admin();
    made(&mut peer);
    peer.send(topic("VirtualTopic.orders"), "kept", true).unwrap();
    drop(peer);
    let broker = broker.crash();
    assert_eq!(broker.depth("Consumer.a.VirtualTopic.orders"), 1);
    let mut peer = broker.admin();
    peer.send(topic("VirtualTopic.orders"), "after", true).unwrap();
    assert_eq!(broker.depth("Consumer.a.VirtualTopic.orders"), 2);
    let destination = queue("Consumer.a.VirtualTopic.orders");
    peer.ask(|tag| Verb::Delete { destination, tag }).unwrap();
    peer.send(topic("VirtualTopic.orders"), "nobody's", true).unwrap();
    made(&mut peer);
    assert_eq!(broker.depth("Consumer.a.VirtualTopic.orders"), 0);
}

#[test]
fn who_may_send_to_a_virtual_topic_need_not_know_its_queues() {
    let topics = entry(Kind::Topic, ">", grants(&[], &["senders"], &["senders"]));
    let broker = Broker::with(keepmq_core::Limits::default(), map(vec![topics]));
    let (mut admin, mut sender) = (broker.admin(), broker.login("s", &["senders"], None));
    admin.consume("Consumer.a.VirtualTopic.orders", 10);
    sender.send(topic("VirtualTopic.orders"), "x", false).unwrap();
    assert_eq!(admin.bodies(), ["x"]);
    let refusal = sender.send(queue("Consumer.a.VirtualTopic.orders"), "y", false).unwrap_err();
    assert_eq!(refusal.kind, RefusalKind::Forbidden);
}
