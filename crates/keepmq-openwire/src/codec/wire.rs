//! The objects of the wire.

mod command;
mod control;
mod delivery;
mod ids;
mod infos;
#[cfg(test)]
mod json;
mod message;
mod rare;

use bytes::Bytes;

pub use super::structure::{DestinationKind, TransactionId};
use super::text::JavaText;
pub use super::throwable::{Frame, Throwable};
pub use command::Command;
pub use control::*;
pub use delivery::*;
pub use ids::*;
pub use infos::*;
pub use message::Message;
pub use rare::*;

/// A destination of any kind.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Destination {
    /// What it is.
    pub kind: DestinationKind,
    /// `physicalName`.
    pub physical_name: Option<JavaText>,
}

/// What the content of a message is (openwire.md, section 10).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum MessageKind {
    /// There is none.
    #[default]
    Plain,
    /// Bytes.
    Bytes,
    /// Names with values.
    Map,
    /// A serialised Java object, which nobody looks into.
    Object,
    /// Values in order.
    Stream,
    /// Text.
    Text,
    /// Elsewhere.
    Blob,
}
