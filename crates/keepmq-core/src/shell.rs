//! The shell around the shards: a lock each, the store behind them, the outboxes in front.
//!
//! Whoever has something for a shard runs the step itself, with a whole batch at a time: no task and no channel lies
//! between a session and a queue. No lock is held while anybody waits.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use keepmq_model::{Event, Meter, Now};
use keepmq_store::{Batch, Store, Ticket};
use parking_lot::{Mutex, MutexGuard};
use smallvec::SmallVec;

use crate::limits::Limits;
use crate::outbox::Outbox;
use crate::record::decode_message;
use crate::shard::{Context, Dead, Entry, Input, LineKey, Outputs, Read, Reply, Shard, TakerId};

/// Has something done on a thread that may wait for the disk.
pub type Spawn = Box<dyn Fn(Box<dyn FnOnce() + Send>) + Send + Sync>;
/// Tells the time.
pub type Clock = Box<dyn Fn() -> Now + Send + Sync>;

/// Counts since the broker started.
#[derive(Debug, Default)]
pub(crate) struct Totals {
    pub(crate) published: AtomicU64,
    pub(crate) delivered: AtomicU64,
}

/// The shards with what surrounds them.
pub(crate) struct Shell {
    shards: Box<[Mutex<Shard>]>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) limits: Limits,
    pub(crate) meter: Arc<Meter>,
    /// Of the policy.
    epoch: AtomicU64,
    pub(crate) totals: Totals,
    /// Connections that wait for a ticket, in the order of the tickets.
    waiting: Mutex<VecDeque<(Ticket, Arc<Outbox>)>>,
    spawn: Spawn,
    pub(crate) clock: Clock,
}

/// What a run leaves for those who have more than shards at hand.
#[derive(Debug, Default)]
pub(crate) struct After {
    pub(crate) reads: Vec<Read>,
    pub(crate) dead: Vec<Dead>,
    pub(crate) full: Vec<LineKey>,
    pub(crate) revive: Vec<TakerId>,
}

impl After {
    pub(crate) fn is_empty(&self) -> bool {
        self.reads.is_empty() && self.dead.is_empty() && self.full.is_empty() && self.revive.is_empty()
    }

    pub(crate) fn join(&mut self, other: Self) {
        self.reads.extend(other.reads);
        self.dead.extend(other.dead);
        self.full.extend(other.full);
        self.revive.extend(other.revive);
    }
}

/// Connections to be rung, once no lock is held.
type Bells = SmallVec<[Arc<Outbox>; 4]>;

/// A shard that panicked may hold half a change. Going on would deliver or lose what nobody meant; a restart is recovery.
struct Whole;

impl Drop for Whole {
    fn drop(&mut self) {
        if std::thread::panicking() {
            tracing::error!("a shard panicked: the broker ends, and recovers with the next start");
            std::process::abort();
        }
    }
}

impl Shell {
    pub(crate) fn new(
        shards: Vec<Shard>,
        store: Arc<dyn Store>,
        limits: Limits,
        epoch: u64,
        spawn: Spawn,
        clock: Clock,
    ) -> Self {
        Self {
            shards: shards.into_iter().map(Mutex::new).collect(),
            store,
            limits,
            meter: Arc::default(),
            epoch: AtomicU64::new(epoch),
            totals: Totals::default(),
            waiting: Mutex::default(),
            spawn,
            clock,
        }
    }

    /// The shard for the thing with this number.
    pub(crate) fn shard_for(&self, id: u64) -> u16 {
        u16::try_from(id % self.shards.len().max(1) as u64).unwrap_or_default()
    }

