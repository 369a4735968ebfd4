//! One STOMP connection: frames in, verbs out; events in, frames out.

mod ack;
mod answers;
mod connect;
mod deliver;
mod heartbeat;
mod link;
mod outstanding;
mod send;
mod subscribe;
mod temporary;
mod transaction;

use std::sync::Arc;

use bytes::BytesMut;
use keepmq_model::{Closing, End, Event, Flow, Formats, Io, Refusal, Session, Tag};
use zeroize::Zeroize;

use crate::codec::{Command, Decoder, Fault, Frame, Side, Version, put_end, put_head, put_header};
use crate::destination::{Names, Unnamed};
use crate::head::HeadBuilder;
use crate::limits::{HeartBeat, Limits};
use crate::refusal::{Telling, malformed, put_error, shown, too_large};
use answers::{Answers, Awaited};
use connect::Wishes;
use heartbeat::Pulse;
use link::Links;
use transaction::Transactions;

/// What a session is made with.
#[derive(Clone, Debug)]
pub struct Options {
    /// What the peer may make it hold.
    pub limits: Arc<Limits>,
    /// The formats of all protocols, to render messages that did not come by STOMP.
    pub formats: Formats,
    /// The connection's number, which the client is told as its session.
    pub connection: u64,
    /// How often the two sides say that they are alive.
    pub heart_beat: HeartBeat,
}

/// How far the connection is.
enum Phase {
    /// Nothing has come yet.
    New,
    /// The login is being checked.
    LoggingIn(Box<Wishes>),
    /// It is open.
    Open,
    /// The client has said DISCONNECT and waits for this receipt.
    Leaving(Box<str>),
    /// It is over.
    Closed(Closing),
}

/// Why a frame was not dealt with.
type Halt = Unnamed;

/// One STOMP connection.
pub struct StompSession {
    options: Options,
    phase: Phase,
    version: Version,
    client_id: Option<Arc<str>>,
    decoder: Decoder,
    names: Names,
    links: Links,
    answers: Answers,
    transactions: Transactions,
    pulse: Pulse,
    head: HeadBuilder,
    /// A frame that waits for a temporary destination to be made.
    parked: Option<Box<Frame>>,
}

impl StompSession {
    /// A session of a connection on which nothing has come yet.
    pub fn new(options: Options) -> Self {
        Self {
            options,
            phase: Phase::New,
            version: Version::V1_0,
            client_id: None,
            decoder: Decoder::new(Side::Login, Version::V1_0),
            names: Names::default(),
            links: Links::default(),
            answers: Answers::default(),
            transactions: Transactions::default(),
            pulse: Pulse::default(),
            head: HeadBuilder::default(),
            parked: None,
        }
    }

    fn flow(&self) -> Flow {
        match &self.phase {
            Phase::Closed(closing) => Flow::Close(closing.clone()),
            _ if self.is_reading() => Flow::Continue,
            _ => Flow::Pause,
        }
    }

    /// Whether a further frame may be dealt with now.
    fn is_reading(&self) -> bool {
        matches!(self.phase, Phase::New | Phase::Open)
            && self.parked.is_none()
            && !self.answers.is_full(self.options.limits.unanswered)
    }

    fn read(&mut self, input: &mut BytesMut, io: &mut Io<'_>) {
        while self.is_reading() {
            let limits = match self.phase {
                Phase::New => &self.options.limits.login,
                _ => &self.options.limits.open,
            };
            match self.decoder.next(input, limits) {
                Ok(Some(frame)) if matches!(self.phase, Phase::New) => self.log_in(frame, io),
                Ok(Some(frame)) => self.take(frame, io),
                Ok(None) => return,
                Err(fault) => self.fail(fault, input, io),
            }
        }
    }

    /// What can't be read ends the connection. What came before login may hold a passcode, and is wiped.
    fn fail(&mut self, fault: Fault, input: &mut BytesMut, io: &mut Io<'_>) {
        if matches!(self.phase, Phase::New) {
            input.as_mut().zeroize();
        }
        self.break_off(&fault.into(), None, io);
    }

    /// Deals with a frame of an open connection.
    fn take(&mut self, mut frame: Frame, io: &mut Io<'_>) {
        match self.act(&mut frame, io) {
            Ok(()) => self.decoder.recycle(frame),
            Err(Halt::Refused(refusal)) => self.refuse(&refusal, self.receipt_of(&frame), io),
            Err(Halt::Needs { kind, alias }) => self.park(frame, kind, alias, io),
        }
    }

