//! Transform: records to the columns of a table, as the mapping says.

use std::sync::Arc;

use common::configuration::mapping::{MappedColumn, Mapping, Source, Value};
use common::expression::{self, Inputs, NotExact, Parameters};
use common::record_layout::{Field, FieldKind};
use common::store::rows::{ColumnValues, NULL, RowBlock};

use crate::decode::RecordBlock;

/// Why a record can't be kept in its columns.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// A value of the record's that no column can hold.
    #[error("{field} = {value} is too large for its column")]
    Value {
        /// The field.
        field: String,
        /// The value.
        value: u64,
    },
    /// A character that is none of ASCII's.
    #[error("{field} = {code:#04x} is no ASCII character")]
    Char {
        /// The field.
        field: String,
        /// Its byte.
        code: u8,
    },
    /// A scaled, cast or derived value that the column can't hold exactly.
    #[error("{column}: {value}")]
    NotExact {
        /// The column.
        column: String,
        /// The value, and what it should become.
        value: NotExact,
    },
}

/// A part of a block: records and the rows that they became, or one record that can't be one.
#[derive(Debug)]
pub struct Part {
    /// The records.
    pub records: RecordBlock,
    /// Their rows; of an unfit record only whose it is, and where in the stream.
    pub rows: RowBlock,
    /// Why the one record is no row.
    pub unfit: Option<Unfit>,
}

/// A block of records as rows, and those apart that can't be kept exactly. There is hardly ever
/// one: the block is halved until they are alone.
pub fn parts(mapping: &Mapping, records: RecordBlock, parameters: Parameters) -> Vec<Part> {
    match transform(mapping, &records, parameters) {
        Ok(rows) => vec![Part {
            records,
            rows,
            unfit: None,
        }],
        Err(unfit) if records.len() <= 1 => vec![Part {
            rows: rows_of(mapping, &records, Vec::new()),
            records,
            unfit: Some(unfit),
        }],
        Err(_) => {
            let (first, second) = records.halves(mapping.layout.record_bytes);
            let mut found = parts(mapping, first, parameters);
            found.extend(parts(mapping, second, parameters));
            found
        }
    }
}

/// A block of records as a block of rows.
///
/// # Errors
/// [`Unfit`] when a value of some record can't be kept exactly.
pub fn transform(
    mapping: &Mapping,
    block: &RecordBlock,
    parameters: Parameters,
) -> Result<RowBlock, Unfit> {
    let records = Records::of(mapping, block);
    let rows = block.len();
    let mut columns = Vec::with_capacity(mapping.columns.len());
    for column in &mapping.columns {
        let values = records.values(column, &columns, rows, parameters)?;
        columns.push(values);
    }
    Ok(rows_of(mapping, block, columns))
}

/// Rows of these columns, with whose each record is, and where in the stream.
fn rows_of(mapping: &Mapping, block: &RecordBlock, columns: Vec<ColumnValues>) -> RowBlock {
    RowBlock {
        columns,
        instrument_ids: Records::of(mapping, block).instrument_ids(mapping),
        index_times: block.index_times.clone(),
        record_numbers: (block.first_number..).take(block.len()).collect(),
    }
}

struct Records<'a> {
    bytes: &'a [u8],
    record_bytes: usize,
}

impl<'a> Records<'a> {
    fn of(mapping: &Mapping, block: &'a RecordBlock) -> Self {
        Self {
            bytes: &block.bytes,
            record_bytes: mapping.layout.record_bytes,
        }
    }

    fn instrument_ids(&self, mapping: &Mapping) -> Vec<u32> {
        match mapping.layout.field("instrument_id") {
            Some(field) => self.each(field.offset).map(u32::from_le_bytes).collect(),
            None => Vec::new(),
        }
    }

    /// The values of one column; `before` are those of the columns above it.
    fn values(
        &self,
        column: &MappedColumn,
        before: &[ColumnValues],
        rows: usize,
        parameters: Parameters,
    ) -> Result<ColumnValues, Unfit> {
        let evaluate = |value: &expression::Value, columns: &[ColumnValues]| {
            let inputs = Inputs {
                columns,
                rows,
                parameters,
            };
            let values = value.evaluate(&inputs, column.column_type.value_type());
            values.map_err(|value| Unfit::NotExact {
                column: column.name.clone(),
                value,
            })
        };
        match &column.source {
            Source::Constant(Value::Integer(value)) => Ok(ColumnValues::SameInteger(*value)),
            Source::Constant(Value::Text(text)) => Ok(ColumnValues::SameText(text.as_str().into())),
            Source::Expression(value) => evaluate(value, before),
            Source::Field {
                field,
                conversion,
                default,
                ..
            } => {
                let mut values = self.column(field)?;
                if let Some(conversion) = conversion {
                    values = evaluate(conversion, &[values])?;
                }
                Ok(match default {
                    None => values,
                    Some(default) => with_default(values, default),
                })
            }
        }
    }

