use clap::Parser;

use super::{account, judge, title};
use crate::consumer::Received;
use crate::latency::Latencies;
use crate::ledger::{Account, Ledger};
use crate::plan::{Plan, PlanArgs};
use crate::worker::Tallies;

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    plan: PlanArgs,
}

fn plan(line: &str) -> Plan {
    let words = std::iter::once("bench").chain(line.split_whitespace());
    Plan::new(&Line::try_parse_from(words).unwrap().plan, "localhost", None).unwrap()
}

/// Consumers that received these messages.
fn tallies(producers: usize, arrivals: &[&[(u32, u64)]]) -> Tallies {
    let received = arrivals.iter().enumerate().map(|(number, arrivals)| {
        let mut ledger = Ledger::new(producers);
        for (producer, sequence) in *arrivals {
            ledger.enter(*producer, *sequence);
        }
        (number, Received { ledger, latencies: Latencies::new(), measured: 0, last: 0 })
    });
    Tallies { received: received.collect(), ..Tallies::default() }
}

fn faults(line: &str, account: &Account) -> Vec<String> {
    judge(&plan(line), account, 0, 0, false).0
}

#[test]
fn consumers_of_a_queue_share_and_those_of_a_topic_do_not() {
    let arrivals = tallies(1, &[&[(0, 0)], &[(0, 1)]]);
    let queue = account(&plan("--protocol stomp --consumers 2"), &[2], &arrivals);
    assert_eq!((queue.expected, queue.lost), (2, 0));
    let topic = account(&plan("--protocol stomp --consumers 2 --kind topic"), &[2], &arrivals);
    assert_eq!((topic.expected, topic.lost, topic.first_lost), (4, 2, Some((0, 1))));
}

#[test]
fn destinations_are_accounted_apart() {
    let plan = plan("--protocol stomp --producers 3 --consumers 3 --destinations 2");
    // Producers 0 and 2 and consumers 0 and 2 meet in the first queue, the others in the second.
    let arrivals = tallies(3, &[&[(0, 0)], &[(1, 0)], &[(2, 0)]]);
    let account = account(&plan, &[1, 1, 2], &arrivals);
    assert_eq!((account.expected, account.lost, account.first_lost), (4, 1, Some((2, 1))));
}

#[test]
fn without_consumers_nothing_is_expected() {
    let account = account(&plan("--protocol stomp --consumers 0"), &[9], &tallies(1, &[]));
    assert_eq!(account, Account::default());
}

#[test]
fn what_the_protocol_allows_is_a_note_unless_strict() {
    let lost = Account { expected: 9, lost: 1, first_lost: Some((0, 4)), ..Account::default() };
    assert!(faults("--protocol mqtt", &lost).is_empty());
    assert_eq!(faults("--protocol mqtt --strict", &lost).len(), 1);
    assert!(
        faults("--protocol mqtt --qos 1", &lost)[0].contains("1 of 9 messages were lost, first number 4")
    );
    assert_eq!(faults("--protocol stomp", &lost).len(), 1);
    let twice = Account { duplicated: 1, ..Account::default() };
    assert!(faults("--protocol mqtt --qos 1", &twice).is_empty());
    for line in ["--protocol mqtt", "--protocol mqtt --qos 2", "--protocol stomp"] {
        assert_eq!(faults(line, &twice).len(), 1, "{line}");
    }
}

#[test]
fn everything_else_that_is_wrong_is_a_fault() {
    let wrong = Account { reordered: 1, damaged: 1, foreign: 1, ..Account::default() };
    let (faults, notes) = judge(&plan("--protocol mqtt"), &wrong, 3, 1, true);
    assert_eq!((faults.len(), notes.len()), (4, 2), "{faults:?} {notes:?}");
}

#[test]
fn a_title_tells_what_was_run() {
    let found = title(&plan("--protocol stomp --persistent --producers 16 --window 1 --rate 10"), true);
    let expected = "stomp, persistent, ack auto, 1 queue, 16 to 1, 256 B, window 1, 10 a second, TLS";
    assert_eq!(found, expected);
}
