//! One run: what happens is drawn from the seed.

use std::collections::BTreeMap;
use std::fmt;

use keepmq_model::{Destination, Event, LinkId, Outcome, Settle, SubscriptionName, Tag, TxId, Verb};
use keepmq_store::testing::Chance;

use crate::oracle::{Copy, DEAD, Line, Oracle, Wrong};
use crate::peer::{Holding, Peer, durable_source, number_of, passing_source, publish, queue_source};
use crate::world::{KINDS, World};

const QUEUES: [&str; 4] = ["a.1", "a.2", "b", "c"];
const TOPICS: [&str; 3] = ["t.1", "t.2", "u"];
const PATTERNS: [&str; 4] = ["t.*", "t.1", "u", ">"];
/// How often a message is given back as failed before it is put aside.
pub(crate) const MAX_REDELIVERIES: u32 = 2;
/// How often a message is given back in whatever way before it is put aside.
pub(crate) const MAX_RETURNS: u32 = 8;
const CLIENTS: [&str; 3] = ["x", "y", "z"];

/// What a run did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Messages sent.
    pub sent: u64,
    /// Messages handed out.
    pub delivered: u64,
    /// Crashes.
    pub crashes: u64,
}

/// The broker showed what it must not, or lost what it must keep.
#[derive(Debug)]
pub struct Violation {
    /// With this seed it happens again.
    pub seed: u64,
    /// After so many steps.
    pub step: usize,
    /// What happened.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "seed {} at step {}: {}", self.seed, self.step, self.what)
    }
}

/// Whether a message is of this kind; any is when none is said.
fn is_of(kind: Option<u64>, message: u64) -> bool {
    kind.is_none_or(|kind| message % KINDS == kind)
}

struct Run {
    chance: Chance,
    world: World,
    oracle: Oracle,
    peers: Vec<Peer>,
    /// What each durable subscription gets.
    durable: Vec<(String, &'static str)>,
    /// What was sent in open transactions, by connection.
    in_transaction: Vec<(u64, Destination, u64, bool, u8)>,
    /// Durable messages to queues that nobody was told are safe, with their senders: nobody may be shown them.
    unanswered: BTreeMap<u64, u64>,
    /// All messages whose senders were not told yet what became of them.
    open: BTreeMap<u64, u64>,
    settled_in_transaction: Vec<(u64, Holding)>,
    /// Nothing more happens until all that can be handed out is.
    quiet: bool,
    summary: Summary,
}

/// Runs so many steps by the numbers that the seed gives.
pub fn run(seed: u64, steps: usize) -> Result<Summary, Violation> {
    let mut run = Run {
        chance: Chance::new(seed),
        world: World::new(),
        oracle: Oracle::default(),
        peers: Vec::new(),
        durable: Vec::new(),
        in_transaction: Vec::new(),
        unanswered: BTreeMap::new(),
        open: BTreeMap::new(),
        settled_in_transaction: Vec::new(),
        quiet: false,
        summary: Summary::default(),
    };
    for step in 0..steps {
        run.step();
        run.look().and_then(|()| run.rest()).map_err(|wrong| Violation {
            seed,
            step,
            what: wrong.to_string(),
        })?;
    }
    run.drain().map_err(|wrong| Violation { seed, step: steps, what: wrong.to_string() })?;
    run.summary.delivered = run.oracle.delivered;
    Ok(run.summary)
}

impl Run {
    fn step(&mut self) {
        match self.chance.below(100) {
            0..=3 => self.connect(),
            4..=5 => self.disconnect(),
            6..=34 => self.send(),
            35..=40 => self.consume(),
            41..=43 => self.subscribe(),
            44..=47 => self.subscribe_durably(),
            48..=49 => self.detach(),
            50..=74 => self.settle(),
            75..=77 => self.transact(),
            78..=89 => {
                let commits = self.chance.index(4) + 1;
                if self.world.sync(commits) < commits {
                    self.oracle.synced();
                }
            }
            90..=93 => {
                self.world.read();
            }
            94..=95 => {
                let ms = self.chance.below(40);
                self.world.pass(ms);
            }
            96 => {
                self.oracle.expire(self.world.now());
                self.world.gate.sweep();
            }
            97 => self.forget(),
            98 => self.purge(),
            _ if self.chance.one_in(4) => self.crash(),
            _ => self.quiet = true,
        }
    }

