//! Reads everything and tells what is wrong.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::checkpoint;
use super::super::files::{Files, Name};
use super::super::reader::Reader;
use super::super::rebuild::place_of;
use super::super::record::{Opening, Record, Records};
use super::super::recover::{Loaded, load};
use super::super::seal::MasterKey;
use super::super::segment::{Segment, unusable_error};
use super::super::table::TableFile;
use super::super::walk::{Step, Walk};
use super::super::young::YoungTable;
use crate::api::StoreError;
use crate::disk::Disk;

/// What a store was found to be like.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Segments that were read.
    pub segments: u64,
    /// Good frames in them.
    pub frames: u64,
    /// Changes in these.
    pub records: u64,
    /// Tables that were read.
    pub tables: u64,
    /// Checkpoints that were read.
    pub checkpoints: u64,
    /// Frames at the very end that a crash had torn, as it may.
    pub torn_frames: u64,
    /// Every fault, with its place.
    pub faults: Vec<Fault>,
    /// What could not be recovered if the store were opened as it is.
    pub losses: Vec<String>,
}

/// Something that is not as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The file.
    pub path: String,
    /// Where in it.
    pub offset: u64,
    /// What is wrong.
    pub what: String,
}

/// Reads a whole store and checks all of it: headers, the checksum and seal of every frame and their order, tables
/// against the segments that they are of, checkpoints. Faults are no error; an error is returned only when it cannot be
/// looked at, as when a broker has it ([`StoreError::Fenced`]) or the key is another ([`StoreError::WrongKey`]).
pub fn verify(disk: Arc<dyn Disk>, key: Option<MasterKey>) -> Result<Report, StoreError> {
    let (reader, _held) = super::look(disk, key)?;
    let loaded = load(&reader)?;
    let mut verifier = Verifier { reader: &reader, report: Report::default(), ends: ends(&reader, &loaded)? };
    for name in &loaded.names {
        match name {
            Name::Segment(id) => verifier.segment(*id, &loaded)?,
            Name::Checkpoint(number) => verifier.checkpoint(*number)?,
            Name::Table(_) | Name::Spare(_) | Name::Unfinished(_) => {}
        }
    }
    let mut report = verifier.report;
    report.torn_frames = loaded.cut_frames;
    report.losses = loaded.damage;
    report.losses.extend(loaded.index.faults);
    Ok(report)
}

/// How segments end, by what the later ones say.
fn ends(reader: &Reader, loaded: &Loaded) -> Result<BTreeMap<u64, Opening>, StoreError> {
    let mut ends = BTreeMap::new();
    for name in &loaded.names {
        let Name::Segment(id) = name else { continue };
        if let Ok((segment, _)) = Segment::load(&reader.files, *id, &reader.keyring)? {
            ends.extend(segment.opening(&reader.files)?.map(|opening| (opening.segment, opening)));
        }
    }
    let closed = loaded.index.closed().map(|closed| (closed.segment.id, closed.known()));
    ends.extend(closed.filter(|(_, known)| known.frames > 0));
    Ok(ends)
}

struct Verifier<'a> {
    reader: &'a Reader,
    report: Report,
    ends: BTreeMap<u64, Opening>,
}

impl Verifier<'_> {
    fn files(&self) -> &Files {
        &self.reader.files
    }

    fn fault(&mut self, name: Name, offset: u64, what: impl Into<String>) {
        let path = self.files().place(name);
        self.report.faults.push(Fault { path, offset, what: what.into() });
    }

    /// Takes an error about damage into the report; gives others back.
    fn note(&mut self, name: Name, error: StoreError) -> Result<(), StoreError> {
        match error {
            StoreError::Corrupt { path, offset, what } => {
                self.report.faults.push(Fault { path, offset, what });
                Ok(())
            }
            StoreError::WrongKey { .. } => {
                self.fault(name, 0, "the key of the file does not open");
                Ok(())
            }
            other => Err(other),
        }
    }

    fn segment(&mut self, id: u64, loaded: &Loaded) -> Result<(), StoreError> {
        let name = Name::Segment(id);
        self.report.segments += 1;
        let (segment, copies) = match Segment::load(self.files(), id, &self.reader.keyring)? {
            Ok((segment, _)) => (segment, Segment::damaged_headers(self.files(), id, &self.reader.keyring)?),
            Err(why) => return self.note(name, unusable_error(self.files(), name, why)),
        };
        for place in copies {
            self.fault(name, place, "one of the two headers is damaged");
        }
        let young = self.frames(&segment)?;
        if loaded.names.contains(&Name::Table(id)) {
            self.table(id, young)?;
        }
        Ok(())
    }

    /// Checks all frames; returns what they say if all of them are good.
    fn frames(&mut self, segment: &Segment) -> Result<Option<YoungTable>, StoreError> {
        let known = self.ends.get(&segment.id).copied();
        let name = segment.name();
        let reader = self.reader;
        let mut walk = Walk::new(&reader.files, segment, known)?;
        let (mut young, faults) = (YoungTable::default(), self.report.faults.len());
        loop {
            match walk.next()? {
                Step::Frame { at, records, .. } => {
                    self.report.frames += 1;
                    for record in Records::new(records) {
                        match record {
                            Ok(record) => self.record(record, at, &mut young),
                            Err(malformed) => self.fault(name, u64::from(at), malformed.to_string()),
                        }
                    }
                }
                Step::Damage(gap) => {
                    let frames = gap.frames.end - gap.frames.start;
                    let length = gap.bytes.end.saturating_sub(gap.bytes.start);
                    let what = format!(
                        "{length} bytes are damaged: {frames} frame(s) from number {}",
                        gap.frames.start
                    );
                    self.fault(name, gap.bytes.start, what);
                }
                Step::End(_) => return Ok(Some(young).filter(|_| self.report.faults.len() == faults)),
            }
        }
    }

    fn record(&mut self, record: Record<'_>, at: u32, young: &mut YoungTable) {
        self.report.records += 1;
        if let Record::Put { targets, payload, moved } = record {
            let place = place_of(&targets, at, payload);
            targets.into_iter().for_each(|target| young.add(target, place, moved));
        }
    }

    /// Checks a table, and compares it with what the frames of its segment say, if they can be read.
    fn table(&mut self, id: u64, young: Option<YoungTable>) -> Result<(), StoreError> {
        let name = Name::Table(id);
        self.report.tables += 1;
        let table = TableFile::new(id);
        let made = young.map(YoungTable::close);
        let read = table.load(self.reader).and_then(|held| Ok((held, table.runs(self.reader)?)));
        match read {
            Err(error) => self.note(name, error),
            Ok((held, runs)) => {
                if made.is_some_and(|made| held != made.table || runs != made.runs) {
                    self.fault(name, 0, "the table does not say what the segment says");
                }
                Ok(())
            }
        }
    }

    /// Checks a checkpoint, and that it knows the segments as their tables do.
    fn checkpoint(&mut self, number: u64) -> Result<(), StoreError> {
        let name = Name::Checkpoint(number);
        self.report.checkpoints += 1;
        let checkpoint = match checkpoint::read(self.reader, number) {
            Ok(checkpoint) => checkpoint,
            Err(error) => return self.note(name, error),
        };
        for summary in checkpoint.segments {
            // A table that is missing or damaged is another fault, or can be made again.
            let table = TableFile::new(summary.id);
            if table.runs(self.reader).is_ok_and(|runs| runs != summary.runs) {
                let segment = self.files().place(Name::Segment(summary.id));
                self.fault(name, 0, format!("it knows {segment} otherwise than the table of that"));
            }
        }
        Ok(())
    }
}
