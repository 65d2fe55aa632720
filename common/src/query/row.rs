//! A row of an answer: named columns, typed and exact values.

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, SecondsFormat, Utc};
use rust_decimal::Decimal;

use crate::configuration::mapping::ColumnType;
use crate::time::Nanos;

/// A column of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// What its values are, where they are defined.
    pub kind: ColumnType,
}

/// The value of one column in one row.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Undefined.
    Null,
    /// A whole number.
    Integer(i64),
    /// An exact price.
    Price(Decimal),
    /// An instant, with its nanoseconds.
    Time(DateTime<Utc>),
    /// A character, such as a side.
    Char(char),
    /// A text.
    Text(Arc<str>),
}

/// A row of an answer. It begins with the index time, the symbol as asked for, the instrument and the
/// publisher; the columns of the kind of record follow.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    pub(crate) columns: Arc<[Column]>,
    pub(crate) values: Vec<Value>,
}

/// Why a row does not give a column's value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ColumnError {
    /// The row has no such column.
    #[error("there is no column {0:?}")]
    Unknown(String),
    /// The value is undefined; ask for an `Option`.
    #[error("the column {0:?} is undefined in this row")]
    Undefined(String),
    /// The value is of another type, or does not fit into the one that was asked for.
    #[error("the column {column:?} holds {found}, which is not what was asked for")]
    Mismatch {
        /// The column.
        column: String,
        /// Its value.
        found: String,
    },
}

impl Row {
    /// The value of a column, as a Rust type: `i64`, `u32`, `u64`, [`Decimal`], [`DateTime<Utc>`],
    /// [`Nanos`], `char`, `String`, or an `Option` of these where it may be undefined.
    ///
    /// # Errors
    /// [`ColumnError`] when there is no such column, or it holds something else.
    pub fn get<T: FromValue>(&self, column: &str) -> Result<T, ColumnError> {
        let value = self.value(column);
        let value = value.ok_or_else(|| ColumnError::Unknown(column.to_owned()))?;
        T::from_value(value).ok_or_else(|| match value {
            Value::Null => ColumnError::Undefined(column.to_owned()),
            other => ColumnError::Mismatch {
                column: column.to_owned(),
                found: other.to_string(),
            },
        })
    }

    /// The value of a column; `None` where there is no such column.
    #[must_use]
    pub fn value(&self, column: &str) -> Option<&Value> {
        let at = self.columns.iter().position(|known| known.name == column)?;
        self.values.get(at)
    }

    /// The symbol that was asked for.
    #[must_use]
    pub fn symbol(&self) -> &str {
        match self.value("symbol") {
            Some(Value::Text(symbol)) => symbol,
            _ => "",
        }
    }

    /// The columns, in their order.
    #[must_use]
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The values, in the order of the columns.
    #[must_use]
    pub fn values(&self) -> &[Value] {
        &self.values
    }
}

impl Value {
    /// An instant, from nanoseconds since 1970-01-01 UTC.
    #[must_use]
    pub fn time(nanoseconds: i64) -> Self {
        Self::Time(DateTime::from_timestamp_nanos(nanoseconds))
    }
}

/// The value as text: exact, with nine digits of a second, nothing where it is undefined.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => Ok(()),
            Self::Integer(number) => number.fmt(f),
            Self::Price(price) => price.normalize().fmt(f),
            Self::Time(time) => f.write_str(&time.to_rfc3339_opts(SecondsFormat::Nanos, true)),
            Self::Char(letter) => letter.fmt(f),
            Self::Text(text) => f.write_str(text),
        }
    }
}

/// What a column's value can be taken as.
pub trait FromValue: Sized {
    /// The value; `None` when it is of another type, undefined, or does not fit.
    fn from_value(value: &Value) -> Option<Self>;
}

impl<T: FromValue> FromValue for Option<T> {
    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Null => Some(None),
            other => T::from_value(other).map(Some),
        }
    }
}

macro_rules! from_value {
    ($($to:ty: $pattern:pat => $value:expr;)*) => {$(
        impl FromValue for $to {
            fn from_value(value: &Value) -> Option<Self> {
                match value {
                    $pattern => $value,
                    _ => None,
                }
            }
        }
    )*};
}

from_value! {
    i64: Value::Integer(number) => Some(*number);
    u32: Value::Integer(number) => (*number).try_into().ok();
    u64: Value::Integer(number) => (*number).try_into().ok();
    Decimal: Value::Price(price) => Some(*price);
    DateTime<Utc>: Value::Time(time) => Some(*time);
    Nanos: Value::Time(time) => time.timestamp_nanos_opt().map(Nanos);
    char: Value::Char(letter) => Some(*letter);
}

impl FromValue for String {
    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Text(text) => Some(text.as_ref().to_owned()),
            Value::Char(letter) => Some(letter.to_string()),
            _ => None,
        }
    }
}
