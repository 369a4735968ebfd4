//! Deliveries that a subscription has not said anything about, in the order in which they were sent.

use std::collections::VecDeque;

use keepmq_model::{DeliveryId, MessageId, TxId};
use smallvec::SmallVec;

/// Consecutive deliveries of one leg.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Run {
    pub(super) leg: u32,
    pub(super) from: u64,
    pub(super) through: u64,
}

/// Deliveries as few runs.
#[derive(Debug, Default)]
pub(super) struct Runs(SmallVec<[Run; 1]>);

impl Runs {
    /// Adds a delivery. It is cheap when it follows the one before.
    pub(super) fn add(&mut self, id: DeliveryId) {
        if let Some(last) = self.0.last_mut()
            && last.leg == id.leg
            && last.through.checked_add(1) == Some(id.number)
        {
            last.through = id.number;
            return;
        }
        self.0.push(Run { leg: id.leg, from: id.number, through: id.number });
    }

    /// Takes the runs, joined where legs took turns.
    pub(super) fn take(&mut self) -> SmallVec<[Run; 1]> {
        let mut runs = std::mem::take(&mut self.0);
        if runs.len() > 1 {
            runs.sort_unstable();
            runs.dedup_by(|next, run| {
                let joined = run.leg == next.leg && run.through.checked_add(1) == Some(next.from);
                if joined {
                    run.through = next.through;
                }
                joined
            });
        }
        runs
    }
}

/// One delivery.
#[derive(Clone, Copy, Debug)]
struct Held {
    /// Its place in the order of this subscription, from 1.
    sequence: u64,
    id: DeliveryId,
    message: MessageId,
    /// The transaction in which it was spoken of. It counts as settled until that is rolled back.
    tx: Option<TxId>,
}

/// All of a subscription's: no more than its credit.
#[derive(Debug, Default)]
pub(super) struct Outstanding {
    held: VecDeque<Held>,
    last: u64,
    /// How many are spoken of in a transaction.
    in_transactions: usize,
}

/// A delivery that can be spoken of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place(usize);

/// Which deliveries a frame speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// One.
    Single,
    /// It and all before it.
    Cumulative,
}

impl Outstanding {
    /// Adds a delivery and gives it the next place in the order.
    pub(super) fn add(&mut self, id: DeliveryId, message: MessageId) -> u64 {
        self.last += 1;
        self.held.push_back(Held { sequence: self.last, id, message, tx: None });
        self.last
    }

    /// The delivery with this place in the order.
    pub(super) fn find(&self, sequence: u64) -> Option<Place> {
        let at = self.held.binary_search_by_key(&sequence, |held| held.sequence).ok()?;
        self.held.get(at).filter(|held| held.tx.is_none())?;
        Some(Place(at))
    }

    /// The first delivery of this message.
    pub(super) fn find_message(&self, message: MessageId) -> Option<Place> {
        let matches = |held: &Held| held.message == message && held.tx.is_none();
        self.held.iter().position(matches).map(Place)
    }

    /// Settles deliveries, for good or in a transaction, and says which.
    pub(super) fn settle(&mut self, place: Place, reach: Reach, tx: Option<TxId>) -> Runs {
        match (reach, tx) {
            (Reach::Single, None) => self.remove(place),
            (Reach::Cumulative, None) => self.remove_through(place),
            (Reach::Single, Some(tx)) => self.mark(place.0..place.0 + 1, tx),
            (Reach::Cumulative, Some(tx)) => self.mark(0..place.0 + 1, tx),
        }
    }

    fn remove(&mut self, place: Place) -> Runs {
        let mut runs = Runs::default();
        if let Some(held) = self.held.remove(place.0) {
            runs.add(held.id);
        }
        self.give_memory_back();
        runs
    }

    /// Passes over what a transaction has spoken of: that stays until the transaction ends.
    fn remove_through(&mut self, place: Place) -> Runs {
        let mut runs = Runs::default();
        let mut kept: SmallVec<[Held; 4]> = SmallVec::new();
        for held in self.held.drain(..=place.0.min(self.held.len().saturating_sub(1))) {
            match held.tx {
                None => runs.add(held.id),
                Some(_) => kept.push(held),
            }
        }
        for held in kept.into_iter().rev() {
            self.held.push_front(held);
        }
        self.give_memory_back();
        runs
    }

