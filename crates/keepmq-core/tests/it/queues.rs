//! Queues: competing consumers, credit, outcomes, redelivery, dead letters, priority, expiry, browsing, purging.

use keepmq_model::{
    Attach, DeadCause, Event, LinkId, Outcome, Publish, RefusalKind, Settle, Source, Tag, Taking, Verb,
};

use crate::broker::{Broker, Peer, attach, body, from_queue, message, publish, queue};

fn fill(peer: &mut Peer<'_>, name: &str, count: usize, durable: bool) {
    for n in 0..count {
        peer.say(Verb::Publish(publish(message(queue(name), &n.to_string(), durable))));
    }
    peer.broker.settle();
}

#[test]
fn competing_consumers_share_the_messages() {
    let broker = Broker::new();
    let (mut one, mut two, mut sender) = (broker.admin(), broker.admin(), broker.admin());
    one.consume("q", 10);
    two.consume("q", 10);
    fill(&mut sender, "q", 6, true);
    let (first, second) = (one.bodies(), two.bodies());
    assert_eq!((first.len(), second.len()), (3, 3));
    let mut all = [first, second].concat();
    all.sort();
    assert_eq!(all, ["0", "1", "2", "3", "4", "5"]);
}

#[test]
fn credit_bounds_what_a_consumer_gets() {
    let broker = Broker::new();
    let mut peer = broker.admin();
    peer.attach(Attach { credit: 2, refill: false, ..attach(1, from_queue("q")) }).unwrap();
    fill(&mut peer, "q", 5, false);
    assert_eq!(peer.bodies(), ["0", "1"]);
    peer.say(Verb::Grant { link: LinkId(1), credit: 1 });
    assert_eq!(peer.bodies(), ["2"]);
    peer.settle_range(1, 0, 1, 3, Outcome::Accepted).unwrap();
    assert!(peer.bodies().is_empty(), "settling gives nothing back to a link that does not refill");
}

#[test]
fn settling_makes_room_for_the_next() {
    let broker = Broker::new();
    let mut peer = broker.admin();
    peer.consume("q", 1);
    fill(&mut peer, "q", 3, true);
    for wanted in ["0", "1", "2"] {
        let deliveries = peer.deliveries();
        assert_eq!(deliveries.iter().map(body).collect::<Vec<_>>(), [wanted]);
        peer.settle(1, deliveries[0].id, Outcome::Accepted).unwrap();
    }
    assert_eq!(broker.gate.status().store.records, 0);
}

#[test]
fn one_settlement_can_cover_all_before_it() {
    let broker = Broker::new();
    let mut peer = broker.admin();
    peer.consume("q", 5);
    fill(&mut peer, "q", 5, true);
    assert_eq!(peer.deliveries().len(), 5);
    peer.settle_range(1, 0, 0, 3, Outcome::Accepted).unwrap();
    peer.client.close();
    broker.settle();
    assert_eq!(broker.depth("q"), 2);
}

#[test]
fn a_delivery_is_settled_once() {
    let broker = Broker::new();
    let mut peer = broker.admin();
    peer.consume("q", 5);
    fill(&mut peer, "q", 1, true);
    let id = peer.deliveries()[0].id;
    peer.settle(1, id, Outcome::Accepted).unwrap();
    assert!(peer.settle(1, id, Outcome::Accepted).is_err());
    assert!(peer.settle_range(1, 0, 7, 9, Outcome::Accepted).is_err(), "never handed out");
}

#[test]
fn what_a_lost_consumer_held_goes_to_the_next_in_its_old_order() {
    let broker = Broker::new();
    let mut peer = broker.admin();
    fill(&mut peer, "q", 4, true);
    {
        let mut lost = broker.admin();
        lost.consume("q", 3);
        assert_eq!(lost.bodies(), ["0", "1", "2"]);
    }
    peer.consume("q", 10);
    let deliveries = peer.deliveries();
    assert_eq!(deliveries.iter().map(body).collect::<Vec<_>>(), ["0", "1", "2", "3"]);
    let counts: Vec<u32> = deliveries.iter().map(|delivery| delivery.marks.redeliveries).collect();
    assert_eq!(counts, [1, 1, 1, 0]);
}

