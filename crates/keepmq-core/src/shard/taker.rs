//! Consumers: who takes messages from a line, and how many it may still get.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use keepmq_model::{Destination, LinkId};
use keepmq_policy::{Permit, Read, Reader};

use super::held::Held;
use super::lane::Entry;
use super::look::Choice;
use crate::outbox::Outbox;

/// Names a consumer within the broker: its connection and link, and which of the link's legs it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct TakerId {
    pub(crate) client: u64,
    pub(crate) link: LinkId,
    pub(crate) leg: u32,
}

/// How many more deliveries a consumer may get.
#[derive(Clone, Debug)]
pub(crate) enum Credit {
    /// Its own.
    Own(u32),
    /// That of a link with several legs, of which this is one.
    Shared(Arc<AtomicI64>),
}

impl Credit {
    pub(crate) fn is_left(&self) -> bool {
        match self {
            Self::Own(credit) => *credit > 0,
            Self::Shared(credit) => credit.load(Ordering::Relaxed) > 0,
        }
    }

    pub(crate) fn add(&mut self, more: u32) {
        match self {
            Self::Own(credit) => *credit = credit.saturating_add(more),
            Self::Shared(credit) => {
                credit.fetch_add(i64::from(more), Ordering::Relaxed);
            }
        }
    }

    /// Takes all that is left.
    pub(crate) fn clear(&mut self) {
        match self {
            Self::Own(credit) => *credit = 0,
            Self::Shared(credit) => {
                credit.fetch_min(0, Ordering::Relaxed);
            }
        }
    }

    /// Takes one, if there is one.
    pub(crate) fn spend(&mut self) -> bool {
        match self {
            Self::Own(credit) => credit.checked_sub(1).map(|left| *credit = left).is_some(),
            Self::Shared(credit) => {
                let took = |left: i64| (left > 0).then_some(left - 1);
                credit.fetch_update(Ordering::Relaxed, Ordering::Relaxed, took).is_ok()
            }
        }
    }
}

/// By what right a consumer reads its line.
#[derive(Clone, Debug)]
pub(crate) enum Sight {
    /// To read this very queue.
    Queue(Permit<Read>),
    /// To read topics, each judged by itself.
    Topics(Reader),
}

impl Sight {
    /// The policy's epoch when it was judged.
    fn epoch(&self) -> u64 {
        match self {
            Self::Queue(permit) => permit.epoch(),
            Self::Topics(reader) => reader.epoch(),
        }
    }

    /// Whether a message that was judged for this consumer in another epoch may still be shown to it.
    pub(crate) fn reaches(&self, destination: &Destination) -> bool {
        match self {
            Self::Queue(_) => true,
            Self::Topics(reader) => reader.permit(destination).is_some(),
        }
    }
}

/// A consumer of one line.
#[derive(Debug)]
pub(crate) struct Taker {
    pub(crate) id: TakerId,
    pub(crate) outbox: Arc<Outbox>,
    pub(crate) sight: Sight,
    pub(crate) credit: Credit,
    /// Whether settling gives credit back.
    pub(crate) refill: bool,
    /// Whether it holds deliveries until they are settled.
    pub(crate) holds: bool,
    pub(crate) priority: i8,
    pub(crate) exclusive: bool,
    /// What it wants; everything when absent.
    pub(crate) choice: Option<Box<Choice>>,
    /// The round in which it was last found that there is nothing for it.
    pub(crate) asked: u64,
    pub(crate) held: Held,
}

impl Taker {
    /// Whether it can be given a message that is meant for it.
    pub(crate) fn can_take(&self, epoch: u64) -> bool {
        self.sight.epoch() >= epoch && self.credit.is_left() && self.outbox.has_room()
    }

    /// Whether its selector wants a message.
    pub(crate) fn wants(&self, entry: &Entry) -> bool {
        self.choice.as_ref().is_none_or(|choice| choice.chooser.wants(&entry.message, &entry.marks))
    }

    /// Whether it can be given a message now. One that was judged by an older map waits until it is judged again.
    fn is_eligible(&self, epoch: u64, round: u64) -> bool {
        let is_idle = round > 0 && self.asked == round;
        !is_idle && self.can_take(epoch)
    }
}

/// The consumers of one line, those of the highest priority first.
#[derive(Debug, Default)]
pub(crate) struct Takers {
    all: Vec<Taker>,
    /// Whose turn is next, among those of its priority.
    turn: usize,
    /// Who was found last.
    found: usize,
    /// How many have a selector.
    choosy: usize,
    /// Counts the rounds in which messages are offered while some have a selector.
    round: u64,
}

impl Takers {
    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    pub(crate) fn add(&mut self, taker: Taker) {
        let place = self.all.partition_point(|other| other.priority >= taker.priority);
        self.choosy += usize::from(taker.choice.is_some());
        self.all.insert(place, taker);
    }

    pub(crate) fn remove(&mut self, id: TakerId) -> Option<Taker> {
        let place = self.all.iter().position(|taker| taker.id == id)?;
        let taker = self.all.remove(place);
        self.choosy -= usize::from(taker.choice.is_some());
        // Without any there are no rounds; this one is over.
        self.round += 1;
        Some(taker)
    }

    pub(crate) fn get_mut(&mut self, id: TakerId) -> Option<&mut Taker> {
        self.all.iter_mut().find(|taker| taker.id == id)
    }

