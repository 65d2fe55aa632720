//! Claims: which chunks are due, and who works on one.

use std::time::Duration;

use dbn::{SType, Schema};

use super::clock::{Moment, nanoseconds};
use super::engine::Pools;
use super::statement::{Row, statement};
use super::{DueChunk, Store, StoreError};
use crate::chunk::{ChunkEvent, ChunkId, ChunkState, JobId};
use crate::money::Usd;
use crate::quality::{Quality, QuarantineLimit};
use crate::request::{JobSource, Symbols};
use crate::time::{DayRange, Nanos};
use crate::vendor::RangeRequest;

/// What is put off for longer, and has not failed, waits for the vendor.
const MOMENT: Duration = Duration::from_secs(120);

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
    /// The state that it is in as long as this holds: running, or settled before.
    pub state: ChunkState,
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
        now: impl Into<Moment>,
    ) -> Result<Vec<ChunkId>, StoreError> {
        let due = self.due_of(job, limit, now).await?;
        Ok(due.into_iter().map(|due| due.chunk).collect())
    }

    /// The same, with what their hints say.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn due_of(
        &self,
        job: JobId,
        limit: usize,
        now: impl Into<Moment>,
    ) -> Result<Vec<DueChunk>, StoreError> {
        // In two branches, each of which an index answers.
        let sql = format!(
            "SELECT * FROM (
                 SELECT * FROM (
                     SELECT id, epoch, priority FROM chunks
                     WHERE job_id = $3 AND state = 'pending' AND due_at <= {now}
                     ORDER BY priority DESC, id LIMIT $2) AS waiting
                 UNION ALL
                 SELECT id, epoch, priority FROM chunks
                 WHERE job_id = $3 AND state = 'running' AND lease_until <= {now}) AS due
             WHERE EXISTS (SELECT 1 FROM jobs WHERE id = $3 AND state = 'active')
             ORDER BY priority DESC, id LIMIT $2",
            now = self.pools.moment(1),
        );
        let rows = statement(sql)
            .bind(now.into())
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
            .bind(job)
            .fetch_all(self.pools.read())
            .await?;
        let due = |row: &Row| {
            Ok(DueChunk {
                chunk: ChunkId(row.get("id")?),
                epoch: row.get("epoch")?,
                priority: row.get("priority")?,
            })
        };
        rows.iter().map(due).collect()
    }

    /// When the next retry of a job is due, if any waits and the job is not paused. So does what
    /// was put off for a moment without a failure; what the vendor doesn't have yet is no retry.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn next_retry(&self, job: JobId) -> Result<Option<Nanos>, StoreError> {
        let row = statement(
            "SELECT min(c.due_at) FROM chunks AS c JOIN jobs AS j ON j.id = c.job_id
             WHERE c.job_id = $1 AND c.state = 'pending' AND j.state = 'active'
                 AND (c.failures > 0 OR (c.epoch > 0 AND c.due_at - c.updated_at <= $2))",
        )
        .bind(job)
        .bind(nanoseconds(MOMENT))
        .fetch_one(self.pools.read())
        .await?;
        Ok(row.at::<Option<i64>>(0)?.map(Nanos))
    }

    /// Claims a chunk when it is due, or when its holder's lease ran out; `None` otherwise: a hint
    /// that came late or twice is dropped. In a fleet a holder that was lost counts as a failure.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn claim(
        &self,
        chunk: ChunkId,
        owner: &str,
        lease: Duration,
        now: impl Into<Moment>,
    ) -> Result<Option<Claim>, StoreError> {
        let to = ChunkState::Pending.after(ChunkEvent::Claim)?;
        let sql = format!(
            "UPDATE chunks SET state = $1, epoch = epoch + 1, owner = $2,
                 lease_until = {now} + $3, updated_at = {now},
                 failures = failures + CASE WHEN state = 'running' THEN {lost} ELSE 0 END
             WHERE id = $5
                 AND ((state = 'pending' AND due_at <= {now})
                     OR (state = 'running' AND lease_until <= {now}))
                 AND (SELECT state FROM jobs WHERE id = chunks.job_id) = 'active'
             RETURNING *, (SELECT symbols FROM symbol_sets WHERE id = symbols_id) AS symbols,
                 (SELECT rules FROM jobs WHERE id = job_id) AS rules,
                 (SELECT quarantine_limit FROM jobs WHERE id = job_id) AS quarantine_limit,
                 (SELECT source FROM jobs WHERE id = chunks.job_id) AS source",
            now = self.pools.moment(4),
            // A chunk that ends its workers must not end one after the other for ever. On one machine
            // it is the operator who starts the next.
            lost = match self.pools {
                Pools::Sqlite { .. } => 0,
                Pools::Postgres(_) => 1,
            },
        );
        let claimed = statement(sql)
            .bind(to.name())
            .bind(owner)
            .bind(nanoseconds(lease))
            .bind(now.into())
            .bind(chunk)
            .fetch_optional(self.pools.write())
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
        now: impl Into<Moment>,
    ) -> Result<bool, StoreError> {
        let sql = format!(
            "UPDATE chunks SET lease_until = {now} + $1
             WHERE id = $3 AND epoch = $4 AND state = 'running'",
            now = self.pools.moment(2),
        );
        let renewed = statement(sql)
            .bind(nanoseconds(lease))
            .bind(now.into())
            .bind(claim.chunk.id)
            .bind(claim.epoch)
            .execute(self.pools.write())
            .await?;
        Ok(renewed == 1)
    }

    /// Ends the leases of processes that are gone, and takes what they reserved for spent: whoever
    /// holds the work lock knows that nobody else is alive.
    pub(super) async fn release_orphans(&self) -> Result<(), StoreError> {
        let mut transaction = self.pools.begin().await?;
        statement("UPDATE chunks SET lease_until = 0 WHERE state = 'running'")
            .execute(&mut transaction)
            .await?;
        statement(
            "UPDATE spend SET settled_nanousd = reserved_nanousd, settled_at = reserved_at
             WHERE settled_nanousd IS NULL",
        )
        .execute(&mut transaction)
        .await?;
        statement(
            "UPDATE spend_totals SET settled_nanousd = settled_nanousd + reserved_nanousd,
                 reserved_nanousd = 0
             WHERE reserved_nanousd <> 0",
        )
        .execute(&mut transaction)
        .await?;
        transaction.commit().await?;
        Ok(())
    }
}

