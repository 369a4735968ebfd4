//! The one table from every way to say no to an ERROR frame.

use std::borrow::Cow;

use bytes::{BufMut, BytesMut};
use keepmq_model::{Refusal, RefusalKind};

use crate::codec::{Command, Fault, Version, put_end, put_head, put_header, put_sized};

/// Longest text that is told: an ERROR frame stays well under 4 KiB, whatever it speaks of.
const MAX_TEXT: usize = 700;
/// Longest piece of a peer's own text that is told back.
const MAX_SHOWN: usize = 80;

/// How one kind of refusal is told.
pub(crate) struct Telling {
    /// Stands before the text in the `message` header. Empty where ActiveMQ's text must come first.
    prefix: &'static str,
    /// What to do about it, for the body.
    remedy: &'static str,
    /// Whether a 1.0 connection ends with it. Later ones always do: "the server MUST then close the connection just
    /// after sending the ERROR frame" ("ERROR" in STOMP 1.1 and 1.2).
    fatal: bool,
}

impl Telling {
    /// The table.
    pub(crate) fn of(kind: RefusalKind) -> Self {
        let (prefix, remedy) = match kind {
            RefusalKind::Malformed => (
                "malformed: ",
                "Correct the frame; what it may hold is said in the STOMP specification of the version in use.",
            ),
            RefusalKind::TooLarge => {
                ("too large: ", "Send less at once, or have the limit raised on this listener.")
            }
            RefusalKind::Unauthenticated => {
                ("", "Give the login and passcode headers of a user of this broker on the CONNECT frame.")
            }
            RefusalKind::Forbidden => (
                "",
                "Ask the broker's administrators; with the decision's name they can see why by `keepmq explain`.",
            ),
            RefusalKind::NotFound => {
                ("not found: ", "Make it first, or correct its name; names are case-sensitive.")
            }
            RefusalKind::Conflict => ("in conflict: ", "Use another name, or end the other use first."),
            RefusalKind::Busy => {
                ("busy: ", "Try again later; a limit of this user or of the broker is reached.")
            }
            RefusalKind::Unavailable => ("unavailable: ", "Try again later, or at another broker."),
            RefusalKind::Unsupported => ("not supported: ", "Ask for it in another way."),
            RefusalKind::InvalidSelector => (
                "invalid selector: ",
                "Correct the selector header; its language is that of JMS 1.1, section 3.8.1.1.",
            ),
            RefusalKind::RolledBack => ("", "Begin another transaction and do all of it again."),
            RefusalKind::Internal => {
                ("broker fault: ", "Tell the broker's administrators; its log has more.")
            }
        };
        Self { prefix, remedy, fatal: kind.is_fatal() }
    }

    /// Whether the connection ends with it.
    pub(crate) fn closes(&self, version: Version) -> bool {
        self.fatal || version > Version::V1_0
    }
}

/// Writes the ERROR frame for a refusal: `message` says what was wrong, the body also what to do.
pub(crate) fn put_error(out: &mut BytesMut, refusal: &Refusal, receipt: Option<&str>, version: Version) {
    put_error_with(out, refusal, receipt, version, None);
}

/// The ERROR frame of a connection that has no version: it lists those that this broker speaks ("Protocol Negotiation"
/// in STOMP 1.2).
pub(crate) fn put_no_version(out: &mut BytesMut, refusal: &Refusal) {
    put_error_with(out, refusal, None, Version::V1_0, Some("1.2,1.1,1.0"));
}

fn put_error_with(
    out: &mut BytesMut,
    refusal: &Refusal,
    receipt: Option<&str>,
    version: Version,
    versions: Option<&str>,
) {
    let telling = Telling::of(refusal.kind);
    let text = one_line(&refusal.text);
    let decision = refusal.decision.map_or_else(String::new, |id| format!(" (decision {id})"));
    let message = format!("{}{text}{decision}", telling.prefix);
    put_head(out, Command::Error);
    if let Some(versions) = versions {
        put_header(out, "version", versions, version);
    }
    if let Some(receipt) = receipt {
        put_header(out, "receipt-id", receipt, version);
    }
    put_header(out, "message", &message, version);
    put_header(out, "content-type", "text/plain", version);
    put_sized(out, message.len() + telling.remedy.len() + 2);
    for line in [&message, telling.remedy] {
        out.put_slice(line.as_bytes());
        out.put_u8(b'\n');
    }
    put_end(out);
}

/// The text without line ends and other controls, and not too long.
fn one_line(text: &str) -> Cow<'_, str> {
    let text = cut(text, MAX_TEXT);
    if text.chars().any(char::is_control) {
        Cow::Owned(text.replace(char::is_control, " "))
    } else {
        Cow::Borrowed(text)
    }
}

