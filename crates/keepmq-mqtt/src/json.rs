//! Maps and streams of other protocols as compact JSON text (RFC 8259).

use std::fmt::{self, Write};

use bytes::Bytes;
use keepmq_model::{Text, Value};

/// Deepest nesting that is written.
const DEEPEST: usize = 32;

/// A map as an object.
pub(crate) fn object(pairs: &[(Text, Value)]) -> Bytes {
    let pairs = pairs.iter().map(|(key, value)| (Key::Text(key), value));
    finish(|json| json.object(pairs, DEEPEST))
}

/// A stream as an array.
pub(crate) fn array(values: &[Value]) -> Bytes {
    finish(|json| json.array(values, DEEPEST))
}

fn finish(write: impl FnOnce(&mut Json) -> fmt::Result) -> Bytes {
    let mut json = Json(String::new());
    // Writing to a string can't fail.
    let _ = write(&mut json);
    json.0.into()
}

enum Key<'a> {
    Text(&'a str),
    Value(&'a Value),
}

struct Json(String);

impl Json {
    fn value(&mut self, value: &Value, depth: usize) -> fmt::Result {
        match value {
            Value::Bool(it) => write!(self.0, "{it}"),
            Value::I8(it) => write!(self.0, "{it}"),
            Value::I16(it) => write!(self.0, "{it}"),
            Value::I32(it) => write!(self.0, "{it}"),
            Value::I64(it) | Value::Timestamp(it) => write!(self.0, "{it}"),
            Value::U8(it) => write!(self.0, "{it}"),
            Value::U16(it) => write!(self.0, "{it}"),
            Value::U32(it) => write!(self.0, "{it}"),
            Value::U64(it) => write!(self.0, "{it}"),
            Value::F32(it) if it.is_finite() => write!(self.0, "{it:?}"),
            Value::F64(it) if it.is_finite() => write!(self.0, "{it:?}"),
            Value::Char(it) => self.text(it.encode_utf8(&mut [0; 4])),
            Value::Text(it) | Value::Symbol(it) => self.text(it),
            Value::Uuid(it) => self.uuid(u128::from_be_bytes(*it)),
            Value::Bytes(it) => self.base64(it),
            Value::List(values) => self.array(values, depth),
            Value::Map(pairs) => {
                self.object(pairs.iter().map(|(key, value)| (Key::Value(key), value)), depth)
            }
            // Null, what is no number, and what is invented later.
            _ => self.0.write_str("null"),
        }
    }

    fn array(&mut self, values: &[Value], depth: usize) -> fmt::Result {
        let Some(depth) = depth.checked_sub(1) else {
            return self.0.write_str("null");
        };
        self.0.write_char('[')?;
        for (index, value) in values.iter().enumerate() {
            self.comma(index)?;
            self.value(value, depth)?;
        }
        self.0.write_char(']')
    }

    fn object<'a>(&mut self, pairs: impl Iterator<Item = (Key<'a>, &'a Value)>, depth: usize) -> fmt::Result {
        let Some(depth) = depth.checked_sub(1) else {
            return self.0.write_str("null");
        };
        self.0.write_char('{')?;
        for (index, (key, value)) in pairs.enumerate() {
            self.comma(index)?;
            self.key(&key)?;
            self.0.write_char(':')?;
            self.value(value, depth)?;
        }
        self.0.write_char('}')
    }

    fn comma(&mut self, index: usize) -> fmt::Result {
        if index > 0 { self.0.write_char(',') } else { Ok(()) }
    }

    /// Lists and maps are `null` as keys: written as text within text within text, they would grow without measure.
    fn key(&mut self, key: &Key<'_>) -> fmt::Result {
        match key {
            Key::Text(text) => self.text(text),
            Key::Value(Value::Text(text) | Value::Symbol(text)) => self.text(text),
            Key::Value(Value::Char(c)) => self.text(c.encode_utf8(&mut [0; 4])),
            Key::Value(other) => {
                let mut json = Self(String::new());
                json.value(other, 0)?;
                self.text(json.0.trim_matches('"'))
            }
        }
    }

    fn text(&mut self, text: &str) -> fmt::Result {
        self.0.write_char('"')?;
        for c in text.chars() {
            match c {
                '"' => self.0.write_str("\\\"")?,
                '\\' => self.0.write_str("\\\\")?,
                '\n' => self.0.write_str("\\n")?,
                '\r' => self.0.write_str("\\r")?,
                '\t' => self.0.write_str("\\t")?,
                c if c < ' ' => write!(self.0, "\\u{:04x}", u32::from(c))?,
                c => self.0.write_char(c)?,
            }
        }
        self.0.write_char('"')
    }

    /// As in RFC 9562, section 4.
    fn uuid(&mut self, uuid: u128) -> fmt::Result {
        let part = |shift: u32, digits: u32| uuid >> shift & ((1 << (4 * digits)) - 1);
        write!(
            self.0,
            "\"{:08x}-{:04x}-{:04x}-{:04x}-{:012x}\"",
            part(96, 8),
            part(80, 4),
            part(64, 4),
            part(48, 4),
            part(0, 12)
        )
    }

    fn base64(&mut self, bytes: &[u8]) -> fmt::Result {
        self.0.write_char('"')?;
        for chunk in bytes.chunks(3) {
            let at = |index: usize| u32::from(chunk.get(index).copied().unwrap_or(0));
            let group = at(0) << 16 | at(1) << 8 | at(2);
            for digit in 0..4 {
                let used = digit <= chunk.len();
                self.0.write_char(if used { digit64(group >> (18 - 6 * digit) & 63) } else { '=' })?;
            }
        }
        self.0.write_char('"')
    }
}

