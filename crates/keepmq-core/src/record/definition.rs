//! Stored definitions: destinations, subscriptions and their notes, by key.

use std::sync::Arc;

use bytes::{BufMut, Bytes, BytesMut};
use keepmq_model::{Destination, Filter, Kind, Pattern, Principal, Replay, SubscriptionName};
use keepmq_store::Op;

use super::branch::{BRANCH, LOCK};
use super::message::{kind_number, kind_of};
use super::wire::{Reader, Writer};

const VERSION: u8 = 1;

const DESTINATION: u8 = b'd';
const SUBSCRIPTION: u8 = b's';
const NOTE: u8 = b'n';
const SENDER: u8 = b'r';

/// What a stored key names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Key {
    /// A destination's definition.
    Destination(u64),
    /// A subscription's definition.
    Subscription(u64),
    /// A note of a subscription.
    Note(u64, Bytes),
    /// A prepared branch.
    Branch(u64),
    /// What a branch accepted of a line.
    Lock(u64, u64),
    /// The highest number of a sender.
    Sender(Bytes),
}

/// Reads a stored key; `None` for one that is not known.
pub(crate) fn parse_key(key: &Bytes) -> Option<Key> {
    let (first, rest) = key.split_first()?;
    if *first == SENDER {
        return Some(Key::Sender(key.slice_ref(rest)));
    }
    let (id, rest) = rest.split_first_chunk::<8>()?;
    let id = u64::from_be_bytes(*id);
    match *first {
        DESTINATION if rest.is_empty() => Some(Key::Destination(id)),
        SUBSCRIPTION if rest.is_empty() => Some(Key::Subscription(id)),
        NOTE => Some(Key::Note(id, key.slice_ref(rest))),
        BRANCH if rest.is_empty() => Some(Key::Branch(id)),
        LOCK => Some(Key::Lock(id, u64::from_be_bytes(rest.try_into().ok()?))),
        _ => None,
    }
}

pub(super) fn key(first: u8, id: u64, rest: &[u8]) -> Bytes {
    let mut key = BytesMut::with_capacity(9 + rest.len());
    key.put_u8(first);
    key.put_u64(id);
    key.put_slice(rest);
    key.freeze()
}

fn sender_key(name: &[u8]) -> Bytes {
    [&[SENDER], name].concat().into()
}

/// The change that stores the highest number of a sender.
pub(crate) fn set_sender(name: &[u8], number: u64) -> Op {
    Op::Set { key: sender_key(name), value: Bytes::copy_from_slice(&number.to_be_bytes()) }
}

/// The change that forgets a sender.
pub(crate) fn unset_sender(name: &[u8]) -> Op {
    Op::Unset { key: sender_key(name) }
}

/// The key of a note.
pub(crate) fn note_key(id: u64, note: &[u8]) -> Bytes {
    key(NOTE, id, note)
}

/// A subscription that stays, as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StoredSubscription {
    pub(crate) name: SubscriptionName,
    /// Whose right to read is judged, also while nobody is connected.
    pub(crate) owner: Arc<Principal>,
    pub(crate) filters: Vec<Filter>,
}

/// Something that is stored under a key.
pub(crate) trait Definition: Sized {
    /// The change that stores it.
    fn set(&self, id: u64) -> Op;
    /// The change that forgets it.
    fn unset(id: u64) -> Op;
    /// Reads it back.
    fn decode(value: &[u8]) -> Option<Self>;
}

impl Definition for Destination {
    fn set(&self, id: u64) -> Op {
        let mut value = BytesMut::new();
        let mut w = Writer(&mut value);
        w.u8(VERSION);
        w.u8(kind_number(self.kind()));
        w.text(self.name());
        Op::Set { key: key(DESTINATION, id, &[]), value: value.freeze() }
    }

    fn unset(id: u64) -> Op {
        Op::Unset { key: key(DESTINATION, id, &[]) }
    }

    fn decode(value: &[u8]) -> Option<Self> {
        let mut r = Reader(value);
        if r.u8()? != VERSION {
            return None;
        }
        let kind = kind_of(r.u8()?)?;
        Self::new(kind, r.text()?).ok()
    }
}

