//! The messages that wait in one queue or subscription.

use keepmq_store::{Locator, Op, Scan, StreamId};
use smallvec::SmallVec;

use super::lane::{Cold, Entry, Lane};
use super::output::Context;

/// Records read from disk at once, at most.
const PAGE_RECORDS: usize = 512;
/// Bytes read from disk at once, about.
const PAGE_BYTES: usize = 1024 * 1024;
/// Streams of one line: one for each priority, and room.
const STREAMS_PER_LINE: u64 = 16;

/// The store's stream for one priority of a line.
pub(crate) fn stream(line: u64, priority: u8) -> StreamId {
    StreamId(line * STREAMS_PER_LINE + u64::from(priority))
}

/// The line and priority of a stream.
pub(crate) fn line_of(stream: StreamId) -> (u64, u8) {
    let priority = u8::try_from(stream.0 % STREAMS_PER_LINE).unwrap_or_default();
    (stream.0 / STREAMS_PER_LINE, priority)
}

/// Messages that wait, by priority and then by arrival.
#[derive(Debug)]
pub(crate) struct Backlog {
    /// The line's number, by which its streams are named.
    line: u64,
    /// Highest priority first; made when first needed.
    lanes: SmallVec<[Box<Lane>; 1]>,
    next_seq: u64,
    /// Bytes of the messages in memory.
    bytes: u64,
}

/// What came of looking for a message.
#[derive(Debug)]
pub(crate) enum Found {
    /// One that may be handed out.
    Ready(u8, Entry),
    /// One that nobody wants any more.
    Expired(u8, Entry),
    /// None in memory that may be shown.
    Nothing,
}

impl Backlog {
    /// Whether a page is being read.
    pub(crate) fn is_loading(&self) -> bool {
        self.lanes.iter().any(|lane| lane.loading)
    }

    pub(crate) fn new(line: u64, first_seq: u64) -> Self {
        Self { line, lanes: SmallVec::new(), next_seq: first_seq, bytes: 0 }
    }

    /// Messages that wait.
    pub(crate) fn len(&self) -> u64 {
        self.lanes.iter().map(|lane| lane.len()).sum()
    }

    /// Messages in memory.
    pub(crate) fn in_memory(&self) -> usize {
        self.lanes.iter().map(|lane| lane.window.len()).sum()
    }

