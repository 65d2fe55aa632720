//! What the ledger tells of how the work goes: what ended how, what waits, and why.

use std::collections::BTreeMap;

use super::clock::Moment;
use super::rows::unsigned;
use super::statement::{Row, statement};
use super::{Store, StoreError};
use crate::chunk::{ChunkState, JobId};
use crate::money::Usd;
use crate::time::Nanos;

/// Reasons that are told of retries, and of dead chunks.
const REASONS_MAX: i64 = 5;

/// How the work on chunks goes, of jobs that were not called off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Workings {
    /// Chunks that are done or empty.
    pub settled: u64,
    /// Chunks that were given up.
    pub dead: u64,
    /// Chunks that run, those of the next field included.
    pub running: u64,
    /// Chunks that run, and whose lease has ended: whoever worked on them is gone, and nobody has taken
    /// them up.
    pub abandoned: u64,
    /// Chunks that wait and are due, of jobs that are not paused.
    pub due: u64,
    /// Since when the one is due that is due the longest.
    pub oldest_due: Option<Nanos>,
    /// How often chunks were claimed.
    pub claims: u64,
    /// Chunks that were claimed at all.
    pub claimed: u64,
    /// Failed attempts that count against a chunk; `scheduler retry` forgets a chunk's.
    pub failures: u64,
    /// When this was so.
    pub now: Nanos,
}

/// What chunks say was their last error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// The error.
    pub error: String,
    /// How many chunks say so.
    pub chunks: u64,
}

/// What a job has spent of its limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobSpending {
    /// Its number.
    pub job: JobId,
    /// Its name.
    pub name: String,
    /// Spent, or reserved and not settled.
    pub committed: Usd,
    /// What it may spend.
    pub limit: Usd,
}

impl Store {
    /// How the work goes, of one job or of all. Reads all their chunks.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn workings(
        &self,
        job: Option<JobId>,
        now: impl Into<Moment>,
    ) -> Result<Workings, StoreError> {
        let due = "c.state = 'pending' AND c.due_at <= t.now AND j.state = 'active'";
        let sql = format!(
            "WITH t AS MATERIALIZED (SELECT CAST({} AS BIGINT) AS now)
             SELECT
                 count(*) FILTER (WHERE c.state IN ('done', 'empty')) AS settled,
                 count(*) FILTER (WHERE c.state = 'dead') AS dead,
                 count(*) FILTER (WHERE c.state = 'running') AS running,
                 count(*) FILTER (WHERE c.state = 'running' AND c.lease_until <= t.now)
                     AS abandoned,
                 count(*) FILTER (WHERE {due}) AS due,
                 min(c.due_at) FILTER (WHERE {due}) AS oldest_due,
                 CAST(coalesce(sum(c.epoch), 0) AS BIGINT) AS claims,
                 count(*) FILTER (WHERE c.epoch > 0) AS claimed,
                 CAST(coalesce(sum(c.failures), 0) AS BIGINT) AS failures,
                 t.now
             FROM t LEFT JOIN jobs AS j ON j.state <> 'cancelled' AND ($2 IS NULL OR j.id = $2)
             LEFT JOIN chunks AS c ON c.job_id = j.id
             GROUP BY t.now",
            self.pools.moment(1)
        );
        let row = statement(sql)
            .bind(now.into())
            .bind(job.map(|job| job.0))
            .fetch_one(self.pools.read())
            .await?;
        let count = |name| Ok::<_, StoreError>(unsigned(row.get(name)?));
        Ok(Workings {
            settled: count("settled")?,
            dead: count("dead")?,
            running: count("running")?,
            abandoned: count("abandoned")?,
            due: count("due")?,
            oldest_due: row.get::<Option<i64>>("oldest_due")?.map(Nanos),
            claims: count("claims")?,
            claimed: count("claimed")?,
            failures: count("failures")?,
            now: Nanos(row.get("now")?),
        })
    }

    /// Why chunks in a state failed the last time, of one job or of all: the most frequent reasons
    /// first, a few of many.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn reasons(
        &self,
        job: Option<JobId>,
        state: ChunkState,
    ) -> Result<Vec<Reason>, StoreError> {
        let rows = statement(
            "SELECT c.error, count(*) AS chunks FROM chunks AS c JOIN jobs AS j ON j.id = c.job_id
             WHERE c.state = $1 AND c.failures > 0 AND c.error IS NOT NULL
                 AND j.state <> 'cancelled' AND ($2 IS NULL OR c.job_id = $2)
             GROUP BY c.error ORDER BY count(*) DESC, c.error LIMIT $3",
        )
        .bind(state.name())
        .bind(job.map(|job| job.0))
        .bind(REASONS_MAX)
        .fetch_all(self.pools.read())
        .await?;
        let reason = |row: &Row| {
            Ok(Reason {
                error: row.get("error")?,
                chunks: unsigned(row.get("chunks")?),
            })
        };
        rows.iter().map(reason).collect()
    }

    /// What these jobs may spend, of those that have a limit.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn limits_of(&self, jobs: &[JobId]) -> Result<BTreeMap<JobId, Usd>, StoreError> {
        let numbers: Vec<_> = jobs.iter().map(JobId::to_string).collect();
        let sql = format!(
            "SELECT id, max_cost_nanousd AS upto FROM jobs WHERE max_cost_nanousd IS NOT NULL
                 AND id IN (SELECT CAST(wanted.value AS BIGINT) FROM {})",
            self.pools.json_list("$1", "wanted")
        );
        let rows = statement(sql)
            .bind(format!("[{}]", numbers.join(",")))
            .fetch_all(self.pools.read())
            .await?;
        rows.iter()
            .map(|row| Ok((JobId(row.get("id")?), Usd(row.get("upto")?))))
            .collect()
    }

    /// What jobs with a limit have spent of it, of one job or of all that were not called off.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn limited_jobs(&self, job: Option<JobId>) -> Result<Vec<JobSpending>, StoreError> {
        let rows = statement(
            "SELECT j.id, j.name, j.max_cost_nanousd AS upto,
                 CAST(coalesce(sum(t.reserved_nanousd + t.settled_nanousd), 0) AS BIGINT)
                     AS committed
             FROM jobs AS j LEFT JOIN spend_totals AS t ON t.job_id = j.id
             WHERE j.state <> 'cancelled' AND j.max_cost_nanousd IS NOT NULL
                 AND ($1 IS NULL OR j.id = $1)
             GROUP BY j.id, j.name, j.max_cost_nanousd ORDER BY j.id",
        )
        .bind(job.map(|job| job.0))
        .fetch_all(self.pools.read())
        .await?;
        let spending = |row: &Row| {
            Ok(JobSpending {
                job: JobId(row.get("id")?),
                name: row.get("name")?,
                committed: Usd(row.get("committed")?),
                limit: Usd(row.get("upto")?),
            })
        };
        rows.iter().map(spending).collect()
    }
}
