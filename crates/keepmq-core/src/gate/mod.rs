//! The gate: the only door to a destination.
//!
//! A connection has a [`Client`]; what its session says goes through it. Here, and nowhere else, the policy is asked and
//! names become permits; the shards behind take permits only.

mod advisory;
mod answers;
mod attach;
mod batch;
mod branch;
mod branches;
mod claims;
mod client;
mod create;
mod denial;
mod flow;
mod policy_change;
mod publish;
mod recover;
mod recover_branch;
mod registry;
mod senders;
mod status;
mod subscription;
mod transaction;
mod wild;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, Weak};

use arc_swap::ArcSwap;
use keepmq_model::{
    DeadCause, DeadLetter, Destination, Envelope, Formats, LinkId, Marks, Message, MessageId, Now, Principal,
};
use keepmq_policy::{Audit, Move, Policy, Write, decide_internal};
use keepmq_store::{OnDurable, Recovery, Store, StoreError, Ticket};
use parking_lot::{Mutex, RwLock};

pub use client::{Client, Peer};
pub use status::{LineStatus, Status};
pub(crate) use wild::WildLink;

use crate::limits::Limits;
use crate::outbox::Outbox;
use crate::routes::{Directory, Route, Topic};
use crate::shard::{Dead, Input, LineKey};
use crate::shell::{After, Clock, Shell, Spawn};
use registry::Registered;

/// Runs of a broker are kept apart by this many bits of every number that it gives out.
const RUN_BITS: u32 = 40;

/// What the gate is made of.
pub struct Parts {
    /// Who may do what.
    pub policy: Policy,
    /// Where records are kept.
    pub store: Arc<dyn Store>,
    /// What the store held when it was opened.
    pub recovery: Recovery,
    /// Bounds.
    pub limits: Limits,
    /// How many shards there are.
    pub shards: u16,
    /// Has something done on a thread that may wait for the disk.
    pub spawn: Spawn,
    /// Tells the time.
    pub clock: Clock,
    /// Gives bits that nobody can guess.
    pub entropy: Entropy,
    /// Where audit events go.
    pub audit: Audit,
    /// By which selectors see properties.
    pub formats: Formats,
}

/// Gives bits that nobody can guess.
pub type Entropy = Box<dyn Fn() -> u128 + Send + Sync>;

/// Ties the store's news of what is durable to a gate that does not exist yet when the store is opened.
#[derive(Clone, Default)]
pub struct DurableNews(Arc<OnceLock<Weak<Gate>>>);

impl DurableNews {
    /// For the store. `failed` is told when the store gives up: nothing durable can be promised any more.
    pub fn hook(&self, failed: impl Fn(StoreError) + Send + Sync + 'static) -> OnDurable {
        let gate = Arc::clone(&self.0);
        Box::new(move |news| match news {
            Ok(ticket) => {
                if let Some(gate) = gate.get().and_then(Weak::upgrade) {
                    gate.durable(ticket);
                }
            }
            Err(error) => failed(error),
        })
    }
}

/// Somebody who is logged in.
type Known = (Arc<Principal>, Arc<Outbox>);

/// The only door to a destination.
pub struct Gate {
    myself: Weak<Self>,
    shell: Shell,
    policy: ArcSwap<Policy>,
    directory: RwLock<Directory>,
    /// Rises whenever a route may have changed.
    generation: AtomicU64,
    claims: claims::Claims,
    branches: branches::Branches,
    senders: senders::Senders,
    registry: Mutex<BTreeMap<(u64, LinkId), Registered>>,
    /// Counts the times that the store was opened.
    run: u64,
    next_client: AtomicU64,
    clients: AtomicU64,
    /// Those who are logged in, by the connection's number.
    known: Mutex<BTreeMap<u64, Known>>,
    next_message: AtomicU64,
    next_decision: AtomicU64,
    next_line: AtomicU64,
    denials: AtomicU64,
    entropy: Entropy,
    audit: Audit,
    formats: Formats,
}

impl Gate {
    /// Builds the broker and brings back what the store holds. Says what of it could not be read.
    pub fn open(parts: Parts, news: &DurableNews) -> (Arc<Self>, Vec<String>) {
        let run = parts.recovery.epoch;
        let first_seq = run << RUN_BITS;
        let shards = (0..parts.shards.max(1)).map(|index| crate::shard::Shard::new(index, first_seq));
        let shell = Shell::new(
            shards.collect(),
            parts.store,
            parts.limits,
            parts.policy.epoch,
            parts.spawn,
            parts.clock,
        );
        let gate = Arc::new_cyclic(|myself| Self {
            myself: myself.clone(),
            shell,
            policy: ArcSwap::from_pointee(parts.policy),
            directory: RwLock::default(),
            generation: AtomicU64::new(1),
            claims: claims::Claims::default(),
            branches: branches::Branches::default(),
            senders: senders::Senders::default(),
            registry: Mutex::default(),
            run,
            next_client: AtomicU64::new(1),
            clients: AtomicU64::new(0),
            known: Mutex::default(),
            next_message: AtomicU64::new(1),
            next_decision: AtomicU64::new(1),
            next_line: AtomicU64::new((run << RUN_BITS >> 4) + 1),
            denials: AtomicU64::new(0),
            entropy: parts.entropy,
            audit: parts.audit,
            formats: parts.formats,
        });
        let faults = gate.recover(parts.recovery);
        // A second gate for one store would be a mistake of the caller; the first one stays.
        let _ = news.0.set(Arc::downgrade(&gate));
        gate.durable(gate.shell.store.durable());
        (gate, faults)
    }

