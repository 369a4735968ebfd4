//! `keepmq send`, `receive` and `browse`: a STOMP client for people and scripts.

mod browse;
mod connection;
mod print;
mod receive;
mod send;
mod target;

pub(crate) use browse::BrowseArgs;
pub(crate) use receive::ReceiveArgs;
pub(crate) use send::SendArgs;
