//! The client's side of the three protocols, no more of them than a load generator says and hears.
//!
//! It is written for one purpose: to cost far less than the broker that is measured. A publish is a prepared head, a
//! number patched into it and the body; what is received is looked at where it lies in the read buffer.

mod mqtt;
mod openwire;
mod stomp;

pub(crate) use mqtt::Mqtt;
pub(crate) use openwire::OpenWire;
pub(crate) use stomp::Stomp;

/// Who says what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// Name of the user.
    pub user: String,
    /// The user's password.
    pub password: String,
}

/// Protocols that can be spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Protocol {
    /// STOMP 1.2
    Stomp,
    /// MQTT 3.1.1
    Mqtt,
    /// OpenWire 12
    Openwire,
}

impl Protocol {
    /// As on the command line, for reports and client ids.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Stomp => "stomp",
            Self::Mqtt => "mqtt",
            Self::Openwire => "openwire",
        }
    }
}

/// How a consumer of STOMP or OpenWire acknowledges.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum AckMode {
    /// not at all: delivered is done; with OpenWire, which has no such way, every message as it comes
    Auto,
    /// the last of every batch that was read, for all before it
    Client,
    /// every message by itself
    ClientIndividual,
}

/// How to speak, the same for all connections of a run.
#[derive(Clone, Debug)]
pub(crate) struct Manner {
    pub(crate) protocol: Protocol,
    /// MQTT: of publishes and of subscriptions.
    pub(crate) qos: u8,
    /// STOMP and OpenWire: whether messages are marked persistent.
    pub(crate) persistent: bool,
    /// STOMP and OpenWire: whether every publish asks for an answer.
    pub(crate) receipts: bool,
    pub(crate) ack: AckMode,
    /// STOMP and OpenWire: how many messages the broker may send ahead of their acknowledgement.
    pub(crate) prefetch: Option<u32>,
    /// STOMP: the `host` of the login.
    pub(crate) virtual_host: String,
}

/// What the broker answered while a connection is made ready.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reply {
    /// The login was accepted.
    Welcome,
    /// The subscription stands.
    Subscribed,
    /// Everything that was sent before the question was seen.
    Settled,
    /// No, and why.
    Refused(String),
    /// Something else, to be read later.
    Other,
}

/// Takes what arrives in the course of a run.
pub(crate) trait Sink {
    /// A message. An error ends the run.
    fn message(&mut self, body: &[u8]);
    /// The publish with the number of this place in the window is safe.
    fn accepted(&mut self, place: u32) -> Result<(), Fault>;
    /// The broker has seen everything that was sent before the question.
    fn settled(&mut self);
}

/// Why a conversation can't go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// What was received is not the protocol.
    Malformed(String),
    /// The broker said no, in these words.
    Refused(String),
}

/// One connection's end of the conversation.
#[derive(Debug)]
pub(crate) enum Wire {
    Mqtt(Mqtt),
    Stomp(Stomp),
    OpenWire(OpenWire),
}

impl Wire {
    /// For one that publishes bodies of `size` bytes or subscribes.
    pub(crate) fn new(manner: &Manner, destination: &str, size: usize) -> Self {
        match manner.protocol {
            Protocol::Mqtt => Self::Mqtt(Mqtt::new(destination, manner.qos, size)),
            Protocol::Stomp => Self::Stomp(Stomp::new(manner, destination, size)),
            Protocol::Openwire => Self::OpenWire(OpenWire::new(manner, destination, size)),
        }
    }

    /// Asks to be let in.
    pub(crate) fn connect(&self, out: &mut Vec<u8>, client_id: &str, login: Option<&Login>) {
        match self {
            Self::Mqtt(mqtt) => mqtt.connect(out, client_id, login),
            Self::Stomp(stomp) => stomp.connect(out, login),
            Self::OpenWire(openwire) => openwire.connect(out, client_id, login),
        }
    }

    /// Asks for messages.
    pub(crate) fn subscribe(&self, out: &mut Vec<u8>) {
        match self {
            Self::Mqtt(mqtt) => mqtt.subscribe(out),
            Self::Stomp(stomp) => stomp.subscribe(out),
            Self::OpenWire(openwire) => openwire.subscribe(out),
        }
    }

    /// Asks for a sign that everything before was seen.
    pub(crate) fn settle(&self, out: &mut Vec<u8>) {
        match self {
            Self::Mqtt(_) => mqtt::ping(out),
            Self::Stomp(_) => stomp::farewell(out),
            Self::OpenWire(openwire) => openwire.question(out),
        }
    }

    /// Says goodbye, after that sign.
    pub(crate) fn leave(&self, out: &mut Vec<u8>) {
        match self {
            Self::Mqtt(_) => mqtt::disconnect(out),
            // The question was the goodbye already, and nothing may follow it.
            Self::Stomp(_) => out.clear(),
            Self::OpenWire(openwire) => openwire.leave(out),
        }
    }

    /// Begins a publish from this place in the window; the body and [`Self::end_publish`] follow.
    pub(crate) fn begin_publish(&self, out: &mut Vec<u8>, place: u32) {
        match self {
            Self::Mqtt(mqtt) => mqtt.begin_publish(out, place),
            Self::Stomp(stomp) => stomp.begin_publish(out, place),
            Self::OpenWire(openwire) => openwire.begin_publish(out, place),
        }
    }

    /// Ends a publish.
    pub(crate) fn end_publish(&self, out: &mut Vec<u8>) {
        match self {
            Self::Mqtt(_) => {}
            Self::Stomp(_) => out.push(0),
            Self::OpenWire(openwire) => openwire.end_publish(out),
        }
    }

    /// Reads one answer, if it is there whole, and tells its length.
    pub(crate) fn reply(&self, input: &[u8]) -> Result<Option<(Reply, usize)>, Fault> {
        match self {
            Self::Mqtt(_) => mqtt::reply(input),
            Self::Stomp(_) => stomp::reply(input),
            Self::OpenWire(_) => openwire::reply(input),
        }
    }

    /// Takes everything that is there whole, writes what must be said to it, and tells how many bytes it was.
    pub(crate) fn take(&self, input: &[u8], out: &mut Vec<u8>, sink: &mut impl Sink) -> Result<usize, Fault> {
        match self {
            Self::Mqtt(_) => mqtt::take(input, out, sink),
            Self::Stomp(stomp) => stomp.take(input, out, sink),
            Self::OpenWire(openwire) => openwire.take(input, out, sink),
        }
    }
}

#[cfg(test)]
mod tests;
