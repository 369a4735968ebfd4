//! Reads what an earlier opening left behind. Nothing is changed here: the offline tools use it as well.

mod missing;
mod replay;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::checkpoint::{self, Checkpoint, Moment, Summary};
use super::files::{Files, Name};
use super::header::{HEADER_LEN, Header, Unusable};
use super::index::{Closed, Index, reconcile};
use super::live::RunLive;
use super::place::Run;
use super::reader::Reader;
use super::record::Opening;
use super::segment::{Segment, unusable_error};
use super::table::{Table, TableFile};
use super::young::HeldTable;
use crate::api::StoreError;

/// What it means when there were checkpoints and none can be read.
const NO_CHECKPOINT: &str = "no checkpoint can be read: records that were released long ago may come back, and keyed \
                             values that were set long ago are missing";

/// What was found.
pub(crate) struct Loaded {
    pub(crate) index: Index,
    /// The newest opening that left a trace; zero for a new store.
    pub(crate) epoch: u64,
    /// The random number in all files of the store; `None` for a new one.
    pub(crate) store: Option<[u8; 16]>,
    /// No file has this number or a higher one.
    pub(crate) next: u64,
    /// The checkpoint that was used.
    pub(crate) checkpoint: Option<Kept>,
    /// What could not be recovered.
    pub(crate) damage: Vec<String>,
    /// Frames at the end that a crash had torn, or whose batch it had.
    pub(crate) cut_frames: u64,
    /// Bytes of log that were read again.
    pub(crate) replayed_bytes: u64,
    pub(crate) names: Vec<Name>,
}

/// A checkpoint on disk, and which segments it cannot do without.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    pub(crate) number: u64,
    pub(crate) replay_from: u64,
    pub(crate) segments: Arc<[u64]>,
}

impl Kept {
    pub(crate) fn needs(&self, segment: u64) -> bool {
        segment >= self.replay_from || self.segments.contains(&segment)
    }
}

/// A file: what its header says, or why it says nothing.
type Found = Result<(Arc<Segment>, Header), Unusable>;

/// Reads a directory. Fails when it cannot be read, is of a later version, or is sealed under another key; damage is
/// no failure but reported.
pub(crate) fn load(reader: &Arc<Reader>) -> Result<Loaded, StoreError> {
    let names = reader.files.list()?;
    let headers = read_headers(reader, &names)?;
    let mut loaded = Loaded {
        index: Index::new(Arc::clone(reader)),
        epoch: 0,
        store: None,
        next: 1 + names.iter().map(|name| name.number()).max().unwrap_or(0),
        checkpoint: None,
        damage: Vec::new(),
        cut_frames: 0,
        replayed_bytes: 0,
        names,
    };
    for (_, header) in headers.values().flatten() {
        loaded.epoch = loaded.epoch.max(header.epoch);
        loaded.store = loaded.store.or(Some(header.store));
    }
    let moment = loaded.take_checkpoint(reader, &headers)?;
    replay::replay(reader, &headers, &moment, &mut loaded)?;
    loaded.next = loaded.next.max(moment.next_segment);
    Ok(loaded)
}

/// Reads the headers of all segments. If there are files of a journal and the key opens none of them, it is the wrong
/// one; if it opens some, the others are damaged. So are segments that came here from another store.
fn read_headers(reader: &Reader, names: &[Name]) -> Result<BTreeMap<u64, Found>, StoreError> {
    let mut segments = BTreeMap::new();
    let (mut store, mut refused) = (None, None);
    for name in names {
        let found = match name {
            Name::Segment(id) => Segment::load(&reader.files, *id, &reader.keyring)?,
            Name::Checkpoint(_) => checkpoint_header(reader, *name)?,
            _ => continue,
        };
        match &found {
            // Checkpoints come after segments, so the newest of them decides which store this is.
            Ok((_, header)) => store = Some(header.store),
            Err(why @ Unusable::Version(_)) => return Err(unusable_error(&reader.files, *name, *why)),
            Err(Unusable::WrongKey) => refused = refused.or(Some(*name)),
            Err(Unusable::Damaged) => {}
        }
        if let Name::Segment(id) = name {
            segments.insert(*id, found);
        }
    }
    if let (Some(name), None) = (refused, store) {
        return Err(unusable_error(&reader.files, name, Unusable::WrongKey));
    }
    for found in segments.values_mut() {
        if found.as_ref().is_ok_and(|(_, header)| Some(header.store) != store) {
            *found = Err(Unusable::Damaged);
        }
    }
    Ok(segments)
}

