//! Stores that earlier versions wrote can still be opened.
//!
//! `closed-1` and `crashed-1` were written by the first version of the format: one was closed in order, the other lost
//! its process. To add those of a new version, run this test with `KEEPMQ_WRITE_FORMAT=DIRECTORY`; it writes them there,
//! from the same history, and `expect` says what is in them.
#![allow(clippy::unwrap_used, clippy::expect_used)] // A test fails by panicking.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use keepmq_store::disk::FsDisk;
use keepmq_store::testing::conformance::Durable;
use keepmq_store::{
    Batch, Journal, Locator, MasterKey, Op, Options, Payload, Recovery, Scan, Store, StreamId, Target,
    Urgency, inspect,
};

fn key() -> MasterKey {
    let mut key = [0; 32];
    (1..).zip(&mut key).for_each(|(n, byte)| *byte = n);
    MasterKey::new(key)
}

fn open(directory: &Path) -> (Journal, Recovery) {
    let options = Options {
        segment_bytes: 32 << 10,
        checkpoint_bytes: 40 << 10,
        frame_bytes: 2000,
        ..Options::sealed(key())
    };
    let disk = Arc::new(FsDisk::open(directory).unwrap());
    Journal::open_manual(disk, &options, Durable::default().callback()).unwrap()
}

fn body(seq: u64) -> Bytes {
    vec![u8::try_from(seq % 251).unwrap(); 20 + usize::try_from(seq * 7 % 600).unwrap()].into()
}

fn put(targets: &[(u64, u64)], seq: u64) -> Op {
    let target = |(stream, seq): &(u64, u64)| Target {
        at: Locator { stream: StreamId(*stream), seq: *seq },
        meta: 1_700_000_000_000 + seq,
    };
    let payload = Payload { head: Bytes::from_static(b"head "), body: body(seq) };
    Op::Put { targets: targets.iter().map(target).collect(), payload }
}

/// The history that all fixtures come from.
fn live(journal: &Journal) {
    let commit = |ops: Vec<Op>| {
        let ticket = journal.commit(Batch { ops }, Urgency::Now);
        while journal.durable() < ticket {
            assert!(journal.write_once() || journal.keep_once(false));
        }
    };
    commit(vec![
        Op::Set { key: "name".into(), value: "first".into() },
        Op::Set { key: "gone".into(), value: "x".into() },
    ]);
    for seq in 0..100 {
        commit(vec![put(&[(seq % 2, seq)], seq)]);
    }
    commit((0..8).map(|step| put(&[(u64::MAX, step), (7, step)], step)).collect());
    commit(
        (0..100)
            .filter(|seq| seq % 10 != 3)
            .map(|seq| Op::Release(Locator { stream: StreamId(seq % 2), seq }))
            .collect(),
    );
    commit(vec![Op::Truncate { stream: StreamId(7), from: 0, through: 5 }, Op::Unset { key: "gone".into() }]);
    commit(vec![Op::Set { key: "name".into(), value: "second".into() }]);
    while journal.keep_once(true) || journal.write_once() {}
    commit(vec![put(&[(3, 1)], 1)]);
}

/// What all of them hold.
fn expect(journal: &Journal, recovery: &Recovery) {
    assert_eq!(recovery.damage, [""; 0]);
    assert_eq!(recovery.state, [("name".into(), "second".into())]);
    let found = |stream| {
        let scan = Scan { stream: StreamId(stream), from: 0, records: 100, bytes: usize::MAX };
        let page = journal.scan(scan).unwrap();
        assert_eq!(page.lost, [0; 0]);
        for record in &page.records {
            assert_eq!(record.payload, [&b"head "[..], &body(record.seq)].concat());
            assert_eq!(record.meta, 1_700_000_000_000 + record.seq);
        }
        page.records.iter().map(|record| record.seq).collect::<Vec<_>>()
    };
    assert_eq!(found(0), [0; 0]);
    assert_eq!(found(1), [3, 13, 23, 33, 43, 53, 63, 73, 83, 93]);
    assert_eq!(found(7), [6, 7]);
    assert_eq!(found(u64::MAX), (0..8).collect::<Vec<_>>());
    assert_eq!(found(3), [1]);
}

fn fixtures() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/format");
    let entries = std::fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path());
    let mut fixtures: Vec<PathBuf> = entries.filter(|path| path.is_dir()).collect();
    fixtures.sort();
    fixtures
}

/// A copy that may be written to.
fn copy_of(fixture: &Path) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(fixture).unwrap() {
        let path = entry.unwrap().path();
        std::fs::copy(&path, copy.path().join(path.file_name().unwrap())).unwrap();
    }
    copy
}

#[test]
#[allow(clippy::disallowed_methods)] // Whether to write fixtures is for whoever starts the test to say.
fn stores_of_all_versions_are_opened_with_all_that_is_in_them() {
    if let Ok(directory) = std::env::var("KEEPMQ_WRITE_FORMAT") {
        let root = Path::new(&directory);
        let (closed, crashed) = (open(&root.join("closed")).0, open(&root.join("crashed")).0);
        live(&closed);
        closed.close().unwrap();
        live(&crashed);
    }
    let fixtures = fixtures();
    assert!(fixtures.len() >= 2);
    for fixture in fixtures {
        let copy = copy_of(&fixture);
        let disk = || Arc::new(FsDisk::open_existing(copy.path()).unwrap());
        let report = inspect::verify(disk(), Some(key())).unwrap();
        assert!(report.faults.is_empty() && report.losses.is_empty(), "{}: {report:?}", fixture.display());
        let (journal, recovery) = open(copy.path());
        expect(&journal, &recovery);
        journal.close().unwrap();
        drop(journal);
        let (journal, recovery) = open(copy.path());
        expect(&journal, &recovery);
        drop(journal);
    }
}
