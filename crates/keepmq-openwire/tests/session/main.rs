//! The session as a broker and a client see it: commands in, verbs out; events in, commands out.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::missing_panics_doc)]

mod acking;
mod connecting;
mod consuming;
mod hostile;
mod peer;
mod pulling;
mod sending;
mod transactions;
