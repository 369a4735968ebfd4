//! Sessions, seen from both sides: bytes in and verbs out, events in and bytes out.

mod acking;
mod connecting;
mod delivering;
mod foreign;
mod heartbeats;
mod leaving;
mod peer;
mod random;
mod refusing;
mod sending;
mod subscribing;
mod temporaries;
mod transactions;
