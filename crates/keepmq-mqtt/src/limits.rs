//! How much a peer may ask for, and what else can be chosen for a listener.

use keepmq_model::Formats;

use crate::codec::MAX_LENGTH;

/// How much a peer may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a whole packet. Before the login it is [`keepmq_model::LOGIN_BYTES`] at most.
    pub max_packet: u32,
    /// Messages of `QoS` 2 that a client may have under way; more end the connection.
    pub receive_maximum: u16,
    /// Topic filters of a session. More are refused one by one; a single request with more ends the connection.
    pub filters: u16,
    /// Topic filters (of SUBSCRIBE and UNSUBSCRIBE) whose answer is awaited; with more, reading waits.
    pub unanswered_filters: u16,
    /// Messages of `QoS` 1 and 2 whose safe-keeping is awaited; with more, reading waits.
    pub unanswered_messages: u16,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_packet: 16 * 1024 * 1024,
            receive_maximum: 1024,
            filters: 1024,
            unanswered_filters: 1024,
            unanswered_messages: 16 * 1024,
        }
    }
}

impl Limits {
    /// Limits that can be worked with, whatever was configured.
    pub(crate) fn clamped(self) -> Self {
        let most = u32::try_from(MAX_LENGTH).unwrap_or(u32::MAX) + 5;
        Self {
            max_packet: self.max_packet.clamp(128, most),
            receive_maximum: self.receive_maximum.max(1),
            filters: self.filters.max(1),
            unanswered_filters: self.unanswered_filters.max(1),
            unanswered_messages: self.unanswered_messages.max(1),
        }
    }
}

/// What a client of MQTT 3.1 or 3.1.1 hears when it may not publish: these versions have no word for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RefusedPublish {
    /// Its connection is closed.
    #[default]
    Close,
    /// It is told that all went well, and the message is dropped.
    AcknowledgeAndDrop,
}

/// Most deliveries that a session may hold, whatever was configured: packet ids are found by looking through them.
const MAX_WINDOW: u16 = 4096;

/// What a session is made with.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// How much the peer may ask for.
    pub limits: Limits,
    /// What the peer hears when it may not publish.
    pub refused_publish: RefusedPublish,
    /// Deliveries under way to the peer at a time; between 1 and 4096.
    pub window: u16,
    /// How messages of other protocols are read.
    pub formats: Formats,
    /// The connection's number, by which a client without an id is named.
    pub connection: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            refused_publish: RefusedPublish::default(),
            window: 256,
            formats: Formats::default(),
            connection: 0,
        }
    }
}

impl Options {
    pub(crate) fn clamped(self) -> Self {
        Self { limits: self.limits.clamped(), window: self.window.clamp(1, MAX_WINDOW), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_need_no_clamping() {
        let options = Options::default();
        assert_eq!(options.clamped().limits, options.limits);
        assert_eq!(options.clamped().window, options.window);
    }

    /// Nothing that is configured may stop a session or open it without bound.
    #[test]
    fn extremes_become_something_that_works() {
        let zero = Limits {
            max_packet: 0,
            receive_maximum: 0,
            filters: 0,
            unanswered_filters: 0,
            unanswered_messages: 0,
        };
        let clamped = zero.clamped();
        assert_eq!(clamped.max_packet, 128);
        assert_eq!(
            [
                clamped.receive_maximum,
                clamped.filters,
                clamped.unanswered_filters,
                clamped.unanswered_messages
            ],
            [1; 4]
        );
        let huge = Limits { max_packet: u32::MAX, ..zero };
        assert_eq!(huge.clamped().max_packet, 268_435_460);
        for (window, wanted) in [(0, 1), (u16::MAX, MAX_WINDOW)] {
            let options = Options { window, ..Options::default() };
            assert_eq!(options.clamped().window, wanted);
        }
    }
}
