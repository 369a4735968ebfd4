//! The vocabulary keeps its promises: names and numbers that are stored or shown, and views that are made once.
#![allow(clippy::unwrap_used)]

use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use keepmq_model::{
    Body, BrokerFormat, DeadCause, Destination, Envelope, Format, Formats, Kind, Message, MessageId,
    NameFault, Native, Pattern, Protocol, RefusalKind, Text, Value, View,
};

fn message(protocol: Protocol, body: &'static [u8]) -> Message {
    let native = Native { protocol, layout: 1, head: Bytes::new(), body: Bytes::from_static(body) };
    Message::new(Envelope::new(Destination::topic("a.b").unwrap()), native)
}

/// Counts how often it is asked.
struct Counting(AtomicUsize);

impl Format for Counting {
    fn protocol(&self) -> Protocol {
        Protocol::Stomp
    }

    fn view(&self, _: &Envelope, native: &Native) -> View {
        self.0.fetch_add(1, Ordering::Relaxed);
        let two = vec![
            (Text::from("colour"), Value::Text("red".into())),
            (Text::from("colour"), Value::Text("blue".into())),
        ];
        View { body: Body::Bytes(native.body.clone()), properties: two, ..View::default() }
    }
}

#[test]
fn a_view_is_made_once_and_the_first_of_two_properties_counts() {
    static COUNTING: Counting = Counting(AtomicUsize::new(0));
    static ALL: [&dyn Format; 2] = [&BrokerFormat, &COUNTING];
    let formats = Formats::new(&ALL);
    let message = message(Protocol::Stomp, b"x");
    for _ in 0..3 {
        assert_eq!(message.view(&formats).property("colour"), Some(&Value::Text("red".into())));
    }
    assert_eq!(message.view(&formats).property("size"), None);
    assert_eq!(COUNTING.0.load(Ordering::Relaxed), 1);
}

#[test]
fn the_broker_s_own_messages_are_text_and_other_bytes_stay_bytes() {
    static ALL: [&dyn Format; 1] = [&BrokerFormat];
    let formats = Formats::new(&ALL);
    assert_eq!(message(Protocol::Broker, b"up").view(&formats).body, Body::Text("up".into()));
    let broken = message(Protocol::Broker, b"\xff");
    assert_eq!(broken.view(&formats).body, Body::Bytes(Bytes::from_static(b"\xff")));
    // Nobody here reads AMQP: the body is shown as it came.
    let foreign = message(Protocol::Amqp, b"up");
    assert_eq!(foreign.view(&formats).body, Body::Bytes(Bytes::from_static(b"up")));
}

#[test]
fn a_message_costs_more_than_its_bytes() {
    let empty = message(Protocol::Mqtt, b"").cost();
    assert_eq!(message(Protocol::Mqtt, b"12345").cost(), empty + 5);
    assert!(empty > 0);
}

#[test]
fn stored_numbers_are_read_back_and_unknown_ones_are_not() {
    for cause in [DeadCause::Expired, DeadCause::Rejected, DeadCause::TooManyRedeliveries] {
        assert_eq!(DeadCause::from_u8(cause as u8), Some(cause));
        assert!(!cause.text().is_empty());
    }
    assert_eq!((DeadCause::from_u8(0), DeadCause::from_u8(4)), (None, None));
    let names: Vec<&str> = Protocol::ALL.into_iter().map(Protocol::name).collect();
    assert_eq!(names, ["stomp", "mqtt", "openwire", "amqp", "broker"]);
}

#[test]
fn an_id_is_unique_in_print_too() {
    let id = |epoch, number| MessageId { epoch, number }.to_string();
    assert_eq!(id(0x2a, 7), "ID:keepmq-2a-7");
    assert_ne!(id(1, 11), id(0x11, 1));
}

#[test]
fn kinds_differ_in_what_they_do_and_how_long_they_live() {
    let facts = |kind: Kind| (kind.scheme(), kind.is_queue(), kind.is_temporary());
    assert_eq!(facts(Kind::Queue), ("queue://", true, false));
    assert_eq!(facts(Kind::Topic), ("topic://", false, false));
    assert_eq!(facts(Kind::TempQueue), ("temp-queue://", true, true));
    assert_eq!(facts(Kind::TempTopic), ("temp-topic://", false, true));
}

#[test]
fn a_pattern_without_wildcards_is_one_destination() {
    let plain = Pattern::new("a.b").unwrap();
    assert_eq!(plain.concrete(Kind::Queue), Some(Destination::queue("a.b").unwrap()));
    assert_eq!(plain, Pattern::from(&Destination::topic("a.b").unwrap()));
    assert_eq!(plain.segments().collect::<Vec<_>>(), ["a", "b"]);
    let wild = Pattern::new("a.*").unwrap();
    assert!(wild.is_wild() && wild.concrete(Kind::Queue).is_none());
    assert_eq!((wild.to_string(), format!("{wild:?}")), ("a.*".to_owned(), "a.*".to_owned()));
}

#[test]
fn every_fault_of_a_name_says_what_is_wrong() {
    let mut texts: Vec<String> = [
        NameFault::Empty,
        NameFault::TooLong,
        NameFault::TooDeep,
        NameFault::Control,
        NameFault::Wildcard,
        NameFault::OpenEnd,
    ]
    .iter()
    .map(ToString::to_string)
    .collect();
    texts.sort();
    texts.dedup();
    assert_eq!(texts.len(), 6);
    assert!(texts.iter().all(|text| !text.contains('\n')));
}

#[test]
fn only_what_no_protocol_can_go_on_from_is_fatal() {
    let fatal: Vec<RefusalKind> = RefusalKind::ALL.into_iter().filter(|kind| kind.is_fatal()).collect();
    assert_eq!(fatal, [RefusalKind::Malformed, RefusalKind::Unauthenticated, RefusalKind::Internal]);
}
