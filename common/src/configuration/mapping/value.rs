//! A value that a mapping gives, read as a column's type has it.

use rust_decimal::Decimal;
use serde_saphyr::Spanned;

use super::{ColumnType, Value};
use crate::configuration::document::{Document, Refusal};
use crate::price::Price;
use crate::store::rows::NULL;
use crate::time::{Nanos, NotAnInstant};

/// Reads a value of a column's type.
pub(super) fn read_value(
    document: &Document,
    written: &Spanned<String>,
    column_type: ColumnType,
) -> Result<Value, Refusal> {
    let text = written.value.as_str();
    read(text, column_type).map_err(|why| {
        let example = match column_type {
            ColumnType::Integer => "0",
            ColumnType::Price => "1234.25",
            ColumnType::Timestamp => "2024-01-31T00:00:00Z",
            ColumnType::Char => "N",
            ColumnType::Text => "text",
        };
        let kind = column_type.name();
        let message = format!("{text:?} does not fit a column of type {kind}{why}");
        document.refuse_at(written, message, &format!("write for example {example}"))
    })
}

/// The value, or else why there is none, where more is to be said.
fn read(text: &str, column_type: ColumnType) -> Result<Value, &'static str> {
    let number = match column_type {
        ColumnType::Integer => text.parse().map_err(|_| "")?,
        ColumnType::Price => {
            let decimal = text.parse::<Decimal>().ok();
            decimal.and_then(Price::from_decimal).ok_or("")?.0
        }
        ColumnType::Timestamp => {
            let instant = Nanos::exact(text).map_err(|error| match error {
                NotAnInstant::Unreadable => "",
                NotAnInstant::OutOfRange => ": it is outside of the years 1677 to 2262",
            });
            instant?.0
        }
        ColumnType::Char | ColumnType::Text if text.contains('\0') => {
            return Err(": the character NUL can't be kept");
        }
        ColumnType::Char if text.len() != 1 || !text.is_ascii() => return Err(""),
        ColumnType::Char | ColumnType::Text => return Ok(Value::Text(text.to_owned())),
    };
    match number {
        NULL => Err(": the least number of 64 bits stands for NULL"),
        number => Ok(Value::Integer(number)),
    }
}
