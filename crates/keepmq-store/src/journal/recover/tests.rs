use super::super::fixture::{Filler, KEY, at, batch, header, put, reader_of};
use super::super::header::Kind;
use super::super::seal::MasterKey;
use super::*;
use crate::api::{Admission, Op, Store, StreamId};
use crate::journal::{Journal, Options};
use crate::testing::FaultyDisk;
use crate::testing::conformance::Durable;

fn loaded(disk: &FaultyDisk) -> Loaded {
    load(&reader_of(disk)).unwrap()
}

fn records(loaded: &Loaded) -> u64 {
    loaded.index.records()
}

/// A journal of small segments under the key of the fixtures.
fn journal(disk: &FaultyDisk) -> Journal {
    let options = Options {
        segment_bytes: 32 << 10,
        checkpoint_bytes: 1 << 40,
        ..Options::sealed(MasterKey::new(KEY))
    };
    Journal::open_manual(Arc::new(disk.clone()), &options, Durable::default().callback()).unwrap().0
}

fn commit(journal: &Journal, ops: impl IntoIterator<Item = Op>) {
    journal.commit(batch(ops), crate::api::Urgency::Now);
    while journal.durable().0 == 0 || journal.pending_bytes() > 0 {
        assert!(journal.write_once() || journal.keep_once(false));
    }
    assert_eq!(journal.admission(), Admission::Open);
}

#[test]
fn an_empty_directory_is_a_new_store() {
    let loaded = loaded(&FaultyDisk::new(1));
    assert_eq!((loaded.epoch, loaded.store, loaded.next), (0, None, 1));
    assert!(loaded.checkpoint.is_none() && loaded.damage.is_empty());
}

#[test]
fn loading_changes_nothing_and_can_be_repeated() {
    let disk = FaultyDisk::new(1);
    let store = journal(&disk);
    (0..100).for_each(|seq| commit(&store, [put(1, seq, vec![1; 1000])]));
    drop(store);
    let changes = disk.changes();
    for _ in 0..2 {
        let loaded = loaded(&disk);
        assert_eq!((records(&loaded), loaded.epoch), (100, 1));
    }
    assert_eq!(disk.changes(), changes);
}

#[test]
fn batches_of_every_kind_are_carried_out_again_in_order() {
    let disk = FaultyDisk::new(1);
    let store = journal(&disk);
    commit(&store, (0..20).map(|seq| put(1, seq, "x")));
    commit(
        &store,
        [Op::Release(at(1, 5)), Op::Truncate { stream: StreamId(1), from: 0, through: 2 }, put(2, 1, "y")],
    );
    commit(
        &store,
        [Op::Set { key: "a".into(), value: "1".into() }, Op::Set { key: "b".into(), value: "2".into() }],
    );
    commit(&store, [Op::Unset { key: "a".into() }, Op::Set { key: "b".into(), value: "3".into() }]);
    drop(store);
    let mut loaded = loaded(&disk);
    assert_eq!(loaded.index.state.sorted(), [("b".into(), "3".into())]);
    let info = loaded.index.info(StreamId(1)).unwrap();
    assert_eq!((info.records, info.first, info.last), (16, 3, 19));
    assert_eq!(loaded.index.info(StreamId(2)).unwrap().records, 1);
}

#[test]
fn the_epoch_is_that_of_the_newest_trace() {
    let disk = FaultyDisk::new(1);
    for epoch in 1..5 {
        let store = journal(&disk);
        drop(store);
        assert_eq!(loaded(&disk).epoch, epoch);
    }
}

#[test]
fn only_the_log_since_the_checkpoint_is_read() {
    let disk = FaultyDisk::new(1);
    let store = journal(&disk);
    (0..200).for_each(|seq| commit(&store, [put(1, seq, vec![1; 1000])]));
    store.close().unwrap();
    drop(store);
    let closed = loaded(&disk);
    assert_eq!((closed.replayed_bytes, records(&closed)), (0, 200));
    let store = journal(&disk);
    commit(&store, [put(1, 500, vec![1; 1000])]);
    drop(store);
    let after = loaded(&disk);
    assert_eq!(records(&after), 201);
    assert!(after.replayed_bytes < 2000, "{}", after.replayed_bytes);
}

