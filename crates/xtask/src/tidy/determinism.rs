//! No clock and no chance in the crates that a simulation must be able to repeat: the same input and the same `now` must
//! give the same output, or a failing seed cannot be replayed.
//!
//! The order in which a hash map with a random state is walked is chance too, and is not seen here.

use super::bans::{self, Ban};
use super::fault::Fault;
use super::house;
use super::source::Source;

const CLOCK: &str = "take `now` as an argument; only the shells read a clock";
const CHANCE: &str = "take random numbers as an argument; only the shells draw them";

const BANS: [Ban; 8] = [
    (&["Instant", "now"], CLOCK),
    (&["SystemTime"], CLOCK),
    (&["rand", "_"], CHANCE),
    (&["fastrand"], CHANCE),
    (&["thread_rng"], CHANCE),
    (&["getrandom"], CHANCE),
    (&["OsRng"], CHANCE),
    (&["SystemRandom"], CHANCE),
];

/// Judges one file.
pub(crate) fn check(source: &Source) -> Vec<Fault> {
    if !house::is_deterministic(&source.krate) {
        return Vec::new();
    }
    bans::check(source, &BANS, "a crate that a simulation repeats")
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::tidy::source::Source;

    fn faults(krate: &str, code: &str) -> usize {
        check(&Source::parse(&format!("crates/{krate}/src/lib.rs"), code).unwrap()).len()
    }

    #[test]
    fn the_core_and_the_protocols_read_no_clock_and_draw_no_numbers() {
        for bad in [
            "use std::time::SystemTime;",
            "use std::time::{Duration, SystemTime as Clock};",
            "fn a() { std::time::Instant::now(); }",
            "fn a() { rand::random::<u8>(); }",
            "fn a() { aws_lc_rs::rand::fill(b); }",
            "use rand_core::OsRng;",
            "fn a() { getrandom::fill(b); }",
        ] {
            assert_eq!(faults("keepmq-core", bad), 1, "{bad}");
            assert_eq!(faults("keepmq-mqtt", bad), 1, "{bad}");
            assert_eq!(faults("keepmq-net", bad), 0, "{bad}");
        }
    }

    #[test]
    fn points_in_time_may_be_handed_around() {
        assert_eq!(faults("keepmq-core", "use std::time::{Duration, Instant};\nfn a(now: Instant) {}"), 0);
    }
}
