//! Options that are a quantity: sizes, lengths of time, counts.

use std::fmt;
use std::time::Duration;

use toml::Spanned;
use toml::de::DeValue;

use crate::findings::Findings;
use crate::option::{Setting, wrong_type};
use crate::value::{quoted, text};

/// A number of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Size(u64);

/// Units of sizes, the largest first.
const UNITS: [(&str, u64); 5] =
    [("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1)];

impl Size {
    /// So many bytes.
    pub const fn of(bytes: u64) -> Self {
        Self(bytes)
    }

    /// So many times 1024 bytes.
    pub const fn kib(number: u64) -> Self {
        Self(number << 10)
    }

    /// So many times 1024 KiB.
    pub const fn mib(number: u64) -> Self {
        Self(number << 20)
    }

    /// So many times 1024 MiB.
    pub const fn gib(number: u64) -> Self {
        Self(number << 30)
    }

    /// In bytes.
    pub const fn bytes(self) -> u64 {
        self.0
    }

    /// In bytes, for what counts memory; as many as can be on a small machine.
    pub fn as_usize(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }

    fn parse(text: &str) -> Option<Self> {
        let (number, factor) =
            UNITS.iter().find_map(|(unit, factor)| text.strip_suffix(unit).map(|number| (number, factor)))?;
        digits(number.trim_end())?.checked_mul(*factor).map(Self)
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fits = |factor: &u64| self.0 != 0 && self.0.is_multiple_of(*factor);
        match UNITS.iter().find(|(_, factor)| fits(factor)) {
            Some((unit, factor)) => write!(f, "{}{unit}", self.0 / factor),
            None => f.write_str("0B"),
        }
    }
}

impl Setting for Size {
    const FORM: &'static str = "a size such as \"64MiB\" (B, KiB, MiB, GiB, TiB), or a number of bytes";

    fn read(value: &Spanned<DeValue<'_>>, findings: &mut Findings<'_>) -> Option<Self> {
        match value.get_ref() {
            DeValue::Integer(_) => whole_number(value, findings).map(Self),
            DeValue::String(text) => Self::parse(text).or_else(|| {
                let what = format!("{} is not a size", quoted(text));
                findings.fault("size", Some(&value.span()), what, format!("write {}", Self::FORM));
                None
            }),
            _ => {
                wrong_type(value, Self::FORM, findings);
                None
            }
        }
    }

    fn show(&self) -> Option<String> {
        Some(Self::write_number(self.0))
    }

    fn number(&self) -> Option<u64> {
        Some(self.0)
    }

    fn write_number(number: u64) -> String {
        format!("\"{}\"", Self(number))
    }
}

/// A length of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Period(u64);

/// Units of time, in milliseconds, the largest first. `ms` stands before `m` and `s`, whose letters it ends in.
const TIMES: [(&str, u64); 5] = [("ms", 1), ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000)];

impl Period {
    /// So many milliseconds.
    pub const fn millis(number: u64) -> Self {
        Self(number)
    }

    /// So many seconds.
    pub const fn seconds(number: u64) -> Self {
        Self(number * 1_000)
    }

    /// In milliseconds.
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// For what waits.
    pub const fn as_duration(self) -> Duration {
        Duration::from_millis(self.0)
    }

    fn parse(text: &str) -> Option<Self> {
        let (number, factor) =
            TIMES.iter().find_map(|(unit, factor)| text.strip_suffix(unit).map(|number| (number, factor)))?;
        digits(number.trim_end())?.checked_mul(*factor).map(Self)
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fits = |factor: u64| factor > 1 && self.0 != 0 && self.0.is_multiple_of(factor);
        match TIMES.iter().find(|(_, factor)| fits(*factor)) {
            Some((unit, factor)) => write!(f, "{}{unit}", self.0 / factor),
            None => write!(f, "{}ms", self.0),
        }
    }
}

impl Setting for Period {
    const FORM: &'static str = "a length of time such as \"5s\" (ms, s, m, h, d)";

    fn read(value: &Spanned<DeValue<'_>>, findings: &mut Findings<'_>) -> Option<Self> {
        // A bare number would have to be guessed at: seconds here, milliseconds elsewhere.
        let text = text(value, Self::FORM, findings)?;
        Self::parse(text).or_else(|| {
            let what = format!("{} is not a length of time", quoted(text));
            findings.fault("time", Some(&value.span()), what, format!("write {}", Self::FORM));
            None
        })
    }

    fn show(&self) -> Option<String> {
        Some(Self::write_number(self.0))
    }

    fn number(&self) -> Option<u64> {
        Some(self.0)
    }

    fn write_number(number: u64) -> String {
        format!("\"{}\"", Self(number))
    }
}

/// How many of something there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Count(u32);

impl Count {
    /// So many.
    pub const fn of(number: u32) -> Self {
        Self(number)
    }

    /// As a number.
    pub const fn get(self) -> u32 {
        self.0
    }

    /// As a length.
    pub fn as_usize(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

impl Setting for Count {
    const FORM: &'static str = "a whole number";

    fn read(value: &Spanned<DeValue<'_>>, findings: &mut Findings<'_>) -> Option<Self> {
        let number = whole_number(value, findings)?;
        u32::try_from(number).map(Self).ok().or_else(|| {
            let what = format!("{number} is out of range");
            findings.fault("range", Some(&value.span()), what, format!("write at most {}", u32::MAX));
            None
        })
    }

    fn show(&self) -> Option<String> {
        Some(self.0.to_string())
    }

    fn number(&self) -> Option<u64> {
        Some(self.0.into())
    }
}

/// Reads a whole number that is not negative.
pub(crate) fn whole_number(value: &Spanned<DeValue<'_>>, findings: &mut Findings<'_>) -> Option<u64> {
    let Some(integer) = value.get_ref().as_integer() else {
        wrong_type(value, "a whole number", findings);
        return None;
    };
    let number = u64::from_str_radix(integer.as_str(), integer.radix()).ok();
    if number.is_none() {
        let what = format!("{integer} is out of range");
        findings.fault("range", Some(&value.span()), what, "write a whole number that is not negative");
    }
    number
}

fn digits(text: &str) -> Option<u64> {
    let is_number = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    is_number.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests;