    pub(crate) fn shard(&self, index: u16) -> MutexGuard<'_, Shard> {
        self.shards[usize::from(index)].lock()
    }

    pub(crate) fn shards(&self) -> impl Iterator<Item = &Mutex<Shard>> {
        self.shards.iter()
    }

    /// The epoch of the policy in force.
    pub(crate) fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Acquire)
    }

    /// A new policy is in force.
    pub(crate) fn set_epoch(&self, epoch: u64) {
        self.epoch.store(epoch, Ordering::Release);
    }

    pub(crate) fn now(&self) -> Now {
        (self.clock)()
    }

    /// Whether all messages together take more memory than they may.
    pub(crate) fn is_pressed(&self) -> bool {
        self.meter.bytes() > self.limits.memory_bytes
    }

    /// Runs inputs on one shard and tells each reply. Says under which ticket they were committed, if anything was.
    pub(crate) fn run(
        &self,
        shard: u16,
        inputs: impl IntoIterator<Item = Input>,
        now: Now,
        replied: impl FnMut(Reply),
    ) -> (Option<Ticket>, After) {
        self.run_all([(shard, inputs)], now, replied)
    }

    /// Runs inputs on several shards, which must be named in rising order, in one commit.
    pub(crate) fn run_all<I: IntoIterator<Item = Input>>(
        &self,
        work: impl IntoIterator<Item = (u16, I)>,
        now: Now,
        mut replied: impl FnMut(Reply),
    ) -> (Option<Ticket>, After) {
        let _whole = Whole;
        let mut out = Outputs::default();
        let mut guards = SmallVec::<[MutexGuard<'_, Shard>; 2]>::new();
        let (pressed, epoch) = (self.is_pressed(), self.epoch());
        for (index, inputs) in work {
            let mut shard = self.shard(index);
            for input in inputs {
                let (stage, visible) = shard.stage_and_visible();
                let mut cx =
                    Context { now, limits: &self.limits, out: &mut out, visible, stage, epoch, pressed };
                replied(shard.step(input, &mut cx));
            }
            guards.push(shard);
        }
        let ticket = self.commit(&mut out, &mut guards);
        let mut rung = self.put_events(&mut out);
        drop(guards);
        rung.extend(out.bells.drain(..));
        rung.iter().for_each(|outbox| outbox.ring());
        (ticket, Self::after(out))
    }

    /// Commits while the locks are held, so that the store sees what one shard says in its order.
    fn commit(&self, out: &mut Outputs, shards: &mut [MutexGuard<'_, Shard>]) -> Option<Ticket> {
        if out.ops.is_empty() {
            return None;
        }
        let batch = Batch { ops: std::mem::take(&mut out.ops) };
        let ticket = self.store.commit(batch, out.urgency);
        for shard in shards {
            shard.committed(ticket);
        }
        Some(ticket)
    }

    /// Puts events into their outboxes while the locks are held, so that they keep their order.
    fn put_events(&self, out: &mut Outputs) -> Bells {
        let mut rung = Bells::new();
        let mut events = std::mem::take(&mut out.events).into_iter().peekable();
        let mut delivered = 0;
        while let Some((outbox, first)) = events.next() {
            let same = std::iter::from_fn(|| {
                events.next_if(|(next, _)| Arc::ptr_eq(next, &outbox)).map(|(_, event)| event)
            });
            let run = std::iter::once(first).chain(same);
            outbox.put(run.inspect(|event| delivered += u64::from(matches!(event, Event::Deliver(_)))));
            rung.push(outbox);
        }
        if delivered > 0 {
            self.totals.delivered.fetch_add(delivered, Ordering::Relaxed);
        }
        rung
    }

    fn after(mut out: Outputs) -> After {
        out.full.dedup();
        After { reads: out.reads, dead: out.dead, full: out.full, revive: out.revive }
    }

    /// Rings the connection when the ticket is durable.
    pub(crate) fn ring_when_durable(&self, ticket: Ticket, outbox: &Arc<Outbox>) {
        let mut waiting = self.waiting.lock();
        let place = waiting.partition_point(|(other, _)| *other <= ticket);
        waiting.insert(place, (ticket, Arc::clone(outbox)));
        drop(waiting);
        // It may have become durable before anybody could know that somebody waits.
        if self.store.durable() >= ticket {
            outbox.ring();
        }
    }

    /// Shows what is durable now, and rings those who waited for it: first those, for whom nothing goes on without it.
    pub(crate) fn durable(&self, ticket: Ticket) -> After {
        let now = self.now();
        let mut after = After::default();
        let mut rung = Bells::new();
        for shard in &self.shards {
            let mut guard = shard.lock();
            if !guard.awaits(ticket) || !guard.advance(ticket) {
                continue;
            }
            after.join(self.on_shard(guard, now, &mut rung, Shard::show));
        }
        self.ring_waiting(ticket);
        rung.iter().for_each(|outbox| outbox.ring());
        after
    }

    fn ring_waiting(&self, ticket: Ticket) {
        let mut waiting = self.waiting.lock();
        let count = waiting.partition_point(|(other, _)| *other <= ticket);
        let ready: SmallVec<[(Ticket, Arc<Outbox>); 16]> = waiting.drain(..count).collect();
        drop(waiting);
        ready.iter().for_each(|(_, outbox)| outbox.ring());
    }

    /// Lets a shard do something of its own, and adds whom to ring.
    fn on_shard(
        &self,
        mut shard: MutexGuard<'_, Shard>,
        now: Now,
        rung: &mut Bells,
        what: impl FnOnce(&mut Shard, &mut Context<'_>),
    ) -> After {
        let _whole = Whole;
        let mut out = Outputs::default();
        let (stage, visible) = shard.stage_and_visible();
        let (limits, pressed, epoch) = (&self.limits, self.is_pressed(), self.epoch());
        what(&mut shard, &mut Context { now, limits, out: &mut out, visible, stage, epoch, pressed });
        let mut guards = [shard];
        self.commit(&mut out, &mut guards);
        rung.append(&mut self.put_events(&mut out));
        drop(guards);
        rung.extend(out.bells.drain(..));
        Self::after(out)
    }

    /// What is due from time to time: expired messages.
    pub(crate) fn sweep(&self, now: Now) -> After {
        let mut after = After::default();
        for shard in &self.shards {
            let mut rung = Bells::new();
            after.join(self.on_shard(shard.lock(), now, &mut rung, Shard::sweep));
            rung.iter().for_each(|outbox| outbox.ring());
        }
        after
    }

    /// Whether a line has more than it should.
    pub(crate) fn is_over(&self, line: LineKey, now: Now) -> bool {
        let mut out = Outputs::default();
        let shard = self.shard(line.shard);
        let (stage, visible) = shard.stage_and_visible();
        let (limits, epoch) = (&self.limits, self.epoch());
        let cx = Context { now, limits, out: &mut out, visible, stage, epoch, pressed: false };
        shard.line(line.slot).is_some_and(|line| line.is_over(&cx))
    }

    /// Has a page read where waiting does no harm; `done` gets the input that carries it.
    pub(crate) fn read(&self, read: Read, done: impl FnOnce(Input) + Send + 'static) {
        let store = Arc::clone(&self.store);
        let meter = Arc::clone(&self.meter);
        (self.spawn)(Box::new(move || done(page(&*store, &meter, read))));
    }
}

/// Reads a page. What can't be read any more counts as lost, and is told here: its readers never hear of it.
fn page(store: &dyn Store, meter: &Arc<Meter>, read: Read) -> Input {
    let page = match store.scan(read.scan) {
        Ok(page) => page,
        Err(error) => {
            tracing::error!("a part of a backlog can't be read; it is tried again: {error}");
            return Input::Unread { read };
        }
    };
    let mut lost = page.lost.len() as u64;
    for damage in &page.damage {
        let stream = read.scan.stream.0;
        tracing::error!(stream, "the store is damaged, and what was there is lost: {damage}");
    }
    let mut records = Vec::with_capacity(page.records.len());
    for stored in page.records {
        let Some((mut message, marks)) = decode_message(&stored.payload) else {
            lost += 1;
            continue;
        };
        message.charge(meter);
        records.push(Entry {
            seq: stored.seq,
            stage: 0,
            stored: true,
            epoch: 0,
            marks,
            message: Arc::new(message),
        });
    }
    Input::Page { read, records, lost, more: !page.end }
}

impl fmt::Debug for Shell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Shell({} shards)", self.shards.len())
    }
}
