use super::super::files::Name;
use super::super::fixture::{Filler, at, batch, put, reader_of, target};
use super::super::table::{Table, TableFile};
use super::*;
use crate::api::{Op, StreamId};
use crate::testing::FaultyDisk;

/// Records of several segments, the last of which is still being filled.
struct Library {
    disk: FaultyDisk,
    reader: Arc<Reader>,
    index: Mutex<Index>,
}

impl Library {
    fn new() -> Self {
        let disk = FaultyDisk::new(1);
        let reader = reader_of(&disk);
        let index = Mutex::new(Index::new(Arc::clone(&reader)));
        Self { disk, reader, index }
    }

    /// Fills a segment with records of stream 1, each synced by itself; closes it unless it is the last.
    fn shelf(&self, id: u64, numbers: impl IntoIterator<Item = Seq>, len: usize, is_last: bool) -> Filler {
        let mut filler = Filler::new(&self.disk, id, 4096);
        let mut index = self.index.lock();
        index.begin(Arc::clone(&filler.segment));
        for seq in numbers {
            let built = filler.write(&[batch([put(1, seq, vec![u8::try_from(seq % 251).unwrap(); len])])]);
            index.put(target(1, seq), built.places[0], false).unwrap();
        }
        if !is_last {
            index.close(filler.known().frames, filler.known().end);
        }
        filler
    }

    fn page(&self, from: Seq, records: usize, bytes: usize) -> Page {
        scan(&self.reader, &self.index, Scan { stream: StreamId(1), from, records, bytes }).unwrap()
    }

    fn numbers(&self, from: Seq, records: usize) -> Vec<Seq> {
        self.page(from, records, usize::MAX).records.iter().map(|record| record.seq).collect()
    }
}

fn three_shelves() -> Library {
    let library = Library::new();
    library.shelf(1, 0..20, 50, false);
    library.shelf(2, 20..40, 50, false);
    library.shelf(3, 40..60, 50, true);
    library
}

#[test]
fn a_page_runs_over_segments_into_the_one_being_filled() {
    let library = three_shelves();
    assert_eq!(library.numbers(15, 30), (15..45).collect::<Vec<_>>());
    assert_eq!(library.numbers(0, 1000), (0..60).collect::<Vec<_>>());
    assert_eq!(library.numbers(59, 5), [59]);
    assert_eq!(library.numbers(60, 5), [0; 0]);
    let page = library.page(38, 4, usize::MAX);
    assert_eq!(page.records[3].payload, vec![41; 50]);
    assert_eq!(page.records[3].meta, 1041);
}

#[test]
fn the_end_is_told_only_when_nothing_lives_behind_the_page() {
    let library = three_shelves();
    assert!(!library.page(0, 59, usize::MAX).end);
    assert!(library.page(0, 60, usize::MAX).end);
    for seq in 50..60 {
        library.index.lock().release(at(1, seq)).unwrap();
    }
    assert!(library.page(0, 50, usize::MAX).end, "what is dead does not count");
    assert!(!library.page(0, 49, usize::MAX).end);
}

#[test]
fn bytes_bound_a_page_across_segments() {
    let library = three_shelves();
    assert_eq!(library.page(10, 100, 1000).records.len(), 20);
    assert_eq!(library.page(10, 100, 1001).records.len(), 21);
    assert_eq!(library.page(10, 100, 0).records.len(), 1);
    assert_eq!(library.page(10, 0, 100).records.len(), 0);
}

#[test]
fn a_stream_that_is_not_there_is_at_its_end() {
    let library = three_shelves();
    let nothing =
        scan(&library.reader, &library.index, Scan { stream: StreamId(9), from: 0, records: 5, bytes: 5 });
    assert_eq!(nothing.unwrap(), Page { end: true, ..Page::default() });
}

