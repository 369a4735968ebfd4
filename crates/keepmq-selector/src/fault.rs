//! What is wrong with a selector.

use std::fmt;

/// Why a text is no selector, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SelectorFault {
    at: usize,
    what: String,
}

impl SelectorFault {
    pub(crate) fn new(at: usize, what: impl Into<String>) -> Self {
        Self { at, what: what.into() }
    }

    /// Where, in bytes from the start of the text.
    pub fn position(&self) -> usize {
        self.at
    }

    /// What was expected or is not allowed, in words for the author of the selector.
    pub fn what(&self) -> &str {
        &self.what
    }
}

impl fmt::Display for SelectorFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at byte {} of the selector: {}", self.at, self.what)
    }
}

impl std::error::Error for SelectorFault {}
