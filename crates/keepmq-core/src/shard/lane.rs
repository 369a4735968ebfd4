//! Messages of one priority that wait in one queue or subscription: a window in memory, the rest on disk.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use keepmq_model::{Group, Marks, Message};
use smallvec::SmallVec;

/// A message that waits.
#[derive(Debug)]
pub(crate) struct Entry {
    /// Its place: rising in the order of arrival, never used twice.
    pub(crate) seq: u64,
    /// The shard's commit that makes it durable; it is not shown before.
    pub(crate) stage: u64,
    /// Whether the store has a record of it.
    pub(crate) stored: bool,
    /// The policy's epoch when it was judged for its reader.
    pub(crate) epoch: u64,
    /// What is noted beside it.
    pub(crate) marks: Marks,
    /// The message.
    pub(crate) message: Arc<Message>,
}

impl Entry {
    pub(crate) fn cost(&self) -> u64 {
        self.message.cost()
    }

    /// The message group that it belongs to.
    pub(crate) fn group(&self) -> Option<&Group> {
        self.message.envelope.extras.as_ref()?.group.as_ref()
    }
}

/// The part of a lane that is on disk only: every stored message with a number from `from` on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cold {
    pub(crate) from: u64,
    pub(crate) through: u64,
    pub(crate) count: u64,
    /// The newest commit that it holds messages of.
    pub(crate) stage: u64,
}

/// Messages of one priority. Numbers rise along the window, and the stored ones in it are lower than those on disk.
#[derive(Debug)]
pub(crate) struct Lane {
    pub(crate) priority: u8,
    pub(crate) window: VecDeque<Entry>,
    pub(crate) cold: Option<Cold>,
    /// A page is being read.
    pub(crate) loading: bool,
    /// The page that is being read is of messages that were removed meanwhile.
    stale: bool,
    /// The highest stored number that was ever taken from the window. What is taken may come back, so the part on disk
    /// must begin behind it: it would be read a second time else.
    taken: u64,
    /// Whether a message in the window may expire some time.
    mortal: bool,
    /// Numbers of the disk's part that were brought into memory out of their turn and are not to be read again: those
    /// that wait in the window, those that are held, and those of `gone`.
    ahead: BTreeSet<u64>,
    /// Those of `ahead` whose records go with a commit. Until it is durable, and every page that was asked for before
    /// has come, they may still be read.
    gone: Vec<(u64, u64)>,
    /// What was durable when each of the pages was asked for that are being read.
    reads: SmallVec<[u64; 2]>,
}

impl Lane {
    pub(crate) fn new(priority: u8) -> Self {
        Self {
            priority,
            window: VecDeque::new(),
            cold: None,
            loading: false,
            stale: false,
            taken: 0,
            mortal: false,
            ahead: BTreeSet::new(),
            gone: Vec::new(),
            reads: SmallVec::new(),
        }
    }

    /// Messages that wait here.
    pub(crate) fn len(&self) -> u64 {
        self.window.len() as u64 + self.cold.map_or(0, |cold| cold.count)
    }

    /// Adds a new message behind all others.
    pub(crate) fn push(&mut self, entry: Entry) {
        self.mortal |= entry.message.envelope.expires_ms != 0;
        self.window.push_back(entry);
    }

    /// Notes a new message that is on disk only.
    pub(crate) fn push_cold(&mut self, seq: u64, stage: u64) {
        let cold = self.cold.get_or_insert(Cold { from: seq, through: seq, count: 0, stage });
        cold.through = seq;
        cold.stage = stage;
        cold.count += 1;
    }

    /// Puts a message that was taken back in its place.
    pub(crate) fn put_back(&mut self, entry: Entry) {
        self.mortal |= entry.message.envelope.expires_ms != 0;
        let place = match self.window.front() {
            Some(front) if entry.seq < front.seq => 0,
            _ => self.window.partition_point(|other| other.seq < entry.seq),
        };
        self.window.insert(place, entry);
    }

    /// Whether the first message may be shown.
    pub(crate) fn is_ready(&self, visible: u64) -> bool {
        self.window.front().is_some_and(|entry| entry.stage <= visible)
    }

    /// Takes the first message, if it may be shown.
    pub(crate) fn take(&mut self, visible: u64) -> Option<Entry> {
        if !self.is_ready(visible) {
            return None;
        }
        self.take_at(0)
    }

    /// Takes a message from any place of the window.
    pub(crate) fn take_at(&mut self, place: usize) -> Option<Entry> {
        let entry = self.window.remove(place)?;
        self.note_taken(entry.stored, entry.seq);
        Some(entry)
    }

