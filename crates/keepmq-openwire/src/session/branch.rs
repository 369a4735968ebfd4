//! Transactions of transaction managers (section 13).

use keepmq_model::{Finish, Io, Refusal, RefusalKind, TxId, Verb, Xid};

use super::answers::Awaited;
use super::producer::too_many;
use super::transaction::Wish;
use super::{Halt, OpenWireSession};
use crate::codec::{Command, DataArrayResponse, IntegerResponse, XaTransactionId};
use crate::refusal::{malformed, xa};

/// Prepared: it can be committed.
const XA_OK: i32 = 0;
/// There was nothing in it: it is over.
const XA_RDONLY: i32 = 3;
/// Marks the session's own numbers of branches: those of local transactions are the client's.
const BRANCH: u64 = 1 << 63;

/// What is known of a branch whose answer is waited for.
#[derive(Debug)]
pub(super) struct AskedBranch {
    xid: Xid,
    /// What this session calls it, when it works on it.
    tx: Option<TxId>,
    reply: Option<i32>,
}

/// The name of a branch.
pub(super) fn xid(id: &XaTransactionId) -> Result<Xid, Refusal> {
    let part = |part: &Option<bytes::Bytes>| part.clone().unwrap_or_default();
    let (global, branch) = (part(&id.global_transaction_id), part(&id.branch_qualifier));
    Xid::new(id.format_id, &global, &branch).ok_or(malformed("a part of the transaction's name is too long"))
}

impl OpenWireSession {
    pub(super) fn transact_branch(
        &mut self,
        wish: Wish,
        xid: Xid,
        reply: Option<i32>,
        io: &mut Io<'_>,
    ) -> Result<(), Halt> {
        match wish {
            Wish::Begin => {
                self.join(xid, io)?;
                self.respond(reply, io);
            }
            Wish::End | Wish::Recover => self.respond(reply, io),
            Wish::Prepare => {
                let asked = self.asked(xid.clone(), reply);
                let tag = self.answers.expect(Awaited::Prepared(asked));
                io.say.push(Verb::Prepare { branch: xid, tag });
            }
            Wish::CommitAtOnce => self.finish(xid, Finish::CommitAtOnce, reply, io),
            Wish::Commit => self.finish(xid, Finish::Commit, reply, io),
            Wish::Rollback => self.finish(xid, Finish::Rollback, reply, io),
        }
        Ok(())
    }

    fn asked(&self, xid: Xid, reply: Option<i32>) -> AskedBranch {
        let tx = self.branches.iter().find(|(_, other)| *other == xid).map(|(tx, _)| *tx);
        AskedBranch { xid, tx, reply }
    }

    fn finish(&mut self, branch: Xid, how: Finish, reply: Option<i32>, io: &mut Io<'_>) {
        let asked = self.asked(branch.clone(), reply);
        let tag = self.answers.expect(Awaited::Finished(asked, how != Finish::Rollback));
        io.say.push(Verb::Finish { branch, how, tag });
    }

    /// The client works on a branch. It says so again whenever it goes on with it.
    fn join(&mut self, branch: Xid, io: &mut Io<'_>) -> Result<(), Halt> {
        if self.branches.iter().any(|(_, other)| *other == branch) {
            return Ok(());
        }
        if self.branches.len() >= self.options.limits.transactions {
            return Err(too_many("transactions").into());
        }
        self.next_branch += 1;
        let tx = TxId(BRANCH | self.next_branch);
        self.branches.push((tx, branch.clone()));
        io.say.push(Verb::Join { tx, branch });
        Ok(())
    }

    /// The branch of this name, if it is worked on here.
    pub(super) fn open_branch(&self, id: &XaTransactionId) -> Result<TxId, Halt> {
        let xid = xid(id)?;
        let found = self.branches.iter().find(|(_, other)| *other == xid);
        let unknown =
            || Refusal::new(RefusalKind::NotFound, format!("Transaction '{xid}' has not been started."));
        Ok(found.map(|(tx, _)| *tx).ok_or_else(unknown)?)
    }

    /// A branch is prepared, or over because nothing was in it.
    pub(super) fn prepared(&mut self, asked: &AskedBranch, is_over: bool, io: &mut Io<'_>) {
        if is_over {
            self.branches.retain(|(_, other)| *other != asked.xid);
        }
        if let Some(correlation_id) = asked.reply {
            let result = if is_over { XA_RDONLY } else { XA_OK };
            let response = IntegerResponse { correlation_id, result, ..IntegerResponse::default() };
            self.format.encode(&Command::IntegerResponse(Box::new(response)), io.out);
        }
    }

    /// A branch has ended as it should.
    pub(super) fn finished(&mut self, asked: &AskedBranch, committed: bool, io: &mut Io<'_>) {
        self.branches.retain(|(_, other)| *other != asked.xid);
        if let Some(tx) = asked.tx {
            self.free(tx, committed, io);
        }
        self.respond(asked.reply, io);
    }

    /// Another connection has ended a branch that this one worked on.
    pub(super) fn finished_elsewhere(&mut self, tx: TxId, committed: bool, io: &mut Io<'_>) {
        self.branches.retain(|(other, _)| *other != tx);
        self.free(tx, committed, io);
    }

    /// A branch was not prepared or ended.
    pub(super) fn not_finished(&mut self, asked: &AskedBranch, refusal: &Refusal, io: &mut Io<'_>) {
        if refusal.kind == RefusalKind::RolledBack
            && let Some(tx) = asked.tx
        {
            self.finished_elsewhere(tx, false, io);
        }
        let text = match refusal.kind {
            RefusalKind::NotFound => format!("Transaction '{}' has not been started.", asked.xid),
            _ => refusal.to_string(),
        };
        self.tell(&xa(&text, code(refusal.kind)), asked.reply, io);
    }

    /// The client asks which branches are prepared.
    pub(super) fn recover(&mut self, reply: Option<i32>, io: &mut Io<'_>) {
        let Some(reply) = reply else { return };
        let tag = self.answers.expect(Awaited::InDoubt(reply));
        io.say.push(Verb::InDoubt { tag });
    }

    pub(super) fn in_doubt(&mut self, correlation_id: i32, branches: Vec<Xid>, io: &mut Io<'_>) {
        let named = |xid: Xid| {
            let Xid { format, global, branch } = xid;
            let (global, branch) = (Some(global.into_vec().into()), Some(branch.into_vec().into()));
            Box::new(Command::XaTransactionId(XaTransactionId {
                format_id: format,
                global_transaction_id: global,
                branch_qualifier: branch,
            }))
        };
        let data = Some(branches.into_iter().map(named).collect());
        let response = DataArrayResponse { correlation_id, data, ..DataArrayResponse::default() };
        self.format.encode(&Command::DataArrayResponse(Box::new(response)), io.out);
    }
}

/// What a refusal is called by the XA specification (section 3.2 and the header in appendix A).
fn code(kind: RefusalKind) -> i32 {
    const XAER_RMERR: i32 = -3;
    const XAER_NOTA: i32 = -4;
    const XAER_PROTO: i32 = -6;
    const XA_RBROLLBACK: i32 = 100;
    match kind {
        RefusalKind::NotFound => XAER_NOTA,
        RefusalKind::Conflict => XAER_PROTO,
        RefusalKind::RolledBack => XA_RBROLLBACK,
        _ => XAER_RMERR,
    }
}
