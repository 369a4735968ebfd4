//! What the tests of the parts of a journal share: a disk with a key, and segments filled by hand.

use std::sync::Arc;

use bytes::Bytes;
use smallvec::SmallVec;

use super::files::{Files, Name};
use super::frame::{FrameHead, HEAD_LEN};
use super::group::{Built, Group};
use super::header::{Header, Kind};
use super::place::{Entry, Place};
use super::reader::Reader;
use super::record::Opening;
use super::seal::{Keyring, MasterKey};
use super::segment::{DATA_START, Segment};
use crate::api::{Batch, Locator, Op, Payload, StreamId, Target};
use crate::disk::DiskFile;
use crate::testing::FaultyDisk;

pub(crate) const KEY: [u8; 32] = [1; 32];

pub(crate) fn reader_of(disk: &FaultyDisk) -> Arc<Reader> {
    let keyring = Keyring::new(Some(&MasterKey::new(KEY))).unwrap();
    Arc::new(Reader::new(Files::new(Arc::new(disk.clone())), keyring, 1 << 20, 1 << 20))
}

pub(crate) fn header(kind: Kind, id: u64) -> Header {
    Header { kind, id, epoch: 1, store: [3; 16] }
}

pub(crate) fn at(stream: u64, seq: u64) -> Locator {
    Locator { stream: StreamId(stream), seq }
}

pub(crate) fn target(stream: u64, seq: u64) -> Target {
    Target { at: at(stream, seq), meta: seq + 1000 }
}

pub(crate) fn entry(seq: u64, frame: u32) -> Entry {
    let place = Place { frame, offset: u32::try_from(seq % 1000).unwrap(), len: 10, fan: 1 };
    Entry { seq, meta: seq + 1000, place }
}

pub(crate) fn put(stream: u64, seq: u64, body: impl Into<Bytes>) -> Op {
    let payload = Payload { head: Bytes::new(), body: body.into() };
    Op::Put { targets: SmallVec::from_elem(target(stream, seq), 1), payload }
}

/// A segment that is filled by hand.
pub(crate) struct Filler {
    pub(crate) reader: Arc<Reader>,
    pub(crate) segment: Arc<Segment>,
    file: Arc<dyn DiskFile>,
    frame_len: usize,
    at: u32,
    frames: u32,
}

impl Filler {
    /// Begins a segment of 256 KiB whose frames are about `frame_len` long.
    pub(crate) fn new(disk: &FaultyDisk, id: u64, frame_len: usize) -> Self {
        let reader = reader_of(disk);
        let file = reader.files.create(Name::Segment(id)).unwrap();
        file.write_at(&vec![0; 256 << 10], 0).unwrap();
        let segment =
            Segment::start(&reader.files, &*file, header(Kind::Segment, id), &reader.keyring).unwrap();
        file.sync().unwrap();
        reader.files.sync().unwrap();
        Self { reader, segment, file, frame_len, at: DATA_START, frames: 0 }
    }

    /// Writes batches as one group and syncs it.
    pub(crate) fn write(&mut self, batches: &[Batch]) -> Built {
        let built = self.write_unsynced(batches);
        self.file.sync().unwrap();
        built
    }

    pub(crate) fn write_unsynced(&mut self, batches: &[Batch]) -> Built {
        let segment = Arc::clone(&self.segment);
        let mut group = Group::new(segment, self.frame_len, self.at, self.frames, Built::empty());
        for batch in batches {
            batch.ops.iter().for_each(|op| group.op(op).unwrap());
            group.end_batch();
        }
        let built = group.finish().unwrap();
        self.file.write_at(&built.bytes, u64::from(self.at)).unwrap();
        self.at += u32::try_from(built.bytes.len()).unwrap();
        self.frames += built.frames;
        built
    }

    /// Writes what the first frame of a segment holds.
    pub(crate) fn write_opening(&mut self, opening: Opening) {
        let mut group = Group::new(Arc::clone(&self.segment), 4096, self.at, self.frames, Built::empty());
        group.opening(opening).unwrap();
        let built = group.finish().unwrap();
        self.append(&built.bytes);
    }

    /// Writes a good frame around any bytes.
    pub(crate) fn write_raw(&mut self, records: &[u8]) {
        let head = FrameHead {
            continues: false,
            segment: self.segment.id,
            epoch: self.segment.epoch,
            number: self.frames,
            group: self.frames,
            length: 0,
        };
        let mut bytes = vec![0; HEAD_LEN];
        bytes.extend_from_slice(records);
        head.close(self.segment.seal().unwrap(), &mut bytes, 0).unwrap();
        self.append(&bytes);
    }

    fn append(&mut self, frame: &[u8]) {
        self.file.write_at(frame, u64::from(self.at)).unwrap();
        self.file.sync().unwrap();
        self.at += u32::try_from(frame.len()).unwrap();
        self.frames += 1;
    }

    /// What the next segment would say about this one.
    pub(crate) fn known(&self) -> Opening {
        Opening { segment: self.segment.id, frames: self.frames, end: self.at }
    }

    pub(crate) fn name(&self) -> String {
        self.segment.name().text()
    }
}

/// One batch with these changes.
pub(crate) fn batch(ops: impl IntoIterator<Item = Op>) -> Batch {
    Batch { ops: ops.into_iter().collect() }
}
