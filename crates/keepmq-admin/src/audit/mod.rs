//! The audit log: one JSON object a line, each with the hash of the line before it, so that a changed or missing line is
//! found. It is no part of the ordinary log: nothing filters it, and it holds neither a secret nor a body.

mod line;
mod log;
mod read;

pub use log::{AuditError, AuditLog};
pub use read::{Fault, Verified, find, verify};
