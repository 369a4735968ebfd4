//! The tasks of the broker: none is forgotten when it ends.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::watch;

/// Starts tasks and waits for them.
#[derive(Clone, Debug)]
pub struct Tasks {
    runtime: Handle,
    ending: Arc<watch::Sender<bool>>,
    /// Each task holds one; when the last is gone, all have ended.
    alive: Arc<watch::Sender<()>>,
}

impl Tasks {
    /// Tasks of this runtime.
    pub fn new(runtime: Handle) -> Self {
        Self { runtime, ending: Arc::new(watch::Sender::new(false)), alive: Arc::new(watch::Sender::new(())) }
    }

    /// Starts a task.
    pub fn start(&self, task: impl Future<Output = ()> + Send + 'static) {
        let alive = self.alive.subscribe();
        // The receiver is what end() counts.
        self.runtime.spawn(async move {
            task.await;
            drop(alive);
        });
    }

    /// Whether everything is to end.
    pub fn is_ending(&self) -> bool {
        *self.ending.borrow()
    }

    /// Waits until everything is to end.
    pub async fn ending(&self) {
        // The sender is in self, so that waiting can't fail.
        let _ = self.ending.subscribe().wait_for(|ending| *ending).await;
    }

    /// Tells all tasks to end and waits for them, but no longer than `patience`. Says whether all did.
    pub async fn end(&self, patience: Duration) -> bool {
        self.ending.send_replace(true);
        tokio::time::timeout(patience, self.alive.closed()).await.is_ok()
    }

    /// Has something checked on a thread that may block. What turns out badly is told no sooner than so long after it was
    /// asked, so that a quick no tells nothing.
    pub(crate) fn check<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
        is_bad: impl FnOnce(&T) -> bool + Send + 'static,
        bad_after: Duration,
    ) -> tokio::task::JoinHandle<Option<T>> {
        let runtime = self.runtime.clone();
        self.runtime.spawn(async move {
            let patience = tokio::time::sleep(bad_after);
            let outcome = runtime.spawn_blocking(work).await.ok()?;
            if is_bad(&outcome) {
                patience.await;
            }
            Some(outcome)
        })
    }
}
