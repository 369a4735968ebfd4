//! What can be wrong with a frame.

use std::fmt;

/// Why bytes are not a frame. After one of these the stream can't be read on: where the next frame begins is unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The first line is no command that this side may say.
    Command,
    /// Something else than CONNECT or STOMP came before the login.
    BeforeLogin,
    /// A NUL stands among the headers: the empty line before the body is missing.
    NulInHead,
    /// A header line has no colon.
    NoColon,
    /// A header line begins with its colon.
    NoName,
    /// A backslash begins no escape of this version.
    Escape,
    /// The headers are not UTF-8.
    Utf8,
    /// `content-length` is not a plain number, or two of them differ.
    ContentLength,
    /// A frame that carries no body has one.
    Body,
    /// The byte behind the body is not NUL.
    NoNul,
    /// More header lines than allowed.
    TooManyHeaders,
    /// A header line longer than allowed.
    LongLine,
    /// More bytes of headers than allowed.
    LongHead,
    /// A longer body than allowed.
    LongBody,
}

impl Fault {
    /// Whether a limit was broken, and not the protocol.
    pub fn is_size(self) -> bool {
        matches!(self, Self::TooManyHeaders | Self::LongLine | Self::LongHead | Self::LongBody)
    }

    /// In one line, for the peer.
    pub fn text(self) -> &'static str {
        match self {
            Self::Command => "the first line of the frame is no STOMP command of a client",
            Self::BeforeLogin => "a connection begins with a CONNECT or STOMP frame",
            Self::NulInHead => "a NUL stands among the headers, where an empty line should end them",
            Self::NoColon => "a header line has no colon",
            Self::NoName => "a header line has no name",
            Self::Escape => "a header holds a backslash that begins no escape of this version of STOMP",
            Self::Utf8 => "the headers are not UTF-8",
            Self::ContentLength => "content-length must be one plain decimal number",
            Self::Body => "only SEND frames carry a body",
            Self::NoNul => "the body does not end with a NUL where content-length says so",
            Self::TooManyHeaders => "the frame has more headers than this broker allows",
            Self::LongLine => "a header line is longer than this broker allows",
            Self::LongHead => "the headers are longer than this broker allows",
            Self::LongBody => "the body is longer than this broker allows",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl std::error::Error for Fault {}