    fn note_taken(&mut self, stored: bool, seq: u64) {
        if stored && !self.is_ahead(seq) {
            self.taken = self.taken.max(seq);
        }
    }

    /// Whether a message of the disk's part was brought into memory out of its turn.
    pub(crate) fn is_ahead(&self, seq: u64) -> bool {
        !self.ahead.is_empty() && self.ahead.contains(&seq)
    }

    /// Whether what comes next is on disk.
    pub(crate) fn is_dry(&self) -> bool {
        self.window.front().is_none_or(|front| self.is_ahead(front.seq))
    }

    /// About how many messages are in memory because it is their turn; not more than there are.
    pub(crate) fn in_turn(&self) -> usize {
        self.window.len().saturating_sub(self.ahead.len())
    }

    /// Those of a range that were brought into memory out of their turn.
    pub(crate) fn ahead_within(&self, from: u64, through: u64) -> impl Iterator<Item = u64> {
        self.ahead.range(from..=through).copied()
    }

    /// Brings a message of the disk's part into memory out of its turn.
    pub(crate) fn bring(&mut self, entry: Entry) {
        self.take_out(entry.seq);
        self.put_back(entry);
    }

    /// A message of the disk's part is held by somebody: it is not to be read.
    pub(crate) fn take_out(&mut self, seq: u64) {
        self.ahead.insert(seq);
        if let Some(cold) = &mut self.cold {
            cold.count = cold.count.saturating_sub(1);
        }
    }

    /// A page is asked for.
    pub(crate) fn begin_read(&mut self, visible: u64) {
        self.reads.push(visible);
    }

    /// A page has come, or could not be read.
    pub(crate) fn end_read(&mut self, visible: u64) {
        if let Some(place) = self.reads.iter().position(|other| *other == visible) {
            self.reads.swap_remove(place);
        }
    }

    /// A page for the window could not be read.
    pub(crate) fn unread(&mut self, visible: u64) {
        self.loading = false;
        self.end_read(visible);
    }

    /// The record of a message that was taken goes with this commit.
    pub(crate) fn released(&mut self, seq: u64, stage: u64) {
        if self.is_ahead(seq) {
            self.gone.push((seq, stage));
        }
    }

    /// Forgets messages that no page can hold any more.
    pub(crate) fn forget_gone(&mut self, visible: u64) {
        let certain = self.reads.iter().copied().fold(visible, u64::min);
        let ahead = &mut self.ahead;
        self.gone.retain(|(seq, stage)| *stage > certain || !ahead.remove(seq));
    }

    /// The disk's part begins further behind now. What was taken before that place must not become part of it again.
    fn trim_ahead(&mut self) {
        let rest = self.cold.map_or_else(BTreeSet::new, |cold| self.ahead.split_off(&cold.from));
        if let Some(last) = self.ahead.last() {
            self.taken = self.taken.max(*last);
        }
        self.ahead = rest;
        let ahead = &self.ahead;
        self.gone.retain(|(seq, _)| ahead.contains(seq));
    }

    /// Drops the oldest message that is not stored, to make room.
    pub(crate) fn drop_oldest_unstored(&mut self) -> Option<Entry> {
        let place = self.window.iter().position(|entry| !entry.stored)?;
        self.window.remove(place)
    }

    /// Takes what expired out of the window.
    pub(crate) fn take_expired(&mut self, unix_ms: u64, visible: u64) -> Vec<Entry> {
        let is_expired = |entry: &Entry| entry.stage <= visible && entry.message.envelope.is_expired(unix_ms);
        if !self.mortal || !self.window.iter().any(is_expired) {
            return Vec::new();
        }
        let (expired, rest): (Vec<Entry>, VecDeque<Entry>) = {
            let all = std::mem::take(&mut self.window).into_iter();
            let (expired, rest): (Vec<Entry>, Vec<Entry>) = all.partition(is_expired);
            (expired, rest.into())
        };
        self.window = rest;
        self.mortal = self.window.iter().any(|entry| entry.message.envelope.expires_ms != 0);
        expired.iter().for_each(|entry| self.note_taken(entry.stored, entry.seq));
        expired
    }

