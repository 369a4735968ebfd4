//! The session as a broker and a client see it: commands in, verbs out; events in, commands out.
#![allow(clippy::unwrap_used, clippy::panic)]
#![allow(
    clippy::needless_pass_by_value,
    reason = "tests read better without a borrow of what is made for one call"
)]

mod acking;
mod connecting;
mod consuming;
mod hostile;
mod peer;
mod pulling;
mod sending;
mod transactions;
