//! Values as the language knows them.

use keepmq_model::Value;

use crate::identifier::Identifier;

/// A value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Operand<'a> {
    /// Nothing.
    Null,
    /// True or false.
    Truth(bool),
    /// A whole number.
    Exact(i64),
    /// A number with a fraction.
    Approximate(f64),
    /// Text.
    Text(&'a str),
    /// Something that the language has no operations for (bytes, lists); it is not NULL.
    Other,
}

/// A message, as selectors look at it.
pub trait Lookup {
    /// The value of a header or property; [`Operand::Null`] when the message has none.
    fn value(&self, identifier: &Identifier) -> Operand<'_>;
}

impl<'a> From<&'a Value> for Operand<'a> {
    fn from(value: &'a Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(truth) => Self::Truth(*truth),
            Value::I8(number) => Self::Exact((*number).into()),
            Value::I16(number) => Self::Exact((*number).into()),
            Value::I32(number) => Self::Exact((*number).into()),
            Value::I64(number) | Value::Timestamp(number) => Self::Exact(*number),
            Value::U8(number) => Self::Exact((*number).into()),
            Value::U16(number) => Self::Exact((*number).into()),
            Value::U32(number) => Self::Exact((*number).into()),
            Value::U64(number) => unsigned(*number),
            Value::F32(number) => Self::Approximate((*number).into()),
            Value::F64(number) => Self::Approximate(*number),
            Value::Text(text) | Value::Symbol(text) => Self::Text(text),
            _ => Self::Other,
        }
    }
}

/// Whole numbers over 63 bits are approximate.
#[expect(clippy::cast_precision_loss, reason = "the language knows no wider exact numbers")]
pub(crate) fn unsigned(number: u64) -> Operand<'static> {
    match i64::try_from(number) {
        Ok(number) => Operand::Exact(number),
        Err(_) => Operand::Approximate(number as f64),
    }
}
