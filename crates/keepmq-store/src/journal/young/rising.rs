//! Records of a stream that came in rising order.

use super::super::place::{Entry, Place};
use super::{DEAD, is_live};
use crate::api::Seq;

/// Sorted entries, to which only higher ones are added.
#[derive(Default)]
pub(super) struct Rising {
    entries: Vec<Entry>,
    /// Everything before is dead: a queue dies from its front, which must not be searched again and again.
    low: usize,
}

impl Rising {
    /// Adds an entry at the end; false when it does not belong there.
    pub(super) fn push(&mut self, entry: Entry) -> bool {
        let rises = self.entries.last().is_none_or(|last| last.seq < entry.seq);
        if rises {
            self.entries.push(entry);
        }
        rises
    }

    pub(super) fn find(&self, seq: Seq) -> Option<Entry> {
        self.entries.get(self.place_of(seq)?).copied()
    }

    /// Where the living entry with this number is.
    fn place_of(&self, seq: Seq) -> Option<usize> {
        let at = lower_bound(&self.entries, seq);
        self.entries.get(at).filter(|entry| entry.seq == seq && is_live(entry)).map(|_| at)
    }

    pub(super) fn kill(&mut self, seq: Seq) -> Option<Place> {
        let at = self.place_of(seq)?;
        let entry = self.entries.get_mut(at)?;
        let place = entry.place;
        entry.place.fan |= DEAD;
        self.raise_low();
        Some(place)
    }

    pub(super) fn kill_range(&mut self, from: Seq, through: Seq, died: &mut impl FnMut(Place)) {
        let start = lower_bound(&self.entries, from).max(self.low);
        let rest = self.entries.get_mut(start..).unwrap_or_default().iter_mut();
        for entry in rest.take_while(|entry| entry.seq <= through).filter(|entry| is_live(entry)) {
            died(entry.place);
            entry.place.fan |= DEAD;
        }
        self.raise_low();
    }

    fn raise_low(&mut self) {
        while self.entries.get(self.low).is_some_and(|entry| !is_live(entry)) {
            self.low += 1;
        }
    }

    /// What lives from a number on.
    pub(super) fn from(&self, seq: Seq) -> impl Iterator<Item = &Entry> {
        let start = lower_bound(&self.entries, seq).max(self.low);
        self.entries.get(start..).unwrap_or_default().iter().filter(|entry| is_live(entry))
    }

    /// The lowest and the highest living number.
    pub(super) fn ends(&self) -> Option<(Seq, Seq)> {
        let first = self.entries.get(self.low)?;
        let last = self.entries.iter().rfind(|entry| is_live(entry))?;
        Some((first.seq, last.seq))
    }

    /// All entries, the dead marked.
    pub(super) fn close(self) -> Vec<Entry> {
        self.entries
    }
}

/// The first entry whose number is not below `seq`. Numbers mostly leave no gap, so the place is guessed first.
pub(crate) fn lower_bound(run: &[Entry], seq: Seq) -> usize {
    let guess = run.first().and_then(|first| usize::try_from(seq.checked_sub(first.seq)?).ok());
    if let Some(guess) = guess
        && run.get(guess).is_some_and(|entry| entry.seq == seq)
        && guess.checked_sub(1).and_then(|before| run.get(before)).is_none_or(|entry| entry.seq < seq)
    {
        return guess;
    }
    run.partition_point(|entry| entry.seq < seq)
}
