//! One client's connection.
//!
//! | file | what it says |
//! | --- | --- |
//! | `connect` | from CONNECT to CONNACK; the will; the end |
//! | `inbound`, `answers`, `qos2` | messages from the client, and their answers |
//! | `outbound`, `flight`, `account` | messages to the client, their packet ids, what the broker is told of them |
//! | `subscribe`, `filters` | topic filters |
//! | `asked` | what the broker was asked |
//!
//! A session has one link, number 1. That of a durable session is there from CONNECT on and holds its deliveries until they
//! are settled; that of a clean one is opened by the first SUBSCRIBE, and there the session itself gives credit back.

mod account;
mod answers;
mod asked;
mod connect;
mod filters;
mod flight;
mod inbound;
mod outbound;
mod qos2;
mod subscribe;

use bytes::{Buf, BytesMut};
use keepmq_model::{End, Event, Flow, Io, LinkId, Publish, Refusal, Session, Tag, Verb};

use crate::codec::{Fault, Header, Packet, PacketType, Version};
use crate::limits::Options;
use crate::refusal::{self, Consequence};
use crate::topic::Topics;
use account::Account;
use answers::{Answer, Answers};
use asked::Asked;
use connect::Hello;
use filters::Filters;
use flight::Flight;
use qos2::Received;
use subscribe::Request;

/// The session's only link.
const LINK: LinkId = LinkId(1);
/// Entries that a queue may keep room for when it is empty.
const SPARE: usize = 64;

/// How far the connection is.
#[derive(Debug)]
enum Phase {
    /// CONNECT is awaited.
    Greeting,
    /// The login is awaited.
    LoggingIn(Box<Hello>),
    /// The session is being taken up, or an older one removed.
    Opening(Box<Hello>),
    /// CONNACK was said.
    Open,
    /// Nothing is read or written any more.
    Over,
}

/// Whether the link was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Link {
    Closed,
    Open,
}

/// The protocol state of one MQTT connection.
#[derive(Debug)]
pub struct MqttSession {
    options: Options,
    phase: Phase,
    version: Version,
    /// Whether the session outlives the connection (clean session is not set).
    durable: bool,
    link: Link,
    /// The broker slows this client: silence is no fault of its own.
    slowed: bool,
    /// Seconds; 0 for none.
    keep_alive_s: u16,
    last_request: u32,
    /// When something was last heard, in milliseconds of the monotonic clock.
    heard_ms: u64,
    /// Bytes that were there of a packet under way, when it was last looked at.
    under_way: usize,
    /// What is sent when the client is lost.
    will: Option<Box<Publish>>,
    topics: Topics,
    answers: Answers,
    received: Received,
    filters: Filters,
    requests: Vec<Request>,
    /// Filters of these requests whose answer is awaited.
    unanswered_filters: usize,
    flight: Flight,
    account: Account,
}

impl MqttSession {
    /// A session that waits for CONNECT.
    pub fn new(options: Options) -> Self {
        Self {
            options: options.clamped(),
            phase: Phase::Greeting,
            version: Version::default(),
            durable: false,
            link: Link::Closed,
            slowed: false,
            keep_alive_s: 0,
            last_request: 0,
            heard_ms: 0,
            under_way: 0,
            will: None,
            topics: Topics::default(),
            answers: Answers::default(),
            received: Received::default(),
            filters: Filters::default(),
            requests: Vec::new(),
            unanswered_filters: 0,
            flight: Flight::default(),
            account: Account::new(false),
        }
    }

    fn max_packet(&self) -> usize {
        usize::try_from(self.options.limits.max_packet).unwrap_or(usize::MAX)
    }

    /// Whether so many answers of the broker are awaited that no more may be asked of it.
    fn is_waiting(&self) -> bool {
        let limits = &self.options.limits;
        self.answers.len() >= usize::from(limits.unanswered_messages)
            || self.unanswered_filters >= usize::from(limits.unanswered_filters)
            || self.flight.forgetting() >= usize::from(self.options.window)
    }

