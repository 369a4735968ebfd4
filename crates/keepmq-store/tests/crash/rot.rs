//! Files that change by themselves: whatever happens to them, the store opens, invents nothing, and says what is gone.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use keepmq_store::disk::Disk;
use keepmq_store::testing::{Chance, FaultyDisk};
use keepmq_store::{
    Batch, Journal, MasterKey, Op, Options, Recovery, Scan, Store, StoreError, StreamId, Urgency,
};

use crate::model::Model;
use crate::number;
use crate::workload::{STREAMS, Workload};

fn options() -> Options {
    Options {
        segment_bytes: 32 << 10,
        checkpoint_bytes: 48 << 10,
        frame_bytes: 2000,
        ..Options::sealed(MasterKey::new([4; 32]))
    }
}

fn open(disk: &FaultyDisk) -> Result<(Journal, Recovery), StoreError> {
    Journal::open_manual(Arc::new(disk.clone()), &options(), Box::new(|_| ()))
}

/// As many stores as a run is to try.
fn seeds(ordinary: u64) -> std::ops::Range<u64> {
    let first = number("KEEPMQ_CRASH_SEED", 1);
    first..first + number("KEEPMQ_CRASH_HISTORIES", ordinary)
}

/// All that was ever put: content by stream and number.
type Ever = BTreeMap<(u64, u64), (u64, Bytes)>;

/// A store that was used for a while, and closed or not.
fn used(seed: u64, close: bool) -> (FaultyDisk, Model, Ever) {
    let disk = FaultyDisk::new(seed);
    let mut workload = Workload::new(seed);
    let (mut model, mut ever) = (Model::default(), Ever::new());
    let (journal, _) = open(&disk).unwrap();
    for _ in 0..60 + workload.chance.below(100) {
        let batch = workload.batch(&model);
        model.apply(&batch);
        remember(&batch, &mut ever);
        let ticket = journal.commit(batch, Urgency::Now);
        while journal.durable() < ticket {
            assert!(journal.write_once() || journal.keep_once(false));
        }
        journal.keep_once(workload.chance.one_in(4));
    }
    if close {
        journal.close().unwrap();
    }
    (disk, model, ever)
}

fn remember(batch: &Batch, ever: &mut Ever) {
    for op in &batch.ops {
        let Op::Put { targets, payload } = op else {
            continue;
        };
        let bytes: Bytes = [&payload.head[..], &payload.body[..]].concat().into();
        for target in targets {
            ever.insert((target.at.stream.0, target.at.seq), (target.meta, bytes.clone()));
        }
    }
}

/// Does something bad to a file; returns what, for a human. `removing`: a file may be taken away as well.
fn spoil(disk: &FaultyDisk, chance: &mut Chance, removing: bool) -> String {
    let names: Vec<String> = disk.list().unwrap().into_iter().filter(|name| name != "lock").collect();
    let name = &names[chance.index(names.len())];
    let len = disk.content(name).len();
    let (at, bit) = (chance.index(len), chance.below(8));
    match chance.below(8) {
        0 if removing => {
            disk.remove(name).unwrap();
            format!("{name} removed")
        }
        1 => {
            disk.damage(name, |bytes| bytes.truncate(at));
            format!("{name} cut at {at}")
        }
        2 => {
            let end = len.min(at + 700);
            disk.damage(name, |bytes| bytes[at..end].fill(0));
            format!("{name} zeroed from {at} to {end}")
        }
        _ => {
            disk.flip(name, at as u64, bit as u8);
            format!("{name} flipped at {at}")
        }
    }
}

/// What is found now, and whether anything was said to be wrong.
struct Found {
    records: BTreeMap<(u64, u64), (u64, Bytes)>,
    state: BTreeMap<Bytes, Bytes>,
    complaints: Vec<String>,
}

