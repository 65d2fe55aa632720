//! What is there and how far it is: jobs, chunks by state, records, money.

use dbn::Schema;
use serde::{Serialize, Serializer};

use super::engine::Pools;
use super::rows::unsigned;
use super::statement::{Row, statement};
use super::{Store, StoreError};
use crate::chunk::{ChunkId, ChunkState, JobId};
use crate::money::Usd;
use crate::time::{DayRange, Nanos};

/// Chunks by state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ChunkCounts {
    /// All of them.
    pub total: u64,
    /// Waiting.
    pub pending: u64,
    /// Under a lease.
    pub running: u64,
    /// Proven complete.
    pub done: u64,
    /// Proven empty.
    pub empty: u64,
    /// Given up.
    pub dead: u64,
    /// Called off.
    pub cancelled: u64,
}

/// Records by what became of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RecordCounts {
    /// By the vendor's count.
    pub expected: u64,
    /// Received.
    pub fetched: u64,
    /// In the tables.
    pub loaded: u64,
    /// In the quarantine.
    pub quarantined: u64,
    /// Held by another chunk already.
    pub covered: u64,
}

impl RecordCounts {
    /// Whether every record that the vendor counts is accounted for.
    #[must_use]
    pub fn add_up(&self) -> bool {
        self.expected == self.fetched
            && self.fetched == self.loaded + self.quarantined + self.covered
    }
}

/// One job's standing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct JobStatus {
    /// Its number.
    pub id: JobId,
    /// Its name.
    pub name: String,
    /// When it was submitted; RFC 3339 in JSON.
    #[serde(serialize_with = "as_text")]
    pub created_at: Nanos,
    /// `pending`, `running`, `done`, `incomplete`, `paused` or `cancelled`.
    pub state: &'static str,
    /// Why it is paused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Whether all that was asked for is in the tables, or proven not to exist.
    pub complete: bool,
    /// Chunks by state.
    pub chunks: ChunkCounts,
    /// Records by what became of them.
    pub records: RecordCounts,
    /// Uncompressed bytes of records received, failed attempts included: what the vendor bills.
    pub bytes_received: u64,
    /// Spent, or reserved and not settled.
    pub spent_usd: Usd,
}

impl JobStatus {
    /// Whether chunks of it may be begun.
    #[must_use]
    pub fn is_open(&self) -> bool {
        matches!(self.state, "pending" | "running")
    }

    /// Whether nothing more can happen to it.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        matches!(self.state, "done" | "cancelled")
    }
}

/// One schema's part of a job.
#[derive(Clone, Debug)]
pub struct SchemaStatus {
    /// The schema.
    pub schema: Schema,
    /// Chunks by state.
    pub chunks: ChunkCounts,
    /// Records by what became of them.
    pub records: RecordCounts,
    /// Uncompressed bytes of records received.
    pub bytes_received: u64,
    /// Spent, or reserved and not settled.
    pub spent: Usd,
}

/// A chunk that isn't finished, and why.
#[derive(Clone, Debug)]
pub struct Unfinished {
    /// Its number.
    pub id: ChunkId,
    /// The schema.
    pub schema: String,
    /// The symbols, as text.
    pub symbols: String,
    /// The days.
    pub days: DayRange,
    /// Where it stands.
    pub state: ChunkState,
    /// When it is due.
    pub due_at: Nanos,
    /// The last error.
    pub error: Option<String>,
}

