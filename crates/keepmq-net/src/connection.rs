//! The driver of one connection: bytes to the session, verbs to the gate, events to the session, bytes to the peer.
//!
//! One task does all of it, so that nothing of a connection needs a lock, and works in batches: what one read brought is
//! decoded, said and flushed together, and what waits to be written leaves together.

use std::future::Future;
use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use atomic_waker::AtomicWaker;
use bytes::BytesMut;
use hashbrown::HashMap;
use keepmq_core::{Audit, AuditEvent, Client, Gate};
use keepmq_model::{
    Closing, End, Event, Flow, Io, LOGIN_BYTES, Login, Now, Outgoing, Refusal, RefusalKind, Session, Verb,
};
use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::JoinHandle;
use tokio::time::Sleep;
use tokio_util::io::poll_read_buf;

use crate::buffers;
use crate::clock::Clock;
use crate::listener::{Bounds, Sessions};
use crate::login::{Proof, Verifier};
use crate::slots::Slot;
use crate::tasks::Tasks;

/// Bytes that wait to be written beyond which nothing more is made.
const OUT_HIGH: usize = 256 * 1024;
/// How long a peer has to take the last words, in milliseconds.
const GOODBYE_MS: u64 = 2_000;
/// Slices written at once.
const SLICES: usize = 32;

/// What the connections of a listener share.
pub(crate) struct Shared {
    pub(crate) name: Arc<str>,
    pub(crate) gate: Arc<Gate>,
    pub(crate) verifier: Verifier,
    pub(crate) audit: Audit,
    pub(crate) tasks: Tasks,
    pub(crate) bounds: Bounds,
    pub(crate) clock: Clock,
    /// By which connections are woken when everything ends.
    pub(crate) bells: Mutex<HashMap<u64, Arc<AtomicWaker>>>,
}

/// A bell that is in the list as long as its connection lives, however that ends.
struct Listed {
    shared: Arc<Shared>,
    number: u64,
    bell: Arc<AtomicWaker>,
}

impl Listed {
    fn new(shared: &Arc<Shared>, number: u64, bell: Arc<AtomicWaker>) -> Self {
        shared.bells.lock().insert(number, Arc::clone(&bell));
        Self { shared: Arc::clone(shared), number, bell }
    }
}

impl Drop for Listed {
    fn drop(&mut self) {
        self.shared.bells.lock().remove(&self.number);
    }
}

impl Shared {
    /// Wakes all connections when everything is to end; each then says good-bye in its protocol's way.
    pub(crate) fn ring_all_at_the_end(self: &Arc<Self>) {
        let shared = Arc::clone(self);
        self.tasks.start(async move {
            shared.tasks.ending().await;
            let bells: Vec<Arc<AtomicWaker>> = shared.bells.lock().values().map(Arc::clone).collect();
            bells.iter().for_each(|bell| bell.wake());
        });
    }
}

/// A login with what was found about it.
type Checked = (Box<Login>, Result<Proof, &'static str>);

/// A connection on its way to its end. Written by hand because there are many of them: an async function would keep room
/// for both parts twice.
pub(crate) struct Driven<S> {
    connection: Option<Connection>,
    stream: S,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Future for Driven<S> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Self { connection, stream } = &mut *self;
        if let Some(connection) = connection {
            std::task::ready!(connection.poll(stream, cx));
        }
        if let Some(connection) = connection.take() {
            connection.finish();
        }
        Poll::Ready(())
    }
}

/// One connection.
pub(crate) struct Connection {
    shared: Arc<Shared>,
    peer: SocketAddr,
    client: Client,
    session: Box<dyn Session>,
    bell: Listed,
    slot: Slot,
    input: BytesMut,
    out: Outgoing,
    say: Vec<Verb>,
    login: Option<JoinHandle<Option<Checked>>>,
    /// Until when it must be logged in; absent once it is.
    login_deadline: Option<u64>,
    /// The session takes no input until the next event.
    paused: bool,
    /// Since when nothing could be written.
    stalled_since: Option<u64>,
    timer: Option<Pin<Box<Sleep>>>,
    timer_at: u64,
    ending: Option<End>,
    goodbye_until: Option<u64>,
    reason: Option<String>,
}

