//! SUBSCRIBE and UNSUBSCRIBE.

use keepmq_model::{Attach, Closing, Event, Flow, Kind, Refusal, RefusalKind, Replay, Source, Taking, Verb};
use keepmq_stomp::codec::Version;

use crate::peer::{Peer, deliver, limits};

fn attached(version: Version, headers: &str) -> Attach {
    let mut peer = Peer::open(version);
    peer.send(&format!("SUBSCRIBE\nid:1\n{headers}\n"));
    peer.attach()
}

fn refused(version: Version, frame: &str) -> String {
    let mut peer = Peer::open(version);
    peer.send(frame);
    assert!(peer.verbs().is_empty(), "{frame}");
    peer.frame().get("message").unwrap().to_owned()
}

#[test]
fn a_queue_is_taken_from_unsettled() {
    for (ack, _) in [("auto", 0), ("client", 0), ("client-individual", 0)] {
        let attach = attached(Version::V1_2, &format!("destination:/queue/a.b\nack:{ack}\n"));
        assert!(
            matches!(&attach.source, Source::Queue { kind: Kind::Queue, pattern } if pattern.as_str() == "a.b")
        );
        assert_eq!((attach.taking, attach.refill, attach.credit), (Taking::Unsettled, true, 1000));
        assert_eq!((attach.priority, attach.exclusive, attach.no_local), (0, false, false));
        assert!(attach.selector.is_none());
    }
}

#[test]
fn a_plain_topic_is_settled_by_the_broker_unless_the_client_acknowledges() {
    for (ack, taking) in [
        ("", Taking::Settled),
        ("ack:auto\n", Taking::Settled),
        ("ack:client\n", Taking::Unsettled),
        ("ack:client-individual\n", Taking::Unsettled),
    ] {
        let attach = attached(Version::V1_1, &format!("destination:/topic/a\n{ack}"));
        assert_eq!((attach.taking, attach.refill), (taking, taking == Taking::Unsettled));
        let Source::Subscription { filters } = attach.source else { panic!("{:?}", attach.source) };
        let [filter] = &filters[..] else { panic!("{filters:?}") };
        assert_eq!((filter.kind, filter.pattern.as_str(), filter.keep), (Kind::Topic, "a", false));
        assert_eq!(filter.replay, Replay::IfNew);
    }
}

#[test]
fn activemqs_headers_are_obeyed() {
    let attach = attached(
        Version::V1_2,
        "destination:/queue/>\nselector:a > 5\nactivemq.prefetchSize:7\nactivemq.exclusive:true\nactivemq.priority:-5\n\
         activemq.noLocal:true\nactivemq.dispatchAsync:true\n",
    );
    assert_eq!(attach.selector.as_deref(), Some("a > 5"));
    assert_eq!((attach.credit, attach.priority), (7, -5));
    assert!(attach.exclusive && attach.no_local);
}

#[test]
fn a_topics_selector_belongs_to_its_filter() {
    for no_local in ["activemq.noLocal:true", "no-local:true"] {
        let headers = format!("destination:/topic/a\nselector:b=1\n{no_local}\nactivemq.retroactive:false\n");
        let attach = attached(Version::V1_2, &headers);
        assert!(attach.selector.is_none() && !attach.no_local);
        let Source::Subscription { filters } = attach.source else { panic!("{:?}", attach.source) };
        assert_eq!(filters[0].selector.as_deref(), Some("b=1"));
        assert!(filters[0].no_local && filters[0].replay == Replay::Never);
    }
}

#[test]
fn wishes_are_kept_within_bounds() {
    for (header, credit) in [("0", 1), ("1", 1), ("32766", 10_000), ("99999999999", 10_000)] {
        let attach =
            attached(Version::V1_2, &format!("destination:/queue/a\nactivemq.prefetchSize:{header}\n"));
        assert_eq!(attach.credit, credit);
    }
    for (header, priority) in [("127", 127), ("128", 127), ("-128", -128), ("-9999", -128)] {
        let attach = attached(Version::V1_2, &format!("destination:/queue/a\nactivemq.priority:{header}\n"));
        assert_eq!(attach.priority, priority);
    }
}

#[test]
fn a_durable_subscription_is_known_by_client_and_name() {
    for spelling in ["activemq.subscriptionName", "activemq.subcriptionName", "durable-subscription-name"] {
        let attach =
            attached(Version::V1_1, &format!("destination:/topic/a.*\n{spelling}:s\nselector:x=1\n"));
        assert_eq!((attach.taking, attach.refill), (Taking::Unsettled, true));
        let Source::Durable { name, filters } = attach.source else { panic!("{:?}", attach.source) };
        assert_eq!((&*name.client_id, &*name.name), ("c", "s"));
        let filters = filters.unwrap();
        assert!(filters[0].keep && filters[0].selector.as_deref() == Some("x=1"));
    }
}

