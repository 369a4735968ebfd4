//! OpenWire 1 to 12, the protocol of ActiveMQ's own clients.
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
