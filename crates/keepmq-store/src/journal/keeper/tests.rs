use super::super::fixture::{KEY, at, batch, put};
use super::super::open;
use super::super::seal::MasterKey;
use super::super::writer::Writer;
use super::*;
use crate::api::{Admission, Op, Recovery, Seq, Urgency};
use crate::disk::Disk;
use crate::testing::FaultyDisk;

const SEGMENT: u64 = 64 << 10;

/// The parts of a journal, driven one by one.
struct Works {
    disk: FaultyDisk,
    shared: Arc<Shared>,
    writer: Writer,
    keeper: Keeper,
    recovery: Recovery,
    _held: Arc<dyn DiskFile>,
}

fn options() -> Options {
    Options { segment_bytes: SEGMENT, checkpoint_bytes: 1 << 40, ..Options::sealed(MasterKey::new(KEY)) }
}

impl Works {
    fn open(disk: &FaultyDisk, options: &Options) -> Self {
        let opened = open::open(Arc::new(disk.clone()), options, Box::new(|_| ())).unwrap();
        Self {
            disk: disk.clone(),
            shared: opened.shared,
            writer: opened.writer,
            keeper: opened.keeper,
            recovery: opened.recovery,
            _held: opened.held,
        }
    }

    fn new() -> Self {
        Self::open(&FaultyDisk::new(1), &options())
    }

    fn commit(&mut self, ops: impl IntoIterator<Item = Op>) {
        self.shared.queue.push(batch(ops), Urgency::Now);
        while self.writer.step().unwrap() == Progress::Worked {}
    }

    /// Puts records of a kilobyte until so many segments are closed.
    fn close_segments(&mut self, count: usize) -> Seq {
        let mut seq = 0;
        while self.shared.index.lock().closed().count() < count {
            if self.shared.ready.lock().is_none() {
                self.keeper.reserve().unwrap();
            }
            self.commit([put(1, seq, vec![1; 1000])]);
            seq += 1;
        }
        seq
    }

    fn names(&self, prefix: &str) -> Vec<String> {
        self.disk.list().unwrap().into_iter().filter(|name| name.starts_with(prefix)).collect()
    }
}

#[test]
fn a_segment_and_a_spare_are_made_ready_and_no_more() {
    let mut works = Works::new();
    assert_eq!(works.keeper.reserve().unwrap(), Progress::Worked);
    assert_eq!(works.keeper.reserve().unwrap(), Progress::Idle);
    assert_eq!(works.keeper.reserve_spare().unwrap(), Progress::Worked);
    assert_eq!(works.keeper.reserve_spare().unwrap(), Progress::Idle);
    assert_eq!((works.names("segment-").len(), works.names("spare-").len()), (2, 1));
    assert_eq!(works.shared.space.disk(), works.disk.used());
    let spare = works.disk.content(&works.names("spare-")[0]);
    assert!(spare.len() as u64 == SEGMENT && spare.iter().all(|byte| *byte == 0));
}

#[test]
fn a_demand_for_a_longer_segment_replaces_the_one_that_is_ready() {
    let mut works = Works::new();
    works.keeper.reserve().unwrap();
    works.shared.demand.store(3 * SEGMENT + 1, Ordering::Relaxed);
    works.keeper.reserve().unwrap();
    let capacity = works.shared.ready.lock().as_ref().map(|ready| u64::from(ready.capacity)).unwrap();
    assert!(capacity > 3 * SEGMENT && capacity.is_multiple_of(4096));
    assert_eq!(works.names("spare-").len(), 1, "the other is kept as a spare");
    assert_eq!(works.shared.space.disk(), works.disk.used());
}

#[test]
fn numbers_of_files_are_never_used_twice() {
    let mut works = Works::new();
    works.close_segments(3);
    let used: Vec<String> = works.names("segment-");
    let disk = works.disk.clone();
    drop(works);
    let works = Works::open(&disk, &options());
    let new: Vec<String> = works.names("segment-").into_iter().filter(|name| !used.contains(name)).collect();
    assert!(new.iter().all(|name| *name > used[used.len() - 1]), "{used:?} {new:?}");
}

