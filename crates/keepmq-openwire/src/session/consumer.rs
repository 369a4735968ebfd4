//! A consumer: what it takes from, and what is on its way to it.

use std::collections::VecDeque;
use std::ops::Range;

use keepmq_model::{DeliveryId, LinkId, TxId};
use smallvec::SmallVec;

use super::window::Window;
use crate::codec::{ConsumerId, MessageId};

/// A message that was dispatched and is not done with.
#[derive(Debug)]
pub(super) struct Dispatched {
    pub(super) message: MessageId,
    /// The broker's number of it, which the client tells when it goes.
    pub(super) sequence: i64,
    pub(super) link: LinkId,
    pub(super) delivery: DeliveryId,
    /// It was acknowledged in this transaction, which has not ended.
    pub(super) tx: Option<TxId>,
}

/// What is known of messages that were dispatched.
#[derive(Debug)]
pub(super) enum Holds {
    /// How many: nothing comes back of a topic without a durable subscription, nor of looking.
    Counted(u32),
    /// Each, in order.
    Listed(VecDeque<Dispatched>),
}

/// A wish for one message, by a client that asks for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pull {
    /// None, or it has been fulfilled.
    None,
    /// It waits until one comes.
    Endless,
    /// It waits until then, in milliseconds of the monotonic clock.
    Until(u64),
    /// Its time is over: what is there is still taken.
    Draining,
    /// The broker has nothing: that is told at the end of this run of events, unless a message is among them.
    Empty,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Consumer {
    pub(super) id: ConsumerId,
    /// One for each queue of a composite name; one for all its topics.
    pub(super) links: SmallVec<[LinkId; 1]>,
    /// Links whose opening is not answered yet, and the command that waits for that.
    pub(super) opening: usize,
    pub(super) reply: Option<i32>,
    pub(super) window: Window,
    /// The durable subscription that it takes from.
    pub(super) subscription: Option<Box<str>>,
    pub(super) holds: Holds,
    pub(super) pull: Pull,
}

impl Consumer {
    /// The messages from one to another that are not acknowledged yet, as places in the list. `None` for the first is the
    /// oldest.
    pub(super) fn range(&self, first: Option<&MessageId>, last: &MessageId) -> Option<Range<usize>> {
        let Holds::Listed(list) = &self.holds else { return None };
        let open = |id: &MessageId| list.iter().position(|one| one.tx.is_none() && is_same(&one.message, id));
        let from = match first {
            Some(first) => open(first)?,
            None => 0,
        };
        let to = open(last)?;
        (from <= to).then_some(from..to + 1)
    }

    /// How many were dispatched and are not done with.
    pub(super) fn dispatched(&self) -> u32 {
        match &self.holds {
            Holds::Counted(count) => *count,
            Holds::Listed(list) => u32::try_from(list.len()).unwrap_or(u32::MAX),
        }
    }

    /// Takes those of these places that are in no transaction out of the list.
    pub(super) fn take(&mut self, places: Range<usize>) -> SmallVec<[Dispatched; 4]> {
        let Holds::Listed(list) = &mut self.holds else { return SmallVec::new() };
        if places.end - places.start == 1 {
            return list.remove(places.start).into_iter().collect();
        }
        let behind = list.split_off(places.end.min(list.len()));
        let (mut taken, mut kept) = (SmallVec::new(), Vec::new());
        for one in list.drain(places.start..) {
            if one.tx.is_none() { taken.push(one) } else { kept.push(one) }
        }
        list.extend(kept);
        list.extend(behind);
        taken
    }

    /// Takes those that were acknowledged in a transaction out of the list; says how many.
    pub(super) fn end(&mut self, tx: TxId) -> u32 {
        let Holds::Listed(list) = &mut self.holds else { return 0 };
        let before = list.len();
        list.retain(|one| one.tx != Some(tx));
        u32::try_from(before - list.len()).unwrap_or(u32::MAX)
    }

    /// Those that were acknowledged in a transaction are not any more; says how many.
    pub(super) fn revert(&mut self, tx: TxId) -> u32 {
        let Holds::Listed(list) = &mut self.holds else { return 0 };
        let mut count = 0;
        for one in list.iter_mut().filter(|one| one.tx == Some(tx)) {
            one.tx = None;
            count += 1;
        }
        count
    }

