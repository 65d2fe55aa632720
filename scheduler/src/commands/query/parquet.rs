//! Parquet: prices as decimals of nine places, times as nanoseconds UTC, groups of rows of a bounded
//! size.

use std::io;
use std::sync::Arc;

use common::configuration::mapping::ColumnType;
use common::price::Price;
use common::query::{Column, Row, Value};
use parquet::basic::{Compression, LogicalType, Repetition, TimeUnit, Type as Physical};
use parquet::data_type::{
    ByteArray, ByteArrayType, FixedLenByteArray, FixedLenByteArrayType, Int64Type,
};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::types::{Type, TypePtr};

use super::format::{Output, RowWriter};

/// Digits of a price, of which nine stand behind the point, and the bytes that hold them.
const PRICE_PRECISION: i32 = 20;
const PRICE_SCALE: i32 = 9;
const PRICE_BYTES: usize = 9;
/// Values in a group of rows; they are in memory until it is written.
const VALUES_MAX: usize = 1 << 21;

pub(super) struct Parquet {
    file: SerializedFileWriter<Output>,
    columns: Vec<Values>,
    rows: usize,
    rows_max: usize,
}

/// A column's values in the group of rows that is being filled; defined ones alone, and for each row
/// whether it is one.
struct Values {
    defined: Vec<i16>,
    values: OfKind,
}

enum OfKind {
    Numbers(Vec<i64>),
    Prices(Vec<FixedLenByteArray>),
    Texts(Vec<ByteArray>),
}

pub(super) fn writer(columns: &[Column], output: Output) -> anyhow::Result<Box<dyn RowWriter>> {
    let fields = columns.iter().map(field).collect::<Result<Vec<_>, _>>()?;
    let schema = Type::group_type_builder("records")
        .with_fields(fields)
        .build()?;
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .build();
    let file = SerializedFileWriter::new(output, Arc::new(schema), Arc::new(properties))?;
    Ok(Box::new(Parquet {
        file,
        columns: columns
            .iter()
            .map(|column| Values::of(column.kind))
            .collect(),
        rows: 0,
        rows_max: VALUES_MAX / columns.len().max(1),
    }))
}

fn field(column: &Column) -> Result<TypePtr, ParquetError> {
    let (physical, logical, length) = match column.kind {
        ColumnType::Integer => (Physical::INT64, None, -1),
        ColumnType::Timestamp => {
            let unit = TimeUnit::NANOS;
            let time = LogicalType::timestamp(true, unit);
            (Physical::INT64, Some(time), -1)
        }
        ColumnType::Price => {
            let decimal = LogicalType::decimal(PRICE_SCALE, PRICE_PRECISION);
            let length = i32::try_from(PRICE_BYTES).unwrap_or(-1);
            (Physical::FIXED_LEN_BYTE_ARRAY, Some(decimal), length)
        }
        ColumnType::Char | ColumnType::Text => {
            (Physical::BYTE_ARRAY, Some(LogicalType::String), -1)
        }
    };
    let mut field = Type::primitive_type_builder(&column.name, physical)
        .with_repetition(Repetition::OPTIONAL)
        .with_logical_type(logical)
        .with_length(length);
    if column.kind == ColumnType::Price {
        field = field
            .with_precision(PRICE_PRECISION)
            .with_scale(PRICE_SCALE);
    }
    field.build().map(Arc::new)
}

impl Values {
    fn of(kind: ColumnType) -> Self {
        let values = match kind {
            ColumnType::Integer | ColumnType::Timestamp => OfKind::Numbers(Vec::new()),
            ColumnType::Price => OfKind::Prices(Vec::new()),
            ColumnType::Char | ColumnType::Text => OfKind::Texts(Vec::new()),
        };
        Self {
            defined: Vec::new(),
            values,
        }
    }

    fn push(&mut self, value: &Value) -> io::Result<()> {
        self.defined.push(i16::from(*value != Value::Null));
        match (value, &mut self.values) {
            (Value::Null, _) => {}
            (Value::Integer(number), OfKind::Numbers(numbers)) => numbers.push(*number),
            (Value::Time(time), OfKind::Numbers(numbers)) => {
                numbers.push(time.timestamp_nanos_opt().ok_or_else(unfit)?);
            }
            (Value::Price(price), OfKind::Prices(prices)) => {
                let price = Price::from_decimal(*price).ok_or_else(unfit)?;
                let bytes = i128::from(price.0).to_be_bytes();
                prices.push(bytes[bytes.len() - PRICE_BYTES..].to_vec().into());
            }
            (Value::Text(text), OfKind::Texts(texts)) => texts.push(text.as_ref().into()),
            (Value::Char(letter), OfKind::Texts(texts)) => {
                texts.push(letter.to_string().as_str().into());
            }
            _ => return Err(unfit()),
        }
        Ok(())
    }

    fn write(&mut self, column: &mut SerializedColumnWriter<'_>) -> Result<(), ParquetError> {
        let defined = Some(self.defined.as_slice());
        match &mut self.values {
            OfKind::Numbers(values) => {
                column
                    .typed::<Int64Type>()
                    .write_batch(values, defined, None)?;
                values.clear();
            }
            OfKind::Prices(values) => {
                let column = column.typed::<FixedLenByteArrayType>();
                column.write_batch(values, defined, None)?;
                values.clear();
            }
            OfKind::Texts(values) => {
                column
                    .typed::<ByteArrayType>()
                    .write_batch(values, defined, None)?;
                values.clear();
            }
        }
        self.defined.clear();
        Ok(())
    }
}

fn unfit() -> io::Error {
    io::Error::other("a value does not fit its Parquet column")
}

impl Parquet {
    /// Writes the rows that are in memory.
    fn write_group(&mut self) -> Result<(), ParquetError> {
        if self.rows == 0 {
            return Ok(());
        }
        self.rows = 0;
        let mut group = self.file.next_row_group()?;
        for values in &mut self.columns {
            if let Some(mut column) = group.next_column()? {
                values.write(&mut column)?;
                column.close()?;
            }
        }
        group.close()?;
        Ok(())
    }
}

impl RowWriter for Parquet {
    fn row(&mut self, row: &Row) -> io::Result<()> {
        for (values, value) in self.columns.iter_mut().zip(row.values()) {
            values.push(value)?;
        }
        self.rows += 1;
        if self.rows >= self.rows_max {
            self.write_group()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        // It can be read once it is whole.
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> io::Result<()> {
        self.write_group()?;
        self.file.finish()?;
        self.file.inner_mut().flush()
    }
}
