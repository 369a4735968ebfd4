//! The one clock of a run: nanoseconds since its start, for every thread the same.

use std::time::{Duration, Instant};

/// Tells the time since the run began.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    origin: Instant,
}

impl Clock {
    /// Begins now.
    #[expect(
        clippy::disallowed_methods,
        reason = "measuring time is what this crate is for; nobody else in it reads a clock"
    )]
    pub(crate) fn start() -> Self {
        Self { origin: Instant::now() }
    }

    /// Nanoseconds since the beginning.
    pub(crate) fn now(&self) -> u64 {
        nanoseconds(self.origin.elapsed())
    }
}

/// A duration as a number; centuries are cut.
pub(crate) fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// Nanoseconds as seconds.
#[expect(clippy::cast_precision_loss, reason = "for people; 53 bits of nanoseconds are three months")]
pub(crate) fn seconds(nanoseconds: u64) -> f64 {
    nanoseconds as f64 / 1e9
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Clock, nanoseconds, seconds};

    #[test]
    fn time_does_not_run_backwards() {
        let clock = Clock::start();
        let first = clock.now();
        assert!(clock.now() >= first);
    }

    #[test]
    fn long_durations_are_cut_and_not_wrapped() {
        assert_eq!(nanoseconds(Duration::MAX), u64::MAX);
        assert_eq!(nanoseconds(Duration::from_micros(3)), 3000);
        assert!((seconds(1_500_000_000) - 1.5).abs() < f64::EPSILON);
    }
}
