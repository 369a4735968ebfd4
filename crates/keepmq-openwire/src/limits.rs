//! What a peer may make a session hold.

/// Bounds of one connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one frame before login: a password may be a token of some kilobytes.
    pub login_frame: usize,
    /// Bytes of one frame after it; ActiveMQ's `wireFormat.maxFrameSize` in its shipped configuration.
    pub frame: usize,
    /// Bytes of an id or a subscription's name, which the session keeps.
    pub id: usize,
    /// The most that a consumer's prefetch may be.
    pub max_prefetch: u32,
    /// Sessions, and as many producers, at one time.
    pub producers: usize,
    /// Consumers at one time.
    pub consumers: usize,
    /// Transactions at one time.
    pub transactions: usize,
    /// Destinations in one composite name.
    pub parts: usize,
    /// Requests that the broker has not answered; at the limit the connection is read no further.
    pub unanswered: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            login_frame: 16 * 1024,
            frame: 100 * 1024 * 1024,
            id: 1024,
            max_prefetch: 65_535,
            producers: 4096,
            consumers: 1024,
            transactions: 64,
            parts: 64,
            unanswered: 8192,
        }
    }
}
