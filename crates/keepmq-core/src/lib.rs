//! The broker without sockets, clock or async.
//!
//! [`Gate`] is the only door to a destination: a connection has a [`Client`], which takes a session's verbs and gives it
//! events. Behind it lie routes and shards, which are private: nothing reaches a destination without a permit.
#![forbid(unsafe_code)]

mod chooser;
mod gate;
mod limits;
mod outbox;
mod record;
mod routes;
mod shard;
mod shell;

/// What the gate tells the audit log, for those who write it and may not judge.
pub use keepmq_policy::{Audit, AuditEvent, DecisionRecord};

pub use gate::{Client, DurableNews, Entropy, Gate, LineStatus, Parts, Peer, Status};
pub use limits::Limits;
pub use outbox::Bell;
pub use shard::Counts;
pub use shell::{Clock, Spawn};
