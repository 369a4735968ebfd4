//! What one frame costs, in nanoseconds of one core: `cargo run --release -p keepmq-stomp --example codec_cost`.
#![expect(clippy::print_stdout, reason = "the numbers are what it is for")]

use std::sync::Arc;

use bytes::BytesMut;
use keepmq_model::{
    Attach, Delivery, DeliveryId, Event, Formats, Io, Marks, Message, Now, Outgoing, Principal, Session, Tag,
    Verb,
};
use keepmq_stomp::codec::{Decoder, Side, Version};
use keepmq_stomp::{FrameLimits, HeartBeat, Limits, Options, StompFormat, StompSession};

const BATCH: usize = 64;
const ROUNDS: usize = 20_000;

fn main() {
    let body = "x".repeat(256);
    let send = format!(
        "SEND\ndestination:/queue/orders.new\nreceipt:message-12345\ncontent-type:text/plain\ncolour:blue\n\n{body}\0\n"
    );
    println!("a SEND frame of {} bytes, batches of {BATCH}", send.len());
    decode(&send);
    let mut wire = Wire::new();
    let message = receive(&mut wire, &send);
    deliver(&mut wire, &message);
    acknowledge(&mut wire, &message);
    println!("an idle session takes {} bytes", size_of::<StompSession>());
}

fn report(what: &str, started: std::time::Instant) {
    let each = started.elapsed().as_nanos() / (BATCH * ROUNDS) as u128;
    println!("{what:<44}{each:>6} ns");
}

#[expect(clippy::disallowed_methods, reason = "measuring is reading the clock")]
fn now() -> std::time::Instant {
    std::time::Instant::now()
}

fn decode(send: &str) {
    let batch = send.repeat(BATCH);
    let mut decoder = Decoder::new(Side::Client, Version::V1_2);
    let mut input = BytesMut::new();
    let started = now();
    for _ in 0..ROUNDS {
        input.extend_from_slice(batch.as_bytes());
        while let Ok(Some(frame)) = decoder.next(&mut input, &FrameLimits::OPEN) {
            decoder.recycle(std::hint::black_box(frame));
        }
    }
    report("SEND: bytes to frame", started);
}

struct Wire {
    session: StompSession,
    input: BytesMut,
    out: Outgoing,
    say: Vec<Verb>,
}

impl Wire {
    fn new() -> Self {
        let options = Options {
            limits: Arc::new(Limits::default()),
            formats: Formats::new(&[&StompFormat]),
            connection: 1,
            heart_beat: HeartBeat::default(),
        };
        let mut wire = Self {
            session: StompSession::new(options),
            input: BytesMut::new(),
            out: Outgoing::default(),
            say: Vec::new(),
        };
        wire.receive(b"CONNECT\naccept-version:1.2\n\n\0");
        wire.event(Event::Welcome(Arc::new(Principal::new("u", []))));
        wire.clear();
        wire
    }

    fn receive(&mut self, bytes: &[u8]) {
        self.input.extend_from_slice(bytes);
        let mut io = Io { say: &mut self.say, out: &mut self.out, now: Now::default() };
        self.session.receive(&mut self.input, &mut io);
        self.session.batch_end(&mut io);
    }

    fn event(&mut self, event: Event) {
        let mut io = Io { say: &mut self.say, out: &mut self.out, now: Now::default() };
        self.session.event(event, &mut io);
    }

    fn batch_end(&mut self) {
        let mut io = Io { say: &mut self.say, out: &mut self.out, now: Now::default() };
        self.session.batch_end(&mut io);
    }

    fn clear(&mut self) {
        self.say.clear();
        let written = self.out.len();
        self.out.advance(written);
    }

    fn subscribe(&mut self, ack: &str) -> Attach {
        self.receive(
            format!("SUBSCRIBE\nid:{ack}\ndestination:/queue/orders.new\nack:{ack}\n\n\0").as_bytes(),
        );
        match self.say.pop() {
            Some(Verb::Attach(attach)) => *attach,
            other => unreachable!("{other:?}"),
        }
    }
}

/// SEND with a receipt, to the verb and from the answer; gives one of the messages.
fn receive(wire: &mut Wire, send: &str) -> Arc<Message> {
    let batch = send.repeat(BATCH);
    let mut message = None;
    let mut tags: Vec<Tag> = Vec::new();
    let started = now();
    for _ in 0..ROUNDS {
        wire.receive(batch.as_bytes());
        for verb in wire.say.drain(..) {
            if let Verb::Publish(publish) = verb {
                tags.extend(publish.tag);
                message = Some(publish.message);
            }
        }
        for tag in tags.drain(..) {
            wire.event(Event::Done { tag });
        }
        wire.clear();
    }
    report("SEND: bytes to verb, answer to RECEIPT", started);
    message.unwrap_or_else(|| unreachable!())
}

fn delivery(attach: &Attach, number: u64, message: &Arc<Message>) -> Event {
    Event::Deliver(Delivery {
        link: attach.link,
        id: DeliveryId { leg: 1, number },
        place: number,
        marks: Marks::default(),
        message: Arc::clone(message),
    })
}

fn deliver(wire: &mut Wire, message: &Arc<Message>) {
    let attach = wire.subscribe("auto");
    let mut number = 0;
    let started = now();
    for _ in 0..ROUNDS {
        for _ in 0..BATCH {
            number += 1;
            wire.event(delivery(&attach, number, message));
        }
        wire.batch_end();
        wire.clear();
    }
    report("MESSAGE: event to bytes, acknowledged itself", started);
}

fn acknowledge(wire: &mut Wire, message: &Arc<Message>) {
    let attach = wire.subscribe("client-individual");
    let mut number = 0;
    let mut acks = String::new();
    let started = now();
    for _ in 0..ROUNDS {
        acks.clear();
        for _ in 0..BATCH {
            number += 1;
            wire.event(delivery(&attach, number, message));
            acks.push_str("ACK\nid:");
            acks.push_str(&attach.link.0.to_string());
            acks.push('-');
            acks.push_str(&number.to_string());
            acks.push_str("\n\n\0");
        }
        wire.receive(acks.as_bytes());
        assert_eq!(wire.say.len(), BATCH);
        wire.clear();
    }
    report("MESSAGE and its ACK: to bytes, to verb", started);
}
