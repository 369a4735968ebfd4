//! Subscriptions ("SUBSCRIBE" and "UNSUBSCRIBE" in each version), with ActiveMQ's headers.

use std::sync::Arc;

use bytes::BytesMut;
use keepmq_model::{
    Attach, Filter, Io, Kind, LinkId, Pattern, Refusal, RefusalKind, Replay, Source, SubscriptionName,
    Taking, Verb,
};

use super::answers::Awaited;
use super::heartbeat::digits;
use super::link::{Link, Mode};
use super::send::truth;
use super::{Halt, StompSession};
use crate::codec::{Command, Frame, Version, put_head, put_header};
use crate::limits::Limits;
use crate::refusal::{conflict, malformed, not_found, shown, unsupported};

/// The ways in which clients spell the name of a durable subscription. The second is a misspelling that old ActiveMQ
/// versions asked for.
const DURABLE: [&str; 3] =
    ["activemq.subscriptionName", "activemq.subcriptionName", "durable-subscription-name"];

/// What a SUBSCRIBE frame asks for besides its destination.
struct Wishes {
    ack: Ack,
    browse: bool,
    selector: Option<Arc<str>>,
    window: u32,
    exclusive: bool,
    priority: i8,
    no_local: bool,
    replay: Replay,
    durable: Option<SubscriptionName>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Ack {
    Auto,
    Client,
    Individual,
}

impl Ack {
    fn read(text: Option<&str>) -> Result<Self, Refusal> {
        match text {
            None | Some("auto") => Ok(Self::Auto),
            Some("client") => Ok(Self::Client),
            Some("client-individual") => Ok(Self::Individual),
            Some(other) => {
                Err(malformed(format!("ack is auto, client or client-individual, not {}", shown(other))))
            }
        }
    }
}

impl Wishes {
    fn read(frame: &Frame, limits: &Limits) -> Result<Self, Refusal> {
        let is = |name: &str| frame.get(name).map_or(Ok(false), |value| truth(name, value));
        let selector = frame.get("selector").filter(|selector| !selector.trim().is_empty());
        Ok(Self {
            ack: Ack::read(frame.get("ack"))?,
            browse: is("browser")?,
            selector: selector.map(Into::into),
            window: window(frame.get("activemq.prefetchSize"), limits)?,
            exclusive: is("activemq.exclusive")?,
            priority: priority(frame.get("activemq.priority"))?,
            no_local: is("activemq.noLocal")? || is("no-local")?,
            replay: replay(frame.get("activemq.retroactive"))?,
            durable: None,
        })
    }

    fn taking(&self, kind: Kind) -> Taking {
        match self.mode(kind) {
            Mode::Browse { .. } => Taking::Browse,
            Mode::Handed => Taking::Settled,
            Mode::Auto | Mode::Client | Mode::Individual => Taking::Unsettled,
        }
    }

    /// What a plain topic subscription misses is lost in any case, so with `ack:auto` the broker need not wait for it.
    fn mode(&self, kind: Kind) -> Mode {
        match self.ack {
            _ if self.browse => Mode::Browse { ack: self.ack != Ack::Auto },
            Ack::Auto if kind.is_queue() || self.durable.is_some() => Mode::Auto,
            Ack::Auto => Mode::Handed,
            Ack::Client => Mode::Client,
            Ack::Individual => Mode::Individual,
        }
    }

    /// What does not go together.
    fn check(&self, kind: Kind) -> Result<(), Refusal> {
        if self.browse && !kind.is_queue() {
            return Err(unsupported("browsing a topic; only queues keep messages to look at"));
        }
        if self.durable.is_some() && kind != Kind::Topic {
            return Err(unsupported(
                "a durable subscription to anything but a topic; a queue keeps its messages anyway",
            ));
        }
        Ok(())
    }

    /// Selectors of topics belong to the subscription: what does not match is never kept for it.
    fn source(&self, kind: Kind, pattern: Pattern) -> Source {
        if kind.is_queue() {
            return Source::Queue { kind, pattern };
        }
        let filters = vec![Filter {
            kind,
            pattern,
            option: 0,
            keep: self.durable.is_some(),
            no_local: self.no_local,
            replay: self.replay,
            selector: self.selector.clone(),
        }];
        match &self.durable {
            Some(name) => Source::Durable { name: name.clone(), filters: Some(filters) },
            None => Source::Subscription { filters },
        }
    }
}

fn window(text: Option<&str>, limits: &Limits) -> Result<u32, Refusal> {
    let most = limits.max_prefetch.max(1);
    let Some(text) = text else {
        return Ok(limits.prefetch.clamp(1, most));
    };
    let wish = digits(text.trim()).ok_or_else(|| {
        malformed(format!("activemq.prefetchSize is a plain whole number, not {}", shown(text)))
    })?;
    Ok(u32::try_from(wish).unwrap_or(u32::MAX).clamp(1, most))
}

fn priority(text: Option<&str>) -> Result<i8, Refusal> {
    let Some(text) = text else {
        return Ok(0);
    };
    let wish: i64 = text
        .trim()
        .parse()
        .map_err(|_| malformed(format!("activemq.priority is a whole number, not {}", shown(text))))?;
    Ok(i8::try_from(wish).unwrap_or(if wish > 0 { i8::MAX } else { i8::MIN }))
}

/// A new subscription gets retained messages unless it says that it does not want them.
fn replay(retroactive: Option<&str>) -> Result<Replay, Refusal> {
    match retroactive {
        Some(text) if !truth("activemq.retroactive", text)? => Ok(Replay::Never),
        _ => Ok(Replay::IfNew),
    }
}

impl StompSession {
    pub(super) fn subscribe(&mut self, frame: &Frame, io: &mut Io<'_>) -> Result<(), Halt> {
        let destination =
            frame.get("destination").ok_or_else(|| malformed("SUBSCRIBE needs a destination header"))?;
        let name = self.new_name(frame, destination)?;
        let (kind, pattern) = self.names.pattern(destination)?;
        let mut wishes = Wishes::read(frame, &self.options.limits)?;
        wishes.durable = self.durable_name(frame)?;
        wishes.check(kind)?;
        let receipt = self.receipt(frame)?;
        let id = self.links.next_id().ok_or_else(too_many)?;
        let mut link = Link::new(id, name, wishes.mode(kind), wishes.window);
        link.is_fixed = !pattern.is_wild();
        link.opening = self.opening(frame.get("id"), kind, &pattern);
        link.durable = wishes.durable.clone().map(Box::new);
        self.links.add(link);
        let tag = self.answers.expect(Awaited::Link(id, receipt));
        let taking = wishes.taking(kind);
        io.say.push(Verb::Attach(Box::new(Attach {
            link: id,
            tag,
            source: wishes.source(kind, pattern),
            taking,
            credit: wishes.window,
            refill: taking == Taking::Unsettled,
            priority: wishes.priority,
            exclusive: wishes.exclusive,
            selector: wishes.selector.filter(|_| kind.is_queue()),
            no_local: wishes.no_local && kind.is_queue(),
        })));
        Ok(())
    }

