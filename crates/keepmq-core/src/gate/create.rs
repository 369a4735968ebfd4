//! Making and removing destinations.

use std::sync::Arc;

use keepmq_model::{Advisory, Destination, Event, Kind, Principal, Refusal, RefusalKind, Tag};
use keepmq_policy::{Admin, Move, Permit, Policy, decide, decide_internal};

use super::Gate;
use super::client::{Ask, Client};
use crate::record::Definition;
use crate::routes::{Directory, QueueEntry, Topic};
use crate::shard::{Input, LineKey, Role, Taker};

fn no_such_temporary() -> Refusal {
    Refusal::new(RefusalKind::NotFound, "the temporary destination does not exist: its connection is closed")
}

impl Gate {
    /// A queue, which is made when it does not exist. `owner` is the connection that a temporary one ends
    /// with.
    pub(super) fn ensure_queue(
        &self,
        permit: &Permit<Admin>,
        owner: Option<u64>,
    ) -> Result<Arc<QueueEntry>, Refusal> {
        let queue = permit.destination();
        if let Some(entry) = self.directory.read().queues.get(queue) {
            return Ok(Arc::clone(entry));
        }
        let mut directory = self.directory.write();
        if let Some(entry) = directory.queues.get(queue) {
            return Ok(Arc::clone(entry));
        }
        self.check_room(&directory, permit)?;
        let id = self.next_line_id();
        let shard = self.shell.shard_for(id);
        let line = self.shell.shard(shard).add_line(id, Role::Queue(queue.clone()));
        if owner.is_none() {
            self.store_definition(shard, queue, id);
        }
        let entry = Arc::new(QueueEntry::new(line, id, owner));
        directory.add_queue(queue.clone(), Arc::clone(&entry));
        let legs = legs_for(&directory, queue, line);
        drop(directory);
        self.advise_of(queue, true);
        let attach = legs.into_iter().map(|taker| Input::Attach { line: line.slot, taker: Box::new(taker) });
        let (_, after) = self.shell.run(shard, attach, self.now(), drop);
        self.finish(after);
        Ok(entry)
    }

    pub(super) fn ensure_topic(
        &self,
        permit: &Permit<Admin>,
        owner: Option<u64>,
    ) -> Result<Arc<Topic>, Refusal> {
        let destination = permit.destination();
        let mut directory = self.directory.write();
        if let Some(topic) = directory.topics.get(destination) {
            return Ok(Arc::clone(topic));
        }
        self.check_room(&directory, permit)?;
        let id = self.next_line_id();
        if owner.is_none() {
            self.store_definition(self.shell.shard_for(id), destination, id);
        }
        let topic = Arc::new(Topic::new(destination.clone(), id, owner));
        directory.topics.insert(destination.clone(), Arc::clone(&topic));
        drop(directory);
        self.advise_of(destination, true);
        Ok(topic)
    }

    /// Before anybody else can see the destination: the store must not get a message for it first.
    fn store_definition(&self, shard: u16, destination: &Destination, id: u64) {
        let define = Input::Define { op: destination.set(id), waits: false };
        self.shell.run(shard, [define], self.now(), drop);
    }

    fn check_room(&self, directory: &Directory, permit: &Permit<Admin>) -> Result<(), Refusal> {
        // The broker's own destinations are few, and dead letters must have a place to go.
        let own = permit.epoch() == u64::MAX;
        if own || directory.len() < self.shell.limits.destinations {
            return Ok(());
        }
        Err(Refusal::new(RefusalKind::Busy, "the limit on destinations is reached"))
    }

