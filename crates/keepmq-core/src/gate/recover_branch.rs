//! Bringing back the branches that were prepared before the broker was started.

use std::sync::Arc;

use keepmq_model::{Message, Xid};
use keepmq_store::{Scan, StreamId};

use super::Gate;
use super::branches::Prepared;
use super::recover::{Found, PAGE, PAGE_BYTES};
use crate::record::{Locks, StoredBranch, decode_message};
use crate::shard::{Entry, HeldEntry, LineKey, stream};

/// A branch as it is being brought back.
pub(super) struct FoundBranch {
    xid: Xid,
    owner: Arc<str>,
    prepared: Prepared,
}

impl FoundBranch {
    pub(super) fn new(id: u64, stored: StoredBranch) -> Self {
        let prepared = Prepared { id, messages: Vec::new(), lines: Vec::new(), bytes: 0 };
        Self { xid: stored.xid, owner: stored.owner, prepared }
    }
}

impl Gate {
    /// Brings back what was sent in a branch.
    pub(super) fn recover_sent(&self, branch: u64, stream: StreamId, found: &mut Found) {
        let mut messages = Vec::new();
        let fault = self.each_stored(stream, 0, u64::MAX, |_, message, _| messages.push(Arc::new(message)));
        found.faults.extend(fault);
        if let Some(branch) = found.branches.get_mut(&branch) {
            branch.prepared.bytes = messages.iter().map(|message| message.cost()).sum();
            branch.prepared.messages = messages;
        }
    }

    /// Brings back what the branches have accepted, and the branches. After the lines.
    pub(super) fn recover_branches(&self, found: &mut Found) {
        for (branch, line, value) in std::mem::take(&mut found.locks) {
            let place = found.lines.get(&line).copied().filter(|_| found.branches.contains_key(&branch));
            let (Some(at), Some(runs)) = (place, Locks::decode(&value)) else {
                found.faults.push(format!("what transaction {branch} took from line {line} can't be read"));
                continue;
            };
            for (priority, first, last) in runs {
                let fault = self.recover_locked(branch, at, (line, priority), (first, last));
                found.faults.extend(fault);
            }
            if let Some(branch) = found.branches.get_mut(&branch) {
                branch.prepared.lines.push(at);
            }
        }
        for (_, FoundBranch { xid, owner, prepared }) in found.branches.drain() {
            tracing::warn!("the transaction {xid} of user {owner} is prepared and waits for its end");
            self.branches.recover(xid, owner, prepared);
        }
    }

    fn recover_locked(
        &self,
        branch: u64,
        line: LineKey,
        (id, priority): (u64, u8),
        (first, last): (u64, u64),
    ) -> Option<String> {
        let mut shard = self.shell.shard(line.shard);
        let line = shard.line_mut(line.slot)?;
        self.each_stored(stream(id, priority), first, last, |seq, message, marks| {
            let message = Arc::new(message);
            let entry = Entry { seq, stage: 0, stored: true, epoch: 0, marks, message };
            line.recover_locked(branch, HeldEntry { priority, entry });
        })
    }

    /// Reads the messages of a part of a stream. Says what could not be read.
    fn each_stored(
        &self,
        stream: StreamId,
        first: u64,
        last: u64,
        mut each: impl FnMut(u64, Message, keepmq_model::Marks),
    ) -> Option<String> {
        let mut from = first;
        loop {
            let scan = Scan { stream, from, records: PAGE, bytes: PAGE_BYTES };
            let page = match self.shell.store.scan(scan) {
                Ok(page) => page,
                Err(error) => {
                    return Some(format!("messages of a prepared transaction can't be read: {error}"));
                }
            };
            if let Some(damage) = page.damage.first() {
                return Some(format!("messages of a prepared transaction are lost: {damage}"));
            }
            for stored in page.records.iter().filter(|stored| stored.seq <= last) {
                let Some((mut message, marks)) = decode_message(&stored.payload) else {
                    return Some(format!("message {} of a prepared transaction can't be read", stored.seq));
                };
                message.charge(&self.shell.meter);
                each(stored.seq, message, marks);
            }
            match page.records.last() {
                Some(end) if !page.end && end.seq < last => from = end.seq + 1,
                _ => return None,
            }
        }
    }
}
