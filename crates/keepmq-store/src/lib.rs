//! Keeps batches of opaque records, durably and in order.
//!
//! The store knows bytes. It does not know what a message, a queue or a subscription is: the broker core gives each
//! of its ordered runs (a queue's backlog, a durable subscription's backlog) a [`StreamId`] and numbers the records.
//!
//! Two kinds of things are kept:
//! * **records**: payloads under one or more [`Locator`]s, alive until each of them is released;
//! * **state**: small keyed values (definitions, cursors, notes), alive until replaced or removed, held in memory.
#![forbid(unsafe_code)]

mod api;
pub mod disk;
mod journal;
mod memory;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod wire;

pub use api::{
    Admission, Batch, Locator, Meta, OnDurable, Op, Page, Payload, Recovery, Scan, Seq, Store, StoreError,
    Stored, StreamId, StreamInfo, Target, Ticket, Urgency, Usage,
};
pub use journal::{Activity, Journal, MasterKey, Options, inspect};
pub use memory::Memory;
