//! A client and a broker that do anything, and what must hold whatever they do: each receipt is answered once; nothing is
//! settled that is not outstanding; an acknowledgement covers exactly what its mode says, over all legs; what the session
//! settles by itself, it settles once.

use std::collections::{BTreeMap, BTreeSet};

use keepmq_model::{
    Closing, Event, Flow, LinkId, Outcome, RefusalKind, Settle, Source, Tag, Taking, TxId, Verb,
};
use keepmq_stomp::codec::Version;
use proptest::prelude::*;

use crate::peer::{Got, Peer, deliver_leg};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Auto,
    Client,
    Individual,
    Handed,
}

#[derive(Clone, Copy, Debug)]
struct Held {
    id: (u32, u64),
    message: u64,
    tx: Option<TxId>,
}

#[derive(Debug)]
struct Link {
    name: u8,
    mode: Mode,
    credit: u64,
    legs: BTreeMap<u32, u64>,
    held: Vec<Held>,
    /// By message: what its frame's `ack` header said.
    acks: BTreeMap<u64, String>,
}

#[derive(Debug)]
enum Asked {
    Link(LinkId),
    Commit(TxId),
    Other,
}

struct World {
    peer: Peer,
    links: BTreeMap<LinkId, Link>,
    transactions: BTreeMap<u8, TxId>,
    asked: Vec<(Tag, Asked)>,
    /// Receipts that were asked for and how often they were answered.
    receipts: BTreeMap<String, usize>,
    messages: u64,
}

#[derive(Clone, Debug)]
struct Step {
    what: u8,
    name: u8,
    pick: prop::sample::Index,
    count: u8,
    receipt: bool,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = (0u8..24, 0u8..3, any::<prop::sample::Index>(), 1u8..6, any::<bool>());
    let step = step.prop_map(|(what, name, pick, count, receipt)| Step { what, name, pick, count, receipt });
    proptest::collection::vec(step, 1..80)
}

impl World {
    fn new(version: Version) -> Self {
        Self {
            peer: Peer::open(version),
            links: BTreeMap::new(),
            transactions: BTreeMap::new(),
            asked: Vec::new(),
            receipts: BTreeMap::new(),
            messages: 0,
        }
    }

    fn is_open(&self) -> bool {
        !matches!(self.peer.flow, Flow::Close(_))
    }

    fn receipt(&mut self, step: &Step) -> String {
        if !step.receipt {
            return String::new();
        }
        let name = format!("r{}", self.receipts.len());
        self.receipts.insert(name.clone(), 0);
        format!("receipt:{name}\n")
    }

    /// Whether a step that must be refused is taken: it ends newer connections, so not often.
    fn dares(&self, step: &Step) -> bool {
        self.peer.version == Version::V1_0 || step.pick.index(40) == 7
    }

    fn go(&mut self, step: &Step) {
        let is_subscribed = self.links.values().any(|link| link.name == step.name);
        let has_begun = self.transactions.contains_key(&step.name);
        let is_doomed = match step.what {
            0..=2 => is_subscribed,
            3 => !is_subscribed,
            15 => has_begun,
            16..=17 => !has_begun,
            _ => false,
        };
        if is_doomed && !self.dares(step) {
            return;
        }
        match step.what {
            0..=2 => self.subscribe(step),
            3 => self.unsubscribe(step),
            4..=9 => self.deliver(step),
            10..=14 => self.acknowledge(step),
            15 => self.begin(step),
            16..=17 => self.end_transaction(step),
            18..=19 => self.send(step),
            _ => self.answer(step),
        }
    }

    /// Reads what was written: receipts and errors are answers, and messages are noted.
    fn written(&mut self) -> Vec<Got> {
        let frames = self.peer.frames();
        for frame in &frames {
            if let Some(receipt) = frame.get("receipt-id") {
                let answers = self.receipts.get_mut(receipt).expect("it was asked for");
                *answers += 1;
                assert_eq!(*answers, 1, "{receipt} is answered once");
            }
            if frame.command == "ERROR" {
                assert!(!self.is_open() || self.peer.version == Version::V1_0);
            }
        }
        frames
    }

