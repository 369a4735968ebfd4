//! A segment: a file of frames under one key.

use std::sync::Arc;

use super::files::{Files, Name};
use super::frame::{FrameHead, HEAD_LEN};
use super::header::{HEADER_LEN, Header, Kind, Unusable, VERSION};
use super::record::{Opening, Record, Records};
use super::seal::{Keyring, Seal};
use crate::api::StoreError;
use crate::disk::DiskFile;

/// Where frames begin. Before them lies the header, twice: a damaged sector must not cost the whole segment.
pub(crate) const DATA_START: u32 = 8192;

const HEADER_PLACES: [u64; 2] = [0, 4096];

/// What is read at first when the length of a frame is not known yet.
const FIRST_READ: usize = 16 * 1024;

/// A segment that can be read. Its file is renamed and written anew only when nobody holds this any more.
pub(crate) struct Segment {
    pub(crate) id: u64,
    pub(crate) epoch: u64,
    /// `None` when the header is lost, and everything with it.
    seal: Option<Seal>,
}

impl Segment {
    /// Writes the header of a new segment into its file.
    pub(crate) fn start(
        files: &Files,
        file: &dyn DiskFile,
        header: Header,
        keyring: &Keyring,
    ) -> Result<Arc<Self>, StoreError> {
        let name = Name::Segment(header.id);
        let (bytes, seal) = header.write(keyring).map_err(|_| files.seal_error(name))?;
        for place in HEADER_PLACES {
            file.write_at(&bytes, place).map_err(|error| files.error(name, "write", &error))?;
        }
        Ok(Arc::new(Self { id: header.id, epoch: header.epoch, seal: Some(seal) }))
    }

    /// A segment of which only the number is known: nothing in it can be read.
    pub(crate) fn unreadable(id: u64, epoch: u64) -> Arc<Self> {
        Arc::new(Self { id, epoch, seal: None })
    }

    /// Reads the header, from its second place when the first is damaged.
    pub(crate) fn load(
        files: &Files,
        id: u64,
        keyring: &Keyring,
    ) -> Result<Result<(Arc<Self>, Header), Unusable>, StoreError> {
        let name = Name::Segment(id);
        let file = files.open(name)?;
        let mut found = Err(Unusable::Damaged);
        for place in HEADER_PLACES {
            let mut bytes = [0; HEADER_LEN];
            file.read_at(&mut bytes, place).map_err(|error| files.error(name, "read", &error))?;
            found = Header::read(&bytes, keyring);
            if found.as_ref().is_err_and(|why| *why == Unusable::Damaged) {
                continue;
            }
            break;
        }
        Ok(found.and_then(|(header, seal)| {
            // A file that was copied or renamed by hand must not pass for another.
            if header.kind != Kind::Segment || header.id != id {
                return Err(Unusable::Damaged);
            }
            Ok((Arc::new(Self { id, epoch: header.epoch, seal: Some(seal) }), header))
        }))
    }

    /// The places of headers that are damaged, where the other one is good.
    pub(crate) fn damaged_headers(files: &Files, id: u64, keyring: &Keyring) -> Result<Vec<u64>, StoreError> {
        let (name, mut damaged) = (Name::Segment(id), Vec::new());
        let file = files.open(name)?;
        for place in HEADER_PLACES {
            let mut bytes = [0; HEADER_LEN];
            file.read_at(&mut bytes, place).map_err(|error| files.error(name, "read", &error))?;
            if Header::read(&bytes, keyring).is_err() {
                damaged.push(place);
            }
        }
        Ok(damaged)
    }

    pub(crate) fn name(&self) -> Name {
        Name::Segment(self.id)
    }

    pub(crate) fn seal(&self) -> Option<&Seal> {
        self.seal.as_ref()
    }

    /// Whether a frame says that it was written for this segment.
    pub(crate) fn owns(&self, head: &FrameHead) -> bool {
        head.segment == self.id && head.epoch == self.epoch
    }

    /// What the first record says about the segment before; `None` when nothing was written here, or it is damaged.
    pub(crate) fn opening(&self, files: &Files) -> Result<Option<Opening>, StoreError> {
        match self.frame(files, DATA_START) {
            Ok(frame) => match Records::new(&frame).next() {
                Some(Ok(Record::Opening(opening))) => Ok(Some(opening)),
                _ => Ok(None),
            },
            Err(StoreError::Corrupt { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Reads and opens one frame.
    pub(crate) fn frame(&self, files: &Files, at: u32) -> Result<Vec<u8>, StoreError> {
        let at = u64::from(at);
        let fault = |what: &str| files.corrupt(self.name(), at, what);
        let Some(seal) = &self.seal else {
            return Err(fault("the header of the segment is lost"));
        };
        let file = files.read(self.name())?;
        let mut bytes = self.read_some(files, &*file, at, FIRST_READ)?;
        let (head, crc) = FrameHead::parse(&bytes).ok_or_else(|| fault("there is no frame here"))?;
        if !self.owns(&head) {
            return Err(fault("the frame belongs to another segment"));
        }
        let len = HEAD_LEN + usize::try_from(head.length).unwrap_or(usize::MAX - HEAD_LEN);
        if len > bytes.len() {
            let there = file.len().map_err(|error| files.error(self.name(), "read", &error))?;
            if there.saturating_sub(at) < len as u64 {
                return Err(fault("the frame is cut off"));
            }
            bytes = self.read_some(files, &*file, at, len)?;
        }
        bytes.truncate(len);
        bytes.drain(..HEAD_LEN);
        if !head.intact(crc, &bytes) {
            return Err(fault("the checksum does not agree"));
        }
        let opened = head.open(seal, &mut bytes).ok_or_else(|| fault("the seal does not agree"))?.len();
        bytes.truncate(opened);
        Ok(bytes)
    }

    fn read_some(
        &self,
        files: &Files,
        file: &dyn DiskFile,
        at: u64,
        len: usize,
    ) -> Result<Vec<u8>, StoreError> {
        let mut bytes = vec![0; len];
        let read = file.read_at(&mut bytes, at).map_err(|error| files.error(self.name(), "read", &error))?;
        bytes.truncate(read);
        Ok(bytes)
    }
}

/// What to tell an operator about a file whose header cannot be used.
pub(crate) fn unusable_error(files: &Files, name: Name, why: Unusable) -> StoreError {
    match why {
        Unusable::Damaged => files.corrupt(name, 0, "the header is damaged"),
        Unusable::Version(found) => StoreError::Version { path: files.place(name), found, known: VERSION },
        Unusable::WrongKey => StoreError::WrongKey { path: files.place(name) },
    }
}

#[cfg(test)]
mod tests;
