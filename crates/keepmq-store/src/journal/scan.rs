//! Reads records back.

use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;

use super::index::{Gathered, Index, RunView};
use super::place::Entry;
use super::reader::Reader;
use super::segment::Segment;
use super::table::Piece;
use crate::api::{Locator, Page, Scan, Seq, StoreError, Stored};

/// A payload that is at least this part of its frame may share the frame's memory; a smaller one is copied, or a few
/// bytes would keep half a megabyte alive.
const SHARED_PART: usize = 4;

/// Reads a part of a stream.
pub(crate) fn scan(reader: &Reader, index: &Mutex<Index>, scan: Scan) -> Result<Page, StoreError> {
    let mut pager = Pager { reader, scan, page: Page::default(), bytes: 0, frame: None };
    let mut from = scan.from;
    loop {
        let gathered = index.lock().gather(scan.stream, from, scan.records.max(1));
        let through = gathered.through;
        let done = match pager.read(gathered, from) {
            Ok(done) => done,
            Err(Stuck::Table(id, error)) => {
                // Made again from its segment, it is in memory and cannot break once more.
                index.lock().repair(id, error)?;
                continue_from(&pager.page, &mut from);
                continue;
            }
            Err(Stuck::Failed(error)) => return Err(error),
        };
        match through.and_then(|through| through.checked_add(1)) {
            Some(next) if !done => from = next,
            _ => {
                pager.page.end = !done;
                return Ok(pager.page);
            }
        }
    }
}

/// Begins again behind what is in the page already.
fn continue_from(page: &Page, from: &mut Seq) {
    let last = page.records.last().map(|record| record.seq).max(page.lost.last().copied());
    *from = last.map_or(*from, |last| last.saturating_add(1).max(*from));
}

/// Reads single records.
pub(crate) fn read(
    reader: &Reader,
    index: &Mutex<Index>,
    list: &[Locator],
) -> Result<Vec<Option<Stored>>, StoreError> {
    let found: Vec<_> = {
        let mut index = index.lock();
        list.iter().map(|at| index.find(*at)).collect::<Result<_, _>>()?
    };
    let mut frame = None;
    let stored = |found: Option<(Arc<Segment>, Entry)>| {
        let Some((segment, entry)) = found else {
            return Ok(None);
        };
        match payload(reader, &segment, &entry, &mut frame) {
            Ok(payload) => Ok(Some(Stored { seq: entry.seq, meta: entry.meta, payload })),
            Err(error) if is_loss(&error) => Ok(None),
            Err(error) => Err(error),
        }
    };
    found.into_iter().map(stored).collect()
}

/// The frame that was read last.
type LastFrame = Option<(u64, u32, Bytes)>;

fn payload(
    reader: &Reader,
    segment: &Segment,
    entry: &Entry,
    last: &mut LastFrame,
) -> Result<Bytes, StoreError> {
    let at = entry.place.frame;
    let frame = match last {
        Some((id, frame_at, frame)) if (*id, *frame_at) == (segment.id, at) => frame,
        _ => &mut last.insert((segment.id, at, reader.frame(segment, at)?)).2,
    };
    let payload = entry.place.payload(frame);
    let payload = payload.ok_or_else(|| {
        reader.files.corrupt(segment.name(), u64::from(at), "a record reaches beyond its frame")
    })?;
    let shared = payload.len() >= frame.len() / SHARED_PART;
    Ok(if shared { payload } else { Bytes::copy_from_slice(&payload) })
}

/// Whether a record is gone, as opposed to a disk that cannot be read just now.
fn is_loss(error: &StoreError) -> bool {
    matches!(error, StoreError::Corrupt { .. })
}

/// Why a page cannot be read on.
enum Stuck {
    /// The table of a segment cannot be read.
    Table(u64, StoreError),
    Failed(StoreError),
}

struct Pager<'a> {
    reader: &'a Reader,
    scan: Scan,
    page: Page,
    bytes: usize,
    frame: LastFrame,
}

