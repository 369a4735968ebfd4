//! Stored STOMP messages in the common terms of all protocols.
//!
//! | of the frame | in the view |
//! | --- | --- |
//! | body with `content-length`, or `amq-msg-type:bytes` | bytes |
//! | body without, or `amq-msg-type:text` | text; bytes when it is not UTF-8 |
//! | `correlation-id`, `message-id` | the field, as text |
//! | `type` | subject |
//! | `content-type`, `content-encoding` | the field |
//! | `reply-to` that names a destination | the field |
//! | any other header, `reply-to` otherwise | a property, as text |

use keepmq_model::{Body, Envelope, Format, Native, Protocol, Text, Value, View};

use crate::{destination, head};

/// Reads stored STOMP messages.
#[derive(Debug)]
pub struct StompFormat;

impl Format for StompFormat {
    fn protocol(&self) -> Protocol {
        Protocol::Stomp
    }

    fn view(&self, _: &Envelope, native: &Native) -> View {
        let mut view = View { body: body(native), ..View::default() };
        if native.layout == head::LAYOUT {
            for (name, value) in head::entries(&native.head) {
                add(&mut view, name, value);
            }
        }
        view
    }
}

/// Whether the body is bytes is said by the head (ActiveMQ's rule: with `content-length` it is).
fn body(native: &Native) -> Body {
    if native.layout != head::LAYOUT || head::is_bytes(&native.head) {
        return Body::Bytes(native.body.clone());
    }
    match Text::try_from(native.body.clone()) {
        Ok(text) => Body::Text(text),
        Err(_) => Body::Bytes(native.body.clone()),
    }
}

fn add(view: &mut View, name: &str, value: &str) {
    let text = Text::from(value);
    match name {
        "correlation-id" => view.correlation_id = Some(Value::Text(text)),
        "message-id" => view.message_id = Some(Value::Text(text)),
        "type" => view.subject = Some(text),
        "content-type" => view.content_type = Some(text),
        "content-encoding" => view.content_encoding = Some(text),
        "reply-to" => match destination::stored(value) {
            Some(destination) => view.reply_to = Some(destination),
            None => view.properties.push((name.into(), Value::Text(text))),
        },
        _ => view.properties.push((name.into(), Value::Text(text))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use keepmq_model::{Destination, Formats, Message};
    use proptest::prelude::*;

    fn view(headers: &[(&str, &str)], body: &'static [u8], is_bytes: bool) -> View {
        let mut builder = head::HeadBuilder::default();
        builder.clear();
        for (name, value) in headers {
            builder.add(name, value);
        }
        let native = Native {
            protocol: Protocol::Stomp,
            layout: head::LAYOUT,
            head: builder.finish(is_bytes),
            body: Bytes::from_static(body),
        };
        let envelope = Envelope::new(Destination::queue("q").unwrap());
        Message::new(envelope, native).view(&Formats::new(&[&StompFormat])).clone()
    }

    fn text(value: &str) -> Value {
        Value::Text(value.into())
    }

    #[test]
    fn a_stated_length_makes_the_body_bytes() {
        assert_eq!(view(&[], b"hi", true).body, Body::Bytes(Bytes::from_static(b"hi")));
        assert_eq!(view(&[], b"hi", false).body, Body::Text("hi".into()));
        assert_eq!(view(&[], b"\xff", false).body, Body::Bytes(Bytes::from_static(b"\xff")));
        assert_eq!(view(&[], b"", false).body, Body::Text("".into()));
    }

    #[test]
    fn known_headers_become_fields() {
        let headers = [
            ("correlation-id", "c"),
            ("message-id", "m"),
            ("type", "t"),
            ("content-type", "text/xml"),
            ("content-encoding", "gzip"),
            ("reply-to", "/remote-temp-queue/ID.1"),
            ("colour", "blue"),
        ];
        let view = view(&headers, b"", false);
        assert_eq!(
            (view.correlation_id.clone(), view.message_id.clone()),
            (Some(text("c")), Some(text("m")))
        );
        assert_eq!(view.subject.as_deref(), Some("t"));
        assert_eq!(view.content_type.as_deref(), Some("text/xml"));
        assert_eq!(view.content_encoding.as_deref(), Some("gzip"));
        assert_eq!(view.reply_to.clone().unwrap().to_string(), "temp-queue://ID.1");
        assert_eq!(view.properties, [("colour".into(), Value::Text("blue".into()))]);
    }

    #[test]
    fn a_reply_to_that_is_no_destination_is_a_property() {
        let view = view(&[("reply-to", "my desk")], b"", false);
        assert!(view.reply_to.is_none());
        assert_eq!(view.property("reply-to"), Some(&text("my desk")));
    }

    #[test]
    fn a_layout_of_tomorrow_gives_the_body_only() {
        let native = Native {
            protocol: Protocol::Stomp,
            layout: 2,
            head: Bytes::from_static(b"\x00\x01\0a\x01\0b"),
            body: Bytes::from_static(b"hi"),
        };
        let view = StompFormat.view(&Envelope::new(Destination::queue("q").unwrap()), &native);
        assert_eq!(view.body, Body::Bytes(Bytes::from_static(b"hi")));
        assert!(view.properties.is_empty());
    }

    proptest! {
        #[test]
        fn any_stored_bytes_make_a_view(
            head in proptest::collection::vec(any::<u8>(), 0..80), body in proptest::collection::vec(any::<u8>(), 0..40),
            layout in 0u8..3,
        ) {
            let native = Native { protocol: Protocol::Stomp, layout, head: head.into(), body: body.into() };
            StompFormat.view(&Envelope::new(Destination::queue("q").unwrap()), &native);
        }
    }
}
