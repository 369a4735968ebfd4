//! Pure decision: may this principal do this action to this destination?
//!
//! The map has ActiveMQ's semantics exactly: three rights (read, write, admin) given to groups by destination wildcard,
//! all matching entries add up, and what no entry grants is refused. There is no map that grants by its absence.
//!
//! [`Permit`]s can be made here and nowhere else; the broker's core takes them for everything that touches a
//! destination, so that a path which forgot to ask does not compile.
#![forbid(unsafe_code)]

mod audit;
mod decide;
mod internal;
mod map;
mod permit;

pub use audit::{Audit, AuditEvent, DecisionRecord};
pub use decide::{Denial, Reader, Rule, Verdict, decide, decide_pattern, judge};
pub use internal::{Move, decide_internal};
pub use map::{Entry, Grants, Map, Policy};
pub use permit::{Admin, Permit, Read, Right, Rights, Write};
