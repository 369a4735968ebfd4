//! Listeners and the driver that carries bytes to sessions and verbs to the gate.
//!
//! The order at a listener: source address, number of connections, TLS, login, each with its bound, all before a
//! protocol's own parser sees more than one frame.
#![forbid(unsafe_code)]

mod buffers;
mod clock;
mod connection;
mod listener;
mod login;
mod slots;
mod tasks;
mod tls;

pub use clock::Clock;
pub use listener::{Bounds, Listener, ListenerError, Rules, Sessions};
pub use login::{Proof, Verifier};
pub use slots::Slots;
pub use tasks::Tasks;
pub use tls::{Identity, TlsError};
