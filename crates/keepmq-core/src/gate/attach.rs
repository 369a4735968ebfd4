//! Opening and closing links.

use std::sync::Arc;

use keepmq_model::{
    Attach, DeliveryId, Destination, Filter, Kind, LinkId, Pattern, Principal, Refusal, RefusalKind, Settle,
    Source, SubscriptionName, Tag, Taking,
};
use keepmq_policy::{decide, decide_pattern};

use super::Gate;
use super::answers::Answer;
use super::client::{Ask, Client};
use super::registry::{Registered, Taken};
use super::wild::WildLink;
use crate::chooser::Chooser;
use crate::routes::Watcher;
use crate::shard::{Browser, Choice, Credit, Held, Input, LineKey, Sight, Taker, TakerId};

/// An open link.
#[derive(Debug)]
pub(super) enum Link {
    /// Takes from one queue.
    Queue(LineKey),
    /// Takes from every queue of a pattern.
    Wild(Arc<WildLink>, Pattern),
    /// Takes from a subscription.
    Subscription(Box<OpenSubscription>),
}

/// A subscription with a link.
#[derive(Debug)]
pub(super) struct OpenSubscription {
    pub(super) line: LineKey,
    pub(super) id: u64,
    /// Absent when it ends with the link.
    pub(super) name: Option<SubscriptionName>,
    pub(super) filters: Vec<Filter>,
}

impl Link {
    fn line(&self, leg: u32) -> Option<LineKey> {
        match self {
            Self::Queue(line) => Some(*line).filter(|_| leg == 0),
            Self::Wild(wild, _) => wild.line(leg),
            Self::Subscription(subscription) => Some(subscription.line).filter(|_| leg == 0),
        }
    }

    fn legs(&self) -> Vec<(u32, LineKey)> {
        match self {
            Self::Queue(line) => vec![(0, *line)],
            Self::Wild(wild, _) => wild.legs(),
            Self::Subscription(subscription) => vec![(0, subscription.line)],
        }
    }
}

impl Gate {
    /// What a selector wants; `None` is everything.
    pub(super) fn chooser(&self, selector: Option<&Arc<str>>) -> Result<Option<Arc<Chooser>>, Refusal> {
        Chooser::of(selector.map(|text| &**text), self.formats)
    }
}

impl Client {
    pub(super) fn attach(&mut self, attach: Attach, who: &Arc<Principal>) {
        let (link, tag) = (attach.link, attach.tag);
        if let Err(refusal) = self.try_attach(attach, who) {
            self.links.remove(&link);
            self.refuse(Some(tag), refusal);
        }
    }

    fn try_attach(&mut self, attach: Attach, who: &Arc<Principal>) -> Result<(), Refusal> {
        let chooser = self.gate.chooser(attach.selector.as_ref())?;
        if chooser.is_some() && !matches!(attach.source, Source::Queue { .. }) {
            let text = "a subscription has its selectors in its filters";
            return Err(Refusal::new(RefusalKind::Unsupported, text));
        }
        if self.links.contains_key(&attach.link) {
            return Err(Refusal::new(RefusalKind::Conflict, "a link of this name is open"));
        }
        if self.links.len() >= self.gate.shell.limits.links_per_connection {
            return Err(Refusal::new(
                RefusalKind::Busy,
                "the limit on subscriptions of one connection is reached",
            ));
        }
        match &attach.source {
            Source::Queue { kind, pattern } => match pattern.concrete(*kind) {
                Some(queue) => self.attach_queue(&attach, &queue, chooser, who),
                None => self.attach_wild(&attach, *kind, &pattern.clone(), chooser, who),
            },
            Source::Subscription { .. } => self.attach_passing(attach, who),
            Source::Durable { .. } => self.attach_durable(attach, who),
        }
    }

    fn attach_queue(
        &mut self,
        attach: &Attach,
        queue: &Destination,
        chooser: Option<Arc<Chooser>>,
        who: &Arc<Principal>,
    ) -> Result<(), Refusal> {
        let policy = self.gate.policy.load_full();
        let permit = decide(&policy, who, queue).map_err(|denial| self.gate.deny(&self.peer, denial))?;
        let line = self.queue(queue, &policy, who)?.line;
        self.check_owner(queue)?;
        let id = TakerId { client: self.peer.connection, link: attach.link, leg: 0 };
        let input = if attach.taking == Taking::Browse {
            let credit = Credit::Own(attach.credit);
            let browser = Browser::new(id, Arc::clone(&self.outbox), permit, credit, chooser);
            Input::Browse { line: line.slot, browser: Box::new(browser) }
        } else {
            let choice = chooser.map(|chooser| Box::new(Choice::new(chooser)));
            let taker = Taker { choice, ..self.taker(attach, Sight::Queue(permit)) };
            Input::Attach { line: line.slot, taker: Box::new(taker) }
        };
        self.links.insert(attach.link, Link::Queue(line));
        let reads = vec![(queue.kind(), Pattern::from(queue))];
        self.register(attach.link, who, reads, Taken::Line(line));
        let answer = Answer::Attached(attach.link, attach.tag, None);
        let ask = Ask::Answer(self.answers.add(answer, 1));
        self.push(line.shard, input, ask);
        Ok(())
    }

