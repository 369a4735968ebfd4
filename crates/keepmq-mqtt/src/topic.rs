//! MQTT's names of topics and the broker's.
//!
//! The two are swapped character by character, as `ActiveMQ` does, so that no name is lost and each has one other name:
//! `/` and `.`, `+` and `*`, `#` and `>`. The MQTT topic `a.b/c` is the broker's topic `a/b.c`.

use keepmq_model::{Destination, Pattern};

use crate::codec::{Fault, check_text};
use crate::recent::Recent;

/// Longest topic that is remembered.
pub(crate) const REMEMBERED: usize = 256;

/// The other world's character; bytes above ASCII stay. Written without branches, so that a whole name is swapped a vector at a time: `*+./` (2A,
/// 2B, 2E, 2F) differ from their partners in the last bit, `#>` (23, 3E) in 1D.
fn swap(byte: u8) -> u8 {
    let near = u8::from(byte & 0xfa == 0x2a);
    let far = u8::from(byte == b'#' || byte == b'>') * (b'#' ^ b'>');
    byte ^ near ^ far
}

fn swapped(name: &str) -> String {
    name.chars()
        .map(|c| u8::try_from(c).map_or(c, |byte| char::from(swap(byte))))
        .collect()
}

/// The destination of a message for this topic: UTF-8 without NUL, not empty [MQTT-4.7.3-1], without wildcards
/// [MQTT-3.3.2-2].
pub(crate) fn destination(topic: &[u8]) -> Result<Destination, Fault> {
    let topic = check_text(topic)?; // [MQTT-3.3.2-1]
    if topic.is_empty() {
        return Err(Fault::EmptyTopic);
    }
    if topic.contains(['+', '#']) {
        return Err(Fault::WildcardInTopic);
    }
    Ok(Destination::topic(&swapped(topic))?)
}

/// The pattern of a topic filter. `None` when MQTT allows the filter but the broker can't hold it (too long, too deep,
/// control characters): such a filter is answered with a no.
pub(crate) fn pattern(filter: &str) -> Result<Option<Pattern>, Fault> {
    if filter.is_empty() {
        return Err(Fault::EmptyTopic); // [MQTT-4.7.3-1]
    }
    let mut levels = filter.split('/').peekable();
    while let Some(level) = levels.next() {
        let plus = level.contains('+') && level != "+"; // [MQTT-4.7.1-3]
        let hash = level.contains('#') && (level != "#" || levels.peek().is_some()); // [MQTT-4.7.1-2]
        if plus || hash {
            return Err(Fault::MisplacedWildcard);
        }
    }
    Ok(Pattern::new(&swapped(filter)).ok())
}

/// Whether a client may see the name as a topic: a name of another protocol may hold what becomes a wildcard, which no
/// PUBLISH may carry [MQTT-3.3.2-2].
#[inline]
pub(crate) fn is_sendable(name: &str) -> bool {
    // Without an early end, so that the loop goes over a vector at a time.
    let wild = |byte| u8::from(byte == b'*') | u8::from(byte == b'>');
    name.bytes().fold(0, |found, byte| found | wild(byte)) == 0
}

/// Makes a topic of a destination's name, or the other way round, where it is written.
#[inline]
pub(crate) fn swap_in_place(name: &mut [u8]) {
    for byte in name {
        *byte = swap(*byte);
    }
}

/// The topics that a client published to of late, so that a busy one costs no name.
#[derive(Debug, Default)]
pub(crate) struct Topics(Option<Box<Recent<Box<[u8]>, Destination>>>);

impl Topics {
    /// The destination of a topic.
    #[inline]
    pub(crate) fn destination(&mut self, topic: &[u8]) -> Result<Destination, Fault> {
        let recent = self.0.get_or_insert_default();
        if let Some(known) = recent.get(topic) {
            return Ok(known.clone());
        }
        let destination = destination(topic)?;
        if topic.len() <= REMEMBERED {
            recent.insert(topic.into(), destination.clone());
        }
        Ok(destination)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn characters_are_swapped_as_in_activemq() {
        let names = [
            ("a/b/c", "a.b.c"),
            ("a.b/c", "a/b.c"),
            ("/", "."),
            ("*/>", "+.#"),
            ("$SYS/ä/😀", "$SYS.ä.😀"),
        ];
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
        for right in [
            "#",
            "+",
            "sport/tennis/#",
            "+/tennis/#",
            "sport/+/player1",
            "+/+",
            "/+",
            "/",
            "a//b",
            "*",
            ">",
        ] {
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
}
