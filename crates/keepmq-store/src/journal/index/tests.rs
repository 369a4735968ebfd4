use std::collections::BTreeMap;

use bytes::Bytes;

use super::super::files::Name;
use super::super::fixture::{Filler, at, batch, header, put, reader_of, target};
use super::super::header::Kind;
use super::super::scan;
use super::super::table::{self, TableFile};
use super::*;
use crate::api::{Scan, StreamInfo};
use crate::disk::Disk;
use crate::testing::{Chance, FaultyDisk};

/// An index beside the simplest thing that should say the same.
struct Twin {
    index: Index,
    disk: FaultyDisk,
    reader: Arc<Reader>,
    model: BTreeMap<(u64, Seq), u32>,
    next_segment: u64,
    next_frame: u32,
}

impl Twin {
    fn new() -> Self {
        let disk = FaultyDisk::new(1);
        let reader = reader_of(&disk);
        let index = Index::new(Arc::clone(&reader));
        let mut twin = Self { index, disk, reader, model: BTreeMap::new(), next_segment: 1, next_frame: 0 };
        twin.begin();
        twin
    }

    fn begin(&mut self) {
        self.index.begin(Segment::unreadable(self.next_segment, 1));
        self.next_segment += 1;
    }

    fn put(&mut self, stream: u64, seq: Seq, moved: bool) {
        self.next_frame += 1;
        let len = u32::try_from(seq % 50).unwrap();
        let place = Place { frame: self.next_frame * 8, offset: 1, len, fan: 1 };
        self.index.put(target(stream, seq), place, moved).unwrap();
        self.model.insert((stream, seq), len);
    }

    fn release(&mut self, stream: u64, seq: Seq) {
        let was_there = self.model.remove(&(stream, seq)).is_some();
        assert_eq!(self.index.release(at(stream, seq)).unwrap(), was_there);
    }

    fn truncate(&mut self, stream: u64, from: Seq, through: Seq) {
        self.index.truncate(StreamId(stream), from, through).unwrap();
        self.model.retain(|(other, seq), _| *other != stream || !(from..=through).contains(seq));
    }

    /// Closes the segment and, mostly, puts its table on disk.
    fn roll(&mut self, on_disk: bool) {
        let id = self.index.young().unwrap();
        self.index.close(1, 9000);
        if on_disk {
            self.write_table(id);
        }
        self.begin();
    }

    fn write_table(&mut self, id: u64) {
        let closed = self.index.closed_at(id).unwrap().clone();
        let Table::Held(held) = &closed.table else { return };
        let bytes = table::encode(held, &closed.runs, header(Kind::Table, id), &self.reader.keyring).unwrap();
        self.reader.files.create(Name::Table(id)).unwrap().write_at(&bytes, 0).unwrap();
        self.index.set_table(id, Table::File(TableFile::new(id)));
    }

    /// Compares everything that the index says.
    fn check(&mut self, streams: u64) {
        let (mut records, mut bytes) = (0, 0);
        for id in 0..streams {
            let list: Vec<(Seq, u32)> =
                self.model.range((id, 0)..=(id, Seq::MAX)).map(|((_, seq), len)| (*seq, *len)).collect();
            let sum: u64 = list.iter().map(|(_, len)| u64::from(*len)).sum();
            let info = list.first().zip(list.last()).map(|(first, last)| StreamInfo {
                id: StreamId(id),
                records: list.len() as u64,
                bytes: sum,
                first: first.0,
                last: last.0,
            });
            assert_eq!(self.index.info(StreamId(id)), info);
            records += list.len() as u64;
            bytes += sum;
        }
        assert_eq!((self.index.records(), self.index.bytes()), (records, bytes));
        let young = self.index.young.as_ref().map_or(0, |(_, table)| {
            (0..streams).map(|id| table.from(StreamId(id), 0, usize::MAX).len() as u64).sum()
        });
        let closed: u64 = self.index.closed().map(|closed| closed.live.records()).sum();
        assert_eq!(young + closed, records, "every record lives in one place");
    }
}