    fn attach_wild(
        &mut self,
        attach: &Attach,
        kind: Kind,
        pattern: &Pattern,
        chooser: Option<Arc<Chooser>>,
        who: &Arc<Principal>,
    ) -> Result<(), Refusal> {
        if kind != Kind::Queue || attach.taking == Taking::Browse {
            let text = "wildcards can't be used with temporary queues or to browse";
            return Err(Refusal::new(RefusalKind::Unsupported, text));
        }
        let policy = self.gate.policy.load_full();
        let reader = decide_pattern(&policy, who, kind, pattern)
            .map_err(|denial| self.gate.deny(&self.peer, denial))?;
        let wild = Arc::new(WildLink::new(self.peer.connection, &self.outbox, attach, chooser));
        self.register(attach.link, who, vec![(kind, pattern.clone())], Taken::Wild(Arc::clone(&wild)));
        self.links.insert(attach.link, Link::Wild(Arc::clone(&wild), pattern.clone()));
        let mut directory = self.gate.directory.write();
        let covered = |queue: &Destination| queue.kind() == kind && pattern.matches(queue.name());
        let mut queues: Vec<_> = directory.queues.iter().filter(|(queue, _)| covered(queue)).collect();
        queues.sort_unstable_by_key(|(queue, _)| *queue);
        let mut legs = Vec::new();
        for (queue, entry) in queues {
            let leg = reader.permit(queue).and_then(|permit| wild.leg(entry.line, permit));
            legs.extend(leg.map(|taker| (entry.line, taker)));
        }
        directory.watchers.insert(pattern, Watcher { reader, link: wild });
        drop(directory);
        let parts = u32::try_from(legs.len()).unwrap_or(u32::MAX);
        let ask = Ask::Answer(self.answers.add(Answer::Attached(attach.link, attach.tag, None), parts));
        for (line, taker) in legs {
            self.push(line.shard, Input::Attach { line: line.slot, taker: Box::new(taker) }, ask);
        }
        Ok(())
    }

    /// A consumer as the verb describes it.
    pub(super) fn taker(&self, attach: &Attach, sight: Sight) -> Taker {
        Taker {
            id: TakerId { client: self.peer.connection, link: attach.link, leg: 0 },
            outbox: Arc::clone(&self.outbox),
            sight,
            credit: Credit::Own(attach.credit),
            refill: attach.refill,
            holds: attach.taking == Taking::Unsettled,
            priority: attach.priority,
            exclusive: attach.exclusive,
            choice: None,
            asked: 0,
            held: Held::default(),
        }
    }

    pub(super) fn register(
        &self,
        link: LinkId,
        who: &Arc<Principal>,
        reads: Vec<(Kind, Pattern)>,
        taken: Taken,
    ) {
        let registered = Registered {
            who: Arc::clone(who),
            peer: Arc::clone(&self.peer),
            reads,
            taken,
            outbox: Arc::clone(&self.outbox),
        };
        self.gate.register(self.peer.connection, link, registered);
    }

    pub(super) fn detach(&mut self, link: LinkId, tried: Option<&[DeliveryId]>, tag: Tag) {
        // Closing what the broker closed a moment ago is no fault of the peer.
        self.close_links_after(&[link], tried);
        self.flush();
        self.done(tag);
    }

    /// Closes links with the next flush, those of them that are open. All that they hold goes back before anything of it
    /// is handed out again, so that it keeps its order.
    pub(super) fn close_links(&mut self, links: &[LinkId]) {
        self.close_links_after(links, None);
    }