fn look(disk: &FaultyDisk, what: &str) -> Found {
    let (journal, recovery) = open(disk).unwrap_or_else(|error| panic!("{what}: it does not open: {error}"));
    let mut found = Found {
        records: BTreeMap::new(),
        state: recovery.state.into_iter().collect(),
        complaints: recovery.damage,
    };
    for stream in 0..STREAMS {
        let scan = Scan { stream: StreamId(stream), from: 0, records: usize::MAX, bytes: usize::MAX };
        let page = journal.scan(scan).unwrap();
        assert!(page.end);
        found.complaints.extend(page.lost.iter().map(|seq| format!("{seq} of stream {stream} is lost")));
        let records = page.records.into_iter();
        found.records.extend(records.map(|record| ((stream, record.seq), (record.meta, record.payload))));
        let left = journal.stream(StreamId(stream)).map_or(0, |info| info.records);
        let listed = found.records.range((stream, 0)..=(stream, u64::MAX)).count();
        assert_eq!(left, listed as u64, "{what}: stream {stream} does not add up");
    }
    found.complaints.extend(journal.take_faults());
    // It goes on working.
    let ticket =
        journal.commit(Batch { ops: vec![Op::Set { key: "on".into(), value: "on".into() }] }, Urgency::Now);
    while journal.durable() < ticket {
        assert!(journal.write_once() || journal.keep_once(false), "{what}: it does not go on");
    }
    journal.close().unwrap_or_else(|error| panic!("{what}: it does not close: {error}"));
    found
}

fn expected(model: &Model) -> BTreeMap<(u64, u64), (u64, Bytes)> {
    let streams = model.streams.iter();
    let records = streams
        .flat_map(|(stream, records)| records.iter().map(|(seq, record)| ((*stream, *seq), record.clone())));
    records.collect()
}

#[test]
fn whatever_rots_in_a_closed_store_nothing_is_invented_and_nothing_goes_without_a_word() {
    for seed in seeds(60) {
        let (disk, model, ever) = used(seed, true);
        let mut chance = Chance::new(seed);
        for attempt in 0..4 {
            let copy = disk.fork(attempt);
            let harms = 1 + chance.below(2);
            // Without its last checkpoint a closed store looks like one after a crash, whose log may end anywhere: then a
            // log that was cut short as well can't be told from one that was never longer.
            let what: Vec<String> = (0..harms).map(|_| spoil(&copy, &mut chance, harms == 1)).collect();
            let what = format!("seed {seed}: {}", what.join(", "));
            let found = look(&copy, &what);
            for (at, record) in &found.records {
                assert_eq!(ever.get(at), Some(record), "{what}: {at:?} was never put like that");
            }
            let same = found.records == expected(&model) && found.state == model.state;
            assert!(same || !found.complaints.is_empty(), "{what}: something is amiss and nobody said so");
        }
    }
}

#[test]
fn whatever_rots_in_a_store_after_a_crash_nothing_is_invented() {
    for seed in seeds(40) {
        let (disk, _, ever) = used(seed, false);
        let mut chance = Chance::new(seed);
        for attempt in 0..4 {
            let copy = disk.fork(attempt);
            copy.crash();
            let what = format!("seed {seed}: {}", spoil(&copy, &mut chance, true));
            let found = look(&copy, &what);
            for (at, record) in &found.records {
                assert_eq!(ever.get(at), Some(record), "{what}: {at:?} was never put like that");
            }
        }
    }
}

#[test]
fn the_tools_read_whatever_is_left_of_a_store() {
    for seed in seeds(30) {
        let (disk, _, _) = used(seed, true);
        let mut chance = Chance::new(seed);
        let what: Vec<String> = (0..3).map(|_| spoil(&disk, &mut chance, true)).collect();
        let (changes, key) = (disk.changes(), || Some(MasterKey::new([4; 32])));
        let report = keepmq_store::inspect::verify(Arc::new(disk.clone()), key());
        report.unwrap_or_else(|error| panic!("{what:?}: {error}"));
        keepmq_store::inspect::stat(Arc::new(disk.clone()), key())
            .unwrap_or_else(|error| panic!("{what:?}: {error}"));
        assert_eq!(disk.changes(), changes, "{what:?}");
    }
}
