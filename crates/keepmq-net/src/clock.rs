//! The clock that the whole broker goes by.

use keepmq_model::Now;
use rustix::time::{ClockId, Timespec, clock_gettime};

/// Reads the operating system's coarse clocks: a few milliseconds behind at most, and so cheap that each message can
/// have its own time.
#[derive(Clone, Copy, Debug, Default)]
pub struct Clock;

impl Clock {
    /// The time.
    #[must_use]
    pub fn now(self) -> Now {
        Now {
            mono_ms: milliseconds(clock_gettime(ClockId::MonotonicCoarse)),
            unix_ms: milliseconds(clock_gettime(ClockId::RealtimeCoarse)),
        }
    }
}

fn milliseconds(time: Timespec) -> u64 {
    // Both are positive for any time that a broker runs in.
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    let nanoseconds = u64::try_from(time.tv_nsec).unwrap_or_default();
    seconds * 1000 + nanoseconds / 1_000_000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_does_not_go_back() {
        let (first, second) = (Clock.now(), Clock.now());
        assert!(second.mono_ms >= first.mono_ms);
        assert!(first.unix_ms > 1_700_000_000_000, "milliseconds since 1970");
    }
}
