//! Listeners and the driver over real sockets, with a line protocol that is small enough to see through.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::disallowed_methods)]

mod lines;
mod listening;
mod server;
mod tls;
