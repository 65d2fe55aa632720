//! What a format does with rows.

use std::io::{self, Write};

use common::query::{Answer, Row};
use dbn::Schema;

use super::{csv, json, parquet, table};
use crate::arguments::{OutputFormat, Query};

/// Where a format writes.
pub(super) type Output = Box<dyn Write + Send>;

/// Writes rows in one format.
pub(super) trait RowWriter {
    /// Writes a row.
    fn row(&mut self, row: &Row) -> io::Result<()>;

    /// Shows what was written so far, where the format can be read from its beginning.
    fn flush(&mut self) -> io::Result<()>;

    /// Ends what was begun.
    fn finish(self: Box<Self>) -> io::Result<()>;
}

/// What writes the rows of an answer.
pub(super) fn writer(
    options: &Query,
    schema: Schema,
    answer: &Answer,
    output: Output,
) -> anyhow::Result<Box<dyn RowWriter>> {
    let columns = answer.columns();
    Ok(match options.output_format {
        OutputFormat::Table => {
            let width = table::terminal_width().filter(|_| options.output.is_none());
            Box::new(table::Table::new(schema, columns, width, output))
        }
        OutputFormat::Csv => Box::new(csv::Csv::new(columns, output)?),
        OutputFormat::Json => Box::new(json::Json::array(output)),
        OutputFormat::Ndjson => Box::new(json::Json::lines(output)),
        OutputFormat::Parquet => parquet::writer(columns, output)?,
    })
}
