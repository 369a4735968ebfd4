//! What a selector can name.

use std::fmt;

/// A header that the broker knows by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Header {
    /// The sender's id for the message, else the broker's; a text.
    MessageId,
    /// Where it was sent, such as `queue://orders`.
    Destination,
    /// Where answers go, such as `queue://answers`.
    ReplyTo,
    /// The id of the message that it belongs to.
    CorrelationId,
    /// The sender's word for its purpose.
    Type,
    /// 0 to 9.
    Priority,
    /// `'PERSISTENT'` or `'NON_PERSISTENT'`.
    DeliveryMode,
    /// Milliseconds since 1970 when it was sent.
    Timestamp,
    /// Milliseconds since 1970 after which nobody wants it; 0 is never.
    Expiration,
    /// Whether it was handed out before.
    Redelivered,
    /// How often it is handed out with this time.
    DeliveryCount,
    /// The message group.
    GroupId,
    /// Place in the message group.
    GroupSequence,
    /// The sender's validated user name.
    UserId,
}

impl Header {
    /// All of them with their names.
    pub const ALL: [(Self, &'static str); 14] = [
        (Self::MessageId, "JMSMessageID"),
        (Self::Destination, "JMSDestination"),
        (Self::ReplyTo, "JMSReplyTo"),
        (Self::CorrelationId, "JMSCorrelationID"),
        (Self::Type, "JMSType"),
        (Self::Priority, "JMSPriority"),
        (Self::DeliveryMode, "JMSDeliveryMode"),
        (Self::Timestamp, "JMSTimestamp"),
        (Self::Expiration, "JMSExpiration"),
        (Self::Redelivered, "JMSRedelivered"),
        (Self::DeliveryCount, "JMSXDeliveryCount"),
        (Self::GroupId, "JMSXGroupID"),
        (Self::GroupSequence, "JMSXGroupSeq"),
        (Self::UserId, "JMSXUserID"),
    ];

    /// Its name in selectors.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(header, _)| *header == self).map_or("", |(_, name)| *name)
    }

    /// Whether only the decoded message tells it.
    pub fn needs_view(self) -> bool {
        matches!(self, Self::MessageId | Self::ReplyTo | Self::CorrelationId | Self::Type)
    }
}

/// What a selector names.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Identifier {
    /// A header.
    Header(Header),
    /// A property of the application. Names of ActiveMQ that the broker does not know (`JMSXProducerTXID`,
    /// `JMSActiveMQBrokerPath` and so on) are looked for among these, too.
    Property(Box<str>),
}

impl Identifier {
    /// What this name means.
    pub fn of(name: &str) -> Self {
        match Header::ALL.iter().find(|(_, known)| *known == name) {
            Some((header, _)) => Self::Header(*header),
            None => Self::Property(name.into()),
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        match self {
            Self::Header(header) => header.name(),
            Self::Property(name) => name,
        }
    }

    /// Whether only the decoded message tells it.
    pub fn needs_view(&self) -> bool {
        match self {
            Self::Header(header) => header.needs_view(),
            Self::Property(_) => true,
        }
    }
}

impl fmt::Display for Identifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
