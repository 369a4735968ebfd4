//! Writes and syncs that fail.

use std::sync::{Arc, mpsc};
use std::time::Duration;

use keepmq_store::testing::FaultyDisk;
use keepmq_store::testing::conformance::Durable;
use keepmq_store::{Admission, Batch, Journal, Scan, Store, StoreError, StreamId, Ticket, Urgency};
use parking_lot::Mutex;

use crate::rig::{Rig, at, options, put, release};

#[test]
fn a_failed_sync_fails_the_store_and_is_not_tried_again() {
    let rig = Rig::new();
    rig.keep([put(1, 1, "kept")]);
    rig.disk.refuse_sync_after(0);
    rig.commit([put(1, 2, "never durable")]);
    let changes = rig.disk.changes();
    assert!(!rig.journal.write_once());
    assert_eq!(rig.disk.changes(), changes + 2, "one write and one sync");
    assert_eq!(rig.journal.admission(), Admission::Failed);
    for _ in 0..3 {
        assert!(!rig.journal.write_once() && !rig.journal.keep_once(true));
    }
    assert_eq!(rig.disk.changes(), changes + 2, "nothing is tried again");
    let reports = rig.durable.reports();
    assert!(
        matches!(reports[..], [Ok(Ticket(1)), Err(StoreError::Io { action: "sync", .. })]),
        "{reports:?}"
    );
}

#[test]
fn a_failed_store_can_be_read_and_takes_nothing_more() {
    let rig = Rig::new();
    rig.keep([put(1, 1, "kept")]);
    rig.disk.refuse_sync_after(0);
    rig.commit([put(1, 2, "never durable")]);
    rig.journal.write_once();
    let pending = rig.journal.pending_bytes();
    assert_eq!(rig.commit([put(1, 3, "ignored")]), Ticket(3));
    assert_eq!(rig.journal.pending_bytes(), pending);
    assert_eq!(rig.numbers(1), [1]);
    assert!(matches!(rig.journal.close(), Err(StoreError::Io { action: "sync", .. })));
    let rig = rig.crashed();
    assert_eq!(rig.recovery.damage, [""; 0]);
    assert!(rig.numbers(1).contains(&1));
}

#[test]
fn a_failed_write_fails_the_store() {
    let rig = Rig::new();
    rig.disk.cut_power_after(0);
    rig.commit([put(1, 1, "torn")]);
    rig.journal.write_once();
    let reports = rig.durable.reports();
    assert!(matches!(reports[..], [Err(StoreError::Io { action: "write", .. })]), "{reports:?}");
}

#[test]
fn a_failure_of_the_keeper_fails_the_store_too() {
    let rig = Rig::new();
    rig.disk.refuse_sync_after(0);
    rig.journal.keep_once(false);
    assert_eq!(rig.journal.admission(), Admission::Failed);
    assert!(matches!(rig.durable.reports()[..], [Err(StoreError::Io { .. })]));
    rig.commit([put(1, 1, "ignored")]);
    assert!(!rig.journal.write_once());
}

/// A journal with its threads, and what it reports.
fn with_threads(disk: &FaultyDisk) -> (Journal, Durable) {
    let durable = Durable::default();
    let (journal, _) = Journal::open(Arc::new(disk.clone()), options(), durable.callback()).unwrap();
    (journal, durable)
}

