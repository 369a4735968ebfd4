//! Messages go to consumers (section 6).

use keepmq_model::{Delivery, Io, LinkId};

use super::consumer::{Dispatched, Holds, Pull};
use super::{OpenWireSession, Options};
use crate::render::render;

/// Runs of a broker are kept apart by so many bits of the number that a client is told.
const RUN_BITS: u32 = 40;

impl OpenWireSession {
    pub(super) fn deliver(&mut self, delivery: &Delivery, io: &mut Io<'_>) {
        let Some(consumer) = self.links.get(&delivery.link).and_then(|key| self.consumers.get_mut(key))
        else {
            return;
        };
        let Options { formats, broker, .. } = &self.options;
        let mut message = render(&delivery.message, &delivery.marks, formats, broker);
        let id = delivery.message.envelope.id;
        let sequence = i64::try_from(id.epoch << RUN_BITS | id.number).unwrap_or(i64::MAX);
        let message_id = message.message_id.get_or_insert_default();
        message_id.broker_sequence_id = sequence;
        match &mut consumer.holds {
            Holds::Counted(count) => *count = count.saturating_add(1),
            Holds::Listed(list) => list.push_back(Dispatched {
                message: message_id.clone(),
                sequence,
                link: delivery.link,
                delivery: delivery.id,
                tx: None,
            }),
        }
        consumer.pull = Pull::None;
        let redeliveries = i32::try_from(delivery.marks.redeliveries).unwrap_or(i32::MAX);
        let (id, destination) = (&consumer.id, message.destination.as_ref());
        self.format.encode_dispatch(id, destination, Some(&message), redeliveries, io.out);
    }

    /// A browser has seen everything: without this mark it would wait for ever.
    pub(super) fn browsed(&mut self, link: LinkId, io: &mut Io<'_>) {
        let consumer = self.links.get(&link).and_then(|key| self.consumers.get_mut(key));
        let Some(consumer) = consumer else { return };
        consumer.links.retain(|other| *other != link);
        if consumer.links.is_empty() {
            self.format.encode_dispatch(&consumer.id, None, None, 0, io.out);
        }
    }
}
