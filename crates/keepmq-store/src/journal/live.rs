//! Which records of a closed segment are still alive.

use std::ops::Range;

use super::place::{Place, Run};

/// A bit for each record, and sums for each run. It is shared with readers and checkpoints: changing it copies it
/// when somebody else looks at it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Live {
    /// How many records there are, alive or dead.
    count: u32,
    /// A bit is set for each ordinal that is dead. Words that are missing at the end are zero.
    dead: Vec<u64>,
    runs: Vec<RunLive>,
    records: u64,
    share: u64,
}

/// What is alive in a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct RunLive {
    pub(crate) records: u32,
    /// Bytes of payloads.
    pub(crate) bytes: u64,
    /// Bytes of the segment that they hold.
    pub(crate) share: u64,
}

impl RunLive {
    pub(crate) fn add(&mut self, place: Place) {
        self.records += 1;
        self.bytes += u64::from(place.len);
        self.share += place.share();
    }

    fn take(&mut self, place: Place) {
        self.records = self.records.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(u64::from(place.len));
        self.share = self.share.saturating_sub(place.share());
    }
}

impl Live {
    /// So many records, of which those are dead that `dead` has a bit for.
    pub(crate) fn new(count: u32, dead: Vec<u64>, runs: Vec<RunLive>) -> Self {
        let records = runs.iter().map(|run| u64::from(run.records)).sum();
        let share = runs.iter().map(|run| run.share).sum();
        Self { count, dead, runs, records, share }
    }

    pub(crate) fn dead_bits(&self) -> &[u64] {
        &self.dead
    }

    pub(crate) fn runs(&self) -> &[RunLive] {
        &self.runs
    }

    pub(crate) fn run(&self, run: usize) -> RunLive {
        self.runs.get(run).copied().unwrap_or_default()
    }

    /// Records alive in the segment.
    pub(crate) fn records(&self) -> u64 {
        self.records
    }

    /// Bytes of the segment that are held by them.
    pub(crate) fn share(&self) -> u64 {
        self.share
    }

    pub(crate) fn is_live(&self, ordinal: u32) -> bool {
        ordinal < self.count && self.word(ordinal) & bit_of(ordinal) == 0
    }

    fn word(&self, ordinal: u32) -> u64 {
        self.dead.get(word_of(ordinal)).copied().unwrap_or(0)
    }

    /// Notes a death; false when it was dead already.
    pub(crate) fn kill(&mut self, run: usize, ordinal: u32, place: Place) -> bool {
        if !self.is_live(ordinal) {
            return false;
        }
        set(&mut self.dead, ordinal);
        self.records = self.records.saturating_sub(1);
        self.share = self.share.saturating_sub(place.share());
        if let Some(run) = self.runs.get_mut(run) {
            run.take(place);
        }
        true
    }

    /// Notes the death of all records of a run.
    pub(crate) fn kill_run(&mut self, index: usize, run: &Run) {
        for ordinal in run.start..run.end() {
            set(&mut self.dead, ordinal);
        }
        if let Some(gone) = self.runs.get_mut(index).map(std::mem::take) {
            self.records = self.records.saturating_sub(u64::from(gone.records));
            self.share = self.share.saturating_sub(gone.share);
        }
    }

    /// The lowest ordinal of a range that is alive.
    pub(crate) fn first_in(&self, range: Range<u32>) -> Option<u32> {
        let (mut at, end) = (range.start, range.end.min(self.count));
        while at < end {
            let alive = !self.word(at) & (u64::MAX << (at % 64));
            if alive != 0 {
                let found = (at - at % 64) + alive.trailing_zeros();
                return (found < end).then_some(found);
            }
            at = (at - at % 64).checked_add(64)?;
        }
        None
    }

    /// The highest ordinal of a range that is alive.
    pub(crate) fn last_in(&self, range: Range<u32>) -> Option<u32> {
        let mut end = range.end.min(self.count);
        while end > range.start {
            let at = end - 1;
            let alive = !self.word(at) & (u64::MAX >> (63 - at % 64));
            if alive != 0 {
                let found = (at - at % 64) + alive.ilog2();
                return (found >= range.start).then_some(found);
            }
            end = at - at % 64;
        }
        None
    }
}

/// Notes that a record is dead.
pub(crate) fn set(dead: &mut Vec<u64>, ordinal: u32) {
    let at = word_of(ordinal);
    if dead.len() <= at {
        dead.resize(at + 1, 0);
    }
    if let Some(word) = dead.get_mut(at) {
        *word |= bit_of(ordinal);
    }
}

fn word_of(ordinal: u32) -> usize {
    usize::try_from(ordinal / 64).unwrap_or(usize::MAX)
}

fn bit_of(ordinal: u32) -> u64 {
    1 << (ordinal % 64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::api::StreamId;

    const PLACE: Place = Place { frame: 0, offset: 0, len: 10, fan: 1 };

    fn live(records: u32) -> Live {
        let mut run = RunLive::default();
        (0..records).for_each(|_| run.add(PLACE));
        Live::new(records, Vec::new(), vec![run])
    }

    #[test]
    fn a_death_is_counted_once() {
        let mut live = live(3);
        assert!(live.kill(0, 1, PLACE));
        assert!(!live.kill(0, 1, PLACE));
        assert!(!live.kill(0, 99, PLACE), "what is not there is not alive");
        assert_eq!((live.records(), live.run(0).bytes, live.share()), (2, 20, 36));
        assert!(live.is_live(0) && !live.is_live(1));
    }

    #[test]
    fn a_run_dies_at_once() {
        let mut live = live(130);
        let run = Run { stream: StreamId(1), stray: false, first: 1, last: 130, start: 0, count: 130 };
        live.kill(0, 5, PLACE);
        live.kill_run(0, &run);
        assert_eq!((live.records(), live.share(), live.run(0)), (0, 0, RunLive::default()));
        assert_eq!(live.first_in(0..130), None);
    }

    proptest! {
        #[test]
        fn neighbours_are_found_as_by_looking_at_each(
            killed in proptest::collection::vec(0..200_u32, 0..300),
            start in 0..210_u32,
            len in 0..210_u32,
        ) {
            let mut live = live(200);
            for ordinal in killed {
                live.kill(0, ordinal, PLACE);
            }
            let range = start..start + len;
            let alive = || range.clone().filter(|ordinal| live.is_live(*ordinal));
            prop_assert_eq!(live.first_in(range.clone()), alive().next());
            prop_assert_eq!(live.last_in(range.clone()), alive().next_back());
        }
    }
}
