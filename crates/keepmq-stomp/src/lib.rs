//! STOMP 1.0, 1.1 and 1.2.
#![forbid(unsafe_code)]

pub mod codec;
mod limits;

pub use limits::{FrameLimits, HeartBeat, Limits};
