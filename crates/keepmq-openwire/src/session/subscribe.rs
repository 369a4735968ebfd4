//! Consumers come and go (section 4).

use std::collections::VecDeque;
use std::sync::Arc;

use keepmq_model::{
    Attach, Filter, Io, LinkId, Refusal, RefusalKind, Replay, Source, SubscriptionName, Taking, Verb,
};
use smallvec::SmallVec;

use super::answers::{About, Awaited};
use super::consumer::{Consumer, Holds, Pull};
use super::producer::too_many;
use super::window::Window;
use super::{Halt, Key, OpenWireSession};
use crate::codec::{
    Command, ConsumerControl, ConsumerId, ConsumerInfo, JavaText, RemoveInfo, RemoveSubscriptionInfo,
};
use crate::destination::{Part, parts};
use crate::refusal::{Subject, malformed, throwable, unknown};

/// Nothing is known of what the application saw.
const UNKNOWN: i64 = -2;

/// The first version that tells what the application saw.
const TELLS_LAST_SEEN: u8 = 5;

impl OpenWireSession {
    pub(super) fn add_consumer(
        &mut self,
        info: &ConsumerInfo,
        reply: Option<i32>,
        io: &mut Io<'_>,
    ) -> Result<(), Halt> {
        let id = info.consumer_id.as_ref();
        let key = id.map(|id| (id.session_id, id.value)).ok_or(malformed("the consumer has no id"))?;
        self.check_session(key.0, "consumer")?;
        if self.consumers.contains_key(&key) {
            self.respond(reply, io);
            return Ok(());
        }
        if self.consumers.len() >= self.options.limits.consumers {
            return Err(too_many("consumers").into());
        }
        if let Some(name) = info.subscription_name.as_ref().filter(|name| self.is_in_use(name)) {
            let client = self.client_id.as_deref().unwrap_or_default();
            let text =
                format!("Durable consumer is in use for client: {client} and subscriptionName: {name}");
            return Err(Refusal::new(RefusalKind::Conflict, text).into());
        }
        let (sources, counted) = self.sources(info)?;
        let prefetch =
            u32::try_from(info.prefetch_size).unwrap_or_default().min(self.options.limits.max_prefetch);
        let id = ConsumerId { connection_id: self.connection.clone(), session_id: key.0, value: key.1 };
        let mut consumer = Consumer {
            id,
            links: SmallVec::new(),
            opening: sources.len(),
            reply,
            window: Window::new(prefetch),
            subscription: info.subscription_name.as_ref().map(|name| name.to_str().into()),
            holds: if counted { Holds::Counted(0) } else { Holds::Listed(VecDeque::new()) },
            pull: Pull::None,
        };
        for (source, taking) in sources {
            self.next_link = self.next_link.wrapping_add(1);
            let link = LinkId(self.next_link);
            self.links.insert(link, key);
            consumer.links.push(link);
            let tag = self.answers.expect(Awaited::Link(key));
            let selector = selector(info).filter(|_| matches!(source, Source::Queue { .. }));
            io.say.push(Verb::Attach(Box::new(Attach {
                link,
                tag,
                source,
                taking,
                credit: prefetch,
                refill: false,
                priority: info.priority,
                exclusive: info.exclusive,
                selector,
                no_local: false,
            })));
        }
        self.consumers.insert(key, consumer);
        Ok(())
    }

    /// What a consumer takes from, and whether its messages are only counted: each queue by itself, all topics together.
    fn sources(&self, info: &ConsumerInfo) -> Result<(Vec<(Source, Taking)>, bool), Refusal> {
        let destination = info.destination.as_ref().ok_or(malformed("the consumer has no destination"))?;
        let parts = parts(destination, self.options.limits.parts)?;
        let (queues, topics): (Vec<Part>, Vec<Part>) =
            parts.into_iter().partition(|part| part.kind.is_queue());
        let mixed = !queues.is_empty() && !topics.is_empty();
        if mixed || (info.subscription_name.is_some() && !queues.is_empty()) {
            let text = "one consumer can't take from queues and topics, nor durably from a queue";
            return Err(Refusal::new(RefusalKind::Unsupported, text));
        }
        if !queues.is_empty() {
            let taking = if info.browser { Taking::Browse } else { Taking::Unsettled };
            let source = |part: Part| (Source::Queue { kind: part.kind, pattern: part.pattern }, taking);
            return Ok((queues.into_iter().map(source).collect(), info.browser));
        }
        let filter = |part: Part| Filter {
            kind: part.kind,
            pattern: part.pattern,
            option: 0,
            keep: true,
            no_local: info.no_local,
            replay: Replay::IfNew,
            selector: selector(info),
        };
        let filters: Vec<Filter> = topics.into_iter().map(filter).collect();
        match &info.subscription_name {
            None => Ok((vec![(Source::Subscription { filters }, Taking::Settled)], true)),
            Some(name) => {
                let name = self.subscription(name)?;
                Ok((vec![(Source::Durable { name, filters: Some(filters) }, Taking::Unsettled)], false))
            }
        }
    }

    /// Whether a consumer of this connection takes from the durable subscription. Another connection can't have the same
    /// client id.
    fn is_in_use(&self, name: &JavaText) -> bool {
        let name = name.to_str();
        self.consumers.values().any(|consumer| consumer.subscription.as_deref() == Some(&*name))
    }

    fn subscription(&self, name: &JavaText) -> Result<SubscriptionName, Refusal> {
        let name = name.to_str();
        if name.len() > self.options.limits.id {
            return Err(Refusal::new(RefusalKind::TooLarge, "the subscription's name is too long"));
        }
        let client_id =
            self.client_id.clone().ok_or(malformed("a durable subscription needs a client id"))?;
        Ok(SubscriptionName { client_id, name: Arc::from(&*name) })
    }