pub(super) fn claim(row: &Row) -> Result<Claim, StoreError> {
    let chunk = Chunk {
        id: ChunkId(row.get("id")?),
        job: JobId(row.get("job_id")?),
        dataset: row.get("dataset")?,
        schema: parse(&row.get::<String>("schema")?)?,
        stype_in: parse(&row.get::<String>("stype_in")?)?,
        symbols: symbols(&row.get::<String>("symbols")?)?,
        days: days(row)?,
        expected: row
            .get::<Option<i64>>("expected_records")?
            .map(super::rows::unsigned),
        billable_bytes: super::rows::unsigned(row.get("billable_bytes")?),
        cost: Usd(row.get("cost_nanousd")?),
        failures: small(row.get("failures")?),
        quality: quality(row)?,
        source: source(row.get("source")?),
    };
    Ok(Claim {
        chunk,
        epoch: row.get("epoch")?,
        state: parse(&row.get::<String>("state")?)?,
    })
}

/// What a job decides about quality.
pub(super) fn quality(row: &Row) -> Result<Quality, StoreError> {
    let rules: String = row.get("rules")?;
    let limit: Option<i64> = row.get("quarantine_limit")?;
    Ok(Quality {
        rules: serde_json::from_str(&rules)
            .map_err(|_| StoreError::Unreadable("a job's rules that are none".into()))?,
        limit: limit.map(|limit| QuarantineLimit::from_millionths(small(limit))),
    })
}

/// A number that was one of 32 bits when it was written.
fn small(number: i64) -> u32 {
    u32::try_from(number).unwrap_or_default()
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

pub(super) fn days(row: &Row) -> Result<DayRange, StoreError> {
    let start = Nanos(row.get("start_ns")?).day();
    let end = Nanos(row.get("end_ns")?).day();
    DayRange::new(start, end).ok_or_else(|| StoreError::Unreadable("a chunk without days".into()))
}
