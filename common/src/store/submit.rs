//! Submission: a job and its chunks in one transaction; twice is as once.

use std::collections::HashMap;

use dbn::{SType, Schema};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use super::{Store, StoreError};
use crate::chunk::{ChunkEvent, ChunkId, ChunkState, JobId};
use crate::money::Usd;
use crate::quality::{Quality, QuarantineLimit};
use crate::request::{JobSource, Request, Symbols};
use crate::time::{DayRange, Nanos, Span};

/// A chunk that is planned and has no number yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedChunk {
    /// The schema.
    pub schema: Schema,
    /// The symbols.
    pub symbols: Symbols,
    /// The UTC days.
    pub days: DayRange,
    /// The vendor's count of records; `None` while the vendor doesn't have the days.
    pub records: Option<u64>,
    /// What the vendor would bill, in bytes.
    pub billable_bytes: u64,
    /// What the vendor would bill.
    pub cost: Usd,
    /// Not to be fetched before.
    pub due_at: Nanos,
}

/// A slice of index time that a chunk holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// The instrument; `None` stands for every instrument of the dataset.
    pub instrument_id: Option<u32>,
    /// Index time.
    pub span: Span,
}

/// What became of a submission.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Submission {
    /// The job, new or known.
    pub job: JobId,
    /// Chunks added; those that the job has already are not.
    pub added: u64,
    /// Dead chunks of the job that will be tried again.
    pub revived: u64,
}

/// Instrument number that stands for every instrument.
pub(super) const EVERY_INSTRUMENT: i64 = -1;

impl Store {
    /// Submits a request and its planned chunks. A request that was submitted before keeps its job;
    /// its dead chunks are tried again, and a pause ends.
    ///
    /// # Errors
    /// [`StoreError::Origin`] when the database holds records of another origin.
    pub async fn submit(
        &self,
        request: &Request,
        origin: &str,
        chunks: &[PlannedChunk],
        now: Nanos,
    ) -> Result<Submission, StoreError> {
        let mut transaction = self.write.begin_with("BEGIN IMMEDIATE").await?;
        claim_origin(&mut transaction, origin).await?;
        let job = upsert_job(&mut transaction, request, now).await?;
        let revived = revive(&mut transaction, job, now).await?;
        let mut added = 0;
        let mut symbol_sets = HashMap::new();
        for chunk in chunks {
            let symbols_id = match symbol_sets.get(&chunk.symbols) {
                Some(id) => *id,
                None => {
                    let id = symbol_set(&mut transaction, &chunk.symbols).await?;
                    symbol_sets.insert(chunk.symbols.clone(), id);
                    id
                }
            };
            added += insert_chunk(&mut transaction, job, request, symbols_id, chunk, now).await?;
        }
        if folder(&request.source).is_some() {
            bring_forward(&mut transaction, job, now).await?;
        }
        transaction.commit().await?;
        Ok(Submission {
            job,
            added,
            revived,
        })
    }

