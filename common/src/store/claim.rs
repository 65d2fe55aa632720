//! Claims: which chunks are due, and who works on one.

use std::time::Duration;

use dbn::{SType, Schema};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::{Store, StoreError};
use crate::chunk::{ChunkEvent, ChunkId, ChunkState, JobId};
use crate::money::Usd;
use crate::quality::{Quality, QuarantineLimit};
use crate::request::{JobSource, Symbols};
use crate::time::{DayRange, Nanos};
use crate::vendor::RangeRequest;

/// A chunk as its worker needs it.
#[derive(Clone, Debug)]
pub struct Chunk {
    /// Its number.
    pub id: ChunkId,
    /// Its job.
    pub job: JobId,
    /// The dataset.
    pub dataset: String,
    /// The schema.
    pub schema: Schema,
    /// How the symbols are written.
    pub stype_in: SType,
    /// The symbols.
    pub symbols: Symbols,
    /// The UTC days.
    pub days: DayRange,
    /// The vendor's count when it was planned.
    pub expected: Option<u64>,
    /// What the vendor would bill, in bytes.
    pub billable_bytes: u64,
    /// What the vendor would bill.
    pub cost: Usd,
    /// Failed attempts so far.
    pub failures: u32,
    /// What its job decides about quality.
    pub quality: Quality,
    /// Where its records come from.
    pub source: JobSource,
}

impl Chunk {
    /// What to ask its source for.
    #[must_use]
    pub fn range_request(&self) -> RangeRequest {
        RangeRequest::new(
            &self.dataset,
            self.schema,
            self.stype_in,
            &self.symbols,
            self.days,
        )
    }
}

/// A claimed chunk. Its epoch is the fence: every later verb shows it.
#[derive(Clone, Debug)]
pub struct Claim {
    /// The chunk.
    pub chunk: Chunk,
    /// How many times the chunk was claimed, this claim included.
    pub epoch: i64,
}

impl Store {
    /// A job's chunks that are due, most urgent first; none while it is paused.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn due(
        &self,
        job: JobId,
        limit: usize,
        now: Nanos,
    ) -> Result<Vec<ChunkId>, StoreError> {
        let ids: Vec<i64> = sqlx::query_scalar(
            "SELECT c.id FROM chunks AS c JOIN jobs AS j ON j.id = c.job_id
             WHERE c.job_id = ?3 AND j.state = 'active' AND (
                 (c.state = 'pending' AND c.due_at <= ?1)
                 OR (c.state = 'running' AND c.lease_until <= ?1))
             ORDER BY c.priority DESC, c.id LIMIT ?2",
        )
        .bind(now.0)
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .bind(job.0)
        .fetch_all(&self.read)
        .await?;
        Ok(ids.into_iter().map(ChunkId).collect())
    }

    /// When the next retry of a job is due, if any waits and the job is not paused.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn next_retry(&self, job: JobId) -> Result<Option<Nanos>, StoreError> {
        let due: Option<i64> = sqlx::query_scalar(
            "SELECT min(c.due_at) FROM chunks AS c JOIN jobs AS j ON j.id = c.job_id
             WHERE c.job_id = ? AND c.state = 'pending' AND c.failures > 0
                 AND j.state = 'active'",
        )
        .bind(job.0)
        .fetch_one(&self.read)
        .await?;
        Ok(due.map(Nanos))
    }

    /// Claims a chunk when it is due, or when its holder's lease ran out; `None` otherwise: a hint
    /// that came late or twice is dropped.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn claim(
        &self,
        chunk: ChunkId,
        owner: &str,
        lease: Duration,
        now: Nanos,
    ) -> Result<Option<Claim>, StoreError> {
        let to = ChunkState::Pending.after(ChunkEvent::Claim)?;
        let claimed = sqlx::query(
            "UPDATE chunks SET state = ?1, epoch = epoch + 1, owner = ?2, lease_until = ?3,
                 updated_at = ?4
             WHERE id = ?5
                 AND ((state = 'pending' AND due_at <= ?4)
                     OR (state = 'running' AND lease_until <= ?4))
                 AND (SELECT state FROM jobs WHERE id = chunks.job_id) = 'active'
             RETURNING *, (SELECT symbols FROM symbol_sets WHERE id = symbols_id) AS symbols,
                 (SELECT rules FROM jobs WHERE id = job_id) AS rules,
                 (SELECT quarantine_limit FROM jobs WHERE id = job_id) AS quarantine_limit,
                 (SELECT source FROM jobs WHERE id = chunks.job_id) AS source",
        )
        .bind(to.name())
        .bind(owner)
        .bind(now.plus_seconds(lease.as_secs_f64()).0)
        .bind(now.0)
        .bind(chunk.0)
        .fetch_optional(&self.write)
        .await?;
        claimed.map(|row| claim(&row)).transpose()
    }

    /// Prolongs a claim; `false` when it was lost.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn renew(
        &self,
        claim: &Claim,
        lease: Duration,
        now: Nanos,
    ) -> Result<bool, StoreError> {
        let renewed = sqlx::query(
            "UPDATE chunks SET lease_until = ? WHERE id = ? AND epoch = ? AND state = 'running'",
        )
        .bind(now.plus_seconds(lease.as_secs_f64()).0)
        .bind(claim.chunk.id.0)
        .bind(claim.epoch)
        .execute(&self.write)
        .await?;
        Ok(renewed.rows_affected() == 1)
    }

    /// Ends the leases of processes that are gone, and takes what they reserved for spent: whoever
    /// holds the work lock knows that nobody else is alive.
    pub(super) async fn release_orphans(&self) -> Result<(), StoreError> {
        let mut transaction = self.write.begin_with("BEGIN IMMEDIATE").await?;
        sqlx::query("UPDATE chunks SET lease_until = 0 WHERE state = 'running'")
            .execute(&mut *transaction)
            .await?;
        sqlx::query(
            "UPDATE spend SET settled_nanousd = reserved_nanousd, settled_at = reserved_at
             WHERE settled_nanousd IS NULL",
        )
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(())
    }
}

