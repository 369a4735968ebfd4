//! STOMP 1.0, 1.1 and 1.2.
#![forbid(unsafe_code)]

pub mod codec;
mod destination;
mod format;
mod head;
mod limits;
mod names;
mod refusal;
mod render;
mod session;

pub use format::StompFormat;
pub use limits::{FrameLimits, HeartBeat, Limits};
pub use session::{Options, StompSession};
