//! The writer: gathers what was committed, writes and syncs it at once, and only then lets it count.

use std::collections::VecDeque;
use std::mem;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::compact::Moves;
use super::group::{Built, Group, most_bytes, with_frames};
use super::index::Index;
use super::keeper::Ready;
use super::place::Place;
use super::queue::{Queued, Stop};
use super::record::Opening;
use super::segment::DATA_START;
use super::shared::Shared;
use crate::api::{Batch, Locator, Op, StoreError};

/// A group is not made longer than this, so that the first to wait in it does not wait for too many others.
const GROUP: u64 = 8 << 20;

/// Memory that is kept for building groups.
const BUFFER: usize = 16 << 20;

/// A single batch must not take more.
const MOST_BATCH: u64 = 1 << 30;

/// A segment is closed when it has so many records, so that its table stays of a bounded size.
const MOST_ENTRIES: usize = 1 << 20;

/// How long to wait for a segment before looking whether the end was asked for.
const STARVED: Duration = Duration::from_millis(20);

/// How often to do that at the end before what waits is given up.
const PATIENCE: u32 = 300;

/// What a step came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    Worked,
    /// There was nothing to do.
    Idle,
    /// A segment is needed and none is ready.
    Starved,
    /// The end was asked for.
    Stopped,
}

/// See the module.
pub(crate) struct Writer {
    shared: Arc<Shared>,
    frame_len: usize,
    /// How often in a row there was no segment to write in.
    starved: u32,
    active: Active,
    waiting: VecDeque<Queued>,
    /// Batches of the group that is being written.
    taken: Vec<Queued>,
    buffer: Built,
}

/// The segment that is being filled.
struct Active {
    ready: Ready,
    /// Where the next frame goes.
    at: u32,
    frames: u32,
    entries: usize,
    /// What its first frame will say, as long as that was not written.
    opening: Option<Opening>,
    /// The segment before, as long as the index does not know that it is closed: how many frames, and their end.
    before: Option<Opening>,
}

/// What the store itself wants written.
#[derive(Default)]
struct Extras {
    moves: Option<Moves>,
    buried: Vec<Locator>,
}

impl Extras {
    fn is_empty(&self) -> bool {
        self.moves.is_none() && self.buried.is_empty()
    }

    fn most_bytes(&self) -> u64 {
        let buried = self.buried.len() * super::group::RECORD;
        self.moves.as_ref().map_or(0, Moves::most_bytes) + buried as u64
    }
}

impl Active {
    fn new(ready: Ready, opening: Opening) -> Self {
        Self { ready, at: DATA_START, frames: 0, entries: 0, opening: Some(opening), before: None }
    }

    fn known(&self) -> Opening {
        Opening { segment: self.ready.segment.id, frames: self.frames, end: self.at }
    }

    fn room(&self) -> u64 {
        u64::from(self.ready.capacity.saturating_sub(self.at))
    }
}

impl Writer {
    /// Begins a segment and makes it last: from then on nobody else can have written in between.
    pub(crate) fn open(shared: Arc<Shared>, ready: Ready, frame_len: usize) -> Result<Self, StoreError> {
        let opening = shared.index.lock().last;
        let active = Active::new(ready, opening);
        let mut writer = Self {
            shared,
            frame_len,
            starved: 0,
            active,
            waiting: VecDeque::new(),
            taken: Vec::new(),
            buffer: Built::empty(),
        };
        let built = writer.build(&Extras::default())?;
        writer.write(&built)?;
        writer.shared.index.lock().begin(Arc::clone(&writer.active.ready.segment));
        writer.buffer = built;
        Ok(writer)
    }

    /// Writes until the end is asked for.
    pub(crate) fn run(mut self) -> Result<(), StoreError> {
        loop {
            match self.step()? {
                Progress::Worked if !self.waiting.is_empty() => {}
                Progress::Stopped => return Ok(()),
                // Also after work: a sync for what nobody waits for would hold up who comes next. Looking for work some
                // turns before sleeping was measured: it gains nothing.
                Progress::Worked | Progress::Idle => self.shared.queue.wait(self.shared.lazy_delay),
                Progress::Starved => self.shared.queue.pause(STARVED),
            }
        }
    }

