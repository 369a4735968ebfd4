//! What a session may say to the broker.
//!
//! The verbs are those of AMQP 1.0, the richest of the protocols, in broker words. QoS, prefetch, receipts, aliases and
//! windows are not among them: they stay in the sessions.

use std::sync::Arc;

use bytes::Bytes;
use smallvec::SmallVec;

use crate::Text;
use crate::destination::{Destination, Kind};
use crate::message::Message;
use crate::pattern::Pattern;
use crate::principal::Secret;
use crate::xid::{Finish, Xid};

/// Names a link (a consumer) within its connection. Chosen by the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkId(pub u32);

/// Asks for an answer: the event that answers a verb carries its tag. Chosen by the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag(pub u64);

/// Names a transaction within its connection. Chosen by the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TxId(pub u64);

/// Names a delivery within its link. A link that takes from several queues has a leg for each; deliveries of a leg are
/// numbered 1, 2, 3 and so on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeliveryId {
    /// Which of the link's sources it came from.
    pub leg: u32,
    /// Its number.
    pub number: u64,
}

/// One request. Those with a `tag` are answered by exactly one event that carries it.
#[derive(Debug)]
pub enum Verb {
    /// Proves who the peer is. The only verb of a connection without a principal.
    Login(Box<Login>),
    /// Opens a link: consumes, browses or subscribes.
    Attach(Box<Attach>),
    /// Adds filters to a subscription, or changes them.
    Bind(Box<Bind>),
    /// Takes a filter from a subscription.
    Unbind {
        /// The link of the subscription.
        link: LinkId,
        /// The filter's pattern.
        pattern: Pattern,
        /// Answered when it is durable.
        tag: Tag,
    },
    /// Allows so many more deliveries.
    Grant {
        /// To this link.
        link: LinkId,
        /// How many more.
        credit: u32,
    },
    /// Closes a link. What it holds unsettled goes back; a named subscription stays.
    Detach {
        /// The link.
        link: LinkId,
        /// Where it is known what was tried: for each leg the last delivery that was. Later ones, and those of legs that are
        /// not named, go back as if they had never been handed out.
        tried: Option<Vec<DeliveryId>>,
        /// Answered when it is done.
        tag: Tag,
    },
    /// Removes a named subscription with its backlog. Nobody may be attached to it but this connection.
    Forget {
        /// The subscription.
        name: SubscriptionName,
        /// Answered when it is durable.
        tag: Tag,
    },
    /// Says that messages for a destination will come: judges the right to send them, and makes the destination, before
    /// the first of them.
    Target {
        /// The destination.
        destination: Destination,
        /// Answered when it is done.
        tag: Tag,
    },
    /// Takes back the credit that is left, once what is there has been handed out. Refused as busy while what is there is
    /// still being read from the disk.
    Drain {
        /// From this link.
        link: LinkId,
        /// Answered when it is done.
        tag: Tag,
    },
    /// Sends a message.
    Publish(Publish),
    /// Says what became of deliveries.
    Settle(Settle),
    /// Starts a transaction.
    Begin {
        /// Its name from now on.
        tx: TxId,
    },
    /// Makes everything said in a transaction happen at once, or nothing of it.
    Commit {
        /// The transaction.
        tx: TxId,
        /// Answered when it is durable.
        tag: Tag,
    },
    /// Drops everything said in a transaction.
    Rollback {
        /// The transaction.
        tx: TxId,
        /// Answered when it is done.
        tag: Tag,
    },
    /// Works on a branch of a global transaction, under a name of the connection's own. It is begun when nobody has; until
    /// it is prepared it ends with each connection that works on it. Only its user's other connections may join it.
    Join {
        /// Its name on this connection from now on.
        tx: TxId,
        /// The branch.
        branch: Xid,
    },
    /// Promises that a branch can be committed, whatever happens. It outlives its connections and the broker from now on.
    Prepare {
        /// The branch.
        branch: Xid,
        /// Answered with [`crate::Event::Prepared`] when it is durable.
        tag: Tag,
    },
    /// Ends a branch. A prepared one can be ended by any connection of its user.
    Finish {
        /// The branch.
        branch: Xid,
        /// How.
        how: Finish,
        /// Answered when it is durable.
        tag: Tag,
    },
    /// A sender by whose name copies are known will send nothing again ([`crate::Extras::duplicate`]).
    EndSender {
        /// Its name.
        sender: Text,
    },
    /// Asks for the prepared branches of this user.
    InDoubt {
        /// Answered with [`crate::Event::InDoubt`].
        tag: Tag,
    },
    /// Has the core keep bytes with a named subscription; it never reads them.
    Note(Note),
    /// Makes a temporary destination. To make one again that this connection has made is no fault.
    CreateTemporary {
        /// Temporary queue or temporary topic.
        kind: Kind,
        /// Its name, where the protocol lets the client choose it; otherwise it gets one that can't be guessed.
        name: Option<Text>,
        /// Answered with [`crate::Event::Created`].
        tag: Tag,
    },
    /// Removes every message that nobody holds.
    Purge {
        /// From this queue.
        destination: Destination,
        /// Answered when it is durable.
        tag: Tag,
    },
    /// Removes a destination. Refused while somebody consumes from it.
    Delete {
        /// The destination.
        destination: Destination,
        /// Answered when it is durable.
        tag: Tag,
    },
}

/// How a peer proves who it is.
#[derive(Debug, Default)]
pub struct Login {
    /// The user's name, when one was given.
    pub user: Option<Box<str>>,
    /// The password, when one was given.
    pub password: Option<Secret>,
    /// The client id to hold while connected; one connection holds it at a time.
    pub client_id: Option<Arc<str>>,
    /// Whether an older connection that holds the client id must go. Only ever done to the same user's.
    pub take_over: bool,
}

