//! A few rows of what was loaded, for people.

use super::engine::Pools;
use super::statement::{Row, statement};
use super::table::column_names;
use super::{Store, StoreError};

/// A few rows of a view, as text.
#[derive(Clone, Debug)]
pub struct Sample {
    /// The columns' names.
    pub columns: Vec<String>,
    /// The rows; NULL is empty.
    pub rows: Vec<Vec<String>>,
}

/// Columns of a sample; more don't fit a terminal.
const SAMPLE_COLUMNS: usize = 7;

impl Store {
    /// The first rows of a view, by instrument and time, with the symbols that were asked for in
    /// front.
    ///
    /// # Errors
    /// [`StoreError`] when there is no such view, or the database fails.
    pub async fn sample(&self, view: &str, rows: u32) -> Result<Sample, StoreError> {
        let columns: Vec<String> = column_names(self.pools.read(), view)
            .await?
            .into_iter()
            .filter(|name| !["instrument_id", "chunk_id", "row_number"].contains(&name.as_str()))
            .take(SAMPLE_COLUMNS)
            .collect();
        let Some(index_time) = columns.first() else {
            return Err(StoreError::Unreadable(format!("no view {view:?}")));
        };
        let list: Vec<_> = columns
            .iter()
            .map(|name| format!("CAST(v.{name} AS TEXT)"))
            .collect();
        let order = match self.pools {
            // The table is clustered so.
            Pools::Sqlite { .. } => String::new(),
            Pools::Postgres(_) => {
                format!("ORDER BY v.instrument_id, v.{index_time}, v.chunk_id, v.row_number")
            }
        };
        let sql = format!(
            "SELECT (SELECT s.symbol FROM symbology AS s WHERE s.instrument_id = v.instrument_id
                     AND s.start_date <= substr(v.{index_time}, 1, 10)
                     AND s.end_date > substr(v.{index_time}, 1, 10) LIMIT 1), {}
             FROM {view} AS v {order} LIMIT $1",
            list.join(", ")
        );
        let found = statement(sql)
            .bind(rows)
            .fetch_all(self.pools.read())
            .await?;
        let text = |row: &Row| {
            let cell = |index| Ok(row.at::<Option<String>>(index)?.unwrap_or_default());
            (0..=columns.len())
                .map(cell)
                .collect::<Result<Vec<_>, StoreError>>()
        };
        let rows = found.iter().map(text).collect::<Result<_, StoreError>>()?;
        let head = std::iter::once("symbol".to_owned());
        Ok(Sample {
            columns: head.chain(columns).collect(),
            rows,
        })
    }
}
