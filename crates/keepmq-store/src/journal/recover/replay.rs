//! Carries out again what the log says since the checkpoint.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;

use super::super::checkpoint::Moment;
use super::super::files::Name;
use super::super::frame::FrameHead;
use super::super::index::Index;
use super::super::place::Place;
use super::super::reader::Reader;
use super::super::rebuild::place_of;
use super::super::record::{Opening, Record, Records, Targets};
use super::super::segment::Segment;
use super::super::walk::{End, Gap, Step, Walk};
use super::missing::{Neighbours, restore_from_table};
use super::{Found, Loaded};
use crate::api::{Locator, Seq, StoreError, StreamId};

/// What damaged frames mean besides what they held.
const RELEASES: &str = "what they released may come back";

/// Reads the segments from the checkpoint on, in their order.
pub(super) fn replay(
    reader: &Arc<Reader>,
    headers: &BTreeMap<u64, Found>,
    moment: &Moment,
    loaded: &mut Loaded,
) -> Result<(), StoreError> {
    let openings = openings(reader, headers, moment.replay_from)?;
    report_missing(reader, headers, moment, &openings, loaded);
    // What the later segments say about the earlier ones.
    let known: BTreeMap<u64, Opening> =
        openings.values().flatten().map(|opening| (opening.segment, *opening)).collect();
    let last_written = openings.keys().next_back().copied();
    for (id, header) in headers.range(moment.replay_from..) {
        let known = known.get(id).copied();
        match header {
            Ok((segment, _)) if openings.contains_key(id) => {
                let mut replay = Replay::new(reader, Arc::clone(segment), loaded);
                replay.run(known, last_written == Some(*id))?;
            }
            // It was made ready and never written to.
            Ok(_) => {}
            Err(_) => lose_segment(reader, *id, known, loaded),
        }
    }
    Ok(())
}

/// What each segment that was written to says about the one before; `None` when just that is damaged.
fn openings(
    reader: &Reader,
    headers: &BTreeMap<u64, Found>,
    from: u64,
) -> Result<BTreeMap<u64, Option<Opening>>, StoreError> {
    let mut openings = BTreeMap::new();
    for (id, header) in headers.range(from..) {
        let Ok((segment, _)) = header else { continue };
        let opening = segment.opening(&reader.files)?;
        // Frames that were torn before any was whole say nothing: not even that the segment before is whole.
        if opening.is_some() || !matches!(Walk::new(&reader.files, segment, None)?.next()?, Step::End(_)) {
            openings.insert(*id, opening);
        }
    }
    Ok(openings)
}

/// Reports segments that must be there and are not.
fn report_missing(
    reader: &Reader,
    headers: &BTreeMap<u64, Found>,
    moment: &Moment,
    openings: &BTreeMap<u64, Option<Opening>>,
    loaded: &mut Loaded,
) {
    // One of which nothing counts may have been given back at once.
    let written = openings.values().flatten().filter(|opening| opening.frames > 0);
    let mut missing: Vec<u64> = written.map(|opening| opening.segment).collect();
    if moment.replay_from > 0 && !moment.closed {
        missing.push(moment.replay_from);
    }
    missing.sort_unstable();
    missing.dedup();
    missing.retain(|id| *id != 0 && *id >= moment.replay_from && !headers.contains_key(id));
    for id in missing {
        let place = reader.files.place(Name::Segment(id));
        loaded
            .damage
            .push(format!("{place}: the segment is missing, and all that was put and released in it"));
    }
}

/// A segment that cannot be opened: what its table names is kept as lost.
fn lose_segment(reader: &Reader, id: u64, known: Option<Opening>, loaded: &mut Loaded) {
    let place = reader.files.place(Name::Segment(id));
    let segment = Segment::unreadable(id, 0);
    let (frames, end) = known.map_or((0, u32::MAX), |known| (known.frames, known.end));
    loaded.index.begin(segment);
    let held = restore_from_table(reader, id, 0..u64::MAX, &mut loaded.index);
    loaded.index.close(frames, end);
    loaded.damage.push(format!(
        "{place}: the header of the segment is damaged, so nothing in it can be read; {}",
        held.unwrap_or_else(|| "what it held is not known".into())
    ));
}

/// Carries out the frames of one segment.
struct Replay<'a> {
    reader: &'a Arc<Reader>,
    segment: Arc<Segment>,
    loaded: &'a mut Loaded,
    /// Changes of a batch whose last frame was not seen yet, and where the first of its frames stands.
    open: Vec<Change>,
    open_from: Option<(u32, u32)>,
    begun: bool,
    frames: u32,
    /// What is being learned about the last gap.
    neighbours: Option<Neighbours>,
}

/// A change as it will be carried out.
enum Change {
    Put { targets: Targets, place: Place, moved: bool },
    Release(Locator),
    Truncate { stream: StreamId, from: Seq, through: Seq },
    Set { key: Bytes, value: Bytes },
    Unset { key: Bytes },
}