    /// The bytes at one place of each record.
    fn each<const N: usize>(&self, offset: usize) -> impl Iterator<Item = [u8; N]> + use<'a, N> {
        self.bytes
            .chunks_exact(self.record_bytes)
            .map(move |record| {
                let mut value = [0; N];
                value.copy_from_slice(&record[offset..offset + N]);
                value
            })
    }

    fn column(&self, field: &Field) -> Result<ColumnValues, Unfit> {
        let at = field.offset;
        let integers = match field.kind {
            FieldKind::Price => null_at(i64::MAX, self.each(at).map(i64::from_le_bytes)),
            FieldKind::Timestamp => self.unsigned_64(field, true)?,
            FieldKind::Unsigned { bytes: 8, or_null } => self.unsigned_64(field, or_null)?,
            FieldKind::Unsigned { bytes: 1, or_null } => narrow(
                or_null.then_some(u8::MAX),
                self.each(at).map(u8::from_le_bytes),
            ),
            FieldKind::Unsigned { bytes: 2, or_null } => narrow(
                or_null.then_some(u16::MAX),
                self.each(at).map(u16::from_le_bytes),
            ),
            FieldKind::Unsigned { or_null, .. } => narrow(
                or_null.then_some(u32::MAX),
                self.each(at).map(u32::from_le_bytes),
            ),
            FieldKind::Signed { bytes: 1, or_null } => narrow(
                or_null.then_some(i8::MAX),
                self.each(at).map(i8::from_le_bytes),
            ),
            FieldKind::Signed { bytes: 2, or_null } => narrow(
                or_null.then_some(i16::MAX),
                self.each(at).map(i16::from_le_bytes),
            ),
            FieldKind::Signed { bytes: 4, or_null } => narrow(
                or_null.then_some(i32::MAX),
                self.each(at).map(i32::from_le_bytes),
            ),
            FieldKind::Signed { or_null, .. } => narrow(
                or_null.then_some(i64::MAX),
                self.each(at).map(i64::from_le_bytes),
            ),
            FieldKind::Id64 => return Ok(self.ids(at)),
            FieldKind::Char => return Ok(ColumnValues::Chars(self.chars(field)?)),
            FieldKind::Text(length) => return Ok(self.texts(at, length)),
        };
        Ok(ColumnValues::Integers(integers))
    }

    fn unsigned_64(&self, field: &Field, or_null: bool) -> Result<Vec<i64>, Unfit> {
        let values = self.each(field.offset).map(u64::from_le_bytes);
        let convert = |value| match i64::try_from(value) {
            Ok(value) => Ok(value),
            Err(_) if or_null && value == u64::MAX => Ok(NULL),
            Err(_) => Err(Unfit::Value {
                field: field.name.clone(),
                value,
            }),
        };
        values.map(convert).collect()
    }

    fn chars(&self, field: &Field) -> Result<Vec<u8>, Unfit> {
        let codes = self.each(field.offset).map(u8::from_le_bytes);
        let check = |code: u8| match code.is_ascii() {
            true => Ok(code),
            false => Err(Unfit::Char {
                field: field.name.clone(),
                code,
            }),
        };
        codes.map(check).collect()
    }

    fn ids(&self, offset: usize) -> ColumnValues {
        let text = |value: u64| Some(Arc::from(value.to_string()));
        let values = self.each(offset).map(u64::from_le_bytes);
        ColumnValues::Texts(values.map(text).collect())
    }

    fn texts(&self, offset: usize, length: usize) -> ColumnValues {
        let records = self.bytes.chunks_exact(self.record_bytes);
        let text = |record: &[u8]| {
            let field = &record[offset..offset + length];
            let end = field.iter().position(|byte| *byte == 0).unwrap_or(length);
            let text = String::from_utf8_lossy(&field[..end]);
            (!text.is_empty()).then(|| Arc::from(text.as_ref()))
        };
        ColumnValues::Texts(records.map(text).collect())
    }
}

fn null_at(undefined: i64, values: impl Iterator<Item = i64>) -> Vec<i64> {
    values
        .map(|value| if value == undefined { NULL } else { value })
        .collect()
}

fn narrow<T: Copy + PartialEq + Into<i64>>(
    undefined: Option<T>,
    values: impl Iterator<Item = T>,
) -> Vec<i64> {
    match undefined {
        None => values.map(Into::into).collect(),
        Some(undefined) => values
            .map(|value| {
                if value == undefined {
                    NULL
                } else {
                    value.into()
                }
            })
            .collect(),
    }
}

fn with_default(values: ColumnValues, default_value: &Value) -> ColumnValues {
    match (values, default_value) {
        (ColumnValues::Integers(mut values), Value::Integer(default)) => {
            for value in values.iter_mut().filter(|value| **value == NULL) {
                *value = *default;
            }
            ColumnValues::Integers(values)
        }
        (ColumnValues::Chars(mut values), Value::Text(default)) => {
            let [default] = default.as_bytes() else {
                // Checked with the mapping: a character's default is one character.
                return ColumnValues::Chars(values);
            };
            for value in values.iter_mut().filter(|value| **value == 0) {
                *value = *default;
            }
            ColumnValues::Chars(values)
        }
        (ColumnValues::Texts(mut values), Value::Text(default)) => {
            let default: Arc<str> = default.as_str().into();
            for value in values.iter_mut().filter(|value| value.is_none()) {
                *value = Some(Arc::clone(&default));
            }
            ColumnValues::Texts(values)
        }
        (values, _) => values,
    }
}
