//! Refresh: what a settled chunk has in the tables, swapped for what the vendor has of its days today.

use super::coverage::{held_by_others, insert_slices, own_slices, take_turn};
use super::load::Load;
use super::replay::replayable_of;
use super::rows::unsigned;
use super::settle::fence;
use super::statement::{Row, statement};
use super::symbology::{insert_windows, symbol_windows};
use super::{Held, Replayable, Slice, Store, StoreError};
use crate::archive::Manifest;
use crate::chunk::{ChunkEvent, ChunkId, JobId};
use crate::configuration::mapping::Mapping;
use crate::time::{DayRange, Nanos};
use crate::vendor::Resolution;

/// A chunk that the vendor may have other records of by now.
#[derive(Clone, Debug)]
pub struct Refreshable {
    /// The chunk, done or empty; its epoch is the fence.
    pub chunk: Replayable,
    /// When what it has was received, or it was found empty.
    pub fetched_at: Nanos,
}

/// A settled chunk's row, with what its claim needs.
const SETTLED: &str = "SELECT c.*, s.symbols, j.rules, j.quarantine_limit, j.source,
        coalesce(a.fetched_at, c.updated_at) AS fetched_at
    FROM chunks AS c JOIN jobs AS j ON j.id = c.job_id
    JOIN symbol_sets AS s ON s.id = c.symbols_id
    LEFT JOIN archive_objects AS a ON a.key = c.archive_object";

impl Store {
    /// A job's chunks that are done or empty, and were asked of the vendor: those after `after`
    /// first, at most `limit`.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn refreshable(
        &self,
        job: JobId,
        after: ChunkId,
        limit: u32,
    ) -> Result<Vec<Refreshable>, StoreError> {
        let sql = format!(
            "{SETTLED} WHERE +c.job_id = $1 AND c.id > $2 AND j.source IS NULL
                 AND (c.state = 'empty' OR (c.state = 'done' AND c.archive_object IS NOT NULL))
             ORDER BY c.id LIMIT $3"
        );
        let rows = statement(sql)
            .bind(job)
            .bind(after)
            .bind(limit)
            .fetch_all(self.pools.read())
            .await?;
        rows.iter().map(refreshable).collect()
    }

    /// From a job's first day of a dataset to its last.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn days_of(&self, job: JobId, dataset: &str) -> Result<Option<DayRange>, StoreError> {
        let row = statement(
            "SELECT min(start_ns) AS first, max(end_ns) AS last FROM chunks
             WHERE job_id = $1 AND dataset = $2",
        )
        .bind(job)
        .bind(dataset)
        .fetch_one(self.pools.read())
        .await?;
        let (first, last): (Option<i64>, Option<i64>) = (row.get("first")?, row.get("last")?);
        let days = first.zip(last);
        Ok(days.and_then(|(first, last)| DayRange::new(Nanos(first).day(), Nanos(last).day())))
    }

    /// A done chunk whose records are in an archived stream, if one is.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn chunk_of_stream(&self, key: &str) -> Result<Option<Replayable>, StoreError> {
        let sql = format!(
            "{SETTLED} WHERE c.archive_object = $1 AND c.state = 'done' AND j.source IS NULL
             ORDER BY c.id DESC LIMIT 1"
        );
        let row = statement(sql)
            .bind(key)
            .fetch_optional(self.pools.read())
            .await?;
        row.as_ref().map(replayable_of).transpose()
    }

    /// Begins to swap a settled chunk's rows for those of a later answer of the vendor's: what it
    /// had, slices included, is gone, and comes back unless it is committed.
    ///
    /// # Errors
    /// As [`Self::begin_replay`].
    pub async fn begin_refresh(
        &self,
        chunk: &Replayable,
        mapping: &Mapping,
    ) -> Result<Load, StoreError> {
        let mut load = self.begin_replay(chunk, mapping).await?;
        load.take_slices_anew().await?;
        Ok(load)
    }

    /// Settles a chunk of which the vendor has no records any more: its rows are gone, and its slices
    /// are held all the same.
    ///
    /// # Errors
    /// As [`Self::begin_replay`].
    pub async fn settle_emptied(
        &self,
        chunk: &Replayable,
        mapping: &Mapping,
        slices: &[Held],
        resolution: &Resolution,
        now: Nanos,
    ) -> Result<(), StoreError> {
        let to = chunk.state.after(ChunkEvent::Vanish)?;
        let mut load = self.begin_refresh(chunk, mapping).await?;
        let transaction = load.transaction().await?;
        let claimed = &chunk.claim.chunk;
        let updated = statement(
            "UPDATE chunks SET state = $1, epoch = epoch + 1, expected_records = 0,
                 fetched_records = 0, filtered_records = 0, loaded_records = 0,
                 quarantined_records = 0, covered_records = 0, archive_object = NULL,
                 error = NULL, updated_at = $2
             WHERE id = $3 AND epoch = $4 AND state = $5",
        )
        .bind(to.name())
        .bind(now)
        .bind(claimed.id)
        .bind(chunk.claim.epoch)
        .bind(chunk.state.name())
        .execute(&mut *transaction)
        .await?;
        fence(&chunk.claim, updated)?;
        take_turn(transaction, claimed).await?;
        let others = held_by_others(transaction, claimed).await?;
        let own = own_slices(slices, &others).into_iter();
        let own: Vec<_> = own.map(Slice::without_records).collect();
        insert_slices(transaction, claimed, &own).await?;
        let windows = symbol_windows(claimed, resolution);
        insert_windows(transaction, &claimed.dataset, &windows).await?;
        load.commit_as_it_is().await
    }

    /// Points chunks to another archived stream with the same records, and forgets the former.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn replace_stream(&self, former: &str, by: &Manifest) -> Result<(), StoreError> {
        let mut transaction = self.pools.begin().await?;
        statement("UPDATE chunks SET archive_object = $1 WHERE archive_object = $2")
            .bind(&by.key)
            .bind(former)
            .execute(&mut transaction)
            .await?;
        statement("DELETE FROM archive_objects WHERE key = $1")
            .bind(former)
            .execute(&mut transaction)
            .await?;
        transaction.commit().await
    }
}

