//! Runs in which nothing goes wrong.

use keepmq_bench::{Protocol, Verdict};
use serde_json::Value;

use crate::broker::{Broker, Faults};

/// Runs against a faultless broker, expects nothing to complain of, and returns the report and what the broker saw.
fn clean(protocol: Protocol, words: &str) -> (Value, Broker) {
    let broker = Broker::start(protocol, Faults::default());
    let (verdict, report) = broker.bench(words).unwrap();
    assert_eq!(verdict, Verdict::Clean, "{words}: {report:#}");
    assert_eq!(report["account"]["lost"], 0);
    assert_eq!(report["account"]["received"], report["account"]["expected"]);
    assert_eq!(report["notes"], Value::Array(Vec::new()), "{words}");
    (report, broker)
}

#[test]
fn every_quality_of_service_arrives_whole() {
    for qos in 0..=2 {
        let (report, broker) =
            clean(Protocol::Mqtt, &format!("load HERE --protocol mqtt --qos {qos} --count 3000"));
        assert_eq!(
            (&report["published"]["count"], &report["delivered"]["count"]),
            (&3000.into(), &3000.into())
        );
        assert_eq!(broker.hub().acks, if qos == 0 { 0 } else { 3000 });
        broker.expect_farewells(2);
        assert_eq!(report["ack_latency"].is_null(), qos == 0);
        assert_eq!(report["latency"]["count"], 3000);
    }
}

#[test]
fn receipts_and_every_way_of_acknowledging_work() {
    for ack in ["auto", "client", "client-individual"] {
        let words = format!("load HERE --protocol stomp --persistent --ack {ack} --prefetch 50 --count 3000");
        let (report, broker) = clean(Protocol::Stomp, &words);
        assert_eq!(report["ack_latency"]["count"], 3000);
        assert_eq!(broker.hub().acks, if ack == "auto" { 0 } else { 3000 }, "{ack}");
    }
}

#[test]
fn openwire_is_spoken_as_its_codec_reads_it() {
    for ack in ["auto", "client", "client-individual"] {
        let words = format!("load HERE --protocol openwire --persistent --ack {ack} --count 3000");
        let (report, broker) = clean(Protocol::Openwire, &words);
        assert_eq!((&report["ack_latency"]["count"], broker.hub().acks), (&3000.into(), 3000), "{ack}");
        broker.expect_farewells(2);
    }
    let words =
        "load HERE --protocol openwire --kind topic --window 0 --consumers 3 --size 70000 --count 100";
    assert_eq!(clean(Protocol::Openwire, words).0["delivered"]["count"], 300);
}

#[test]
fn one_waiting_producer_waits() {
    let (report, _) = clean(Protocol::Stomp, "load HERE --protocol stomp --window 1 --count 50");
    assert_eq!(report["unacknowledged"], 0);
    assert_eq!(report["ack_latency"]["count"], 50);
}

#[test]
fn fire_and_forget_is_no_loss() {
    let (report, _) = clean(Protocol::Stomp, "load HERE --protocol stomp --window 0 --count 2000");
    assert!(report["ack_latency"].is_null());
}

#[test]
fn fan_out_fan_in_and_competition_are_accounted() {
    let words = "load HERE --protocol mqtt --consumers 8 --count 500";
    assert_eq!(clean(Protocol::Mqtt, words).0["delivered"]["count"], 4000);
    let words = "load HERE --protocol mqtt --qos 1 --producers 4 --window 7 --count 1001";
    assert_eq!(clean(Protocol::Mqtt, words).0["delivered"]["count"], 1001);
    let words = "load HERE --protocol stomp --producers 3 --consumers 4 --count 1000";
    assert_eq!(clean(Protocol::Stomp, words).0["delivered"]["count"], 1000);
    let words = "load HERE --protocol stomp --kind topic --consumers 3 --count 500";
    assert_eq!(clean(Protocol::Stomp, words).0["delivered"]["count"], 1500);
}

#[test]
fn several_threads_wake_each_other() {
    let words = "load HERE --protocol mqtt --destinations 4 --producers 4 --consumers 4 --threads 3 \
                 --outstanding 100 --count 4000";
    assert_eq!(clean(Protocol::Mqtt, words).0["delivered"]["count"], 4000);
    let words = "load HERE --protocol stomp --consumers 2 --threads 2 --outstanding 50 --count 1000";
    assert_eq!(clean(Protocol::Stomp, words).0["delivered"]["count"], 1000);
}

#[test]
fn large_and_smallest_messages_fit() {
    let (report, _) = clean(Protocol::Mqtt, "load HERE --protocol mqtt --size 1000000 --count 5");
    assert_eq!(report["delivered"]["count"], 5);
    clean(Protocol::Stomp, "load HERE --protocol stomp --size 600000 --count 5");
    clean(Protocol::Mqtt, "load HERE --protocol mqtt --size 32 --count 100");
}

#[test]
fn a_timetable_and_a_warm_up_are_kept() {
    let words = "load HERE --protocol mqtt --rate 1000 --warm-up 0.1 --count 100";
    let (report, _) = clean(Protocol::Mqtt, words);
    assert_eq!(report["published"]["count"], 100);
    assert!(report["account"]["expected"].as_u64().unwrap() > 100, "{report:#}");
    let (report, _) = clean(Protocol::Mqtt, "load HERE --protocol mqtt --rate 500 --duration 0.2");
    assert!(report["published"]["count"].as_u64().unwrap() > 0, "{report:#}");
}

#[test]
fn nobody_has_to_receive() {
    let (report, _) = clean(Protocol::Stomp, "load HERE --protocol stomp --consumers 0 --count 100");
    assert_eq!((&report["published"]["count"], &report["account"]["expected"]), (&100.into(), &0.into()));
}

#[test]
fn what_a_process_spends_is_told() {
    let words = format!("load HERE --protocol mqtt --count 100 --pid {}", std::process::id());
    let (report, _) = clean(Protocol::Mqtt, &words);
    assert!(report["broker"]["memory_peak"].as_u64().unwrap() > 0, "{report:#}");
    assert!(report["broker_cpu"]["published"].as_f64().is_some(), "{report:#}");
}
