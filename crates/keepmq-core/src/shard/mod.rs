//! A shard: some of the broker's queues and subscriptions, as a plain state machine.
//!
//! Nothing in here waits, reads a clock, takes a lock or talks to anybody: what a step wants done it leaves in its
//! [`Outputs`]. So a simulator can run it as it is.

mod backlog;
mod branch;
mod browser;
mod feed;
mod group;
mod held;
mod lane;
mod line;
mod look;
mod output;
mod retained;
mod taker;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use keepmq_model::{Marks, Message, Outcome, Pattern};
use keepmq_policy::{Admin, Permit, Write};
use keepmq_store::{Op, Ticket};
use slotmap::{DefaultKey, SlotMap};

pub(crate) use backlog::{line_of, stream};
pub(crate) use branch::Accepted;
pub(crate) use browser::Browser;
pub(crate) use held::{Held, HeldEntry};
pub(crate) use lane::Entry;
pub use line::Counts;
pub(crate) use line::{Line, Role};
pub(crate) use look::Choice;
pub(crate) use output::{Context, Dead, Outputs, Read, Reader};
pub(crate) use retained::{Kept, RETAINED_STREAMS};
pub(crate) use taker::{Credit, Sight, Taker, TakerId};

use crate::routes::{Route, RouteTarget};

/// Names a line within the broker. Never used again for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct LineKey {
    pub(crate) shard: u16,
    pub(crate) slot: DefaultKey,
}

/// One thing for a shard to do. What touches a destination brings a permit for it.
#[derive(Debug)]
pub(crate) enum Input {
    /// A message for a queue. `whole`: it is part of something that happens whole or not at all, so it is taken though
    /// the queue is full.
    Enqueue { line: DefaultKey, permit: Permit<Write>, message: Arc<Message>, marks: Marks, whole: bool },
    /// A message for the subscriptions of a topic.
    Fan { route: Arc<Route>, permit: Permit<Write>, message: Arc<Message>, from: u64 },
    /// A topic keeps this message, or forgets the one that it has.
    Retain { permit: Permit<Write>, message: Option<Arc<Message>>, store: bool },
    /// A retained message for a subscription; the target brings the permit.
    Replay { target: Box<RouteTarget>, message: Arc<Message> },
    /// A consumer comes; one of the same subscription goes.
    Attach { line: DefaultKey, taker: Box<Taker> },
    /// One who looks comes.
    Browse { line: DefaultKey, browser: Box<Browser> },
    /// A consumer or one who looks goes. Where it is known, the last delivery that was tried.
    Detach { line: DefaultKey, taker: TakerId, tried: Option<u64> },
    /// A consumer was judged again by a new map.
    Judged { line: DefaultKey, taker: TakerId, sight: Sight },
    /// A consumer may get more.
    Grant { line: DefaultKey, taker: TakerId, credit: u32 },
    /// What became of deliveries. `waits`: somebody wants to know that it is durable.
    Settle {
        line: DefaultKey,
        taker: TakerId,
        from: u64,
        through: u64,
        outcome: Outcome,
        reason: Option<Box<str>>,
        waits: bool,
    },
    /// A consumer wants no more than what is there.
    Drain { line: DefaultKey, taker: TakerId },
    /// A transaction is being prepared: what it has accepted is kept from everybody.
    Lock { line: DefaultKey, branch: u64, accepted: Vec<Accepted> },
    /// A prepared transaction ends.
    Unlock { line: DefaultKey, branch: u64, committed: bool },
    /// A consumer has room again.
    Pump { line: DefaultKey },
    /// A page was read.
    Page { read: Read, records: Vec<Entry>, lost: u64, more: bool },
    /// A page could not be read. It is asked for again when the line is next looked at, not at once.
    Unread { read: Read },
    /// What was put aside is in this same commit put elsewhere.
    Left { line: DefaultKey, priority: u8, seq: u64, stored: bool },
    /// Bytes to be kept with a subscription.
    Note { line: DefaultKey, key: Bytes, value: Option<Bytes> },
    /// Everything that waits in a queue goes.
    Purge { line: DefaultKey, permit: Permit<Admin> },
    /// A sender wants to be rung when there is room.
    Slow { line: DefaultKey, outbox: Arc<crate::outbox::Outbox> },
    /// A change of the broker's own definitions.
    Define { op: Op, waits: bool },
    /// A topic goes; it keeps no message any more.
    DropRetained { permit: Permit<Admin> },
    /// A queue goes, with what waits in it.
    Delete { line: DefaultKey, permit: Permit<Admin> },
    /// A subscription goes, with what waits in it.
    Unsubscribe { line: DefaultKey },
}

/// What came of an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reply {
    /// Done.
    Done,
    /// Done once the commit is durable.
    Staged,
    /// What it is about is not there any more.
    Gone,
    /// A limit is reached.
    Busy(&'static str),
}