    fn act(&mut self, frame: &mut Frame, io: &mut Io<'_>) -> Result<(), Halt> {
        match frame.command() {
            Command::Send => self.send(frame, io),
            Command::Ack | Command::Nack => self.acknowledge(frame, io),
            Command::Subscribe => self.subscribe(frame, io),
            Command::Unsubscribe => self.unsubscribe(frame, io),
            Command::Begin => self.begin(frame, io),
            Command::Commit => self.commit(frame, io),
            Command::Abort => self.abort(frame, io),
            Command::Disconnect => self.disconnect(frame, io),
            Command::Connect | Command::Stomp => Err(malformed("the connection is logged in already").into()),
            Command::Connected | Command::Message | Command::Receipt | Command::Error => {
                Err(malformed(Fault::Command.text()).into())
            }
        }
    }

    /// "DISCONNECT" in STOMP 1.2: the receipt means that everything before it is dealt with.
    fn disconnect(&mut self, frame: &Frame, io: &mut Io<'_>) -> Result<(), Halt> {
        match self.receipt(frame)? {
            Some(receipt) => {
                self.phase = Phase::Leaving(receipt);
                self.leave_when_answered(io);
            }
            None => self.close(Closing::Asked, io),
        }
        Ok(())
    }

    fn leave_when_answered(&mut self, io: &mut Io<'_>) {
        if let Phase::Leaving(receipt) = &self.phase
            && self.answers.is_empty()
        {
            put_receipt(io, receipt, self.version);
            self.close(Closing::Asked, io);
        }
    }

    /// The frame's receipt, which the session keeps until it is given: so it must be short.
    fn receipt(&self, frame: &Frame) -> Result<Option<Box<str>>, Refusal> {
        frame.get("receipt").map(|receipt| self.id("receipt", receipt)).transpose()
    }

    /// The receipt that an ERROR frame names. One that is too long has no claim to be repeated.
    fn receipt_of<'f>(&self, frame: &'f Frame) -> Option<&'f str> {
        frame.get("receipt").filter(|receipt| receipt.len() <= self.options.limits.id)
    }

    /// A name that the peer chose and the session keeps.
    fn id(&self, what: &str, id: &str) -> Result<Box<str>, Refusal> {
        let most = self.options.limits.id;
        if id.len() > most {
            return Err(too_large(format!("the {what} {} has over {most} bytes", shown(id))));
        }
        Ok(id.into())
    }

    /// Gives a receipt at once, or nothing when none was asked for.
    fn confirm(&self, receipt: Option<&str>, io: &mut Io<'_>) {
        if let Some(receipt) = receipt {
            put_receipt(io, receipt, self.version);
        }
    }

    /// Tells a refusal, and ends the connection where the version or the kind asks for it.
    fn refuse(&mut self, refusal: &Refusal, receipt: Option<&str>, io: &mut Io<'_>) {
        if Telling::of(refusal.kind).closes(self.version) {
            self.break_off(refusal, receipt, io);
        } else {
            put_error(io.out.buf(), refusal, receipt, self.version);
        }
    }

    /// Tells a refusal and ends the connection.
    fn break_off(&mut self, refusal: &Refusal, receipt: Option<&str>, io: &mut Io<'_>) {
        put_error(io.out.buf(), refusal, receipt, self.version);
        self.close(Closing::Fault(refusal.to_string()), io);
    }

    /// What was written before will be sent, so what it settles is settled.
    fn close(&mut self, closing: Closing, io: &mut Io<'_>) {
        self.links.settle_gathered(io.say);
        self.parked = None;
        self.phase = Phase::Closed(closing);
    }

    fn hear(&mut self, event: Event, io: &mut Io<'_>) {
        match event {
            Event::Welcome(_) => self.welcome(io),
            Event::Done { tag } | Event::Attached { tag, .. } => self.done(tag, io),
            Event::Created { tag, destination } => self.created(tag, destination, io),
            Event::Refused { tag, refusal } => self.refused(tag, &refusal, io),
            Event::Deliver(delivery) => self.deliver(&delivery, io),
            Event::Exhausted { link } => self.browsed(link, io),
            Event::Detached { link, refusal } => {
                self.links.remove(link);
                self.refuse(&refusal, None, io);
            }
            Event::Slowed { why } => self.pulse.suspend(why.is_some(), io.now),
            Event::Ending { refusal } => self.break_off(&refusal, None, io),
            // Nothing is asked here that is answered so.
            Event::Prepared { .. } | Event::InDoubt { .. } | Event::Finished { .. } => {}
        }
        self.leave_when_answered(io);
    }

    /// Runs one call from outside and notes whether anything was written.
    fn run(&mut self, io: &mut Io<'_>, step: impl FnOnce(&mut Self, &mut Io<'_>)) -> Flow {
        let before = io.out.len();
        if !matches!(self.phase, Phase::Closed(_)) {
            step(self, io);
        }
        if io.out.len() != before {
            self.pulse.wrote(io.now);
        }
        self.flow()
    }
}