fn wait_for_failure(durable: &Durable) -> StoreError {
    for _ in 0..3000 {
        if let Some(Err(error)) = durable.reports().into_iter().find(Result::is_err) {
            return error;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("the failure is not reported: {:?}", durable.reports());
}

/// Waits until the keeper has nothing to do.
fn settled(disk: &FaultyDisk) {
    let mut before = 0;
    while disk.changes() != before {
        before = disk.changes();
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_panic_of_the_writer_fails_the_store_and_nobody_hangs() {
    let disk = FaultyDisk::new(1);
    let (journal, durable) = with_threads(&disk);
    settled(&disk);
    disk.panic_at_sync_after(0);
    journal.commit(Batch { ops: vec![put(1, 1, "x")] }, Urgency::Now);
    let error = wait_for_failure(&durable);
    assert!(error.to_string().contains("the writer panicked: the disk was told to panic"), "{error}");
    assert_eq!(journal.admission(), Admission::Failed);
    journal.close().unwrap_err();
}

#[test]
fn a_callback_that_panics_fails_the_store_and_nobody_hangs() {
    let disk = FaultyDisk::new(1);
    let (journal, _) =
        Journal::open(Arc::new(disk.clone()), options(), Box::new(|_| panic!("a broken callback"))).unwrap();
    journal.commit(Batch { ops: vec![put(1, 1, "x")] }, Urgency::Now);
    while journal.admission() != Admission::Failed {
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(journal.close().unwrap_err().to_string().contains("a broken callback"));
}

#[test]
fn a_failed_sync_is_reported_by_the_threads_as_well() {
    let disk = FaultyDisk::new(1);
    let (journal, durable) = with_threads(&disk);
    settled(&disk);
    disk.refuse_sync_after(0);
    journal.commit(Batch { ops: vec![put(1, 1, "x")] }, Urgency::Now);
    assert!(matches!(wait_for_failure(&durable), StoreError::Io { action: "sync", .. }));
    drop(journal);
    assert_eq!(durable.reports().len(), 1, "once");
}

#[test]
fn a_store_that_is_dropped_without_closing_keeps_what_it_reported() {
    let disk = FaultyDisk::new(1);
    let (journal, durable) = with_threads(&disk);
    let ticket = journal.commit(Batch { ops: vec![put(1, 1, "x")] }, Urgency::Now);
    durable.wait(ticket);
    drop(journal);
    disk.crash();
    let rig = Rig::on(&disk, &options());
    assert_eq!(rig.journal.read(&[at(1, 1)]).unwrap().iter().flatten().count(), 1);
}

#[test]
fn under_load_from_many_threads_a_power_failure_costs_nothing_that_was_reported() {
    for seed in 0..15 {
        let disk = FaultyDisk::new(seed);
        let (journal, durable) = with_threads(&disk);
        disk.cut_power_after(20 + seed * 17);
        std::thread::scope(|scope| {
            for stream in 0..3 {
                let (journal, disk) = (&journal, &disk);
                scope.spawn(move || {
                    for seq in 0..2000 {
                        journal.commit(Batch { ops: vec![put(stream, seq, vec![3; 100])] }, Urgency::Now);
                        if disk.is_off() {
                            return;
                        }
                    }
                });
            }
        });
        let _ = journal.close();
        drop(journal);
        disk.crash();
        let reported = durable.newest().0;
        let rig = Rig::on(&disk, &options());
        assert_eq!(rig.recovery.damage, [""; 0], "seed {seed}");
        let found: u64 = (0..3)
            .map(|stream| {
                let numbers = rig.numbers(stream);
                assert!(
                    numbers.iter().copied().eq(0..numbers.len() as u64),
                    "seed {seed}: a gap in {numbers:?}"
                );
                numbers.len() as u64
            })
            .sum();
        assert!(found >= reported, "seed {seed}: {found} found of {reported} reported");
    }
}

/// A backlog whose older part is in closed segments, found again after a crash.
fn old_backlog() -> Rig {
    let rig = Rig::new();
    rig.put_each(1, 0..300, 1000);
    rig.settle();
    rig.crashed()
}

#[test]
fn a_disk_that_cannot_be_read_just_now_costs_nothing() {
    let rig = old_backlog();
    rig.disk.refuse_reads(true);
    let scan = Scan { stream: StreamId(1), from: 0, records: 10, bytes: 10_000 };
    assert!(matches!(rig.journal.scan(scan), Err(StoreError::Io { .. })));
    assert!(matches!(rig.journal.read(&[at(1, 5)]), Err(StoreError::Io { .. })));
    rig.journal.stream(StreamId(1)).unwrap();
    rig.disk.refuse_reads(false);
    assert_eq!(rig.numbers(1), (0..300).collect::<Vec<_>>());
    assert_eq!(rig.journal.take_faults(), [""; 0]);
}

#[test]
fn a_release_that_cannot_be_looked_up_fails_the_store_and_is_found_after_the_restart() {
    let rig = old_backlog();
    rig.disk.refuse_reads(true);
    rig.commit([release(1, 5), put(2, 1, "x")]);
    assert!(!rig.journal.write_once());
    assert_eq!(rig.journal.admission(), Admission::Failed);
    rig.disk.refuse_reads(false);
    let rig = rig.crashed();
    assert_eq!(rig.numbers(1), (0..300).filter(|seq| *seq != 5).collect::<Vec<_>>());
    assert_eq!(rig.numbers(2), [1]);
}

#[test]
fn a_store_that_cannot_be_read_is_not_opened_as_a_damaged_one() {
    let rig = old_backlog();
    drop(rig.journal);
    rig.disk.refuse_reads(true);
    assert!(matches!(Rig::open(&rig.disk, &options()), Err(StoreError::Io { .. })));
    rig.disk.refuse_reads(false);
    assert_eq!(Rig::on(&rig.disk, &options()).numbers(1).len(), 300);
}

#[test]
fn the_last_handle_may_be_let_go_in_the_callback() {
    let disk = FaultyDisk::new(1);
    let slot: Arc<Mutex<Option<Journal>>> = Arc::default();
    let (inside, (sender, receiver)) = (Arc::clone(&slot), mpsc::sync_channel(1));
    let on_durable = Box::new(move |_| {
        drop(inside.lock().take());
        sender.send(()).unwrap();
    });
    let (journal, _) = Journal::open(Arc::new(disk.clone()), options(), on_durable).unwrap();
    let mut held = slot.lock();
    journal.commit(Batch { ops: vec![put(1, 1, "x")] }, Urgency::Now);
    *held = Some(journal);
    drop(held);
    receiver.recv_timeout(Duration::from_secs(30)).unwrap();
}
