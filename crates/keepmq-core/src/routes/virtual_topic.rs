//! Virtual topics: what is sent to one is put into every queue that was made for it as well.
//!
//! The names are `ActiveMQ`'s defaults: the topic `VirtualTopic.X`, and a queue `Consumer.NAME.VirtualTopic.X` for each of the
//! applications that take from it. An application may have many consumers that way, and misses nothing while it has none.

use std::sync::Arc;

use hashbrown::HashMap;
use keepmq_model::{Destination, Kind};

use super::QueueEntry;

const TOPIC: &str = "VirtualTopic.";
const CONSUMER: &str = "Consumer.";

/// The topic that a queue was made for.
fn topic_of(queue: &Destination) -> Option<&str> {
    let name = queue.name().strip_prefix(CONSUMER).filter(|_| queue.kind() == Kind::Queue)?;
    let (_, topic) = name.split_once('.')?;
    (topic.len() > TOPIC.len() && topic.starts_with(TOPIC)).then_some(topic)
}

/// The queues of each virtual topic.
#[derive(Debug, Default)]
pub(crate) struct VirtualTopics(HashMap<String, Vec<(Destination, Arc<QueueEntry>)>>);

impl VirtualTopics {
    /// A queue came.
    pub(super) fn add(&mut self, queue: &Destination, entry: &Arc<QueueEntry>) {
        if let Some(topic) = topic_of(queue) {
            self.0.entry_ref(topic).or_default().push((queue.clone(), Arc::clone(entry)));
        }
    }

    /// A queue went.
    pub(super) fn remove(&mut self, queue: &Destination) {
        let Some(topic) = topic_of(queue) else { return };
        if let Some(queues) = self.0.get_mut(topic) {
            queues.retain(|(other, _)| other != queue);
            if queues.is_empty() {
                self.0.remove(topic);
            }
        }
    }

    /// The queues of a topic.
    pub(crate) fn queues(&self, topic: &Destination) -> &[(Destination, Arc<QueueEntry>)] {
        let is_one = topic.kind() == Kind::Topic && topic.name().starts_with(TOPIC);
        let queues = self.0.get(topic.name()).filter(|_| is_one);
        queues.map(Vec::as_slice).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queue_is_for_a_topic_by_its_name() {
        let of = |name: &str| topic_of(&Destination::queue(name).unwrap()).map(str::to_owned);
        assert_eq!(of("Consumer.a.VirtualTopic.orders.eu").as_deref(), Some("VirtualTopic.orders.eu"));
        for other in
            ["Consumer.a.b.VirtualTopic.x", "Consumer.VirtualTopic.x", "Consumer.a.VirtualTopic", "orders"]
        {
            assert_eq!(of(other), None, "{other}");
        }
        assert_eq!(topic_of(&Destination::topic("Consumer.a.VirtualTopic.x").unwrap()), None);
    }
}
