//! A broker for a test, and connections that remember what they were told.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use keepmq_core::{Client, DurableNews, Gate, Limits, Parts};
use keepmq_model::{
    Attach, Delivery, DeliveryId, Destination, Envelope, Event, Filter, Format, Formats, Kind, LinkId,
    Message, Native, Now, Outcome, Pattern, Principal, Protocol, Publish, Refusal, Replay, Retain, Settle,
    Source, SubscriptionName, Tag, Taking, Value, Verb, View,
};
use keepmq_policy::{Audit, AuditEvent, Entry, Grants, Map, Policy};
use keepmq_store::{Memory, Recovery};

type Job = Box<dyn FnOnce() + Send>;

/// Reads heads of the form `name=value;name=value`; whole numbers are exact.
struct Heads;

impl Format for Heads {
    fn protocol(&self) -> Protocol {
        Protocol::Broker
    }

    fn view(&self, _: &Envelope, native: &Native) -> View {
        let head = std::str::from_utf8(&native.head).unwrap();
        let pairs = head.split(';').filter_map(|pair| pair.split_once('='));
        let value = |value: &str| value.parse().map_or_else(|_| Value::Text(value.into()), Value::I64);
        let properties = pairs.map(|(name, text)| (name.into(), value(text))).collect();
        View { properties, ..View::default() }
    }
}

const FORMATS: Formats = Formats::new(&[&Heads]);

/// A broker whose clock, disk and reading thread the test owns.
pub(crate) struct Broker {
    pub(crate) gate: Arc<Gate>,
    pub(crate) store: Arc<Memory>,
    pub(crate) faults: Vec<String>,
    pub(crate) audited: Arc<Mutex<Vec<AuditEvent>>>,
    clock: Arc<AtomicU64>,
    jobs: Arc<Mutex<VecDeque<Job>>>,
    /// Pages that were read from disk.
    pub(crate) pages: AtomicU64,
    limits: Limits,
}

/// Everything to `admins`, and what the test says to others.
pub(crate) fn map(entries: Vec<Entry>) -> Map {
    let all =
        || Grants { read: vec!["admins".into()], write: vec!["admins".into()], admin: vec!["admins".into()] };
    let mut all_entries = vec![entry(Kind::Queue, ">", all()), entry(Kind::Topic, ">", all())];
    all_entries.extend(entries);
    Map::new(all_entries, None, None)
}

pub(crate) fn entry(kind: Kind, pattern: &str, grants: Grants) -> Entry {
    Entry { kind, pattern: Pattern::new(pattern).unwrap(), grants, place: format!("map:{pattern}").into() }
}

pub(crate) fn grants(read: &[&str], write: &[&str], admin: &[&str]) -> Grants {
    let list = |groups: &[&str]| groups.iter().map(|group| Arc::from(*group)).collect();
    Grants { read: list(read), write: list(write), admin: list(admin) }
}

impl Broker {
    pub(crate) fn new() -> Self {
        Self::with(Limits::default(), map(Vec::new()))
    }

    pub(crate) fn with(limits: Limits, map: Map) -> Self {
        let news = DurableNews::default();
        let (store, recovery) = Memory::manual(news.hook(|error| panic!("{error}")));
        Self::start(store, recovery, &news, limits, map)
    }

    fn start(store: Memory, recovery: Recovery, news: &DurableNews, limits: Limits, map: Map) -> Self {
        let store = Arc::new(store);
        let clock = Arc::new(AtomicU64::new(1_000_000));
        let jobs = Arc::new(Mutex::new(VecDeque::<Job>::new()));
        let audited = Arc::new(Mutex::new(Vec::new()));
        let (time, queue, log) = (Arc::clone(&clock), Arc::clone(&jobs), Arc::clone(&audited));
        let secret = AtomicU64::new(1);
        let parts = Parts {
            policy: Policy { epoch: 1, map },
            store: Arc::clone(&store) as _,
            recovery,
            limits: limits.clone(),
            shards: 3,
            spawn: Box::new(move |job| queue.lock().unwrap().push_back(job)),
            clock: Box::new(move || {
                let ms = time.load(Ordering::Relaxed);
                Now { mono_ms: ms, unix_ms: ms }
            }),
            entropy: Box::new(move || u128::from(secret.fetch_add(1, Ordering::Relaxed)) << 40),
            formats: FORMATS,
            audit: Audit::new(move |event| log.lock().unwrap().push(event)),
        };
        let (gate, faults) = Gate::open(parts, news);
        Self { gate, store, faults, audited, clock, jobs, pages: AtomicU64::new(0), limits }
    }

