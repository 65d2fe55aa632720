//! The rows that a settled chunk has: deleted for a replay, or copied for a comparison.

use super::super::engine::Transaction;
use super::super::rows::quoted;
use super::super::statement::statement;
use super::super::{Held, StoreError};
use super::{Replayable, slices_of};
use crate::chunk::ChunkId;
use crate::configuration::mapping::Mapping;
use crate::record_layout::RecordLayout;

/// Where a chunk's rows are: its table, and the slices that they lie in.
pub(super) struct OldRows {
    pub(super) table: String,
    /// The columns of instrument and index time.
    instrument: String,
    time: String,
    slices: Vec<Held>,
    chunk: ChunkId,
    rows: u64,
}

impl OldRows {
    pub(super) async fn of(
        transaction: &mut Transaction,
        chunk: &Replayable,
        mapping: &Mapping,
    ) -> Result<Self, StoreError> {
        let id = chunk.claim.chunk.id;
        let layout = RecordLayout::of(mapping.schema);
        Ok(Self {
            table: chunk.market_table.clone().unwrap_or(mapping.table.clone()),
            instrument: quoted("instrument_id"),
            time: quoted(layout.index_time),
            slices: slices_of(&mut *transaction, id).await?,
            chunk: id,
            rows: chunk.loaded,
        })
    }

    /// Deletes the chunk's rows: all that the ledger counts.
    pub(super) async fn delete(&self, transaction: &mut Transaction) -> Result<(), StoreError> {
        self.each(transaction, "DELETE", None).await
    }

    /// Copies the chunk's rows into a table of the same columns: all that the ledger counts.
    pub(super) async fn copy_into(
        &self,
        transaction: &mut Transaction,
        copy: &str,
    ) -> Result<(), StoreError> {
        let verb = format!("INSERT INTO {copy} SELECT *");
        self.each(transaction, &verb, Some(copy)).await
    }

    /// `verb` is what stands before FROM; `copy` is where the rows go to, if anywhere.
    async fn each(
        &self,
        transaction: &mut Transaction,
        verb: &str,
        copy: Option<&str>,
    ) -> Result<(), StoreError> {
        let mut found = match transaction {
            Transaction::Sqlite(_) => self.by_slice(transaction, verb).await?,
            Transaction::Postgres(_) => self.by_span(transaction, verb).await?,
        };
        if found < self.rows {
            // Rows outside of their slices, if somebody moved them.
            let already = copy.map_or_else(String::new, |copy| {
                format!(" AND row_number NOT IN (SELECT row_number FROM {copy})")
            });
            let mine = format!("chunk_id = $1{already}");
            let count = format!("SELECT count(*) FROM {} WHERE {mine}", self.table());
            let row = statement(count)
                .bind(self.chunk)
                .fetch_one(&mut *transaction)
                .await?;
            found += super::unsigned(row.at(0)?);
            statement(format!("{verb} FROM {} WHERE {mine}", self.table()))
                .bind(self.chunk)
                .execute(transaction)
                .await?;
        }
        if found == self.rows {
            return Ok(());
        }
        Err(StoreError::Accounts(format!(
            "{} has {found} rows of chunk {}, and the ledger counts {}",
            self.table, self.chunk, self.rows
        )))
    }

    fn table(&self) -> String {
        quoted(&self.table)
    }

    /// By the key of a clustered table: instrument, then time.
    async fn by_slice(&self, transaction: &mut Transaction, verb: &str) -> Result<u64, StoreError> {
        let (table, time) = (self.table(), &self.time);
        let mut found = 0;
        for slice in &self.slices {
            let of_slice = of_slice(&table, &self.instrument, slice);
            let sql = format!(
                "{verb} FROM {table} WHERE {of_slice} AND {time} >= $1 AND {time} < $2
                     AND chunk_id = $3"
            );
            found += statement(sql)
                .bind(slice.span.start)
                .bind(slice.span.end)
                .bind(self.chunk)
                .execute(&mut *transaction)
                .await?;
        }
        Ok(found)
    }

    /// By the chunk's number, within the time that its slices span. Counted first: of what
    /// TimescaleDB has compressed, it deletes batches without counting their rows.
    async fn by_span(&self, transaction: &mut Transaction, verb: &str) -> Result<u64, StoreError> {
        let start = self.slices.iter().map(|slice| slice.span.start).min();
        let end = self.slices.iter().map(|slice| slice.span.end).max();
        let (Some(start), Some(end)) = (start, end) else {
            return Ok(0);
        };
        let (table, time) = (self.table(), &self.time);
        let mine = format!(
            "chunk_id = $1 AND {time} >= {} AND {time} < {}",
            timestamp(2),
            timestamp(3)
        );
        let bind = |sql: String| statement(sql).bind(self.chunk).bind(start).bind(end);
        let count = bind(format!("SELECT count(*) FROM {table} WHERE {mine}"));
        let row = count.fetch_one(&mut *transaction).await?;
        let found = row.at(0)?;
        bind(format!("{verb} FROM {table} WHERE {mine}"))
            .execute(transaction)
            .await?;
        Ok(super::unsigned(found))
    }
}

/// A bound number of nanoseconds as `PostgreSQL`'s time, exactly: days begin at whole microseconds.
fn timestamp(parameter: u32) -> String {
    format!("(TIMESTAMPTZ 'epoch' + (${parameter} / 1000) * INTERVAL '1 microsecond')")
}

/// The rows of a slice's instruments, so that they are found by the table's key: without it each
/// replay would read the whole table.
fn of_slice(table: &str, instrument: &str, slice: &Held) -> String {
    match slice.instrument_id {
        Some(id) => format!("{instrument} = {id}"),
        // The distinct instruments, each found by one step down the key.
        None => format!(
            "{instrument} IN (WITH RECURSIVE ids (id) AS (
                 SELECT min({instrument}) FROM {table} UNION ALL
                 SELECT (SELECT min({instrument}) FROM {table} WHERE {instrument} > ids.id)
                 FROM ids WHERE ids.id IS NOT NULL) SELECT id FROM ids)"
        ),
    }
}
