//! A session between a scripted client and a scripted broker.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "these are tests")]

mod connecting;
mod delivering;
mod ending;
mod exactly_once;
mod fake;
mod invariants;
mod publishing;
mod resuming;
mod subscribing;
mod world;