    fn packets(&mut self, input: &mut BytesMut, io: &mut Io<'_>) -> Result<Flow, Fault> {
        let limit = self.max_packet();
        while let Some(header) = Header::read(self.version, input, limit)? {
            if self.is_waiting() {
                return Ok(Flow::Pause);
            }
            if input.len() < header.total() {
                break;
            }
            self.heard_ms = io.now.mono_ms;
            if header.packet == PacketType::Publish {
                self.publish(&header, input, io)?;
                continue;
            }
            let frame = input.get(header.start..header.total()).unwrap_or_default();
            let packet = Packet::decode(&header, frame)?;
            if !self.packet(&packet, io)? {
                return Ok(self.disconnect());
            }
            input.advance(header.total());
        }
        self.listen(input.len(), io.now.mono_ms);
        Ok(Flow::Continue)
    }

    /// Bytes of a packet under way are a sign of life too: a large one takes its time on a slow line.
    fn listen(&mut self, under_way: usize, now_ms: u64) {
        if under_way > 0 && under_way != self.under_way {
            self.heard_ms = now_ms;
        }
        self.under_way = under_way;
    }

    /// Takes a packet other than PUBLISH. False for DISCONNECT.
    fn packet(&mut self, packet: &Packet<'_>, io: &mut Io<'_>) -> Result<bool, Fault> {
        match packet {
            Packet::PubAck(ack) => self.puback(*ack, io)?,
            Packet::PubRec(ack) => self.pubrec(*ack, io)?,
            Packet::PubRel(ack) => self.pubrel(*ack, io)?,
            Packet::PubComp(ack) => self.pubcomp(*ack, io)?,
            Packet::Subscribe(subscribe) => self.subscribe(subscribe, io)?,
            Packet::Unsubscribe(unsubscribe) => self.unsubscribe(unsubscribe, io)?,
            Packet::PingReq => Packet::PingResp.encode(io.out.buf()), // [MQTT-3.12.4-1]
            Packet::Disconnect => return Ok(false),
            Packet::Connect(_) => return Err(Fault::SecondConnect), // [MQTT-3.1.0-2]
            Packet::ConnAck(_)
            | Packet::Publish(_)
            | Packet::SubAck(_)
            | Packet::UnsubAck(_)
            | Packet::PingResp => return Err(Fault::FromServer(packet.packet_type())),
        }
        Ok(true)
    }

    fn done(&mut self, tag: Tag, io: &mut Io<'_>) -> Flow {
        match Asked::from_tag(tag) {
            Some(Asked::Publish(number)) => self.published(number, Answer::Kept, io),
            Some(Asked::Bind(number, index)) => self.bound(number, index, true, io),
            Some(Asked::Unbind(number, index)) => self.unbound(number, index, io),
            Some(Asked::NoteSent(id)) => self.pubrec_noted(id, io),
            Some(Asked::ForgetSent(id)) => self.sent_forgotten(id, io),
            Some(Asked::ForgetReceived(id)) => self.pubrel_noted(id, io),
            Some(Asked::Forget) => return self.open(None, io),
            Some(Asked::Attach) | None => {}
        }
        Flow::Continue
    }

    fn refused(&mut self, tag: Option<Tag>, refusal: &Refusal, io: &mut Io<'_>) -> Flow {
        let row = refusal::row(refusal.kind, self.options.refused_publish);
        let consequence = match (tag.and_then(Asked::from_tag), &self.phase) {
            (Some(Asked::Forget), _) if row.remove == Consequence::Done => return self.open(None, io),
            (_, Phase::LoggingIn(_) | Phase::Opening(_)) => return self.turn_away(refusal, io),
            (Some(Asked::Publish(number)), _) => {
                if row.publish == Consequence::Drop {
                    self.published(number, Answer::Dropped, io);
                }
                row.publish
            }
            (Some(Asked::Bind(number, index)), _) => {
                if row.subscribe == Consequence::Answer {
                    self.bound(number, index, false, io);
                }
                row.subscribe
            }
            (Some(Asked::Unbind(number, index)), _) => {
                if row.remove == Consequence::Done {
                    self.unbound(number, index, io);
                }
                row.remove
            }
            (Some(Asked::Attach), _) => {
                // Its filters are refused too, and each is answered for itself.
                self.link = Link::Closed;
                row.subscribe
            }
            // A message of QoS 0.
            (None, _) => row.publish,
            // What must be remembered can't be.
            (Some(_), _) => Consequence::Close,
        };
        match consequence {
            Consequence::Close => self.close(refusal.to_string()),
            Consequence::Answer | Consequence::Drop | Consequence::Done => Flow::Continue,
        }
    }