#[test]
fn what_a_closing_connection_gives_back_does_not_go_to_its_other_links() {
    let broker = Broker::new();
    let mut peer = broker.admin();
    {
        let mut lost = broker.admin();
        lost.consume("q", 1);
        for link in 2..6 {
            lost.attach(Attach { credit: 1, ..attach(link, from_queue("q")) }).unwrap();
        }
        fill(&mut peer, "q", 5, true);
        assert_eq!(lost.deliveries().len(), 5);
    }
    peer.consume("q", 10);
    let counts: Vec<u32> = peer.deliveries().iter().map(|delivery| delivery.marks.redeliveries).collect();
    assert_eq!(counts, [1; 5]);
}

#[test]
fn a_released_message_is_not_counted_as_tried() {
    let broker = Broker::new();
    let mut peer = broker.admin();
    peer.consume("q", 1);
    fill(&mut peer, "q", 1, true);
    for _ in 0..20 {
        let delivery = peer.deliveries().remove(0);
        assert_eq!(delivery.marks.redeliveries, 0);
        peer.settle(1, delivery.id, Outcome::Released).unwrap();
    }
}

#[test]
fn a_message_that_fails_too_often_is_put_aside_with_its_story() {
    let broker = Broker::new();
    let mut peer = broker.admin();
    peer.consume("q", 1);
    fill(&mut peer, "q", 1, true);
    for tried in 0..7 {
        let delivery = peer.deliveries().remove(0);
        assert_eq!(delivery.marks.redeliveries, tried);
        peer.settle(1, delivery.id, Outcome::Failed).unwrap();
    }
    assert!(peer.deliveries().is_empty());
    assert_eq!((broker.depth("q"), broker.depth("ActiveMQ.DLQ")), (0, 1));
    peer.attach(attach(2, from_queue("ActiveMQ.DLQ"))).unwrap();
    let letter = peer.deliveries().remove(0);
    let dead = letter.marks.dead.as_deref().unwrap();
    assert_eq!((dead.cause, &dead.from), (DeadCause::TooManyRedeliveries, &queue("q")));
    assert_eq!(letter.message.envelope.destination, queue("ActiveMQ.DLQ"));
}

#[test]
fn a_rejected_message_is_put_aside_at_once() {
    let broker = Broker::new();
    let mut peer = broker.admin();
    peer.consume("q", 1);
    fill(&mut peer, "q", 1, true);
    let id = peer.deliveries()[0].id;
    peer.settle(1, id, Outcome::Rejected).unwrap();
    broker.settle();
    assert_eq!(broker.depth("ActiveMQ.DLQ"), 1);
}

#[test]
fn what_need_not_survive_is_dropped_instead_of_put_aside() {
    let broker = Broker::new();
    let mut peer = broker.admin();
    peer.consume("q", 1);
    fill(&mut peer, "q", 1, false);
    let id = peer.deliveries()[0].id;
    peer.settle(1, id, Outcome::Rejected).unwrap();
    broker.settle();
    assert_eq!(broker.depth("ActiveMQ.DLQ"), 0);
}

#[test]
fn a_dead_letter_survives_a_crash_and_is_in_one_place_only() {
    let broker = Broker::new();
    let mut peer = broker.admin();
    peer.consume("q", 1);
    fill(&mut peer, "q", 1, true);
    let id = peer.deliveries()[0].id;
    peer.settle(1, id, Outcome::Rejected).unwrap();
    broker.settle();
    drop(peer);
    let broker = broker.crash();
    assert!(broker.faults.is_empty(), "{:?}", broker.faults);
    assert_eq!((broker.depth("q"), broker.depth("ActiveMQ.DLQ")), (0, 1));
}