/// Some of the broker's lines.
#[derive(Debug)]
pub(crate) struct Shard {
    pub(crate) index: u16,
    /// The first number of new messages: higher than any that an earlier run used.
    first_seq: u64,
    lines: SlotMap<DefaultKey, Line>,
    pub(crate) retained: retained::Retained,
    retained_seq: u64,
    /// Counts this shard's commits.
    stage: u64,
    visible: u64,
    staged: VecDeque<(u64, Ticket)>,
    awaiting: VecDeque<(u64, DefaultKey)>,
    scratch: BytesMut,
}

impl Shard {
    /// An empty shard. `first_seq` is higher than any number that an earlier run used.
    pub(crate) fn new(index: u16, first_seq: u64) -> Self {
        Self {
            index,
            first_seq,
            lines: SlotMap::new(),
            retained: retained::Retained::default(),
            retained_seq: first_seq,
            stage: 1,
            visible: 0,
            staged: VecDeque::new(),
            awaiting: VecDeque::new(),
            scratch: BytesMut::new(),
        }
    }

    /// What the ops of the next steps will be part of, and what is durable.
    pub(crate) fn stage_and_visible(&self) -> (u64, u64) {
        (self.stage, self.visible)
    }

    /// Makes room for a new line.
    pub(crate) fn add_line(&mut self, id: u64, role: Role) -> LineKey {
        let (shard, first_seq) = (self.index, self.first_seq);
        let slot = self.lines.insert_with_key(|slot| Line::new(LineKey { shard, slot }, id, role, first_seq));
        LineKey { shard, slot }
    }

    /// Removes a queue, unless somebody consumes from it.
    fn delete(&mut self, slot: DefaultKey, permit: &Permit<Admin>, cx: &mut Context<'_>) -> Reply {
        let Some(line) = self.lines.get(slot) else {
            return Reply::Gone;
        };
        debug_assert!(matches!(&line.role, Role::Queue(queue) if queue == permit.destination()));
        if !permit.destination().kind().is_temporary() {
            if line.is_taken() {
                return Reply::Busy("somebody consumes from the queue");
            }
            if line.count_locked() > 0 {
                return Reply::Busy("a prepared transaction has taken messages from the queue");
            }
        }
        self.remove_line(slot, cx)
    }

    /// Removes a line with all it holds.
    fn remove_line(&mut self, slot: DefaultKey, cx: &mut Context<'_>) -> Reply {
        let Some(mut line) = self.lines.remove(slot) else {
            return Reply::Gone;
        };
        let before = cx.out.ops.len();
        let held = line.takers.iter().flat_map(|taker| taker.held.iter());
        for held in held.filter(|held| held.entry.stored) {
            cx.out.commit_now(Op::Release(line.backlog.locator(held.priority, held.entry.seq)));
        }
        line.unpark_all(cx);
        line.backlog.purge(|op| cx.out.commit_now(op));
        line.drop_locked(cx);
        if let Some(notes) = line.notes() {
            let keys = notes.keys().map(|key| crate::record::note_key(line.id, key));
            cx.out.ops.extend(keys.map(|key| Op::Unset { key }));
        }
        cx.out.bells.append(&mut line.slowed);
        if cx.out.ops.len() > before { Reply::Staged } else { Reply::Done }
    }

    /// A line, for reports and recovery.
    pub(crate) fn line(&self, slot: DefaultKey) -> Option<&Line> {
        self.lines.get(slot)
    }

    /// A line, for recovery.
    pub(crate) fn line_mut(&mut self, slot: DefaultKey) -> Option<&mut Line> {
        self.lines.get_mut(slot)
    }

    /// Does one thing.
    pub(crate) fn step(&mut self, input: Input, cx: &mut Context<'_>) -> Reply {
        match input {
            Input::Enqueue { line, permit, message, marks, whole } => {
                self.enqueue(line, &permit, &message, &marks, whole, cx)
            }

            Input::Fan { route, permit, message, from } => self.fan(&route, &permit, &message, from, cx),
            Input::Retain { permit, message, store } => {
                self.retain(permit.destination().name(), message.as_ref(), store, cx)
            }
            Input::Replay { target, message } => self.replay(&target, &message, cx),
            Input::Attach { line, taker } => self.attach(line, *taker, cx),
            Input::Define { op, waits } => {
                cx.out.ops.push(op);
                if !waits {
                    return Reply::Done;
                }
                cx.out.urgency = keepmq_store::Urgency::Now;
                Reply::Staged
            }
            Input::DropRetained { permit } => self.forget_retained(permit.destination().name(), cx),
            Input::Delete { line, permit } => self.delete(line, &permit, cx),
            Input::Unsubscribe { line } => self.remove_line(line, cx),
            Input::Page { read, records, lost, more } => self.page(read, records, lost, more, cx),
            other => self.step_line(other, cx),
        }
    }

