//! A small world around a durable session: a broker that keeps what it has applied, a client that keeps what the
//! specification tells it to, and wires between them that can be cut at any time.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use bytes::Bytes;
use keepmq_model::{Delivery, DeliveryId, Event, Filter, Flow, Marks, Message, Note, Publish, Resumed, Verb};
use keepmq_mqtt::Options;
use keepmq_mqtt::codec::{Connect, Header, MAX_LENGTH, Packet, PacketId, Publish as Wire, Qos, Version};

use crate::fake::{Fake, LINK, ack, bytes, connect, delivery, message, subscribe, welcome};

/// What happens next.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    /// The client sends a message.
    Send(Qos),
    /// The broker gets one for the client; its place is so much behind the last one.
    Arrive(Qos, u64),
    /// The broker hands out the next message, if the window allows.
    HandOut,
    /// The broker does the next of what the session said, and answers it.
    Apply,
    /// The session reads what the client sent.
    Read,
    /// The client reads the next packet.
    Hear,
    /// The connection breaks; what the broker hasn't done yet never happens.
    Break,
}

/// A message that the client sent and that isn't finished yet.
#[derive(Clone, Debug)]
struct Sent {
    id: PacketId,
    qos: Qos,
    payload: Bytes,
    released: bool,
}

struct Queued {
    place: u64,
    message: Arc<Message>,
    redeliveries: u32,
    /// Its number on this connection, once it is handed out.
    number: Option<u64>,
}

#[expect(clippy::struct_excessive_bools, reason = "a world has many sides")]
pub(crate) struct World {
    fake: Fake,
    window: usize,
    // The broker.
    said: VecDeque<Verb>,
    notes: BTreeMap<Bytes, Bytes>,
    filters: BTreeMap<String, Filter>,
    queue: Vec<Queued>,
    last_place: u64,
    last_number: u64,
    attached: bool,
    existed: bool,
    // The wires.
    to_server: Vec<u8>,
    to_client: Vec<u8>,
    // The client.
    connected: bool,
    subscribed: bool,
    sent: Vec<Sent>,
    last_id: u16,
    unreleased: BTreeSet<PacketId>,
    /// Payloads that the client sent, and that reached the broker's topics.
    pub(crate) sent_payloads: Vec<(Qos, Bytes)>,
    pub(crate) published: Vec<Bytes>,
    /// Payloads that the broker had for the client, and that it got.
    pub(crate) queued_payloads: Vec<(Qos, Bytes)>,
    pub(crate) received: Vec<(Qos, Bytes)>,
}

fn payload(number: usize) -> Bytes {
    Bytes::from(number.to_string())
}

impl World {
    pub(crate) fn new(window: u16) -> Self {
        let mut world = Self {
            fake: Fake::new(Options::default()),
            window: usize::from(window),
            said: VecDeque::new(),
            notes: BTreeMap::new(),
            filters: BTreeMap::new(),
            queue: Vec::new(),
            last_place: 0,
            last_number: 0,
            attached: false,
            existed: false,
            to_server: Vec::new(),
            to_client: Vec::new(),
            connected: false,
            subscribed: false,
            sent: Vec::new(),
            last_id: 0,
            unreleased: BTreeSet::new(),
            sent_payloads: Vec::new(),
            published: Vec::new(),
            queued_payloads: Vec::new(),
            received: Vec::new(),
        };
        world.reconnect();
        world
    }

    pub(crate) fn step(&mut self, step: Step) {
        match step {
            Step::Send(qos) => self.send(qos),
            Step::Arrive(qos, skip) => self.arrive(qos, skip),
            Step::HandOut => self.hand_out(),
            Step::Apply => self.apply(),
            Step::Read => self.read(),
            Step::Hear => self.hear(),
            Step::Break => self.reconnect(),
        }
        self.collect();
        self.check_bounds();
    }