    fn subscribe(&mut self, step: &Step) {
        let (ack, mode, kind) = [
            ("auto", Mode::Auto, "queue"),
            ("client", Mode::Client, "queue"),
            ("client-individual", Mode::Individual, "queue"),
            ("client", Mode::Client, "topic"),
            ("auto", Mode::Handed, "topic"),
        ][step.pick.index(5)];
        let receipt = self.receipt(step);
        let name = step.name;
        self.peer.send(&format!(
            "SUBSCRIBE\nid:{name}\ndestination:/{kind}/q\nack:{ack}\nactivemq.prefetchSize:12\n{receipt}\n"
        ));
        let verbs = self.peer.verbs();
        if self.links.values().any(|link| link.name == name) {
            assert!(verbs.is_empty());
            self.written();
            return;
        }
        let [Verb::Attach(attach)] = &verbs[..] else { panic!("{verbs:?}") };
        assert_eq!(attach.taking == Taking::Settled, mode == Mode::Handed);
        assert_eq!(matches!(attach.source, Source::Queue { .. }), kind == "queue");
        self.asked.push((attach.tag, Asked::Link(attach.link)));
        let link = Link {
            name,
            mode,
            credit: u64::from(attach.credit),
            legs: BTreeMap::new(),
            held: Vec::new(),
            acks: BTreeMap::new(),
        };
        assert!(self.links.insert(attach.link, link).is_none(), "a new id each time");
    }

    fn unsubscribe(&mut self, step: &Step) {
        let receipt = self.receipt(step);
        self.peer.send(&format!("UNSUBSCRIBE\nid:{}\n{receipt}\n", step.name));
        let verbs = self.peer.verbs();
        let link = self.links.iter().find(|(_, link)| link.name == step.name);
        match (link.map(|(id, _)| *id), &verbs[..]) {
            (Some(id), [Verb::Detach { link, tag, .. }]) => {
                assert_eq!(*link, id);
                self.links.remove(&id);
                self.asked.push((*tag, Asked::Other));
            }
            (None, []) => {}
            other => panic!("{other:?}"),
        }
        self.written();
    }

    /// Several messages on one link, over one to three legs, in one batch.
    fn deliver(&mut self, step: &Step) {
        let Some((id, link)) = self.links.iter_mut().nth(step.pick.index(3)) else {
            return;
        };
        let (id, mode) = (*id, link.mode);
        let mut events = Vec::new();
        for n in 0..u64::from(step.count).min(link.credit) {
            self.messages += 1;
            let leg = 1 + u32::from(step.name) * u32::try_from(n % 3).unwrap();
            let number = link.legs.entry(leg).or_insert(0);
            *number += 1;
            let held = Held { id: (leg, *number), message: self.messages, tx: None };
            link.held.push(held);
            link.credit -= 1;
            events.push(deliver_leg(id, leg, *number, self.messages));
        }
        let sent = events.len();
        self.peer.events(events);
        let messages = self.written();
        assert_eq!(messages.len(), sent);
        self.note_acks(id, &messages);
        self.after_delivery(id, mode);
    }

    fn note_acks(&mut self, id: LinkId, messages: &[Got]) {
        let link = self.links.get_mut(&id).unwrap();
        let first = link.held.len() - messages.len();
        for (held, message) in link.held[first..].iter().zip(messages) {
            assert_eq!(message.get("message-id"), Some(&format!("ID:keepmq-a-{}", held.message)[..]));
            let ack = message.get("ack").unwrap_or_default();
            link.acks.insert(held.message, ack.to_owned());
        }
    }

    /// What the session says by itself at the end of the batch.
    fn after_delivery(&mut self, id: LinkId, mode: Mode) {
        let verbs = self.peer.verbs();
        let link = self.links.get_mut(&id).unwrap();
        match mode {
            Mode::Auto => {
                let wanted = link.held.drain(..).map(|held| held.id).collect();
                link.credit = 12;
                covers(&settles(verbs), id, Outcome::Accepted, None, &wanted);
            }
            Mode::Handed => {
                link.held.clear();
                let granted: u64 = verbs
                    .iter()
                    .map(|verb| match verb {
                        Verb::Grant { link, credit } if *link == id => u64::from(*credit),
                        other => panic!("{other:?}"),
                    })
                    .sum();
                link.credit += granted;
                assert!(link.credit > 12 - 3 && link.credit <= 12, "a quarter at most is kept back");
            }
            Mode::Client | Mode::Individual => assert!(verbs.is_empty()),
        }
    }

