//! How messages are printed.

use anyhow::Context as _;
use base64ct::{Base64, Encoding as _};
use keepmq_stomp::codec::Frame;
use serde_json::{Map, Value};

use crate::say;

/// Prints a message: its body and a new line, or as one line of JSON with all its headers.
pub(crate) fn print(frame: &Frame, json: bool) -> anyhow::Result<()> {
    if json {
        say::line(&as_json(frame).to_string());
        return Ok(());
    }
    say::bytes(frame.body()).and_then(|()| say::bytes(b"\n")).context("nobody reads the messages any more")
}

fn as_json(frame: &Frame) -> Value {
    let headers: Map<String, Value> =
        frame.headers().map(|(name, value)| (name.to_owned(), value.into())).collect();
    let mut message = Map::new();
    message.insert("headers".to_owned(), Value::Object(headers));
    match std::str::from_utf8(frame.body()) {
        Ok(text) => message.insert("body".to_owned(), text.into()),
        Err(_) => message.insert("body-base64".to_owned(), Base64::encode_string(frame.body()).into()),
    };
    Value::Object(message)
}