fn put_receipt(io: &mut Io<'_>, receipt: &str, version: Version) {
    let out = io.out.buf();
    put_head(out, Command::Receipt);
    put_header(out, "receipt-id", receipt, version);
    out.extend_from_slice(b"\n");
    put_end(out);
}

impl Session for StompSession {
    fn receive(&mut self, input: &mut BytesMut, io: &mut Io<'_>) -> Flow {
        self.run(io, |session, io| {
            session.pulse.heard(io.now);
            session.read(input, io);
        })
    }

    fn event(&mut self, event: Event, io: &mut Io<'_>) -> Flow {
        self.run(io, |session, io| {
            let was_reading = session.is_reading();
            session.hear(event, io);
            if !was_reading && session.is_reading() {
                // What the peer said meanwhile was not read: its silence is not its fault.
                session.pulse.heard(io.now);
            }
        })
    }

    fn batch_end(&mut self, io: &mut Io<'_>) {
        self.links.settle_gathered(io.say);
        self.head.shrink();
    }

    fn deadline(&self) -> Option<u64> {
        match self.phase {
            Phase::Open | Phase::Leaving(_) => self.pulse.deadline(),
            _ => None,
        }
    }

    fn tick(&mut self, io: &mut Io<'_>) -> Flow {
        self.run(io, Self::beat)
    }

    fn end(&mut self, end: End, io: &mut Io<'_>) {
        // Frames of a broken connection may never have arrived; their messages are delivered again.
        if end == End::Asked {
            self.links.settle_gathered(io.say);
        }
    }

    fn describe(&self) -> &'static str {
        match self.phase {
            Phase::New => "STOMP",
            _ => self.version.describe(),
        }
    }
}

impl StompSession {
    /// A verb was done.
    fn done(&mut self, tag: Tag, io: &mut Io<'_>) {
        match self.answers.take(tag) {
            None | Some(Awaited::Quiet | Awaited::Temporary(_)) => {}
            Some(Awaited::Receipt(receipt)) => put_receipt(io, &receipt, self.version),
            Some(Awaited::Link(_, receipt)) => self.confirm(receipt.as_deref(), io),
            Some(Awaited::Group(group)) => {
                let receipt = self.answers.finish_one(group);
                self.confirm(receipt.as_deref(), io);
            }
            Some(Awaited::Commit(commit)) => {
                self.committed(&commit);
                self.confirm(commit.receipt.as_deref(), io);
            }
        }
    }

    /// A verb was refused, or something without a tag.
    fn refused(&mut self, tag: Option<Tag>, refusal: &Refusal, io: &mut Io<'_>) {
        if matches!(self.phase, Phase::LoggingIn(_)) {
            return self.break_off(refusal, None, io);
        }
        match tag.and_then(|tag| self.answers.take(tag)) {
            None | Some(Awaited::Quiet) => self.refuse(refusal, None, io),
            Some(Awaited::Receipt(receipt)) => self.refuse(refusal, Some(&receipt), io),
            Some(Awaited::Link(link, receipt)) => {
                self.links.remove(link);
                self.refuse(refusal, receipt.as_deref(), io);
            }
            Some(Awaited::Group(group)) => {
                let receipt = self.answers.fail(group);
                self.refuse(refusal, receipt.as_deref(), io);
            }
            Some(Awaited::Commit(commit)) => {
                self.rolled_back(&commit);
                self.refuse(refusal, commit.receipt.as_deref(), io);
            }
            Some(Awaited::Temporary(_)) => self.not_created(refusal, io),
        }
    }
}