    /// A new round begins, in which everybody is asked; `None` when nobody has a selector.
    pub(crate) fn begin_round(&mut self) -> Option<u64> {
        if self.choosy == 0 {
            return None;
        }
        self.round += 1;
        Some(self.round)
    }

    /// Those that have a selector.
    pub(crate) fn choices(&mut self) -> impl Iterator<Item = (TakerId, &mut Choice)> {
        let none = self.choosy == 0;
        let all = if none { &mut [] } else { &mut self.all[..] };
        all.iter_mut().filter_map(|taker| Some((taker.id, taker.choice.as_deref_mut()?)))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Taker> {
        self.all.iter()
    }

    /// Whose turn it is: the consumers of the highest priority that can take something, one after the other; or an
    /// exclusive one alone.
    pub(crate) fn next(&mut self, epoch: u64) -> Option<&mut Taker> {
        let round = self.round;
        if self.all.len() == 1 {
            return self.all.first_mut().filter(|taker| taker.is_eligible(epoch, round));
        }
        if let Some(place) = self.all.iter().position(|taker| taker.exclusive) {
            return self.all.get_mut(place).filter(|taker| taker.is_eligible(epoch, round));
        }
        let place = self.next_by_priority(epoch)?;
        self.found = place;
        self.all.get_mut(place)
    }

    /// Whether one of them is to be the only one.
    pub(crate) fn is_exclusive(&self) -> bool {
        self.all.iter().any(|taker| taker.exclusive)
    }

    /// Who was found last got something: it is the next one's turn.
    pub(crate) fn served(&mut self) {
        self.turn = self.found + 1;
    }

    fn next_by_priority(&self, epoch: u64) -> Option<usize> {
        let round = self.round;
        let mut start = 0;
        while let Some(first) = self.all.get(start) {
            let end = start + self.all[start..].partition_point(|taker| taker.priority >= first.priority);
            let turn = if (start..end).contains(&self.turn) { self.turn } else { start };
            let found =
                (turn..end).chain(start..turn).find(|place| self.all[*place].is_eligible(epoch, round));
            if found.is_some() {
                return found;
            }
            start = end;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taker(client: u64, priority: i8, credit: u32) -> Taker {
        Taker {
            id: TakerId { client, link: LinkId(0), leg: 0 },
            outbox: Arc::new(Outbox::new(client, 1000, Box::new(|| {}))),
            sight: Sight::Topics(reader(1)),
            credit: Credit::Own(credit),
            refill: true,
            holds: true,
            priority,
            exclusive: false,
            choice: None,
            asked: 0,
            held: Held::default(),
        }
    }

    fn reader(epoch: u64) -> Reader {
        let policy = keepmq_policy::Policy { epoch, ..Default::default() };
        Reader::new(Arc::new(policy), Arc::new(keepmq_model::Principal::new("u", [])))
    }

    fn turns(takers: &mut Takers, count: usize) -> Vec<u64> {
        let mut turns = Vec::new();
        for _ in 0..count {
            let Some(taker) = takers.next(1) else { break };
            assert!(taker.credit.spend());
            turns.push(taker.id.client);
            takers.served();
        }
        turns
    }

    #[test]
    fn consumers_take_turns() {
        let mut takers = Takers::default();
        for client in 1..=3 {
            takers.add(taker(client, 0, 2));
        }
        assert_eq!(turns(&mut takers, 10), [1, 2, 3, 1, 2, 3]);
    }

    #[test]
    fn who_is_asked_in_vain_keeps_its_turn() {
        let mut takers = Takers::default();
        takers.add(taker(1, 0, 2));
        takers.add(taker(2, 0, 2));
        assert_eq!(turns(&mut takers, 1), [1]);
        assert!(takers.next(1).is_some(), "but there was nothing for it");
        assert_eq!(turns(&mut takers, 1), [2]);
    }

    #[test]
    fn a_higher_priority_is_served_while_it_can_take() {
        let mut takers = Takers::default();
        takers.add(taker(1, 0, 2));
        takers.add(taker(2, 5, 3));
        assert_eq!(turns(&mut takers, 10), [2, 2, 2, 1, 1]);
    }

    #[test]
    fn an_exclusive_consumer_is_served_alone() {
        let mut takers = Takers::default();
        takers.add(taker(1, 0, 2));
        takers.add(Taker { exclusive: true, ..taker(2, 0, 1) });
        assert_eq!(turns(&mut takers, 10), [2]);
        takers.remove(TakerId { client: 2, link: LinkId(0), leg: 0 });
        assert_eq!(turns(&mut takers, 10), [1, 1]);
    }

    #[test]
    fn who_was_judged_by_an_older_map_waits() {
        let mut takers = Takers::default();
        takers.add(taker(1, 0, 2));
        takers.add(taker(2, 0, 2));
        assert!(takers.next(2).is_none());
        takers.all[1].sight = Sight::Topics(reader(2));
        assert_eq!(takers.next(2).map(|taker| taker.id.client), Some(2));
    }

    #[test]
    fn legs_share_the_credit_of_their_link() {
        let shared = Arc::new(AtomicI64::new(1));
        let (mut one, mut two) = (Credit::Shared(Arc::clone(&shared)), Credit::Shared(shared));
        assert!(one.spend() && !two.is_left() && !two.spend());
        two.add(1);
        assert!(one.is_left());
    }
}