    /// Writes one group, if there is anything to write.
    pub(crate) fn step(&mut self) -> Result<Progress, StoreError> {
        if let Some(error) = self.shared.failure() {
            return Err(error.clone());
        }
        let stop = self.shared.queue.take(&mut self.waiting);
        if stop == Some(Stop::Abandon) {
            return Ok(Progress::Stopped);
        }
        let mut extras = self.extras();
        if stop.is_some() {
            // They lie well where they are.
            extras.moves = None;
        }
        if extras.is_empty() && self.waiting.is_empty() {
            return Ok(if stop.is_some() { self.finish() } else { Progress::Idle });
        }
        if !self.make_room(&extras)? {
            *self.shared.moves.lock() = extras.moves.take();
            self.shared.buried.lock().append(&mut extras.buried);
            return self.starve(stop);
        }
        self.starved = 0;
        if extras.moves.is_some() {
            // The next ones can be laid out.
            self.shared.bell.ring();
        }
        let built = self.build(&extras)?;
        self.write(&built)?;
        self.apply(&extras, &built.places)?;
        self.complete();
        self.buffer = built.trimmed(BUFFER);
        Ok(Progress::Worked)
    }

    /// Nothing more is written: the segment is closed.
    fn finish(&mut self) -> Progress {
        let mut index = self.shared.index.lock();
        if index.young().is_some() {
            index.close(self.active.frames, self.active.at);
        }
        Progress::Stopped
    }

    /// There is no segment to write in. At the end that must not last for ever, if the disk is full.
    fn starve(&mut self, stop: Option<Stop>) -> Result<Progress, StoreError> {
        self.starved += 1;
        let space = &self.shared.space;
        if stop.is_some() && space.disk_is_full() && self.starved > PATIENCE {
            return Err(StoreError::Full { used: space.disk(), limit: space.limit() });
        }
        Ok(Progress::Starved)
    }

    /// What is to be moved, as far as it still lives, and what is to be buried.
    fn extras(&self) -> Extras {
        let buried = mem::take(&mut *self.shared.buried.lock());
        let mut moves = self.shared.moves.lock().take();
        if let Some(moves) = &mut moves {
            moves.keep_living(&mut self.shared.index.lock());
            if moves.list.is_empty() {
                self.shared.bell.ring();
            }
        }
        Extras { moves: moves.filter(|moves| !moves.list.is_empty()), buried }
    }

    /// Sees to it that the first thing to write fits into the segment; false when a new one is needed and not there.
    fn make_room(&mut self, extras: &Extras) -> Result<bool, StoreError> {
        let batch = self.waiting.front().filter(|_| extras.is_empty()).map(|queued| &queued.batch);
        let records = extras.most_bytes() + batch.map_or(0, |batch| most_bytes(&batch.ops));
        let need = with_frames(records + super::group::RECORD as u64, self.frame_len);
        if need > MOST_BATCH {
            return Err(StoreError::Full { used: need, limit: MOST_BATCH });
        }
        let crowded =
            self.active.entries > 0 && self.active.entries + batch.map_or(0, entries) > MOST_ENTRIES;
        if need <= self.active.room() && !crowded {
            return Ok(true);
        }
        let length = need + u64::from(DATA_START);
        let ready = self.shared.ready.lock().take_if(|ready| u64::from(ready.capacity) >= length);
        if let Some(ready) = ready {
            self.roll(ready);
            return Ok(true);
        }
        // Once: a keeper that finds no room for it must not be asked again and again.
        if self.shared.demand.swap(length, Ordering::Relaxed) != length {
            self.shared.bell.ring();
        }
        Ok(false)
    }

    fn roll(&mut self, ready: Ready) {
        let known = self.active.known();
        self.shared.space.room_changed(self.active.room(), 0);
        self.active = Active { before: Some(known), ..Active::new(ready, known) };
        self.shared.bell.ring();
    }

    /// Makes frames of the extras and of as many batches as fit.
    fn build(&mut self, extras: &Extras) -> Result<Built, StoreError> {
        let built = self.try_build(extras);
        built.map_err(|_| self.shared.files().seal_error(self.active.ready.segment.name()))
    }

