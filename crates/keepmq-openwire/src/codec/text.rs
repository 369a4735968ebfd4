//! Text as Java writes it: modified UTF-8 (openwire.md, section 5).

use std::borrow::Cow;
use std::fmt;

use bytes::{Bytes, BytesMut};
use keepmq_model::Text;

/// Text in modified UTF-8, as it came: a part of the frame that it was read from.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JavaText(Bytes);

impl JavaText {
    /// Bytes that are modified UTF-8; `None` for others, which would break the connection of whoever they are sent to.
    pub fn checked(bytes: Bytes) -> Option<Self> {
        is_modified_utf8(&bytes).then_some(Self(bytes))
    }

    /// Bytes that are one or the other UTF-8, to be shown: what is neither becomes U+FFFD.
    pub(crate) fn lenient(bytes: Bytes) -> Self {
        Self(bytes)
    }

    /// One byte for each character, as strings of the tight encoding may come (openwire.md, section 4.2).
    pub(crate) fn from_latin1(bytes: Bytes) -> Self {
        if bytes.is_ascii() {
            return Self(bytes);
        }
        let mut text = BytesMut::with_capacity(bytes.len() + 8);
        bytes.iter().for_each(|byte| put_unit(&mut text, u16::from(*byte)));
        Self(text.freeze())
    }

    /// The bytes as they are.
    pub fn bytes(&self) -> &Bytes {
        &self.0
    }

    /// Takes the bytes out.
    pub(crate) fn into_bytes(self) -> Bytes {
        self.0
    }

    /// Whether each byte is a character other than NUL, which the tight encoding writes in a form of its own.
    pub(crate) fn is_ascii(&self) -> bool {
        self.0.iter().all(|byte| (1..0x80).contains(byte))
    }

    /// Its first characters, as many as fit into so many bytes.
    pub(crate) fn upto(&self, most: usize) -> &[u8] {
        let mut end = self.0.len().min(most);
        while end > 0 && self.0.get(end).is_some_and(|byte| byte & 0xc0 == 0x80) {
            end -= 1;
        }
        self.0.get(..end).unwrap_or_default()
    }

    /// The same text in memory of its own.
    pub(crate) fn detached(&self) -> Self {
        Self(Bytes::copy_from_slice(&self.0))
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// In UTF-8. Half a surrogate pair becomes U+FFFD.
    pub fn to_str(&self) -> Cow<'_, str> {
        match std::str::from_utf8(&self.0) {
            // Without C0 80 both forms are the same up to U+FFFF, and surrogates are no UTF-8.
            Ok(text) => Cow::Borrowed(text),
            Err(_) => Cow::Owned(
                char::decode_utf16(units(&self.0))
                    .map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER))
                    .collect(),
            ),
        }
    }

    /// In UTF-8, sharing the bytes where that is possible.
    pub fn to_text(&self) -> Text {
        Text::try_from(self.0.clone()).unwrap_or_else(|_| self.to_str().into_owned().into())
    }
}

impl From<&str> for JavaText {
    fn from(text: &str) -> Self {
        let plain = text.bytes().all(|byte| byte != 0) && text.chars().all(|c| c.len_utf8() < 4);
        if plain {
            return Self(Bytes::copy_from_slice(text.as_bytes()));
        }
        let mut bytes = BytesMut::with_capacity(text.len() * 2);
        text.encode_utf16().for_each(|unit| put_unit(&mut bytes, unit));
        Self(bytes.freeze())
    }
}

impl From<&Text> for JavaText {
    fn from(text: &Text) -> Self {
        let plain = !text.as_bytes().iter().any(|byte| *byte == 0 || *byte >= 0xf0);
        if plain { Self(text.as_bytes().clone()) } else { Self::from(&**text) }
    }
}

impl From<String> for JavaText {
    fn from(text: String) -> Self {
        Self::from(&*text)
    }
}

impl fmt::Display for JavaText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_str())
    }
}

impl fmt::Debug for JavaText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.to_str(), f)
    }
}

/// Writes one UTF-16 unit.
fn put_unit(bytes: &mut BytesMut, unit: u16) {
    let low = |shift: u16| 0x80 | u8::try_from(unit >> shift & 0x3f).unwrap_or_default();
    match unit {
        1..0x80 => bytes.extend_from_slice(&[u8::try_from(unit).unwrap_or_default()]),
        0 | 0x80..0x800 => {
            bytes.extend_from_slice(&[0xc0 | u8::try_from(unit >> 6).unwrap_or_default(), low(0)]);
        }
        _ => bytes.extend_from_slice(&[0xe0 | u8::try_from(unit >> 12).unwrap_or_default(), low(6), low(0)]),
    }
}

