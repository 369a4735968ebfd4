//! One connection's side of the gate.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use keepmq_model::{Destination, Event, LinkId, Principal, Refusal, RefusalKind, Tag, TxId, Verb, Xid};
use keepmq_store::Ticket;

use super::Gate;
use super::answers::{Answer, AnswerId, Answers};
use super::attach::Link;
use super::batch::Batch;
use super::flow::Flow;
use super::publish::Grants;
use super::transaction::Transaction;
use crate::outbox::{Bell, Outbox};
use crate::shard::{Input, LineKey, Reply};

/// Where a connection comes from, for records.
#[derive(Clone, Debug)]
pub struct Peer {
    /// The connection's number.
    pub connection: u64,
    /// Its address.
    pub address: Arc<str>,
    /// The listener that it came by.
    pub listener: Arc<str>,
}

/// What is told of a reply.
#[derive(Clone, Copy, Debug)]
pub(super) enum Ask {
    /// Nothing.
    Nothing,
    /// A refusal only.
    Refusal,
    /// A part of this answer.
    Answer(AnswerId),
}

/// One connection's side of the gate. It belongs to the task that drives the connection; nobody else touches it.
pub struct Client {
    pub(super) gate: Arc<Gate>,
    pub(super) peer: Arc<Peer>,
    pub(super) outbox: Arc<Outbox>,
    pub(super) who: Option<Arc<Principal>>,
    /// The client id that it holds.
    pub(super) claimed: Option<Arc<str>>,
    pub(super) links: BTreeMap<LinkId, Link>,
    pub(super) grants: Grants,
    pub(super) answers: Answers,
    pub(super) transactions: BTreeMap<TxId, Transaction>,
    /// The branches of global transactions that it works on.
    pub(super) joined: BTreeMap<TxId, Xid>,
    pub(super) temporaries: Vec<Destination>,
    pub(super) flow: Flow,
    /// The highest numbers that senders have sent since the last flush.
    pub(super) numbers: Vec<(Bytes, u64)>,
    /// What the messages since the last flush share.
    pub(super) batch: Batch,
    /// Messages admitted since the last flush.
    pub(super) published: u64,
    /// Links were passed over because the outbox was full.
    starved: bool,
    /// What the shards are to do, not yet handed over.
    work: Vec<(u16, Vec<Input>)>,
    asks: Vec<(u16, Ask)>,
}

impl Gate {
    /// A side of the gate for a new connection. The bell is rung when there are events for it.
    pub fn connect(self: &Arc<Self>, address: &str, listener: &Arc<str>, bell: Bell) -> Client {
        let connection = self.next_client.fetch_add(1, Ordering::Relaxed);
        self.clients.fetch_add(1, Ordering::Relaxed);
        let peer = Peer { connection, address: address.into(), listener: Arc::clone(listener) };
        let outbox = Outbox::new(connection, self.shell.limits.outbox_bytes, bell);
        Client {
            gate: Arc::clone(self),
            peer: Arc::new(peer),
            outbox: Arc::new(outbox),
            who: None,
            claimed: None,
            links: BTreeMap::new(),
            grants: Grants::default(),
            answers: Answers::default(),
            transactions: BTreeMap::new(),
            joined: BTreeMap::new(),
            temporaries: Vec::new(),
            flow: Flow::default(),
            numbers: Vec::new(),
            batch: Batch::default(),
            published: 0,
            starved: false,
            work: Vec::new(),
            asks: Vec::new(),
        }
    }
}

impl Client {
    /// The connection's number.
    pub fn number(&self) -> u64 {
        self.peer.connection
    }

    /// Where it comes from.
    pub fn peer(&self) -> &Arc<Peer> {
        &self.peer
    }

    /// Who it is, once it is logged in.
    pub fn principal(&self) -> Option<&Arc<Principal>> {
        self.who.as_ref()
    }

    /// The peer has proved who it is. Refused when the client id is taken.
    pub fn welcome(
        &mut self,
        who: Arc<Principal>,
        client_id: Option<Arc<str>>,
        take_over: bool,
    ) -> Result<(), Refusal> {
        if self.who.is_some() {
            return Err(Refusal::new(RefusalKind::Malformed, "the connection is logged in already"));
        }
        if let Some(id) = &client_id {
            self.gate.claims.claim(id, &who, take_over, &self.outbox)?;
        }
        self.claimed = client_id;
        self.answers.say(Event::Welcome(Arc::clone(&who)));
        self.gate.known.lock().insert(self.number(), (Arc::clone(&who), Arc::clone(&self.outbox)));
        self.who = Some(who);
        Ok(())
    }

