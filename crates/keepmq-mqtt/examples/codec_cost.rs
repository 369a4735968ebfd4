//! Prints what a message costs the session, in nanoseconds. Run with `--release`.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "it is a small tool")]
#![allow(clippy::disallowed_methods, reason = "it measures time")]

use std::hint::black_box;
use std::sync::{Arc, LazyLock};
use std::time::Instant;

use bytes::BytesMut;
use keepmq_model::{
    Delivery, DeliveryId, Event, Io, LinkId, Marks, Message, Now, Outgoing, Principal, Session, Tag, Verb,
};
use keepmq_mqtt::codec::{
    Ack, Connect, Packet, PacketId, PacketType, Publish, Qos, Subscribe, Version, Wanted,
};
use keepmq_mqtt::{MqttSession, Options};

static START: LazyLock<Instant> = LazyLock::new(Instant::now);

const BATCH: u16 = 128;
const ROUNDS: u32 = 20_000;

struct Client {
    session: MqttSession,
    input: BytesMut,
    say: Vec<Verb>,
    out: Outgoing,
}

impl Client {
    fn new(filters: &[(&str, Qos)]) -> Self {
        let mut client = Self {
            session: MqttSession::new(Options::default()),
            input: BytesMut::new(),
            say: Vec::new(),
            out: Outgoing::default(),
        };
        let connect = Connect {
            version: Version::V311,
            clean_session: true,
            keep_alive: 60,
            client_id: "",
            will: None,
            user: None,
            password: None,
        };
        Packet::Connect(connect).encode(&mut client.input);
        client.receive();
        client.event(Event::Welcome(Arc::new(Principal::new("u", []))));
        let wanted: Vec<_> = filters.iter().map(|(filter, qos)| Wanted { filter, qos: *qos }).collect();
        if !wanted.is_empty() {
            Subscribe::write(&mut client.input, PacketId::MIN, &wanted);
            client.receive();
        }
        for verb in std::mem::take(&mut client.say) {
            if let Verb::Bind(bind) = verb {
                client.event(Event::Done { tag: bind.tag });
            }
        }
        client.clear();
        client
    }

    fn io<T>(&mut self, call: impl FnOnce(&mut MqttSession, &mut BytesMut, &mut Io<'_>) -> T) -> T {
        let mut io = Io { say: &mut self.say, out: &mut self.out, now: Now::default() };
        call(&mut self.session, &mut self.input, &mut io)
    }

    fn receive(&mut self) {
        self.io(MqttSession::receive);
    }

    fn event(&mut self, event: Event) {
        self.io(|session, _, io| session.event(event, io));
    }

    fn batch_end(&mut self) {
        self.io(|session, _, io| session.batch_end(io));
    }

    fn clear(&mut self) {
        self.say.clear();
        let length = self.out.len();
        self.out.advance(length);
    }
}

/// Nanoseconds that this program had a processor for, so that a busy machine counts for less; else of the clock.
fn spent() -> u64 {
    let schedule = std::fs::read_to_string("/proc/self/schedstat").ok();
    let on_processor = schedule.and_then(|text| text.split_whitespace().next()?.parse().ok());
    let now = || u64::try_from(START.elapsed().as_nanos()).unwrap();
    on_processor.unwrap_or_else(now)
}

fn report(what: &str, from: u64) {
    let nanos = (spent() - from) / u64::from(ROUNDS * u32::from(BATCH));
    println!("{nanos:>6} ns  {what}");
}

fn publishes(qos: Qos, payload: &[u8]) -> Vec<u8> {
    let mut bytes = BytesMut::new();
    for id in 1..=BATCH {
        let packet = Publish {
            dup: false,
            qos,
            retain: false,
            topic: b"factory/hall-7/line-3/temperature",
            id: PacketId::new(id).filter(|_| qos.is_answered()),
            payload,
        };
        packet.encode(&mut bytes);
    }
    bytes.to_vec()
}

fn inbound(what: &str, qos: Qos, size: usize) {
    let bytes = publishes(qos, &vec![7; size]);
    let mut client = Client::new(&[]);
    let mut tags: Vec<Tag> = Vec::new();
    let from = spent();
    for _ in 0..ROUNDS {
        client.input.extend_from_slice(&bytes);
        client.receive();
        tags.extend(client.say.iter().filter_map(|verb| match verb {
            Verb::Publish(publish) => publish.tag,
            _ => None,
        }));
        for tag in tags.drain(..) {
            client.event(Event::Done { tag });
        }
        client.batch_end();
        black_box(&client.say);
        client.clear();
    }
    report(what, from);
}

fn message(qos: Qos, size: usize) -> Arc<Message> {
    let mut client = Client::new(&[]);
    client.input.extend_from_slice(&publishes(qos, &vec![7; size]));
    client.receive();
    match &client.say[0] {
        Verb::Publish(publish) => Arc::clone(&publish.message),
        other => panic!("{other:?}"),
    }
}

fn outbound(what: &str, qos: Qos, filters: &[(&str, Qos)]) {
    let message = message(qos, 256);
    let mut client = Client::new(filters);
    let mut number = 0;
    let from = spent();
    for _ in 0..ROUNDS {
        for _ in 0..BATCH {
            number += 1;
            if qos.is_answered() {
                let id = PacketId::MIN.saturating_add(u16::try_from(number % 65_535).unwrap());
                Ack { id }.encode(PacketType::PubAck, &mut client.input);
            }
            client.event(Event::Deliver(Delivery {
                link: LinkId(1),
                id: DeliveryId { leg: 0, number },
                place: number,
                marks: Marks::default(),
                message: Arc::clone(&message),
            }));
        }
        client.batch_end();
        client.receive();
        client.batch_end();
        black_box(&client.say);
        client.clear();
    }
    report(what, from);
}

/// Bytes of this program in memory, where the system tells.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<usize>().ok());
    kib.unwrap_or(0) * 1024
}

fn idle() {
    const COUNT: usize = 20_000;
    let mut sessions = Vec::with_capacity(COUNT);
    let before = resident();
    for _ in 0..COUNT {
        sessions.push(Client::new(&[("factory/#", Qos::AtLeastOnce)]).session);
    }
    let each = resident().saturating_sub(before) / COUNT;
    println!("{each:>6} bytes  a connected session with one filter");
}

fn main() {
    idle();
    println!("a session is {} bytes", size_of::<MqttSession>());
    inbound("PUBLISH in, QoS 0, 256 bytes: decoded, message built and dropped", Qos::AtMostOnce, 256);
    inbound("PUBLISH in, QoS 0, 0 bytes", Qos::AtMostOnce, 0);
    inbound("PUBLISH in, QoS 1, 256 bytes, with its PUBACK", Qos::AtLeastOnce, 256);
    let one = [("factory/#", Qos::ExactlyOnce)];
    outbound("delivery out, QoS 0, 256 bytes, one filter", Qos::AtMostOnce, &one);
    outbound("delivery out, QoS 1, 256 bytes, one filter, with its PUBACK in", Qos::AtLeastOnce, &one);
    let many = [("factory/#", Qos::ExactlyOnce), ("+/hall-7/#", Qos::AtLeastOnce), ("x", Qos::AtMostOnce)];
    outbound("delivery out, QoS 0, 256 bytes, three filters", Qos::AtMostOnce, &many);
}
