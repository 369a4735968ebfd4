//! A line: messages that wait and consumers that take them. A queue is one; so is each subscription, which is fed by
//! topics.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use keepmq_model::{DeadCause, Delivery, DeliveryId, Destination, Event, Message, Outcome};
use keepmq_store::Op;

use super::backlog::{Backlog, Found};
use super::branch::Locked;
use super::browser::Browser;
use super::group::Groups;
use super::held::HeldEntry;
use super::lane::Entry;
use super::output::{Context, Dead, Read, Reader};
use super::taker::{Taker, TakerId, Takers};
use super::{LineKey, Reply};
use crate::outbox::Outbox;

/// What a line is.
#[derive(Debug)]
pub(crate) enum Role {
    /// A queue, temporary or not.
    Queue(Destination),
    /// A subscription that ends with its link.
    Passing,
    /// A subscription that stays, with the notes that its session has us keep.
    Durable(BTreeMap<Bytes, Bytes>),
}

/// Counts since the broker started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Messages that came.
    pub enqueued: u64,
    /// Messages that were settled for good.
    pub dequeued: u64,
    /// Messages that expired.
    pub expired: u64,
    /// Messages that were put aside.
    pub dead: u64,
    /// Messages that a slow subscriber lost.
    pub dropped: u64,
}

/// Messages that wait and consumers that take them.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) key: LineKey,
    /// Its number in the store.
    pub(crate) id: u64,
    pub(crate) role: Role,
    pub(crate) backlog: Backlog,
    pub(crate) takers: Takers,
    pub(crate) browsers: Vec<Browser>,
    /// Senders that wait for room.
    pub(crate) slowed: Vec<Arc<Outbox>>,
    /// Since when a subscriber has been too slow, in milliseconds of the monotonic clock.
    pub(crate) slow_since: Option<u64>,
    /// Messages that are being put aside: out of the backlog, still in the store.
    pub(crate) leaving: usize,
    /// Made when the first message of a group is handed out.
    pub(super) groups: Option<Box<Groups>>,
    /// Deliveries that prepared transactions have accepted, by the numbers of those.
    pub(super) locked: BTreeMap<u64, Vec<Locked>>,
    pub(crate) counts: Counts,
}

impl Line {
    pub(crate) fn new(key: LineKey, id: u64, role: Role, first_seq: u64) -> Self {
        Self {
            key,
            id,
            role,
            backlog: Backlog::new(id, first_seq),
            takers: Takers::default(),
            browsers: Vec::new(),
            slowed: Vec::new(),
            slow_since: None,
            leaving: 0,
            groups: None,
            locked: BTreeMap::new(),
            counts: Counts::default(),
        }
    }

    /// Hands out what waits to those who can take it.
    pub(crate) fn pump(&mut self, cx: &mut Context<'_>) {
        self.pump_parked(cx);
        let (key, round, has_groups) = (self.key, self.takers.begin_round(), !self.is_subscription());
        while let Some(taker) = self.takers.next(cx.epoch) {
            let found = match &mut taker.choice {
                None => self.backlog.take(cx),
                Some(choice) => self.backlog.choose(choice, key, taker.id, cx),
            };
            match found {
                Found::Ready(priority, entry) if has_groups && entry.group().is_some() => {
                    let offered = taker.id;
                    if self.group(offered, priority, entry, cx) {
                        break;
                    }
                }
                Found::Ready(priority, entry) if !may_see(taker, &entry, cx.epoch) => {
                    self.counts.dropped += 1;
                    self.settled(Some((priority, entry)), cx);
                }
                Found::Ready(priority, entry) => {
                    let settled = hand_out(taker, priority, entry, cx);
                    self.takers.served();
                    self.settled(settled, cx);
                }
                Found::Expired(priority, entry) => self.expire(priority, entry, cx),
                // What one does not want another may.
                Found::Nothing => match round {
                    Some(round) => taker.asked = round,
                    None => break,
                },
            }
        }
        if !self.takers.is_empty() {
            self.ask_for_pages(cx);
        }
        if !self.browsers.is_empty() {
            self.pump_browsers(cx);
        }
        self.relieve(cx);
    }

