//! The thread that reads pages of deep backlogs: apart from the one for logins, so that neither waits for the other.

use std::collections::VecDeque;
use std::sync::Arc;

use parking_lot::{Condvar, Mutex};

type Job = Box<dyn FnOnce() + Send>;

#[derive(Default)]
struct Waiting {
    jobs: VecDeque<Job>,
    closed: bool,
}

/// Jobs for the thread. There is one at most for each priority of a line, and for each who browses.
#[derive(Clone, Default)]
pub(super) struct Pages(Arc<(Mutex<Waiting>, Condvar)>);

impl Pages {
    /// Starts the thread.
    pub(super) fn start() -> std::io::Result<Self> {
        let pages = Self::default();
        let worker = pages.clone();
        std::thread::Builder::new().name("pages".to_owned()).spawn(move || worker.work())?;
        Ok(pages)
    }

    /// Has something done.
    pub(super) fn push(&self, job: Job) {
        self.0.0.lock().jobs.push_back(job);
        self.0.1.notify_one();
    }

    /// Does nothing more.
    pub(super) fn close(&self) {
        self.0.0.lock().closed = true;
        self.0.1.notify_one();
    }

    fn work(&self) {
        while let Some(job) = self.next() {
            job();
        }
    }

    fn next(&self) -> Option<Job> {
        let mut waiting = self.0.0.lock();
        loop {
            if waiting.closed {
                return None;
            }
            if let Some(job) = waiting.jobs.pop_front() {
                return Some(job);
            }
            self.0.1.wait(&mut waiting);
        }
    }
}
