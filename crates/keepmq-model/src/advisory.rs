//! Advisories: what the broker tells of itself on topics of their own, by ActiveMQ's names.
//!
//! They are ordinary messages of the broker's own form: any protocol shows their text, and one that has a richer form for
//! them (OpenWire) reads the facts back.

use bytes::{BufMut, Bytes, BytesMut};

use crate::destination::{Destination, Kind};
use crate::message::{Native, Protocol};

/// How the names of all advisory topics begin.
pub const ADVISORY_PREFIX: &str = "ActiveMQ.Advisory.";

/// Layout of the head of an advisory; layout 0 of the broker's own messages has none.
const LAYOUT: u8 = 1;

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Advisory {
    /// A destination was made or removed.
    Destination {
        /// Which.
        destination: Destination,
        /// Whether it was made.
        added: bool,
    },
}

impl Advisory {
    /// The name of the topic that tells of destinations of this kind.
    pub fn topic_of(kind: Kind) -> &'static str {
        match kind {
            Kind::Queue => "ActiveMQ.Advisory.Queue",
            Kind::Topic => "ActiveMQ.Advisory.Topic",
            Kind::TempQueue => "ActiveMQ.Advisory.TempQueue",
            Kind::TempTopic => "ActiveMQ.Advisory.TempTopic",
        }
    }

    /// The name of the topic that it belongs on.
    pub fn topic(&self) -> &'static str {
        match self {
            Self::Destination { destination, .. } => Self::topic_of(destination.kind()),
        }
    }

    /// Whether a topic is an advisory topic: of those nothing is told.
    pub fn is_topic(destination: &Destination) -> bool {
        destination.kind() == Kind::Topic && destination.name().starts_with(ADVISORY_PREFIX)
    }

    /// As a message of the broker's own form.
    pub fn native(&self) -> Native {
        let Self::Destination { destination, added } = self;
        let mut head = BytesMut::with_capacity(2 + destination.name().len());
        head.put_u8(u8::from(*added));
        head.put_u8(number(destination.kind()));
        head.put_slice(destination.name().as_bytes());
        let text = format!("{destination} was {}", if *added { "created" } else { "removed" });
        Native { protocol: Protocol::Broker, layout: LAYOUT, head: head.freeze(), body: Bytes::from(text) }
    }

    /// Reads a message of the broker's own form back; `None` when it is no advisory.
    pub fn read(native: &Native) -> Option<Self> {
        if native.protocol != Protocol::Broker || native.layout != LAYOUT {
            return None;
        }
        let ([added, kind], name) = native.head.split_first_chunk()?;
        let kind = KINDS.into_iter().find(|known| number(*known) == *kind)?;
        let destination = Destination::new(kind, std::str::from_utf8(name).ok()?).ok()?;
        Some(Self::Destination { destination, added: *added != 0 })
    }
}

const KINDS: [Kind; 4] = [Kind::Queue, Kind::Topic, Kind::TempQueue, Kind::TempTopic];

fn number(kind: Kind) -> u8 {
    match kind {
        Kind::Queue => 1,
        Kind::Topic => 2,
        Kind::TempQueue => 5,
        Kind::TempTopic => 6,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_advisory_is_read_back_as_it_was_told() {
        for kind in KINDS {
            for added in [true, false] {
                let destination = Destination::new(kind, "ID:host-1:1").unwrap();
                let advisory = Advisory::Destination { destination, added };
                assert_eq!(Advisory::read(&advisory.native()), Some(advisory));
            }
        }
    }

    #[test]
    fn other_messages_are_no_advisories() {
        let native =
            Advisory::Destination { destination: Destination::queue("q").unwrap(), added: true }.native();
        let others = [
            Native { layout: 0, ..native.clone() },
            Native { protocol: Protocol::Stomp, ..native.clone() },
            Native { head: native.head.slice(..1), ..native.clone() },
            Native { head: Bytes::from_static(&[1, 9, b'q']), ..native },
        ];
        assert!(others.iter().all(|other| Advisory::read(other).is_none()));
    }
}
