//! What selectors mean, beside a slow evaluator that is nothing but the rules.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that can't go on fails")]

#[path = "meaning/facts.rs"]
mod facts;
#[path = "meaning/reference.rs"]
mod reference;
#[path = "meaning/tables.rs"]
mod tables;

use keepmq_selector::{Identifier, Lookup, Operand};

/// A message of named values.
#[derive(Debug, Default)]
struct Values(Vec<(&'static str, Operand<'static>)>);

impl Lookup for Values {
    fn value(&self, identifier: &Identifier) -> Operand<'_> {
        let found = self.0.iter().find(|(name, _)| *name == identifier.name());
        found.map_or(Operand::Null, |(_, value)| *value)
    }
}
