//! A directory of the operating system.

mod zeroes;

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Disk, DiskFile};

/// For the owner alone: what is stored is nobody else's business.
const DIRECTORY_MODE: u32 = 0o700;
const FILE_MODE: u32 = 0o600;

/// A directory of the operating system, made with mode 0700 and files of mode 0600.
#[derive(Debug)]
pub struct FsDisk {
    root: PathBuf,
    directory: File,
}

impl FsDisk {
    /// Opens the directory, or makes it (and those above it) when it is missing. Rights that others have to an
    /// existing directory are taken away.
    pub fn open(root: impl Into<PathBuf>) -> io::Result<Self> {
        let root = root.into();
        if !root.is_dir() {
            DirBuilder::new().recursive(true).mode(DIRECTORY_MODE).create(&root)?;
            if let Some(parent) = root.parent().filter(|parent| !parent.as_os_str().is_empty()) {
                File::open(parent)?.sync_all()?;
            }
        }
        let disk = Self::open_existing(root)?;
        if disk.directory.metadata()?.permissions().mode() & 0o077 != 0 {
            disk.directory.set_permissions(PermissionsExt::from_mode(DIRECTORY_MODE))?;
        }
        Ok(disk)
    }

    /// Opens a directory that must be there and changes nothing about it: for the offline tools.
    pub fn open_existing(root: impl Into<PathBuf>) -> io::Result<Self> {
        let root = root.into();
        let directory = File::open(&root)?;
        Ok(Self { root, directory })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.root
    }

    fn at(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    fn options() -> OpenOptions {
        let mut options = OpenOptions::new();
        options.read(true).write(true).mode(FILE_MODE);
        options
    }
}

impl Disk for FsDisk {
    fn list(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(&self.root)? {
            // A name that is no text cannot be one of ours.
            if let Ok(name) = entry?.file_name().into_string() {
                names.push(name);
            }
        }
        Ok(names)
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        let file = Self::options().open(self.at(name))?;
        Ok(Arc::new(FsFile(file)))
    }

    fn create(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        let file = Self::options().create_new(true).open(self.at(name))?;
        Ok(Arc::new(FsFile(file)))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        std::fs::remove_file(self.at(name))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        std::fs::rename(self.at(from), self.at(to))
    }

    fn sync(&self) -> io::Result<()> {
        self.directory.sync_all()
    }

    fn lock(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        let file = Self::options().create(true).truncate(false).open(self.at(name))?;
        match file.try_lock() {
            Ok(()) => Ok(Arc::new(FsFile(file))),
            Err(TryLockError::WouldBlock) => Err(io::ErrorKind::WouldBlock.into()),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    fn place(&self, name: &str) -> String {
        self.at(name).display().to_string()
    }
}

struct FsFile(File);

impl DiskFile for FsFile {
    fn len(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut filled = 0;
        while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match self.0.read_at(rest, offset + filled as u64) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(filled)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.0.write_all_at(bytes, offset)
    }

    fn write_zeroes(&self, len: usize, offset: u64) -> io::Result<()> {
        zeroes::write(&self.0, len, offset)
    }

    fn sync(&self) -> io::Result<()> {
        self.0.sync_data()
    }

    fn truncate(&self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_it_makes_is_for_the_owner_alone() {
        let temporary = tempfile::tempdir().unwrap();
        let root = temporary.path().join("a/b");
        let disk = FsDisk::open(&root).unwrap();
        disk.create("file").unwrap();
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&root), mode(&root.join("file"))), (0o700, 0o600));
    }

    #[test]
    fn a_directory_that_others_may_read_is_closed_to_them() {
        let temporary = tempfile::tempdir().unwrap();
        std::fs::set_permissions(temporary.path(), PermissionsExt::from_mode(0o755)).unwrap();
        FsDisk::open(temporary.path()).unwrap();
        assert_eq!(temporary.path().metadata().unwrap().permissions().mode() & 0o777, 0o700);
    }

    #[test]
    fn a_second_holder_of_the_lock_is_refused_until_the_first_lets_go() {
        let temporary = tempfile::tempdir().unwrap();
        let (one, two) = (FsDisk::open(temporary.path()).unwrap(), FsDisk::open(temporary.path()).unwrap());
        let held = one.lock("lock").unwrap();
        assert_eq!(two.lock("lock").err().unwrap().kind(), io::ErrorKind::WouldBlock);
        drop(held);
        two.lock("lock").unwrap();
    }

    #[test]
    fn a_read_past_the_end_returns_what_there_is() {
        let temporary = tempfile::tempdir().unwrap();
        let disk = FsDisk::open(temporary.path()).unwrap();
        let file = disk.create("file").unwrap();
        assert!(file.is_empty().unwrap());
        file.write_at(b"abc", 2).unwrap();
        let mut buffer = [9; 8];
        assert_eq!(file.read_at(&mut buffer, 1).unwrap(), 4);
        assert_eq!(&buffer[..4], b"\0abc");
        assert_eq!(file.read_at(&mut buffer, 50).unwrap(), 0);
        file.truncate(3).unwrap();
        assert_eq!(file.len().unwrap(), 3);
    }

    #[test]
    fn names_can_be_listed_changed_and_forgotten() {
        let temporary = tempfile::tempdir().unwrap();
        let disk = FsDisk::open(temporary.path()).unwrap();
        disk.create("a").unwrap();
        assert!(disk.create("a").is_err());
        disk.rename("a", "b").unwrap();
        disk.sync().unwrap();
        assert_eq!(disk.list().unwrap(), ["b"]);
        disk.remove("b").unwrap();
        assert!(disk.open("b").is_err());
        assert!(disk.place("b").ends_with("/b"));
    }
}
