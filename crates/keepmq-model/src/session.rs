//! What a protocol is to the rest of the broker: bytes in, verbs out; events in, bytes out.

use bytes::BytesMut;

use crate::event::Event;
use crate::message::{Envelope, Native, Protocol};
use crate::outgoing::Outgoing;
use crate::verb::Verb;
use crate::view::View;

/// Most bytes that a peer may have unread and undecoded before it is logged in.
pub const LOGIN_BYTES: usize = 64 * 1024;

/// The time, given by whoever calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Now {
    /// Milliseconds of a clock that never steps.
    pub mono_ms: u64,
    /// Milliseconds since 1970.
    pub unix_ms: u64,
}

/// What a session works with while it is called.
pub struct Io<'a> {
    /// Verbs that it says, in order.
    pub say: &'a mut Vec<Verb>,
    /// Bytes for the peer, in order.
    pub out: &'a mut Outgoing,
    /// The time.
    pub now: Now,
}

/// How the connection goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Flow {
    /// More input is welcome.
    Continue,
    /// No more input for now: a login is pending, or too much is unanswered. Input goes on with the next event that is
    /// answered by [`Flow::Continue`], also when no new bytes have come.
    Pause,
    /// Send what is written and close.
    Close(Closing),
}

/// Why a session closes its connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Closing {
    /// The peer asked for it in the way of its protocol.
    Asked,
    /// The peer broke the protocol or a limit, or was refused; it has been told as far as its protocol can.
    Fault(String),
}

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The peer asked for it in the way of its protocol.
    Asked,
    /// Without a word, by a fault, a time-out or a newer connection.
    Broken,
    /// The broker shuts down.
    Shutdown,
}

/// One connection's protocol state. It never sees a socket, a clock or a destination's state.
pub trait Session: Send {
    /// Takes whole frames from the front of `input` and leaves an incomplete one. Never called while paused.
    fn receive(&mut self, input: &mut BytesMut, io: &mut Io<'_>) -> Flow;

    /// Takes an event. Called only while the peer takes what is written to it.
    fn event(&mut self, event: Event, io: &mut Io<'_>) -> Flow;

    /// A run of input or events is over: what was gathered on the way (grants, settlements) is said now. Called after a
    /// [`Flow::Close`], too: what was said is carried out.
    fn batch_end(&mut self, io: &mut Io<'_>);

    /// The time at which [`Session::tick`] wants to be called, in milliseconds of the monotonic clock.
    fn deadline(&self) -> Option<u64>;

    /// A deadline has passed.
    fn tick(&mut self, io: &mut Io<'_>) -> Flow;

    /// The connection is over: the last verbs (a will). Nothing is written any more.
    fn end(&mut self, end: End, io: &mut Io<'_>);

    /// Protocol and version for logs and the console, such as `STOMP 1.2`; shorter before it is negotiated.
    fn describe(&self) -> &'static str;
}

/// Reads a protocol's native form into the common view. (The way back, from the view to bytes on the wire, is each
/// session's own.)
pub trait Format: Send + Sync {
    /// Whose form it is.
    fn protocol(&self) -> Protocol;

    /// Properties and body in common terms. Stored bytes may be older than the code: what can't be read is left out.
    fn view(&self, envelope: &Envelope, native: &Native) -> View;
}

/// The formats of all protocols.
#[derive(Clone, Copy, Default)]
pub struct Formats(&'static [&'static dyn Format]);

impl Formats {
    /// Of these protocols.
    pub const fn new(formats: &'static [&'static dyn Format]) -> Self {
        Self(formats)
    }

    /// Reads a native form; the bare body when nobody knows the protocol.
    pub(crate) fn view(&self, envelope: &Envelope, native: &Native) -> View {
        match self.0.iter().find(|format| format.protocol() == native.protocol) {
            Some(format) => format.view(envelope, native),
            None => View { body: crate::view::Body::Bytes(native.body.clone()), ..View::default() },
        }
    }
}

impl std::fmt::Debug for Formats {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.iter().map(|format| format.protocol().name())).finish()
    }
}

/// Messages that the broker makes itself are text.
#[derive(Debug)]
pub struct BrokerFormat;

impl Format for BrokerFormat {
    fn protocol(&self) -> Protocol {
        Protocol::Broker
    }

    fn view(&self, _: &Envelope, native: &Native) -> View {
        use crate::view::Body;
        let body = match crate::Text::try_from(native.body.clone()) {
            Ok(text) => Body::Text(text),
            Err(_) => Body::Bytes(native.body.clone()),
        };
        View { body, ..View::default() }
    }
}
