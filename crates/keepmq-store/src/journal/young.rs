//! The records of a segment that is being filled, in memory.

mod rising;
mod strays;

use hashbrown::HashMap;
use smallvec::SmallVec;

use rising::Rising;
pub(crate) use rising::lower_bound;
use strays::Strays;

use super::live::{self, Live, RunLive};
use super::place::{Entry, Place, Run};
use crate::api::{Locator, Seq, StreamId, Target};

/// Marks an entry as dead, in the part of `fan` that no count reaches.
const DEAD: u32 = 1 << 31;

/// The records of the segment that is being filled, by stream.
#[derive(Default)]
pub(crate) struct YoungTable {
    streams: HashMap<StreamId, Runs>,
    entries: u32,
}

#[derive(Default)]
struct Runs {
    /// What came in rising order.
    rising: Rising,
    /// What did not, and what was moved here.
    strays: Strays,
}

/// The entries of a segment, run by run: made when the segment is closed, kept until they are on disk.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct HeldTable {
    pub(crate) runs: Vec<Vec<Entry>>,
}

/// What a young table becomes.
pub(crate) struct Closing {
    pub(crate) runs: Vec<Run>,
    pub(crate) live: Live,
    pub(crate) table: HeldTable,
}

impl YoungTable {
    /// Adds a record. The order in which records of a segment are added decides alone how its table looks, so that it
    /// can be made again from the frames.
    pub(crate) fn add(&mut self, target: Target, place: Place, moved: bool) {
        self.entries += 1;
        let entry = Entry { seq: target.at.seq, meta: target.meta, place };
        let runs = self.streams.entry(target.at.stream).or_default();
        if moved || !runs.rising.push(entry) {
            runs.strays.insert(self.entries, entry);
        }
    }

    /// Where a record lies, if it lives here.
    pub(crate) fn find(&self, at: Locator) -> Option<Entry> {
        let runs = self.streams.get(&at.stream)?;
        runs.rising.find(at.seq).or_else(|| runs.strays.find(at.seq))
    }

    /// Notes a death; `None` when no such record lives here.
    pub(crate) fn kill(&mut self, at: Locator) -> Option<Place> {
        let runs = self.streams.get_mut(&at.stream)?;
        runs.rising.kill(at.seq).or_else(|| runs.strays.kill(at.seq))
    }

    /// Kills everything between two numbers, both included; calls `died` for each.
    pub(crate) fn kill_range(
        &mut self,
        stream: StreamId,
        from: Seq,
        through: Seq,
        mut died: impl FnMut(Place),
    ) {
        if let Some(runs) = self.streams.get_mut(&stream) {
            runs.rising.kill_range(from, through, &mut died);
            runs.strays.kill_range(from, through, &mut died);
        }
    }

    /// The living records of a stream from a number on, at most so many, sorted.
    pub(crate) fn from(&self, stream: StreamId, seq: Seq, most: usize) -> Vec<Entry> {
        let Some(runs) = self.streams.get(&stream) else {
            return Vec::new();
        };
        let (rising, strays) = (runs.rising.from(seq).take(most), runs.strays.from(seq).take(most));
        let mut entries: Vec<Entry> = rising.chain(strays).copied().collect();
        entries.sort_by_key(|entry| entry.seq);
        entries.truncate(most);
        entries
    }

    /// The lowest and the highest living number of a stream.
    pub(crate) fn ends(&self, stream: StreamId) -> Option<(Seq, Seq)> {
        let runs = self.streams.get(&stream)?;
        let ends = [runs.rising.ends(), runs.strays.ends()].into_iter().flatten();
        ends.reduce(|one, two| (one.0.min(two.0), one.1.max(two.1)))
    }

    /// Sorts everything for good.
    pub(crate) fn close(mut self) -> Closing {
        let mut streams: SmallVec<[StreamId; 8]> = self.streams.keys().copied().collect();
        streams.sort_unstable();
        let mut closing = Closing { runs: Vec::new(), live: Live::default(), table: HeldTable::default() };
        let (mut dead, mut sums) = (Vec::new(), Vec::new());
        for stream in streams {
            let Runs { rising, strays } = self.streams.remove(&stream).unwrap_or_default();
            closing.add(stream, false, rising.close(), &mut dead, &mut sums);
            closing.add(stream, true, strays.close(), &mut dead, &mut sums);
        }
        closing.live = Live::new(self.entries, dead, sums);
        closing
    }
}

