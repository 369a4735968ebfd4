//! What messages carry, from the bytes of each kind and back (openwire.md, section 10).

use std::io::Read;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use flate2::read::ZlibDecoder;
use keepmq_model::{Body, Text, Value};

use crate::codec::primitive::{Unreadable, Values, put_map, put_value};
use crate::codec::{JavaText, Message, MessageKind};

/// A content inflates to no more than this (openwire.md, section 10).
const MOST: usize = 100 * 1024 * 1024;

/// What a message carries. What can't be read is the bytes that it is.
pub(crate) fn read(message: &Message) -> Body {
    let Some(content) = &message.content else { return empty(message.kind) };
    let inflated = if message.compressed { inflate(message.kind, content) } else { Some(content.clone()) };
    let body = inflated.and_then(|content| read_plain(message.kind, &content).ok());
    body.unwrap_or_else(|| Body::Bytes(content.clone()))
}

/// Of a message without a content.
fn empty(kind: MessageKind) -> Body {
    match kind {
        MessageKind::Bytes => Body::Bytes(Bytes::new()),
        MessageKind::Map => Body::Map(Vec::new()),
        MessageKind::Stream => Body::Stream(Vec::new()),
        MessageKind::Plain | MessageKind::Object | MessageKind::Text | MessageKind::Blob => Body::Empty,
    }
}

fn read_plain(kind: MessageKind, content: &Bytes) -> Result<Body, Unreadable> {
    Ok(match kind {
        MessageKind::Text => Body::Text(text(content).ok_or(Unreadable)?),
        MessageKind::Bytes => Body::Bytes(content.clone()),
        MessageKind::Map => Body::Map(Values::new(content).map()?),
        MessageKind::Object => Body::Object(content.clone()),
        MessageKind::Stream => {
            let mut values = Values::new(content);
            let mut stream = Vec::new();
            while !values.is_empty() {
                stream.push(values.value()?);
            }
            Body::Stream(stream)
        }
        MessageKind::Plain | MessageKind::Blob => Body::Empty,
    })
}

/// A count of bytes, and the text.
fn text(content: &Bytes) -> Option<Text> {
    let len = usize::try_from(i32::from_be_bytes(*content.first_chunk::<4>()?)).ok()?;
    let end = len.checked_add(4)?;
    (end <= content.len()).then(|| JavaText::lenient(content.slice(4..end)).to_text())
}

/// A content that was deflated; `None` when it was not, or is too much.
#[allow(clippy::disallowed_methods, reason = "the one place that inflates, through `take(limit + 1)`")]
fn inflate(kind: MessageKind, content: &Bytes) -> Option<Bytes> {
    let mut rest = &content[..];
    let mut most = MOST;
    if kind == MessageKind::Bytes {
        // Its sender deflates more than belongs to it: the length says where to stop.
        most = usize::try_from(rest.try_get_i32().ok()?).ok().filter(|length| *length <= MOST)?;
    }
    let mut inflated = Vec::new();
    let read = ZlibDecoder::new(rest).take(most as u64 + 1).read_to_end(&mut inflated);
    if read.is_err() && inflated.len() < most {
        return None;
    }
    if kind == MessageKind::Bytes {
        inflated.truncate(most);
    }
    (inflated.len() <= most).then(|| inflated.into())
}

/// The kind and the content of a message that carries this.
pub(crate) fn write(body: &Body) -> (MessageKind, Option<Bytes>) {
    match body {
        Body::Text(text) => (MessageKind::Text, Some(counted(JavaText::from(text).bytes()))),
        Body::Bytes(bytes) => (MessageKind::Bytes, Some(bytes.clone())),
        Body::Object(bytes) => (MessageKind::Object, Some(bytes.clone())),
        Body::Map(pairs) => (MessageKind::Map, Some(map(pairs))),
        Body::Stream(values) => {
            let mut content = BytesMut::new();
            values.iter().for_each(|value| put_value(&mut content, value));
            (MessageKind::Stream, Some(content.freeze()))
        }
        _ => (MessageKind::Plain, None),
    }
}

fn counted(bytes: &Bytes) -> Bytes {
    let mut content = BytesMut::with_capacity(4 + bytes.len());
    content.put_i32(i32::try_from(bytes.len()).unwrap_or(i32::MAX));
    content.put_slice(bytes);
    content.freeze()
}

/// Names with values, as properties and map messages have them.
pub(crate) fn map(pairs: &[(Text, Value)]) -> Bytes {
    let mut bytes = BytesMut::new();
    put_map(&mut bytes, pairs.iter().map(|(name, value)| (&**name, value)));
    bytes.freeze()
}

#[cfg(test)]
mod tests;