/// The first characters, in at most so many bytes.
pub(crate) fn cut(text: &str, most: usize) -> &str {
    let end = (0..=most.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    text.get(..end.unwrap_or_default()).unwrap_or_default()
}

/// A peer's own words, to be told back: short, and free of everything that could be taken for something else.
pub(crate) fn shown(text: &str) -> String {
    let start = cut(text, MAX_SHOWN);
    let more = if start.len() < text.len() { "..." } else { "" };
    format!("'{}{more}'", start.escape_debug())
}

/// The request breaks the protocol.
pub(crate) fn malformed(text: impl Into<Cow<'static, str>>) -> Refusal {
    Refusal::new(RefusalKind::Malformed, text)
}

/// The broker does not do this.
pub(crate) fn unsupported(text: impl Into<Cow<'static, str>>) -> Refusal {
    Refusal::new(RefusalKind::Unsupported, text)
}

/// Something is longer or more than allowed.
pub(crate) fn too_large(text: impl Into<Cow<'static, str>>) -> Refusal {
    Refusal::new(RefusalKind::TooLarge, text)
}

/// What the frame speaks of is not there.
pub(crate) fn not_found(text: impl Into<Cow<'static, str>>) -> Refusal {
    Refusal::new(RefusalKind::NotFound, text)
}

/// The name is in use.
pub(crate) fn conflict(text: impl Into<Cow<'static, str>>) -> Refusal {
    Refusal::new(RefusalKind::Conflict, text)
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        let kind = match fault {
            Fault::BeforeLogin => RefusalKind::Unauthenticated,
            _ if fault.is_size() => RefusalKind::TooLarge,
            _ => RefusalKind::Malformed,
        };
        Self::new(kind, fault.text())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{FrameLimits, codec::Decoder, codec::Side};
    use keepmq_model::DecisionId;

    fn error(refusal: &Refusal, receipt: Option<&str>, version: Version) -> (Vec<(String, String)>, String) {
        let mut out = BytesMut::new();
        put_error(&mut out, refusal, receipt, version);
        assert!(out.len() < 4096);
        let mut decoder = Decoder::new(Side::Server, version);
        let frame = decoder.next(&mut out, &FrameLimits::OPEN).unwrap().expect("a frame");
        assert_eq!((frame.command(), &out[..]), (Command::Error, &b"\n"[..]));
        let headers = frame.headers().map(|(n, v)| (n.to_owned(), v.to_owned()));
        (headers.collect(), String::from_utf8(frame.body().to_vec()).unwrap())
    }

    #[test]
    fn every_kind_is_told_and_ends_newer_connections() {
        for kind in RefusalKind::ALL {
            let telling = Telling::of(kind);
            assert!(telling.closes(Version::V1_1) && telling.closes(Version::V1_2));
            assert_eq!(telling.closes(Version::V1_0), kind.is_fatal(), "{kind:?}");
            assert!(telling.remedy.ends_with('.'));
        }
    }

    #[test]
    fn a_forbidden_thing_is_told_in_activemqs_words_with_the_decision() {
        let mut refusal =
            Refusal::new(RefusalKind::Forbidden, "User u is not authorized to read from: queue://q");
        refusal.decision = Some(DecisionId { epoch: 10, number: 7 });
        let (headers, body) = error(&refusal, Some("r:1"), Version::V1_2);
        assert_eq!(headers[0], ("receipt-id".to_owned(), "r:1".to_owned()));
        let told = "User u is not authorized to read from: queue://q (decision D-a-7)";
        assert_eq!(headers[1], ("message".to_owned(), told.to_owned()));
        assert_eq!(headers[2].1, "text/plain");
        assert!(body.starts_with(told) && body.contains("keepmq explain"));
    }

    #[test]
    fn a_hostile_text_stays_one_short_line() {
        let refusal = malformed(format!("a\n\0\r\u{85}b{}", "\u{1f600}:".repeat(4000)));
        for version in Version::ALL {
            let (headers, _) = error(&refusal, Some(&"\n:".repeat(128)), version);
            let (_, message) = headers.iter().find(|(name, _)| name == "message").unwrap();
            assert!(message.starts_with("malformed: a    b\u{1f600}") && message.len() <= MAX_TEXT + 30);
        }
    }

    #[test]
    fn the_peers_words_are_shown_short_and_harmless() {
        assert_eq!(shown("a'\n\u{1b}[31m"), "'a\\'\\n\\u{1b}[31m'");
        assert!(shown(&"\u{e9}".repeat(100)).ends_with("...'"));
        assert!(shown(&"x".repeat(5000)).len() < 100);
    }

    #[test]
    fn faults_of_size_are_told_apart() {
        assert_eq!(Refusal::from(Fault::LongBody).kind, RefusalKind::TooLarge);
        assert_eq!(Refusal::from(Fault::NoColon).kind, RefusalKind::Malformed);
        assert_eq!(Refusal::from(Fault::BeforeLogin).kind, RefusalKind::Unauthenticated);
    }
}
