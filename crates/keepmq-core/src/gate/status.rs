//! What the broker tells about itself, and the status topics that it writes.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use keepmq_model::{Destination, Envelope, Message, Native, Protocol};
use keepmq_policy::{Move, Write, decide_internal};
use keepmq_store::Usage;

use super::Gate;
use crate::shard::{Counts, Input, Line, Role};

/// Numbers of the whole broker.
#[derive(Clone, Copy, Debug, Default)]
pub struct Status {
    /// Connections, those that are not logged in yet included.
    pub connections: u64,
    /// Open links.
    pub links: u64,
    /// Queues that exist.
    pub queues: u64,
    /// Topics that exist.
    pub topics: u64,
    /// Subscriptions that stay.
    pub durable_subscriptions: u64,
    /// Messages that topics keep for later subscribers.
    pub retained: u64,
    /// Messages that came, since the start.
    pub published: u64,
    /// Messages that were handed out, since the start.
    pub delivered: u64,
    /// Requests that the map did not grant, since the start.
    pub denials: u64,
    /// Bytes of the messages in memory.
    pub memory_bytes: u64,
    /// What the store holds.
    pub store: Usage,
}

/// Numbers of one queue.
#[derive(Clone, Debug)]
pub struct LineStatus {
    /// The queue.
    pub queue: Destination,
    /// Messages that wait.
    pub waiting: u64,
    /// Messages that consumers hold.
    pub held: u64,
    /// Consumers.
    pub consumers: usize,
    /// Counts since the start.
    pub counts: Counts,
}

impl Gate {
    /// Numbers of the whole broker.
    pub fn status(&self) -> Status {
        let (queues, topics, named) = {
            let directory = self.directory.read();
            (directory.queues.len(), directory.topics.len(), directory.named.len())
        };
        let retained: usize = self.shell.shards().map(|shard| shard.lock().retained.len()).sum();
        Status {
            connections: self.clients.load(Ordering::Relaxed),
            links: self.registry.lock().len() as u64,
            queues: queues as u64,
            topics: topics as u64,
            durable_subscriptions: named as u64,
            retained: retained as u64,
            published: self.shell.totals.published.load(Ordering::Relaxed),
            delivered: self.shell.totals.delivered.load(Ordering::Relaxed),
            denials: self.denials.load(Ordering::Relaxed),
            memory_bytes: self.shell.meter.bytes(),
            store: self.shell.store.usage(),
        }
    }

    /// Numbers of each queue.
    pub fn queues(&self) -> Vec<LineStatus> {
        let mut queues = Vec::new();
        for shard in self.shell.shards() {
            queues.extend(shard.lock().lines().filter_map(queue_status));
        }
        queues.sort_by(|a, b| a.queue.cmp(&b.queue));
        queues
    }

    /// Writes a status topic (`$SYS…`), which keeps its last value in memory. Only the map decides who reads it.
    pub fn publish_status(&self, name: &str, value: String) {
        let Ok(destination) = Destination::topic(name) else {
            return;
        };
        let create = decide_internal(Move::Status, &destination);
        let topic = create.and_then(|permit| self.ensure_own_topic(&permit));
        let (Some(topic), Some(permit)) = (topic, decide_internal::<Write>(Move::Status, &destination))
        else {
            return;
        };
        let native =
            Native { protocol: Protocol::Broker, layout: 0, head: Bytes::new(), body: Bytes::from(value) };
        let mut envelope = Envelope::new(destination);
        envelope.id = self.next_message_id();
        envelope.timestamp_ms = self.now().unix_ms;
        let message = Arc::new(Message::new(envelope, native));
        let keep =
            Input::Retain { permit: permit.clone(), message: Some(Arc::clone(&message)), store: false };
        let (_, after) = self.shell.run(self.shell.shard_for(topic.id), [keep], self.now(), drop);
        self.finish(after);
        let route = self.route(&topic);
        for shard in route.shards() {
            let (route, permit, message) = (Arc::clone(&route), permit.clone(), Arc::clone(&message));
            let fan = Input::Fan { route, permit, message, from: 0 };
            let (_, after) = self.shell.run(shard, [fan], self.now(), drop);
            self.finish(after);
        }
    }
}

fn queue_status(line: &Line) -> Option<LineStatus> {
    let Role::Queue(queue) = &line.role else {
        return None;
    };
    let held: usize = line.takers.iter().map(|taker| taker.held.len()).sum();
    Some(LineStatus {
        queue: queue.clone(),
        waiting: line.backlog.len() + line.count_parked() as u64,
        held: (held + line.leaving + line.count_locked()) as u64,
        consumers: line.takers.len(),
        counts: line.counts,
    })
}