#[test]
fn tables_are_put_on_disk_and_let_go_from_memory() {
    let mut works = Works::new();
    works.close_segments(2);
    assert_eq!(works.keeper.put_table().unwrap(), Progress::Worked);
    assert_eq!(works.keeper.put_table().unwrap(), Progress::Worked);
    assert_eq!(works.keeper.put_table().unwrap(), Progress::Idle);
    assert!(works.shared.index.lock().closed().all(|closed| matches!(closed.table, Table::File(_))));
    assert_eq!(works.names("segment-").iter().filter(|name| name.ends_with("idx")).count(), 2);
    assert_eq!(works.names("unfinished-").len(), 0);
    assert_eq!(works.shared.space.disk(), works.disk.used());
}

#[test]
fn a_dead_segment_needs_no_table() {
    let mut works = Works::new();
    let records = works.close_segments(1);
    works.commit((0..records).map(|seq| Op::Release(at(1, seq))));
    assert_eq!(works.keeper.put_table().unwrap(), Progress::Worked);
    assert_eq!(works.names("segment-").iter().filter(|name| name.ends_with("idx")).count(), 0);
    assert_eq!(works.keeper.put_table().unwrap(), Progress::Idle);
}

#[test]
fn a_checkpoint_is_due_when_the_log_has_grown() {
    let options = Options { checkpoint_bytes: 20_000, ..options() };
    let mut works = Works::open(&FaultyDisk::new(1), &options);
    assert_eq!(works.keeper.checkpoint_if_due().unwrap(), Progress::Idle);
    for seq in 0..30 {
        works.commit([put(1, seq, vec![1; 1000])]);
    }
    assert_eq!(works.keeper.checkpoint_if_due().unwrap(), Progress::Worked);
    assert_eq!(works.keeper.checkpoint_if_due().unwrap(), Progress::Idle);
}

#[test]
fn large_checkpoints_are_written_less_often() {
    let options = Options { checkpoint_bytes: 10_000, ..options() };
    let mut works = Works::open(&FaultyDisk::new(1), &options);
    let values = (0..30).map(|n| Op::Set { key: format!("{n}").into(), value: vec![1; 1000].into() });
    works.commit(values);
    assert_eq!(works.keeper.checkpoint_if_due().unwrap(), Progress::Worked);
    for seq in 0..20 {
        works.commit([put(1, seq, vec![1; 1000])]);
    }
    assert_eq!(works.keeper.checkpoint_if_due().unwrap(), Progress::Idle, "it would be as long as the log");
    for seq in 20..40 {
        works.commit([put(1, seq, vec![1; 1000])]);
        works.keeper.reserve().unwrap();
    }
    assert_eq!(works.keeper.checkpoint_if_due().unwrap(), Progress::Worked);
}

#[test]
fn a_dead_segment_goes_after_two_checkpoints_and_not_before() {
    let mut works = Works::new();
    let records = works.close_segments(1);
    works.commit((0..records).map(|seq| Op::Release(at(1, seq))));
    for checkpoints in 0..3 {
        let gone = (0..3).any(|_| works.keeper.reclaim().unwrap() == Progress::Worked);
        assert_eq!(gone, checkpoints == 2, "after {checkpoints} checkpoints");
        works.keeper.write_checkpoint().unwrap();
    }
    assert_eq!(
        works.names("segment-").len(),
        works.names("segment-").iter().filter(|name| name.ends_with("log")).count()
    );
    assert_eq!(works.shared.index.lock().closed().count(), 0);
    assert_eq!(works.shared.space.disk(), works.disk.used());
}

