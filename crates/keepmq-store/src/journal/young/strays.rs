//! Records of a stream that came in any order: most were moved here from older segments.

use std::collections::BTreeMap;

use super::super::place::{Entry, Place};
use super::DEAD;
use crate::api::Seq;

/// Entries by number, and by when they came: a number may have been put again.
#[derive(Default)]
pub(super) struct Strays {
    living: BTreeMap<(Seq, u32), Entry>,
    dead: Vec<((Seq, u32), Entry)>,
}

impl Strays {
    /// `came` rises with each record of the segment.
    pub(super) fn insert(&mut self, came: u32, entry: Entry) {
        self.living.insert((entry.seq, came), entry);
    }

    pub(super) fn find(&self, seq: Seq) -> Option<Entry> {
        self.living.range((seq, 0)..=(seq, u32::MAX)).next().map(|(_, entry)| *entry)
    }

    pub(super) fn kill(&mut self, seq: Seq) -> Option<Place> {
        let key = *self.living.range((seq, 0)..=(seq, u32::MAX)).next()?.0;
        let entry = self.living.remove(&key)?;
        self.dead.push((key, entry));
        Some(entry.place)
    }

    pub(super) fn kill_range(&mut self, from: Seq, through: Seq, died: &mut impl FnMut(Place)) {
        while let Some((key, _)) = self.living.range((from, 0)..).next().filter(|(key, _)| key.0 <= through) {
            let key = *key;
            let Some(entry) = self.living.remove(&key) else { return };
            died(entry.place);
            self.dead.push((key, entry));
        }
    }

    /// What lives from a number on.
    pub(super) fn from(&self, seq: Seq) -> impl Iterator<Item = &Entry> {
        self.living.range((seq, 0)..).map(|(_, entry)| entry)
    }

    /// The lowest and the highest living number.
    pub(super) fn ends(&self) -> Option<(Seq, Seq)> {
        Some((self.living.first_key_value()?.0.0, self.living.last_key_value()?.0.0))
    }

    /// All entries in their order, the dead marked.
    pub(super) fn close(self) -> Vec<Entry> {
        let dead = self.dead.into_iter().map(|(key, mut entry)| {
            entry.place.fan |= DEAD;
            (key, entry)
        });
        let mut all: Vec<((Seq, u32), Entry)> = self.living.into_iter().chain(dead).collect();
        all.sort_unstable_by_key(|(key, _)| *key);
        all.into_iter().map(|(_, entry)| entry).collect()
    }
}