#[test]
fn higher_priorities_go_first_and_equal_ones_in_order() {
    let broker = Broker::new();
    let mut peer = broker.admin();
    for (priority, text) in [(4, "a"), (9, "b"), (0, "c"), (9, "d"), (4, "e"), (200, "f")] {
        let mut message = message(queue("q"), text, priority % 2 == 0);
        message.envelope.priority = priority;
        peer.say(Verb::Publish(publish(message)));
    }
    broker.settle();
    peer.consume("q", 10);
    assert_eq!(peer.bodies(), ["b", "d", "f", "a", "e", "c"]);
}

#[test]
fn expired_messages_are_not_delivered() {
    let broker = Broker::new();
    let mut peer = broker.admin();
    for (text, life) in [("short", 10), ("long", 1000), ("ever", 0)] {
        let mut message = message(queue("q"), text, true);
        message.envelope.expires_ms = if life == 0 { 0 } else { broker.now() + life };
        peer.say(Verb::Publish(publish(message)));
    }
    broker.settle();
    broker.pass(10);
    peer.consume("q", 10);
    assert_eq!(peer.bodies(), ["long", "ever"]);
    assert_eq!(broker.depth("ActiveMQ.DLQ"), 1);
}

#[test]
fn expired_messages_are_found_without_a_consumer() {
    let broker = Broker::new();
    let mut peer = broker.admin();
    let mut message = message(queue("q"), "x", true);
    message.envelope.expires_ms = broker.now() + 10;
    peer.say(Verb::Publish(publish(message)));
    broker.settle();
    broker.pass(10);
    broker.gate.sweep();
    broker.settle();
    assert_eq!((broker.depth("q"), broker.depth("ActiveMQ.DLQ")), (0, 1));
    assert_eq!(broker.gate.queues().iter().find(|q| q.queue.name() == "q").unwrap().counts.expired, 1);
}

#[test]
fn browsing_shows_everything_in_order_and_takes_nothing() {
    let broker = Broker::new();
    let mut peer = broker.admin();
    fill(&mut peer, "q", 5, true);
    let browse = Attach { taking: Taking::Browse, credit: 3, ..attach(1, from_queue("q")) };
    peer.attach(browse).unwrap();
    assert_eq!(peer.bodies(), ["0", "1", "2"]);
    assert!(!peer.events.iter().any(|event| matches!(event, Event::Exhausted { .. })));
    peer.say(Verb::Grant { link: LinkId(1), credit: 10 });
    assert_eq!(peer.bodies(), ["3", "4"]);
    assert!(peer.events.iter().any(|event| matches!(event, Event::Exhausted { .. })));
    assert_eq!(broker.depth("q"), 5);
}

#[test]
fn purging_removes_what_waits_and_leaves_what_is_held() {
    let broker = Broker::new();
    let mut peer = broker.admin();
    fill(&mut peer, "q", 5, true);
    peer.consume("q", 2);
    let held = peer.deliveries();
    assert_eq!(held.len(), 2);
    peer.ask(|tag| Verb::Purge { destination: queue("q"), tag }).unwrap();
    assert_eq!(broker.gate.status().store.records, 2);
    peer.settle(1, held[1].id, Outcome::Failed).unwrap();
    drop(peer);
    let broker = broker.crash();
    assert_eq!(broker.depth("q"), 2);
}

#[test]
fn an_exclusive_consumer_is_the_only_one_served() {
    let broker = Broker::new();
    let (mut one, mut two) = (broker.admin(), broker.admin());
    one.consume("q", 10);
    two.attach(Attach { exclusive: true, ..attach(1, from_queue("q")) }).unwrap();
    fill(&mut one, "q", 3, true);
    assert_eq!((one.bodies().len(), two.bodies().len()), (0, 3));
}

