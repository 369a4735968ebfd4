use std::time::Duration;

use super::*;
use crate::api::{Op, Seq};
use crate::testing::FaultyDisk;
use crate::testing::conformance::{Durable, at, put, put_many};

fn options() -> Options {
    Options {
        segment_bytes: 32 << 10,
        checkpoint_bytes: 64 << 10,
        ..Options::sealed(MasterKey::new([3; 32]))
    }
}

fn manual(disk: &FaultyDisk) -> (Journal, Recovery, Durable) {
    let durable = Durable::default();
    let (journal, recovery) =
        Journal::open_manual(Arc::new(disk.clone()), &options(), durable.callback()).unwrap();
    (journal, recovery, durable)
}

fn with_threads(options: Options) -> (Journal, Durable) {
    let durable = Durable::default();
    let disk = Arc::new(FaultyDisk::new(1));
    (Journal::open(disk, options, durable.callback()).unwrap().0, durable)
}

fn commit(journal: &Journal, ops: Vec<Op>, urgency: Urgency) -> Ticket {
    journal.commit(Batch { ops }, urgency)
}

fn numbers(journal: &Journal, stream: u64) -> Vec<Seq> {
    let scan = Scan { stream: StreamId(stream), from: 0, records: usize::MAX, bytes: usize::MAX };
    journal.scan(scan).unwrap().records.iter().map(|record| record.seq).collect()
}

#[test]
fn all_that_waits_is_synced_at_once_and_reported_at_once() {
    let (journal, _, durable) = manual(&FaultyDisk::new(1));
    for seq in 0..50 {
        commit(&journal, vec![put(1, seq, "x")], Urgency::Now);
    }
    let syncs = journal.activity().syncs;
    assert!(journal.write_once());
    assert_eq!(journal.activity().syncs, syncs + 1);
    assert_eq!(durable.reports().len(), 1);
    assert_eq!(durable.newest(), Ticket(50));
}

#[test]
fn nothing_is_seen_before_it_is_durable() {
    let (journal, _, _) = manual(&FaultyDisk::new(1));
    commit(&journal, vec![put(1, 1, "x")], Urgency::Now);
    assert_eq!(numbers(&journal, 1), [0; 0]);
    assert_eq!(journal.read(&[at(1, 1)]).unwrap(), [None]);
    assert_eq!(journal.stream(StreamId(1)), None);
    assert_eq!(journal.usage().records, 0);
    assert!(journal.usage().pending_bytes > 0);
    journal.write_once();
    assert_eq!(numbers(&journal, 1), [1]);
    assert_eq!(journal.usage().pending_bytes, 0);
}

#[test]
fn a_large_backlog_of_batches_is_written_in_bounded_groups() {
    let (journal, _, durable) = manual(&FaultyDisk::new(1));
    for seq in 0..200 {
        commit(&journal, vec![put(1, seq, vec![0; 1000])], Urgency::Now);
    }
    while journal.write_once() || journal.keep_once(false) {}
    let reports: Vec<u64> = durable.reports().into_iter().map(|report| report.unwrap().0).collect();
    assert!(reports.len() > 5 && reports.is_sorted(), "a group ends with its segment: {reports:?}");
    assert_eq!(durable.newest(), Ticket(200));
}

#[test]
fn an_idle_store_touches_nothing() {
    let disk = FaultyDisk::new(1);
    let (journal, _, _) = manual(&disk);
    while journal.keep_once(true) || journal.write_once() {}
    let changes = disk.changes();
    for _ in 0..20 {
        assert!(!journal.keep_once(true) && !journal.write_once());
    }
    assert_eq!(disk.changes(), changes);
}

#[test]
fn a_lazy_batch_rides_with_the_next_urgent_one() {
    let (journal, durable) = with_threads(Options { lazy_delay: Duration::from_mins(10), ..options() });
    let lazy = commit(&journal, vec![put(1, 1, "x")], Urgency::Lazy);
    let urgent = commit(&journal, vec![put(1, 2, "x")], Urgency::Now);
    durable.wait(urgent);
    assert!(durable.newest() >= lazy);
    assert_eq!(numbers(&journal, 1), [1, 2]);
}

/// Consumers acknowledge while the next message is being synced: that must not cost its sender a second sync.
#[test]
fn what_comes_lazily_during_a_sync_has_none_of_its_own() {
    let journal: Arc<std::sync::OnceLock<Journal>> = Arc::default();
    let inside = Arc::clone(&journal);
    let (sender, receiver) = std::sync::mpsc::sync_channel(2);
    let on_durable: OnDurable = Box::new(move |report| {
        let ticket = report.unwrap();
        if ticket.0 == 1 {
            commit(inside.get().unwrap(), vec![put(1, 2, "x")], Urgency::Lazy);
        }
        sender.send(ticket).unwrap();
    });
    let options = Options { lazy_delay: Duration::from_mins(10), ..options() };
    let (opened, _) = Journal::open(Arc::new(FaultyDisk::new(1)), options, on_durable).unwrap();
    journal.set(opened).ok().unwrap();
    let journal = journal.get().unwrap();
    let syncs = journal.activity().syncs;
    for urgent in [1, 3] {
        commit(journal, vec![put(1, urgent, "x")], Urgency::Now);
        assert_eq!(receiver.recv_timeout(Duration::from_secs(30)).unwrap(), Ticket(urgent));
    }
    assert_eq!(journal.activity().syncs, syncs + 2);
    assert_eq!(numbers(journal, 1), [1, 2, 3]);
}