    /// Does one thing that concerns one line that is there.
    fn step_line(&mut self, input: Input, cx: &mut Context<'_>) -> Reply {
        match input {
            Input::Browse { line, browser } => self.on_line(line, |line| {
                debug_assert!(
                    matches!(&line.role, Role::Queue(queue) if queue == browser.permit.destination())
                );
                line.browsers.push(*browser);
                line.pump_browsers(cx);
                Reply::Done
            }),
            Input::Detach { line, taker, tried } => self.on_line(line, |line| line.detach(taker, tried, cx)),
            Input::Grant { line, taker, credit } => self.on_line(line, |line| line.grant(taker, credit, cx)),
            Input::Drain { line, taker } => self.on_line(line, |line| line.drain(taker, cx)),
            Input::Settle { line, taker, from, through, outcome, reason, waits } => {
                let settle =
                    |line: &mut Line| line.settle(taker, from, through, outcome, reason.as_deref(), cx);
                let reply = self.on_line(line, settle);
                if waits && reply == Reply::Staged {
                    cx.out.urgency = keepmq_store::Urgency::Now;
                }
                reply
            }
            Input::Lock { line, branch, accepted } => {
                self.on_line(line, |line| line.lock(branch, &accepted, cx))
            }
            Input::Unlock { line, branch, committed } => {
                self.on_line(line, |line| line.unlock(branch, committed, cx))
            }
            Input::Judged { line, taker, sight } => self.on_line(line, |line| line.judged(taker, sight, cx)),
            Input::Pump { line } => self.on_line(line, |line| {
                line.pump(cx);
                Reply::Done
            }),
            Input::Unread { read } => self.on_line(read.line.slot, |line| {
                line.unread(&read);
                Reply::Done
            }),
            Input::Left { line, priority, seq, stored } => self.on_line(line, |line| {
                line.left(priority, seq, stored, cx);
                Reply::Staged
            }),
            Input::Note { line, key, value } => self.on_line(line, |line| line.note(key, value, cx)),
            Input::Purge { line, permit } => self.on_line(line, |line| line.purge(&permit, cx)),
            Input::Slow { line, outbox } => self.on_line(line, |line| {
                if !line.slowed.iter().any(|other| Arc::ptr_eq(other, &outbox)) {
                    line.slowed.push(outbox);
                }
                line.restrain(cx);
                line.relieve(cx);
                Reply::Done
            }),
            Input::Enqueue { .. }
            | Input::Fan { .. }
            | Input::Retain { .. }
            | Input::Replay { .. }
            | Input::Attach { .. }
            | Input::Define { .. }
            | Input::DropRetained { .. }
            | Input::Delete { .. }
            | Input::Unsubscribe { .. }
            | Input::Page { .. } => Reply::Gone,
        }
    }

    fn on_line(&mut self, slot: DefaultKey, what: impl FnOnce(&mut Line) -> Reply) -> Reply {
        self.lines.get_mut(slot).map_or(Reply::Gone, what)
    }

    fn attach(&mut self, slot: DefaultKey, taker: Taker, cx: &mut Context<'_>) -> Reply {
        let Some(line) = self.lines.get_mut(slot) else {
            return Reply::Gone;
        };
        match &line.role {
            Role::Queue(queue) => {
                debug_assert!(matches!(&taker.sight, Sight::Queue(permit) if permit.destination() == queue));
            }
            Role::Passing | Role::Durable(_) => {
                let others: Vec<TakerId> = line.takers.iter().map(|other| other.id).collect();
                for other in others {
                    line.detach(other, None, cx);
                }
            }
        }
        line.takers.add(taker);
        line.pump(cx);
        Reply::Done
    }

    fn page(
        &mut self,
        read: Read,
        records: Vec<Entry>,
        lost: u64,
        more: bool,
        cx: &mut Context<'_>,
    ) -> Reply {
        self.on_line(read.line.slot, |line| {
            match read.by {
                Reader::Browser(id) => line.browser_page(id, &records, more, read.priority, cx),
                Reader::Taker(id) => line.taker_page(id, read, records, more, cx),
                Reader::Line => {
                    line.backlog.add_page(read.priority, records, lost, more, read.visible);
                    line.pump(cx);
                }
            }
            Reply::Done
        })
    }

    /// The line will have something to show when the present commit is durable.
    fn await_commit(&mut self, slot: DefaultKey, cx: &Context<'_>) {
        if self.awaiting.back() != Some(&(cx.stage, slot)) {
            self.awaiting.push_back((cx.stage, slot));
        }
    }

    /// The ops of the steps since the last time were committed under this ticket.
    pub(crate) fn committed(&mut self, ticket: Ticket) {
        self.staged.push_back((self.stage, ticket));
        self.stage += 1;
    }

