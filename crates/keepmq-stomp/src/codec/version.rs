//! The three versions of the protocol.

/// A version of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// 1.0: no escapes, spaces around names and values mean nothing, no heart-beats.
    V1_0,
    /// 1.1: escapes, heart-beats, NACK, subscription ids.
    V1_1,
    /// 1.2: lines may end with CR LF, messages are acknowledged by the `ack` header's value.
    V1_2,
}

impl Version {
    /// All of them, the newest first.
    pub const ALL: [Self; 3] = [Self::V1_2, Self::V1_1, Self::V1_0];

    /// As it stands in `accept-version` and `version`.
    pub fn text(self) -> &'static str {
        match self {
            Self::V1_0 => "1.0",
            Self::V1_1 => "1.1",
            Self::V1_2 => "1.2",
        }
    }

    /// For logs and the console.
    pub fn describe(self) -> &'static str {
        match self {
            Self::V1_0 => "STOMP 1.0",
            Self::V1_1 => "STOMP 1.1",
            Self::V1_2 => "STOMP 1.2",
        }
    }

    /// The newest version that the client accepts; 1.0 when it says nothing ("Protocol Negotiation" in STOMP 1.1 and
    /// 1.2). `None` when no version suits both.
    pub fn negotiate(accept: Option<&str>) -> Option<Self> {
        let Some(accept) = accept else {
            return Some(Self::V1_0);
        };
        Self::ALL.into_iter().find(|version| accept.split(',').any(|wanted| wanted.trim() == version.text()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_common_version_is_taken() {
        for (accept, version) in [
            (None, Some(Version::V1_0)),
            (Some("1.0"), Some(Version::V1_0)),
            (Some("1.1,1.0"), Some(Version::V1_1)),
            (Some(" 1.0 , 1.2,1.1 "), Some(Version::V1_2)),
            (Some("1.3,1.1,2.0"), Some(Version::V1_1)),
            (Some(""), None),
            (Some("2.0"), None),
            (Some("1.20"), None),
            (Some("1.2 1.1"), None),
        ] {
            assert_eq!(Version::negotiate(accept), version, "{accept:?}");
        }
    }
}