    /// Acknowledges something: often outstanding, sometimes not.
    fn acknowledge(&mut self, step: &Step) {
        let held = self.links.values().flat_map(|link| &link.held);
        let free: Vec<u64> = held.filter(|held| held.tx.is_none()).map(|held| held.message).collect();
        let message = match free.get(step.pick.index(free.len().max(1))) {
            Some(message) if !self.dares(step) || step.count < 4 => *message,
            _ if !self.dares(step) => return,
            _ => 1 + step.pick.index(usize::try_from(self.messages).unwrap() + 1) as u64,
        };
        let receipt = self.receipt(step);
        let tx = self.transactions.get(&step.name).copied();
        let transaction = tx.map_or_else(String::new, |_| format!("transaction:t{}\n", step.name));
        let nack = step.what == 14 && self.peer.version > Version::V1_0;
        let command = if nack { "NACK" } else { "ACK" };
        let owner = self.links.iter().find(|(_, link)| link.acks.contains_key(&message));
        let named = match (self.peer.version, owner) {
            (Version::V1_2, Some((_, link))) if !link.acks[&message].is_empty() => {
                format!("id:{}", link.acks[&message])
            }
            (Version::V1_2, _) => "id:9-9".to_owned(),
            (_, Some((_, link))) => format!("subscription:{}\nmessage-id:ID\\ckeepmq-a-{message}", link.name),
            (_, None) => format!("subscription:0\nmessage-id:ID\\ckeepmq-a-{message}"),
        };
        let named = if self.peer.version == Version::V1_0 { named.replace("\\c", ":") } else { named };
        self.peer.send(&format!("{command}\n{named}\n{receipt}{transaction}\n"));
        let verbs = self.peer.verbs();
        let outcome = if nack { Outcome::Failed } else { Outcome::Accepted };
        let owner = owner.map(|(id, _)| *id);
        let wanted = owner.and_then(|id| Some((id, self.spoken_of(id, message, tx)?)));
        match &wanted {
            Some((id, wanted)) => {
                let settles = settles(verbs);
                covers(&settles, *id, outcome, tx, wanted);
                self.asked.extend(settles.iter().filter_map(|s| Some((s.tag?, Asked::Other))));
                assert!(settles.iter().all(|s| s.tag.is_some() == step.receipt));
            }
            None => assert!(verbs.is_empty(), "{verbs:?} for what is not outstanding"),
        }
        let is_refused = self.written().iter().any(|frame| frame.command == "ERROR");
        assert_eq!(is_refused, wanted.is_none());
    }

    /// What an acknowledgement must cover; it is settled, or marked, in the model. `None` when it must be refused.
    fn spoken_of(&mut self, id: LinkId, message: u64, tx: Option<TxId>) -> Option<BTreeSet<(u32, u64)>> {
        let link = self.links.get_mut(&id)?;
        let at = link.held.iter().position(|held| held.message == message && held.tx.is_none())?;
        let from = if link.mode == Mode::Client { 0 } else { at };
        let mut spoken_of = BTreeSet::new();
        for held in &mut link.held[from..=at] {
            if held.tx.is_none() {
                spoken_of.insert(held.id);
                held.tx = Some(tx.unwrap_or(TxId(u64::MAX)));
            }
        }
        link.held.retain(|held| held.tx != Some(TxId(u64::MAX)));
        link.credit += if tx.is_none() { spoken_of.len() as u64 } else { 0 };
        Some(spoken_of)
    }

    fn begin(&mut self, step: &Step) {
        let receipt = self.receipt(step);
        self.peer.send(&format!("BEGIN\ntransaction:t{}\n{receipt}\n", step.name));
        let verbs = self.peer.verbs();
        match (&verbs[..], self.transactions.get(&step.name)) {
            ([Verb::Begin { tx }], None) => drop(self.transactions.insert(step.name, *tx)),
            ([], Some(_)) => {}
            other => panic!("{other:?}"),
        }
        self.written();
    }

    fn end_transaction(&mut self, step: &Step) {
        let receipt = self.receipt(step);
        let command = if step.what == 16 { "COMMIT" } else { "ABORT" };
        self.peer.send(&format!("{command}\ntransaction:t{}\n{receipt}\n", step.name));
        let verbs = self.peer.verbs();
        match (&verbs[..], self.transactions.remove(&step.name)) {
            ([Verb::Commit { tx, tag }], Some(open)) if *tx == open => {
                self.asked.push((*tag, Asked::Commit(open)));
            }
            ([Verb::Rollback { tx, tag }], Some(open)) if *tx == open => {
                self.asked.push((*tag, Asked::Other));
                self.roll_back(open);
            }
            ([], None) => {}
            other => panic!("{other:?}"),
        }
        self.written();
    }

