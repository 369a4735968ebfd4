//! Deliveries that a prepared transaction has accepted: neither with their consumer nor gone, until it ends.

use keepmq_store::Op;

use super::Reply;
use super::held::HeldEntry;
use super::line::Line;
use super::output::Context;
use super::taker::TakerId;
use crate::record::{Locks, lock_key};

/// Deliveries of one consumer that a transaction has accepted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Accepted {
    pub(crate) taker: TakerId,
    pub(crate) from: u64,
    pub(crate) through: u64,
}

/// A delivery that a prepared transaction has accepted.
#[derive(Debug)]
pub(crate) struct Locked {
    /// Who held it, under which number; nobody's after a restart.
    by: Option<(TakerId, u64)>,
    held: HeldEntry,
}

impl Line {
    /// Takes deliveries from their consumers for a transaction that is being prepared. All of them, or none.
    pub(crate) fn lock(&mut self, branch: u64, accepted: &[Accepted], cx: &mut Context<'_>) -> Reply {
        let mut locked = Vec::new();
        let mut is_whole = true;
        for Accepted { taker: id, from, through } in accepted {
            let count = self.takers.get_mut(*id).map_or(0, |taker| {
                let by = |number, held| locked.push(Locked { by: Some((*id, number)), held });
                taker.held.take_range(*from, *through, by)
            });
            is_whole &= count > 0;
        }
        let stored = locked.iter().filter(|locked| locked.held.entry.stored);
        let value = Locks::encode(stored.map(|locked| (locked.held.priority, locked.held.entry.seq)));
        let Some(value) = value.filter(|_| is_whole) else {
            locked.into_iter().for_each(|locked| self.restore(locked, cx));
            return if is_whole { Reply::Busy("the transaction is too large") } else { Reply::Gone };
        };
        if !value.is_empty() {
            cx.out.commit_now(Op::Set { key: lock_key(branch, self.id), value });
        }
        self.locked.insert(branch, locked);
        Reply::Staged
    }

    /// The transaction ends: its deliveries are gone for good, or back where they were.
    pub(crate) fn unlock(&mut self, branch: u64, committed: bool, cx: &mut Context<'_>) -> Reply {
        let Some(locked) = self.locked.remove(&branch) else {
            return Reply::Gone;
        };
        if locked.iter().any(|locked| locked.held.entry.stored) {
            cx.out.commit_now(Op::Unset { key: lock_key(branch, self.id) });
        }
        for locked in locked {
            if committed {
                let HeldEntry { priority, entry } = locked.held;
                if let Some((taker, number)) = locked.by {
                    self.ended_of_group(taker, number, &entry);
                }
                self.settled(Some((priority, entry)), cx);
            } else {
                self.restore(locked, cx);
            }
        }
        self.pump(cx);
        Reply::Staged
    }

    /// Its consumer has it again; where that is gone it counts as handed out in vain.
    fn restore(&mut self, locked: Locked, cx: &Context<'_>) {
        let Locked { by, held } = locked;
        let taker = by.and_then(|(id, number)| Some((self.takers.get_mut(id)?, number)));
        if let Some((taker, number)) = taker {
            taker.held.restore(number, held);
            return;
        }
        let HeldEntry { priority, mut entry } = held;
        entry.marks.redeliveries += 1;
        self.put_back(priority, entry, cx);
    }

    /// Brings back what a prepared transaction had accepted before the broker was started.
    pub(crate) fn recover_locked(&mut self, branch: u64, held: HeldEntry) {
        self.backlog.lane(held.priority).take_out(held.entry.seq);
        self.locked.entry(branch).or_default().push(Locked { by: None, held });
    }

    /// How many deliveries prepared transactions have accepted.
    pub(crate) fn count_locked(&self) -> usize {
        self.locked.values().map(Vec::len).sum()
    }

    /// The records of those, and the keys that name them: they go with the line.
    pub(crate) fn drop_locked(&mut self, cx: &mut Context<'_>) {
        for (branch, locked) in std::mem::take(&mut self.locked) {
            cx.out.commit_now(Op::Unset { key: lock_key(branch, self.id) });
            for Locked { held, .. } in locked.into_iter().filter(|locked| locked.held.entry.stored) {
                cx.out.commit_now(Op::Release(self.backlog.locator(held.priority, held.entry.seq)));
            }
        }
    }
}
