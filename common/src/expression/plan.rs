//! An expression that was checked: every part has its type, and numbers to compare have one scale.

use super::ValueType;
use super::like::Pattern;
use super::number::Number;
use super::syntax::Comparison;

/// A condition.
#[derive(Clone, Debug)]
pub(super) enum Predicate {
    Always(bool),
    Not(Box<Predicate>),
    All(Vec<Predicate>),
    Any(Vec<Predicate>),
    IsNull(Operand),
    Compare(Comparison, Box<[Number; 2]>),
    /// The value, the least and the greatest.
    Between(Box<[Number; 3]>),
    NumberIn(Box<Number>, Vec<Number>),
    TextIn(Text, Vec<Text>),
    Like(Text, Pattern),
}

/// A value.
#[derive(Clone, Debug)]
pub(super) enum Operand {
    Number(Number),
    Text(Text),
}

impl Operand {
    pub(super) fn value_type(&self) -> ValueType {
        match self {
            Self::Number(number) => number.value_type,
            Self::Text(Text::Column { is_char: true, .. }) => ValueType::Char,
            Self::Text(_) => ValueType::Text,
        }
    }

    pub(super) fn nullable(&self) -> bool {
        match self {
            Self::Number(number) => number.nullable,
            Self::Text(Text::Column { nullable, .. }) => *nullable,
            Self::Text(Text::Literal(_)) => false,
        }
    }
}

/// Text: of a column, or as it was written.
#[derive(Clone, Debug)]
pub(super) enum Text {
    Column {
        index: usize,
        is_char: bool,
        nullable: bool,
    },
    Literal(String),
}
