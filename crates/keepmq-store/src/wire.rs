//! Numbers and byte strings as they lie on disk.
//!
//! What is read may be garbage: every read is bounded by what is there, and no count is believed.

use std::fmt;

/// What is wrong with some bytes, and where in them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed {
    /// Bytes into the piece that was decoded.
    pub(crate) at: usize,
    pub(crate) what: &'static str,
}

impl fmt::Display for Malformed {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} at byte {} of the piece", self.what, self.at)
    }
}

/// A place in bytes that are being decoded.
#[derive(Clone, Debug)]
pub(crate) struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// How many bytes lie before the cursor.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// How many bytes lie behind it.
    pub(crate) fn left(&self) -> usize {
        self.bytes.len() - self.at
    }

    pub(crate) fn malformed(&self, what: &'static str) -> Malformed {
        Malformed { at: self.at, what }
    }

    pub(crate) fn take(&mut self, len: usize) -> Result<&'a [u8], Malformed> {
        let end = self.at.checked_add(len).ok_or_else(|| self.malformed("a length is absurd"))?;
        let taken = self.bytes.get(self.at..end).ok_or_else(|| self.malformed("bytes are missing"))?;
        self.at = end;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let taken = self.take(N)?;
        taken.try_into().map_err(|_| self.malformed("bytes are missing"))
    }

    pub(crate) fn u8(&mut self) -> Result<u8, Malformed> {
        self.array::<1>().map(|[byte]| byte)
    }

    pub(crate) fn u32(&mut self) -> Result<u32, Malformed> {
        self.array().map(u32::from_le_bytes)
    }

    pub(crate) fn u64(&mut self) -> Result<u64, Malformed> {
        self.array().map(u64::from_le_bytes)
    }

    pub(crate) fn bytes<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        self.array()
    }

    /// A number of one to ten bytes, seven bits each, the lowest first.
    pub(crate) fn number(&mut self) -> Result<u64, Malformed> {
        let start = self.at;
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.u8()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                break;
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(Malformed { at: start, what: "a number is too long" })
    }

    pub(crate) fn number32(&mut self) -> Result<u32, Malformed> {
        let number = self.number()?;
        u32::try_from(number).map_err(|_| self.malformed("a number is too large"))
    }

    /// A number that lies near `base`.
    pub(crate) fn near(&mut self, base: u64) -> Result<u64, Malformed> {
        let number = self.number()?;
        let delta = (number >> 1) ^ (number & 1).wrapping_neg();
        Ok(base.wrapping_add(delta))
    }

    pub(crate) fn near32(&mut self, base: u32) -> Result<u32, Malformed> {
        let value = self.near(u64::from(base))?;
        u32::try_from(value).map_err(|_| self.malformed("a number is too large"))
    }

    /// A count of things that take at least `least` bytes each: more than fit are not believed.
    pub(crate) fn count(&mut self, least: usize) -> Result<usize, Malformed> {
        let count = usize::try_from(self.number()?).map_err(|_| self.malformed("a count is absurd"))?;
        if count > self.left() / least.max(1) {
            return Err(self.malformed("a count is larger than what follows"));
        }
        Ok(count)
    }

    /// Bytes that come after their length.
    pub(crate) fn string(&mut self) -> Result<&'a [u8], Malformed> {
        let len = usize::try_from(self.number()?).map_err(|_| self.malformed("a length is absurd"))?;
        self.take(len)
    }

    /// That nothing is left.
    pub(crate) fn end(&self) -> Result<(), Malformed> {
        if self.left() == 0 { Ok(()) } else { Err(self.malformed("bytes are left over")) }
    }
}

/// Writes what [`Cursor::number`] reads.
pub(crate) fn put_number(out: &mut Vec<u8>, mut value: u64) {
    while value > 0x7f {
        out.push(low_byte(value) | 0x80);
        value >>= 7;
    }
    out.push(low_byte(value));
}

/// Writes what [`Cursor::near`] reads.
pub(crate) fn put_near(out: &mut Vec<u8>, base: u64, value: u64) {
    let delta = value.wrapping_sub(base);
    let sign = (delta >> 63).wrapping_neg();
    put_number(out, (delta << 1) ^ sign);
}

/// Writes what [`Cursor::string`] reads.
pub(crate) fn put_string(out: &mut Vec<u8>, bytes: &[u8]) {
    put_number(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

fn low_byte(value: u64) -> u8 {
    value.to_le_bytes()[0]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn numbers_are_read_as_written(value: u64, base: u64) {
            let mut out = Vec::new();
            put_number(&mut out, value);
            put_near(&mut out, base, value);
            let mut cursor = Cursor::new(&out);
            prop_assert_eq!(cursor.number(), Ok(value));
            prop_assert_eq!(cursor.near(base), Ok(value));
            prop_assert_eq!(cursor.end(), Ok(()));
        }

        #[test]
        fn garbage_is_refused_without_panic(bytes: Vec<u8>) {
            let mut cursor = Cursor::new(&bytes);
            while cursor.number().is_ok() {}
            let _ = Cursor::new(&bytes).string();
            let _ = Cursor::new(&bytes).count(3);
            let _ = Cursor::new(&bytes).near32(7);
            let _ = Cursor::new(&bytes).bytes::<16>();
        }
    }

    #[test]
    fn small_steps_take_one_byte() {
        for step in [0_u64, 1, 63, u64::MAX, u64::MAX - 62] {
            let mut out = Vec::new();
            put_near(&mut out, 1000, 1000_u64.wrapping_add(step));
            assert_eq!(out.len(), 1, "{step}");
        }
    }

    #[test]
    fn a_number_of_eleven_bytes_or_above_64_bits_is_refused() {
        assert!(Cursor::new(&[0xff; 11]).number().is_err());
        let mut above = [0x80; 10];
        above[9] = 2;
        assert!(Cursor::new(&above).number().is_err());
        above[9] = 1;
        assert_eq!(Cursor::new(&above).number(), Ok(1 << 63));
    }

    #[test]
    fn a_count_is_believed_only_as_far_as_bytes_follow() {
        assert_eq!(Cursor::new(&[2, 0, 0, 0, 0]).count(2), Ok(2));
        assert_eq!(
            Cursor::new(&[3, 0, 0, 0, 0]).count(2).unwrap_err().what,
            "a count is larger than what follows"
        );
    }

    #[test]
    fn a_fault_tells_where_it_is() {
        let mut cursor = Cursor::new(&[1, 2, 3]);
        cursor.take(2).unwrap();
        let fault = cursor.take(2).unwrap_err();
        assert_eq!(fault.to_string(), "bytes are missing at byte 2 of the piece");
    }
}
