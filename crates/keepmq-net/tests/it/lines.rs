//! A line protocol for tests: `LOGIN user`, `SUB topic`, `PUB topic text`, `BIG bytes`, `QUIT`.

use std::sync::Arc;

use bytes::{Buf, Bytes, BytesMut};
use keepmq_model::{
    Attach, Closing, Destination, End, Envelope, Event, Filter, Flow, Io, Kind, LinkId, Login, Message,
    Native, Pattern, Protocol, Publish, Replay, Retain, Secret, Session, Source, Tag, Taking, Verb,
};

/// One connection's state: next to none.
#[derive(Default)]
pub(crate) struct Lines {
    deadline: Option<u64>,
}

impl Session for Lines {
    fn receive(&mut self, input: &mut BytesMut, io: &mut Io<'_>) -> Flow {
        while let Some(end) = input.iter().position(|byte| *byte == b'\n') {
            let line = String::from_utf8(input.split_to(end).to_vec()).unwrap();
            input.advance(1);
            match self.line(&line, io) {
                Flow::Continue => {}
                other => return other,
            }
        }
        Flow::Continue
    }

    fn event(&mut self, event: Event, io: &mut Io<'_>) -> Flow {
        match event {
            Event::Welcome(who) => {
                io.out.buf().extend_from_slice(format!("WELCOME {}\n", who.name).as_bytes());
            }
            Event::Deliver(delivery) => {
                io.out.share(&delivery.message.native.body);
                io.out.buf().extend_from_slice(b"\n");
                io.say.push(Verb::Grant { link: delivery.link, credit: 1 });
            }
            Event::Done { .. } | Event::Attached { .. } => io.out.buf().extend_from_slice(b"OK\n"),
            Event::Refused { refusal, .. } | Event::Ending { refusal } => {
                io.out.buf().extend_from_slice(format!("NO {refusal}\n").as_bytes());
                return Flow::Close(Closing::Fault(refusal.to_string()));
            }
            _ => {}
        }
        Flow::Continue
    }

    fn batch_end(&mut self, _: &mut Io<'_>) {}

    fn deadline(&self) -> Option<u64> {
        self.deadline
    }

    fn tick(&mut self, io: &mut Io<'_>) -> Flow {
        self.deadline = None;
        io.out.buf().extend_from_slice(b"TICK\n");
        Flow::Continue
    }

    fn end(&mut self, end: End, io: &mut Io<'_>) {
        let text = format!("{end:?}");
        io.say.push(Verb::Publish(publish("ends", text.as_bytes())));
    }

    fn describe(&self) -> &'static str {
        "lines"
    }
}

impl Lines {
    fn line(&mut self, line: &str, io: &mut Io<'_>) -> Flow {
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        match verb {
            "LOGIN" => {
                let login = Login {
                    user: Some(rest.into()),
                    password: Some(Secret::new(b"secret".to_vec())),
                    ..Login::default()
                };
                io.say.push(Verb::Login(Box::new(login)));
                return Flow::Pause;
            }
            "SUB" => io.say.push(Verb::Attach(Box::new(subscribe(rest)))),
            "PUB" => {
                let (topic, text) = rest.split_once(' ').unwrap();
                io.say.push(Verb::Publish(publish(topic, text.as_bytes())));
            }
            "BIG" => {
                let body = vec![b'x'; rest.parse().unwrap()];
                io.say.push(Verb::Publish(publish("big", &body)));
            }
            "LATER" => self.deadline = Some(io.now.mono_ms + rest.parse::<u64>().unwrap()),
            "QUIT" => {
                io.out.buf().extend_from_slice(b"BYE\n");
                return Flow::Close(Closing::Asked);
            }
            other => return Flow::Close(Closing::Fault(format!("what is {other}?"))),
        }
        Flow::Continue
    }
}

fn subscribe(topic: &str) -> Attach {
    let filter = Filter {
        kind: Kind::Topic,
        pattern: Pattern::new(topic).unwrap(),
        option: 0,
        keep: false,
        no_local: false,
        replay: Replay::Never,
        selector: None,
    };
    Attach {
        link: LinkId(1),
        tag: Tag(1),
        source: Source::Subscription { filters: vec![filter] },
        taking: Taking::Settled,
        credit: 10_000,
        refill: false,
        priority: 0,
        exclusive: false,
        selector: None,
        no_local: false,
    }
}

fn publish(topic: &str, body: &[u8]) -> Publish {
    let native = Native {
        protocol: Protocol::Broker,
        layout: 0,
        head: Bytes::new(),
        body: Bytes::copy_from_slice(body),
    };
    let envelope = Envelope::new(Destination::topic(topic).unwrap());
    Publish {
        tag: Some(Tag(2)),
        message: Arc::new(Message::new(envelope, native)),
        also: smallvec::SmallVec::default(),
        retain: Retain::No,
        tx: None,
        note: None,
    }
}