    fn pick(&mut self) -> Option<usize> {
        (!self.peers.is_empty()).then(|| self.chance.index(self.peers.len()))
    }

    fn connect(&mut self) {
        if self.peers.len() >= 6 {
            return;
        }
        let client_id = self.chance.one_in(2).then(|| CLIENTS[self.chance.index(3)].to_owned());
        let peer = Peer::new(&self.world, client_id.clone());
        // Whoever held the client id has been told to go.
        let older = self.peers.iter().position(|peer| client_id.is_some() && peer.client_id == client_id);
        if let Some(older) = older {
            self.close(older);
        }
        self.peers.extend(peer);
    }

    fn disconnect(&mut self) {
        if let Some(which) = self.pick() {
            self.close(which);
        }
    }

    fn close(&mut self, which: usize) {
        let peer = self.peers.swap_remove(which);
        self.roll_back(peer.number);
        let number = peer.number;
        drop(peer);
        self.unanswered.retain(|_, sender| *sender != number);
        for (message, _) in self.open.extract_if(.., |_, sender| *sender == number) {
            self.oracle.never_answered(message);
        }
        self.oracle.lost_holder(number, MAX_RETURNS, self.world.now());
    }

    fn send(&mut self) {
        let Some(which) = self.pick() else { return };
        let number = self.oracle.next_message();
        let durable = !self.chance.one_in(4);
        let priority = if self.chance.one_in(5) { 7 } else { 4 };
        let expires = if self.chance.one_in(12) { self.world.now() + self.chance.below(60) + 1 } else { 0 };
        let destination = if self.chance.one_in(3) {
            Destination::topic(TOPICS[self.chance.index(3)])
        } else {
            Destination::queue(QUEUES[self.chance.index(4)])
        };
        let Ok(destination) = destination else { return };
        // Copies of one message that expire in several subscriptions can't be told apart among the dead letters.
        let expires = if destination.kind().is_queue() { expires } else { 0 };
        let Some(peer) = self.peers.get_mut(which).filter(|peer| !peer.slowed) else { return };
        let mut sent = publish(destination.clone(), number, durable, priority, expires);
        sent.tag = Some(Tag(number));
        self.summary.sent += 1;
        if let Some(tx) = peer.transaction {
            sent.tx = Some(tx);
            self.in_transaction.push((peer.number, destination, number, durable, priority));
            // Messages in transactions do not expire here: nobody knows when they were seen first.
            sent = publish(sent.message.envelope.destination.clone(), number, durable, priority, 0);
            sent.tx = Some(tx);
            peer.say(Verb::Publish(sent));
            return;
        }
        self.open.insert(number, peer.number);
        if durable && destination.kind().is_queue() {
            self.unanswered.insert(number, peer.number);
        }
        peer.say(Verb::Publish(sent));
        self.sent(&destination, number, durable, priority, expires);
    }

    /// A message is on its way: one copy for each line that gets it.
    fn sent(
        &mut self,
        destination: &Destination,
        message: u64,
        durable: bool,
        priority: u8,
        expires_ms: u64,
    ) {
        let mut lines = Vec::new();
        if destination.kind().is_queue() {
            lines.push(Line::queue(destination.name()));
        } else {
            let covers = |pattern: &str| {
                keepmq_model::Pattern::new(pattern).is_ok_and(|p| p.matches(destination.name()))
            };
            let durable = self.durable.iter().filter(|(_, pattern)| covers(pattern));
            lines.extend(durable.map(|(client, _)| Line::Durable(client.clone())));
            for peer in &self.peers {
                let passing = peer.links.iter().filter_map(|open| open.line.clone());
                lines.extend(passing.filter(|line| {
                    matches!(line, Line::Passing(..)) && Self::passing_covers(line, destination)
                }));
            }
        }
        for line in lines {
            self.oracle.add(message, Copy::new(line, durable, priority, expires_ms));
        }
    }

