//! A changed map takes effect at once: cached permits are judged anew, and who lost the right to read is told so.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use keepmq_model::{Event, LinkId, Refusal};
use keepmq_policy::{Map, Policy, decide_pattern};

use super::Gate;
use super::registry::{Registered, Taken};
use crate::shard::{Input, LineKey, TakerId};

impl Gate {
    /// Puts a new map in force. Says its epoch and how many links lost their right.
    pub fn set_map(&self, map: Map) -> (u64, usize) {
        let epoch = self.policy_epoch() + 1;
        let policy = Arc::new(Policy { epoch, map });
        self.policy.store(Arc::clone(&policy));
        self.policy_epoch.store(epoch, Ordering::Release);
        // Routes hold permits, too.
        let directory = self.directory.write();
        self.routes_changed();
        drop(directory);
        let links: Vec<((u64, LinkId), Registered)> =
            self.registry.lock().iter().map(|(id, link)| (*id, link.clone())).collect();
        let mut lost = 0;
        for ((client, link), registered) in links {
            if let Some(refusal) = self.judge_again(&policy, &registered) {
                self.close_for(client, link, &registered, refusal);
                lost += 1;
            }
        }
        (epoch, lost)
    }

    /// The refusal, when the link may not read any more what it reads.
    fn judge_again(&self, policy: &Arc<Policy>, registered: &Registered) -> Option<Refusal> {
        let judge = |(kind, pattern): &_| decide_pattern(policy, &registered.who, *kind, pattern).err();
        let denial = registered.reads.iter().find_map(judge)?;
        Some(self.deny(&registered.peer, denial))
    }

    fn close_for(&self, client: u64, link: LinkId, registered: &Registered, refusal: Refusal) {
        self.unregister(client, link);
        let legs: Vec<(u32, LineKey)> = match &registered.taken {
            Taken::Line(line) => vec![(0, *line)],
            Taken::Wild(wild) => wild.legs(),
        };
        for (leg, line) in legs {
            let input = Input::Detach { line: line.slot, taker: TakerId { client, link, leg } };
            let (_, after) = self.shell.run(line.shard, [input], self.now(), drop);
            self.finish(after);
        }
        registered.outbox.put(std::iter::once(Event::Detached { link, refusal }));
        registered.outbox.ring();
    }
}
