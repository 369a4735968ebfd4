//! Packet ids of `QoS` 2 messages that the client has sent and not released yet (MQTT 3.1.1, section 4.3.3, method A: the
//! message is passed on with its PUBLISH, and its id is kept until PUBREL).

use bytes::Bytes;

use crate::codec::{Fault, PacketId};

/// Keys of notes: of an id that the client sent (`i`), of an id that was sent to the client (`o`).
pub(super) const NOTE_RECEIVED: u8 = b'i';
/// See [`NOTE_RECEIVED`].
pub(super) const NOTE_SENT: u8 = b'o';

/// The key of a note about a packet id.
pub(super) fn note_key(kind: u8, id: PacketId) -> Bytes {
    let [high, low] = id.get().to_be_bytes();
    Bytes::copy_from_slice(&[kind, high, low])
}

/// Reads a key back; `None` for what isn't ours.
pub(super) fn read_note_key(key: &[u8]) -> Option<(u8, PacketId)> {
    let [kind, high, low] = *key else { return None };
    Some((kind, PacketId::new(u16::from_be_bytes([high, low]))?))
}

/// How far an id is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// The broker has the message in hand; PUBREC follows.
    Publishing,
    /// PUBREC was said.
    Received {
        /// Whether the id is kept in a note.
        noted: bool,
    },
    /// The note is being removed; PUBCOMP follows.
    Releasing,
}

/// What a PUBLISH is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// New.
    First,
    /// A copy of one whose PUBREC is still to come.
    Awaited,
    /// A copy of one whose PUBREC was said, and is said again.
    Again,
}

/// What a PUBREL asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Release {
    /// PUBCOMP at once.
    Complete,
    /// To remove the note first.
    Forget,
    /// Nothing: that is on its way.
    Awaited,
}

/// The ids, sorted.
#[derive(Debug, Default)]
pub(super) struct Received(Vec<(PacketId, State)>);

impl Received {
    fn find(&self, id: PacketId) -> Result<usize, usize> {
        self.0.binary_search_by_key(&id, |(known, _)| *known)
    }

    /// A PUBLISH came with this id; at most `most` are kept.
    pub(super) fn publish(&mut self, id: PacketId, most: u16) -> Result<Seen, Fault> {
        match self.find(id) {
            Ok(at) => match self.0.get(at).map(|(_, state)| *state) {
                Some(State::Received { .. }) => Ok(Seen::Again),
                // The client may use the id again after PUBCOMP only [MQTT-2.3.1-2].
                Some(State::Releasing) => Err(Fault::IdInUse(id.get())),
                Some(State::Publishing) | None => Ok(Seen::Awaited),
            },
            Err(_) if self.0.len() >= usize::from(most) => Err(Fault::ReceiveMaximum(most)),
            Err(at) => {
                self.0.insert(at, (id, State::Publishing));
                Ok(Seen::First)
            }
        }
    }

    /// PUBREC is said.
    pub(super) fn received(&mut self, id: PacketId, noted: bool) {
        if let Ok(at) = self.find(id)
            && let Some((_, state @ State::Publishing)) = self.0.get_mut(at)
        {
            *state = State::Received { noted };
        }
    }

    /// An id that was kept in a note since another connection.
    pub(super) fn restore(&mut self, id: PacketId) {
        if let Err(at) = self.find(id) {
            self.0.insert(at, (id, State::Received { noted: true }));
        }
    }

    /// A PUBREL came. One of an unknown id is answered too: its PUBCOMP may have been lost.
    pub(super) fn release(&mut self, id: PacketId) -> Result<Release, Fault> {
        let Ok(at) = self.find(id) else {
            return Ok(Release::Complete);
        };
        match self.0.get_mut(at) {
            Some((_, state @ State::Received { noted: true })) => {
                *state = State::Releasing;
                Ok(Release::Forget)
            }
            Some((_, State::Releasing)) => Ok(Release::Awaited),
            // PUBREL answers PUBREC, which wasn't said yet.
            Some((_, State::Publishing)) => Err(Fault::IdInUse(id.get())),
            Some((_, State::Received { noted: false })) | None => {
                self.0.remove(at);
                Ok(Release::Complete)
            }
        }
    }

    /// The note is removed. Says whether PUBCOMP is due.
    pub(super) fn forgotten(&mut self, id: PacketId) -> bool {
        let Ok(at) = self.find(id) else { return false };
        let due = matches!(self.0.get(at), Some((_, State::Releasing)));
        if due {
            self.0.remove(at);
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u16) -> PacketId {
        PacketId::new(number).unwrap()
    }

    #[test]
    fn keys_are_read_back_and_sorted_by_id() {
        for number in [1, 255, 256, u16::MAX] {
            let key = note_key(NOTE_SENT, id(number));
            assert_eq!(read_note_key(&key), Some((NOTE_SENT, id(number))));
        }
        assert!(note_key(NOTE_RECEIVED, id(255)) < note_key(NOTE_RECEIVED, id(256)));
        for wrong in [&b"i"[..], b"i\0\0", b"", b"i\0\x01x"] {
            assert_eq!(read_note_key(wrong), None);
        }
    }

    /// [MQTT-4.3.3-2]: until PUBREL each PUBLISH of the id is the same message.
    #[test]
    fn a_copy_is_known_until_its_release() {
        let mut received = Received::default();
        assert_eq!(received.publish(id(7), 9), Ok(Seen::First));
        assert_eq!(received.publish(id(7), 9), Ok(Seen::Awaited));
        received.received(id(7), false);
        assert_eq!(received.publish(id(7), 9), Ok(Seen::Again));
        assert_eq!(received.release(id(7)), Ok(Release::Complete));
        assert_eq!(received.publish(id(7), 9), Ok(Seen::First));
    }

    #[test]
    fn a_noted_id_is_free_when_its_note_is_gone() {
        let mut received = Received::default();
        received.restore(id(7));
        assert_eq!(received.publish(id(7), 9), Ok(Seen::Again));
        assert_eq!(received.release(id(7)), Ok(Release::Forget));
        assert_eq!(received.release(id(7)), Ok(Release::Awaited));
        assert_eq!(received.publish(id(7), 9), Err(Fault::IdInUse(7)));
        assert!(received.forgotten(id(7)) && !received.forgotten(id(7)));
        assert_eq!(received.publish(id(7), 9), Ok(Seen::First));
    }

    #[test]
    fn an_unknown_release_is_completed_and_an_early_one_is_a_fault() {
        let mut received = Received::default();
        assert_eq!(received.release(id(1)), Ok(Release::Complete));
        assert_eq!(received.publish(id(1), 9), Ok(Seen::First));
        assert_eq!(received.release(id(1)), Err(Fault::IdInUse(1)));
    }

    #[test]
    fn the_bound_counts_ids_and_not_copies() {
        let mut received = Received::default();
        for number in [3, 1, 2] {
            assert_eq!(received.publish(id(number), 3), Ok(Seen::First));
            assert_eq!(received.publish(id(number), 3), Ok(Seen::Awaited));
        }
        assert_eq!(received.publish(id(4), 3), Err(Fault::ReceiveMaximum(3)));
    }
}
