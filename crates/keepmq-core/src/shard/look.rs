//! How a consumer with a selector finds its messages among those that nobody else may want.
//!
//! It looks at each message once. For every lane it remembers how far it has looked; of what lies before that place
//! only messages that came back are looked at again. The part of a lane that is on disk is read in pages, one at a time
//! and only while the consumer has credit; what it wants of a page is brought into memory out of its turn
//! ([`Lane::bring`]), the rest stays on disk. So the memory that a search takes is bounded, and others are served
//! meanwhile.

use std::collections::BTreeSet;
use std::sync::Arc;

use keepmq_store::Scan;
use smallvec::SmallVec;

use super::LineKey;
use super::backlog::{Backlog, Found, stream};
use super::lane::{Entry, Lane};
use super::line::Line;
use super::output::{Context, Read, Reader};
use super::taker::TakerId;
use crate::chooser::Chooser;

/// Records read from disk for one look, at most.
const PAGE_RECORDS: usize = 128;
/// Bytes read from disk for one look, about.
const PAGE_BYTES: usize = 256 * 1024;
/// Messages that came back and are to be looked at again, at most. With more the look begins again at the first of
/// them.
const MOST_BACK: usize = 1024;

/// A consumer's selector, and how far it has looked.
#[derive(Debug)]
pub(crate) struct Choice {
    pub(crate) chooser: Arc<Chooser>,
    looks: SmallVec<[Look; 1]>,
}

/// How far a consumer has looked into one lane.
#[derive(Debug)]
struct Look {
    priority: u8,
    /// The last number that it has looked at.
    seen: u64,
    /// Numbers up to `seen` that are to be looked at again.
    back: BTreeSet<u64>,
    /// A page is being read.
    loading: bool,
    /// What was durable when the disk's part was last read to its end: before more is, there is nothing to read.
    dry: Option<u64>,
}

/// What a look came to.
enum Looked {
    /// The place in the window of a message that is wanted.
    At(usize),
    /// A part that is on disk has to be read.
    Read(Scan),
    /// A part that is on disk is being read.
    Waits,
    /// Nothing is wanted here at present.
    Nothing,
}

impl Choice {
    pub(crate) fn new(chooser: Arc<Chooser>) -> Self {
        Self { chooser, looks: SmallVec::new() }
    }

    fn look(&mut self, priority: u8) -> &mut Look {
        let place = self.looks.iter().position(|look| look.priority == priority).unwrap_or_else(|| {
            self.looks.push(Look { priority, seen: 0, back: BTreeSet::new(), loading: false, dry: None });
            self.looks.len() - 1
        });
        &mut self.looks[place]
    }

    /// A message is there again that others held when the look went past it.
    pub(crate) fn came_back(&mut self, priority: u8, seq: u64) {
        let look = self.look(priority);
        if seq > look.seen {
            return;
        }
        look.back.insert(seq);
        if look.back.len() > MOST_BACK {
            look.seen = look.back.first().map_or(0, |first| first.saturating_sub(1));
            look.back.clear();
            look.dry = None;
        }
    }

    /// A page could not be read.
    fn unread(&mut self, priority: u8) {
        self.look(priority).loading = false;
    }
}

impl Look {
    /// Looks on, first at what came back, then behind what was looked at.
    fn go(&mut self, lane: &Lane, chooser: &Chooser, line: u64, visible: u64) -> Looked {
        let wants = |entry: &Entry| chooser.wants(&entry.message, &entry.marks);
        while let Some(seq) = self.back.pop_first() {
            let place = lane.window.binary_search_by_key(&seq, |entry| entry.seq);
            if let Ok(place) = place
                && lane.window.get(place).is_some_and(|entry| entry.stage <= visible && wants(entry))
            {
                return Looked::At(place);
            }
        }
        // What stands in the window behind the begin of the disk's part comes with the pages of that part.
        let end = lane.cold.filter(|cold| cold.through > self.seen).map_or(u64::MAX, |cold| cold.from);
        let start = lane.window.partition_point(|entry| entry.seq <= self.seen);
        for (place, entry) in lane.window.iter().enumerate().skip(start) {
            if entry.seq >= end {
                break;
            }
            if entry.stage > visible {
                return Looked::Nothing;
            }
            self.seen = entry.seq;
            if wants(entry) {
                return Looked::At(place);
            }
        }
        self.read_on(lane, line, visible)
    }

