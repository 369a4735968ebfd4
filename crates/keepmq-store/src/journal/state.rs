//! The keyed values.

use std::collections::BTreeMap;
use std::hash::BuildHasher;
use std::sync::Arc;

use bytes::Bytes;
use hashbrown::DefaultHashBuilder;

/// In so many parts the values are kept. A checkpoint holds on to all parts; what is changed meanwhile is copied, one
/// part at a time.
const PARTS: usize = 512;

type Part = BTreeMap<Bytes, Bytes>;

/// All keyed values. Cloning is cheap.
#[derive(Clone, Default)]
pub(crate) struct State {
    parts: Vec<Arc<Part>>,
    hasher: DefaultHashBuilder,
    bytes: u64,
}

impl State {
    pub(crate) fn set(&mut self, key: &[u8], value: &[u8]) {
        let Some(part) = self.part(key) else { return };
        // Copies: a slice of a large network buffer must not keep that alive.
        let old = part.insert(Bytes::copy_from_slice(key), Bytes::copy_from_slice(value));
        self.bytes += (key.len() + value.len()) as u64;
        self.bytes -= old.map_or(0, |old| (key.len() + old.len()) as u64);
    }

    pub(crate) fn unset(&mut self, key: &[u8]) {
        if let Some(old) = self.part(key).and_then(|part| part.remove(key)) {
            self.bytes -= (key.len() + old.len()) as u64;
        }
    }

    /// Bytes of all keys and values.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(crate) fn len(&self) -> usize {
        self.parts.iter().map(|part| part.len()).sum()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Bytes, &Bytes)> {
        self.parts.iter().flat_map(|part| part.iter())
    }

    /// Everything, sorted by key.
    pub(crate) fn sorted(&self) -> Vec<(Bytes, Bytes)> {
        let mut all: Vec<_> = self.iter().map(|(key, value)| (key.clone(), value.clone())).collect();
        all.sort_unstable();
        all
    }

    fn part(&mut self, key: &[u8]) -> Option<&mut Part> {
        if self.parts.is_empty() {
            self.parts.resize_with(PARTS, Arc::default);
        }
        let part = usize::try_from(self.hasher.hash_one(key) % PARTS as u64).ok()?;
        self.parts.get_mut(part).map(Arc::make_mut)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_does_not_see_later_changes() {
        let mut state = State::default();
        state.set(b"a", b"1");
        let copy = state.clone();
        state.set(b"a", b"2");
        state.set(b"b", b"3");
        assert_eq!(copy.sorted(), [("a".into(), "1".into())]);
        assert_eq!(state.sorted(), [("a".into(), "2".into()), ("b".into(), "3".into())]);
    }

    #[test]
    fn bytes_are_counted_through_every_change() {
        let mut state = State::default();
        state.set(b"key", b"value");
        assert_eq!(state.bytes(), 8);
        state.set(b"key", b"v");
        assert_eq!((state.bytes(), state.len()), (4, 1));
        state.unset(b"other");
        state.unset(b"key");
        assert_eq!((state.bytes(), state.len()), (0, 0));
    }
}