#[test]
fn whatever_happens_it_says_what_the_simplest_thing_would_say() {
    for seed in 0..60 {
        let mut chance = Chance::new(seed);
        let mut twin = Twin::new();
        let mut next = [1; 3];
        for _ in 0..400 {
            let stream = chance.below(3);
            let highest = &mut next[usize::try_from(stream).unwrap()];
            let any = chance.below(*highest + 3);
            match chance.below(20) {
                0 => twin.roll(chance.one_in(2)),
                1 => twin.truncate(stream, chance.below(any + 2), any),
                2..8 => twin.release(stream, any),
                // Moved, if it is there: as compaction does.
                8..11 => {
                    if twin.model.contains_key(&(stream, any)) {
                        twin.put(stream, any, true);
                    }
                }
                _ => {
                    *highest += if chance.one_in(6) { 40 } else { 1 };
                    let seq = *highest;
                    twin.put(stream, seq, false);
                }
            }
        }
        twin.check(3);
    }
}

#[test]
fn damaged_tables_of_readable_segments_change_nothing() {
    let disk = FaultyDisk::new(1);
    let mut filler = Filler::new(&disk, 9, 2000);
    let reader = reader_of(&disk);
    let mut index = Index::new(Arc::clone(&reader));
    index.begin(Arc::clone(&filler.segment));
    let built = filler.write(&[batch((0..50).map(|seq| put(1, seq, vec![1; 100])))]);
    for (seq, place) in (0..).zip(&built.places) {
        index.put(target(1, seq), *place, false).unwrap();
    }
    let known = filler.known();
    index.close(known.frames, known.end);
    index.release(at(1, 3)).unwrap();
    // There is no such table: each question finds that out, and is answered all the same.
    index.set_table(9, Table::File(TableFile::new(9)));
    assert!(index.release(at(1, 7)).unwrap());
    assert!(!index.release(at(1, 3)).unwrap(), "what was dead stays dead");
    assert_eq!(index.info(StreamId(1)).unwrap().records, 48);
    assert_eq!(index.faults.len(), 1, "{:?}", index.faults);
    assert!(index.faults[0].contains("the table was made again from its segment"));
    index.set_table(9, Table::File(TableFile::new(9)));
    index.truncate(StreamId(1), 0, 20).unwrap();
    assert_eq!(index.info(StreamId(1)).unwrap().first, 21);
    index.set_table(9, Table::File(TableFile::new(9)));
    assert_eq!(index.find(at(1, 30)).unwrap().unwrap().1.place, built.places[30]);
}

#[test]
fn of_a_damaged_segment_without_a_table_what_was_released_may_come_back_and_that_is_said() {
    let disk = FaultyDisk::new(1);
    let mut filler = Filler::new(&disk, 9, 1000);
    let reader = reader_of(&disk);
    let mut index = Index::new(Arc::clone(&reader));
    index.begin(Arc::clone(&filler.segment));
    let built = filler.write(&[batch((0..50).map(|seq| put(seq % 2, seq, vec![1; 100])))]);
    for (seq, place) in (0..).zip(&built.places) {
        index.put(target(seq % 2, seq), *place, false).unwrap();
    }
    index.close(filler.known().frames, filler.known().end);
    index.release(at(1, 49)).unwrap();
    disk.flip(&filler.name(), u64::from(built.places[20].frame) + 60, 1);
    index.set_table(9, Table::File(TableFile::new(9)));
    index.release(at(0, 48)).unwrap();
    let faults = index.faults.join("\n");
    assert!(faults.contains("bytes are damaged; 1 frame(s)"), "{faults}");
    assert!(faults.contains("they may come back in stream 0, stream 1"), "{faults}");
    assert!(index.find(at(1, 49)).unwrap().is_some(), "not lost, so it may be delivered once more");
    assert!(index.find(at(0, 20)).unwrap().is_none());
    assert!(index.find(at(0, 48)).unwrap().is_none());
}

