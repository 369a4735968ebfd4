//! Deliveries that a consumer holds: handed out, not yet settled.

use std::collections::{BTreeMap, VecDeque};

use super::lane::Entry;

/// A delivery that is held.
#[derive(Debug)]
pub(crate) struct HeldEntry {
    pub(crate) priority: u8,
    pub(crate) entry: Entry,
}

/// Deliveries of one consumer by their numbers, which rise by one.
///
/// Most are settled nearly in order, so they stand in a ring. One that stays long while others go would make the ring
/// grow without end; it is moved aside.
#[derive(Debug, Default)]
pub(crate) struct Held {
    /// The number of the ring's first place.
    base: u64,
    ring: VecDeque<Option<HeldEntry>>,
    aside: BTreeMap<u64, HeldEntry>,
    live: usize,
}

impl Held {
    /// Deliveries held.
    pub(crate) fn len(&self) -> usize {
        self.live
    }

    /// The number that the next delivery gets. Numbers begin with 1.
    pub(crate) fn next_number(&self) -> u64 {
        self.base + self.ring.len() as u64 + 1
    }

    /// Adds a delivery under [`Self::next_number`].
    pub(crate) fn push(&mut self, held: HeldEntry) {
        self.ring.push_back(Some(held));
        self.live += 1;
    }

    /// Uses a number up without holding anything.
    pub(crate) fn skip_number(&mut self) {
        if self.ring.is_empty() {
            self.base += 1;
        } else {
            self.ring.push_back(None);
        }
    }

    /// Takes one delivery.
    pub(crate) fn take(&mut self, number: u64) -> Option<HeldEntry> {
        let taken = match number.checked_sub(self.base + 1) {
            Some(place) => self.ring.get_mut(usize::try_from(place).ok()?)?.take(),
            None => self.aside.remove(&number),
        }?;
        self.live -= 1;
        self.trim();
        Some(taken)
    }

    /// Takes the deliveries of a range with their numbers, in rising order.
    pub(crate) fn take_range(
        &mut self,
        from: u64,
        through: u64,
        mut each: impl FnMut(u64, HeldEntry),
    ) -> usize {
        let before = self.live;
        let through = through.min(self.base + self.ring.len() as u64);
        if from > through {
            return 0;
        }
        let asides: Vec<u64> = self.aside.range(from..=through).map(|(number, _)| *number).collect();
        for number in asides {
            if let Some(held) = self.aside.remove(&number) {
                self.live -= 1;
                each(number, held);
            }
        }
        let index = |number: u64| usize::try_from(number.saturating_sub(self.base + 1)).unwrap_or(usize::MAX);
        if through > self.base {
            let first = self.base + 1 + index(from) as u64;
            for (number, place) in (first..).zip(self.ring.range_mut(index(from)..=index(through))) {
                if let Some(held) = place.take() {
                    self.live -= 1;
                    each(number, held);
                }
            }
        }
        self.trim();
        before - self.live
    }

    /// Takes everything, in rising order.
    pub(crate) fn take_all(&mut self) -> Vec<HeldEntry> {
        let mut all = Vec::with_capacity(self.live);
        self.take_range(1, u64::MAX, |_, held| all.push(held));
        all
    }

    /// Gives a delivery back that was taken.
    pub(crate) fn restore(&mut self, number: u64, held: HeldEntry) {
        let place = number.checked_sub(self.base + 1).and_then(|place| usize::try_from(place).ok());
        match place.and_then(|place| self.ring.get_mut(place)) {
            Some(place) => *place = Some(held),
            None => drop(self.aside.insert(number, held)),
        }
        self.live += 1;
    }

