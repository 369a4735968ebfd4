//! Permits: proof that the policy was asked.

use std::fmt;
use std::marker::PhantomData;

use keepmq_model::Destination;

/// What somebody may want to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Right {
    /// Consume, browse, subscribe.
    Read,
    /// Send.
    Write,
    /// Create, delete, purge.
    Admin,
}

impl Right {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Read, Self::Write, Self::Admin];

    /// As ActiveMQ's refusals say it: «is not authorized to …».
    pub fn phrase(self) -> &'static str {
        match self {
            Self::Read => "read from",
            Self::Write => "write to",
            Self::Admin => "create",
        }
    }

    /// Its name in a map.
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Admin => "admin",
        }
    }
}

/// A right as a type, so that a permit for one can't be used for another.
pub trait Rights: Copy + Send + Sync + 'static {
    /// The right.
    const RIGHT: Right;
}

/// Consume, browse, subscribe.
#[derive(Clone, Copy, Debug)]
pub struct Read;
/// Send.
#[derive(Clone, Copy, Debug)]
pub struct Write;
/// Create, delete, purge.
#[derive(Clone, Copy, Debug)]
pub struct Admin;

impl Rights for Read {
    const RIGHT: Right = Right::Read;
}

impl Rights for Write {
    const RIGHT: Right = Right::Write;
}

impl Rights for Admin {
    const RIGHT: Right = Right::Admin;
}

/// Allows one right on one destination, as judged by one epoch of the policy.
#[derive(Clone)]
pub struct Permit<R: Rights> {
    destination: Destination,
    epoch: u64,
    right: PhantomData<R>,
}

impl<R: Rights> Permit<R> {
    pub(crate) fn new(destination: Destination, epoch: u64) -> Self {
        Self { destination, epoch, right: PhantomData }
    }

    /// The one destination that it is for.
    pub fn destination(&self) -> &Destination {
        &self.destination
    }

    /// The policy's epoch at the time. A permit of an older epoch must be judged anew.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }
}

impl<R: Rights> fmt::Debug for Permit<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Permit({} {} @{})", R::RIGHT.name(), self.destination, self.epoch)
    }
}
