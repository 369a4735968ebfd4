//! The status topics: what MQTT users look for under `$SYS/broker/`.

use std::sync::Arc;

use keepmq_core::{Gate, Status};

/// Writes the status topics from time to time. Who reads them the map decides.
#[derive(Debug)]
pub struct StatusTopics {
    gate: Arc<Gate>,
    started_ms: u64,
}

impl StatusTopics {
    /// For a broker that was started at this time of the monotonic clock, in milliseconds.
    pub fn new(gate: Arc<Gate>, started_ms: u64) -> Self {
        Self { gate, started_ms }
    }

    /// Writes them all.
    pub fn write(&self, mono_ms: u64) {
        let uptime = mono_ms.saturating_sub(self.started_ms) / 1000;
        let version = concat!("KeepMQ ", env!("CARGO_PKG_VERSION")).to_owned();
        self.gate.publish_status("$SYS.broker.version", version);
        self.gate.publish_status("$SYS.broker.uptime", format!("{uptime} seconds"));
        for (name, value) in topics(&self.gate.status()) {
            self.gate.publish_status(name, value.to_string());
        }
    }
}

/// The numbers by their topics. Mosquitto's names, where it has one for the same thing.
fn topics(status: &Status) -> [(&'static str, u64); 10] {
    [
        ("$SYS.broker.clients.connected", status.connections),
        ("$SYS.broker.messages.received", status.published),
        ("$SYS.broker.messages.sent", status.delivered),
        ("$SYS.broker.messages.stored", status.store.records),
        ("$SYS.broker.subscriptions.count", status.links),
        ("$SYS.broker.retained messages.count", status.retained),
        ("$SYS.broker.queues.count", status.queues),
        ("$SYS.broker.topics.count", status.topics),
        ("$SYS.broker.denials.count", status.denials),
        ("$SYS.broker.memory.bytes", status.memory_bytes),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_topic_is_below_the_hidden_root_and_named_once() {
        let mut names: Vec<&str> = topics(&Status::default()).map(|(name, _)| name).to_vec();
        assert!(names.iter().all(|name| name.starts_with("$SYS.broker.")));
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), topics(&Status::default()).len());
    }
}
