//! What an operator sees of the broker.
#![forbid(unsafe_code)]

mod audit;
mod status;

pub use audit::{AuditError, AuditLog, Fault, Verified, find, verify};
pub use status::StatusTopics;
