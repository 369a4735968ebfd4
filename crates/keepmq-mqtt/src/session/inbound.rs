//! Messages from the client.

use bytes::{Buf, Bytes, BytesMut};
use keepmq_model::{Destination, Io, Note, Publish, Retain, Verb};
use smallvec::SmallVec;

use super::answers::Answer;
use super::asked::Asked;
use super::qos2::{NOTE_RECEIVED, Release, Seen, note_key};
use super::{LINK, MqttSession};
use crate::codec::{Ack, Fault, Header, PacketId, PacketType, Publish as Packet, Qos};
use crate::format;

/// From this length on a payload is split off the read buffer; copying a shorter one keeps it from holding that whole.
const SPLIT_FROM: usize = 4 * 1024;

impl MqttSession {
    /// PUBLISH (section 3.3). Takes the packet from the front of `input`.
    pub(super) fn publish(
        &mut self,
        header: &Header,
        input: &mut BytesMut,
        io: &mut Io<'_>,
    ) -> Result<(), Fault> {
        let frame = input.get(header.start..header.total()).unwrap_or_default();
        let packet = Packet::decode(header, frame)?;
        let (qos, retain, id) = (packet.qos, packet.retain, packet.id);
        let length = packet.payload.len();
        let destination = self.topics.destination(packet.topic)?;
        if qos == Qos::ExactlyOnce
            && let Some(id) = id
            && self.is_copy(id, io)?
        {
            input.advance(header.total());
            return Ok(());
        }
        let payload = take_payload(input, header.total(), length);
        let mut publish = publish(destination, qos, retain, payload);
        publish.tag = id.map(|id| Asked::Publish(self.answers.push(id, qos == Qos::ExactlyOnce, None)).tag());
        publish.note = self.note_of(qos, id);
        io.say.push(Verb::Publish(publish));
        Ok(())
    }

    /// Whether the broker has the message of `QoS` 2 with this id already; then PUBREC is said again, in its turn.
    fn is_copy(&mut self, id: PacketId, io: &mut Io<'_>) -> Result<bool, Fault> {
        match self.received.publish(id, self.options.limits.receive_maximum)? {
            Seen::First => return Ok(false),
            Seen::Awaited => {}
            Seen::Again => {
                self.answers.push(id, true, Some(Answer::Kept));
                self.write_answers(io);
            }
        }
        Ok(true)
    }

    /// What keeps a `QoS` 2 message and its id in one step, when the session outlives the connection.
    fn note_of(&self, qos: Qos, id: Option<PacketId>) -> Option<Box<Note>> {
        let id = id.filter(|_| qos == Qos::ExactlyOnce && self.durable)?;
        Some(Box::new(Note {
            link: LINK,
            key: note_key(NOTE_RECEIVED, id),
            value: Some(Bytes::new()),
            tag: None,
        }))
    }

    /// The broker has answered a message.
    #[inline]
    pub(super) fn published(&mut self, number: u64, answer: Answer, io: &mut Io<'_>) {
        self.answers.answer(number, answer);
        self.write_answers(io);
    }

    fn write_answers(&mut self, io: &mut Io<'_>) {
        while let Some((pending, answer)) = self.answers.next() {
            let ack = Ack { id: pending.id };
            if pending.twice {
                let noted = self.durable && answer == Answer::Kept;
                self.received.received(pending.id, noted);
                ack.encode(PacketType::PubRec, io.out.buf());
            } else {
                ack.encode(PacketType::PubAck, io.out.buf());
            }
        }
    }

    /// PUBREL (section 3.6). PUBCOMP follows when the id is surely forgotten.
    pub(super) fn pubrel(&mut self, ack: Ack, io: &mut Io<'_>) -> Result<(), Fault> {
        match self.received.release(ack.id)? {
            Release::Complete => ack.encode(PacketType::PubComp, io.out.buf()),
            Release::Forget => io.say.push(Verb::Note(Note {
                link: LINK,
                key: note_key(NOTE_RECEIVED, ack.id),
                value: None,
                tag: Some(Asked::ForgetReceived(ack.id).tag()),
            })),
            Release::Awaited => {}
        }
        Ok(())
    }

    /// The note of an id is gone.
    pub(super) fn pubrel_noted(&mut self, id: PacketId, io: &mut Io<'_>) {
        if self.received.forgotten(id) {
            Ack { id }.encode(PacketType::PubComp, io.out.buf());
        }
    }
}

/// A message for a topic, without an answer.
#[inline]
pub(super) fn publish(destination: Destination, qos: Qos, retain: bool, payload: Bytes) -> Publish {
    let retain_for_topic = match (retain, payload.is_empty()) {
        (false, _) => Retain::No,
        (true, false) => Retain::Keep, // [MQTT-3.3.1-5]
        (true, true) => Retain::Clear, // [MQTT-3.3.1-10], [MQTT-3.3.1-11]
    };
    Publish {
        tag: None,
        message: format::message(destination, qos, retain, payload),
        also: SmallVec::new(),
        retain: retain_for_topic,
        tx: None,
        note: None,
    }
}

/// Takes a packet of `total` bytes off `input` and gives its last `length` bytes.
#[inline]
fn take_payload(input: &mut BytesMut, total: usize, length: usize) -> Bytes {
    let start = total - length.min(total);
    if length < SPLIT_FROM {
        let payload = Bytes::copy_from_slice(input.get(start..total).unwrap_or_default());
        input.advance(total);
        return payload;
    }
    input.advance(start);
    input.split_to(length).freeze()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_payload_is_not_copied_and_a_small_one_holds_no_buffer() {
        for (length, shared) in [(SPLIT_FROM, true), (SPLIT_FROM - 1, false), (0, false)] {
            let mut input = BytesMut::from(&vec![7; 10 + length][..]);
            input.extend_from_slice(b"next");
            let range = input.as_ptr_range();
            let payload = take_payload(&mut input, 10 + length, length);
            assert_eq!(payload, vec![7; length]);
            assert_eq!(range.contains(&payload.as_ptr()) && length > 0, shared);
            assert_eq!(input, &b"next"[..]);
        }
    }
}
