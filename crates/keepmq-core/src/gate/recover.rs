//! Bringing back what the store holds.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use hashbrown::HashMap;
use keepmq_model::Destination;
use keepmq_store::{Locator, Recovery, Scan, StreamInfo};

use super::Gate;
use super::recover_branch::FoundBranch;
use crate::record::{Definition, Key, StoredBranch, StoredSubscription, decode_message, parse_key};
use crate::routes::{Named, QueueEntry, Topic};
use crate::shard::{Kept, LineKey, RETAINED_STREAMS, Role, line_of};

/// Records read at once while retained messages are brought back.
pub(super) const PAGE: usize = 1024;
/// Bytes read at once, about.
pub(super) const PAGE_BYTES: usize = 8 * 1024 * 1024;

/// What was brought back so far.
#[derive(Default)]
pub(super) struct Found {
    pub(super) lines: HashMap<u64, LineKey>,
    notes: HashMap<u64, BTreeMap<Bytes, Bytes>>,
    pub(super) branches: HashMap<u64, FoundBranch>,
    /// Branch, line, and what the one has accepted of the other.
    pub(super) locks: Vec<(u64, u64, Bytes)>,
    pub(super) faults: Vec<String>,
}

impl Gate {
    /// Brings back definitions, backlogs and retained messages. Says what could not be read.
    pub(super) fn recover(&self, recovery: Recovery) -> Vec<String> {
        let mut found = Found { faults: recovery.damage, ..Found::default() };
        let mut definitions = Vec::new();
        for (key, value) in recovery.state {
            match parse_key(&key) {
                Some(Key::Note(id, note)) => {
                    found.notes.entry(id).or_default().insert(note, value);
                }
                Some(Key::Lock(branch, line)) => found.locks.push((branch, line, value)),
                Some(definition) => definitions.push((definition, value)),
                None => found.faults.push(format!("a stored key is not known to this version: {key:?}")),
            }
        }
        for (definition, value) in definitions {
            self.recover_definition(&definition, &value, &mut found);
        }
        self.routes_changed();
        for stream in recovery.streams {
            self.recover_stream(&stream, &mut found);
        }
        self.recover_branches(&mut found);
        found.faults
    }

    fn recover_definition(&self, definition: &Key, value: &Bytes, found: &mut Found) {
        let known = match definition {
            Key::Destination(id) => Destination::decode(value)
                .map(|destination| self.recover_destination(*id, destination, found)),
            Key::Subscription(id) => {
                StoredSubscription::decode(value).map(|stored| self.recover_subscription(*id, stored, found))
            }
            Key::Branch(id) => StoredBranch::decode(value)
                .map(|stored| drop(found.branches.insert(*id, FoundBranch::new(*id, stored)))),
            Key::Sender(name) => self.recover_sender(name.clone(), value),
            Key::Note(..) | Key::Lock(..) => Some(()),
        };
        if known.is_none() {
            found.faults.push(format!("the stored definition {definition:?} can't be read"));
        }
    }

    fn recover_destination(&self, id: u64, destination: Destination, found: &mut Found) {
        let mut directory = self.directory.write();
        if !destination.kind().is_queue() {
            let topic = Arc::new(Topic::new(destination.clone(), id, None));
            directory.topics.insert(destination, topic);
            return;
        }
        let role = Role::Queue(destination.clone());
        let line = self.shell.shard(self.shell.shard_for(id)).add_line(id, role);
        found.lines.insert(id, line);
        directory.add_queue(destination, Arc::new(QueueEntry::new(line, id, None)));
    }

    fn recover_subscription(&self, id: u64, stored: StoredSubscription, found: &mut Found) {
        let StoredSubscription { name, owner, filters } = stored;
        let notes = found.notes.remove(&id).unwrap_or_default();
        let line = self.shell.shard(self.shell.shard_for(id)).add_line(id, Role::Durable(notes));
        found.lines.insert(id, line);
        let mut directory = self.directory.write();
        filters.iter().for_each(|filter| self.bind(&mut directory, line, &owner, filter));
        directory.named.insert(name, Named { line, id, owner, filters });
    }

    fn recover_stream(&self, info: &StreamInfo, found: &mut Found) {
        if info.id.0 < RETAINED_STREAMS {
            self.recover_retained(info, found);
            return;
        }
        let (id, priority) = line_of(info.id);
        if found.branches.contains_key(&id) {
            return self.recover_sent(id, info.id, found);
        }
        let Some(line) = found.lines.get(&id) else {
            found.faults.push(format!(
                "{} messages of stream {} belong to no queue or subscription that is known",
                info.records, info.id.0
            ));
            return;
        };
        if let Some(line) = self.shell.shard(line.shard).line_mut(line.slot) {
            line.backlog.recover(priority, info.first, info.last, info.records);
        }
    }

    fn recover_retained(&self, info: &StreamInfo, found: &mut Found) {
        let mut from = 0;
        loop {
            let scan = Scan { stream: info.id, from, records: PAGE, bytes: PAGE_BYTES };
            let page = match self.shell.store.scan(scan) {
                Ok(page) => page,
                Err(error) => {
                    found.faults.push(format!("retained messages can't be read: {error}"));
                    return;
                }
            };
            for stored in &page.records {
                let at = Locator { stream: info.id, seq: stored.seq };
                if !self.recover_kept(at, &stored.payload) {
                    found.faults.push(format!("the retained message {at:?} can't be read"));
                }
            }
            match page.records.last() {
                Some(last) if !page.end => from = last.seq + 1,
                _ => return,
            }
        }
    }

    fn recover_kept(&self, at: Locator, payload: &[u8]) -> bool {
        let Some((mut message, _)) = decode_message(payload) else {
            return false;
        };
        message.charge(&self.shell.meter);
        let topic = self.directory.read().topics.get(&message.envelope.destination).map(|topic| topic.id);
        // A topic that is not defined any more keeps nothing; its record goes when it is next looked at.
        let Some(topic) = topic else { return false };
        let shard = self.shell.shard_for(topic);
        let name = message.envelope.destination.name().to_owned();
        let kept = Kept { at: Some(at), message: Arc::new(message) };
        self.shell.shard(shard).retained.insert(&name, kept);
        true
    }
}
