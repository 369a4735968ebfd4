//! Messages on their way to the client, and the packet ids that they hold.

use std::collections::VecDeque;

use keepmq_model::{Delivery, DeliveryId};

use crate::codec::{Fault, PacketId, PacketType, Qos};

/// How many packet ids there are.
const IDS: u64 = 65_535;

/// The packet id of a message: a function of its place alone, so that the client meets it under the same id after a new
/// connection or a restart of the broker [MQTT-4.4.0-1].
pub(super) fn packet_id(place: u64) -> PacketId {
    let offset = u16::try_from(place % IDS).unwrap_or_default();
    PacketId::MIN.saturating_add(offset)
}

/// How far a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// PUBACK is awaited.
    Once,
    /// PUBREC is awaited.
    Twice,
    /// PUBREC came and is being noted; PUBREL follows.
    Noting,
    /// PUBREL was said, PUBCOMP is awaited.
    Released,
    /// PUBCOMP came, but the broker may still bring the message again.
    Completed,
    /// The note is being removed. Until that is sure the id is held: were it used again and the note found after a crash,
    /// the client would hear PUBREL for the wrong message.
    Forgetting,
}

/// A message that holds a packet id.
#[derive(Clone, Copy, Debug)]
struct Entry {
    place: u64,
    id: PacketId,
    state: State,
    /// Whether the broker has been told that it is done with, though its id is still held.
    settled: bool,
    /// Whether it was noted on another connection, and it isn't known yet if it was settled too.
    unsure: bool,
    delivery: DeliveryId,
}

/// What a PUBCOMP ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Completion {
    /// Nothing that can be forgotten now.
    Nothing,
    /// The message. With the delivery, when it isn't settled yet.
    Message(Option<DeliveryId>),
}

/// What a PUBREC asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Received {
    /// To note it before anything is said. With the message's place, and the delivery when it is to be settled now.
    Note(u64, Option<DeliveryId>),
    /// PUBREL at once.
    Release,
    /// Nothing: PUBREL is on its way.
    Awaited,
}

/// Messages on their way, in the order in which they were sent, and those that wait for a packet id.
#[derive(Debug, Default)]
pub(super) struct Flight {
    entries: VecDeque<Entry>,
    /// Whether places rise from front to back, as they do but after a resumption. Then an id can only be in use when all
    /// ids were given out since the front.
    unsorted: bool,
    /// Entries that are settled before their PUBCOMP.
    ahead: usize,
    /// Entries that are unsure.
    unsure: usize,
    /// Entries whose note is being removed.
    forgetting: usize,
    held: VecDeque<Delivery>,
}

impl Flight {
    /// Whether nothing is under way.
    pub(super) fn is_idle(&self) -> bool {
        self.entries.is_empty() && self.held.is_empty()
    }

    fn find(&self, id: PacketId) -> Option<usize> {
        // Answers mostly come in the order of their messages.
        if self.entries.front()?.id == id {
            return Some(0);
        }
        self.entries.iter().position(|entry| entry.id == id)
    }

    fn remove(&mut self, at: usize) -> Option<Entry> {
        let entry = if at == 0 { self.entries.pop_front() } else { self.entries.remove(at) };
        self.unsorted &= !self.entries.is_empty();
        entry
    }

    /// Whether places rise and `place` is the next, with all ids from the front on still to be given out.
    fn is_surely_free(&self, place: u64) -> bool {
        match (self.entries.front(), self.entries.back()) {
            (Some(front), Some(back)) => !self.unsorted && place > back.place && place - front.place < IDS,
            _ => true,
        }
    }

    /// Takes in a message that is to be answered. `None` while its id is in use.
    #[inline]
    pub(super) fn admit(&mut self, place: u64, delivery: DeliveryId, qos: Qos) -> Option<PacketId> {
        let id = packet_id(place);
        if !self.is_surely_free(place) && self.find(id).is_some() {
            return None;
        }
        let state = if qos == Qos::ExactlyOnce { State::Twice } else { State::Once };
        self.push(Entry { place, id, state, settled: false, unsure: false, delivery });
        Some(id)
    }

    /// Whether [`Self::meet`] has anything to do.
    #[inline]
    pub(super) fn is_unsure(&self) -> bool {
        self.unsure > 0
    }

    /// A delivery comes from this place. Places rise, so what was noted before it has been settled too, and never comes
    /// again. Says whether the client has the message already, and whose
    /// notes can be removed now.
    pub(super) fn meet(&mut self, place: u64) -> (bool, Vec<PacketId>) {
        let (mut known, mut over) = (false, Vec::new());
        let passed = self.entries.iter_mut().filter(|entry| entry.unsure && entry.place <= place);
        for entry in passed {
            entry.unsure = false;
            self.unsure -= 1;
            known |= entry.place == place;
            if entry.state == State::Completed {
                entry.state = State::Forgetting;
                over.push(entry.id);
            }
        }
        self.ahead -= over.len();
        self.forgetting += over.len();
        (known, over)
    }

    fn push(&mut self, entry: Entry) {
        self.unsorted |= self.entries.back().is_some_and(|back| back.place >= entry.place);
        self.entries.push_back(entry);
    }

