//! What whoever watches looks at: chunks that run, chunks that failed, and what was settled when. Each
//! costs the same at a million chunks.

use serde::Serialize;

use super::clock::Moment;
use super::rows::unsigned;
use super::statement::{Row, statement};
use super::{Store, StoreError};
use crate::chunk::{ChunkId, ChunkState, JobId};
use crate::time::{DayRange, Nanos};

/// A minute, in nanoseconds.
const MINUTE: i64 = 60_000_000_000;

/// Which part of which job a chunk is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The chunk.
    pub chunk: ChunkId,
    /// Its job's number.
    pub job: JobId,
    /// Its job's name.
    pub job_name: String,
    /// The schema, by the vendor's name.
    pub schema: String,
    /// The symbols, as text: all of them.
    pub symbols: String,
    /// The UTC days.
    pub days: DayRange,
}

impl Part {
    /// The symbols in so many characters: where there are more, the first of them.
    #[must_use]
    pub fn symbols_within(&self, characters: usize) -> String {
        if self.symbols.chars().count() <= characters {
            return self.symbols.clone();
        }
        let shown = self.symbols.chars().take(characters.saturating_sub(1));
        let mut shown: String = shown.collect();
        shown.push('…');
        shown
    }
}

/// A chunk that a worker has under a lease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Working {
    /// Which chunk.
    pub part: Part,
    /// Who has it.
    pub worker: String,
    /// The claim's number.
    pub epoch: i64,
    /// When it was claimed.
    pub since: Nanos,
    /// Until when nobody else may claim it.
    pub lease_until: Nanos,
    /// Its records by the vendor's count.
    pub expected: u64,
}

/// A chunk that was given up, or will be tried again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Which chunk.
    pub part: Part,
    /// `dead` or `pending`.
    pub state: ChunkState,
    /// Failed attempts that count against it.
    pub failures: u64,
    /// Why the last one failed.
    pub error: String,
    /// When that was.
    pub at: Nanos,
    /// When it is tried again, where it is.
    pub due_at: Nanos,
}

/// A chunk, and what became of it so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToldChunk {
    /// Which chunk.
    pub part: Part,
    /// Where it stands.
    pub state: ChunkState,
    /// Failed attempts that count against it.
    pub failures: u64,
    /// Why the last one failed.
    pub error: Option<String>,
    /// When it last changed.
    pub at: Nanos,
    /// Rows that were loaded.
    pub rows: u64,
}

/// What was settled in a minute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SettledMinute {
    /// The minute, in minutes since 1970.
    pub minute: i64,
    /// Chunks that were done or proven empty.
    pub chunks: u64,
    /// Rows that were loaded.
    pub rows: u64,
    /// Uncompressed bytes of records that were received for them.
    pub bytes: u64,
}

impl SettledMinute {
    /// When it begins.
    #[must_use]
    pub fn begins(&self) -> Nanos {
        Nanos(self.minute.saturating_mul(MINUTE))
    }
}

/// The columns of [`Part`]; `j` is the job, `c` the chunk, `s` its symbols.
const PART: &str = "c.id, c.job_id, j.name, c.schema, s.symbols, c.start_ns, c.end_ns";
const FROM: &str = "FROM chunks AS c JOIN jobs AS j ON j.id = c.job_id
    JOIN symbol_sets AS s ON s.id = c.symbols_id";

