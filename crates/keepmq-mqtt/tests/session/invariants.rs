//! Random clients and brokers: what must hold whatever they do.

use std::collections::{BTreeSet, VecDeque};

use keepmq_model::{Delivery, Event, Flow, Settle, Tag, Verb};
use keepmq_mqtt::Options;
use keepmq_mqtt::codec::{Packet, PacketId, Qos};
use proptest::prelude::*;
use proptest::sample::Index;

use crate::fake::{Fake, ack, decode_all, delivery, message, wire};

fn any_qos() -> impl Strategy<Value = Qos> {
    prop_oneof![Just(Qos::AtMostOnce), Just(Qos::AtLeastOnce), Just(Qos::ExactlyOnce)]
}

#[derive(Clone, Debug)]
enum Step {
    Publish(u16),
    /// The broker is done with one of what it was asked.
    Done(Index),
}

fn publishing() -> impl Strategy<Value = Step> {
    prop_oneof![(1u16..50).prop_map(Step::Publish), any::<Index>().prop_map(Step::Done),]
}

proptest! {
    /// [MQTT-4.6.0-2]: each message of `QoS` 1 that the broker is done with is answered once, in the order of the messages.
    #[test]
    fn every_safe_message_is_answered_once_and_in_order(steps in proptest::collection::vec(publishing(), 0..200)) {
        let mut fake = Fake::clean(Options::default());
        let (mut sent, mut answered) = (Vec::new(), Vec::new());
        let mut asked = Vec::<Tag>::new();
        let mut done = 0;
        for step in steps {
            match step {
                Step::Publish(id) => {
                    sent.push(id);
                    fake.send(&Packet::Publish(wire("t", Qos::AtLeastOnce, id, b"")));
                    asked.push(fake.published().tag.unwrap());
                }
                Step::Done(_) if asked.is_empty() => {}
                Step::Done(which) => {
                    let tag = asked.remove(which.index(asked.len()));
                    fake.done(tag);
                    done += 1;
                }
            }
            for packet in decode_all(&fake.written()) {
                let Packet::PubAck(ack) = packet else { panic!("{packet:?}") };
                answered.push(ack.id.get());
            }
            prop_assert!(answered.len() <= done);
            prop_assert_eq!(&sent[..answered.len()], &answered[..]);
        }
        for tag in asked {
            fake.done(tag);
        }
        for packet in decode_all(&fake.written()) {
            let Packet::PubAck(ack) = packet else { panic!("{packet:?}") };
            answered.push(ack.id.get());
        }
        prop_assert_eq!(answered, sent);
    }

    /// Of a clean session: the broker never has more credit than the window, and gets all of it back.
    #[test]
    fn credit_never_exceeds_the_window(
        window in 1u16..20,
        steps in proptest::collection::vec((any_qos(), any::<bool>(), any::<Index>()), 0..300),
    ) {
        let options = Options { window, ..Options::default() };
        let mut fake = Fake::clean(options).subscribed(&[("t", Qos::ExactlyOnce)]);
        let mut link = Outlook::new(u32::from(window));
        for (qos, deliver, which) in steps {
            if deliver && link.credit > 0 {
                link.credit -= 1;
                link.number += 1;
                fake.event(Event::Deliver(delivery(link.number, message("t", qos, b""))));
            } else {
                link.answer(&mut fake, which.index(link.waiting.len().max(1)));
            }
            link.look(&mut fake);
            prop_assert!(link.credit + link.under_way() <= u32::from(window));
        }
        while !link.waiting.is_empty() {
            link.answer(&mut fake, 0);
            link.look(&mut fake);
        }
        prop_assert_eq!(link.credit, u32::from(window));
    }

    /// Of a durable session: each delivery is settled once and not before its answer; ids in flight are unique.
    #[test]
    fn every_delivery_is_settled_once(
        window in 1u16..20,
        steps in proptest::collection::vec((any_qos(), 1u64..70_000, any::<bool>(), any::<Index>()), 0..300),
    ) {
        let options = Options { window, ..Options::default() };
        let mut fake = Fake::durable(options, None);
        fake.written();
        let mut fake = fake.subscribed(&[("t", Qos::ExactlyOnce)]);
        let mut link = Outlook::new(u32::from(window));
        let mut place = 0;
        for (qos, skip, deliver, which) in steps {
            if deliver && link.unsettled.len() < usize::from(window) {
                place += skip;
                link.number += 1;
                link.unsettled.insert(link.number);
                let delivery = Delivery { place, ..delivery(link.number, message("t", qos, b"")) };
                fake.event(Event::Deliver(delivery));
            } else {
                link.answer(&mut fake, which.index(link.waiting.len().max(1)));
            }
            link.look(&mut fake);
        }
        while !link.waiting.is_empty() {
            link.answer(&mut fake, 0);
            link.look(&mut fake);
        }
        prop_assert!(link.unsettled.is_empty());
    }
}

/// What broker and client know of a link.
struct Outlook {
    credit: u32,
    number: u64,
    unsettled: BTreeSet<u64>,
    /// Answers that the client owes.
    waiting: VecDeque<Packet<'static>>,
    in_flight: BTreeSet<PacketId>,
}

impl Outlook {
    fn new(credit: u32) -> Self {
        Self {
            credit,
            number: 0,
            unsettled: BTreeSet::new(),
            waiting: VecDeque::new(),
            in_flight: BTreeSet::new(),
        }
    }

    fn under_way(&self) -> u32 {
        u32::try_from(self.in_flight.len()).unwrap()
    }

    /// The client says one of the answers that it owes.
    fn answer(&mut self, fake: &mut Fake, which: usize) {
        let Some(packet) = self.waiting.remove(which) else {
            return;
        };
        if let Packet::PubAck(ack) | Packet::PubComp(ack) = packet {
            self.in_flight.remove(&ack.id);
        }
        assert_eq!(fake.send(&packet), Flow::Continue);
    }

    fn look(&mut self, fake: &mut Fake) {
        loop {
            for packet in decode_all(&fake.written()) {
                match packet {
                    Packet::Publish(publish) => {
                        let Some(id) = publish.id else { continue };
                        assert!(self.in_flight.insert(id), "{id} is in flight twice");
                        let twice = publish.qos == Qos::ExactlyOnce;
                        let answer = if twice { Packet::PubRec } else { Packet::PubAck };
                        self.waiting.push_back(answer(ack(id.get())));
                    }
                    Packet::PubRel(ack) => self.waiting.push_back(Packet::PubComp(ack)),
                    other => panic!("{other:?}"),
                }
            }
            let said = fake.said();
            if said.is_empty() {
                return;
            }
            for verb in said {
                self.hear(fake, verb);
            }
        }
    }

    fn hear(&mut self, fake: &mut Fake, verb: Verb) {
        match verb {
            Verb::Grant { credit, .. } => self.credit += credit,
            Verb::Settle(Settle { leg: 0, from, through, .. }) => {
                for number in from..=through {
                    assert!(self.unsettled.remove(&number), "{number} is settled twice");
                }
            }
            Verb::Note(note) => {
                if let Some(tag) = note.tag {
                    fake.done(tag);
                }
            }
            other => panic!("{other:?}"),
        }
    }
}
