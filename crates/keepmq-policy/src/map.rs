//! The authorization map.

use std::sync::Arc;

use keepmq_model::{Kind, Pattern, PatternTree, Principal};

use crate::permit::Right;

/// Matches every principal that carries at least one group (ActiveMQ's `*`).
const ANY_GROUP: &str = "*";

/// Groups by right.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grants {
    /// May consume, browse and subscribe.
    pub read: Vec<Arc<str>>,
    /// May send.
    pub write: Vec<Arc<str>>,
    /// May create, delete and purge.
    pub admin: Vec<Arc<str>>,
}

impl Grants {
    /// The groups that have this right.
    pub fn groups(&self, right: Right) -> &[Arc<str>] {
        match right {
            Right::Read => &self.read,
            Right::Write => &self.write,
            Right::Admin => &self.admin,
        }
    }

    /// Whether the principal has this right by one of its groups. Names compare exactly.
    pub fn allow(&self, right: Right, who: &Principal) -> bool {
        let granted = self.groups(right);
        let any = || !who.groups.is_empty() && granted.iter().any(|group| **group == *ANY_GROUP);
        granted.iter().any(|group| who.groups.contains(group)) || any()
    }
}

/// One entry of the map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Queues or topics; a pattern for one never matches the other. (Temporary kinds have no entries of their own.)
    pub kind: Kind,
    /// Which of them.
    pub pattern: Pattern,
    /// Who may do what.
    pub grants: Grants,
    /// Where it is written, for people: `keepmq.toml:31`.
    pub place: Arc<str>,
}

/// Who may do what where. The empty map lets nobody do anything.
#[derive(Clone, Debug, Default)]
pub struct Map {
    entries: Vec<Entry>,
    queues: PatternTree<usize>,
    topics: PatternTree<usize>,
    default: Option<Grants>,
    temporary: Option<Grants>,
}

impl Map {
    /// Of these entries.
    ///
    /// `default` is added to whatever matches (it is not a fallback, as its name in ActiveMQ might suggest).
    /// `temporary` rules all temporary destinations; without it every authenticated user may use them, which JMS's
    /// request and reply needs.
    pub fn new(entries: Vec<Entry>, default: Option<Grants>, temporary: Option<Grants>) -> Self {
        let mut map = Self { entries, default, temporary, ..Self::default() };
        for (index, entry) in map.entries.iter().enumerate() {
            let tree = if entry.kind.is_queue() { &mut map.queues } else { &mut map.topics };
            tree.insert(&entry.pattern, index);
        }
        map
    }

    /// Its entries, as written.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// What rules temporary destinations, when anything does.
    pub fn temporary(&self) -> Option<&Grants> {
        self.temporary.as_ref()
    }

    /// What is added to every match.
    pub fn default_grants(&self) -> Option<&Grants> {
        self.default.as_ref()
    }

    /// The entries that apply to a name, in no particular order.
    pub fn applying<'a>(&'a self, kind: Kind, name: &str, mut found: impl FnMut(&'a Entry)) {
        let tree = if kind.is_queue() { &self.queues } else { &self.topics };
        tree.visit(name, |index| {
            if let Some(entry) = self.entries.get(*index) {
                found(entry);
            }
        });
    }
}

/// A map with the number of its turn. Each change of the map raises the epoch.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// Rises with each change.
    pub epoch: u64,
    /// What holds in this epoch.
    pub map: Map,
}