impl Store {
    /// Chunks that run, those that were claimed first; at most `limit`.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn working(
        &self,
        job: Option<JobId>,
        limit: u32,
    ) -> Result<Vec<Working>, StoreError> {
        let sql = format!(
            "SELECT {PART}, c.owner, c.epoch, c.updated_at, c.lease_until, c.expected_records {FROM}
             WHERE c.state = 'running' AND ($1 IS NULL OR c.job_id = $1)
             ORDER BY c.updated_at, c.id LIMIT $2"
        );
        let rows = statement(sql)
            .bind(job.map(|job| job.0))
            .bind(limit)
            .fetch_all(self.pools.read())
            .await?;
        rows.iter()
            .map(|row| {
                Ok(Working {
                    part: part(row)?,
                    worker: row.get::<Option<String>>("owner")?.unwrap_or_default(),
                    epoch: row.get("epoch")?,
                    since: Nanos(row.get("updated_at")?),
                    lease_until: Nanos(row.get::<Option<i64>>("lease_until")?.unwrap_or_default()),
                    expected: unsigned(row.get::<Option<i64>>("expected_records")?.unwrap_or(0)),
                })
            })
            .collect()
    }

    /// Chunks that failed, the last ones first; at most `limit`.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn failures(
        &self,
        job: Option<JobId>,
        limit: u32,
    ) -> Result<Vec<Failure>, StoreError> {
        let sql = format!(
            "SELECT {PART}, c.state, c.failures, c.error, c.updated_at, c.due_at {FROM}
             WHERE (c.state = 'dead' OR (c.state = 'pending' AND c.failures > 0))
                 AND ($1 IS NULL OR c.job_id = $1)
             ORDER BY c.updated_at DESC LIMIT $2"
        );
        let rows = statement(sql)
            .bind(job.map(|job| job.0))
            .bind(limit)
            .fetch_all(self.pools.read())
            .await?;
        rows.iter()
            .map(|row| {
                Ok(Failure {
                    part: part(row)?,
                    state: super::claim::parse(&row.get::<String>("state")?)?,
                    failures: unsigned(row.get("failures")?),
                    error: row.get::<Option<String>>("error")?.unwrap_or_default(),
                    at: Nanos(row.get("updated_at")?),
                    due_at: Nanos(row.get("due_at")?),
                })
            })
            .collect()
    }

    /// One chunk, if there is one of this number.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn told_chunk(&self, chunk: ChunkId) -> Result<Option<ToldChunk>, StoreError> {
        let sql = format!(
            "SELECT {PART}, c.state, c.failures, c.error, c.updated_at, c.loaded_records {FROM}
             WHERE c.id = $1"
        );
        let row = statement(sql)
            .bind(chunk)
            .fetch_optional(self.pools.read())
            .await?;
        let told = |row: Row| {
            Ok(ToldChunk {
                part: part(&row)?,
                state: super::claim::parse(&row.get::<String>("state")?)?,
                failures: unsigned(row.get("failures")?),
                error: row.get("error")?,
                at: Nanos(row.get("updated_at")?),
                rows: unsigned(row.get("loaded_records")?),
            })
        };
        row.map(told).transpose()
    }

    /// What was settled in each minute from one on, in order; minutes in which nothing was are left out.
    /// It reads the chunks that were settled since.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn settled_since(&self, minute: i64) -> Result<Vec<SettledMinute>, StoreError> {
        let rows = statement(
            "SELECT updated_at / $1 AS minute, count(*) AS chunks,
                 CAST(sum(loaded_records) AS BIGINT) AS loaded,
                 CAST(sum(bytes_received) AS BIGINT) AS bytes
             FROM chunks WHERE state IN ('done', 'empty') AND updated_at >= $2
             GROUP BY updated_at / $1 ORDER BY minute",
        )
        .bind(MINUTE)
        .bind(minute.saturating_mul(MINUTE))
        .fetch_all(self.pools.read())
        .await?;
        rows.iter()
            .map(|row| {
                Ok(SettledMinute {
                    minute: row.get("minute")?,
                    chunks: unsigned(row.get("chunks")?),
                    rows: unsigned(row.get("loaded")?),
                    bytes: unsigned(row.get("bytes")?),
                })
            })
            .collect()
    }

    /// What time it is, by the database's clock where that is a server.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn now(&self) -> Result<Nanos, StoreError> {
        self.instant(self.pools.read(), Moment::Now).await
    }
}

fn part(row: &Row) -> Result<Part, StoreError> {
    Ok(Part {
        chunk: ChunkId(row.get("id")?),
        job: JobId(row.get("job_id")?),
        job_name: row.get("name")?,
        schema: row.get("schema")?,
        symbols: super::claim::symbols(&row.get::<String>("symbols")?)?.to_string(),
        days: super::claim::days(row)?,
    })
}
