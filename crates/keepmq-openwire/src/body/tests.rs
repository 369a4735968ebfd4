use std::io::Write;
use std::path::Path;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use proptest::prelude::*;

use super::*;

fn message(kind: MessageKind, content: &[u8], compressed: bool) -> Message {
    Message { kind, content: Some(Bytes::copy_from_slice(content)), compressed, ..Message::default() }
}

fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

fn lines(name: &str) -> Vec<serde_json::Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors").join(name);
    std::fs::read_to_string(path).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// A value as the vectors write it.
fn is(value: &Value, wanted: &serde_json::Value) -> bool {
    let v = &wanted["v"];
    let number = || v.as_i64();
    match (value, wanted["t"].as_str().unwrap()) {
        (Value::Null, "null") => true,
        (Value::Bool(value), "boolean") => v.as_bool() == Some(*value),
        (Value::I8(value), "byte") => number() == Some(i64::from(*value)),
        (Value::I16(value), "short") => number() == Some(i64::from(*value)),
        (Value::I32(value), "int" | "integer") => number() == Some(i64::from(*value)),
        (Value::I64(value), "long") => number() == Some(*value) || v.as_str() == Some(&value.to_string()),
        (Value::Char(value), "char") => number() == Some(i64::from(u32::from(*value))),
        (Value::F32(value), "float") => wanted["bits"].as_str() == Some(&format!("{:08x}", value.to_bits())),
        (Value::F64(value), "double") => {
            wanted["bits"].as_str() == Some(&format!("{:016x}", value.to_bits()))
        }
        (Value::Text(value), "string" | "bigString" | "big_string" | "bigstring") => {
            v.as_str() == Some(&**value)
        }
        (Value::Bytes(value), "bytes" | "byteArray" | "byte[]" | "byte_array") => {
            v.as_str().map(unhex).as_deref() == Some(&value[..])
        }
        (Value::List(values), "list") => {
            let wanted = v.as_array().unwrap();
            values.len() == wanted.len() && values.iter().zip(wanted).all(|(value, wanted)| is(value, wanted))
        }
        (Value::Map(pairs), "map") => {
            let wanted = v.as_array().unwrap();
            pairs.len() == wanted.len()
                && pairs.iter().zip(wanted).all(|((name, value), wanted)| {
                    matches!(name, Value::Text(name) if wanted[0].as_str() == Some(name))
                        && is(value, &wanted[1])
                })
        }
        _ => false,
    }
}

#[test]
fn values_of_the_original_are_read_as_what_they_are() {
    let mut count = 0;
    for vector in lines("primitives.jsonl") {
        let bytes = Bytes::from(unhex(vector["hex"].as_str().unwrap()));
        let mut values = Values::new(&bytes);
        if vector["kind"] == "primitive" {
            let value = values.value().unwrap();
            assert!(is(&value, &vector["value"]), "{value:?} {}", vector["value"]);
            assert!(values.is_empty());
            count += 1;
        }
    }
    assert!(count > 20, "{count}");
}

#[test]
fn bodies_of_the_original_are_read_as_what_they_are() {
    let mut count = 0;
    for vector in lines("bodies.jsonl") {
        let kind = MessageKind::of(vector["code"].as_u64().unwrap().try_into().unwrap()).unwrap();
        let content = vector["content"].as_str().map(|hex| Bytes::from(unhex(hex)));
        let compressed = vector["compressed"].as_bool().unwrap();
        let body = read(&Message { kind, content: content.clone(), compressed, ..Message::default() });
        let value = &vector["value"];
        match &body {
            Body::Text(text) => assert_eq!(value.as_str(), Some(&**text)),
            Body::Bytes(bytes) if vector["id"] != "typed-writes" && value.is_string() => {
                assert_eq!(unhex(value.as_str().unwrap()), bytes[..]);
            }
            Body::Empty => assert!(value.is_null() || kind == MessageKind::Plain, "{vector}"),
            Body::Object(bytes) => assert!(bytes.starts_with(&[0xac, 0xed])),
            _ => {}
        }
        assert!(
            !matches!(body, Body::Bytes(_)) || kind == MessageKind::Bytes,
            "it could not be read: {vector}"
        );
        count += 1;
    }
    assert!(count > 50, "{count}");
}

#[test]
fn what_was_deflated_is_inflated() {
    let text = message(MessageKind::Text, &deflate(b"\0\0\0\x05hello"), true);
    assert_eq!(read(&text), Body::Text("hello".into()));
    let mut bytes = 4i32.to_be_bytes().to_vec();
    bytes.extend(deflate(&[7; 1028]));
    assert_eq!(read(&message(MessageKind::Bytes, &bytes, true)), Body::Bytes(Bytes::from(vec![7; 4])));
}

#[test]
fn what_would_inflate_too_much_or_not_at_all_stays_as_it_is() {
    let bomb = deflate(&vec![0; MOST + 1]);
    assert!(bomb.len() < 1 << 20);
    let mut claim = i32::MAX.to_be_bytes().to_vec();
    claim.extend_from_slice(&bomb);
    let all =
        [(MessageKind::Text, bomb), (MessageKind::Bytes, claim), (MessageKind::Map, b"nothing".to_vec())];
    for (kind, content) in all {
        assert_eq!(read(&message(kind, &content, true)), Body::Bytes(content.into()), "{kind:?}");
    }
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i8>().prop_map(Value::I8),
        any::<i16>().prop_map(Value::I16),
        any::<i32>().prop_map(Value::I32),
        any::<i64>().prop_map(Value::I64),
        proptest::num::f32::NORMAL.prop_map(Value::F32),
        any::<i32>().prop_map(|n| Value::F64(n.into())),
        ".{0,20}".prop_map(|text| Value::Text(text.into())),
        any::<Vec<u8>>().prop_map(|bytes| Value::Bytes(bytes.into())),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::List),
            proptest::collection::vec(("[a-z]{1,5}", inner), 0..4).prop_map(|pairs| {
                Value::Map(pairs.into_iter().map(|(name, value)| (Value::Text(name.into()), value)).collect())
            }),
        ]
    })
}

proptest! {
    #[test]
    fn bodies_come_back(pairs in proptest::collection::vec(("[a-z]{1,9}", value()), 0..6), text in any::<String>()) {
        let pairs: Vec<(Text, Value)> = pairs.into_iter().map(|(name, value)| (name.into(), value)).collect();
        let values = pairs.iter().map(|(_, value)| value.clone()).collect();
        for body in [Body::Map(pairs), Body::Stream(values), Body::Text(text.into()), Body::Empty] {
            let (kind, content) = write(&body);
            prop_assert_eq!(read(&Message { kind, content, ..Message::default() }), body);
        }
    }

    #[test]
    fn any_content_of_any_kind_is_read_or_kept(code in 23u8..30, content in any::<Vec<u8>>(), compressed: bool) {
        let _ = read(&message(MessageKind::of(code).unwrap(), &content, compressed));
    }
}
