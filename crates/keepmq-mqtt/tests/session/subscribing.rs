//! SUBSCRIBE and UNSUBSCRIBE.

use bytes::BytesMut;
use keepmq_model::{Bind, Flow, Kind, RefusalKind, Replay, Source, Tag, Taking, Verb};
use keepmq_mqtt::codec::{Ack, Packet, Qos, SubAck, SubCode};
use keepmq_mqtt::{Limits, Options};

use crate::fake::{Fake, deliver, id, is_fault, message, subscribe, unsubscribe};

const YES0: SubCode = SubCode::Granted(Qos::AtMostOnce);
const YES1: SubCode = SubCode::Granted(Qos::AtLeastOnce);
const YES2: SubCode = SubCode::Granted(Qos::ExactlyOnce);
const NO: SubCode = SubCode::Failure;

fn options() -> Options {
    Options::default()
}

#[track_caller]
fn wrote_suback(fake: &mut Fake, number: u16, codes: &[SubCode]) {
    let mut wanted = BytesMut::new();
    SubAck::write(&mut wanted, id(number), codes.iter().copied());
    assert_eq!(fake.written(), wanted);
}

#[track_caller]
fn wrote_unsuback(fake: &mut Fake, number: u16) {
    fake.wrote(&[Packet::UnsubAck(Ack { id: id(number) })]);
}

fn tags(binds: &[Bind]) -> Vec<Tag> {
    binds.iter().map(|bind| bind.tag).collect()
}

/// [MQTT-3.8.4-1], [MQTT-3.8.4-2], [MQTT-3.8.4-5], [MQTT-3.9.3-1], [MQTT-2.3.1-7]
#[test]
fn each_filter_is_bound_and_all_are_answered_at_once() {
    let mut fake = Fake::clean(options());
    let filters = [("a/b", Qos::AtMostOnce), ("a/+", Qos::AtLeastOnce), ("#", Qos::ExactlyOnce)];
    fake.feed(&subscribe(10, &filters));
    let said = fake.said();
    let Verb::Attach(attach) = &said[0] else { panic!() };
    assert!(matches!(&attach.source, Source::Subscription { filters } if filters.is_empty()));
    assert_eq!((attach.taking, attach.refill, attach.credit), (Taking::Settled, false, 256));
    let binds: Vec<&Bind> = said[1..]
        .iter()
        .map(|verb| match verb {
            Verb::Bind(bind) => &**bind,
            other => panic!("{other:?}"),
        })
        .collect();
    let bound: Vec<_> =
        binds.iter().map(|bind| (bind.link, bind.filter.pattern.as_str(), bind.filter.option)).collect();
    assert_eq!(bound, [(attach.link, "a.b", 0), (attach.link, "a.*", 1), (attach.link, ">", 2)]);
    for bind in &binds {
        let filter = &bind.filter;
        assert_eq!((filter.kind, filter.replay), (Kind::Topic, Replay::Always));
        assert!(!filter.keep && !filter.no_local && filter.selector.is_none());
    }
    fake.done(binds[2].tag);
    fake.done(binds[0].tag);
    assert_eq!(fake.written(), []);
    fake.done(binds[1].tag);
    wrote_suback(&mut fake, 10, &[YES0, YES1, YES2]);
    // A second answer means nothing.
    fake.done(binds[1].tag);
    assert_eq!(fake.written(), []);
}

#[test]
fn a_durable_session_keeps_what_is_answered() {
    let mut fake = Fake::durable(options(), None);
    fake.feed(&subscribe(1, &[("a", Qos::AtMostOnce), ("b", Qos::AtLeastOnce), ("c", Qos::ExactlyOnce)]));
    let binds = fake.bound();
    let kept: Vec<bool> = binds.iter().map(|bind| bind.filter.keep).collect();
    assert_eq!(kept, [false, true, true]);
}

#[test]
fn the_link_of_a_clean_session_is_opened_once() {
    let mut fake = Fake::clean(options());
    for (number, wanted) in [(1, 2), (2, 1)] {
        fake.feed(&subscribe(number, &[("a", Qos::AtMostOnce)]));
        assert_eq!(fake.said().len(), wanted);
    }
}

/// [MQTT-3.9.3-1]: a refused filter is told in its place.
#[test]
fn a_refused_filter_is_answered_with_a_no() {
    for kind in RefusalKind::ALL {
        let mut fake = Fake::clean(options());
        fake.feed(&subscribe(10, &[("a", Qos::AtLeastOnce), ("b", Qos::AtLeastOnce)]));
        let tags = tags(&fake.bound());
        let flow = fake.refuse(Some(tags[0]), kind);
        if kind.is_fatal() {
            is_fault(&flow, "no");
            continue;
        }
        assert_eq!(flow, Flow::Continue);
        fake.done(tags[1]);
        wrote_suback(&mut fake, 10, &[NO, YES1]);
    }
}

