use std::sync::Arc;

use clap::Parser;

use super::{Next, Producer, Run};
use crate::board::{Board, Phase};
use crate::pace::Pace;
use crate::payload::Bodies;
use crate::plan::{Plan, PlanArgs};
use crate::wire::{Sink as _, Wire};

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    plan: PlanArgs,
}

/// A run of these words that is being measured from the beginning, and its first producer.
fn producer(words: &str) -> (Run, Producer) {
    let words = std::iter::once("bench").chain(words.split_whitespace());
    let plan = Plan::new(&Line::try_parse_from(words).unwrap().plan, "localhost", None).unwrap();
    let board = Board::new(plan.producers, plan.consumers, plan.threads).unwrap();
    board.measure_from(0);
    board.advance(Phase::Measure);
    let bodies = Bodies::new(1, plan.size);
    let run = Run { plan: Arc::new(plan), board: Arc::new(board), bodies: Arc::new(bodies) };
    let pace = run.plan.rate.map_or(Pace::Fast, |rate| Pace::Timetable { rate, producers: 1, turn: 0 });
    (run.clone(), Producer::new(0, 0, run, pace))
}

/// Lets it write once, and tells how many messages it wrote and when it goes on.
fn write(run: &Run, producer: &mut Producer, now: u64) -> (u64, Next) {
    let wire = Wire::new(&run.plan.manner, run.plan.destination_of(0), run.plan.size);
    let before = producer.sent;
    let next = producer.write_batch(&mut Vec::new(), &wire, now);
    (producer.sent - before, next)
}

#[test]
fn a_window_is_filled_and_filled_again_when_a_sixteenth_is_free() {
    let (run, mut producer) = producer("--protocol mqtt --qos 1 --window 32 --outstanding 0");
    assert_eq!(write(&run, &mut producer, 0), (32, Next::OnEvent));
    producer.accepted(5).unwrap();
    assert_eq!(write(&run, &mut producer, 0), (0, Next::OnEvent));
    producer.accepted(9).unwrap();
    assert_eq!(write(&run, &mut producer, 0), (2, Next::OnEvent));
}

#[test]
fn a_window_of_one_waits_for_each() {
    let (run, mut producer) = producer("--protocol stomp --window 1");
    for _ in 0..3 {
        assert_eq!(write(&run, &mut producer, 0), (1, Next::OnEvent));
        assert_eq!(write(&run, &mut producer, 0), (0, Next::OnEvent));
        producer.accepted(0).unwrap();
    }
    producer.post();
    assert_eq!((producer.tally.waiting, run.board.totals().accepted), (0, 3));
}

#[test]
fn batches_are_bounded() {
    let (run, mut producer) = producer("--protocol mqtt --size 30000 --outstanding 0");
    assert_eq!(write(&run, &mut producer, 0), (3, Next::Now));
}

#[test]
fn what_is_on_its_way_is_bounded_by_the_slowest_subscriber() {
    let (run, mut producer) = producer("--protocol mqtt --consumers 2 --outstanding 10");
    assert_eq!(write(&run, &mut producer, 0), (10, Next::OnEvent));
    run.board.post_progress(0, 0, 10);
    assert_eq!(write(&run, &mut producer, 0), (0, Next::OnEvent));
    run.board.post_progress(1, 0, 4);
    assert_eq!(write(&run, &mut producer, 0), (4, Next::OnEvent));
}

#[test]
fn what_is_on_its_way_is_bounded_by_all_competitors_together() {
    let (run, mut producer) = producer("--protocol stomp --consumers 2 --window 0 --outstanding 10");
    assert_eq!(write(&run, &mut producer, 0), (10, Next::OnEvent));
    run.board.post_progress(0, 0, 3);
    run.board.post_progress(1, 0, 2);
    assert_eq!(write(&run, &mut producer, 0), (5, Next::OnEvent));
}

#[test]
fn without_consumers_nobody_is_waited_for() {
    let (run, mut producer) = producer("--protocol mqtt --consumers 0 --outstanding 1 --count 50");
    assert_eq!(write(&run, &mut producer, 0), (50, Next::OnEvent));
}

#[test]
fn a_timetable_is_caught_up_with_the_times_that_were_meant() {
    let (run, mut producer) = producer("--protocol mqtt --qos 1 --rate 1000 --outstanding 0");
    assert_eq!(write(&run, &mut producer, 0), (1, Next::At(1_000_000)));
    // Nobody looked for ten milliseconds: all are sent, and the answers are late by what they are late.
    assert_eq!(write(&run, &mut producer, 10_000_000), (10, Next::At(11_000_000)));
    producer.now = 11_000_000;
    producer.accepted(1).unwrap();
    let late = producer.tally.latencies.summary().unwrap();
    assert!((late.max - 10.0).abs() < 0.05, "{late:?}");
}

#[test]
fn a_full_window_does_not_move_the_timetable() {
    let (run, mut producer) = producer("--protocol mqtt --qos 1 --rate 1000 --window 1 --outstanding 0");
    assert_eq!(write(&run, &mut producer, 5_000_000), (1, Next::OnEvent));
    producer.accepted(0).unwrap();
    assert_eq!(write(&run, &mut producer, 5_000_000), (1, Next::OnEvent));
    producer.now = 6_000_000;
    producer.accepted(0).unwrap();
    // The second was meant for 1 ms.
    assert!(producer.tally.latencies.summary().unwrap().max > 4.9);
}

#[test]
fn it_is_done_when_its_share_is_sent_or_the_time_is_over() {
    let (run, mut producer) = producer("--protocol mqtt --count 5");
    assert_eq!(write(&run, &mut producer, 0).0, 5);
    assert_eq!(run.board.totals().done, 1);
    let (run, mut producer) = self::producer("--protocol mqtt --duration 5");
    run.board.advance(Phase::Drain);
    assert_eq!(write(&run, &mut producer, 0), (0, Next::OnEvent));
    assert_eq!(run.board.totals().done, 1);
}

#[test]
fn the_warm_up_is_not_measured() {
    let (run, mut producer) = producer("--protocol mqtt --qos 1 --window 4 --outstanding 0");
    run.board.measure_from(100);
    write(&run, &mut producer, 50);
    producer.accepted(0).unwrap();
    assert_eq!((producer.tally.measured, producer.tally.latencies.summary()), (0, None));
    write(&run, &mut producer, 100);
    producer.accepted(0).unwrap();
    assert_eq!((producer.tally.measured, producer.sent), (1, 5));
    assert!(producer.tally.latencies.summary().is_some());
}

#[test]
fn an_answer_to_nothing_ends_the_run() {
    let (_, mut producer) = producer("--protocol mqtt --qos 1");
    assert!(producer.accepted(3).is_err());
    let (_, mut producer) = self::producer("--protocol mqtt");
    assert!(producer.accepted(0).is_err());
}
