//! The stored form of a message's headers: `Native::head` of layout 1.
//!
//! One byte of flags (bit 0: the body is bytes and not text), then for each header the length of the name (16 bits, little
//! endian), the name, the length of the value, the value. Nothing of the connection that sent it is in there: no escapes,
//! no receipt, no transaction, no alias.
//!
//! Stored bytes may be older than the code or damaged, so reading stops quietly at what makes no sense.

use bytes::{BufMut, Bytes};

use crate::codec::MAX_PART;

/// The layout that is written.
pub(crate) const LAYOUT: u8 = 1;

const IS_BYTES: u8 = 1;

/// Puts headers together. Its memory serves one message after the other.
#[derive(Default)]
pub(crate) struct HeadBuilder {
    bytes: Vec<u8>,
    /// A bit for each kind of name that is there, so that most names need not be searched for.
    seen: u64,
}

impl HeadBuilder {
    /// Begins anew.
    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.bytes.push(0);
        self.seen = 0;
    }

    /// Adds a header, unless there is one of this name: the first counts.
    pub(crate) fn add(&mut self, name: &str, value: &str) {
        let bit = bit_of(name);
        if self.seen & bit != 0 && entries(&self.bytes).any(|(known, _)| known == name) {
            return;
        }
        let (Ok(name_length), Ok(value_length)) = (u16::try_from(name.len()), u16::try_from(value.len()))
        else {
            return;
        };
        self.seen |= bit;
        self.bytes.put_u16_le(name_length);
        self.bytes.put_slice(name.as_bytes());
        self.bytes.put_u16_le(value_length);
        self.bytes.put_slice(value.as_bytes());
    }

    /// The head, in memory of its own and no more than it needs.
    pub(crate) fn finish(&mut self, is_bytes: bool) -> Bytes {
        if let Some(flags) = self.bytes.first_mut() {
            *flags = if is_bytes { IS_BYTES } else { 0 };
        }
        Bytes::copy_from_slice(&self.bytes)
    }

    /// Gives memory back when there is much of it.
    pub(crate) fn shrink(&mut self) {
        const KEEP: usize = 512;
        if self.bytes.capacity() > KEEP {
            *self = Self::default();
        }
    }
}

fn bit_of(name: &str) -> u64 {
    let name = name.as_bytes();
    let ends =
        name.first().copied().unwrap_or_default() ^ name.last().copied().unwrap_or_default().rotate_left(3);
    1 << ((usize::from(ends) ^ name.len()) % 64)
}

/// Whether the body is bytes and not text.
pub(crate) fn is_bytes(head: &[u8]) -> bool {
    head.first().is_some_and(|flags| flags & IS_BYTES != 0)
}

/// The headers in order, as far as they can be read.
pub(crate) fn entries(head: &[u8]) -> Entries<'_> {
    Entries { rest: head.get(1..).unwrap_or_default() }
}

/// Headers of a stored message.
pub(crate) struct Entries<'a> {
    rest: &'a [u8],
}

impl<'a> Entries<'a> {
    fn part(&mut self) -> Option<&'a str> {
        let (length, rest) = self.rest.split_first_chunk::<2>()?;
        let (part, rest) = rest.split_at_checked(usize::from(u16::from_le_bytes(*length)))?;
        self.rest = rest;
        str::from_utf8(part).ok()
    }
}

impl<'a> Iterator for Entries<'a> {
    type Item = (&'a str, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        Some((self.part()?, self.part()?))
    }
}

const _: () = assert!(MAX_PART == u16::MAX as usize);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn built(headers: &[(&str, &str)], is_bytes: bool) -> Bytes {
        let mut builder = HeadBuilder::default();
        builder.clear();
        for (name, value) in headers {
            builder.add(name, value);
        }
        builder.finish(is_bytes)
    }

    /// Stored messages outlive the code: these bytes must be read for ever.
    #[test]
    fn the_layout_is_fixed() {
        let head = built(&[("a", "bc"), ("\u{e9}", "")], true);
        assert_eq!(&head[..], b"\x01\x01\0a\x02\0bc\x02\0\xc3\xa9\0\0");
        assert_eq!(LAYOUT, 1);
    }

    #[test]
    fn the_first_of_repeated_headers_is_kept() {
        let head = built(&[("a", "1"), ("b", "2"), ("a", "3"), ("c", "4"), ("a", "5")], false);
        assert_eq!(entries(&head).collect::<Vec<_>>(), [("a", "1"), ("b", "2"), ("c", "4")]);
    }

    #[test]
    fn parts_up_to_the_limit_are_kept() {
        let long = "x".repeat(MAX_PART);
        let head = built(&[("a", &long), (&format!("{long}y"), "left out")], false);
        assert_eq!(entries(&head).collect::<Vec<_>>(), [("a", &long[..])]);
    }

    #[test]
    fn a_builder_is_used_again_from_scratch() {
        let mut builder = HeadBuilder::default();
        builder.clear();
        builder.add("a", &"x".repeat(1000));
        assert!(is_bytes(&builder.finish(true)));
        builder.clear();
        builder.add("a", "2");
        let head = builder.finish(false);
        assert_eq!(entries(&head).collect::<Vec<_>>(), [("a", "2")]);
        assert!(!is_bytes(&head));
        builder.shrink();
        assert_eq!(builder.bytes.capacity(), 0);
    }

    #[test]
    fn nothing_is_read_of_nothing() {
        assert_eq!(entries(b"").count(), 0);
        assert!(!is_bytes(b""));
    }

    proptest! {
        #[test]
        fn what_is_built_is_read(
            headers in proptest::collection::hash_map(".{0,20}", ".{0,40}", 0..12), bytes in any::<bool>(),
        ) {
            let headers: Vec<(&str, &str)> = headers.iter().map(|(n, v)| (&n[..], &v[..])).collect();
            let head = built(&headers, bytes);
            prop_assert_eq!(entries(&head).collect::<Vec<_>>(), headers);
            prop_assert_eq!(is_bytes(&head), bytes);
        }

        #[test]
        fn damaged_bytes_are_read_as_far_as_they_go(
            noise in proptest::collection::vec(prop_oneof![Just(0u8), Just(1), any::<u8>()], 0..100),
        ) {
            let read: usize = entries(&noise).map(|(name, value)| name.len() + value.len() + 4).sum();
            prop_assert!(read <= noise.len());
        }
    }
}