    fn passing_covers(line: &Line, destination: &Destination) -> bool {
        let Line::Passing(_, link) = line else { return false };
        let pattern = PATTERNS[usize::try_from(*link).unwrap_or_default() % PATTERNS.len()];
        keepmq_model::Pattern::new(pattern).is_ok_and(|pattern| pattern.matches(destination.name()))
    }

    fn consume(&mut self) {
        let Some(which) = self.pick() else { return };
        let credit = u32::try_from(self.chance.below(12) + 1).unwrap_or(1);
        let (pattern, wild) = match self.chance.below(6) {
            0 => ("a.*", true),
            1 => (">", true),
            n => (QUEUES[usize::try_from(n).unwrap_or(0) % 4], false),
        };
        let line = (!wild).then(|| Line::queue(pattern));
        if let (Some(peer), Some(source)) = (self.peers.get_mut(which), queue_source(pattern)) {
            let kind = self.chance.one_in(3).then(|| self.chance.below(KINDS));
            peer.attach_for(source, credit, line, kind);
            self.sync();
        }
    }

    /// The news that a link is open waits for what was said before it, and the link's deliveries wait for that news: to
    /// know who was handed what, the disk catches up.
    fn sync(&mut self) {
        self.world.sync(usize::MAX);
        self.oracle.synced();
    }

    fn subscribe(&mut self) {
        let Some(which) = self.pick() else { return };
        let credit = u32::try_from(self.chance.below(12) + 1).unwrap_or(1);
        let Some(peer) = self.peers.get_mut(which) else { return };
        // The link's number says its pattern, so that the oracle need not be told.
        let link = peer.next() + 1;
        let pattern = PATTERNS[usize::try_from(link).unwrap_or_default() % PATTERNS.len()];
        if let Some(source) = passing_source(pattern) {
            let line = Line::Passing(peer.number, link);
            peer.attach(source, credit, Some(line));
            self.sync();
        }
    }

    fn subscribe_durably(&mut self) {
        let Some(which) = self.pick() else { return };
        let credit = u32::try_from(self.chance.below(12) + 1).unwrap_or(1);
        let pattern = PATTERNS[self.chance.index(PATTERNS.len())];
        let Some(peer) = self.peers.get_mut(which) else { return };
        let Some(client) = peer.client_id.clone() else { return };
        let line = Line::Durable(client.clone());
        let (Some(source), false) = (
            durable_source(&client, pattern),
            peer.links.iter().any(|open| open.line.as_ref() == Some(&line)),
        ) else {
            return;
        };
        peer.attach(source, credit, Some(line.clone()));
        match self.durable.iter_mut().find(|(known, _)| *known == client) {
            Some((_, known)) if *known == pattern => {}
            Some((_, known)) => {
                // Another filter starts afresh.
                *known = pattern;
                self.oracle.forget(self.world.now(), |other| *other == line);
            }
            None => self.durable.push((client, pattern)),
        }
        // Definitions are not followed through crashes: they are made safe at once.
        self.world.settle();
        self.oracle.synced();
    }

    fn forget(&mut self) {
        let Some(which) = self.pick() else { return };
        let Some(peer) = self.peers.get_mut(which) else { return };
        let Some(client) = peer.client_id.clone() else { return };
        let line = Line::Durable(client.clone());
        let name = SubscriptionName { client_id: client.as_str().into(), name: "s".into() };
        peer.say(Verb::Forget { name, tag: Tag(0) });
        peer.links.retain(|open| open.line.as_ref() != Some(&line));
        peer.held.retain(|holding| holding.line != line);
        self.settled_in_transaction.retain(|(_, holding)| holding.line != line);
        self.durable.retain(|(known, _)| *known != client);
        self.oracle.forget(self.world.now(), |other| *other == line);
        self.world.settle();
        self.oracle.synced();
    }

