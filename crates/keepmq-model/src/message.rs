//! Messages: facts the core reads, the sender's own bytes, and a view that is made when somebody needs it.

use std::fmt;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;

use crate::Text;
use crate::destination::Destination;
use crate::meter::{Charge, Meter};
use crate::session::Formats;
use crate::view::View;

/// Priority of a message that states none (JMS 1.1, section 3.4.10).
pub const DEFAULT_PRIORITY: u8 = 4;
/// Highest priority.
pub const MAX_PRIORITY: u8 = 9;

/// The broker's own name for a message: unique as long as its store lives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageId {
    /// How often the store had been opened when the message came.
    pub epoch: u64,
    /// Counts the messages of that time.
    pub number: u64,
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ID:keepmq-{:x}-{}", self.epoch, self.number)
    }
}

/// The wire protocol that a message's bytes are in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Protocol {
    /// STOMP 1.0, 1.1, 1.2.
    Stomp = 1,
    /// MQTT 3.1, 3.1.1, 5.
    Mqtt = 2,
    /// OpenWire 1 to 12.
    OpenWire = 3,
    /// AMQP 1.0.
    Amqp = 4,
    /// The broker itself: `head` is empty, `body` is text.
    Broker = 5,
}

impl Protocol {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Stomp, Self::Mqtt, Self::OpenWire, Self::Amqp, Self::Broker];

    /// The protocol with this number.
    pub fn from_u8(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|protocol| *protocol as u8 == number)
    }

    /// Its name as operators write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Stomp => "stomp",
            Self::Mqtt => "mqtt",
            Self::OpenWire => "openwire",
            Self::Amqp => "amqp",
            Self::Broker => "broker",
        }
    }
}

/// A message in its sender's own form, freed of that connection's negotiation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Native {
    /// Whose form it is.
    pub protocol: Protocol,
    /// Version of the layout of `head`, chosen by the protocol's crate: stored messages outlive the code.
    pub layout: u8,
    /// Headers and properties.
    pub head: Bytes,
    /// The body as it came, untouched.
    pub body: Bytes,
}

/// Membership in a message group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The group.
    pub id: Text,
    /// Place in the group; -1 closes it.
    pub sequence: i32,
}

/// When to deliver a message that is not for now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Schedule {
    /// Milliseconds from admission to the first delivery.
    pub delay_ms: u64,
    /// Milliseconds between deliveries.
    pub period_ms: u64,
    /// How often it is delivered again.
    pub repeat: u32,
    /// A cron expression; empty when there is none.
    pub cron: Text,
}

/// Facts that few messages have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Extras {
    /// Membership in a message group.
    pub group: Option<Group>,
    /// When to deliver it.
    pub schedule: Option<Schedule>,
    /// The sender's name among those of its user, and its number there, by which a copy is known that it sends again. Read
    /// of durable messages outside of transactions, and gone once the message is admitted.
    pub duplicate: Option<(Text, u64)>,
}

/// What the core always reads of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// Set at admission.
    pub id: MessageId,
    /// Where the sender sent it.
    pub destination: Destination,
    /// Whether it must survive a crash.
    pub durable: bool,
    /// 0 to 9, 9 first.
    pub priority: u8,
    /// Milliseconds since 1970 after which nobody wants it; 0 is never.
    pub expires_ms: u64,
    /// Milliseconds since 1970 when it was sent; set at admission when the sender gave none.
    pub timestamp_ms: u64,
    /// The sender's validated user name; set at admission, whatever the sender wrote.
    pub user: Option<Arc<str>>,
    /// Facts that few messages have.
    pub extras: Option<Box<Extras>>,
}

impl Envelope {
    /// An envelope with defaults: not durable, priority 4, no expiry.
    pub fn new(destination: Destination) -> Self {
        Self {
            id: MessageId::default(),
            destination,
            durable: false,
            priority: DEFAULT_PRIORITY,
            expires_ms: 0,
            timestamp_ms: 0,
            user: None,
            extras: None,
        }
    }

    /// Whether nobody wants it any more.
    pub fn is_expired(&self, unix_ms: u64) -> bool {
        self.expires_ms != 0 && self.expires_ms <= unix_ms
    }
}

/// A message. Immutable once admitted; shared by everyone who holds it.
#[derive(Debug)]
pub struct Message {
    /// Facts for the core.
    pub envelope: Envelope,
    /// The sender's bytes.
    pub native: Native,
    view: OnceLock<Box<View>>,
    charge: Option<Charge>,
}

