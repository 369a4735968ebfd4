//! MQTT 3.1 and 3.1.1.
#![forbid(unsafe_code)]

pub mod codec;
mod fault;