    fn mark(&mut self, range: std::ops::Range<usize>, tx: TxId) -> Runs {
        let mut runs = Runs::default();
        for held in self.held.range_mut(range.start..range.end.min(self.held.len())) {
            if held.tx.is_none() {
                held.tx = Some(tx);
                self.in_transactions += 1;
                runs.add(held.id);
            }
        }
        runs
    }

    /// The transaction happened: what it spoke of is settled.
    pub(super) fn commit(&mut self, tx: TxId) {
        if self.in_transactions > 0 {
            let before = self.held.len();
            self.held.retain(|held| held.tx != Some(tx));
            self.in_transactions -= before - self.held.len();
            self.give_memory_back();
        }
    }

    /// The transaction did not happen: what it spoke of can be spoken of again.
    pub(super) fn roll_back(&mut self, tx: TxId) {
        for held in self.held.iter_mut().filter(|held| held.tx == Some(tx)) {
            held.tx = None;
            self.in_transactions -= 1;
        }
    }

    fn give_memory_back(&mut self) {
        const KEEP: usize = 16;
        if self.held.is_empty() && self.held.capacity() > KEEP {
            self.held = VecDeque::new();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    const TX: Option<TxId> = Some(TxId(7));

    fn id(leg: u32, number: u64) -> DeliveryId {
        DeliveryId { leg, number }
    }

    fn message(number: u64) -> MessageId {
        MessageId { epoch: 1, number }
    }

    /// Deliveries of these legs, in this order.
    fn held(legs: &[u32]) -> Outstanding {
        let mut outstanding = Outstanding::default();
        for (at, leg) in legs.iter().enumerate() {
            let number = legs[..=at].iter().filter(|other| *other == leg).count() as u64;
            outstanding.add(id(*leg, number), message(at as u64));
        }
        outstanding
    }

    fn settle(held: &mut Outstanding, sequence: u64, reach: Reach, tx: Option<TxId>) -> Vec<(u32, u64, u64)> {
        let place = held.find(sequence).expect("it is outstanding");
        let mut runs = held.settle(place, reach, tx);
        runs.take().iter().map(|run| (run.leg, run.from, run.through)).collect()
    }

    #[test]
    fn a_cumulative_word_is_one_run_for_each_leg() {
        let mut one = held(&[1, 1, 1, 1]);
        assert_eq!(settle(&mut one, 3, Reach::Cumulative, None), [(1, 1, 3)]);
        assert_eq!(settle(&mut one, 4, Reach::Cumulative, None), [(1, 4, 4)]);
        let mut three = held(&[1, 2, 1, 3, 2, 1, 2]);
        assert_eq!(settle(&mut three, 6, Reach::Cumulative, None), [(1, 1, 3), (2, 1, 2), (3, 1, 1)]);
    }

    #[test]
    fn a_gap_in_a_leg_stays_a_gap() {
        let mut held = held(&[1, 1, 1, 1, 1]);
        assert_eq!(settle(&mut held, 3, Reach::Single, None), [(1, 3, 3)]);
        assert_eq!(settle(&mut held, 5, Reach::Cumulative, None), [(1, 1, 2), (1, 4, 5)]);
    }

    #[test]
    fn nothing_can_be_spoken_of_twice() {
        let mut held = held(&[1, 1]);
        settle(&mut held, 1, Reach::Single, None);
        assert!(held.find(1).is_none() && held.find_message(message(0)).is_none());
        assert!(held.find(0).is_none() && held.find(3).is_none());
        settle(&mut held, 2, Reach::Single, TX);
        assert!(held.find(2).is_none() && held.find_message(message(1)).is_none());
    }

    #[test]
    fn a_transaction_holds_what_it_speaks_of_until_it_ends() {
        let mut held = held(&[1, 1, 1, 1]);
        assert_eq!(settle(&mut held, 2, Reach::Cumulative, TX), [(1, 1, 2)]);
        assert_eq!(settle(&mut held, 3, Reach::Cumulative, None), [(1, 3, 3)]);
        held.roll_back(TxId(8));
        assert!(held.find(1).is_none());
        held.roll_back(TxId(7));
        assert_eq!(settle(&mut held, 4, Reach::Cumulative, TX), [(1, 1, 2), (1, 4, 4)]);
        held.commit(TxId(7));
        held.roll_back(TxId(7));
        assert!(held.held.is_empty() && held.in_transactions == 0);
    }

    #[test]
    fn a_message_that_came_twice_is_settled_twice() {
        let mut held = Outstanding::default();
        held.add(id(1, 1), message(5));
        held.add(id(2, 1), message(5));
        let first = held.find_message(message(5)).expect("outstanding");
        assert_eq!(held.settle(first, Reach::Single, None).take()[0].leg, 1);
        let second = held.find_message(message(5)).expect("outstanding");
        assert_eq!(held.settle(second, Reach::Single, None).take()[0].leg, 2);
        assert!(held.find_message(message(5)).is_none());
    }

    #[test]
    fn memory_is_given_back_when_nothing_is_held() {
        let mut held = held(&[1; 100]);
        settle(&mut held, 100, Reach::Cumulative, None);
        assert_eq!(held.held.capacity(), 0);
    }

    proptest! {
        /// Against a plain list: runs cover exactly what was outstanding in reach, each once.
        #[test]
        fn runs_cover_exactly_what_they_should(
            steps in proptest::collection::vec((0u8..6, 0u32..4, any::<proptest::sample::Index>()), 1..120),
        ) {
            let mut outstanding = Outstanding::default();
            let mut numbers = [0u64; 4];
            let mut list: Vec<(u64, DeliveryId, Option<TxId>)> = Vec::new();
            for (step, leg, index) in steps {
                let free: Vec<u64> = list.iter().filter(|held| held.2.is_none()).map(|held| held.0).collect();
                match step {
                    0..=1 => {
                        numbers[leg as usize] += 1;
                        let id = id(leg, numbers[leg as usize]);
                        list.push((outstanding.add(id, message(0)), id, None));
                    }
                    2..=4 if !free.is_empty() => {
                        let sequence = free[index.index(free.len())];
                        let reach = if step == 2 { Reach::Single } else { Reach::Cumulative };
                        let tx = (leg > 1).then_some(TxId(leg.into()));
                        let in_reach = |held: &(u64, DeliveryId, Option<TxId>)| held.2.is_none()
                            && (held.0 == sequence || reach == Reach::Cumulative && held.0 < sequence);
                        let wanted: BTreeSet<DeliveryId> = list.iter().filter(|held| in_reach(held)).map(|held| held.1).collect();
                        let place = outstanding.find(sequence).expect("it is outstanding");
                        let runs = outstanding.settle(place, reach, tx).take();
                        let covered: Vec<DeliveryId> =
                            runs.iter().flat_map(|run| (run.from..=run.through).map(|n| id(run.leg, n))).collect();
                        prop_assert_eq!(covered.len(), wanted.len());
                        prop_assert_eq!(covered.into_iter().collect::<BTreeSet<_>>(), wanted);
                        match tx {
                            None => list.retain(|held| !in_reach(held)),
                            Some(_) => list.iter_mut().filter(|held| in_reach(held)).for_each(|held| held.2 = tx),
                        }
                    }
                    5 => {
                        let tx = TxId(leg.into());
                        if index.index(2) == 0 {
                            outstanding.commit(tx);
                            list.retain(|held| held.2 != Some(tx));
                        } else {
                            outstanding.roll_back(tx);
                            list.iter_mut().filter(|held| held.2 == Some(tx)).for_each(|held| held.2 = None);
                        }
                    }
                    _ => {}
                }
                let in_transactions = list.iter().filter(|held| held.2.is_some()).count();
                prop_assert_eq!((outstanding.held.len(), outstanding.in_transactions), (list.len(), in_transactions));
            }
        }
    }
}
