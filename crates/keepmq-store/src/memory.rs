//! The engine that forgets everything at the end of the process: for tests, and the one to copy.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::thread::JoinHandle;

use bytes::Bytes;
use parking_lot::{Condvar, Mutex};

use crate::api::{
    Admission, Batch, Locator, Meta, OnDurable, Op, Page, Payload, Recovery, Scan, Seq, Store, StoreError,
    Stored, StreamId, StreamInfo, Ticket, Urgency, Usage,
};

/// Keeps everything in memory. Batches are completed by a thread of its own as they come, or, after
/// [`Memory::manual`], when [`Memory::complete`] says so.
pub struct Memory {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

struct Shared {
    inner: Mutex<Inner>,
    /// Rung when there is something to complete.
    bell: Condvar,
    on_durable: OnDurable,
}

struct Inner {
    content: Content,
    waiting: VecDeque<Batch>,
    pending_bytes: u64,
    next: u64,
    durable: u64,
    admission: Admission,
    closed: bool,
}

#[derive(Clone, Default)]
struct Content {
    epoch: u64,
    streams: BTreeMap<StreamId, Stream>,
    state: BTreeMap<Bytes, Bytes>,
}

#[derive(Clone, Default)]
struct Stream {
    records: BTreeMap<Seq, (Meta, Bytes)>,
    bytes: u64,
}

impl Memory {
    /// An empty store that completes batches by itself.
    pub fn open(on_durable: OnDurable) -> (Self, Recovery) {
        let (memory, recovery) = Self::manual(on_durable);
        memory.run_by_itself();
        (memory, recovery)
    }

    fn run_by_itself(&self) {
        let shared = Arc::clone(&self.shared);
        let thread = std::thread::Builder::new().name("keepmq-memory".into());
        *self.thread.lock() = thread.spawn(move || shared.run()).ok();
    }

    /// An empty store that completes batches only when told: for tests that own the order of events.
    pub fn manual(on_durable: OnDurable) -> (Self, Recovery) {
        Self::with(Content::default(), on_durable)
    }

    /// The store as it would be found after a crash now: what is durable, and nothing else. Completes when told.
    pub fn crashed(&self, on_durable: OnDurable) -> (Self, Recovery) {
        let content = self.shared.inner.lock().content.clone();
        Self::with(content, on_durable)
    }

    fn with(mut content: Content, on_durable: OnDurable) -> (Self, Recovery) {
        content.epoch += 1;
        let recovery = content.recovery();
        let inner = Inner {
            content,
            waiting: VecDeque::new(),
            pending_bytes: 0,
            next: 1,
            durable: 0,
            admission: Admission::Open,
            closed: false,
        };
        let shared = Arc::new(Shared { inner: Mutex::new(inner), bell: Condvar::new(), on_durable });
        (Self { shared, thread: Mutex::new(None) }, recovery)
    }

    /// Completes at most so many waiting batches, the oldest first, on this thread; returns how many.
    pub fn complete(&self, batches: usize) -> usize {
        let (done, ticket) = self.shared.inner.lock().complete(batches);
        if done > 0 {
            (self.shared.on_durable)(Ok(ticket));
        }
        done
    }

    /// What [`Store::admission`] answers from now on.
    pub fn set_admission(&self, admission: Admission) {
        self.shared.inner.lock().admission = admission;
    }

    /// Fails as after a refused write: what waits is lost, nothing is taken any more.
    pub fn fail(&self, error: StoreError) {
        {
            let mut inner = self.shared.inner.lock();
            inner.waiting.clear();
            inner.admission = Admission::Failed;
            inner.closed = true;
        }
        (self.shared.on_durable)(Err(error));
    }
}

impl Shared {
    fn run(&self) {
        loop {
            let (done, ticket) = {
                let mut inner = self.inner.lock();
                while inner.waiting.is_empty() && !inner.closed {
                    self.bell.wait(&mut inner);
                }
                inner.complete(usize::MAX)
            };
            if done == 0 {
                return;
            }
            (self.on_durable)(Ok(ticket));
        }
    }
}

impl Inner {
    fn complete(&mut self, batches: usize) -> (usize, Ticket) {
        let done = batches.min(self.waiting.len());
        for batch in self.waiting.drain(..done) {
            self.pending_bytes -= batch.size();
            self.content.apply(batch);
        }
        self.durable += done as u64;
        (done, Ticket(self.durable))
    }
}

impl Content {
    fn apply(&mut self, batch: Batch) {
        for op in batch.ops {
            match op {
                Op::Put { targets, payload } => {
                    let payload = joined(&payload);
                    for target in targets {
                        self.release(target.at);
                        self.put(target.at, target.meta, payload.clone());
                    }
                }
                Op::Release(at) => self.release(at),
                Op::Truncate { stream, from, through } => self.truncate(stream, from, through),
                Op::Set { key, value } => {
                    self.state.insert(key, value);
                }
                Op::Unset { key } => {
                    self.state.remove(&key);
                }
            }
        }
    }

