//! Sending.

use std::collections::BTreeMap;
use std::sync::Arc;

use hashbrown::HashMap;
use keepmq_model::{
    Destination, Envelope, Kind, MAX_PRIORITY, Marks, Message, Note, Principal, Publish, Refusal,
    RefusalKind, Retain, Text,
};
use keepmq_policy::{Move, Permit, Write, decide, decide_internal};
use keepmq_store::Admission;
use smallvec::SmallVec;

use super::client::Client;
use super::flow::busy;
use crate::routes::{QueueEntry, Topic};
use crate::shard::Input;

/// Rights to send that a connection remembers, at most.
const MAX_GRANTS: usize = 1024;

/// The right to send to one destination, and the way there.
#[derive(Debug)]
pub(super) struct Grant {
    pub(super) permit: Permit<Write>,
    pub(super) way: Way,
}

#[derive(Debug)]
pub(super) enum Way {
    Queue(Arc<QueueEntry>),
    Topic(Arc<Topic>),
}

impl Grant {
    fn is_valid(&self, epoch: u64) -> bool {
        let gone = match &self.way {
            Way::Queue(queue) => queue.is_gone(),
            Way::Topic(topic) => topic.is_gone(),
        };
        self.permit.epoch() == epoch && !gone
    }
}

/// The rights to send that a connection has been found to have.
#[derive(Debug, Default)]
pub(super) struct Grants {
    last: Option<Arc<Grant>>,
    others: HashMap<Destination, Arc<Grant>>,
}

impl Grants {
    fn get(&mut self, destination: &Destination, epoch: u64) -> Option<Arc<Grant>> {
        let is_it = |grant: &&Arc<Grant>| {
            let known = grant.permit.destination();
            known.is_same(destination) || known == destination
        };
        let found = match self.last.as_ref().filter(is_it) {
            Some(last) => Some(last),
            None => self.others.get(destination),
        };
        let found = found.filter(|grant| grant.is_valid(epoch)).map(Arc::clone)?;
        self.last = Some(Arc::clone(&found));
        Some(found)
    }

    fn insert(&mut self, destination: &Destination, grant: Arc<Grant>) {
        if self.others.len() >= MAX_GRANTS {
            self.others.clear();
        }
        self.last = Some(Arc::clone(&grant));
        self.others.insert(destination.clone(), grant);
    }
}

/// A message that was admitted, with all the ways that it goes.
#[derive(Debug)]
pub(super) struct Admitted {
    /// For each target the right to send to it, and the message as it stands there: its destination is that target.
    pub(super) copies: SmallVec<[(Arc<Grant>, Arc<Message>); 1]>,
    pub(super) retain: Retain,
}

/// By what a copy of a message is known that its sender sends again.
fn take_number(message: &mut Arc<Message>) -> Option<(Text, u64)> {
    message.envelope.extras.as_ref().filter(|extras| extras.duplicate.is_some())?;
    let envelope = &mut Arc::get_mut(message)?.envelope;
    let number = envelope.extras.as_mut().and_then(|extras| extras.duplicate.take());
    envelope.extras.take_if(|extras| extras.group.is_none() && extras.schedule.is_none());
    number.filter(|_| envelope.durable)
}

impl Client {
    pub(super) fn publish(&mut self, publish: Publish, who: &Arc<Principal>) {
        let mut publish = publish;
        let (tag, tx) = (publish.tag, publish.tx);
        let numbered = take_number(&mut publish.message).filter(|_| tx.is_none());
        let note = publish.note.as_ref().map(|note| (note.link, note.key.clone(), note.value.clone()));
        let admitted = match self.admit(publish, who) {
            Ok(admitted) => admitted,
            Err(refusal) => {
                if let Some(tx) = tx {
                    self.spoil(tx, &refusal);
                }
                self.refuse(tag, refusal);
                return;
            }
        };
        if let Some((sender, number)) = numbered
            && self.is_copy(&who.name, &sender, number, tag)
        {
            return;
        }
        match (tx, note) {
            (Some(tx), _) => self.publish_in(tx, admitted, tag),
            (None, Some((link, key, value))) => {
                self.publish_with_note(&admitted, Note { link, key, value, tag });
            }
            (None, None) => self.send(&admitted, tag),
        }
    }

