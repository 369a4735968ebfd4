//! What a rule has to say.

use std::fmt;

/// One breach of one rule: where it is, what is wrong and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Fault {
    /// Relative to the workspace.
    pub path: String,
    /// Counted from 1; for a fault of the whole file it is 1.
    pub line: usize,
    /// What is wrong.
    pub wrong: String,
    /// What to do.
    pub remedy: String,
}

impl Fault {
    /// A fault at a line.
    pub(crate) fn at(path: &str, line: usize, wrong: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, wrong: wrong.into(), remedy: remedy.into() }
    }

    /// A fault of a whole file or folder.
    pub(crate) fn of(path: &str, wrong: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::at(path, 1, wrong, remedy)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}: {}; {}", self.path, self.line, self.wrong, self.remedy)
    }
}

#[cfg(test)]
mod tests {
    use super::Fault;

    #[test]
    fn a_fault_reads_as_a_place_that_editors_can_jump_to() {
        let fault = Fault::at("crates/a/src/lib.rs", 7, "no", "yes");
        assert_eq!(fault.to_string(), "crates/a/src/lib.rs:7: no; yes");
    }
}