    /// Reads on when the part in memory runs dry.
    fn ask_for_pages(&mut self, cx: &mut Context<'_>) {
        for (priority, scan) in self.backlog.wanted_pages(cx) {
            let visible = cx.visible;
            cx.out.reads.push(Read { line: self.key, priority, by: Reader::Line, scan, visible });
        }
    }

    /// Forgets a message for good.
    pub(super) fn settled(&mut self, gone: Option<(u8, Entry)>, cx: &mut Context<'_>) {
        let Some((priority, entry)) = gone else { return };
        self.counts.dequeued += 1;
        if entry.stored {
            self.backlog.released(priority, entry.seq, cx);
            cx.out.commit_lazily(Op::Release(self.backlog.locator(priority, entry.seq)));
        }
    }

    pub(crate) fn expire(&mut self, priority: u8, entry: Entry, cx: &mut Context<'_>) {
        self.counts.expired += 1;
        self.put_aside(priority, entry, (DeadCause::Expired, None), cx);
    }

    /// Whether there is so much that senders should wait.
    pub(crate) fn is_over(&self, cx: &Context<'_>) -> bool {
        let many = self.is_subscription() && self.backlog.in_memory() > cx.limits.subscriber_backlog;
        many || self.backlog.bytes() > cx.limits.line_bytes
    }

    /// Whether topics feed it.
    pub(crate) fn is_subscription(&self) -> bool {
        !matches!(self.role, Role::Queue(_))
    }

    /// Lets waiting senders go once there is room again.
    pub(crate) fn relieve(&mut self, cx: &mut Context<'_>) {
        if self.slowed.is_empty() && self.slow_since.is_none() {
            return;
        }
        let (count, bytes) = (cx.limits.subscriber_backlog / 2, cx.limits.line_bytes / 4 * 3);
        let few = !self.is_subscription() || self.backlog.in_memory() <= count;
        if few && self.backlog.bytes() <= bytes {
            self.slow_since = None;
            cx.out.bells.append(&mut self.slowed);
        }
    }

    /// Has a message put aside: to the dead letter queue when it is durable, else it is dropped.
    pub(crate) fn put_aside(
        &mut self,
        priority: u8,
        entry: Entry,
        (cause, reason): (DeadCause, Option<Box<str>>),
        cx: &mut Context<'_>,
    ) {
        let kept = entry.message.envelope.durable && !matches!(self.role, Role::Passing);
        if !kept || entry.marks.dead.is_some() && cause == DeadCause::Expired {
            self.settled(Some((priority, entry)), cx);
            return;
        }
        self.counts.dead += 1;
        self.leaving += 1;
        cx.out.dead.push(Dead {
            line: self.key,
            priority,
            seq: entry.seq,
            stored: entry.stored,
            message: entry.message,
            cause,
            reason,
        });
    }

    /// What was put aside is safe elsewhere: forgets it here, in the same commit.
    pub(crate) fn left(&mut self, priority: u8, seq: u64, stored: bool, cx: &mut Context<'_>) {
        self.leaving = self.leaving.saturating_sub(1);
        if stored {
            self.backlog.released(priority, seq, cx);
            cx.out.commit_now(Op::Release(self.backlog.locator(priority, seq)));
        }
    }

    /// Takes back deliveries, or lets them go, by their outcome. Says how many that were.
    pub(crate) fn settle(
        &mut self,
        id: TakerId,
        from: u64,
        through: u64,
        outcome: Outcome,
        reason: Option<&str>,
        cx: &mut Context<'_>,
    ) -> Reply {
        let Some(taker) = self.takers.get_mut(id) else {
            return Reply::Gone;
        };
        let mut ended = smallvec::SmallVec::<[(u64, HeldEntry); 4]>::new();
        let count = if from == through {
            ended.extend(taker.held.take(through).map(|held| (through, held)));
            ended.len()
        } else {
            taker.held.take_range(from, through, |number, held| ended.push((number, held)))
        };
        if count == 0 {
            return Reply::Gone;
        }
        if taker.refill {
            taker.credit.add(u32::try_from(count).unwrap_or(u32::MAX));
            if matches!(taker.credit, super::taker::Credit::Shared(_)) {
                cx.out.revive.push(id);
            }
        }
        let before = cx.out.ops.len();
        for (number, held) in ended {
            self.ended_of_group(id, number, &held.entry);
            self.end(held, outcome, reason, cx);
        }
        self.pump(cx);
        if cx.out.ops.len() > before { Reply::Staged } else { Reply::Done }
    }

