//! Which line a destination's messages go to: the directory of queues, topics and subscriptions.

mod directory;
mod topic;
mod virtual_topic;

pub(crate) use directory::{Directory, Named, QueueEntry, Watcher};
pub(crate) use topic::{Route, RouteTarget, Topic};
