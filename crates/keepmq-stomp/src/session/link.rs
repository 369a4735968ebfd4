//! Subscriptions of a connection: each is a link to the broker.

use hashbrown::HashMap;
use keepmq_model::{Delivery, LinkId, Outcome, Settle, SubscriptionName, Verb};

use super::outstanding::{Outstanding, Runs};

/// Who settles what a link delivers, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// The session, when the frame is written.
    Auto,
    /// The broker, by handing it out; the session only says that more may come.
    Handed,
    /// Nobody: the link only looks. With `ack` the client was asked to acknowledge nevertheless, and may.
    Browse { ack: bool },
    /// The client, a message and all before it.
    Client,
    /// The client, message by message.
    Individual,
}

/// One subscription.
pub(super) struct Link {
    pub(super) id: LinkId,
    /// The client's word for it.
    pub(super) name: Box<str>,
    pub(super) mode: Mode,
    /// How each of its MESSAGE frames begins.
    pub(super) opening: Box<[u8]>,
    /// Whether the destination is part of the opening. With wildcards each message has its own.
    pub(super) is_fixed: bool,
    /// The subscription that stays when the link goes.
    pub(super) durable: Option<Box<SubscriptionName>>,
    /// Deliveries after which more are asked for, in the modes that ask.
    pub(super) quarter: u32,
    pub(super) outstanding: Outstanding,
    taken: u32,
    gathered: Runs,
    is_gathering: bool,
}

impl Link {
    /// A link on which nothing has come yet.
    pub(super) fn new(id: LinkId, name: Box<str>, mode: Mode, window: u32) -> Self {
        Self {
            id,
            name,
            mode,
            opening: Box::default(),
            is_fixed: true,
            durable: None,
            quarter: (window / 4).max(1),
            outstanding: Outstanding::default(),
            taken: 0,
            gathered: Runs::default(),
            is_gathering: false,
        }
    }

    /// Notes a delivery. `Some` is its place in the order, by which the client acknowledges it.
    fn take(&mut self, delivery: &Delivery) -> Option<u64> {
        match self.mode {
            Mode::Client | Mode::Individual => {
                Some(self.outstanding.add(delivery.id, delivery.message.envelope.id))
            }
            Mode::Browse { ack } => {
                self.taken += 1;
                ack.then_some(0)
            }
            Mode::Auto => {
                self.gathered.add(delivery.id);
                None
            }
            Mode::Handed => {
                self.taken += 1;
                None
            }
        }
    }

    /// Whether there is something to say at the end of the batch.
    fn has_gathered(&self) -> bool {
        match self.mode {
            Mode::Auto => true,
            Mode::Handed | Mode::Browse { .. } => self.taken >= self.quarter,
            Mode::Client | Mode::Individual => false,
        }
    }

    fn settle_gathered(&mut self, say: &mut Vec<Verb>) {
        self.is_gathering = false;
        for run in self.gathered.take() {
            say.push(Verb::Settle(Settle {
                link: self.id,
                leg: run.leg,
                from: run.from,
                through: run.through,
                outcome: Outcome::Accepted,
                tx: None,
                tag: None,
                reason: None,
            }));
        }
        if self.taken >= self.quarter {
            let credit = std::mem::take(&mut self.taken);
            say.push(Verb::Grant { link: self.id, credit });
        }
    }
}

/// All of a connection's.
#[derive(Default)]
pub(super) struct Links {
    by_id: HashMap<LinkId, Box<Link>>,
    by_name: HashMap<Box<str>, LinkId>,
    last: u32,
    /// Links that have something to say at the end of the batch.
    gathering: Vec<LinkId>,
}

impl Links {
    /// An id that no link of this connection has had; `None` when there are no more.
    pub(super) fn next_id(&mut self) -> Option<LinkId> {
        self.last = self.last.checked_add(1)?;
        Some(LinkId(self.last))
    }

    pub(super) fn len(&self) -> usize {
        self.by_id.len()
    }

    pub(super) fn add(&mut self, link: Link) {
        self.by_name.insert(link.name.clone(), link.id);
        self.by_id.insert(link.id, Box::new(link));
    }

    pub(super) fn remove(&mut self, id: LinkId) -> Option<Box<Link>> {
        let link = self.by_id.remove(&id)?;
        self.by_name.remove(&link.name);
        Some(link)
    }

    pub(super) fn get(&self, id: LinkId) -> Option<&Link> {
        self.by_id.get(&id).map(|link| &**link)
    }

    pub(super) fn get_mut(&mut self, id: LinkId) -> Option<&mut Link> {
        self.by_id.get_mut(&id).map(|link| &mut **link)
    }

    /// The link that the client calls so.
    pub(super) fn named(&self, name: &str) -> Option<LinkId> {
        self.by_name.get(name).copied()
    }

    /// Any link for which this holds.
    pub(super) fn find(&self, wanted: impl Fn(&Link) -> bool) -> Option<LinkId> {
        self.by_id.values().find(|link| wanted(link)).map(|link| link.id)
    }

    /// Notes a delivery on its link: the link, and the delivery's place when the client acknowledges it. `None` when the
    /// link is gone, and the delivery with it.
    pub(super) fn take(&mut self, delivery: &Delivery) -> Option<(&Link, Option<u64>)> {
        let link = self.by_id.get_mut(&delivery.link)?;
        let place = link.take(delivery);
        if !link.is_gathering && link.has_gathered() {
            link.is_gathering = true;
            self.gathering.push(link.id);
        }
        Some((link, place))
    }

    /// Says what was gathered: settlements of written messages, and that more may come.
    pub(super) fn settle_gathered(&mut self, say: &mut Vec<Verb>) {
        while let Some(id) = self.gathering.pop() {
            if let Some(link) = self.by_id.get_mut(&id) {
                link.settle_gathered(say);
            }
        }
    }
}
