//! What may be computed with what.

use super::super::ValueType;
use super::super::error::{ExpressionError, Place};
use super::super::number::Number;
use super::super::plan::{Operand, Text};
use super::super::syntax::{Node, Sign};
use super::Checker;

const INTEGER: ValueType = ValueType::Number { scale: 0 };

impl Checker<'_> {
    pub(super) fn negation(
        &mut self,
        node: &Node,
        place: Place,
    ) -> Result<Number, ExpressionError> {
        let number = self.factor(node, "negated")?;
        number.negate().ok_or_else(|| self.too_large(place))
    }

    pub(super) fn product(
        &mut self,
        nodes: &[Node],
        place: Place,
    ) -> Result<Number, ExpressionError> {
        let factors = nodes.iter().map(|node| self.factor(node, "multiplied"));
        let factors = factors.collect::<Result<Vec<_>, _>>()?;
        Number::product(factors).ok_or_else(|| self.too_large(place))
    }

    pub(super) fn sum(
        &mut self,
        nodes: &[(Sign, Node)],
        place: Place,
    ) -> Result<Number, ExpressionError> {
        let mut terms = Vec::with_capacity(nodes.len());
        let mut so_far: Option<ValueType> = None;
        for (sign, node) in nodes {
            let term = self.computable(node)?;
            let value_type = match so_far {
                None => term.value_type,
                Some(before) => self.sum_type(before, *sign, term.value_type, node)?,
            };
            so_far = Some(value_type);
            terms.push((*sign, term));
        }
        let timestamp = so_far == Some(ValueType::Timestamp);
        Number::sum(terms, timestamp).ok_or_else(|| self.too_large(place))
    }

    /// The type of what was summed up so far with one term more.
    fn sum_type(
        &self,
        before: ValueType,
        sign: Sign,
        term: ValueType,
        node: &Node,
    ) -> Result<ValueType, ExpressionError> {
        use ValueType::{Number, Timestamp};
        let words = node.place.words(self.text);
        let refuse = |message: String| ExpressionError::new(node.place, message);
        match (before, sign, term) {
            (Timestamp, Sign::Minus, Timestamp) => Ok(INTEGER),
            (Timestamp, Sign::Plus, Timestamp) => {
                Err(refuse("two timestamps can't be added".into())
                    .help("subtract them, for the nanoseconds between them"))
            }
            (Timestamp, _, INTEGER) | (INTEGER, Sign::Plus, Timestamp) => Ok(Timestamp),
            (Timestamp, _, other) | (other, Sign::Plus, Timestamp) => {
                let message = format!("a timestamp moves by whole nanoseconds, not by {other}");
                Err(refuse(message).help("for example `+ 1000000000` for a second"))
            }
            (_, Sign::Minus, Timestamp) => {
                let message = format!("the timestamp `{words}` can't be taken from a number");
                Err(refuse(message))
            }
            (Number { scale: before }, _, Number { scale }) => Ok(Number {
                scale: before.max(scale),
            }),
            (_, _, other) => Err(refuse(format!("`{words}` is {other}"))),
        }
    }

    fn factor(&mut self, node: &Node, done: &str) -> Result<Number, ExpressionError> {
        let number = self.computable(node)?;
        if number.value_type == ValueType::Timestamp {
            let words = node.place.words(self.text);
            let message = format!("`{words}` is timestamp, which can't be {done}");
            return Err(ExpressionError::new(node.place, message));
        }
        Ok(number)
    }

    fn computable(&mut self, node: &Node) -> Result<Number, ExpressionError> {
        let operand = self.operand(node)?;
        let words = node.place.words(self.text);
        let value_type = operand.value_type();
        let message = format!("`{words}` is {value_type}, which can't be computed with");
        let error = ExpressionError::new(node.place, message);
        match operand {
            Operand::Number(number) => Ok(number),
            Operand::Text(Text::Literal(text)) => {
                Err(match text.trim().parse::<rust_decimal::Decimal>() {
                    Ok(_) => error.help(format!("write {} without quotes", text.trim())),
                    Err(_) => {
                        error.help("compute with numbers; a second is 1000000000 nanoseconds")
                    }
                })
            }
            Operand::Text(Text::Column { .. }) => Err(error),
        }
    }
}