    /// Lets everything come to its end.
    pub(crate) fn settle(&mut self) {
        for _ in 0..1_000_000 {
            let before = (self.said.len(), self.to_server.len(), self.to_client.len());
            for step in [Step::HandOut, Step::Apply, Step::Read, Step::Hear] {
                self.step(step);
            }
            let still = before == (0, 0, 0) && self.said.is_empty() && self.to_client.is_empty();
            if still && self.to_server.is_empty() && !self.can_hand_out() {
                return;
            }
        }
        panic!("the world does not come to rest");
    }

    /// Nothing may be left behind when all is done.
    pub(crate) fn check_rest(&self) {
        assert!(self.queue.is_empty(), "{} messages unsettled", self.queue.len());
        assert!(self.notes.is_empty(), "{:?}", self.notes);
        assert!(self.sent.is_empty() && self.unreleased.is_empty());
    }

    fn collect(&mut self) {
        self.said.extend(self.fake.said());
        let written = self.fake.written();
        self.to_client.extend(written);
    }

    fn unsettled(&self) -> usize {
        self.queue.iter().filter(|queued| queued.number.is_some()).count()
    }

    fn check_bounds(&self) {
        let noted = self.notes.keys().filter(|key| key[0] == b'o').count();
        assert!(noted <= 2 * self.window, "{noted} unfinished handshakes");
    }

    // The client.

    fn reconnect(&mut self) {
        self.fake = Fake::new(Options { window: u16::try_from(self.window).unwrap(), ..Options::default() });
        self.said.clear();
        self.to_server.clear();
        self.to_client.clear();
        self.attached = false;
        self.connected = false;
        self.last_number = 0;
        for queued in &mut self.queue {
            queued.redeliveries += u32::from(queued.number.take().is_some());
        }
        self.to_server = bytes(&Packet::Connect(Connect { clean_session: false, ..connect() }));
    }

    fn send(&mut self, qos: Qos) {
        let used = |id: u16| self.sent.iter().any(|sent| sent.id.get() == id);
        self.last_id =
            (1..=u16::MAX).map(|step| self.last_id.wrapping_add(step).max(1)).find(|id| !used(*id)).unwrap();
        let payload = payload(self.sent_payloads.len());
        self.sent_payloads.push((qos, payload.clone()));
        let sent = Sent { id: PacketId::new(self.last_id).unwrap(), qos, payload, released: false };
        if self.connected {
            self.transmit(&sent, false);
        }
        self.sent.push(sent);
    }

    fn transmit(&mut self, sent: &Sent, dup: bool) {
        let packet = if sent.released {
            Packet::PubRel(ack(sent.id.get()))
        } else {
            Packet::Publish(Wire {
                dup,
                qos: sent.qos,
                retain: false,
                topic: b"from/client",
                id: Some(sent.id),
                payload: &sent.payload,
            })
        };
        self.to_server.extend(bytes(&packet));
    }

    fn hear(&mut self) {
        let input = std::mem::take(&mut self.to_client);
        if input.is_empty() {
            return;
        }
        let header = Header::read(Version::V311, &input, MAX_LENGTH).unwrap().unwrap();
        let (packet, rest) = input.split_at(header.total());
        self.to_client = rest.to_vec();
        let packet = Packet::decode(&header, &packet[header.start..]).unwrap();
        match packet {
            Packet::ConnAck(ack) => {
                assert!(ack.session_present || !self.subscribed);
                self.connected = true;
                if !self.subscribed {
                    self.to_server.extend(subscribe(1, &[("t", Qos::ExactlyOnce)]));
                }
                for sent in self.sent.clone() {
                    self.transmit(&sent, true);
                }
            }
            Packet::SubAck(_) => self.subscribed = true,
            Packet::Publish(publish) => self.hear_publish(&publish),
            Packet::PubAck(ack) => self.sent.retain(|sent| sent.id != ack.id),
            Packet::PubRec(ack) => {
                if let Some(sent) = self.sent.iter_mut().find(|sent| sent.id == ack.id) {
                    assert_eq!(sent.qos, Qos::ExactlyOnce);
                    sent.released = true;
                }
                self.to_server.extend(bytes(&Packet::PubRel(ack)));
            }
            Packet::PubComp(ack) => self.sent.retain(|sent| sent.id != ack.id),
            Packet::PubRel(ack) => {
                self.unreleased.remove(&ack.id);
                self.to_server.extend(bytes(&Packet::PubComp(ack)));
            }
            other => panic!("{other:?}"),
        }
    }

