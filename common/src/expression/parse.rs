//! Tokens into parts, by PostgreSQL's precedence.

use super::error::{ExpressionError, Place};
use super::lexer::{Token, tokens};
use super::syntax::{Comparison, Kind, Node, Quoted, Sign};

/// How long an expression may be.
const BYTES_MAX: usize = 4_096;

/// How many parentheses, `not` and minus signs may stand inside one another.
const LEVELS_MAX: usize = 64;

/// What the language has, for whoever asks for more.
const SUPPORTED: &str =
    "supported: comparisons, and, or, not, in, between, like, is null, +, - and *";

/// Reads a whole expression.
pub(super) fn parse(text: &str) -> Result<Node, ExpressionError> {
    if text.len() > BYTES_MAX {
        let place = Place {
            start: 0,
            end: text.len(),
        };
        let message = format!(
            "the expression has {} bytes, and may have {BYTES_MAX}",
            text.len()
        );
        return Err(ExpressionError::new(place, message).help("split it into several rules"));
    }
    let mut parser = Parser {
        text,
        tokens: tokens(text)?,
        at: 0,
        levels: 0,
    };
    let node = parser.any()?;
    match parser.peek() {
        Token::End => Ok(node),
        _ => Err(parser.unexpected("after the end of the expression")),
    }
}

struct Parser<'a> {
    text: &'a str,
    tokens: Vec<(Token<'a>, Place)>,
    at: usize,
    levels: usize,
}

impl<'a> Parser<'a> {
    fn any(&mut self) -> Result<Node, ExpressionError> {
        self.chain("or", Kind::Any, Self::all)
    }

    fn all(&mut self) -> Result<Node, ExpressionError> {
        self.chain("and", Kind::All, Self::not)
    }

    fn chain(
        &mut self,
        keyword: &'static str,
        kind: fn(Vec<Node>) -> Kind,
        part: fn(&mut Self) -> Result<Node, ExpressionError>,
    ) -> Result<Node, ExpressionError> {
        let first = part(self)?;
        if self.peek() != &Token::Keyword(keyword) {
            return Ok(first);
        }
        let mut parts = vec![first];
        while self.take(&Token::Keyword(keyword)) {
            parts.push(part(self)?);
        }
        Ok(spanning(kind, parts))
    }

    fn not(&mut self) -> Result<Node, ExpressionError> {
        let place = self.place();
        if !self.take(&Token::Keyword("not")) {
            return self.is_null();
        }
        let inner = self.deeper(place, Self::not)?;
        let place = place.to(inner.place);
        Ok(Node {
            kind: Kind::Not(Box::new(inner)),
            place,
        })
    }

    fn is_null(&mut self) -> Result<Node, ExpressionError> {
        let value = self.comparison()?;
        if !self.take(&Token::Keyword("is")) {
            return Ok(value);
        }
        let negated = self.take(&Token::Keyword("not"));
        if self.peek() != &Token::Keyword("null") {
            let message = "after `is`, `null` or `not null` is expected";
            return Err(ExpressionError::new(self.place(), message));
        }
        let place = value.place.to(self.place());
        self.at += 1;
        Ok(negate_if(negated, Kind::IsNull(Box::new(value)), place))
    }

    fn comparison(&mut self) -> Result<Node, ExpressionError> {
        let left = self.range()?;
        let Some((first, comparison)) = self.take_comparison() else {
            return Ok(left);
        };
        let right = self.range()?;
        let place = left.place.to(right.place);
        if let Some((second, _)) = self.take_comparison() {
            let last = self.range()?;
            let words = |node: &Node| node.place.words(self.text);
            let (a, b, c) = (words(&left), words(&right), words(&last));
            let message = "a value is needed here, not a condition: comparisons can't be chained";
            let help = format!("write `{a} {first} {b} and {b} {second} {c}`");
            return Err(ExpressionError::new(place.to(last.place), message).help(help));
        }
        let kind = Kind::Compare(comparison, Box::new([left, right]));
        Ok(Node { kind, place })
    }

