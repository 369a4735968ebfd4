//! temporary
use crate::codec::{JavaText, Message, MessageKind};
use crate::destination::wire_destination;
use keepmq_model::{Formats, Marks};
/// What the broker is called.
#[derive(Clone, Debug, Default)]
pub struct BrokerName {
    /// id
    pub id: Box<str>,
    /// name
    pub name: Box<str>,
    /// url
    pub url: Box<str>,
}
pub(crate) fn render(
    message: &keepmq_model::Message,
    marks: &Marks,
    formats: &Formats,
    _broker: &BrokerName,
) -> Message {
    let mut m = crate::head::load(&message.native).unwrap_or_else(|| {
        let view = message.view(formats);
        let text = match &view.body {
            keepmq_model::Body::Text(t) => t.to_string(),
            _ => String::new(),
        };
        let mut c = (text.len() as u32).to_be_bytes().to_vec();
        c.extend_from_slice(text.as_bytes());
        Message { kind: MessageKind::Text, content: Some(c.into()), ..Message::default() }
    });
    m.destination = Some(wire_destination(&message.envelope.destination));
    m.redelivery_counter = marks.redeliveries as i32;
    if m.message_id.is_none() {
        m.message_id = Some(crate::codec::MessageId {
            text_view: Some(JavaText::from(message.envelope.id.to_string())),
            ..Default::default()
        });
    }
    m
}
