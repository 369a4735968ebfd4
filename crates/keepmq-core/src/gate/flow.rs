//! Slowing down who sends more than consumers or the disk can take: per connection, never at the cost of its own
//! consuming, with a notice, and in the end with a refusal instead of an endless wait.

use std::collections::VecDeque;

use keepmq_model::{Event, Refusal, RefusalKind, Verb};

use super::client::Client;
use crate::shard::{Input, LineKey};

/// Bytes of messages that are held back for a connection that also consumes, at most.
const HELD_BYTES: u64 = 1024 * 1024;

/// How often a connection that waits for memory or the store looks whether there is some, in milliseconds.
const LOOK_MS: u64 = 100;

/// Why and since when a connection is slowed.
#[derive(Debug, Default)]
pub(super) struct Flow {
    /// Since when, in milliseconds of the monotonic clock.
    since: Option<u64>,
    /// When it was looked at last.
    looked_at: u64,
    /// When to look again, as it waits for memory or the store: no bell rings when they have room.
    look_again: Option<u64>,
    /// Lines that have too much.
    lines: Vec<LineKey>,
    /// What is said in the meantime and must keep its order.
    held: VecDeque<Verb>,
    held_bytes: u64,
    /// It waited too long: what it sends is refused until there is room.
    refusing: bool,
    /// What the session is to know of it, ahead of any answer.
    notices: Vec<Event>,
    /// Whether messages that only memory has were sent since the last flush.
    sent_to_memory: bool,
    /// Whether messages for the disk were sent since the last flush.
    sent_to_disk: bool,
}

impl Flow {
    pub(super) fn is_refusing(&self) -> bool {
        self.refusing
    }

    /// Takes what the session is to know.
    pub(super) fn notices(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.notices)
    }

    /// A message was admitted.
    pub(super) fn sent(&mut self, durable: bool) {
        self.sent_to_disk |= durable;
        self.sent_to_memory |= !durable;
    }
}

/// There is no room for what was sent.
pub(super) fn busy() -> Refusal {
    let text = "the broker is out of room for messages: consumers or the disk are too slow; try again later";
    Refusal::new(RefusalKind::Busy, text)
}

/// Whether a verb waits with the messages that were said before it.
fn is_ordered(verb: &Verb) -> bool {
    match verb {
        Verb::Publish(_) | Verb::Begin { .. } | Verb::Commit { .. } | Verb::Rollback { .. } => true,
        Verb::Settle(settle) => settle.tx.is_some(),
        _ => false,
    }
}

fn cost(verb: &Verb) -> u64 {
    if let Verb::Publish(publish) = verb { publish.message.cost() } else { 64 }
}

impl Client {
    /// Whether more should be read from the peer now. When not, the bell rings once that changes.
    pub fn wants_input(&self) -> bool {
        // Settlements come by the same way as messages: a connection that consumes is read on, its messages are held.
        // Who is refused is read on as well, to be told so.
        let consumes = !self.links.is_empty() && self.flow.held_bytes < HELD_BYTES;
        self.flow.since.is_none() || self.flow.refusing || consumes
    }

    /// The time at which a slowed connection is to be looked at though nothing happens, in milliseconds of the monotonic
    /// clock: when slow subscriptions give way, when it is to be refused, and while it waits for memory or the store.
    pub fn flow_deadline(&self) -> Option<u64> {
        let (since, limits) = (self.flow.since?, &self.gate.shell.limits);
        let looks = [since + limits.slow_patience_ms, since + limits.sender_patience_ms];
        looks.into_iter().chain(self.flow.look_again).filter(|at| *at > self.flow.looked_at).min()
    }

    /// Holds a verb back while the connection is slowed.
    pub(super) fn hold_back(&mut self, verb: Verb) -> Option<Verb> {
        if self.flow.since.is_none() || self.flow.refusing || !is_ordered(&verb) {
            return Some(verb);
        }
        let cost = cost(&verb);
        if self.flow.held_bytes + cost > HELD_BYTES
            && matches!(verb, Verb::Publish(_))
            && !self.links.is_empty()
        {
            if let Verb::Publish(publish) = verb {
                self.refuse(publish.tag, busy());
            }
            return None;
        }
        self.flow.held_bytes += cost;
        self.flow.held.push_back(verb);
        None
    }

    /// Looks after a flush whether lines, memory or the store have too much.
    pub(super) fn slow(&mut self, full: &[LineKey]) {
        for line in full {
            if !self.flow.lines.contains(line) {
                self.flow.lines.push(*line);
            }
        }
        if self.flow.since.is_none() && self.must_wait() {
            let now = self.gate.now();
            self.flow.since = Some(now.mono_ms);
            self.flow.looked_at = now.mono_ms;
            self.flow.notices.push(Event::Slowed { why: Some(busy()) });
            self.wait_for_room();
        } else if self.flow.since.is_none() {
            (self.flow.sent_to_memory, self.flow.sent_to_disk) = (false, false);
        }
    }

    fn must_wait(&mut self) -> bool {
        let now = self.gate.now();
        let gate = &self.gate;
        self.flow.lines.retain(|line| gate.shell.is_over(*line, now));
        !self.flow.lines.is_empty() || self.is_memory_short() || self.is_store_behind()
    }

    fn is_memory_short(&self) -> bool {
        self.flow.sent_to_memory && self.gate.shell.is_pressed()
    }

    fn is_store_behind(&self) -> bool {
        let limit = self.gate.shell.limits.store_pending_bytes;
        self.flow.sent_to_disk && self.gate.shell.store.pending_bytes() > limit
    }

    /// Has the bell rung when lines have room, and sees to it that the rest is looked at.
    fn wait_for_room(&mut self) {
        let now = self.gate.now();
        for line in self.flow.lines.clone() {
            let input = Input::Slow { line: line.slot, outbox: std::sync::Arc::clone(&self.outbox) };
            let (_, after) = self.gate.shell.run(line.shard, [input], now, drop);
            self.gate.finish(after);
        }
        let unannounced = self.is_memory_short() || self.is_store_behind();
        self.flow.look_again = unannounced.then_some(self.flow.looked_at + LOOK_MS);
    }

    /// Looks whether a slowed connection may go again, or has waited too long.
    pub(super) fn check_flow(&mut self) {
        let Some(since) = self.flow.since else { return };
        if !self.must_wait() {
            self.flow.since = None;
            self.flow.refusing = false;
            self.flow.notices.push(Event::Slowed { why: None });
            self.say_held();
            return;
        }
        self.flow.looked_at = self.gate.now().mono_ms;
        let waited = self.flow.looked_at.saturating_sub(since);
        if !self.flow.refusing && waited >= self.gate.shell.limits.sender_patience_ms {
            self.flow.refusing = true;
            // Each of them is now refused, in its order.
            self.say_held();
        }
        self.wait_for_room();
    }

    fn say_held(&mut self) {
        self.flow.held_bytes = 0;
        for verb in std::mem::take(&mut self.flow.held) {
            self.say(verb);
        }
        self.flush();
    }
}
