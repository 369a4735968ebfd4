//! From CONNECT to CONNACK, and what is done when the connection is over.

use std::sync::Arc;

use bytes::{Buf, Bytes, BytesMut};
use keepmq_model::{
    Attach, Closing, Flow, Io, LOGIN_BYTES, Login, Publish, Refusal, Resumed, Secret, Source,
    SubscriptionName, Taking, Verb,
};
use zeroize::Zeroize;

use super::account::Account;
use super::asked::Asked;
use super::{LINK, Link, MqttSession, Phase, inbound};
use crate::codec::{ConnAck, Connect, ConnectCode, Fault, Header, PacketType, Version, Will};
use crate::{refusal, topic};

/// Longest client id in bytes. The specification asks for 23 at least [MQTT-3.1.3-5].
const LONGEST_CLIENT_ID: usize = 256;
/// What the subscription of a session is called among its client's subscriptions.
const SUBSCRIPTION: &str = "$mqtt";

/// What a CONNECT asked for, until it is answered.
#[derive(Debug)]
pub(super) struct Hello {
    client_id: Arc<str>,
    /// Whether the client gave the id itself.
    named: bool,
    clean: bool,
    keep_alive_s: u16,
    will: Option<Box<Publish>>,
}

impl MqttSession {
    /// Waits for CONNECT, and decodes nothing else [MQTT-3.1.0-1].
    pub(super) fn greet(&mut self, input: &mut BytesMut, io: &mut Io<'_>) -> Flow {
        match self.try_greet(input, io) {
            Ok(flow) => flow,
            Err(fault) => {
                if let Some(code) = fault.connect_code() {
                    ConnAck::refused(code).encode(io.out.buf()); // [MQTT-3.1.2-2], [MQTT-3.1.3-8], [MQTT-3.1.3-9]
                }
                self.close(fault.to_string()) // [MQTT-3.2.2-5]
            }
        }
    }

    fn try_greet(&mut self, input: &mut BytesMut, io: &mut Io<'_>) -> Result<Flow, Fault> {
        match input.first().map(|first| first >> 4) {
            Some(number) if number != PacketType::Connect as u8 => return Err(Fault::NotConnect(number)),
            _ => {}
        }
        let limit = LOGIN_BYTES.min(self.max_packet());
        let Some(header) = Header::read(Version::V311, input, limit)? else {
            return Ok(Flow::Continue);
        };
        let Some(frame) = input.get_mut(..header.total()) else {
            return Ok(Flow::Continue);
        };
        let said = Connect::decode(frame.get(header.start..).unwrap_or_default())
            .and_then(|connect| self.hear(&connect, io));
        // The read buffer lives on, and a password stands in it.
        frame.zeroize();
        input.advance(header.total());
        said.map(|()| Flow::Pause)
    }

    fn hear(&mut self, connect: &Connect<'_>, io: &mut Io<'_>) -> Result<(), Fault> {
        let named = !connect.client_id.is_empty();
        let client_id = self.client_id(connect)?;
        let will = connect.will.as_ref().map(read_will).transpose()?;
        self.version = connect.version;
        io.say.push(Verb::Login(Box::new(Login {
            user: connect.user.map(Into::into),
            password: connect.password.map(|password| Secret::new(password.0.to_vec())),
            client_id: Some(Arc::clone(&client_id)),
            take_over: true, // [MQTT-3.1.4-2]
        })));
        self.phase = Phase::LoggingIn(Box::new(Hello {
            client_id,
            named,
            clean: connect.clean_session,
            keep_alive_s: connect.keep_alive,
            will,
        }));
        Ok(())
    }

    /// The client's id, or one made for it. MQTT 3.1 knew no clients without an id, and a session that is to be resumed
    /// needs one [MQTT-3.1.3-7].
    fn client_id(&self, connect: &Connect<'_>) -> Result<Arc<str>, Fault> {
        let id = connect.client_id;
        if id.is_empty() && connect.clean_session && connect.version != Version::V31 {
            return Ok(format!("auto-{}", self.options.connection).into()); // [MQTT-3.1.3-6]
        }
        if id.len() > LONGEST_CLIENT_ID || !Login::is_client_id(id) {
            return Err(Fault::ClientId);
        }
        Ok(id.into())
    }

