//! One frame, as it was read.

use std::ops::Range;

use bytes::Bytes;
use keepmq_model::Text;
use zeroize::Zeroize;

use super::command::Command;

/// Where a header's name and value stand in the head.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) name: Range<usize>,
    pub(super) value: Range<usize>,
}

/// A whole frame. Names and values are as the peer meant them: escapes are undone.
pub struct Frame {
    pub(super) command: Command,
    pub(super) head: Text,
    pub(super) lines: Vec<Line>,
    pub(super) body: Bytes,
    pub(super) sized: bool,
}

impl Frame {
    /// What it is for.
    pub fn command(&self) -> Command {
        self.command
    }

    /// The headers in order; repeated ones as often as they came.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.lines.iter().filter_map(|line| {
            let name = self.head.get(line.name.clone())?;
            Some((name, self.head.get(line.value.clone())?))
        })
    }

    /// The value of a header: the first one counts ("Repeated Header Entries" in STOMP 1.2).
    pub fn get(&self, wanted: &str) -> Option<&str> {
        self.headers().find(|(name, _)| *name == wanted).map(|(_, value)| value)
    }

    /// The body.
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// The body, which the frame has no more after this.
    pub fn take_body(&mut self) -> Bytes {
        std::mem::take(&mut self.body)
    }

    /// Whether the body's length was stated.
    pub fn is_sized(&self) -> bool {
        self.sized
    }

    /// Overwrites the headers and forgets them: they held a passcode.
    pub fn wipe(self) {
        if let Ok(mut head) = self.head.into_bytes().try_into_mut() {
            head.as_mut().zeroize();
        }
    }
}