    /// Removes a queue, unless somebody uses it.
    fn remove_queue(&self, permit: Permit<Admin>) -> Result<(), Refusal> {
        let queue = permit.destination().clone();
        let mut directory = self.directory.write();
        let Some(entry) = directory.queues.get(&queue).cloned() else {
            return Err(Refusal::new(RefusalKind::NotFound, "there is no such queue"));
        };
        let line = entry.line;
        let mut inputs = vec![Input::Delete { line: line.slot, permit }];
        if entry.owner.is_none() {
            inputs.push(Input::Define { op: Destination::unset(entry.id), waits: false });
        }
        let mut busy = None;
        let (_, after) = self.shell.run(line.shard, inputs, self.now(), |reply| {
            if let crate::shard::Reply::Busy(why) = reply {
                busy = Some(why);
            }
        });
        if let Some(why) = busy {
            // The definition was unset in the same commit: set it again.
            self.store_definition(line.shard, &queue, entry.id);
            return Err(Refusal::new(RefusalKind::Conflict, why));
        }
        directory.remove_queue(&queue);
        entry.set_gone();
        drop(directory);
        self.finish(after);
        self.advise_of(&queue, false);
        Ok(())
    }

    fn remove_topic(&self, permit: Permit<Admin>) -> Result<(), Refusal> {
        let mut directory = self.directory.write();
        let Some(topic) = directory.topics.get(permit.destination()).cloned() else {
            return Err(Refusal::new(RefusalKind::NotFound, "there is no such topic"));
        };
        let mut used = false;
        directory.filters(topic.destination.kind()).visit(topic.destination.name(), |bound| {
            used |= !bound.pattern.is_wild();
        });
        if used && topic.owner.is_none() {
            return Err(Refusal::new(RefusalKind::Conflict, "somebody subscribes to the topic"));
        }
        directory.topics.remove(&topic.destination);
        topic.set_gone();
        if topic.owner.is_none() {
            let shard = self.shell.shard_for(topic.id);
            let define = Input::Define { op: Destination::unset(topic.id), waits: false };
            self.shell.run(shard, [Input::DropRetained { permit }, define], self.now(), drop);
        }
        drop(directory);
        self.advise_of(&topic.destination, false);
        Ok(())
    }
}

/// The links by wildcard that take from a new queue.
fn legs_for(directory: &Directory, queue: &Destination, line: LineKey) -> Vec<Taker> {
    let mut legs = Vec::new();
    if queue.kind() == Kind::Queue {
        directory.watchers.visit(queue.name(), |watcher| {
            let permit = watcher.reader.permit(queue);
            legs.extend(permit.and_then(|permit| watcher.link.leg(line, permit)));
        });
    }
    legs
}

impl Client {
    /// A queue; one that does not exist is made, for which its user needs the right to create it.
    pub(super) fn queue(
        &self,
        queue: &Destination,
        policy: &Policy,
        who: &Arc<Principal>,
    ) -> Result<Arc<QueueEntry>, Refusal> {
        if let Some(entry) = self.gate.directory.read().queues.get(queue) {
            return Ok(Arc::clone(entry));
        }
        if queue.kind().is_temporary() {
            return Err(no_such_temporary());
        }
        let permit = decide(policy, who, queue).map_err(|denial| self.gate.deny(&self.peer, denial))?;
        self.gate.ensure_queue(&permit, None)
    }

    /// A topic; one that does not exist is made, for which its user needs the right to create it.
    pub(super) fn topic(
        &self,
        topic: &Destination,
        policy: &Policy,
        who: &Arc<Principal>,
    ) -> Result<Arc<Topic>, Refusal> {
        if let Some(topic) = self.gate.directory.read().topics.get(topic) {
            return Ok(Arc::clone(topic));
        }
        if topic.kind().is_temporary() {
            return Err(no_such_temporary());
        }
        if Advisory::is_topic(topic) {
            return self.gate.advisory_topic(topic);
        }
        let permit = decide(policy, who, topic).map_err(|denial| self.gate.deny(&self.peer, denial))?;
        self.gate.ensure_topic(&permit, None)
    }

    pub(super) fn create_temporary(
        &mut self,
        kind: Kind,
        name: Option<&str>,
        tag: Tag,
        who: &Arc<Principal>,
    ) {
        match self.try_create_temporary(kind, name, who) {
            Ok(destination) => self.answers.say(Event::Created { tag, destination }),
            Err(refusal) => self.refuse(Some(tag), refusal),
        }
    }