#[test]
fn a_segment_that_somebody_reads_is_not_touched_until_he_is_done() {
    let mut works = Works::new();
    let records = works.close_segments(1);
    let reading = works.shared.index.lock().closed().next().unwrap().clone();
    works.commit((0..records).map(|seq| Op::Release(at(1, seq))));
    works.keeper.write_checkpoint().unwrap();
    works.keeper.write_checkpoint().unwrap();
    while works.keeper.reclaim().unwrap() == Progress::Worked {}
    let name = reading.segment.name().text();
    assert!(works.names("segment-").contains(&name));
    assert!(reading.segment.frame(works.shared.files(), 8192).is_ok());
    drop(reading);
    while works.keeper.reclaim().unwrap() == Progress::Worked {}
    assert!(!works.names("segment-").contains(&name));
}

#[test]
fn dead_segments_bring_a_checkpoint_forward_when_there_are_several_or_it_is_quiet() {
    let mut works = Works::new();
    let records = works.close_segments(1);
    works.commit((0..records).map(|seq| Op::Release(at(1, seq))));
    assert!(!works.keeper.frees_enough());
    works.keeper.set_quiet(true);
    assert!(works.keeper.frees_enough());
    works.keeper.set_quiet(false);
    let records = works.close_segments(2) + records;
    works.commit((0..records).map(|seq| Op::Release(at(1, seq))));
    assert!(works.keeper.frees_enough());
}

#[test]
fn a_spare_is_given_up_for_a_checkpoint_when_the_disk_is_full() {
    let mut works = Works::new();
    works.keeper.reserve().unwrap();
    works.keeper.reserve_spare().unwrap();
    works.disk.limit(Some(works.disk.used()));
    works.keeper.wanted = true;
    while works.keeper.step().unwrap() == Progress::Worked {}
    assert_eq!(works.names("checkpoint-").len(), 1);
    assert_eq!(works.names("spare-").len(), 0);
    assert_eq!(works.shared.space.admission(), Admission::Full);
    assert_eq!(works.shared.space.disk(), works.disk.used());
    works.disk.limit(None);
    while works.keeper.step().unwrap() == Progress::Worked {}
    assert_eq!(works.shared.space.admission(), Admission::Full, "it is not tried again at once");
    (0..HOLD).for_each(|_| works.keeper.tick());
    while works.keeper.step().unwrap() == Progress::Worked {}
    assert_eq!(works.shared.space.admission(), Admission::Open);
    assert_eq!(works.names("spare-").len(), 1);
}

#[test]
fn half_made_files_are_removed_when_the_disk_is_full() {
    let mut works = Works::new();
    works.disk.limit(Some(works.disk.used() + SEGMENT / 2));
    assert!(matches!(works.keeper.reserve(), Err(WriteError::NoRoom)));
    assert_eq!(works.names("unfinished-").len(), 0);
    assert_eq!(works.shared.space.disk(), works.disk.used());
}

#[test]
fn no_kind_of_work_is_starved_by_another() {
    let options = Options { checkpoint_bytes: SEGMENT, ..options() };
    let mut works = Works::open(&FaultyDisk::new(1), &options);
    let mut before = 0;
    for seq in 0..1000 {
        // The writer takes each segment as soon as it is made.
        works.commit([put(1, seq, vec![1; 3000])]);
        if works.shared.ready.lock().is_none() {
            works.keeper.step().unwrap();
        }
        before = before.max(works.names("checkpoint-").len());
    }
    assert_eq!(before, 2, "checkpoints are written");
    let index = works.shared.index.lock();
    let held = index.closed().filter(|closed| matches!(closed.table, Table::Held(_))).count();
    assert!(
        held < index.closed().count() / 2 + 3,
        "{held} tables of {} are in memory",
        index.closed().count()
    );
}

