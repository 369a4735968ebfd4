//! Frames: bytes into them and out of them, for either side of a connection.

mod command;
mod decoder;
mod escape;
mod fault;
mod frame;
mod version;
mod write;

pub use command::{Command, Side};
pub use decoder::Decoder;
pub use fault::Fault;
pub use frame::Frame;
pub use version::Version;
pub use write::{put_end, put_head, put_header, put_number, put_sized};

pub(crate) use write::{Decimal, put_value};

/// Longest header name or value: stored headers count their bytes in sixteen bits.
pub const MAX_PART: usize = u16::MAX as usize;

#[cfg(test)]
mod tests;