    /// An id whose PUBREC was noted on another connection.
    pub(super) fn restore(&mut self, id: PacketId, place: u64) {
        self.ahead += 1;
        self.unsure += 1;
        self.push(Entry {
            place,
            id,
            state: State::Released,
            settled: true,
            unsure: true,
            delivery: DeliveryId { leg: 0, number: 0 },
        });
    }

    /// A PUBACK came: the delivery that is done with. One of an unknown id means nothing.
    pub(super) fn acknowledge(&mut self, id: PacketId) -> Result<Option<DeliveryId>, Fault> {
        let Some(at) = self.find(id) else { return Ok(None) };
        match self.entries.get(at).map(|entry| entry.state) {
            Some(State::Once) => Ok(self.remove(at).map(|entry| entry.delivery)),
            _ => Err(wrong(PacketType::PubAck, id)),
        }
    }

    /// A PUBREC came. One of an unknown id is answered with PUBREL, or the client would never be rid of it. With `note`
    /// the session outlives the connection; at most `most` deliveries are then settled while their ids are held, so that
    /// a client that never says PUBCOMP gets no more.
    pub(super) fn received(&mut self, id: PacketId, note: bool, most: usize) -> Result<Received, Fault> {
        let ahead = self.ahead < most;
        let Some(at) = self.find(id) else {
            return Ok(Received::Release);
        };
        let Some(entry) = self.entries.get_mut(at) else {
            return Ok(Received::Release);
        };
        match entry.state {
            State::Once => Err(wrong(PacketType::PubRec, id)),
            State::Noting => Ok(Received::Awaited),
            State::Released | State::Completed | State::Forgetting => Ok(Received::Release),
            State::Twice if note => {
                entry.state = State::Noting;
                entry.settled = ahead;
                self.ahead += usize::from(ahead);
                Ok(Received::Note(entry.place, ahead.then_some(entry.delivery)))
            }
            State::Twice => {
                entry.state = State::Released;
                Ok(Received::Release)
            }
        }
    }

    /// The note is safe. Says whether PUBREL is due.
    pub(super) fn noted(&mut self, id: PacketId) -> bool {
        let at = self.find(id);
        let entry = at.and_then(|at| self.entries.get_mut(at));
        match entry {
            Some(entry) if entry.state == State::Noting => {
                entry.state = State::Released;
                true
            }
            _ => false,
        }
    }

    /// A PUBCOMP came. With `note` there is a note to be removed first.
    pub(super) fn complete(&mut self, id: PacketId, note: bool) -> Result<Completion, Fault> {
        let at = self.find(id);
        let Some(entry) = at.and_then(|at| self.entries.get_mut(at)) else {
            return Ok(Completion::Nothing);
        };
        match entry.state {
            State::Released if entry.unsure => {
                entry.state = State::Completed;
                Ok(Completion::Nothing)
            }
            State::Completed | State::Forgetting => Ok(Completion::Nothing),
            State::Released => {
                let open = (!entry.settled).then_some(entry.delivery);
                entry.state = State::Forgetting;
                self.ahead -= usize::from(open.is_none());
                self.forgetting += 1;
                if !note {
                    self.forgotten(id);
                }
                Ok(Completion::Message(open))
            }
            State::Once | State::Twice | State::Noting => Err(wrong(PacketType::PubComp, id)),
        }
    }

    /// The note is gone, and the id free.
    pub(super) fn forgotten(&mut self, id: PacketId) {
        let at = self.find(id);
        if let Some(at) = at.filter(|at| self.is_forgetting(*at)) {
            self.remove(at);
            self.forgetting -= 1;
        }
    }

    fn is_forgetting(&self, at: usize) -> bool {
        self.entries.get(at).is_some_and(|entry| entry.state == State::Forgetting)
    }

    /// How many notes are being removed.
    pub(super) fn forgetting(&self) -> usize {
        self.forgetting
    }

    /// The ids that a resumed session has to say PUBREL for, in order.
    pub(super) fn released(&self) -> impl Iterator<Item = PacketId> + use<'_> {
        self.entries.iter().filter(|entry| entry.state == State::Released).map(|entry| entry.id)
    }

    /// Keeps a delivery whose turn has not come. The credit that was granted bounds them.
    pub(super) fn hold(&mut self, delivery: Delivery) {
        self.held.push_back(delivery);
    }

    /// Whether deliveries are kept back: further ones may not overtake them [MQTT-4.6.0-6].
    pub(super) fn is_holding(&self) -> bool {
        !self.held.is_empty()
    }

    /// The first delivery that was kept back.
    pub(super) fn unhold(&mut self) -> Option<Delivery> {
        self.held.pop_front()
    }

    /// Keeps it back again, as the first.
    pub(super) fn hold_first(&mut self, delivery: Delivery) {
        self.held.push_front(delivery);
    }

    /// Gives memory back after a rush.
    pub(super) fn shrink(&mut self) {
        if self.entries.is_empty() && self.entries.capacity() > super::SPARE {
            self.entries = VecDeque::new();
        }
    }
}

fn wrong(packet: PacketType, id: PacketId) -> Fault {
    Fault::WrongAnswer { packet, id: id.get() }
}

#[cfg(test)]
mod tests;
