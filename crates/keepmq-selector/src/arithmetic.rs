//! Numbers: how they are combined and compared.

use std::cmp::Ordering;

use crate::expression::Operator;
use crate::operand::Operand;

/// As Java promotes a long to a double.
#[expect(clippy::cast_precision_loss, reason = "what approximate means")]
fn approximate(number: i64) -> f64 {
    number as f64
}

fn as_approximate(operand: Operand<'_>) -> Option<f64> {
    match operand {
        Operand::Exact(number) => Some(approximate(number)),
        Operand::Approximate(number) => Some(number),
        _ => None,
    }
}

/// A result, if it is one.
fn finite(number: f64) -> Operand<'static> {
    if number.is_finite() { Operand::Approximate(number) } else { Operand::Null }
}

/// Combines two values. What is no number makes NULL, as does a division by zero.
pub(crate) fn combine(operator: Operator, left: Operand<'_>, right: Operand<'_>) -> Operand<'static> {
    if let (Operand::Exact(left), Operand::Exact(right)) = (left, right) {
        if operator == Operator::Over && right == 0 {
            return Operand::Null;
        }
        let exact = match operator {
            Operator::Plus => left.checked_add(right),
            Operator::Minus => left.checked_sub(right),
            Operator::Times => left.checked_mul(right),
            Operator::Over => left.checked_div(right),
        };
        if let Some(exact) = exact {
            return Operand::Exact(exact);
        }
    }
    let (Some(left), Some(right)) = (as_approximate(left), as_approximate(right)) else {
        return Operand::Null;
    };
    finite(match operator {
        Operator::Plus => left + right,
        Operator::Minus => left - right,
        Operator::Times => left * right,
        Operator::Over => left / right,
    })
}

/// The number with the other sign.
pub(crate) fn negative(operand: Operand<'_>) -> Operand<'static> {
    match operand {
        Operand::Exact(number) => {
            number.checked_neg().map_or_else(|| finite(-approximate(number)), Operand::Exact)
        }
        Operand::Approximate(number) => Operand::Approximate(-number),
        _ => Operand::Null,
    }
}

/// How two values stand to each other, when both are numbers.
pub(crate) fn order(left: Operand<'_>, right: Operand<'_>) -> Option<Ordering> {
    match (left, right) {
        (Operand::Exact(left), Operand::Exact(right)) => Some(left.cmp(&right)),
        _ => as_approximate(left)?.partial_cmp(&as_approximate(right)?),
    }
}