#[test]
fn browsing_looks_and_takes_nothing() {
    let attach = attached(Version::V1_2, "destination:/queue/a\nbrowser:true\nselector:a=1\n");
    assert_eq!((attach.taking, attach.refill, attach.credit), (Taking::Browse, false, 1000));
    assert_eq!(attach.selector.as_deref(), Some("a=1"));
}

#[test]
fn what_cannot_be_is_refused_with_its_reason() {
    let v = Version::V1_2;
    for (frame, word) in [
        ("SUBSCRIBE\nid:1\n\n", "destination"),
        ("SUBSCRIBE\ndestination:/queue/a\n\n", "id header"),
        ("SUBSCRIBE\nid:1\ndestination:/queue/a,/queue/b\n\n", "several"),
        ("SUBSCRIBE\nid:1\ndestination:/exchange/a\n\n", "/temp-topic/"),
        ("SUBSCRIBE\nid:1\ndestination:/queue/a\nack:sometimes\n\n", "client-individual"),
        ("SUBSCRIBE\nid:1\ndestination:/queue/a\nactivemq.prefetchSize:-1\n\n", "prefetchSize"),
        ("SUBSCRIBE\nid:1\ndestination:/queue/a\nactivemq.priority:high\n\n", "priority"),
        ("SUBSCRIBE\nid:1\ndestination:/queue/a\nactivemq.exclusive:maybe\n\n", "exclusive"),
        ("SUBSCRIBE\nid:1\ndestination:/topic/a\nbrowser:true\n\n", "browsing a topic"),
        ("SUBSCRIBE\nid:1\ndestination:/queue/a\nactivemq.subscriptionName:s\n\n", "durable"),
        ("SUBSCRIBE\nid:1\ndestination:/topic/a\nactivemq.subscriptionName:\n\n", "empty"),
        ("SUBSCRIBE\nid:1\ndestination:/remote-temp-topic/a\nactivemq.subscriptionName:s\n\n", "durable"),
        ("UNSUBSCRIBE\n\n", "id header"),
        ("UNSUBSCRIBE\nid:7\n\n", "no subscription '7'"),
    ] {
        let message = refused(v, frame);
        assert!(message.contains(word), "{message} for {frame}");
    }
}

#[test]
fn a_durable_subscription_needs_a_client_id() {
    let mut peer = Peer::new();
    peer.send("CONNECT\naccept-version:1.2\nlogin:u\n\n");
    peer.verbs();
    peer.welcome();
    peer.frames();
    peer.send("SUBSCRIBE\nid:1\ndestination:/topic/a\nactivemq.subscriptionName:s\n\n");
    assert!(peer.fault().contains("client-id") && peer.verbs().is_empty());
}

#[test]
fn an_id_is_used_once_at_a_time() {
    let mut peer = Peer::open(Version::V1_0);
    peer.subscribe("SUBSCRIBE\nid:1\ndestination:/queue/a\n\n");
    peer.send("SUBSCRIBE\nid:1\ndestination:/queue/b\nreceipt:r\n\n");
    let error = peer.frame();
    assert_eq!(error.get("receipt-id"), Some("r"));
    assert!(error.get("message").unwrap().contains("'1'") && peer.verbs().is_empty());
    peer.send("UNSUBSCRIBE\nid:1\n\n");
    assert!(matches!(peer.verb(), Verb::Detach { .. }));
    peer.subscribe("SUBSCRIBE\nid:1\ndestination:/queue/b\n\n");
}

#[test]
fn in_1_0_the_destination_serves_as_the_id() {
    let mut peer = Peer::open(Version::V1_0);
    let link = peer.subscribe("SUBSCRIBE\ndestination:/queue/a\n\n");
    peer.event(deliver(link, 1));
    assert_eq!(peer.frame().get("subscription"), None);
    peer.verbs();
    peer.send("UNSUBSCRIBE\ndestination:/queue/b\n\n");
    assert!(peer.frame().get("message").unwrap().contains("/queue/b"));
    peer.send("UNSUBSCRIBE\ndestination:/queue/a\n\n");
    assert!(matches!(peer.verb(), Verb::Detach { link: detached, .. } if detached == link));
}

#[test]
fn the_receipt_comes_when_the_link_is_open() {
    let mut peer = Peer::open(Version::V1_2);
    peer.send("SUBSCRIBE\nid:1\ndestination:/queue/a\nreceipt:r\n\n");
    let attach = peer.attach();
    assert!(peer.is_quiet());
    let attached = Event::Attached { link: attach.link, tag: attach.tag, resumed: None };
    peer.events([attached, deliver(attach.link, 1)]);
    let frames = peer.frames();
    assert_eq!((frames[0].get("receipt-id"), &frames[1].command[..]), (Some("r"), "MESSAGE"));
}

