//! The directory of a journal: its names, its open files, and errors that say which file they are about.

use std::io;
use std::sync::Arc;

use hashbrown::HashMap;
use parking_lot::Mutex;

use crate::api::StoreError;
use crate::disk::{Disk, DiskFile};

/// The file whose lock keeps other processes out.
pub(crate) const LOCK: &str = "lock";

/// How many files are kept open for reading. Handles are cheap to get again, and there may be thousands of files.
const OPEN_FILES: usize = 128;

/// The names in a journal's directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Name {
    Segment(u64),
    /// Where the records of a segment are.
    Table(u64),
    Checkpoint(u64),
    /// Zeroes, to become a segment.
    Spare(u64),
    /// Not finished; of no use after a crash.
    Unfinished(u64),
}

impl Name {
    pub(crate) fn text(self) -> String {
        match self {
            Self::Segment(id) => format!("segment-{id:016x}.log"),
            Self::Table(id) => format!("segment-{id:016x}.idx"),
            Self::Checkpoint(id) => format!("checkpoint-{id:016x}"),
            Self::Spare(id) => format!("spare-{id:016x}"),
            Self::Unfinished(id) => format!("unfinished-{id:016x}"),
        }
    }

    /// The number in the name.
    pub(crate) fn number(self) -> u64 {
        match self {
            Self::Segment(id)
            | Self::Table(id)
            | Self::Checkpoint(id)
            | Self::Spare(id)
            | Self::Unfinished(id) => id,
        }
    }

    /// The number of a checkpoint, if it is one.
    pub(crate) fn checkpoint(self) -> Option<u64> {
        if let Self::Checkpoint(number) = self { Some(number) } else { None }
    }

    fn parse(text: &str) -> Option<Self> {
        let number = |middle: &str| u64::from_str_radix(middle, 16).ok();
        let name = if let Some(rest) = text.strip_prefix("segment-") {
            match rest.split_once('.')? {
                (id, "log") => Self::Segment(number(id)?),
                (id, "idx") => Self::Table(number(id)?),
                _ => return None,
            }
        } else if let Some(id) = text.strip_prefix("checkpoint-") {
            Self::Checkpoint(number(id)?)
        } else if let Some(id) = text.strip_prefix("spare-") {
            Self::Spare(number(id)?)
        } else {
            Self::Unfinished(number(text.strip_prefix("unfinished-")?)?)
        };
        // Only the one way of writing a name is ours.
        (name.text() == text).then_some(name)
    }
}

/// Why something could not be written.
#[derive(Debug)]
pub(crate) enum WriteError {
    /// The disk is full: there may be room later.
    NoRoom,
    /// The disk fails.
    Failed(StoreError),
}

impl From<StoreError> for WriteError {
    fn from(error: StoreError) -> Self {
        Self::Failed(error)
    }
}

/// A directory whose errors become [`StoreError`]s, and a few open files of it.
pub(crate) struct Files {
    disk: Arc<dyn Disk>,
    open: Mutex<OpenFiles>,
}

#[derive(Default)]
struct OpenFiles {
    handles: HashMap<Name, (Arc<dyn DiskFile>, u64)>,
    /// Counts uses, to tell which handle was used last.
    uses: u64,
}

impl Files {
    pub(crate) fn new(disk: Arc<dyn Disk>) -> Self {
        Self { disk, open: Mutex::default() }
    }

    /// What to call a file in front of an operator.
    pub(crate) fn place(&self, name: Name) -> String {
        self.disk.place(&name.text())
    }

    /// The files of the journal; others are not ours and left alone.
    pub(crate) fn list(&self) -> Result<Vec<Name>, StoreError> {
        let texts = self.disk.list().map_err(|error| self.directory_error("list", &error))?;
        let mut names: Vec<Name> = texts.iter().filter_map(|text| Name::parse(text)).collect();
        names.sort_unstable();
        Ok(names)
    }

    /// Takes the directory for this process for as long as the handle lives.
    pub(crate) fn lock(&self) -> Result<Arc<dyn DiskFile>, StoreError> {
        self.disk.lock(LOCK).map_err(|error| match error.kind() {
            io::ErrorKind::WouldBlock => StoreError::Fenced { path: self.disk.place(LOCK) },
            _ => self.error_at(LOCK, "lock", &error),
        })
    }

    /// Takes the directory if there is a lock file to take it by. Where there is none, nobody has it.
    pub(crate) fn lock_if_present(&self) -> Result<Option<Arc<dyn DiskFile>>, StoreError> {
        let texts = self.disk.list().map_err(|error| self.directory_error("list", &error))?;
        if texts.iter().any(|text| text == LOCK) { self.lock().map(Some) } else { Ok(None) }
    }

