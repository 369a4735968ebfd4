//! One OpenWire connection: commands in, verbs out; events in, commands out.
//!
//! What a broker does with each command is told by the behaviour reference (openwire-broker-behaviour.md), whose sections
//! are named where they are followed.

mod ack;
mod answers;
mod branch;
mod connect;
mod consumer;
mod deliver;
mod destinations;
mod producer;
mod pull;
mod pulse;
mod subscribe;
mod transaction;
mod window;

use std::sync::Arc;

use bytes::BytesMut;
use hashbrown::HashMap;
use keepmq_model::{Closing, End, Event, Flow, Formats, Io, LinkId, Refusal, Session, Tag, TxId, Xid};
use zeroize::Zeroize;

use crate::codec::negotiation::{NEWEST, Negotiated, Offer};
use crate::codec::{
    Command, ConnectionError, ExceptionResponse, Fault, JavaText, KeepAliveInfo, Response, Throwable,
    WireFormat,
};
use crate::limits::Limits;
use crate::refusal::{Subject, throwable};
use crate::render::BrokerName;
use answers::{About, Answers, Awaited};
use consumer::Consumer;
use producer::Producer;
use pulse::Pulse;

/// What a session is made with.
#[derive(Clone, Debug)]
pub struct Options {
    /// What the peer may make it hold.
    pub limits: Arc<Limits>,
    /// The formats of all protocols, to render messages that did not come by OpenWire.
    pub formats: Formats,
    /// What the broker is called.
    pub broker: Arc<BrokerName>,
    /// What it would like to agree on.
    pub offer: Offer,
}

/// Names a session's producer or consumer within its connection: the session's number and its own.
pub(crate) type Key = (i64, i64);

/// How far the connection is.
enum Phase {
    /// Nothing has come yet.
    New,
    /// The wire format is agreed on.
    Greeted,
    /// The login is being checked: the command to be answered, and whether the client can be controlled.
    LoggingIn(i32, bool),
    /// It is open.
    Open,
    /// It is over.
    Closed(Closing),
}

/// Why a command was not dealt with: what is told, and what it is about.
struct Halt(Refusal, Subject);

impl From<Refusal> for Halt {
    fn from(refusal: Refusal) -> Self {
        Self(refusal, Subject::Other)
    }
}

/// One OpenWire connection.
pub struct OpenWireSession {
    options: Options,
    phase: Phase,
    format: WireFormat,
    agreed: Option<Negotiated>,
    connection: Option<JavaText>,
    client_id: Option<Arc<str>>,
    /// The client connects again by itself when the connection breaks, and then sends again what was not answered.
    fails_over: bool,
    /// The sessions that the client has told of; -1 is the connection's own.
    sessions: Vec<i64>,
    producers: HashMap<Key, Producer>,
    consumers: HashMap<Key, Consumer>,
    links: HashMap<LinkId, Key>,
    next_link: u32,
    transactions: Vec<TxId>,
    /// Branches of global transactions that the client works on.
    branches: Vec<(TxId, Xid)>,
    next_branch: u64,
    answers: Answers,
    pulse: Pulse,
}

impl OpenWireSession {
    /// A session of a connection on which nothing has come yet.
    pub fn new(options: Options) -> Self {
        let format = WireFormat::new(options.limits.login_frame);
        Self {
            options,
            phase: Phase::New,
            format,
            agreed: None,
            connection: None,
            client_id: None,
            fails_over: false,
            sessions: Vec::new(),
            producers: HashMap::new(),
            consumers: HashMap::new(),
            links: HashMap::new(),
            next_link: 0,
            transactions: Vec::new(),
            branches: Vec::new(),
            next_branch: 0,
            answers: Answers::default(),
            pulse: Pulse::default(),
        }
    }

    fn flow(&self) -> Flow {
        match &self.phase {
            Phase::Closed(closing) => Flow::Close(closing.clone()),
            _ if self.is_reading() => Flow::Continue,
            _ => Flow::Pause,
        }
    }

    fn is_reading(&self) -> bool {
        match self.phase {
            Phase::New | Phase::Greeted => true,
            Phase::Open => !self.answers.is_full(self.options.limits.unanswered),
            Phase::LoggingIn(..) | Phase::Closed(_) => false,
        }
    }

    fn read(&mut self, input: &mut BytesMut, io: &mut Io<'_>) {
        while self.is_reading() {
            match self.format.decode(input) {
                Ok(Some(command)) => self.take(command, io),
                Ok(None) => return,
                Err(fault) => self.fail(fault, input),
            }
        }
    }

    /// What can't be read ends the connection, without a word (section 1). What came before login may hold a password,
    /// and is wiped.
    fn fail(&mut self, fault: Fault, input: &mut BytesMut) {
        if !matches!(self.phase, Phase::Open) {
            input.as_mut().zeroize();
        }
        self.close(Closing::Fault(fault.to_string()));
    }

    fn take(&mut self, command: Command, io: &mut Io<'_>) {
        match self.phase {
            Phase::New => self.greet(&command, io),
            Phase::Greeted => self.log_in(command, io),
            _ => self.act(command, io),
        }
    }