    /// One of a consumer's links is open.
    pub(super) fn opened(&mut self, key: Key, io: &mut Io<'_>) {
        let Some(consumer) = self.consumers.get_mut(&key) else { return };
        consumer.opening = consumer.opening.saturating_sub(1);
        if consumer.opening == 0 {
            let reply = consumer.reply.take();
            self.respond(reply, io);
        }
    }

    /// One of a consumer's links was refused, and with it the consumer.
    pub(super) fn not_opened(&mut self, key: Key, refusal: &Refusal, io: &mut Io<'_>) {
        let Some(consumer) = self.drop_consumer(key, UNKNOWN, io) else { return };
        self.tell(&throwable(refusal, &Subject::Other), consumer.reply, io);
    }

    /// The broker closed a link: the client is told why, and that its consumer is closed.
    pub(super) fn lost_link(&mut self, link: LinkId, refusal: &Refusal, io: &mut Io<'_>) {
        let Some(key) = self.links.remove(&link) else { return };
        let Some(consumer) = self.drop_consumer(key, UNKNOWN, io) else { return };
        self.tell(&throwable(refusal, &Subject::Other), None, io);
        let control =
            ConsumerControl { consumer_id: Some(consumer.id), close: true, ..ConsumerControl::default() };
        self.format.encode(&Command::ConsumerControl(Box::new(control)), io.out);
    }

    /// Forgets a consumer. What its application never saw goes back as if nothing had happened, the rest counts as tried.
    fn drop_consumer(&mut self, key: Key, last_seen: i64, io: &mut Io<'_>) -> Option<Consumer> {
        let consumer = self.consumers.remove(&key)?;
        for link in &consumer.links {
            self.links.remove(link);
            let tag = self.answers.expect(Awaited::Quiet);
            io.say.push(Verb::Detach { link: *link, tried: consumer.tried(*link, last_seen), tag });
        }
        Some(consumer)
    }

    pub(super) fn remove(
        &mut self,
        info: &RemoveInfo,
        reply: Option<i32>,
        io: &mut Io<'_>,
    ) -> Result<(), Halt> {
        let tells = self.format.version() >= TELLS_LAST_SEEN;
        let last_seen = if tells { info.last_delivered_sequence_id } else { UNKNOWN };
        match info.object_id.as_deref() {
            Some(Command::ConsumerId(id)) => {
                let key = (id.session_id, id.value);
                if self.drop_consumer(key, last_seen, io).is_none() {
                    let text =
                        format!("Cannot remove a consumer that had not been registered: {}", shown(id));
                    return Err(unknown(text).into());
                }
            }
            Some(Command::ProducerId(id)) => {
                self.drop_producers(|key| key == (id.session_id, id.value), io);
            }
            Some(Command::SessionId(id)) => self.drop_session(id.value, last_seen, io),
            Some(Command::ConnectionId(_)) => {
                for session in std::mem::take(&mut self.sessions) {
                    self.drop_session(session, last_seen, io);
                }
                self.abandon_transactions(io);
            }
            _ => {
                return Err(
                    malformed("only connections, sessions, producers and consumers are removed so").into()
                );
            }
        }
        self.respond(reply, io);
        Ok(())
    }

    fn drop_session(&mut self, session: i64, last_seen: i64, io: &mut Io<'_>) {
        self.sessions.retain(|other| *other != session);
        self.drop_producers(|(of, _)| of == session, io);
        let mut keys: Vec<Key> = self.consumers.keys().filter(|(of, _)| *of == session).copied().collect();
        keys.sort_unstable();
        for key in keys {
            self.drop_consumer(key, last_seen, io);
        }
    }

    /// A durable subscription ends (section 9). Its client is always the connection's own.
    pub(super) fn remove_subscription(
        &mut self,
        info: &RemoveSubscriptionInfo,
        reply: Option<i32>,
        io: &mut Io<'_>,
    ) -> Result<(), Halt> {
        let name = info.subscription_name.as_ref().ok_or(malformed("the subscription has no name"))?;
        if self.is_in_use(name) {
            return Err(Refusal::new(RefusalKind::Conflict, "Durable consumer is in use").into());
        }
        let name = self.subscription(name)?;
        let about = About::Subscription((&*name.client_id).into(), (&*name.name).into());
        let tag = self.expect(reply, about);
        io.say.push(Verb::Forget { name, tag });
        Ok(())
    }

    /// The client changes a consumer's prefetch: a failover client begins with 0 (section 6).
    pub(super) fn control_consumer(
        &mut self,
        control: &ConsumerControl,
        reply: Option<i32>,
        io: &mut Io<'_>,
    ) {
        let key = control.consumer_id.as_ref().map(|id| (id.session_id, id.value));
        if let Some(consumer) = key.and_then(|key| self.consumers.get_mut(&key)) {
            let prefetch = u32::try_from(control.prefetch).unwrap_or_default();
            let credit = consumer.window.resize(prefetch.min(self.options.limits.max_prefetch));
            let grants = consumer.links.iter().filter(|_| credit > 0);
            io.say.extend(grants.map(|link| Verb::Grant { link: *link, credit }));
        }
        self.respond(reply, io);
    }
}

fn selector(info: &ConsumerInfo) -> Option<Arc<str>> {
    let selector = info.selector.as_ref().filter(|selector| !selector.is_empty())?;
    Some(Arc::from(&*selector.to_str()))
}

fn shown(id: &ConsumerId) -> String {
    let connection = id.connection_id.as_ref().map(ToString::to_string).unwrap_or_default();
    format!("{connection}:{}:{}", id.session_id, id.value)
}
