//! What a selector is once it is read.
//!
//! Chains of `AND`, `OR` and arithmetic are flat, so that the tree is no deeper than the brackets of the text: walking
//! it, and dropping it, takes a bounded stack.

use crate::identifier::Identifier;
use crate::pattern::LikePattern;

/// A part of a selector.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Expression {
    Or(Vec<Self>),
    And(Vec<Self>),
    Not(Box<Self>),
    Compare(Comparison, Box<(Self, Self)>),
    /// A value, the lowest, the highest.
    Between(Sense, Box<(Self, Self, Self)>),
    /// Sorted.
    In(Sense, Identifier, Box<[Box<str>]>),
    Like(Sense, Identifier, LikePattern),
    IsNull(Sense, Identifier),
    Arithmetic(Box<Self>, Vec<(Operator, Self)>),
    Negative(Box<Self>),
    Literal(Literal),
    Name(Identifier),
}

/// Whether a test has a `NOT`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sense {
    Is,
    IsNot,
}

impl Sense {
    /// The result of a test.
    pub(crate) fn apply(self, result: bool) -> bool {
        result == (self == Self::Is)
    }
}

/// A constant.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Literal {
    Truth(bool),
    Exact(i64),
    Approximate(f64),
    Text(Box<str>),
}

/// How values are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Comparison {
    pub(crate) fn sign(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "<>",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }

    /// Whether it asks for an order, which only numbers have.
    pub(crate) fn is_order(self) -> bool {
        !matches!(self, Self::Equal | Self::NotEqual)
    }
}

/// How numbers are combined. A chain holds either the first two or the last two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    Plus,
    Minus,
    Times,
    Over,
}

impl Operator {
    pub(crate) fn sign(self) -> &'static str {
        match self {
            Self::Plus => "+",
            Self::Minus => "-",
            Self::Times => "*",
            Self::Over => "/",
        }
    }

    /// Whether it binds like a sum.
    pub(crate) fn is_sum(self) -> bool {
        matches!(self, Self::Plus | Self::Minus)
    }
}

/// What is known of a value before there is a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Type {
    Truth,
    Number,
    Text,
    Any,
}

impl Expression {
    pub(crate) fn kind(&self) -> Type {
        match self {
            Self::Arithmetic(..)
            | Self::Negative(_)
            | Self::Literal(Literal::Exact(_) | Literal::Approximate(_)) => Type::Number,
            Self::Literal(Literal::Text(_)) => Type::Text,
            Self::Name(_) => Type::Any,
            _ => Type::Truth,
        }
    }
}