fn refreshable(row: &Row) -> Result<Refreshable, StoreError> {
    Ok(Refreshable {
        chunk: replayable_of(row)?,
        fetched_at: Nanos(row.get("fetched_at")?),
    })
}

/// A job's archived stream as the ledger knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerStream {
    /// Its name.
    pub key: String,
    /// Bytes of its objects.
    pub bytes: u64,
    /// Records in it.
    pub records: u64,
    /// Uncompressed bytes of its records.
    pub billable_bytes: u64,
    /// SHA-256 over its objects.
    pub sha256: String,
    /// When it was received.
    pub fetched_at: Nanos,
}

impl Store {
    /// Archived streams by the ledger, all or a job's, in the order of their names: those after
    /// `after` first, at most `limit`.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn archived_streams(
        &self,
        job: Option<JobId>,
        after: &str,
        limit: u32,
    ) -> Result<Vec<LedgerStream>, StoreError> {
        let of_job = match job {
            Some(_) => "AND key IN (SELECT archive_object FROM chunks WHERE job_id = $3)",
            None => "AND coalesce($3, 0) = 0",
        };
        let rows = statement(format!(
            "SELECT key, bytes, records, billable_bytes, sha256, fetched_at FROM archive_objects
             WHERE key > $1 {of_job} ORDER BY key LIMIT $2"
        ))
        .bind(after)
        .bind(limit)
        .bind(job.map(|job| job.0))
        .fetch_all(self.pools.read())
        .await?;
        rows.iter()
            .map(|row| {
                Ok(LedgerStream {
                    key: row.get("key")?,
                    bytes: unsigned(row.get("bytes")?),
                    records: unsigned(row.get("records")?),
                    billable_bytes: unsigned(row.get("billable_bytes")?),
                    sha256: row.get("sha256")?,
                    fetched_at: Nanos(row.get("fetched_at")?),
                })
            })
            .collect()
    }

    /// How many archived streams there are, in all or of a job.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn count_archived_streams(&self, job: Option<JobId>) -> Result<u64, StoreError> {
        let row = statement(
            "SELECT count(*) FROM archive_objects WHERE $1 IS NULL
                 OR key IN (SELECT archive_object FROM chunks WHERE job_id = $1)",
        )
        .bind(job.map(|job| job.0))
        .fetch_one(self.pools.read())
        .await?;
        Ok(unsigned(row.at(0)?))
    }

    /// Whether the ledger knows an archived stream.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn knows_stream(&self, key: &str) -> Result<bool, StoreError> {
        let row = statement("SELECT 1 FROM archive_objects WHERE key = $1")
            .bind(key)
            .fetch_optional(self.pools.read())
            .await?;
        Ok(row.is_some())
    }
}
