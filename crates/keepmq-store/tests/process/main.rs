//! The journal in a process of its own, on a real disk: it is killed, and used by many threads at once.
#![allow(clippy::unwrap_used, clippy::expect_used)] // A test fails by panicking.
#![allow(clippy::print_stdout)] // The child tells its parent how far it came.
#![allow(clippy::disallowed_methods)] // Its orders come through the environment.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use keepmq_store::disk::FsDisk;
use keepmq_store::testing::Chance;
use keepmq_store::testing::conformance::Durable;
use keepmq_store::{
    Batch, Journal, Locator, MasterKey, OnDurable, Op, Options, Payload, Recovery, Scan, Store, StreamId,
    Target, Urgency,
};

const DIRECTORY: &str = "KEEPMQ_TEST_CHILD_DIRECTORY";

fn open(directory: &Path, on_durable: OnDurable) -> (Journal, Recovery) {
    let options = Options {
        segment_bytes: 256 << 10,
        checkpoint_bytes: 512 << 10,
        ..Options::sealed(MasterKey::new([8; 32]))
    };
    Journal::open(Arc::new(FsDisk::open(directory).unwrap()), options, on_durable).unwrap()
}

fn body(seq: u64) -> Bytes {
    Chance::new(seq).bytes(usize::try_from(seq * 37 % 700).unwrap()).into()
}

fn put(stream: u64, seq: u64) -> Op {
    let at = Locator { stream: StreamId(stream), seq };
    let payload = Payload { head: Bytes::new(), body: body(seq) };
    Op::Put { targets: [Target { at, meta: seq }].into(), payload }
}

fn release(stream: u64, seq: u64) -> Op {
    Op::Release(Locator { stream: StreamId(stream), seq })
}

/// Run by the test below in another process: puts and releases, and prints each ticket that is durable.
#[test]
fn child() {
    let Ok(directory) = std::env::var(DIRECTORY) else {
        return;
    };
    let on_durable: OnDurable = Box::new(|report| println!("durable {}", report.unwrap().0));
    let (journal, recovery) = open(Path::new(&directory), on_durable);
    let next = recovery.streams.iter().map(|stream| stream.last + 1).max().unwrap_or(1000);
    println!("next {next}");
    for seq in next.. {
        // Of each record, one that is 800 older goes.
        journal.commit(Batch { ops: vec![put(1, seq), release(1, seq - 800)] }, Urgency::Now);
        while journal.pending_bytes() > 50_000 {
            std::thread::yield_now();
        }
    }
}

/// Starts the child, kills it after so many reports, and returns the numbers that are surely there.
fn run_child(directory: &Path, reports: usize) -> u64 {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child", "--nocapture", "--test-threads=1"])
        .env(DIRECTORY, directory)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let number =
        |line: &str, word: &str| line.split_once(word).and_then(|(_, rest)| rest.trim().parse::<u64>().ok());
    let next = lines.find_map(|line| number(&line.unwrap(), "next ")).expect("the child begins");
    let durable = lines.by_ref().filter_map(|line| number(&line.unwrap(), "durable ")).nth(reports);
    child.kill().unwrap();
    child.wait().unwrap();
    // What it said before it died counts as well.
    let last = lines.map_while(Result::ok).filter_map(|line| number(&line, "durable ")).last();
    next + last.or(durable).expect("the child came so far") - 1
}

#[test]
fn what_a_killed_process_had_reported_is_found_by_the_next() {
    let directory = tempfile::tempdir().unwrap();
    for round in 0..8 {
        let surely = run_child(directory.path(), 30 + round * 25);
        let (journal, recovery) = open(directory.path(), Durable::default().callback());
        assert_eq!(recovery.damage, [""; 0], "round {round}");
        let info = journal.stream(StreamId(1)).unwrap();
        assert!(info.last >= surely, "round {round}: {} found, {surely} reported", info.last);
        let first = 1000.max(info.last + 1 - 800);
        assert_eq!((info.first, info.records), (first, info.last + 1 - first), "round {round}");
        let scan = Scan { stream: StreamId(1), from: 0, records: usize::MAX, bytes: usize::MAX };
        let page = journal.scan(scan).unwrap();
        assert!(page.records.iter().map(|record| record.seq).eq(first..=info.last), "round {round}");
        assert!(page.records.iter().all(|record| record.payload == body(record.seq)), "round {round}");
        if round % 2 == 0 {
            journal.close().unwrap();
        }
    }
}

#[test]
fn writers_readers_and_the_keeper_do_not_get_in_each_others_way() {
    const RECORDS: u64 = 6000;
    let directory = tempfile::tempdir().unwrap();
    let durable = Durable::default();
    let (journal, _) = open(directory.path(), durable.callback());
    let (journal, over) = (&journal, &AtomicBool::new(false));
    let scanned = &AtomicU64::new(0);
    std::thread::scope(|scope| {
        for stream in 0..2 {
            let durable = &durable;
            scope.spawn(move || {
                for seq in 0..RECORDS {
                    let mut ops = vec![put(stream, seq)];
                    // One in fifty stays.
                    ops.extend(
                        seq.checked_sub(100).filter(|old| old % 50 != 0).map(|old| release(stream, old)),
                    );
                    let ticket = journal.commit(Batch { ops }, Urgency::Now);
                    if seq % 40 == 39 {
                        durable.wait(ticket);
                    }
                }
            });
        }
        let reader = scope.spawn(move || {
            while !over.load(Ordering::Relaxed) {
                for stream in 0..2 {
                    let scan = Scan { stream: StreamId(stream), from: 0, records: 300, bytes: 1 << 20 };
                    let page = journal.scan(scan).unwrap();
                    assert_eq!(page.lost, [0; 0]);
                    assert!(page.records.iter().all(|record| record.payload == body(record.seq)));
                    assert!(page.records.is_sorted_by(|one, two| one.seq < two.seq));
                    scanned.fetch_add(page.records.len() as u64, Ordering::Relaxed);
                    let _ = journal.stream(StreamId(stream));
                }
            }
        });
        durable.wait(keepmq_store::Ticket(2 * RECORDS));
        // Long enough for dead segments to go and others to be emptied while the reader reads.
        for _ in 0..400 {
            if journal.activity().reclaimed_segments > 3 && journal.activity().moved_records > 0 {
                break;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        over.store(true, Ordering::Relaxed);
        reader.join().unwrap();
    });
    assert!(scanned.load(Ordering::Relaxed) > 1000);
    assert_eq!(journal.take_faults(), [""; 0]);
    let left = RECORDS - 100..RECORDS;
    for stream in 0..2 {
        let scan = Scan { stream: StreamId(stream), from: 0, records: usize::MAX, bytes: usize::MAX };
        let found = journal.scan(scan).unwrap().records.into_iter().map(|record| record.seq);
        assert!(found.eq((0..RECORDS - 100).filter(|seq| seq % 50 == 0).chain(left.clone())));
    }
    journal.close().unwrap();
}
