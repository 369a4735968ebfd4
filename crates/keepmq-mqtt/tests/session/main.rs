//! A session between a scripted client and a scripted broker.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "these are tests")]

mod connecting;
mod delivering;
mod fake;
mod publishing;
mod resuming;
mod subscribing;
