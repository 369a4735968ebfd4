//! Cuts a selector into words and signs.

use std::fmt;

use crate::expression::{Comparison, Operator};
use crate::fault::SelectorFault;
use crate::number::{self, Number};

/// A word with a meaning of its own, in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keyword {
    Not,
    And,
    Or,
    Between,
    Like,
    Escape,
    In,
    Is,
    Null,
    True,
    False,
}

impl Keyword {
    pub(crate) const ALL: [(Self, &'static str); 11] = [
        (Self::Not, "NOT"),
        (Self::And, "AND"),
        (Self::Or, "OR"),
        (Self::Between, "BETWEEN"),
        (Self::Like, "LIKE"),
        (Self::Escape, "ESCAPE"),
        (Self::In, "IN"),
        (Self::Is, "IS"),
        (Self::Null, "NULL"),
        (Self::True, "TRUE"),
        (Self::False, "FALSE"),
    ];

    pub(crate) fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(_, text)| text.eq_ignore_ascii_case(word)).map(|(keyword, _)| keyword)
    }
}

/// A word or sign.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Token<'a> {
    Keyword(Keyword),
    Name(&'a str),
    /// What stands between the quotes; quotes within it are doubled still.
    Text(&'a str),
    Number(Number),
    Comparison(Comparison),
    Operator(Operator),
    Open,
    Close,
    Comma,
    End,
}

impl fmt::Display for Token<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Keyword(keyword) => {
                let text =
                    Keyword::ALL.iter().find(|(known, _)| known == keyword).map_or("", |(_, text)| text);
                f.write_str(text)
            }
            Self::Name(name) => write!(f, "the name {}", Shown(name)),
            Self::Text(text) => write!(f, "the text '{}'", Shown(text)),
            Self::Number(_) => f.write_str("a number"),
            Self::Comparison(comparison) => f.write_str(comparison.sign()),
            Self::Operator(operator) => f.write_str(operator.sign()),
            Self::Open => f.write_str("("),
            Self::Close => f.write_str(")"),
            Self::Comma => f.write_str("a comma"),
            Self::End => f.write_str("the end"),
        }
    }
}

/// A piece of the text, so that it can stand in a log line.
struct Shown<'a>(&'a str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MOST: usize = 32;
        for c in self.0.chars().take(MOST) {
            if c.is_control() { f.write_str("?")? } else { write!(f, "{c}")? }
        }
        if self.0.chars().nth(MOST).is_some() { f.write_str("...") } else { Ok(()) }
    }
}

pub(crate) fn begins_name(c: char) -> bool {
    c.is_alphabetic() || c == '_' || c == '$'
}

pub(crate) fn continues_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$'
}

/// Where in the text the cutting is.
#[derive(Clone, Debug)]
pub(crate) struct Lexer<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Lexer<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// The next token and where it begins.
    pub(crate) fn next(&mut self) -> Result<(usize, Token<'a>), SelectorFault> {
        let rest = self.rest();
        let space = rest.len() - rest.trim_start_matches([' ', '\t', '\n', '\r', '\u{c}']).len();
        self.at += space;
        let (start, rest) = (self.at, self.rest());
        let (token, length) = match rest.chars().next() {
            None => (Token::End, 0),
            Some('\'') => quoted(rest).map_err(|what| SelectorFault::new(start, what))?,
            Some(c) if begins_name(c) => name(rest),
            Some(c) if c.is_ascii_digit() || is_fraction(rest) => {
                let (number, length) = number::read(rest).map_err(|what| SelectorFault::new(start, what))?;
                (Token::Number(number), length)
            }
            Some(c) => sign(rest).ok_or_else(|| SelectorFault::new(start, unknown(c, rest)))?,
        };
        self.at += length;
        Ok((start, token))
    }
}

fn is_fraction(rest: &str) -> bool {
    let mut bytes = rest.bytes();
    bytes.next() == Some(b'.') && bytes.next().is_some_and(|byte| byte.is_ascii_digit())
}

fn name(rest: &str) -> (Token<'_>, usize) {
    let length = rest.find(|c| !continues_name(c)).unwrap_or(rest.len());
    let word = rest.get(..length).unwrap_or_default();
    (Keyword::of(word).map_or(Token::Name(word), Token::Keyword), length)
}

/// A quoted text; a doubled quote does not end it.
fn quoted(rest: &str) -> Result<(Token<'_>, usize), &'static str> {
    let bytes = rest.as_bytes();
    let mut at = 1;
    while let Some(quote) = rest.get(at..).and_then(|rest| rest.find('\'')) {
        let end = at + quote;
        if bytes.get(end + 1) != Some(&b'\'') {
            return Ok((Token::Text(rest.get(1..end).unwrap_or_default()), end + 1));
        }
        at = end + 2;
    }
    Err("a text that begins here has no closing quote")
}

fn sign(rest: &str) -> Option<(Token<'_>, usize)> {
    let mut bytes = rest.bytes();
    let (first, second) = (bytes.next()?, bytes.next());
    Some(match (first, second) {
        (b'-', Some(b'-')) | (b'/', Some(b'*')) => return None,
        (b'<', Some(b'>')) => (Token::Comparison(Comparison::NotEqual), 2),
        (b'<', Some(b'=')) => (Token::Comparison(Comparison::LessOrEqual), 2),
        (b'>', Some(b'=')) => (Token::Comparison(Comparison::GreaterOrEqual), 2),
        (b'=', _) => (Token::Comparison(Comparison::Equal), 1),
        (b'<', _) => (Token::Comparison(Comparison::Less), 1),
        (b'>', _) => (Token::Comparison(Comparison::Greater), 1),
        (b'+', _) => (Token::Operator(Operator::Plus), 1),
        (b'-', _) => (Token::Operator(Operator::Minus), 1),
        (b'*', _) => (Token::Operator(Operator::Times), 1),
        (b'/', _) => (Token::Operator(Operator::Over), 1),
        (b'(', _) => (Token::Open, 1),
        (b')', _) => (Token::Close, 1),
        (b',', _) => (Token::Comma, 1),
        _ => return None,
    })
}

/// What to do about a sign that the language does not have.
fn unknown(c: char, rest: &str) -> String {
    match c {
        '-' | '/' => "comments are not available; two minus signs need a space between them".into(),
        '!' => "there is no ! here; unequal is written <>, and the opposite of a condition NOT".into(),
        '"' => "texts stand in single quotes; names stand without any".into(),
        '%' => "remainders are not available".into(),
        '.' => "a point is part of numbers only; names have none".into(),
        _ if rest.starts_with("&&") || rest.starts_with("||") => "write AND or OR".into(),
        _ if c.is_control() => "a control character stands here".into(),
        _ => format!("the sign {c} has no meaning here"),
    }
}
