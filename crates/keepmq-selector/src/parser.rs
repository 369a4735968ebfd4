//! Reads selectors: a method for each level of binding, the loosest first.

use crate::expression::{Comparison, Expression, Literal, Operator, Sense, Type};
use crate::fault::SelectorFault;
use crate::identifier::Identifier;
use crate::lexer::{Keyword, Lexer, Token};
use crate::limits::{MAX_BYTES, MAX_DEPTH, MAX_PATTERN, MAX_VALUES};
use crate::number::Number;
use crate::pattern::LikePattern;

type Parsed<T> = Result<T, SelectorFault>;

/// A part of the selector and where it begins.
struct Part {
    at: usize,
    expression: Expression,
}

/// Reads a selector. Says, too, whether it names what only the decoded message tells.
pub(crate) fn parse(text: &str) -> Parsed<(Expression, bool)> {
    if text.len() > MAX_BYTES {
        return Err(SelectorFault::new(MAX_BYTES, format!("the selector is over {MAX_BYTES} bytes long")));
    }
    refuse_prefix(text)?;
    let mut parser = Parser::new(text)?;
    if parser.token == Token::End {
        return Err(SelectorFault::new(parser.at, "the selector is empty; leave it out to get everything"));
    }
    let whole = parser.or()?;
    if parser.token != Token::End {
        return Err(parser.expected("AND, OR or the end"));
    }
    Ok((condition(whole)?, parser.needs_view))
}

/// ActiveMQ knows prefixes that change what a selector means.
fn refuse_prefix(text: &str) -> Parsed<()> {
    const PREFIXES: [&str; 2] = ["convert_string_expressions:", "hyphenated_props:"];
    match PREFIXES.into_iter().find(|prefix| text.starts_with(prefix)) {
        Some(prefix) => Err(SelectorFault::new(0, format!("ActiveMQ's prefix {prefix} is not available"))),
        None => Ok(()),
    }
}

struct Parser<'a> {
    lexer: Lexer<'a>,
    /// The next token and where it begins.
    token: Token<'a>,
    at: usize,
    depth: usize,
    needs_view: bool,
}

impl<'a> Parser<'a> {
    fn new(text: &'a str) -> Parsed<Self> {
        let mut lexer = Lexer::new(text);
        let (at, token) = lexer.next()?;
        Ok(Self { lexer, token, at, depth: 0, needs_view: false })
    }

    fn advance(&mut self) -> Parsed<()> {
        (self.at, self.token) = self.lexer.next()?;
        Ok(())
    }

    /// Takes the next token if it is this one.
    fn take(&mut self, token: Token<'_>) -> Parsed<bool> {
        let is_it = self.token == token;
        if is_it {
            self.advance()?;
        }
        Ok(is_it)
    }

    fn demand(&mut self, token: Token<'_>) -> Parsed<()> {
        if self.take(token)? { Ok(()) } else { Err(self.expected(&token.to_string())) }
    }

    fn expected(&self, what: &str) -> SelectorFault {
        SelectorFault::new(self.at, format!("expected {what}, found {}", self.token))
    }

