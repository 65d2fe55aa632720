//! The load: rows, coverage, symbology and settlement of one chunk, in one transaction.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use dbn::SType;
use sqlx::sqlite::SqliteArguments;
use sqlx::{Arguments, AssertSqlSafe, Row, Sqlite, SqliteConnection, Transaction};

use super::rows::{ColumnValues, NULL, RowBlock, count};
use super::settle::{check_fence, fence};
use super::submit::EVERY_INSTRUMENT;
use super::{Chunk, Claim, Held, Store, StoreError};
use crate::chunk::{ChunkEvent, ChunkState};
use crate::configuration::mapping::Mapping;
use crate::time::{Day, Nanos, Span};
use crate::vendor::{Resolution, SymbolWindow};

/// `SQLite` takes 32,766 values a statement.
const VALUES_PER_STATEMENT_MAX: usize = 30_000;
/// Larger statements were not faster.
const ROWS_PER_STATEMENT_MAX: usize = 512;

/// What a chunk's load came to.
#[derive(Clone, Debug, Default)]
pub struct Loaded {
    /// Records that were asked for and received.
    pub fetched: u64,
    /// Records that came along and were not asked for.
    pub filtered: u64,
    /// Rows in the table.
    pub loaded: u64,
    /// Records in the quarantine.
    pub quarantined: u64,
    /// Records that another chunk holds.
    pub covered: u64,
    /// The slices that the chunk now holds.
    pub slices: Vec<Held>,
    /// What the symbols meant.
    pub resolution: Resolution,
    /// The archived stream that the records were read from.
    pub archive_object: String,
}

/// An open load. Dropped, it leaves nothing behind.
#[derive(Debug)]
pub struct Load {
    transaction: Transaction<'static, Sqlite>,
    claim: Claim,
    insert: InsertStatements,
    rows: u64,
}

impl Store {
    /// Begins the load of a claimed chunk.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] when the claim was lost.
    pub async fn begin_load(&self, claim: &Claim, mapping: &Mapping) -> Result<Load, StoreError> {
        let mut transaction = self.write.begin_with("BEGIN IMMEDIATE").await?;
        check_fence(&mut transaction, claim).await?;
        Ok(Load {
            transaction,
            claim: claim.clone(),
            insert: InsertStatements::new(mapping),
            rows: 0,
        })
    }

    /// A market table's columns: name, and whether it takes NULL; empty when there is no table.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn table_columns(&self, table: &str) -> Result<Vec<TableColumn>, StoreError> {
        let rows = sqlx::query("SELECT name, type, \"notnull\" FROM pragma_table_info(?)")
            .bind(table)
            .fetch_all(&self.read)
            .await?;
        rows.iter()
            .map(|row| {
                let sql_type: String = row.try_get("type")?;
                Ok(TableColumn {
                    name: row.try_get("name")?,
                    holds_text: sql_type == "TEXT",
                    sql_type,
                    not_null: row.try_get("notnull")?,
                })
            })
            .collect()
    }
}

/// A column of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableColumn {
    /// Its name.
    pub name: String,
    /// Its type, in the database's words.
    pub sql_type: String,
    /// Whether it holds text; a number otherwise.
    pub holds_text: bool,
    /// Whether every row must have a value.
    pub not_null: bool,
}

