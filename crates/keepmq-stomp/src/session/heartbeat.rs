//! Signs of life ("Heart-beating" in STOMP 1.1 and 1.2).
//!
//! The broker says a line end a tenth of the interval early when it has nothing else to say, so that it arrives in time.
//! It waits for the client's for twice the interval and a second at least, because a client that keeps to it exactly is
//! late by the time that the network takes.

use keepmq_model::{Io, Now, Refusal, RefusalKind};

use super::StompSession;
use crate::limits::HeartBeat;
use crate::refusal::malformed;

/// The least that a client may be late, in milliseconds.
const GRACE_MS: u64 = 1000;

/// What the two sides agreed on, and when each was last heard of.
#[derive(Debug, Default)]
pub(super) struct Pulse {
    /// Milliseconds between the broker's signs; 0 is none.
    send_ms: u64,
    /// Milliseconds between the client's signs; 0 is none.
    receive_ms: u64,
    wrote_at: u64,
    heard_at: u64,
    suspended: bool,
}

/// What a client's `heart-beat` header says: what it can do and what it wants, in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Offer {
    can: u64,
    wants: u64,
}

impl Offer {
    /// Reads the header; none is `0,0`.
    pub(super) fn read(header: Option<&str>) -> Result<Self, Refusal> {
        let Some(header) = header else {
            return Ok(Self::default());
        };
        let numbers = header
            .split_once(',')
            .and_then(|(can, wants)| Some((digits(can.trim())?, digits(wants.trim())?)));
        let (can, wants) =
            numbers.ok_or_else(|| malformed("heart-beat must be two plain numbers with a comma between"))?;
        Ok(Self { can, wants })
    }
}

/// A plain decimal number: no sign, no spaces.
pub(super) fn digits(text: &str) -> Option<u64> {
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

impl Pulse {
    /// Agrees with the client's offer: each direction takes the larger wish, and none when either side has none.
    pub(super) fn agree(offer: Offer, ours: HeartBeat, now: Now) -> Self {
        let agree = |theirs: u64, ours: u64| {
            if theirs == 0 || ours == 0 { 0 } else { theirs.max(ours) }
        };
        Self {
            send_ms: agree(offer.wants, ours.send_ms),
            receive_ms: agree(offer.can, ours.receive_ms),
            wrote_at: now.mono_ms,
            heard_at: now.mono_ms,
            suspended: false,
        }
    }

    /// The intervals for the CONNECTED frame: the broker's signs, the client's.
    pub(super) fn intervals(&self) -> (u64, u64) {
        (self.send_ms, self.receive_ms)
    }

    pub(super) fn heard(&mut self, now: Now) {
        self.heard_at = now.mono_ms;
    }

    pub(super) fn wrote(&mut self, now: Now) {
        self.wrote_at = now.mono_ms;
    }

    /// While the broker slows the connection it may not read it, and then silence says nothing.
    pub(super) fn suspend(&mut self, suspended: bool, now: Now) {
        self.suspended = suspended;
        self.heard(now);
    }

    pub(super) fn deadline(&self) -> Option<u64> {
        let send = (self.send_ms > 0).then(|| self.send_at());
        let receive = (self.receive_ms > 0 && !self.suspended).then(|| self.missed_at());
        send.into_iter().chain(receive).min()
    }

    fn send_at(&self) -> u64 {
        self.wrote_at.saturating_add(self.send_ms - self.send_ms / 10)
    }

    fn missed_at(&self) -> u64 {
        let late = self.receive_ms.max(GRACE_MS);
        self.heard_at.saturating_add(self.receive_ms).saturating_add(late)
    }

    fn is_due(&self, now: Now) -> bool {
        self.send_ms > 0 && self.send_at() <= now.mono_ms
    }

    fn is_missed(&self, now: Now) -> bool {
        self.receive_ms > 0 && !self.suspended && self.missed_at() <= now.mono_ms
    }
}

impl StompSession {
    /// Says a sign of life when one is due, and ends the connection when the client's did not come.
    pub(super) fn beat(&mut self, io: &mut Io<'_>) {
        if !self.is_reading() {
            self.pulse.heard(io.now);
        }
        if self.pulse.is_missed(io.now) {
            let text =
                format!("nothing was heard for more than twice the agreed {} ms", self.pulse.receive_ms);
            return self.break_off(&Refusal::new(RefusalKind::Unavailable, text), None, io);
        }
        if self.pulse.is_due(io.now) {
            io.out.buf().extend_from_slice(b"\n");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(mono_ms: u64) -> Now {
        Now { mono_ms, unix_ms: 0 }
    }

    fn pulse(header: &str) -> Pulse {
        Pulse::agree(Offer::read(Some(header)).unwrap(), HeartBeat::default(), at(1000))
    }

    #[test]
    fn each_direction_takes_the_larger_wish() {
        for (header, wanted) in [
            ("0,0", (0, 0)),
            ("5000,3000", (3000, 5000)),
            ("1,1", (1000, 1000)),
            ("0,2000", (2000, 0)),
            ("2000,0", (0, 2000)),
            (" 2000 , 0 ", (0, 2000)),
            ("18446744073709551615,1", (1000, u64::MAX)),
        ] {
            assert_eq!(pulse(header).intervals(), wanted, "{header}");
        }
        assert_eq!(Offer::read(None), Ok(Offer::default()));
        let silent = HeartBeat { send_ms: 0, receive_ms: 0 };
        let pulse = Pulse::agree(Offer { can: 5, wants: 5 }, silent, at(0));
        assert_eq!((pulse.intervals(), pulse.deadline()), ((0, 0), None));
    }

    #[test]
    fn anything_else_than_two_numbers_is_refused() {
        for wrong in ["", ",", "1", "1,", "-1,0", "+1,0", "1,2,3", "a,b", "1;2", "99999999999999999999,0"] {
            assert!(Offer::read(Some(wrong)).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_sign_is_due_a_tenth_early() {
        let mut pulse = pulse("0,2000");
        assert_eq!(pulse.deadline(), Some(2800));
        assert!(!pulse.is_due(at(2799)) && pulse.is_due(at(2800)));
        pulse.wrote(at(2500));
        assert_eq!(pulse.deadline(), Some(4300));
    }

    #[test]
    fn silence_is_borne_for_twice_the_interval() {
        let mut pulse = pulse("5000,0");
        assert_eq!(pulse.deadline(), Some(11_000));
        assert!(!pulse.is_missed(at(10_999)) && pulse.is_missed(at(11_000)));
        pulse.suspend(true, at(11_000));
        assert!(pulse.deadline().is_none() && !pulse.is_missed(at(99_000)));
        pulse.suspend(false, at(20_000));
        assert_eq!(pulse.deadline(), Some(30_000));
    }

    #[test]
    fn the_largest_interval_does_not_overflow() {
        let pulse = pulse("18446744073709551615,18446744073709551615");
        assert_eq!(pulse.deadline(), Some(u64::MAX - u64::MAX / 10 + 1000));
        assert!(!pulse.is_missed(at(u64::MAX - 1)));
    }
}