    /// Reads something one level deeper.
    fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth == MAX_DEPTH {
            let text = format!("over {MAX_DEPTH} brackets, signs or NOTs stand within each other");
            return Err(SelectorFault::new(self.at, text));
        }
        self.depth += 1;
        let read = read(self)?;
        self.depth -= 1;
        Ok(read)
    }

    fn or(&mut self) -> Parsed<Part> {
        self.chain(Keyword::Or, Self::and, Expression::Or)
    }

    fn and(&mut self) -> Parsed<Part> {
        self.chain(Keyword::And, Self::not, Expression::And)
    }

    fn chain(
        &mut self,
        keyword: Keyword,
        next: impl Fn(&mut Self) -> Parsed<Part>,
        build: impl FnOnce(Vec<Expression>) -> Expression,
    ) -> Parsed<Part> {
        let first = next(self)?;
        if self.token != Token::Keyword(keyword) {
            return Ok(first);
        }
        let at = first.at;
        let mut all = vec![condition(first)?];
        while self.take(Token::Keyword(keyword))? {
            all.push(condition(next(self)?)?);
        }
        Ok(Part { at, expression: build(all) })
    }

    fn not(&mut self) -> Parsed<Part> {
        let at = self.at;
        if !self.take(Token::Keyword(Keyword::Not))? {
            return self.test();
        }
        let denied = self.deeper(Self::not)?;
        Ok(Part { at, expression: Expression::Not(Box::new(condition(denied)?)) })
    }

    /// A value, or a test of one.
    fn test(&mut self) -> Parsed<Part> {
        let left = self.sum()?;
        match self.token {
            Token::Comparison(comparison) => self.comparison(left, comparison),
            Token::Keyword(Keyword::Is) => self.is_null(left),
            Token::Keyword(Keyword::Not) => {
                self.advance()?;
                self.special(left, Sense::IsNot)
            }
            Token::Keyword(Keyword::Between | Keyword::In | Keyword::Like) => self.special(left, Sense::Is),
            _ => Ok(left),
        }
    }

    fn comparison(&mut self, left: Part, comparison: Comparison) -> Parsed<Part> {
        self.advance()?;
        let right = self.sum()?;
        if let Token::Comparison(_) = self.token {
            let text = "comparisons don't chain; join them with AND, or use brackets";
            return Err(SelectorFault::new(self.at, text));
        }
        let at = left.at;
        let sides = if comparison.is_order() {
            (number(left)?, number(right)?)
        } else {
            (left.expression, right.expression)
        };
        Ok(Part { at, expression: Expression::Compare(comparison, Box::new(sides)) })
    }

    fn is_null(&mut self, left: Part) -> Parsed<Part> {
        self.advance()?;
        let is_not = self.take(Token::Keyword(Keyword::Not))?;
        let sense = if is_not { Sense::IsNot } else { Sense::Is };
        self.demand(Token::Keyword(Keyword::Null))?;
        let at = left.at;
        Ok(Part { at, expression: Expression::IsNull(sense, name(left)?) })
    }

    /// `BETWEEN`, `IN` or `LIKE`.
    fn special(&mut self, left: Part, sense: Sense) -> Parsed<Part> {
        let at = left.at;
        let expression = match self.token {
            Token::Keyword(Keyword::Between) => self.between(left, sense)?,
            Token::Keyword(Keyword::In) => self.within(left, sense)?,
            Token::Keyword(Keyword::Like) => self.like(left, sense)?,
            _ => return Err(self.expected("BETWEEN, IN or LIKE")),
        };
        Ok(Part { at, expression })
    }

    fn between(&mut self, left: Part, sense: Sense) -> Parsed<Expression> {
        self.advance()?;
        let low = number(self.sum()?)?;
        self.demand(Token::Keyword(Keyword::And))?;
        let high = number(self.sum()?)?;
        Ok(Expression::Between(sense, Box::new((number(left)?, low, high))))
    }

    fn within(&mut self, left: Part, sense: Sense) -> Parsed<Expression> {
        self.advance()?;
        self.demand(Token::Open)?;
        let mut values = vec![self.text()?];
        while self.take(Token::Comma)? {
            if values.len() == MAX_VALUES {
                return Err(SelectorFault::new(self.at, format!("IN lists over {MAX_VALUES} values")));
            }
            values.push(self.text()?);
        }
        if self.token != Token::Close {
            return Err(self.expected("a comma or )"));
        }
        self.advance()?;
        values.sort_unstable();
        values.dedup();
        Ok(Expression::In(sense, name(left)?, values.into()))
    }

    fn like(&mut self, left: Part, sense: Sense) -> Parsed<Expression> {
        self.advance()?;
        let at = self.at;
        let source = self.text()?;
        if source.len() > MAX_PATTERN {
            return Err(SelectorFault::new(at, format!("the pattern is over {MAX_PATTERN} bytes long")));
        }
        let escape = if self.take(Token::Keyword(Keyword::Escape))? { Some(self.escape()?) } else { None };
        let pattern = LikePattern::new(&source, escape)
            .ok_or_else(|| SelectorFault::new(at, "the pattern ends with its escape character"))?;
        Ok(Expression::Like(sense, name(left)?, pattern))
    }

    fn escape(&mut self) -> Parsed<char> {
        let at = self.at;
        let text = self.text()?;
        let mut characters = text.chars();
        match (characters.next(), characters.next()) {
            (Some(escape), None) => Ok(escape),
            _ => Err(SelectorFault::new(at, "ESCAPE takes a text of one character")),
        }
    }

    fn text(&mut self) -> Parsed<Box<str>> {
        let Token::Text(text) = self.token else {
            return Err(self.expected("a text in single quotes"));
        };
        self.advance()?;
        Ok(text.replace("''", "'").into())
    }

    fn sum(&mut self) -> Parsed<Part> {
        self.arithmetic(Self::product, true)
    }

    fn product(&mut self) -> Parsed<Part> {
        self.arithmetic(Self::signed, false)
    }

    fn operator(&self, is_sum: bool) -> Option<Operator> {
        match self.token {
            Token::Operator(operator) if operator.is_sum() == is_sum => Some(operator),
            _ => None,
        }
    }

    fn arithmetic(&mut self, next: impl Fn(&mut Self) -> Parsed<Part>, is_sum: bool) -> Parsed<Part> {
        let first = next(self)?;
        if self.operator(is_sum).is_none() {
            return Ok(first);
        }
        let at = first.at;
        let first = number(first)?;
        let mut rest = Vec::new();
        while let Some(operator) = self.operator(is_sum) {
            self.advance()?;
            rest.push((operator, number(next(self)?)?));
        }
        Ok(Part { at, expression: Expression::Arithmetic(Box::new(first), rest) })
    }

    fn signed(&mut self) -> Parsed<Part> {
        let at = self.at;
        if self.take(Token::Operator(Operator::Plus))? {
            let operand = self.deeper(Self::signed)?;
            return Ok(Part { at, expression: number(operand)? });
        }
        if !self.take(Token::Operator(Operator::Minus))? {
            return self.primary();
        }
        if let Token::Number(number) = self.token {
            let literal = literal(number, true).ok_or_else(|| too_large(at))?;
            self.advance()?;
            return Ok(Part { at, expression: Expression::Literal(literal) });
        }
        let operand = self.deeper(Self::signed)?;
        Ok(Part { at, expression: Expression::Negative(Box::new(number(operand)?)) })
    }

    fn primary(&mut self) -> Parsed<Part> {
        let at = self.at;
        let expression = match self.token {
            Token::Open => {
                self.advance()?;
                let inner = self.deeper(Self::or)?;
                if self.token != Token::Close {
                    return Err(self.expected("an operator or )"));
                }
                inner.expression
            }
            Token::Name(name) => return self.name(name),
            Token::Text(_) => {
                return Ok(Part { at, expression: Expression::Literal(Literal::Text(self.text()?)) });
            }
            Token::Number(number) => {
                Expression::Literal(literal(number, false).ok_or_else(|| too_large(at))?)
            }
            Token::Keyword(Keyword::True) => Expression::Literal(Literal::Truth(true)),
            Token::Keyword(Keyword::False) => Expression::Literal(Literal::Truth(false)),
            Token::Keyword(Keyword::Null) => {
                return Err(SelectorFault::new(at, "NULL is no value; write IS NULL or IS NOT NULL"));
            }
            _ => return Err(self.expected("a name, a value or (")),
        };
        self.advance()?;
        Ok(Part { at, expression })
    }

    fn name(&mut self, name: &str) -> Parsed<Part> {
        let at = self.at;
        self.advance()?;
        let is_query = ["XPATH", "XQUERY"].iter().any(|query| query.eq_ignore_ascii_case(name));
        if is_query && matches!(self.token, Token::Text(_) | Token::Open) {
            let text = format!("{} is not available: selectors do not look into bodies", name.to_uppercase());
            return Err(SelectorFault::new(at, text));
        }
        if self.token == Token::Open {
            return Err(SelectorFault::new(at, "functions are not available"));
        }
        let identifier = Identifier::of(name);
        self.needs_view |= identifier.needs_view();
        Ok(Part { at, expression: Expression::Name(identifier) })
    }
}

