//! Transactions: what is said in one happens at its end, all in one commit, or not at all.

use std::collections::BTreeMap;

use keepmq_model::{Refusal, RefusalKind, Settle, Tag, TxId};

use super::client::{Ask, Client};
use super::publish::Admitted;
use crate::shard::Input;

/// What was said in a transaction so far.
#[derive(Debug, Default)]
pub(super) struct Transaction {
    messages: Vec<Admitted>,
    settlements: Vec<Settle>,
    bytes: u64,
    /// Something in it was refused: it can only be rolled back.
    spoiled: Option<Refusal>,
}

fn unknown() -> Refusal {
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

    /// Counts one more change of a transaction; says whether it may be made.
    fn count_change(&mut self, tx: TxId, bytes: u64) -> Result<&mut Transaction, Refusal> {
        let limits = &self.gate.shell.limits;
        let transaction = self.transactions.get_mut(&tx).ok_or_else(unknown)?;
        let changes = transaction.messages.len() + transaction.settlements.len();
        transaction.bytes += bytes;
        if changes >= limits.changes_per_transaction || transaction.bytes > limits.bytes_per_transaction {
            let refusal = Refusal::new(RefusalKind::TooLarge, "the transaction is too large");
            transaction.messages = Vec::new();
            transaction.spoiled = Some(refusal.clone());
            return Err(refusal);
        }
        Ok(transaction)
    }

    pub(super) fn publish_in(&mut self, tx: TxId, admitted: Admitted, tag: Option<Tag>) {
        match self.count_change(tx, admitted.copies.iter().map(|(_, message)| message.cost()).sum()) {
            Ok(transaction) => {
                transaction.messages.push(admitted);
                if let Some(tag) = tag {
                    self.done(tag);
                }
            }
            Err(refusal) => self.refuse(tag, refusal),
        }
    }

    pub(super) fn settle_in(&mut self, tx: TxId, settle: Settle) {
        let tag = settle.tag;
        match self.count_change(tx, 0) {
            Ok(transaction) => {
                transaction.settlements.push(settle);
                if let Some(tag) = tag {
                    self.done(tag);
                }
            }
            Err(refusal) => self.refuse(tag, refusal),
        }
    }

    /// Something in a transaction was refused.
    pub(super) fn spoil(&mut self, tx: TxId, refusal: &Refusal) {
        if let Some(transaction) = self.transactions.get_mut(&tx) {
            transaction.spoiled.get_or_insert_with(|| refusal.clone());
        }
    }

    pub(super) fn commit(&mut self, tx: TxId, tag: Tag) {
        let Some(transaction) = self.transactions.remove(&tx) else {
            return self.refuse(Some(tag), unknown());
        };
        if let Some(refusal) = transaction.spoiled {
            return self.refuse(Some(tag), refusal);
        }
        let mut work = BTreeMap::<u16, Vec<Input>>::new();
        let mut parts = 0;
        let settlements = transaction.settlements.iter().filter_map(|settle| self.settle_input(settle));
        let messages = transaction.messages.iter().flat_map(|admitted| self.inputs(admitted, true));
        for (shard, input) in messages.chain(settlements) {
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
