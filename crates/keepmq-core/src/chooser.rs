//! A selector at work: which messages somebody wants.

use std::sync::Arc;

use keepmq_model::{Formats, Marks, Message, Refusal, RefusalKind};
use keepmq_selector::{Facts, Selector};

/// A selector, and the formats by which messages are decoded when it asks for more than their envelopes.
#[derive(Debug)]
pub(crate) struct Chooser {
    selector: Selector,
    formats: Formats,
}

impl Chooser {
    /// Of this selector; `None` when it is absent or blank, which wants everything (JMS 2.0, section 3.8.1).
    pub(crate) fn of(selector: Option<&str>, formats: Formats) -> Result<Option<Arc<Self>>, Refusal> {
        let Some(text) = selector.filter(|text| !text.trim().is_empty()) else {
            return Ok(None);
        };
        match Selector::parse(text) {
            Ok(selector) => Ok(Some(Arc::new(Self { selector, formats }))),
            Err(fault) => Err(Refusal::new(RefusalKind::InvalidSelector, fault.to_string())),
        }
    }

    /// Whether the message is wanted.
    pub(crate) fn wants(&self, message: &Message, marks: &Marks) -> bool {
        self.selector.matches(&Facts::new(message, marks, &self.formats))
    }
}
