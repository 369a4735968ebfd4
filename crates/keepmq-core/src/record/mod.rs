//! How the core's records look in the store. Every layout begins with a version: stored bytes outlive the code.

mod branch;
mod definition;
mod message;
mod wire;

pub(crate) use branch::{Locks, StoredBranch, lock_key};
pub(crate) use definition::{
    Definition, Key, StoredSubscription, note_key, parse_key, set_sender, unset_sender,
};
pub(crate) use message::{decode_message, encode_message};
