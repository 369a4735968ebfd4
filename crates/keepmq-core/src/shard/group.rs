//! Message groups: messages of one group go to one consumer, in their order (openwire-broker-behaviour.md, section 10).
//!
//! A group's consumer is the one that got its first message; it stays until it goes, until a message closes the group
//! (a negative sequence) or begins it anew (the sequence 1). What comes for a consumer that can't take more at present is
//! parked, so that it does not hold up what others may have; how much may be parked is bounded, and behind that the queue
//! waits.
//!
//! Groups are remembered exactly while something of them is with their consumer. Of the others the oldest are forgotten
//! when there are too many: nobody then has a message that a later one could overtake.

use std::collections::{BTreeMap, VecDeque};

use hashbrown::{HashMap, HashSet};
use keepmq_model::Group;

use super::lane::Entry;
use super::line::{Line, hand_out};
use super::output::Context;
use super::taker::{TakerId, Takers};

/// Groups that are looked at to find one to be forgotten.
const LOOKS: usize = 16;

/// Whose a group is.
#[derive(Clone, Copy, Debug)]
struct Owner {
    taker: TakerId,
    /// The number of the first delivery of the group to it.
    first: u64,
    /// How many of them it holds, or are parked for it.
    held: usize,
}

/// The groups of one queue.
#[derive(Debug, Default)]
pub(crate) struct Groups {
    owners: HashMap<Box<str>, Owner>,
    /// Names of groups, those that were there first in front; some of them may be gone.
    order: VecDeque<Box<str>>,
    /// What waits for consumers that can't take more at present, in its order.
    parked: BTreeMap<TakerId, VecDeque<(u8, Entry)>>,
    count: usize,
    bytes: u64,
}

/// What becomes of a message of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// It goes to this consumer, as the first of its group or not.
    To(TakerId, bool),
    /// Its consumer can't take it now.
    Parked(TakerId),
}

impl Groups {
    /// Which way a message goes that was offered to a consumer.
    fn way(&self, entry: &Entry, offered: TakerId, takers: &mut Takers, epoch: u64) -> Way {
        let Some(group) = entry.group().filter(|_| !takers.is_exclusive()) else {
            return Way::To(offered, false);
        };
        let owner = self.owners.get(&*group.id).filter(|_| group.sequence != 1);
        let Some(owner) = owner.map(|owner| owner.taker) else { return Way::To(offered, true) };
        if owner == offered {
            return Way::To(owner, false);
        }
        match takers.get_mut(owner) {
            // Its owner would never get it.
            Some(taker) if !taker.wants(entry) => Way::To(offered, false),
            Some(taker) if taker.can_take(epoch) && !self.parked.contains_key(&owner) => {
                Way::To(owner, false)
            }
            Some(_) => Way::Parked(owner),
            None => Way::To(offered, true),
        }
    }

    /// A message of a group was handed out under this number.
    fn handed_out(&mut self, group: &Group, taker: TakerId, number: u64) {
        if group.sequence < 0 {
            self.owners.remove(&*group.id);
            return;
        }
        let new = Owner { taker, first: number, held: 1 };
        match self.owners.get_mut(&*group.id) {
            Some(owner) if owner.taker == taker => owner.held += 1,
            Some(owner) if group.sequence == 1 => *owner = new,
            // It does not want all of its group.
            Some(_) => {}
            None => {
                self.owners.insert((*group.id).into(), new);
                self.order.push_back((*group.id).into());
            }
        }
    }

    /// A delivery is not held any more.
    fn ended(&mut self, group: &Group, taker: TakerId, number: u64) {
        let owner = self.owners.get_mut(&*group.id);
        if let Some(owner) = owner.filter(|owner| owner.taker == taker && owner.first <= number) {
            owner.held = owner.held.saturating_sub(1);
        }
    }

    /// Forgets groups when there are too many.
    fn forget(&mut self, most: usize) {
        if self.order.len() > 2 * self.owners.len() + 64 {
            let owners = &self.owners;
            let mut seen = HashSet::new();
            self.order.retain(|group| owners.contains_key(group) && seen.insert(group.clone()));
        }
        for _ in 0..LOOKS {
            if self.owners.len() <= most {
                return;
            }
            let Some(group) = self.order.pop_front() else { return };
            match self.owners.get(&group) {
                Some(owner) if owner.held > 0 => self.order.push_back(group),
                Some(_) => drop(self.owners.remove(&group)),
                None => {}
            }
        }
    }

    /// The owner of a message's group, if it is this consumer.
    fn owner_of(&mut self, taker: TakerId, entry: &Entry) -> Option<&mut Owner> {
        let owner = self.owners.get_mut(&*entry.group()?.id)?;
        (owner.taker == taker).then_some(owner)
    }

