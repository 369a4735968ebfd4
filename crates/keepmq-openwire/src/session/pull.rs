//! Clients that ask for each message (section 6, "Pull").

use keepmq_model::{Io, Verb};

use super::answers::Awaited;
use super::consumer::Pull;
use super::{Key, OpenWireSession};
use crate::codec::MessagePull;

/// What is there may still be read from the disk: it is asked for again so much later, in milliseconds.
const AGAIN_MS: u64 = 20;

impl OpenWireSession {
    pub(super) fn pull(&mut self, pull: &MessagePull, reply: Option<i32>, io: &mut Io<'_>) {
        self.respond(reply, io);
        let key = pull.consumer_id.as_ref().map(|id| (id.session_id, id.value));
        let Some((key, consumer)) = key.and_then(|key| Some((key, self.consumers.get_mut(&key)?))) else {
            return;
        };
        // What an earlier wish was granted for is still there.
        if consumer.pull == Pull::None {
            io.say.extend(consumer.links.iter().map(|link| Verb::Grant { link: *link, credit: 1 }));
        }
        match u64::try_from(pull.timeout) {
            Ok(0) => consumer.pull = Pull::Endless,
            Ok(timeout) => consumer.pull = Pull::Until(io.now.mono_ms.saturating_add(timeout)),
            Err(_) => self.drain(key, io),
        }
    }

    /// Takes what is there, and no more.
    fn drain(&mut self, key: Key, io: &mut Io<'_>) {
        let Some(consumer) = self.consumers.get_mut(&key) else { return };
        consumer.pull = Pull::Draining;
        for link in &consumer.links {
            let tag = self.answers.expect(Awaited::Drained(key));
            io.say.push(Verb::Drain { link: *link, tag });
        }
    }

    /// There is nothing more. What there was comes in the same run of events.
    pub(super) fn drained(&mut self, key: Key) {
        if let Some(consumer) = self.consumers.get_mut(&key)
            && consumer.pull == Pull::Draining
        {
            consumer.pull = Pull::Empty;
        }
    }

    pub(super) fn not_drained(&mut self, key: Key, io: &mut Io<'_>) {
        if let Some(consumer) = self.consumers.get_mut(&key)
            && consumer.pull == Pull::Draining
        {
            consumer.pull = Pull::Until(io.now.mono_ms.saturating_add(AGAIN_MS));
        }
    }

    /// Tells those who asked and got nothing that there is nothing.
    pub(super) fn tell_empty(&mut self, io: &mut Io<'_>) {
        for consumer in self.consumers.values_mut().filter(|consumer| consumer.pull == Pull::Empty) {
            consumer.pull = Pull::None;
            self.format.encode_dispatch(&consumer.id, None, None, 0, io.out);
        }
    }

    /// When the next wish is too old.
    pub(super) fn pull_deadline(&self) -> Option<u64> {
        let until = |pull: Pull| if let Pull::Until(until) = pull { Some(until) } else { None };
        self.consumers.values().filter_map(|consumer| until(consumer.pull)).min()
    }

    pub(super) fn end_pulls(&mut self, io: &mut Io<'_>) {
        let now = io.now.mono_ms;
        let is_over = |pull: Pull| matches!(pull, Pull::Until(until) if until <= now);
        let over: Vec<Key> = self
            .consumers
            .iter()
            .filter(|(_, consumer)| is_over(consumer.pull))
            .map(|(key, _)| *key)
            .collect();
        for key in over {
            self.drain(key, io);
        }
    }
}