impl Closing {
    fn add(
        &mut self,
        stream: StreamId,
        stray: bool,
        mut entries: Vec<Entry>,
        dead: &mut Vec<u64>,
        sums: &mut Vec<RunLive>,
    ) {
        let (Some(first), Some(last)) = (entries.first(), entries.last()) else {
            return;
        };
        let start = self.runs.last().map_or(0, Run::end);
        let count = u32::try_from(entries.len()).unwrap_or(u32::MAX);
        self.runs.push(Run { stream, stray, first: first.seq, last: last.seq, start, count });
        let mut sum = RunLive::default();
        for (ordinal, entry) in (start..).zip(&mut entries) {
            if is_live(entry) {
                sum.add(entry.place);
            } else {
                live::set(dead, ordinal);
                entry.place.fan &= !DEAD;
            }
        }
        sums.push(sum);
        entries.shrink_to_fit();
        self.table.runs.push(entries);
    }
}

fn is_live(entry: &Entry) -> bool {
    entry.place.fan & DEAD == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(len: u32) -> Place {
        Place { frame: 1, offset: 2, len, fan: 1 }
    }

    fn at(stream: u64, seq: Seq) -> Locator {
        Locator { stream: StreamId(stream), seq }
    }

    fn table(list: &[(u64, Seq, bool)]) -> YoungTable {
        let mut table = YoungTable::default();
        for (stream, seq, moved) in list {
            table.add(Target { at: at(*stream, *seq), meta: 0 }, place(1), *moved);
        }
        table
    }

    fn numbers(entries: &[Entry]) -> Vec<Seq> {
        entries.iter().map(|entry| entry.seq).collect()
    }

    #[test]
    fn what_was_moved_is_found_in_its_order_among_the_rest() {
        let mut table = table(&[(1, 10, false), (1, 3, true), (1, 11, false), (1, 1, true), (1, 12, true)]);
        assert_eq!(numbers(&table.from(StreamId(1), 0, 9)), [1, 3, 10, 11, 12]);
        assert_eq!(numbers(&table.from(StreamId(1), 4, 2)), [10, 11]);
        assert_eq!(table.ends(StreamId(1)), Some((1, 12)));
        assert!(table.kill(at(1, 1)).is_some());
        assert!(table.kill(at(1, 1)).is_none());
        assert_eq!(table.ends(StreamId(1)), Some((3, 12)));
    }

    #[test]
    fn dense_and_sparse_numbers_are_found() {
        for step in [1, 2, 7] {
            let list: Vec<_> = (0..50).map(|n| (1, 5 + n * step, false)).collect();
            let table = table(&list);
            for seq in 0..400 {
                let there = seq >= 5 && (seq - 5) % step == 0 && (seq - 5) / step < 50;
                assert_eq!(table.find(at(1, seq)).is_some(), there, "{seq} in steps of {step}");
            }
        }
    }

    #[test]
    fn a_number_put_again_lives_once_more() {
        let mut table = table(&[(1, 5, false)]);
        table.kill(at(1, 5));
        table.add(Target { at: at(1, 5), meta: 9 }, place(2), false);
        assert_eq!(table.find(at(1, 5)).unwrap().meta, 9);
    }

    #[test]
    fn killing_through_a_number_tells_each_death() {
        let mut table = table(&[(1, 5, false), (1, 6, false), (1, 2, true), (1, 7, false)]);
        table.kill(at(1, 5));
        let mut died = 0;
        table.kill_range(StreamId(1), 0, 6, |_| died += 1);
        assert_eq!(died, 2);
        assert_eq!(numbers(&table.from(StreamId(1), 0, 9)), [7]);
    }

    #[test]
    fn closing_sorts_by_stream_and_keeps_strays_apart() {
        let mut young = table(&[(2, 1, false), (1, 10, false), (1, 3, true), (1, 11, false), (1, 4, true)]);
        young.kill(at(1, 11));
        let Closing { runs, live, table } = young.close();
        let shape: Vec<_> = runs.iter().map(|run| (run.stream.0, run.stray, run.start, run.count)).collect();
        assert_eq!(shape, [(1, false, 0, 2), (1, true, 2, 2), (2, false, 4, 1)]);
        assert_eq!(
            table.runs.iter().map(|run| numbers(run)).collect::<Vec<_>>(),
            [vec![10, 11], vec![3, 4], vec![1]]
        );
        assert_eq!((0..5).filter(|ordinal| !live.is_live(*ordinal)).collect::<Vec<_>>(), [1]);
        assert_eq!(live.run(0), RunLive { records: 1, bytes: 1, share: 9 });
        assert_eq!(live.records(), 4);
        assert!(table.runs.iter().flatten().all(|entry| entry.place.fan == 1), "no mark of death is left");
    }
}