    fn park(&mut self, taker: TakerId, priority: u8, entry: Entry) {
        self.count += 1;
        self.bytes += entry.cost();
        if let Some(owner) = self.owner_of(taker, &entry) {
            owner.held += 1;
        }
        self.parked.entry(taker).or_default().push_back((priority, entry));
    }

    fn unpark(&mut self, taker: TakerId) -> Option<(u8, Entry)> {
        let parked = self.parked.get_mut(&taker)?;
        let first = parked.pop_front();
        if parked.is_empty() {
            self.parked.remove(&taker);
        }
        if let Some((_, entry)) = &first {
            self.count -= 1;
            self.bytes -= entry.cost();
            if let Some(owner) = self.owner_of(taker, entry) {
                owner.held = owner.held.saturating_sub(1);
            }
        }
        first
    }
}

impl Line {
    /// How many messages wait for their group's consumer.
    pub(crate) fn count_parked(&self) -> usize {
        self.groups.as_ref().map_or(0, |groups| groups.count)
    }

    /// Hands out what is parked for consumers that can take it now.
    pub(super) fn pump_parked(&mut self, cx: &mut Context<'_>) {
        if self.count_parked() == 0 {
            return;
        }
        let waiting: Vec<TakerId> =
            self.groups.iter().flat_map(|groups| groups.parked.keys()).copied().collect();
        for id in waiting {
            while self.takers.get_mut(id).is_some_and(|taker| taker.can_take(cx.epoch)) {
                let Some((priority, entry)) = self.groups.as_mut().and_then(|groups| groups.unpark(id))
                else {
                    break;
                };
                if entry.message.envelope.is_expired(cx.now.unix_ms) {
                    self.expire(priority, entry, cx);
                } else {
                    self.hand_out_of_group(id, false, (priority, entry), cx);
                }
            }
        }
    }

    /// Hands a message of a group to its consumer, or parks it. Says whether the queue must wait.
    pub(super) fn group(
        &mut self,
        offered: TakerId,
        priority: u8,
        entry: Entry,
        cx: &mut Context<'_>,
    ) -> bool {
        let groups = self.groups.get_or_insert_default();
        match groups.way(&entry, offered, &mut self.takers, cx.epoch) {
            Way::To(id, is_first) => {
                if id == offered {
                    self.takers.served();
                }
                self.hand_out_of_group(id, is_first, (priority, entry), cx);
            }
            Way::Parked(id)
                if groups.count < cx.limits.line_window && groups.bytes < cx.limits.line_bytes =>
            {
                groups.park(id, priority, entry);
            }
            Way::Parked(_) => {
                self.put_back(priority, entry, cx);
                return true;
            }
        }
        false
    }

    fn hand_out_of_group(
        &mut self,
        id: TakerId,
        is_first: bool,
        (priority, mut entry): (u8, Entry),
        cx: &mut Context<'_>,
    ) {
        entry.marks.first_of_group = is_first;
        let message = std::sync::Arc::clone(&entry.message);
        let Some(taker) = self.takers.get_mut(id) else {
            return self.put_back(priority, entry, cx);
        };
        let number = taker.held.next_number();
        let settled = hand_out(taker, priority, entry, cx);
        let group = message.envelope.extras.as_ref().and_then(|extras| extras.group.as_ref());
        if let (Some(groups), Some(group)) = (&mut self.groups, group) {
            groups.handed_out(group, id, number);
            groups.forget(cx.limits.groups_per_queue);
        }
        self.settled(settled, cx);
    }

    /// A delivery is not held any more.
    pub(super) fn ended_of_group(&mut self, taker: TakerId, number: u64, entry: &Entry) {
        if let (Some(groups), Some(group)) = (&mut self.groups, entry.group()) {
            groups.ended(group, taker, number);
        }
    }

    /// A consumer goes: its groups are nobody's, and what is parked for it goes back.
    pub(super) fn leave_groups(&mut self, id: TakerId, cx: &Context<'_>) {
        let Some(groups) = &mut self.groups else { return };
        groups.owners.retain(|_, owner| owner.taker != id);
        let parked = groups.parked.remove(&id).unwrap_or_default();
        groups.count -= parked.len();
        groups.bytes -= parked.iter().map(|(_, entry)| entry.cost()).sum::<u64>();
        for (priority, entry) in parked.into_iter().rev() {
            self.put_back(priority, entry, cx);
        }
    }

    /// All that is parked goes back.
    pub(super) fn unpark_all(&mut self, cx: &Context<'_>) {
        let parked = self.groups.as_mut().map(|groups| {
            (groups.count, groups.bytes) = (0, 0);
            std::mem::take(&mut groups.parked)
        });
        for (priority, entry) in parked.into_iter().flat_map(BTreeMap::into_values).flatten() {
            self.put_back(priority, entry, cx);
        }
    }
}
