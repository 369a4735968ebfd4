//! Subscriptions: what gets copies of topics' messages, ending with its link or staying.

use std::sync::Arc;

use bytes::Bytes;
use keepmq_model::{
    Attach, Bind, Filter, Kind, LinkId, Note, Pattern, Principal, Refusal, RefusalKind, Replay, Resumed,
    Source, SubscriptionName, Tag,
};
use keepmq_policy::{Reader, decide_pattern};

use super::Gate;
use super::answers::Answer;
use super::attach::{Link, OpenSubscription};
use super::client::{Ask, Client};
use super::registry::Taken;
use crate::record::{Definition, StoredSubscription};
use crate::routes::{Directory, Named, RouteTarget};
use crate::shard::{Input, LineKey, Role, Sight};

/// Longest key of a note, in bytes.
const NOTE_KEY: usize = 64;
/// Longest value of a note, in bytes.
const NOTE_VALUE: usize = 1024;

fn too_many_filters() -> Refusal {
    Refusal::new(RefusalKind::Busy, "the limit on filters of one subscription is reached")
}

fn reads(filters: &[Filter]) -> Vec<(Kind, Pattern)> {
    filters.iter().map(|filter| (filter.kind, filter.pattern.clone())).collect()
}

/// Whether a subscription with these filters gets the same messages.
fn same_messages(old: &[Filter], new: &[Filter]) -> bool {
    let facts = |filter: &Filter| {
        let Filter { kind, pattern, no_local, selector, .. } = filter;
        (*kind, pattern.clone(), *no_local, selector.clone())
    };
    old.len() == new.len() && old.iter().zip(new).all(|(old, new)| facts(old) == facts(new))
}

impl Gate {
    /// Binds a filter in place of the subscription's filter of the same pattern. One that was stored with a selector
    /// that this version can't read is not bound: its subscriber gets nothing rather than what it does not want.
    pub(super) fn bind(
        &self,
        directory: &mut Directory,
        line: LineKey,
        who: &Arc<Principal>,
        filter: &Filter,
    ) {
        match self.chooser(filter.selector.as_ref()) {
            Ok(chooser) => directory.bind(line, who, filter, chooser),
            Err(refusal) => {
                tracing::error!("a subscription to {} gets nothing: {refusal}", filter.pattern);
                directory.unbind(line, filter.kind, &filter.pattern);
            }
        }
    }
}

impl Client {
    /// Judges whether the filter may be bound, and has its topic exist when it names one.
    fn check_filter(&mut self, filter: &Filter, who: &Arc<Principal>) -> Result<(), Refusal> {
        self.gate.chooser(filter.selector.as_ref())?;
        if filter.kind.is_queue() {
            return Err(Refusal::new(RefusalKind::Unsupported, "a subscription takes from topics only"));
        }
        let policy = self.gate.policy.load_full();
        decide_pattern(&policy, who, filter.kind, &filter.pattern)
            .map_err(|denial| self.gate.deny(&self.peer, denial))?;
        match filter.pattern.concrete(filter.kind) {
            Some(topic) => {
                self.topic(&topic, &policy, who)?;
                self.check_owner(&topic)
            }
            None if filter.kind.is_temporary() => {
                Err(Refusal::new(RefusalKind::Unsupported, "wildcards can't be used with temporary topics"))
            }
            None => Ok(()),
        }
    }

    fn check_filters(&mut self, filters: &[Filter], who: &Arc<Principal>) -> Result<(), Refusal> {
        if filters.len() > self.gate.shell.limits.filters_per_subscription {
            return Err(too_many_filters());
        }
        filters.iter().try_for_each(|filter| self.check_filter(filter, who))
    }

    /// A subscription that ends with its link.
    pub(super) fn attach_passing(&mut self, mut attach: Attach, who: &Arc<Principal>) -> Result<(), Refusal> {
        let Source::Subscription { filters } = &mut attach.source else {
            return Ok(());
        };
        let filters = std::mem::take(filters);
        self.check_filters(&filters, who)?;
        let id = self.gate.next_line_id();
        // Near its connection's others: its messages are mostly handed on by this thread.
        let line = self
            .gate
            .shell
            .shard(self.gate.shell.shard_for(self.peer.connection))
            .add_line(id, Role::Passing);
        let open = OpenSubscription { line, id, name: None, filters };
        self.open(&attach, open, None, 1, who);
        Ok(())
    }

