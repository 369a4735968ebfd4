//! Signs of life on both sides (openwire-broker-behaviour.md, section 15).

use keepmq_model::Now;

/// When each side was last heard of.
#[derive(Debug, Default)]
pub(super) struct Pulse {
    /// After so many milliseconds of silence the connection is broken; 0 is never.
    most_ms: u64,
    wrote_at: u64,
    heard_at: u64,
    suspended: bool,
}

impl Pulse {
    /// Begins; for `delay_ms` the client's silence says nothing.
    pub(super) fn agree(most_ms: u64, delay_ms: u64, now: Now) -> Self {
        let heard_at = now.mono_ms.saturating_add(delay_ms);
        Self { most_ms, wrote_at: now.mono_ms, heard_at, suspended: false }
    }

    pub(super) fn heard(&mut self, now: Now) {
        self.heard_at = self.heard_at.max(now.mono_ms);
    }

    pub(super) fn wrote(&mut self, now: Now) {
        self.wrote_at = now.mono_ms;
    }

    /// While the broker slows the connection it may not read it, and then silence says nothing.
    pub(super) fn suspend(&mut self, suspended: bool, now: Now) {
        self.suspended = suspended;
        self.heard(now);
    }

    /// When something is to be said or to be missed.
    pub(super) fn deadline(&self) -> Option<u64> {
        if self.most_ms == 0 {
            return None;
        }
        let missed = (!self.suspended).then(|| self.missed_at());
        missed.into_iter().chain([self.due_at()]).min()
    }

    /// A third of what the other side waits for.
    fn due_at(&self) -> u64 {
        self.wrote_at.saturating_add((self.most_ms / 3).max(1))
    }

    /// The original looks once in each interval, so that a silence lasts up to two of them.
    fn missed_at(&self) -> u64 {
        self.heard_at.saturating_add(self.most_ms.saturating_mul(2))
    }

    /// Whether the other side needs a sign.
    pub(super) fn is_due(&self, now: Now) -> bool {
        self.most_ms > 0 && self.due_at() <= now.mono_ms
    }

    /// After so many milliseconds of silence, when that is too long.
    pub(super) fn missed(&self, now: Now) -> Option<u64> {
        let is_missed = self.most_ms > 0 && !self.suspended && self.missed_at() <= now.mono_ms;
        is_missed.then_some(self.most_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(mono_ms: u64) -> Now {
        Now { mono_ms, unix_ms: 0 }
    }

    #[test]
    fn a_sign_is_due_after_a_third_and_missed_after_twice_the_time() {
        let mut pulse = Pulse::agree(30_000, 10_000, at(0));
        assert_eq!(pulse.deadline(), Some(10_000));
        assert!(!pulse.is_due(at(9_999)) && pulse.is_due(at(10_000)));
        pulse.wrote(at(65_000));
        pulse.heard(at(5_000));
        assert_eq!(pulse.missed(at(69_999)), None);
        assert_eq!(pulse.missed(at(70_000)), Some(30_000));
        pulse.suspend(true, at(70_000));
        assert_eq!(pulse.missed(at(700_000)), None);
    }

    #[test]
    fn nothing_is_said_or_missed_where_that_was_agreed() {
        let pulse = Pulse::agree(0, 10_000, at(0));
        assert_eq!(
            (pulse.deadline(), pulse.missed(at(u64::MAX)), pulse.is_due(at(u64::MAX))),
            (None, None, false)
        );
    }
}
