//! Prepared branches of global transactions, as stored.
//!
//! A branch has a number, taken from those of the lines. Under the key `x` and that number stands who prepared it; the
//! messages that were sent in it are the records of the number's own stream; what it accepted of a line stands under the
//! key `l`, the branch's number and the line's.

use std::sync::Arc;

use bytes::{BufMut, Bytes, BytesMut};
use keepmq_model::Xid;
use keepmq_store::Op;

use super::definition::key;
use super::wire::{Reader, Writer};

const VERSION: u8 = 1;
pub(super) const BRANCH: u8 = b'x';
pub(super) const LOCK: u8 = b'l';
/// Bytes of one run of [`Locks`].
const RUN: usize = 17;
/// The store takes no longer value.
const LONGEST: usize = 1024 * 1024;

/// The key of what a branch accepted of a line.
pub(crate) fn lock_key(branch: u64, line: u64) -> Bytes {
    key(LOCK, branch, &line.to_be_bytes())
}

/// A prepared branch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StoredBranch {
    pub(crate) xid: Xid,
    /// The user who prepared it.
    pub(crate) owner: Arc<str>,
}

impl StoredBranch {
    /// The change that stores it.
    pub(crate) fn set(&self, id: u64) -> Op {
        let mut value = BytesMut::new();
        let mut w = Writer(&mut value);
        w.u8(VERSION);
        w.u64(u32::from_ne_bytes(self.xid.format.to_ne_bytes()).into());
        w.bytes(&self.xid.global);
        w.bytes(&self.xid.branch);
        w.text(&self.owner);
        Op::Set { key: key(BRANCH, id, &[]), value: value.freeze() }
    }

    /// The change that forgets it.
    pub(crate) fn unset(id: u64) -> Op {
        Op::Unset { key: key(BRANCH, id, &[]) }
    }

    /// Reads it back.
    pub(crate) fn decode(value: &[u8]) -> Option<Self> {
        let mut r = Reader(value);
        if r.u8()? != VERSION {
            return None;
        }
        let format = i32::from_ne_bytes(r.u32()?.to_ne_bytes());
        let xid = Xid::new(format, r.bytes()?, r.bytes()?)?;
        Some(Self { xid, owner: r.text()?.into() })
    }
}

/// The messages of one line that a branch has accepted: their priorities and numbers, in runs.
pub(crate) struct Locks;

impl Locks {
    /// As runs, as few as there are; `None` when they are too many.
    pub(crate) fn encode(messages: impl Iterator<Item = (u8, u64)>) -> Option<Bytes> {
        let mut runs: Vec<(u8, u64, u64)> = Vec::new();
        for (priority, seq) in messages {
            match runs.last_mut() {
                Some((of, _, last)) if *of == priority && *last + 1 == seq => *last = seq,
                _ => runs.push((priority, seq, seq)),
            }
        }
        if runs.len() * RUN > LONGEST {
            return None;
        }
        let mut value = BytesMut::with_capacity(runs.len() * RUN);
        for (priority, first, last) in runs {
            value.put_u8(priority);
            value.put_u64(first);
            value.put_u64(last);
        }
        Some(value.freeze())
    }

    /// Reads the runs back: priority, first and last number.
    pub(crate) fn decode(value: &[u8]) -> Option<Vec<(u8, u64, u64)>> {
        let (runs, rest) = value.as_chunks::<RUN>();
        let run = |[priority, rest @ ..]: &[u8; RUN]| {
            let (first, last) = rest.split_first_chunk::<8>()?;
            Some((*priority, u64::from_be_bytes(*first), u64::from_be_bytes(last.try_into().ok()?)))
        };
        rest.is_empty().then(|| runs.iter().map(run).collect())?
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Key, parse_key};
    use super::*;

    #[test]
    fn a_branch_comes_back() {
        let xid = Xid::new(-7, b"global", b"").unwrap();
        let branch = StoredBranch { xid, owner: "u".into() };
        let Op::Set { key, value } = branch.set(9) else { panic!() };
        assert_eq!(parse_key(&key), Some(Key::Branch(9)));
        assert_eq!(StoredBranch::decode(&value), Some(branch));
        assert!((0..value.len()).all(|end| StoredBranch::decode(&value[..end]).is_none()));
        assert_eq!(parse_key(&lock_key(9, 12)), Some(Key::Lock(9, 12)));
    }

    #[test]
    fn locks_are_stored_in_runs() {
        let all = [(4, 1), (4, 2), (4, 3), (4, 5), (7, 6)];
        let value = Locks::encode(all.into_iter()).unwrap();
        assert_eq!(Locks::decode(&value), Some(vec![(4, 1, 3), (4, 5, 5), (7, 6, 6)]));
        assert_eq!(Locks::decode(&value[1..]), None);
        assert_eq!(Locks::encode((0..200_000).map(|n| (4, n * 2))), None, "more than the store takes");
        assert!(Locks::encode(std::iter::empty()).unwrap().is_empty());
    }
}