    /// The client's word for a new subscription: its id, and in 1.0, where that may be absent, its destination.
    fn new_name(&self, frame: &Frame, destination: &str) -> Result<Box<str>, Refusal> {
        if self.links.len() >= self.options.limits.subscriptions {
            return Err(too_many());
        }
        let name = match frame.get("id") {
            Some(id) => self.id("subscription id", id)?,
            None if self.version == Version::V1_0 => destination.into(),
            None => return Err(malformed("SUBSCRIBE needs an id header since STOMP 1.1")),
        };
        if self.links.named(&name).is_some() {
            return Err(conflict(format!("there is a subscription {} in this connection", shown(&name))));
        }
        Ok(name)
    }

    fn durable_name(&self, frame: &Frame) -> Result<Option<SubscriptionName>, Refusal> {
        let Some(name) = DURABLE.iter().find_map(|spelling| frame.get(spelling)) else {
            return Ok(None);
        };
        if name.is_empty() {
            return Err(malformed("the name of a durable subscription is empty"));
        }
        let name = self.id("subscription name", name)?;
        let client_id = self.client_id.clone().ok_or_else(|| {
            unsupported("a durable subscription without a client-id header on the CONNECT frame")
        })?;
        Ok(Some(SubscriptionName { client_id, name: name.into() }))
    }

    /// How each MESSAGE frame of a subscription begins.
    fn opening(&self, id: Option<&str>, kind: Kind, pattern: &Pattern) -> Box<[u8]> {
        let mut out = BytesMut::new();
        put_head(&mut out, Command::Message);
        if let Some(id) = id {
            put_header(&mut out, "subscription", id, self.version);
        }
        if let Some(destination) = pattern.concrete(kind) {
            out.extend_from_slice(b"destination:");
            self.names.put(&mut out, &destination, self.version);
            out.extend_from_slice(b"\n");
        }
        out.as_ref().into()
    }

    pub(super) fn unsubscribe(&mut self, frame: &Frame, io: &mut Io<'_>) -> Result<(), Halt> {
        let durable = self.durable_name(frame)?;
        let receipt = self.receipt(frame)?;
        let link = self.unwanted(frame, durable.as_ref())?;
        let group = self.answers.group(usize::from(link.is_some()) + usize::from(durable.is_some()), receipt);
        if let Some(link) = link {
            // What was written is settled before the rest goes back.
            self.links.settle_gathered(io.say);
            self.links.remove(link);
            let tag = self.answers.expect(Awaited::Group(group));
            io.say.push(Verb::Detach { link, tried: None, tag });
        }
        if let Some(name) = durable {
            let tag = self.answers.expect(Awaited::Group(group));
            io.say.push(Verb::Forget { name, tag });
        }
        Ok(())
    }

    /// The link that an UNSUBSCRIBE frame speaks of. A durable subscription may have none in this connection.
    fn unwanted(&self, frame: &Frame, durable: Option<&SubscriptionName>) -> Result<Option<LinkId>, Refusal> {
        let name = match frame.get("id") {
            Some(id) => Some(id),
            None if self.version == Version::V1_0 => frame.get("destination"),
            None => None,
        };
        if name.is_none() && durable.is_none() {
            return Err(malformed("UNSUBSCRIBE needs the id header of a subscription"));
        }
        let link = name.and_then(|name| self.links.named(name));
        match (link, durable) {
            (Some(link), _) => Ok(Some(link)),
            (None, Some(durable)) => Ok(self.links.find(|link| link.durable.as_deref() == Some(durable))),
            (None, None) => {
                let name = shown(name.unwrap_or_default());
                Err(not_found(format!("there is no subscription {name} in this connection")))
            }
        }
    }
}

fn too_many() -> Refusal {
    Refusal::new(RefusalKind::Busy, "the connection has as many subscriptions as it may have")
}
