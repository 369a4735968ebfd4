//! Which line a destination's messages go to: the directory of queues, topics and subscriptions.

mod directory;
mod topic;

pub(crate) use directory::{Directory, Named, QueueEntry, Watcher};
pub(crate) use topic::{Route, RouteTarget, Topic};
