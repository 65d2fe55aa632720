//! Conditions and values over the columns of a table: written in SQL, checked before any row is
//! read, and evaluated a block of rows at a time in SQL's three-valued logic.
//!
//! The language is the part of SQL on which PostgreSQL and SQLite agree: `and or not`, comparisons,
//! `is null`, `between`, `in`, `like … escape`, `+ - *`, numbers with up to nine decimals and
//! `'text'`. `chunk_start` and `chunk_end` are the ends of the chunk whose rows are looked at.
//! Arithmetic is exact: nothing is rounded, and what could overflow is refused when it is compiled.

mod error;
mod truth;
mod lexer;
mod syntax;
mod parse;
mod number;
mod like;
mod plan;
mod check;
mod lane;
mod arithmetic;
mod predicate;
mod texts;
mod evaluate;
mod convert;

use std::fmt;

use crate::store::rows::ColumnValues;
use crate::time::Nanos;

pub use convert::{convert, convertible};
pub use error::{ExpressionError, NotExact};
pub use truth::Truth;

/// What the values of a column or an expression are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueType {
    /// Exact numbers with so many decimals: whole numbers have 0, prices 9.
    Number {
        /// How many decimals; a value is its mantissa times 10 to the minus `scale`.
        scale: u8,
    },
    /// Instants, in nanoseconds.
    Timestamp,
    /// Single ASCII characters.
    Char,
    /// Text.
    Text,
}

/// In the words of mapping files; what is no whole number and has not a price's decimals, such as the
/// half of a price, has no word there.
impl fmt::Display for ValueType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number { scale: 0 } => f.write_str("integer"),
            Self::Number { scale: 9 } => f.write_str("price"),
            Self::Number { .. } => f.write_str("decimal"),
            Self::Timestamp => f.write_str("timestamp"),
            Self::Char => f.write_str("char"),
            Self::Text => f.write_str("text"),
        }
    }
}

/// What an expression may know about a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name, as it is written in expressions.
    pub name: String,
    /// What its values are.
    pub value_type: ValueType,
    /// Whether a row may have NULL in it.
    pub nullable: bool,
    /// The least mantissa of a column of numbers. It is a promise: arithmetic is exact by it.
    pub least: i64,
    /// The greatest mantissa of a column of numbers, likewise promised.
    pub greatest: i64,
}

/// What is the same in all rows of a chunk, and known when they are evaluated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameters {
    /// `chunk_start`: the first instant of the chunk.
    pub chunk_start: Nanos,
    /// `chunk_end`: the instant after its last.
    pub chunk_end: Nanos,
}

/// A block of rows to evaluate; about two thousand at a time stay in the processor's cache.
#[derive(Clone, Copy, Debug)]
pub struct Inputs<'a> {
    /// The columns, in the order in which they were given to `compile`.
    pub columns: &'a [ColumnValues],
    /// How many rows.
    pub rows: usize,
    /// What `chunk_start` and `chunk_end` stand for.
    pub parameters: Parameters,
}

/// A condition: false, unknown or true in each row.
#[derive(Clone, Debug)]
pub struct Condition {
    predicate: plan::Predicate,
    columns: Vec<usize>,
}

impl Condition {
    /// Reads a condition and checks it against the columns.
    ///
    /// # Errors
    /// [`ExpressionError`] with the place in the text, and what to write instead.
    pub fn compile(text: &str, columns: &[Column]) -> Result<Self, ExpressionError> {
        let (predicate, columns) = check::condition(text, columns)?;
        Ok(Self { predicate, columns })
    }

    /// The columns that it reads, as indexes into those given to [`Condition::compile`], ascending.
    #[must_use]
    pub fn columns(&self) -> &[usize] {
        &self.columns
    }

    /// The truth in each row.
    ///
    /// # Panics
    /// When a column that it reads is missing, has not one value a row, or values of another type.
    #[must_use]
    pub fn evaluate(&self, inputs: &Inputs<'_>) -> Vec<Truth> {
        predicate::truths(&self.predicate, inputs)
    }
}

/// A value of one type, or NULL, in each row.
#[derive(Clone, Debug)]
pub struct Value {
    operand: plan::Operand,
    columns: Vec<usize>,
}

impl Value {
    /// Reads a value and checks it against the columns.
    ///
    /// # Errors
    /// [`ExpressionError`] with the place in the text, and what to write instead.
    pub fn compile(text: &str, columns: &[Column]) -> Result<Self, ExpressionError> {
        let (operand, columns) = check::value(text, columns)?;
        Ok(Self { operand, columns })
    }

    /// The columns that it reads, as indexes into those given to [`Value::compile`], ascending.
    #[must_use]
    pub fn columns(&self) -> &[usize] {
        &self.columns
    }

    /// What its values are before any conversion.
    #[must_use]
    pub fn value_type(&self) -> ValueType {
        self.operand.value_type()
    }

    /// Whether a row may have NULL.
    #[must_use]
    pub fn nullable(&self) -> bool {
        self.operand.nullable()
    }

    /// The least and the greatest mantissa that it can have; `None` for text.
    #[must_use]
    pub fn bounds(&self) -> Option<(i128, i128)> {
        match &self.operand {
            plan::Operand::Number(number) => Some((number.bounds.least, number.bounds.greatest)),
            plan::Operand::Text(_) => None,
        }
    }

    /// The value in each row, converted to `target`, to which it has to be [`convertible`].
    ///
    /// # Errors
    /// [`NotExact`] for the first row whose value `target` can't hold exactly.
    ///
    /// # Panics
    /// When a column that it reads is missing, has not one value a row, or values of another type.
    pub fn evaluate(
        &self,
        inputs: &Inputs<'_>,
        target: ValueType,
    ) -> Result<ColumnValues, NotExact> {
        evaluate::values(&self.operand, inputs, target)
    }
}