pub(super) fn claim(row: &SqliteRow) -> Result<Claim, StoreError> {
    let chunk = Chunk {
        id: ChunkId(row.try_get("id")?),
        job: JobId(row.try_get("job_id")?),
        dataset: row.try_get("dataset")?,
        schema: parse(&row.try_get::<String, _>("schema")?)?,
        stype_in: parse(&row.try_get::<String, _>("stype_in")?)?,
        symbols: symbols(&row.try_get::<String, _>("symbols")?)?,
        days: days(row)?,
        expected: row
            .try_get::<Option<i64>, _>("expected_records")?
            .map(super::rows::unsigned),
        billable_bytes: super::rows::unsigned(row.try_get("billable_bytes")?),
        cost: Usd(row.try_get("cost_nanousd")?),
        failures: row.try_get("failures")?,
        quality: quality(row)?,
        source: source(row.try_get("source")?),
    };
    Ok(Claim {
        chunk,
        epoch: row.try_get("epoch")?,
    })
}

/// What a job decides about quality.
pub(super) fn quality(row: &SqliteRow) -> Result<Quality, StoreError> {
    let rules: String = row.try_get("rules")?;
    let limit: Option<u32> = row.try_get("quarantine_limit")?;
    Ok(Quality {
        rules: serde_json::from_str(&rules)
            .map_err(|_| StoreError::Unreadable("a job's rules that are none".into()))?,
        limit: limit.map(QuarantineLimit::from_millionths),
    })
}

/// A job's source as its row keeps it: a folder, or nothing for the vendor.
fn source(folder: Option<String>) -> JobSource {
    folder.map_or(JobSource::Vendor, |folder| JobSource::Files(folder.into()))
}

pub(super) fn parse<T: std::str::FromStr>(text: &str) -> Result<T, StoreError> {
    text.parse()
        .map_err(|_| StoreError::Unreadable(format!("the word {text:?}")))
}

pub(super) fn symbols(text: &str) -> Result<Symbols, StoreError> {
    serde_json::from_str(text)
        .map_err(|_| StoreError::Unreadable("a list of symbols that is no list".into()))
}

pub(super) fn days(row: &SqliteRow) -> Result<DayRange, StoreError> {
    let start = Nanos(row.try_get("start_ns")?).day();
    let end = Nanos(row.try_get("end_ns")?).day();
    DayRange::new(start, end).ok_or_else(|| StoreError::Unreadable("a chunk without days".into()))
}