    /// Kills the broker and starts another one on what was durable.
    pub(crate) fn crash(self) -> Self {
        let news = DurableNews::default();
        let (store, recovery) = self.store.crashed(news.hook(|error| panic!("{error}")));
        Self::start(store, recovery, &news, self.limits.clone(), map(Vec::new()))
    }

    /// Everything that was committed becomes durable, every page is read.
    pub(crate) fn settle(&self) {
        loop {
            let job = self.jobs.lock().unwrap().pop_front();
            match job {
                Some(job) => {
                    self.pages.fetch_add(1, Ordering::Relaxed);
                    job();
                }
                None if self.store.complete(usize::MAX) == 0 => return,
                None => {}
            }
        }
    }

    pub(crate) fn pass(&self, ms: u64) {
        self.clock.fetch_add(ms, Ordering::Relaxed);
    }

    pub(crate) fn now(&self) -> u64 {
        self.clock.load(Ordering::Relaxed)
    }

    /// A connection of `admin`, who may do everything.
    pub(crate) fn admin(&self) -> Peer<'_> {
        self.login("admin", &["admins"], None)
    }

    pub(crate) fn login(&self, user: &str, groups: &[&str], client_id: Option<&str>) -> Peer<'_> {
        self.try_login(user, groups, client_id, false).unwrap()
    }

    pub(crate) fn try_login(
        &self,
        user: &str,
        groups: &[&str],
        client_id: Option<&str>,
        take_over: bool,
    ) -> Result<Peer<'_>, Refusal> {
        let mut client = self.gate.connect("127.0.0.1:1", &"test".into(), Box::new(|| {}));
        let principal = Arc::new(Principal::new(user, groups.iter().copied()));
        client.welcome(principal, client_id.map(Arc::from), take_over)?;
        let mut peer = Peer { broker: self, client, events: Vec::new(), next: 1 };
        assert!(matches!(peer.events()[..], [Event::Welcome(_)]));
        peer.events.clear();
        Ok(peer)
    }

    pub(crate) fn depth(&self, queue: &str) -> u64 {
        self.gate
            .queues()
            .iter()
            .find(|status| status.queue.name() == queue)
            .map_or(0, |status| status.waiting)
    }
}

/// A connection.
pub(crate) struct Peer<'a> {
    pub(crate) broker: &'a Broker,
    pub(crate) client: Client,
    pub(crate) events: Vec<Event>,
    next: u64,
}

pub(crate) fn queue(name: &str) -> Destination {
    Destination::queue(name).unwrap()
}

pub(crate) fn topic(name: &str) -> Destination {
    Destination::topic(name).unwrap()
}

pub(crate) fn message(destination: Destination, body: &str, durable: bool) -> Message {
    let native = Native {
        protocol: Protocol::Broker,
        layout: 0,
        head: Bytes::new(),
        body: Bytes::copy_from_slice(body.as_bytes()),
    };
    let mut envelope = Envelope::new(destination);
    envelope.durable = durable;
    Message::new(envelope, native)
}

pub(crate) fn publish(message: Message) -> Publish {
    Publish {
        tag: None,
        message: Arc::new(message),
        also: smallvec::SmallVec::default(),
        retain: Retain::No,
        tx: None,
        note: None,
    }
}

pub(crate) fn filter(pattern: &str) -> Filter {
    Filter {
        kind: Kind::Topic,
        pattern: Pattern::new(pattern).unwrap(),
        option: 0,
        keep: true,
        no_local: false,
        replay: Replay::Never,
        selector: None,
    }
}

pub(crate) fn attach(link: u32, source: Source) -> Attach {
    Attach {
        link: LinkId(link),
        tag: Tag(0),
        source,
        taking: Taking::Unsettled,
        credit: 100,
        refill: true,
        priority: 0,
        exclusive: false,
        selector: None,
        no_local: false,
    }
}

pub(crate) fn from_queue(pattern: &str) -> Source {
    Source::Queue { kind: Kind::Queue, pattern: Pattern::new(pattern).unwrap() }
}

pub(crate) fn body(delivery: &Delivery) -> String {
    String::from_utf8(delivery.message.native.body.to_vec()).unwrap()
}