/// A job's counts are the sums of its rows in `job_counts`.
pub(super) const COUNTS: &str = "
    CAST(coalesce(sum(c.pending), 0) AS BIGINT) AS pending,
    CAST(coalesce(sum(c.running), 0) AS BIGINT) AS running,
    CAST(coalesce(sum(c.done), 0) AS BIGINT) AS done,
    CAST(coalesce(sum(c.empty), 0) AS BIGINT) AS empty,
    CAST(coalesce(sum(c.dead), 0) AS BIGINT) AS dead,
    CAST(coalesce(sum(c.cancelled), 0) AS BIGINT) AS cancelled,
    CAST(coalesce(sum(c.expected), 0) AS BIGINT) AS expected,
    CAST(coalesce(sum(c.fetched), 0) AS BIGINT) AS fetched,
    CAST(coalesce(sum(c.loaded), 0) AS BIGINT) AS loaded,
    CAST(coalesce(sum(c.quarantined), 0) AS BIGINT) AS quarantined,
    CAST(coalesce(sum(c.covered), 0) AS BIGINT) AS covered,
    CAST(coalesce(sum(c.bytes), 0) AS BIGINT) AS bytes";

impl Store {
    /// All jobs, or those of one name or number, oldest first.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn jobs(&self, wanted: Option<&str>) -> Result<Vec<JobStatus>, StoreError> {
        let sql = format!(
            "SELECT j.id, j.name, j.created_at, j.state, j.reason, {COUNTS},
                 (SELECT CAST(coalesce(sum(settled_nanousd + reserved_nanousd), 0) AS BIGINT)
                     FROM spend_totals AS t WHERE t.job_id = j.id) AS spent
             FROM jobs AS j LEFT JOIN job_counts AS c ON c.job_id = j.id
             WHERE $1 IS NULL OR j.name = $1 OR CAST(j.id AS TEXT) = $1
             GROUP BY j.id ORDER BY j.id"
        );
        let rows = statement(sql)
            .bind(wanted)
            .fetch_all(self.pools.read())
            .await?;
        rows.iter().map(job_status).collect()
    }

    /// One job by its number.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn job(&self, job: JobId) -> Result<Option<JobStatus>, StoreError> {
        let number = job.to_string();
        let jobs = self.jobs(Some(&number)).await?;
        Ok(jobs.into_iter().find(|status| status.id == job))
    }

    /// A job's schemas, in the order of their first chunks.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn schemas(&self, job: JobId) -> Result<Vec<SchemaStatus>, StoreError> {
        let sql = format!(
            "SELECT c.schema, {COUNTS}, CAST(coalesce((
                 SELECT sum(t.settled_nanousd + t.reserved_nanousd)
                 FROM spend_totals AS t
                 WHERE t.job_id = $1 AND t.schema = c.schema), 0) AS BIGINT) AS spent
             FROM job_counts AS c WHERE c.job_id = $1
             GROUP BY c.schema ORDER BY min(c.first_chunk)"
        );
        let rows = statement(sql)
            .bind(job)
            .fetch_all(self.pools.read())
            .await?;
        rows.iter()
            .map(|row| {
                Ok(SchemaStatus {
                    schema: super::claim::parse(&row.get::<String>("schema")?)?,
                    chunks: chunk_counts(row)?,
                    records: record_counts(row)?,
                    bytes_received: unsigned(row.get("bytes")?),
                    spent: Usd(row.get("spent")?),
                })
            })
            .collect()
    }

    /// Folds what has changed since the last time into the counts; what they come to stays the same.
    /// Nothing is to do where each change is folded at once.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn fold_counts(&self) -> Result<(), StoreError> {
        if matches!(self.pools, Pools::Sqlite { .. }) {
            return Ok(());
        }
        let sql = format!(
            "WITH c AS (
                 DELETE FROM job_counts WHERE (job_id, schema) IN (
                     SELECT job_id, schema FROM job_counts
                     GROUP BY job_id, schema HAVING count(*) > 1)
                 RETURNING *)
             INSERT INTO job_counts
             SELECT c.job_id, c.schema, min(c.first_chunk), {COUNTS} FROM c
             GROUP BY c.job_id, c.schema"
        );
        statement(sql).execute(self.pools.write()).await?;
        Ok(())
    }

    /// Some chunks of a job that are not finished: dead ones first, and those that are due first.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn unfinished(&self, job: JobId, limit: u32) -> Result<Vec<Unfinished>, StoreError> {
        let rows = statement(
            // Of each state as many as are asked for, by its index: there may be a million of one.
            "WITH first_of_each AS (
                 SELECT * FROM (SELECT id FROM chunks WHERE job_id = $1 AND state = 'dead'
                     ORDER BY id LIMIT $2) AS dead
                 UNION ALL SELECT * FROM (SELECT id FROM chunks WHERE job_id = $1 AND state = 'running'
                     ORDER BY id LIMIT $2) AS running
                 UNION ALL SELECT * FROM (SELECT id FROM chunks WHERE job_id = $1 AND state = 'pending'
                     ORDER BY priority DESC, id LIMIT $2) AS pending
                 UNION ALL SELECT * FROM (SELECT id FROM chunks WHERE job_id = $1 AND state = 'cancelled'
                     AND (SELECT state FROM jobs WHERE id = $1) = 'cancelled'
                     ORDER BY id LIMIT $2) AS cancelled
             )
             SELECT c.id, c.schema, s.symbols, c.start_ns, c.end_ns, c.state, c.due_at, c.error
             FROM first_of_each JOIN chunks AS c ON c.id = first_of_each.id
             JOIN symbol_sets AS s ON s.id = c.symbols_id
             ORDER BY c.state = 'dead' DESC, c.id LIMIT $2",
        )
        .bind(job)
        .bind(limit)
        .fetch_all(self.pools.read())
        .await?;
        rows.iter()
            .map(|row| {
                Ok(Unfinished {
                    id: ChunkId(row.get("id")?),
                    schema: row.get("schema")?,
                    symbols: super::claim::symbols(&row.get::<String>("symbols")?)?.to_string(),
                    days: super::claim::days(row)?,
                    state: super::claim::parse(&row.get::<String>("state")?)?,
                    due_at: Nanos(row.get("due_at")?),
                    error: row.get("error")?,
                })
            })
            .collect()
    }
}

