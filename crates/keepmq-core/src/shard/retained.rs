//! The messages that topics keep for later subscribers: the last one that was sent to be kept.

use std::collections::BTreeMap;
use std::sync::Arc;

use keepmq_model::{Marks, Message, Pattern};
use keepmq_store::{Locator, Op, StreamId, Target};
use smallvec::smallvec;

use super::output::Context;
use super::{Reply, Shard};

/// The streams that hold kept messages, one for each shard; lower than any line's.
pub(crate) const RETAINED: u64 = 0;
/// How many of them there can be.
pub(crate) const RETAINED_STREAMS: u64 = 256;

/// A message that its topic keeps.
#[derive(Debug)]
pub(crate) struct Kept {
    pub(crate) at: Option<Locator>,
    pub(crate) message: Arc<Message>,
}

/// By the topics' names.
#[derive(Debug, Default)]
pub(crate) struct Retained {
    by_topic: BTreeMap<Arc<str>, Kept>,
    bytes: u64,
}

impl Retained {
    pub(crate) fn len(&self) -> usize {
        self.by_topic.len()
    }

    pub(crate) fn insert(&mut self, topic: &str, kept: Kept) -> Option<Kept> {
        self.bytes += kept.message.cost();
        let old = match self.by_topic.get_mut(topic) {
            Some(place) => Some(std::mem::replace(place, kept)),
            None => self.by_topic.insert(topic.into(), kept),
        };
        self.bytes -= old.as_ref().map_or(0, |old| old.message.cost());
        old
    }

    fn remove(&mut self, topic: &str) -> Option<Kept> {
        let old = self.by_topic.remove(topic)?;
        self.bytes -= old.message.cost();
        Some(old)
    }

    fn has_room(&self, topic: &str, cost: u64, cx: &Context<'_>) -> bool {
        let known = self.by_topic.contains_key(topic);
        (known || self.len() < cx.limits.retained_messages) && self.bytes + cost <= cx.limits.retained_bytes
    }

    /// The messages of the topics that a subscription to the pattern gets.
    pub(crate) fn matching(&self, pattern: &Pattern, unix_ms: u64) -> Vec<Arc<Message>> {
        let wanted =
            |kept: &Kept| (!kept.message.envelope.is_expired(unix_ms)).then(|| Arc::clone(&kept.message));
        if !pattern.is_wild() {
            return self.by_topic.get(pattern.as_str()).and_then(wanted).into_iter().collect();
        }
        let fixed = fixed_part(pattern);
        let range =
            self.by_topic.range::<str, _>((std::ops::Bound::Included(fixed), std::ops::Bound::Unbounded));
        range
            .take_while(|(topic, _)| topic.starts_with(fixed))
            .filter(|(topic, _)| pattern.subscribes_to(topic))
            .filter_map(|(_, kept)| wanted(kept))
            .collect()
    }
}

/// What every name that the pattern covers begins with.
fn fixed_part(pattern: &Pattern) -> &str {
    let text = pattern.as_str();
    let end: usize = pattern.segments().take_while(|s| !matches!(*s, "*" | ">")).map(|s| s.len() + 1).sum();
    // Without the last dot: `A.>` covers `A` as well.
    text.get(..end.saturating_sub(1)).unwrap_or_default()
}

impl Shard {
    /// Keeps a message for its topic, or forgets the one that is kept.
    pub(super) fn retain(
        &mut self,
        topic: &str,
        message: Option<&Arc<Message>>,
        store: bool,
        cx: &mut Context<'_>,
    ) -> Reply {
        let Some(message) = message else {
            return self.forget_retained(topic, cx);
        };
        if !self.retained.has_room(topic, message.cost(), cx) {
            return Reply::Busy("the limit on retained messages is reached");
        }
        let at = store.then(|| self.next_retained());
        let old = self.retained.insert(topic, Kept { at, message: Arc::clone(message) });
        if let Some(at) = at {
            let payload = crate::record::encode_message(message, &Marks::default(), &mut self.scratch);
            let targets = smallvec![Target { at, meta: message.envelope.expires_ms }];
            cx.out.ops.push(Op::Put { targets, payload });
        }
        cx.out.ops.extend(old.and_then(|old| old.at).map(Op::Release));
        if at.is_some() && message.envelope.durable {
            cx.out.urgency = keepmq_store::Urgency::Now;
            return Reply::Staged;
        }
        Reply::Done
    }

    pub(super) fn forget_retained(&mut self, topic: &str, cx: &mut Context<'_>) -> Reply {
        match self.retained.remove(topic).and_then(|old| old.at) {
            Some(at) => {
                cx.out.commit_now(Op::Release(at));
                Reply::Staged
            }
            None => Reply::Done,
        }
    }

    fn next_retained(&mut self) -> Locator {
        self.retained_seq += 1;
        Locator { stream: StreamId(RETAINED + u64::from(self.index)), seq: self.retained_seq }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fixed_part_of_a_pattern_begins_every_name_it_covers() {
        for (pattern, fixed) in [("A.B.*", "A.B"), ("A.>", "A"), (">", ""), ("*.B", ""), ("A.*.C", "A")] {
            assert_eq!(fixed_part(&Pattern::new(pattern).unwrap()), fixed, "{pattern}");
        }
    }
}