    /// Leaves the messages at the end of the window to the disk until `enough` holds or none may be left.
    pub(crate) fn cool(&mut self, visible: u64, mut enough: impl FnMut(&Entry) -> bool) {
        while let Some(last) = self.window.back() {
            // One that is not yet durable can't be read from disk; one below `taken` must not be.
            let may_go =
                last.stored && last.stage <= visible && last.seq > self.taken && !self.is_ahead(last.seq);
            if !may_go || enough(last) {
                return;
            }
            let Some(entry) = self.window.pop_back() else {
                return;
            };
            let cold =
                self.cold.get_or_insert(Cold { from: entry.seq, through: entry.seq, count: 0, stage: 0 });
            cold.from = entry.seq;
            cold.count += 1;
        }
    }

    /// Removes everything that waits.
    pub(crate) fn clear(&mut self) {
        self.window = VecDeque::new();
        self.cold = None;
        self.trim_ahead();
        self.stale = self.loading;
    }

    /// Adds a page that was read from disk, and says how many bytes it brought into memory. `more` is false when nothing
    /// durable lay behind it at the time.
    pub(crate) fn add_page(
        &mut self,
        mut records: Vec<Entry>,
        lost: u64,
        more: bool,
        visible_then: u64,
    ) -> u64 {
        self.loading = false;
        self.end_read(visible_then);
        if std::mem::take(&mut self.stale) {
            return 0;
        }
        let next = records.last().map(|last| last.seq + 1);
        records.retain(|entry| !self.is_ahead(entry.seq));
        let Some(cold) = &mut self.cold else { return 0 };
        cold.count = cold.count.saturating_sub(records.len() as u64 + lost);
        cold.from = next.unwrap_or(cold.from);
        if (!more && cold.stage <= visible_then) || cold.from > cold.through {
            self.cold = None;
        }
        self.trim_ahead();
        self.mortal |= records.iter().any(|entry| entry.message.envelope.expires_ms != 0);
        let bytes = records.iter().map(Entry::cost).sum();
        self.merge(records);
        bytes
    }