    fn take_comparison(&mut self) -> Option<(&'static str, Comparison)> {
        let Token::Symbol(symbol) = *self.peek() else {
            return None;
        };
        let comparison = Comparison::of(symbol)?;
        self.at += 1;
        Some((symbol, comparison))
    }

    /// A sum, perhaps with `between`, `in` or `like` behind it.
    fn range(&mut self) -> Result<Node, ExpressionError> {
        let value = self.sum()?;
        let start = value.place;
        let negated = self.take(&Token::Keyword("not"));
        let (kind, end) = match self.peek() {
            Token::Keyword("between") => self.between(value)?,
            Token::Keyword("in") => self.list(value)?,
            Token::Keyword("like") => self.like(value)?,
            _ if negated => {
                let message = "after `not`, `between`, `in` or `like` is expected here";
                let error = ExpressionError::new(self.place(), message);
                return Err(match self.peek() {
                    Token::Keyword("null") => error.help("write `is not null`"),
                    _ => error,
                });
            }
            _ => return Ok(value),
        };
        Ok(negate_if(negated, kind, start.to(end)))
    }

    fn between(&mut self, value: Node) -> Result<(Kind, Place), ExpressionError> {
        self.at += 1;
        let least = self.sum()?;
        self.expect(&Token::Keyword("and"), "the `and` of `between`")?;
        let greatest = self.sum()?;
        let end = greatest.place;
        Ok((Kind::Between(Box::new([value, least, greatest])), end))
    }

    fn list(&mut self, value: Node) -> Result<(Kind, Place), ExpressionError> {
        self.at += 1;
        self.expect(&Token::Symbol("("), "a list in parentheses")?;
        let mut nodes = vec![value, self.sum()?];
        while self.take(&Token::Symbol(",")) {
            nodes.push(self.sum()?);
        }
        let end = self.place();
        self.expect(&Token::Symbol(")"), "`,` or `)`")?;
        Ok((Kind::In(nodes), end))
    }

    fn like(&mut self, value: Node) -> Result<(Kind, Place), ExpressionError> {
        self.at += 1;
        let value = Box::new(value);
        let pattern = self.quoted("a pattern in quotes")?;
        let escape = match self.take(&Token::Keyword("escape")) {
            true => Some(self.quoted("one character in quotes")?),
            false => None,
        };
        let end = escape.as_ref().unwrap_or(&pattern).place;
        Ok((
            Kind::Like {
                value,
                pattern,
                escape,
            },
            end,
        ))
    }

    fn quoted(&mut self, expected: &str) -> Result<Quoted, ExpressionError> {
        let place = self.place();
        let Token::Text(text) = self.peek() else {
            return Err(self.missing(expected));
        };
        let text = text.clone();
        self.at += 1;
        Ok(Quoted { text, place })
    }

    fn sum(&mut self) -> Result<Node, ExpressionError> {
        let first = self.product()?;
        let mut place = first.place;
        let mut terms = vec![(Sign::Plus, first)];
        loop {
            let sign = match self.peek() {
                Token::Symbol("+") => Sign::Plus,
                Token::Symbol("-") => Sign::Minus,
                _ => break,
            };
            self.at += 1;
            let term = self.product()?;
            place = place.to(term.place);
            terms.push((sign, term));
        }
        if terms.len() == 1 {
            return Ok(terms.swap_remove(0).1);
        }
        Ok(Node {
            kind: Kind::Sum(terms),
            place,
        })
    }

    fn product(&mut self) -> Result<Node, ExpressionError> {
        let mut factors = vec![self.signed()?];
        while self.take(&Token::Symbol("*")) {
            factors.push(self.signed()?);
        }
        if factors.len() == 1 {
            return Ok(factors.swap_remove(0));
        }
        Ok(spanning(Kind::Product, factors))
    }

