//! What the broker still has to answer.

use hashbrown::HashMap;
use keepmq_model::{Tag, TxId};

use super::Key;
use super::branch::AskedBranch;

/// What an answer is waited for.
#[derive(Debug)]
pub(super) enum Awaited {
    /// Nothing is told.
    Quiet,
    /// A `Response` to this command, about this.
    Reply(i32, About),
    /// A link of this consumer.
    Link(Key),
    /// No more for this consumer than what is there.
    Drained(Key),
    /// A message: the command to be answered, and whose window it leaves, by how much.
    Sent(Option<i32>, Option<(Key, i32)>),
    /// The end of a transaction, and the command to be answered.
    End { tx: TxId, commit: bool, reply: Option<i32> },
    /// The preparation of a branch.
    Prepared(AskedBranch),
    /// The end of a branch, and whether that is its commit.
    Finished(AskedBranch, bool),
    /// The branches that are prepared, and the command to be answered.
    InDoubt(i32),
}

/// What a request was about, for the words of its refusal.
#[derive(Debug)]
pub(super) enum About {
    /// A durable subscription of this client, by name.
    Subscription(Box<str>, Box<str>),
    /// A producer, which is forgotten when it is refused.
    Producer(Key),
    /// The removal of a destination: it may be gone.
    Removal,
    /// Anything else.
    Other,
}

/// By tag.
#[derive(Debug, Default)]
pub(super) struct Answers {
    next: u64,
    waiting: HashMap<u64, Awaited>,
}

impl Answers {
    /// A tag for a verb whose answer means this.
    pub(super) fn expect(&mut self, awaited: Awaited) -> Tag {
        self.next += 1;
        self.waiting.insert(self.next, awaited);
        Tag(self.next)
    }

    /// What the answer with this tag means; once.
    pub(super) fn take(&mut self, tag: Tag) -> Option<Awaited> {
        self.waiting.remove(&tag.0)
    }

    /// Whether so much is unanswered that nothing more should be asked.
    pub(super) fn is_full(&self, most: usize) -> bool {
        self.waiting.len() >= most
    }

    /// Gives memory back.
    pub(super) fn shrink(&mut self) {
        if self.waiting.is_empty() {
            self.waiting = HashMap::new();
        }
    }
}
