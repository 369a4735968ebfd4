//! Runs in which the broker makes a known mistake: it must be found, and nothing else.

use keepmq_bench::{Protocol, Verdict};
use serde_json::{Value, json};

use crate::broker::{Broker, Faults};

fn report(protocol: Protocol, faults: Faults, words: &str) -> (Verdict, Value) {
    Broker::start(protocol, faults).bench(words).unwrap()
}

fn expect(report: &Value, wrong: &Value) {
    let clean = json!({ "lost": 0, "duplicated": 0, "reordered": 0, "damaged": 0, "foreign": 0 });
    for (name, usual) in clean.as_object().unwrap() {
        let wanted = wrong.get(name).unwrap_or(usual);
        assert_eq!(&report["account"][name], wanted, "{name}: {report:#}");
    }
}

#[test]
fn losses_are_found_and_the_first_is_named() {
    let faults = || Faults { lose: vec![17, 40, 99], ..Faults::default() };
    let words = "load HERE --protocol mqtt --qos 1 --count 100 --patience 1";
    let (verdict, found) = report(Protocol::Mqtt, faults(), words);
    assert_eq!(verdict, Verdict::Faulty);
    expect(&found, &json!({ "lost": 3 }));
    assert_eq!(found["account"]["first_lost"], json!([0, 17]));
    let (_, found) = report(Protocol::Stomp, faults(), "load HERE --protocol stomp --count 100 --patience 1");
    expect(&found, &json!({ "lost": 3 }));
}

#[test]
fn a_loss_that_the_protocol_allows_is_only_noted() {
    let faults = || Faults { lose: vec![5], ..Faults::default() };
    let words = "load HERE --protocol mqtt --count 100 --patience 1 --strict";
    assert_eq!(report(Protocol::Mqtt, faults(), words).0, Verdict::Faulty);
    let (_, found) = report(Protocol::Mqtt, faults(), "load HERE --protocol mqtt --count 100 --patience 1");
    expect(&found, &json!({ "lost": 1 }));
    assert!(found["notes"][0].as_str().unwrap().contains("lost"), "{found:#}");
}

#[test]
fn duplicates_are_found() {
    let faults = || Faults { duplicate: vec![3, 50], ..Faults::default() };
    let (verdict, found) = report(Protocol::Mqtt, faults(), "load HERE --protocol mqtt --qos 2 --count 100");
    assert_eq!(verdict, Verdict::Faulty);
    expect(&found, &json!({ "duplicated": 2 }));
    let (verdict, found) = report(Protocol::Mqtt, faults(), "load HERE --protocol mqtt --qos 1 --count 100");
    assert_eq!(verdict, Verdict::Clean);
    expect(&found, &json!({ "duplicated": 2 }));
}

#[test]
fn a_message_at_two_competitors_is_a_duplicate() {
    let faults = Faults { duplicate: vec![3], ..Faults::default() };
    let words = "load HERE --protocol stomp --consumers 2 --count 100 --outstanding 1";
    let (verdict, found) = report(Protocol::Stomp, faults, words);
    assert_eq!(verdict, Verdict::Faulty);
    expect(&found, &json!({ "duplicated": 1 }));
}

#[test]
fn a_changed_order_is_found() {
    let faults = Faults { delay: vec![10, 60], ..Faults::default() };
    let (verdict, found) = report(Protocol::Stomp, faults, "load HERE --protocol stomp --count 100");
    assert_eq!(verdict, Verdict::Faulty);
    expect(&found, &json!({ "reordered": 2 }));
}

#[test]
fn a_changed_byte_is_found_and_its_message_is_missing() {
    let faults = Faults { damage: vec![10], ..Faults::default() };
    let words = "load HERE --protocol stomp --count 100 --patience 1";
    let (verdict, found) = report(Protocol::Stomp, faults, words);
    assert_eq!(verdict, Verdict::Faulty);
    expect(&found, &json!({ "damaged": 1, "lost": 1 }));
}

#[test]
fn a_publish_without_an_answer_is_found() {
    let faults = Faults { forget: vec![10], ..Faults::default() };
    let words = "load HERE --protocol mqtt --qos 1 --count 100 --patience 1";
    let (verdict, found) = report(Protocol::Mqtt, faults, words);
    assert_eq!(verdict, Verdict::Faulty);
    expect(&found, &json!({}));
    assert_eq!(found["unacknowledged"], 1);
}

#[test]
fn messages_of_others_are_noted_and_not_counted() {
    let broker = Broker::start(Protocol::Stomp, Faults::default());
    let one = || broker.bench("load HERE --protocol stomp --kind topic --rate 500 --count 200").unwrap();
    let (first, second) = std::thread::scope(|scope| {
        let other = std::thread::Builder::new().spawn_scoped(scope, one).unwrap();
        (one(), other.join().unwrap())
    });
    for (verdict, found) in [first, second] {
        assert_eq!(verdict, Verdict::Clean, "{found:#}");
        assert_eq!((&found["delivered"]["count"], &found["account"]["lost"]), (&200.into(), &0.into()));
    }
}

#[test]
fn a_broker_that_hangs_up_ends_the_run() {
    for (protocol, words) in [
        (Protocol::Mqtt, "load HERE --protocol mqtt --count 100"),
        (Protocol::Stomp, "load HERE --protocol stomp --count 100"),
    ] {
        let broker = Broker::start(protocol, Faults { hang_up: Some(50), ..Faults::default() });
        let error = broker.bench(words).unwrap_err().to_string();
        assert!(error.contains("closed the connection of producer 0"), "{error}");
    }
}
