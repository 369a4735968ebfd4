//! Whatever breaks whenever: `QoS` 2 arrives once, `QoS` 1 at least once, in order, and nothing is left behind.

use std::collections::HashMap;

use bytes::Bytes;
use keepmq_mqtt::codec::Qos;
use proptest::prelude::*;

use crate::world::{Step, World};

fn qos() -> impl Strategy<Value = Qos> {
    prop_oneof![1 => Just(Qos::AtLeastOnce), 2 => Just(Qos::ExactlyOnce)]
}

fn step() -> impl Strategy<Value = Step> {
    // Some places are a whole round of packet ids further on.
    let skip = prop_oneof![8 => Just(1u64), 1 => 1u64..100_000, 2 => Just(65_535u64)];
    prop_oneof![
        4 => qos().prop_map(Step::Send),
        4 => (qos(), skip).prop_map(|(qos, skip)| Step::Arrive(qos, skip)),
        6 => Just(Step::HandOut),
        12 => Just(Step::Apply),
        8 => Just(Step::Read),
        12 => Just(Step::Hear),
        1 => Just(Step::Break),
    ]
}

fn check(sent: &[(Qos, Bytes)], got: &[Bytes]) {
    let mut counts = HashMap::<&Bytes, usize>::new();
    for payload in got {
        *counts.entry(payload).or_default() += 1;
    }
    for (qos, payload) in sent {
        let count = counts.remove(payload).unwrap_or(0);
        match qos {
            Qos::ExactlyOnce => assert_eq!(count, 1, "{payload:?} of {got:?}"),
            _ => assert!(count >= 1, "{payload:?} of {got:?}"),
        }
    }
    assert!(counts.is_empty(), "{counts:?}");
}

/// [MQTT-4.6.0-1] to [MQTT-4.6.0-6]: messages of one `QoS` come in their order, copies apart.
fn check_order<'a>(got: impl Iterator<Item = &'a Bytes>) {
    let mut last = None;
    let mut seen = std::collections::HashSet::new();
    for payload in got {
        let number: usize = std::str::from_utf8(payload).unwrap().parse().unwrap();
        if seen.insert(number) {
            assert!(Some(number) > last, "{number} behind {last:?}");
            last = Some(number);
        }
    }
}

proptest! {
    #[test]
    fn qos_2_arrives_once_in_both_directions(
        window in 1u16..6,
        steps in proptest::collection::vec(step(), 0..300),
    ) {
        let mut world = World::new(window);
        for step in steps {
            world.step(step);
        }
        world.settle();
        // A last message makes sure what the one before has become.
        world.step(Step::Arrive(Qos::AtLeastOnce, 1));
        world.settle();
        world.check_rest();
        check(&world.sent_payloads, &world.published);
        let received: Vec<Bytes> = world.received.iter().map(|(_, payload)| payload.clone()).collect();
        check(&world.queued_payloads, &received);
        for wanted in [Qos::AtLeastOnce, Qos::ExactlyOnce] {
            check_order(world.received.iter().filter(|(qos, _)| *qos == wanted).map(|(_, payload)| payload));
            let of_qos = |payload: &&Bytes| world.sent_payloads.contains(&(wanted, (*payload).clone()));
            check_order(world.published.iter().filter(of_qos));
        }
    }
}
