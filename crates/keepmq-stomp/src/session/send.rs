//! Messages that the client sends ("SEND" in STOMP 1.2).

use std::borrow::Cow;
use std::sync::Arc;

use keepmq_model::{
    Destination, Envelope, Extras, Group, Io, MAX_PRIORITY, Message, Native, Protocol, Publish, Refusal,
    Retain, Schedule, Tag, TxId, Verb,
};

use super::answers::Awaited;
use super::heartbeat::digits;
use super::{Halt, StompSession};
use crate::codec::Frame;
use crate::head::{HeadBuilder, LAYOUT};
use crate::names::is_brokers;
use crate::refusal::{malformed, shown, unsupported};

/// Headers that mean something to the broker. Of repeated ones the first counts.
#[derive(Default)]
struct Fields<'f> {
    destination: Option<&'f str>,
    receipt: Option<&'f str>,
    transaction: Option<&'f str>,
    persistent: Option<&'f str>,
    priority: Option<&'f str>,
    expires: Option<&'f str>,
    timestamp: Option<&'f str>,
    reply_to: Option<&'f str>,
    message_type: Option<&'f str>,
    group: Option<&'f str>,
    group_sequence: Option<&'f str>,
    delay: Option<&'f str>,
    period: Option<&'f str>,
    repeat: Option<&'f str>,
    cron: Option<&'f str>,
}

impl<'f> Fields<'f> {
    /// Parts the broker's headers from the message's own, which go into the head.
    fn read(frame: &'f Frame, head: &mut HeadBuilder) -> Self {
        let mut fields = Self::default();
        head.clear();
        for (name, value) in frame.headers() {
            match fields.place(name) {
                Some(place) => {
                    place.get_or_insert(value);
                }
                None if is_brokers(name) => {}
                None => head.add(name, value),
            }
        }
        if let Some(message_type) = fields.message_type {
            head.add("amq-msg-type", message_type);
        }
        fields
    }

    fn place(&mut self, name: &str) -> Option<&mut Option<&'f str>> {
        Some(match name {
            "destination" => &mut self.destination,
            "receipt" => &mut self.receipt,
            "transaction" => &mut self.transaction,
            "persistent" => &mut self.persistent,
            "priority" => &mut self.priority,
            "expires" => &mut self.expires,
            "timestamp" => &mut self.timestamp,
            "reply-to" => &mut self.reply_to,
            "amq-msg-type" => &mut self.message_type,
            "JMSXGroupID" => &mut self.group,
            "JMSXGroupSeq" => &mut self.group_sequence,
            "AMQ_SCHEDULED_DELAY" => &mut self.delay,
            "AMQ_SCHEDULED_PERIOD" => &mut self.period,
            "AMQ_SCHEDULED_REPEAT" => &mut self.repeat,
            "AMQ_SCHEDULED_CRON" => &mut self.cron,
            _ => return None,
        })
    }

    fn envelope(&self, destination: Destination) -> Result<Envelope, Refusal> {
        let mut envelope = Envelope::new(destination);
        if let Some(persistent) = self.persistent {
            envelope.durable = truth("persistent", persistent)?;
        }
        if let Some(priority) = self.priority {
            envelope.priority = u8::try_from(number("priority", priority)?)
                .ok()
                .filter(|priority| *priority <= MAX_PRIORITY)
                .ok_or_else(|| {
                    malformed(format!("priority is 0 to {MAX_PRIORITY}, not {}", shown(priority)))
                })?;
        }
        if let Some(expires) = self.expires {
            envelope.expires_ms = number("expires", expires)?;
        }
        if let Some(timestamp) = self.timestamp {
            envelope.timestamp_ms = number("timestamp", timestamp)?;
        }
        envelope.extras = self.extras()?.map(Box::new);
        Ok(envelope)
    }

    fn extras(&self) -> Result<Option<Extras>, Refusal> {
        let group = self.group()?;
        let schedule = self.schedule()?;
        if group.is_none() && schedule.is_none() {
            return Ok(None);
        }
        Ok(Some(Extras { group, schedule, duplicate: None }))
    }

    fn group(&self) -> Result<Option<Group>, Refusal> {
        let Some(id) = self.group.filter(|id| !id.is_empty()) else {
            return Ok(None);
        };
        let sequence = match self.group_sequence {
            Some(text) => text
                .parse()
                .map_err(|_| malformed(format!("JMSXGroupSeq is a whole number, not {}", shown(text))))?,
            None => 0,
        };
        Ok(Some(Group { id: id.into(), sequence }))
    }

    fn schedule(&self) -> Result<Option<Schedule>, Refusal> {
        let given = [self.delay, self.period, self.repeat, self.cron];
        if given.iter().all(Option::is_none) {
            return Ok(None);
        }
        let or_zero = |name, value: Option<&str>| value.map_or(Ok(0), |value| number(name, value));
        let repeat = or_zero("AMQ_SCHEDULED_REPEAT", self.repeat)?;
        Ok(Some(Schedule {
            delay_ms: or_zero("AMQ_SCHEDULED_DELAY", self.delay)?,
            period_ms: or_zero("AMQ_SCHEDULED_PERIOD", self.period)?,
            repeat: u32::try_from(repeat).map_err(|_| malformed("AMQ_SCHEDULED_REPEAT is too large"))?,
            cron: self.cron.unwrap_or_default().into(),
        }))
    }

    /// Whether the body is bytes: when its length was stated (ActiveMQ's rule), unless `amq-msg-type` says otherwise.
    fn is_bytes(&self, is_sized: bool) -> Result<bool, Refusal> {
        match self.message_type {
            None => Ok(is_sized),
            Some(kind) if kind.eq_ignore_ascii_case("bytes") => Ok(true),
            Some(kind) if kind.eq_ignore_ascii_case("text") => Ok(false),
            Some(kind) => Err(unsupported(format!("amq-msg-type is text or bytes, not {}", shown(kind)))),
        }
    }
}

