//! The threads of a journal.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{Builder, JoinHandle};

use super::files::Name;
use super::keeper::Keeper;
use super::queue::Stop;
use super::shared::Shared;
use super::writer::Writer;
use crate::api::StoreError;

pub(super) struct Threads {
    writer: JoinHandle<()>,
    keeper: JoinHandle<Keeper>,
    /// Ends the keeper.
    stop: Arc<AtomicBool>,
}

impl Threads {
    pub(super) fn start(
        shared: &Arc<Shared>,
        writer: Writer,
        mut keeper: Keeper,
    ) -> Result<Self, StoreError> {
        let stop = Arc::new(AtomicBool::new(false));
        let (its_shared, its_stop) = (Arc::clone(shared), Arc::clone(&stop));
        let keeper = Builder::new().name("keepmq-keeper".into()).spawn(move || {
            guard(&its_shared, "keeper", || keeper.run(|| its_stop.load(Ordering::Acquire)));
            keeper
        });
        let keeper = keeper.map_err(|error| no_thread(shared, &error))?;
        let its_shared = Arc::clone(shared);
        let writer = Builder::new().name("keepmq-writer".into()).spawn(move || {
            guard(&its_shared, "writer", || writer.run());
            // Only here, so that it cannot come before or between reports of what is durable.
            let _ = catch_unwind(AssertUnwindSafe(|| its_shared.report_failure()));
        });
        match writer {
            Ok(writer) => Ok(Self { writer, keeper, stop }),
            Err(error) => {
                let error = no_thread(shared, &error);
                stop.store(true, Ordering::Release);
                shared.bell.ring();
                drop(keeper.join());
                Err(error)
            }
        }
    }

    /// Writes what waits and leaves everything in order.
    pub(super) fn close(self, shared: &Shared) -> Result<(), StoreError> {
        shared.queue.stop(Stop::Drain);
        join(self.writer);
        match Self::join_keeper(shared, &self.stop, self.keeper) {
            Some(mut keeper) => keeper.finish(),
            None => Ok(()),
        }
    }

    /// Ends as soon as possible.
    pub(super) fn abandon(self, shared: &Shared) {
        shared.queue.stop(Stop::Abandon);
        join(self.writer);
        drop(Self::join_keeper(shared, &self.stop, self.keeper));
    }

    fn join_keeper(shared: &Shared, stop: &AtomicBool, keeper: JoinHandle<Keeper>) -> Option<Keeper> {
        stop.store(true, Ordering::Release);
        shared.bell.ring();
        keeper.join().ok()
    }
}

/// Waits for the writer to end, unless this is the writer: the last handle to a store may be let go in its callback.
fn join(writer: JoinHandle<()>) {
    if writer.thread().id() != std::thread::current().id() {
        drop(writer.join());
    }
}

/// Runs a thread's work. Whatever ends it but order fails the store: nobody must wait for something that will not come.
fn guard(shared: &Shared, name: &str, work: impl FnOnce() -> Result<(), StoreError>) {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(())) => {}
        Ok(Err(error)) => shared.fail(error),
        Err(panic) => shared.fail(StoreError::Io {
            path: shared.files().place(Name::Segment(0)),
            action: "run",
            cause: format!("the {name} panicked: {}", text_of(&*panic)),
        }),
    }
}

fn text_of(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no reason given")
}

fn no_thread(shared: &Shared, error: &std::io::Error) -> StoreError {
    shared.files().error(Name::Segment(0), "start a thread for", error)
}

/// Closes a journal that has no threads.
#[cfg(any(test, feature = "testing"))]
pub(super) fn close_by_hand(
    shared: &Shared,
    writer: &mut Writer,
    keeper: &mut Keeper,
) -> Result<(), StoreError> {
    use super::writer::Progress;

    shared.queue.stop(Stop::Drain);
    loop {
        match writer.step() {
            Ok(Progress::Stopped) => break,
            Ok(Progress::Starved) => drop(keeper.step()?),
            Ok(_) => {}
            Err(error) => {
                let known = shared.failure().is_some();
                shared.fail(error);
                if !known {
                    shared.report_failure();
                }
                break;
            }
        }
    }
    keeper.finish()
}
