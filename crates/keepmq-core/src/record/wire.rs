//! Numbers and texts in records: varints (LEB128) and length-prefixed bytes.

use std::sync::Arc;

use bytes::{BufMut, BytesMut};
use keepmq_model::Text;

/// Writes record fields.
pub(super) struct Writer<'a>(pub(super) &'a mut BytesMut);

impl Writer<'_> {
    pub(super) fn u8(&mut self, value: u8) {
        self.0.put_u8(value);
    }

    pub(super) fn u64(&mut self, mut value: u64) {
        while value >= 0x80 {
            // The low seven bits and the mark that more follow.
            self.0.put_u8(u8::try_from(value & 0x7f).unwrap_or_default() | 0x80);
            value >>= 7;
        }
        self.0.put_u8(u8::try_from(value).unwrap_or_default());
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.u64(bytes.len() as u64);
        self.0.put_slice(bytes);
    }

    pub(super) fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    pub(super) fn optional_text(&mut self, text: Option<&str>) {
        self.u8(text.is_some().into());
        if let Some(text) = text {
            self.text(text);
        }
    }
}

/// The bytes are not what was written.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unreadable;

/// Reads record fields; `None` when the bytes are not what was written.
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn u8(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    pub(super) fn u64(&mut self) -> Option<u64> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.u8()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                return None;
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        u32::try_from(self.u64()?).ok()
    }

    pub(super) fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.u64()?).ok()?;
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(bytes)
    }

    pub(super) fn text(&mut self) -> Option<&'a str> {
        std::str::from_utf8(self.bytes()?).ok()
    }

    pub(super) fn shared_text(&mut self) -> Option<Text> {
        self.text().map(Text::from)
    }

    /// A text that may be absent.
    pub(super) fn optional_text(&mut self) -> Result<Option<Arc<str>>, Unreadable> {
        match self.u8().ok_or(Unreadable)? {
            0 => Ok(None),
            1 => self.text().map(|text| Some(text.into())).ok_or(Unreadable),
            _ => Err(Unreadable),
        }
    }

    pub(super) fn bool(&mut self) -> Option<bool> {
        match self.u8()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn numbers_and_bytes_come_back(number in any::<u64>(), bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let mut buf = BytesMut::new();
            Writer(&mut buf).u64(number);
            Writer(&mut buf).bytes(&bytes);
            let mut reader = Reader(&buf);
            prop_assert_eq!(reader.u64(), Some(number));
            prop_assert_eq!(reader.bytes(), Some(&bytes[..]));
            prop_assert!(reader.0.is_empty());
        }
    }

    #[test]
    fn a_length_beyond_the_end_is_refused() {
        assert_eq!(Reader(&[5, 1, 2]).bytes(), None);
        assert_eq!(Reader(&[0xff; 11]).u64(), None, "over 64 bits");
        assert_eq!(Reader(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2]).u64(), None);
    }
}
