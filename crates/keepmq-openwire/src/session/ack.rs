//! Acknowledgements (section 6).

use std::ops::Range;

use keepmq_model::{Io, LinkId, Outcome, Refusal, RefusalKind, Settle, TxId, Verb};

use super::answers::{About, Awaited};
use super::consumer::{Consumer, Dispatched, Holds};
use super::{Halt, OpenWireSession};
use crate::codec::{MessageAck, MessageId, Throwable};
use crate::refusal::malformed;

/// What an acknowledgement says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// The application has them.
    Delivered,
    /// They can't be worked with.
    Poison,
    /// They are done with.
    Standard,
    /// They are tried again at the client.
    Redelivered,
    /// One of them is done with.
    Individual,
    /// They were too old.
    Expired,
}

impl Kind {
    fn of(number: i8) -> Option<Self> {
        Some(match number {
            0 => Self::Delivered,
            1 => Self::Poison,
            2 => Self::Standard,
            3 => Self::Redelivered,
            4 => Self::Individual,
            6 => Self::Expired,
            _ => return None,
        })
    }
}

impl OpenWireSession {
    pub(super) fn acknowledge(
        &mut self,
        ack: &MessageAck,
        reply: Option<i32>,
        io: &mut Io<'_>,
    ) -> Result<(), Halt> {
        let kind = Kind::of(ack.ack_type).ok_or(malformed("there is no such kind of acknowledgement"))?;
        let tx = ack.transaction_id.as_ref().map(|id| self.open_transaction(id)).transpose()?;
        let key = ack.consumer_id.as_ref().map(|id| (id.session_id, id.value));
        let before = io.say.len();
        // The consumer may have been removed a moment ago.
        if let Some(consumer) = key.and_then(|key| self.consumers.get_mut(&key)) {
            let count = u32::try_from(ack.message_count).unwrap_or_default();
            match &mut consumer.holds {
                Holds::Counted(dispatched) => {
                    let count = count.min(*dispatched);
                    let credit = match kind {
                        Kind::Delivered => consumer.window.extend(count, *dispatched),
                        Kind::Redelivered => 0,
                        _ => {
                            *dispatched -= count;
                            consumer.window.free(count)
                        }
                    };
                    grant(consumer, credit, io);
                }
                Holds::Listed(list) if list.is_empty() => {}
                Holds::Listed(_) => settle_listed(consumer, ack, (kind, tx), count, io)?,
            }
        }
        match (reply, last_settle(io.say.get_mut(before..).unwrap_or_default())) {
            // Who waits for an acknowledgement wants to know that it lasts.
            (Some(id), Some(settle)) => {
                settle.tag = Some(self.answers.expect(Awaited::Reply(id, About::Other)));
            }
            _ => self.respond(reply, io),
        }
        Ok(())
    }
}

fn last_settle(verbs: &mut [Verb]) -> Option<&mut Settle> {
    verbs.iter_mut().rev().find_map(|verb| if let Verb::Settle(settle) = verb { Some(settle) } else { None })
}

fn settle_listed(
    consumer: &mut Consumer,
    ack: &MessageAck,
    (kind, tx): (Kind, Option<TxId>),
    count: u32,
    io: &mut Io<'_>,
) -> Result<(), Refusal> {
    let last = ack.last_message_id.as_ref().ok_or(malformed("the acknowledgement names no message"))?;
    let single = kind == Kind::Individual;
    let first = if single { Some(last) } else { ack.first_message_id.as_ref() };
    match kind {
        Kind::Redelivered => return Ok(()),
        Kind::Delivered => {
            let credit = consumer.window.extend(count, consumer.dispatched());
            grant(consumer, credit, io);
            return Ok(());
        }
        Kind::Poison if tx.is_some() => return Err(malformed("Poison ack cannot be transacted")),
        _ => {}
    }
    let places = consumer.range(first, last).ok_or_else(|| unmatched(first, last))?;
    match tx {
        None => settle(consumer, places, outcome(kind, ack), io),
        Some(tx) => settle_in(consumer, places, (tx, single), io),
    }
    Ok(())
}

