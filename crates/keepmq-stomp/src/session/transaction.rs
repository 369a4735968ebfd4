//! Transactions ("BEGIN", "COMMIT" and "ABORT" in STOMP 1.2).

use keepmq_model::{Io, LinkId, Refusal, RefusalKind, TxId, Verb};
use smallvec::SmallVec;

use super::answers::Awaited;
use super::{Halt, StompSession};
use crate::codec::Frame;
use crate::refusal::{conflict, malformed, not_found, shown};

/// An open transaction.
struct Open {
    name: Box<str>,
    tx: TxId,
    /// Links whose deliveries it speaks of.
    links: SmallVec<[LinkId; 2]>,
}

/// A transaction whose end the broker has not answered.
pub(super) struct Commit {
    tx: TxId,
    links: SmallVec<[LinkId; 2]>,
    pub(super) receipt: Option<Box<str>>,
}

/// The open transactions of a connection: few, so they are searched one by one.
#[derive(Default)]
pub(super) struct Transactions {
    open: Vec<Open>,
    last: u64,
}

impl Transactions {
    fn position(&self, name: &str) -> Option<usize> {
        self.open.iter().position(|open| *open.name == *name)
    }

    /// The transaction that a frame is part of.
    pub(super) fn find(&self, name: Option<&str>) -> Result<Option<TxId>, Refusal> {
        let Some(name) = name else {
            return Ok(None);
        };
        let at = self.position(name).ok_or_else(|| unknown(name))?;
        Ok(self.open.get(at).map(|open| open.tx))
    }

    /// Notes that a transaction speaks of this link's deliveries.
    pub(super) fn touch(&mut self, tx: TxId, link: LinkId) {
        if let Some(open) = self.open.iter_mut().find(|open| open.tx == tx)
            && !open.links.contains(&link)
        {
            open.links.push(link);
        }
    }
}

fn unknown(name: &str) -> Refusal {
    not_found(format!("the transaction {} is not open in this connection", shown(name)))
}

fn name_of(frame: &Frame) -> Result<&str, Refusal> {
    frame
        .get("transaction")
        .filter(|name| !name.is_empty())
        .ok_or_else(|| malformed(format!("{} needs a transaction header", frame.command().text())))
}

impl StompSession {
    pub(super) fn begin(&mut self, frame: &Frame, io: &mut Io<'_>) -> Result<(), Halt> {
        let name = name_of(frame)?;
        let receipt = self.receipt(frame)?;
        if self.transactions.position(name).is_some() {
            return Err(conflict(format!("the transaction {} is open already", shown(name))).into());
        }
        let most = self.options.limits.transactions;
        if self.transactions.open.len() >= most {
            let text = format!("the connection has {most} transactions open, and may have no more");
            return Err(Refusal::new(RefusalKind::Busy, text).into());
        }
        let name = self.id("transaction id", name)?;
        self.transactions.last += 1;
        let tx = TxId(self.transactions.last);
        let links = SmallVec::new();
        self.transactions.open.push(Open { name, tx, links });
        io.say.push(Verb::Begin { tx });
        self.confirm(receipt.as_deref(), io);
        Ok(())
    }

    pub(super) fn commit(&mut self, frame: &Frame, io: &mut Io<'_>) -> Result<(), Halt> {
        let commit = self.end_transaction(frame)?;
        let tx = commit.tx;
        let tag = self.answers.expect(Awaited::Commit(Box::new(commit)));
        io.say.push(Verb::Commit { tx, tag });
        Ok(())
    }

    /// After it what the transaction spoke of is unacknowledged again.
    pub(super) fn abort(&mut self, frame: &Frame, io: &mut Io<'_>) -> Result<(), Halt> {
        let mut ended = self.end_transaction(frame)?;
        self.rolled_back(&ended);
        let awaited = match ended.receipt.take() {
            Some(receipt) => Awaited::Receipt(receipt),
            None => Awaited::Quiet,
        };
        let tag = self.answers.expect(awaited);
        io.say.push(Verb::Rollback { tx: ended.tx, tag });
        Ok(())
    }

    fn end_transaction(&mut self, frame: &Frame) -> Result<Commit, Refusal> {
        let name = name_of(frame)?;
        let receipt = self.receipt(frame)?;
        let at = self.transactions.position(name).ok_or_else(|| unknown(name))?;
        let Open { tx, links, .. } = self.transactions.open.swap_remove(at);
        Ok(Commit { tx, links, receipt })
    }

    pub(super) fn committed(&mut self, commit: &Commit) {
        for link in &commit.links {
            if let Some(link) = self.links.get_mut(*link) {
                link.outstanding.commit(commit.tx);
            }
        }
    }

    pub(super) fn rolled_back(&mut self, commit: &Commit) {
        for link in &commit.links {
            if let Some(link) = self.links.get_mut(*link) {
                link.outstanding.roll_back(commit.tx);
            }
        }
    }
}