    fn detach(&mut self) {
        let Some(which) = self.pick() else { return };
        let Some(peer) = self.peers.get_mut(which) else { return };
        if peer.links.is_empty() || peer.transaction.is_some() {
            return;
        }
        let open = peer.links.swap_remove(self.chance.index(peer.links.len()));
        let number = peer.number;
        peer.say(Verb::Detach { link: open.link, tried: None, tag: Tag(0) });
        let back = peer.held.extract_if(.., |holding| holding.link == open.link);
        let back: Vec<(Line, u64)> = back.map(|holding| (holding.line, holding.message)).collect();
        self.oracle.lost_link(number, &back, MAX_RETURNS);
        if let Some(line @ Line::Passing(..)) = open.line {
            self.oracle.forget(self.world.now(), |other| *other == line);
        }
    }

    fn settle(&mut self) {
        let Some(which) = self.pick() else { return };
        let outcome = match self.chance.below(12) {
            0 => Outcome::Rejected,
            1 | 2 => Outcome::Failed,
            3 => Outcome::Released,
            _ => Outcome::Accepted,
        };
        let Some(peer) = self.peers.get_mut(which) else { return };
        if peer.held.is_empty() || (peer.slowed && peer.transaction.is_some()) {
            return;
        }
        let holding = peer.held.swap_remove(self.chance.index(peer.held.len()));
        let (client, number) = (peer.number, holding.id.number);
        let settle = Settle {
            link: holding.link,
            leg: holding.id.leg,
            from: number,
            through: number,
            outcome,
            tx: peer.transaction,
            tag: None,
            reason: None,
        };
        if peer.transaction.is_some() {
            let settle = Settle { outcome: Outcome::Accepted, ..settle };
            self.settled_in_transaction.push((peer.number, holding));
            peer.say(Verb::Settle(settle));
            return;
        }
        // The oracle is told first: the broker may hand the message out again while it is told.
        self.ended(client, &holding, outcome);
        if let Some(peer) = self.peers.get_mut(which) {
            peer.say(Verb::Settle(settle));
        }
    }

    fn ended(&mut self, by: u64, holding: &Holding, outcome: Outcome) {
        let (line, message) = (&holding.line, holding.message);
        match outcome {
            Outcome::Accepted => self.oracle.finish(line, message, by),
            Outcome::Released => self.oracle.release(line, message, by),
            Outcome::Rejected => self.oracle.bury(line, message, by),
            Outcome::Failed => self.oracle.fail(line, message, by, MAX_REDELIVERIES),
        }
    }

    fn transact(&mut self) {
        let Some(which) = self.pick() else { return };
        let commit = !self.chance.one_in(3);
        let Some(peer) = self.peers.get_mut(which).filter(|peer| !peer.slowed) else { return };
        let number = peer.number;
        let Some(tx) = peer.transaction.take() else {
            let tx = TxId(peer.next().into());
            peer.transaction = Some(tx);
            peer.say(Verb::Begin { tx });
            return;
        };
        if !commit {
            peer.say(Verb::Rollback { tx, tag: Tag(0) });
            self.roll_back(number);
            return;
        }
        let (mine, others) =
            std::mem::take(&mut self.in_transaction).into_iter().partition(|sent| sent.0 == number);
        self.in_transaction = others;
        let mine: Vec<(u64, Destination, u64, bool, u8)> = mine;
        for (_, destination, message, durable, priority) in mine {
            self.sent(&destination, message, durable, priority, 0);
            self.oracle.taken(message);
        }
        let (mine, others): (Vec<_>, Vec<_>) = std::mem::take(&mut self.settled_in_transaction)
            .into_iter()
            .partition(|settled| settled.0 == number);
        self.settled_in_transaction = others;
        for (_, holding) in mine {
            self.oracle.finish(&holding.line, holding.message, number);
        }
        if let Some(peer) = self.peers.get_mut(which) {
            peer.say(Verb::Commit { tx, tag: Tag(0) });
        }
    }

    /// What was said in a connection's transaction has not happened; its deliveries are held as before.
    fn roll_back(&mut self, number: u64) {
        self.in_transaction.retain(|sent| sent.0 != number);
        let (mine, others): (Vec<_>, Vec<_>) = std::mem::take(&mut self.settled_in_transaction)
            .into_iter()
            .partition(|settled| settled.0 == number);
        self.settled_in_transaction = others;
        if let Some(peer) = self.peers.iter_mut().find(|peer| peer.number == number) {
            peer.held.extend(mine.into_iter().map(|(_, holding)| holding));
        }
    }

