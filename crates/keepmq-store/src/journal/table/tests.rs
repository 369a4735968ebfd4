use super::super::fixture::{entry, header, reader_of};
use super::super::header::Kind;
use super::super::young::YoungTable;
use super::*;
use crate::api::StreamId;
use crate::testing::FaultyDisk;

/// Three runs: a long dense one, a sparse one, and one of strays.
fn runs() -> (Vec<Run>, HeldTable) {
    let mut young = YoungTable::default();
    let mut add = |stream, seq, moved| {
        let entry = entry(seq, u32::try_from(seq).unwrap() * 8);
        let at = crate::api::Locator { stream: StreamId(stream), seq };
        young.add(crate::api::Target { at, meta: entry.meta }, entry.place, moved);
    };
    (5000..9000).for_each(|seq| add(1, seq, false));
    (0..300).for_each(|seq| add(2, seq * 7, false));
    (0..1500).for_each(|seq| add(1, seq * 3, true));
    let closing = young.close();
    (closing.runs, closing.table)
}

fn write(disk: &FaultyDisk, id: u64, runs: &[Run], held: &HeldTable) {
    let reader = reader_of(disk);
    let bytes = encode(held, runs, header(Kind::Table, id), &reader.keyring).unwrap();
    reader.files.create(Name::Table(id)).unwrap().write_at(&bytes, 0).unwrap();
}

#[test]
fn a_table_on_disk_answers_as_the_one_in_memory() {
    let disk = FaultyDisk::new(1);
    let reader = reader_of(&disk);
    let (runs, held) = runs();
    write(&disk, 4, &runs, &held);
    let held = Table::Held(Arc::new(held));
    let file = Table::File(TableFile::new(4));
    for (index, run) in runs.iter().enumerate() {
        for seq in (0..9100).step_by(13).chain([run.first, run.last, run.last + 1, Seq::MAX]) {
            let below = held.below(&reader, index, run, seq).unwrap();
            assert_eq!(file.below(&reader, index, run, seq).unwrap(), below, "run {index}, number {seq}");
            if below < run.count {
                let (one, two) =
                    (held.piece(&reader, index, run, below), file.piece(&reader, index, run, below));
                assert_eq!(one.unwrap().entries()[0], two.unwrap().entries()[0]);
            }
        }
    }
}

#[test]
fn pieces_cover_a_run_and_nothing_of_its_neighbours() {
    let disk = FaultyDisk::new(1);
    let reader = reader_of(&disk);
    let (runs, held) = runs();
    write(&disk, 4, &runs, &held);
    let file = Table::File(TableFile::new(4));
    for (index, run) in runs.iter().enumerate() {
        let mut read = Vec::new();
        while size(run.count) > read.len() {
            let skip = count(read.len());
            read.extend_from_slice(file.piece(&reader, index, run, skip).unwrap().entries());
        }
        assert_eq!(read, held.runs[index]);
    }
}

#[test]
fn a_whole_table_is_read_as_it_was_written() {
    let disk = FaultyDisk::new(1);
    let reader = reader_of(&disk);
    let (runs, held) = runs();
    write(&disk, 4, &runs, &held);
    let file = TableFile::new(4);
    assert_eq!(file.load(&reader).unwrap(), held);
    assert_eq!(file.runs(&reader).unwrap(), runs);
}

#[test]
fn only_the_blocks_that_are_asked_for_are_read() {
    let disk = FaultyDisk::new(1);
    let reader = reader_of(&disk);
    let (runs, held) = runs();
    write(&disk, 4, &runs, &held);
    let file = Table::File(TableFile::new(4));
    file.below(&reader, 0, &runs[0], 7000).unwrap();
    let read = (0..6).filter(|number| reader.blocks.get((4, *number)).is_some()).count();
    assert_eq!(read, 1);
}

#[test]
fn damage_anywhere_is_an_error_and_never_a_wrong_answer() {
    let disk = FaultyDisk::new(1);
    let (runs, held) = runs();
    write(&disk, 4, &runs, &held);
    let name = Name::Table(4).text();
    let len = disk.content(&name).len();
    for at in (0..len).step_by(97).chain(len - 24..len) {
        disk.flip(&name, at as u64, 2);
        let read = TableFile::new(4).load(&reader_of(&disk));
        assert!(matches!(read, Err(StoreError::Corrupt { .. })), "byte {at} of {len}");
        disk.flip(&name, at as u64, 2);
    }
    assert_eq!(TableFile::new(4).load(&reader_of(&disk)).unwrap(), held);
}

#[test]
fn a_table_that_is_cut_off_or_of_another_segment_is_an_error() {
    let disk = FaultyDisk::new(1);
    let (runs, held) = runs();
    write(&disk, 4, &runs, &held);
    let name = Name::Table(4).text();
    for keep in [0, 100, 128, 150, 5000] {
        let copy = disk.fork(1);
        copy.damage(&name, |bytes| bytes.truncate(keep));
        assert!(TableFile::new(4).load(&reader_of(&copy)).is_err(), "{keep} bytes");
    }
    let reader = reader_of(&disk);
    reader.files.rename(Name::Table(4), Name::Table(5)).unwrap();
    let error = TableFile::new(5).load(&reader).unwrap_err();
    assert!(error.to_string().contains("not the table of this segment"), "{error}");
}