    /// A handle for reading, which is kept for the next time.
    pub(crate) fn read(&self, name: Name) -> Result<Arc<dyn DiskFile>, StoreError> {
        let mut open = self.open.lock();
        open.uses += 1;
        let now = open.uses;
        if let Some((file, used)) = open.handles.get_mut(&name) {
            *used = now;
            return Ok(Arc::clone(file));
        }
        let file = self.open(name)?;
        if open.handles.len() >= OPEN_FILES {
            let oldest = open.handles.iter().min_by_key(|(_, (_, used))| *used).map(|(name, _)| *name);
            oldest.map(|name| open.handles.remove(&name));
        }
        open.handles.insert(name, (Arc::clone(&file), now));
        Ok(file)
    }

    pub(crate) fn open(&self, name: Name) -> Result<Arc<dyn DiskFile>, StoreError> {
        self.disk.open(&name.text()).map_err(|error| match error.kind() {
            // A file that is gone will not come back, unlike one that cannot be opened just now.
            io::ErrorKind::NotFound => self.corrupt(name, 0, "the file is missing"),
            _ => self.error(name, "open", &error),
        })
    }

    pub(crate) fn create(&self, name: Name) -> io::Result<Arc<dyn DiskFile>> {
        self.disk.create(&name.text())
    }

    pub(crate) fn remove(&self, name: Name) -> Result<(), StoreError> {
        self.forget(name);
        self.disk.remove(&name.text()).map_err(|error| self.error(name, "remove", &error))
    }

    pub(crate) fn rename(&self, from: Name, to: Name) -> Result<(), StoreError> {
        self.forget(from);
        self.forget(to);
        self.disk.rename(&from.text(), &to.text()).map_err(|error| self.error(from, "rename", &error))
    }

    /// Makes creations, removals and renames last.
    pub(crate) fn sync(&self) -> Result<(), StoreError> {
        self.disk.sync().map_err(|error| self.directory_error("sync", &error))
    }

    pub(crate) fn error(&self, name: Name, action: &'static str, error: &io::Error) -> StoreError {
        self.error_at(&name.text(), action, error)
    }

    pub(crate) fn corrupt(&self, name: Name, offset: u64, what: impl Into<String>) -> StoreError {
        StoreError::Corrupt { path: self.place(name), offset, what: what.into() }
    }

    /// What a failed write means.
    pub(crate) fn write_error(&self, name: Name, action: &'static str, error: &io::Error) -> WriteError {
        if matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) {
            WriteError::NoRoom
        } else {
            WriteError::Failed(self.error(name, action, error))
        }
    }

    /// The cryptographic library refused to seal something for this file.
    pub(crate) fn seal_error(&self, name: Name) -> StoreError {
        let error = io::Error::other("the cryptographic library refused");
        self.error(name, "seal", &error)
    }

    fn forget(&self, name: Name) {
        self.open.lock().handles.remove(&name);
    }

    fn error_at(&self, text: &str, action: &'static str, error: &io::Error) -> StoreError {
        StoreError::Io { path: self.disk.place(text), action, cause: error.to_string() }
    }

    fn directory_error(&self, action: &'static str, error: &io::Error) -> StoreError {
        self.error_at("", action, error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::FaultyDisk;

    #[test]
    fn names_are_read_as_written() {
        for name in
            [Name::Segment(1), Name::Table(0xab), Name::Checkpoint(2), Name::Spare(3), Name::Unfinished(4)]
        {
            assert_eq!(Name::parse(&name.text()), Some(name));
        }
    }

    #[test]
    fn names_of_others_are_left_alone() {
        for text in
            ["", "lock", "segment-1.log", "segment-000000000000000G.log", "segment-00000000000000AB.log"]
        {
            assert_eq!(Name::parse(text), None, "{text}");
        }
        assert_eq!(Name::parse("checkpoint-0000000000000001.bak"), None);
    }

    #[test]
    fn only_a_bounded_number_of_files_stays_open() {
        let files = Files::new(Arc::new(FaultyDisk::new(1)));
        for id in 0..300 {
            files.create(Name::Table(id)).unwrap();
            files.read(Name::Table(id)).unwrap();
            files.read(Name::Table(0)).unwrap();
        }
        let open = files.open.lock();
        assert_eq!(open.handles.len(), OPEN_FILES);
        assert!(open.handles.contains_key(&Name::Table(0)), "the one in use stays");
    }

    #[test]
    fn an_error_names_the_file_and_what_was_tried() {
        let files = Files::new(Arc::new(FaultyDisk::new(1)));
        let error = files.read(Name::Checkpoint(5)).err().unwrap();
        assert_eq!(error.to_string(), "checkpoint-0000000000000005 at byte 0: the file is missing");
    }

    #[test]
    fn a_lock_that_was_never_made_is_not_made_by_looking() {
        let disk = FaultyDisk::new(1);
        let files = Files::new(Arc::new(disk.clone()));
        assert!(files.lock_if_present().unwrap().is_none());
        assert_eq!(disk.list().unwrap(), [""; 0]);
        let _held = files.lock().unwrap();
        assert!(matches!(files.lock_if_present(), Err(StoreError::Fenced { .. })));
    }
}
