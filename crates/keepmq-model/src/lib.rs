//! The broker's vocabulary. One word per thing, in code, documents, metrics and console:
//!
//! * **destination**: a queue or topic; **pattern**: a name with wildcards;
//! * **message**: an **envelope** (facts the core reads), the sender's **native** bytes (**head** and **body**), and a
//!   lazily made **view** (the pivot between protocols); **marks** lie beside it;
//! * **session**: one connection's protocol state; it says **verbs** and hears **events**;
//! * **principal**: who a session is; **refusal**: every way to say no;
//! * **link**: a consumer of a session; **subscription**: what gets copies of topics' messages;
//! * **delivery**: a message handed to a link; **outcome**: what became of it; **credit**: how many more may come.
#![forbid(unsafe_code)]

mod advisory;
mod destination;
mod event;
mod message;
mod meter;
mod outgoing;
mod pattern;
mod principal;
mod refusal;
mod session;
mod tree;
mod verb;
mod view;
mod xid;

/// Text that shares the buffer it was read from.
pub use bytestring::ByteString as Text;

pub use advisory::{ADVISORY_PREFIX, Advisory};
pub use destination::{Destination, Kind, MAX_NAME, MAX_SEGMENTS, NameFault, check_name, has_wildcard};
pub use event::{Delivery, Event, Resumed};
pub use message::{
    DEAD_CAUSE_PROPERTY, DEFAULT_PRIORITY, DeadCause, DeadLetter, EXPIRED_PROPERTY, Envelope, Extras, Group,
    MAX_PRIORITY, Marks, Message, MessageId, Native, Protocol, Schedule,
};
pub use meter::Meter;
pub use outgoing::Outgoing;
pub use pattern::Pattern;
pub use principal::{Principal, Secret};
pub use refusal::{DecisionId, Refusal, RefusalKind};
pub use session::{BrokerFormat, Closing, End, Flow, Format, Formats, Io, LOGIN_BYTES, Now, Session};
pub use tree::PatternTree;
pub use verb::{
    Attach, Bind, DeliveryId, Filter, LinkId, Login, Note, Outcome, Publish, Replay, Retain, Settle, Source,
    SubscriptionName, Tag, Taking, TxId, Verb,
};
pub use view::{Body, Value, View};
pub use xid::{Finish, MAX_XID_PART, Xid};