impl Connection {
    pub(crate) fn new(
        shared: Arc<Shared>,
        peer: SocketAddr,
        slot: Slot,
        sessions: &Sessions,
        login_deadline: u64,
    ) -> Self {
        let bell = Arc::new(AtomicWaker::new());
        let ring = Arc::clone(&bell);
        let client = shared.gate.connect(&peer.to_string(), &shared.name, Box::new(move || ring.wake()));
        let session = sessions(client.number());
        let bell = Listed::new(&shared, client.number(), bell);
        Self {
            shared,
            peer,
            client,
            session,
            bell,
            slot,
            input: BytesMut::new(),
            out: Outgoing::default(),
            say: Vec::new(),
            login: None,
            login_deadline: Some(login_deadline),
            paused: false,
            stalled_since: None,
            timer: None,
            timer_at: u64::MAX,
            ending: None,
            goodbye_until: None,
            reason: None,
        }
    }

    /// Drives the connection over a stream to its end.
    pub(crate) fn drive<S>(self, stream: S) -> Driven<S> {
        Driven { connection: Some(self), stream }
    }

    fn now(&self) -> Now {
        self.shared.clock.now()
    }

    fn poll<S: AsyncRead + AsyncWrite + Unpin>(&mut self, stream: &mut S, cx: &mut Context<'_>) -> Poll<()> {
        self.bell.bell.register(cx.waker());
        loop {
            let mut moved = self.poll_login(cx);
            moved |= self.take_events();
            let was_full = self.is_full();
            let written = self.poll_write(Pin::new(stream), cx);
            // Events that waited for room are taken now: nothing else would wake this task for them.
            moved |= was_full && !self.is_full();
            if let Poll::Ready(Err(error)) = written {
                return self.broken(&error);
            }
            if self.ending.is_some() {
                return self.poll_goodbye(written.is_ready(), Pin::new(stream), cx);
            }
            match self.poll_read(Pin::new(stream), cx) {
                Poll::Ready(Ok(())) => moved = true,
                Poll::Ready(Err(error)) => return self.broken(&error),
                Poll::Pending => {}
            }
            moved |= self.poll_timer(cx);
            if self.out.is_empty() && self.input.is_empty() && !moved {
                self.rest();
            }
            if !moved {
                return Poll::Pending;
            }
        }
    }

    /// Gives memory back while nothing happens.
    fn rest(&mut self) {
        buffers::give_back(&mut self.input);
        self.out.shrink();
        self.client.shrink();
    }

    fn broken(&mut self, error: &io::Error) -> Poll<()> {
        self.ending.get_or_insert(End::Broken);
        self.reason.get_or_insert_with(|| error.to_string());
        Poll::Ready(())
    }

    /// Whether so much waits to be written that nothing more is to be made.
    fn is_full(&self) -> bool {
        self.out.len() >= OUT_HIGH
    }

    /// Hands events to the session, as long as what it writes is taken by the peer.
    fn take_events(&mut self) -> bool {
        if self.ending.is_some() || self.is_full() {
            return false;
        }
        if self.shared.tasks.is_ending() {
            return self.say_goodbye();
        }
        let mut events = Vec::new();
        self.client.events(&mut events);
        if events.is_empty() {
            return false;
        }
        let was_paused = std::mem::take(&mut self.paused);
        for event in events {
            self.event(event);
        }
        self.batch_end();
        if was_paused && !self.paused && !self.input.is_empty() {
            self.receive();
        }
        true
    }

    fn event(&mut self, event: Event) {
        if self.ending.is_some() {
            return;
        }
        let mut io = Io { say: &mut self.say, out: &mut self.out, now: self.shared.clock.now() };
        let flow = self.session.event(event, &mut io);
        self.flow(flow);
    }

    fn say_goodbye(&mut self) -> bool {
        let refusal = Refusal::new(RefusalKind::Unavailable, "the broker is shutting down");
        self.event(Event::Ending { refusal });
        self.ending = Some(End::Shutdown);
        true
    }

    fn flow(&mut self, flow: Flow) {
        match flow {
            Flow::Continue => {}
            Flow::Pause => self.paused = true,
            Flow::Close(Closing::Asked) => self.ending = Some(End::Asked),
            Flow::Close(Closing::Fault(reason)) => {
                self.ending = Some(End::Broken);
                self.reason = Some(reason);
            }
        }
    }

    /// Gives the session what was read.
    fn receive(&mut self) {
        let mut io = Io { say: &mut self.say, out: &mut self.out, now: self.shared.clock.now() };
        let flow = self.session.receive(&mut self.input, &mut io);
        self.flow(flow);
        self.batch_end();
    }