    /// Takes a verb. It is carried out at the latest by [`Self::flush`]; its answer is among [`Self::events`].
    pub fn say(&mut self, verb: Verb) {
        // Put back below: to count a reference for each verb costs more than this.
        let Some(who) = self.who.take() else {
            let refusal = Refusal::new(RefusalKind::Unauthenticated, "log in first");
            self.answers.say(Event::Refused { tag: None, refusal });
            return;
        };
        if let Some(verb) = self.hold_back(verb) {
            self.carry_out(verb, &who);
        }
        self.who = Some(who);
    }

    pub(super) fn carry_out(&mut self, verb: Verb, who: &Arc<Principal>) {
        match verb {
            Verb::Publish(publish) => self.publish(publish, who),
            Verb::Target { destination, tag } => match self.grant(&destination, who) {
                Ok(_) => self.done(tag),
                Err(refusal) => self.refuse(Some(tag), refusal),
            },
            Verb::Drain { link, tag } => self.drain(link, tag),
            Verb::Settle(settle) => self.settle(settle),
            Verb::Grant { link, credit } => self.grant_credit(link, credit),
            Verb::Attach(attach) => self.attach(*attach, who),
            Verb::Bind(bind) => self.bind(*bind, who),
            Verb::Unbind { link, pattern, tag } => self.unbind(link, &pattern, tag, who),
            Verb::Detach { link, tried, tag } => self.detach(link, tried.as_deref(), tag),
            Verb::Forget { name, tag } => self.forget(&name, tag, who),
            Verb::Note(note) => self.note(note),
            Verb::Begin { tx } => self.begin(tx),
            Verb::Commit { tx, tag } => self.commit(tx, tag),
            Verb::Rollback { tx, tag } => self.rollback(tx, tag),
            Verb::Join { tx, branch } => self.join(tx, branch, who),
            Verb::Prepare { branch, tag } => self.prepare(&branch, tag, who),
            Verb::Finish { branch, how, tag } => self.finish(&branch, how, tag, who),
            Verb::EndSender { sender } => self.end_sender(&who.name, &sender),
            Verb::InDoubt { tag } => self.in_doubt(tag, who),
            Verb::CreateTemporary { kind, name, tag } => {
                self.create_temporary(kind, name.as_deref(), tag, who);
            }
            Verb::Purge { destination, tag } => self.purge(&destination, tag, who),
            Verb::Delete { destination, tag } => self.delete(&destination, tag, who),
            Verb::Login(_) => {
                let refusal = Refusal::new(RefusalKind::Malformed, "the connection is logged in already");
                self.answers.say(Event::Refused { tag: None, refusal });
            }
        }
    }

    /// Answers with a refusal.
    pub(super) fn refuse(&mut self, tag: Option<Tag>, refusal: Refusal) {
        self.answers.say(Event::Refused { tag, refusal });
    }

    /// Answers that it is done.
    pub(super) fn done(&mut self, tag: Tag) {
        self.answers.add(Answer::Done(tag), 0);
    }

    /// An answer with so many parts, if one is wanted.
    pub(super) fn ask(&mut self, tag: Option<Tag>, parts: u32) -> Ask {
        tag.map_or(Ask::Refusal, |tag| Ask::Answer(self.answers.add(Answer::Done(tag), parts)))
    }

    /// Has a shard do something with the next flush.
    pub(super) fn push(&mut self, shard: u16, input: Input, ask: Ask) {
        match self.work.iter_mut().find(|(of, _)| *of == shard) {
            Some((_, inputs)) => inputs.push(input),
            None => self.work.push((shard, vec![input])),
        }
        self.asks.push((shard, ask));
    }

    /// Carries out what was said.
    pub fn flush(&mut self) {
        if self.published > 0 {
            let published = std::mem::take(&mut self.published);
            self.gate.shell.totals.published.fetch_add(published, Ordering::Relaxed);
            self.batch.end();
        }
        let Some((last_shard, _)) = self.work.last() else {
            // Nobody wanted the messages, and nobody will want them when they come again.
            self.numbers.clear();
            return;
        };
        if !self.numbers.is_empty() {
            self.store_numbers(*last_shard);
        }
        let now = self.gate.now();
        let mut full = Vec::new();
        for (shard, inputs) in std::mem::take(&mut self.work) {
            let mut replies = Vec::with_capacity(inputs.len());
            let (ticket, after) = self.gate.shell.run(shard, inputs, now, |reply| replies.push(reply));
            let asks: Vec<Ask> =
                self.asks.iter().filter(|(of, _)| *of == shard).map(|(_, ask)| *ask).collect();
            for (ask, reply) in asks.into_iter().zip(replies) {
                self.replied(ask, reply, ticket);
            }
            full.extend(self.gate.finish(after));
        }
        self.asks.clear();
        self.after_work(&full);
    }

