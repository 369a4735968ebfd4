//! Links that take from every queue of a pattern: a leg for each queue, one credit for all.

use std::sync::Arc;
use std::sync::atomic::AtomicI64;

use keepmq_model::LinkId;
use parking_lot::Mutex;

use crate::chooser::Chooser;
use crate::outbox::Outbox;
use crate::shard::{Choice, Credit, Held, LineKey, Sight, Taker, TakerId};

/// A link with several legs.
#[derive(Debug)]
pub(crate) struct WildLink {
    pub(super) client: u64,
    pub(super) link: LinkId,
    pub(super) outbox: Arc<Outbox>,
    pub(super) credit: Arc<AtomicI64>,
    pub(super) refill: bool,
    pub(super) holds: bool,
    pub(super) priority: i8,
    pub(super) exclusive: bool,
    chooser: Option<Arc<Chooser>>,
    /// The lines that it takes from; a leg's number is its place.
    legs: Mutex<Vec<LineKey>>,
}

impl WildLink {
    pub(super) fn new(
        client: u64,
        outbox: &Arc<Outbox>,
        attach: &keepmq_model::Attach,
        chooser: Option<Arc<Chooser>>,
    ) -> Self {
        Self {
            client,
            link: attach.link,
            outbox: Arc::clone(outbox),
            credit: Arc::new(AtomicI64::new(attach.credit.into())),
            refill: attach.refill,
            holds: attach.taking == keepmq_model::Taking::Unsettled,
            priority: attach.priority,
            exclusive: attach.exclusive,
            chooser,
            legs: Mutex::default(),
        }
    }

    /// A consumer for one more queue; `None` when it has a leg there.
    pub(super) fn leg(
        &self,
        line: LineKey,
        permit: keepmq_policy::Permit<keepmq_policy::Read>,
    ) -> Option<Taker> {
        let mut legs = self.legs.lock();
        if legs.contains(&line) {
            return None;
        }
        let leg = u32::try_from(legs.len()).ok()?;
        legs.push(line);
        Some(Taker {
            id: TakerId { client: self.client, link: self.link, leg },
            outbox: Arc::clone(&self.outbox),
            sight: Sight::Queue(permit),
            credit: Credit::Shared(Arc::clone(&self.credit)),
            refill: self.refill,
            holds: self.holds,
            priority: self.priority,
            exclusive: self.exclusive,
            choice: self.chooser.clone().map(|chooser| Box::new(Choice::new(chooser))),
            asked: 0,
            held: Held::default(),
        })
    }

    /// The line of a leg.
    pub(super) fn line(&self, leg: u32) -> Option<LineKey> {
        self.legs.lock().get(usize::try_from(leg).ok()?).copied()
    }

    /// All its legs.
    pub(super) fn legs(&self) -> Vec<(u32, LineKey)> {
        (0u32..).zip(self.legs.lock().iter().copied()).collect()
    }
}