    /// Every delivery that is held, in rising order of its number.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &HeldEntry> {
        self.aside.values().chain(self.ring.iter().flatten())
    }

    fn trim(&mut self) {
        while let Some(None) = self.ring.front() {
            self.ring.pop_front();
            self.base += 1;
        }
        // More holes than entries: the first entry is the one that stays.
        while self.ring.len() > 64 + 4 * (self.live - self.aside.len()) {
            self.base += 1;
            if let Some(Some(held)) = self.ring.pop_front() {
                self.aside.insert(self.base, held);
            }
        }
        if self.ring.is_empty() && self.ring.capacity() > 256 {
            self.ring = VecDeque::new();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use keepmq_model::{Destination, Envelope, Marks, Message, Native, Protocol};
    use proptest::prelude::*;
    use std::collections::BTreeSet;
    use std::sync::Arc;

    fn held(seq: u64) -> HeldEntry {
        let native = Native { protocol: Protocol::Broker, layout: 0, head: Bytes::new(), body: Bytes::new() };
        let envelope = Envelope::new(Destination::queue("q").unwrap());
        let message = Arc::new(Message::new(envelope, native));
        HeldEntry {
            priority: 4,
            entry: Entry { seq, stage: 0, stored: true, epoch: 0, marks: Marks::default(), message },
        }
    }

    #[test]
    fn one_that_stays_does_not_make_the_ring_grow() {
        let mut all = Held::default();
        for number in 1..=100_000 {
            assert_eq!(all.next_number(), number);
            all.push(held(number));
            if number > 1 {
                assert!(all.take(number).is_some());
            }
        }
        assert!(all.ring.len() < 200, "{}", all.ring.len());
        assert_eq!(all.take(1).unwrap().entry.seq, 1);
        assert_eq!((all.len(), all.next_number()), (0, 100_001));
    }

    #[derive(Clone, Debug)]
    enum Act {
        Push,
        Skip,
        Take(prop::sample::Index),
        Range(prop::sample::Index, prop::sample::Index),
        Restore(prop::sample::Index, prop::sample::Index),
        All,
    }

    fn act() -> impl Strategy<Value = Act> {
        use prop::sample::Index;
        prop_oneof![
            8 => Just(Act::Push),
            1 => Just(Act::Skip),
            6 => any::<Index>().prop_map(Act::Take),
            1 => (any::<Index>(), any::<Index>()).prop_map(|(a, b)| Act::Range(a, b)),
            1 => (any::<Index>(), any::<Index>()).prop_map(|(a, b)| Act::Restore(a, b)),
            1 => Just(Act::All),
        ]
    }

    proptest! {
        #[test]
        fn it_behaves_as_a_sorted_map(acts in proptest::collection::vec(act(), 1..600)) {
            let (mut real, mut model, mut last) = (Held::default(), BTreeSet::new(), 0u64);
            for act in acts {
                match act {
                    Act::Push => {
                        last += 1;
                        prop_assert_eq!(real.next_number(), last);
                        real.push(held(last));
                        model.insert(last);
                    }
                    Act::Skip => {
                        last += 1;
                        real.skip_number();
                    }
                    Act::Take(which) => {
                        let number = which.index(usize::try_from(last).unwrap() + 2) as u64;
                        let taken = real.take(number).map(|held| held.entry.seq);
                        prop_assert_eq!(taken, model.take(&number));
                    }
                    Act::Range(a, b) => {
                        let size = usize::try_from(last).unwrap() + 2;
                        let (a, b) = (a.index(size) as u64, b.index(size) as u64);
                        let (from, through) = (a.min(b), a.max(b));
                        let mut taken = Vec::new();
                        real.take_range(from, through, |number, held| {
                            assert_eq!(number, held.entry.seq);
                            taken.push(number);
                        });
                        let wanted: Vec<u64> = model.range(from..=through).copied().collect();
                        model.retain(|n| *n < from || *n > through);
                        prop_assert_eq!(taken, wanted);
                    }
                    Act::Restore(a, b) => {
                        let size = usize::try_from(last).unwrap() + 2;
                        let (a, b) = (a.index(size) as u64, b.index(size) as u64);
                        let mut taken = Vec::new();
                        real.take_range(a.min(b), a.max(b), |number, held| taken.push((number, held)));
                        taken.into_iter().rev().for_each(|(number, held)| real.restore(number, held));
                    }
                    Act::All => {
                        let taken: Vec<u64> = real.take_all().iter().map(|h| h.entry.seq).collect();
                        prop_assert_eq!(taken, std::mem::take(&mut model).into_iter().collect::<Vec<_>>());
                    }
                }
                prop_assert_eq!(real.len(), model.len());
                let seqs: Vec<u64> = real.iter().map(|held| held.entry.seq).collect();
                prop_assert_eq!(seqs, model.iter().copied().collect::<Vec<_>>());
            }
        }
    }
}