    /// Attaches to a line and binds what is not bound yet.
    fn open(
        &mut self,
        attach: &Attach,
        open: OpenSubscription,
        resumed: Option<Box<Resumed>>,
        parts: u32,
        who: &Arc<Principal>,
    ) -> Ask {
        let (link, line) = (attach.link, open.line);
        let is_new = resumed.is_none();
        let ask = Ask::Answer(self.answers.add(Answer::Attached(link, attach.tag, resumed), parts));
        let reader = Reader::new(self.gate.policy.load_full(), Arc::clone(who));
        let taker = Box::new(self.taker(attach, Sight::Topics(reader)));
        self.push(line.shard, Input::Attach { line: line.slot, taker }, ask);
        self.register(link, who, reads(&open.filters), Taken::Line(line));
        let mut directory = self.gate.directory.write();
        open.filters.iter().for_each(|filter| self.gate.bind(&mut directory, line, who, filter));
        self.gate.routes_changed();
        drop(directory);
        let filters = open.filters.clone();
        self.links.insert(link, Link::Subscription(Box::new(open)));
        for filter in &filters {
            self.replay(line, filter, is_new, who);
            self.replay_advisories(line, filter, who);
        }
        ask
    }

    /// A subscription that stays.
    pub(super) fn attach_durable(&mut self, mut attach: Attach, who: &Arc<Principal>) -> Result<(), Refusal> {
        let Source::Durable { name, filters } = &mut attach.source else {
            return Ok(());
        };
        let (name, wanted) = (name.clone(), filters.take());
        self.check_name(&name)?;
        if self.open_link(&name).is_some() {
            return Err(Refusal::new(RefusalKind::Conflict, "the subscription is in use by this connection"));
        }
        if let Some(filters) = &wanted {
            self.check_filters(filters, who)?;
        }
        let known = self.gate.directory.read().named.get(&name).cloned();
        if let Some(known) = &known {
            check_user(known, who)?;
        }
        let same = |known: &Named| wanted.as_ref().is_none_or(|wanted| same_messages(&known.filters, wanted));
        match known {
            Some(known) if same(&known) => {
                self.resume(&attach, name, &known, wanted, who);
                Ok(())
            }
            known => {
                if let Some(known) = known {
                    self.remove_named(&name, &known, Ask::Nothing);
                }
                self.create_durable(&attach, name, wanted.unwrap_or_default(), who)
            }
        }
    }

    fn create_durable(
        &mut self,
        attach: &Attach,
        name: SubscriptionName,
        filters: Vec<Filter>,
        who: &Arc<Principal>,
    ) -> Result<(), Refusal> {
        let id = self.gate.next_line_id();
        let shard = self.gate.shell.shard_for(id);
        let mut directory = self.gate.directory.write();
        if directory.named.len() >= self.gate.shell.limits.durable_subscriptions {
            let text = "the limit on durable subscriptions is reached";
            return Err(Refusal::new(RefusalKind::Busy, text));
        }
        let line =
            self.gate.shell.shard(shard).add_line(id, Role::Durable(std::collections::BTreeMap::new()));
        let named = Named { line, id, owner: Arc::clone(who), filters: filters.clone() };
        directory.named.insert(name.clone(), named);
        drop(directory);
        let stored =
            StoredSubscription { name: name.clone(), owner: Arc::clone(who), filters: filters.clone() };
        let open = OpenSubscription { line, id, name: Some(name), filters };
        let ask = self.open(attach, open, None, 2, who);
        self.push(shard, Input::Define { op: stored.set(id), waits: true }, ask);
        Ok(())
    }

    fn resume(
        &mut self,
        attach: &Attach,
        name: SubscriptionName,
        known: &Named,
        wanted: Option<Vec<Filter>>,
        who: &Arc<Principal>,
    ) {
        let notes = {
            let shard = self.gate.shell.shard(known.line.shard);
            let notes = shard.line(known.line.slot).and_then(|line| line.notes());
            notes.map(|notes| notes.iter().map(|(k, v)| (k.clone(), v.clone())).collect()).unwrap_or_default()
        };
        let filters = wanted.unwrap_or_else(|| {
            self.record_lost_rights(&known.filters, who);
            known.filters.clone()
        });
        let resumed = Some(Box::new(Resumed { filters: filters.clone(), notes }));
        let changed = filters != known.filters || *who != known.owner;
        let open = OpenSubscription { line: known.line, id: known.id, name: Some(name), filters };
        let ask = self.open(attach, open, resumed, 1 + u32::from(changed), who);
        if changed {
            self.define(attach.link, who, ask);
        }
    }

