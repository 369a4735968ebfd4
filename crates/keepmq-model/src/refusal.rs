//! Every way in which the broker says no.

use std::borrow::Cow;
use std::fmt;

/// What kind of no. Closed: each protocol maps all of them in one table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RefusalKind {
    /// The request breaks the protocol.
    Malformed,
    /// Something is longer, deeper or more than allowed.
    TooLarge,
    /// The login failed, or there was none.
    Unauthenticated,
    /// The authorization map does not grant it.
    Forbidden,
    /// What it is about does not exist.
    NotFound,
    /// Somebody else has it, or it stands against what exists.
    Conflict,
    /// A limit is reached; later it may go.
    Busy,
    /// The broker can't serve at present.
    Unavailable,
    /// The broker does not do this.
    Unsupported,
    /// The selector can't be read; the text says where and why.
    InvalidSelector,
    /// The transaction can't be committed, and was rolled back: nothing of it has happened.
    RolledBack,
    /// A fault of the broker.
    Internal,
}

impl RefusalKind {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::Malformed,
        Self::TooLarge,
        Self::Unauthenticated,
        Self::Forbidden,
        Self::NotFound,
        Self::Conflict,
        Self::Busy,
        Self::Unavailable,
        Self::Unsupported,
        Self::InvalidSelector,
        Self::RolledBack,
        Self::Internal,
    ];

    /// Whether the connection can't go on after it, in any protocol.
    pub fn is_fatal(self) -> bool {
        matches!(self, Self::Malformed | Self::Unauthenticated | Self::Internal)
    }
}

/// The name of one recorded decision; `keepmq explain` shows the whole of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DecisionId {
    /// How often the store had been opened at the time.
    pub epoch: u64,
    /// Counts the decisions of that time.
    pub number: u64,
}

impl fmt::Display for DecisionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "D-{:x}-{}", self.epoch, self.number)
    }
}

impl std::str::FromStr for DecisionId {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (epoch, number) = text.strip_prefix("D-").and_then(|rest| rest.split_once('-')).ok_or(())?;
        let epoch = u64::from_str_radix(epoch, 16).map_err(drop)?;
        Ok(Self { epoch, number: number.parse().map_err(drop)? })
    }
}

/// A no with its reason, as the peer may read it: never an internal cause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What kind of no.
    pub kind: RefusalKind,
    /// What was wrong and what to do, in one line.
    pub text: Cow<'static, str>,
    /// The recorded decision behind it.
    pub decision: Option<DecisionId>,
}

impl Refusal {
    /// A refusal without a recorded decision.
    pub fn new(kind: RefusalKind, text: impl Into<Cow<'static, str>>) -> Self {
        Self { kind, text: text.into(), decision: None }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)?;
        match self.decision {
            Some(id) => write!(f, " (decision {id})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Refusal {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decision_id_is_read_back_as_printed() {
        let id = DecisionId { epoch: 0xab, number: 17 };
        assert_eq!(id.to_string(), "D-ab-17");
        assert_eq!("D-ab-17".parse(), Ok(id));
        for wrong in ["", "D-", "D-1", "ab-17", "D-x-1", "D-1-x", "D-1-2-3"] {
            assert_eq!(wrong.parse::<DecisionId>(), Err(()), "{wrong}");
        }
    }

    #[test]
    fn the_text_names_the_decision() {
        let mut refusal =
            Refusal::new(RefusalKind::Forbidden, "User u is not authorized to read from: queue://q");
        assert!(!refusal.to_string().contains("decision"));
        refusal.decision = Some(DecisionId { epoch: 1, number: 2 });
        assert!(refusal.to_string().ends_with("(decision D-1-2)"));
    }
}
