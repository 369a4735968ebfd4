//! Every open link, for those who look at all of them: a changed policy, the console.

use std::sync::Arc;

use keepmq_model::{Kind, LinkId, Pattern, Principal};

use super::Gate;
use super::client::Peer;
use super::wild::WildLink;
use crate::outbox::Outbox;
use crate::shard::LineKey;

/// What a link takes from.
#[derive(Clone, Debug)]
pub(super) enum Taken {
    Line(LineKey),
    Wild(Arc<WildLink>),
}

/// An open link.
#[derive(Clone, Debug)]
pub(super) struct Registered {
    pub(super) who: Arc<Principal>,
    pub(super) peer: Arc<Peer>,
    /// What it reads, as it was judged.
    pub(super) reads: Vec<(Kind, Pattern)>,
    pub(super) taken: Taken,
    pub(super) outbox: Arc<Outbox>,
}

impl Gate {
    pub(super) fn wild_link(&self, client: u64, link: LinkId) -> Option<Arc<WildLink>> {
        match &self.registry.lock().get(&(client, link))?.taken {
            Taken::Wild(wild) => Some(Arc::clone(wild)),
            Taken::Line(_) => None,
        }
    }

    pub(super) fn register(&self, client: u64, link: LinkId, registered: Registered) {
        self.registry.lock().insert((client, link), registered);
    }

    pub(super) fn unregister(&self, client: u64, link: LinkId) {
        self.registry.lock().remove(&(client, link));
    }

    /// A subscription reads more or less than before.
    pub(super) fn reregister(&self, client: u64, link: LinkId, reads: Vec<(Kind, Pattern)>) {
        if let Some(registered) = self.registry.lock().get_mut(&(client, link)) {
            registered.reads = reads;
        }
    }
}