#[test]
fn a_segment_that_was_made_ready_and_not_used_does_not_count() {
    let disk = FaultyDisk::new(1);
    let store = journal(&disk);
    commit(&store, [put(1, 1, "x")]);
    while store.keep_once(false) {}
    drop(store);
    let loaded = loaded(&disk);
    assert_eq!(loaded.damage, [""; 0]);
    assert_eq!(loaded.index.closed().count(), 1);
}

/// Two segments filled by hand, the second of which says how the first ended.
fn two_by_hand(says: impl Fn(Opening) -> Opening) -> FaultyDisk {
    let disk = FaultyDisk::new(1);
    let mut one = Filler::new(&disk, 1, 4096);
    one.write_opening(Opening::default());
    for seq in 0..3 {
        one.write(&[batch([put(1, seq, "in one")])]);
    }
    let mut two = Filler::new(&disk, 2, 4096);
    two.write_opening(says(one.known()));
    two.write(&[batch([put(1, 10, "in two")])]);
    disk
}

#[test]
fn a_segment_counts_as_far_as_the_next_one_says() {
    let whole = loaded(&two_by_hand(|known| known));
    assert_eq!((records(&whole), whole.damage.len()), (4, 0));
    // As after a crash that had cut the last frame off.
    let cut = loaded(&two_by_hand(|known| Opening { frames: known.frames - 1, ..known }));
    assert_eq!((records(&cut), cut.damage.len()), (3, 0));
}

#[test]
fn frames_that_the_next_segment_knows_of_and_that_are_not_there_are_damage() {
    let disk = two_by_hand(|known| Opening { frames: known.frames + 2, end: known.end + 500, ..known });
    let loaded = loaded(&disk);
    assert_eq!(records(&loaded), 4);
    assert!(loaded.damage[0].contains("2 frame(s) from number 4 on are lost"), "{:?}", loaded.damage);
}

#[test]
fn a_torn_end_before_the_last_segment_is_damage() {
    let disk = two_by_hand(|known| known);
    let name = Name::Segment(2).text();
    // The opening of the second segment is gone, so nobody knows where the first one ends.
    disk.flip(&name, 8192 + 45, 1);
    let first = Name::Segment(1).text();
    let used = disk.content(&first).iter().rposition(|byte| *byte != 0).unwrap();
    disk.flip(&first, used as u64 - 5, 1);
    let loaded = loaded(&disk);
    assert_eq!(records(&loaded), 3);
    let damage = loaded.damage.join("\n");
    assert!(damage.contains("the frames from number 3 on are damaged"), "{damage}");
    assert!(damage.contains(&format!("{name} at byte 8192")), "{damage}");
}

#[test]
fn a_log_whose_beginning_is_missing_is_reported() {
    let disk = two_by_hand(|known| known);
    reader_of(&disk).files.remove(Name::Segment(1)).unwrap();
    let loaded = loaded(&disk);
    assert_eq!(records(&loaded), 1);
    assert!(loaded.damage[0].contains("the segment is missing"), "{:?}", loaded.damage);
}

#[test]
fn a_record_that_makes_no_sense_is_damage_and_the_rest_of_its_frame_is_passed_over() {
    let disk = FaultyDisk::new(1);
    let mut filler = Filler::new(&disk, 1, 4096);
    filler.write_opening(Opening::default());
    filler.write_raw(&[99, 1, 2, 3]);
    filler.write(&[batch([put(1, 1, "fine")])]);
    let loaded = loaded(&disk);
    assert_eq!(records(&loaded), 1);
    assert!(loaded.damage[0].contains("a record of an unknown kind"), "{:?}", loaded.damage);
}

#[test]
fn a_list_of_what_is_missing_stays_readable() {
    let items = (0..50).map(|n| format!("item {n}")).collect::<Vec<_>>();
    let text = missing::list(items.into_iter());
    assert!(text.starts_with("item 0, item 1, ") && text.ends_with("item 19 and 30 more"), "{text}");
}

#[test]
fn files_of_another_kind_under_a_checkpoints_name_are_passed_over() {
    let disk = two_by_hand(|known| known);
    let reader = reader_of(&disk);
    let (bytes, _) = header(Kind::Table, 9).write(&reader.keyring).unwrap();
    reader.files.create(Name::Checkpoint(9)).unwrap().write_at(&bytes, 0).unwrap();
    let loaded = loaded(&disk);
    assert_eq!(records(&loaded), 4);
    assert!(loaded.damage[0].contains("the file is not this checkpoint"), "{:?}", loaded.damage);
}
