//! What the messages of one batch have in common.
//!
//! Whoever sends counts references up while whoever receives counts them down on another processor. If all messages
//! shared the same counters, the processors would spend much of their time on handing them to one another. So a batch
//! has its own, from its second message on: a single one is not worth the memory.

use std::sync::Arc;

use keepmq_model::{Destination, Message, Meter, Principal};

/// What the messages of the present batch share.
#[derive(Debug, Default)]
pub(super) struct Batch {
    has_begun: bool,
    own: Option<Box<Own>>,
}

#[derive(Debug)]
struct Own {
    user: Arc<str>,
    meter: Arc<Meter>,
    /// The destination of the second message, and the batch's own copy of it.
    destination: (Destination, Destination),
}

impl Batch {
    /// Notes in a message who sent it, and counts its memory.
    pub(super) fn give(&mut self, message: &mut Message, who: &Principal, meter: &Arc<Meter>) {
        if !std::mem::replace(&mut self.has_begun, true) {
            message.envelope.user = Some(Arc::clone(&who.name));
            message.charge(meter);
            return;
        }
        let destination = &mut message.envelope.destination;
        let own = self.own.get_or_insert_with(|| {
            Box::new(Own {
                user: Arc::from(&*who.name),
                meter: Arc::new(meter.another()),
                destination: (destination.clone(), destination.separate()),
            })
        });
        if own.destination.0.is_same(destination) {
            destination.clone_from(&own.destination.1);
        }
        message.envelope.user = Some(Arc::clone(&own.user));
        message.charge(&own.meter);
    }

    /// The batch is complete.
    pub(super) fn end(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use keepmq_model::{Envelope, Native, Protocol};

    fn message(destination: &Destination) -> Message {
        let native = Native { protocol: Protocol::Broker, layout: 0, head: Bytes::new(), body: Bytes::new() };
        Message::new(Envelope::new(destination.clone()), native)
    }

    #[test]
    fn messages_of_a_batch_share_what_no_other_batch_has() {
        let (who, meter) = (Principal::new("u", []), Arc::new(Meter::default()));
        let (topic, other) = (Destination::topic("t").unwrap(), Destination::topic("o").unwrap());
        let mut batch = Batch::default();
        let give = |destination: &Destination, batch: &mut Batch| {
            let mut message = message(destination);
            batch.give(&mut message, &who, &meter);
            message
        };
        let first = give(&topic, &mut batch);
        let (second, third) = (give(&topic, &mut batch), give(&topic, &mut batch));
        let strange = give(&other, &mut batch);
        batch.end();
        let later = [give(&topic, &mut batch), give(&topic, &mut batch)];
        let to = |message: &Message| message.envelope.destination.clone();
        assert!(to(&first).is_same(&topic) && to(&strange).is_same(&other));
        assert!(to(&second).is_same(&to(&third)) && !to(&second).is_same(&topic));
        assert!(!to(&later[1]).is_same(&to(&second)));
        let all = [&first, &second, &third, &strange, &later[0], &later[1]];
        assert!(all.iter().all(|message| message.envelope.user.as_deref() == Some("u")));
        assert_eq!(meter.bytes(), all.iter().map(|message| message.cost()).sum::<u64>());
    }
}