#[test]
fn a_refused_link_refuses_its_filters_and_may_be_tried_again() {
    let mut fake = Fake::clean(options());
    fake.feed(&subscribe(1, &[("a", Qos::AtLeastOnce)]));
    let said = fake.said();
    let [Verb::Attach(attach), Verb::Bind(bind)] = &said[..] else { panic!("{said:?}") };
    assert_eq!(fake.refuse(Some(attach.tag), RefusalKind::Busy), Flow::Continue);
    assert_eq!(fake.refuse(Some(bind.tag), RefusalKind::NotFound), Flow::Continue);
    wrote_suback(&mut fake, 1, &[NO]);
    fake.feed(&subscribe(2, &[("a", Qos::AtLeastOnce)]));
    assert!(matches!(fake.said()[..], [Verb::Attach(_), Verb::Bind(_)]));
}

/// [MQTT-4.7.1-2], [MQTT-4.7.1-3], [MQTT-4.7.3-1]: nothing of such a request is done.
#[test]
fn a_malformed_filter_is_a_fault() {
    for filter in ["", "a#", "a/#/b", "a+", "a/b+/c"] {
        let mut fake = Fake::clean(options());
        let flow = fake.feed(&subscribe(1, &[("good", Qos::AtMostOnce), (filter, Qos::AtMostOnce)]));
        assert!(matches!(flow, Flow::Close(_)), "{filter}");
        fake.said_nothing();
        let mut fake = Fake::clean(options()).subscribed(&[("good", Qos::AtMostOnce)]);
        let flow = fake.feed(&unsubscribe(1, &["good", filter]));
        assert!(matches!(flow, Flow::Close(_)), "{filter}");
        fake.said_nothing();
    }
}

/// [MQTT-3.8.3-3], [MQTT-3-8.3-4], [MQTT-3.10.3-2], [MQTT-2.3.1-1]
#[test]
fn malformed_requests_are_faults() {
    for packet in [
        &[0x82, 2, 0, 1][..],
        &[0x82, 6, 0, 1, 0, 1, b'a', 3],
        &[0x82, 6, 0, 0, 0, 1, b'a', 1],
        &[0x80, 6, 0, 1, 0, 1, b'a', 1],
        &[0xa2, 2, 0, 1],
        &[0xa2, 5, 0, 0, 0, 1, b'a'],
        &[0xa0, 5, 0, 1, 0, 1, b'a'],
    ] {
        let mut fake = Fake::clean(options());
        assert!(matches!(fake.feed(packet), Flow::Close(_)), "{packet:x?}");
        fake.said_nothing();
    }
}

/// [MQTT-3.8.4-4]: as if they came one after the other, so of equal ones the last counts.
#[test]
fn equal_filters_are_bound_in_their_order() {
    let mut fake = Fake::clean(options());
    fake.feed(&subscribe(1, &[("a", Qos::ExactlyOnce), ("a", Qos::AtMostOnce)]));
    let binds = fake.bound();
    let options: Vec<u32> = binds.iter().map(|bind| bind.filter.option).collect();
    assert_eq!(options, [2, 0]);
    for tag in tags(&binds) {
        fake.done(tag);
    }
    wrote_suback(&mut fake, 1, &[YES2, YES0]);
    fake.event(deliver(1, message("a", Qos::ExactlyOnce, b"")));
    assert_eq!(fake.written()[0], 0x30);
}

/// [MQTT-3.8.4-3]: a filter that is there is replaced, and its retained messages come again.
#[test]
fn a_filter_can_be_changed_and_a_refused_change_leaves_it() {
    let mut fake = Fake::clean(options()).subscribed(&[("a", Qos::AtMostOnce)]);
    fake.feed(&subscribe(2, &[("a", Qos::AtLeastOnce)]));
    let tags = tags(&fake.bound());
    fake.refuse(Some(tags[0]), RefusalKind::Forbidden);
    wrote_suback(&mut fake, 2, &[NO]);
    fake.event(deliver(1, message("a", Qos::AtLeastOnce, b"")));
    assert_eq!(fake.written()[0], 0x30);
}

#[test]
fn filters_that_the_broker_cannot_hold_are_refused_one_by_one() {
    let mut fake = Fake::clean(options());
    let deep = "/".repeat(200);
    fake.feed(&subscribe(1, &[(&deep, Qos::AtMostOnce), ("a", Qos::AtMostOnce)]));
    let tags = tags(&fake.bound());
    assert_eq!(tags.len(), 1);
    fake.done(tags[0]);
    wrote_suback(&mut fake, 1, &[NO, YES0]);
    fake.feed(&subscribe(2, &[(&deep, Qos::AtMostOnce)]));
    fake.said_nothing();
    wrote_suback(&mut fake, 2, &[NO]);
}

#[test]
fn the_filters_of_a_session_are_bounded() {
    let limits = Limits { filters: 2, ..Limits::default() };
    let options = Options { limits, ..options() };
    let mut fake = Fake::clean(options).subscribed(&[("a", Qos::AtMostOnce), ("b", Qos::AtMostOnce)]);
    fake.feed(&subscribe(2, &[("c", Qos::AtMostOnce), ("a", Qos::AtLeastOnce)]));
    let tags = tags(&fake.bound());
    fake.done(tags[0]);
    wrote_suback(&mut fake, 2, &[NO, YES1]);
    is_fault(
        &fake.feed(&subscribe(3, &[("x", Qos::AtMostOnce), ("y", Qos::AtMostOnce), ("z", Qos::AtMostOnce)])),
        "more than 2 topic filters",
    );
}

