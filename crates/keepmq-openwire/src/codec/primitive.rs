//! Typed values: properties, map and stream bodies (openwire.md, section 9).

use bytes::{Buf, BufMut, Bytes, BytesMut};
use keepmq_model::{Text, Value};

use super::text::JavaText;

/// Maps and lists in maps and lists, at most.
const DEEPEST: u8 = 32;
/// From this many UTF-16 units on a text has the long form.
const BIG_STRING: usize = 8191;

/// Bytes that are no values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unreadable;

/// Reads values from the front of bytes.
pub struct Values {
    rest: Bytes,
    depth: u8,
}

impl Values {
    /// Of these bytes.
    pub fn new(bytes: &Bytes) -> Self {
        Self { rest: bytes.clone(), depth: 0 }
    }

    /// Whether all is read.
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    fn need(&self, len: usize) -> Result<(), Unreadable> {
        if self.rest.len() < len { Err(Unreadable) } else { Ok(()) }
    }

    fn u8(&mut self) -> Result<u8, Unreadable> {
        self.need(1)?;
        Ok(self.rest.get_u8())
    }

    fn u16(&mut self) -> Result<u16, Unreadable> {
        self.need(2)?;
        Ok(self.rest.get_u16())
    }

    fn i32(&mut self) -> Result<i32, Unreadable> {
        self.need(4)?;
        Ok(self.rest.get_i32())
    }

    fn i64(&mut self) -> Result<i64, Unreadable> {
        self.need(8)?;
        Ok(self.rest.get_i64())
    }

    fn part(&mut self, len: usize) -> Result<Bytes, Unreadable> {
        self.need(len)?;
        Ok(self.rest.split_to(len))
    }

    /// A count of what takes at least so many bytes each; `None` for -1.
    fn count(&mut self, each: usize) -> Result<Option<usize>, Unreadable> {
        match self.i32()? {
            -1 => Ok(None),
            count => {
                let count = usize::try_from(count).map_err(|_| Unreadable)?;
                if count > self.rest.len() / each { Err(Unreadable) } else { Ok(Some(count)) }
            }
        }
    }

    fn short_text(&mut self) -> Result<Text, Unreadable> {
        let len = self.u16()?.into();
        self.part(len).map(text)
    }

    /// Names with values, in order. No map at all counts as an empty one.
    pub fn map(&mut self) -> Result<Vec<(Text, Value)>, Unreadable> {
        let count = self.count(3)?.unwrap_or_default();
        self.deeper(|values| (0..count).map(|_| Ok((values.short_text()?, values.value()?))).collect())
    }

    fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, Unreadable>) -> Result<T, Unreadable> {
        if self.depth == DEEPEST {
            return Err(Unreadable);
        }
        self.depth += 1;
        let result = read(self);
        self.depth -= 1;
        result
    }

    /// One value.
    pub fn value(&mut self) -> Result<Value, Unreadable> {
        Ok(match self.u8()? {
            0 => Value::Null,
            1 => Value::Bool(self.u8()? != 0),
            2 => Value::I8(i8::from_be_bytes([self.u8()?])),
            3 => {
                let unit = u32::from(self.u16()?);
                Value::Char(char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER))
            }
            4 => Value::I16(i16::from_be_bytes(self.u16()?.to_be_bytes())),
            5 => Value::I32(self.i32()?),
            6 => Value::I64(self.i64()?),
            7 => Value::F64(f64::from_be_bytes(self.i64()?.to_be_bytes())),
            8 => Value::F32(f32::from_be_bytes(self.i32()?.to_be_bytes())),
            9 => Value::Text(self.short_text()?),
            10 => {
                let len = self.count(1)?.unwrap_or_default();
                Value::Bytes(self.part(len)?)
            }
            11 => {
                Value::Map(self.map()?.into_iter().map(|(name, value)| (Value::Text(name), value)).collect())
            }
            12 => {
                let count = self.count(1)?.unwrap_or_default();
                Value::List(self.deeper(|values| (0..count).map(|_| values.value()).collect())?)
            }
            13 => match self.count(1)? {
                Some(len) => Value::Text(text(self.part(len)?)),
                None => Value::Null,
            },
            _ => return Err(Unreadable),
        })
    }
}