/// What becomes of the messages, and why.
fn outcome(kind: Kind, ack: &MessageAck) -> (Outcome, Option<Box<str>>) {
    match kind {
        Kind::Poison => (Outcome::Rejected, Some(told(ack.poison_cause.as_deref()))),
        Kind::Expired => (Outcome::Rejected, Some("the message expired at the consumer".into())),
        _ => (Outcome::Accepted, None),
    }
}

fn told(cause: Option<&Throwable>) -> Box<str> {
    let Some(cause) = cause else { return "the consumer gave no cause".into() };
    let text =
        |text: &Option<crate::codec::JavaText>| text.as_ref().map(ToString::to_string).unwrap_or_default();
    let mut told = format!("{}: {}", text(&cause.class), text(&cause.message));
    // As the original cuts them.
    if told.len() > 1024 {
        let end = (0..=1021).rev().find(|end| told.is_char_boundary(*end)).unwrap_or_default();
        told.truncate(end);
        told.push_str("...");
    }
    told.into()
}

fn settle(
    consumer: &mut Consumer,
    places: Range<usize>,
    (outcome, reason): (Outcome, Option<Box<str>>),
    io: &mut Io<'_>,
) {
    let taken = consumer.take(places);
    say(&taken, outcome, None, reason.as_deref(), io);
    let credit = consumer.window.free(u32::try_from(taken.len()).unwrap_or(u32::MAX));
    grant(consumer, credit, io);
}

/// In a transaction they stay with the consumer until it ends.
fn settle_in(consumer: &mut Consumer, places: Range<usize>, (tx, single): (TxId, bool), io: &mut Io<'_>) {
    let Holds::Listed(list) = &mut consumer.holds else { return };
    let mut runs = Runs::default();
    for one in list.range_mut(places).filter(|one| one.tx.is_none()) {
        one.tx = Some(tx);
        runs.add(one);
    }
    runs.say(Outcome::Accepted, Some(tx), None, io);
    if single {
        let credit = consumer.window.extend(1, consumer.dispatched());
        grant(consumer, credit, io);
    }
}

fn say(taken: &[Dispatched], outcome: Outcome, tx: Option<TxId>, reason: Option<&str>, io: &mut Io<'_>) {
    let mut runs = Runs::default();
    taken.iter().for_each(|one| runs.add(one));
    runs.say(outcome, tx, reason, io);
}

/// Deliveries in as few ranges as they make.
#[derive(Default)]
struct Runs(smallvec::SmallVec<[(LinkId, u32, u64, u64); 2]>);

impl Runs {
    fn add(&mut self, one: &Dispatched) {
        let (link, leg, number) = (one.link, one.delivery.leg, one.delivery.number);
        match self.0.last_mut() {
            Some(run) if (run.0, run.1, run.3 + 1) == (link, leg, number) => run.3 = number,
            _ => self.0.push((link, leg, number, number)),
        }
    }

    fn say(self, outcome: Outcome, tx: Option<TxId>, reason: Option<&str>, io: &mut Io<'_>) {
        for (link, leg, from, through) in self.0 {
            let reason = reason.map(Into::into);
            io.say.push(Verb::Settle(Settle { link, leg, from, through, outcome, tx, tag: None, reason }));
        }
    }
}

pub(super) fn grant(consumer: &Consumer, credit: u32, io: &mut Io<'_>) {
    if credit > 0 {
        io.say.extend(consumer.links.iter().map(|link| Verb::Grant { link: *link, credit }));
    }
}

fn unmatched(first: Option<&MessageId>, last: &MessageId) -> Refusal {
    let shown = |id: &MessageId| match (&id.text_view, &id.producer_id) {
        (Some(text), _) => text.to_string(),
        (None, Some(producer)) => {
            let connection = producer.connection_id.as_ref().map(ToString::to_string).unwrap_or_default();
            format!("{connection}:{}:{}:{}", producer.session_id, producer.value, id.producer_sequence_id)
        }
        (None, None) => id.producer_sequence_id.to_string(),
    };
    let first = first.map(shown).unwrap_or_default();
    let text = format!("Unmatched acknowledge: from {first} to {}", shown(last));
    Refusal::new(RefusalKind::Conflict, text)
}
