//! Packet ids in use, and what becomes of them.

use super::*;
use proptest::prelude::*;

fn number(number: u64) -> DeliveryId {
    DeliveryId { leg: 0, number }
}

fn id(number: u16) -> PacketId {
    PacketId::new(number).unwrap()
}

#[test]
fn ids_are_a_function_of_the_place_and_never_zero() {
    assert_eq!(packet_id(0).get(), 1);
    assert_eq!(packet_id(65_534).get(), 65_535);
    assert_eq!(packet_id(65_535).get(), 1);
    assert_eq!(packet_id(u64::MAX).get(), 1);
}

#[test]
fn an_id_in_use_makes_the_next_wait() {
    let mut flight = Flight::default();
    assert_eq!(flight.admit(1, number(1), Qos::AtLeastOnce), Some(id(2)));
    assert_eq!(flight.admit(1 + IDS, number(2), Qos::AtLeastOnce), None);
    assert_eq!(flight.acknowledge(id(2)), Ok(Some(number(1))));
    assert_eq!(flight.admit(1 + IDS, number(2), Qos::AtLeastOnce), Some(id(2)));
}

#[test]
fn an_answer_must_be_the_one_that_the_qos_asks_for() {
    let mut flight = Flight::default();
    flight.admit(0, number(1), Qos::AtLeastOnce);
    flight.admit(1, number(2), Qos::ExactlyOnce);
    assert!(flight.received(id(1), false, 9).is_err());
    assert!(flight.complete(id(1), false).is_err());
    assert!(flight.acknowledge(id(2)).is_err());
    assert!(flight.complete(id(2), false).is_err());
    assert_eq!(flight.received(id(2), false, 9), Ok(Received::Release));
    assert!(flight.acknowledge(id(2)).is_err());
    assert_eq!(flight.complete(id(2), false), Ok(Completion::Message(Some(number(2)))));
    assert_eq!(flight.acknowledge(id(1)), Ok(Some(number(1))));
    assert!(flight.is_idle());
}

#[test]
fn answers_to_nothing_mean_nothing() {
    let mut flight = Flight::default();
    assert_eq!(flight.acknowledge(id(9)), Ok(None));
    assert_eq!(flight.received(id(9), true, 9), Ok(Received::Release));
    assert_eq!(flight.complete(id(9), false), Ok(Completion::Nothing));
    assert!(!flight.noted(id(9)));
}

#[test]
fn a_noted_message_is_settled_once_and_only_so_many_ahead() {
    let mut flight = Flight::default();
    for place in 0..3 {
        flight.admit(place, number(place + 1), Qos::ExactlyOnce);
    }
    assert_eq!(flight.received(id(1), true, 2), Ok(Received::Note(0, Some(number(1)))));
    assert_eq!(flight.received(id(1), true, 2), Ok(Received::Awaited));
    assert_eq!(flight.received(id(2), true, 2), Ok(Received::Note(1, Some(number(2)))));
    assert_eq!(flight.received(id(3), true, 2), Ok(Received::Note(2, None)));
    assert!(flight.complete(id(3), false).is_err());
    assert!(flight.noted(id(3)) && !flight.noted(id(3)) && flight.noted(id(1)));
    assert_eq!(flight.complete(id(3), false), Ok(Completion::Message(Some(number(3)))));
    assert_eq!(flight.complete(id(1), false), Ok(Completion::Message(None)));
}

/// [MQTT-4.4.0-1]
#[test]
fn a_message_that_the_client_has_is_known_again_by_its_place() {
    let mut flight = Flight::default();
    flight.restore(packet_id(11), 11);
    flight.restore(packet_id(13), 13);
    assert_eq!(flight.released().collect::<Vec<_>>(), [id(12), id(14)]);
    assert_eq!(flight.meet(10), (false, vec![]));
    assert_eq!(flight.admit(10, number(1), Qos::ExactlyOnce), Some(id(11)));
    assert_eq!(flight.meet(11), (true, vec![]));
    assert_eq!(flight.meet(12), (false, vec![]));
    assert!(flight.is_unsure());
    assert_eq!(flight.admit(11 + IDS, number(3), Qos::ExactlyOnce), None);
    assert_eq!(flight.complete(id(12), false), Ok(Completion::Message(None)));
    assert_eq!(flight.admit(11 + IDS, number(3), Qos::ExactlyOnce), Some(id(12)));
}

/// The broker stopped between the note and the settlement, and PUBCOMP comes before the message does.
#[test]
fn an_id_is_held_until_its_note_is_gone() {
    let mut flight = Flight::default();
    flight.admit(1, number(1), Qos::ExactlyOnce);
    assert!(flight.received(id(2), true, 9).is_ok() && flight.noted(id(2)));
    assert_eq!(flight.complete(id(2), true), Ok(Completion::Message(None)));
    assert_eq!(flight.complete(id(2), true), Ok(Completion::Nothing));
    assert_eq!(flight.admit(1 + IDS, number(2), Qos::ExactlyOnce), None);
    assert_eq!(flight.forgetting(), 1);
    flight.forgotten(id(2));
    flight.forgotten(id(2));
    assert_eq!((flight.forgetting(), flight.ahead, flight.is_idle()), (0, 0, true));
    assert!(flight.admit(1 + IDS, number(2), Qos::ExactlyOnce).is_some());
    flight.forgotten(id(2));
    assert!(!flight.is_idle());
}

#[test]
fn a_completed_message_is_remembered_until_it_can_come_no_more() {
    let mut flight = Flight::default();
    flight.restore(packet_id(11), 11);
    flight.restore(packet_id(12), 12);
    assert_eq!(flight.complete(id(12), true), Ok(Completion::Nothing));
    assert_eq!(flight.complete(id(12), true), Ok(Completion::Nothing));
    assert_eq!(flight.received(id(12), true, 9), Ok(Received::Release));
    assert_eq!(flight.complete(id(13), true), Ok(Completion::Nothing));
    assert_eq!(flight.meet(11), (true, vec![id(12)]));
    assert_eq!(flight.meet(20), (false, vec![id(13)]));
    assert_eq!(flight.forgetting(), 2);
    flight.forgotten(id(12));
    flight.forgotten(id(13));
    assert!(!flight.is_unsure() && flight.is_idle() && flight.ahead == 0);
}

proptest! {
    /// Whatever is answered in whatever order: no id is held twice, and each delivery is done with once.
    #[test]
    fn ids_in_flight_are_unique(steps in proptest::collection::vec((any::<bool>(), 0u64..40_000, any::<prop::sample::Index>()), 1..200)) {
        let mut flight = Flight::default();
        let (mut place, mut sent, mut under_way) = (0, 0, Vec::<PacketId>::new());
        let mut done = Vec::new();
        for (send, skip, which) in steps {
            if send || under_way.is_empty() {
                place += skip + 1;
                match flight.admit(place, number(sent + 1), Qos::AtLeastOnce) {
                    Some(id) => {
                        prop_assert!(!under_way.contains(&id));
                        under_way.push(id);
                        sent += 1;
                    }
                    None => prop_assert!(under_way.contains(&packet_id(place))),
                }
            } else {
                let id = under_way.remove(which.index(under_way.len()));
                done.push(flight.acknowledge(id).unwrap().unwrap().number);
            }
        }
        prop_assert_eq!(flight.entries.len(), under_way.len());
        let count = done.len();
        done.sort_unstable();
        done.dedup();
        prop_assert_eq!(done.len(), count);
    }
}
