//! The commands that frames begin with.

/// What a frame is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Opens a connection.
    Connect,
    /// Opens a connection since 1.1; the same as [`Command::Connect`].
    Stomp,
    /// Sends a message.
    Send,
    /// Asks for a destination's messages.
    Subscribe,
    /// Asks for no more of them.
    Unsubscribe,
    /// Took a message.
    Ack,
    /// Did not take a message (since 1.1).
    Nack,
    /// Starts a transaction.
    Begin,
    /// Makes everything in a transaction happen.
    Commit,
    /// Drops everything in a transaction.
    Abort,
    /// Ends a connection.
    Disconnect,
    /// The connection is open.
    Connected,
    /// A message for a subscription.
    Message,
    /// A frame with a `receipt` header is dealt with.
    Receipt,
    /// Something went wrong.
    Error,
}

/// Whose frames are read, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// A client's first one: CONNECT or STOMP.
    Login,
    /// A client's.
    Client,
    /// A server's.
    Server,
}

impl Command {
    /// All of them.
    pub const ALL: [Self; 15] = [
        Self::Connect,
        Self::Stomp,
        Self::Send,
        Self::Subscribe,
        Self::Unsubscribe,
        Self::Ack,
        Self::Nack,
        Self::Begin,
        Self::Commit,
        Self::Abort,
        Self::Disconnect,
        Self::Connected,
        Self::Message,
        Self::Receipt,
        Self::Error,
    ];

    /// Bytes of the longest one.
    pub(crate) const LONGEST: usize = Self::Unsubscribe.text().len();

    /// As it stands on the first line of a frame.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Connect => "CONNECT",
            Self::Stomp => "STOMP",
            Self::Send => "SEND",
            Self::Subscribe => "SUBSCRIBE",
            Self::Unsubscribe => "UNSUBSCRIBE",
            Self::Ack => "ACK",
            Self::Nack => "NACK",
            Self::Begin => "BEGIN",
            Self::Commit => "COMMIT",
            Self::Abort => "ABORT",
            Self::Disconnect => "DISCONNECT",
            Self::Connected => "CONNECTED",
            Self::Message => "MESSAGE",
            Self::Receipt => "RECEIPT",
            Self::Error => "ERROR",
        }
    }

    /// Reads the first line of a frame.
    pub(crate) fn read(line: &[u8]) -> Option<Self> {
        Some(match line {
            b"SEND" => Self::Send,
            b"ACK" => Self::Ack,
            b"NACK" => Self::Nack,
            b"MESSAGE" => Self::Message,
            b"RECEIPT" => Self::Receipt,
            b"SUBSCRIBE" => Self::Subscribe,
            b"UNSUBSCRIBE" => Self::Unsubscribe,
            b"BEGIN" => Self::Begin,
            b"COMMIT" => Self::Commit,
            b"ABORT" => Self::Abort,
            b"CONNECT" => Self::Connect,
            b"STOMP" => Self::Stomp,
            b"CONNECTED" => Self::Connected,
            b"DISCONNECT" => Self::Disconnect,
            b"ERROR" => Self::Error,
            _ => return None,
        })
    }

    /// Whether this side may say it now.
    pub fn is_of(self, side: Side) -> bool {
        let login = matches!(self, Self::Connect | Self::Stomp);
        let server = matches!(self, Self::Connected | Self::Message | Self::Receipt | Self::Error);
        match side {
            Side::Login => login,
            Side::Client => !server,
            Side::Server => server,
        }
    }

    /// Whether it may carry a body ("Body" in STOMP 1.2).
    pub fn has_body(self) -> bool {
        matches!(self, Self::Send | Self::Message | Self::Error)
    }

    /// Whether names and values are escaped: never while the version is not agreed on ("Value Encoding" in STOMP
    /// 1.2).
    pub(crate) fn is_escaped(self) -> bool {
        !matches!(self, Self::Connect | Self::Stomp | Self::Connected)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_is_read_as_written() {
        for command in Command::ALL {
            assert_eq!(Command::read(command.text().as_bytes()), Some(command));
            assert!(command.text().len() <= Command::LONGEST);
        }
        for wrong in ["", "send", "SEND ", " SEND", "SENDS", "GET / HTTP/1.1", "\u{0}"] {
            assert_eq!(Command::read(wrong.as_bytes()), None, "{wrong:?}");
        }
    }

    #[test]
    fn each_side_says_its_own_commands_only() {
        let of = |side| Command::ALL.into_iter().filter(move |c| c.is_of(side)).count();
        assert_eq!((of(Side::Login), of(Side::Client), of(Side::Server)), (2, 11, 4));
        assert!(!Command::Send.is_of(Side::Login) && !Command::Message.is_of(Side::Client));
    }
}
