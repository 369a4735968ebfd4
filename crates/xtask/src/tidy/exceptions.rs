//! The one list of exceptions, `crates/xtask/exceptions.txt`: `rule subject -- reason`, one a line. One list, so that a
//! reader sees at once how many there are, and an entry that nothing needs any more is a fault, so that it only shrinks.

use std::cell::Cell;

use super::fault::Fault;

/// Where the list is.
pub(crate) const LIST: &str = "crates/xtask/exceptions.txt";

/// What an exception can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    /// A function over the budget; the subject is `path:name`. Only for flat `match` tables.
    LongFunction,
    /// A crate root without `forbid(unsafe_code)`; the subject is the path.
    UnsafeCode,
}

impl Rule {
    const ALL: [(&'static str, Self); 2] =
        [("long-function", Self::LongFunction), ("unsafe-code", Self::UnsafeCode)];
}

struct Entry {
    line: usize,
    rule: Rule,
    subject: String,
    /// Rules ask through a shared reference; that they did is all that changes.
    applied: Cell<bool>,
}

/// The list as read, which remembers what it was asked for.
#[derive(Default)]
pub(crate) struct Exceptions {
    entries: Vec<Entry>,
}

impl Exceptions {
    /// Reads the list; empty lines and lines that start with `#` are passed over.
    pub(crate) fn parse(text: &str) -> (Self, Vec<Fault>) {
        let mut list = Self::default();
        let mut faults = Vec::new();
        for (line, text) in (1..).zip(text.lines().map(str::trim)) {
            if text.is_empty() || text.starts_with('#') {
                continue;
            }
            match entry(line, text) {
                Ok(entry) => list.entries.push(entry),
                Err(wrong) => faults.push(Fault::at(LIST, line, wrong, "write `rule subject -- reason`")),
            }
        }
        (list, faults)
    }

    /// Whether the subject may break the rule.
    pub(crate) fn excuse(&self, rule: Rule, subject: &str) -> bool {
        let mut matching = self.entries.iter().filter(|entry| entry.rule == rule && entry.subject == subject);
        matching.next().inspect(|entry| entry.applied.set(true)).is_some()
    }

    /// Entries that nothing asked for; to be called after all rules have run.
    pub(crate) fn stale(&self) -> Vec<Fault> {
        let unused = self.entries.iter().filter(|entry| !entry.applied.get());
        let fault = |entry: &Entry| {
            Fault::at(
                LIST,
                entry.line,
                format!("nothing needs this exception: {}", entry.subject),
                "take the line out",
            )
        };
        unused.map(fault).collect()
    }
}

fn entry(line: usize, text: &str) -> Result<Entry, String> {
    let (what, reason) = text.split_once(" -- ").ok_or("the exception has no reason")?;
    if reason.trim().is_empty() {
        return Err("the exception has no reason".to_owned());
    }
    let (rule, subject) = what.trim().split_once(' ').ok_or("the exception has no subject")?;
    let known = Rule::ALL.into_iter().find(|(name, _)| *name == rule);
    let (_, rule) = known.ok_or_else(|| format!("there are no exceptions from `{rule}`"))?;
    Ok(Entry { line, rule, subject: subject.trim().to_owned(), applied: Cell::new(false) })
}

#[cfg(test)]
mod tests {
    use super::{Exceptions, Rule};

    #[test]
    fn an_exception_counts_for_its_rule_and_subject_only() {
        let (list, faults) = Exceptions::parse("# list\n\nunsafe-code crates/a/src/lib.rs -- maps files\n");
        assert_eq!(faults, []);
        assert!(!list.excuse(Rule::LongFunction, "crates/a/src/lib.rs"));
        assert!(!list.excuse(Rule::UnsafeCode, "crates/b/src/lib.rs"));
        assert_eq!(list.stale().len(), 1);
        assert!(list.excuse(Rule::UnsafeCode, "crates/a/src/lib.rs"));
        assert_eq!(list.stale(), []);
    }

    #[test]
    fn an_exception_needs_a_known_rule_and_a_reason() {
        for bad in [
            "unsafe-code crates/a",
            "unsafe-code crates/a -- ",
            "style crates/a -- taste",
            "unsafe-code -- x",
        ] {
            let (_, faults) = Exceptions::parse(bad);
            assert_eq!(faults.len(), 1, "{bad}");
        }
    }

    #[test]
    fn the_committed_list_is_well_formed() {
        assert_eq!(Exceptions::parse(include_str!("../../exceptions.txt")).1, []);
    }

    #[test]
    fn faults_of_the_list_name_their_line() {
        let (list, faults) =
            Exceptions::parse("# list\nnonsense\n\nunsafe-code a -- b\nlong-function c -- d\n");
        assert_eq!(faults.iter().map(|fault| fault.line).collect::<Vec<_>>(), [2]);
        assert!(list.excuse(Rule::UnsafeCode, "a"));
        assert_eq!(list.stale().iter().map(|fault| fault.line).collect::<Vec<_>>(), [5]);
    }
}
