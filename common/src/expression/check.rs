//! Parts into a plan: names become columns, every part gets its type, and what makes no sense is
//! refused with its place.

mod arithmetic;
mod comparison;

use std::collections::BTreeSet;

use self::comparison::Group;
use super::error::{ExpressionError, Place};
use super::like::Pattern;
use super::number::{Formula, Number};
use super::parse::parse;
use super::plan::{Operand, Predicate, Text};
use super::syntax::{Comparison, Kind, Node, Quoted};
use super::{Column, ValueType};
use crate::nearest::{did_you_mean, nearest};

const CHUNK_START: &str = "chunk_start";
const CHUNK_END: &str = "chunk_end";
const USE_IS_NULL: &str = "use `is null` / `is not null`";

/// The condition that the text is, and the columns that it reads.
pub(super) fn condition(
    text: &str,
    columns: &[Column],
) -> Result<(Predicate, Vec<usize>), ExpressionError> {
    let node = parse(text)?;
    let mut checker = Checker::new(text, columns);
    let predicate = checker.condition(&node)?;
    Ok((predicate, checker.used.into_iter().collect()))
}

/// The value that the text is, and the columns that it reads.
pub(super) fn value(
    text: &str,
    columns: &[Column],
) -> Result<(Operand, Vec<usize>), ExpressionError> {
    let node = parse(text)?;
    let mut checker = Checker::new(text, columns);
    let operand = checker.operand(&node)?;
    Ok((operand, checker.used.into_iter().collect()))
}

struct Checker<'a> {
    text: &'a str,
    columns: &'a [Column],
    used: BTreeSet<usize>,
}

impl<'a> Checker<'a> {
    fn new(text: &'a str, columns: &'a [Column]) -> Self {
        let used = BTreeSet::new();
        Self {
            text,
            columns,
            used,
        }
    }

    fn condition(&mut self, node: &Node) -> Result<Predicate, ExpressionError> {
        let place = node.place;
        Ok(match &node.kind {
            Kind::Truth(holds) => Predicate::Always(*holds),
            Kind::Not(inner) => Predicate::Not(Box::new(self.condition(inner)?)),
            Kind::All(parts) => Predicate::All(self.conditions(parts)?),
            Kind::Any(parts) => Predicate::Any(self.conditions(parts)?),
            Kind::IsNull(value) => Predicate::IsNull(self.operand(value)?),
            Kind::Compare(comparison, sides) => self.compare(*comparison, sides.as_ref(), place)?,
            Kind::Between(nodes) => self.between(nodes.as_ref(), place)?,
            Kind::In(nodes) => self.list(nodes, place)?,
            Kind::Like {
                value,
                pattern,
                escape,
            } => self.like(value, pattern, escape.as_ref())?,
            Kind::Number { .. } | Kind::Text(_) | Kind::Null | Kind::Name(_) => {
                return Err(self.not_a_condition(node));
            }
            Kind::Negate(_) | Kind::Sum(_) | Kind::Product(_) => {
                return Err(self.not_a_condition(node));
            }
        })
    }

    fn conditions(&mut self, nodes: &[Node]) -> Result<Vec<Predicate>, ExpressionError> {
        nodes.iter().map(|node| self.condition(node)).collect()
    }

    fn operand(&mut self, node: &Node) -> Result<Operand, ExpressionError> {
        let place = node.place;
        Ok(match &node.kind {
            Kind::Number { mantissa, scale } => {
                let value_type = ValueType::Number { scale: *scale };
                let number = Number::constant(*mantissa, value_type);
                Operand::Number(number.ok_or_else(|| self.too_large(place))?)
            }
            Kind::Text(text) => Operand::Text(Text::Literal(text.clone())),
            Kind::Name(name) => self.name(name, place)?,
            Kind::Negate(inner) => Operand::Number(self.negation(inner, place)?),
            Kind::Sum(terms) => Operand::Number(self.sum(terms, place)?),
            Kind::Product(factors) => Operand::Number(self.product(factors, place)?),
            Kind::Null => {
                let message = "`null` is not a value to compare or compute with";
                return Err(ExpressionError::new(place, message).help(USE_IS_NULL));
            }
            Kind::Truth(_)
            | Kind::Not(_)
            | Kind::All(_)
            | Kind::Any(_)
            | Kind::IsNull(_)
            | Kind::Compare(..)
            | Kind::Between(_)
            | Kind::In(_)
            | Kind::Like { .. } => {
                let message = "a value is needed here, not a condition";
                let help = "conditions are joined by `and`, `or` and `not`";
                return Err(ExpressionError::new(place, message).help(help));
            }
        })
    }

    fn name(&mut self, name: &str, place: Place) -> Result<Operand, ExpressionError> {
        let formula = match name {
            CHUNK_START => Some(Formula::ChunkStart),
            CHUNK_END => Some(Formula::ChunkEnd),
            _ => None,
        };
        let found = self.columns.iter().position(|column| column.name == name);
        let index = match (found, formula) {
            (Some(index), None) => index,
            (None, Some(formula)) => return Ok(Operand::Number(Number::parameter(formula))),
            (Some(_), Some(_)) => {
                let message = format!("`{name}` is a column, and an end of the chunk as well");
                return Err(ExpressionError::new(place, message).help("rename the column"));
            }
            (None, None) => return Err(self.unknown(name, place)),
        };
        self.used.insert(index);
        let column = &self.columns[index];
        Ok(match column.value_type {
            ValueType::Number { .. } | ValueType::Timestamp => {
                Operand::Number(Number::column(index, column))
            }
            ValueType::Char | ValueType::Text => Operand::Text(Text::Column {
                index,
                is_char: column.value_type == ValueType::Char,
                nullable: column.nullable,
            }),
        })
    }

