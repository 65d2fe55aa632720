//! The figures of an installation: what its metrics tell, by a few statements that cost the same at a
//! million chunks.

use super::clock::Moment;
use super::statement::statement;
use super::status::{COUNTS, chunk_counts};
use super::{ChunkCounts, Store, StoreError};
use crate::chunk::JobId;
use crate::money::Usd;
use crate::time::{Month, Nanos};

/// Chunks of a job that are looked at for the one that is due the longest: those that are next.
const NEXT: i64 = 500;

/// The figures of an installation at one moment, or nearly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figures {
    /// Chunks of all jobs, by schema and state.
    pub chunks: Vec<(String, ChunkCounts)>,
    /// The states of all jobs, as [`super::JobStatus`] tells them.
    pub jobs: Vec<&'static str>,
    /// Since when the chunk is due that waits the longest, of those of active jobs that are next.
    pub oldest_due: Option<Nanos>,
    /// When a chunk was last done or proven empty.
    pub last_success: Option<Nanos>,
    /// What was spent this month.
    pub spend: MonthsSpend,
    /// When this was so, by the database's clock.
    pub now: Nanos,
}

/// What all jobs spent in a month.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MonthsSpend {
    /// Reserved for requests that are not settled.
    pub reserved: Usd,
    /// Settled by what was received.
    pub settled: Usd,
    /// What requests would have cost that the archive answered.
    pub saved: Usd,
}

impl Store {
    /// The figures of the installation.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn figures(&self, now: impl Into<Moment>) -> Result<Figures, StoreError> {
        let now = self.instant(self.pools.read(), now.into()).await?;
        let jobs = self.jobs(None).await?;
        let mut oldest_due = None;
        for job in jobs.iter().filter(|job| job.is_open()) {
            let due = self.due_since(job.id, now).await?;
            oldest_due = [oldest_due, due].into_iter().flatten().min();
        }
        Ok(Figures {
            chunks: self.chunks_by_schema().await?,
            jobs: jobs.iter().map(|job| job.state).collect(),
            oldest_due,
            last_success: self.last_success().await?,
            spend: self.spend_of(Month::of(now)).await?,
            now,
        })
    }

    /// Asks nothing: whether the database answers.
    ///
    /// # Errors
    /// [`StoreError`] when it doesn't.
    pub async fn ping(&self) -> Result<(), StoreError> {
        statement("SELECT 1").fetch_one(self.pools.read()).await?;
        Ok(())
    }

    async fn chunks_by_schema(&self) -> Result<Vec<(String, ChunkCounts)>, StoreError> {
        let sql = format!(
            "SELECT c.schema, {COUNTS} FROM job_counts AS c GROUP BY c.schema ORDER BY c.schema"
        );
        let rows = statement(sql).fetch_all(self.pools.read()).await?;
        rows.iter()
            .map(|row| Ok((row.get("schema")?, chunk_counts(row)?)))
            .collect()
    }

    /// Since when a chunk of a job is due: of those that are next, and those whose worker is gone. Two
    /// branches, each of which an index answers.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn due_since(&self, job: JobId, now: Nanos) -> Result<Option<Nanos>, StoreError> {
        let row = statement(
            "SELECT min(since) FROM (
                 SELECT due_at AS since FROM (
                     SELECT due_at FROM chunks
                     WHERE job_id = $1 AND state = 'pending' AND due_at <= $2
                     ORDER BY priority DESC, id LIMIT $3) AS waiting
                 UNION ALL
                 SELECT lease_until FROM chunks
                 WHERE job_id = $1 AND state = 'running' AND lease_until <= $2) AS due",
        )
        .bind(job)
        .bind(now)
        .bind(NEXT)
        .fetch_one(self.pools.read())
        .await?;
        Ok(row.at::<Option<i64>>(0)?.map(Nanos))
    }

    async fn last_success(&self) -> Result<Option<Nanos>, StoreError> {
        let row = statement("SELECT max(updated_at) FROM chunks WHERE state IN ('done', 'empty')")
            .fetch_one(self.pools.read())
            .await?;
        Ok(row.at::<Option<i64>>(0)?.map(Nanos))
    }

    /// What all jobs spent in a calendar month.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn spend_of(&self, month: Month) -> Result<MonthsSpend, StoreError> {
        let row = statement(
            "SELECT CAST(coalesce(sum(reserved_nanousd), 0) AS BIGINT),
                 CAST(coalesce(sum(settled_nanousd), 0) AS BIGINT),
                 CAST(coalesce(sum(saved_nanousd), 0) AS BIGINT)
             FROM spend_totals WHERE month = $1",
        )
        .bind(month.to_string())
        .fetch_one(self.pools.read())
        .await?;
        Ok(MonthsSpend {
            reserved: Usd(row.at(0)?),
            settled: Usd(row.at(1)?),
            saved: Usd(row.at(2)?),
        })
    }
}

impl Figures {
    /// For how many seconds the chunk that waits the longest has been due; 0 when none is.
    #[must_use]
    pub fn oldest_due_seconds(&self) -> f64 {
        let since = self.oldest_due.map(|since| self.now.seconds_since(since));
        since.unwrap_or_default().max(0.0)
    }

    /// How many jobs are in a state.
    #[must_use]
    pub fn jobs_in(&self, state: &str) -> u64 {
        let count = self.jobs.iter().filter(|of| **of == state).count();
        crate::as_u64(count)
    }
}