    /// Deals with a command of an open connection.
    fn act(&mut self, command: Command, io: &mut Io<'_>) {
        let (id, wanted) = head(&command);
        let reply = wanted.then_some(id);
        let result = match command {
            Command::Message(message) => self.send(message, reply, io),
            Command::MessageAck(ack) => self.acknowledge(&ack, reply, io),
            Command::SessionInfo(info) => self.add_session(&info, reply, io),
            Command::ProducerInfo(info) => self.add_producer(&info, reply, io),
            Command::ConsumerInfo(info) => self.add_consumer(&info, reply, io),
            Command::RemoveInfo(info) => self.remove(&info, reply, io),
            Command::RemoveSubscriptionInfo(info) => self.remove_subscription(&info, reply, io),
            Command::DestinationInfo(info) => self.change_destination(&info, reply, io),
            Command::TransactionInfo(info) => self.transact(&info, reply, io),
            other => {
                self.take_note(&other, reply, io);
                Ok(())
            }
        };
        if let Err(Halt(refusal, subject)) = result {
            self.tell(&throwable(&refusal, &subject), reply, io);
        }
    }

    /// Deals with commands that nothing can be wrong with.
    fn take_note(&mut self, command: &Command, reply: Option<i32>, io: &mut Io<'_>) {
        match command {
            Command::MessagePull(pull) => self.pull(pull, reply, io),
            Command::ConsumerControl(control) => self.control_consumer(control, reply, io),
            Command::KeepAliveInfo(info) => self.answer_sign(info.response_required, io),
            Command::ShutdownInfo(_) => self.close(Closing::Asked),
            Command::BrokerInfo(info) if info.network_connection => {
                let text = "networks of brokers are not available: brokers can't connect to each other";
                self.close(Closing::Fault(text.to_owned()));
            }
            // They have nothing to say to a broker (sections 3, 13, 17).
            _ => self.respond(reply, io),
        }
    }

    /// A sign of life that asks for one gets one, not a `Response` (section 15).
    fn answer_sign(&mut self, wanted: bool, io: &mut Io<'_>) {
        if wanted {
            self.format.encode(&Command::KeepAliveInfo(KeepAliveInfo::default()), io.out);
        }
    }

    /// Gives a `Response`, when one was asked for.
    fn respond(&mut self, reply: Option<i32>, io: &mut Io<'_>) {
        if let Some(correlation_id) = reply {
            let response = Response { correlation_id, ..Response::default() };
            self.format.encode(&Command::Response(Box::new(response)), io.out);
        }
    }

    /// A tag whose answer is a `Response`, when one was asked for.
    fn expect(&mut self, reply: Option<i32>, about: About) -> Tag {
        self.answers.expect(reply.map_or(Awaited::Quiet, |id| Awaited::Reply(id, about)))
    }

    /// Tells an exception: in answer to a command, or by itself where none was asked for (section 1).
    fn tell(&mut self, exception: &Throwable, reply: Option<i32>, io: &mut Io<'_>) {
        let exception = Some(Box::new(exception.clone()));
        let command = if let Some(correlation_id) = reply {
            let response = ExceptionResponse { correlation_id, exception, ..ExceptionResponse::default() };
            Command::ExceptionResponse(Box::new(response))
        } else {
            let error = ConnectionError { exception, ..ConnectionError::default() };
            Command::ConnectionError(Box::new(error))
        };
        self.format.encode(&command, io.out);
    }

    /// Tells a refusal and ends the connection.
    fn break_off(&mut self, refusal: &Refusal, subject: &Subject, reply: Option<i32>, io: &mut Io<'_>) {
        self.tell(&throwable(refusal, subject), reply, io);
        self.close(Closing::Fault(refusal.to_string()));
    }

    fn close(&mut self, closing: Closing) {
        self.phase = Phase::Closed(closing);
    }

    fn hear(&mut self, event: Event, io: &mut Io<'_>) {
        match event {
            Event::Welcome(_) => self.welcome(io),
            Event::Done { tag } | Event::Attached { tag, .. } | Event::Created { tag, .. } => {
                self.done(tag, io);
            }
            Event::Refused { tag, refusal } => self.refused(tag, &refusal, io),
            Event::Prepared { tag, is_over } => {
                if let Some(Awaited::Prepared(asked)) = self.answers.take(tag) {
                    self.prepared(&asked, is_over, io);
                }
            }
            Event::InDoubt { tag, branches } => {
                if let Some(Awaited::InDoubt(reply)) = self.answers.take(tag) {
                    self.in_doubt(reply, branches, io);
                }
            }
            Event::Finished { tx, committed } => self.finished_elsewhere(tx, committed, io),
            Event::Deliver(delivery) => self.deliver(&delivery, io),
            Event::Exhausted { link } => self.browsed(link, io),
            Event::Detached { link, refusal } => self.lost_link(link, &refusal, io),
            Event::Slowed { why } => self.pulse.suspend(why.is_some(), io.now),
            Event::Ending { refusal } => self.break_off(&refusal, &Subject::Other, None, io),
        }
    }