    /// A subscription that is taken up as it is may hold filters that its reader has lost the right to. What they match
    /// is withheld message by message; that it is, is recorded here.
    fn record_lost_rights(&self, filters: &[Filter], who: &Arc<Principal>) {
        let policy = self.gate.policy.load_full();
        for filter in filters {
            if let Err(denial) = decide_pattern(&policy, who, filter.kind, &filter.pattern) {
                self.gate.deny(&self.peer, denial);
            }
        }
    }

    /// Stores a subscription as it is now.
    fn define(&mut self, link: LinkId, who: &Arc<Principal>, ask: Ask) {
        let Some(Link::Subscription(open)) = self.links.get(&link) else {
            return;
        };
        let Some(name) = open.name.clone() else { return };
        let (id, line, filters) = (open.id, open.line, open.filters.clone());
        let owner = Arc::clone(who);
        if let Some(named) = self.gate.directory.write().named.get_mut(&name) {
            named.filters.clone_from(&filters);
            named.owner = Arc::clone(who);
        }
        let stored = StoredSubscription { name, owner, filters };
        self.push(line.shard, Input::Define { op: stored.set(id), waits: true }, ask);
    }

    /// A subscription that stays belongs to a client id, and to whoever holds that.
    fn check_name(&self, name: &SubscriptionName) -> Result<(), Refusal> {
        let mine = self.claimed.as_ref() == Some(&name.client_id)
            && self.gate.claims.holds(&name.client_id, &self.outbox);
        if mine {
            return Ok(());
        }
        let text = "a durable subscription needs a client id: connect with one";
        Err(Refusal::new(RefusalKind::Conflict, text))
    }

    fn open_link(&self, name: &SubscriptionName) -> Option<LinkId> {
        let is_it =
            |link: &Link| matches!(link, Link::Subscription(open) if open.name.as_ref() == Some(name));
        self.links.iter().find(|(_, link)| is_it(link)).map(|(link, _)| *link)
    }

    pub(super) fn bind(&mut self, bind: Bind, who: &Arc<Principal>) {
        let Bind { link, filter, tag } = bind;
        if let Err(refusal) = self.try_bind(link, &filter, tag, who) {
            self.refuse(Some(tag), refusal);
        }
    }

    fn try_bind(
        &mut self,
        link: LinkId,
        filter: &Filter,
        tag: Tag,
        who: &Arc<Principal>,
    ) -> Result<(), Refusal> {
        self.check_filter(filter, who)?;
        let limit = self.gate.shell.limits.filters_per_subscription;
        let Some(Link::Subscription(open)) = self.links.get_mut(&link) else {
            return Err(Refusal::new(RefusalKind::NotFound, "the subscription is closed"));
        };
        let place = open.filters.iter().position(|other| other.pattern == filter.pattern);
        if place.is_none() && open.filters.len() >= limit {
            return Err(too_many_filters());
        }
        match place.and_then(|place| open.filters.get_mut(place)) {
            Some(other) => *other = filter.clone(),
            None => open.filters.push(filter.clone()),
        }
        let (line, stays, now_reads) = (open.line, open.name.is_some(), reads(&open.filters));
        self.gate.reregister(self.peer.connection, link, now_reads);
        let mut directory = self.gate.directory.write();
        self.gate.bind(&mut directory, line, who, filter);
        self.gate.routes_changed();
        drop(directory);
        let ask = self.ask(Some(tag), u32::from(stays));
        if stays {
            self.define(link, who, ask);
        }
        self.replay(line, filter, place.is_none(), who);
        Ok(())
    }

    pub(super) fn unbind(&mut self, link: LinkId, pattern: &Pattern, tag: Tag, who: &Arc<Principal>) {
        let Some(Link::Subscription(open)) = self.links.get_mut(&link) else {
            return self.refuse(Some(tag), Refusal::new(RefusalKind::NotFound, "the subscription is closed"));
        };
        let Some(place) = open.filters.iter().position(|filter| filter.pattern == *pattern) else {
            return self.refuse(Some(tag), Refusal::new(RefusalKind::NotFound, "no such filter is bound"));
        };
        let filter = open.filters.remove(place);
        let (line, stays, now_reads) = (open.line, open.name.is_some(), reads(&open.filters));
        self.gate.reregister(self.peer.connection, link, now_reads);
        let mut directory = self.gate.directory.write();
        directory.unbind(line, filter.kind, pattern);
        self.gate.routes_changed();
        drop(directory);
        let ask = self.ask(Some(tag), u32::from(stays));
        if stays {
            self.define(link, who, ask);
        }
    }