    fn roll_back(&mut self, tx: TxId) {
        let held = self.links.values_mut().flat_map(|link| &mut link.held);
        for held in held.filter(|held| held.tx == Some(tx)) {
            held.tx = None;
        }
    }

    fn send(&mut self, step: &Step) {
        let receipt = self.receipt(step);
        let durable = step.name == 1;
        let persistent = if durable { "persistent:true\n" } else { "" };
        self.peer.send(&format!("SEND\ndestination:/queue/q\n{receipt}{persistent}\nx"));
        let publish = self.peer.publish();
        assert_eq!(publish.tag.is_some(), step.receipt || durable);
        self.asked.extend(publish.tag.map(|tag| (tag, Asked::Other)));
        assert!(self.peer.is_quiet());
    }

    /// The broker answers something that was asked, in any order.
    fn answer(&mut self, step: &Step) {
        if self.asked.is_empty() {
            return;
        }
        let (tag, asked) = self.asked.swap_remove(step.pick.index(self.asked.len()));
        let refused = step.what == 23 && step.count == 1 && self.dares(step);
        if let Asked::Link(link) = asked
            && refused
        {
            self.links.remove(&link);
        }
        if let Asked::Commit(tx) = asked {
            if refused {
                self.roll_back(tx);
            }
            for link in self.links.values_mut() {
                let before = link.held.len();
                link.held.retain(|held| held.tx != Some(tx));
                link.credit += (before - link.held.len()) as u64;
            }
        }
        if refused {
            self.peer.refuse(Some(tag), RefusalKind::Busy, "not now");
        } else {
            self.peer.done(tag);
        }
        assert!(self.peer.verbs().is_empty());
        self.written();
    }

    /// When everything is answered, every receipt is, and the last one last.
    fn finish(mut self, leaves_first: bool) {
        if leaves_first && self.is_open() {
            self.receipts.insert("bye".to_owned(), 0);
            self.peer.send("DISCONNECT\nreceipt:bye\n\n");
            assert_eq!(self.is_open(), !self.asked.is_empty());
            self.written();
        }
        while let Some((tag, _)) = self.asked.pop().filter(|_| self.is_open()) {
            self.peer.event(Event::Done { tag });
            self.written();
        }
        if self.is_open() && !leaves_first {
            self.receipts.insert("bye".to_owned(), 0);
            self.peer.send("DISCONNECT\nreceipt:bye\n\n");
            self.written();
        }
        assert!(!self.is_open());
        if self.peer.flow == Flow::Close(Closing::Asked) {
            assert!(self.receipts.values().all(|answers| *answers == 1), "{:?}", self.receipts);
        }
    }
}

fn settles(verbs: Vec<Verb>) -> Vec<Settle> {
    verbs
        .into_iter()
        .map(|verb| match verb {
            Verb::Settle(settle) => settle,
            other => panic!("{other:?}"),
        })
        .collect()
}

/// The settlements cover these deliveries, each once, with one verb for each run.
fn covers(
    settles: &[Settle],
    link: LinkId,
    outcome: Outcome,
    tx: Option<TxId>,
    wanted: &BTreeSet<(u32, u64)>,
) {
    let mut covered = BTreeSet::new();
    let mut last: Option<(u32, u64)> = None;
    for settle in settles {
        assert!(settle.link == link && settle.outcome == outcome && settle.tx == tx, "{settle:?}");
        assert!(settle.from > 0 && settle.from <= settle.through);
        assert!(last.is_none_or(|last| last != (settle.leg, settle.from - 1)), "runs are as long as can be");
        last = Some((settle.leg, settle.through));
        for number in settle.from..=settle.through {
            assert!(covered.insert((settle.leg, number)), "{number} is settled twice");
        }
    }
    assert_eq!(&covered, wanted);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn whatever_they_do_the_promises_hold(
        steps in steps(), version in proptest::sample::select(Version::ALL.to_vec()), leaves_first: bool,
    ) {
        let mut world = World::new(version);
        for step in &steps {
            world.go(step);
            if !world.is_open() {
                break;
            }
        }
        world.finish(leaves_first);
    }
}
