//! What exists: queues, topics, filters, subscriptions that stay, and who waits for queues to come.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use hashbrown::HashMap;
use keepmq_model::{Destination, Filter, Kind, Pattern, PatternTree, Principal, SubscriptionName};
use keepmq_policy::Reader;

use super::topic::Topic;
use super::virtual_topic::VirtualTopics;
use crate::chooser::Chooser;
use crate::gate::WildLink;
use crate::shard::LineKey;

/// A queue that exists.
#[derive(Debug)]
pub(crate) struct QueueEntry {
    pub(crate) line: LineKey,
    pub(crate) id: u64,
    /// The connection that it ends with, for a temporary one.
    pub(crate) owner: Option<u64>,
    gone: AtomicBool,
}

impl QueueEntry {
    pub(crate) fn new(line: LineKey, id: u64, owner: Option<u64>) -> Self {
        Self { line, id, owner, gone: AtomicBool::new(false) }
    }

    /// Whether it was deleted meanwhile.
    pub(crate) fn is_gone(&self) -> bool {
        self.gone.load(Ordering::Relaxed)
    }

    pub(crate) fn set_gone(&self) {
        self.gone.store(true, Ordering::Relaxed);
    }
}

/// A filter of a subscription.
#[derive(Clone, Debug)]
pub(crate) struct Bound {
    pub(crate) line: LineKey,
    pub(crate) pattern: Pattern,
    pub(crate) who: Arc<Principal>,
    pub(crate) keep: bool,
    pub(crate) no_local: bool,
    pub(crate) chooser: Option<Arc<Chooser>>,
}

/// A link that takes from every queue of a pattern, those to come included.
#[derive(Clone, Debug)]
pub(crate) struct Watcher {
    pub(crate) reader: Reader,
    pub(crate) link: Arc<WildLink>,
}

/// A subscription that stays.
#[derive(Clone, Debug)]
pub(crate) struct Named {
    pub(crate) line: LineKey,
    pub(crate) id: u64,
    pub(crate) owner: Arc<Principal>,
    pub(crate) filters: Vec<Filter>,
}

/// What exists.
#[derive(Debug, Default)]
pub(crate) struct Directory {
    pub(crate) queues: HashMap<Destination, Arc<QueueEntry>>,
    pub(crate) topics: HashMap<Destination, Arc<Topic>>,
    topic_filters: PatternTree<Bound>,
    temporary_filters: PatternTree<Bound>,
    pub(crate) watchers: PatternTree<Watcher>,
    pub(crate) named: BTreeMap<SubscriptionName, Named>,
    pub(crate) virtual_topics: VirtualTopics,
}

impl Directory {
    /// A queue came.
    pub(crate) fn add_queue(&mut self, queue: Destination, entry: Arc<QueueEntry>) {
        self.virtual_topics.add(&queue, &entry);
        self.queues.insert(queue, entry);
    }

    /// A queue went.
    pub(crate) fn remove_queue(&mut self, queue: &Destination) {
        self.virtual_topics.remove(queue);
        self.queues.remove(queue);
    }

    /// Destinations that exist.
    pub(crate) fn len(&self) -> usize {
        self.queues.len() + self.topics.len()
    }

    /// The filters over topics of a kind.
    pub(crate) fn filters(&self, kind: Kind) -> &PatternTree<Bound> {
        if kind.is_temporary() { &self.temporary_filters } else { &self.topic_filters }
    }

    fn filters_mut(&mut self, kind: Kind) -> &mut PatternTree<Bound> {
        if kind.is_temporary() { &mut self.temporary_filters } else { &mut self.topic_filters }
    }

    /// Binds a filter in place of the subscription's filter of the same pattern.
    pub(crate) fn bind(
        &mut self,
        line: LineKey,
        who: &Arc<Principal>,
        filter: &Filter,
        chooser: Option<Arc<Chooser>>,
    ) {
        let bound = Bound {
            line,
            pattern: filter.pattern.clone(),
            who: Arc::clone(who),
            keep: filter.keep,
            no_local: filter.no_local,
            chooser,
        };
        self.unbind(line, filter.kind, &filter.pattern);
        self.filters_mut(filter.kind).insert(&filter.pattern, bound);
    }

    /// Takes a subscription's filter away.
    pub(crate) fn unbind(&mut self, line: LineKey, kind: Kind, pattern: &Pattern) {
        self.filters_mut(kind).remove(pattern, |bound| bound.line == line);
    }
}