impl Pager<'_> {
    /// Adds what was gathered; true when the page is full and something is left over.
    fn read(&mut self, gathered: Gathered, from: Seq) -> Result<bool, Stuck> {
        let through = gathered.through.unwrap_or(Seq::MAX);
        let mut merge = Merge::new(self.reader, gathered, from)?;
        while let Some((segment, entry)) = merge.next(self.reader)? {
            if entry.seq > through {
                break;
            }
            if self.is_full() {
                return Ok(true);
            }
            match payload(self.reader, &segment, &entry, &mut self.frame) {
                Ok(payload) => {
                    self.bytes += payload.len();
                    self.page.records.push(Stored { seq: entry.seq, meta: entry.meta, payload });
                }
                Err(error) if is_loss(&error) => {
                    self.page.lost.push(entry.seq);
                    if self.page.damage.last() != Some(&error) {
                        self.page.damage.push(error);
                    }
                }
                Err(error) => return Err(Stuck::Failed(error)),
            }
        }
        Ok(false)
    }

    fn is_full(&self) -> bool {
        let records = self.page.records.len();
        records >= self.scan.records || (records > 0 && self.bytes >= self.scan.bytes)
    }
}

/// Several sorted lists, read as one.
struct Merge {
    young: Option<(Arc<Segment>, std::vec::IntoIter<Entry>)>,
    runs: Vec<RunCursor>,
    /// The next entry of each list, the young one last.
    heads: Vec<Option<Entry>>,
}

impl Merge {
    fn new(reader: &Reader, gathered: Gathered, from: Seq) -> Result<Self, Stuck> {
        let mut runs = Vec::with_capacity(gathered.runs.len());
        for view in gathered.runs {
            runs.push(RunCursor::new(reader, view, from)?);
        }
        let young = gathered.young.map(|(segment, list)| (segment, list.into_iter()));
        let mut merge = Self { young, runs, heads: Vec::new() };
        for list in 0..=merge.runs.len() {
            let head = merge.advance(reader, list)?;
            merge.heads.push(head);
        }
        Ok(merge)
    }

    fn next(&mut self, reader: &Reader) -> Result<Option<(Arc<Segment>, Entry)>, Stuck> {
        let heads = self.heads.iter().enumerate();
        let lowest = heads.filter_map(|(list, head)| head.map(|entry| (entry.seq, list))).min();
        let Some((_, list)) = lowest else { return Ok(None) };
        let next = self.advance(reader, list)?;
        let Some(entry) = self.heads.get_mut(list).and_then(|head| std::mem::replace(head, next)) else {
            return Ok(None);
        };
        let segment = match (self.runs.get(list), &self.young) {
            (Some(run), _) => Arc::clone(&run.view.segment),
            (None, Some((segment, _))) => Arc::clone(segment),
            (None, None) => return Ok(None),
        };
        Ok(Some((segment, entry)))
    }

    fn advance(&mut self, reader: &Reader, list: usize) -> Result<Option<Entry>, Stuck> {
        match self.runs.get_mut(list) {
            Some(run) => run.next(reader),
            None => Ok(self.young.as_mut().and_then(|(_, list)| list.next())),
        }
    }
}

/// A place in a run.
struct RunCursor {
    view: RunView,
    /// The next ordinal to look at.
    next: u32,
    /// Entries that were read, and the ordinal of the first.
    piece: Option<(Piece, u32)>,
}

impl RunCursor {
    fn new(reader: &Reader, view: RunView, from: Seq) -> Result<Self, Stuck> {
        let below = view.table.below(reader, view.index, &view.run, from);
        let below = below.map_err(|error| Stuck::Table(view.segment.id, error))?;
        let next = view.run.start + below;
        Ok(Self { view, next, piece: None })
    }

    fn next(&mut self, reader: &Reader) -> Result<Option<Entry>, Stuck> {
        let run = self.view.run;
        let Some(ordinal) = self.view.live.first_in(self.next..run.end()) else {
            return Ok(None);
        };
        self.next = ordinal + 1;
        if let Some(entry) = self.piece.as_ref().and_then(|piece| entry_of(piece, ordinal)) {
            return Ok(Some(entry));
        }
        let piece = self.view.table.piece(reader, self.view.index, &run, ordinal - run.start);
        let piece = piece.map_err(|error| Stuck::Table(self.view.segment.id, error))?;
        Ok(entry_of(self.piece.insert((piece, ordinal)), ordinal))
    }
}

fn entry_of((piece, first): &(Piece, u32), ordinal: u32) -> Option<Entry> {
    let step = usize::try_from(ordinal.checked_sub(*first)?).ok()?;
    piece.entries().get(step).copied()
}

#[cfg(test)]
mod tests;