    /// What the application saw of a link, when the client tells which message was the last that it did. -2 is not known
    /// (openwire-broker-behaviour.md, section 7).
    pub(super) fn tried(&self, link: LinkId, last_seen: i64) -> Option<Vec<DeliveryId>> {
        let Holds::Listed(list) = &self.holds else { return None };
        if last_seen < -1 {
            return None;
        }
        let seen = list.iter().rposition(|one| one.sequence == last_seen).map_or(0, |place| place + 1);
        let mut tried: Vec<DeliveryId> = Vec::new();
        for one in list.iter().take(seen).filter(|one| one.link == link) {
            match tried.iter_mut().find(|other| other.leg == one.delivery.leg) {
                Some(other) => other.number = one.delivery.number,
                None => tried.push(one.delivery),
            }
        }
        Some(tried)
    }
}

/// The broker's own number and a text beside the parts do not tell messages apart, unless there are no parts.
fn is_same(one: &MessageId, other: &MessageId) -> bool {
    one.producer_sequence_id == other.producer_sequence_id
        && one.producer_id == other.producer_id
        && (one.producer_id.is_some() || one.text_view == other.text_view)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::ProducerId;

    fn message(number: i64) -> MessageId {
        let producer = ProducerId { connection_id: Some("c".into()), session_id: 1, value: 1 };
        MessageId { producer_id: Some(producer), producer_sequence_id: number, ..MessageId::default() }
    }

    fn consumer(count: i64) -> Consumer {
        let one = |number: i64| Dispatched {
            message: message(number),
            sequence: number,
            link: LinkId(1),
            delivery: DeliveryId { leg: 0, number: number.unsigned_abs() },
            tx: None,
        };
        Consumer {
            id: ConsumerId::default(),
            links: SmallVec::from_buf([LinkId(1)]),
            opening: 0,
            reply: None,
            window: Window::new(10),
            subscription: None,
            holds: Holds::Listed((1..=count).map(one).collect()),
            pull: Pull::None,
        }
    }

    fn left(consumer: &Consumer) -> Vec<i64> {
        let Holds::Listed(list) = &consumer.holds else { panic!() };
        list.iter().map(|one| one.sequence).collect()
    }

    #[test]
    fn a_range_runs_in_the_order_of_dispatch() {
        let mut consumer = consumer(5);
        assert_eq!(consumer.range(None, &message(3)), Some(0..3));
        assert_eq!(consumer.range(Some(&message(2)), &message(3)), Some(1..3));
        assert_eq!(consumer.range(Some(&message(3)), &message(2)), None);
        assert_eq!(consumer.range(None, &message(9)), None);
        assert_eq!(consumer.take(1..3).len(), 2);
        assert_eq!(left(&consumer), [1, 4, 5]);
        assert_eq!(consumer.take(2..3).len(), 1);
        assert_eq!(left(&consumer), [1, 4]);
    }

    #[test]
    fn what_a_transaction_has_stays_until_it_ends() {
        let mut consumer = consumer(4);
        let Holds::Listed(list) = &mut consumer.holds else { panic!() };
        list[1].tx = Some(TxId(7));
        assert_eq!(consumer.range(None, &message(2)), None, "it is acknowledged already");
        assert_eq!(consumer.take(0..3).len(), 2);
        assert_eq!(left(&consumer), [2, 4]);
        assert_eq!((consumer.revert(TxId(7)), consumer.end(TxId(7))), (1, 0));
        assert_eq!(consumer.range(None, &message(2)), Some(0..1));
    }

    #[test]
    fn what_the_application_never_saw_is_not_counted_as_tried() {
        let consumer = consumer(3);
        let tried = |last| consumer.tried(LinkId(1), last);
        assert_eq!(tried(-2), None);
        assert_eq!((tried(-1), tried(99)), (Some(vec![]), Some(vec![])));
        assert_eq!(tried(2), Some(vec![DeliveryId { leg: 0, number: 2 }]));
    }
}
