//! A changed map takes effect at once: cached permits are judged anew, consumers wait until they are, and who lost the
//! right to read is told so.

use std::sync::Arc;

use keepmq_model::{Event, LinkId, Principal, Refusal, RefusalKind};
use keepmq_policy::{Map, Policy, Reader, decide, decide_pattern};

use super::Gate;
use super::registry::{Registered, Taken};
use super::wild::WildLink;
use crate::outbox::Outbox;
use crate::shard::{Input, LineKey, Role, Sight, TakerId};

impl Gate {
    /// Puts a new map in force. Says its epoch and how many links lost their right.
    pub fn set_map(&self, map: Map) -> (u64, usize) {
        let epoch = self.policy_epoch() + 1;
        let policy = Arc::new(Policy { epoch, map });
        self.policy.store(Arc::clone(&policy));
        // From here on no consumer gets anything until it is judged again.
        self.shell.set_epoch(epoch);
        // Routes hold permits, too.
        let directory = self.directory.write();
        self.routes_changed();
        drop(directory);
        let links: Vec<((u64, LinkId), Registered)> =
            self.registry.lock().iter().map(|(id, link)| (*id, link.clone())).collect();
        let mut lost = 0;
        for ((client, link), registered) in links {
            match self.judge_again(&policy, &registered) {
                None => self.confirm(client, link, &registered, &policy),
                Some(refusal) => {
                    self.close_for(client, link, &registered, refusal);
                    lost += 1;
                }
            }
        }
        (epoch, lost)
    }

    /// Users changed: connections of those who are gone, or are in other groups than when they logged in, end. `current`
    /// says as what a user is known now. Says how many connections end.
    pub fn end_changed(&self, current: impl Fn(&str) -> Option<Arc<Principal>>) -> usize {
        let known = self.known.lock();
        let is_changed = |who: &Principal| current(&who.name).as_deref() != Some(who);
        let changed: Vec<Arc<Outbox>> =
            known.values().filter(|(who, _)| is_changed(who)).map(|(_, outbox)| Arc::clone(outbox)).collect();
        drop(known);
        for outbox in &changed {
            let refusal = Refusal::new(RefusalKind::Unauthenticated, "the user was changed; log in again");
            outbox.put(std::iter::once(Event::Ending { refusal }));
            outbox.ring();
        }
        changed.len()
    }

    /// The refusal, when the link may not read any more what it reads.
    fn judge_again(&self, policy: &Arc<Policy>, registered: &Registered) -> Option<Refusal> {
        let judge = |(kind, pattern): &_| decide_pattern(policy, &registered.who, *kind, pattern).err();
        let denial = registered.reads.iter().find_map(judge)?;
        Some(self.deny(&registered.peer, denial))
    }

    /// The link may go on reading: its consumers get what the new map gives them.
    fn confirm(&self, client: u64, link: LinkId, registered: &Registered, policy: &Arc<Policy>) {
        let reader = Reader::new(Arc::clone(policy), Arc::clone(&registered.who));
        match &registered.taken {
            Taken::Line(line) => {
                let taker = TakerId { client, link, leg: 0 };
                self.confirm_on(*line, taker, &reader, policy);
            }
            Taken::Wild(wild) => {
                self.rewatch(wild, registered, &reader);
                for (leg, line) in wild.legs() {
                    self.confirm_on(line, TakerId { client, link, leg }, &reader, policy);
                }
            }
        }
    }

    fn confirm_on(&self, line: LineKey, taker: TakerId, reader: &Reader, policy: &Policy) {
        let queue = match self.shell.shard(line.shard).line(line.slot).map(|line| &line.role) {
            Some(Role::Queue(queue)) => Some(queue.clone()),
            Some(Role::Passing | Role::Durable(_)) => None,
            None => return,
        };
        let sight = match queue {
            None => Some(Sight::Topics(reader.clone())),
            Some(queue) => decide(policy, reader.who(), &queue).ok().map(Sight::Queue),
        };
        let slot = line.slot;
        let input = match sight {
            Some(sight) => Input::Judged { line: slot, taker, sight },
            // One leg of a link by wildcard: the others may go on.
            None => Input::Detach { line: slot, taker, tried: None },
        };
        let inputs = [input, Input::Pump { line: slot }];
        let (_, after) = self.shell.run(line.shard, inputs, self.now(), drop);
        self.finish(after);
    }

    /// Queues that come later are judged by the new map.
    fn rewatch(&self, wild: &Arc<WildLink>, registered: &Registered, reader: &Reader) {
        let mut directory = self.directory.write();
        for (_, pattern) in &registered.reads {
            directory.watchers.remove(pattern, |watcher| Arc::ptr_eq(&watcher.link, wild));
            let watcher = crate::routes::Watcher { reader: reader.clone(), link: Arc::clone(wild) };
            directory.watchers.insert(pattern, watcher);
        }
    }

    fn close_for(&self, client: u64, link: LinkId, registered: &Registered, refusal: Refusal) {
        self.unregister(client, link);
        let legs: Vec<(u32, LineKey)> = match &registered.taken {
            Taken::Line(line) => vec![(0, *line)],
            Taken::Wild(wild) => wild.legs(),
        };
        for (leg, line) in legs {
            let taker = TakerId { client, link, leg };
            let gone = Input::Detach { line: line.slot, taker, tried: None };
            let inputs = [gone, Input::Pump { line: line.slot }];
            let (_, after) = self.shell.run(line.shard, inputs, self.now(), drop);
            self.finish(after);
        }
        registered.outbox.put(std::iter::once(Event::Detached { link, refusal }));
        registered.outbox.ring();
    }
}
