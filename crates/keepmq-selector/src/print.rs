//! Prints selectors with the fewest brackets, so that what was not too deep to be read is not too deep when printed.

use std::fmt;

use crate::expression::{Expression, Literal, Sense};

/// How tightly something binds. What binds less than its place asks for stands in brackets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Or,
    And,
    Not,
    Test,
    Sum,
    Product,
    Sign,
    Value,
}

fn level(expression: &Expression) -> Level {
    match expression {
        Expression::Or(_) => Level::Or,
        Expression::And(_) => Level::And,
        Expression::Not(_) => Level::Not,
        Expression::Compare(..)
        | Expression::Between(..)
        | Expression::In(..)
        | Expression::Like(..)
        | Expression::IsNull(..) => Level::Test,
        Expression::Arithmetic(_, rest) if rest.iter().any(|(operator, _)| operator.is_sum()) => Level::Sum,
        Expression::Arithmetic(..) => Level::Product,
        Expression::Negative(_) => Level::Sign,
        Expression::Literal(Literal::Exact(number)) if *number < 0 => Level::Sign,
        Expression::Literal(Literal::Approximate(number)) if number.is_sign_negative() => Level::Sign,
        Expression::Literal(_) | Expression::Name(_) => Level::Value,
    }
}

/// An expression in a place that asks for a level.
struct At<'a>(Level, &'a Expression);

impl fmt::Display for At<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(wanted, expression) = self;
        if level(expression) < *wanted { write!(f, "({expression})") } else { expression.fmt(f) }
    }
}

/// Text as it is quoted.
struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "'{}'", self.0.replace('\'', "''"))
    }
}

impl fmt::Display for Sense {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if *self == Self::IsNot { " NOT" } else { "" })
    }
}

impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truth(truth) => f.write_str(if *truth { "TRUE" } else { "FALSE" }),
            Self::Exact(number) => write!(f, "{number}"),
            // Debug keeps the point or the exponent by which it is known as approximate.
            Self::Approximate(number) => write!(f, "{number:?}"),
            Self::Text(text) => Quoted(text).fmt(f),
        }
    }
}

fn joined(f: &mut fmt::Formatter<'_>, all: &[Expression], word: &str, wanted: Level) -> fmt::Result {
    for (place, one) in all.iter().enumerate() {
        let word = if place == 0 { "" } else { word };
        write!(f, "{word}{}", At(wanted, one))?;
    }
    Ok(())
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Or(all) => joined(f, all, " OR ", Level::And),
            Self::And(all) => joined(f, all, " AND ", Level::Not),
            Self::Not(one) => write!(f, "NOT {}", At(Level::Not, one)),
            Self::Compare(comparison, sides) => {
                let (left, right) = &**sides;
                write!(f, "{} {} {}", At(Level::Sum, left), comparison.sign(), At(Level::Sum, right))
            }
            Self::Between(sense, parts) => {
                let (of, low, high) = &**parts;
                let (of, low, high) = (At(Level::Sum, of), At(Level::Sum, low), At(Level::Sum, high));
                write!(f, "{of}{sense} BETWEEN {low} AND {high}")
            }
            Self::In(sense, name, values) => {
                write!(f, "{name}{sense} IN (")?;
                for (place, value) in values.iter().enumerate() {
                    write!(f, "{}{}", if place == 0 { "" } else { ", " }, Quoted(value))?;
                }
                f.write_str(")")
            }
            Self::Like(sense, name, pattern) => {
                write!(f, "{name}{sense} LIKE {}", Quoted(&pattern.source))?;
                let mut buffer = [0; 4];
                pattern.escape.map_or(Ok(()), |c| write!(f, " ESCAPE {}", Quoted(c.encode_utf8(&mut buffer))))
            }
            Self::IsNull(sense, name) => write!(f, "{name} IS{sense} NULL"),
            Self::Arithmetic(first, rest) => arithmetic(f, self, first, rest),
            Self::Negative(one) => negative(f, one),
            Self::Literal(literal) => literal.fmt(f),
            Self::Name(name) => name.fmt(f),
        }
    }
}

fn arithmetic(
    f: &mut fmt::Formatter<'_>,
    whole: &Expression,
    first: &Expression,
    rest: &[(crate::expression::Operator, Expression)],
) -> fmt::Result {
    let inner = if level(whole) == Level::Sum { Level::Product } else { Level::Sign };
    write!(f, "{}", At(inner, first))?;
    rest.iter().try_for_each(|(operator, operand)| write!(f, " {} {}", operator.sign(), At(inner, operand)))
}

/// A number behind a minus would be read as one negative number.
fn negative(f: &mut fmt::Formatter<'_>, one: &Expression) -> fmt::Result {
    match one {
        Expression::Literal(_) if level(one) == Level::Value => write!(f, "- ({one})"),
        _ => write!(f, "- {}", At(Level::Sign, one)),
    }
}
