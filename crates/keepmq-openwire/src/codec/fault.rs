//! What a peer got wrong in a frame.

use std::fmt;

/// A frame that can't be read. The connection can't go on: where the next frame begins, or what the cache holds, is
/// unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    text: &'static str,
    at: usize,
}

impl Fault {
    pub(crate) const fn new(text: &'static str, at: usize) -> Self {
        Self { text, at }
    }

    /// What is wrong.
    pub fn text(&self) -> &'static str {
        self.text
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (byte {} of the frame)", self.text, self.at)
    }
}

impl std::error::Error for Fault {}
