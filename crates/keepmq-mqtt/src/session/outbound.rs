//! Messages to the client.

use std::borrow::Cow;

use bytes::Bytes;
use keepmq_model::{Delivery, Io, Marks, Message, Note, Verb};

use super::asked::Asked;
use super::flight::{Completion, Received};
use super::qos2::{NOTE_RECEIVED, NOTE_SENT, note_key, read_note_key};
use super::{LINK, MqttSession};
use crate::codec::{Ack, DUP, Fault, MAX_LENGTH, PacketId, PacketType, Qos, RETAIN, put_publish};
use crate::{format, topic};

impl MqttSession {
    /// A message for the client. Those that wait for a packet id are not overtaken [MQTT-4.6.0-6].
    #[inline]
    pub(super) fn deliver(&mut self, delivery: Delivery, io: &mut Io<'_>) {
        if self.flight.is_holding() || !self.try_deliver(&delivery, io) {
            self.flight.hold(delivery);
        }
    }

    /// Sends what waited for a packet id.
    fn deliver_held(&mut self, io: &mut Io<'_>) {
        while let Some(delivery) = self.flight.unhold() {
            if !self.try_deliver(&delivery, io) {
                self.flight.hold_first(delivery);
                return;
            }
        }
    }

    /// Sends a message, or passes over one that this client can't get. False when its packet id is in use.
    fn try_deliver(&mut self, delivery: &Delivery, io: &mut Io<'_>) -> bool {
        if self.flight.is_unsure() && self.is_known(delivery, io) {
            return true;
        }
        let message = &*delivery.message;
        let Some((qos, payload)) = self.render(message) else {
            self.account.finished(delivery.id);
            return true;
        };
        let id = if qos.is_answered() {
            let Some(id) = self.flight.admit(delivery.place, delivery.id, qos) else {
                return false;
            };
            Some(id)
        } else {
            self.account.finished(delivery.id);
            None
        };
        let flags = flags(qos, &delivery.marks);
        let name = message.envelope.destination.name().as_bytes();
        let buf = io.out.buf();
        let written = put_publish(buf, flags, name, id, payload.len());
        if let Some(name) = buf.get_mut(written) {
            topic::swap_in_place(name);
        }
        io.out.share(&payload);
        true
    }

