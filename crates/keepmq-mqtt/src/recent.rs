//! A small bounded map of what was used of late.

use std::borrow::Borrow;
use std::hash::{BuildHasher, Hash};

use hashbrown::{DefaultHashBuilder, HashTable};

/// Most entries: what a peer may make us remember.
const MOST: usize = 256;

/// Remembers up to 256 values by their keys and looks at the last one first. When it is full it forgets everything, which
/// costs less than keeping account of ages: few clients use that many topics.
#[derive(Debug)]
pub(crate) struct Recent<K, V> {
    entries: Vec<(K, V)>,
    index: HashTable<u16>,
    last: usize,
    hasher: DefaultHashBuilder,
}

impl<K, V> Default for Recent<K, V> {
    fn default() -> Self {
        Self { entries: Vec::new(), index: HashTable::new(), last: 0, hasher: DefaultHashBuilder::default() }
    }
}

impl<K: Hash + Eq, V> Recent<K, V> {
    /// What is remembered of this key.
    #[inline]
    pub(crate) fn get<Q: ?Sized + Hash + Eq>(&mut self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        let is = |at: usize| self.entries.get(at).is_some_and(|(known, _)| known.borrow() == key);
        if !is(self.last) {
            let hash = self.hasher.hash_one(key);
            let found = self.index.find(hash, |at| is(usize::from(*at)))?;
            self.last = usize::from(*found);
        }
        self.entries.get(self.last).map(|(_, value)| value)
    }

    /// Remembers a key that isn't known yet.
    pub(crate) fn insert(&mut self, key: K, value: V) {
        if self.entries.len() >= MOST {
            self.clear();
        }
        let at = self.entries.len();
        let hash = self.hasher.hash_one(&key);
        self.entries.push((key, value));
        self.last = at;
        let Ok(at) = u16::try_from(at) else { return };
        let (entries, hasher) = (&self.entries, &self.hasher);
        self.index.insert_unique(hash, at, |at| {
            entries.get(usize::from(*at)).map_or(0, |(key, _)| hasher.hash_one(key))
        });
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        self.entries.clear();
        self.index.clear();
        self.last = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_inserted_is_found_by_its_borrowed_key() {
        let mut recent = Recent::<Box<[u8]>, u32>::default();
        assert_eq!(recent.get(&b"a"[..]), None);
        for (key, value) in [(b"a", 1), (b"b", 2), (b"c", 3)] {
            recent.insert(key[..].into(), value);
        }
        for (key, value) in [(b"a", 1), (b"c", 3), (b"c", 3), (b"b", 2)] {
            assert_eq!(recent.get(&key[..]), Some(&value));
        }
        assert_eq!(recent.get(&b"d"[..]), None);
    }

    #[test]
    fn it_never_holds_more_than_its_bound() {
        let mut recent = Recent::<u32, u32>::default();
        for key in 0..10_000u32 {
            recent.insert(key, key);
            assert!(recent.entries.len() <= MOST && recent.index.len() == recent.entries.len());
            assert_eq!(recent.get(&key), Some(&key));
        }
        recent.clear();
        assert_eq!(recent.get(&9_999), None);
    }

    #[test]
    fn a_full_bound_is_remembered_at_once() {
        let mut recent = Recent::<usize, usize>::default();
        (0..MOST).for_each(|key| recent.insert(key, key * 2));
        assert!((0..MOST).all(|key| recent.get(&key) == Some(&(key * 2))));
    }
}