fn too_large(at: usize) -> SelectorFault {
    SelectorFault::new(at, "the number does not fit into 64 bits")
}

/// The number with its sign, if it fits.
fn literal(number: Number, is_negative: bool) -> Option<Literal> {
    Some(match number {
        Number::Exact(exact) if is_negative => Literal::Exact(0i64.checked_sub_unsigned(exact)?),
        Number::Exact(exact) => Literal::Exact(i64::try_from(exact).ok()?),
        Number::Approximate(number) => Literal::Approximate(if is_negative { -number } else { number }),
    })
}

fn condition(part: Part) -> Parsed<Expression> {
    match part.expression.kind() {
        Type::Truth | Type::Any => Ok(part.expression),
        Type::Number => Err(SelectorFault::new(part.at, "a number stands where a condition must be")),
        Type::Text => Err(SelectorFault::new(part.at, "a text stands where a condition must be")),
    }
}

fn number(part: Part) -> Parsed<Expression> {
    match part.expression.kind() {
        Type::Number | Type::Any => Ok(part.expression),
        Type::Truth => Err(SelectorFault::new(
            part.at,
            "a condition stands where a number must be; only = and <> take one",
        )),
        Type::Text => {
            Err(SelectorFault::new(part.at, "a text stands where a number must be; only = and <> take one"))
        }
    }
}

fn name(part: Part) -> Parsed<Identifier> {
    match part.expression {
        Expression::Name(name) => Ok(name),
        _ => Err(SelectorFault::new(part.at, "IN, LIKE and IS NULL are about a name; this is none")),
    }
}

#[cfg(test)]
mod tests;