impl Peer<'_> {
    /// What it was told since the last time, without waiting for the disk.
    pub(crate) fn events(&mut self) -> &mut Vec<Event> {
        self.client.flush();
        self.client.events(&mut self.events);
        self.client.events(&mut self.events);
        &mut self.events
    }

    pub(crate) fn say(&mut self, verb: Verb) {
        self.client.say(verb);
        self.client.flush();
    }

    pub(crate) fn tag(&mut self) -> Tag {
        self.next += 1;
        Tag(self.next)
    }

    /// Says a verb, lets the disk catch up, and returns the answer.
    pub(crate) fn ask(&mut self, verb: impl FnOnce(Tag) -> Verb) -> Result<Event, Refusal> {
        let tag = self.tag();
        self.say(verb(tag));
        self.broker.settle();
        self.answer(tag).unwrap_or_else(|| panic!("no answer among {:?}", self.events))
    }

    /// The answer to a tag, if it has come.
    pub(crate) fn answer(&mut self, wanted: Tag) -> Option<Result<Event, Refusal>> {
        self.events();
        let is_it = |event: &Event| match event {
            Event::Done { tag }
            | Event::Attached { tag, .. }
            | Event::Created { tag, .. }
            | Event::Prepared { tag, .. }
            | Event::InDoubt { tag, .. } => *tag == wanted,
            Event::Refused { tag, .. } => *tag == Some(wanted),
            _ => false,
        };
        let place = self.events.iter().position(is_it)?;
        Some(match self.events.remove(place) {
            Event::Refused { refusal, .. } => Err(refusal),
            event => Ok(event),
        })
    }

    pub(crate) fn send(
        &mut self,
        destination: Destination,
        body: &str,
        durable: bool,
    ) -> Result<(), Refusal> {
        self.ask(|tag| {
            Verb::Publish(Publish { tag: Some(tag), ..publish(message(destination, body, durable)) })
        })
        .map(drop)
    }

    pub(crate) fn attach(&mut self, attach: Attach) -> Result<Event, Refusal> {
        self.ask(|tag| Verb::Attach(Box::new(Attach { tag, ..attach })))
    }

    /// Consumes from a queue by link 1, holding what it gets.
    pub(crate) fn consume(&mut self, pattern: &str, credit: u32) {
        self.attach(Attach { credit, ..attach(1, from_queue(pattern)) }).unwrap();
    }

    pub(crate) fn subscribe(&mut self, link: u32, pattern: &str) -> Result<Event, Refusal> {
        self.attach(attach(link, Source::Subscription { filters: vec![filter(pattern)] }))
    }

    pub(crate) fn durable(
        &mut self,
        link: u32,
        client_id: &str,
        name: &str,
        pattern: &str,
    ) -> Result<Event, Refusal> {
        let name = SubscriptionName { client_id: client_id.into(), name: name.into() };
        self.attach(attach(link, Source::Durable { name, filters: Some(vec![filter(pattern)]) }))
    }

    /// The deliveries that have come.
    pub(crate) fn deliveries(&mut self) -> Vec<Delivery> {
        self.broker.settle();
        self.events();
        let mut deliveries = Vec::new();
        let mut others = Vec::new();
        for event in std::mem::take(&mut self.events) {
            match event {
                Event::Deliver(delivery) => deliveries.push(delivery),
                other => others.push(other),
            }
        }
        self.events = others;
        deliveries
    }

    /// The bodies of the deliveries that have come.
    pub(crate) fn bodies(&mut self) -> Vec<String> {
        self.deliveries().iter().map(body).collect()
    }

    pub(crate) fn settle(&mut self, link: u32, id: DeliveryId, outcome: Outcome) -> Result<(), Refusal> {
        self.settle_range(link, id.leg, id.number, id.number, outcome)
    }

    pub(crate) fn settle_range(
        &mut self,
        link: u32,
        leg: u32,
        from: u64,
        through: u64,
        outcome: Outcome,
    ) -> Result<(), Refusal> {
        self.ask(|tag| {
            let link = LinkId(link);
            Verb::Settle(Settle { link, leg, from, through, outcome, tx: None, tag: Some(tag), reason: None })
        })
        .map(drop)
    }

    pub(crate) fn detach(&mut self, link: u32) {
        self.ask(|tag| Verb::Detach { link: LinkId(link), tried: None, tag }).unwrap();
    }
}
