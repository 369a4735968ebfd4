//! Working on the branches of global transactions: joining, preparing and ending them.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::BytesMut;
use keepmq_model::{
    Destination, Event, Finish, Kind, Marks, Message, Outcome, Principal, Refusal, RefusalKind, Retain, Tag,
    TxId, Xid,
};
use keepmq_policy::{Move, decide_internal};
use keepmq_store::{Locator, Op, StreamId, Target};
use smallvec::smallvec;

use super::Gate;
use super::answers::Answer;
use super::branches::{Ended, Prepared, Preparing};
use super::client::Client;
use super::publish::{Admitted, Grant, Way};
use super::transaction::Transaction;
use crate::record::{StoredBranch, encode_message};
use crate::shard::{Accepted, Input, LineKey, Reply, stream};

type Work = BTreeMap<u16, Vec<Input>>;

/// The stream of the messages that were sent in a prepared branch.
pub(super) fn branch_stream(id: u64) -> StreamId {
    stream(id, 0)
}

fn rolled_back(why: &Refusal) -> Refusal {
    let mut refusal =
        Refusal::new(RefusalKind::RolledBack, format!("the transaction was rolled back: {why}"));
    refusal.decision = why.decision;
    refusal
}

impl Client {
    pub(super) fn join(&mut self, tx: TxId, branch: Xid, who: &Arc<Principal>) {
        let joined = if self.joined.len() >= self.gate.shell.limits.transactions_per_connection {
            let text = "the limit on open transactions of one connection is reached";
            Err(Refusal::new(RefusalKind::Busy, text))
        } else {
            self.gate.branches.join(&branch, tx, who, &self.outbox)
        };
        match joined {
            Ok(()) => drop(self.joined.insert(tx, branch)),
            Err(refusal) => self.refuse(None, refusal),
        }
    }

    pub(super) fn prepare(&mut self, xid: &Xid, tag: Tag, who: &Arc<Principal>) {
        match self.gate.branches.begin_prepare(xid, who) {
            Ok(Preparing::Work(transaction)) => self.prepare_work(xid, &transaction, tag, who),
            Ok(Preparing::Again) => drop(self.answers.add(Answer::Prepared(tag), 0)),
            Ok(Preparing::Nothing) => {
                self.forget_branch(xid);
                self.answers.say(Event::Prepared { tag, is_over: true });
            }
            Err(refusal) => self.refuse(Some(tag), refusal),
        }
    }

    fn prepare_work(&mut self, xid: &Xid, transaction: &Transaction, tag: Tag, who: &Arc<Principal>) {
        let promised = self.check_promise(transaction).and_then(|()| self.promise(xid, transaction, who));
        match promised {
            Ok(ticket) => {
                let id = self.answers.add(Answer::Prepared(tag), 1);
                self.answers.part_done(id, ticket);
                self.after_work(&[]);
            }
            Err(refusal) => {
                self.gate.branches.forget(xid).tell(false, &self.outbox);
                self.forget_branch(xid);
                self.refuse(Some(tag), rolled_back(&refusal));
            }
        }
    }

    /// Whether what was said in a transaction can be promised.
    fn check_promise(&self, transaction: &Transaction) -> Result<(), Refusal> {
        if let Some(refusal) = &transaction.spoiled {
            return Err(refusal.clone());
        }
        let limits = &self.gate.shell.limits;
        let (count, bytes) = self.gate.branches.prepared();
        if count >= limits.prepared_transactions || bytes + transaction.bytes > limits.prepared_bytes {
            let text = "the limit on prepared transactions is reached; end some of them";
            return Err(Refusal::new(RefusalKind::Busy, text));
        }
        if transaction.settled.iter().any(|settled| settled.outcome != Outcome::Accepted) {
            let text = "deliveries can only be accepted in a global transaction";
            return Err(Refusal::new(RefusalKind::Unsupported, text));
        }
        self.check_store()
    }

    /// Makes what was said in a branch safe.
    fn promise(
        &mut self,
        xid: &Xid,
        transaction: &Transaction,
        who: &Arc<Principal>,
    ) -> Result<Option<keepmq_store::Ticket>, Refusal> {
        let id = self.gate.next_line_id();
        let copies = transaction.messages.iter().flat_map(|admitted| &admitted.copies);
        let messages: Vec<Arc<Message>> = copies.map(|(_, message)| Arc::clone(message)).collect();
        let stored = StoredBranch { xid: xid.clone(), owner: Arc::clone(&who.name) };
        let define = |op| Input::Define { op, waits: true };
        let mut own = vec![define(stored.set(id))];
        let durable = (1..).zip(messages.iter().filter(|message| message.envelope.durable));
        own.extend(durable.map(|(seq, message)| define(put(id, seq, message))));
        let mut work = Work::from([(self.gate.shell.shard_for(id), own)]);
        let mut locks = BTreeMap::<LineKey, Vec<Accepted>>::new();
        for settled in &transaction.settled {
            let accepted = Accepted { taker: settled.taker, from: settled.from, through: settled.through };
            locks.entry(settled.line).or_default().push(accepted);
        }
        let lines: Vec<LineKey> = locks.keys().copied().collect();
        for (line, accepted) in locks {
            let lock = Input::Lock { line: line.slot, branch: id, accepted };
            work.entry(line.shard).or_default().push(lock);
        }
        let prepared = Prepared { id, messages, lines, bytes: transaction.bytes };
        let (ticket, refused) = self.run_whole(work);
        if let Some(refusal) = refused {
            let work = self.gate.unlock_work(&prepared, false);
            self.run_whole(work);
            return Err(refusal);
        }
        self.gate.branches.prepare(xid, prepared);
        Ok(ticket)
    }

