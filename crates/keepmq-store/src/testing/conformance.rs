//! What every engine has to do. Each check opens fresh stores through an [`Opener`] and panics with a sentence when
//! the engine does not do it.
#![allow(clippy::unwrap_used, clippy::expect_used)] // A check fails by panicking.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use parking_lot::{Condvar, Mutex};

use crate::api::{
    Admission, Batch, Locator, OnDurable, Op, Page, Payload, Recovery, Scan, Seq, Store, StoreError, Stored,
    StreamId, StreamInfo, Target, Ticket, Urgency,
};

/// Opens the engine under test.
pub trait Opener {
    /// A store without content, in place of any that was opened before.
    fn fresh(&self, on_durable: OnDurable) -> (Arc<dyn Store>, Recovery);

    /// The store that was opened last, closed by now, again.
    fn again(&self, on_durable: OnDurable) -> (Arc<dyn Store>, Recovery);
}

/// A check of the suite: its name, which is the claim, and its body.
pub type Check = (&'static str, fn(&dyn Opener));

/// All checks.
pub const CHECKS: &[Check] = &[
    ("a_fresh_store_is_empty", a_fresh_store_is_empty),
    ("tickets_rise_by_one_and_complete_in_order", tickets_rise_by_one_and_complete_in_order),
    ("what_is_put_is_read_back_joined", what_is_put_is_read_back_joined),
    ("a_scan_reads_in_order_from_anywhere", a_scan_reads_in_order_from_anywhere),
    ("a_scan_stops_at_its_bounds_and_says_whether_it_is_the_end", a_scan_stops_at_its_bounds),
    ("released_records_are_gone_and_may_be_released_again", released_records_are_gone),
    (
        "truncating_gives_up_everything_between_two_numbers",
        truncating_gives_up_everything_between_two_numbers,
    ),
    ("one_payload_serves_all_its_targets_until_each_is_released", one_payload_serves_all_its_targets),
    ("changes_of_a_batch_happen_in_their_order", changes_of_a_batch_happen_in_their_order),
    ("keyed_values_are_replaced_and_forgotten", keyed_values_are_replaced_and_forgotten),
    ("empty_and_large_payloads_are_kept", empty_and_large_payloads_are_kept),
    ("an_empty_batch_completes", an_empty_batch_completes),
    ("a_lazy_batch_completes_by_itself", a_lazy_batch_completes_by_itself),
    ("usage_counts_what_lives", usage_counts_what_lives),
    ("closing_keeps_everything_and_raises_the_epoch", closing_keeps_everything_and_raises_the_epoch),
    ("commits_after_closing_are_ignored", commits_after_closing_are_ignored),
    ("many_threads_may_commit_and_read_at_once", many_threads_may_commit_and_read_at_once),
    ("a_number_above_gaps_and_at_the_edges_is_found", a_number_above_gaps_and_at_the_edges_is_found),
];

/// Runs all checks.
pub fn run(opener: &dyn Opener) {
    for (name, check) in CHECKS {
        eprintln_check(name);
        check(opener);
    }
}

/// Shows in the output of a failed test which check it was.
#[allow(clippy::print_stderr)] // Tests talk on standard error.
fn eprintln_check(name: &str) {
    eprintln!("conformance: {name}");
}

/// Notes what a store reports as durable, and lets a test wait for it.
#[derive(Clone, Default)]
pub struct Durable {
    shared: Arc<Reports>,
}

#[derive(Default)]
struct Reports {
    list: Mutex<Vec<Report>>,
    more: Condvar,
}

/// What a store says to its callback.
pub type Report = Result<Ticket, StoreError>;

impl Durable {
    /// To be handed to the store.
    pub fn callback(&self) -> OnDurable {
        let shared = Arc::clone(&self.shared);
        Box::new(move |result| {
            shared.list.lock().push(result);
            shared.more.notify_all();
        })
    }

    /// Waits until the ticket is durable.
    ///
    /// # Panics
    /// When the store fails instead, or takes longer than half a minute.
    pub fn wait(&self, ticket: Ticket) {
        let mut reports = self.shared.list.lock();
        while !reports.iter().any(|report| report.as_ref().is_ok_and(|durable| *durable >= ticket)) {
            assert!(reports.iter().all(Result::is_ok), "the store failed: {reports:?}");
            let late = self.shared.more.wait_for(&mut reports, Duration::from_secs(30)).timed_out();
            assert!(!late, "{ticket:?} is not durable after half a minute: {reports:?}");
        }
    }

    /// Everything that was reported so far.
    pub fn reports(&self) -> Vec<Report> {
        self.shared.list.lock().clone()
    }

    /// The newest ticket that was reported.
    pub fn newest(&self) -> Ticket {
        let reports = self.shared.list.lock();
        reports.iter().filter_map(|report| report.as_ref().ok()).max().copied().unwrap_or_default()
    }
}

/// An open store and what it reports.
struct Subject {
    store: Arc<dyn Store>,
    durable: Durable,
    recovery: Recovery,
}

impl Subject {
    fn fresh(opener: &dyn Opener) -> Self {
        let durable = Durable::default();
        let (store, recovery) = opener.fresh(durable.callback());
        Self { store, durable, recovery }
    }

    fn reopened(self, opener: &dyn Opener) -> Self {
        self.store.close().expect("a healthy store closes");
        drop(self.store);
        let durable = Durable::default();
        let (store, recovery) = opener.again(durable.callback());
        assert_eq!(recovery.damage, [""; 0], "a closed store is whole");
        Self { store, durable, recovery }
    }

    fn commit(&self, ops: Vec<Op>) -> Ticket {
        self.store.commit(Batch { ops }, Urgency::Now)
    }

    fn keep(&self, ops: Vec<Op>) {
        self.durable.wait(self.commit(ops));
    }

    fn page(&self, stream: u64, from: Seq, records: usize, bytes: usize) -> Page {
        let scan = Scan { stream: StreamId(stream), from, records, bytes };
        let page = self.store.scan(scan).expect("a healthy store can be read");
        assert_eq!(page.lost, [0; 0], "nothing is damaged");
        page
    }

    fn numbers(&self, stream: u64) -> Vec<Seq> {
        let page = self.page(stream, 0, usize::MAX, usize::MAX);
        assert!(page.end);
        numbers(&page)
    }
}

fn numbers(page: &Page) -> Vec<Seq> {
    page.records.iter().map(|record| record.seq).collect()
}

/// The place `seq` of a stream.
pub fn at(stream: u64, seq: Seq) -> Locator {
    Locator { stream: StreamId(stream), seq }
}

/// A put of one record whose meta is its number, ten times.
pub fn put(stream: u64, seq: Seq, body: impl Into<Bytes>) -> Op {
    put_many(&[(stream, seq)], body)
}

/// A put of one payload for several targets.
pub fn put_many(targets: &[(u64, Seq)], body: impl Into<Bytes>) -> Op {
    let target = |(stream, seq): &(u64, Seq)| Target { at: at(*stream, *seq), meta: seq.wrapping_mul(10) };
    let payload = Payload { head: Bytes::new(), body: body.into() };
    Op::Put { targets: targets.iter().map(target).collect(), payload }
}

fn release(stream: u64, seq: Seq) -> Op {
    Op::Release(at(stream, seq))
}

fn truncate(stream: u64, from: Seq, through: Seq) -> Op {
    Op::Truncate { stream: StreamId(stream), from, through }
}

fn set(key: &'static str, value: &'static str) -> Op {
    Op::Set { key: key.into(), value: value.into() }
}

fn a_fresh_store_is_empty(opener: &dyn Opener) {
    let subject = Subject::fresh(opener);
    let Recovery { state, streams, epoch, damage } = &subject.recovery;
    assert!(state.is_empty() && streams.is_empty() && damage.is_empty());
    assert_eq!(*epoch, 1);
    assert_eq!(subject.store.durable(), Ticket(0));
    assert_eq!(subject.store.admission(), Admission::Open);
    assert_eq!(subject.store.stream(StreamId(1)), None);
    assert_eq!(subject.page(1, 0, 10, 10), Page { end: true, ..Page::default() });
    assert_eq!(subject.store.read(&[at(1, 1)]).unwrap(), [None]);
}

fn tickets_rise_by_one_and_complete_in_order(opener: &dyn Opener) {
    let subject = Subject::fresh(opener);
    for number in 1..=50 {
        assert_eq!(subject.commit(vec![put(1, number, "x")]), Ticket(number));
    }
    subject.durable.wait(Ticket(50));
    assert_eq!(subject.store.durable(), Ticket(50));
    assert_eq!(subject.store.pending_bytes(), 0);
    let reports: Vec<u64> = subject.durable.reports().into_iter().map(|report| report.unwrap().0).collect();
    assert!(reports.is_sorted_by(|one, two| one < two), "{reports:?}");
}

fn what_is_put_is_read_back_joined(opener: &dyn Opener) {
    let subject = Subject::fresh(opener);
    let payload = Payload { head: "head,".into(), body: "body".into() };
    subject.keep(vec![Op::Put { targets: [Target { at: at(7, 3), meta: 99 }].into(), payload }]);
    let stored = Stored { seq: 3, meta: 99, payload: "head,body".into() };
    assert_eq!(subject.store.read(&[at(7, 3), at(7, 4)]).unwrap(), [Some(stored.clone()), None]);
    assert_eq!(subject.page(7, 0, 5, 1000).records, [stored]);
    let info = StreamInfo { id: StreamId(7), records: 1, bytes: 9, first: 3, last: 3 };
    assert_eq!(subject.store.stream(StreamId(7)), Some(info));
}

fn a_scan_reads_in_order_from_anywhere(opener: &dyn Opener) {
    let subject = Subject::fresh(opener);
    for seq in (10..200).step_by(10) {
        subject.commit(vec![put(1, seq, format!("one {seq}")), put(2, seq + 1, "two")]);
    }
    subject.keep(Vec::new());
    assert_eq!(numbers(&subject.page(1, 0, 3, 1000)), [10, 20, 30]);
    assert_eq!(numbers(&subject.page(1, 30, 3, 1000)), [30, 40, 50]);
    let page = subject.page(1, 31, 2, 1000);
    assert_eq!(numbers(&page), [40, 50]);
    assert_eq!(page.records[0].payload, "one 40");
    assert_eq!(page.records[0].meta, 400);
    assert_eq!(numbers(&subject.page(1, 190, 9, 1000)), [190]);
    assert_eq!(subject.page(1, 191, 9, 1000), Page { end: true, ..Page::default() });
}

fn a_scan_stops_at_its_bounds(opener: &dyn Opener) {
    let subject = Subject::fresh(opener);
    subject.keep((1..=10).map(|seq| put(1, seq, "0123456789")).collect());
    let bounds = |records, bytes| {
        let page = subject.page(1, 1, records, bytes);
        (page.records.len(), page.end)
    };
    assert_eq!(bounds(4, 1000), (4, false));
    assert_eq!(bounds(10, 1000), (10, true));
    assert_eq!(bounds(100, 30), (3, false), "the third record makes it thirty bytes");
    assert_eq!(bounds(100, 31), (4, false));
    assert_eq!(bounds(100, 100), (10, true));
    assert_eq!(bounds(100, 0), (1, false), "one record is given however long it is");
    assert_eq!(bounds(0, 100), (0, false));
}

fn released_records_are_gone(opener: &dyn Opener) {
    let subject = Subject::fresh(opener);
    subject.keep((1..=5).map(|seq| put(1, seq, "abc")).collect());
    subject.keep(vec![release(1, 2), release(1, 2), release(1, 77), release(9, 1)]);
    assert_eq!(subject.numbers(1), [1, 3, 4, 5]);
    assert_eq!(subject.store.read(&[at(1, 2), at(1, 3)]).unwrap()[0], None);
    subject.keep(vec![release(1, 1), release(1, 5)]);
    let info = StreamInfo { id: StreamId(1), records: 2, bytes: 6, first: 3, last: 4 };
    assert_eq!(subject.store.stream(StreamId(1)), Some(info));
    subject.keep(vec![release(1, 3), release(1, 4)]);
    assert_eq!(subject.store.stream(StreamId(1)), None);
}

fn truncating_gives_up_everything_between_two_numbers(opener: &dyn Opener) {
    let subject = Subject::fresh(opener);
    subject.keep((1..=9).map(|seq| put(1, seq, "abc")).chain([put(2, 1, "x")]).collect());
    subject.keep(vec![truncate(1, 0, 4), truncate(5, 0, 100)]);
    assert_eq!(subject.numbers(1), [5, 6, 7, 8, 9]);
    subject.keep(vec![truncate(1, 6, 7), truncate(1, 30, 20)]);
    assert_eq!(subject.numbers(1), [5, 8, 9]);
    subject.keep(vec![truncate(1, 0, Seq::MAX), put(1, 20, "new")]);
    assert_eq!(subject.numbers(1), [20]);
    assert_eq!(subject.numbers(2), [1]);
}

fn one_payload_serves_all_its_targets(opener: &dyn Opener) {
    let subject = Subject::fresh(opener);
    let targets: Vec<(u64, Seq)> = (1..=300).map(|stream| (stream, stream + 5)).collect();
    subject.keep(vec![put_many(&targets, "shared")]);
    assert_eq!(subject.store.usage().records, 300);
    subject.keep((2..=300).map(|stream| release(stream, stream + 5)).collect());
    assert_eq!(subject.store.stream(StreamId(2)), None);
    let stored = Stored { seq: 6, meta: 60, payload: "shared".into() };
    assert_eq!(subject.page(1, 0, 5, 100).records, [stored]);
}

fn changes_of_a_batch_happen_in_their_order(opener: &dyn Opener) {
    let subject = Subject::fresh(opener);
    subject.keep(vec![put(1, 1, "a"), release(1, 1), put(1, 2, "b"), truncate(1, 0, 2), put(1, 3, "c")]);
    assert_eq!(subject.numbers(1), [3]);
    subject.keep(vec![set("k", "1"), Op::Unset { key: "k".into() }, set("k", "2"), set("l", "3")]);
    let subject = subject.reopened(opener);
    assert_eq!(subject.recovery.state, [("k".into(), "2".into()), ("l".into(), "3".into())]);
    assert_eq!(subject.numbers(1), [3]);
}

fn keyed_values_are_replaced_and_forgotten(opener: &dyn Opener) {
    let subject = Subject::fresh(opener);
    subject.keep(vec![set("b", "1"), set("a", "2"), set("c", "3")]);
    subject.keep(vec![set("b", "4"), Op::Unset { key: "c".into() }, Op::Unset { key: "never".into() }]);
    let subject = subject.reopened(opener);
    assert_eq!(subject.recovery.state, [("a".into(), "2".into()), ("b".into(), "4".into())]);
}

fn empty_and_large_payloads_are_kept(opener: &dyn Opener) {
    let subject = Subject::fresh(opener);
    let large: Bytes = (0..3_000_000_u32).flat_map(u32::to_le_bytes).take(3_000_000).collect();
    subject.keep(vec![put(1, 1, ""), put(1, 2, large.clone()), put(1, 3, "small")]);
    let subject = subject.reopened(opener);
    let page = subject.page(1, 0, 10, usize::MAX);
    let payloads: Vec<&[u8]> = page.records.iter().map(|record| &record.payload[..]).collect();
    assert!(payloads == [&b""[..], &large, &b"small"[..]]);
}

fn an_empty_batch_completes(opener: &dyn Opener) {
    let subject = Subject::fresh(opener);
    subject.keep(Vec::new());
    assert_eq!(subject.store.durable(), Ticket(1));
}

fn a_lazy_batch_completes_by_itself(opener: &dyn Opener) {
    let subject = Subject::fresh(opener);
    let ticket = subject.store.commit(Batch { ops: vec![put(1, 1, "x")] }, Urgency::Lazy);
    subject.durable.wait(ticket);
    assert_eq!(subject.numbers(1), [1]);
}

fn usage_counts_what_lives(opener: &dyn Opener) {
    let subject = Subject::fresh(opener);
    subject.keep(vec![put(1, 1, "12345"), put_many(&[(1, 2), (2, 1)], "123")]);
    let usage = subject.store.usage();
    assert_eq!((usage.records, usage.live_bytes, usage.pending_bytes), (3, 11, 0));
    subject.keep(vec![release(1, 2)]);
    let usage = subject.reopened(opener).store.usage();
    assert_eq!((usage.records, usage.live_bytes), (2, 8));
}

fn closing_keeps_everything_and_raises_the_epoch(opener: &dyn Opener) {
    let mut subject = Subject::fresh(opener);
    for epoch in 2..6 {
        subject.commit(vec![put(1, epoch, format!("of {epoch}")), put(epoch, 1, "x"), release(1, epoch - 2)]);
        subject = subject.reopened(opener);
        assert_eq!(subject.recovery.epoch, epoch);
        let ids: Vec<u64> = subject.recovery.streams.iter().map(|stream| stream.id.0).collect();
        assert_eq!(ids, (1..=epoch).collect::<Vec<_>>());
        let info = subject.store.stream(StreamId(1)).unwrap();
        assert_eq!(info, subject.recovery.streams[0]);
        assert_eq!(info.last, epoch);
    }
    assert_eq!(subject.numbers(1), [4, 5]);
}

fn commits_after_closing_are_ignored(opener: &dyn Opener) {
    let subject = Subject::fresh(opener);
    subject.keep(vec![put(1, 1, "kept")]);
    subject.store.close().unwrap();
    subject.commit(vec![put(1, 2, "ignored")]);
    subject.store.close().unwrap();
    drop(subject.store);
    let (store, recovery) = opener.again(Durable::default().callback());
    assert_eq!(recovery.streams[0].records, 1);
    drop(store);
}

fn many_threads_may_commit_and_read_at_once(opener: &dyn Opener) {
    const EACH: u64 = 200;
    let subject = Subject::fresh(opener);
    std::thread::scope(|scope| {
        for stream in 1..=4 {
            let subject = &subject;
            scope.spawn(move || {
                for seq in 1..=EACH {
                    let ticket = subject.commit(vec![put(stream, seq, format!("{stream} {seq}"))]);
                    if seq % 50 == 0 {
                        subject.durable.wait(ticket);
                        assert_eq!(subject.numbers(stream).len() as u64, seq);
                    }
                }
            });
        }
    });
    assert_eq!(subject.durable.newest(), Ticket(4 * EACH));
    assert_eq!(subject.page(3, 150, 1, 100).records[0].payload, "3 150");
}

fn a_number_above_gaps_and_at_the_edges_is_found(opener: &dyn Opener) {
    let subject = Subject::fresh(opener);
    let edges = [0, 1, u64::from(u32::MAX), 1 << 40, Seq::MAX - 1, Seq::MAX];
    subject.keep(edges.map(|seq| put(u64::MAX, seq, seq.to_string())).to_vec());
    let subject = subject.reopened(opener);
    assert_eq!(subject.numbers(u64::MAX), edges);
    assert_eq!(numbers(&subject.page(u64::MAX, Seq::MAX, 5, 1000)), [Seq::MAX]);
    subject.keep(vec![release(u64::MAX, 0), release(u64::MAX, Seq::MAX)]);
    let info = subject.store.stream(StreamId(u64::MAX)).unwrap();
    assert_eq!((info.first, info.last, info.records), (1, Seq::MAX - 1, 4));
}
