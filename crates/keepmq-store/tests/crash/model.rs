//! What a store should hold, kept in the simplest way.

use std::collections::BTreeMap;

use bytes::Bytes;
use keepmq_store::{Batch, Op, Recovery, Scan, Seq, Store, StreamId};

/// Records by stream and number, and keyed values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Model {
    pub(crate) streams: BTreeMap<u64, BTreeMap<Seq, (u64, Bytes)>>,
    pub(crate) state: BTreeMap<Bytes, Bytes>,
}

impl Model {
    pub(crate) fn apply(&mut self, batch: &Batch) {
        for op in &batch.ops {
            self.apply_op(op);
        }
        self.streams.retain(|_, records| !records.is_empty());
    }

    fn apply_op(&mut self, op: &Op) {
        match op {
            Op::Put { targets, payload } => {
                let bytes: Bytes = [&payload.head[..], &payload.body[..]].concat().into();
                for target in targets {
                    let stream = self.streams.entry(target.at.stream.0).or_default();
                    stream.insert(target.at.seq, (target.meta, bytes.clone()));
                }
            }
            Op::Release(at) => {
                self.streams.get_mut(&at.stream.0).and_then(|stream| stream.remove(&at.seq));
            }
            Op::Truncate { stream, from, through } => {
                if let Some(stream) = self.streams.get_mut(&stream.0) {
                    stream.retain(|seq, _| !(from..=through).contains(&seq));
                }
            }
            Op::Set { key, value } => {
                self.state.insert(key.clone(), value.clone());
            }
            Op::Unset { key } => {
                self.state.remove(key);
            }
        }
    }

    /// What a store holds, read page by page.
    pub(crate) fn of(store: &dyn Store, streams: u64, state: BTreeMap<Bytes, Bytes>, page: usize) -> Self {
        let mut model = Self { state, ..Self::default() };
        for stream in 0..streams {
            let records = read_stream(store, stream, page);
            if !records.is_empty() {
                model.streams.insert(stream, records);
            }
        }
        model
    }

    /// Checks what the store says of itself without being read.
    pub(crate) fn check_sums(&self, store: &dyn Store, recovery: Option<&Recovery>) {
        let mut infos = Vec::new();
        for (id, records) in &self.streams {
            let info = store.stream(StreamId(*id)).unwrap_or_else(|| panic!("stream {id} is not known"));
            let bytes: usize = records.values().map(|(_, payload)| payload.len()).sum();
            assert_eq!(info.records, records.len() as u64, "records of stream {id}");
            assert_eq!(info.bytes, bytes as u64, "bytes of stream {id}");
            assert_eq!(Some(&info.first), records.keys().next(), "first of stream {id}");
            assert_eq!(Some(&info.last), records.keys().next_back(), "last of stream {id}");
            infos.push(info);
        }
        let usage = store.usage();
        assert_eq!(usage.records, infos.iter().map(|info| info.records).sum::<u64>());
        assert_eq!(usage.live_bytes, infos.iter().map(|info| info.bytes).sum::<u64>());
        if let Some(recovery) = recovery {
            assert_eq!(recovery.streams, infos);
        }
    }
}

fn read_stream(store: &dyn Store, stream: u64, page: usize) -> BTreeMap<Seq, (u64, Bytes)> {
    let mut records = BTreeMap::new();
    let mut from = 0;
    loop {
        let scan = Scan { stream: StreamId(stream), from, records: page, bytes: page * 2000 };
        let page = store.scan(scan).expect("a healthy store can be read");
        assert_eq!(page.lost, [0; 0], "stream {stream} has lost records");
        for record in &page.records {
            assert!(record.seq >= from, "stream {stream}: {} comes after {from}", record.seq);
            from = record.seq + 1;
            records.insert(record.seq, (record.meta, record.payload.clone()));
        }
        if page.end {
            return records;
        }
        assert!(!page.records.is_empty(), "stream {stream}: a page without records that is not the end");
    }
}
