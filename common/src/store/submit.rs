//! Submission: a job and its chunks in one transaction; twice is as once.

use std::collections::HashMap;

use dbn::{SType, Schema};

use super::coverage::{SPAN, SPAN_INDEXED};
use super::engine::{Pools, Transaction};
use super::statement::{ROWS_PER_STATEMENT, Row, all_tuples, statement};
use super::{RecordedDays, Slice, Store, StoreError};
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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

/// Slices that are read at once: they are kept smaller than their rows are.
const SLICES_AT_ONCE: u32 = 20_000;

impl Store {
    /// Submits a request and its planned chunks. A request that was submitted before keeps its job;
    /// its dead chunks are tried again, and a pause ends. What was cancelled is not asked for any
    /// more: what of it is missing is planned anew.
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
        let submitted = self.submit_traced(request, origin, chunks, now, None);
        submitted.await
    }

    /// The same, with the W3C context of the trace that the work on the chunks goes on from.
    ///
    /// # Errors
    /// As [`Self::submit`].
    pub async fn submit_traced(
        &self,
        request: &Request,
        origin: &str,
        chunks: &[PlannedChunk],
        now: Nanos,
        traceparent: Option<&str>,
    ) -> Result<Submission, StoreError> {
        let mut transaction = self.pools.begin().await?;
        claim_origin(&mut transaction, origin).await?;
        let job = upsert_job(&mut transaction, request, now).await?;
        if let Some(traceparent) = traceparent {
            super::trace::keep(&mut transaction, job, traceparent).await?;
        }
        let revived = revive(&mut transaction, job, now).await?;
        forget_cancelled(&mut transaction, job).await?;
        let mut added = 0;
        let mut symbol_sets = HashMap::new();
        for some in chunks.chunks(ROWS_PER_STATEMENT) {
            for chunk in some {
                if !symbol_sets.contains_key(&chunk.symbols) {
                    let id = self.symbol_set(&mut transaction, &chunk.symbols).await?;
                    symbol_sets.insert(chunk.symbols.clone(), id);
                }
            }
            added += insert_chunks(&mut transaction, job, request, &symbol_sets, some, now).await?;
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
        let overlap = match self.pools {
            Pools::Sqlite { .. } => SPAN,
            Pools::Postgres(_) => SPAN_INDEXED,
        };
        let rows = statement(format!(
            "SELECT instrument_id, start_ns, end_ns, chunk_id FROM coverage
             WHERE dataset = $1 AND schema = $2 AND {overlap}"
        ))
        .bind(dataset)
        .bind(schema.as_str())
        .bind(within.start)
        .bind(within.end)
        .fetch_all(self.pools.read())
        .await?;
        let holder = |row: &Row| Ok((held(row)?, ChunkId(row.get("chunk_id")?)));
        rows.iter().map(holder).collect()
    }

    /// The same, and which of their days hold records.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn slices(
        &self,
        dataset: &str,
        schema: Schema,
        within: Span,
    ) -> Result<Vec<(Slice, ChunkId)>, StoreError> {
        let overlap = match self.pools {
            Pools::Sqlite { .. } => SPAN,
            Pools::Postgres(_) => SPAN_INDEXED,
        };
        let mut slices = Vec::new();
        let mut after = (i64::MIN, i64::MIN);
        loop {
            let rows = statement(format!(
                "SELECT instrument_id, start_ns, end_ns, chunk_id, days FROM coverage
                 WHERE dataset = $1 AND schema = $2 AND {overlap}
                     AND (instrument_id, start_ns) > ($5, $6)
                 ORDER BY instrument_id, start_ns LIMIT {SLICES_AT_ONCE}"
            ))
            .bind(dataset)
            .bind(schema.as_str())
            .bind(within.start)
            .bind(within.end)
            .bind(after.0)
            .bind(after.1)
            .fetch_all(self.pools.read())
            .await?;
            let Some(last) = rows.last() else {
                return Ok(slices);
            };
            after = (last.get("instrument_id")?, last.get("start_ns")?);
            for row in &rows {
                slices.push((slice(row)?, ChunkId(row.get("chunk_id")?)));
            }
        }
    }

    /// What a request's job has planned already and not finished.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn outstanding(&self, fingerprint: &str) -> Result<Vec<PlannedChunk>, StoreError> {
        let rows = statement(
            "SELECT c.schema, s.symbols, c.start_ns, c.end_ns, c.expected_records,
                 c.billable_bytes, c.cost_nanousd, c.due_at
             FROM jobs AS j JOIN chunks AS c ON c.job_id = j.id
             JOIN symbol_sets AS s ON s.id = c.symbols_id
             WHERE j.fingerprint = $1 AND c.state IN ('pending', 'running', 'dead')",
        )
        .bind(fingerprint)
        .fetch_all(self.pools.read())
        .await?;
        rows.iter()
            .map(|row| {
                let records: Option<i64> = row.get("expected_records")?;
                Ok(PlannedChunk {
                    schema: super::claim::parse(&row.get::<String>("schema")?)?,
                    symbols: super::claim::symbols(&row.get::<String>("symbols")?)?,
                    days: super::claim::days(row)?,
                    records: records.map(super::rows::unsigned),
                    billable_bytes: super::rows::unsigned(row.get("billable_bytes")?),
                    cost: Usd(row.get("cost_nanousd")?),
                    due_at: Nanos(row.get("due_at")?),
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
        let rows = statement(
            "SELECT c.id, s.symbols, c.start_ns, c.end_ns
             FROM chunks AS c JOIN symbol_sets AS s ON s.id = c.symbols_id
             JOIN jobs AS j ON j.id = c.job_id
             WHERE c.state = 'empty' AND c.dataset = $1 AND c.schema = $2 AND c.stype_in = $3
                 AND j.source IS NOT DISTINCT FROM $4 AND c.start_ns < $5 AND c.end_ns > $6",
        )
        .bind(dataset)
        .bind(schema.as_str())
        .bind(stype_in.as_str())
        .bind(folder(source))
        .bind(within.end)
        .bind(within.start)
        .fetch_all(self.pools.read())
        .await?;
        rows.iter()
            .map(|row| {
                let symbols = super::claim::symbols(&row.get::<String>("symbols")?)?;
                Ok((ChunkId(row.get("id")?), symbols, super::claim::days(row)?))
            })
            .collect()
    }

    /// Where the records come from that the database holds; `None` while it holds none.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn origin(&self) -> Result<Option<String>, StoreError> {
        let known = statement("SELECT name FROM origin");
        let row = known.fetch_optional(self.pools.read()).await?;
        row.map(|row| row.get("name")).transpose()
    }

    /// The job that a request made.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn job_of(&self, request: &Request) -> Result<Option<JobId>, StoreError> {
        let row = statement("SELECT id FROM jobs WHERE fingerprint = $1")
            .bind(request.fingerprint())
            .fetch_optional(self.pools.read())
            .await?;
        row.map(|row| Ok(JobId(row.get("id")?))).transpose()
    }

    /// Decides about a job's quality anew; chunks that are settled stay as they are.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn set_quality(&self, job: JobId, quality: &Quality) -> Result<(), StoreError> {
        statement("UPDATE jobs SET rules = $1, quarantine_limit = $2 WHERE id = $3")
            .bind(serde_json::json!(quality.rules).to_string())
            .bind(quality.limit.map(QuarantineLimit::millionths))
            .bind(job)
            .execute(self.pools.write())
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

fn slice(row: &Row) -> Result<Slice, StoreError> {
    let held = held(row)?;
    let days: Option<String> = row.get("days")?;
    let days = days.map(|days| RecordedDays::read(held.span, days));
    let days = days.transpose()?;
    Ok(Slice { held, days })
}

pub(super) fn held(row: &Row) -> Result<Held, StoreError> {
    let instrument: i64 = row.get("instrument_id")?;
    Ok(Held {
        instrument_id: u32::try_from(instrument).ok(),
        span: Span {
            start: Nanos(row.get("start_ns")?),
            end: Nanos(row.get("end_ns")?),
        },
    })
}

async fn claim_origin(transaction: &mut Transaction, origin: &str) -> Result<(), StoreError> {
    statement("INSERT INTO origin (only_row, name) VALUES (1, $1) ON CONFLICT DO NOTHING")
        .bind(origin)
        .execute(&mut *transaction)
        .await?;
    let known = statement("SELECT name FROM origin")
        .fetch_one(transaction)
        .await?;
    same_origin(&known.get::<String>("name")?, origin)
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
    transaction: &mut Transaction,
    request: &Request,
    now: Nanos,
) -> Result<JobId, StoreError> {
    let row = statement(
        "INSERT INTO jobs (name, fingerprint, spec, state, priority, max_cost_nanousd, created_at,
             rules, quarantine_limit, source)
         VALUES ($1, $2, $3, 'active', $4, $5, $6, $7, $8, $9)
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
    .bind(now)
    .bind(serde_json::json!(request.quality.rules).to_string())
    .bind(request.quality.limit.map(QuarantineLimit::millionths))
    .bind(folder(&request.source))
    .fetch_one(&mut *transaction)
    .await?;
    let id: i64 = row.get("id")?;
    statement("UPDATE chunks SET priority = $2 WHERE job_id = $1 AND priority <> $2")
        .bind(id)
        .bind(request.priority)
        .execute(transaction)
        .await?;
    Ok(JobId(id))
}

async fn revive(transaction: &mut Transaction, job: JobId, now: Nanos) -> Result<u64, StoreError> {
    let to = ChunkState::Dead.after(ChunkEvent::Revive)?;
    let revived = statement(
        "UPDATE chunks SET state = $1, failures = 0, due_at = $2, updated_at = $3
         WHERE job_id = $4 AND state = $5",
    )
    .bind(to.name())
    .bind(now)
    .bind(now)
    .bind(job)
    .bind(ChunkState::Dead.name())
    .execute(transaction)
    .await?;
    Ok(revived)
}

/// What was called off is no longer counted on: new chunks are planned for what of it is missing.
async fn forget_cancelled(transaction: &mut Transaction, job: JobId) -> Result<(), StoreError> {
    statement(
        "UPDATE chunks SET expected_records = NULL
         WHERE job_id = $1 AND state = $2 AND expected_records IS NOT NULL",
    )
    .bind(job)
    .bind(ChunkState::Cancelled.name())
    .execute(transaction)
    .await?;
    Ok(())
}

/// The files that chunks wait for may have been added: no time tells when.
async fn bring_forward(
    transaction: &mut Transaction,
    job: JobId,
    now: Nanos,
) -> Result<(), StoreError> {
    statement("UPDATE chunks SET due_at = $2 WHERE job_id = $1 AND state = $3 AND due_at > $2")
        .bind(job)
        .bind(now)
        .bind(ChunkState::Pending.name())
        .execute(transaction)
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

impl Store {
    async fn symbol_set(
        &self,
        transaction: &mut Transaction,
        symbols: &Symbols,
    ) -> Result<i64, StoreError> {
        let text = serde_json::to_value(symbols)
            .unwrap_or_default()
            .to_string();
        statement("INSERT INTO symbol_sets (symbols) VALUES ($1) ON CONFLICT DO NOTHING")
            .bind(&text)
            .execute(&mut *transaction)
            .await?;
        let row = statement(match self.pools {
            Pools::Sqlite { .. } => "SELECT id FROM symbol_sets WHERE symbols = $1",
            // A list can be longer than an index takes.
            Pools::Postgres(_) => {
                "SELECT id FROM symbol_sets WHERE md5(symbols) = md5($1) AND symbols = $1"
            }
        });
        row.bind(text).fetch_one(transaction).await?.get("id")
    }
}

async fn insert_chunks(
    transaction: &mut Transaction,
    job: JobId,
    request: &Request,
    symbol_sets: &HashMap<Symbols, i64>,
    chunks: &[PlannedChunk],
    now: Nanos,
) -> Result<u64, StoreError> {
    const COLUMNS: usize = 14;
    let mut insert = statement(format!(
        "INSERT INTO chunks (job_id, dataset, schema, stype_in, symbols_id, start_ns, end_ns,
             priority, state, due_at, expected_records, billable_bytes, cost_nanousd, updated_at)
         VALUES {} ON CONFLICT DO NOTHING",
        all_tuples(transaction, chunks.len(), COLUMNS)
    ));
    for chunk in chunks {
        let span = chunk.days.span();
        insert = insert
            .bind(job)
            .bind(&request.dataset)
            .bind(chunk.schema.as_str())
            .bind(request.stype_in.as_str())
            .bind(symbol_sets.get(&chunk.symbols).copied())
            .bind(span.start)
            .bind(span.end)
            .bind(request.priority)
            .bind(ChunkState::Pending.name())
            .bind(chunk.due_at)
            .bind(chunk.records.map(super::rows::count))
            .bind(super::rows::count(chunk.billable_bytes))
            .bind(chunk.cost)
            .bind(now);
    }
    insert.execute(transaction).await
}