#[test]
fn what_cannot_be_read_is_listed_as_lost_among_the_rest() {
    let library = Library::new();
    let filler = library.shelf(1, 0..10, 50, false);
    let place = library.index.lock().find(at(1, 4)).unwrap().unwrap().1.place;
    library.disk.flip(&filler.name(), u64::from(place.frame) + 50, 1);
    let page = library.page(0, 100, usize::MAX);
    assert_eq!(page.lost, [4]);
    let damage: Vec<String> = page.damage.iter().map(ToString::to_string).collect();
    let place = format!("{} at byte {}", filler.name(), place.frame);
    assert!(damage.len() == 1 && damage[0].contains(&place), "{damage:?}");
    assert_eq!(page.records.len(), 9);
    assert!(page.end);
    let page = library.page(0, 4, usize::MAX);
    assert_eq!((page.records.len(), page.end), (4, false), "what is lost may still come");
}

#[test]
fn all_records_of_a_segment_that_is_gone_are_lost() {
    let library = three_shelves();
    library.reader.files.remove(Name::Segment(2)).unwrap();
    let page = library.page(10, 1000, usize::MAX);
    assert_eq!(page.lost, (20..40).collect::<Vec<_>>());
    assert!((1..=20).contains(&page.damage.len()), "{:?}", page.damage);
    assert_eq!(page.records.len(), 30);
}

#[test]
fn a_table_that_breaks_in_the_middle_of_a_page_is_made_again_without_a_gap() {
    let library = three_shelves();
    // Tables are said to be on disk, and are not.
    for id in [1, 2] {
        library.index.lock().set_table(id, Table::File(TableFile::new(id)));
    }
    assert_eq!(library.numbers(0, 1000), (0..60).collect::<Vec<_>>());
    assert_eq!(library.index.lock().faults.len(), 2);
}

#[test]
fn a_disk_that_does_not_answer_is_an_error_and_loses_nothing() {
    let library = three_shelves();
    library.disk.refuse_reads(true);
    let refused =
        scan(&library.reader, &library.index, Scan { stream: StreamId(1), from: 0, records: 5, bytes: 500 });
    assert!(matches!(refused, Err(StoreError::Io { .. })));
    library.disk.refuse_reads(false);
    assert_eq!(library.numbers(0, 1000).len(), 60);
}

#[test]
fn a_large_payload_shares_the_memory_of_its_frame() {
    let library = Library::new();
    library.shelf(1, [5], 3000, true);
    assert!(!library.page(0, 1, usize::MAX).records[0].payload.is_unique());
}

#[test]
fn small_payloads_do_not_keep_their_frames_in_memory() {
    let library = Library::new();
    let mut filler = Filler::new(&library.disk, 1, 100_000);
    let ops: Vec<Op> = (0..100).map(|seq| put(1, seq, vec![7; 100])).collect();
    let built = filler.write(&[batch(ops)]);
    library.index.lock().begin(Arc::clone(&filler.segment));
    for (seq, place) in (0..).zip(&built.places) {
        library.index.lock().put(target(1, seq), *place, false).unwrap();
    }
    let page = library.page(0, 2, usize::MAX);
    assert!(page.records.iter().all(|record| record.payload.is_unique()), "they are no slices of the frame");
}

#[test]
fn single_records_are_read_from_wherever_they_are() {
    let library = three_shelves();
    library.index.lock().release(at(1, 25)).unwrap();
    let list = [at(1, 59), at(1, 3), at(1, 25), at(2, 3), at(1, 21)];
    let found = read(&library.reader, &library.index, &list).unwrap();
    let numbers: Vec<Option<Seq>> =
        found.iter().map(|record| record.as_ref().map(|record| record.seq)).collect();
    assert_eq!(numbers, [Some(59), Some(3), None, None, Some(21)]);
    assert_eq!(found[1].as_ref().unwrap().payload, vec![3; 50]);
}

#[test]
fn a_single_record_that_is_damaged_is_not_there() {
    let library = Library::new();
    let filler = library.shelf(1, 0..3, 50, false);
    let place = library.index.lock().find(at(1, 1)).unwrap().unwrap().1.place;
    library.disk.flip(&filler.name(), u64::from(place.frame) + 50, 1);
    let found = read(&library.reader, &library.index, &[at(1, 0), at(1, 1), at(1, 2)]).unwrap();
    assert_eq!(found.iter().map(Option::is_some).collect::<Vec<_>>(), [true, false, true]);
}
