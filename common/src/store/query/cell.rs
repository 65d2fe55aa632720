//! Cells of market tables as typed values: exact, and the same from both engines.
//!
//! `SQLite` gives whole numbers: nanoseconds and billionths. `PostgreSQL` gives its binary formats, big
//! endian: a `timestamptz` is microseconds since 2000 and has its nanoseconds in a column beside it, a
//! `numeric` is digits to the base of 10,000.

use rust_decimal::Decimal;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, ValueRef as _};

use super::super::StoreError;
use super::super::statement::Row;
use crate::configuration::mapping::ColumnType;
use crate::price::Price;
use crate::query::Value;

/// 2000-01-01 UTC, in microseconds since 1970.
const Y2K_MICROSECONDS: i64 = 946_684_800_000_000;

/// How many columns of a statement make one cell.
pub(super) fn width(row: &Row, kind: ColumnType) -> usize {
    match (row, kind) {
        (Row::Postgres(_), ColumnType::Timestamp) => 2,
        _ => 1,
    }
}

/// The cell that begins at a column of the statement.
pub(super) fn cell(row: &Row, at: usize, kind: ColumnType) -> Result<Value, StoreError> {
    match kind {
        ColumnType::Char => Ok(match text(row, at)? {
            Some(text) => text.chars().next().map_or(Value::Null, Value::Char),
            None => Value::Null,
        }),
        ColumnType::Text => Ok(text(row, at)?.map_or(Value::Null, |text| Value::Text(text.into()))),
        ColumnType::Integer => Ok(number(row, at)?.map_or(Value::Null, Value::Integer)),
        ColumnType::Timestamp => Ok(time(row, at)?.map_or(Value::Null, Value::time)),
        ColumnType::Price => Ok(price(row, at)?.map_or(Value::Null, Value::Price)),
    }
}

fn text(row: &Row, at: usize) -> Result<Option<&str>, StoreError> {
    Ok(match row {
        Row::Sqlite(row) => row.try_get(at)?,
        Row::Postgres(row) => row.try_get(at)?,
    })
}

/// A whole number of any width.
pub(super) fn number(row: &Row, at: usize) -> Result<Option<i64>, StoreError> {
    match row {
        Row::Sqlite(row) => integer(row, at),
        Row::Postgres(row) => bytes(row, at)?.map(signed).transpose(),
    }
}

/// Nanoseconds since 1970; in `PostgreSQL` of this column and the one after it.
pub(super) fn time(row: &Row, at: usize) -> Result<Option<i64>, StoreError> {
    let postgres = match row {
        Row::Sqlite(row) => return integer(row, at),
        Row::Postgres(row) => row,
    };
    let Some(microseconds) = bytes(postgres, at)?.map(signed).transpose()? else {
        return Ok(None);
    };
    let above = number(row, at + 1)?.unwrap_or(0);
    let nanoseconds = microseconds
        .checked_add(Y2K_MICROSECONDS)
        .and_then(|microseconds| microseconds.checked_mul(1_000))
        .and_then(|nanoseconds| nanoseconds.checked_add(above));
    let unreadable =
        || StoreError::Unreadable("a time that 64 bits of nanoseconds don't hold".into());
    nanoseconds.map(Some).ok_or_else(unreadable)
}

fn price(row: &Row, at: usize) -> Result<Option<Decimal>, StoreError> {
    match row {
        Row::Sqlite(row) => Ok(integer(row, at)?.map(|number| Price(number).to_decimal())),
        Row::Postgres(row) => bytes(row, at)?.map(decimal).transpose(),
    }
}

fn integer(row: &SqliteRow, at: usize) -> Result<Option<i64>, StoreError> {
    Ok(row.try_get(at)?)
}

fn bytes(row: &PgRow, at: usize) -> Result<Option<&[u8]>, StoreError> {
    let value = row.try_get_raw(at)?;
    if value.is_null() {
        return Ok(None);
    }
    let bytes = value.as_bytes().map_err(sqlx::Error::Decode)?;
    Ok(Some(bytes))
}

fn signed(bytes: &[u8]) -> Result<i64, StoreError> {
    let number = match *bytes {
        [a, b] => i64::from(i16::from_be_bytes([a, b])),
        [a, b, c, d] => i64::from(i32::from_be_bytes([a, b, c, d])),
        _ => i64::from_be_bytes(bytes.try_into().map_err(|_| no_number())?),
    };
    Ok(number)
}

fn no_number() -> StoreError {
    StoreError::Unreadable("a value that is no number".into())
}

/// A `numeric`: count of digits, the first digit's power of 10,000, sign, decimals, digits.
fn decimal(bytes: &[u8]) -> Result<Decimal, StoreError> {
    const NEGATIVE: i16 = 0x4000;
    let words: Vec<i16> = bytes
        .chunks_exact(2)
        .map(|word| i16::from_be_bytes([word[0], word[1]]))
        .collect();
    let [_count, weight, sign, _decimals, digits @ ..] = words.as_slice() else {
        return Err(no_number());
    };
    let billionths = digits
        .iter()
        .zip(0_i32..)
        .try_fold(0_i128, |sum, (digit, place)| {
            let power = 4 * (i32::from(*weight) - place) + 9;
            let digit = i128::from(*digit);
            let ten = |power: i32| 10_i128.checked_pow(u32::try_from(power).ok()?);
            match power < 0 {
                // Digits behind the ninth decimal are zero in a column of nine.
                true => sum.checked_add(digit / ten(-power)?),
                false => sum.checked_add(digit.checked_mul(ten(power)?)?),
            }
        });
    let signed = match *sign {
        0 => billionths,
        NEGATIVE => billionths.map(|number| -number),
        _ => None,
    };
    let found = signed.and_then(|number| Decimal::try_from_i128_with_scale(number, 9).ok());
    found.ok_or_else(no_number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_numeric_is_read_to_its_last_decimal() {
        for (words, expected) in [
            (&[0_i16, 0, 0, 9][..], "0.000000000"),
            (&[1, 0, 0, 9, 1], "1.000000000"),
            (&[2, 0, 0x4000, 9, 4_800, 2_500], "-4800.250000000"),
            (&[1, -3, 0, 9, 1_000], "0.000000001"),
            (&[3, 1, 0, 9, 1, 2_345, 6_000], "12345.600000000"),
            (
                &[6, 2, 0, 9, 92, 2_337, 2_036, 8_547, 7_580, 7_000],
                "9223372036.854775807",
            ),
        ] {
            let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
            assert_eq!(decimal(&bytes).unwrap().to_string(), expected, "{words:?}");
        }
        for words in [&[0_i16, 0, -0x4000, 0][..], &[1], &[1, 900, 0, 9, 1]] {
            let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
            assert!(decimal(&bytes).is_err(), "{words:?}");
        }
    }
}
