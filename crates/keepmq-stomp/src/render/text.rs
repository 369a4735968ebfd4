//! One value as a header's text.

use std::borrow::Cow;
use std::fmt::Write;

use keepmq_model::Value;

/// A value as text; `None` when a header can't say it.
///
/// Numbers and truth values are printed as Java prints them, because that is what ActiveMQ's clients expect; bytes are
/// base64; nothing, lists and maps are left out.
pub(crate) fn as_text(value: &Value) -> Option<Cow<'_, str>> {
    Some(match value {
        Value::Text(text) | Value::Symbol(text) => Cow::Borrowed(text),
        Value::Bool(value) => Cow::Borrowed(if *value { "true" } else { "false" }),
        Value::I8(value) => Cow::Owned(value.to_string()),
        Value::I16(value) => Cow::Owned(value.to_string()),
        Value::I32(value) => Cow::Owned(value.to_string()),
        Value::I64(value) | Value::Timestamp(value) => Cow::Owned(value.to_string()),
        Value::U8(value) => Cow::Owned(value.to_string()),
        Value::U16(value) => Cow::Owned(value.to_string()),
        Value::U32(value) => Cow::Owned(value.to_string()),
        Value::U64(value) => Cow::Owned(value.to_string()),
        Value::F32(value) => Cow::Owned(java_float(&format!("{value:e}"), f64::from(*value))),
        Value::F64(value) => Cow::Owned(java_float(&format!("{value:e}"), *value)),
        Value::Char(value) => Cow::Owned(value.to_string()),
        Value::Uuid(bytes) => Cow::Owned(uuid(bytes)),
        Value::Bytes(bytes) => Cow::Owned(base64(bytes)),
        _ => return None,
    })
}

/// A floating-point number as Java's `Double.toString` prints it. `shortest` is the number as `1.5e-3`.
fn java_float(shortest: &str, value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "Infinity" } else { "-Infinity" }.to_owned();
    }
    let (digits, exponent) = shortest.split_once('e').unwrap_or((shortest, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if value == 0.0 || (-3..7).contains(&exponent) {
        return plain(digits, exponent);
    }
    let point = if digits.contains('.') { "" } else { ".0" };
    format!("{digits}{point}E{exponent}")
}

/// Shifts the point of `d.ddd` by the exponent, and leaves a digit on either side of it.
fn plain(digits: &str, exponent: i32) -> String {
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits), |rest| ("-", rest));
    let digits: String = digits.chars().filter(char::is_ascii_digit).collect();
    let whole = usize::try_from(exponent + 1).unwrap_or_default();
    let zeros = usize::try_from(-exponent - 1).unwrap_or_default();
    let padded = format!("{}{digits}{}", "0".repeat(zeros), "0".repeat(whole.saturating_sub(digits.len())));
    let (before, after) = padded.split_at_checked(whole).unwrap_or((&padded, ""));
    let or_zero = |part: &str| {
        if part.is_empty() { "0".to_owned() } else { part.to_owned() }
    };
    format!("{sign}{}.{}", or_zero(before), or_zero(after))
}

fn uuid(bytes: &[u8; 16]) -> String {
    let mut text = String::with_capacity(36);
    for (at, byte) in bytes.iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// Bytes in base64 (RFC 4648, section 4).
pub(crate) fn base64(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let mut group = [0; 4];
        for (place, byte) in group.iter_mut().skip(1).zip(chunk) {
            *place = *byte;
        }
        let bits = u32::from_be_bytes(group);
        for at in 0..4 {
            text.push(if at <= chunk.len() { digit(bits >> (18 - 6 * at)) } else { '=' });
        }
    }
    text
}

fn digit(bits: u32) -> char {
    let bits = u8::try_from(bits & 63).unwrap_or_default();
    char::from(match bits {
        0..26 => b'A' + bits,
        26..52 => b'a' + bits - 26,
        52..62 => b'0' + bits - 52,
        62 => b'+',
        _ => b'/',
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use proptest::prelude::*;

    fn text(value: &Value) -> String {
        as_text(value).expect("a text").into_owned()
    }

    #[test]
    fn doubles_are_printed_as_java_prints_them() {
        for (value, wanted) in [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1.0, "1.0"),
            (-1.5, "-1.5"),
            (0.001, "0.001"),
            (0.012_5, "0.0125"),
            (0.000_999, "9.99E-4"),
            (9_999_999.0, "9999999.0"),
            (1e7, "1.0E7"),
            (123_456.789, "123456.789"),
            (1.5e300, "1.5E300"),
            (f64::MIN_POSITIVE, "2.2250738585072014E-308"),
            (f64::NAN, "NaN"),
            (f64::INFINITY, "Infinity"),
            (f64::NEG_INFINITY, "-Infinity"),
        ] {
            assert_eq!(text(&Value::F64(value)), wanted);
        }
        assert_eq!(text(&Value::F32(0.1)), "0.1");
        assert_eq!(text(&Value::F32(f32::MAX)), "3.4028235E38");
    }

    #[test]
    fn every_type_that_a_header_can_say_is_said() {
        let uuid = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 255];
        for (value, wanted) in [
            (Value::Bool(true), "true"),
            (Value::Bool(false), "false"),
            (Value::I8(-1), "-1"),
            (Value::I16(-300), "-300"),
            (Value::I32(i32::MIN), "-2147483648"),
            (Value::I64(i64::MAX), "9223372036854775807"),
            (Value::U8(255), "255"),
            (Value::U16(1), "1"),
            (Value::U32(2), "2"),
            (Value::U64(u64::MAX), "18446744073709551615"),
            (Value::Char('\u{e9}'), "\u{e9}"),
            (Value::Timestamp(-5), "-5"),
            (Value::Uuid(uuid), "00010203-0405-0607-0809-0a0b0c0d0eff"),
            (Value::Text("a\nb".into()), "a\nb"),
            (Value::Symbol("s".into()), "s"),
            (Value::Bytes(Bytes::from_static(b"\xff\0")), "/wA="),
        ] {
            assert_eq!(text(&value), wanted);
        }
        for lost in [Value::Null, Value::List(vec![]), Value::Map(vec![])] {
            assert_eq!(as_text(&lost), None);
        }
    }

    #[test]
    fn base64_is_that_of_the_rfc() {
        for (bytes, wanted) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64(bytes.as_bytes()), wanted);
        }
        assert_eq!(base64(&[0xfb, 0xef, 0xff]), "++//");
    }

    proptest! {
        #[test]
        fn a_printed_double_is_read_back(value in any::<f64>()) {
            let printed = text(&Value::F64(value));
            let read: f64 = printed.parse().unwrap();
            prop_assert!(read.to_bits() == value.to_bits() || value.is_nan() && read.is_nan(), "{printed}");
        }
    }
}
