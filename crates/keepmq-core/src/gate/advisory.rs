//! Telling of what happens to the broker, on ActiveMQ's advisory topics.
//!
//! The topics are the broker's own: nobody needs the right to create them, and the map decides who reads them. Advisories
//! cause no advisories.

use std::sync::Arc;

use keepmq_model::{Advisory, Destination, Envelope, Filter, Kind, Message, Principal, Refusal, RefusalKind};
use keepmq_policy::{Admin, Move, Permit, Write, decide_internal, decide_pattern};

use super::Gate;
use super::client::{Ask, Client};
use crate::routes::{RouteTarget, Topic};
use crate::shard::{Input, LineKey};

impl Gate {
    /// A topic that is the broker's own: made when it does not exist, never stored, ended by no connection.
    pub(super) fn ensure_own_topic(&self, permit: &Permit<Admin>) -> Option<Arc<Topic>> {
        if let Some(topic) = self.directory.read().topics.get(permit.destination()) {
            return Some(Arc::clone(topic));
        }
        // Owned by no connection that exists.
        self.ensure_topic(permit, Some(0)).ok()
    }

    /// An advisory topic that somebody wants to read.
    pub(super) fn advisory_topic(&self, topic: &Destination) -> Result<Arc<Topic>, Refusal> {
        let full = || Refusal::new(RefusalKind::Busy, "the limit on destinations is reached");
        if self.directory.read().len() >= self.shell.limits.destinations {
            return Err(full());
        }
        let permit = decide_internal(Move::Advisory, topic);
        permit.and_then(|permit| self.ensure_own_topic(&permit)).ok_or_else(full)
    }

    /// Tells that a destination was made or removed.
    pub(super) fn advise_of(&self, destination: &Destination, added: bool) {
        if Advisory::is_topic(destination) {
            return;
        }
        let advisory = Advisory::Destination { destination: destination.clone(), added };
        let Ok(topic) = Destination::topic(advisory.topic()) else { return };
        if !self.is_read(&topic) {
            return;
        }
        let create = decide_internal(Move::Advisory, &topic);
        let Some(route) =
            create.and_then(|permit| self.ensure_own_topic(&permit)).map(|topic| self.route(&topic))
        else {
            return;
        };
        for shard in route.shards() {
            let Some(permit) = decide_internal::<Write>(Move::Advisory, &topic) else { return };
            let message = self.advisory_message(&advisory, &topic);
            let fan = Input::Fan { route: Arc::clone(&route), permit, message, from: 0 };
            let (_, after) = self.shell.run(shard, [fan], self.now(), drop);
            self.finish(after);
        }
    }

    fn is_read(&self, topic: &Destination) -> bool {
        let mut is_read = false;
        self.directory.read().filters(topic.kind()).visit_subscribed(topic.name(), |_| is_read = true);
        is_read
    }

    fn advisory_message(&self, advisory: &Advisory, topic: &Destination) -> Arc<Message> {
        let mut envelope = Envelope::new(topic.clone());
        envelope.id = self.next_message_id();
        envelope.timestamp_ms = self.now().unix_ms;
        envelope.priority = 0;
        let mut message = Message::new(envelope, advisory.native());
        message.charge(&self.shell.meter);
        Arc::new(message)
    }

    /// The destinations whose making this topic tells of, as they are now.
    fn told_by(&self, topic: &Destination) -> Vec<Destination> {
        let kinds = [Kind::Queue, Kind::Topic, Kind::TempQueue, Kind::TempTopic];
        let Some(kind) = kinds.into_iter().find(|kind| Advisory::topic_of(*kind) == topic.name()) else {
            return Vec::new();
        };
        let directory = self.directory.read();
        let known: Vec<Destination> = if kind.is_queue() {
            directory.queues.keys().filter(|queue| queue.kind() == kind).cloned().collect()
        } else {
            directory.topics.keys().filter(|topic| topic.kind() == kind).cloned().collect()
        };
        known.into_iter().filter(|destination| !Advisory::is_topic(destination)).collect()
    }
}

impl Client {
    /// A new reader of an advisory topic is told what is there already: clients must know of temporary destinations
    /// that were made before they came, or they refuse to answer to them.
    pub(super) fn replay_advisories(&mut self, line: LineKey, filter: &Filter, who: &Arc<Principal>) {
        let Some(topic) = filter.pattern.concrete(filter.kind).filter(Advisory::is_topic) else { return };
        let known = self.gate.told_by(&topic);
        let Ok(reader) = decide_pattern(&self.gate.policy.load_full(), who, filter.kind, &filter.pattern)
        else {
            return;
        };
        for destination in known {
            let Some(permit) = reader.permit(&topic) else { return };
            let advisory = Advisory::Destination { destination, added: true };
            let message = self.gate.advisory_message(&advisory, &topic);
            let target = RouteTarget::new(line, permit, (false, false), None);
            self.push(line.shard, Input::Replay { target: Box::new(target), message }, Ask::Nothing);
        }
    }
}