    fn close_links_after(&mut self, links: &[LinkId], tried: Option<&[DeliveryId]>) {
        let mut lines = Vec::new();
        for link in links {
            let Some(open) = self.links.remove(link) else { continue };
            self.gate.unregister(self.peer.connection, *link);
            for (leg, line) in open.legs() {
                let taker = TakerId { client: self.peer.connection, link: *link, leg };
                let of_leg = |tried: &[DeliveryId]| {
                    tried.iter().find(|delivery| delivery.leg == leg).map_or(0, |delivery| delivery.number)
                };
                let detach = Input::Detach { line: line.slot, taker, tried: tried.map(of_leg) };
                self.push(line.shard, detach, Ask::Nothing);
                lines.push(line);
            }
            self.end_link(&open);
        }
        lines.sort_unstable();
        lines.dedup();
        for line in lines {
            self.push(line.shard, Input::Pump { line: line.slot }, Ask::Nothing);
        }
    }

    fn end_link(&mut self, open: &Link) {
        match open {
            Link::Wild(wild, pattern) => {
                let mut directory = self.gate.directory.write();
                directory.watchers.remove(pattern, |watcher| Arc::ptr_eq(&watcher.link, wild));
            }
            Link::Subscription(subscription) if subscription.name.is_none() => {
                self.end_passing(subscription);
            }
            Link::Queue(_) | Link::Subscription(_) => {}
        }
    }

    pub(super) fn grant_credit(&mut self, link: LinkId, credit: u32) {
        let Some(open) = self.links.get(&link) else { return };
        let legs = open.legs();
        if let Link::Wild(wild, _) = open {
            wild.credit.fetch_add(credit.into(), std::sync::atomic::Ordering::Relaxed);
        }
        for (leg, line) in legs {
            let taker = TakerId { client: self.peer.connection, link, leg };
            // The legs of a link share one credit, which has been raised already.
            let credit = if matches!(self.links.get(&link), Some(Link::Wild(..))) { 0 } else { credit };
            self.push(line.shard, Input::Grant { line: line.slot, taker, credit }, Ask::Nothing);
        }
    }

    pub(super) fn drain(&mut self, link: LinkId, tag: Tag) {
        let legs = self.links.get(&link).map(Link::legs).unwrap_or_default();
        let ask = self.ask(Some(tag), u32::try_from(legs.len()).unwrap_or(u32::MAX));
        for (leg, line) in legs {
            let taker = TakerId { client: self.peer.connection, link, leg };
            self.push(line.shard, Input::Drain { line: line.slot, taker }, ask);
        }
    }

    pub(super) fn settle(&mut self, settle: Settle) {
        if let Some(tx) = settle.tx {
            return self.settle_in(tx, settle);
        }
        let Some((shard, input)) = self.settle_input(&settle) else {
            if let Some(tag) = settle.tag {
                self.refuse(Some(tag), Refusal::new(RefusalKind::NotFound, "the subscription is closed"));
            }
            return;
        };
        let ask = settle.tag.map_or(Ask::Nothing, |tag| self.ask(Some(tag), 1));
        self.push(shard, input, ask);
    }

    /// Whose deliveries of which line are settled.
    pub(super) fn taker_of(&self, settle: &Settle) -> Option<(LineKey, TakerId)> {
        let line = self.links.get(&settle.link)?.line(settle.leg)?;
        Some((line, TakerId { client: self.peer.connection, link: settle.link, leg: settle.leg }))
    }

    fn settle_input(&self, settle: &Settle) -> Option<(u16, Input)> {
        let (line, taker) = self.taker_of(settle)?;
        let input = Input::Settle {
            line: line.slot,
            taker,
            from: settle.from,
            through: settle.through,
            outcome: settle.outcome,
            reason: settle.reason.clone(),
            waits: settle.tag.is_some(),
        };
        Some((line.shard, input))
    }

    /// The outbox has room again: asks for what was passed over.
    pub(super) fn pump_links(&mut self) {
        let lines: Vec<LineKey> =
            self.links.values().flat_map(|link| link.legs().into_iter().map(|(_, line)| line)).collect();
        for line in lines {
            self.push(line.shard, Input::Pump { line: line.slot }, Ask::Nothing);
        }
        self.flush();
    }

    /// What the connection made for itself only it may read.
    pub(super) fn check_owner(&self, destination: &Destination) -> Result<(), Refusal> {
        if !destination.kind().is_temporary() {
            return Ok(());
        }
        let directory = self.gate.directory.read();
        let owner = match destination.kind() {
            Kind::TempQueue => directory.queues.get(destination).and_then(|entry| entry.owner),
            _ => directory.topics.get(destination).and_then(|topic| topic.owner),
        };
        if owner == Some(self.peer.connection) {
            return Ok(());
        }
        let text = "subscribing to a temporary destination that another connection created is not permitted";
        Err(Refusal::new(RefusalKind::Forbidden, text))
    }
}
