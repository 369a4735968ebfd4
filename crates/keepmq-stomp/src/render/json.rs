//! Maps and streams as JSON (RFC 8259).

use std::fmt::Write;

use keepmq_model::{Text, Value};

use super::text::{as_text, base64};

/// Deeper values are written as `null`.
const MAX_DEPTH: usize = 32;

/// A map as a JSON object.
pub(crate) fn map_to_json(map: &[(Text, Value)]) -> String {
    let mut out = String::new();
    object(&mut out, map.iter().map(|(key, value)| (key.to_string(), value)), 0);
    out
}

/// A stream as a JSON array.
pub(crate) fn list_to_json(list: &[Value]) -> String {
    let mut out = String::new();
    array(&mut out, list, 0);
    out
}

fn object<'a>(out: &mut String, pairs: impl Iterator<Item = (String, &'a Value)>, depth: usize) {
    out.push('{');
    for (at, (key, value)) in pairs.enumerate() {
        if at > 0 {
            out.push(',');
        }
        string(out, &key);
        out.push(':');
        put(out, value, depth + 1);
    }
    out.push('}');
}

fn array(out: &mut String, list: &[Value], depth: usize) {
    out.push('[');
    for (at, value) in list.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        put(out, value, depth + 1);
    }
    out.push(']');
}

fn put(out: &mut String, value: &Value, depth: usize) {
    match value {
        _ if depth > MAX_DEPTH => out.push_str("null"),
        Value::List(list) => array(out, list, depth),
        Value::Map(map) => {
            let pairs = map.iter().map(|(key, value)| (as_text(key).unwrap_or_default().into_owned(), value));
            object(out, pairs, depth);
        }
        Value::Bytes(bytes) => string(out, &base64(bytes)),
        Value::F32(number) if !number.is_finite() => out.push_str("null"),
        Value::F64(number) if !number.is_finite() => out.push_str("null"),
        Value::Text(_) | Value::Symbol(_) | Value::Char(_) | Value::Uuid(_) => {
            string(out, &as_text(value).unwrap_or_default());
        }
        _ => match as_text(value) {
            Some(literal) => out.push_str(&literal),
            None => out.push_str("null"),
        },
    }
}

fn string(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => drop(write!(out, "\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    #[test]
    fn every_value_has_a_json_form() {
        let map: Vec<(Text, Value)> = vec![
            ("a".into(), Value::I32(-1)),
            ("b\"".into(), Value::Text("x\\\n\u{1}\u{e9}".into())),
            ("c".into(), Value::Bool(true)),
            ("d".into(), Value::Null),
            ("e".into(), Value::F64(1.5)),
            ("f".into(), Value::F64(f64::NAN)),
            ("g".into(), Value::Bytes(Bytes::from_static(b"foo"))),
            ("h".into(), Value::List(vec![Value::U8(1), Value::F32(f32::INFINITY)])),
            ("i".into(), Value::Map(vec![(Value::I32(7), Value::Char('c'))])),
            ("j".into(), Value::F64(1e10)),
        ];
        assert_eq!(
            map_to_json(&map),
            "{\"a\":-1,\"b\\\"\":\"x\\\\\\n\\u0001\u{e9}\",\"c\":true,\"d\":null,\"e\":1.5,\"f\":null,\
             \"g\":\"Zm9v\",\"h\":[1,null],\"i\":{\"7\":\"c\"},\"j\":1.0E10}"
        );
        assert_eq!(map_to_json(&[]), "{}");
        assert_eq!(list_to_json(&[Value::I8(1), Value::Text("a".into())]), "[1,\"a\"]");
    }

    #[test]
    fn depth_is_bounded() {
        let mut value = Value::Bool(true);
        for _ in 0..500 {
            value = Value::List(vec![value]);
        }
        let json = list_to_json(&[value]);
        assert!(json.len() < 100 && json.contains("null"));
    }
}
