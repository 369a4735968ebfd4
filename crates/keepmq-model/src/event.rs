//! What the broker says to a session.

use std::sync::Arc;

use bytes::Bytes;

use crate::destination::Destination;
use crate::message::{Marks, Message};
use crate::principal::Principal;
use crate::refusal::Refusal;
use crate::verb::{DeliveryId, Filter, LinkId, Tag, TxId};
use crate::xid::Xid;

/// One thing to know.
#[derive(Debug)]
pub enum Event {
    /// The login succeeded.
    Welcome(Arc<Principal>),
    /// What the tag asked for is done, and durable where that matters.
    Done {
        /// Of the verb.
        tag: Tag,
    },
    /// No.
    Refused {
        /// Of the verb; absent when it had none.
        tag: Option<Tag>,
        /// Why.
        refusal: Refusal,
    },
    /// A link is open.
    Attached {
        /// The link.
        link: LinkId,
        /// Of the verb.
        tag: Tag,
        /// What a named subscription remembers; `None` when it is new.
        resumed: Option<Box<Resumed>>,
    },
    /// A temporary destination was made.
    Created {
        /// Of the verb.
        tag: Tag,
        /// Its name.
        destination: Destination,
    },
    /// A branch of a global transaction is prepared.
    Prepared {
        /// Of the verb.
        tag: Tag,
        /// There was nothing in it: it is over, and there is nothing to commit.
        is_over: bool,
    },
    /// The branches that are prepared.
    InDoubt {
        /// Of the verb.
        tag: Tag,
        /// Their names.
        branches: Vec<Xid>,
    },
    /// A branch that this connection worked on was ended by another.
    Finished {
        /// Its name on this connection.
        tx: TxId,
        /// Whether what was said in it has happened.
        committed: bool,
    },
    /// A message for a link.
    Deliver(Delivery),
    /// A browsing link has seen everything.
    Exhausted {
        /// The link.
        link: LinkId,
    },
    /// The broker closed a link.
    Detached {
        /// The link.
        link: LinkId,
        /// Why.
        refusal: Refusal,
    },
    /// The broker slows this connection's sending, or lets it go again.
    Slowed {
        /// Why it is slowed; `None` when it may go again.
        why: Option<Refusal>,
    },
    /// The connection must end.
    Ending {
        /// Why.
        refusal: Refusal,
    },
}

/// What a named subscription remembers of the time before.
#[derive(Debug, Default)]
pub struct Resumed {
    /// Its filters.
    pub filters: Vec<Filter>,
    /// Its notes, sorted by key.
    pub notes: Vec<(Bytes, Bytes)>,
}

/// A message for a link.
#[derive(Debug)]
pub struct Delivery {
    /// The link.
    pub link: LinkId,
    /// By which it is settled.
    pub id: DeliveryId,
    /// Its place in the queue or subscription: the same each time that it is delivered, and rising.
    pub place: u64,
    /// What the broker notes beside it.
    pub marks: Marks,
    /// The message.
    pub message: Arc<Message>,
}
