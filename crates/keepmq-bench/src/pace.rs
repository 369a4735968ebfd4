//! When the next message is due.

/// How a producer chooses its moments.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Pace {
    /// As soon as it may.
    Fast,
    /// By a timetable that does not wait for the broker. A message that could not be sent in time keeps the time that it
    /// was meant for, so that a broker that stalls is charged for everybody who would have waited.
    Timetable {
        /// Messages a second of all producers together.
        rate: u64,
        /// How many producers share the rate.
        producers: u64,
        /// Which of them this is; they take turns.
        turn: u64,
    },
}

impl Pace {
    /// When the message of this number is due in a run that began then; `now` if it may go at once.
    pub(crate) fn due(&self, sequence: u64, began: u64, now: u64) -> u64 {
        match *self {
            Self::Fast => now,
            Self::Timetable { rate, producers, turn } => {
                let number = u128::from(sequence) * u128::from(producers) + u128::from(turn);
                let after = number * 1_000_000_000 / u128::from(rate.max(1));
                began.saturating_add(u64::try_from(after).unwrap_or(u64::MAX))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Pace;

    #[test]
    fn a_timetable_does_not_depend_on_now() {
        let pace = Pace::Timetable { rate: 1000, producers: 1, turn: 0 };
        assert_eq!((pace.due(0, 5, 99), pace.due(3, 5, 0)), (5, 3_000_005));
        assert_eq!(Pace::Fast.due(7, 0, 99), 99);
    }

    #[test]
    fn producers_take_turns() {
        let due = |turn, sequence| Pace::Timetable { rate: 1000, producers: 2, turn }.due(sequence, 0, 0);
        assert_eq!([due(0, 0), due(1, 0), due(0, 1), due(1, 1)], [0, 1_000_000, 2_000_000, 3_000_000]);
    }

    #[test]
    fn uneven_rates_do_not_drift() {
        let pace = Pace::Timetable { rate: 3, producers: 1, turn: 0 };
        assert_eq!(pace.due(3_000_000, 0, 0), 1_000_000 * 1_000_000_000);
    }
}
