//! Deliveries that are done with, gathered until the end of a batch.

use keepmq_model::{DeliveryId, LinkId, Outcome, Settle, Verb};

/// Deliveries of one leg with numbers that follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Span {
    leg: u32,
    from: u64,
    through: u64,
}

impl Span {
    /// Takes in a span that follows this one.
    fn extend(&mut self, next: Self) -> bool {
        let follows = self.leg == next.leg && self.through.checked_add(1) == Some(next.from);
        if follows {
            self.through = next.through;
        }
        follows
    }
}

/// What is owed to the broker for deliveries that are done with.
#[derive(Debug)]
pub(super) enum Account {
    /// Of a clean session: so much credit for as many deliveries.
    Credit(u32),
    /// Of a durable session: the settling of these.
    Spans(Spans),
}

/// Spans of deliveries to settle.
#[derive(Debug, Default)]
pub(super) struct Spans(Vec<Span>);

impl Account {
    pub(super) fn new(durable: bool) -> Self {
        if durable { Self::Spans(Spans::default()) } else { Self::Credit(0) }
    }

    /// A delivery is done with.
    #[inline]
    pub(super) fn finished(&mut self, delivery: DeliveryId) {
        match self {
            Self::Credit(owed) => *owed = owed.saturating_add(1),
            Self::Spans(spans) => spans.add(delivery),
        }
    }

    /// Says what is owed. Credit is given back when it is worth the words: from `least` on, or when nothing is under way.
    pub(super) fn say(&mut self, link: LinkId, least: u32, idle: bool, say: &mut Vec<Verb>) {
        match self {
            Self::Credit(0) => {}
            Self::Credit(owed) => {
                if *owed >= least || idle {
                    let credit = std::mem::take(owed);
                    say.push(Verb::Grant { link, credit });
                }
            }
            Self::Spans(spans) => say.extend(spans.take().map(|span| settle(link, span))),
        }
    }
}

fn settle(link: LinkId, span: Span) -> Verb {
    Verb::Settle(Settle {
        link,
        leg: span.leg,
        from: span.from,
        through: span.through,
        outcome: Outcome::Accepted,
        tx: None,
        tag: None,
        reason: None,
    })
}

impl Spans {
    fn add(&mut self, delivery: DeliveryId) {
        let span = Span { leg: delivery.leg, from: delivery.number, through: delivery.number };
        if !self.0.last_mut().is_some_and(|last| last.extend(span)) {
            self.0.push(span);
        }
    }

    /// The spans, as few as possible: answers that came out of order close each other's gaps.
    fn take(&mut self) -> impl Iterator<Item = Span> + use<'_> {
        if self.0.len() > 1 {
            self.0.sort_unstable();
            self.0.dedup_by(|next, span| span.extend(*next));
        }
        self.0.drain(..)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn said(account: &mut Account, least: u32, idle: bool) -> Vec<Verb> {
        let mut say = Vec::new();
        account.say(LinkId(1), least, idle, &mut say);
        say
    }

    fn spans(numbers: &[(u32, u64)]) -> Vec<(u32, u64, u64)> {
        let mut account = Account::new(true);
        for (leg, number) in numbers {
            account.finished(DeliveryId { leg: *leg, number: *number });
        }
        let said = said(&mut account, 0, true);
        said.into_iter()
            .map(|verb| match verb {
                Verb::Settle(settle) => (settle.leg, settle.from, settle.through),
                other => panic!("{other:?}"),
            })
            .collect()
    }

    #[test]
    fn numbers_that_follow_each_other_are_one_settlement() {
        assert_eq!(spans(&[(0, 1), (0, 2), (0, 3)]), [(0, 1, 3)]);
        assert_eq!(spans(&[(0, 3), (0, 1), (0, 2)]), [(0, 1, 3)]);
        assert_eq!(spans(&[(0, 1), (0, 3)]), [(0, 1, 1), (0, 3, 3)]);
        assert_eq!(spans(&[(1, 2), (0, 1), (1, 1)]), [(0, 1, 1), (1, 1, 2)]);
        assert_eq!(spans(&[]), []);
    }

    #[test]
    fn credit_waits_until_it_is_worth_the_words() {
        let mut account = Account::new(false);
        assert!(said(&mut account, 1, true).is_empty());
        for _ in 0..3 {
            account.finished(DeliveryId { leg: 0, number: 1 });
        }
        assert!(said(&mut account, 4, false).is_empty());
        assert!(matches!(said(&mut account, 3, false)[..], [Verb::Grant { credit: 3, .. }]));
        account.finished(DeliveryId { leg: 0, number: 1 });
        assert!(matches!(said(&mut account, 4, true)[..], [Verb::Grant { credit: 1, .. }]));
        assert!(said(&mut account, 0, true).is_empty());
    }

    proptest! {
        #[test]
        fn every_delivery_is_settled_once(
            order in Just((0..3u32).flat_map(|leg| (1..20u64).map(move |n| (leg, n))).collect::<Vec<_>>()).prop_shuffle(),
            count in 0usize..57,
        ) {
            let mut wanted = order[..count].to_vec();
            let mut settled: Vec<(u32, u64)> = spans(&order[..count])
                .into_iter()
                .flat_map(|(leg, from, through)| (from..=through).map(move |n| (leg, n)))
                .collect();
            wanted.sort_unstable();
            settled.sort_unstable();
            prop_assert_eq!(settled, wanted);
        }
    }
}
