//! Who is it?
//!
//! [`Authenticator`] judges logins by the users of a [`users_file`]; a guard slows down whoever guesses. The rest is
//! what a broker needs to prove itself and to keep its secrets: [`certificate`]s of a CA of its own, reading those of
//! others ([`chain`]), the [`master_key`] of the store, and the first files of a [`new_folder`].
#![forbid(unsafe_code)]

use std::time::Duration;

mod authenticator;
mod cache;
pub mod certificate;
pub mod chain;
mod guard;
mod hash;
pub mod master_key;
pub mod new_folder;
pub mod password;
mod posture;
mod turnstile;
mod users;
pub mod users_file;
pub mod why;

pub use authenticator::{Authenticator, BY_OLD_PASSWORD, BY_USERS, NoRandomness, Verdict};
pub use hash::Hash;
pub use keepmq_config::private;
pub use posture::judge;
pub use turnstile::HashingBounds;
pub use users::{MOST_GROUPS, MOST_USERS, User, UserFault, Users};

/// A refusal is told no sooner than so long after the login came, so that its haste tells nothing.
pub const REFUSE_AFTER: Duration = Duration::from_millis(500);