#[test]
fn reading_waits_while_too_many_filters_are_unanswered() {
    let limits = Limits { unanswered_filters: 2, ..Limits::default() };
    let mut fake = Fake::clean(Options { limits, ..options() });
    let input: Vec<u8> = (1..=4).flat_map(|number| subscribe(number, &[("a", Qos::AtMostOnce)])).collect();
    assert_eq!(fake.feed(&input), Flow::Pause);
    let binds = fake.bound();
    assert_eq!(binds.len(), 2);
    fake.done(binds[0].tag);
    assert_eq!(fake.feed(&[]), Flow::Pause);
    assert_eq!(fake.bound().len(), 1);
}

/// [MQTT-3.10.4-1], [MQTT-3.10.4-4], [MQTT-3.10.4-6]
#[test]
fn each_filter_is_taken_back_and_answered_when_all_are() {
    let mut fake = Fake::durable(options(), None);
    fake.written();
    let mut fake =
        fake.subscribed(&[("a/+", Qos::AtLeastOnce), ("b", Qos::AtLeastOnce), ("c", Qos::AtLeastOnce)]);
    fake.feed(&unsubscribe(7, &["a/+", "b"]));
    let said = fake.said();
    let [Verb::Unbind { pattern: a, tag: one, .. }, Verb::Unbind { pattern: b, tag: two, .. }] = &said[..]
    else {
        panic!("{said:?}")
    };
    assert_eq!((a.as_str(), b.as_str()), ("a.*", "b"));
    fake.done(*two);
    assert_eq!(fake.written(), []);
    fake.done(*one);
    wrote_unsuback(&mut fake, 7);
    fake.done(*one);
    assert_eq!(fake.written(), []);
}

/// [MQTT-3.10.4-5]
#[test]
fn unsubscribing_from_nothing_is_answered_too() {
    let mut fake = Fake::clean(options());
    fake.feed(&unsubscribe(7, &["a", "b"]));
    fake.said_nothing();
    wrote_unsuback(&mut fake, 7);
    let mut fake = fake.subscribed(&[("a", Qos::AtMostOnce)]);
    fake.feed(&unsubscribe(8, &["a", "a", "b"]));
    let Verb::Unbind { tag, .. } = fake.said_one() else { panic!() };
    fake.refuse(Some(tag), RefusalKind::NotFound);
    wrote_unsuback(&mut fake, 8);
}

/// [MQTT-3.10.4-2], [MQTT-3.10.4-3]: what was begun is ended, what had not been begun is not sent.
#[test]
fn what_is_under_way_is_ended_without_its_filter() {
    let mut fake = Fake::durable(options(), None);
    fake.written();
    let mut fake = fake.subscribed(&[("a", Qos::ExactlyOnce)]);
    fake.events([
        deliver(1, message("a", Qos::AtLeastOnce, b"")),
        deliver(2, message("a", Qos::ExactlyOnce, b"")),
    ]);
    fake.written();
    fake.feed(&unsubscribe(7, &["a"]));
    let Verb::Unbind { tag, .. } = fake.said_one() else { panic!() };
    fake.event(deliver(3, message("a", Qos::AtLeastOnce, b"")));
    assert_eq!(fake.written(), []);
    assert_eq!(fake.settled(), [(0, 3, 3)]);
    fake.done(tag);
    wrote_unsuback(&mut fake, 7);
    fake.send(&Packet::PubAck(Ack { id: id(2) }));
    assert_eq!(fake.settled(), [(0, 1, 1)]);
    fake.send(&Packet::PubRec(Ack { id: id(3) }));
    assert!(matches!(fake.said()[..], [Verb::Note(_), Verb::Settle(_)]));
}

#[test]
fn a_filter_that_cannot_be_taken_back_ends_the_connection() {
    let mut fake = Fake::clean(options()).subscribed(&[("a", Qos::AtMostOnce)]);
    fake.feed(&unsubscribe(8, &["a"]));
    let Verb::Unbind { tag, .. } = fake.said_one() else { panic!() };
    is_fault(&fake.refuse(Some(tag), RefusalKind::Unavailable), "no");
    assert_eq!(fake.written(), []);
}

#[test]
fn subscribe_and_unsubscribe_sent_in_one_go_end_without_the_filter() {
    let mut fake = Fake::clean(options());
    let mut input = subscribe(1, &[("a", Qos::AtMostOnce)]);
    input.extend(unsubscribe(2, &["a"]));
    fake.feed(&input);
    let said = fake.said();
    let [_, Verb::Bind(bind), Verb::Unbind { tag, .. }] = &said[..] else { panic!("{said:?}") };
    fake.done(bind.tag);
    fake.done(*tag);
    fake.written();
    fake.event(deliver(1, message("a", Qos::AtMostOnce, b"late")));
    assert_eq!(fake.written(), []);
}
