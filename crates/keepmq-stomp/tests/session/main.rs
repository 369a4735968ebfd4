//! Sessions, seen from both sides: bytes in and verbs out, events in and bytes out.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that can't go on fails")]

mod acking;
mod connecting;
mod delivering;
mod foreign;
mod heartbeats;
mod leaving;
mod peer;
mod random;
mod refusing;
mod sending;
mod subscribing;
mod temporaries;
mod transactions;