    /// Whether something here waits for this ticket or an older one.
    pub(crate) fn awaits(&self, ticket: Ticket) -> bool {
        self.staged.front().is_some_and(|(_, oldest)| *oldest <= ticket)
    }

    /// Everything up to this ticket is durable. Says whether lines must be shown it.
    pub(crate) fn advance(&mut self, ticket: Ticket) -> bool {
        while let Some((stage, _)) = self.staged.front().filter(|(_, oldest)| *oldest <= ticket) {
            self.visible = *stage;
            self.staged.pop_front();
        }
        self.awaiting.front().is_some_and(|(stage, _)| *stage <= self.visible)
    }

    /// Shows what became durable.
    pub(crate) fn show(&mut self, cx: &mut Context<'_>) {
        while let Some((_, slot)) = self.awaiting.front().filter(|(stage, _)| *stage <= self.visible) {
            if let Some(line) = self.lines.get_mut(*slot) {
                line.pump(cx);
            }
            self.awaiting.pop_front();
        }
    }

    /// Looks for what expired, a part of the lines at a time, and for subscribers that are slow for too long.
    pub(crate) fn sweep(&mut self, cx: &mut Context<'_>) {
        for line in self.lines.values_mut() {
            line.sweep(cx);
        }
    }

    /// The retained messages that a subscription to the pattern gets.
    pub(crate) fn retained_for(&self, pattern: &Pattern, unix_ms: u64) -> Vec<Arc<Message>> {
        self.retained.matching(pattern, unix_ms)
    }

    /// Its lines, for reports.
    pub(crate) fn lines(&self) -> impl Iterator<Item = &Line> {
        self.lines.values()
    }
}

impl Line {
    fn grant(&mut self, id: TakerId, credit: u32, cx: &mut Context<'_>) -> Reply {
        if let Some(taker) = self.takers.get_mut(id) {
            taker.credit.add(credit);
        } else if let Some(browser) = self.browsers.iter_mut().find(|browser| browser.id == id) {
            browser.credit.add(credit);
        } else {
            return Reply::Gone;
        }
        self.pump(cx);
        Reply::Done
    }

    fn judged(&mut self, id: TakerId, sight: Sight, cx: &mut Context<'_>) -> Reply {
        let Some(taker) = self.takers.get_mut(id) else { return Reply::Gone };
        taker.sight = sight;
        self.pump(cx);
        Reply::Done
    }

    fn note(&mut self, key: Bytes, value: Option<Bytes>, cx: &mut Context<'_>) -> Reply {
        let id = self.id;
        let Role::Durable(notes) = &mut self.role else {
            return Reply::Gone;
        };
        let stored_key = crate::record::note_key(id, &key);
        let op = match value {
            Some(value) => {
                if notes.len() >= cx.limits.notes_per_subscription && !notes.contains_key(&key) {
                    return Reply::Busy("the limit on notes is reached");
                }
                notes.insert(key, value.clone());
                Op::Set { key: stored_key, value }
            }
            None if notes.remove(&key).is_none() => return Reply::Done,
            None => Op::Unset { key: stored_key },
        };
        cx.out.commit_now(op);
        Reply::Staged
    }

    fn purge(&mut self, permit: &Permit<Admin>, cx: &mut Context<'_>) -> Reply {
        debug_assert!(matches!(&self.role, Role::Queue(queue) if queue == permit.destination()));
        self.unpark_all(cx);
        let removed = self.backlog.purge(|op| cx.out.commit_now(op));
        self.counts.dequeued += removed;
        self.relieve(cx);
        if removed == 0 { Reply::Done } else { Reply::Staged }
    }

    fn unread(&mut self, read: &Read) {
        match read.by {
            Reader::Line => self.backlog.lane(read.priority).unread(read.visible),
            Reader::Taker(id) => self.taker_unread(id, read),
            Reader::Browser(id) => {
                self.browsers.iter_mut().filter(|browser| browser.id == id).for_each(Browser::unread);
            }
        }
    }

    /// Puts aside what expired at the heads, also when nobody takes anything.
    fn sweep(&mut self, cx: &mut Context<'_>) {
        let now = cx.now.unix_ms;
        for (priority, entry) in self.backlog.take_expired(now, cx.visible) {
            self.expire(priority, entry, cx);
        }
        self.pump(cx);
    }

    /// Its notes, when it is a subscription that stays.
    pub(crate) fn notes(&self) -> Option<&BTreeMap<Bytes, Bytes>> {
        if let Role::Durable(notes) = &self.role { Some(notes) } else { None }
    }

    /// Whether consumers of another connection are attached.
    pub(crate) fn is_taken(&self) -> bool {
        !self.takers.is_empty()
    }
}
