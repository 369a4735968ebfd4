//! Looking at a line in order without taking anything.

use std::sync::Arc;

use keepmq_model::{Delivery, DeliveryId, Event, Marks, Message};
use keepmq_store::Scan;

use super::backlog::stream;
use super::lane::{Entry, Lane};
use super::line::Line;
use super::output::{Context, Read, Reader};
use super::taker::{Credit, TakerId};
use crate::chooser::Chooser;
use crate::outbox::Outbox;

/// Records read from disk for a browser at once, at most.
const PAGE_RECORDS: usize = 64;
/// Bytes read from disk for a browser at once, about.
const PAGE_BYTES: usize = 256 * 1024;

/// One who looks.
#[derive(Debug)]
pub(crate) struct Browser {
    pub(crate) id: TakerId,
    pub(crate) outbox: Arc<Outbox>,
    /// Its right to read the line.
    pub(crate) permit: keepmq_policy::Permit<keepmq_policy::Read>,
    pub(crate) credit: Credit,
    /// What it wants to see; everything when absent.
    chooser: Option<Arc<Chooser>>,
    /// The priority that it is at; lower ones follow.
    priority: u8,
    /// The last number that it saw of that priority.
    seen: u64,
    shown: u64,
    loading: bool,
    done: bool,
}

/// What comes next.
enum Step<'a> {
    Show(&'a Entry),
    Read(Scan),
    NextLane,
}

impl Browser {
    pub(crate) fn new(
        id: TakerId,
        outbox: Arc<Outbox>,
        permit: keepmq_policy::Permit<keepmq_policy::Read>,
        credit: Credit,
        chooser: Option<Arc<Chooser>>,
    ) -> Self {
        let priority = keepmq_model::MAX_PRIORITY;
        Self { id, outbox, permit, credit, chooser, priority, seen: 0, shown: 0, loading: false, done: false }
    }

    /// A page could not be read.
    pub(crate) fn unread(&mut self) {
        self.loading = false;
    }

    /// Shows a message, if it is wanted.
    fn show(&mut self, seq: u64, message: &Arc<Message>, marks: Marks, cx: &mut Context<'_>) {
        self.seen = seq;
        if self.chooser.as_ref().is_some_and(|chooser| !chooser.wants(message, &marks)) {
            return;
        }
        self.shown += 1;
        self.credit.spend();
        self.outbox.reserve(usize::try_from(message.cost()).unwrap_or(usize::MAX));
        let id = DeliveryId { leg: self.id.leg, number: self.shown };
        let delivery = Delivery { link: self.id.link, id, place: seq, marks, message: Arc::clone(message) };
        cx.out.events.push((Arc::clone(&self.outbox), Event::Deliver(delivery)));
    }

    fn end(&mut self, cx: &mut Context<'_>) {
        self.done = true;
        cx.out.events.push((Arc::clone(&self.outbox), Event::Exhausted { link: self.id.link }));
    }
}

/// The next thing of a lane behind a number. What stands in the window from the place on where the disk's part begins
/// comes after that part.
fn next_of(lane: &Lane, line: u64, seen: u64, visible: u64) -> Step<'_> {
    let place = lane.window.partition_point(|entry| entry.seq <= seen);
    let entry = lane.window.get(place);
    if let Some(cold) = lane.cold.filter(|cold| cold.through > seen)
        && entry.is_none_or(|entry| entry.seq >= cold.from)
    {
        let from = cold.from.max(seen + 1);
        let stream = stream(line, lane.priority);
        return Step::Read(Scan { stream, from, records: PAGE_RECORDS, bytes: PAGE_BYTES });
    }
    match entry {
        Some(entry) if entry.stage <= visible => Step::Show(entry),
        _ => Step::NextLane,
    }
}

impl Line {
    /// Shows browsers what they have credit for.
    pub(crate) fn pump_browsers(&mut self, cx: &mut Context<'_>) {
        let mut browsers = std::mem::take(&mut self.browsers);
        for browser in &mut browsers {
            self.pump_browser(browser, cx);
        }
        browsers.retain(|browser| !browser.done);
        self.browsers = browsers;
    }

    fn pump_browser(&self, browser: &mut Browser, cx: &mut Context<'_>) {
        while !browser.loading && !browser.done && browser.credit.is_left() && browser.outbox.has_room() {
            let lane = self.backlog.lanes().find(|lane| lane.priority <= browser.priority);
            let Some(lane) = lane else {
                browser.end(cx);
                return;
            };
            if lane.priority != browser.priority {
                browser.priority = lane.priority;
                browser.seen = 0;
            }
            match next_of(lane, self.id, browser.seen, cx.visible) {
                Step::Show(entry) => {
                    browser.show(entry.seq, &entry.message, entry.marks.clone(), cx);
                }
                Step::Read(scan) => {
                    browser.loading = true;
                    let (priority, visible) = (lane.priority, cx.visible);
                    let by = Reader::Browser(browser.id);
                    cx.out.reads.push(Read { line: self.key, priority, by, scan, visible });
                }
                Step::NextLane => match browser.priority.checked_sub(1) {
                    Some(lower) => (browser.priority, browser.seen) = (lower, 0),
                    None => browser.end(cx),
                },
            }
        }
    }

    /// A page that was read for a browser. It is shown whole: the credit was there for at least one of its messages,
    /// and a page is small.
    pub(crate) fn browser_page(
        &mut self,
        id: TakerId,
        records: &[Entry],
        more: bool,
        priority: u8,
        cx: &mut Context<'_>,
    ) {
        let cold = self.backlog.lanes().find(|lane| lane.priority == priority).and_then(|lane| lane.cold);
        let Some(browser) = self.browsers.iter_mut().find(|browser| browser.id == id) else {
            return;
        };
        browser.loading = false;
        for record in records {
            browser.show(record.seq, &record.message, record.marks.clone(), cx);
        }
        // What the disk's part holds besides is not durable yet: it came after the look began.
        if let Some(cold) = cold.filter(|_| !more) {
            browser.seen = browser.seen.max(cold.through);
        }
        self.pump_browsers(cx);
    }
}