    /// Carries out inputs for several shards in one commit.
    pub(super) fn run_together(&mut self, work: BTreeMap<u16, Vec<Input>>, ask: Ask) {
        self.flush();
        let now = self.gate.now();
        let mut replies = Vec::new();
        let (ticket, after) = self.gate.shell.run_all(work, now, |reply| replies.push(reply));
        for reply in replies {
            self.replied(ask, reply, ticket);
        }
        let full = self.gate.finish(after);
        self.after_work(&full);
    }

    fn replied(&mut self, ask: Ask, reply: Reply, ticket: Option<Ticket>) {
        let refusal = match reply {
            Reply::Done | Reply::Staged => {
                if let Ask::Answer(id) = ask {
                    self.answers.part_done(id, ticket.filter(|_| reply == Reply::Staged));
                }
                return;
            }
            Reply::Gone => Refusal::new(RefusalKind::NotFound, "it is not there any more"),
            Reply::Busy(why) => Refusal::new(RefusalKind::Busy, why),
        };
        match ask {
            Ask::Nothing => {}
            Ask::Refusal => self.refuse(None, refusal),
            Ask::Answer(id) => self.answers.part_refused(id, refusal),
        }
    }

    /// What follows from a flush: senders that are too quick are slowed, answers that wait for the disk are waited for.
    pub(super) fn after_work(&mut self, full: &[LineKey]) {
        if let Some(ticket) = self.answers.newest_ticket() {
            self.gate.shell.ring_when_durable(ticket, &self.outbox);
        }
        self.slow(full);
    }

    /// Takes the events that are there for the session.
    pub fn events(&mut self, into: &mut Vec<Event>) {
        self.outbox.look();
        self.check_flow();
        into.append(&mut self.flow.notices());
        // Asked after the look: what becomes durable from now on rings the bell again.
        let durable = self.gate.shell.store.durable();
        while let Some(answer) = self.answers.next(durable) {
            into.push(answer);
        }
        // The deliveries of a link come after the news that it is open.
        if !self.answers.is_attaching() {
            let start = into.len();
            self.outbox.take(into);
            self.told(into.get(start..).unwrap_or_default());
            self.lost_links(into.get(start..).unwrap_or_default());
            self.left_branches(into.get(start..).unwrap_or_default());
            if std::mem::take(&mut self.starved) {
                self.pump_links();
            }
        }
    }

    /// Gives the room of messages back that leave the outbox, and asks for more where links were passed over.
    fn told(&mut self, events: &[Event]) {
        let cost = |event: &Event| match event {
            Event::Deliver(delivery) => usize::try_from(delivery.message.cost()).unwrap_or(usize::MAX),
            _ => 0,
        };
        let bytes: usize = events.iter().map(cost).sum();
        if bytes > 0 && self.outbox.release(bytes) {
            self.starved = true;
        }
    }

    /// What the broker closed is closed on this side as well.
    fn lost_links(&mut self, events: &[Event]) {
        let lost = events.iter().filter_map(|event| match event {
            Event::Detached { link, .. } => Some(*link),
            _ => None,
        });
        let lost: Vec<LinkId> = lost.collect();
        self.close_links(&lost);
    }

    /// The connection is over. What it holds goes back; what was its own goes away.
    pub fn close(&mut self) {
        if self.who.is_none() {
            return;
        }
        self.flush();
        self.outbox.close();
        self.transactions.clear();
        self.leave_branches();
        let links: Vec<LinkId> = self.links.keys().copied().collect();
        self.close_links(&links);
        self.flush();
        self.delete_temporaries();
        if let Some(id) = self.claimed.take() {
            self.gate.claims.release(&id, &self.outbox);
        }
        self.gate.known.lock().remove(&self.number());
        self.who = None;
    }

    /// Gives memory back while the connection is idle.
    pub fn shrink(&mut self) {
        self.outbox.shrink();
        self.answers.shrink();
        if self.work.is_empty() {
            self.work = Vec::new();
            self.asks = Vec::new();
        }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.close();
        self.gate.clients.fetch_sub(1, Ordering::Relaxed);
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Client({})", self.peer.connection)
    }
}
