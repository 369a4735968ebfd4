//! How messages come into a line.

use std::sync::Arc;

use keepmq_model::{Marks, Message};
use keepmq_policy::{Permit, Write};
use keepmq_store::{Op, Target};
use smallvec::{SmallVec, smallvec};

use super::lane::Entry;
use super::line::{Line, Role};
use super::output::Context;
use super::{Reply, Shard};
use crate::routes::{Route, RouteTarget};

impl Line {
    /// Adds a message; says whether it waits for a commit.
    fn add(
        &mut self,
        message: &Arc<Message>,
        marks: &Marks,
        stored: bool,
        cx: &mut Context<'_>,
    ) -> Option<Target> {
        let priority = message.envelope.priority;
        let seq = self.backlog.next_seq();
        let stage = if stored { cx.stage } else { 0 };
        let entry =
            Entry { seq, stage, stored, epoch: cx.epoch, marks: marks.clone(), message: Arc::clone(message) };
        self.counts.enqueued += 1;
        self.backlog.push(priority, entry, cx);
        if stored {
            return Some(Target {
                at: self.backlog.locator(priority, seq),
                meta: message.envelope.expires_ms,
            });
        }
        self.pump(cx);
        None
    }

    /// A slow subscriber: its senders wait for a while, then its oldest messages are dropped. Only those that the
    /// store does not have: the others take no memory.
    pub(super) fn restrain(&mut self, cx: &mut Context<'_>) {
        if !self.is_subscription() || !self.is_over(cx) {
            return;
        }
        let since = *self.slow_since.get_or_insert(cx.now.mono_ms);
        let patient = cx.now.mono_ms.saturating_sub(since) < cx.limits.slow_patience_ms;
        if patient && !self.takers.is_empty() {
            cx.out.full.push(self.key);
            return;
        }
        // The senders are not to wait for this one any more.
        cx.out.bells.append(&mut self.slowed);
        while self.is_over(cx) && self.backlog.drop_oldest_unstored().is_some() {
            self.counts.dropped += 1;
        }
    }
}

impl Shard {
    /// A message for a queue.
    pub(super) fn enqueue(
        &mut self,
        slot: slotmap::DefaultKey,
        permit: &Permit<Write>,
        message: &Arc<Message>,
        marks: &Marks,
        whole: bool,
        cx: &mut Context<'_>,
    ) -> Reply {
        let Some(line) = self.lines.get_mut(slot) else {
            return Reply::Gone;
        };
        debug_assert!(matches!(&line.role, Role::Queue(queue) if queue == permit.destination()));
        let stored = message.envelope.durable;
        if !stored && !whole && line.backlog.bytes() > cx.limits.line_bytes * 2 {
            return Reply::Busy("the queue is full");
        }
        let target = line.add(message, marks, stored, cx);
        if line.is_over(cx) {
            cx.out.full.push(line.key);
        }
        let Some(target) = target else { return Reply::Done };
        self.await_commit(slot, cx);
        self.put(smallvec![target], message, marks, cx);
        Reply::Staged
    }

    /// A message for the subscriptions of its topic that live here. The permit is the sender's; each target brings its
    /// reader's.
    pub(super) fn fan(
        &mut self,
        route: &Route,
        permit: &Permit<Write>,
        message: &Arc<Message>,
        from: u64,
        cx: &mut Context<'_>,
    ) -> Reply {
        let mut targets = SmallVec::new();
        let marks = Marks::default();
        for target in route.part(self.index) {
            debug_assert_eq!(target.permit.destination(), permit.destination());
            targets.extend(self.feed(target, message, &marks, Some(from), cx));
        }
        if targets.is_empty() {
            return Reply::Done;
        }
        self.put(targets, message, &marks, cx);
        Reply::Staged
    }

    /// A retained message for one subscription.
    pub(super) fn replay(
        &mut self,
        target: &RouteTarget,
        message: &Arc<Message>,
        cx: &mut Context<'_>,
    ) -> Reply {
        debug_assert_eq!(target.permit.destination(), &message.envelope.destination);
        let marks = Marks { retained: true, ..Marks::default() };
        let Some(put) = self.feed(target, message, &marks, None, cx) else {
            return Reply::Done;
        };
        self.put(smallvec![put], message, &marks, cx);
        Reply::Staged
    }

    fn feed(
        &mut self,
        target: &RouteTarget,
        message: &Arc<Message>,
        marks: &Marks,
        from: Option<u64>,
        cx: &mut Context<'_>,
    ) -> Option<Target> {
        let slot = target.line.slot;
        let line = self.lines.get_mut(slot)?;
        if target.no_local && line.takers.iter().any(|taker| Some(taker.id.client) == from) {
            return None;
        }
        if !target.keep && line.takers.is_empty() {
            return None;
        }
        if !target.wants(message, marks) {
            return None;
        }
        let stored = target.keep && message.envelope.durable && matches!(line.role, Role::Durable(_));
        let put = line.add(message, marks, stored, cx);
        if !marks.retained {
            line.restrain(cx);
        }
        if put.is_some() {
            self.await_commit(slot, cx);
        }
        put
    }

    /// Keeps a message once for all these places.
    fn put(
        &mut self,
        targets: SmallVec<[Target; 1]>,
        message: &Message,
        marks: &Marks,
        cx: &mut Context<'_>,
    ) {
        let payload = crate::record::encode_message(message, marks, &mut self.scratch);
        cx.out.commit_now(Op::Put { targets, payload });
    }
}