fn job_status(row: &Row) -> Result<JobStatus, StoreError> {
    let chunks = chunk_counts(row)?;
    let records = record_counts(row)?;
    let written: String = row.get("state")?;
    // Chunks that a job called off before it was submitted again are replaced by others.
    let replaced = match written.as_str() {
        "cancelled" => 0,
        _ => chunks.cancelled,
    };
    let complete = chunks.done + chunks.empty + replaced == chunks.total && records.add_up();
    let state = match written.as_str() {
        "cancelled" => "cancelled",
        _ if complete => "done",
        "paused" => "paused",
        _ if chunks.running > 0 => "running",
        _ if chunks.pending > 0 => "pending",
        _ => "incomplete",
    };
    Ok(JobStatus {
        id: JobId(row.get("id")?),
        name: row.get("name")?,
        created_at: Nanos(row.get("created_at")?),
        state,
        reason: row.get("reason")?,
        complete,
        chunks,
        records,
        bytes_received: unsigned(row.get("bytes")?),
        spent_usd: Usd(row.get("spent")?),
    })
}

fn as_text<S: Serializer>(instant: &Nanos, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(instant)
}

pub(super) fn chunk_counts(row: &Row) -> Result<ChunkCounts, StoreError> {
    let count = |name| Ok::<_, StoreError>(unsigned(row.get(name)?));
    let mut counts = ChunkCounts {
        total: 0,
        pending: count("pending")?,
        running: count("running")?,
        done: count("done")?,
        empty: count("empty")?,
        dead: count("dead")?,
        cancelled: count("cancelled")?,
    };
    counts.total = [counts.pending, counts.running, counts.done, counts.empty]
        .into_iter()
        .chain([counts.dead, counts.cancelled])
        .sum();
    Ok(counts)
}

fn record_counts(row: &Row) -> Result<RecordCounts, StoreError> {
    let count = |name| Ok::<_, StoreError>(unsigned(row.get(name)?));
    Ok(RecordCounts {
        expected: count("expected")?,
        fetched: count("fetched")?,
        loaded: count("loaded")?,
        quarantined: count("quarantined")?,
        covered: count("covered")?,
    })
}
