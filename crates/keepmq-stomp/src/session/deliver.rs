//! Messages to the client ("MESSAGE" in STOMP 1.2).

use bytes::{BufMut, Bytes, BytesMut};
use keepmq_model::{
    Body, DeadLetter, Delivery, EXPIRED_PROPERTY, Envelope, Io, LinkId, Marks, MessageId, Protocol, View,
};

use super::link::Link;
use super::{Phase, StompSession};
use crate::codec::{Decimal, Version, put_end, put_header, put_number, put_sized, put_value};
use crate::destination::{Names, stored};
use crate::head;
use crate::names::is_hidden;
use crate::render::{as_text, list_to_json, map_to_json};

/// Bytes that the broker's own headers take, roughly.
const OWN_HEADERS: usize = 256;
/// Bodies up to this length are copied behind their headers.
const COPIED: usize = 8 * 1024;

impl StompSession {
    pub(super) fn deliver(&mut self, delivery: &Delivery, io: &mut Io<'_>) {
        if !matches!(self.phase, Phase::Open) {
            return;
        }
        let Some((link, place)) = self.links.take(delivery) else {
            return;
        };
        let message = &*delivery.message;
        let body = &message.native.body;
        let out = io.out.buf();
        out.reserve(link.opening.len() + message.native.head.len() + OWN_HEADERS + body.len().min(COPIED));
        let mut frame = Writing { out, names: &self.names, version: self.version };
        frame.put_opening(link, place, &message.envelope);
        frame.put_envelope(&message.envelope, &delivery.marks);
        if message.native.protocol == Protocol::Stomp && message.native.layout == head::LAYOUT {
            frame.put_own(&message.native.head);
            put_sized(frame.out, body.len());
            io.out.share(body);
        } else {
            let view = message.view(&self.options.formats);
            let body = frame.put_view(view);
            put_sized(frame.out, body.len());
            io.out.share(&body);
        }
        put_end(io.out.buf());
    }

    /// A browsing subscription has seen everything: the frame by which ActiveMQ says so.
    pub(super) fn browsed(&mut self, link: LinkId, io: &mut Io<'_>) {
        if let Some(link) = self.links.get(link) {
            let out = io.out.buf();
            out.put_slice(&link.opening);
            out.put_slice(b"browser:end\nmessage-id:0\n");
            put_sized(out, 0);
            put_end(out);
        }
    }
}

/// A MESSAGE frame's headers on their way out. The broker's own come first: of repeated headers the first counts.
struct Writing<'a> {
    out: &'a mut BytesMut,
    names: &'a Names,
    version: Version,
}