#[test]
fn what_an_earlier_life_left_behind_is_swept_away_or_used() {
    let mut works = Works::new();
    works.keeper.reserve().unwrap();
    works.keeper.reserve_spare().unwrap();
    works.commit([put(1, 1, "x")]);
    let disk = works.disk.clone();
    disk.create("unfinished-00000000000000ff").unwrap().write_at(b"half a file", 0).unwrap();
    disk.create("segment-00000000000000fe.idx").unwrap();
    disk.create("spare-00000000000000fd").unwrap().write_at(b"too short", 0).unwrap();
    disk.create("notes of somebody else").unwrap();
    drop(works);
    let works = Works::open(&disk, &options());
    assert_eq!(works.names("unfinished-").len(), 0);
    assert!(!works.names("").contains(&"segment-00000000000000fe.idx".to_owned()));
    assert!(works.names("").contains(&"notes of somebody else".to_owned()));
    assert_eq!(works.recovery.streams.len(), 1);
    assert_eq!(works.shared.space.disk(), works.disk.used());
}

#[test]
fn a_tick_without_a_new_log_means_quiet() {
    let mut works = Works::new();
    works.keeper.tick();
    works.keeper.tick();
    assert!(works.keeper.quiet);
    works.commit([put(1, 1, "x")]);
    works.keeper.tick();
    assert!(!works.keeper.quiet);
}

#[test]
fn a_failing_disk_is_not_taken_for_a_full_one() {
    let mut works = Works::new();
    works.disk.refuse_sync_after(0);
    assert!(matches!(works.keeper.reserve(), Err(WriteError::Failed(StoreError::Io { action: "sync", .. }))));
}

#[test]
fn a_closed_store_leaves_a_checkpoint_that_needs_no_log() {
    let mut works = Works::new();
    works.commit([put(1, 1, "x")]);
    works.shared.queue.stop(super::super::queue::Stop::Drain);
    assert_eq!(works.writer.step().unwrap(), Progress::Stopped);
    works.keeper.finish().unwrap();
    let kept = works.keeper.checkpoints.back().unwrap().clone();
    let disk = works.disk.clone();
    drop(works);
    let last = disk.list().unwrap().into_iter().filter(|name| name.ends_with("log")).max().unwrap();
    assert!(last < Name::Segment(kept.replay_from).text());
    assert!((disk.content(&last).len() as u64) < SEGMENT / 2, "the last segment is cut short");
    let works = Works::open(&disk, &options());
    assert_eq!(works.recovery.damage, [""; 0]);
    assert_eq!(works.recovery.streams[0].records, 1);
}

#[test]
fn a_checkpoint_between_the_end_of_the_writer_and_that_of_the_keeper_asks_for_no_segment() {
    let mut works = Works::new();
    works.commit([put(1, 1, "x")]);
    works.shared.queue.stop(super::super::queue::Stop::Drain);
    assert_eq!(works.writer.step().unwrap(), Progress::Stopped);
    works.keeper.write_checkpoint().unwrap();
    let disk = works.disk.clone();
    drop(works);
    disk.crash();
    let works = Works::open(&disk, &options());
    assert_eq!(works.recovery.damage, [""; 0]);
    assert_eq!(works.recovery.streams[0].records, 1);
}

#[test]
fn moves_that_find_no_room_wait_for_it() {
    let mut works = Works::new();
    let records = works.close_segments(1);
    works.commit((0..records).filter(|seq| seq % 9 != 0).map(|seq| Op::Release(at(1, seq))));
    let mut seq = 0;
    while works.shared.space.room() > 4000 {
        works.commit([put(2, seq, vec![1; 1000])]);
        seq += 1;
    }
    works.keeper.set_quiet(true);
    works.keeper.lay_out_moves().unwrap();
    let laid_out = works.shared.moves.lock().as_ref().map(|moves| moves.list.len());
    assert!(laid_out.is_some_and(|moves| moves > 4), "{laid_out:?}");
    assert_eq!(works.writer.step().unwrap(), Progress::Starved);
    assert_eq!(works.shared.moves.lock().as_ref().map(|moves| moves.list.len()), laid_out);
    works.keeper.reserve().unwrap();
    while works.writer.step().unwrap() == Progress::Worked {}
    assert!(works.shared.moves.lock().is_none());
    let moved = works.shared.counters.moved.load(Ordering::Relaxed);
    assert_eq!(Some(moved), laid_out.map(|moves| moves as u64));
}