#[test]
fn what_a_reader_gathered_is_not_changed_by_later_releases() {
    let mut twin = Twin::new();
    (0..100).for_each(|seq| twin.put(1, seq, false));
    twin.roll(true);
    let gathered = twin.index.gather(StreamId(1), 0, 10);
    twin.truncate(1, 0, 98);
    assert_eq!(gathered.runs[0].live.records(), 100);
    assert_eq!(twin.index.closed().next().unwrap().live.records(), 1);
}

#[test]
fn a_segment_can_be_let_go_and_taken_in_again() {
    let mut twin = Twin::new();
    (0..100).for_each(|seq| twin.put(1, seq, false));
    twin.roll(false);
    (100..150).for_each(|seq| twin.put(1, seq, false));
    let closed = twin.index.unlink(1).unwrap();
    let info = twin.index.info(StreamId(1)).unwrap();
    assert_eq!((info.records, info.first), (50, 100));
    twin.index.link(closed);
    twin.check(2);
}

#[test]
fn a_long_stream_over_many_segments_is_read_a_few_segments_at_a_time() {
    let mut twin = Twin::new();
    for seq in 0..2000 {
        twin.put(1, seq, false);
        if seq % 100 == 99 {
            twin.roll(true);
        }
    }
    let gathered = twin.index.gather(StreamId(1), 250, 120);
    assert!(gathered.runs.len() <= 4, "{} runs", gathered.runs.len());
    assert!(gathered.through.unwrap() >= 370);
    assert_eq!(twin.index.gather(StreamId(1), 1950, 120).through, None);
}

#[test]
fn a_scan_joins_what_was_moved_with_what_was_not() {
    let disk = FaultyDisk::new(1);
    let reader = reader_of(&disk);
    let mut index = Index::new(Arc::clone(&reader));
    let mut fill = |id, numbers: &[Seq], moved| {
        let mut filler = Filler::new(&disk, id, 1000);
        index.begin(Arc::clone(&filler.segment));
        let ops = numbers.iter().map(|seq| put(1, *seq, format!("{seq} in {id}")));
        let built = filler.write(&[batch(ops)]);
        for (seq, place) in numbers.iter().zip(&built.places) {
            index.put(target(1, *seq), *place, moved).unwrap();
        }
        index.close(filler.known().frames, filler.known().end);
    };
    fill(1, &[1, 2, 3, 4, 5, 6], false);
    fill(2, &[7, 8, 9], false);
    fill(3, &[2, 5, 8], true);
    fill(4, &[10, 11], false);
    let index = parking_lot::Mutex::new(index);
    for records in 1..12 {
        let (mut from, mut read) = (0, Vec::new());
        loop {
            let scan = Scan { stream: StreamId(1), from, records, bytes: 10_000 };
            let page = scan::scan(&reader, &index, scan).unwrap();
            read.extend(page.records.iter().map(|record| record.payload.clone()));
            from = page.records.last().map_or(from, |record| record.seq + 1);
            if page.end {
                break;
            }
        }
        let expected = [
            "1 in 1", "2 in 3", "3 in 1", "4 in 1", "5 in 3", "6 in 1", "7 in 2", "8 in 3", "9 in 2",
            "10 in 4", "11 in 4",
        ];
        assert_eq!(read, expected.map(Bytes::from), "pages of {records}");
    }
}

#[test]
fn the_most_recent_records_are_released_without_the_disk() {
    let mut twin = Twin::new();
    (0..100).for_each(|seq| twin.put(1, seq, false));
    twin.roll(true);
    (100..200).for_each(|seq| twin.put(1, seq, false));
    twin.disk.cut_power_after(0);
    twin.disk.sync().unwrap_err();
    (100..200).for_each(|seq| twin.release(1, seq));
    assert!(twin.index.faults.is_empty());
}
