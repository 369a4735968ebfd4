//! The broker under test, with everything around it in one hand.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use keepmq_core::{DurableNews, Gate, Limits, Parts};
use keepmq_model::{Envelope, Format, Formats, Kind, Native, Now, Pattern, Protocol, Value, View};
use keepmq_policy::{Audit, Entry, Grants, Map, Policy};
use keepmq_store::{Memory, Recovery};
use parking_lot::Mutex;

use crate::run::{MAX_REDELIVERIES, MAX_RETURNS};

/// The one property of a message is what its number leaves when it is divided by three.
struct Numbers;

impl Format for Numbers {
    fn protocol(&self) -> Protocol {
        Protocol::Broker
    }

    fn view(&self, _: &Envelope, native: &Native) -> View {
        let number = native.body.first_chunk().map_or(0, |number| u64::from_le_bytes(*number));
        View { properties: vec![("kind".into(), Value::U64(number % KINDS))], ..View::default() }
    }
}

/// How many kinds of messages selectors tell apart.
pub(crate) const KINDS: u64 = 3;

const FORMATS: Formats = Formats::new(&[&Numbers]);

type Job = Box<dyn FnOnce() + Send>;

/// A broker whose clock, disk and reading thread are moved by hand.
pub(crate) struct World {
    pub(crate) gate: Arc<Gate>,
    store: Arc<Memory>,
    jobs: Arc<Mutex<VecDeque<Job>>>,
    clock: Arc<AtomicU64>,
}

/// Small enough that each bound is met in a short run.
fn limits() -> Limits {
    Limits {
        line_window: 6,
        line_bytes: 5 * 250,
        sender_patience_ms: u64::MAX / 2,
        slow_patience_ms: u64::MAX / 2,
        max_redeliveries: MAX_REDELIVERIES,
        max_returns: MAX_RETURNS,
        outbox_bytes: 4_000,
        ..Limits::default()
    }
}

fn everything() -> Map {
    let all = || Grants { read: vec!["*".into()], write: vec!["*".into()], admin: vec!["*".into()] };
    let entry = |kind| {
        let pattern = Pattern::new(">").ok()?;
        Some(Entry { kind, pattern, grants: all(), place: "sim".into() })
    };
    Map::new([Kind::Queue, Kind::Topic].into_iter().filter_map(entry).collect(), None, None)
}

impl World {
    pub(crate) fn new() -> Self {
        let news = DurableNews::default();
        let (store, recovery) = Memory::manual(news.hook(|_| {}));
        Self::start(store, recovery, &news, Arc::new(AtomicU64::new(1_000_000)))
    }

    fn start(store: Memory, recovery: Recovery, news: &DurableNews, clock: Arc<AtomicU64>) -> Self {
        let store = Arc::new(store);
        let jobs = Arc::new(Mutex::new(VecDeque::<Job>::new()));
        let (queue, time, secret) = (Arc::clone(&jobs), Arc::clone(&clock), AtomicU64::new(1));
        let parts = Parts {
            policy: Policy { epoch: 1, map: everything() },
            store: Arc::clone(&store) as _,
            recovery,
            limits: limits(),
            shards: 3,
            spawn: Box::new(move |job| queue.lock().push_back(job)),
            clock: Box::new(move || {
                let ms = time.load(Ordering::Relaxed);
                Now { mono_ms: ms, unix_ms: ms }
            }),
            entropy: Box::new(move || u128::from(secret.fetch_add(1, Ordering::Relaxed))),
            audit: Audit::new(|_| {}),
            formats: FORMATS,
        };
        let (gate, _) = Gate::open(parts, news);
        Self { gate, store, jobs, clock }
    }

    /// The broker dies; another one starts on what was durable.
    pub(crate) fn crash(&mut self) {
        let news = DurableNews::default();
        let (store, recovery) = self.store.crashed(news.hook(|_| {}));
        *self = Self::start(store, recovery, &news, Arc::clone(&self.clock));
    }

    pub(crate) fn now(&self) -> u64 {
        self.clock.load(Ordering::Relaxed)
    }

    pub(crate) fn pass(&self, ms: u64) {
        self.clock.fetch_add(ms, Ordering::Relaxed);
    }

    /// The disk finishes so many commits.
    pub(crate) fn sync(&self, commits: usize) -> usize {
        self.store.complete(commits)
    }

    /// One page that was asked for is read.
    pub(crate) fn read(&self) -> bool {
        let job = self.jobs.lock().pop_front();
        job.map(|job| job()).is_some()
    }

    /// The disk finishes everything, and every page is read.
    pub(crate) fn settle(&self) {
        while self.sync(usize::MAX) > 0 || self.read() {}
    }

    /// Records that the store holds.
    pub(crate) fn records(&self) -> u64 {
        self.gate.status().store.records
    }
}
