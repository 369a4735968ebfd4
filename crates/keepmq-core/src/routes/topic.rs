//! A topic has no messages of its own: it has routes to the subscriptions that get them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arc_swap::ArcSwap;
use keepmq_model::{Destination, Marks, Message};
use keepmq_policy::{Permit, Policy, Read, decide_pattern};
use smallvec::{SmallVec, smallvec};

use super::directory::Directory;
use crate::chooser::Chooser;
use crate::shard::LineKey;

/// A subscription that gets a topic's messages.
#[derive(Clone, Debug)]
pub(crate) struct RouteTarget {
    pub(crate) line: LineKey,
    /// Its reader's right to read this topic.
    pub(crate) permit: Permit<Read>,
    /// Whether messages are kept while nobody is attached.
    pub(crate) keep: bool,
    /// Not those that its own connection sent.
    pub(crate) no_local: bool,
    /// It gets what one of these wants; everything when absent.
    choosers: Option<SmallVec<[Arc<Chooser>; 1]>>,
}

impl RouteTarget {
    /// A target of one filter.
    pub(crate) fn new(
        line: LineKey,
        permit: Permit<Read>,
        (keep, no_local): (bool, bool),
        chooser: Option<Arc<Chooser>>,
    ) -> Self {
        Self { line, permit, keep, no_local, choosers: chooser.map(|chooser| smallvec![chooser]) }
    }

    /// Whether it gets the message.
    pub(crate) fn wants(&self, message: &Message, marks: &Marks) -> bool {
        self.choosers.as_ref().is_none_or(|all| all.iter().any(|chooser| chooser.wants(message, marks)))
    }

    /// Takes another filter of the same subscription in.
    fn join(&mut self, other: &mut Self) {
        self.keep |= other.keep;
        self.no_local &= other.no_local;
        self.choosers = self.choosers.take().zip(other.choosers.take()).map(|(mut all, more)| {
            all.extend(more);
            all
        });
    }
}

/// The subscriptions that get a topic's messages, by shard.
#[derive(Debug, Default)]
pub(crate) struct Route {
    /// Of the directory when this was worked out.
    generation: u64,
    parts: SmallVec<[(u16, Vec<RouteTarget>); 1]>,
}

impl Route {
    /// The shards that have subscriptions of this topic.
    pub(crate) fn shards(&self) -> impl Iterator<Item = u16> {
        self.parts.iter().map(|(shard, _)| *shard)
    }

    /// Those of one shard.
    pub(crate) fn part(&self, shard: u16) -> &[RouteTarget] {
        self.parts.iter().find(|(of, _)| *of == shard).map_or(&[], |(_, targets)| targets)
    }

    /// A subscription gets one copy, however many of its filters match.
    fn new(generation: u64, mut targets: Vec<RouteTarget>) -> Self {
        targets.sort_by_key(|target| target.line);
        targets.dedup_by(|next, first| {
            let same = next.line == first.line;
            if same {
                first.join(next);
            }
            same
        });
        let parts = targets.chunk_by(|a, b| a.line.shard == b.line.shard);
        let parts = parts.filter_map(|part| Some((part.first()?.line.shard, part.to_vec()))).collect();
        Self { generation, parts }
    }
}

/// A topic that exists.
#[derive(Debug)]
pub(crate) struct Topic {
    pub(crate) destination: Destination,
    pub(crate) id: u64,
    /// The connection that it ends with, for a temporary one.
    pub(crate) owner: Option<u64>,
    gone: AtomicBool,
    route: ArcSwap<Route>,
}

impl Topic {
    pub(crate) fn new(destination: Destination, id: u64, owner: Option<u64>) -> Self {
        Self { destination, id, owner, gone: AtomicBool::new(false), route: ArcSwap::default() }
    }

    /// Whether it was deleted meanwhile.
    pub(crate) fn is_gone(&self) -> bool {
        self.gone.load(Ordering::Relaxed)
    }

    pub(crate) fn set_gone(&self) {
        self.gone.store(true, Ordering::Relaxed);
    }

    /// The route, if it is of this generation.
    pub(crate) fn route(&self, generation: u64) -> Option<Arc<Route>> {
        let route = self.route.load();
        (route.generation == generation).then(|| Arc::clone(&route))
    }

    /// Works the route out anew. Each reader is judged by the present policy and for this very topic.
    pub(crate) fn reroute(&self, directory: &Directory, policy: &Arc<Policy>, generation: u64) -> Arc<Route> {
        let mut targets = Vec::new();
        let kind = self.destination.kind();
        directory.filters(kind).visit_subscribed(self.destination.name(), |bound| {
            let reader = decide_pattern(policy, &bound.who, kind, &bound.pattern).ok();
            let permit = reader.and_then(|reader| reader.permit(&self.destination));
            if let Some(permit) = permit {
                let how = (bound.keep, bound.no_local);
                targets.push(RouteTarget::new(bound.line, permit, how, bound.chooser.clone()));
            }
        });
        let route = Arc::new(Route::new(generation, targets));
        self.route.store(Arc::clone(&route));
        route
    }
}
