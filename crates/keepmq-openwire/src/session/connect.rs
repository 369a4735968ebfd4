//! Agreeing on the wire format, and login (sections 3 and 8).

use std::sync::Arc;

use bytes::Bytes;
use keepmq_model::{Closing, Io, Login, Refusal, RefusalKind, Secret, Verb};
use zeroize::Zeroize;

use super::pulse::Pulse;
use super::{OpenWireSession, Phase};
use crate::codec::negotiation::Offer;
use crate::codec::{BrokerId, BrokerInfo, Command, ConnectionControl, ConnectionInfo, JavaText};
use crate::refusal::{Subject, malformed};

/// The session of the connection itself, which no client tells of (section 3).
pub(super) const OWN_SESSION: i64 = -1;

impl OpenWireSession {
    /// The first command must be the other side's wire format. Ours is the first answer: clients send theirs unasked.
    pub(super) fn greet(&mut self, command: &Command, io: &mut Io<'_>) {
        let Command::WireFormatInfo(info) = command else {
            let text = "the first command must tell the wire format".to_owned();
            return self.close(Closing::Fault(text));
        };
        let offer = &self.options.offer;
        let agreed = Offer::read(info).and_then(|theirs| offer.negotiate(&theirs));
        let ours = Command::WireFormatInfo(Box::new(offer.info(env!("CARGO_PKG_VERSION"))));
        self.format.encode(&ours, io.out);
        match agreed {
            Ok(agreed) => {
                self.format.negotiated(&agreed);
                self.agreed = Some(agreed);
                self.phase = Phase::Greeted;
                self.introduce(io);
            }
            Err(text) => self.close(Closing::Fault(text.to_owned())),
        }
    }

    /// Clients wait for it in some calls, so it is always sent (section 3).
    fn introduce(&mut self, io: &mut Io<'_>) {
        let broker = &self.options.broker;
        let info = BrokerInfo {
            broker_id: Some(BrokerId { value: Some((&*broker.id).into()) }),
            broker_url: Some((&*broker.url).into()),
            broker_name: Some((&*broker.name).into()),
            ..BrokerInfo::default()
        };
        self.format.encode(&Command::BrokerInfo(Box::new(info)), io.out);
    }

    pub(super) fn log_in(&mut self, command: Command, io: &mut Io<'_>) {
        match command {
            Command::ConnectionInfo(info) => self.connect(*info, io),
            Command::KeepAliveInfo(info) => self.answer_sign(info.response_required, io),
            Command::ShutdownInfo(_) => self.close(Closing::Asked),
            // A failover client says that it is one, before anything else (section 3).
            Command::ConnectionControl(control) => self.fails_over = control.fault_tolerant,
            Command::ConnectionError(_) => {}
            _ => {
                let text = "log in first: send ConnectionInfo";
                let refusal = Refusal::new(RefusalKind::Unauthenticated, text);
                self.break_off(&refusal, &Subject::Other, None, io);
            }
        }
    }

    fn connect(&mut self, mut info: ConnectionInfo, io: &mut Io<'_>) {
        let (reply, manageable, password) = (info.command_id, info.manageable, info.password.take());
        self.fails_over |= info.fault_tolerant;
        let login = self.login(&info);
        let connection = info.connection_id.take().and_then(|id| id.value);
        self.connection = connection.map(|id| JavaText::from(&*id.to_str()));
        // Nothing else of the frame is left: what holds the password is nobody else's.
        drop(info);
        let password = password.map(secret);
        match login {
            Ok(login) => {
                self.client_id.clone_from(&login.client_id);
                self.phase = Phase::LoggingIn(reply, manageable);
                io.say.push(Verb::Login(Box::new(Login { password, ..login })));
            }
            Err(refusal) => self.break_off(&refusal, &Subject::Login("".into()), Some(reply), io),
        }
    }

    /// Who it is, but for the password.
    fn login(&self, info: &ConnectionInfo) -> Result<Login, Refusal> {
        let most = self.options.limits.id;
        let own = |text: &Option<JavaText>, what: &str| match text {
            Some(text) if text.bytes().len() > most => {
                Err(malformed(format!("the {what} has over {most} bytes")))
            }
            Some(text) => Ok(Some(text.to_str().into_owned())),
            None => Ok(None),
        };
        let connection = info.connection_id.as_ref().and_then(|id| id.value.clone());
        if own(&connection, "connection id")?.is_none_or(|id| id.is_empty()) {
            return Err(malformed("the connection has no id"));
        }
        let client_id = own(&info.client_id, "client id")?.filter(|id| !id.is_empty());
        let client_id = client_id.ok_or(malformed("No clientID specified for connection request"))?;
        if !Login::is_client_id(&client_id) {
            return Err(malformed("the client id holds a wildcard or a control character"));
        }
        Ok(Login {
            user: own(&info.user_name, "user name")?.map(Into::into),
            password: None,
            client_id: Some(Arc::from(client_id)),
            // The connection that it had may not have been missed yet (section 3).
            take_over: info.failover_reconnect,
        })
    }

    /// The login succeeded.
    pub(super) fn welcome(&mut self, io: &mut Io<'_>) {
        let Phase::LoggingIn(reply, manageable) = self.phase else { return };
        self.phase = Phase::Open;
        self.format.logged_in(self.options.limits.frame);
        self.sessions.push(OWN_SESSION);
        if let Some(agreed) = &self.agreed {
            self.pulse = Pulse::agree(agreed.max_inactivity_ms, agreed.initial_delay_ms, io.now);
        }
        self.respond(Some(reply), io);
        if manageable {
            let control =
                ConnectionControl { connected_brokers: Some("".into()), ..ConnectionControl::default() };
            self.format.encode(&Command::ConnectionControl(Box::new(control)), io.out);
        }
    }
}

/// Takes a password out of the frame that it came in, and wipes it there.
fn secret(password: JavaText) -> Secret {
    let secret = Secret::new(password.to_str().into_owned().into_bytes());
    let wiped = wipe(password.into_bytes());
    debug_assert!(wiped, "a frame of a login is shared with nobody");
    secret
}

/// Wipes bytes, if nobody else holds them.
fn wipe(bytes: Bytes) -> bool {
    if bytes.is_empty() {
        return true;
    }
    let own = bytes.try_into_mut().map(|mut bytes| bytes.as_mut().zeroize());
    own.is_ok()
}
