//! Reading the fields of a packet.

use std::num::NonZeroU16;

use super::{Fault, PacketId, PacketType};

/// What is left of a packet.
#[derive(Clone, Debug)]
pub(super) struct Reader<'a> {
    rest: &'a [u8],
    packet: PacketType,
}

impl<'a> Reader<'a> {
    pub(super) fn new(packet: PacketType, rest: &'a [u8]) -> Self {
        Self { rest, packet }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// Everything that is left.
    pub(super) fn rest(self) -> &'a [u8] {
        self.rest
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], Fault> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(Fault::CutShort(self.packet))?;
        self.rest = rest;
        Ok(taken)
    }

    pub(super) fn byte(&mut self) -> Result<u8, Fault> {
        let (first, rest) = self.rest.split_first().ok_or(Fault::CutShort(self.packet))?;
        self.rest = rest;
        Ok(*first)
    }

    /// A number of 16 bits, most significant first (section 1.5.2).
    pub(super) fn short(&mut self) -> Result<u16, Fault> {
        let (taken, rest) = self.rest.split_first_chunk().ok_or(Fault::CutShort(self.packet))?;
        self.rest = rest;
        Ok(u16::from_be_bytes(*taken))
    }

    /// Bytes behind their length.
    pub(super) fn bytes(&mut self) -> Result<&'a [u8], Fault> {
        let length = self.short()?;
        self.take(usize::from(length))
    }

    /// Text behind its length (section 1.5.3).
    pub(super) fn text(&mut self) -> Result<&'a str, Fault> {
        check_text(self.bytes()?)
    }

    /// A packet id: not zero [MQTT-2.3.1-1].
    pub(super) fn id(&mut self) -> Result<PacketId, Fault> {
        NonZeroU16::new(self.short()?).ok_or(Fault::ZeroId(self.packet))
    }

    /// Nothing may be left.
    pub(super) fn finish(self) -> Result<(), Fault> {
        if self.is_empty() { Ok(()) } else { Err(Fault::Trailing(self.packet)) }
    }
}

/// Text is well-formed UTF-8 without surrogates [MQTT-1.5.3-1] and without U+0000 [MQTT-1.5.3-2]. A byte order mark is
/// text like any other [MQTT-1.5.3-3].
pub(crate) fn check_text(bytes: &[u8]) -> Result<&str, Fault> {
    let text = std::str::from_utf8(bytes).map_err(|_| Fault::NotUtf8)?;
    if bytes.contains(&0) { Err(Fault::Nul) } else { Ok(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reader(bytes: &[u8]) -> Reader<'_> {
        Reader::new(PacketType::Connect, bytes)
    }

    /// The example of section 1.5.3: "A" and U+2A6D4.
    #[test]
    fn text_is_read_as_in_the_specification() {
        let bytes = [0x00, 0x05, 0x41, 0xf0, 0xaa, 0x9b, 0x94];
        assert_eq!(reader(&bytes).text(), Ok("A\u{2A6D4}"));
        for cut in 0..bytes.len() {
            assert_eq!(reader(&bytes[..cut]).text(), Err(Fault::CutShort(PacketType::Connect)));
        }
    }

    /// [MQTT-1.5.3-1]
    #[test]
    fn ill_formed_text_is_refused() {
        for wrong in [
            &[0xed, 0xa0, 0x80][..], // U+D800
            &[0xed, 0xbf, 0xbf],     // U+DFFF
            &[0xc0, 0x80],           // overlong NUL
            &[0xf4, 0x90, 0x80, 0x80],
            &[0xff],
            &[0xe2, 0x82],
        ] {
            assert_eq!(check_text(wrong), Err(Fault::NotUtf8));
        }
    }

    /// [MQTT-1.5.3-2]
    #[test]
    fn text_with_nul_is_refused() {
        assert_eq!(check_text(b"a\0b"), Err(Fault::Nul));
    }

    /// [MQTT-1.5.3-3]
    #[test]
    fn a_byte_order_mark_is_kept() {
        assert_eq!(check_text(&[0xef, 0xbb, 0xbf, 0x61]), Ok("\u{feff}a"));
    }

    /// [MQTT-2.3.1-1]
    #[test]
    fn a_packet_id_is_not_zero() {
        assert_eq!(reader(&[0, 0]).id(), Err(Fault::ZeroId(PacketType::Connect)));
        assert_eq!(reader(&[1, 2]).id().unwrap().get(), 0x102);
    }

    #[test]
    fn nothing_may_be_left() {
        let mut reader = reader(&[1, 2]);
        assert_eq!(reader.byte(), Ok(1));
        assert_eq!(reader.clone().finish(), Err(Fault::Trailing(PacketType::Connect)));
        assert_eq!(reader.byte(), Ok(2));
        assert_eq!(reader.byte(), Err(Fault::CutShort(PacketType::Connect)));
        assert_eq!(reader.finish(), Ok(()));
    }
}