impl Load {
    /// The slices within the chunk's days that other chunks hold.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn held_by_others(&mut self) -> Result<Vec<Held>, StoreError> {
        held_by_others(&mut self.transaction, &self.claim.chunk).await
    }

    /// Inserts rows, in the order of the stream.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn insert(&mut self, block: &RowBlock) -> Result<(), StoreError> {
        let mut start = 0;
        while start < block.len() {
            let rows = self.insert.fitting(block.len() - start);
            let sql = self.insert.sql(rows);
            let chunk_id = self.claim.chunk.id.0;
            let arguments = arguments(block, start, rows, chunk_id)?;
            let inserted = sqlx::query_with(AssertSqlSafe(sql), arguments)
                .execute(&mut *self.transaction)
                .await?;
            if inserted.rows_affected() != u64::try_from(rows).unwrap_or(u64::MAX) {
                return Err(StoreError::Unreadable(
                    "fewer rows than were inserted".into(),
                ));
            }
            self.rows += inserted.rows_affected();
            start += rows;
        }
        Ok(())
    }

    /// Settles the chunk and commits: from now on it is done.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] when the claim was lost meanwhile; the tables are as before.
    pub async fn commit(mut self, loaded: &Loaded, now: Nanos) -> Result<(), StoreError> {
        let accounted = loaded.loaded + loaded.quarantined + loaded.covered;
        if loaded.fetched != accounted || loaded.loaded != self.rows {
            return Err(StoreError::Unreadable(format!(
                "{} rows for a chunk of {} records, {} of them accounted for",
                self.rows, loaded.fetched, accounted
            )));
        }
        let chunk = &self.claim.chunk;
        insert_slices(&mut self.transaction, chunk, &loaded.slices).await?;
        let windows = symbol_windows(chunk, &loaded.resolution);
        insert_windows(&mut self.transaction, &chunk.dataset, &windows).await?;
        let to = ChunkState::Running.after(ChunkEvent::Load)?;
        let updated = sqlx::query(
            "UPDATE chunks SET state = ?, expected_records = ?, fetched_records = ?,
                 filtered_records = ?, loaded_records = ?, quarantined_records = ?,
                 covered_records = ?, archive_object = ?, error = NULL, owner = NULL,
                 lease_until = NULL, updated_at = ?
             WHERE id = ? AND epoch = ? AND state = 'running'",
        )
        .bind(to.name())
        .bind(count(loaded.fetched))
        .bind(count(loaded.fetched))
        .bind(count(loaded.filtered))
        .bind(count(loaded.loaded))
        .bind(count(loaded.quarantined))
        .bind(count(loaded.covered))
        .bind(&loaded.archive_object)
        .bind(now.0)
        .bind(chunk.id.0)
        .bind(self.claim.epoch)
        .execute(&mut *self.transaction)
        .await?;
        fence(&self.claim, updated.rows_affected())?;
        self.transaction.commit().await?;
        Ok(())
    }
}

/// The texts of one table's INSERT, by the number of rows: few different ones, so that each is
/// prepared once.
#[derive(Debug)]
struct InsertStatements {
    head: String,
    values_per_row: usize,
    sizes: [usize; 4],
    texts: HashMap<usize, Arc<str>>,
}

impl InsertStatements {
    fn new(mapping: &Mapping) -> Self {
        let columns: Vec<_> = mapping
            .columns
            .iter()
            .map(|column| column.name.as_str())
            .collect();
        let head = format!(
            "INSERT INTO {} ({}, chunk_id, row_number) VALUES ",
            mapping.table,
            columns.join(", ")
        );
        let values_per_row = columns.len() + 2;
        let most = (VALUES_PER_STATEMENT_MAX / values_per_row).clamp(1, ROWS_PER_STATEMENT_MAX);
        let sizes = [most, (most / 8).max(1), (most / 64).max(1), 1];
        Self {
            head,
            values_per_row,
            sizes,
            texts: HashMap::new(),
        }
    }

    fn fitting(&self, rows: usize) -> usize {
        self.sizes
            .into_iter()
            .find(|size| *size <= rows)
            .unwrap_or(1)
    }

