//! MQTT 3.1 and 3.1.1.
#![forbid(unsafe_code)]

pub mod codec;
mod fault;
mod format;
mod json;
mod limits;
mod recent;
mod refusal;
mod session;
mod topic;

pub use format::MqttFormat;
pub use limits::{Limits, Options, RefusedPublish};
pub use session::MqttSession;
