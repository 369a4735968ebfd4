//! The listeners of a broker: opened all together or not at all.

use std::net::TcpListener;
use std::sync::Arc;

use anyhow::Context as _;
use keepmq_config::{Fault, Ingress, Listener as Plan, Protocol, RefusedPublish, Report};
use keepmq_model::{BrokerFormat, Format, Formats, Session};
use keepmq_mqtt::{MqttFormat, MqttSession};
use keepmq_net::{Bounds, Identity, Listener, Rules, Sessions, Slots};
use keepmq_openwire::{BrokerName, OpenWireFormat, OpenWireSession};
use keepmq_stomp::{FrameLimits, HeartBeat, StompFormat, StompSession};

use super::broker::Broker;
use crate::check::Sound;

/// Part of a listener's places that connections without a login may take.
const STRANGERS_SHARE: usize = 2;

/// The formats of all protocols: each renders what came by another.
static FORMATS: [&dyn Format; 4] = [&OpenWireFormat, &StompFormat, &MqttFormat, &BrokerFormat];

/// Sockets that listen and take nothing yet.
pub(super) struct Doors(Vec<TcpListener>);

/// What the listeners are, for those who look after them.
pub(super) struct Served {
    /// Where everything is, for people.
    pub(super) lines: Vec<String>,
    /// The certificate that all of them show.
    pub(super) identity: Option<Arc<Identity>>,
    /// Each listener's rules by its name.
    pub(super) rules: Vec<(Arc<str>, Rules)>,
}

impl Doors {
    /// Opens all sockets; tells every one that can't be opened.
    pub(super) fn open<'p>(listeners: impl IntoIterator<Item = &'p Plan>) -> Result<Self, Report> {
        let (mut sockets, mut faults) = (Vec::new(), Vec::new());
        for plan in listeners {
            match Listener::open(&plan.name, plan.address) {
                Ok(socket) => sockets.push(socket),
                Err(error) => faults.push(Fault {
                    code: "port",
                    file: keepmq_config::FILE.to_owned(),
                    place: plan.place.clone(),
                    key: format!("listener.{}", plan.name),
                    what: format!("{} can't be listened on: {}", plan.address, error.cause),
                    remedy: "stop what has the port, or give the listener another one".to_owned(),
                }),
            }
        }
        if faults.is_empty() { Ok(Self(sockets)) } else { Err(Report { faults, warnings: Vec::new() }) }
    }

    /// Takes connections from now on.
    pub(super) fn serve(self, sound: &Sound, broker: &Broker) -> anyhow::Result<Served> {
        let identity = match &sound.chain {
            Some(chain) => Some(Identity::new(chain.certificates.clone(), chain.key.clone_key())?),
            None => None,
        };
        let mut served = Served { lines: Vec::new(), identity, rules: Vec::new() };
        for (plan, socket) in sound.loaded.config.listeners.iter().zip(self.0) {
            let rules = Rules::new(plan.ingress.clone());
            served.rules.push((Arc::clone(&plan.name), rules.clone()));
            served.lines.push(format!("  {:<18}  {}", describe(plan), endpoint(plan)));
            let listener = Listener {
                name: Arc::clone(&plan.name),
                ingress: rules,
                tls: served.identity.clone().filter(|_| plan.tls),
                slots: Arc::new(slots(plan)),
                bounds: Bounds {
                    login_ms: u64::try_from(plan.login_within.as_millis())?,
                    ..Bounds::default()
                },
                sessions: sessions(plan).context("this version does not speak it")?,
                gate: Arc::clone(&broker.gate),
                verifier: broker.verifier(),
                audit: broker.audit.clone(),
                tasks: broker.tasks.clone(),
            };
            listener.serve(socket).with_context(|| format!("listener {}", plan.name))?;
        }
        Ok(served)
    }
}

impl Served {
    /// Puts new rules in force; listeners that are not there any more keep theirs until the next start.
    pub(super) fn set_rules(&self, name: &str, ingress: &Ingress) {
        if let Some((_, rules)) = self.rules.iter().find(|(known, _)| **known == *name) {
            rules.set(ingress.clone());
        }
    }
}

fn slots(plan: &Plan) -> Slots {
    let strangers = (plan.max_connections / STRANGERS_SHARE).max(1);
    Slots::new(plan.max_connections, plan.max_connections_per_address, strangers)
}

fn describe(plan: &Plan) -> String {
    let plain = if plan.tls { "" } else { " without TLS" };
    format!("{}{plain}", plan.protocol.name())
}

fn endpoint(plan: &Plan) -> String {
    let scheme = match (plan.protocol, plan.tls) {
        (Protocol::Stomp, true) => "stomp+ssl",
        (Protocol::Stomp, false) => "stomp",
        (Protocol::Mqtt, true) => "mqtt+ssl",
        (Protocol::Mqtt, false) => "mqtt",
        (Protocol::OpenWire, true) => "ssl",
        (Protocol::OpenWire, false) => "tcp",
        (other, _) => other.name(),
    };
    format!("{scheme}://{}", plan.address)
}

/// How messages of every protocol are read.
pub(super) fn formats() -> Formats {
    Formats::new(&FORMATS)
}

/// Makes the sessions of a listener; `None` for a protocol that is not spoken.
fn sessions(plan: &Plan) -> Option<Sessions> {
    let formats = formats();
    match plan.protocol {
        Protocol::Stomp => {
            let mut limits = keepmq_stomp::Limits::default();
            limits.open = FrameLimits { body: plan.max_frame_bytes, ..limits.open };
            let limits = Arc::new(limits);
            Some(Arc::new(move |connection| {
                let (limits, heart_beat) = (Arc::clone(&limits), HeartBeat::default());
                let options = keepmq_stomp::Options { limits, formats, connection, heart_beat };
                Box::new(StompSession::new(options)) as Box<dyn Session>
            }))
        }
        Protocol::Mqtt => {
            let max_packet = u32::try_from(plan.max_frame_bytes).unwrap_or(u32::MAX);
            let limits = keepmq_mqtt::Limits { max_packet, ..keepmq_mqtt::Limits::default() };
            let refused_publish = match plan.refused_publish {
                RefusedPublish::Close => keepmq_mqtt::RefusedPublish::Close,
                RefusedPublish::Acknowledge => keepmq_mqtt::RefusedPublish::AcknowledgeAndDrop,
            };
            Some(Arc::new(move |connection| {
                let options = keepmq_mqtt::Options {
                    limits,
                    refused_publish,
                    formats,
                    connection,
                    ..Default::default()
                };
                Box::new(MqttSession::new(options)) as Box<dyn Session>
            }))
        }
        Protocol::OpenWire => {
            let limits = keepmq_openwire::Limits { frame: plan.max_frame_bytes, ..Default::default() };
            let offer = keepmq_openwire::Offer {
                max_frame: i64::try_from(plan.max_frame_bytes).unwrap_or(i64::MAX),
                ..Default::default()
            };
            let broker =
                BrokerName { id: "ID:keepmq".into(), name: "keepmq".into(), url: endpoint(plan).into() };
            let (limits, broker) = (Arc::new(limits), Arc::new(broker));
            Some(Arc::new(move |_| {
                let (limits, broker, offer) = (Arc::clone(&limits), Arc::clone(&broker), offer.clone());
                let options = keepmq_openwire::Options { limits, formats, broker, offer };
                Box::new(OpenWireSession::new(options)) as Box<dyn Session>
            }))
        }
        Protocol::Amqp | Protocol::Console | Protocol::WebSocket => None,
    }
}