    fn ending(&mut self, refusal: &Refusal, io: &mut Io<'_>) -> Flow {
        match self.phase {
            Phase::LoggingIn(_) | Phase::Opening(_) => self.turn_away(refusal, io),
            Phase::Greeting | Phase::Open | Phase::Over => self.close(refusal.to_string()),
        }
    }

    /// What was gathered is said, whatever became of the connection: the client did answer.
    fn settle(&mut self, io: &mut Io<'_>) {
        let least = u32::from(self.options.window) / 4;
        let idle = self.flight.is_idle();
        self.account.say(LINK, least.max(1), idle, io.say);
    }
}

impl Session for MqttSession {
    fn receive(&mut self, input: &mut BytesMut, io: &mut Io<'_>) -> Flow {
        match self.phase {
            Phase::Greeting => self.greet(input, io),
            // [MQTT-4.8.0-1]
            Phase::Open => self.packets(input, io).unwrap_or_else(|fault| self.close(fault.to_string())),
            Phase::LoggingIn(_) | Phase::Opening(_) | Phase::Over => Flow::Pause,
        }
    }

    fn event(&mut self, event: Event, io: &mut Io<'_>) -> Flow {
        if matches!(self.phase, Phase::Over) {
            return Flow::Pause;
        }
        match event {
            Event::Deliver(delivery) => self.deliver(delivery, io),
            Event::Done { tag } => return self.done(tag, io),
            Event::Refused { tag, refusal } => return self.refused(tag, &refusal, io),
            Event::Welcome(_) => return self.welcome(io),
            Event::Attached { resumed, .. } => {
                if matches!(self.phase, Phase::Opening(_)) {
                    return self.open(resumed, io);
                }
            }
            Event::Detached { refusal, .. } | Event::Ending { refusal } => {
                return self.ending(&refusal, io);
            }
            Event::Slowed { why } => {
                self.slowed = why.is_some();
                self.heard_ms = io.now.mono_ms;
            }
            // Nothing is asked here that is answered so.
            Event::Created { .. }
            | Event::Exhausted { .. }
            | Event::Prepared { .. }
            | Event::InDoubt { .. }
            | Event::Finished { .. } => {}
        }
        Flow::Continue
    }

    fn batch_end(&mut self, io: &mut Io<'_>) {
        self.settle(io);
        self.answers.shrink();
        self.flight.shrink();
    }

    fn deadline(&self) -> Option<u64> {
        let counts = matches!(self.phase, Phase::Open) && self.keep_alive_s > 0;
        counts.then(|| self.heard_ms.saturating_add(u64::from(self.keep_alive_s) * 1500)) // [MQTT-3.1.2-24]
    }

    fn tick(&mut self, io: &mut Io<'_>) -> Flow {
        let Some(deadline) = self.deadline() else {
            return Flow::Continue;
        };
        if self.slowed || self.is_waiting() {
            // It is we who don't listen.
            self.heard_ms = io.now.mono_ms;
        } else if io.now.mono_ms >= deadline {
            return self.close(Fault::Silent(self.keep_alive_s).to_string());
        }
        Flow::Continue
    }

    fn end(&mut self, end: End, io: &mut Io<'_>) {
        self.settle(io);
        // There is one from CONNACK to DISCONNECT [MQTT-3.1.2-8], [MQTT-3.1.2-10].
        if let Some(will) = self.will.take().filter(|_| end != End::Asked) {
            io.say.push(Verb::Publish(*will));
        }
        self.phase = Phase::Over;
    }

    fn describe(&self) -> &'static str {
        match (&self.phase, self.version) {
            (Phase::Greeting, _) => "MQTT",
            (_, Version::V31) => "MQTT 3.1",
            (_, Version::V311) => "MQTT 3.1.1",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A million sleeping clients are a million of these.
    #[test]
    fn an_idle_session_is_small() {
        fn sendable<T: Send>(_: &T) {}
        sendable(&MqttSession::new(Options::default()));
        let size = size_of::<MqttSession>();
        assert!(size <= 512, "{size} bytes");
    }
}
