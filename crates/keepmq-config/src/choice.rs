//! Options that are one of a few words.

use toml::Spanned;
use toml::de::DeValue;

use crate::findings::Findings;
use crate::nearest::nearest;
use crate::option::Setting;
use crate::value::{quoted, text};

/// What a listener speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protocol {
    /// AMQP 1.0.
    Amqp,
    /// The web console and the API.
    Console,
    /// MQTT 3.1.1 and 5.
    Mqtt,
    /// `ActiveMQ`'s own.
    OpenWire,
    /// STOMP 1.0 to 1.2.
    Stomp,
    /// STOMP and MQTT inside of a `WebSocket`.
    WebSocket,
}

impl Protocol {
    /// All that have a name, those too that this version does not speak.
    pub const ALL: [Self; 6] =
        [Self::Amqp, Self::Console, Self::Mqtt, Self::OpenWire, Self::Stomp, Self::WebSocket];

    /// Its name in the file.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Amqp => "amqp",
            Self::Console => "console",
            Self::Mqtt => "mqtt",
            Self::OpenWire => "openwire",
            Self::Stomp => "stomp",
            Self::WebSocket => "websocket",
        }
    }

    /// The one of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|protocol| protocol.name() == name)
    }

    /// Those that this version speaks.
    pub const AVAILABLE: [Self; 3] = [Self::Mqtt, Self::OpenWire, Self::Stomp];

    /// Whether this version speaks it.
    pub fn is_available(self) -> bool {
        Self::AVAILABLE.contains(&self)
    }

    /// The port that it has everywhere (Amazon MQ's, for TLS).
    pub const fn port(self, tls: bool) -> u16 {
        match (self, tls) {
            (Self::Amqp, true) => 5671,
            (Self::Amqp, false) => 5672,
            (Self::Console, true) => 8162,
            (Self::Console, false) => 8161,
            (Self::Mqtt, true) => 8883,
            (Self::Mqtt, false) => 1883,
            (Self::OpenWire, true) => 61617,
            (Self::OpenWire, false) => 61616,
            (Self::Stomp, true) => 61614,
            (Self::Stomp, false) => 61613,
            (Self::WebSocket, true) => 61619,
            (Self::WebSocket, false) => 61618,
        }
    }
}

impl Setting for Protocol {
    const FORM: &'static str = "\"openwire\", \"stomp\" or \"mqtt\"";

    fn read(value: &Spanned<DeValue<'_>>, findings: &mut Findings<'_>) -> Option<Self> {
        let protocol = one_of(value, &Self::ALL, Self::name, Self::FORM, findings)?;
        if !protocol.is_available() {
            let what = format!("{} is not available yet in this version", quoted(protocol.name()));
            findings.fault("not-available", Some(&value.span()), what, format!("write {}", Self::FORM));
            return None;
        }
        Some(protocol)
    }

    fn show(&self) -> Option<String> {
        Some(quoted(self.name()))
    }
}

/// What happens when an MQTT 3.1.1 client publishes what it may not: its protocol has no word for that.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RefusedPublish {
    /// The connection ends, so that the client learns of it.
    #[default]
    Close,
    /// It is acknowledged, dropped and counted, as `ActiveMQ` does. The client believes that it was delivered.
    Acknowledge,
}

impl RefusedPublish {
    const fn name(self) -> &'static str {
        match self {
            Self::Close => "close",
            Self::Acknowledge => "acknowledge",
        }
    }
}

impl Setting for RefusedPublish {
    const FORM: &'static str = "\"close\" or \"acknowledge\"";

    fn read(value: &Spanned<DeValue<'_>>, findings: &mut Findings<'_>) -> Option<Self> {
        one_of(value, &[Self::Close, Self::Acknowledge], Self::name, Self::FORM, findings)
    }

    fn is_weak(&self) -> bool {
        *self == Self::Acknowledge
    }

    fn show(&self) -> Option<String> {
        Some(quoted(self.name()))
    }
}

fn one_of<T: Copy>(
    value: &Spanned<DeValue<'_>>,
    all: &[T],
    name: fn(T) -> &'static str,
    form: &str,
    findings: &mut Findings<'_>,
) -> Option<T> {
    let written = text(value, form, findings)?;
    let found = all.iter().copied().find(|one| name(*one) == written);
    if found.is_none() {
        let remedy = match nearest(written, all.iter().map(|one| name(*one))) {
            Some(meant) => format!("did you mean \"{meant}\"? Write {form}"),
            None => format!("write {form}"),
        };
        findings.fault("choice", Some(&value.span()), format!("{} is not known", quoted(written)), remedy);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reading::{fault_of, read_one};

    #[test]
    fn each_protocol_has_ports_of_its_own() {
        let mut ports: Vec<u16> =
            Protocol::ALL.iter().flat_map(|protocol| [protocol.port(true), protocol.port(false)]).collect();
        ports.sort_unstable();
        ports.dedup();
        assert_eq!(ports.len(), 12);
        assert_eq!((Protocol::Mqtt.port(true), Protocol::Stomp.port(true)), (8883, 61614));
        assert_eq!((Protocol::Mqtt.port(false), Protocol::Stomp.port(false)), (1883, 61613));
    }

    #[test]
    fn protocols_are_known_by_name() {
        for protocol in Protocol::ALL {
            assert_eq!(Protocol::named(protocol.name()), Some(protocol));
        }
        assert_eq!(Protocol::named("MQTT"), None);
    }

    #[test]
    fn a_protocol_of_a_later_version_is_refused_by_name() {
        for name in ["amqp", "websocket", "console"] {
            let (code, what, _) = fault_of::<Protocol>(&format!("\"{name}\""));
            assert_eq!(code, "not-available");
            assert!(what.contains(name) && what.contains("not available yet"));
        }
    }

    #[test]
    fn a_slip_is_recognised() {
        let (code, what, remedy) = fault_of::<Protocol>("\"mqt\"");
        assert_eq!((code, &*what), ("choice", "\"mqt\" is not known"));
        assert!(remedy.contains("did you mean \"mqtt\""));
        assert_eq!(fault_of::<RefusedPublish>("\"drop\"").0, "choice");
        assert_eq!(fault_of::<RefusedPublish>("true").0, "type");
    }

    #[test]
    fn a_refused_publish_closes_unless_told_otherwise() {
        assert_eq!(RefusedPublish::default(), RefusedPublish::Close);
        assert_eq!(read_one::<RefusedPublish>("\"acknowledge\""), Some(RefusedPublish::Acknowledge));
    }
}
