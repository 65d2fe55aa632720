//! Conditions and values: what is refused and how, and what is computed, row by row the same as by a
//! plain interpreter, SQLite and PostgreSQL.

#![expect(
    clippy::unwrap_used,
    reason = "a story fails its test by panicking, though it is no test by itself"
)]

mod messages;
mod logic;
mod conversions;
mod random;
mod table;
mod generated;
mod interpreter;
mod differential;

use common::expression::{Column, Inputs, Parameters, ValueType};
use common::store::rows::ColumnValues;
use common::time::Nanos;

const INTEGER: ValueType = ValueType::Number { scale: 0 };
const PRICE: ValueType = ValueType::Number { scale: 9 };

/// A column of which nothing is known but its type.
fn column(name: &str, value_type: ValueType) -> Column {
    Column {
        name: name.to_owned(),
        value_type,
        nullable: true,
        least: i64::MIN + 1,
        greatest: i64::MAX,
    }
}

/// The columns of trades, and one of text.
fn trades() -> Vec<Column> {
    let mut size = column("size", INTEGER);
    (size.least, size.greatest) = (0, u32::MAX.into());
    vec![
        column("ts_recv", ValueType::Timestamp),
        column("ts_event", ValueType::Timestamp),
        column("action", ValueType::Char),
        column("side", ValueType::Char),
        column("price", PRICE),
        size,
        column("symbol", ValueType::Text),
    ]
}

/// Rows in a chunk that lasts from 1000 to 2000.
fn inputs(columns: &[ColumnValues], rows: usize) -> Inputs<'_> {
    let parameters = Parameters {
        chunk_start: Nanos(1_000),
        chunk_end: Nanos(2_000),
    };
    Inputs {
        columns,
        rows,
        parameters,
    }
}