    /// Judges every target and completes the envelope. Nothing has been touched before that.
    fn admit(&mut self, publish: Publish, who: &Arc<Principal>) -> Result<Admitted, Refusal> {
        let Publish { mut message, also, retain, .. } = publish;
        if message.envelope.extras.as_ref().is_some_and(|extras| extras.schedule.is_some()) {
            let text = "scheduled delivery is not available; send the message when it is due";
            return Err(Refusal::new(RefusalKind::Unsupported, text));
        }
        if self.flow.is_refusing() {
            return Err(busy());
        }
        let first = self.grant(&message.envelope.destination, who)?;
        let others: SmallVec<[Arc<Grant>; 0]> =
            also.iter().map(|destination| self.grant(destination, who)).collect::<Result<_, _>>()?;
        if message.envelope.durable {
            self.check_store()?;
        }
        self.complete(&mut message, who)?;
        let copies = others.into_iter().map(|grant| {
            let copy = self.copy_for(&message, grant.permit.destination());
            (grant, copy)
        });
        let mut copies: SmallVec<[(Arc<Grant>, Arc<Message>); 1]> = copies.collect();
        copies.insert(0, (first, message));
        self.copy_to_virtual_queues(&mut copies);
        Ok(Admitted { copies, retain })
    }

    /// What goes to a virtual topic goes to its queues as well. Who may send to the topic need not know of them.
    fn copy_to_virtual_queues(&self, copies: &mut SmallVec<[(Arc<Grant>, Arc<Message>); 1]>) {
        if copies.iter().all(|(grant, _)| matches!(grant.way, Way::Queue(_))) {
            return;
        }
        let directory = self.gate.directory.read();
        for place in 0..copies.len() {
            let Some((grant, message)) = copies.get(place) else { return };
            let queues = directory.virtual_topics.queues(grant.permit.destination());
            let message = Arc::clone(message);
            for (queue, entry) in queues {
                let Some(permit) = decide_internal(Move::VirtualTopic, queue) else { continue };
                let grant = Grant { permit, way: Way::Queue(Arc::clone(entry)) };
                copies.push((Arc::new(grant), self.copy_for(&message, queue)));
            }
        }
    }

    /// The message as it stands at another of its targets. Its bytes are shared.
    fn copy_for(&self, message: &Message, destination: &Destination) -> Arc<Message> {
        let envelope = Envelope { destination: destination.clone(), ..message.envelope.clone() };
        let mut copy = Message::new(envelope, message.native.clone());
        copy.charge(&self.gate.shell.meter);
        Arc::new(copy)
    }

    /// Fills in what only the broker knows, whatever the sender wrote there.
    fn complete(&mut self, message: &mut Arc<Message>, who: &Arc<Principal>) -> Result<(), Refusal> {
        let Some(message) = Arc::get_mut(message) else {
            return Err(Refusal::new(RefusalKind::Internal, "the message is shared before it was admitted"));
        };
        let envelope = &mut message.envelope;
        envelope.id = self.gate.next_message_id();
        envelope.priority = envelope.priority.min(MAX_PRIORITY);
        if envelope.timestamp_ms == 0 {
            envelope.timestamp_ms = self.gate.now().unix_ms;
        }
        self.batch.give(message, who, &self.gate.shell.meter);
        self.flow.sent(message.envelope.durable);
        self.published += 1;
        Ok(())
    }

    pub(super) fn check_store(&self) -> Result<(), Refusal> {
        let text = match self.gate.shell.store.admission() {
            Admission::Open => return Ok(()),
            Admission::Full => "the store is full: no durable message is taken until some are consumed",
            Admission::Failed => {
                "the store failed: no durable message is taken until the broker is restarted"
            }
        };
        Err(Refusal::new(RefusalKind::Unavailable, text))
    }