    fn unknown(&self, name: &str, place: Place) -> ExpressionError {
        let columns = self.columns.iter().map(|column| column.name.as_str());
        let known = columns.clone().chain([CHUNK_START, CHUNK_END]);
        let help = match nearest(name, known) {
            Some(near) => format!("did you mean `{near}`?"),
            None => did_you_mean(name, columns, "the columns"),
        };
        ExpressionError::new(place, format!("unknown column `{name}`")).help(help)
    }

    fn compare(
        &mut self,
        comparison: Comparison,
        sides: &[Node; 2],
        place: Place,
    ) -> Result<Predicate, ExpressionError> {
        let ordered = !matches!(comparison, Comparison::Equal | Comparison::NotEqual);
        Ok(match self.group(sides, ordered, place)? {
            Group::Numbers(numbers) => Predicate::Compare(comparison, boxed(numbers)),
            Group::Texts(mut texts) => {
                let equal = Predicate::TextIn(texts.remove(0), texts);
                match comparison {
                    Comparison::NotEqual => Predicate::Not(Box::new(equal)),
                    _ => equal,
                }
            }
        })
    }

    fn between(&mut self, nodes: &[Node; 3], place: Place) -> Result<Predicate, ExpressionError> {
        let Group::Numbers(numbers) = self.group(nodes, true, place)? else {
            unreachable!("a group of texts is not ordered");
        };
        if let [_, least, greatest] = numbers.as_slice()
            && let Formula::Constant(least) = least.formula
            && let Formula::Constant(greatest) = greatest.formula
            && least > greatest
        {
            let words = |index: usize| nodes[index].place.words(self.text);
            let message = "the bounds of `between` are reversed: this is never true";
            let help = format!("write `between {} and {}`", words(2), words(1));
            return Err(ExpressionError::new(place, message).help(help));
        }
        Ok(Predicate::Between(boxed(numbers)))
    }

    fn list(&mut self, nodes: &[Node], place: Place) -> Result<Predicate, ExpressionError> {
        Ok(match self.group(nodes, false, place)? {
            Group::Numbers(mut numbers) => {
                Predicate::NumberIn(Box::new(numbers.remove(0)), numbers)
            }
            Group::Texts(mut texts) => Predicate::TextIn(texts.remove(0), texts),
        })
    }

    fn like(
        &mut self,
        value: &Node,
        pattern: &Quoted,
        escape: Option<&Quoted>,
    ) -> Result<Predicate, ExpressionError> {
        let text = match self.operand(value)? {
            Operand::Text(text) => text,
            Operand::Number(number) => {
                let words = value.place.words(self.text);
                let message = format!("`like` is for text, and `{words}` is {}", number.value_type);
                return Err(ExpressionError::new(value.place, message));
            }
        };
        let escape = escape.map(check_escape).transpose()?;
        if escape.is_none() && pattern.text.contains('\\') {
            let message = "databases differ in what a backslash in a pattern means";
            let help = "say so, with `escape '\\'` after the pattern";
            return Err(ExpressionError::new(pattern.place, message).help(help));
        }
        let read = Pattern::new(&pattern.text, escape).ok_or_else(|| {
            let message = "the pattern ends with its escape character";
            ExpressionError::new(pattern.place, message).help("double it to mean itself")
        })?;
        Ok(Predicate::Like(text, read))
    }

    fn not_a_condition(&mut self, node: &Node) -> ExpressionError {
        let operand = match self.operand(node) {
            Ok(operand) => operand,
            Err(error) => return error,
        };
        let words = node.place.words(self.text);
        let value_type = operand.value_type();
        let message = format!("a condition is needed here, and `{words}` is {value_type}");
        let example = match value_type {
            ValueType::Number { .. } => "> 0",
            ValueType::Timestamp => "< chunk_end",
            ValueType::Char | ValueType::Text => "= 'A'",
        };
        let help = format!("compare it, for example `{words} {example}` or `{words} is not null`");
        ExpressionError::new(node.place, message).help(help)
    }

    fn too_large(&self, place: Place) -> ExpressionError {
        let words = place.words(self.text);
        let message = format!("`{words}` can get too large for exact arithmetic in 128 bits");
        ExpressionError::new(place, message).help("use fewer or smaller factors and decimals")
    }
}

/// A group's numbers, of which there are as many as there were nodes.
fn boxed<const N: usize>(numbers: Vec<Number>) -> Box<[Number; N]> {
    let numbers: Result<[Number; N], _> = numbers.try_into();
    Box::new(numbers.expect("a group has as many operands as it was given nodes"))
}

fn check_escape(escape: &Quoted) -> Result<char, ExpressionError> {
    let mut characters = escape.text.chars();
    match (characters.next(), characters.next()) {
        (Some(character), None) if !['%', '_'].contains(&character) => Ok(character),
        _ => {
            let message = "`escape` takes one character, other than % and _";
            Err(ExpressionError::new(escape.place, message).help("write for example `escape '!'`"))
        }
    }
}