/// Text of either form: Java writes the modified one, and reads the other in some places (openwire.md, section 5).
fn text(bytes: Bytes) -> Text {
    JavaText::lenient(bytes).to_text()
}

/// Writes names with values. A name or text that is too long is cut.
pub fn put_map<'a>(out: &mut BytesMut, pairs: impl ExactSizeIterator<Item = (&'a str, &'a Value)>) {
    out.put_i32(i32::try_from(pairs.len()).unwrap_or(i32::MAX));
    for (name, value) in pairs {
        put_short(out, name);
        put_value(out, value);
    }
}

fn put_short(out: &mut BytesMut, text: &str) {
    let mut end = text.len().min(u16::MAX.into());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let text = &text.as_bytes()[..end];
    out.put_u16(u16::try_from(text.len()).unwrap_or_default());
    out.put_slice(text);
}

fn put_bytes(out: &mut BytesMut, bytes: &[u8]) {
    out.put_i32(i32::try_from(bytes.len()).unwrap_or(i32::MAX));
    out.put_slice(bytes);
}

fn put_text(out: &mut BytesMut, text: &str) {
    if text.len() < BIG_STRING {
        out.put_u8(9);
        put_short(out, text);
    } else {
        out.put_u8(13);
        put_bytes(out, JavaText::from(text).bytes());
    }
}

/// Writes a value. Types that Java has no word for become the next wider one, or text.
pub fn put_value(out: &mut BytesMut, value: &Value) {
    let number = |out: &mut BytesMut, code: u8, bytes: &[u8]| {
        out.put_u8(code);
        out.put_slice(bytes);
    };
    match value {
        Value::Null => out.put_u8(0),
        Value::Bool(value) => number(out, 1, &[u8::from(*value)]),
        Value::I8(value) => number(out, 2, &value.to_be_bytes()),
        Value::U8(value) => number(out, 4, &i16::from(*value).to_be_bytes()),
        Value::I16(value) => number(out, 4, &value.to_be_bytes()),
        Value::U16(value) => number(out, 5, &i32::from(*value).to_be_bytes()),
        Value::I32(value) => number(out, 5, &value.to_be_bytes()),
        Value::U32(value) => number(out, 6, &i64::from(*value).to_be_bytes()),
        Value::I64(value) | Value::Timestamp(value) => number(out, 6, &value.to_be_bytes()),
        Value::F64(value) => number(out, 7, &value.to_be_bytes()),
        Value::F32(value) => number(out, 8, &value.to_be_bytes()),
        Value::Text(text) | Value::Symbol(text) => put_text(out, text),
        Value::Bytes(bytes) => {
            out.put_u8(10);
            put_bytes(out, bytes);
        }
        Value::Char(c) => match u16::try_from(u32::from(*c)) {
            Ok(unit) => number(out, 3, &unit.to_be_bytes()),
            Err(_) => put_text(out, c.encode_utf8(&mut [0; 4])),
        },
        Value::U64(value) => match i64::try_from(*value) {
            Ok(value) => number(out, 6, &value.to_be_bytes()),
            Err(_) => put_text(out, &value.to_string()),
        },
        Value::List(values) => {
            out.put_u8(12);
            out.put_i32(i32::try_from(values.len()).unwrap_or(i32::MAX));
            values.iter().for_each(|value| put_value(out, value));
        }
        Value::Map(pairs) => {
            out.put_u8(11);
            let named: Vec<(&str, &Value)> = pairs
                .iter()
                .filter_map(|(name, value)| match name {
                    Value::Text(name) | Value::Symbol(name) => Some((&**name, value)),
                    _ => None,
                })
                .collect();
            put_map(out, named.into_iter());
        }
        other => put_text(out, &shown(other)),
    }
}

/// What has no type in Java, as text.
fn shown(value: &Value) -> String {
    match value {
        Value::Uuid(bytes) => format!("{:032x}", u128::from_be_bytes(*bytes)),
        other => format!("{other:?}"),
    }
}
