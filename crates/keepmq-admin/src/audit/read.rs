//! Reading the log back: is it whole, and what was that decision?

use std::fs::{File, OpenOptions};
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use serde_json::Value;

use super::line::{FIRST, hash};

/// Longest line that is read, in bytes: names are bounded, so no event is longer.
const LONGEST: u64 = 64 * 1024;

/// What is wrong with a log.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// It can't be read.
    #[error("it can't be read: {0}")]
    Unreadable(#[from] std::io::Error),
    /// A line is not the one that was written after the line before it.
    #[error(
        "line {line} does not follow from the line before it: one of the two was changed, or a line is missing"
    )]
    Broken {
        /// Which.
        line: u64,
    },
    /// A line is no record.
    #[error("line {line} is no record")]
    Strange {
        /// Which.
        line: u64,
    },
}

/// A log that is whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// How many lines it has.
    pub lines: u64,
    /// The hash of the last one. Kept elsewhere, it shows later that none was taken off the end.
    pub last_hash: String,
}

impl Verified {
    /// Of a log without a line.
    pub(super) fn empty() -> Self {
        Self { lines: 0, last_hash: FIRST.to_owned() }
    }
}

/// Takes away a last line that has no end. Says whether there was one.
pub(super) fn cut_torn_line(path: &Path) -> std::io::Result<bool> {
    let mut file = match OpenOptions::new().read(true).write(true).open(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
        opened => opened?,
    };
    let length = file.metadata()?.len();
    let start = length.saturating_sub(LONGEST);
    file.seek(SeekFrom::Start(start))?;
    let mut tail = Vec::new();
    std::io::copy(&mut (&mut file).take(LONGEST), &mut tail)?;
    let whole = tail.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end as u64 + 1);
    if start + whole == length {
        return Ok(false);
    }
    file.set_len(start + whole)?;
    Ok(true)
}

/// Checks that each line follows from the one before it.
pub fn verify(path: &Path) -> Result<Verified, Fault> {
    let mut verified = Verified::empty();
    each_line(path, |line, record| {
        verified.lines += 1;
        let number = verified.lines;
        let follows = record.get("previous").and_then(Value::as_str) == Some(&verified.last_hash)
            && record.get("n").and_then(Value::as_u64) == Some(number);
        if !follows {
            return Err(Fault::Broken { line: number });
        }
        verified.last_hash = hash(line);
        Ok(())
    })?;
    Ok(verified)
}

/// The record of a decision.
pub fn find(path: &Path, decision: &str) -> Result<Option<Value>, Fault> {
    let mut found = None;
    each_line(path, |_, record| {
        if record.get("decision").and_then(Value::as_str) == Some(decision) {
            found = Some(record);
        }
        Ok(())
    })?;
    Ok(found)
}

fn each_line(path: &Path, mut each: impl FnMut(&[u8], Value) -> Result<(), Fault>) -> Result<(), Fault> {
    use std::io::BufRead as _;
    let mut reader = BufReader::new(File::open(path)?);
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        reader.by_ref().take(LONGEST).read_until(b'\n', &mut line)?;
        if line.is_empty() {
            break;
        }
        // A last line without an end was being written when the broker died.
        let Some(text) = line.strip_suffix(b"\n") else { return Err(Fault::Strange { line: number }) };
        let record = serde_json::from_slice(text).map_err(|_| Fault::Strange { line: number })?;
        each(text, record)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::line::render;
    use keepmq_model::DecisionId;
    use keepmq_policy::AuditEvent;

    fn lines(count: u64) -> Vec<String> {
        let mut previous = FIRST.to_owned();
        let line = |number| {
            let event = AuditEvent::LoginRefused {
                id: DecisionId { epoch: 1, number },
                connection: number,
                peer: "p".into(),
                listener: "l".into(),
                user: "u".into(),
                why: "wrong password",
            };
            let line = render(number, 0, &event, &previous);
            previous = hash(line.as_bytes());
            line
        };
        (1..=count).map(line).collect()
    }

    fn checked(lines: &[String]) -> Result<Verified, Fault> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.log");
        std::fs::write(&path, lines.join("\n") + "\n").unwrap();
        verify(&path)
    }

    #[test]
    fn a_whole_log_is_whole() {
        assert_eq!(checked(&lines(5)).unwrap().lines, 5);
    }

    #[test]
    fn any_line_that_is_missing_changed_or_moved_is_found() {
        for place in 0..4 {
            let mut missing = lines(5);
            missing.remove(place);
            assert!(matches!(checked(&missing), Err(Fault::Broken { .. })), "{place} missing");
            let mut changed = lines(5);
            changed[place] = changed[place].replace("wrong password", "right password");
            assert!(matches!(checked(&changed), Err(Fault::Broken { .. })), "{place} changed");
            let mut moved = lines(5);
            moved.swap(place, place + 1);
            assert!(matches!(checked(&moved), Err(Fault::Broken { .. })), "{place} moved");
        }
    }

    #[test]
    fn a_line_that_was_cut_is_found() {
        let mut cut = lines(2);
        cut[1].truncate(20);
        assert!(matches!(checked(&cut), Err(Fault::Strange { line: 2 })));
    }

    #[test]
    fn a_decision_is_found_by_its_number() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.log");
        std::fs::write(&path, lines(5).join("\n") + "\n").unwrap();
        assert_eq!(find(&path, "D-1-3").unwrap().unwrap()["n"], 3);
        assert_eq!(find(&path, "D-1-9").unwrap(), None);
    }
}
