//! Files that only their owner may read: written and checked in one place.
//!
//! A file is opened first and judged by what was opened, so that nothing can be swapped in between. Symbolic links are
//! refused: whoever may change the link could choose the file.

use std::fmt;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{self as unix, Mode, OFlags};
use zeroize::Zeroizing;

/// Bits that let others than the owner do anything.
const OTHERS: u32 = 0o077;
/// Bits that let others than the owner write.
const OTHERS_WRITE: u32 = 0o022;

/// Who may read a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readers {
    /// Its owner only.
    Owner,
    /// Anybody; but only its owner may write.
    Anybody,
}

/// Why a file is not taken.
#[derive(Debug)]
pub enum Exposure {
    /// It is not there.
    Missing,
    /// It is a symbolic link.
    Link,
    /// It is a folder, a device or something else that is not a plain file (or not a folder, where one is wanted).
    Kind,
    /// Others may read or write it; these are its permission bits.
    Open(u32),
    /// It belongs to somebody else, by number.
    Foreign(u32),
    /// It is larger than it may be.
    TooLarge,
    /// The system refused.
    Io(io::Error),
}

impl fmt::Display for Exposure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("is not there"),
            Self::Link => f.write_str("is a symbolic link"),
            Self::Kind => f.write_str("is of another kind"),
            Self::Open(mode) => write!(f, "can be used by others than its owner (mode {mode:04o})"),
            Self::Foreign(owner) => write!(f, "belongs to somebody else (user {owner})"),
            Self::TooLarge => f.write_str("is too large"),
            Self::Io(error) => write!(f, "cannot be read: {error}"),
        }
    }
}

impl std::error::Error for Exposure {}

impl From<io::Error> for Exposure {
    fn from(error: io::Error) -> Self {
        use rustix::io::Errno;
        match error.raw_os_error().map(Errno::from_raw_os_error) {
            Some(Errno::NOENT) => Self::Missing,
            Some(Errno::LOOP) => Self::Link,
            _ => Self::Io(error),
        }
    }
}

/// Opens a file for reading after it was judged.
pub fn open(path: &Path, readers: Readers) -> Result<File, Exposure> {
    // Without NONBLOCK a pipe of that name would hold up the start for good.
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let file = File::from(unix::open(path, flags, Mode::empty()).map_err(io::Error::from)?);
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(Exposure::Kind);
    }
    judge(&metadata, if readers == Readers::Owner { OTHERS } else { OTHERS_WRITE })?;
    Ok(file)
}

/// Reads a file of at most so many bytes. What was read is wiped when dropped.
pub fn read(path: &Path, readers: Readers, most: usize) -> Result<Zeroizing<Vec<u8>>, Exposure> {
    let file = open(path, readers)?;
    let limit = u64::try_from(most).unwrap_or(u64::MAX);
    let length = file.metadata()?.len();
    if length > limit {
        return Err(Exposure::TooLarge);
    }
    // Room for all of it from the start: a vector that grows leaves copies behind that nobody wipes.
    let mut bytes = Zeroizing::new(Vec::with_capacity(usize::try_from(length).unwrap_or(most) + 1));
    io::copy(&mut file.take(limit.saturating_add(1)), &mut *bytes)?;
    if bytes.len() > most {
        return Err(Exposure::TooLarge);
    }
    Ok(bytes)
}

/// Judges a folder: only its owner may change what is in it, and for [`Readers::Owner`] only they may see it.
pub fn check_folder(path: &Path, readers: Readers) -> Result<(), Exposure> {
    let metadata = path.symlink_metadata()?;
    if metadata.is_symlink() && readers == Readers::Owner {
        return Err(Exposure::Link);
    }
    let metadata = path.metadata()?;
    if !metadata.is_dir() {
        return Err(Exposure::Kind);
    }
    judge(&metadata, if readers == Readers::Owner { OTHERS } else { OTHERS_WRITE })
}

