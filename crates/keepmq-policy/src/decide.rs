//! The decision.

use std::fmt;
use std::sync::Arc;

use keepmq_model::{Destination, Kind, Pattern, Principal};

use crate::map::{Entry, Policy};
use crate::permit::{Permit, Read, Right, Rights};

/// What decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rule {
    /// An entry, by the place where it is written.
    Entry(Arc<str>),
    /// The map's default grants.
    Default,
    /// The map's grants for temporary destinations.
    Temporary,
    /// The map says nothing of temporary destinations, and then any authenticated user may use them.
    TemporaryUnruled,
    /// Entries apply, by the places where they are written, and none gives the right to a group of the principal.
    NotGranted(Vec<Arc<str>>),
    /// No entry applies.
    NoEntry,
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Entry(place) => write!(f, "granted by the entry at {place}"),
            Self::Default => f.write_str("granted by the map's default entry"),
            Self::Temporary => f.write_str("ruled by the map's entry for temporary destinations"),
            Self::TemporaryUnruled => f.write_str("granted: the map has no entry for temporary destinations"),
            Self::NotGranted(places) => {
                write!(f, "not granted by the entries that apply: {}", places.join(", "))
            }
            Self::NoEntry => f.write_str("no entry of the map applies"),
        }
    }
}

/// A decision with its reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Yes or no.
    pub allowed: bool,
    /// What decided.
    pub rule: Rule,
}

/// A no.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denial {
    /// Who asked.
    pub who: Arc<Principal>,
    /// What for.
    pub right: Right,
    /// On what kind of destination.
    pub kind: Kind,
    /// Its name, or the pattern of a subscription.
    pub name: Arc<str>,
    /// What decided.
    pub rule: Rule,
    /// The policy's epoch.
    pub epoch: u64,
}

impl fmt::Display for Denial {
    /// ActiveMQ's words, which clients and monitoring match on.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (who, right) = (&self.who.name, self.right.phrase());
        write!(f, "User {who} is not authorized to {right}: {}{}", self.kind.scheme(), self.name)
    }
}

/// Judges without making anything: what `explain` shows is what decides.
pub fn judge(policy: &Policy, who: &Principal, right: Right, kind: Kind, name: &str) -> Verdict {
    let map = &policy.map;
    if kind.is_temporary() {
        return match map.temporary() {
            None => Verdict { allowed: true, rule: Rule::TemporaryUnruled },
            Some(grants) => Verdict { allowed: grants.allow(right, who), rule: Rule::Temporary },
        };
    }
    let mut grants: Option<&Entry> = None;
    let mut silent = Vec::new();
    map.applying(kind, name, |entry| {
        if entry.grants.allow(right, who) {
            grants = grants.or(Some(entry));
        } else {
            silent.push(entry);
        }
    });
    if let Some(entry) = grants {
        return Verdict { allowed: true, rule: Rule::Entry(Arc::clone(&entry.place)) };
    }
    if map.default_grants().is_some_and(|default| default.allow(right, who)) {
        return Verdict { allowed: true, rule: Rule::Default };
    }
    let rule = if silent.is_empty() {
        Rule::NoEntry
    } else {
        Rule::NotGranted(silent.iter().map(|entry| Arc::clone(&entry.place)).collect())
    };
    Verdict { allowed: false, rule }
}

/// Decides. This and its two neighbours make all the permits there are.
pub fn decide<R: Rights>(
    policy: &Policy,
    who: &Arc<Principal>,
    destination: &Destination,
) -> Result<Permit<R>, Denial> {
    let (kind, name) = (destination.kind(), destination.name());
    let verdict = judge(policy, who, R::RIGHT, kind, name);
    if verdict.allowed {
        return Ok(Permit::new(destination.clone(), policy.epoch));
    }
    Err(denial(policy, who, R::RIGHT, kind, name, verdict.rule))
}

/// Decides whether somebody may subscribe to a pattern at all. As in ActiveMQ the pattern's text is judged as if it were
/// a name, and then each destination is judged by its own name: the [`Reader`] does that.
pub fn decide_pattern(
    policy: &Arc<Policy>,
    who: &Arc<Principal>,
    kind: Kind,
    pattern: &Pattern,
) -> Result<Reader, Denial> {
    let verdict = judge(policy, who, Right::Read, kind, pattern.as_str());
    if verdict.allowed {
        return Ok(Reader::new(Arc::clone(policy), Arc::clone(who)));
    }
    Err(denial(policy, who, Right::Read, kind, pattern.as_str(), verdict.rule))
}

fn denial(policy: &Policy, who: &Arc<Principal>, right: Right, kind: Kind, name: &str, rule: Rule) -> Denial {
    Denial { who: Arc::clone(who), right, kind, name: name.into(), rule, epoch: policy.epoch }
}

/// Judges each destination that a wildcard subscription meets.
#[derive(Clone, Debug)]
pub struct Reader {
    policy: Arc<Policy>,
    who: Arc<Principal>,
}

impl Reader {
    /// Judges for somebody by this policy.
    pub fn new(policy: Arc<Policy>, who: Arc<Principal>) -> Self {
        Self { policy, who }
    }

    /// A permit to read this destination, if the reader has the right.
    pub fn permit(&self, destination: &Destination) -> Option<Permit<Read>> {
        decide(&self.policy, &self.who, destination).ok()
    }

    /// Who reads.
    pub fn who(&self) -> &Arc<Principal> {
        &self.who
    }

    /// The policy's epoch. A reader of an older epoch must be judged anew.
    pub fn epoch(&self) -> u64 {
        self.policy.epoch
    }
}
