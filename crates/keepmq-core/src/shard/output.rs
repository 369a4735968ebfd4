//! What a step wants done outside of the shard.

use std::sync::Arc;

use keepmq_model::{DeadCause, Event, Message, Now};
use keepmq_store::{Op, Scan, Urgency};

use super::LineKey;
use crate::limits::Limits;
use crate::outbox::Outbox;

/// Gathers what steps want done.
#[derive(Debug)]
pub(crate) struct Outputs {
    /// To be committed to the store, in one batch.
    pub(crate) ops: Vec<Op>,
    /// Whether somebody waits for that.
    pub(crate) urgency: Urgency,
    /// To be put into outboxes, in order.
    pub(crate) events: Vec<(Arc<Outbox>, Event)>,
    /// Connections to be rung though there is no event for them.
    pub(crate) bells: Vec<Arc<Outbox>>,
    /// Pages to be read from the store.
    pub(crate) reads: Vec<Read>,
    /// Messages to be put aside.
    pub(crate) dead: Vec<Dead>,
    /// Lines whose senders must wait.
    pub(crate) full: Vec<LineKey>,
    /// Links whose other legs may have something for credit that came back.
    pub(crate) revive: Vec<super::TakerId>,
}

impl Default for Outputs {
    fn default() -> Self {
        Self {
            ops: Vec::new(),
            urgency: Urgency::Lazy,
            events: Vec::new(),
            bells: Vec::new(),
            reads: Vec::new(),
            dead: Vec::new(),
            full: Vec::new(),
            revive: Vec::new(),
        }
    }
}

impl Outputs {
    /// Adds a change that somebody waits for.
    pub(crate) fn commit_now(&mut self, op: Op) {
        self.ops.push(op);
        self.urgency = Urgency::Now;
    }

    /// Adds a change that nobody waits for.
    pub(crate) fn commit_lazily(&mut self, op: Op) {
        self.ops.push(op);
    }
}

/// Who wants a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reader {
    /// The line itself, for its window.
    Line,
    /// One who looks and takes nothing.
    Browser(super::TakerId),
    /// A consumer that looks for what its selector wants.
    Taker(super::TakerId),
}

/// A page to be read from the store; the answer comes back as an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Read {
    pub(crate) line: LineKey,
    pub(crate) priority: u8,
    pub(crate) by: Reader,
    pub(crate) scan: Scan,
    /// What was durable when the read was asked for.
    pub(crate) visible: u64,
}

/// A message to be put aside. Until that is durable the line keeps its record.
#[derive(Debug)]
pub(crate) struct Dead {
    pub(crate) line: LineKey,
    pub(crate) priority: u8,
    pub(crate) seq: u64,
    pub(crate) stored: bool,
    pub(crate) message: Arc<Message>,
    pub(crate) cause: DeadCause,
    /// The consumer's words for it.
    pub(crate) reason: Option<Box<str>>,
}

/// What a step works with.
pub(crate) struct Context<'a> {
    pub(crate) now: Now,
    pub(crate) limits: &'a Limits,
    pub(crate) out: &'a mut Outputs,
    /// Commits up to this one are durable.
    pub(crate) visible: u64,
    /// The commit that the ops of this step will be part of.
    pub(crate) stage: u64,
    /// The policy's epoch.
    pub(crate) epoch: u64,
    /// Whether all messages together take more memory than they may.
    pub(crate) pressed: bool,
}
