//! Multi-row INSERT statements: few texts, each prepared once, and their arguments.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use sqlx::Arguments;
use sqlx::sqlite::SqliteArguments;

use super::super::StoreError;
use super::super::rows::{ColumnValues, LINEAGE, NULL, RowBlock, quoted_list};
use crate::configuration::mapping::Mapping;

/// `SQLite` takes 32,766 values a statement.
const VALUES_PER_STATEMENT_MAX: usize = 30_000;
/// Larger statements were not faster.
const ROWS_PER_STATEMENT_MAX: usize = 512;

/// The texts of one table's INSERT, by the number of rows: few different ones, so that each is
/// prepared once.
#[derive(Debug)]
pub(super) struct InsertStatements {
    head: String,
    values_per_row: usize,
    sizes: [usize; 4],
    texts: HashMap<usize, Arc<str>>,
}

impl InsertStatements {
    /// Statements for the columns of a mapping, into a table by its name in SQL.
    pub(super) fn new(table: &str, mapping: &Mapping) -> Self {
        let names = quoted_list(mapping.columns.iter().map(|column| &column.name));
        let head = format!(
            "INSERT INTO {table} ({names}, {}) VALUES ",
            LINEAGE.join(", ")
        );
        let values_per_row = mapping.columns.len() + LINEAGE.len();
        let most = (VALUES_PER_STATEMENT_MAX / values_per_row).clamp(1, ROWS_PER_STATEMENT_MAX);
        let sizes = [most, (most / 8).max(1), (most / 64).max(1), 1];
        Self {
            head,
            values_per_row,
            sizes,
            texts: HashMap::new(),
        }
    }

    /// How many of so many rows the next statement takes.
    pub(super) fn fitting(&self, rows: usize) -> usize {
        self.sizes
            .into_iter()
            .find(|size| *size <= rows)
            .unwrap_or(1)
    }

    /// The text of the statement for so many rows.
    pub(super) fn sql(&mut self, rows: usize) -> Arc<str> {
        let text = self.texts.entry(rows).or_insert_with(|| {
            let row = format!("({})", vec!["?"; self.values_per_row].join(", "));
            let rows: Vec<_> = std::iter::repeat_n(row.as_str(), rows).collect();
            format!("{}{}", self.head, rows.join(", ")).into()
        });
        Arc::clone(text)
    }
}

/// The 128 ASCII characters as text, so that a character costs no allocation.
static CHARS: LazyLock<Vec<Arc<str>>> = LazyLock::new(|| {
    (0..128_u8)
        .map(|code| char::from(code).to_string().into())
        .collect()
});

/// The values of some rows of a block.
pub(super) fn arguments(
    block: &RowBlock,
    start: usize,
    rows: usize,
    chunk_id: i64,
) -> Result<SqliteArguments, StoreError> {
    let encode = |error| StoreError::Database(sqlx::Error::Encode(error));
    let mut arguments = SqliteArguments::default();
    arguments.reserve(rows * (block.columns.len() + 2), 0);
    for row in start..start + rows {
        for column in &block.columns {
            match column {
                ColumnValues::Integers(values) => match values[row] {
                    NULL => arguments.add(None::<i64>),
                    value => arguments.add(value),
                },
                ColumnValues::Chars(values) => match values[row] {
                    0 => arguments.add(None::<i64>),
                    code => arguments.add(Arc::clone(&CHARS[usize::from(code & 0x7f)])),
                },
                ColumnValues::Texts(values) => arguments.add(values[row].clone()),
                ColumnValues::SameText(text) => arguments.add(Arc::clone(text)),
                ColumnValues::SameInteger(number) => arguments.add(*number),
            }
            .map_err(encode)?;
        }
        arguments.add(chunk_id).map_err(encode)?;
        arguments.add(block.record_numbers[row]).map_err(encode)?;
    }
    Ok(arguments)
}
