//! Writes frames.

use bytes::{BufMut, BytesMut};

use super::command::Command;
use super::escape::{self, Part};
use super::version::Version;

/// Begins a frame.
pub fn put_head(out: &mut BytesMut, command: Command) {
    out.put_slice(command.text().as_bytes());
    out.put_u8(b'\n');
}

/// Writes a header. What the version can't say is replaced, so that neither line nor frame ends before its time; a name
/// of nothing but spaces is left out.
pub fn put_header(out: &mut BytesMut, name: &str, value: &str, version: Version) {
    if name.trim().is_empty() {
        return;
    }
    put_name(out, name, version);
    put_value(out, value, version);
    out.put_u8(b'\n');
}

/// Writes a header whose value is a number.
pub fn put_number(out: &mut BytesMut, name: &str, number: u64) {
    out.put_slice(name.as_bytes());
    out.put_u8(b':');
    out.put_slice(Decimal::new(number).as_bytes());
    out.put_u8(b'\n');
}

/// Ends the headers of a frame with a body of this length, which is written next, and then [`put_end`].
pub fn put_sized(out: &mut BytesMut, length: usize) {
    put_number(out, "content-length", length as u64);
    out.put_u8(b'\n');
}

/// Ends a frame. The line end behind the NUL is for clients that read lines; ActiveMQ writes it too.
pub fn put_end(out: &mut BytesMut) {
    out.put_slice(b"\0\n");
}

/// Writes a name and its colon.
fn put_name(out: &mut BytesMut, name: &str, version: Version) {
    escape::put(out, name, version, Part::Name);
    out.put_u8(b':');
}

/// Writes a value, or a piece of one.
pub(crate) fn put_value(out: &mut BytesMut, value: &str, version: Version) {
    escape::put(out, value, version, Part::Value);
}

/// A number in decimal digits, without memory of its own.
pub(crate) struct Decimal {
    digits: [u8; 20],
    start: usize,
}

impl Decimal {
    pub(crate) fn new(number: u64) -> Self {
        Self::in_base::<10>(number)
    }

    pub(crate) fn hex(number: u64) -> Self {
        Self::in_base::<16>(number)
    }

    fn in_base<const BASE: u64>(mut number: u64) -> Self {
        let mut digits = [b'0'; 20];
        let mut start = digits.len();
        for (at, place) in digits.iter_mut().enumerate().rev() {
            let digit = u8::try_from(number % BASE).unwrap_or_default();
            *place = if digit < 10 { b'0' + digit } else { b'a' + digit - 10 };
            start = at;
            number /= BASE;
            if number == 0 {
                break;
            }
        }
        Self { digits, start }
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.digits.get(self.start..).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_everyone_writes_them() {
        for number in [0, 1, 9, 10, 15, 16, 255, 1_234_567_890, u64::MAX] {
            assert_eq!(Decimal::new(number).as_bytes(), number.to_string().as_bytes());
            assert_eq!(Decimal::hex(number).as_bytes(), format!("{number:x}").as_bytes());
        }
    }

    #[test]
    fn a_frame_has_its_parts_in_order() {
        let mut out = BytesMut::new();
        put_head(&mut out, Command::Message);
        put_header(&mut out, "a:b", "c\nd", Version::V1_2);
        put_header(&mut out, " ", "left out", Version::V1_2);
        put_sized(&mut out, 2);
        out.put_slice(b"hi");
        put_end(&mut out);
        assert_eq!(&out[..], b"MESSAGE\na\\cb:c\\nd\ncontent-length:2\n\nhi\0\n");
    }
}
