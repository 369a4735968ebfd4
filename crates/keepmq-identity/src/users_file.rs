//! The file with the users: read, written, changed.
//!
//! It is written by programs, so comments in it are not kept; the order is. Nothing of its text is ever shown, for
//! there are hashes in it.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use keepmq_config::name::check_name;
use keepmq_config::private::{self, Exposure, Readers};
use serde::Deserialize;
use thiserror::Error;
use time::OffsetDateTime;
use toml::Spanned;
use toml::value::Datetime;

use crate::hash::Hash;
use crate::users::{OldHash, User, UserFault, Users, check_groups};

/// Largest file that is read.
const MOST_BYTES: usize = 8 << 20;

const HEAD: &str = "\
# The users of this broker. Change them with `keepmq user add|passwd|groups|remove|list`: what else is written here,
# comments too, is lost with the next change. Only this file's owner may read it.
";

/// Why the users are not read.
#[derive(Debug, Error)]
pub enum UsersFault {
    /// The file itself.
    #[error("{path} {exposure}", path = .0.display(), exposure = .1)]
    File(PathBuf, Exposure),
    /// What stands in it.
    #[error("line {line}: {what}")]
    Content {
        /// Counted from 1.
        line: usize,
        /// What is wrong; never what is written there.
        what: String,
    },
}

/// Why a change was not made.
#[derive(Debug, Error)]
pub enum EditFault {
    /// The users could not be read.
    #[error(transparent)]
    Read(#[from] UsersFault),
    /// The change is not allowed.
    #[error(transparent)]
    Change(#[from] UserFault),
    /// The users could not be written.
    #[error("{path} cannot be written: {error}", path = .0.display(), error = .1)]
    Write(PathBuf, std::io::Error),
}

/// What tells that the file is another one than before, without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    device: u64,
    file: u64,
    changed: (i64, i64),
    length: u64,
}

impl Stamp {
    /// Of the file as it is now; `None` when it is not there.
    pub fn of(path: &Path) -> Option<Self> {
        use std::os::unix::fs::MetadataExt;
        let metadata = path.symlink_metadata().ok()?;
        Some(Self {
            device: metadata.dev(),
            file: metadata.ino(),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
            length: metadata.len(),
        })
    }
}

/// Reads the users. Refused when others can read the file too, or when it is a link.
pub fn load(path: &Path) -> Result<Users, UsersFault> {
    let bytes = private::read(path, Readers::Owner, MOST_BYTES)
        .map_err(|exposure| UsersFault::File(path.to_owned(), exposure))?;
    parse(&String::from_utf8_lossy(&bytes))
}

/// Writes a new file with these users.
pub fn create(path: &Path, users: &Users) -> Result<(), EditFault> {
    private::write_new(path, to_text(users).as_bytes())
        .map_err(|error| EditFault::Write(path.to_owned(), error))
}

/// Changes the users: nobody else changes them meanwhile, and whoever reads sees them as before or as after.
pub fn edit<T>(path: &Path, change: impl FnOnce(&mut Users) -> Result<T, UserFault>) -> Result<T, EditFault> {
    let failed = |error| EditFault::Write(path.to_owned(), error);
    let _alone = private::lock_folder_of(path).map_err(failed)?;
    let mut users = load(path)?;
    let done = change(&mut users)?;
    private::replace(path, to_text(&users).as_bytes()).map_err(failed)?;
    Ok(done)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    #[serde(default)]
    user: Vec<Spanned<Entry>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Entry {
    name: String,
    #[serde(default)]
    groups: Vec<String>,
    hash: String,
    old_hash: Option<String>,
    old_until: Option<Datetime>,
    #[serde(default)]
    disabled: bool,
}

/// Reads the users out of a text.
pub fn parse(text: &str) -> Result<Users, UsersFault> {
    let line = |at: usize| text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1;
    // What the reader of TOML says of a fault can hold the text around it.
    let document: Document = toml::from_str(text).map_err(|error| UsersFault::Content {
        line: error.span().map_or(1, |span| line(span.start)),
        what: "this is not how users are written".to_owned(),
    })?;
    let mut users = Users::default();
    for entry in document.user {
        let line = line(entry.span().start);
        let user = read(entry.into_inner()).map_err(|what| UsersFault::Content { line, what })?;
        users.insert(user).map_err(|fault| UsersFault::Content { line, what: fault.to_string() })?;
    }
    Ok(users)
}

fn read(entry: Entry) -> Result<User, String> {
    check_name(&entry.name).map_err(|fault| fault.to_string())?;
    let groups: Vec<&str> = entry.groups.iter().map(String::as_str).collect();
    let groups = check_groups(&groups).map_err(|fault| fault.to_string())?;
    let hash = |phc: &str| {
        let wanted =
            "the hash is not Argon2id with m=19456,t=2,p=1; set the password anew with `keepmq user passwd`";
        Hash::parse(phc).ok_or_else(|| wanted.to_owned())
    };
    let mut user = User {
        name: entry.name.into(),
        groups,
        hash: hash(&entry.hash)?,
        old: None,
        disabled: entry.disabled,
    };
    user.old = match (entry.old_hash, entry.old_until) {
        (None, None) => None,
        (Some(old), Some(until)) => {
            let until_ms = unix_ms(&until).ok_or("old-until is not a date with time and zone")?;
            Some(OldHash { hash: hash(&old)?, until_ms })
        }
        _ => return Err("old-hash and old-until stand together".to_owned()),
    };
    if user.old.as_ref().is_some_and(|old| old.hash.salt() != user.hash.salt()) {
        return Err("the old hash has another salt than the new one; set the password anew".to_owned());
    }
    Ok(user)
}

fn to_text(users: &Users) -> String {
    let mut text = HEAD.to_owned();
    for user in users.list() {
        // Names, groups and hashes have no character that would need an escape.
        let groups: Vec<String> = user.groups.iter().map(|group| format!("\"{group}\"")).collect();
        let (name, groups, hash) = (&user.name, groups.join(", "), user.hash.to_phc());
        let _ = write!(text, "\n[[user]]\nname = \"{name}\"\ngroups = [{groups}]\nhash = \"{hash}\"\n");
        if user.disabled {
            text.push_str("disabled = true\n");
        }
        if let Some(old) = &user.old
            && let Some(until) = date(old.until_ms)
        {
            let _ = write!(text, "old-hash = \"{}\"\nold-until = {until}\n", old.hash.to_phc());
        }
    }
    text
}

/// As TOML writes it, to the second, and never later than it is.
fn date(unix_ms: u64) -> Option<String> {
    let at = OffsetDateTime::from_unix_timestamp(i64::try_from(unix_ms / 1_000).ok()?).ok()?;
    let (date, hour, minute, second) = (at.date(), at.hour(), at.minute(), at.second());
    let (year, month, day) = (date.year(), u8::from(date.month()), date.day());
    Some(format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z"))
}

fn unix_ms(at: &Datetime) -> Option<u64> {
    let (date, clock, offset) = (at.date?, at.time?, at.offset?);
    let minutes = match offset {
        toml::value::Offset::Z => 0,
        toml::value::Offset::Custom { minutes } => i64::from(minutes),
    };
    let month = time::Month::try_from(date.month).ok()?;
    let date = time::Date::from_calendar_date(date.year.into(), month, date.day).ok()?;
    let clock = time::Time::from_hms(clock.hour, clock.minute, clock.second.unwrap_or_default()).ok()?;
    let seconds = date.with_time(clock).assume_utc().unix_timestamp() - minutes * 60;
    u64::try_from(seconds).ok()?.checked_mul(1_000)
}

#[cfg(test)]
mod tests;