    /// The login succeeded: an older session is removed or taken up.
    pub(super) fn welcome(&mut self, io: &mut Io<'_>) -> Flow {
        let Phase::LoggingIn(hello) = std::mem::replace(&mut self.phase, Phase::Over) else {
            return self.close("a login that nobody asked for".to_owned());
        };
        self.durable = !hello.clean;
        self.account = Account::new(self.durable);
        let name = SubscriptionName { client_id: Arc::clone(&hello.client_id), name: SUBSCRIPTION.into() };
        let made_up = !hello.named;
        self.phase = Phase::Opening(hello);
        if self.durable {
            self.attach(Source::Durable { name, filters: None }, io);
        } else if made_up {
            // Nobody can have left a session under an id that was made for this connection.
            return self.open(None, io);
        } else {
            let tag = Asked::Forget.tag();
            io.say.push(Verb::Forget { name, tag }); // [MQTT-3.1.2-6]
        }
        Flow::Pause
    }

    /// Opens the session's only link.
    pub(super) fn attach(&mut self, source: Source, io: &mut Io<'_>) {
        self.link = Link::Open;
        let taking = if self.durable { Taking::Unsettled } else { Taking::Settled };
        io.say.push(Verb::Attach(Box::new(Attach {
            link: LINK,
            tag: Asked::Attach.tag(),
            source,
            taking,
            credit: u32::from(self.options.window),
            refill: self.durable,
            priority: 0,
            exclusive: false,
            selector: None,
            no_local: false,
        })));
    }

    /// The session is there: CONNACK, the first packet to the client [MQTT-3.2.0-1], and then what is left of the time before.
    pub(super) fn open(&mut self, resumed: Option<Box<Resumed>>, io: &mut Io<'_>) -> Flow {
        let Phase::Opening(hello) = std::mem::replace(&mut self.phase, Phase::Open) else {
            return self.close("a session that nobody asked for".to_owned());
        };
        self.keep_alive_s = hello.keep_alive_s;
        self.heard_ms = io.now.mono_ms;
        self.will = hello.will;
        let ack = ConnAck {
            // [MQTT-3.2.2-1], [MQTT-3.2.2-2], [MQTT-3.2.2-3]; MQTT 3.1 has no such flag.
            session_present: resumed.is_some() && self.version != Version::V31,
            code: ConnectCode::Accepted,
        };
        ack.encode(io.out.buf());
        if let Some(resumed) = resumed {
            self.filters.restore(&resumed.filters);
            self.restore_notes(&resumed.notes, io);
        }
        Flow::Continue
    }

    /// No to a CONNECT, in its own words [MQTT-3.2.2-4], [MQTT-3.2.2-5].
    pub(super) fn turn_away(&mut self, refusal: &Refusal, io: &mut Io<'_>) -> Flow {
        let code = refusal::row(refusal.kind, self.options.refused_publish).connect;
        ConnAck::refused(code).encode(io.out.buf());
        self.close(refusal.to_string())
    }

    /// The session ends by its own decision.
    pub(super) fn close(&mut self, why: String) -> Flow {
        self.phase = Phase::Over;
        Flow::Close(Closing::Fault(why))
    }

    /// DISCONNECT (section 3.14): the will is forgotten [MQTT-3.14.4-3].
    pub(super) fn disconnect(&mut self) -> Flow {
        self.will = None;
        self.phase = Phase::Over;
        Flow::Close(Closing::Asked)
    }
}

/// [MQTT-3.1.2-9], [MQTT-3.1.2-16], [MQTT-3.1.2-17]. Nobody will be left to hear an answer, so none is asked for.
fn read_will(will: &Will<'_>) -> Result<Box<Publish>, Fault> {
    let destination = topic::destination(will.topic.as_bytes())?;
    let payload = Bytes::copy_from_slice(will.payload);
    Ok(Box::new(inbound::publish(destination, will.qos, will.retain, payload)))
}