impl Message {
    /// A message that nobody has admitted yet.
    pub fn new(envelope: Envelope, native: Native) -> Self {
        Self { envelope, native, view: OnceLock::new(), charge: None }
    }

    /// Properties and body in common terms; made at most once.
    pub fn view(&self, formats: &Formats) -> &View {
        self.view.get_or_init(|| Box::new(formats.view(&self.envelope, &self.native)))
    }

    /// What it costs in memory, roughly.
    pub fn cost(&self) -> u64 {
        const FIXED: usize = 192;
        (self.native.head.len() + self.native.body.len() + FIXED) as u64
    }

    /// Counts the message on this meter until the last holder lets go of it.
    pub fn charge(&mut self, meter: &Arc<Meter>) {
        self.charge = Some(Charge::new(meter, self.cost()));
    }
}

/// Why a message was put aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum DeadCause {
    /// Nobody took it in time.
    Expired = 1,
    /// A consumer refused it for good.
    Rejected = 2,
    /// It was given back too often.
    TooManyRedeliveries = 3,
}

impl DeadCause {
    /// The cause with this number.
    pub fn from_u8(number: u8) -> Option<Self> {
        [Self::Expired, Self::Rejected, Self::TooManyRedeliveries]
            .into_iter()
            .find(|cause| *cause as u8 == number)
    }

    /// In words, as clients read it.
    pub fn text(self) -> &'static str {
        match self {
            Self::Expired => "the message expired",
            Self::Rejected => "a consumer rejected the message",
            Self::TooManyRedeliveries => "the message was given back too often",
        }
    }
}

/// What a dead letter remembers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// Why it is here.
    pub cause: DeadCause,
    /// Where it was.
    pub from: Destination,
    /// The consumer's words, when it gave some.
    pub detail: Text,
    /// Milliseconds since 1970 when it expired; 0 when that is not why it is here.
    pub expired_ms: u64,
}

/// The name by which clients find why a message was put aside (`ActiveMQ`'s).
pub const DEAD_CAUSE_PROPERTY: &str = "dlqDeliveryFailureCause";

/// The name by which clients find when a dead letter expired (`ActiveMQ`'s).
pub const EXPIRED_PROPERTY: &str = "originalExpiration";

impl DeadLetter {
    /// Why it is here: in the consumer's words, when it gave some.
    pub fn why(&self) -> &str {
        if self.detail.is_empty() { self.cause.text() } else { &self.detail }
    }
}

/// What the broker notes of a message beside its bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    /// How often it was handed out before.
    pub redeliveries: u32,
    /// Kept by its topic for later subscribers, and sent as such.
    pub retained: bool,
    /// It is the first of its message group for this consumer.
    pub first_of_group: bool,
    /// Set on a dead letter.
    pub dead: Option<Box<DeadLetter>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message() -> Message {
        let native = Native {
            protocol: Protocol::Broker,
            layout: 0,
            head: Bytes::new(),
            body: Bytes::from_static(b"hello"),
        };
        Message::new(Envelope::new(Destination::queue("q").unwrap()), native)
    }

    #[test]
    fn memory_is_given_back_with_the_last_holder() {
        let meter = Arc::new(Meter::default());
        let mut message = message();
        message.charge(&meter);
        let cost = message.cost();
        let one = Arc::new(message);
        let other = Arc::clone(&one);
        drop(one);
        assert_eq!(meter.bytes(), cost);
        drop(other);
        assert_eq!(meter.bytes(), 0);
    }

    #[test]
    fn charging_twice_counts_once() {
        let meter = Arc::new(Meter::default());
        let mut message = message();
        message.charge(&meter);
        message.charge(&meter);
        assert_eq!(meter.bytes(), message.cost());
    }

    #[test]
    fn zero_means_no_expiry() {
        let mut envelope = Envelope::new(Destination::queue("q").unwrap());
        assert!(!envelope.is_expired(u64::MAX));
        envelope.expires_ms = 10;
        assert!(!envelope.is_expired(9) && envelope.is_expired(10));
    }

    #[test]
    fn protocol_numbers_are_stable() {
        let numbers: Vec<u8> = Protocol::ALL.into_iter().map(|p| p as u8).collect();
        assert_eq!(numbers, [1, 2, 3, 4, 5]);
        assert!(Protocol::ALL.into_iter().all(|p| Protocol::from_u8(p as u8) == Some(p)));
        assert_eq!(Protocol::from_u8(0), None);
    }
}
