//! The core through its only door, over the memory engine: time, disk and threads belong to the test.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod advisories;
mod branches;
mod broker;
mod denials;
mod durability;
mod flow;
mod groups;
mod queues;
mod retained;
mod selectors;
mod senders;
mod subscriptions;
mod temporaries;
mod topics;
mod transactions;