#[test]
fn closing_does_not_wait_for_lazy_batches_to_be_due() {
    let (journal, durable) = with_threads(Options { lazy_delay: Duration::from_mins(10), ..options() });
    let lazy = commit(&journal, vec![put(1, 1, "x")], Urgency::Lazy);
    journal.close().unwrap();
    assert_eq!(durable.newest(), lazy);
}

#[test]
fn a_callback_may_commit_and_read() {
    let journal: Arc<std::sync::OnceLock<Journal>> = Arc::default();
    let inside = Arc::clone(&journal);
    let (sender, receiver) = std::sync::mpsc::sync_channel(1);
    let on_durable: OnDurable = Box::new(move |report| {
        let (ticket, journal) = (report.unwrap(), inside.get().unwrap());
        assert_eq!(numbers(journal, 1).len() as u64, ticket.0);
        if ticket.0 < 10 {
            commit(journal, vec![put(1, ticket.0, "x")], Urgency::Now);
        } else {
            sender.send(()).unwrap();
        }
    });
    let (opened, _) = Journal::open(Arc::new(FaultyDisk::new(1)), options(), on_durable).unwrap();
    journal.set(opened).ok().unwrap();
    commit(journal.get().unwrap(), vec![put(1, 0, "x")], Urgency::Now);
    receiver.recv_timeout(Duration::from_secs(30)).unwrap();
}

#[test]
fn what_was_done_is_counted() {
    let (journal, _, _) = manual(&FaultyDisk::new(1));
    for seq in 0..200 {
        commit(&journal, vec![put(1, seq, vec![0; 1000])], Urgency::Now);
        while journal.write_once() || journal.keep_once(false) {}
    }
    for seq in (0..200).filter(|seq| seq % 20 != 0) {
        commit(&journal, vec![Op::Release(at(1, seq))], Urgency::Now);
    }
    while journal.write_once() || journal.keep_once(true) {}
    let activity = journal.activity();
    assert!(activity.syncs >= 200 && activity.log_bytes > 200_000, "{activity:?}");
    assert!(activity.moved_records >= 8 && activity.reclaimed_segments >= 5, "{activity:?}");
    assert!(activity.checkpoints >= 2 && activity.torn_frames == 0, "{activity:?}");
}

#[test]
fn tickets_begin_anew_with_each_opening() {
    let disk = FaultyDisk::new(1);
    let (journal, _, _) = manual(&disk);
    assert_eq!(commit(&journal, vec![put(1, 1, "x")], Urgency::Now), Ticket(1));
    journal.close().unwrap();
    drop(journal);
    let (journal, recovery, _) = manual(&disk);
    assert_eq!(recovery.epoch, 2);
    assert_eq!(journal.durable(), Ticket(0));
    assert_eq!(commit(&journal, Vec::new(), Urgency::Now), Ticket(1));
}

#[test]
fn a_slice_of_a_large_buffer_does_not_keep_it_alive_as_a_value() {
    let (journal, _, _) = manual(&FaultyDisk::new(1));
    let buffer = bytes::Bytes::from(vec![7; 100_000]);
    let (key, value) = (buffer.slice(0..10), buffer.slice(10..20));
    commit(&journal, vec![Op::Set { key, value }], Urgency::Now);
    journal.write_once();
    assert!(buffer.is_unique());
}

#[test]
fn payloads_are_let_go_once_they_are_written() {
    let (journal, _, _) = manual(&FaultyDisk::new(1));
    let body = bytes::Bytes::from(vec![7; 10_000]);
    commit(&journal, vec![put_many(&[(1, 1), (2, 1)], body.clone())], Urgency::Now);
    assert!(!body.is_unique());
    journal.write_once();
    assert!(body.is_unique());
}

#[test]
fn streams_of_all_ages_are_found_after_many_lives() {
    let disk = FaultyDisk::new(1);
    for life in 0..12 {
        let (journal, recovery, _) = manual(&disk);
        assert_eq!(recovery.streams.len() as u64, life);
        assert_eq!(recovery.damage, [""; 0]);
        for seq in 0..40 {
            commit(&journal, vec![put(life, seq, vec![0; 500])], Urgency::Now);
            while journal.write_once() || journal.keep_once(false) {}
        }
        if life % 3 == 0 {
            journal.close().unwrap();
        }
        drop(journal);
        if life % 3 == 1 {
            disk.crash();
        }
    }
    let (journal, _, _) = manual(&disk);
    assert!((0..12).all(|stream| numbers(&journal, stream) == (0..40).collect::<Vec<_>>()));
}