    /// What becomes of one delivery.
    fn end(&mut self, held: HeldEntry, outcome: Outcome, reason: Option<&str>, cx: &mut Context<'_>) {
        let HeldEntry { priority, mut entry } = held;
        match outcome {
            Outcome::Accepted => self.settled(Some((priority, entry)), cx),
            Outcome::Released => self.put_back(priority, entry, cx),
            Outcome::Rejected => {
                self.put_aside(priority, entry, (DeadCause::Rejected, reason.map(Box::from)), cx);
            }
            Outcome::Failed => {
                entry.marks.redeliveries += 1;
                if entry.marks.redeliveries > cx.limits.max_redeliveries {
                    self.put_aside(priority, entry, (DeadCause::TooManyRedeliveries, None), cx);
                } else {
                    self.put_back(priority, entry, cx);
                }
            }
        }
    }

    pub(super) fn put_back(&mut self, priority: u8, entry: Entry, cx: &Context<'_>) {
        self.came_back(priority, entry.seq);
        self.backlog.put_back(priority, entry, cx);
    }

    /// Takes back the credit that is left, unless there is something that it would still be spent on.
    pub(crate) fn drain(&mut self, id: TakerId, cx: &mut Context<'_>) -> Reply {
        self.pump(cx);
        let loading = self.backlog.is_loading();
        let Some(taker) = self.takers.get_mut(id) else { return Reply::Gone };
        if loading && taker.credit.is_left() {
            return Reply::Busy("what is there is still being read");
        }
        taker.credit.clear();
        Reply::Done
    }

    /// A consumer goes; what it holds goes back, and is handed out again with the next pump. Where nobody knows whether it
    /// was tried, each counts as handed out once.
    pub(crate) fn detach(&mut self, id: TakerId, tried: Option<u64>, cx: &mut Context<'_>) -> Reply {
        self.browsers.retain(|browser| browser.id != id);
        let Some(mut taker) = self.takers.remove(id) else {
            return Reply::Gone;
        };
        self.leave_groups(id, cx);
        let mut counted = Vec::new();
        taker.held.take_range(1, tried.unwrap_or(u64::MAX), |_, held| counted.push(held));
        // From the back, so that each is put before those already there.
        for HeldEntry { priority, entry } in taker.held.take_all().into_iter().rev() {
            self.put_back(priority, entry, cx);
        }
        for HeldEntry { priority, mut entry } in counted.into_iter().rev() {
            entry.marks.redeliveries += 1;
            if entry.marks.redeliveries > cx.limits.max_returns {
                self.put_aside(priority, entry, (DeadCause::TooManyRedeliveries, None), cx);
            } else {
                self.put_back(priority, entry, cx);
            }
        }
        Reply::Done
    }
}

/// Whether a message may be shown: what was judged by another map, or before the broker was started, is judged again.
fn may_see(taker: &Taker, entry: &Entry, epoch: u64) -> bool {
    entry.epoch == epoch || taker.sight.reaches(&entry.message.envelope.destination)
}

/// Gives a message to a consumer. Gives it back when that settles it.
pub(crate) fn hand_out(
    taker: &mut Taker,
    priority: u8,
    entry: Entry,
    cx: &mut Context<'_>,
) -> Option<(u8, Entry)> {
    let number = taker.held.next_number();
    taker.credit.spend();
    let event = deliver(taker, number, &entry.message, &entry);
    taker.outbox.reserve(usize::try_from(entry.cost()).unwrap_or(usize::MAX));
    cx.out.events.push((Arc::clone(&taker.outbox), event));
    if taker.holds {
        taker.held.push(HeldEntry { priority, entry });
        return None;
    }
    taker.held.skip_number();
    Some((priority, entry))
}

fn deliver(taker: &Taker, number: u64, message: &Arc<Message>, entry: &Entry) -> Event {
    Event::Deliver(Delivery {
        link: taker.id.link,
        id: DeliveryId { leg: taker.id.leg, number },
        place: entry.seq,
        marks: entry.marks.clone(),
        message: Arc::clone(message),
    })
}
