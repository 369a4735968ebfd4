//! The branches of global transactions that exist (X/Open XA).
//!
//! They belong to the broker, not to a connection: several may work on one, and a prepared one waits for whoever of its
//! user's connections ends it. Others neither see nor end it.

use std::collections::BTreeMap;
use std::sync::Arc;

use keepmq_model::{Event, Message, Principal, Refusal, RefusalKind, TxId, Xid};
use parking_lot::Mutex;
use smallvec::SmallVec;

use super::transaction::{Transaction, unknown};
use crate::outbox::Outbox;
use crate::shard::LineKey;

/// A branch of a global transaction.
#[derive(Debug)]
struct Branch {
    /// The user whose it is.
    owner: Arc<str>,
    parties: Parties,
    state: State,
}

/// A connection that works on a branch, and what it calls it.
#[derive(Debug)]
struct Party {
    tx: TxId,
    outbox: Arc<Outbox>,
}

/// The connections that work on a branch.
#[derive(Debug, Default)]
pub(super) struct Parties(SmallVec<[Party; 1]>);

impl Parties {
    /// Tells those that did not end the branch themselves.
    pub(super) fn tell(&self, committed: bool, but: &Arc<Outbox>) {
        for Party { tx, outbox } in self.0.iter().filter(|party| !Arc::ptr_eq(&party.outbox, but)) {
            outbox.put(std::iter::once(Event::Finished { tx: *tx, committed }));
            outbox.ring();
        }
    }
}

#[derive(Debug)]
enum State {
    Open(Transaction),
    /// Somebody is preparing it at this moment.
    Preparing,
    Prepared(Prepared),
}

/// What a prepared branch holds.
#[derive(Debug)]
pub(super) struct Prepared {
    /// Its number in the store.
    pub(super) id: u64,
    /// What was sent in it, for each of its targets; those that are durable have a place in the branch's stream.
    pub(super) messages: Vec<Arc<Message>>,
    /// The lines that it has accepted deliveries of.
    pub(super) lines: Vec<LineKey>,
    pub(super) bytes: u64,
}

/// What preparing found.
#[derive(Debug)]
pub(super) enum Preparing {
    /// Work to be made safe.
    Work(Transaction),
    /// There was none, and the branch is forgotten.
    Nothing,
    /// It was prepared before.
    Again,
}

/// What ending found.
#[derive(Debug)]
pub(super) enum Ended {
    Open(Transaction),
    Prepared(Prepared),
}

/// The branches that exist.
#[derive(Debug, Default)]
pub(super) struct Branches(Mutex<BTreeMap<Xid, Branch>>);

fn preparing() -> Refusal {
    Refusal::new(RefusalKind::Conflict, "the transaction is being prepared")
}

impl Branches {
    /// Another connection works on a branch from now on.
    pub(super) fn join(
        &self,
        xid: &Xid,
        tx: TxId,
        who: &Principal,
        outbox: &Arc<Outbox>,
    ) -> Result<(), Refusal> {
        let mut branches = self.0.lock();
        let branch = branches.entry(xid.clone()).or_insert_with(|| Branch {
            owner: Arc::clone(&who.name),
            parties: Parties::default(),
            state: State::Open(Transaction::default()),
        });
        if branch.owner != who.name {
            let text = "the transaction belongs to another user";
            return Err(Refusal::new(RefusalKind::Conflict, text));
        }
        if !matches!(branch.state, State::Open(_)) {
            return Err(Refusal::new(RefusalKind::Conflict, "the transaction is prepared already"));
        }
        if !branch.parties.0.iter().any(|party| Arc::ptr_eq(&party.outbox, outbox)) {
            branch.parties.0.push(Party { tx, outbox: Arc::clone(outbox) });
        }
        Ok(())
    }

    /// Does something to an open branch.
    pub(super) fn within(
        &self,
        xid: Option<&Xid>,
        what: impl FnOnce(&mut Transaction) -> Result<(), Refusal>,
    ) -> Result<(), Refusal> {
        let mut branches = self.0.lock();
        match xid.and_then(|xid| branches.get_mut(xid)).map(|branch| &mut branch.state) {
            Some(State::Open(transaction)) => what(transaction),
            Some(State::Preparing | State::Prepared(_)) => {
                Err(Refusal::new(RefusalKind::Conflict, "the transaction is prepared already"))
            }
            None => Err(unknown()),
        }
    }

