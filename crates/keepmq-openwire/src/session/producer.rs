//! Sessions, producers, and what they send (sections 4 and 5).

use std::sync::Arc;

use keepmq_model::{Envelope, Extras, Group, Io, Publish, Refusal, RefusalKind, Retain, Text, Verb};
use memchr::memmem;

use super::answers::{About, Awaited};
use super::{Halt, Key, OpenWireSession};
use crate::codec::{Command, Message, ProducerAck, ProducerId, ProducerInfo, SessionInfo};
use crate::destination::targets;
use crate::head::store;
use crate::refusal::{malformed, unknown};

/// What a message counts for besides its properties and content, in a producer's window (section 5).
const OVERHEAD: usize = 1024;

/// How the names of properties begin that ask for a later delivery.
const SCHEDULED: &[u8] = b"AMQ_SCHEDULED_";

/// A producer that the client has told of.
#[derive(Debug)]
pub(super) struct Producer {
    /// Bytes that may be on their way unacknowledged; 0 when it does not wait for that.
    window: i32,
    /// By what the broker knows copies that are sent again after the connection broke.
    sender: Option<Text>,
}

impl OpenWireSession {
    pub(super) fn add_session(
        &mut self,
        info: &SessionInfo,
        reply: Option<i32>,
        io: &mut Io<'_>,
    ) -> Result<(), Halt> {
        let id = info.session_id.as_ref().ok_or(malformed("the session has no id"))?.value;
        if !self.sessions.contains(&id) {
            if self.sessions.len() >= self.options.limits.producers {
                return Err(too_many("sessions").into());
            }
            self.sessions.push(id);
        }
        self.respond(reply, io);
        Ok(())
    }

    /// Whether this session was told of.
    pub(super) fn check_session(&self, session: i64, what: &str) -> Result<(), Refusal> {
        if self.sessions.contains(&session) {
            return Ok(());
        }
        let connection = self.connection.as_ref().map(ToString::to_string).unwrap_or_default();
        Err(unknown(format!(
            "Cannot add a {what} to a session that had not been registered: {connection}:{session}"
        )))
    }

    pub(super) fn add_producer(
        &mut self,
        info: &ProducerInfo,
        reply: Option<i32>,
        io: &mut Io<'_>,
    ) -> Result<(), Halt> {
        let key = key(info.producer_id.as_ref())?;
        self.check_session(key.0, "producer")?;
        if self.producers.contains_key(&key) {
            self.respond(reply, io);
            return Ok(());
        }
        if self.producers.len() >= self.options.limits.producers {
            return Err(too_many("producers").into());
        }
        let targets = match &info.destination {
            Some(destination) => targets(destination, self.options.limits.parts)?,
            None => Vec::new(),
        };
        let connection = self.connection.as_ref().filter(|_| self.fails_over);
        let sender = connection.map(|connection| Text::from(format!("{connection}:{}:{}", key.0, key.1)));
        self.producers.insert(key, Producer { window: info.window_size, sender });
        let Some((last, others)) = targets.split_last() else {
            self.respond(reply, io);
            return Ok(());
        };
        for destination in others {
            let tag = self.answers.expect(Awaited::Quiet);
            io.say.push(Verb::Target { destination: destination.clone(), tag });
        }
        let tag = self.expect(reply, About::Producer(key));
        io.say.push(Verb::Target { destination: last.clone(), tag });
        Ok(())
    }

    pub(super) fn send(
        &mut self,
        message: Box<Message>,
        reply: Option<i32>,
        io: &mut Io<'_>,
    ) -> Result<(), Halt> {
        let key = key(message.producer_id.as_ref())?;
        let producer = self.producers.get(&key).ok_or(unknown("invalid (null) producer state"))?;
        let (window, sender) = (producer.window, producer.sender.clone());
        let tx = message.transaction_id.as_ref().map(|id| self.open_transaction(id)).transpose()?;
        if scheduled(&message) {
            let text = "scheduled delivery is not available; send the message when it is due";
            return Err(Refusal::new(RefusalKind::Unsupported, text).into());
        }
        let destination = message.destination.as_ref().ok_or(malformed("the message has no destination"))?;
        let mut targets = targets(destination, self.options.limits.parts)?.into_iter();
        let first = targets.next().ok_or(malformed("the message has no destination"))?;
        let mut envelope = envelope(&message, first);
        if let Some(sender) = sender {
            let number = message.message_id.as_ref().map_or(0, |id| id.producer_sequence_id);
            let duplicate = u64::try_from(number).ok().map(|number| (sender, number));
            envelope.extras.get_or_insert_default().duplicate = duplicate;
        }
        let size = size(&message);
        let window = (window > 0 && reply.is_none()).then_some((key, size));
        let tag =
            (reply.is_some() || window.is_some()).then(|| self.answers.expect(Awaited::Sent(reply, window)));
        let message = Arc::new(keepmq_model::Message::new(envelope, store(*message)));
        let also = targets.collect();
        io.say.push(Verb::Publish(Publish { tag, message, also, retain: Retain::No, tx, note: None }));
        Ok(())
    }

    /// Producers of a session are over, or one of them: they will send nothing again.
    pub(super) fn drop_producers(&mut self, which: impl Fn(Key) -> bool, io: &mut Io<'_>) {
        let over = self.producers.extract_if(|key, _| which(*key));
        io.say.extend(over.filter_map(|(_, producer)| Some(Verb::EndSender { sender: producer.sender? })));
    }

    /// A message is safe.
    pub(super) fn sent(&mut self, reply: Option<i32>, window: Option<(Key, i32)>, io: &mut Io<'_>) {
        self.respond(reply, io);
        if let Some(((session_id, value), size)) = window {
            let producer_id = ProducerId { connection_id: self.connection.clone(), session_id, value };
            let ack = ProducerAck { producer_id: Some(producer_id), size, ..ProducerAck::default() };
            self.format.encode(&Command::ProducerAck(Box::new(ack)), io.out);
        }
    }
}

fn key(id: Option<&ProducerId>) -> Result<Key, Refusal> {
    id.map(|id| (id.session_id, id.value)).ok_or(malformed("the producer has no id"))
}

pub(super) fn too_many(what: &str) -> Refusal {
    let text = format!("the limit on {what} of one connection is reached");
    Refusal::new(RefusalKind::Busy, text)
}

fn size(message: &Message) -> i32 {
    let parts = [&message.marshalled_properties, &message.content];
    let bytes: usize = parts.into_iter().flatten().map(bytes::Bytes::len).sum();
    i32::try_from(bytes + OVERHEAD).unwrap_or(i32::MAX)
}

/// Whether it is to be delivered later. Nobody else's property has such a name.
fn scheduled(message: &Message) -> bool {
    message
        .marshalled_properties
        .as_ref()
        .is_some_and(|properties| memmem::find(properties, SCHEDULED).is_some())
}

/// What the core reads of a message.
fn envelope(message: &Message, destination: keepmq_model::Destination) -> Envelope {
    let mut envelope = Envelope::new(destination);
    envelope.durable = message.persistent;
    envelope.priority = u8::try_from(message.priority).unwrap_or_default();
    envelope.expires_ms = u64::try_from(message.expiration).unwrap_or_default();
    envelope.timestamp_ms = u64::try_from(message.timestamp).unwrap_or_default();
    if let Some(id) = &message.group_id {
        let group = Group { id: id.to_text(), sequence: message.group_sequence };
        envelope.extras = Some(Box::new(Extras { group: Some(group), ..Extras::default() }));
    }
    envelope
}
