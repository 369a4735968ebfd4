//! The two engines say the same about the same batches.

use std::collections::BTreeMap;
use std::sync::Arc;

use keepmq_store::testing::FaultyDisk;
use keepmq_store::{Journal, MasterKey, Memory, Options, Recovery, Scan, Store, StreamId, Urgency};

use crate::model::Model;
use crate::workload::{STREAMS, Workload};

fn options() -> Options {
    Options {
        segment_bytes: 32 << 10,
        checkpoint_bytes: 48 << 10,
        ..Options::sealed(MasterKey::new([4; 32]))
    }
}

fn content(store: &dyn Store, recovery: Option<&Recovery>, page: usize) -> Model {
    let state = recovery.map_or_else(BTreeMap::new, |recovery| recovery.state.iter().cloned().collect());
    Model::of(store, STREAMS, state, page)
}

#[test]
fn memory_and_journal_hold_the_same_at_every_step_and_after_a_crash() {
    for seed in 0..40 {
        let disk = FaultyDisk::new(seed);
        let (mut journal, _) =
            Journal::open_manual(Arc::new(disk.clone()), &options(), Box::new(|_| ())).unwrap();
        let (mut memory, _) = Memory::manual(Box::new(|_| ()));
        let (mut workload, mut model) = (Workload::new(seed), Model::default());
        for life in 0..3 {
            for _ in 0..40 {
                let batch = workload.batch(&model);
                model.apply(&batch);
                let (one, two) =
                    (journal.commit(batch.clone(), Urgency::Now), memory.commit(batch, Urgency::Now));
                assert_eq!(one, two);
                while journal.durable() < one {
                    assert!(journal.write_once() || journal.keep_once(false));
                }
                assert_eq!(memory.complete(1), 1);
                journal.keep_once(workload.chance.one_in(3));
            }
            let page = 1 + workload.chance.index(30);
            assert!(
                content(&journal, None, page) == content(&memory, None, page),
                "seed {seed}, life {life}"
            );
            for stream in (0..STREAMS).map(StreamId) {
                assert_eq!(journal.stream(stream), memory.stream(stream), "seed {seed}, life {life}");
                let scan = Scan { stream, from: workload.chance.below(100), records: 7, bytes: 900 };
                assert_eq!(
                    journal.scan(scan).unwrap(),
                    memory.scan(scan).unwrap(),
                    "seed {seed}, life {life}"
                );
            }
            let (one, two) = (journal.usage(), memory.usage());
            assert_eq!((one.records, one.live_bytes), (two.records, two.live_bytes));
            drop(journal);
            disk.crash();
            let opened = Journal::open_manual(Arc::new(disk.clone()), &options(), Box::new(|_| ())).unwrap();
            let crashed = memory.crashed(Box::new(|_| ()));
            assert_eq!(opened.1.state, crashed.1.state);
            assert_eq!(opened.1.streams, crashed.1.streams);
            assert_eq!(opened.1.epoch, crashed.1.epoch);
            (journal, memory) = (opened.0, crashed.0);
        }
    }
}