    /// Says what the session gathered, and carries out what it said.
    fn batch_end(&mut self) {
        let mut io = Io { say: &mut self.say, out: &mut self.out, now: self.shared.clock.now() };
        self.session.batch_end(&mut io);
        self.carry();
    }

    fn carry(&mut self) {
        let mut said = std::mem::take(&mut self.say);
        for verb in said.drain(..) {
            match verb {
                Verb::Login(login) if self.client.principal().is_none() && self.login.is_none() => {
                    self.start_login(login);
                }
                other => self.client.say(other),
            }
        }
        self.client.flush();
        // The room is used again, unless a burst made it large.
        if said.capacity() <= 256 {
            self.say = said;
        }
    }

    fn start_login(&mut self, login: Box<Login>) {
        let (verifier, source, now) = (self.shared.verifier.clone(), self.peer.ip(), self.now());
        let check = move || {
            let verdict = verifier.verify(&login, source, now);
            (login, verdict)
        };
        let refuse_after = Duration::from_millis(self.shared.bounds.refuse_after_ms);
        self.login = Some(self.shared.tasks.check(check, |(_, verdict)| verdict.is_err(), refuse_after));
    }

    fn poll_login(&mut self, cx: &mut Context<'_>) -> bool {
        let Some(pending) = &mut self.login else { return false };
        let Poll::Ready(checked) = Pin::new(pending).poll(cx) else { return false };
        self.login = None;
        let event = match checked.ok().flatten() {
            Some((login, Ok(proof))) => self.welcome(*login, proof),
            Some((login, Err(why))) => Some(self.refuse_login(&login, why)),
            None => {
                Some(Refusal::new(RefusalKind::Internal, "the login could not be checked; try again later"))
            }
        };
        if let Some(refusal) = event {
            self.event(Event::Refused { tag: None, refusal });
            self.batch_end();
        }
        true
    }

    /// The peer is who it says it is. There is still a refusal when another connection holds its client id.
    fn welcome(&mut self, login: Login, proof: Proof) -> Option<Refusal> {
        let user = Arc::clone(&proof.principal.name);
        if let Err(refusal) = self.client.welcome(proof.principal, login.client_id, login.take_over) {
            return Some(refusal);
        }
        self.slot.logged_in();
        self.login_deadline = None;
        self.shared.audit.record(AuditEvent::LoggedIn {
            connection: self.client.number(),
            peer: self.peer.to_string().into(),
            listener: Arc::clone(&self.shared.name),
            user,
            by: proof.by,
        });
        None
    }

    fn refuse_login(&self, login: &Login, why: &'static str) -> Refusal {
        let id = self.shared.gate.next_decision();
        let user: Arc<str> = login.user.as_deref().unwrap_or_default().into();
        // ActiveMQ's words, the same for an unknown user and a wrong password.
        let text = match &login.user {
            Some(user) => format!("User name [{}] or password is invalid.", user.escape_debug()),
            None => "A user name and a password are needed.".to_owned(),
        };
        self.shared.audit.record(AuditEvent::LoginRefused {
            id,
            connection: self.client.number(),
            peer: self.peer.to_string().into(),
            listener: Arc::clone(&self.shared.name),
            user,
            why,
        });
        Refusal { decision: Some(id), ..Refusal::new(RefusalKind::Unauthenticated, text) }
    }

