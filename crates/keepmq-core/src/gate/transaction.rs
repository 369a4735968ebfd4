//! Transactions: what is said in one happens at its end, all in one commit, or not at all.

use std::collections::BTreeMap;

use keepmq_model::{Outcome, Refusal, RefusalKind, Settle, Tag, TxId};

use super::client::{Ask, Client};
use super::publish::Admitted;
use crate::limits::Limits;
use crate::shard::{Input, LineKey, TakerId};

/// What was said in a transaction so far.
#[derive(Debug, Default)]
pub(super) struct Transaction {
    pub(super) messages: Vec<Admitted>,
    pub(super) settled: Vec<Settled>,
    pub(super) bytes: u64,
    /// Something in it was refused: it can only be rolled back.
    pub(super) spoiled: Option<Refusal>,
}

/// What became of deliveries, once the transaction is committed.
#[derive(Debug)]
pub(super) struct Settled {
    pub(super) line: LineKey,
    pub(super) taker: TakerId,
    pub(super) from: u64,
    pub(super) through: u64,
    pub(super) outcome: Outcome,
    reason: Option<Box<str>>,
}

impl Settled {
    fn input(self) -> Input {
        let Self { line, taker, from, through, outcome, reason } = self;
        Input::Settle { line: line.slot, taker, from, through, outcome, reason, waits: true }
    }
}

impl Transaction {
    /// Whether nothing was said in it, or refused.
    pub(super) fn is_empty(&self) -> bool {
        self.messages.is_empty() && self.settled.is_empty() && self.spoiled.is_none()
    }

    /// Counts one more change; says whether it may be made.
    fn grow(&mut self, bytes: u64, limits: &Limits) -> Result<(), Refusal> {
        let changes = self.messages.len() + self.settled.len();
        self.bytes += bytes;
        if changes >= limits.changes_per_transaction || self.bytes > limits.bytes_per_transaction {
            let refusal = Refusal::new(RefusalKind::TooLarge, "the transaction is too large");
            self.messages = Vec::new();
            self.spoiled = Some(refusal.clone());
            return Err(refusal);
        }
        Ok(())
    }
}

pub(super) fn unknown() -> Refusal {
    Refusal::new(RefusalKind::NotFound, "there is no such transaction")
}

impl Client {
    pub(super) fn begin(&mut self, tx: TxId) {
        let limit = self.gate.shell.limits.transactions_per_connection;
        if self.transactions.contains_key(&tx) {
            let refusal = Refusal::new(RefusalKind::Conflict, "the transaction is open already");
            return self.refuse(None, refusal);
        }
        let mut transaction = Transaction::default();
        if self.transactions.len() >= limit {
            let text = "the limit on open transactions of one connection is reached";
            let refusal = Refusal::new(RefusalKind::Busy, text);
            self.refuse(None, refusal.clone());
            transaction.spoiled = Some(refusal);
        }
        if self.transactions.len() < limit * 2 {
            self.transactions.insert(tx, transaction);
        }
    }

    /// Does something to an open transaction.
    fn within(
        &mut self,
        tx: TxId,
        what: impl FnOnce(&mut Transaction, &Limits) -> Result<(), Refusal>,
    ) -> Result<(), Refusal> {
        let limits = &self.gate.shell.limits;
        match self.transactions.get_mut(&tx) {
            Some(transaction) => what(transaction, limits),
            None => self.gate.branches.within(self.joined.get(&tx), |transaction| what(transaction, limits)),
        }
    }

    fn said_in(&mut self, said: Result<(), Refusal>, tag: Option<Tag>) {
        match (said, tag) {
            (Ok(()), Some(tag)) => self.done(tag),
            (Ok(()), None) => {}
            (Err(refusal), _) => self.refuse(tag, refusal),
        }
    }

    pub(super) fn publish_in(&mut self, tx: TxId, admitted: Admitted, tag: Option<Tag>) {
        let bytes = admitted.copies.iter().map(|(_, message)| message.cost()).sum();
        let said = self.within(tx, |transaction, limits| {
            transaction.grow(bytes, limits)?;
            transaction.messages.push(admitted);
            Ok(())
        });
        self.said_in(said, tag);
    }

    pub(super) fn settle_in(&mut self, tx: TxId, settle: Settle) {
        let place = self.taker_of(&settle);
        let Settle { from, through, outcome, reason, tag, .. } = settle;
        let said = self.within(tx, |transaction, limits| {
            transaction.grow(0, limits)?;
            // What was closed has given back what it held.
            let settled = place.map(|(line, taker)| Settled { line, taker, from, through, outcome, reason });
            transaction.settled.extend(settled);
            Ok(())
        });
        self.said_in(said, tag);
    }

    /// Something in a transaction was refused.
    pub(super) fn spoil(&mut self, tx: TxId, refusal: &Refusal) {
        // One that is not there can't be committed either.
        let _ = self.within(tx, |transaction, _| {
            transaction.spoiled.get_or_insert_with(|| refusal.clone());
            Ok(())
        });
    }

    pub(super) fn commit(&mut self, tx: TxId, tag: Tag) {
        let Some(transaction) = self.transactions.remove(&tx) else {
            return self.refuse(Some(tag), unknown());
        };
        match transaction.spoiled {
            Some(refusal) => self.refuse(Some(tag), refusal),
            None => self.carry_through(transaction, tag),
        }
    }

    /// What was said in a transaction happens.
    pub(super) fn carry_through(&mut self, transaction: Transaction, tag: Tag) {
        let mut work = BTreeMap::<u16, Vec<Input>>::new();
        let mut parts = 0;
        let settled = transaction.settled.into_iter().map(|settled| (settled.line.shard, settled.input()));
        let messages = transaction.messages.iter().flat_map(|admitted| self.inputs(admitted, true));
        for (shard, input) in messages.chain(settled) {
            parts += 1;
            work.entry(shard).or_default().push(input);
        }
        let ask: Ask = self.ask(Some(tag), parts);
        self.run_together(work, ask);
    }

    pub(super) fn rollback(&mut self, tx: TxId, tag: Tag) {
        match self.transactions.remove(&tx) {
            Some(_) => self.done(tag),
            None => self.refuse(Some(tag), unknown()),
        }
    }
}
