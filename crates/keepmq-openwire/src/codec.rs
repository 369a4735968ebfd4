//! Frames of OpenWire 1 to 12, in the loose and the tight encoding, with the marshal cache.
//!
//! Sections are those of the encoding reference that the tables (`openwire.json`) come with.

mod cache;
mod fault;
pub mod negotiation;
pub mod primitive;
mod reader;
mod structure;
mod text;
mod throwable;
#[allow(
    clippy::struct_excessive_bools,
    clippy::doc_markdown,
    clippy::large_enum_variant,
    clippy::single_match_else,
    clippy::wildcard_imports,
    reason = "most of it is made from the tables, as the protocol has it"
)]
mod wire;
mod wire_format;
mod writer;

#[cfg(test)]
mod tests;

pub use fault::Fault;
pub use text::JavaText;
pub use wire::*;
pub use wire_format::WireFormat;
pub(crate) use wire_format::{decode_stored, encode_stored};