fn digit64(number: u32) -> char {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    usize::try_from(number).ok().and_then(|at| DIGITS.get(at)).map_or('=', |digit| char::from(*digit))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(value: Value) -> String {
        String::from_utf8(array(&[value]).to_vec()).unwrap()
    }

    #[test]
    fn every_kind_of_value_has_its_text() {
        let bytes = |b: &'static [u8]| Value::Bytes(Bytes::from_static(b));
        let table = [
            (Value::Null, "null"),
            (Value::Bool(true), "true"),
            (Value::I8(-1), "-1"),
            (Value::I16(-2), "-2"),
            (Value::I32(-3), "-3"),
            (Value::I64(i64::MIN), "-9223372036854775808"),
            (Value::U8(1), "1"),
            (Value::U16(2), "2"),
            (Value::U32(3), "3"),
            (Value::U64(u64::MAX), "18446744073709551615"),
            (Value::F32(0.1), "0.1"),
            (Value::F64(1e300), "1e300"),
            (Value::F64(-2.0), "-2.0"),
            (Value::F64(f64::NAN), "null"),
            (Value::F32(f32::NEG_INFINITY), "null"),
            (Value::Char('ä'), "\"ä\""),
            (Value::Timestamp(5), "5"),
            (
                Value::Uuid(*b"\x12\x3e\x45\x67\xe8\x9b\x12\xd3\xa4\x56\x42\x66\x14\x17\x40\x00"),
                "\"123e4567-e89b-12d3-a456-426614174000\"",
            ),
            // RFC 4648, section 10.
            (bytes(b""), "\"\""),
            (bytes(b"f"), "\"Zg==\""),
            (bytes(b"fo"), "\"Zm8=\""),
            (bytes(b"foo"), "\"Zm9v\""),
            (bytes(b"foob"), "\"Zm9vYg==\""),
            (bytes(b"fooba"), "\"Zm9vYmE=\""),
            (bytes(b"foobar"), "\"Zm9vYmFy\""),
            (bytes(&[0xfb, 0xff]), "\"+/8=\""),
            (Value::Text("a\"\\\n\u{1}ä".into()), "\"a\\\"\\\\\\n\\u0001ä\""),
            (Value::Symbol("s".into()), "\"s\""),
            (Value::List(vec![Value::U8(1), Value::List(vec![])]), "[1,[]]"),
            (
                Value::Map(vec![
                    (Value::Text("k".into()), Value::Null),
                    (Value::I32(7), Value::Bool(false)),
                    (Value::Char('"'), Value::U8(0)),
                    (Value::Uuid([0; 16]), Value::U8(1)),
                    (Value::Map(vec![(Value::Null, Value::Null)]), Value::U8(2)),
                ]),
                "{\"k\":null,\"7\":false,\"\\\"\":0,\"00000000-0000-0000-0000-000000000000\":1,\"null\":2}",
            ),
        ];
        for (value, text) in table {
            assert_eq!(json(value.clone()), format!("[{text}]"), "{value:?}");
        }
    }

    #[test]
    fn an_object_keeps_its_order_and_its_doubles() {
        let pairs = [("b".into(), Value::U8(1)), ("a".into(), Value::U8(2)), ("b".into(), Value::U8(3))];
        assert_eq!(object(&pairs), "{\"b\":1,\"a\":2,\"b\":3}");
        assert_eq!(object(&[]), "{}");
        assert_eq!(array(&[]), "[]");
    }

    #[test]
    fn depth_is_bounded() {
        let mut value = Value::U8(1);
        for _ in 0..100 {
            value = Value::List(vec![Value::Map(vec![(Value::Null, value)])]);
        }
        let text = json(value);
        assert!(text.len() < 1000 && text.ends_with("}]]"));
        assert_eq!(text.matches(['[', '{']).count(), DEEPEST);
        assert_eq!(text.matches(['[', '{']).count(), text.matches([']', '}']).count());
    }
}