    fn sql(&mut self, rows: usize) -> Arc<str> {
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

fn arguments(
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

/// The slices within a chunk's days that other chunks hold.
pub(super) async fn held_by_others(
    connection: &mut SqliteConnection,
    chunk: &Chunk,
) -> Result<Vec<Held>, StoreError> {
    let span = chunk.days.span();
    let rows = sqlx::query(
        "SELECT instrument_id, start_ns, end_ns FROM coverage
         WHERE dataset = ? AND schema = ? AND start_ns < ? AND end_ns > ? AND chunk_id <> ?",
    )
    .bind(&chunk.dataset)
    .bind(chunk.schema.as_str())
    .bind(span.end.0)
    .bind(span.start.0)
    .bind(chunk.id.0)
    .fetch_all(connection)
    .await?;
    rows.iter().map(super::submit::held).collect()
}

/// Notes the slices that a chunk holds.
pub(super) async fn insert_slices(
    connection: &mut SqliteConnection,
    chunk: &Chunk,
    slices: &[Held],
) -> Result<(), StoreError> {
    for slice in slices {
        sqlx::query(
            "INSERT INTO coverage (dataset, schema, instrument_id, start_ns, end_ns, chunk_id)
             VALUES (?, ?, ?, ?, ?, ?)",
        )
        .bind(&chunk.dataset)
        .bind(chunk.schema.as_str())
        .bind(slice.instrument_id.map_or(EVERY_INSTRUMENT, i64::from))
        .bind(slice.span.start.0)
        .bind(slice.span.end.0)
        .bind(chunk.id.0)
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// What each symbol of a chunk meant: symbols that were asked for by their own type; those that the
/// vendor names on its own (a parent's members) are raw.
pub(super) fn symbol_windows(
    chunk: &Chunk,
    resolution: &Resolution,
) -> Vec<(SType, String, SymbolWindow)> {
    let asked = chunk.symbols.names().unwrap_or_default();
    let mut windows = Vec::new();
    for (symbol, of_symbol) in &resolution.windows {
        let stype = match asked.binary_search(symbol) {
            Ok(_) => chunk.stype_in,
            Err(_) => SType::RawSymbol,
        };
        windows.extend(
            of_symbol
                .iter()
                .map(|window| (stype, symbol.clone(), window.clone())),
        );
    }
    windows
}

/// Notes what symbols meant; windows of the same meaning that touch become one.
pub(super) async fn insert_windows(
    connection: &mut SqliteConnection,
    dataset: &str,
    windows: &[(SType, String, SymbolWindow)],
) -> Result<(), StoreError> {
    for (stype, symbol, window) in windows {
        let (mut start, mut end) = (window.days.start(), window.days.end());
        let touching = sqlx::query(
            "DELETE FROM symbology WHERE dataset = ?1 AND stype_in = ?2 AND symbol = ?3
                 AND instrument_id = ?4 AND start_date <= ?6 AND end_date >= ?5
             RETURNING start_date, end_date",
        )
        .bind(dataset)
        .bind(stype.as_str())
        .bind(symbol)
        .bind(window.instrument_id)
        .bind(start.to_string())
        .bind(end.to_string())
        .fetch_all(&mut *connection)
        .await?;
        for row in touching {
            start = start.min(parse_day(&row.try_get::<String, _>("start_date")?)?);
            end = end.max(parse_day(&row.try_get::<String, _>("end_date")?)?);
        }
        sqlx::query(
            "INSERT INTO symbology
                 (dataset, stype_in, symbol, instrument_id, start_date, end_date)
             VALUES (?, ?, ?, ?, ?, ?)",
        )
        .bind(dataset)
        .bind(stype.as_str())
        .bind(symbol)
        .bind(window.instrument_id)
        .bind(start.to_string())
        .bind(end.to_string())
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

fn parse_day(text: &str) -> Result<Day, StoreError> {
    let date = super::claim::parse::<chrono::NaiveDate>(text)?;
    Day::try_from(date).map_err(|error| StoreError::Unreadable(error.to_string()))
}

/// A chunk's own part of the slices that it asked for: what no other chunk holds.
#[must_use]
pub fn own_slices(asked: &[Held], others: &[Held]) -> Vec<Held> {
    let mut by_instrument: HashMap<Option<u32>, Vec<Span>> = HashMap::new();
    for other in others {
        by_instrument
            .entry(other.instrument_id)
            .or_default()
            .push(other.span);
    }
    let every = by_instrument.remove(&None).unwrap_or_default();
    let mut own: Vec<Held> = Vec::new();
    for slice in asked {
        let mut taken = every.clone();
        if let Some(held) = slice
            .instrument_id
            .and_then(|id| by_instrument.get(&Some(id)))
        {
            taken.extend_from_slice(held);
        }
        // Two symbols of one request can mean one instrument: it is held once.
        let earlier = own
            .iter()
            .filter(|held| held.instrument_id == slice.instrument_id);
        taken.extend(earlier.map(|held| held.span));
        let instrument_id = slice.instrument_id;
        let free = slice.span.without(&taken).into_iter();
        own.extend(free.map(|span| Held {
            instrument_id,
            span,
        }));
    }
    own
}