    /// How many branches are prepared, and the bytes of their messages.
    pub(super) fn prepared(&self) -> (usize, u64) {
        let branches = self.0.lock();
        let prepared = branches.values().filter_map(|branch| match &branch.state {
            State::Prepared(prepared) => Some(prepared.bytes),
            _ => None,
        });
        prepared.fold((0, 0), |(count, sum), bytes| (count + 1, sum + bytes))
    }

    /// Begins to prepare a branch.
    pub(super) fn begin_prepare(&self, xid: &Xid, who: &Principal) -> Result<Preparing, Refusal> {
        let mut branches = self.0.lock();
        let branch = branches.get_mut(xid).filter(|branch| branch.owner == who.name).ok_or_else(unknown)?;
        match std::mem::replace(&mut branch.state, State::Preparing) {
            State::Open(transaction) if transaction.is_empty() => {
                branches.remove(xid);
                Ok(Preparing::Nothing)
            }
            State::Open(transaction) => Ok(Preparing::Work(transaction)),
            State::Preparing => Err(preparing()),
            prepared @ State::Prepared(_) => {
                branch.state = prepared;
                Ok(Preparing::Again)
            }
        }
    }

    /// A branch is prepared.
    pub(super) fn prepare(&self, xid: &Xid, prepared: Prepared) {
        if let Some(branch) = self.0.lock().get_mut(xid) {
            branch.state = State::Prepared(prepared);
        }
    }

    /// A branch can't be prepared, and is forgotten.
    pub(super) fn forget(&self, xid: &Xid) -> Parties {
        self.0.lock().remove(xid).map(|branch| branch.parties).unwrap_or_default()
    }

    /// Takes a branch out to end it, if it `may` be ended so.
    pub(super) fn end(
        &self,
        xid: &Xid,
        who: &Principal,
        may: impl FnOnce(bool) -> Result<(), Refusal>,
    ) -> Result<(Ended, Parties), Refusal> {
        let mut branches = self.0.lock();
        let branch = branches.get(xid).filter(|branch| branch.owner == who.name).ok_or_else(unknown)?;
        match branch.state {
            State::Open(_) => may(false)?,
            State::Preparing => return Err(preparing()),
            State::Prepared(_) => may(true)?,
        }
        let Some(Branch { parties, state, .. }) = branches.remove(xid) else { return Err(unknown()) };
        match state {
            State::Open(transaction) => Ok((Ended::Open(transaction), parties)),
            State::Prepared(prepared) => Ok((Ended::Prepared(prepared), parties)),
            State::Preparing => Err(preparing()),
        }
    }

    /// A connection that works on a branch is over. One that is not prepared is over with it.
    pub(super) fn leave(&self, xid: &Xid, outbox: &Arc<Outbox>) {
        let mut branches = self.0.lock();
        let Some(branch) = branches.get_mut(xid) else { return };
        branch.parties.0.retain(|party| !Arc::ptr_eq(&party.outbox, outbox));
        if matches!(branch.state, State::Open(_)) {
            branch.parties.tell(false, outbox);
            branches.remove(xid);
        }
    }

    /// The prepared branches of a user.
    pub(super) fn in_doubt(&self, who: &Principal) -> Vec<Xid> {
        let branches = self.0.lock();
        let is_it = |branch: &Branch| branch.owner == who.name && matches!(branch.state, State::Prepared(_));
        branches.iter().filter(|(_, branch)| is_it(branch)).map(|(xid, _)| xid.clone()).collect()
    }

    /// Brings back a branch that was prepared before the broker was started.
    pub(super) fn recover(&self, xid: Xid, owner: Arc<str>, prepared: Prepared) {
        let state = State::Prepared(prepared);
        self.0.lock().insert(xid, Branch { owner, parties: Parties::default(), state });
    }
}
