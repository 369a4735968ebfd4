//! The marshal cache: ids and destinations are sent once and then by their number (openwire.md, section 6).

use bytes::Bytes;
use hashbrown::HashMap;

use super::wire::{
    BrokerId, Command, ConnectionId, ConsumerId, Destination, LocalTransactionId, ProducerId, SessionId,
    XaTransactionId,
};

/// Size of a table for which no size was negotiated.
const UNSIZED: usize = 16383;
/// So many places are free before each frame, if they can be.
const SLACK: usize = 100;
/// A peer may have so many bytes kept for it.
const MOST_BYTES: usize = 1 << 20;
/// What is longer is sent whole each time: others choose it, and it would be kept for each connection that it goes to.
const LONGEST: usize = 512;

/// What can be sent by number.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Cached {
    /// Nothing: that, too, is sent by number.
    Null,
    Destination(Destination),
    Connection(ConnectionId),
    Session(SessionId),
    Consumer(ConsumerId),
    Producer(ProducerId),
    Broker(BrokerId),
    Local(LocalTransactionId),
    Xa(XaTransactionId),
}

impl Cached {
    pub(crate) fn into_command(self) -> Option<Command> {
        Some(match self {
            Self::Null => return None,
            Self::Destination(value) => Command::Destination(value),
            Self::Connection(value) => Command::ConnectionId(value),
            Self::Session(value) => Command::SessionId(value),
            Self::Consumer(value) => Command::ConsumerId(value),
            Self::Producer(value) => Command::ProducerId(value),
            Self::Broker(value) => Command::BrokerId(value),
            Self::Local(value) => Command::LocalTransactionId(value),
            Self::Xa(value) => Command::XaTransactionId(value),
        })
    }

    /// `None` for what is never sent by number.
    pub(crate) fn of(command: &Command) -> Option<Self> {
        Some(match command {
            Command::Destination(value) => Self::Destination(value.clone()),
            Command::ConnectionId(value) => Self::Connection(value.clone()),
            Command::SessionId(value) => Self::Session(value.clone()),
            Command::ConsumerId(value) => Self::Consumer(value.clone()),
            Command::ProducerId(value) => Self::Producer(value.clone()),
            Command::BrokerId(value) => Self::Broker(value.clone()),
            Command::LocalTransactionId(value) => Self::Local(value.clone()),
            Command::XaTransactionId(value) => Self::Xa(value.clone()),
            _ => return None,
        })
    }

    /// Bytes of its texts.
    fn len(&self) -> usize {
        let text = |text: &Option<super::text::JavaText>| text.as_ref().map_or(0, |text| text.bytes().len());
        let bytes = |bytes: &Option<Bytes>| bytes.as_ref().map_or(0, Bytes::len);
        match self {
            Self::Null => 0,
            Self::Destination(value) => text(&value.physical_name),
            Self::Connection(value) => text(&value.value),
            Self::Session(value) => text(&value.connection_id),
            Self::Consumer(value) => text(&value.connection_id),
            Self::Producer(value) => text(&value.connection_id),
            Self::Broker(value) => text(&value.value),
            Self::Local(value) => {
                value.connection_id.as_ref().map_or(0, |connection| text(&connection.value))
            }
            Self::Xa(value) => bytes(&value.global_transaction_id) + bytes(&value.branch_qualifier),
        }
    }

    /// The same value in memory of its own: what is kept must not keep the whole frame that it came in.
    pub(crate) fn detached(self) -> Self {
        let own = |text: &mut Option<super::text::JavaText>| {
            if let Some(text) = text {
                *text = text.detached();
            }
        };
        let own_bytes = |bytes: &mut Option<Bytes>| {
            if let Some(bytes) = bytes {
                *bytes = Bytes::copy_from_slice(bytes);
            }
        };
        let mut value = self;
        match &mut value {
            Self::Null => {}
            Self::Destination(value) => own(&mut value.physical_name),
            Self::Connection(value) => own(&mut value.value),
            Self::Session(value) => own(&mut value.connection_id),
            Self::Consumer(value) => own(&mut value.connection_id),
            Self::Producer(value) => own(&mut value.connection_id),
            Self::Broker(value) => own(&mut value.value),
            Self::Local(value) => {
                if let Some(connection) = &mut value.connection_id {
                    own(&mut connection.value);
                }
            }
            Self::Xa(value) => {
                own_bytes(&mut value.global_transaction_id);
                own_bytes(&mut value.branch_qualifier);
            }
        }
        value
    }
}

fn size(negotiated: usize) -> usize {
    if negotiated == 0 { UNSIZED } else { negotiated }
}

/// What the peer has sent, by number.
#[derive(Debug)]
pub(crate) struct ReadCache {
    size: usize,
    slots: Vec<Cached>,
    bytes: usize,
}

impl ReadCache {
    pub(crate) fn new(negotiated: usize) -> Self {
        Self { size: size(negotiated), slots: Vec::new(), bytes: 0 }
    }

    /// Whether a number is one of the table's.
    pub(crate) fn has(&self, index: i16) -> bool {
        usize::try_from(index).is_ok_and(|index| index < self.size)
    }

    /// What was sent with this number; nothing, when nothing was.
    pub(crate) fn get(&self, index: i16) -> Cached {
        let index = usize::try_from(index).ok();
        index.and_then(|index| self.slots.get(index)).cloned().unwrap_or(Cached::Null)
    }

    /// Keeps a value; -1 means that the peer had no number free. Says whether there is room for it.
    pub(crate) fn put(&mut self, index: i16, value: Cached) -> bool {
        let Ok(index) = usize::try_from(index) else { return true };
        if self.slots.len() <= index {
            self.slots.resize(index + 1, Cached::Null);
        }
        if let Some(slot) = self.slots.get_mut(index) {
            self.bytes -= slot.len();
            self.bytes += value.len();
            *slot = value.detached();
        }
        self.bytes <= MOST_BYTES
    }
}

/// What was sent to the peer, by value.
#[derive(Debug)]
pub(crate) struct WriteCache {
    size: usize,
    numbers: HashMap<Cached, i16>,
    slots: Vec<Option<Cached>>,
    next: usize,
    oldest: usize,
}

impl WriteCache {
    pub(crate) fn new(negotiated: usize) -> Self {
        Self { size: size(negotiated), numbers: HashMap::new(), slots: Vec::new(), next: 0, oldest: 0 }
    }

    /// Before a frame: frees the oldest numbers where few are left.
    pub(crate) fn sweep(&mut self) {
        while self.numbers.len() > self.size.saturating_sub(SLACK) && !self.numbers.is_empty() {
            if let Some(value) = self.slots.get_mut(self.oldest).and_then(Option::take) {
                self.numbers.remove(&value);
            }
            self.oldest = (self.oldest + 1) % self.size;
        }
    }

    pub(crate) fn number(&self, value: &Cached) -> Option<i16> {
        self.numbers.get(value).copied()
    }

    /// A number for a new value; -1 when none is free.
    pub(crate) fn add(&mut self, value: Cached) -> i16 {
        if self.numbers.len() >= self.size || value.len() > LONGEST {
            return -1;
        }
        let index = self.next;
        self.next = (index + 1) % self.size;
        if self.slots.len() <= index {
            self.slots.resize(index + 1, None);
        }
        let number = i16::try_from(index).unwrap_or(-1);
        let value = value.detached();
        let before = self.slots.get_mut(index).and_then(|slot| slot.replace(value.clone()));
        if let Some(before) = before {
            self.numbers.remove(&before);
        }
        self.numbers.insert(value, number);
        number
    }
}
