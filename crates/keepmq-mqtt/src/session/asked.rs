//! What the session has asked the broker, as it is written in a tag. The tag alone says what its answer means, so most
//! requests leave nothing behind in the session.

use keepmq_model::Tag;

use crate::codec::PacketId;

/// A request whose answer is awaited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// To open the link.
    Attach,
    /// To remove an older session of this client.
    Forget,
    /// To keep a message safe: the so-manieth that was to be answered.
    Publish(u64),
    /// To bind a filter: which of which SUBSCRIBE.
    Bind(u32, u16),
    /// To take one back: which of which UNSUBSCRIBE.
    Unbind(u32, u16),
    /// To note that the client has a message of `QoS` 2.
    NoteSent(PacketId),
    /// To forget that.
    ForgetSent(PacketId),
    /// To forget that the client sent a message of `QoS` 2.
    ForgetReceived(PacketId),
}

const KIND_SHIFT: u32 = 56;
const VALUE: u64 = (1 << KIND_SHIFT) - 1;

impl Asked {
    pub(super) fn tag(self) -> Tag {
        let part = |number: u32, index: u16| u64::from(number) << 16 | u64::from(index);
        let (kind, value) = match self {
            Self::Publish(number) => (0, number & VALUE),
            Self::Attach => (1, 0),
            Self::Forget => (2, 0),
            Self::Bind(number, index) => (3, part(number, index)),
            Self::Unbind(number, index) => (4, part(number, index)),
            Self::NoteSent(id) => (5, u64::from(id.get())),
            Self::ForgetReceived(id) => (6, u64::from(id.get())),
            Self::ForgetSent(id) => (7, u64::from(id.get())),
        };
        Tag(kind << KIND_SHIFT | value)
    }

    /// What a tag of ours asked; `None` for a tag that can't be ours.
    pub(super) fn from_tag(Tag(tag): Tag) -> Option<Self> {
        let value = tag & VALUE;
        let id = || PacketId::new(u16::try_from(value).ok()?);
        let part = || Some((u32::try_from(value >> 16).ok()?, (value & 0xffff).try_into().ok()?));
        Some(match tag >> KIND_SHIFT {
            0 => Self::Publish(value),
            1 => Self::Attach,
            2 => Self::Forget,
            3 => part().map(|(number, index)| Self::Bind(number, index))?,
            4 => part().map(|(number, index)| Self::Unbind(number, index))?,
            5 => Self::NoteSent(id()?),
            6 => Self::ForgetReceived(id()?),
            7 => Self::ForgetSent(id()?),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_says_what_was_asked() {
        let id = PacketId::MAX;
        for asked in [
            Asked::Attach,
            Asked::Forget,
            Asked::Publish(0),
            Asked::Publish(VALUE),
            Asked::Bind(u32::MAX, u16::MAX),
            Asked::Bind(0, 1),
            Asked::Unbind(7, 0),
            Asked::NoteSent(id),
            Asked::ForgetSent(id),
            Asked::ForgetReceived(PacketId::MIN),
        ] {
            assert_eq!(Asked::from_tag(asked.tag()), Some(asked));
        }
    }

    #[test]
    fn a_tag_that_is_not_ours_means_nothing() {
        for tag in
            [8 << KIND_SHIFT, u64::MAX, 5 << KIND_SHIFT, 6 << KIND_SHIFT | 0x1_0000, 3 << KIND_SHIFT | VALUE]
        {
            assert_eq!(Asked::from_tag(Tag(tag)), None, "{tag:x}");
        }
    }
}
