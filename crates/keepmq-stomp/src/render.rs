//! Values of other protocols as STOMP can say them: text in headers, JSON in bodies.

mod json;
mod text;

pub(crate) use json::{list_to_json, map_to_json};
pub(crate) use text::as_text;
