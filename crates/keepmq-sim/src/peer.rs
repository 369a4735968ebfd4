//! A simulated connection.

use std::sync::Arc;

use bytes::Bytes;
use keepmq_core::Client;
use keepmq_model::{
    Attach, DeliveryId, Destination, Envelope, Event, Filter, Kind, LinkId, Message, Native, Pattern,
    Principal, Protocol, Publish, Replay, Retain, Source, SubscriptionName, Tag, Taking, TxId, Verb,
};

use crate::oracle::Line;
use crate::world::World;

/// Something that a peer was handed and has not settled.
#[derive(Clone, Debug)]
pub(crate) struct Holding {
    pub(crate) link: LinkId,
    pub(crate) id: DeliveryId,
    pub(crate) message: u64,
    pub(crate) line: Line,
}

/// An open link.
#[derive(Clone, Debug)]
pub(crate) struct OpenLink {
    pub(crate) link: LinkId,
    /// What it takes from; a link by wildcard takes from many queues.
    pub(crate) line: Option<Line>,
    /// The kind of messages that it wants; all when absent.
    pub(crate) kind: Option<u64>,
    pub(crate) credit: u32,
}

/// A connection.
pub(crate) struct Peer {
    pub(crate) number: u64,
    pub(crate) client: Client,
    pub(crate) client_id: Option<String>,
    pub(crate) links: Vec<OpenLink>,
    pub(crate) held: Vec<Holding>,
    pub(crate) transaction: Option<TxId>,
    /// The broker holds back what it sends.
    pub(crate) slowed: bool,
    next: u32,
}

impl Peer {
    pub(crate) fn new(world: &World, client_id: Option<String>) -> Option<Self> {
        let mut client = world.gate.connect("sim", &"sim".into(), Box::new(|| {}));
        let who = Arc::new(Principal::new("sim", ["all"]));
        client.welcome(who, client_id.as_deref().map(Arc::from), true).ok()?;
        let number = client.number();
        let (links, held) = (Vec::new(), Vec::new());
        Some(Self { number, client, client_id, links, held, transaction: None, slowed: false, next: 0 })
    }

    pub(crate) fn say(&mut self, verb: Verb) {
        self.client.say(verb);
        self.client.flush();
    }

    pub(crate) fn next(&mut self) -> u32 {
        self.next += 1;
        self.next
    }

    pub(crate) fn events(&mut self) -> Vec<Event> {
        let mut events = Vec::new();
        self.client.flush();
        self.client.events(&mut events);
        events
    }

    /// Opens a link with a credit.
    pub(crate) fn attach(&mut self, source: Source, credit: u32, line: Option<Line>) {
        self.attach_for(source, credit, line, None);
    }

    /// Opens a link that wants messages of one kind only.
    pub(crate) fn attach_for(&mut self, source: Source, credit: u32, line: Option<Line>, kind: Option<u64>) {
        let link = LinkId(self.next());
        self.links.push(OpenLink { link, line, kind, credit });
        self.say(Verb::Attach(Box::new(Attach {
            link,
            tag: Tag(0),
            source,
            taking: Taking::Unsettled,
            credit,
            refill: true,
            priority: 0,
            exclusive: false,
            selector: kind.map(|kind| format!("kind = {kind}").into()),
            no_local: false,
        })));
    }

    /// The kind of messages that a link wants; all when absent.
    pub(crate) fn kind_of(&self, link: LinkId) -> Option<u64> {
        self.links.iter().find(|open| open.link == link)?.kind
    }

    pub(crate) fn line_of(&self, link: LinkId, message: &Message) -> Option<Line> {
        let open = self.links.iter().find(|open| open.link == link)?;
        let queue = || Line::queue(message.envelope.destination.name());
        Some(open.line.clone().unwrap_or_else(queue))
    }
}

pub(crate) fn queue_source(pattern: &str) -> Option<Source> {
    Some(Source::Queue { kind: Kind::Queue, pattern: Pattern::new(pattern).ok()? })
}

fn filter(pattern: &str) -> Option<Filter> {
    Some(Filter {
        kind: Kind::Topic,
        pattern: Pattern::new(pattern).ok()?,
        option: 0,
        keep: true,
        no_local: false,
        replay: Replay::Never,
        selector: None,
    })
}

pub(crate) fn passing_source(pattern: &str) -> Option<Source> {
    Some(Source::Subscription { filters: vec![filter(pattern)?] })
}

pub(crate) fn durable_source(client_id: &str, pattern: &str) -> Option<Source> {
    let name = SubscriptionName { client_id: client_id.into(), name: "s".into() };
    Some(Source::Durable { name, filters: Some(vec![filter(pattern)?]) })
}

/// A message that carries its number.
pub(crate) fn publish(
    destination: Destination,
    number: u64,
    durable: bool,
    priority: u8,
    expires_ms: u64,
) -> Publish {
    let body = Bytes::copy_from_slice(&number.to_le_bytes());
    let native = Native { protocol: Protocol::Broker, layout: 0, head: Bytes::new(), body };
    let envelope = Envelope { durable, priority, expires_ms, ..Envelope::new(destination) };
    Publish {
        tag: None,
        message: Arc::new(Message::new(envelope, native)),
        also: smallvec::SmallVec::default(),
        retain: Retain::No,
        tx: None,
        note: None,
    }
}

/// The number that a message carries.
pub(crate) fn number_of(message: &Message) -> Option<u64> {
    Some(u64::from_le_bytes(*message.native.body.first_chunk()?))
}
