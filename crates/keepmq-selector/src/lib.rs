//! The JMS selector language (JMS 1.1, section 3.8.1.1; JMS 2.0, section 3.8.1.1): parsed once, evaluated for each
//! message.
//!
//! # Language
//!
//! | | |
//! | --- | --- |
//! | conditions | `OR`, `AND`, `NOT`, `( )`; `OR` binds least, then `AND`, then `NOT` |
//! | comparison | `=` `<>` for all types, `<` `<=` `>` `>=` for numbers; they don't chain |
//! | tests of numbers | `[NOT] BETWEEN a AND b` |
//! | tests of names | `[NOT] IN ('a', 'b')`, `[NOT] LIKE 'p' [ESCAPE 'c']`, `IS [NOT] NULL` |
//! | arithmetic | `+` `-` `*` `/`, sign |
//! | text | `'it''s'` |
//! | exact numbers | `42`, `42L`, hexadecimal `0x2A`, octal `052`: signed 64 bits |
//! | approximate numbers | `7.`, `-9.5`, `57E2`, `1f`, `1d`: IEEE 754 double |
//! | truth | `TRUE`, `FALSE`; a name alone is a condition |
//!
//! Keywords are known in any case; names are case-sensitive. A name begins with a letter (of any script), `_` or `$`,
//! and goes on with those and digits. As in ActiveMQ, hyphens and dots are not part of names: `content-type` is a
//! subtraction.
//!
//! # What is refused
//!
//! ActiveMQ's prefix `convert_string_expressions:`, its `XPATH` and `XQUERY`, function calls, `%` for remainders and
//! comments. [`limits`] says how long and deep a selector may be.
//!
//! # Meaning
//!
//! A condition is true, false or unknown; a message is selected by what is true.
//!
//! | case | result |
//! | --- | --- |
//! | a name that the message does not have | NULL |
//! | comparison or arithmetic with NULL, `IN`, `LIKE`, `BETWEEN` of NULL | unknown, NULL |
//! | comparison of unlike types (`'1' = 1`), `<>` too; order of texts or truths | false |
//! | `IN` and `LIKE` of what is no text | false, and their `NOT` true |
//! | a name alone whose value is no truth | false |
//! | arithmetic with what is no number | NULL |
//! | division by zero, exact or not; an approximate result that is not finite | NULL |
//! | exact result over 64 bits | approximate |
//! | exact with approximate | approximate |
//! | exact division | towards zero |
//! | `x NOT BETWEEN a AND b` | `x < a OR x > b` |
#![forbid(unsafe_code)]

mod arithmetic;
mod evaluate;
mod expression;
mod facts;
mod fault;
mod identifier;
mod lexer;
pub mod limits;
mod number;
mod operand;
mod parser;
mod pattern;
mod print;

use std::fmt;
use std::str::FromStr;

pub use facts::Facts;
pub use fault::SelectorFault;
pub use identifier::{Header, Identifier};
pub use operand::{Lookup, Operand};

use expression::Expression;

/// A condition on messages. Printed, it is a selector that means the same.
#[derive(Clone, Debug, PartialEq)]
pub struct Selector {
    root: Expression,
    needs_view: bool,
}

impl Selector {
    /// Reads a selector within [`limits`]. An empty one is a fault: whoever has none selects everything.
    pub fn parse(text: &str) -> Result<Self, SelectorFault> {
        let (root, needs_view) = parser::parse(text)?;
        Ok(Self { root, needs_view })
    }

    /// Whether the condition is true of a message; what is unknown is not true.
    pub fn matches(&self, message: &impl Lookup) -> bool {
        evaluate::truth(&self.root, message) == Some(true)
    }

    /// Whether it names anything that only the decoded message tells: a property, or a header outside of the envelope.
    pub fn needs_view(&self) -> bool {
        self.needs_view
    }
}

impl FromStr for Selector {
    type Err = SelectorFault;

    fn from_str(text: &str) -> Result<Self, SelectorFault> {
        Self::parse(text)
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.root, f)
    }
}
