//! What is there and how far it is: jobs, chunks by state, records, money.

use dbn::Schema;
use serde::Serialize;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::rows::unsigned;
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
#[derive(Clone, Debug, Serialize)]
pub struct JobStatus {
    /// Its number.
    pub id: JobId,
    /// Its name.
    pub name: String,
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

const COUNTS: &str = "count(c.id) AS total,
    coalesce(sum(c.state = 'pending'), 0) AS pending,
    coalesce(sum(c.state = 'running'), 0) AS running,
    coalesce(sum(c.state = 'done'), 0) AS done,
    coalesce(sum(c.state = 'empty'), 0) AS empty,
    coalesce(sum(c.state = 'dead'), 0) AS dead,
    coalesce(sum(c.state = 'cancelled'), 0) AS cancelled,
    coalesce(sum(c.expected_records), 0) AS expected,
    coalesce(sum(c.fetched_records), 0) AS fetched,
    coalesce(sum(c.loaded_records), 0) AS loaded,
    coalesce(sum(c.quarantined_records), 0) AS quarantined,
    coalesce(sum(c.covered_records), 0) AS covered,
    coalesce(sum(c.bytes_received), 0) AS bytes";

impl Store {
    /// All jobs, or those of one name or number, oldest first.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn jobs(&self, wanted: Option<&str>) -> Result<Vec<JobStatus>, StoreError> {
        let sql = format!(
            "SELECT j.id, j.name, j.state, j.reason, {COUNTS},
                 (SELECT coalesce(sum(coalesce(settled_nanousd, reserved_nanousd)), 0)
                     FROM spend WHERE spend.job_id = j.id) AS spent
             FROM jobs AS j LEFT JOIN chunks AS c ON c.job_id = j.id
             WHERE ?1 IS NULL OR j.name = ?1 OR CAST(j.id AS TEXT) = ?1
             GROUP BY j.id ORDER BY j.id"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(wanted)
            .fetch_all(&self.read)
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
            "SELECT c.schema, {COUNTS},
                 coalesce(sum((SELECT sum(coalesce(settled_nanousd, reserved_nanousd))
                     FROM spend WHERE spend.chunk_id = c.id AND spend.job_id = c.job_id)), 0) AS spent
             FROM chunks AS c WHERE c.job_id = ? GROUP BY c.schema ORDER BY min(c.id)"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(job.0)
            .fetch_all(&self.read)
            .await?;
        rows.iter()
            .map(|row| {
                Ok(SchemaStatus {
                    schema: super::claim::parse(&row.try_get::<String, _>("schema")?)?,
                    chunks: chunk_counts(row)?,
                    records: record_counts(row)?,
                    bytes_received: unsigned(row.try_get("bytes")?),
                    spent: Usd(row.try_get("spent")?),
                })
            })
            .collect()
    }

    /// Chunks of a job that are not finished, dead ones first.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn unfinished(&self, job: JobId, limit: u32) -> Result<Vec<Unfinished>, StoreError> {
        let rows = sqlx::query(
            "SELECT c.id, c.schema, s.symbols, c.start_ns, c.end_ns, c.state, c.due_at, c.error
             FROM chunks AS c JOIN symbol_sets AS s ON s.id = c.symbols_id
             WHERE c.job_id = ? AND c.state IN ('pending', 'running', 'dead', 'cancelled')
             ORDER BY c.state = 'dead' DESC, c.id LIMIT ?",
        )
        .bind(job.0)
        .bind(limit)
        .fetch_all(&self.read)
        .await?;
        rows.iter()
            .map(|row| {
                Ok(Unfinished {
                    id: ChunkId(row.try_get("id")?),
                    schema: row.try_get("schema")?,
                    symbols: super::claim::symbols(&row.try_get::<String, _>("symbols")?)?
                        .to_string(),
                    days: super::claim::days(row)?,
                    state: super::claim::parse(&row.try_get::<String, _>("state")?)?,
                    due_at: Nanos(row.try_get("due_at")?),
                    error: row.try_get("error")?,
                })
            })
            .collect()
    }
}

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
    /// The first rows of a view, with the symbols that were asked for in front.
    ///
    /// # Errors
    /// [`StoreError`] when there is no such view, or the database fails.
    pub async fn sample(&self, view: &str, rows: u32) -> Result<Sample, StoreError> {
        let names = sqlx::query_scalar("SELECT name FROM pragma_table_info(?)");
        let names: Vec<String> = names.bind(view).fetch_all(&self.read).await?;
        let columns: Vec<String> = names
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
        let sql = format!(
            "SELECT (SELECT s.symbol FROM symbology AS s WHERE s.instrument_id = v.instrument_id
                     AND s.start_date <= substr(v.{index_time}, 1, 10)
                     AND s.end_date > substr(v.{index_time}, 1, 10) LIMIT 1), {}
             FROM {view} AS v LIMIT ?",
            list.join(", ")
        );
        let found = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(rows)
            .fetch_all(&self.read)
            .await?;
        let text = |row: &SqliteRow| {
            let cell = |index| Ok(row.try_get::<Option<String>, _>(index)?.unwrap_or_default());
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

fn job_status(row: &SqliteRow) -> Result<JobStatus, StoreError> {
    let chunks = chunk_counts(row)?;
    let records = record_counts(row)?;
    let complete = chunks.done + chunks.empty == chunks.total && records.add_up();
    let written: String = row.try_get("state")?;
    let state = match written.as_str() {
        "cancelled" => "cancelled",
        _ if complete => "done",
        "paused" => "paused",
        _ if chunks.running > 0 => "running",
        _ if chunks.pending > 0 => "pending",
        _ => "incomplete",
    };
    Ok(JobStatus {
        id: JobId(row.try_get("id")?),
        name: row.try_get("name")?,
        state,
        reason: row.try_get("reason")?,
        complete,
        chunks,
        records,
        bytes_received: unsigned(row.try_get("bytes")?),
        spent_usd: Usd(row.try_get("spent")?),
    })
}

fn chunk_counts(row: &SqliteRow) -> Result<ChunkCounts, StoreError> {
    let count = |name| Ok::<_, StoreError>(unsigned(row.try_get(name)?));
    Ok(ChunkCounts {
        total: count("total")?,
        pending: count("pending")?,
        running: count("running")?,
        done: count("done")?,
        empty: count("empty")?,
        dead: count("dead")?,
        cancelled: count("cancelled")?,
    })
}

fn record_counts(row: &SqliteRow) -> Result<RecordCounts, StoreError> {
    let count = |name| Ok::<_, StoreError>(unsigned(row.try_get(name)?));
    Ok(RecordCounts {
        expected: count("expected")?,
        fetched: count("fetched")?,
        loaded: count("loaded")?,
        quarantined: count("quarantined")?,
        covered: count("covered")?,
    })
}