/// The UTF-16 units of bytes in modified UTF-8, or in UTF-8 proper, whose four-byte forms are taken as well.
fn units(bytes: &[u8]) -> impl Iterator<Item = u16> {
    let mut rest = bytes;
    let mut second = None;
    std::iter::from_fn(move || {
        if let Some(unit) = second.take() {
            return Some(unit);
        }
        let (code, len) = code_at(rest)?;
        rest = rest.get(len..)?;
        let Ok(unit) = u16::try_from(code) else {
            let [first, low] = split(code);
            second = Some(low);
            return Some(first);
        };
        Some(unit)
    })
}

/// A code above U+FFFF as two units.
fn split(code: u32) -> [u16; 2] {
    let mut pair = [0xfffd; 2];
    if let Some(c) = char::from_u32(code) {
        c.encode_utf16(&mut pair);
    }
    pair
}

/// What the bytes begin with, and its length. What is no UTF-8 of any kind counts as one character.
fn code_at(bytes: &[u8]) -> Option<(u32, usize)> {
    let tail =
        |at: usize| bytes.get(at).filter(|byte| **byte & 0xc0 == 0x80).map(|byte| u32::from(byte & 0x3f));
    let first = u32::from(*bytes.first()?);
    let found = match first {
        0..0x80 => Some((first, 1)),
        0xc0..0xe0 => tail(1).map(|a| ((first & 0x1f) << 6 | a, 2)),
        0xe0..0xf0 => tail(1).zip(tail(2)).map(|(a, b)| ((first & 0xf) << 12 | a << 6 | b, 3)),
        0xf0..0xf8 => {
            tail(1).zip(tail(2)).zip(tail(3)).map(|((a, b), c)| ((first & 7) << 18 | a << 12 | b << 6 | c, 4))
        }
        _ => None,
    };
    Some(found.unwrap_or((0xfffd, 1)))
}

/// Whether Java can read it (`DataInputStream.readUTF`): no forms of four bytes, no form cut off.
fn is_modified_utf8(bytes: &[u8]) -> bool {
    if bytes.is_ascii() {
        return true;
    }
    let mut rest = bytes;
    while let [first, ..] = rest {
        let len = match first {
            0..0x80 => 1,
            0xc0..0xe0 => 2,
            0xe0..0xf0 => 3,
            _ => return false,
        };
        match rest.split_at_checked(len) {
            Some((one, more)) if one.iter().skip(1).all(|byte| byte & 0xc0 == 0x80) => rest = more,
            _ => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn characters_beyond_the_plane_are_two_times_three_bytes() {
        let text = JavaText::from("\u{1F600}\0é");
        assert_eq!(&text.bytes()[..], b"\xed\xa0\xbd\xed\xb8\x80\xc0\x80\xc3\xa9");
        assert_eq!(text.to_str(), "\u{1F600}\0é");
        assert_eq!(JavaText::from(&Text::from("\u{1F600}")), JavaText::from("\u{1F600}"));
    }

    #[test]
    fn what_java_could_not_read_is_refused() {
        for bad in [&b"\xf0\x9f\x98\x80"[..], b"\xc3", b"\xe2\x82", b"\x80", b"a\xff"] {
            assert_eq!(JavaText::checked(Bytes::copy_from_slice(bad)), None, "{bad:?}");
        }
        assert!(JavaText::checked(Bytes::from_static(b"\xed\xa0\xbd")).is_some());
    }

    #[test]
    fn half_a_pair_is_shown_as_such() {
        let text = JavaText::checked(Bytes::from_static(b"a\xed\xa0\xbd")).unwrap();
        assert_eq!(text.to_str(), "a\u{fffd}");
        assert_eq!(JavaText::from_latin1(Bytes::from_static(b"\xe9\x00")).to_str(), "é\0");
    }

    proptest! {
        #[test]
        fn any_text_comes_back(text in any::<String>()) {
            let java = JavaText::from(&*text);
            prop_assert!(is_modified_utf8(java.bytes()));
            prop_assert_eq!(&java.to_str(), &text);
            prop_assert_eq!(&*java.to_text(), &*text);
        }

        #[test]
        fn any_bytes_can_be_shown(bytes in any::<Vec<u8>>()) {
            let _ = JavaText(bytes.into()).to_str();
        }
    }
}
