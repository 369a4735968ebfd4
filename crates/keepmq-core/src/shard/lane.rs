//! Messages of one priority that wait in one queue or subscription: a window in memory, the rest on disk.

use std::collections::VecDeque;
use std::sync::Arc;

use keepmq_model::{Marks, Message};

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
        let entry = self.window.pop_front()?;
        if entry.stored {
            self.taken = self.taken.max(entry.seq);
        }
        Some(entry)
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
        self.taken = expired.iter().filter(|e| e.stored).map(|e| e.seq).fold(self.taken, u64::max);
        expired
    }

    /// Leaves the messages at the end of the window to the disk until `enough` holds or none may be left.
    pub(crate) fn cool(&mut self, visible: u64, mut enough: impl FnMut(&Entry) -> bool) {
        while let Some(last) = self.window.back() {
            // One that is not yet durable can't be read from disk; one below `taken` must not be.
            if !last.stored || last.stage > visible || last.seq <= self.taken || enough(last) {
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
        self.stale = self.loading;
    }

    /// Adds a page that was read from disk, and says how many bytes it brought into memory. `more` is false when nothing
    /// durable lay behind it at the time.
    pub(crate) fn add_page(&mut self, records: Vec<Entry>, lost: u64, more: bool, visible_then: u64) -> u64 {
        self.loading = false;
        if std::mem::take(&mut self.stale) {
            return 0;
        }
        let Some(cold) = &mut self.cold else { return 0 };
        cold.count = cold.count.saturating_sub(records.len() as u64 + lost);
        if let Some(last) = records.last() {
            cold.from = last.seq + 1;
        }
        if (!more && cold.stage <= visible_then) || cold.from > cold.through {
            self.cold = None;
        }
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