    fn read_on(&mut self, lane: &Lane, line: u64, visible: u64) -> Looked {
        let Some(from) = self.next_on_disk(lane) else {
            return Looked::Nothing;
        };
        if self.loading {
            return Looked::Waits;
        }
        if self.dry.is_some_and(|dry| dry >= visible) {
            return Looked::Nothing;
        }
        self.loading = true;
        let stream = stream(line, lane.priority);
        Looked::Read(Scan { stream, from, records: PAGE_RECORDS, bytes: PAGE_BYTES })
    }

    /// Where the part of the lane begins that is on disk and was not looked at.
    fn next_on_disk(&self, lane: &Lane) -> Option<u64> {
        lane.cold.filter(|cold| cold.through > self.seen).map(|cold| cold.from.max(self.seen + 1))
    }

    /// A page was read: looks at it, and at what stands in the window between its messages. Says how many bytes it
    /// brought into memory.
    fn page(&mut self, lane: &mut Lane, chooser: &Chooser, page: Page) -> u64 {
        self.loading = false;
        // The window may have grown or shrunk meanwhile; then the page is of another part than the one that comes next.
        let (Some(cold), Some(from)) = (lane.cold, self.next_on_disk(lane)) else {
            return 0;
        };
        if from != page.read.scan.from {
            return 0;
        }
        let last = page.records.last().map_or(self.seen, |last| last.seq);
        let is_all = !page.more && cold.stage <= page.read.visible;
        if !page.more || page.records.is_empty() {
            self.dry = Some(page.read.visible);
        }
        let last = if is_all { cold.through } else { last };
        let start = lane.window.partition_point(|entry| entry.seq <= self.seen);
        let within = lane.window.iter().skip(start).take_while(|entry| entry.seq <= last);
        let wanted = within.filter(|entry| chooser.wants(&entry.message, &entry.marks));
        self.back.extend(wanted.map(|entry| entry.seq));
        self.seen = last;
        let mut bytes = 0;
        for entry in page.records {
            if !lane.is_ahead(entry.seq) && chooser.wants(&entry.message, &entry.marks) {
                self.back.insert(entry.seq);
                bytes += entry.cost();
                lane.bring(entry);
            }
        }
        bytes
    }
}

/// A page that was read for a look.
struct Page {
    read: Read,
    records: Vec<Entry>,
    more: bool,
}

impl Backlog {
    /// Takes the first message of the highest priority that is wanted.
    pub(crate) fn choose(
        &mut self,
        choice: &mut Choice,
        key: LineKey,
        taker: TakerId,
        cx: &mut Context<'_>,
    ) -> Found {
        let chooser = Arc::clone(&choice.chooser);
        let line = self.line();
        for lane in self.lanes_mut() {
            let priority = lane.priority;
            match choice.look(priority).go(lane, &chooser, line, cx.visible) {
                Looked::At(place) => return self.take_at(priority, place, cx),
                Looked::Read(scan) => {
                    lane.begin_read(cx.visible);
                    let (by, visible) = (Reader::Taker(taker), cx.visible);
                    cx.out.reads.push(Read { line: key, priority, by, scan, visible });
                    return Found::Nothing;
                }
                // A lower priority does not go first while the higher one is being read from disk.
                Looked::Waits => return Found::Nothing,
                Looked::Nothing => {}
            }
        }
        Found::Nothing
    }
}

impl Line {
    /// Tells those who look that a message is there again.
    pub(crate) fn came_back(&mut self, priority: u8, seq: u64) {
        self.takers.choices().for_each(|(_, choice)| choice.came_back(priority, seq));
    }

    /// A page that was read for a consumer; it may be gone.
    pub(crate) fn taker_page(
        &mut self,
        id: TakerId,
        read: Read,
        records: Vec<Entry>,
        more: bool,
        cx: &mut Context<'_>,
    ) {
        self.backlog.lane(read.priority).end_read(read.visible);
        let choice = self.takers.choices().find(|(taker, _)| *taker == id);
        if let Some((_, choice)) = choice {
            let chooser = Arc::clone(&choice.chooser);
            let page = Page { read, records, more };
            let lane = self.backlog.lane(read.priority);
            let bytes = choice.look(read.priority).page(lane, &chooser, page);
            self.backlog.add_bytes(bytes);
        }
        self.backlog.lane(read.priority).forget_gone(cx.visible);
        self.pump(cx);
    }

    /// A page could not be read for a consumer.
    pub(crate) fn taker_unread(&mut self, id: TakerId, read: &Read) {
        self.backlog.lane(read.priority).end_read(read.visible);
        let choice = self.takers.choices().find(|(taker, _)| *taker == id);
        if let Some((_, choice)) = choice {
            choice.unread(read.priority);
        }
    }
}