    /// A verb was done.
    fn done(&mut self, tag: Tag, io: &mut Io<'_>) {
        match self.answers.take(tag) {
            None | Some(Awaited::Quiet | Awaited::Prepared(_) | Awaited::InDoubt(_)) => {}
            Some(Awaited::Reply(id, _)) => self.respond(Some(id), io),
            Some(Awaited::Link(key)) => self.opened(key, io),
            Some(Awaited::Drained(key)) => self.drained(key),
            Some(Awaited::Sent(reply, window)) => self.sent(reply, window, io),
            Some(Awaited::End { tx, commit, reply }) => self.ended(tx, commit, reply, io),
            Some(Awaited::Finished(asked, commit)) => self.finished(&asked, commit, io),
        }
    }

    /// A verb was refused, or something without a tag.
    fn refused(&mut self, tag: Option<Tag>, refusal: &Refusal, io: &mut Io<'_>) {
        if let Phase::LoggingIn(reply, _) = self.phase {
            let client = self.client_id.as_deref().unwrap_or_default().into();
            return self.break_off(refusal, &Subject::Login(client), Some(reply), io);
        }
        match tag.and_then(|tag| self.answers.take(tag)) {
            None | Some(Awaited::Quiet) => self.tell(&throwable(refusal, &Subject::Other), None, io),
            Some(Awaited::Reply(id, about)) => self.refused_request(id, about, refusal, io),
            Some(Awaited::InDoubt(id)) => self.refused_request(id, About::Other, refusal, io),
            Some(Awaited::Prepared(asked) | Awaited::Finished(asked, _)) => {
                self.not_finished(&asked, refusal, io);
            }
            Some(Awaited::Link(key)) => self.not_opened(key, refusal, io),
            Some(Awaited::Drained(key)) => self.not_drained(key, io),
            Some(Awaited::Sent(reply, _)) => self.tell(&throwable(refusal, &Subject::Message), reply, io),
            Some(Awaited::End { tx, reply, .. }) => self.not_ended(tx, reply, refusal, io),
        }
    }

    fn refused_request(&mut self, id: i32, about: About, refusal: &Refusal, io: &mut Io<'_>) {
        let subject = match about {
            About::Removal if refusal.kind == keepmq_model::RefusalKind::NotFound => {
                return self.respond(Some(id), io);
            }
            About::Subscription(client, name) => Subject::Subscription(client, name),
            About::Producer(key) => {
                self.producers.remove(&key);
                Subject::Other
            }
            About::Removal | About::Other => Subject::Other,
        };
        self.tell(&throwable(refusal, &subject), Some(id), io);
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

/// A command's number, and whether it is to be answered.
fn head(command: &Command) -> (i32, bool) {
    macro_rules! heads {
        ($($name:ident),*) => {
            match command {
                $(Command::$name(one) => (one.command_id, one.response_required),)*
                _ => (0, false),
            }
        };
    }
    heads!(
        Message,
        MessageAck,
        MessagePull,
        SessionInfo,
        ProducerInfo,
        ConsumerInfo,
        ConsumerControl,
        RemoveInfo,
        RemoveSubscriptionInfo,
        DestinationInfo,
        TransactionInfo,
        KeepAliveInfo,
        ShutdownInfo,
        ConnectionInfo,
        ConnectionControl,
        ConnectionError,
        ControlCommand,
        FlushCommand,
        BrokerInfo,
        BrokerSubscriptionInfo,
        MessageDispatch,
        MessageDispatchNotification,
        ProducerAck
    )
}

impl Session for OpenWireSession {
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
        let before = io.out.len();
        self.tell_empty(io);
        if io.out.len() != before {
            self.pulse.wrote(io.now);
        }
    }

    fn deadline(&self) -> Option<u64> {
        match self.phase {
            Phase::Open => self.pulse.deadline().into_iter().chain(self.pull_deadline()).min(),
            _ => None,
        }
    }

    fn tick(&mut self, io: &mut Io<'_>) -> Flow {
        self.run(io, |session, io| {
            session.end_pulls(io);
            if let Some(most) = session.pulse.missed(io.now) {
                let text = format!("Channel was inactive for too (>{most}) long");
                return session.close(Closing::Fault(text));
            }
            if session.pulse.is_due(io.now) {
                session.format.encode(&Command::KeepAliveInfo(KeepAliveInfo::default()), io.out);
            }
            session.format.shrink();
            session.answers.shrink();
        })
    }

    fn end(&mut self, _: End, _: &mut Io<'_>) {}

    fn describe(&self) -> &'static str {
        const NAMES: [&str; NEWEST as usize] = [
            "OpenWire 1",
            "OpenWire 2",
            "OpenWire 3",
            "OpenWire 4",
            "OpenWire 5",
            "OpenWire 6",
            "OpenWire 7",
            "OpenWire 8",
            "OpenWire 9",
            "OpenWire 10",
            "OpenWire 11",
            "OpenWire 12",
        ];
        let version = self.agreed.as_ref().map(|agreed| usize::from(agreed.version));
        version.and_then(|version| NAMES.get(version - 1)).copied().unwrap_or("OpenWire")
    }
}
