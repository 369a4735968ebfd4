use std::sync::Arc;

use clap::Parser;

use super::Consumer;
use crate::board::Board;
use crate::payload::Bodies;
use crate::plan::{Plan, PlanArgs};
use crate::producer::Run;
use crate::wire::Sink as _;

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    plan: PlanArgs,
}

fn consumer(words: &str) -> (Run, Consumer) {
    let words = std::iter::once("bench").chain(words.split_whitespace());
    let plan = Plan::new(&Line::try_parse_from(words).unwrap().plan, "localhost", None).unwrap();
    let board = Board::new(plan.producers, plan.consumers, plan.threads).unwrap();
    board.measure_from(0);
    let bodies = Bodies::new(1, plan.size);
    let run = Run { plan: Arc::new(plan), board: Arc::new(board), bodies: Arc::new(bodies) };
    (run.clone(), Consumer::new(0, 0, run))
}

fn body(bodies: &Bodies, producer: u32, sequence: u64, time: u64) -> Vec<u8> {
    let mut body = Vec::new();
    bodies.write(&mut body, producer, sequence, time);
    body
}

#[test]
fn latency_counts_from_the_time_that_was_meant() {
    let (run, mut consumer) = consumer("--protocol mqtt");
    consumer.arrived(5_000_000);
    consumer.message(&body(&run.bodies, 0, 0, 2_000_000));
    let found = consumer.tally.latencies.summary().unwrap();
    assert!((found.max - 3.0).abs() < 0.01, "{found:?}");
    assert_eq!((consumer.tally.measured, consumer.tally.last), (1, 5_000_000));
}

#[test]
fn the_warm_up_counts_in_the_books_only() {
    let (run, mut consumer) = consumer("--protocol mqtt");
    run.board.measure_from(10);
    consumer.arrived(20);
    consumer.message(&body(&run.bodies, 0, 0, 9));
    consumer.message(&body(&run.bodies, 0, 1, 10));
    assert_eq!((consumer.tally.measured, consumer.received), (1, 2));
}

#[test]
fn what_comes_again_is_no_progress() {
    let (run, mut consumer) = consumer("--protocol mqtt");
    consumer.arrived(1);
    for sequence in [0, 0, 1, 0] {
        consumer.message(&body(&run.bodies, 0, sequence, 0));
    }
    consumer.post();
    assert_eq!((run.board.totals().received, run.board.progress(0, 0)), (2, 2));
    assert_eq!(consumer.tally.measured, 2);
}

#[test]
fn progress_in_a_topic_goes_past_what_was_lost_and_in_a_queue_it_is_counted() {
    for (words, far) in [("--protocol mqtt", 8), ("--protocol stomp --outstanding 9", 2)] {
        let (run, mut consumer) = consumer(words);
        consumer.message(&body(&run.bodies, 0, 0, 0));
        consumer.message(&body(&run.bodies, 0, 7, 0));
        consumer.post();
        assert_eq!(run.board.progress(0, 0), far, "{words}");
    }
}

#[test]
fn strangers_and_wrecks_are_told_apart() {
    let (run, mut consumer) = consumer("--protocol mqtt --size 64");
    consumer.message(b"hello");
    consumer.message(&body(&Bodies::new(2, 64), 0, 0, 0));
    let mut wreck = body(&run.bodies, 0, 0, 0);
    wreck[50] ^= 1;
    consumer.message(&wreck);
    let ledger = &consumer.tally.ledger;
    assert_eq!((ledger.foreign, ledger.damaged, consumer.received), (2, 1, 0));
}

#[test]
fn nothing_that_was_not_published_can_be_acknowledged() {
    assert!(consumer("--protocol mqtt").1.accepted(0).is_err());
}
