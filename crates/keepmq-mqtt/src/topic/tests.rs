//! Names and filters of both worlds.

use super::*;
use proptest::prelude::*;

#[test]
fn characters_are_swapped_as_in_activemq() {
    let names =
        [("a/b/c", "a.b.c"), ("a.b/c", "a/b.c"), ("/", "."), ("*/>", "+.#"), ("$SYS/ä/😀", "$SYS.ä.😀")];
    for (topic, name) in names {
        assert_eq!(destination(topic.as_bytes()).unwrap().name(), name);
        assert_eq!(swapped(name), topic);
    }
}

#[test]
fn only_six_bytes_are_swapped() {
    for byte in 0..=255u8 {
        let wanted = match byte {
            b'/' => b'.',
            b'.' => b'/',
            b'+' => b'*',
            b'*' => b'+',
            b'#' => b'>',
            b'>' => b'#',
            other => other,
        };
        assert_eq!(swap(byte), wanted, "{byte:#x}");
    }
}

/// [MQTT-3.3.2-1], [MQTT-3.3.2-2], [MQTT-4.7.1-1], [MQTT-4.7.3-1], [MQTT-4.7.3-2], [MQTT-4.7.3-3]
#[test]
fn topics_that_no_message_may_have_are_refused() {
    for (topic, fault) in [
        (&b""[..], Fault::EmptyTopic),
        (b"a/+", Fault::WildcardInTopic),
        (b"a#", Fault::WildcardInTopic),
        (b"a\0", Fault::Nul),
        (b"\xff", Fault::NotUtf8),
    ] {
        assert_eq!(destination(topic), Err(fault));
    }
    assert!(matches!(destination(b"a\nb"), Err(Fault::Name(_))));
    assert!(matches!(destination(&[b'a'; 5000]), Err(Fault::Name(_))));
}

/// The examples of sections 4.7.1.2 and 4.7.1.3.
#[test]
fn wildcards_are_whole_levels_and_the_open_end_is_last() {
    for right in
        ["#", "+", "sport/tennis/#", "+/tennis/#", "sport/+/player1", "+/+", "/+", "/", "a//b", "*", ">"]
    {
        assert!(matches!(pattern(right), Ok(Some(_))), "{right}");
    }
    for wrong in [
        "sport/tennis#",          // [MQTT-4.7.1-2]
        "sport/tennis/#/ranking", // [MQTT-4.7.1-2]
        "#/a",
        "sport+", // [MQTT-4.7.1-3]
        "a/+b/c",
        "++",
        "##",
    ] {
        assert_eq!(pattern(wrong), Err(Fault::MisplacedWildcard), "{wrong}");
    }
    assert_eq!(pattern(""), Err(Fault::EmptyTopic));
}

#[test]
fn filters_that_the_broker_cannot_hold_are_no_fault() {
    for filter in ["x".repeat(5000), "/".repeat(200), "a\u{7f}".to_owned()] {
        assert_eq!(pattern(&filter), Ok(None));
    }
}

/// The examples of section 4.7.1 and 4.7.2: "sport/#" covers its parent, "+" covers one level, also an empty one, and
/// neither covers names that begin with `$` [MQTT-4.7.2-1].
#[test]
fn filters_match_as_the_specification_says() {
    let matches = |filter: &str, topic: &str| {
        let pattern = pattern(filter).unwrap().unwrap();
        pattern.subscribes_to(destination(topic.as_bytes()).unwrap().name())
    };
    for (filter, topic) in [
        ("sport/tennis/player1/#", "sport/tennis/player1"),
        ("sport/tennis/player1/#", "sport/tennis/player1/ranking"),
        ("sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon"),
        ("sport/#", "sport"),
        ("sport/tennis/+", "sport/tennis/player1"),
        ("sport/+", "sport/"),
        ("+/+", "/finance"),
        ("/+", "/finance"),
        ("$SYS/#", "$SYS/monitor/Clients"),
        ("$SYS/monitor/+", "$SYS/monitor/Clients"),
        ("a.b/+", "a.b/c"),
    ] {
        assert!(matches(filter, topic), "{filter} {topic}");
    }
    for (filter, topic) in [
        ("sport/tennis/+", "sport/tennis/player1/ranking"),
        ("sport/+", "sport"),
        ("+", "/finance"),
        ("#", "$SYS/monitor"),
        ("+/monitor/Clients", "$SYS/monitor/Clients"),
        ("ACCOUNTS", "Accounts"), // [MQTT-4.7.3-4]
        ("/finance", "finance"),
        ("a.b", "a/b"),
    ] {
        assert!(!matches(filter, topic), "{filter} {topic}");
    }
}

/// Section 4.7.3: the server may not change a name, nor take two for one [MQTT-4.7.3-4].
#[test]
fn a_name_that_would_be_a_filter_is_not_sent() {
    assert!(is_sendable("a.b+c#d") && !is_sendable("a*b") && !is_sendable(">x"));
}

#[test]
fn a_busy_topic_costs_no_name() {
    let mut topics = Topics::default();
    let first = topics.destination(b"a/b").unwrap();
    let other = topics.destination(b"a/c").unwrap();
    assert!(topics.destination(b"a/b").unwrap().is_same(&first));
    assert!(topics.destination(b"a/c").unwrap().is_same(&other));
    assert_eq!(topics.destination(b"a/#"), Err(Fault::WildcardInTopic));
    let long = [b'x'; REMEMBERED + 1];
    let once = topics.destination(&long).unwrap();
    assert!(!topics.destination(&long).unwrap().is_same(&once));
}

proptest! {
    #[test]
    fn every_topic_has_one_name_and_back(topic in "[a-c/.+*#>$äß€😀]{1,20}") {
        let name = swapped(&topic);
        prop_assert_eq!(swapped(&name), topic.clone());
        let mut bytes = name.clone().into_bytes();
        swap_in_place(&mut bytes);
        prop_assert_eq!(&bytes[..], topic.as_bytes());
        prop_assert_eq!(is_sendable(&name), !topic.contains(['+', '#']));
    }

    #[test]
    fn filters_never_panic(filter in "\\PC*") {
        let _ = pattern(&filter);
    }
}