    /// Bytes of the messages in memory.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(crate) fn next_seq(&mut self) -> u64 {
        let seq = self.next_seq;
        self.next_seq += 1;
        seq
    }

    pub(crate) fn locator(&self, priority: u8, seq: u64) -> Locator {
        Locator { stream: stream(self.line, priority), seq }
    }

    pub(crate) fn lane(&mut self, priority: u8) -> &mut Lane {
        let place = self.lanes.partition_point(|lane| lane.priority > priority);
        if self.lanes.get(place).is_none_or(|lane| lane.priority != priority) {
            self.lanes.insert(place, Box::new(Lane::new(priority)));
        }
        &mut self.lanes[place]
    }

    /// The line's number.
    pub(crate) fn line(&self) -> u64 {
        self.line
    }

    /// The highest priority first.
    pub(crate) fn lanes_mut(&mut self) -> std::slice::IterMut<'_, Box<Lane>> {
        self.lanes.iter_mut()
    }

    /// Counts messages that were brought into memory.
    pub(crate) fn add_bytes(&mut self, bytes: u64) {
        self.bytes += bytes;
    }

    /// The record of a message that was taken goes with the present commit.
    pub(crate) fn released(&mut self, priority: u8, seq: u64, cx: &Context<'_>) {
        self.lane(priority).released(seq, cx.stage);
    }

    /// Takes a message from any place of a lane's window.
    pub(crate) fn take_at(&mut self, priority: u8, place: usize, cx: &Context<'_>) -> Found {
        let Some(entry) = self.lane(priority).take_at(place) else {
            return Found::Nothing;
        };
        self.bytes -= entry.cost();
        found(priority, entry, cx)
    }

    pub(crate) fn lanes(&self) -> impl Iterator<Item = &Lane> {
        self.lanes.iter().map(|lane| &**lane)
    }

    /// Adds a new message behind all others of its priority; a stored one stays on disk when memory is short or
    /// others of its lane are there already.
    pub(crate) fn push(&mut self, priority: u8, entry: Entry, cx: &Context<'_>) {
        let cost = entry.cost();
        let short = cx.pressed || self.bytes + cost > cx.limits.line_bytes;
        let lane = self.lane(priority);
        if entry.stored && (lane.cold.is_some() || short || lane.window.len() >= cx.limits.line_window) {
            lane.push_cold(entry.seq, entry.stage);
            return;
        }
        lane.push(entry);
        self.bytes += cost;
    }

    /// Puts back what was taken.
    pub(crate) fn put_back(&mut self, priority: u8, entry: Entry, cx: &Context<'_>) {
        self.bytes += entry.cost();
        self.lane(priority).put_back(entry);
        if cx.pressed || self.bytes > cx.limits.line_bytes {
            self.cool(priority, cx);
        }
    }

    /// Leaves the end of a lane to the disk until the line is within its bounds.
    fn cool(&mut self, priority: u8, cx: &Context<'_>) {
        let mut bytes = self.bytes;
        let (limit, visible) = (cx.limits.line_bytes, cx.visible);
        let lane = self.lane(priority);
        // While a page is being read the place where the disk's part begins must not move.
        if !lane.loading {
            lane.cool(visible, |last| {
                let enough = bytes <= limit;
                bytes -= if enough { 0 } else { last.cost() };
                enough
            });
        }
        self.bytes = bytes;
    }

    /// Takes the first message of the highest priority that has one.
    pub(crate) fn take(&mut self, cx: &Context<'_>) -> Found {
        for lane in &mut self.lanes {
            // A lower priority does not go first while the higher one is being read from disk.
            if lane.cold.is_some() && lane.is_dry() {
                return Found::Nothing;
            }
            let Some(entry) = lane.take(cx.visible) else {
                continue;
            };
            self.bytes -= entry.cost();
            return found(lane.priority, entry, cx);
        }
        Found::Nothing
    }

    /// Asks for the next pages of lanes that run dry.
    pub(crate) fn wanted_pages(&mut self, cx: &Context<'_>) -> SmallVec<[(u8, Scan); 1]> {
        let mut wanted = SmallVec::new();
        let dry = cx.limits.line_window / 4;
        for lane in &mut self.lanes {
            let Some(cold) = lane.cold else { continue };
            // One that is dry shows nothing more until its page has come.
            let has_enough = lane.in_turn() > dry || self.bytes >= cx.limits.line_bytes;
            if lane.loading || (has_enough && !lane.is_dry()) {
                continue;
            }
            lane.loading = true;
            lane.begin_read(cx.visible);
            let stream = stream(self.line, lane.priority);
            wanted.push((
                lane.priority,
                Scan { stream, from: cold.from, records: PAGE_RECORDS, bytes: PAGE_BYTES },
            ));
        }
        wanted
    }

    /// Adds a page that was read.
    pub(crate) fn add_page(
        &mut self,
        priority: u8,
        records: Vec<Entry>,
        lost: u64,
        more: bool,
        visible_then: u64,
    ) {
        self.bytes += self.lane(priority).add_page(records, lost, more, visible_then);
    }

    /// Notes what the store holds of a lane.
    pub(crate) fn recover(&mut self, priority: u8, first: u64, last: u64, count: u64) {
        let lane = self.lane(priority);
        lane.cold = Some(Cold { from: first, through: last, count, stage: 0 });
    }

    /// Removes everything that waits; says how many messages that were.
    pub(crate) fn purge(&mut self, mut each: impl FnMut(Op)) -> u64 {
        let removed = self.len();
        for lane in &mut self.lanes {
            let stream = stream(self.line, lane.priority);
            for entry in lane.window.iter().filter(|entry| entry.stored) {
                each(Op::Release(Locator { stream, seq: entry.seq }));
            }
            if let Some(cold) = lane.cold {
                truncate(lane, cold, |from, through| each(Op::Truncate { stream, from, through }));
            }
            lane.clear();
        }
        self.bytes = 0;
        removed
    }

    /// Drops the oldest message that the store does not have, of the lowest priority that has one.
    pub(crate) fn drop_oldest_unstored(&mut self) -> Option<Entry> {
        let entry = self.lanes.iter_mut().rev().find_map(|lane| lane.drop_oldest_unstored())?;
        self.bytes -= entry.cost();
        Some(entry)
    }

    /// Takes what expired from the windows.
    pub(crate) fn take_expired(&mut self, unix_ms: u64, visible: u64) -> Vec<(u8, Entry)> {
        let mut expired = Vec::new();
        for lane in &mut self.lanes {
            expired
                .extend(lane.take_expired(unix_ms, visible).into_iter().map(|entry| (lane.priority, entry)));
        }
        self.bytes -= expired.iter().map(|(_, entry)| entry.cost()).sum::<u64>();
        expired
    }
}

fn found(priority: u8, entry: Entry, cx: &Context<'_>) -> Found {
    if entry.message.envelope.is_expired(cx.now.unix_ms) {
        return Found::Expired(priority, entry);
    }
    Found::Ready(priority, entry)
}

/// The ranges of the disk's part of a lane between those of its messages that were brought into memory: these may be
/// held, and whoever holds one needs its record.
fn truncate(lane: &Lane, cold: Cold, mut each: impl FnMut(u64, u64)) {
    let mut from = cold.from;
    for seq in lane.ahead_within(cold.from, cold.through) {
        if from < seq {
            each(from, seq - 1);
        }
        from = seq + 1;
    }
    if from <= cold.through {
        each(from, cold.through);
    }
}