#[test]
fn consumers_of_higher_priority_are_served_first() {
    let broker = Broker::new();
    let (mut low, mut high) = (broker.admin(), broker.admin());
    low.consume("q", 10);
    high.attach(Attach { priority: 5, credit: 2, refill: false, ..attach(1, from_queue("q")) }).unwrap();
    fill(&mut low, "q", 3, true);
    assert_eq!((low.bodies(), high.bodies()), (vec!["2".to_owned()], vec!["0".to_owned(), "1".to_owned()]));
}

#[test]
fn a_wildcard_consumer_takes_from_queues_that_come_later_too() {
    let broker = Broker::new();
    let mut peer = broker.admin();
    fill(&mut peer, "a.1", 1, true);
    peer.consume("a.*", 10);
    fill(&mut peer, "a.2", 1, true);
    fill(&mut peer, "b.1", 1, true);
    let deliveries = peer.deliveries();
    let from: Vec<&str> = deliveries.iter().map(|d| d.message.envelope.destination.name()).collect();
    assert_eq!(from, ["a.1", "a.2"]);
    for delivery in &deliveries {
        peer.settle(1, delivery.id, Outcome::Accepted).unwrap();
    }
    assert_eq!(broker.gate.status().store.records, 1, "that of b.1");
}

#[test]
fn the_legs_of_a_wildcard_consumer_share_one_credit() {
    let broker = Broker::new();
    let mut peer = broker.admin();
    for name in ["a.1", "a.2", "a.3"] {
        fill(&mut peer, name, 1, true);
    }
    peer.consume("a.>", 1);
    let mut seen = Vec::new();
    for _ in 0..3 {
        let delivery = peer.deliveries();
        assert_eq!(delivery.len(), 1, "one at a time");
        seen.push(delivery[0].message.envelope.destination.name().to_owned());
        peer.settle(1, delivery[0].id, Outcome::Accepted).unwrap();
    }
    seen.sort();
    assert_eq!(seen, ["a.1", "a.2", "a.3"]);
}

#[test]
fn a_settled_link_forgets_what_it_hands_out() {
    let broker = Broker::new();
    let mut peer = broker.admin();
    fill(&mut peer, "q", 3, true);
    peer.attach(Attach { taking: Taking::Settled, refill: false, credit: 2, ..attach(1, from_queue("q")) })
        .unwrap();
    assert_eq!(peer.bodies(), ["0", "1"]);
    assert_eq!(broker.gate.status().store.records, 1);
    peer.client.close();
    broker.settle();
    assert_eq!(broker.depth("q"), 1);
}

#[test]
fn a_queue_that_is_consumed_from_is_not_deleted() {
    let broker = Broker::new();
    let mut peer = broker.admin();
    fill(&mut peer, "q", 3, true);
    peer.consume("q", 1);
    assert!(peer.ask(|tag| Verb::Delete { destination: queue("q"), tag }).is_err());
    peer.detach(1);
    peer.ask(|tag| Verb::Delete { destination: queue("q"), tag }).unwrap();
    assert_eq!(broker.gate.status().store.records, 0);
    peer.send(queue("q"), "again", true).unwrap();
    drop(peer);
    let broker = broker.crash();
    assert!(broker.faults.is_empty(), "{:?}", broker.faults);
    assert_eq!(broker.depth("q"), 1);
}

#[test]
fn one_message_can_go_to_several_queues() {
    let broker = Broker::new();
    let mut peer = broker.admin();
    let sent = publish(message(queue("a"), "x", true));
    let also = [queue("b"), crate::broker::topic("t")].into_iter().collect();
    peer.subscribe(3, "t").unwrap();
    peer.ask(|tag| Verb::Publish(Publish { tag: Some(tag), also, ..sent })).unwrap();
    assert_eq!((broker.depth("a"), broker.depth("b")), (1, 1));
    peer.attach(attach(4, from_queue("b"))).unwrap();
    let deliveries = peer.deliveries();
    let mut names: Vec<&str> = deliveries.iter().map(|d| d.message.envelope.destination.name()).collect();
    names.sort_unstable();
    assert_eq!(names, ["b", "t"], "each copy names the destination that it is at");
}