    /// The slices of one dataset and schema that are held within a span, and by which chunks.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn held(
        &self,
        dataset: &str,
        schema: Schema,
        within: Span,
    ) -> Result<Vec<(Held, ChunkId)>, StoreError> {
        let rows = sqlx::query(
            "SELECT instrument_id, start_ns, end_ns, chunk_id FROM coverage
             WHERE dataset = ? AND schema = ? AND start_ns < ? AND end_ns > ?",
        )
        .bind(dataset)
        .bind(schema.as_str())
        .bind(within.end.0)
        .bind(within.start.0)
        .fetch_all(&self.read)
        .await?;
        let holder = |row: &SqliteRow| Ok((held(row)?, ChunkId(row.try_get("chunk_id")?)));
        rows.iter().map(holder).collect()
    }

    /// What a request's job has planned already and not finished.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn outstanding(&self, fingerprint: &str) -> Result<Vec<PlannedChunk>, StoreError> {
        let rows = sqlx::query(
            "SELECT c.schema, s.symbols, c.start_ns, c.end_ns, c.expected_records,
                 c.billable_bytes, c.cost_nanousd, c.due_at
             FROM jobs AS j JOIN chunks AS c ON c.job_id = j.id
             JOIN symbol_sets AS s ON s.id = c.symbols_id
             WHERE j.fingerprint = ? AND c.state IN ('pending', 'running', 'dead')",
        )
        .bind(fingerprint)
        .fetch_all(&self.read)
        .await?;
        rows.iter()
            .map(|row| {
                let records: Option<i64> = row.try_get("expected_records")?;
                Ok(PlannedChunk {
                    schema: super::claim::parse(&row.try_get::<String, _>("schema")?)?,
                    symbols: super::claim::symbols(&row.try_get::<String, _>("symbols")?)?,
                    days: super::claim::days(row)?,
                    records: records.map(super::rows::unsigned),
                    billable_bytes: super::rows::unsigned(row.try_get("billable_bytes")?),
                    cost: Usd(row.try_get("cost_nanousd")?),
                    due_at: Nanos(row.try_get("due_at")?),
                })
            })
            .collect()
    }

    /// Symbols and days of one dataset and schema that are proven to hold nothing, by which chunks
    /// of jobs with the same source: what one source doesn't have another may.
    /// Where no session was held, the vendor names no instruments, and there is no slice to hold.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn empty(
        &self,
        dataset: &str,
        schema: Schema,
        stype_in: SType,
        source: &JobSource,
        within: Span,
    ) -> Result<Vec<(ChunkId, Symbols, DayRange)>, StoreError> {
        let rows = sqlx::query(
            "SELECT c.id, s.symbols, c.start_ns, c.end_ns
             FROM chunks AS c JOIN symbol_sets AS s ON s.id = c.symbols_id
             JOIN jobs AS j ON j.id = c.job_id
             WHERE c.state = 'empty' AND c.dataset = ? AND c.schema = ? AND c.stype_in = ?
                 AND j.source IS ? AND c.start_ns < ? AND c.end_ns > ?",
        )
        .bind(dataset)
        .bind(schema.as_str())
        .bind(stype_in.as_str())
        .bind(folder(source))
        .bind(within.end.0)
        .bind(within.start.0)
        .fetch_all(&self.read)
        .await?;
        rows.iter()
            .map(|row| {
                let symbols = super::claim::symbols(&row.try_get::<String, _>("symbols")?)?;
                Ok((
                    ChunkId(row.try_get("id")?),
                    symbols,
                    super::claim::days(row)?,
                ))
            })
            .collect()
    }

    /// Where the records come from that the database holds; `None` while it holds none.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn origin(&self) -> Result<Option<String>, StoreError> {
        let known = sqlx::query_scalar("SELECT name FROM origin");
        Ok(known.fetch_optional(&self.read).await?)
    }

    /// The job that a request made.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn job_of(&self, request: &Request) -> Result<Option<JobId>, StoreError> {
        let id: Option<i64> = sqlx::query_scalar("SELECT id FROM jobs WHERE fingerprint = ?")
            .bind(request.fingerprint())
            .fetch_optional(&self.read)
            .await?;
        Ok(id.map(JobId))
    }

    /// Decides about a job's quality anew; chunks that are settled stay as they are.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn set_quality(&self, job: JobId, quality: &Quality) -> Result<(), StoreError> {
        sqlx::query("UPDATE jobs SET rules = ?, quarantine_limit = ? WHERE id = ?")
            .bind(serde_json::json!(quality.rules).to_string())
            .bind(quality.limit.map(QuarantineLimit::millionths))
            .bind(job.0)
            .execute(&self.write)
            .await?;
        Ok(())
    }

    /// Refuses an origin that is not that of the records which the database holds already.
    ///
    /// # Errors
    /// [`StoreError::Origin`].
    pub async fn check_origin(&self, origin: &str) -> Result<(), StoreError> {
        let known = self.origin().await?;
        known.map_or(Ok(()), |known| same_origin(&known, origin))
    }
}

pub(super) fn held(row: &SqliteRow) -> Result<Held, StoreError> {
    let instrument: i64 = row.try_get("instrument_id")?;
    Ok(Held {
        instrument_id: u32::try_from(instrument).ok(),
        span: Span {
            start: Nanos(row.try_get("start_ns")?),
            end: Nanos(row.try_get("end_ns")?),
        },
    })
}

async fn claim_origin(connection: &mut SqliteConnection, origin: &str) -> Result<(), StoreError> {
    sqlx::query("INSERT INTO origin (only_row, name) VALUES (1, ?) ON CONFLICT DO NOTHING")
        .bind(origin)
        .execute(&mut *connection)
        .await?;
    let known: String = sqlx::query_scalar("SELECT name FROM origin")
        .fetch_one(&mut *connection)
        .await?;
    same_origin(&known, origin)
}

fn same_origin(known: &str, origin: &str) -> Result<(), StoreError> {
    if known == origin {
        return Ok(());
    }
    Err(StoreError::Origin(format!(
        "this database holds records of {known}, and the job's would come from {origin}: \
         they must not mix; choose another DATABASE_URL and ARCHIVE_URL (or --data-dir), or \
         remove the folder that holds both"
    )))
}

