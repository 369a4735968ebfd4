//! Looks at a store that is not open: what is damaged in it, and what holds the disk.
//!
//! Nothing is changed. While a broker has the store both refuse with [`StoreError::Fenced`].

mod stat;
mod verify;

use std::sync::Arc;

pub use stat::{Holder, SegmentStat, Stat, stat};
pub use verify::{Fault, Report, verify};

use super::Held;
use super::files::Files;
use super::open;
use super::options::Options;
use super::reader::Reader;
use super::seal::MasterKey;
use crate::api::StoreError;
use crate::disk::Disk;

/// Takes a directory for looking at it.
fn look(disk: Arc<dyn Disk>, key: Option<MasterKey>) -> Result<(Arc<Reader>, Option<Held>), StoreError> {
    let files = Files::new(disk);
    let held = files.lock_if_present()?;
    let options = Options { master_key: key, ..Options::plain() };
    Ok((Arc::new(open::reader(files, &options)?), held))
}

#[cfg(test)]
mod tests;