    /// Sends the retained messages of a filter's topics, each judged by its own topic.
    fn replay(&mut self, line: LineKey, filter: &Filter, is_new: bool, who: &Arc<Principal>) {
        let wanted = match filter.replay {
            Replay::Never => false,
            Replay::IfNew => is_new,
            Replay::Always => true,
        };
        if !wanted || filter.kind.is_temporary() {
            return;
        }
        // What this connection said before may be about to be retained.
        self.flush();
        let Ok(reader) = decide_pattern(&self.gate.policy.load_full(), who, filter.kind, &filter.pattern)
        else {
            return;
        };
        let unix_ms = self.gate.now().unix_ms;
        // A selector that can't be read any more wants nothing.
        let Ok(chooser) = self.gate.chooser(filter.selector.as_ref()) else { return };
        let mut messages = Vec::new();
        for shard in self.gate.shell.shards() {
            messages.extend(shard.lock().retained_for(&filter.pattern, unix_ms));
        }
        messages.sort_by_key(|message| message.envelope.id);
        for message in messages {
            let Some(permit) = reader.permit(&message.envelope.destination) else {
                continue;
            };
            let target = RouteTarget::new(line, permit, (filter.keep, false), chooser.clone());
            let input = Input::Replay { target: Box::new(target), message };
            self.push(line.shard, input, Ask::Nothing);
        }
    }

    /// A subscription that ends with its link ends.
    pub(super) fn end_passing(&mut self, open: &OpenSubscription) {
        self.unbind_all(open.line, &open.filters);
        self.push(open.line.shard, Input::Unsubscribe { line: open.line.slot }, Ask::Nothing);
    }

    fn unbind_all(&self, line: LineKey, filters: &[Filter]) {
        let mut directory = self.gate.directory.write();
        filters.iter().for_each(|filter| directory.unbind(line, filter.kind, &filter.pattern));
        self.gate.routes_changed();
    }

    pub(super) fn forget(&mut self, name: &SubscriptionName, tag: Tag, who: &Arc<Principal>) {
        match self.try_forget(name, tag, who) {
            Ok(()) => {}
            Err(refusal) => self.refuse(Some(tag), refusal),
        }
    }

    fn try_forget(&mut self, name: &SubscriptionName, tag: Tag, who: &Arc<Principal>) -> Result<(), Refusal> {
        self.check_name(name)?;
        let Some(known) = self.gate.directory.read().named.get(name).cloned() else {
            return Err(Refusal::new(RefusalKind::NotFound, "there is no such durable subscription"));
        };
        check_user(&known, who)?;
        if let Some(link) = self.open_link(name) {
            self.close_links(&[link]);
        }
        let ask = self.ask(Some(tag), 2);
        self.remove_named(name, &known, ask);
        Ok(())
    }

    fn remove_named(&mut self, name: &SubscriptionName, known: &Named, ask: Ask) {
        self.gate.directory.write().named.remove(name);
        self.unbind_all(known.line, &known.filters);
        let (shard, line) = (known.line.shard, known.line.slot);
        self.push(shard, Input::Unsubscribe { line }, ask);
        self.push(shard, Input::Define { op: StoredSubscription::unset(known.id), waits: true }, ask);
    }

    pub(super) fn note(&mut self, note: Note) {
        let Some(line) = self.note_line(&note) else { return };
        let ask = self.ask(note.tag, 1);
        self.push(line.shard, Input::Note { line: line.slot, key: note.key, value: note.value }, ask);
    }

    /// The line that a note is kept with; refuses the note when there is none or it is too long.
    pub(super) fn note_line(&mut self, note: &Note) -> Option<LineKey> {
        let fits = note.key.len() <= NOTE_KEY && note.value.as_ref().map_or(0, Bytes::len) <= NOTE_VALUE;
        let refusal = match self.links.get(&note.link) {
            Some(Link::Subscription(open)) if open.name.is_some() && fits => return Some(open.line),
            Some(_) if !fits => Refusal::new(RefusalKind::TooLarge, "the note is too long"),
            _ => Refusal::new(RefusalKind::NotFound, "notes are kept with durable subscriptions only"),
        };
        self.refuse(note.tag, refusal);
        None
    }
}

/// A subscription that stays is its owner's only.
fn check_user(known: &Named, who: &Principal) -> Result<(), Refusal> {
    if known.owner.name == who.name {
        return Ok(());
    }
    Err(Refusal::new(RefusalKind::Forbidden, "the durable subscription belongs to another user"))
}
