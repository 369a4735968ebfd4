//! OpenWire 1 to 12, the protocol of `ActiveMQ`'s own clients: codec, session, stored form, and the table of refusals.
//!
//! An [`OpenWireSession`] is one connection. It is given bytes and events and gives verbs and bytes; it knows no socket, no
//! clock and nobody's rights. [`OpenWireFormat`] reads what it stores into the common view of all protocols, [`codec`] reads
//! and writes commands for either side. The commands are made from tables (`openwire.json`) by `cargo xtask openwire`.
//!
//! # What is as in `ActiveMQ`
//!
//! Versions 1 to 12 in both encodings with the marshal cache; negotiation and inactivity monitor; producers, consumers,
//! browsers, prefetch and its extension, asking for each message (`MessagePull`), every kind of acknowledgement, poison with
//! its cause, local transactions, durable subscriptions, temporary destinations, composite and wildcard names, selectors,
//! exclusive consumers and consumer priority, the producer's window, virtual topics, advisories of destinations that come
//! and go, exceptions by the classes that clients know.
//!
//! # Where it differs
//!
//! | here | there |
//! | --- | --- |
//! | a wildcard in the name of a message's destination is refused | a destination of that very name is made |
//! | a temporary destination of another connection can't be consumed from | only the client refuses |
//! | a temporary destination must be named after its connection | any name is taken |
//! | each part of a composite name needs its right, and one refusal refuses the whole | parts are sent until one is refused |
//! | one consumer takes from queues or from topics | a composite of both is taken |
//! | a negotiated cache below 100 values is refused | its writer never ends |
//! | `>` on topics passes over advisory topics | they come as well |
//! | a message that asks for a later delivery is refused | it is delivered at once where the scheduler is off |
//! | a consumer gets what its selector wants of a group, and others the rest | the rest waits until it goes |
//! | a prepared transaction (XA) is listed for, and ended by, its own user only | everybody sees and ends it |
//! | a refused message in a transaction refuses its commit | the same, and the rest is sent where it is not transacted |
//!
//! # Not there yet
//!
//! Scheduled delivery, networks of brokers, and advisories other than of destinations.
//!
//! # What is lost
//!
//! [`OpenWireFormat`] has the table of the way to other protocols, and the module `render` that of the way back.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod body;
pub mod codec;
mod destination;
mod format;
mod head;
mod limits;
mod refusal;
mod render;
mod session;

pub use codec::negotiation::Offer;
pub use format::OpenWireFormat;
pub use limits::Limits;
pub use render::BrokerName;
pub use session::{OpenWireSession, Options};