    /// The bounds it works within.
    pub fn limits(&self) -> &Limits {
        &self.shell.limits
    }

    fn now(&self) -> Now {
        self.shell.now()
    }

    fn next_message_id(&self) -> MessageId {
        MessageId { epoch: self.run, number: self.next_message.fetch_add(1, Ordering::Relaxed) }
    }

    fn next_line_id(&self) -> u64 {
        self.next_line.fetch_add(1, Ordering::Relaxed)
    }

    /// The epoch of the map in force.
    pub fn policy_epoch(&self) -> u64 {
        self.shell.epoch()
    }

    /// Routes may have changed. To be called while the directory is locked for writing.
    fn routes_changed(&self) {
        self.generation.fetch_add(1, Ordering::AcqRel);
    }

    fn route(&self, topic: &Topic) -> Arc<Route> {
        let generation = self.generation.load(Ordering::Acquire);
        topic
            .route(generation)
            .unwrap_or_else(|| topic.reroute(&self.directory.read(), &self.policy.load_full(), generation))
    }

    /// The store says that more is durable.
    fn durable(&self, ticket: Ticket) {
        let after = self.shell.durable(ticket);
        self.finish(after);
    }

    /// To be called every half a minute or so: looks for what expired.
    pub fn sweep(&self) {
        let after = self.shell.sweep(self.now());
        self.finish(after);
    }

    /// Does what shards left to be done: reading pages, putting messages aside, looking after the other legs of links.
    /// What remains are the lines that are full: only who filled them has to do with that.
    fn finish(&self, mut after: After) -> Vec<LineKey> {
        let mut full = std::mem::take(&mut after.full);
        while !after.is_empty() {
            for read in after.reads {
                self.read_page(read);
            }
            let mut next = After::default();
            for dead in after.dead {
                let moved = self.bury(&dead);
                next.join(moved);
            }
            for taker in after.revive {
                let pumped = self.revive(taker);
                next.join(pumped);
            }
            full.append(&mut next.full);
            after = next;
        }
        full
    }

    fn read_page(&self, read: crate::shard::Read) {
        let gate = self.myself.clone();
        self.shell.read(read, move |page| {
            let Some(gate) = gate.upgrade() else { return };
            let (_, after) = gate.shell.run(read.line.shard, [page], gate.now(), drop);
            gate.finish(after);
        });
    }

    /// Gives the other legs of a link a chance for credit that came back.
    fn revive(&self, taker: crate::shard::TakerId) -> After {
        let mut after = After::default();
        let Some(wild) = self.wild_link(taker.client, taker.link) else {
            return after;
        };
        for (leg, line) in wild.legs() {
            if wild.credit.load(Ordering::Relaxed) <= 0 {
                break;
            }
            if leg != taker.leg {
                let (_, pumped) =
                    self.shell.run(line.shard, [Input::Pump { line: line.slot }], self.now(), drop);
                after.join(pumped);
            }
        }
        after
    }

    /// Moves a message to the dead letter queue: there and away from here in one commit.
    fn bury(&self, dead: &Dead) -> After {
        let from = self.destination_of(dead.line, &dead.message);
        let queue = self.dead_letter_queue();
        let Some((permit, line)) = queue else {
            return After::default();
        };
        let expired = dead.cause == DeadCause::Expired;
        let letter = DeadLetter {
            cause: dead.cause,
            from,
            detail: dead.reason.as_deref().unwrap_or_default().into(),
            expired_ms: if expired { dead.message.envelope.expires_ms } else { 0 },
        };
        let marks = Marks { dead: Some(Box::new(letter)), ..Marks::default() };
        let message = Arc::new(self.dead_message(&dead.message, permit.destination()));
        let Dead { line: source, priority, seq, stored, .. } = dead;
        let left = Input::Left { line: source.slot, priority: *priority, seq: *seq, stored: *stored };
        let put = Input::Enqueue { line: line.slot, permit, message, marks, whole: true };
        let now = self.now();
        let (_, after) = match source.shard.cmp(&line.shard) {
            std::cmp::Ordering::Less => {
                self.shell.run_all([(source.shard, [left]), (line.shard, [put])], now, drop)
            }
            std::cmp::Ordering::Greater => {
                self.shell.run_all([(line.shard, [put]), (source.shard, [left])], now, drop)
            }
            std::cmp::Ordering::Equal => self.shell.run(source.shard, [left, put], now, drop),
        };
        after
    }

    /// The dead letter queue, made when it is first needed.
    fn dead_letter_queue(&self) -> Option<(keepmq_policy::Permit<Write>, LineKey)> {
        let queue = Destination::queue(&self.shell.limits.dead_letter_queue).ok()?;
        let create = decide_internal(Move::DeadLetter, &queue)?;
        let line = self.ensure_queue(&create, None).ok()?.line;
        Some((decide_internal(Move::DeadLetter, &queue)?, line))
    }

    /// The message as it lies in the dead letter queue: there it does not expire.
    fn dead_message(&self, message: &Message, queue: &Destination) -> Message {
        let envelope = Envelope { destination: queue.clone(), expires_ms: 0, ..message.envelope.clone() };
        let mut message = Message::new(envelope, message.native.clone());
        message.charge(&self.shell.meter);
        message
    }

    fn destination_of(&self, line: LineKey, message: &Message) -> Destination {
        match self.shell.shard(line.shard).line(line.slot).map(|line| &line.role) {
            Some(crate::shard::Role::Queue(queue)) => queue.clone(),
            _ => message.envelope.destination.clone(),
        }
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Gate({} connections)", self.clients.load(Ordering::Relaxed))
    }
}
