//! Bytes that the original wrote: each is read as what it says, and written again as it was.

use std::collections::BTreeMap;
use std::path::Path;

use bytes::{Bytes, BytesMut};
use keepmq_model::Outgoing;
use serde_json::Value;

use super::super::negotiation::Negotiated;
use super::super::wire_format::WireFormat;
use super::json::{fields, hex};

const MOST: usize = 1 << 20;

pub(super) fn lines(name: &str) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors").join(name);
    let text = std::fs::read_to_string(&path).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

pub(super) fn unhex(text: &str) -> Vec<u8> {
    let digit = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
    (0..text.len()).step_by(2).map(digit).collect()
}

fn number(vector: &Value, name: &str) -> u8 {
    vector[name].as_u64().unwrap().try_into().unwrap()
}

fn format(vector: &Value, cache: Option<usize>) -> WireFormat {
    let mut format = WireFormat::new(MOST);
    format.negotiated(&Negotiated {
        version: number(vector, "version"),
        tight: vector["tight"].as_bool().unwrap(),
        cache: cache.filter(|_| vector["cache"].as_bool().unwrap()),
        stack_traces: vector["stackTrace"].as_bool().unwrap(),
        max_inactivity_ms: 0,
        initial_delay_ms: 0,
    });
    format
}

pub(super) fn written(out: &Outgoing) -> Bytes {
    let mut slices = [std::io::IoSlice::new(&[]); 4];
    let count = out.slices(&mut slices);
    slices[..count].iter().flat_map(|slice| slice.iter().copied()).collect()
}

/// Reads a vector's bytes, compares, writes them again, compares.
fn check(vector: &Value, reading: &mut WireFormat, writing: &mut WireFormat) {
    let what = format!("{} {} v{}", vector["id"], vector["command"], vector["version"]);
    let bytes = unhex(vector["hex"].as_str().unwrap());
    let mut input = BytesMut::from(&bytes[..]);
    let command = reading.decode(&mut input).unwrap_or_else(|fault| panic!("{what}: {fault}"));
    assert!(input.is_empty(), "{what}");
    let Some(command) = command else {
        return assert_eq!(bytes, [0, 0, 0, 1, 0], "{what}");
    };
    let stack_traces = vector["stackTrace"].as_bool().unwrap();
    assert_eq!(fields(&command, number(vector, "version"), stack_traces), vector["fields"], "{what}");
    // The original keeps any object; here only names are kept, and others go without a number.
    if vector["fields"]["objectId"]["@type"] == "RemoveInfo" && vector["cache"] == true {
        return;
    }
    let mut out = Outgoing::default();
    writing.encode(&command, &mut out);
    assert_eq!(hex(&written(&out)), vector["hex"].as_str().unwrap(), "{what}");
}

#[test]
fn every_command_of_every_version() {
    for version in 1..=12 {
        let vectors = lines(&format!("commands-v{version:02}.jsonl"));
        assert!(vectors.len() > 40);
        for vector in vectors {
            check(&vector, &mut format(&vector, Some(0)), &mut format(&vector, Some(0)));
        }
    }
}

#[test]
fn streams_with_a_cache_that_is_full_and_begins_again() {
    for version in ["01", "09", "10", "11", "12"] {
        let mut streams = BTreeMap::<String, (WireFormat, WireFormat)>::new();
        for vector in lines(&format!("cache-sequence-v{version}.jsonl")) {
            let id = vector["id"].as_str().unwrap();
            let size = if id.starts_with("cache-evict104") { 104 } else { 16383 };
            let name = format!("{}{}", id.rsplit_once('-').unwrap().0, vector["tight"]);
            let fresh = || (format(&vector, Some(size)), format(&vector, Some(size)));
            let (reading, writing) = streams.entry(name).or_insert_with(fresh);
            check(&vector, reading, writing);
        }
    }
}

#[test]
fn recorded_sessions() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/traces");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let mut streams = BTreeMap::<String, (WireFormat, WireFormat)>::new();
        for mut vector in lines(&format!("traces/{name}")) {
            if let Value::Object(fields) = &mut vector["fields"] {
                fields.remove("properties");
            }
            // Its encoding is always the same, whatever is agreed on later.
            if vector["command"] == "WireFormatInfo" {
                check(&vector, &mut WireFormat::new(MOST), &mut WireFormat::new(MOST));
                continue;
            }
            let stream = format!("{} {} {}", vector["conn"], vector["dir"], vector["tight"]);
            let fresh = || (format(&vector, Some(1024)), format(&vector, Some(1024)));
            let (reading, writing) = streams.entry(stream).or_insert_with(fresh);
            check(&vector, reading, writing);
            count += 1;
        }
    }
    assert!(count > 500, "{count}");
}