#[test]
fn a_refused_subscription_is_gone() {
    let mut peer = Peer::open(Version::V1_0);
    peer.send("SUBSCRIBE\nid:1\ndestination:/queue/a\nreceipt:r\n\n");
    let attach = peer.attach();
    let text = "User u is not authorized to read from: queue://a";
    peer.refuse(Some(attach.tag), RefusalKind::Forbidden, text);
    let error = peer.frame();
    assert_eq!((error.get("message"), error.get("receipt-id")), (Some(text), Some("r")));
    peer.event(deliver(attach.link, 1));
    assert!(peer.is_quiet());
    peer.subscribe("SUBSCRIBE\nid:1\ndestination:/queue/b\n\n");
}

#[test]
fn unsubscribing_detaches_and_later_deliveries_are_dropped() {
    let mut peer = Peer::open(Version::V1_2);
    let link = peer.subscribe("SUBSCRIBE\nid:1\ndestination:/queue/a\n\n");
    peer.send("UNSUBSCRIBE\nid:1\nreceipt:r\n\n");
    let Verb::Detach { link: detached, tag, .. } = peer.verb() else { panic!("not detached") };
    assert_eq!(detached, link);
    peer.event(deliver(link, 1));
    assert!(peer.is_quiet());
    peer.done(tag);
    assert_eq!(peer.frame().get("receipt-id"), Some("r"));
}

#[test]
fn a_durable_subscription_is_forgotten_with_its_name() {
    let mut peer = Peer::open(Version::V1_1);
    let subscribe = "SUBSCRIBE\nid:1\ndestination:/topic/a\nactivemq.subscriptionName:s\n\n";
    let link = peer.subscribe(subscribe);
    peer.send("UNSUBSCRIBE\nid:1\ndurable-subscription-name:s\nreceipt:r\n\n");
    let verbs = peer.verbs();
    let [Verb::Detach { link: detached, tag: first, .. }, Verb::Forget { name, tag: second }] = &verbs[..]
    else {
        panic!("{verbs:?}")
    };
    assert_eq!((*detached, &*name.client_id, &*name.name), (link, "c", "s"));
    peer.done(*second);
    assert!(peer.is_quiet(), "the receipt waits for both");
    peer.done(*first);
    assert_eq!(peer.frame().get("receipt-id"), Some("r"));
}

#[test]
fn a_durable_subscription_is_forgotten_without_a_link() {
    let mut peer = Peer::open(Version::V1_2);
    peer.send("UNSUBSCRIBE\nid:any\nactivemq.subcriptionName:s\nreceipt:r\n\n");
    let Verb::Forget { name, tag } = peer.verb() else { panic!("not forgotten") };
    assert_eq!(&*name.name, "s");
    peer.done(tag);
    assert_eq!(peer.frame().get("receipt-id"), Some("r"));
}

#[test]
fn a_durable_link_is_found_by_its_name_alone() {
    let mut peer = Peer::open(Version::V1_2);
    let link = peer.subscribe("SUBSCRIBE\nid:1\ndestination:/topic/a\nactivemq.subscriptionName:s\n\n");
    peer.send("UNSUBSCRIBE\nactivemq.subscriptionName:s\n\n");
    let verbs = peer.verbs();
    assert!(matches!(&verbs[..], [Verb::Detach { link: l, .. }, Verb::Forget { .. }] if *l == link));
}

#[test]
fn a_durable_subscription_stays_without_its_name() {
    let mut peer = Peer::open(Version::V1_2);
    peer.subscribe("SUBSCRIBE\nid:1\ndestination:/topic/a\nactivemq.subscriptionName:s\n\n");
    peer.send("UNSUBSCRIBE\nid:1\n\n");
    assert!(matches!(peer.verb(), Verb::Detach { .. }));
}

#[test]
fn subscriptions_are_limited_in_number() {
    let mut few = limits();
    few.subscriptions = 2;
    let mut peer = Peer::open_with(Version::V1_0, few);
    for id in 0..2 {
        peer.subscribe(&format!("SUBSCRIBE\nid:{id}\ndestination:/queue/a\n\n"));
    }
    peer.send("SUBSCRIBE\nid:2\ndestination:/queue/a\n\n");
    assert!(peer.frame().get("message").unwrap().starts_with("busy: "));
    assert_eq!(peer.flow, Flow::Continue);
}

#[test]
fn a_link_that_the_broker_closes_is_told() {
    for (version, closes) in [(Version::V1_0, false), (Version::V1_2, true)] {
        let mut peer = Peer::open(version);
        let link = peer.subscribe("SUBSCRIBE\nid:1\ndestination:/queue/a\n\n");
        peer.event(Event::Detached {
            link,
            refusal: Refusal::new(RefusalKind::Forbidden, "the right was taken away"),
        });
        assert_eq!(peer.frame().get("message"), Some("the right was taken away"));
        assert_eq!(matches!(peer.flow, Flow::Close(Closing::Fault(_))), closes);
        peer.event(deliver(link, 1));
        assert!(peer.is_quiet());
    }
}

#[test]
fn an_overlong_id_is_refused() {
    let long = "i".repeat(257);
    let message = refused(Version::V1_2, &format!("SUBSCRIBE\nid:{long}\ndestination:/queue/a\n\n"));
    assert!(message.contains("subscription id"));
}
