//! Values of one type kept as another, exactly or not at all.

use std::borrow::Cow;
use std::sync::Arc;

use super::lane::{Lane, Numbers};
use super::{NotExact, ValueType};
use crate::store::rows::{ColumnValues, NULL};
use crate::time::Nanos;

const INTEGER: ValueType = ValueType::Number { scale: 0 };

/// Whether values of one type may be kept as another. Between numbers of different decimals, each
/// value has to fit as well.
#[must_use]
pub fn convertible(from: ValueType, to: ValueType) -> bool {
    use ValueType::{Number, Text, Timestamp};
    let pair = (from, to);
    from == to
        || matches!(pair, (Number { .. }, Number { .. }) | (_, Text))
        || pair == (Timestamp, INTEGER)
        || pair == (INTEGER, Timestamp)
}

/// Values kept as another type, to which they have to be [`convertible`]. Text of numbers has no
/// needless zeros, as a [`Price`](crate::price::Price) has none; timestamps are written as [`Nanos`]
/// are.
///
/// # Errors
/// [`NotExact`] for the first row whose value `to` can't hold exactly, or at all.
///
/// # Panics
/// When the values are not of the type `from`.
pub fn convert(
    values: ColumnValues,
    from: ValueType,
    to: ValueType,
) -> Result<ColumnValues, NotExact> {
    if from == to {
        return Ok(values);
    }
    match from {
        ValueType::Number { .. } | ValueType::Timestamp
            if to != ValueType::Text && convertible(from, to) && scale(from) == scale(to) =>
        {
            Ok(values)
        }
        ValueType::Number { .. } | ValueType::Timestamp => {
            let numbers = match values {
                ColumnValues::Integers(values) => Numbers::Each(Cow::Owned(values)),
                ColumnValues::SameInteger(value) => Numbers::Same(value),
                _ => panic!("text is not {from}"),
            };
            converted(numbers, from, to)
        }
        ValueType::Char | ValueType::Text if to == ValueType::Text => Ok(as_text(values)),
        ValueType::Char | ValueType::Text => refuse_text(values, to),
    }
}

/// Numbers of either width, as [`convert`] does.
pub(super) fn converted<L: Lane>(
    numbers: Numbers<'_, L>,
    from: ValueType,
    to: ValueType,
) -> Result<ColumnValues, NotExact> {
    let print = |value: L| value.value().map(|value| written(value, from));
    let refused = |row: usize, value: L, misfit: Misfit| NotExact {
        row,
        value: print(value).unwrap_or_default(),
        target: to,
        too_large: misfit == Misfit::TooLarge,
    };
    if to == ValueType::Text {
        return Ok(match numbers {
            Numbers::Each(values) => {
                let texts = values.iter().map(|value| print(*value).map(Arc::from));
                ColumnValues::Texts(texts.collect())
            }
            Numbers::Same(value) => print(value).map_or(ColumnValues::SameInteger(NULL), |text| {
                ColumnValues::SameText(text.into())
            }),
        });
    }
    let scales = convertible(from, to).then(|| (scale(from), scale(to)));
    let kept = |value: L| match value.value() {
        None => Ok(NULL),
        Some(value) => {
            let (from, to) = scales.ok_or(Misfit::Inexact)?;
            rescaled(value, from, to)
        }
    };
    match numbers {
        Numbers::Each(values) => {
            let rows = values.iter().enumerate();
            let rows = rows
                .map(|(row, value)| kept(*value).map_err(|misfit| refused(row, *value, misfit)));
            Ok(ColumnValues::Integers(rows.collect::<Result<_, _>>()?))
        }
        Numbers::Same(value) => {
            let kept = kept(value).map_err(|misfit| refused(0, value, misfit))?;
            Ok(ColumnValues::SameInteger(kept))
        }
    }
}

fn scale(value_type: ValueType) -> u8 {
    match value_type {
        ValueType::Number { scale } => scale,
        ValueType::Timestamp | ValueType::Char | ValueType::Text => 0,
    }
}

/// Why a mantissa can't be had at another scale.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Misfit {
    /// It isn't whole there.
    Inexact,
    /// It has no room in 64 bits.
    TooLarge,
}

/// A mantissa at another scale.
fn rescaled(value: i128, from: u8, to: u8) -> Result<i64, Misfit> {
    let factor = |digits: u8| 10_i128.checked_pow(u32::from(digits));
    let value = match to.checked_sub(from) {
        Some(0) => value,
        Some(_) if value == 0 => 0,
        Some(more) => factor(more)
            .and_then(|factor| value.checked_mul(factor))
            .ok_or(Misfit::TooLarge)?,
        None => {
            let factor = factor(from - to).unwrap_or(i128::MAX);
            match (i64::try_from(value), i64::try_from(factor)) {
                // Much faster than in 128 bits.
                (Ok(value), Ok(factor)) if value % factor == 0 => (value / factor).into(),
                (Err(_), _) | (_, Err(_)) if value % factor == 0 => value / factor,
                _ => return Err(Misfit::Inexact),
            }
        }
    };
    let fitting = i64::try_from(value).ok().filter(|value| *value != NULL);
    fitting.ok_or(Misfit::TooLarge)
}

/// A number or a timestamp as a person writes it.
fn written(value: i128, value_type: ValueType) -> String {
    match (value_type, i64::try_from(value)) {
        (ValueType::Timestamp, Ok(nanos)) => Nanos(nanos).to_string(),
        _ => decimal(value, scale(value_type)),
    }
}

fn decimal(mantissa: i128, scale: u8) -> String {
    let scale = usize::from(scale);
    let sign = if mantissa < 0 { "-" } else { "" };
    let digits = format!("{:0>width$}", mantissa.unsigned_abs(), width = scale + 1);
    let (whole, decimals) = digits.split_at(digits.len() - scale);
    match decimals.trim_end_matches('0') {
        "" => format!("{sign}{whole}"),
        decimals => format!("{sign}{whole}.{decimals}"),
    }
}

/// Characters as text, one shared text for each character.
fn as_text(values: ColumnValues) -> ColumnValues {
    let ColumnValues::Chars(values) = values else {
        return values;
    };
    let texts: Vec<Option<Arc<str>>> = (0..=u8::MAX)
        .map(|byte| (byte != 0).then(|| Arc::from(char::from(byte).to_string())))
        .collect();
    let texts = values
        .iter()
        .map(|value| texts[usize::from(*value)].clone());
    ColumnValues::Texts(texts.collect())
}

/// Text is never kept as a number; where all rows are NULL, there is nothing to keep.
fn refuse_text(values: ColumnValues, target: ValueType) -> Result<ColumnValues, NotExact> {
    let first = match as_text(values) {
        ColumnValues::SameText(text) => Some((0, text)),
        ColumnValues::Texts(texts) => {
            let mut rows = texts.into_iter().enumerate();
            rows.find_map(|(row, text)| Some((row, text?)))
        }
        _ => None,
    };
    first.map_or(Ok(ColumnValues::SameInteger(NULL)), |(row, text)| {
        let value = text.to_string();
        Err(NotExact {
            row,
            value,
            target,
            too_large: false,
        })
    })
}