/// A number that is not negative.
fn number(name: &str, value: &str) -> Result<u64, Refusal> {
    digits(value).ok_or_else(|| malformed(format!("{name} is a plain whole number, not {}", shown(value))))
}

/// A truth value. Python writes `True`; to take that for false would lose messages without a word.
pub(super) fn truth(name: &str, value: &str) -> Result<bool, Refusal> {
    if value.eq_ignore_ascii_case("true") {
        return Ok(true);
    }
    if value.eq_ignore_ascii_case("false") {
        return Ok(false);
    }
    Err(malformed(format!("{name} is true or false, not {}", shown(value))))
}

impl StompSession {
    pub(super) fn send(&mut self, frame: &mut Frame, io: &mut Io<'_>) -> Result<(), Halt> {
        let limits = &self.options.limits;
        let fields = Fields::read(frame, &mut self.head);
        let text = fields.destination.ok_or_else(|| malformed("SEND needs a destination header"))?;
        let (destination, also) = self.names.all(text, limits)?;
        if let Some(reply_to) = fields.reply_to {
            self.head.add("reply-to", &self.names.stated_reply_to(reply_to)?);
        }
        let envelope = fields.envelope(destination)?;
        let head = self.head.finish(fields.is_bytes(frame.is_sized())?);
        let tx = self.transactions.find(fields.transaction)?;
        let receipt = fields.receipt.map(|receipt| self.id("receipt", receipt)).transpose()?;
        let tag = self.publish_tag(receipt, envelope.durable, tx);
        let native = Native { protocol: Protocol::Stomp, layout: LAYOUT, head, body: frame.take_body() };
        io.say.push(Verb::Publish(Publish {
            tag,
            message: Arc::new(Message::new(envelope, native)),
            also,
            retain: Retain::No,
            tx,
            note: None,
        }));
        Ok(())
    }

    /// A durable message that nobody asked a receipt for is waited for nevertheless, so that the receipt of a DISCONNECT
    /// means that it is safe. Others are dealt with in the order in which they are said.
    fn publish_tag(&mut self, receipt: Option<Box<str>>, is_durable: bool, tx: Option<TxId>) -> Option<Tag> {
        match receipt {
            Some(receipt) => Some(self.answers.expect(Awaited::Receipt(receipt))),
            None if is_durable && tx.is_none() => Some(self.answers.expect(Awaited::Quiet)),
            None => None,
        }
    }
}

impl crate::destination::Names {
    /// What is stored for a `reply-to`: the real name of an alias, which means nothing to others; else the client's text.
    fn stated_reply_to<'t>(&self, text: &'t str) -> Result<Cow<'t, str>, Halt> {
        Ok(match self.alias_in(text)? {
            Some(real) => Cow::Owned(format!("{}{}", crate::destination::prefix(real.kind()), real.name())),
            None => Cow::Borrowed(text),
        })
    }
}