    fn try_build(&mut self, extras: &Extras) -> Result<Built, super::seal::SealFailed> {
        let active = &mut self.active;
        let buffer = mem::replace(&mut self.buffer, Built::empty());
        let mut group =
            Group::new(Arc::clone(&active.ready.segment), self.frame_len, active.at, active.frames, buffer);
        if let Some(opening) = active.opening.take() {
            group.opening(opening)?;
        }
        for one in extras.moves.iter().flat_map(|moves| &moves.list) {
            group.put(&one.targets, &one.payload, true)?;
        }
        for at in &extras.buried {
            group.release(*at)?;
        }
        let most = active.room().min(GROUP);
        while let Some(queued) = self.waiting.front() {
            let first = self.taken.is_empty() && extras.is_empty();
            let fits = group.len() + with_frames(most_bytes(&queued.batch.ops), self.frame_len) <= most;
            let crowded = active.entries + entries(&queued.batch) > MOST_ENTRIES;
            if !first && (!fits || crowded) {
                break;
            }
            queued.batch.ops.iter().try_for_each(|op| group.op(op))?;
            group.end_batch();
            active.entries += entries(&queued.batch);
            self.taken.extend(self.waiting.pop_front());
        }
        group.finish()
    }

    fn write(&mut self, built: &Built) -> Result<(), StoreError> {
        if built.bytes.is_empty() {
            return Ok(());
        }
        let (active, files) = (&mut self.active, self.shared.files());
        let (file, name) = (&active.ready.file, active.ready.segment.name());
        file.write_at(&built.bytes, u64::from(active.at))
            .map_err(|error| files.error(name, "write", &error))?;
        file.sync().map_err(|error| files.error(name, "sync", &error))?;
        let before = active.room();
        // The group was measured before it was built, so it ends inside the segment.
        active.at = active.at.saturating_add(u32::try_from(built.bytes.len()).unwrap_or(u32::MAX));
        active.frames += built.frames;
        self.shared.space.room_changed(before, active.room());
        self.shared.space.judge();
        self.shared.counters.syncs.fetch_add(1, Ordering::Relaxed);
        self.shared.counters.log_bytes.fetch_add(built.bytes.len() as u64, Ordering::Relaxed);
        Ok(())
    }

    /// Lets the index know what is durable now.
    fn apply(&mut self, extras: &Extras, places: &[Place]) -> Result<(), StoreError> {
        let mut places = places.iter().copied();
        let index = &mut *self.shared.index.lock();
        if let Some(before) = self.active.before.take() {
            index.close(before.frames, before.end);
            index.begin(Arc::clone(&self.active.ready.segment));
        }
        let mut moved = 0;
        for (one, place) in extras.moves.iter().flat_map(|moves| &moves.list).zip(&mut places) {
            one.targets.iter().try_for_each(|target| index.put(*target, place, true))?;
            moved += one.targets.len();
        }
        self.shared.counters.moved.fetch_add(moved as u64, Ordering::Relaxed);
        for at in &extras.buried {
            index.release(*at)?;
        }
        for op in self.taken.iter().flat_map(|queued| &queued.batch.ops) {
            apply_op(index, op, &mut places)?;
        }
        Ok(())
    }

    /// Tells that the batches of the group are durable.
    fn complete(&mut self) {
        let Some(last) = self.taken.last() else { return };
        let ticket = last.ticket;
        self.shared.queue.settle(self.taken.iter().map(|queued| queued.size).sum());
        self.shared.complete(ticket);
        // Only now: letting go of payloads takes time that somebody would wait for.
        self.taken.clear();
    }
}

fn apply_op(index: &mut Index, op: &Op, places: &mut impl Iterator<Item = Place>) -> Result<(), StoreError> {
    match op {
        Op::Put { targets, .. } if targets.is_empty() => {}
        Op::Put { targets, .. } => {
            if let Some(place) = places.next() {
                targets.iter().try_for_each(|target| index.put(*target, place, false))?;
            }
        }
        Op::Release(at) => {
            index.release(*at)?;
        }
        Op::Truncate { stream, from, through } => index.truncate(*stream, *from, *through)?,
        Op::Set { key, value } => index.state.set(key, value),
        Op::Unset { key } => index.state.unset(key),
    }
    Ok(())
}

/// How many records a batch adds.
fn entries(batch: &Batch) -> usize {
    let count = |op: &Op| {
        if let Op::Put { targets, .. } = op { targets.len() } else { 0 }
    };
    batch.ops.iter().map(count).sum()
}
