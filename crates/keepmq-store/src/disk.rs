//! The seam between the journal and an operating system: one directory of files, in bytes.
//!
//! It is kept this small so that a faulty disk can stand in for a real one: [`FsDisk`] is the one that production
//! uses, `testing::FaultyDisk` the one that forgets, tears and refuses.

mod fs;

use std::io;
use std::sync::Arc;

pub use fs::FsDisk;

/// One flat directory. Names are plain: no separators. Changes to the set of names last only after [`Disk::sync`].
pub trait Disk: Send + Sync {
    /// All names, in any order.
    fn list(&self) -> io::Result<Vec<String>>;

    /// Opens a file that is there.
    fn open(&self, name: &str) -> io::Result<Arc<dyn DiskFile>>;

    /// Makes an empty file; fails when the name is taken.
    fn create(&self, name: &str) -> io::Result<Arc<dyn DiskFile>>;

    /// Forgets a name. Handles that are open go on working.
    fn remove(&self, name: &str) -> io::Result<()>;

    /// Gives a file another name, in place of any file that had it.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Makes creations, removals and renames so far last.
    fn sync(&self) -> io::Result<()>;

    /// Takes the directory for this process alone for as long as the handle lives, through a file of this name that
    /// is made when it is missing. [`io::ErrorKind::WouldBlock`] when somebody else has it.
    fn lock(&self, name: &str) -> io::Result<Arc<dyn DiskFile>>;

    /// What to call a file when talking to an operator.
    fn place(&self, name: &str) -> String;
}

/// An open file. What was written lasts only after [`DiskFile::sync`].
pub trait DiskFile: Send + Sync {
    /// Its length in bytes.
    fn len(&self) -> io::Result<u64>;

    /// Whether it has no bytes.
    fn is_empty(&self) -> io::Result<bool> {
        self.len().map(|len| len == 0)
    }

    /// Fills the buffer from `offset`, or as much of it as the file has; returns how much.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;

    /// Writes all bytes at `offset`, growing the file when needed.
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()>;

    /// Writes so many zeroes at `offset`, growing the file when needed. Nobody reads them: a disk that keeps what was
    /// written in memory should not keep these.
    fn write_zeroes(&self, len: usize, offset: u64) -> io::Result<()>;

    /// Makes the content, and the length needed to read it, last.
    fn sync(&self) -> io::Result<()>;

    /// Cuts the file to `len` bytes.
    fn truncate(&self, len: u64) -> io::Result<()>;
}
