//! How much of the disk is used, and whether new records are taken.

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};

use crate::api::Admission;

const OPEN: u8 = 0;
const FULL: u8 = 1;
const FAILED: u8 = 2;

/// Counts bytes of files. Below the limit two segments are kept free: releases, moves and what is under way have to be
/// written when nothing else may be.
pub(crate) struct Space {
    limit: u64,
    segment: u64,
    disk: AtomicU64,
    /// Bytes on disk that wait to be written to, in the segment that is being filled and in those that are ready.
    room: AtomicU64,
    /// The operating system had no room when it was asked last.
    disk_is_full: AtomicBool,
    admission: AtomicU8,
}

impl Space {
    pub(crate) fn new(limit: u64, segment: u64) -> Self {
        Self {
            limit,
            segment,
            disk: AtomicU64::new(0),
            room: AtomicU64::new(0),
            disk_is_full: AtomicBool::new(false),
            admission: AtomicU8::new(OPEN),
        }
    }

    pub(crate) fn limit(&self) -> u64 {
        self.limit
    }

    /// Bytes in all files.
    pub(crate) fn disk(&self) -> u64 {
        self.disk.load(Ordering::Relaxed)
    }

    /// A file grew from one length to another, or shrank.
    pub(crate) fn resized(&self, from: u64, to: u64) {
        self.disk.fetch_add(to.wrapping_sub(from), Ordering::Relaxed);
        self.judge();
    }

    /// Bytes that can be written before another segment has to be made.
    pub(crate) fn room(&self) -> u64 {
        self.room.load(Ordering::Relaxed)
    }

    /// Room for frames was made ready, or used.
    pub(crate) fn room_changed(&self, from: u64, to: u64) {
        self.room.fetch_add(to.wrapping_sub(from), Ordering::Relaxed);
    }

    pub(crate) fn set_disk_is_full(&self, full: bool) {
        self.disk_is_full.store(full, Ordering::Relaxed);
        self.judge();
    }

    /// Whether the operating system had no room when it was asked last.
    pub(crate) fn disk_is_full(&self) -> bool {
        self.disk_is_full.load(Ordering::Relaxed)
    }

    /// Whether another segment may be made without going over the limit.
    pub(crate) fn may_grow(&self, bytes: u64) -> bool {
        self.disk().saturating_add(bytes) <= self.limit
    }

    pub(crate) fn is_full(&self) -> bool {
        self.admission() == Admission::Full
    }

    pub(crate) fn admission(&self) -> Admission {
        match self.admission.load(Ordering::Relaxed) {
            OPEN => Admission::Open,
            FULL => Admission::Full,
            _ => Admission::Failed,
        }
    }

    /// Nothing is taken any more.
    pub(crate) fn fail(&self) {
        self.admission.store(FAILED, Ordering::Relaxed);
    }

    /// Decides anew. What became full opens again only when another segment is free, so it does not flutter.
    pub(crate) fn judge(&self) {
        let free = self.limit.saturating_sub(self.disk()).saturating_add(self.room());
        let (low, high) = (2 * self.segment, 3 * self.segment);
        let next = if self.disk_is_full() || free < low {
            FULL
        } else if free >= high {
            OPEN
        } else {
            return;
        };
        // A failed store stays failed.
        let old = if next == FULL { OPEN } else { FULL };
        let _ = self.admission.compare_exchange(old, next, Ordering::Relaxed, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_segments_below_the_limit_it_is_full_and_with_three_free_it_opens_again() {
        let space = Space::new(1000, 100);
        space.resized(0, 750);
        assert_eq!(space.admission(), Admission::Open);
        space.resized(0, 51);
        assert_eq!(space.admission(), Admission::Full);
        space.resized(51, 0);
        assert_eq!(space.admission(), Admission::Full, "not at the first free byte");
        space.resized(750, 700);
        assert_eq!(space.admission(), Admission::Open);
        assert_eq!(space.disk(), 700);
    }

    #[test]
    fn room_in_files_counts_as_free() {
        let space = Space::new(1000, 100);
        space.room_changed(0, 200);
        space.resized(0, 950);
        assert_eq!(space.admission(), Admission::Open);
        space.room_changed(200, 140);
        space.judge();
        assert_eq!(space.admission(), Admission::Full);
    }

    #[test]
    fn a_full_disk_counts_whatever_the_limit() {
        let space = Space::new(u64::MAX, 100);
        space.set_disk_is_full(true);
        assert!(space.is_full());
        space.set_disk_is_full(false);
        assert_eq!(space.admission(), Admission::Open);
    }

    #[test]
    fn a_failed_store_stays_failed() {
        let space = Space::new(1000, 100);
        space.fail();
        space.set_disk_is_full(true);
        space.set_disk_is_full(false);
        assert_eq!(space.admission(), Admission::Failed);
    }
}
