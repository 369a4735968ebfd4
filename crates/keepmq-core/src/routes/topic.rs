//! A topic has no messages of its own: it has routes to the subscriptions that get them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arc_swap::ArcSwap;
use keepmq_model::Destination;
use keepmq_policy::{Permit, Policy, Read, decide_pattern};
use smallvec::SmallVec;

use super::directory::Directory;
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
                first.keep |= next.keep;
                first.no_local &= next.no_local;
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
                targets.push(RouteTarget {
                    line: bound.line,
                    permit,
                    keep: bound.keep,
                    no_local: bound.no_local,
                });
            }
        });
        let route = Arc::new(Route::new(generation, targets));
        self.route.store(Arc::clone(&route));
        route
    }
}