impl Login {
    /// Whether a client id may be used. It becomes a part of names and of lines in logs: wildcards and control
    /// characters would be taken for something else there.
    pub fn is_client_id(id: &str) -> bool {
        !id.is_empty() && !id.contains(|c: char| c.is_control() || matches!(c, '+' | '#' | '*' | '>'))
    }
}

/// Opens a link.
#[derive(Debug)]
pub struct Attach {
    /// Its name from now on.
    pub link: LinkId,
    /// Answered with [`crate::Event::Attached`].
    pub tag: Tag,
    /// What it takes from.
    pub source: Source,
    /// How it takes.
    pub taking: Taking,
    /// Deliveries allowed at first.
    pub credit: u32,
    /// Whether settling a delivery allows another one.
    pub refill: bool,
    /// Consumers of a queue with a higher priority are served first.
    pub priority: i8,
    /// Whether it wants to be the queue's only consumer.
    pub exclusive: bool,
    /// Only messages for which this is true.
    pub selector: Option<Arc<str>>,
    /// Not the messages that this connection sent itself.
    pub no_local: bool,
}

/// How a link takes messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taking {
    /// Each delivery is held until it is settled.
    Unsettled,
    /// A delivery is settled by being handed out.
    Settled,
    /// Looks at what is there, in order, and takes nothing; ends with [`crate::Event::Exhausted`].
    Browse,
}

/// What a link takes from.
#[derive(Debug)]
pub enum Source {
    /// One queue, or by wildcards every queue that matches, now or later.
    Queue {
        /// Queue or temporary queue.
        kind: Kind,
        /// Which.
        pattern: Pattern,
    },
    /// A subscription that ends with the link.
    Subscription {
        /// What it gets.
        filters: Vec<Filter>,
    },
    /// A subscription that stays, and keeps messages while nobody is attached.
    Durable {
        /// Its name.
        name: SubscriptionName,
        /// What it gets. `None` leaves an existing one as it is. A change of a filter drops the backlog, as JMS says
        /// (JMS 1.1, section 6.11.1).
        filters: Option<Vec<Filter>>,
    },
}

/// Names a subscription that stays.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubscriptionName {
    /// The client id that it belongs to.
    pub client_id: Arc<str>,
    /// Its name among that client's.
    pub name: Arc<str>,
}

/// Some of the topics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    /// Topic or temporary topic.
    pub kind: Kind,
    /// Which topics.
    pub pattern: Pattern,
    /// A number that the session gets back when it resumes; the core never reads it.
    pub option: u32,
    /// Whether durable messages are kept while nobody is attached.
    pub keep: bool,
    /// Not the messages that this connection sent itself.
    pub no_local: bool,
    /// Whether the topics' retained messages are sent.
    pub replay: Replay,
    /// Only messages for which this is true.
    pub selector: Option<Arc<str>>,
}

/// When a filter gets the retained messages of its topics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replay {
    /// Never.
    Never,
    /// When the filter was not there before.
    IfNew,
    /// Each time that it is bound.
    Always,
}

/// Adds filters to a subscription, or changes them.
#[derive(Debug)]
pub struct Bind {
    /// The link of the subscription.
    pub link: LinkId,
    /// What it gets besides.
    pub filter: Filter,
    /// Answered when it is durable.
    pub tag: Tag,
}

/// Sends a message.
#[derive(Debug)]
pub struct Publish {
    /// Answered when the message is safe: at once, or for a durable one when it is on disk. A refusal is told in any
    /// case.
    pub tag: Option<Tag>,
    /// The message. Nobody else holds it yet: admission completes its envelope.
    pub message: Arc<Message>,
    /// Where it goes besides the envelope's destination (composite names). One refusal refuses the whole.
    pub also: SmallVec<[Destination; 0]>,
    /// Whether the topic keeps it.
    pub retain: Retain,
    /// Part of this transaction.
    pub tx: Option<TxId>,
    /// Kept with the message in one step.
    pub note: Option<Box<Note>>,
}

/// Whether a topic keeps a message for later subscribers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retain {
    /// It does not.
    No,
    /// It does, in place of the one before.
    Keep,
    /// It forgets the one it has; subscribers still get this one.
    Clear,
}

/// Says what became of deliveries.
#[derive(Debug)]
pub struct Settle {
    /// The link that they came by.
    pub link: LinkId,
    /// The leg that they came by.
    pub leg: u32,
    /// The first of them; 0 or 1 for all up to `through`.
    pub from: u64,
    /// The last of them.
    pub through: u64,
    /// What became of them.
    pub outcome: Outcome,
    /// Part of this transaction.
    pub tx: Option<TxId>,
    /// Answered when it is durable.
    pub tag: Option<Tag>,
    /// Why they were rejected, in the consumer's words: dead letters keep it.
    pub reason: Option<Box<str>>,
}

/// What became of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Done with; the broker forgets it.
    Accepted,
    /// Not tried: goes back to where it was, uncounted.
    Released,
    /// Tried in vain: goes back, is counted, and is put aside when that happens too often.
    Failed,
    /// Will never work: is put aside at once.
    Rejected,
}

/// Has the core keep bytes with a named subscription.
#[derive(Debug)]
pub struct Note {
    /// The link of the subscription.
    pub link: LinkId,
    /// At most 64 bytes.
    pub key: Bytes,
    /// At most 1 KiB; `None` forgets the key.
    pub value: Option<Bytes>,
    /// Answered when it is durable.
    pub tag: Option<Tag>,
}
