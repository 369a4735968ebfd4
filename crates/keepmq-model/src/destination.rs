//! Destinations: the places that messages are sent to and taken from.

use std::fmt;
use std::sync::Arc;

/// Longest destination name in bytes.
pub const MAX_NAME: usize = 4096;
/// Most segments of a name or a pattern: bounds the cost of a match.
pub const MAX_SEGMENTS: usize = 128;

/// What a destination does with a message. Queues and topics of one name are two destinations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Each message goes to one of the competing consumers.
    Queue,
    /// Each message goes to every subscription.
    Topic,
    /// A queue that lives as long as the connection that made it, and is read by that one only.
    TempQueue,
    /// A topic that lives as long as the connection that made it, and is read by that one only.
    TempTopic,
}

impl Kind {
    /// Whether messages go to one consumer only.
    pub fn is_queue(self) -> bool {
        matches!(self, Self::Queue | Self::TempQueue)
    }

    /// Whether it ends with the connection that made it.
    pub fn is_temporary(self) -> bool {
        matches!(self, Self::TempQueue | Self::TempTopic)
    }

    /// The scheme that ActiveMQ prints before the name.
    pub fn scheme(self) -> &'static str {
        match self {
            Self::Queue => "queue://",
            Self::Topic => "topic://",
            Self::TempQueue => "temp-queue://",
            Self::TempTopic => "temp-topic://",
        }
    }
}

/// One concrete destination. Segments of the name are divided by `.`; no segment is a wildcard.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Destination {
    kind: Kind,
    name: Arc<str>,
}

impl Destination {
    /// Names a destination; refused when [`check_name`] finds a fault or a segment is a wildcard.
    pub fn new(kind: Kind, name: &str) -> Result<Self, NameFault> {
        check_name(name)?;
        if has_wildcard(name) {
            return Err(NameFault::Wildcard);
        }
        Ok(Self { kind, name: name.into() })
    }

    /// A queue.
    pub fn queue(name: &str) -> Result<Self, NameFault> {
        Self::new(Kind::Queue, name)
    }

    /// A topic.
    pub fn topic(name: &str) -> Result<Self, NameFault> {
        Self::new(Kind::Topic, name)
    }

    /// What it does with a message.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Its name, without a scheme.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The same destination as another value in memory, for those who would count references to this one at the same time.
    #[must_use]
    pub fn separate(&self) -> Self {
        Self { kind: self.kind, name: Arc::from(&*self.name) }
    }

    /// Whether both are one value in memory: a quick yes; a no means nothing.
    pub fn is_same(&self, other: &Self) -> bool {
        self.kind == other.kind && Arc::ptr_eq(&self.name, &other.name)
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.kind.scheme(), self.name)
    }
}

impl fmt::Debug for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Why a name can't be a destination or a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameFault {
    /// Nothing there.
    Empty,
    /// Over [`MAX_NAME`] bytes.
    TooLong,
    /// Over [`MAX_SEGMENTS`] segments.
    TooDeep,
    /// A control character: such names break logs, consoles and line protocols.
    Control,
    /// A wildcard where one concrete destination is wanted.
    Wildcard,
    /// `>` with something behind it.
    OpenEnd,
}

impl fmt::Display for NameFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the destination name is empty"),
            Self::TooLong => write!(f, "the destination name is over {MAX_NAME} bytes long"),
            Self::TooDeep => write!(f, "the destination name has over {MAX_SEGMENTS} segments"),
            Self::Control => f.write_str("the destination name holds a control character"),
            Self::Wildcard => f.write_str("a wildcard stands where one destination must be named"),
            Self::OpenEnd => f.write_str("the wildcard for any further segments may only stand at the end"),
        }
    }
}

impl std::error::Error for NameFault {}

/// What every name must obey, with wildcards or without.
pub fn check_name(name: &str) -> Result<(), NameFault> {
    if name.is_empty() {
        return Err(NameFault::Empty);
    }
    if name.len() > MAX_NAME {
        return Err(NameFault::TooLong);
    }
    if name.chars().any(char::is_control) {
        return Err(NameFault::Control);
    }
    if name.bytes().filter(|b| *b == b'.').count() >= MAX_SEGMENTS {
        return Err(NameFault::TooDeep);
    }
    Ok(())
}

/// Whether a segment of the name is `*` or `>`.
pub fn has_wildcard(name: &str) -> bool {
    name.bytes().any(|b| matches!(b, b'*' | b'>')) && name.split('.').any(|s| matches!(s, "*" | ">"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wildcard_is_a_whole_segment_only() {
        assert!(has_wildcard("a.*") && has_wildcard(">") && has_wildcard("*.b"));
        assert!(!has_wildcard("a*.b>") && !has_wildcard("a.b"));
        assert_eq!(Destination::queue("a.>"), Err(NameFault::Wildcard));
    }

    #[test]
    fn names_that_would_break_a_log_line_are_refused() {
        assert_eq!(Destination::topic("a\nb"), Err(NameFault::Control));
        assert_eq!(Destination::topic("a\0"), Err(NameFault::Control));
        assert_eq!(Destination::topic("a\u{85}"), Err(NameFault::Control));
        assert_eq!(Destination::topic(""), Err(NameFault::Empty));
    }

    #[test]
    fn length_and_depth_are_bounded() {
        assert_eq!(Destination::queue(&"x".repeat(MAX_NAME + 1)), Err(NameFault::TooLong));
        assert!(Destination::queue(&"x".repeat(MAX_NAME)).is_ok());
        assert_eq!(Destination::queue(&".".repeat(MAX_SEGMENTS)), Err(NameFault::TooDeep));
        assert!(Destination::queue(&".".repeat(MAX_SEGMENTS - 1)).is_ok());
    }

    #[test]
    fn queue_and_topic_of_one_name_differ() {
        let queue = Destination::queue("a").unwrap();
        assert_ne!(queue, Destination::topic("a").unwrap());
        assert_eq!(queue.to_string(), "queue://a");
        assert!(queue.is_same(&queue.clone()) && !queue.is_same(&Destination::queue("a").unwrap()));
    }
}
