//! How long and deep a selector may be, so that a hostile one costs little. What is over is refused, never cut.

/// Bytes of a selector.
pub const MAX_BYTES: usize = 16 * 1024;
/// Brackets, signs and `NOT`s within each other.
pub const MAX_DEPTH: usize = 64;
/// Values of one `IN`.
pub const MAX_VALUES: usize = 1000;
/// Bytes of the pattern of one `LIKE`.
pub const MAX_PATTERN: usize = 1024;
