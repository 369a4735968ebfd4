//! OpenWire 1 to 12, the protocol of ActiveMQ's own clients.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod codec;