impl Definition for StoredSubscription {
    fn set(&self, id: u64) -> Op {
        let mut value = BytesMut::new();
        let mut w = Writer(&mut value);
        w.u8(VERSION);
        w.text(&self.name.client_id);
        w.text(&self.name.name);
        w.text(&self.owner.name);
        w.u64(self.owner.groups.len() as u64);
        self.owner.groups.iter().for_each(|group| w.text(group));
        w.u64(self.filters.len() as u64);
        self.filters.iter().for_each(|filter| write_filter(&mut w, filter));
        Op::Set { key: key(SUBSCRIPTION, id, &[]), value: value.freeze() }
    }

    fn unset(id: u64) -> Op {
        Op::Unset { key: key(SUBSCRIPTION, id, &[]) }
    }

    fn decode(value: &[u8]) -> Option<Self> {
        let mut r = Reader(value);
        if r.u8()? != VERSION {
            return None;
        }
        let name = SubscriptionName { client_id: r.text()?.into(), name: r.text()?.into() };
        let owner = r.text()?;
        let groups = (0..r.u64()?).map(|_| r.text()).collect::<Option<Vec<_>>>()?;
        let owner = Arc::new(Principal::new(owner, groups));
        let filters = (0..r.u64()?).map(|_| read_filter(&mut r)).collect::<Option<Vec<_>>>()?;
        Some(Self { name, owner, filters })
    }
}

fn write_filter(w: &mut Writer<'_>, filter: &Filter) {
    w.u8(kind_number(filter.kind));
    w.text(filter.pattern.as_str());
    w.u64(filter.option.into());
    w.u8(filter.keep.into());
    w.u8(filter.no_local.into());
    w.u8(match filter.replay {
        Replay::Never => 0,
        Replay::IfNew => 1,
        Replay::Always => 2,
    });
    w.optional_text(filter.selector.as_deref());
}

fn read_filter(r: &mut Reader<'_>) -> Option<Filter> {
    Some(Filter {
        kind: kind_of(r.u8()?).filter(|kind| *kind == Kind::Topic)?,
        pattern: Pattern::new(r.text()?).ok()?,
        option: r.u32()?,
        keep: r.bool()?,
        no_local: r.bool()?,
        replay: [Replay::Never, Replay::IfNew, Replay::Always].get(usize::from(r.u8()?)).copied()?,
        selector: r.optional_text().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn stored(op: Op) -> (Bytes, Bytes) {
        let Op::Set { key, value } = op else { panic!("{op:?}") };
        (key, value)
    }

    fn subscription() -> StoredSubscription {
        let filter = Filter {
            kind: Kind::Topic,
            pattern: Pattern::new("a.>").unwrap(),
            option: 2,
            keep: true,
            no_local: true,
            replay: Replay::Always,
            selector: Some("x > 1".into()),
        };
        StoredSubscription {
            name: SubscriptionName { client_id: "c".into(), name: "n".into() },
            owner: Arc::new(Principal::new("u", ["g", "h"])),
            filters: vec![filter.clone(), Filter { selector: None, keep: false, ..filter }],
        }
    }

    #[test]
    fn definitions_come_back() {
        let queue = Destination::queue("a.b").unwrap();
        let (key, value) = stored(queue.set(7));
        assert_eq!(parse_key(&key), Some(Key::Destination(7)));
        assert_eq!(Destination::decode(&value), Some(queue));
        let (key, value) = stored(subscription().set(8));
        assert_eq!(parse_key(&key), Some(Key::Subscription(8)));
        assert_eq!(StoredSubscription::decode(&value), Some(subscription()));
        assert_eq!(parse_key(&note_key(9, b"xy")), Some(Key::Note(9, Bytes::from_static(b"xy"))));
    }

    #[test]
    fn unknown_keys_are_told_apart() {
        for key in [&b""[..], b"d", b"d1234567", b"z12345678", b"d12345678x"] {
            assert_eq!(parse_key(&Bytes::copy_from_slice(key)), None);
        }
    }

    proptest! {
        #[test]
        fn damaged_definitions_never_panic(place in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<prop::sample::Index>()) {
            let (_, value) = stored(subscription().set(8));
            let mut bytes = value.to_vec();
            let place = place.index(bytes.len());
            bytes[place] = byte;
            let _ = StoredSubscription::decode(&bytes);
            let _ = StoredSubscription::decode(&bytes[..cut.index(bytes.len())]);
        }
    }
}
