//! What a peer may make a session hold.

use crate::codec::MAX_PART;

/// Bounds of one frame. A frame that breaks one is refused as soon as that is known, before anything is kept of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameLimits {
    /// Header lines.
    pub headers: usize,
    /// Bytes of one header line; at most [`MAX_PART`].
    pub line: usize,
    /// Bytes of the command and all header lines together.
    pub head: usize,
    /// Bytes of the body.
    pub body: usize,
}

impl FrameLimits {
    /// For the one frame before login: a passcode may be a token of some kilobytes, and there is no body.
    pub const LOGIN: Self = Self { headers: 32, line: 8 * 1024, head: 16 * 1024, body: 0 };

    /// After login. The body's is ActiveMQ's `wireFormat.maxFrameSize` in its shipped configuration.
    pub const OPEN: Self = Self { headers: 256, line: 16 * 1024, head: 64 * 1024, body: 100 * 1024 * 1024 };

    /// The longest line that both this bound and the layout of stored headers allow.
    pub(crate) fn line(&self) -> usize {
        self.line.min(MAX_PART)
    }
}

/// Bounds of one connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Frames before login.
    pub login: FrameLimits,
    /// Frames after it.
    pub open: FrameLimits,
    /// Bytes of a receipt, subscription or transaction id: the session keeps them until they are done with.
    pub id: usize,
    /// Deliveries under way to a subscription that does not say `activemq.prefetchSize`.
    pub prefetch: u32,
    /// The most that it may say.
    pub max_prefetch: u32,
    /// Subscriptions at one time.
    pub subscriptions: usize,
    /// Transactions at one time.
    pub transactions: usize,
    /// Aliases of temporary destinations.
    pub temporaries: usize,
    /// Destinations in one composite name.
    pub parts: usize,
    /// Requests that the broker has not answered; at the limit the connection is read no further.
    pub unanswered: usize,
    /// Destination names whose meaning is remembered.
    pub remembered: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            login: FrameLimits::LOGIN,
            open: FrameLimits::OPEN,
            id: 256,
            prefetch: 1000,
            max_prefetch: 10_000,
            subscriptions: 1000,
            transactions: 100,
            temporaries: 100,
            parts: 64,
            unanswered: 4096,
            remembered: 256,
        }
    }
}

/// How often the two sides say that they are alive ("Heart-beating" in STOMP 1.1 and 1.2). What a client wishes is
/// raised to these, so that no client can have the broker woken a thousand times a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeartBeat {
    /// The shortest interval at which the broker says it, in milliseconds; 0 never says it.
    pub send_ms: u64,
    /// The shortest interval at which the broker wants to hear it, in milliseconds; 0 does not want to.
    pub receive_ms: u64,
}

impl Default for HeartBeat {
    fn default() -> Self {
        Self { send_ms: 1000, receive_ms: 1000 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use keepmq_model::LOGIN_BYTES;

    #[test]
    fn a_login_fits_into_what_a_peer_may_have_unread() {
        const { assert!(FrameLimits::LOGIN.head < LOGIN_BYTES) };
        assert_eq!(FrameLimits::LOGIN.body, 0);
    }

    #[test]
    fn no_line_is_longer_than_its_stored_form_can_say() {
        let mut limits = FrameLimits::OPEN;
        assert_eq!(limits.line(), limits.line);
        limits.line = usize::MAX;
        assert_eq!(limits.line(), MAX_PART);
    }
}
