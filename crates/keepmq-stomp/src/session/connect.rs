//! The login ("Connecting" and "Protocol Negotiation" in STOMP 1.2).

use keepmq_model::{Closing, Io, Login, Refusal, Secret, Verb};

use super::heartbeat::{Offer, Pulse};
use super::{Phase, StompSession};
use crate::codec::{Command, Decoder, Frame, Side, Version, put_end, put_head, put_header};
use crate::refusal::{malformed, put_no_version, shown, unsupported};

/// What a CONNECT frame asks for besides the login.
pub(super) struct Wishes {
    offer: Offer,
    /// ActiveMQ answers to `request-id`, or to `receipt`, which the specification does not have here.
    request: Option<Box<str>>,
}

/// What this broker calls itself.
const SERVER: &str = concat!("KeepMQ/", env!("CARGO_PKG_VERSION"));

impl StompSession {
    /// Takes the first frame, of which nothing stays in memory but what is asked for.
    pub(super) fn log_in(&mut self, frame: Frame, io: &mut Io<'_>) {
        match self.connect(&frame) {
            Ok(Some(login)) => io.say.push(Verb::Login(Box::new(login))),
            Ok(None) => self.no_version(io),
            Err(refusal) => self.break_off(&refusal, None, io),
        }
        frame.wipe();
    }

    /// Reads a CONNECT frame; `None` when no version suits both.
    fn connect(&mut self, frame: &Frame) -> Result<Option<Login>, Refusal> {
        let Some(version) = Version::negotiate(frame.get("accept-version")) else {
            return Ok(None);
        };
        let offer = Offer::read(frame.get("heart-beat"))?;
        let request = frame.get("request-id").or_else(|| frame.get("receipt"));
        let request = request.map(|request| self.id("request-id", request)).transpose()?;
        // In 1.0 spaces around a value mean nothing; later they are part of it.
        let value = |name| {
            let value = frame.get(name)?;
            Some(if version == Version::V1_0 { value.trim() } else { value })
        };
        let client_id = value("client-id").filter(|id| !id.is_empty());
        let client_id = client_id.map(|id| self.id("client-id", id)).transpose()?;
        if let Some(id) = client_id.as_deref().filter(|id| !Login::is_client_id(id)) {
            let text = format!("the client-id {} holds a wildcard or a control character", shown(id));
            return Err(malformed(text));
        }
        let login = Login {
            user: value("login").map(Into::into),
            password: value("passcode").map(|passcode| Secret::new(passcode.as_bytes().to_vec())),
            client_id: client_id.map(Into::into),
            take_over: false,
        };
        self.version = version;
        self.client_id.clone_from(&login.client_id);
        self.phase = Phase::LoggingIn(Box::new(Wishes { offer, request }));
        Ok(Some(login))
    }

    fn no_version(&mut self, io: &mut Io<'_>) {
        let refusal =
            unsupported("this broker speaks STOMP 1.2, 1.1 and 1.0, and the client accepts none of them");
        put_no_version(io.out.buf(), &refusal);
        self.close(Closing::Fault(refusal.to_string()), io);
    }

    /// The login succeeded: says CONNECTED.
    pub(super) fn welcome(&mut self, io: &mut Io<'_>) {
        let wishes = match std::mem::replace(&mut self.phase, Phase::Open) {
            Phase::LoggingIn(wishes) => wishes,
            other => {
                self.phase = other;
                return;
            }
        };
        self.decoder = Decoder::new(Side::Client, self.version);
        self.pulse = Pulse::agree(wishes.offer, self.options.heart_beat, io.now);
        self.put_connected(wishes.request.as_deref(), io);
    }

    fn put_connected(&self, request: Option<&str>, io: &mut Io<'_>) {
        // The frame is never escaped, so nothing that needs it may stand there: as if it were 1.0.
        let plain = Version::V1_0;
        let (send, receive) = self.pulse.intervals();
        let out = io.out.buf();
        put_head(out, Command::Connected);
        put_header(out, "version", self.version.text(), plain);
        put_header(out, "server", SERVER, plain);
        put_header(out, "session", &format!("keepmq-{}", self.options.connection), plain);
        put_header(out, "heart-beat", &format!("{send},{receive}"), plain);
        if let Some(request) = request {
            put_header(out, "response-id", request, plain);
            put_header(out, "receipt-id", request, plain);
        }
        out.extend_from_slice(b"\n");
        put_end(out);
    }
}