    /// Carries out inputs in one commit; says whether one of them was refused.
    fn run_whole(&mut self, work: Work) -> (Option<keepmq_store::Ticket>, Option<Refusal>) {
        self.flush();
        let mut refused = None;
        let replied = |reply| match reply {
            Reply::Done | Reply::Staged => {}
            Reply::Gone => {
                refused =
                    Some(Refusal::new(RefusalKind::NotFound, "what it has accepted is not there any more"));
            }
            Reply::Busy(why) => refused = Some(Refusal::new(RefusalKind::Busy, why)),
        };
        let (ticket, after) = self.gate.shell.run_all(work, self.gate.now(), replied);
        self.gate.finish(after);
        (ticket, refused)
    }

    pub(super) fn finish(&mut self, xid: &Xid, how: Finish, tag: Tag, who: &Arc<Principal>) {
        let may = |is_prepared| match (how, is_prepared) {
            (Finish::Rollback, _) | (Finish::Commit, true) | (Finish::CommitAtOnce, false) => Ok(()),
            (Finish::Commit, false) => {
                Err(Refusal::new(RefusalKind::Conflict, "the transaction is not prepared"))
            }
            (Finish::CommitAtOnce, true) => {
                let text = "the transaction is prepared: commit it in two phases";
                Err(Refusal::new(RefusalKind::Conflict, text))
            }
        };
        let (ended, parties) = match self.gate.branches.end(xid, who, may) {
            Ok(ended) => ended,
            Err(refusal) => return self.refuse(Some(tag), refusal),
        };
        self.forget_branch(xid);
        let mut committed = how != Finish::Rollback;
        match ended {
            Ended::Prepared(prepared) => self.end_prepared(&prepared, committed, tag),
            Ended::Open(transaction) => match transaction.spoiled {
                Some(refusal) if committed => {
                    committed = false;
                    self.refuse(Some(tag), rolled_back(&refusal));
                }
                None if committed => self.carry_through(transaction, tag),
                _ => self.done(tag),
            },
        }
        parties.tell(committed, &self.outbox);
    }

    fn end_prepared(&mut self, prepared: &Prepared, committed: bool, tag: Tag) {
        let mut work = self.gate.unlock_work(prepared, committed);
        let grants = prepared.messages.iter().filter_map(|message| {
            let grant = self.gate.grant_prepared(&message.envelope.destination)?;
            Some(Admitted { copies: smallvec![(grant, Arc::clone(message))], retain: Retain::No })
        });
        let admitted: Vec<Admitted> = if committed { grants.collect() } else { Vec::new() };
        for (shard, input) in admitted.iter().flat_map(|admitted| self.inputs(admitted, true)) {
            work.entry(shard).or_default().push(input);
        }
        let parts = work.values().map(Vec::len).sum::<usize>();
        let ask = self.ask(Some(tag), u32::try_from(parts).unwrap_or(u32::MAX));
        self.run_together(work, ask);
    }

    pub(super) fn in_doubt(&mut self, tag: Tag, who: &Arc<Principal>) {
        let branches = self.gate.branches.in_doubt(who);
        self.answers.say(Event::InDoubt { tag, branches });
    }

    /// The connection does not work on a branch any more.
    fn forget_branch(&mut self, xid: &Xid) {
        self.joined.retain(|_, other| other != xid);
    }

    /// Others have ended branches that this connection worked on.
    pub(super) fn left_branches(&mut self, events: &[Event]) {
        for event in events {
            if let Event::Finished { tx, .. } = event {
                self.joined.remove(tx);
            }
        }
    }

    /// The connection is over.
    pub(super) fn leave_branches(&mut self) {
        for xid in std::mem::take(&mut self.joined).into_values() {
            self.gate.branches.leave(&xid, &self.outbox);
        }
    }
}

/// Keeps a message that was sent in a branch.
fn put(id: u64, seq: u64, message: &Message) -> Op {
    let payload = encode_message(message, &Marks::default(), &mut BytesMut::new());
    let at = Locator { stream: branch_stream(id), seq };
    Op::Put { targets: smallvec![Target { at, meta: message.envelope.expires_ms }], payload }
}

impl Gate {
    /// What there is to do when a prepared branch ends, but for sending its messages.
    fn unlock_work(&self, prepared: &Prepared, committed: bool) -> Work {
        let define = |op| Input::Define { op, waits: true };
        let mut own = vec![define(StoredBranch::unset(prepared.id))];
        if prepared.messages.iter().any(|message| message.envelope.durable) {
            let (stream, through) = (branch_stream(prepared.id), prepared.messages.len() as u64);
            own.push(define(Op::Truncate { stream, from: 1, through }));
        }
        let mut work = Work::from([(self.shell.shard_for(prepared.id), own)]);
        for line in &prepared.lines {
            let unlock = Input::Unlock { line: line.slot, branch: prepared.id, committed };
            work.entry(line.shard).or_default().push(unlock);
        }
        work
    }

    /// The way to a destination that a prepared message goes to: its sender had the right when it was sent. What was a
    /// connection's own may be gone.
    fn grant_prepared(&self, destination: &Destination) -> Option<Arc<Grant>> {
        let permit = decide_internal(Move::Prepared, destination)?;
        let create = decide_internal(Move::Prepared, destination)?;
        let directory = || self.directory.read();
        let way = match destination.kind() {
            Kind::Queue => Way::Queue(self.ensure_queue(&create, None).ok()?),
            Kind::Topic => Way::Topic(self.ensure_topic(&create, None).ok()?),
            Kind::TempQueue => Way::Queue(Arc::clone(directory().queues.get(destination)?)),
            Kind::TempTopic => Way::Topic(Arc::clone(directory().topics.get(destination)?)),
        };
        Some(Arc::new(Grant { permit, way }))
    }
}