impl<'a> Replay<'a> {
    fn new(reader: &'a Arc<Reader>, segment: Arc<Segment>, loaded: &'a mut Loaded) -> Self {
        Self {
            reader,
            segment,
            loaded,
            open: Vec::new(),
            open_from: None,
            begun: false,
            frames: 0,
            neighbours: None,
        }
    }

    fn run(&mut self, known: Option<Opening>, is_last: bool) -> Result<(), StoreError> {
        let (reader, segment) = (Arc::clone(self.reader), Arc::clone(&self.segment));
        let mut walk = Walk::new(&reader.files, &segment, known)?;
        loop {
            match walk.next()? {
                Step::Frame { at, head, records } => self.frame(at, &head, records)?,
                Step::Damage(gap) => self.gap(&gap)?,
                Step::End(end) => {
                    self.end(end, is_last);
                    return Ok(());
                }
            }
        }
    }

    fn begin(&mut self) {
        if !self.begun {
            self.begun = true;
            self.loaded.index.begin(Arc::clone(&self.segment));
        }
    }

    fn frame(&mut self, at: u32, head: &FrameHead, records: &[u8]) -> Result<(), StoreError> {
        self.begin();
        self.loaded.replayed_bytes += u64::from(head.length);
        self.open_from = self.open_from.or(Some((head.number, at)));
        for record in Records::new(records) {
            match record {
                Ok(record) => self.open.extend(change_of(record, at)),
                Err(malformed) => {
                    let fault =
                        self.reader.files.corrupt(self.segment.name(), u64::from(at), malformed.to_string());
                    self.loaded.damage.push(fault.to_string());
                }
            }
        }
        self.frames = head.number + 1;
        if head.continues { Ok(()) } else { self.carry_out() }
    }

    fn carry_out(&mut self) -> Result<(), StoreError> {
        self.open_from = None;
        for change in self.open.drain(..) {
            if let (Some(neighbours), Change::Put { targets, moved: false, .. }) =
                (&mut self.neighbours, &change)
            {
                neighbours.notice(targets, &self.loaded.index);
            }
            change.carry_out(&mut self.loaded.index)?;
        }
        Ok(())
    }

    /// Frames that had been synced are gone. Their batches were reported as durable, so what is left of these counts.
    fn gap(&mut self, gap: &Gap) -> Result<(), StoreError> {
        self.begin();
        self.carry_out()?;
        self.frames = gap.frames.end;
        self.report_gap();
        let what = gap.describe(&self.reader.files, self.segment.name());
        let held =
            restore_from_table(self.reader, self.segment.id, gap.bytes.clone(), &mut self.loaded.index);
        match held {
            Some(held) => self.loaded.damage.push(format!("{what}; {held}; {RELEASES}")),
            None => self.neighbours = Some(Neighbours::new(what)),
        }
        Ok(())
    }

    /// Reports the last gap with what was learned about it.
    fn report_gap(&mut self) {
        if let Some(neighbours) = self.neighbours.take() {
            self.loaded.damage.push(format!("{}; {RELEASES}", neighbours.describe()));
        }
    }

    fn end(&mut self, end: End, is_last: bool) {
        self.report_gap();
        let (mut frames, mut at) = (self.frames, end.at);
        if let Some((number, from)) = self.open_from {
            // The rest of its batch was never written: it does not count.
            self.loaded.cut_frames += u64::from(frames - number);
            (frames, at) = (number, from);
        }
        if end.torn {
            self.loaded.cut_frames += 1;
        }
        if end.torn && !is_last {
            let place = self.reader.files.place(self.segment.name());
            let gap = format!("{place} at byte {}: the frames from number {frames} on are damaged", end.at);
            self.loaded.damage.push(gap);
        }
        if self.begun {
            self.loaded.index.close(frames, at);
        }
    }
}

/// What a record of a frame at `at` changes.
fn change_of(record: Record<'_>, at: u32) -> Option<Change> {
    Some(match record {
        Record::Put { targets, payload, moved } => {
            let place = place_of(&targets, at, payload);
            Change::Put { targets, place, moved }
        }
        Record::Release(locator) => Change::Release(locator),
        Record::Truncate { stream, from, through } => Change::Truncate { stream, from, through },
        Record::Set { key, value } => {
            Change::Set { key: Bytes::copy_from_slice(key), value: Bytes::copy_from_slice(value) }
        }
        Record::Unset { key } => Change::Unset { key: Bytes::copy_from_slice(key) },
        Record::Opening(_) => return None,
    })
}

impl Change {
    fn carry_out(self, index: &mut Index) -> Result<(), StoreError> {
        match self {
            Self::Put { targets, place, moved } => {
                targets.into_iter().try_for_each(|target| index.put(target, place, moved))?;
            }
            Self::Release(at) => {
                index.release(at)?;
            }
            Self::Truncate { stream, from, through } => index.truncate(stream, from, through)?,
            Self::Set { key, value } => index.state.set(&key, &value),
            Self::Unset { key } => index.state.unset(&key),
        }
        Ok(())
    }
}