fn checkpoint_header(reader: &Reader, name: Name) -> Result<Found, StoreError> {
    let mut bytes = [0; HEADER_LEN];
    let file = reader.files.open(name)?;
    file.read_at(&mut bytes, 0).map_err(|error| reader.files.error(name, "read", &error))?;
    let header = Header::read(&bytes, &reader.keyring);
    Ok(header.map(|(header, _)| (Segment::unreadable(header.id, header.epoch), header)))
}

impl Loaded {
    /// Takes in the newest checkpoint that can be read.
    fn take_checkpoint(
        &mut self,
        reader: &Reader,
        headers: &BTreeMap<u64, Found>,
    ) -> Result<Moment, StoreError> {
        let mut numbers: Vec<u64> = self.names.iter().filter_map(|name| name.checkpoint()).collect();
        let any = !numbers.is_empty();
        while let Some(number) = numbers.pop() {
            match checkpoint::read(reader, number) {
                Ok(checkpoint) => return self.link_checkpoint(reader, headers, number, checkpoint),
                Err(error @ StoreError::Io { .. }) => return Err(error),
                Err(error) => {
                    self.damage.push(format!("{error}: an older checkpoint is used, or the whole log"));
                }
            }
        }
        if any {
            self.damage.push(NO_CHECKPOINT.into());
        }
        Ok(Moment::default())
    }

    fn link_checkpoint(
        &mut self,
        reader: &Reader,
        headers: &BTreeMap<u64, Found>,
        number: u64,
        checkpoint: Checkpoint,
    ) -> Result<Moment, StoreError> {
        let Checkpoint { epoch, store, moment, segments, state } = checkpoint;
        self.epoch = self.epoch.max(epoch);
        self.store = Some(store);
        self.index.last = moment.last;
        self.index.state = state;
        let listed = segments.iter().map(|summary| summary.id).collect();
        self.checkpoint = Some(Kept { number, replay_from: moment.replay_from, segments: listed });
        for summary in segments {
            self.link_segment(reader, headers, summary)?;
        }
        Ok(moment)
    }

    /// Takes in a closed segment, with as much of it as there is.
    fn link_segment(
        &mut self,
        reader: &Reader,
        headers: &BTreeMap<u64, Found>,
        summary: Summary,
    ) -> Result<(), StoreError> {
        let (id, known) = (summary.id, summary.known());
        let has_table = self.names.contains(&Name::Table(id));
        let found = headers.get(&id).map(|found| found.as_ref().map(|(segment, _)| Arc::clone(segment)));
        let fault = match &found {
            None => Some("the segment is missing".to_owned()),
            Some(Err(_)) => Some("the header of the segment is damaged".to_owned()),
            Some(Ok(segment)) => too_short(&reader.files, segment, known),
        };
        if let Some(fault) = fault {
            let place = reader.files.place(Name::Segment(id));
            let held = describe(&summary);
            self.damage.push(format!("{place}: {fault}; it held {held}"));
        }
        let readable = found.and_then(Result::ok);
        if readable.is_none() && !has_table {
            return Ok(());
        }
        let table = if has_table {
            Table::File(TableFile::new(id))
        } else {
            Table::Held(Arc::new(HeldTable::default()))
        };
        let mut closed = Closed {
            segment: readable.unwrap_or_else(|| Segment::unreadable(id, summary.epoch)),
            frames: summary.frames,
            end: summary.end,
            runs: summary.runs.into(),
            live: Arc::new(summary.live),
            table,
        };
        if !has_table {
            self.damage.extend(reconcile(reader, &mut closed)?);
        }
        self.index.link(closed);
        Ok(())
    }
}

fn too_short(files: &Files, segment: &Segment, known: Opening) -> Option<String> {
    let len = files.open(segment.name()).ok()?.len().ok()?;
    let end = u64::from(known.end);
    (len < end).then(|| format!("the segment is cut off at byte {len} of {end}"))
}

/// What lived in a segment, in words.
fn describe(summary: &Summary) -> String {
    let runs = summary.runs.iter().zip(summary.live.runs()).filter(|(_, live)| live.records > 0);
    let text = |(run, live): (&Run, &RunLive)| {
        format!("{} of stream {} ({} to {})", live.records, run.stream.0, run.first, run.last)
    };
    let runs: Vec<String> = runs.map(text).collect();
    format!("{} living records: {}", summary.live.records(), missing::list(runs.into_iter()))
}

#[cfg(test)]
mod tests;