    fn try_create_temporary(
        &mut self,
        kind: Kind,
        name: Option<&str>,
        who: &Arc<Principal>,
    ) -> Result<Destination, Refusal> {
        if !kind.is_temporary() {
            return Err(Refusal::new(RefusalKind::Malformed, "only temporary destinations are created so"));
        }
        let destination = match name {
            Some(name) => Destination::new(kind, name)
                .map_err(|fault| Refusal::new(RefusalKind::Malformed, fault.to_string()))?,
            None => self.unguessable(kind)?,
        };
        if self.temporaries.contains(&destination) {
            return Ok(destination);
        }
        if self.temporaries.len() >= self.gate.shell.limits.temporaries_per_connection {
            let text = "the limit on temporary destinations of one connection is reached";
            return Err(Refusal::new(RefusalKind::Busy, text));
        }
        let policy = self.gate.policy.load_full();
        let permit =
            decide(&policy, who, &destination).map_err(|denial| self.gate.deny(&self.peer, denial))?;
        let mine = Some(self.peer.connection);
        let owner = if kind.is_queue() {
            self.gate.ensure_queue(&permit, mine)?.owner
        } else {
            self.gate.ensure_topic(&permit, mine)?.owner
        };
        if owner != mine {
            let text = "the temporary destination belongs to another connection";
            return Err(Refusal::new(RefusalKind::Conflict, text));
        }
        self.temporaries.push(destination.clone());
        Ok(destination)
    }

    /// A name for a temporary destination. Whoever knows it may send to it, so 96 bits of it are random.
    fn unguessable(&self, kind: Kind) -> Result<Destination, Refusal> {
        let secret = (self.gate.entropy)() >> 32;
        let name = format!("ID:keepmq-{:x}-{}-{secret:024x}", self.gate.run, self.peer.connection);
        let internal = |_| Refusal::new(RefusalKind::Internal, "the broker made a bad name");
        Destination::new(kind, &name).map_err(internal)
    }

    /// What the connection made for itself goes with it.
    pub(super) fn delete_temporaries(&mut self) {
        for destination in std::mem::take(&mut self.temporaries) {
            if let Some(permit) = decide_internal(Move::Reclaim, &destination) {
                // It may have been deleted before, which is as good.
                let _ = self.remove(permit);
            }
        }
    }

    fn remove(&self, permit: Permit<Admin>) -> Result<(), Refusal> {
        if permit.destination().kind().is_queue() {
            self.gate.remove_queue(permit)
        } else {
            self.gate.remove_topic(permit)
        }
    }

    pub(super) fn delete(&mut self, destination: &Destination, tag: Tag, who: &Arc<Principal>) {
        self.flush();
        let policy = self.gate.policy.load_full();
        let removed = decide(&policy, who, destination)
            .map_err(|denial| self.gate.deny(&self.peer, denial))
            .and_then(|permit| {
                self.check_owner(destination)?;
                self.remove(permit)
            });
        match removed {
            Ok(()) => {
                self.temporaries.retain(|own| own != destination);
                self.done(tag);
            }
            Err(refusal) => self.refuse(Some(tag), refusal),
        }
    }

    pub(super) fn purge(&mut self, destination: &Destination, tag: Tag, who: &Arc<Principal>) {
        let policy = self.gate.policy.load_full();
        let permit = match decide(&policy, who, destination) {
            Ok(permit) => permit,
            Err(denial) => {
                let refusal = self.gate.deny(&self.peer, denial);
                return self.refuse(Some(tag), refusal);
            }
        };
        let line = self.gate.directory.read().queues.get(destination).map(|entry| entry.line);
        let Some(line) = line else {
            return self.refuse(Some(tag), Refusal::new(RefusalKind::NotFound, "there is no such queue"));
        };
        let ask: Ask = self.ask(Some(tag), 1);
        self.push(line.shard, Input::Purge { line: line.slot, permit }, ask);
    }
}