    /// The right to send to a destination and the way there. A destination that does not exist is created, for which
    /// the sender needs the right to.
    pub(super) fn grant(
        &mut self,
        destination: &Destination,
        who: &Arc<Principal>,
    ) -> Result<Arc<Grant>, Refusal> {
        if let Some(grant) = self.grants.get(destination, self.gate.policy_epoch()) {
            return Ok(grant);
        }
        let policy = self.gate.policy.load_full();
        let permit = decide::<Write>(&policy, who, destination)
            .map_err(|denial| self.gate.deny(&self.peer, denial))?;
        let way = match destination.kind() {
            Kind::Queue | Kind::TempQueue => Way::Queue(self.queue(destination, &policy, who)?),
            Kind::Topic | Kind::TempTopic => Way::Topic(self.topic(destination, &policy, who)?),
        };
        let grant = Arc::new(Grant { permit, way });
        self.grants.insert(destination, Arc::clone(&grant));
        Ok(grant)
    }

    /// Sends to all targets with the next flush.
    fn send(&mut self, admitted: &Admitted, tag: Option<keepmq_model::Tag>) {
        if let [(grant, message)] = &admitted.copies[..]
            && let Way::Queue(queue) = &grant.way
        {
            let line = queue.line;
            let ask = self.ask(tag, 1);
            let input = Input::Enqueue {
                line: line.slot,
                permit: grant.permit.clone(),
                message: Arc::clone(message),
                marks: Marks::default(),
                whole: false,
            };
            self.push(line.shard, input, ask);
            return;
        }
        let inputs = self.inputs(admitted, false);
        let ask = self.ask(tag, u32::try_from(inputs.len()).unwrap_or(u32::MAX));
        for (shard, input) in inputs {
            self.push(shard, input, ask);
        }
    }

    /// What the shards have to do to send a message to all its targets; `whole` when it is part of something that happens
    /// whole or not at all.
    pub(super) fn inputs(&self, admitted: &Admitted, whole: bool) -> SmallVec<[(u16, Input); 2]> {
        let mut inputs = SmallVec::new();
        for (grant, message) in &admitted.copies {
            let (permit, message) = (grant.permit.clone(), Arc::clone(message));
            match &grant.way {
                Way::Queue(queue) => {
                    let line = queue.line;
                    let (line, marks) = (line.slot, Marks::default());
                    let input = Input::Enqueue { line, permit, message, marks, whole };
                    inputs.push((queue.line.shard, input));
                }
                Way::Topic(topic) => {
                    self.topic_inputs(topic, &permit, &message, admitted.retain, &mut inputs);
                }
            }
        }
        inputs
    }

    fn topic_inputs(
        &self,
        topic: &Topic,
        permit: &Permit<Write>,
        message: &Arc<Message>,
        retain: Retain,
        inputs: &mut SmallVec<[(u16, Input); 2]>,
    ) {
        if retain != Retain::No && topic.owner.is_none() {
            let kept = (retain == Retain::Keep).then(|| Arc::clone(message));
            let shard = self.gate.shell.shard_for(topic.id);
            inputs.push((shard, Input::Retain { permit: permit.clone(), message: kept, store: true }));
        }
        let route = self.gate.route(topic);
        for shard in route.shards() {
            let input = Input::Fan {
                route: Arc::clone(&route),
                permit: permit.clone(),
                message: Arc::clone(message),
                from: self.peer.connection,
            };
            inputs.push((shard, input));
        }
    }

    /// Sends a message and keeps a note in one commit.
    fn publish_with_note(&mut self, admitted: &Admitted, note: Note) {
        let Some(line) = self.note_line(&note) else { return };
        let mut work = BTreeMap::<u16, Vec<Input>>::new();
        let mut count = 1;
        for (shard, input) in self.inputs(admitted, true) {
            count += 1;
            work.entry(shard).or_default().push(input);
        }
        let kept = Input::Note { line: line.slot, key: note.key, value: note.value };
        work.entry(line.shard).or_default().push(kept);
        let ask = self.ask(note.tag, count);
        self.run_together(work, ask);
    }
}