/// Makes a folder that only its owner may enter. One that is there already is judged; an empty one is closed to others.
pub fn make_folder(path: &Path) -> Result<(), Exposure> {
    match unix::mkdir(path, Mode::RWXU) {
        Err(rustix::io::Errno::EXIST) => {}
        done => return Ok(done.map_err(io::Error::from)?),
    }
    match check_folder(path, Readers::Owner) {
        Err(Exposure::Open(mode)) if std::fs::read_dir(path)?.next().is_none() => {
            close_folder(path).map_err(|error| {
                if error.kind() == io::ErrorKind::PermissionDenied {
                    Exposure::Open(mode)
                } else {
                    error.into()
                }
            })
        }
        judged => judged,
    }
}

fn close_folder(path: &Path) -> io::Result<()> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let folder = unix::open(path, flags, Mode::empty())?;
    Ok(unix::fchmod(&folder, Mode::RWXU)?)
}

/// Writes a new file that only its owner may read, and has it on disk when it returns. Refused when there is one.
pub fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    create(path, Mode::RUSR | Mode::WUSR, bytes)?;
    sync_folder(path)
}

/// Writes a new file that anybody may read. Refused when there is one.
pub fn write_new_public(path: &Path, bytes: &[u8]) -> io::Result<()> {
    create(path, Mode::RUSR | Mode::WUSR | Mode::RGRP | Mode::ROTH, bytes)?;
    sync_folder(path)
}

/// Puts a file in the place of another at once: whoever reads sees the old or the new one, also after a crash. The new
/// one has the old one's owner, so that an administrator's change does not shut out the service.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_string_lossy();
    let draft = path.with_file_name(format!(".{name}.new"));
    // One that is there was left by a crash.
    match std::fs::remove_file(&draft) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let done = create(&draft, Mode::RUSR | Mode::WUSR, bytes)
        .and_then(|file| keep_owner(path, &file))
        .and_then(|()| std::fs::rename(&draft, path));
    if done.is_err() {
        let _ = std::fs::remove_file(&draft);
    }
    done.and_then(|()| sync_folder(path))
}

/// Whoever holds this is the only one to change what is in the folder, of all that ask.
#[derive(Debug)]
pub struct FolderLock(#[expect(dead_code, reason = "closing it ends the lock")] File);

/// Waits until nobody else holds the folder of this file.
pub fn lock_folder_of(path: &Path) -> io::Result<FolderLock> {
    let folder = File::open(folder_of(path))?;
    unix::flock(&folder, unix::FlockOperation::LockExclusive)?;
    Ok(FolderLock(folder))
}

fn create(path: &Path, mode: Mode, bytes: &[u8]) -> io::Result<File> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut file = File::from(unix::open(path, flags, mode)?);
    // The mode of a new file is narrowed by the process; it is set as it is meant.
    unix::fchmod(&file, mode)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    Ok(file)
}

fn keep_owner(old: &Path, new: &File) -> io::Result<()> {
    let Ok(old) = old.symlink_metadata() else { return Ok(()) };
    let own = new.metadata()?;
    if (old.uid(), old.gid()) != (own.uid(), own.gid()) {
        std::os::unix::fs::fchown(new, Some(old.uid()), Some(old.gid()))?;
    }
    Ok(())
}

fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(folder_of(path))?.sync_all()
}

fn folder_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

fn judge(metadata: &std::fs::Metadata, forbidden: u32) -> Result<(), Exposure> {
    let mode = metadata.mode() & 0o7777;
    if mode & forbidden != 0 {
        return Err(Exposure::Open(mode));
    }
    let owner = metadata.uid();
    if may_own(owner, rustix::process::geteuid().as_raw()) { Ok(()) } else { Err(Exposure::Foreign(owner)) }
}

/// Root may be asked to look after a service's files; for everybody else a stranger's file is a trap, unless root laid
/// it there.
fn may_own(owner: u32, me: u32) -> bool {
    owner == me || owner == 0 || me == 0
}

#[cfg(test)]
mod tests;