    fn hear_publish(&mut self, publish: &Wire<'_>) {
        let id = publish.id.unwrap();
        let answer = if publish.qos == Qos::ExactlyOnce {
            Packet::PubRec(ack(id.get()))
        } else {
            Packet::PubAck(ack(id.get()))
        };
        if publish.qos == Qos::AtLeastOnce || self.unreleased.insert(id) {
            let payload = Bytes::copy_from_slice(publish.payload);
            self.received.push((publish.qos, payload));
        }
        self.to_server.extend(bytes(&answer));
    }

    fn read(&mut self) {
        let input = std::mem::take(&mut self.to_server);
        let flow = self.fake.feed(&input);
        assert!(!matches!(flow, Flow::Close(_)), "{flow:?}");
    }

    // The broker.

    fn arrive(&mut self, qos: Qos, skip: u64) {
        if self.filters.is_empty() {
            return;
        }
        self.last_place += skip.max(1);
        let payload = payload(self.queued_payloads.len());
        self.queue.push(Queued {
            place: self.last_place,
            message: message("t", qos, &payload),
            redeliveries: 0,
            number: None,
        });
        self.queued_payloads.push((qos, payload));
    }

    fn can_hand_out(&self) -> bool {
        let waiting = self.queue.iter().any(|queued| queued.number.is_none());
        self.attached && waiting && self.unsettled() < self.window
    }

    fn hand_out(&mut self) {
        if !self.can_hand_out() {
            return;
        }
        self.last_number += 1;
        let number = self.last_number;
        let Some(next) = self.queue.iter_mut().find(|queued| queued.number.is_none()) else {
            return;
        };
        next.number = Some(number);
        let event = Event::Deliver(Delivery {
            id: DeliveryId { leg: 0, number },
            place: next.place,
            marks: Marks { redeliveries: next.redeliveries, ..Marks::default() },
            ..delivery(number, Arc::clone(&next.message))
        });
        let flow = self.fake.event(event);
        assert_eq!(flow, Flow::Continue);
    }

    fn apply(&mut self) {
        let Some(verb) = self.said.pop_front() else { return };
        let event = match verb {
            Verb::Login(_) => Some(welcome()),
            Verb::Attach(attach) => {
                self.attached = true;
                let existed = std::mem::replace(&mut self.existed, true);
                let resumed = Resumed {
                    filters: self.filters.values().cloned().collect(),
                    notes: self.notes.clone().into_iter().collect(),
                };
                Some(Event::Attached {
                    link: LINK,
                    tag: attach.tag,
                    resumed: existed.then(|| Box::new(resumed)),
                })
            }
            Verb::Bind(bind) => {
                self.filters.insert(bind.filter.pattern.to_string(), bind.filter);
                Some(Event::Done { tag: bind.tag })
            }
            Verb::Publish(publish) => self.apply_publish(publish),
            Verb::Note(note) => self.apply_note(note),
            Verb::Settle(settle) => {
                for number in settle.from..=settle.through {
                    let at = self.queue.iter().position(|queued| queued.number == Some(number));
                    self.queue.remove(at.expect("settled once, and handed out before"));
                }
                None
            }
            other => panic!("{other:?}"),
        };
        if let Some(event) = event {
            let flow = self.fake.event(event);
            assert!(!matches!(flow, Flow::Close(_)), "{flow:?}");
            // A driver reads on what waited.
            self.fake.feed(&[]);
        }
    }

    fn apply_publish(&mut self, publish: Publish) -> Option<Event> {
        self.published.push(publish.message.native.body.clone());
        if let Some(note) = publish.note {
            self.apply_note(*note);
        }
        publish.tag.map(|tag| Event::Done { tag })
    }

    fn apply_note(&mut self, note: Note) -> Option<Event> {
        match note.value {
            Some(value) => drop(self.notes.insert(note.key, value)),
            None => drop(self.notes.remove(&note.key)),
        }
        note.tag.map(|tag| Event::Done { tag })
    }
}
