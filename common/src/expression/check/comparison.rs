//! What may be compared with what, and what a literal stands for beside a column.

use chrono::NaiveDate;

use super::super::ValueType;
use super::super::error::{ExpressionError, Place};
use super::super::number::{Formula, Number, aligned};
use super::super::plan::{Operand, Text};
use super::super::syntax::{Kind, Node};
use super::{Checker, USE_IS_NULL};
use crate::time::{Nanos, NotAnInstant};

/// Values that are compared with one another.
pub(super) enum Group {
    /// Numbers of one scale, or timestamps.
    Numbers(Vec<Number>),
    Texts(Vec<Text>),
}

impl Checker<'_> {
    /// Checks values that are to be compared with one another.
    pub(super) fn group(
        &mut self,
        nodes: &[Node],
        ordered: bool,
        place: Place,
    ) -> Result<Group, ExpressionError> {
        if let Some(null) = nodes.iter().find(|node| matches!(node.kind, Kind::Null)) {
            let message = "comparison with NULL is always unknown";
            return Err(ExpressionError::new(null.place, message).help(USE_IS_NULL));
        }
        let operands = nodes.iter().map(|node| self.operand(node));
        let operands = operands.collect::<Result<Vec<_>, _>>()?;
        let lead = operands.iter().position(has_column).unwrap_or(0);
        let (lead, lead_node) = (&operands[lead], &nodes[lead]);
        let lead = Lead {
            value_type: lead.value_type(),
            node: lead_node,
            place,
        };
        match lead.value_type {
            ValueType::Number { .. } | ValueType::Timestamp => {
                let numbers = operands.into_iter().zip(nodes);
                let numbers =
                    numbers.map(|(operand, node)| self.beside_number(&lead, operand, node));
                let numbers = aligned(numbers.collect::<Result<Vec<_>, _>>()?);
                Ok(Group::Numbers(
                    numbers.ok_or_else(|| self.too_large(place))?,
                ))
            }
            ValueType::Char | ValueType::Text => {
                let any_char = operands.iter().any(|it| it.value_type() == ValueType::Char);
                let texts = operands.into_iter().zip(nodes);
                let texts =
                    texts.map(|(operand, node)| self.beside_text(&lead, any_char, operand, node));
                let texts = texts.collect::<Result<Vec<_>, _>>()?;
                if ordered {
                    let message = "text has no order here: databases differ in it";
                    let help = "text is compared by `=`, `<>`, `in` and `like`";
                    return Err(ExpressionError::new(place, message).help(help));
                }
                Ok(Group::Texts(texts))
            }
        }
    }

    fn beside_number(
        &self,
        lead: &Lead<'_>,
        operand: Operand,
        node: &Node,
    ) -> Result<Number, ExpressionError> {
        let words = node.place.words(self.text);
        let refuse = |message: String| ExpressionError::new(node.place, message);
        let is_instant = lead.value_type == ValueType::Timestamp;
        match operand {
            Operand::Number(number) => {
                if is_instant == (number.value_type == ValueType::Timestamp) {
                    return Ok(number);
                }
                if is_instant && matches!(number.formula, Formula::Constant(_)) {
                    return Err(refuse(format!("number {words} compared with a timestamp"))
                        .help("write an instant, for example '2024-01-31T00:00:00Z'"));
                }
                Err(self.mismatch(lead, number.value_type, node))
            }
            Operand::Text(Text::Literal(text)) if is_instant => instant(&text, node.place),
            Operand::Text(Text::Literal(text)) => {
                let help = match text.trim().parse::<rust_decimal::Decimal>() {
                    Ok(_) => format!("write {} without quotes", text.trim()),
                    Err(_) => "write a number".to_owned(),
                };
                let message = format!("text {words} compared with {}", lead.value_type);
                Err(refuse(message).help(help))
            }
            column @ Operand::Text(Text::Column { .. }) => {
                Err(self.mismatch(lead, column.value_type(), node))
            }
        }
    }

    fn beside_text(
        &self,
        lead: &Lead<'_>,
        any_char: bool,
        operand: Operand,
        node: &Node,
    ) -> Result<Text, ExpressionError> {
        let words = node.place.words(self.text);
        match operand {
            Operand::Text(Text::Literal(text)) if text.is_empty() => {
                let message = "empty text is NULL here, and a comparison with it always unknown";
                Err(ExpressionError::new(node.place, message).help(USE_IS_NULL))
            }
            Operand::Text(Text::Literal(text)) => {
                if any_char && !(text.len() == 1 && text.is_ascii()) {
                    let message = format!("{words} is compared with a one-character column");
                    let help = "use one ASCII character, for example 'A'";
                    return Err(ExpressionError::new(node.place, message).help(help));
                }
                Ok(Text::Literal(text))
            }
            Operand::Text(column) => Ok(column),
            Operand::Number(number) => {
                if !matches!(number.formula, Formula::Constant(_)) {
                    return Err(self.mismatch(lead, number.value_type, node));
                }
                let message = format!("number {words} compared with a {} column", lead.value_type);
                let help = format!("quote it: '{words}'");
                Err(ExpressionError::new(node.place, message).help(help))
            }
        }
    }

    fn mismatch(&self, lead: &Lead<'_>, other: ValueType, node: &Node) -> ExpressionError {
        let (ours, theirs) = (
            lead.node.place.words(self.text),
            node.place.words(self.text),
        );
        let ours = format!("{} `{ours}`", lead.value_type);
        let theirs = format!("{other} `{theirs}`");
        let message = format!("cannot compare {ours} with {theirs}");
        ExpressionError::new(lead.place, message)
    }
}

/// The operand that says what is compared, and the place of the whole comparison.
struct Lead<'a> {
    value_type: ValueType,
    node: &'a Node,
    place: Place,
}

fn has_column(operand: &Operand) -> bool {
    match operand {
        Operand::Number(number) => !matches!(number.formula, Formula::Constant(_)),
        Operand::Text(text) => matches!(text, Text::Column { .. }),
    }
}

fn instant(text: &str, place: Place) -> Result<Number, ExpressionError> {
    let refuse = |error: NotAnInstant| ExpressionError::new(place, format!("'{text}' {error}"));
    let nanos = Nanos::exact(text).map_err(|error| match (error, text.parse::<NaiveDate>()) {
        (NotAnInstant::Unreadable, Ok(date)) => {
            refuse(error).help(format!("write '{date}T00:00:00Z'"))
        }
        (NotAnInstant::Unreadable, Err(_)) => {
            refuse(error).help("write for example '2024-01-31T00:00:00Z'")
        }
        (NotAnInstant::OutOfRange, _) => refuse(error),
    })?;
    Number::constant(i128::from(nanos.0), ValueType::Timestamp)
        .ok_or_else(|| refuse(NotAnInstant::OutOfRange))
}
