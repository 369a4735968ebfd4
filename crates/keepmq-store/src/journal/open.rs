//! Opens a journal: reads what is there, makes it last as found, and begins a new segment.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::Held;
use super::files::{Files, WriteError};
use super::keeper::{Keeper, Ready};
use super::options::Options;
use super::reader::Reader;
use super::recover::{Loaded, load};
use super::seal::Keyring;
use super::segment::DATA_START;
use super::shared::Shared;
use super::space::Space;
use super::writer::Writer;
use crate::api::{OnDurable, Recovery, StoreError, StreamId};
use crate::disk::Disk;

/// Unless there is a spare, the first segment is not longer than this, so that a start need not wait for its file.
const FIRST: u64 = 8 << 20;

/// When the disk is so full that no segment can be made, one of this part of the length may do.
const SMALLEST_PART: u64 = 16;

/// The parts of an open journal.
pub(super) struct Opened {
    pub(super) shared: Arc<Shared>,
    pub(super) writer: Writer,
    pub(super) keeper: Keeper,
    pub(super) recovery: Recovery,
    pub(super) held: Held,
}

pub(super) fn open(
    disk: Arc<dyn Disk>,
    options: &Options,
    on_durable: OnDurable,
) -> Result<Opened, StoreError> {
    let files = Files::new(disk);
    let held = files.lock()?;
    let reader = Arc::new(reader(files, options)?);
    let mut loaded = load(&reader)?;
    let store = match loaded.store {
        Some(store) => store,
        None => new_store_id(&reader.files)?,
    };
    let recovery = recovery(&mut loaded);
    let space = Space::new(options.max_bytes, options.segment_len());
    let index = std::mem::replace(&mut loaded.index, super::index::Index::new(Arc::clone(&reader)));
    let shared = Arc::new(Shared::new(reader, index, space, on_durable, options.lazy_delay));
    shared.counters.torn.store(loaded.cut_frames, Ordering::Relaxed);
    let mut keeper = Keeper::new(Arc::clone(&shared), options, &loaded, store);
    keeper.sweep(&loaded)?;
    let ready = first_segment(&mut keeper, &shared, options.segment_len())?;
    let writer = Writer::open(Arc::clone(&shared), ready, options.frame_len())?;
    Ok(Opened { shared, writer, keeper, recovery, held })
}

/// What is needed to read a directory.
pub(super) fn reader(files: Files, options: &Options) -> Result<Reader, StoreError> {
    let keyring = Keyring::new(options.master_key.as_ref()).map_err(|_| no_randomness(&files))?;
    Ok(Reader::new(files, keyring, options.table_cache_bytes, options.frame_cache_bytes))
}

fn new_store_id(files: &Files) -> Result<[u8; 16], StoreError> {
    let mut id = [0; 16];
    aws_lc_rs::rand::fill(&mut id).map_err(|_| no_randomness(files))?;
    Ok(id)
}

fn no_randomness(files: &Files) -> StoreError {
    files.seal_error(super::files::Name::Segment(0))
}

fn recovery(loaded: &mut Loaded) -> Recovery {
    let mut ids: Vec<StreamId> = loaded.index.streams().collect();
    ids.sort_unstable();
    let streams = ids.into_iter().filter_map(|id| loaded.index.info(id)).collect();
    let mut damage = loaded.damage.clone();
    damage.append(&mut loaded.index.faults);
    Recovery { state: loaded.index.state.sorted(), streams, epoch: loaded.epoch + 1, damage }
}

/// A store on a full disk must open, or nothing could ever be released from it.
fn first_segment(keeper: &mut Keeper, shared: &Shared, full: u64) -> Result<Ready, StoreError> {
    let mut len = if keeper.has_spare() { full } else { full.min(FIRST) };
    loop {
        match keeper.prepare_of(len) {
            Ok(ready) => return Ok(ready),
            Err(WriteError::Failed(error)) => return Err(error),
            Err(WriteError::NoRoom) if len > (full / SMALLEST_PART).max(2 * u64::from(DATA_START)) => {
                shared.space.set_disk_is_full(true);
                len /= 2;
            }
            Err(WriteError::NoRoom) => {
                return Err(StoreError::Full { used: shared.space.disk(), limit: shared.space.limit() });
            }
        }
    }
}