    fn purge(&mut self) {
        let Some(which) = self.pick() else { return };
        if !self.chance.one_in(3) {
            return;
        }
        let name = QUEUES[self.chance.index(4)];
        let (Some(peer), Ok(destination)) = (self.peers.get_mut(which), Destination::queue(name)) else {
            return;
        };
        peer.say(Verb::Purge { destination, tag: Tag(0) });
        self.oracle.purge(&Line::queue(name), self.world.now());
        // A page of what was just removed may be on its way.
        while self.chance.one_in(2) && self.world.read() {}
        self.world.settle();
        self.oracle.synced();
    }

    fn crash(&mut self) {
        self.summary.crashes += 1;
        self.in_transaction.clear();
        self.settled_in_transaction.clear();
        self.unanswered.clear();
        self.open.clear();
        // The old broker's connections are gone without a word; what they say in going changes a dead broker only.
        let peers = std::mem::take(&mut self.peers);
        self.world.crash();
        drop(peers);
        self.oracle.crashed();
    }

    /// Takes all events and holds them against the oracle.
    fn look(&mut self) -> Result<(), Wrong> {
        let mut quiet = false;
        let mut delivered = Vec::new();
        while !quiet {
            quiet = true;
            for which in 0..self.peers.len() {
                let Some(peer) = self.peers.get_mut(which) else { break };
                for event in peer.events() {
                    quiet = false;
                    delivered.extend(self.event(which, event)?);
                }
            }
        }
        // Only now: which connection was looked at first says nothing about which was served first.
        let now = self.world.now();
        if let Some((line, message, _)) =
            delivered.iter().find(|(_, message, _)| self.unanswered.contains_key(message))
        {
            return Err(Wrong(format!("message {message} of {line:?} was handed out before it was safe")));
        }
        delivered.iter().try_for_each(|(line, message, kind)| {
            self.oracle.check_order(line, *message, |other| is_of(*kind, other), now)
        })
    }

    fn event(&mut self, which: usize, event: Event) -> Result<Option<(Line, u64, Option<u64>)>, Wrong> {
        let now = self.world.now();
        let Some(peer) = self.peers.get_mut(which) else { return Ok(None) };
        match event {
            Event::Deliver(delivery) => {
                let Some(line) = peer.line_of(delivery.link, &delivery.message) else {
                    // It was on its way when the link was closed, and went back.
                    return Ok(None);
                };
                let message =
                    number_of(&delivery.message).ok_or_else(|| Wrong("a strange body".to_owned()))?;
                let (link, id) = (delivery.link, delivery.id);
                peer.held.push(Holding { link, id, message, line: line.clone() });
                let (number, kind) = (peer.number, peer.kind_of(link));
                if !is_of(kind, message) {
                    return Err(Wrong(format!("message {message} is not wanted by link {link:?}")));
                }
                self.oracle.delivered(&line, message, delivery.marks.redeliveries, number, now)?;
                Ok(Some((line, message, kind)))
            }
            Event::Done { tag } => {
                self.unanswered.remove(&tag.0);
                self.open.remove(&tag.0);
                self.oracle.answered(tag.0);
                Ok(None)
            }
            Event::Slowed { why } => {
                peer.slowed = why.is_some();
                Ok(None)
            }
            Event::Refused { tag: Some(tag), refusal } if refusal.text.contains("the queue is full") => {
                self.open.remove(&tag.0);
                self.oracle.never_sent(tag.0);
                Ok(None)
            }
            Event::Refused { refusal, .. } if refusal.text.contains("no such durable") => Ok(None),
            Event::Refused { refusal, .. } if refusal.text.contains("not there any more") => Ok(None),
            Event::Refused { refusal, .. } if refusal.text.contains("needs a client id") => Ok(None),
            Event::Refused { refusal, .. } if refusal.text.contains("no such queue") => Ok(None),
            Event::Refused { refusal, .. } => Err(Wrong(format!("refused: {refusal}"))),
            Event::Detached { link: LinkId(link), refusal } => {
                Err(Wrong(format!("link {link} closed: {refusal}")))
            }
            _ => Ok(None),
        }
    }

