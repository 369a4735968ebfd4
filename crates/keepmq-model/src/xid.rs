//! Transactions that a transaction manager coordinates (X/Open XA).

use std::fmt;

/// The longest of either part of a name, in bytes (XA specification, section 4.2).
pub const MAX_XID_PART: usize = 64;

/// Names a branch of a global transaction. The manager chose it; nobody else reads it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Xid {
    /// How the manager made the rest.
    pub format: i32,
    /// The global transaction.
    pub global: Box<[u8]>,
    /// The branch of it.
    pub branch: Box<[u8]>,
}

impl Xid {
    /// A name of these parts; `None` when one of them is too long.
    pub fn new(format: i32, global: &[u8], branch: &[u8]) -> Option<Self> {
        let fits = global.len() <= MAX_XID_PART && branch.len() <= MAX_XID_PART;
        fits.then(|| Self { format, global: global.into(), branch: branch.into() })
    }
}

impl fmt::Display for Xid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hex = |f: &mut fmt::Formatter<'_>, part: &[u8]| {
            part.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
        };
        write!(f, "XID:[{},globalId=", self.format)?;
        hex(f, &self.global)?;
        f.write_str(",branchId=")?;
        hex(f, &self.branch)?;
        f.write_str("]")
    }
}

/// How a branch of a global transaction ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finish {
    /// It happens; it was not prepared.
    CommitAtOnce,
    /// It happens; it was prepared.
    Commit,
    /// Nothing of it happens.
    Rollback,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_shown_in_hex_and_is_not_too_long() {
        let xid = Xid::new(86, b"\x01\xff", b"b").unwrap();
        assert_eq!(xid.to_string(), "XID:[86,globalId=01ff,branchId=62]");
        assert_eq!(Xid::new(0, &[0; 65], b""), None);
        assert!(Xid::new(-1, &[0; 64], &[0; 64]).is_some());
    }
}