    /// The `QoS` and payload of a message for this client: the lower of what its publisher gave and what the filters grant
    /// [MQTT-3.8.4-6]. `None` when the client can't get it: its name is no topic, it is too long for a packet, or no
    /// filter is left.
    #[inline]
    fn render<'a>(&mut self, message: &'a Message) -> Option<(Qos, Cow<'a, Bytes>)> {
        let destination = &message.envelope.destination;
        let granted = self.filters.granted(destination)?;
        if !topic::is_sendable(destination.name()) {
            return None;
        }
        let payload = format::payload(message, &self.options.formats);
        let around = 2 + destination.name().len() + 2;
        if payload.len() > MAX_LENGTH - around.min(MAX_LENGTH) {
            return None;
        }
        Some((granted.min(format::publisher_qos(message)), payload))
    }

    /// PUBACK (section 3.4).
    #[inline]
    pub(super) fn puback(&mut self, ack: Ack, io: &mut Io<'_>) -> Result<(), Fault> {
        if let Some(delivery) = self.flight.acknowledge(ack.id)? {
            self.account.finished(delivery);
            self.deliver_held(io);
        }
        Ok(())
    }

    /// PUBREC (section 3.5). In a session that outlives the connection it is noted before the message is settled, and both
    /// before PUBREL is said: after a crash between them the client is still led through the rest of the handshake.
    pub(super) fn pubrec(&mut self, ack: Ack, io: &mut Io<'_>) -> Result<(), Fault> {
        let most = usize::from(self.options.window);
        match self.flight.received(ack.id, self.durable, most)? {
            Received::Note(place, settle) => {
                io.say.push(Verb::Note(Note {
                    link: LINK,
                    key: note_key(NOTE_SENT, ack.id),
                    // The place tells the order when the session is resumed, and a message that comes again.
                    value: Some(Bytes::copy_from_slice(&place.to_be_bytes())),
                    tag: Some(Asked::NoteSent(ack.id).tag()),
                }));
                if let Some(delivery) = settle {
                    self.account.finished(delivery);
                }
            }
            Received::Release => ack.encode(PacketType::PubRel, io.out.buf()), // [MQTT-4.3.3-1]
            Received::Awaited => {}
        }
        Ok(())
    }

    /// The note of a PUBREC is safe.
    pub(super) fn pubrec_noted(&mut self, id: PacketId, io: &mut Io<'_>) {
        if self.flight.noted(id) {
            Ack { id }.encode(PacketType::PubRel, io.out.buf());
        }
    }

    /// PUBCOMP (section 3.7).
    pub(super) fn pubcomp(&mut self, ack: Ack, io: &mut Io<'_>) -> Result<(), Fault> {
        if let Completion::Message(delivery) = self.flight.complete(ack.id, self.durable)? {
            if let Some(delivery) = delivery {
                self.account.finished(delivery);
            }
            if self.durable {
                self.forget_sent(ack.id, io);
            } else {
                self.deliver_held(io);
            }
        }
        Ok(())
    }

    /// Whether the client said PUBREC to this message on another connection: the broker may have stopped between noting
    /// that and settling the message. The note stays until it is sure that the message comes no more.
    fn is_known(&mut self, delivery: &Delivery, io: &mut Io<'_>) -> bool {
        let (known, over) = self.flight.meet(delivery.place);
        if known {
            self.account.finished(delivery.id);
        }
        for id in over {
            self.forget_sent(id, io);
        }
        known
    }

    /// Removes the note of a message, and never before the message is settled: the other way round a crash between the two
    /// would bring it again as a new one.
    fn forget_sent(&mut self, id: PacketId, io: &mut Io<'_>) {
        self.settle(io);
        io.say.push(Verb::Note(Note {
            link: LINK,
            key: note_key(NOTE_SENT, id),
            value: None,
            tag: Some(Asked::ForgetSent(id).tag()),
        }));
    }

    /// The note is gone, and the id free.
    pub(super) fn sent_forgotten(&mut self, id: PacketId, io: &mut Io<'_>) {
        self.flight.forgotten(id);
        self.deliver_held(io);
    }

    /// Takes over what a named subscription has noted, and says PUBREL where it is due, in the order of the messages
    /// [MQTT-4.4.0-1], [MQTT-4.6.0-4].
    pub(super) fn restore_notes(&mut self, notes: &[(Bytes, Bytes)], io: &mut Io<'_>) {
        let mut sent = Vec::new();
        for (key, value) in notes {
            match read_note_key(key) {
                Some((NOTE_SENT, id)) => sent.push((read_place(value, id), id)),
                Some((NOTE_RECEIVED, id)) => self.received.restore(id),
                _ => {}
            }
        }
        sent.sort_unstable();
        for (place, id) in sent {
            self.flight.restore(id, place);
        }
        for id in self.flight.released() {
            Ack { id }.encode(PacketType::PubRel, io.out.buf());
        }
    }
}

/// The flags of a PUBLISH.
#[inline]
fn flags(qos: Qos, marks: &Marks) -> u8 {
    let mut flags = (qos as u8) << 1;
    // [MQTT-3.3.1-1], [MQTT-3.3.1-2], [MQTT-3.3.1-3]
    if qos.is_answered() && marks.redeliveries > 0 {
        flags |= DUP;
    }
    // [MQTT-3.3.1-8], [MQTT-3.3.1-9]
    if marks.retained {
        flags |= RETAIN;
    }
    flags
}

/// The place that was noted; of a note that can't be read the first place with this id.
fn read_place(value: &[u8], id: PacketId) -> u64 {
    value.try_into().map_or_else(|_| u64::from(id.get()) - 1, u64::from_be_bytes)
}
