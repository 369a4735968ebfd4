//! Patterns over destination names: `*` is one segment, `>` at the end is any number of further ones, none included.

use std::fmt;
use std::sync::Arc;

use crate::advisory::ADVISORY_PREFIX;
use crate::destination::{Destination, Kind, NameFault, check_name, has_wildcard};

/// A name that may hold wildcards.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pattern {
    text: Arc<str>,
    wild: bool,
}

impl Pattern {
    /// Reads a pattern. `>` may only be the last segment.
    pub fn new(text: &str) -> Result<Self, NameFault> {
        check_name(text)?;
        let wild = has_wildcard(text);
        if wild && text.rsplit('.').skip(1).any(|segment| segment == ">") {
            return Err(NameFault::OpenEnd);
        }
        Ok(Self { text: text.into(), wild })
    }

    /// The text it was made of.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it can match more than one name.
    pub fn is_wild(&self) -> bool {
        self.wild
    }

    /// Its segments.
    pub fn segments(&self) -> impl Iterator<Item = &str> {
        self.text.split('.')
    }

    /// The one destination of this kind that it names; `None` when it has wildcards.
    pub fn concrete(&self, kind: Kind) -> Option<Destination> {
        if self.wild {
            return None;
        }
        Destination::new(kind, &self.text).ok()
    }

    /// Whether the name is covered.
    pub fn matches(&self, name: &str) -> bool {
        if !self.wild {
            return *self.text == *name;
        }
        let mut segments = name.split('.');
        for wanted in self.text.split('.') {
            if wanted == ">" {
                return true;
            }
            match segments.next() {
                Some(found) if wanted == "*" || wanted == found => {}
                _ => return false,
            }
        }
        segments.next().is_none()
    }

    /// Whether a subscription to this pattern gets messages of the name: as [`Self::matches`], but a wildcard in the
    /// first segment passes over names that begin with `$` (MQTT 3.1.1, section 4.7.2), whatever the protocol, and over
    /// advisory topics: who wants everything means what others send.
    pub fn subscribes_to(&self, name: &str) -> bool {
        let hidden = is_hidden(name) && matches!(self.segments().next(), Some("*" | ">"));
        !hidden && self.matches(name)
    }
}

/// Whether a topic is found only by those who name its first segment.
pub(crate) fn is_hidden(name: &str) -> bool {
    name.starts_with('$') || name.starts_with(ADVISORY_PREFIX)
}

impl From<&Destination> for Pattern {
    fn from(destination: &Destination) -> Self {
        Self { text: destination.name().into(), wild: false }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn matching(name: &str) -> Vec<&'static str> {
        let patterns =
            [">", "*", "FOO", "FOO.>", "FOO.*", "*.BAR", "FOO.*.BAZ", "*.*", "FOO.BAR", "FOO.BAR.>", "*.>"];
        let mut found: Vec<_> =
            patterns.into_iter().filter(|p| Pattern::new(p).unwrap().matches(name)).collect();
        found.sort_unstable();
        found
    }

    /// The table that was read off ActiveMQ's own algorithm.
    #[test]
    fn wildcards_match_as_in_activemq() {
        assert_eq!(matching("FOO"), ["*", "*.>", ">", "FOO", "FOO.>"]);
        assert_eq!(
            matching("FOO.BAR"),
            ["*.*", "*.>", "*.BAR", ">", "FOO.*", "FOO.>", "FOO.BAR", "FOO.BAR.>"]
        );
        assert_eq!(matching("FOO.BAR.BAZ"), ["*.>", ">", "FOO.*.BAZ", "FOO.>", "FOO.BAR.>"]);
        assert_eq!(matching("BAR"), ["*", "*.>", ">"]);
        assert_eq!(matching("X.BAR"), ["*.*", "*.>", "*.BAR", ">"]);
        assert_eq!(matching("X.BAR.Y"), ["*.>", ">"]);
    }

    #[test]
    fn an_open_end_stands_last() {
        assert_eq!(Pattern::new("A.>.B"), Err(NameFault::OpenEnd));
        assert_eq!(Pattern::new(">.>"), Err(NameFault::OpenEnd));
        assert!(Pattern::new("A.>").is_ok());
    }

    #[test]
    fn what_the_broker_says_of_itself_is_hidden_from_leading_wildcards() {
        for (pattern, name) in
            [(">", "$SYS.broker"), ("*.broker", "$SYS.broker"), ("*.>", "ActiveMQ.Advisory.Queue")]
        {
            let pattern = Pattern::new(pattern).unwrap();
            assert!(pattern.matches(name) && !pattern.subscribes_to(name));
        }
        assert!(Pattern::new("ActiveMQ.Advisory.>").unwrap().subscribes_to("ActiveMQ.Advisory.Queue"));
        assert!(Pattern::new("$SYS.>").unwrap().subscribes_to("$SYS.broker"));
    }

    proptest! {
        #[test]
        fn a_name_without_wildcards_matches_itself_only(name in "[a-c.]{1,12}", other in "[a-c.]{1,12}") {
            let pattern = Pattern::new(&name).unwrap();
            prop_assert!(!pattern.is_wild());
            prop_assert_eq!(pattern.matches(&other), name == other);
        }

        #[test]
        fn replacing_segments_by_wildcards_keeps_the_match(
            name in "[a-c]{1,2}(\\.[a-c]{1,2}){0,4}", mask in any::<u8>(), cut in 0usize..6,
        ) {
            let segments: Vec<&str> = name.split('.').collect();
            let mut pattern: Vec<&str> = segments
                .iter()
                .enumerate()
                .map(|(i, s)| if mask >> (i % 8) & 1 == 1 { "*" } else { *s })
                .collect();
            prop_assert!(Pattern::new(&pattern.join(".")).unwrap().matches(&name));
            if cut < pattern.len() {
                pattern.truncate(cut);
                pattern.push(">");
                prop_assert!(Pattern::new(&pattern.join(".")).unwrap().matches(&name));
            }
        }
    }
}
