//! The generator against a small broker that lives in these tests, so that its books are checked against known mistakes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::disallowed_methods)]

mod broker;
mod compare;
mod faults;
mod mqtt;
mod openwire;
mod others;
mod runs;
mod stomp;