    fn put(&mut self, at: Locator, meta: Meta, payload: Bytes) {
        let stream = self.streams.entry(at.stream).or_default();
        stream.bytes += payload.len() as u64;
        stream.records.insert(at.seq, (meta, payload));
    }

    fn release(&mut self, at: Locator) {
        let Some(stream) = self.streams.get_mut(&at.stream) else {
            return;
        };
        if let Some((_, payload)) = stream.records.remove(&at.seq) {
            stream.bytes -= payload.len() as u64;
        }
        if stream.records.is_empty() {
            self.streams.remove(&at.stream);
        }
    }

    fn truncate(&mut self, id: StreamId, from: Seq, through: Seq) {
        let Some(stream) = self.streams.get_mut(&id).filter(|_| from <= through) else {
            return;
        };
        let gone: Vec<Seq> = stream.records.range(from..=through).map(|(seq, _)| *seq).collect();
        for seq in gone {
            self.release(Locator { stream: id, seq });
        }
    }

    fn get(&self, at: Locator) -> Option<Stored> {
        let (meta, payload) = self.streams.get(&at.stream)?.records.get(&at.seq)?;
        Some(Stored { seq: at.seq, meta: *meta, payload: payload.clone() })
    }

    fn scan(&self, scan: Scan) -> Page {
        let mut page = Page { end: true, ..Page::default() };
        let Some(stream) = self.streams.get(&scan.stream) else {
            return page;
        };
        let mut bytes = 0;
        for (seq, (meta, payload)) in stream.records.range(scan.from..) {
            if page.records.len() >= scan.records || (!page.records.is_empty() && bytes >= scan.bytes) {
                page.end = false;
                break;
            }
            bytes += payload.len();
            page.records.push(Stored { seq: *seq, meta: *meta, payload: payload.clone() });
        }
        page
    }

    fn info(&self, id: StreamId) -> Option<StreamInfo> {
        let stream = self.streams.get(&id)?;
        let (first, last) = (stream.records.first_key_value()?.0, stream.records.last_key_value()?.0);
        let records = stream.records.len() as u64;
        Some(StreamInfo { id, records, bytes: stream.bytes, first: *first, last: *last })
    }

    fn recovery(&self) -> Recovery {
        Recovery {
            state: self.state.iter().map(|(key, value)| (key.clone(), value.clone())).collect(),
            streams: self.streams.keys().filter_map(|id| self.info(*id)).collect(),
            epoch: self.epoch,
            damage: Vec::new(),
        }
    }
}

fn joined(Payload { head, body }: &Payload) -> Bytes {
    match (head.is_empty(), body.is_empty()) {
        (true, _) => body.clone(),
        (_, true) => head.clone(),
        _ => [&head[..], &body[..]].concat().into(),
    }
}

impl Store for Memory {
    fn commit(&self, batch: Batch, _urgency: Urgency) -> Ticket {
        let mut inner = self.shared.inner.lock();
        let ticket = Ticket(inner.next);
        inner.next += 1;
        if !inner.closed {
            inner.pending_bytes += batch.size();
            inner.waiting.push_back(batch);
            self.shared.bell.notify_one();
        }
        ticket
    }

    fn durable(&self) -> Ticket {
        Ticket(self.shared.inner.lock().durable)
    }

    fn admission(&self) -> Admission {
        self.shared.inner.lock().admission
    }

    fn pending_bytes(&self) -> u64 {
        self.shared.inner.lock().pending_bytes
    }

    fn read(&self, at: &[Locator]) -> Result<Vec<Option<Stored>>, StoreError> {
        let inner = self.shared.inner.lock();
        Ok(at.iter().map(|at| inner.content.get(*at)).collect())
    }

    fn scan(&self, scan: Scan) -> Result<Page, StoreError> {
        Ok(self.shared.inner.lock().content.scan(scan))
    }

    fn stream(&self, id: StreamId) -> Option<StreamInfo> {
        self.shared.inner.lock().content.info(id)
    }

    fn usage(&self) -> Usage {
        let inner = self.shared.inner.lock();
        let streams = || inner.content.streams.values();
        let live_bytes = streams().map(|stream| stream.bytes).sum();
        Usage {
            records: streams().map(|stream| stream.records.len() as u64).sum(),
            live_bytes,
            disk_bytes: 0,
            pending_bytes: inner.pending_bytes,
            limit_bytes: u64::MAX,
        }
    }

    fn close(&self) -> Result<(), StoreError> {
        let thread = self.thread.lock().take();
        self.shared.inner.lock().closed = true;
        self.shared.bell.notify_one();
        match thread {
            Some(thread) => drop(thread.join()),
            None => drop(self.complete(usize::MAX)),
        }
        Ok(())
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        self.shared.inner.lock().closed = true;
        self.shared.bell.notify_one();
        if let Some(thread) = self.thread.lock().take() {
            drop(thread.join());
        }
    }
}

#[cfg(test)]
mod tests;
