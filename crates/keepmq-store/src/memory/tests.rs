use super::*;
use crate::testing::conformance::{self, Durable, Opener, at, put};

/// Keeps the content of the store that was opened last.
#[derive(Default)]
struct InMemory {
    last: Mutex<Option<Arc<Memory>>>,
}

impl InMemory {
    fn hold(&self, memory: Memory) -> Arc<dyn Store> {
        let memory = Arc::new(memory);
        *self.last.lock() = Some(Arc::clone(&memory));
        memory
    }
}

impl Opener for InMemory {
    fn fresh(&self, on_durable: OnDurable) -> (Arc<dyn Store>, Recovery) {
        let (memory, recovery) = Memory::open(on_durable);
        (self.hold(memory), recovery)
    }

    fn again(&self, on_durable: OnDurable) -> (Arc<dyn Store>, Recovery) {
        let last = self.last.lock().take().expect("one was opened");
        let (memory, recovery) = last.crashed(on_durable);
        memory.run_by_itself();
        (self.hold(memory), recovery)
    }
}

#[test]
fn the_memory_engine_conforms() {
    conformance::run(&InMemory::default());
}

#[test]
fn a_manual_store_completes_what_it_is_told_to() {
    let durable = Durable::default();
    let (memory, _) = Memory::manual(durable.callback());
    for seq in 1..=3 {
        memory.commit(Batch { ops: vec![put(1, seq, "abc")] }, Urgency::Now);
    }
    assert_eq!(memory.stream(StreamId(1)), None, "nothing is seen before it is durable");
    assert!(memory.pending_bytes() > 9);
    assert_eq!(memory.complete(2), 2);
    assert_eq!(durable.newest(), Ticket(2));
    assert_eq!(memory.stream(StreamId(1)).unwrap().records, 2);
    assert_eq!((memory.complete(9), memory.complete(9)), (1, 0));
    assert_eq!(memory.pending_bytes(), 0);
}

#[test]
fn a_crash_loses_what_was_not_completed() {
    let (memory, _) = Memory::manual(Durable::default().callback());
    memory.commit(Batch { ops: vec![put(1, 1, "kept")] }, Urgency::Now);
    memory.complete(1);
    memory.commit(Batch { ops: vec![put(1, 2, "lost")] }, Urgency::Now);
    let (memory, recovery) = memory.crashed(Durable::default().callback());
    assert_eq!((recovery.epoch, recovery.streams[0].records), (2, 1));
    assert_eq!(memory.read(&[at(1, 1), at(1, 2)]).unwrap().iter().flatten().count(), 1);
}

#[test]
fn a_failed_store_says_so_once_and_takes_nothing() {
    let durable = Durable::default();
    let (memory, _) = Memory::manual(durable.callback());
    memory.commit(Batch::default(), Urgency::Now);
    memory.fail(StoreError::Full { used: 1, limit: 1 });
    memory.commit(Batch::default(), Urgency::Now);
    assert_eq!(memory.complete(9), 0);
    assert_eq!(memory.admission(), Admission::Failed);
    assert!(matches!(durable.reports()[..], [Err(StoreError::Full { .. })]));
}

#[test]
fn admission_can_be_set_for_a_test() {
    let (memory, _) = Memory::manual(Durable::default().callback());
    memory.set_admission(Admission::Full);
    assert_eq!(memory.admission(), Admission::Full);
}