#[test]
fn two_links_of_one_name_are_refused() {
    let broker = Broker::new();
    let mut peer = broker.admin();
    peer.consume("q", 1);
    let again = peer.attach(attach(1, from_queue("r")));
    assert!(again.is_err());
}

#[test]
fn the_outbox_of_a_consumer_that_does_not_look_is_bounded_in_bytes() {
    let limits = keepmq_core::Limits { outbox_bytes: 10_000, ..Default::default() };
    let broker = Broker::with(limits, crate::broker::map(Vec::new()));
    let mut peer = broker.admin();
    peer.attach(Attach { tag: Tag(1), credit: 1000, ..attach(1, from_queue("q")) }).unwrap();
    let mut sender = broker.admin();
    let text = "x".repeat(1000);
    for _ in 0..100 {
        sender.say(Verb::Publish(publish(message(queue("q"), &text, false))));
    }
    assert_eq!(broker.depth("q"), 100 - 9, "nine of them fill the outbox");
    let mut got = 0;
    for _ in 0..50 {
        got += peer.deliveries().len();
    }
    assert_eq!(got, 100, "the rest follows as it looks");
}

#[test]
fn a_source_that_is_no_queue_for_a_queue_link_is_refused() {
    let broker = Broker::new();
    let mut peer = broker.admin();
    let mut topic_filter = crate::broker::filter("t");
    topic_filter.kind = keepmq_model::Kind::Queue;
    assert!(peer.attach(attach(1, Source::Subscription { filters: vec![topic_filter] })).is_err());
}

#[test]
fn credit_that_is_drained_is_spent_on_what_is_there_and_then_gone() {
    let broker = Broker::new();
    let (mut peer, mut sender) = (broker.admin(), broker.admin());
    sender.send(queue("q"), "first", false).unwrap();
    peer.consume("q", 0);
    let link = LinkId(1);
    peer.say(Verb::Grant { link, credit: 5 });
    peer.ask(|tag| Verb::Drain { link, tag }).unwrap();
    sender.send(queue("q"), "second", false).unwrap();
    assert_eq!(peer.bodies(), ["first"]);
    peer.say(Verb::Grant { link, credit: 1 });
    assert_eq!(peer.bodies(), ["second"]);
}

#[test]
fn a_target_is_judged_and_made_before_the_first_message() {
    let broker = Broker::new();
    let (mut admin, mut nobody) = (broker.admin(), broker.login("nobody", &[], None));
    let target = |tag| Verb::Target { destination: queue("q"), tag };
    assert_eq!(nobody.ask(target).unwrap_err().kind, RefusalKind::Forbidden);
    assert_eq!(broker.gate.status().queues, 0);
    admin.ask(target).unwrap();
    assert_eq!(broker.gate.status().queues, 1);
}

#[test]
fn a_dead_letter_keeps_what_its_consumer_said() {
    let broker = Broker::new();
    let mut peer = broker.admin();
    peer.send(queue("q"), "x", true).unwrap();
    peer.consume("q", 1);
    let number = peer.deliveries().remove(0).id.number;
    let (link, reason) = (LinkId(1), Some("it is poison".into()));
    let settle = |tag| {
        let (from, through, tag) = (number, number, Some(tag));
        Verb::Settle(Settle {
            link,
            leg: 0,
            from,
            through,
            outcome: Outcome::Rejected,
            tx: None,
            tag,
            reason,
        })
    };
    peer.ask(settle).unwrap();
    let mut reader = broker.admin();
    reader.consume("ActiveMQ.DLQ", 1);
    let letter = reader.deliveries().remove(0);
    assert_eq!(&*letter.marks.dead.as_deref().unwrap().detail, "it is poison");
}
