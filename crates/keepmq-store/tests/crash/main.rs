//! The journal under a disk that loses power: random histories, each from a seed, against a simple model.
//!
//! An ordinary run takes a few hundred seeds. `KEEPMQ_CRASH_HISTORIES=20000` takes more, `KEEPMQ_CRASH_SEED=7` begins
//! with a certain one; a seed that fails is printed.

mod history;
mod model;
mod workload;

use history::{History, Shape};

/// Prints the seed when the test fails inside.
struct Seed(u64);

impl Drop for Seed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!(
                "failed with KEEPMQ_CRASH_SEED={} KEEPMQ_CRASH_HISTORIES=1",
                self.0
            );
        }
    }
}

#[allow(clippy::disallowed_methods)] // How many histories to run is for whoever starts the tests to say.
fn number(name: &str, default: u64) -> u64 {
    std::env::var(name)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(default)
}

fn run_all(shape: Shape, histories: u64) {
    let first = number("KEEPMQ_CRASH_SEED", 1);
    for seed in first..first + number("KEEPMQ_CRASH_HISTORIES", histories) {
        let _seed = Seed(seed);
        History::new(seed, shape).run();
    }
}

#[test]
fn what_was_reported_survives_every_crash_and_nothing_is_invented() {
    run_all(Shape::Ordinary, 250);
}

#[test]
fn crashes_while_opening_closing_and_compacting_lose_and_revive_nothing() {
    run_all(Shape::Restless, 150);
}

#[test]
fn a_small_limit_never_costs_an_acknowledged_record() {
    run_all(Shape::Cramped, 100);
}

#[test]
fn a_disk_without_room_never_costs_an_acknowledged_record() {
    run_all(Shape::FullDisk, 100);
}

#[test]
fn a_damaged_newest_checkpoint_costs_nothing_but_time() {
    run_all(Shape::BadCheckpoint, 100);
}

#[test]
fn a_lost_or_damaged_table_costs_nothing_but_time() {
    run_all(Shape::BadTable, 100);
}