    /// Reads once and gives the session what came.
    fn poll_read<S: AsyncRead>(&mut self, stream: Pin<&mut S>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let busy = self.paused || self.login.is_some() || self.is_full();
        if self.ending.is_some() || busy || !self.client.wants_input() {
            return Poll::Pending;
        }
        if self.login_deadline.is_some() && self.input.len() >= LOGIN_BYTES {
            self.flow(Flow::Close(Closing::Fault("over 64 KiB before the login".to_owned())));
            return Poll::Ready(Ok(()));
        }
        if self.input.capacity() == 0 {
            self.input = buffers::lend();
        } else if self.input.capacity() - self.input.len() < buffers::READ_BYTES / 8 {
            self.input.reserve(buffers::READ_BYTES);
        }
        match poll_read_buf(stream, cx, &mut self.input) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Ok(0)) => Poll::Ready(Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "the peer closed the connection",
            ))),
            Poll::Ready(Ok(_)) => {
                self.receive();
                Poll::Ready(Ok(()))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
        }
    }

    /// Writes as much as the peer takes. Ready when nothing is left.
    fn poll_write<S: AsyncWrite>(
        &mut self,
        mut stream: Pin<&mut S>,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        if self.out.is_empty() {
            return Poll::Ready(Ok(()));
        }
        while !self.out.is_empty() {
            let mut slices = [IoSlice::new(&[]); SLICES];
            let filled = self.out.slices(&mut slices);
            let slices = slices.get(..filled).unwrap_or_default();
            let written = match stream.as_mut().poll_write_vectored(cx, slices) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(written)) => written,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => {
                    let now = self.shared.clock.now().mono_ms;
                    self.stalled_since.get_or_insert(now);
                    return Poll::Pending;
                }
            };
            self.out.advance(written);
            self.stalled_since = None;
        }
        stream.poll_flush(cx)
    }

    /// Closes the stream in order once the last words are written. A peer that does not take them is not waited for.
    fn poll_goodbye<S: AsyncWrite>(
        &mut self,
        written: bool,
        stream: Pin<&mut S>,
        cx: &mut Context<'_>,
    ) -> Poll<()> {
        if written && stream.poll_shutdown(cx).is_ready() {
            return Poll::Ready(());
        }
        let now = self.now().mono_ms;
        let until = *self.goodbye_until.get_or_insert(now + GOODBYE_MS);
        if now >= until {
            return Poll::Ready(());
        }
        self.arm(until, cx);
        Poll::Pending
    }

    /// The next time at which something is due.
    fn deadline(&self) -> u64 {
        let stall = self.stalled_since.map(|since| since + self.shared.bounds.stall_ms);
        // The gate looks at its deadline when it is asked for events, which it is not while too much is to be written.
        let flow = self.client.flow_deadline().filter(|_| !self.is_full());
        let all = [self.session.deadline(), self.login_deadline, flow, stall];
        all.into_iter().flatten().min().unwrap_or(u64::MAX)
    }

    fn poll_timer(&mut self, cx: &mut Context<'_>) -> bool {
        if self.ending.is_some() {
            return false;
        }
        let now = self.now();
        let deadline = self.deadline();
        if deadline > now.mono_ms {
            self.arm(deadline, cx);
            return false;
        }
        self.due(now);
        true
    }

    /// Sees to it that the task wakes in time. A timer that goes off early costs less than setting it for each message.
    fn arm(&mut self, at: u64, cx: &mut Context<'_>) {
        if at == u64::MAX && self.timer.is_none() {
            return;
        }
        let now = self.now().mono_ms;
        if at < self.timer_at || self.timer_at <= now {
            self.timer_at = at;
            // Rounded up: the coarse clock must have reached the deadline when the timer goes off.
            let wait = Duration::from_millis(at.saturating_sub(now).min(86_400_000) + 5);
            self.timer = Some(Box::pin(tokio::time::sleep(wait)));
        }
        if let Some(timer) = &mut self.timer
            && timer.as_mut().poll(cx).is_ready()
        {
            self.timer = None;
            self.timer_at = u64::MAX;
            cx.waker().wake_by_ref();
        }
    }

    /// Something is due.
    fn due(&mut self, now: Now) {
        let passed = |deadline: Option<u64>| deadline.is_some_and(|deadline| deadline <= now.mono_ms);
        let stall = self.stalled_since.map(|since| since + self.shared.bounds.stall_ms);
        if passed(self.login_deadline) {
            self.ending = Some(End::Broken);
            self.reason = Some("no login in time".to_owned());
        } else if passed(stall) {
            self.ending = Some(End::Broken);
            self.out = Outgoing::default();
            self.reason = Some("the peer takes nothing of what is sent to it".to_owned());
        } else if passed(self.session.deadline()) {
            let mut io = Io { say: &mut self.say, out: &mut self.out, now };
            let flow = self.session.tick(&mut io);
            self.flow(flow);
            self.batch_end();
        } else {
            // The gate looks at its own deadline when it is asked for events.
            self.take_events();
        }
    }

    /// The last verbs, and the record of the end.
    fn finish(mut self) {
        let end = self.ending.unwrap_or(End::Broken);
        let mut io = Io { say: &mut self.say, out: &mut self.out, now: self.shared.clock.now() };
        self.session.end(end, &mut io);
        self.carry();
        let user = self.client.principal().map(Arc::clone);
        self.client.close();
        let (listener, peer, reason) =
            (&*self.shared.name, self.peer, self.reason.as_deref().unwrap_or("in order"));
        let user = user.as_ref().map(|who| &*who.name).unwrap_or_default();
        tracing::debug!(listener, %peer, user, protocol = self.session.describe(), reason, "connection closed");
    }
}
