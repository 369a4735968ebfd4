//! Numbers as they are written.

/// A number without its sign.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Number {
    /// May be over 63 bits: with a minus the lowest number is one more than the highest.
    Exact(u64),
    Approximate(f64),
}

const TOO_LARGE: &str =
    "the number does not fit into 64 bits; write it with a decimal point to have it approximate";

/// Reads the number that the text begins with, a digit or a point and a digit. Says how many bytes it has.
pub(crate) fn read(text: &str) -> Result<(Number, usize), &'static str> {
    match text.as_bytes() {
        [b'0', b'x' | b'X', ..] => hexadecimal(text),
        _ => decimal(text),
    }
}

/// How many of the leading bytes are such.
fn run(text: &str, is: impl Fn(&u8) -> bool) -> usize {
    text.bytes().take_while(|byte| is(byte)).count()
}

fn rest(text: &str, from: usize) -> &str {
    text.get(from..).unwrap_or_default()
}

/// The length with the suffix of a long.
fn with_long(text: &str, length: usize) -> usize {
    length + usize::from(rest(text, length).starts_with(['l', 'L']))
}

fn hexadecimal(text: &str) -> Result<(Number, usize), &'static str> {
    let digits = run(rest(text, 2), u8::is_ascii_hexdigit);
    if digits == 0 {
        return Err("0x must be followed by hexadecimal digits");
    }
    let exact = i64::from_str_radix(rest(text, 2).get(..digits).unwrap_or_default(), 16);
    let exact = exact.map_err(|_| TOO_LARGE)?;
    Ok((Number::Exact(exact.unsigned_abs()), with_long(text, 2 + digits)))
}

fn decimal(text: &str) -> Result<(Number, usize), &'static str> {
    let whole = run(text, u8::is_ascii_digit);
    let mut length = whole;
    if rest(text, length).starts_with('.') {
        length += 1 + run(rest(text, length + 1), u8::is_ascii_digit);
    }
    length += exponent(rest(text, length));
    let digits = text.get(..length).unwrap_or_default();
    let has_suffix = rest(text, length).starts_with(['f', 'F', 'd', 'D']);
    if length == whole && !has_suffix {
        return Ok((exact(digits)?, with_long(text, length)));
    }
    match digits.parse::<f64>() {
        Ok(number) if number.is_finite() => {
            Ok((Number::Approximate(number), length + usize::from(has_suffix)))
        }
        _ => Err("the number is larger than a double can be"),
    }
}

/// The length of an exponent; 0 when there is none.
fn exponent(text: &str) -> usize {
    if !text.starts_with(['e', 'E']) {
        return 0;
    }
    let sign = usize::from(rest(text, 1).starts_with(['+', '-']));
    let digits = run(rest(text, 1 + sign), u8::is_ascii_digit);
    if digits == 0 { 0 } else { 1 + sign + digits }
}

/// A leading zero makes it octal.
fn exact(digits: &str) -> Result<Number, &'static str> {
    if digits.len() == 1 || !digits.starts_with('0') {
        return digits.parse().map(Number::Exact).map_err(|_| TOO_LARGE);
    }
    if digits.contains(['8', '9']) {
        return Err("a number that begins with 0 is octal and has no 8 or 9; leave the 0 out");
    }
    u64::from_str_radix(digits, 8).map(Number::Exact).map_err(|_| TOO_LARGE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exact_numbers() {
        for (text, number, length) in [
            ("0", 0, 1),
            ("42 ", 42, 2),
            ("42L", 42, 3),
            ("0x2a", 42, 4),
            ("0X2AL)", 42, 5),
            ("052", 42, 3),
            ("00", 0, 2),
            ("9223372036854775808", 1 << 63, 19),
            ("0x7fffffffffffffff", (1 << 63) - 1, 18),
        ] {
            assert_eq!(read(text), Ok((Number::Exact(number), length)), "{text}");
        }
    }

    #[test]
    fn approximate_numbers() {
        for (text, number, length) in [
            ("7.", 7.0, 2),
            (".5", 0.5, 2),
            ("9.5 ", 9.5, 3),
            ("57E2", 5700.0, 4),
            ("57e-2)", 0.57, 5),
            ("5.E+1", 50.0, 5),
            ("1f", 1.0, 2),
            ("1.5D", 1.5, 4),
            ("08.5", 8.5, 4),
        ] {
            assert_eq!(read(text), Ok((Number::Approximate(number), length)), "{text}");
        }
    }

    #[test]
    fn a_number_ends_where_it_can_not_go_on() {
        for (text, length) in [("1AND", 1), ("5e", 1), ("5e+", 1), ("1.5L", 3), ("0xfg", 3), ("1.2.3", 3)] {
            assert_eq!(read(text).unwrap().1, length, "{text}");
        }
    }

    #[test]
    fn what_is_no_number() {
        for text in ["08", "0x", "0xg", "1e999", "18446744073709551616", "0x8000000000000000"] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