async fn upsert_job(
    connection: &mut SqliteConnection,
    request: &Request,
    now: Nanos,
) -> Result<JobId, StoreError> {
    let id: i64 = sqlx::query_scalar(
        "INSERT INTO jobs (name, fingerprint, spec, state, priority, max_cost_nanousd, created_at,
             rules, quarantine_limit, source)
         VALUES (?, ?, ?, 'active', ?, ?, ?, ?, ?, ?)
         ON CONFLICT (fingerprint) DO UPDATE SET state = 'active', reason = NULL,
             priority = excluded.priority, max_cost_nanousd = excluded.max_cost_nanousd,
             rules = excluded.rules, quarantine_limit = excluded.quarantine_limit
         RETURNING id",
    )
    .bind(&request.name)
    .bind(request.fingerprint())
    .bind(request.spec().to_string())
    .bind(request.priority)
    .bind(request.max_cost.map(|limit| limit.0))
    .bind(now.0)
    .bind(serde_json::json!(request.quality.rules).to_string())
    .bind(request.quality.limit.map(QuarantineLimit::millionths))
    .bind(folder(&request.source))
    .fetch_one(&mut *connection)
    .await?;
    sqlx::query("UPDATE chunks SET priority = ?2 WHERE job_id = ?1 AND priority <> ?2")
        .bind(id)
        .bind(request.priority)
        .execute(connection)
        .await?;
    Ok(JobId(id))
}

async fn revive(
    connection: &mut SqliteConnection,
    job: JobId,
    now: Nanos,
) -> Result<u64, StoreError> {
    let to = ChunkState::Dead.after(ChunkEvent::Revive)?;
    let revived = sqlx::query(
        "UPDATE chunks SET state = ?, failures = 0, due_at = ?, updated_at = ?
         WHERE job_id = ? AND state = ?",
    )
    .bind(to.name())
    .bind(now.0)
    .bind(now.0)
    .bind(job.0)
    .bind(ChunkState::Dead.name())
    .execute(connection)
    .await?;
    Ok(revived.rows_affected())
}

/// The files that chunks wait for may have been added: no time tells when.
async fn bring_forward(
    connection: &mut SqliteConnection,
    job: JobId,
    now: Nanos,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE chunks SET due_at = ?2 WHERE job_id = ?1 AND state = ?3 AND due_at > ?2")
        .bind(job.0)
        .bind(now.0)
        .bind(ChunkState::Pending.name())
        .execute(connection)
        .await?;
    Ok(())
}

/// A job's source as its row keeps it.
fn folder(source: &JobSource) -> Option<String> {
    match source {
        JobSource::Vendor => None,
        JobSource::Files(folder) => Some(folder.display().to_string()),
    }
}

async fn symbol_set(
    connection: &mut SqliteConnection,
    symbols: &Symbols,
) -> Result<i64, StoreError> {
    let text = serde_json::to_value(symbols)
        .unwrap_or_default()
        .to_string();
    let id = sqlx::query_scalar(
        "INSERT INTO symbol_sets (symbols) VALUES (?)
         ON CONFLICT (symbols) DO UPDATE SET symbols = excluded.symbols RETURNING id",
    )
    .bind(text)
    .fetch_one(connection)
    .await?;
    Ok(id)
}

async fn insert_chunk(
    connection: &mut SqliteConnection,
    job: JobId,
    request: &Request,
    symbols_id: i64,
    chunk: &PlannedChunk,
    now: Nanos,
) -> Result<u64, StoreError> {
    let span = chunk.days.span();
    let inserted = sqlx::query(
        "INSERT INTO chunks (job_id, dataset, schema, stype_in, symbols_id, start_ns, end_ns,
             priority, state, due_at, expected_records, billable_bytes, cost_nanousd, updated_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT DO NOTHING",
    )
    .bind(job.0)
    .bind(&request.dataset)
    .bind(chunk.schema.as_str())
    .bind(request.stype_in.as_str())
    .bind(symbols_id)
    .bind(span.start.0)
    .bind(span.end.0)
    .bind(request.priority)
    .bind(ChunkState::Pending.name())
    .bind(chunk.due_at.0)
    .bind(chunk.records.map(super::rows::count))
    .bind(super::rows::count(chunk.billable_bytes))
    .bind(chunk.cost.0)
    .bind(now.0)
    .execute(connection)
    .await?;
    Ok(inserted.rows_affected())
}
