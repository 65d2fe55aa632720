//! What whoever watches looks at: chunks that run, chunks that failed, and what was settled when. Each
//! costs the same at a million chunks.

use std::collections::BTreeMap;

use serde::Serialize;

use super::clock::Moment;
use super::rows::unsigned;
use super::statement::{Row, statement};
use super::{Store, StoreError};
use crate::chunk::{ChunkId, ChunkState, JobId};
use crate::time::{DayRange, MINUTE, Nanos};

/// Characters that are read of a chunk's list of symbols: there can be thousands of names, and whoever
/// watches asks each second.
const SYMBOLS_READ: usize = 2_000;

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
    /// The symbols, as text: of thousands the first, and then `…`.
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

/// A statement of those that whoever watches asks, so that its plan can be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// [`Store::working`].
    Working,
    /// [`Store::runs_by_worker`].
    RunsByWorker,
    /// [`Store::failures`] of all jobs.
    Failures,
    /// [`Store::failures`] of one.
    FailuresOfJob,
    /// [`Store::settled_since`].
    SettledSince,
}

impl Question {
    /// The statement's text.
    #[must_use]
    pub fn text(self) -> String {
        let (part, failed) = (part_columns(), failed_columns());
        match self {
            Self::Working => format!(
                "SELECT {part}, c.owner, c.epoch, c.updated_at, c.lease_until, c.expected_records
                 {FROM} WHERE c.state = 'running' AND ($1 IS NULL OR c.job_id = $1)
                 ORDER BY c.updated_at, c.id LIMIT $2"
            ),
            Self::RunsByWorker => "SELECT owner, count(*) AS chunks FROM chunks
                 WHERE state = 'running' AND owner IS NOT NULL GROUP BY owner"
                .to_owned(),
            Self::Failures => format!(
                "SELECT {part}, {failed} {FROM} WHERE {FAILED} ORDER BY c.updated_at DESC LIMIT $1"
            ),
            Self::FailuresOfJob => format!(
                "SELECT {part}, {failed} {FROM} WHERE {FAILED} AND c.job_id = $2
                 ORDER BY c.updated_at DESC LIMIT $1"
            ),
            Self::SettledSince => "SELECT updated_at / $1 AS minute, count(*) AS chunks,
                     CAST(sum(loaded_records) AS BIGINT) AS loaded,
                     CAST(sum(bytes_received) AS BIGINT) AS bytes
                 FROM chunks WHERE state IN ('done', 'empty') AND updated_at >= $2
                 GROUP BY updated_at / $1 ORDER BY minute"
                .to_owned(),
        }
    }
}

const FROM: &str = "FROM chunks AS c JOIN jobs AS j ON j.id = c.job_id
    JOIN symbol_sets AS s ON s.id = c.symbols_id";
/// As the indexes say it.
const FAILED: &str = "(c.state = 'dead' OR (c.state = 'pending' AND c.failures > 0))";

/// The columns of [`Part`]; `j` is the job, `c` the chunk, `s` its symbols.
fn part_columns() -> String {
    format!(
        "c.id, c.job_id, j.name, c.schema, substr(s.symbols, 1, {SYMBOLS_READ}) AS symbols,
         c.start_ns, c.end_ns"
    )
}

fn failed_columns() -> &'static str {
    "c.state, c.failures, c.error, c.updated_at, c.due_at"
}

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
        let rows = statement(Question::Working.text())
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

    /// How many chunks each worker runs, by its name.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn runs_by_worker(&self) -> Result<BTreeMap<String, u64>, StoreError> {
        let rows = statement(Question::RunsByWorker.text())
            .fetch_all(self.pools.read())
            .await?;
        rows.iter()
            .map(|row| Ok((row.get("owner")?, unsigned(row.get("chunks")?))))
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
        let rows = match job {
            Some(job) => {
                statement(Question::FailuresOfJob.text())
                    .bind(limit)
                    .bind(job)
                    .fetch_all(self.pools.read())
                    .await?
            }
            None => {
                statement(Question::Failures.text())
                    .bind(limit)
                    .fetch_all(self.pools.read())
                    .await?
            }
        };
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
            "SELECT {}, c.state, c.failures, c.error, c.updated_at, c.loaded_records {FROM}
             WHERE c.id = $1",
            part_columns()
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
        let rows = statement(Question::SettledSince.text())
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
        symbols: symbols_of(&row.get::<String>("symbols")?)?,
        days: super::claim::days(row)?,
    })
}

/// The symbols of a list, as text, where all of it or its beginning was read.
fn symbols_of(read: &str) -> Result<String, StoreError> {
    if read.chars().count() < SYMBOLS_READ {
        return Ok(super::claim::symbols(read)?.to_string());
    }
    // The last name, which is cut, and the end of the list are left out.
    let whole = read.rfind("\",").map_or("[", |at| &read[..=at]);
    let symbols = super::claim::symbols(&format!("{whole}]"))?;
    Ok(format!("{symbols},…"))
}
