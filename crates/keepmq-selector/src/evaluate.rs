//! Evaluates selectors. `None` is unknown. Nothing is allocated, and the stack is bounded by the depth of the selector.

use std::cmp::Ordering;

use crate::arithmetic;
use crate::expression::{Comparison, Expression, Literal, Sense};
use crate::operand::{Lookup, Operand};

/// The truth of a condition.
pub(crate) fn truth(condition: &Expression, message: &impl Lookup) -> Option<bool> {
    match condition {
        Expression::Or(all) => any(all, message, true),
        Expression::And(all) => any(all, message, false),
        Expression::Not(one) => truth(one, message).map(|truth| !truth),
        Expression::Compare(comparison, sides) => {
            compare(*comparison, value(&sides.0, message), value(&sides.1, message))
        }
        Expression::Between(sense, parts) => {
            let (of, low, high) = &**parts;
            between(*sense, value(of, message), value(low, message), value(high, message))
        }
        Expression::In(sense, name, values) => test(*sense, message.value(name), |text| {
            values.binary_search_by(|known| (**known).cmp(text)).is_ok()
        }),
        Expression::Like(sense, name, pattern) => {
            test(*sense, message.value(name), |text| pattern.matches(text))
        }
        Expression::IsNull(sense, name) => Some(sense.apply(message.value(name) == Operand::Null)),
        Expression::Literal(Literal::Truth(truth)) => Some(*truth),
        Expression::Name(name) => match message.value(name) {
            Operand::Null => None,
            value => Some(value == Operand::Truth(true)),
        },
        Expression::Literal(_) | Expression::Arithmetic(..) | Expression::Negative(_) => None,
    }
}

/// `OR` ends with the first that is true, `AND` with the first that is false.
fn any(all: &[Expression], message: &impl Lookup, end: bool) -> Option<bool> {
    let mut result = Some(!end);
    for one in all {
        match truth(one, message) {
            Some(truth) if truth == end => return Some(end),
            Some(_) => {}
            None => result = None,
        }
    }
    result
}

fn value<'a>(expression: &'a Expression, message: &'a impl Lookup) -> Operand<'a> {
    match expression {
        Expression::Literal(Literal::Truth(truth)) => Operand::Truth(*truth),
        Expression::Literal(Literal::Exact(number)) => Operand::Exact(*number),
        Expression::Literal(Literal::Approximate(number)) => Operand::Approximate(*number),
        Expression::Literal(Literal::Text(text)) => Operand::Text(text),
        Expression::Name(name) => message.value(name),
        Expression::Negative(one) => arithmetic::negative(value(one, message)),
        Expression::Arithmetic(first, rest) => {
            rest.iter().fold(value(first, message), |left, (operator, right)| {
                arithmetic::combine(*operator, left, value(right, message))
            })
        }
        condition => truth(condition, message).map_or(Operand::Null, Operand::Truth),
    }
}

/// A test of a text. What is no text does not pass it.
fn test(sense: Sense, value: Operand<'_>, passes: impl FnOnce(&str) -> bool) -> Option<bool> {
    match value {
        Operand::Null => None,
        Operand::Text(text) => Some(sense.apply(passes(text))),
        _ => Some(sense.apply(false)),
    }
}

fn compare(comparison: Comparison, left: Operand<'_>, right: Operand<'_>) -> Option<bool> {
    let is_equal = match (left, right) {
        (Operand::Null, _) | (_, Operand::Null) => return None,
        (Operand::Text(left), Operand::Text(right)) => left == right,
        (Operand::Truth(left), Operand::Truth(right)) => left == right,
        (Operand::Exact(_) | Operand::Approximate(_), Operand::Exact(_) | Operand::Approximate(_)) => {
            return Some(in_order(comparison, arithmetic::order(left, right)));
        }
        _ => return Some(false),
    };
    match comparison {
        Comparison::Equal => Some(is_equal),
        Comparison::NotEqual => Some(!is_equal),
        _ => Some(false),
    }
}

/// No order is that of a NaN: it is unequal to everything.
fn in_order(comparison: Comparison, order: Option<Ordering>) -> bool {
    match comparison {
        Comparison::Equal => order == Some(Ordering::Equal),
        Comparison::NotEqual => order != Some(Ordering::Equal),
        Comparison::Less => order.is_some_and(Ordering::is_lt),
        Comparison::LessOrEqual => order.is_some_and(Ordering::is_le),
        Comparison::Greater => order.is_some_and(Ordering::is_gt),
        Comparison::GreaterOrEqual => order.is_some_and(Ordering::is_ge),
    }
}

/// `x >= low AND x <= high`, or `x < low OR x > high`.
fn between(sense: Sense, of: Operand<'_>, low: Operand<'_>, high: Operand<'_>) -> Option<bool> {
    let (below, above, end) = match sense {
        Sense::Is => (Comparison::GreaterOrEqual, Comparison::LessOrEqual, false),
        Sense::IsNot => (Comparison::Less, Comparison::Greater, true),
    };
    match (compare(below, of, low), compare(above, of, high)) {
        (Some(one), _) | (_, Some(one)) if one == end => Some(end),
        (Some(_), Some(_)) => Some(!end),
        _ => None,
    }
}