    fn signed(&mut self) -> Result<Node, ExpressionError> {
        let place = self.place();
        if !self.take(&Token::Symbol("-")) {
            return self.single();
        }
        let inner = self.deeper(place, Self::signed)?;
        let place = place.to(inner.place);
        Ok(Node {
            kind: Kind::Negate(Box::new(inner)),
            place,
        })
    }

    fn single(&mut self) -> Result<Node, ExpressionError> {
        let place = self.place();
        let kind = match self.peek().clone() {
            Token::Number { mantissa, scale } => Kind::Number { mantissa, scale },
            Token::Text(text) => Kind::Text(text),
            Token::Keyword("true") => Kind::Truth(true),
            Token::Keyword("false") => Kind::Truth(false),
            Token::Keyword("null") => Kind::Null,
            Token::Name(name) if self.tokens[self.at + 1].0 == Token::Symbol("(") => {
                return Err(self.call(name));
            }
            Token::Name(name) => Kind::Name(name.to_owned()),
            Token::Symbol("(") => {
                self.at += 1;
                let inner = self.deeper(place, Self::any)?;
                let place = place.to(self.place());
                self.expect(&Token::Symbol(")"), "`)`")?;
                return Ok(Node { place, ..inner });
            }
            _ => return Err(self.missing("a value")),
        };
        self.at += 1;
        Ok(Node { kind, place })
    }

    /// The error for a call of a function, with the place of the whole call.
    fn call(&self, name: &str) -> ExpressionError {
        let mut open = 0_usize;
        let last = self.tokens[self.at..].iter().find(|(token, _)| {
            open += usize::from(*token == Token::Symbol("("));
            let closes = *token == Token::Symbol(")");
            open -= usize::from(closes && open > 0);
            (closes && open == 0) || *token == Token::End
        });
        let place = last.map_or(self.place(), |(_, last)| self.place().to(*last));
        let message = format!("the function `{name}` is not supported");
        ExpressionError::new(place, message).help(SUPPORTED)
    }

    fn deeper(
        &mut self,
        place: Place,
        part: fn(&mut Self) -> Result<Node, ExpressionError>,
    ) -> Result<Node, ExpressionError> {
        if self.levels == LEVELS_MAX {
            let message = format!("the expression is nested deeper than {LEVELS_MAX} levels");
            let help = "split it into several rules, or leave out parentheses";
            return Err(ExpressionError::new(place, message).help(help));
        }
        self.levels += 1;
        let node = part(self);
        self.levels -= 1;
        node
    }

    fn peek(&self) -> &Token<'a> {
        &self.tokens[self.at].0
    }

    fn place(&self) -> Place {
        self.tokens[self.at].1
    }

    fn take(&mut self, token: &Token<'_>) -> bool {
        let taken = self.peek() == token;
        self.at += usize::from(taken);
        taken
    }

    fn expect(&mut self, token: &Token<'_>, words: &str) -> Result<(), ExpressionError> {
        if self.take(token) {
            Ok(())
        } else {
            Err(self.missing(words))
        }
    }

    fn missing(&self, expected: &str) -> ExpressionError {
        if self.peek() == &Token::End {
            let message = format!("{expected} is expected here, and the expression ends");
            return ExpressionError::new(self.place(), message);
        }
        self.unexpected(&format!("where {expected} is expected"))
    }

    fn unexpected(&self, context: &str) -> ExpressionError {
        let word = self.place().words(self.text);
        ExpressionError::new(self.place(), format!("unexpected `{word}` {context}"))
    }
}

fn spanning(kind: fn(Vec<Node>) -> Kind, parts: Vec<Node>) -> Node {
    let end = parts[parts.len() - 1].place;
    let place = parts[0].place.to(end);
    Node {
        kind: kind(parts),
        place,
    }
}

fn negate_if(negated: bool, kind: Kind, place: Place) -> Node {
    let node = Node { kind, place };
    if negated {
        Node {
            kind: Kind::Not(Box::new(node)),
            place,
        }
    } else {
        node
    }
}