    /// In a quiet moment whoever has credit has got what it wants.
    fn rest(&mut self) -> Result<(), Wrong> {
        if !std::mem::take(&mut self.quiet) {
            return Ok(());
        }
        // Taking what was handed out makes room for more.
        for _ in 0..2 {
            self.world.settle();
            self.oracle.synced();
            self.look()?;
        }
        let now = self.world.now();
        for peer in &self.peers {
            for open in &peer.links {
                let Some(line @ Line::Queue(_)) = &open.line else { continue };
                let held = peer.held.iter().filter(|holding| holding.link == open.link).count();
                let is_settled =
                    |(by, holding): &&(u64, Holding)| *by == peer.number && holding.link == open.link;
                let settled = self.settled_in_transaction.iter().filter(is_settled).count();
                let overlooked = self.oracle.overlooked(line, |message| is_of(open.kind, message), now);
                if let Some(message) = overlooked.filter(|_| held + settled < open.credit as usize) {
                    let what =
                        format!("message {message} of {line:?} waits though link {:?} wants it", open.link);
                    return Err(Wrong(what));
                }
            }
        }
        Ok(())
    }

    /// In the end everything that must be there is there, once.
    fn drain(&mut self) -> Result<(), Wrong> {
        while !self.peers.is_empty() {
            self.close(0);
            self.look()?;
        }
        self.world.settle();
        self.oracle.synced();
        self.world.gate.sweep();
        self.oracle.expire(self.world.now());
        self.world.settle();
        self.oracle.synced();
        let mut lines: Vec<Line> = QUEUES.iter().map(|name| Line::queue(name)).collect();
        lines.extend(self.durable.iter().map(|(client, _)| Line::Durable(client.clone())));
        // Last: looking at the others finds what expired in them.
        lines.push(Line::Dead);
        for line in &lines {
            self.drain_line(line)?;
        }
        self.world.settle();
        let left = self.world.records();
        if left > 0 {
            return Err(Wrong(format!("{left} records are left in the store though everything was taken")));
        }
        Ok(())
    }

    fn drain_line(&mut self, line: &Line) -> Result<(), Wrong> {
        let (least, most) = self.oracle.bounds(line, self.world.now());
        let client_id = if let Line::Durable(client) = line { Some(client.clone()) } else { None };
        let Some(mut peer) = Peer::new(&self.world, client_id.clone()) else { return Ok(()) };
        let source = match line {
            Line::Queue(name) => queue_source(name),
            Line::Dead => queue_source(DEAD),
            Line::Durable(client) => {
                let pattern =
                    self.durable.iter().find(|(known, _)| known == client).map(|(_, pattern)| *pattern);
                pattern.and_then(|pattern| durable_source(client, pattern))
            }
            Line::Passing(..) => None,
        };
        let Some(source) = source else { return Ok(()) };
        peer.attach(source, 50, Some(line.clone()));
        self.peers.push(peer);
        let mut got = 0;
        loop {
            self.world.settle();
            self.look()?;
            let Some(peer) = self.peers.last_mut() else { break };
            let (client, held) = (peer.number, std::mem::take(&mut peer.held));
            if held.is_empty() {
                break;
            }
            got += held.len() as u64;
            for holding in held {
                self.oracle.finish(&holding.line, holding.message, client);
                let (link, leg, number) = (holding.link, holding.id.leg, holding.id.number);
                let (outcome, tx, tag) = (Outcome::Accepted, None, None);
                if let Some(peer) = self.peers.last_mut() {
                    peer.say(Verb::Settle(Settle {
                        link,
                        leg,
                        from: number,
                        through: number,
                        outcome,
                        tx,
                        tag,
                        reason: None,
                    }));
                }
            }
        }
        self.peers.pop();
        if got < least || got > most {
            return Err(Wrong(format!(
                "{line:?} holds {got} messages; {least} must be there and {most} can be"
            )));
        }
        Ok(())
    }
}
