//! A bounded memory of what was read from disk and opened.

use std::hash::Hash;

use hashbrown::HashMap;
use parking_lot::Mutex;

/// Keeps what was used last, up to a weight in bytes. Values are cheap handles.
pub(crate) struct Cache<K, V> {
    slots: Mutex<Slots<K, V>>,
    budget: usize,
}

struct Slots<K, V> {
    map: HashMap<K, Slot<V>>,
    weight: usize,
    uses: u64,
}

struct Slot<V> {
    value: V,
    weight: usize,
    used: u64,
}

impl<K: Copy + Eq + Hash, V: Clone> Cache<K, V> {
    pub(crate) fn new(budget: usize) -> Self {
        let slots = Slots { map: HashMap::new(), weight: 0, uses: 0 };
        Self { slots: Mutex::new(slots), budget }
    }

    pub(crate) fn get(&self, key: K) -> Option<V> {
        let slots = &mut *self.slots.lock();
        let slot = slots.map.get_mut(&key)?;
        slots.uses += 1;
        slot.used = slots.uses;
        Some(slot.value.clone())
    }

    /// Keeps a value; what is heavier than the whole cache is not kept.
    pub(crate) fn put(&self, key: K, value: V, weight: usize) {
        if weight > self.budget {
            return;
        }
        let slots = &mut *self.slots.lock();
        slots.uses += 1;
        let slot = Slot { value, weight, used: slots.uses };
        slots.weight += weight;
        if let Some(old) = slots.map.insert(key, slot) {
            slots.weight -= old.weight;
        }
        if slots.weight > self.budget {
            slots.shrink(self.budget - self.budget / 4);
        }
    }

    /// Forgets all keys that a test holds for.
    pub(crate) fn forget(&self, test: impl Fn(K) -> bool) {
        let slots = &mut *self.slots.lock();
        slots.map.retain(|key, _| !test(*key));
        slots.weight = slots.map.values().map(|slot| slot.weight).sum();
    }
}

impl<K: Copy + Eq + Hash, V> Slots<K, V> {
    /// Forgets the longest unused, a quarter of the budget at a time, so that sorting them pays.
    fn shrink(&mut self, goal: usize) {
        let mut oldest: Vec<(u64, K)> = self.map.iter().map(|(key, slot)| (slot.used, *key)).collect();
        oldest.sort_unstable_by_key(|(used, _)| *used);
        for (_, key) in oldest {
            if self.weight <= goal {
                break;
            }
            if let Some(slot) = self.map.remove(&key) {
                self.weight -= slot.weight;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_unused_goes_first() {
        let cache = Cache::new(100);
        for key in 0..10 {
            cache.put(key, key, 10);
        }
        cache.get(0);
        cache.put(10, 10, 10);
        assert_eq!(cache.get(0), Some(0));
        assert_eq!(cache.get(1), None);
        assert_eq!(cache.get(10), Some(10));
        assert!(cache.slots.lock().weight <= 75);
    }

    #[test]
    fn what_does_not_fit_is_not_kept_and_drives_nothing_out() {
        let cache = Cache::new(100);
        cache.put(1, 1, 90);
        cache.put(2, 2, 101);
        assert_eq!((cache.get(1), cache.get(2)), (Some(1), None));
    }

    #[test]
    fn replacing_and_forgetting_keep_the_weight_true() {
        let cache = Cache::new(100);
        cache.put(1, 'a', 60);
        cache.put(1, 'b', 30);
        cache.put(2, 'c', 60);
        assert_eq!((cache.get(1), cache.slots.lock().weight), (Some('b'), 90));
        cache.forget(|key| key == 1);
        assert_eq!((cache.get(1), cache.slots.lock().weight), (None, 60));
    }
}
