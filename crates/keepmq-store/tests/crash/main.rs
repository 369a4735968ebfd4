//! The journal under a disk that loses power: random histories, each from a seed, against a simple model.
//!
//! An ordinary run takes a few hundred seeds. `KEEPMQ_CRASH_HISTORIES=20000` takes more, `KEEPMQ_CRASH_SEED=7` begins
//! with a certain one; a seed that fails is printed.

#![allow(clippy::unwrap_used, clippy::expect_used)] // A test fails by panicking.
#![allow(clippy::print_stdout, clippy::print_stderr)] // And tells what it went through.
#![allow(clippy::cast_possible_truncation)] // Streams, places and counts are small here.

mod every;
mod history;
mod model;
mod rot;
mod twins;
mod workload;

use history::{History, Shape, Tally};

/// Prints the seed when the test fails inside.
struct Seed(u64);

impl Drop for Seed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("failed with KEEPMQ_CRASH_SEED={} KEEPMQ_CRASH_HISTORIES=1", self.0);
        }
    }
}

#[allow(clippy::disallowed_methods)] // How many histories to run is for whoever starts the tests to say.
fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

fn run_all(shape: Shape, histories: u64) -> Vec<Tally> {
    let first = number("KEEPMQ_CRASH_SEED", 1);
    let seeds = first..first + number("KEEPMQ_CRASH_HISTORIES", histories);
    let run = |seed| {
        let _seed = Seed(seed);
        let mut history = History::new(seed, shape);
        history.run();
        history.tally
    };
    let tallies: Vec<Tally> = seeds.map(run).collect();
    let sum = |field: fn(&Tally) -> u64| tallies.iter().map(field).sum::<u64>();
    println!(
        "{shape:?}: {} openings, {} crashes ({} while opening), of batches not reported {} found and {} lost, full {}, \
         {} syncs, {} records moved, {} segments reclaimed, {} checkpoints, {} torn frames",
        sum(|tally| tally.openings),
        sum(|tally| tally.crashes),
        sum(|tally| tally.crashes_while_opening),
        sum(|tally| tally.unreported_found),
        sum(|tally| tally.unreported_lost),
        sum(|tally| tally.full),
        sum(|tally| tally.activity.syncs),
        sum(|tally| tally.activity.moved_records),
        sum(|tally| tally.activity.reclaimed_segments),
        sum(|tally| tally.activity.checkpoints),
        sum(|tally| tally.activity.torn_frames),
    );
    tallies
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
