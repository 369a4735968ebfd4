//! Local transactions (section 13).

use keepmq_model::{Io, Refusal, RefusalKind, TxId, Verb};

use super::ack::grant;
use super::answers::Awaited;
use super::branch::xid;
use super::producer::too_many;
use super::{Halt, OpenWireSession};
use crate::codec::{TransactionId, TransactionInfo};
use crate::refusal::{Subject, malformed, throwable};

/// What a client wants with a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    Begin,
    Prepare,
    CommitAtOnce,
    Commit,
    Rollback,
    Recover,
    End,
}

impl Wish {
    fn of(number: i8) -> Option<Self> {
        Some(match number {
            0 => Self::Begin,
            1 => Self::Prepare,
            2 => Self::CommitAtOnce,
            3 => Self::Commit,
            4 | 6 => Self::Rollback,
            5 => Self::Recover,
            7 => Self::End,
            _ => return None,
        })
    }
}

impl OpenWireSession {
    pub(super) fn transact(
        &mut self,
        info: &TransactionInfo,
        reply: Option<i32>,
        io: &mut Io<'_>,
    ) -> Result<(), Halt> {
        let wish = Wish::of(info.operation).ok_or(malformed("there is no such operation on transactions"))?;
        if wish == Wish::Recover {
            self.recover(reply, io);
            return Ok(());
        }
        if let Some(TransactionId::Xa(id)) = &info.transaction_id {
            return self.transact_branch(wish, xid(id)?, reply, io);
        }
        match wish {
            Wish::Begin => self.begin(local(info)?, reply, io),
            Wish::CommitAtOnce | Wish::Commit => self.end_transaction(info, true, reply, io),
            Wish::Rollback => self.end_transaction(info, false, reply, io),
            Wish::Prepare => Err(malformed("a local transaction can't be prepared").into()),
            Wish::Recover | Wish::End => {
                self.respond(reply, io);
                Ok(())
            }
        }
    }

    fn begin(&mut self, tx: TxId, reply: Option<i32>, io: &mut Io<'_>) -> Result<(), Halt> {
        if !self.transactions.contains(&tx) {
            if self.transactions.len() >= self.options.limits.transactions {
                return Err(too_many("transactions").into());
            }
            self.transactions.push(tx);
            io.say.push(Verb::Begin { tx });
        }
        self.respond(reply, io);
        Ok(())
    }

    fn end_transaction(
        &mut self,
        info: &TransactionInfo,
        commit: bool,
        reply: Option<i32>,
        io: &mut Io<'_>,
    ) -> Result<(), Halt> {
        let id = info.transaction_id.as_ref().ok_or(malformed("the transaction has no id"))?;
        let tx = self.open_transaction(id)?;
        self.transactions.retain(|other| *other != tx);
        let tag = self.answers.expect(Awaited::End { tx, commit, reply });
        io.say.push(if commit { Verb::Commit { tx, tag } } else { Verb::Rollback { tx, tag } });
        Ok(())
    }

    /// The transaction of this name, if it has begun and not ended.
    pub(super) fn open_transaction(&self, id: &TransactionId) -> Result<TxId, Halt> {
        let local = match id {
            TransactionId::Local(local) => local,
            TransactionId::Xa(branch) => return self.open_branch(branch),
        };
        let tx = TxId(local.value.cast_unsigned());
        if self.transactions.contains(&tx) {
            return Ok(tx);
        }
        let connection = local.connection_id.as_ref().and_then(|id| id.value.as_ref());
        let name = format!("TX:{}:{}", connection.map(ToString::to_string).unwrap_or_default(), local.value);
        let refusal = Refusal::new(RefusalKind::NotFound, "there is no such transaction");
        Err(Halt(refusal, Subject::Transaction(name.into())))
    }

    /// A transaction has ended as it should.
    pub(super) fn ended(&mut self, tx: TxId, commit: bool, reply: Option<i32>, io: &mut Io<'_>) {
        self.free(tx, commit, io);
        self.respond(reply, io);
    }

    /// What was acknowledged in a transaction is done with, or with its consumer as before.
    pub(super) fn free(&mut self, tx: TxId, committed: bool, io: &mut Io<'_>) {
        for consumer in self.consumers.values_mut() {
            if committed {
                let count = consumer.end(tx);
                let credit = consumer.window.free(count);
                grant(consumer, credit, io);
            } else {
                let count = consumer.revert(tx);
                consumer.window.keep(count);
            }
        }
    }

    /// A transaction could not be committed: nothing of it has happened.
    pub(super) fn not_ended(&mut self, tx: TxId, reply: Option<i32>, refusal: &Refusal, io: &mut Io<'_>) {
        self.free(tx, false, io);
        self.tell(&throwable(refusal, &Subject::Other), reply, io);
    }

    /// The client goes without ending them.
    pub(super) fn abandon_transactions(&mut self, io: &mut Io<'_>) {
        for tx in std::mem::take(&mut self.transactions) {
            let tag = self.answers.expect(Awaited::Quiet);
            io.say.push(Verb::Rollback { tx, tag });
        }
    }
}

fn local(info: &TransactionInfo) -> Result<TxId, Refusal> {
    match &info.transaction_id {
        Some(TransactionId::Local(id)) => Ok(TxId(id.value.cast_unsigned())),
        _ => Err(malformed("the transaction has no id")),
    }
}