    /// Both parts are sorted; those of the page mostly belong at the end.
    fn merge(&mut self, records: Vec<Entry>) {
        let Some(first) = records.first().map(|entry| entry.seq) else {
            return;
        };
        let place = self.window.partition_point(|entry| entry.seq < first);
        let mut rest = self.window.split_off(place).into_iter().peekable();
        for record in records {
            while let Some(other) = rest.next_if(|other| other.seq < record.seq) {
                self.window.push_back(other);
            }
            self.window.push_back(record);
        }
        self.window.extend(rest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use keepmq_model::{Destination, Envelope, Native, Protocol};
    use proptest::prelude::*;

    fn entry(seq: u64, stored: bool, stage: u64) -> Entry {
        let native = Native { protocol: Protocol::Broker, layout: 0, head: Bytes::new(), body: Bytes::new() };
        let envelope = Envelope::new(Destination::queue("q").unwrap());
        Entry {
            seq,
            stage,
            stored,
            epoch: 0,
            marks: Marks::default(),
            message: Arc::new(Message::new(envelope, native)),
        }
    }

    fn seqs(lane: &Lane) -> Vec<u64> {
        lane.window.iter().map(|entry| entry.seq).collect()
    }

    #[test]
    fn a_message_is_not_shown_before_its_commit() {
        let mut lane = Lane::new(4);
        lane.push(entry(1, true, 5));
        assert!(lane.take(4).is_none());
        assert_eq!(lane.take(5).unwrap().seq, 1);
    }

    #[test]
    fn what_comes_back_stands_where_it_stood() {
        let mut lane = Lane::new(4);
        for seq in 1..=5 {
            lane.push(entry(seq, true, 0));
        }
        let taken: Vec<Entry> = (0..3).map(|_| lane.take(0).unwrap()).collect();
        for entry in taken.into_iter().rev() {
            lane.put_back(entry);
        }
        assert_eq!(seqs(&lane), [1, 2, 3, 4, 5]);
    }

    #[test]
    fn what_was_taken_is_never_left_to_the_disk() {
        let mut lane = Lane::new(4);
        for seq in 1..=4 {
            lane.push(entry(seq, true, 0));
        }
        let first = lane.take(0).unwrap();
        let second = lane.take(0).unwrap();
        lane.put_back(second);
        lane.put_back(first);
        lane.cool(0, |_| false);
        assert_eq!(seqs(&lane), [1, 2], "they were handed out once");
        assert_eq!(lane.cold, Some(Cold { from: 3, through: 4, count: 2, stage: 0 }));
    }

    #[test]
    fn what_is_not_durable_stays_in_memory() {
        let mut lane = Lane::new(4);
        lane.push(entry(1, true, 0));
        lane.push(entry(2, true, 9));
        lane.cool(0, |_| false);
        assert_eq!(seqs(&lane), [1, 2]);
        lane.cool(9, |_| false);
        assert_eq!(seqs(&lane), [0; 0]);
    }

    #[test]
    fn pages_end_when_all_that_is_durable_was_read() {
        let mut lane = Lane::new(4);
        lane.push_cold(10, 1);
        lane.push_cold(11, 2);
        lane.add_page(vec![entry(10, true, 0)], 0, false, 1);
        assert_eq!(lane.cold.map(|cold| (cold.from, cold.count)), Some((11, 1)), "11 was not durable yet");
        lane.add_page(vec![entry(11, true, 0)], 0, false, 2);
        assert_eq!(lane.cold, None);
        assert_eq!(lane.len(), 2);
    }

    #[test]
    fn a_page_of_removed_messages_is_thrown_away() {
        let mut lane = Lane::new(4);
        lane.push_cold(10, 0);
        lane.loading = true;
        lane.clear();
        lane.push_cold(11, 0);
        assert_eq!(lane.add_page(vec![entry(10, true, 0)], 0, false, 0), 0);
        assert_eq!((lane.window.len(), lane.len(), lane.loading), (0, 1, false));
        assert_ne!(lane.add_page(vec![entry(11, true, 0)], 0, false, 0), 0);
        assert_eq!(seqs(&lane), [11]);
    }

    #[test]
    fn a_lost_record_does_not_keep_a_lane_waiting() {
        let mut lane = Lane::new(4);
        lane.push_cold(10, 1);
        lane.add_page(Vec::new(), 1, false, 1);
        assert_eq!((lane.cold, lane.len()), (None, 0));
    }

    /// A lane with 10 to 13 on disk, of which 12 was brought into memory and taken.
    fn with_one_ahead() -> Lane {
        let mut lane = Lane::new(4);
        (10..=13).for_each(|seq| lane.push_cold(seq, 0));
        lane.bring(entry(12, true, 0));
        assert_eq!((lane.len(), lane.is_dry(), lane.in_turn()), (4, true, 0));
        assert_eq!(lane.take_at(0).unwrap().seq, 12);
        lane
    }

    #[test]
    fn what_was_brought_out_of_turn_is_not_read_again() {
        let mut lane = with_one_ahead();
        lane.add_page([10, 11, 12, 13].map(|seq| entry(seq, true, 0)).into(), 0, false, 0);
        assert_eq!((seqs(&lane), lane.cold), (vec![10, 11, 13], None));
        lane.put_back(entry(12, true, 0));
        lane.cool(0, |_| false);
        assert_eq!(seqs(&lane), [10, 11, 12], "it was handed out once");
    }

    #[test]
    fn what_is_gone_is_remembered_until_no_page_can_hold_it() {
        let mut lane = with_one_ahead();
        lane.begin_read(4);
        lane.begin_read(6);
        lane.released(12, 5);
        lane.forget_gone(4);
        assert!(lane.is_ahead(12), "its record is there still");
        lane.forget_gone(6);
        assert!(lane.is_ahead(12), "a page is being read that was asked for before");
        lane.end_read(4);
        lane.forget_gone(6);
        assert!(!lane.is_ahead(12) && lane.gone.is_empty());
    }

    #[test]
    fn what_came_back_out_of_turn_stays_in_memory() {
        let mut lane = with_one_ahead();
        lane.put_back(entry(12, true, 0));
        lane.cool(0, |_| false);
        assert_eq!((seqs(&lane), lane.is_dry()), (vec![12], true));
        assert_eq!(lane.ahead_within(10, 13).collect::<Vec<_>>(), [12]);
        lane.clear();
        assert!(!lane.is_ahead(12) && lane.taken == 12);
    }

    proptest! {
        #[test]
        fn numbers_rise_along_the_window(
            unstored in proptest::collection::btree_set(1u64..60, 0..20),
            stored in proptest::collection::btree_set(1u64..60, 1..20),
        ) {
            let stored: Vec<u64> = stored.difference(&unstored).copied().collect();
            prop_assume!(!stored.is_empty());
            let mut lane = Lane::new(4);
            for seq in &stored {
                lane.push_cold(*seq, 0);
            }
            for seq in &unstored {
                lane.push(entry(*seq, false, 0));
            }
            lane.add_page(stored.iter().map(|seq| entry(*seq, true, 0)).collect(), 0, false, 0);
            let mut wanted: Vec<u64> = stored.iter().chain(&unstored).copied().collect();
            wanted.sort_unstable();
            prop_assert_eq!(seqs(&lane), wanted);
        }
    }
}