impl Writing<'_> {
    fn put_opening(&mut self, link: &Link, place: Option<u64>, envelope: &Envelope) {
        self.out.put_slice(&link.opening);
        if !link.is_fixed {
            self.put_destination("destination:", &envelope.destination);
        }
        self.put_message_id(envelope.id);
        if let Some(place) = place.filter(|_| self.version == Version::V1_2) {
            self.out.put_slice(b"ack:");
            self.out.put_slice(Decimal::new(link.id.0.into()).as_bytes());
            self.out.put_u8(b'-');
            self.out.put_slice(Decimal::new(place).as_bytes());
            self.out.put_u8(b'\n');
        }
    }

    fn put_message_id(&mut self, id: MessageId) {
        self.out.put_slice(match self.version {
            Version::V1_0 => b"message-id:ID:keepmq-".as_slice(),
            Version::V1_1 | Version::V1_2 => b"message-id:ID\\ckeepmq-",
        });
        self.out.put_slice(Decimal::hex(id.epoch).as_bytes());
        self.out.put_u8(b'-');
        self.out.put_slice(Decimal::new(id.number).as_bytes());
        self.out.put_u8(b'\n');
    }

    fn put_destination(&mut self, name: &str, destination: &keepmq_model::Destination) {
        self.out.put_slice(name.as_bytes());
        self.names.put(self.out, destination, self.version);
        self.out.put_u8(b'\n');
    }

    fn put(&mut self, name: &str, value: &str) {
        put_header(self.out, name, value, self.version);
    }

    fn put_envelope(&mut self, envelope: &Envelope, marks: &Marks) {
        if marks.redeliveries > 0 {
            self.out.put_slice(b"redelivered:true\n");
            put_number(self.out, "redelivery-count", marks.redeliveries.into());
        }
        put_number(self.out, "timestamp", envelope.timestamp_ms);
        put_number(self.out, "expires", envelope.expires_ms);
        put_number(self.out, "priority", envelope.priority.into());
        if envelope.durable {
            self.out.put_slice(b"persistent:true\n");
        }
        if let Some(user) = &envelope.user {
            self.put("JMSXUserID", user);
        }
        if let Some(group) = envelope.extras.as_ref().and_then(|extras| extras.group.as_ref()) {
            self.put("JMSXGroupID", &group.id);
            self.put("JMSXGroupSeq", &group.sequence.to_string());
        }
        if let Some(dead) = &marks.dead {
            self.put_dead(dead);
        }
    }

    fn put_dead(&mut self, dead: &DeadLetter) {
        self.put_destination("original-destination:", &dead.from);
        self.out.put_slice(b"dlqDeliveryFailureCause:");
        put_value(self.out, dead.cause.text(), self.version);
        if !dead.detail.is_empty() {
            put_value(self.out, ": ", self.version);
            put_value(self.out, &dead.detail, self.version);
        }
        self.out.put_u8(b'\n');
        if dead.expired_ms != 0 {
            put_number(self.out, EXPIRED_PROPERTY, dead.expired_ms);
        }
    }

    /// The message's own headers, as STOMP clients sent them.
    fn put_own(&mut self, head: &[u8]) {
        for (name, value) in head::entries(head) {
            if is_hidden(name) {
                continue;
            }
            match name {
                "reply-to" => self.put_reply_to(value),
                _ => self.put(name, value),
            }
        }
    }

    /// Where answers go: as the sender wrote it, but by our alias when it is our own.
    fn put_reply_to(&mut self, value: &str) {
        match stored(value) {
            Some(destination) if destination.kind().is_temporary() => {
                self.put_destination("reply-to:", &destination);
            }
            _ => self.put("reply-to", value),
        }
    }

    /// The headers of a message of another protocol; returns the body in STOMP's form.
    fn put_view(&mut self, view: &View) -> Bytes {
        let fields = [
            ("correlation-id", view.correlation_id.as_ref().and_then(as_text)),
            ("type", view.subject.as_deref().map(Into::into)),
            ("content-type", view.content_type.as_deref().map(Into::into)),
            ("content-encoding", view.content_encoding.as_deref().map(Into::into)),
        ];
        for (name, value) in &fields {
            if let Some(value) = value {
                self.put(name, value);
            }
        }
        if let Some(destination) = &view.reply_to {
            self.put_destination("reply-to:", destination);
        }
        let (body, transformation) = body_of(&view.body);
        if let Some(transformation) = transformation {
            self.put("transformation", transformation);
        }
        let is_said = |name: &str| match name {
            "reply-to" => view.reply_to.is_some(),
            "transformation" => transformation.is_some(),
            _ => fields.iter().any(|(field, value)| *field == name && value.is_some()),
        };
        for (name, value) in &view.properties {
            let is_ours = is_hidden(name) || is_said(name);
            if let Some(value) = as_text(value).filter(|_| !is_ours) {
                self.put(name, &value);
            }
        }
        body
    }
}

/// A body in STOMP's form, and the `transformation` that says what was done to it.
fn body_of(body: &Body) -> (Bytes, Option<&'static str>) {
    const JSON: Option<&str> = Some("jms-map-json");
    match body {
        Body::Text(text) => (text.as_bytes().clone(), None),
        Body::Bytes(bytes) | Body::Object(bytes) => (bytes.clone(), None),
        Body::Map(map) => (map_to_json(map).into(), JSON),
        Body::Stream(list) => (list_to_json(list).into(), JSON),
        _ => (Bytes::new(), None),
    }
}
