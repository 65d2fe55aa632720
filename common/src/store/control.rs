//! What an operator decides about a job: pause, resume, cancel, try again.

use super::clock::Moment;
use super::statement::statement;
use super::{Store, StoreError};
use crate::chunk::{ChunkEvent, ChunkState, JobId};

impl Store {
    /// Pauses one job, or all that have chunks left: these are not claimed any more, and what runs
    /// may end. Whether any was paused.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn pause(&self, job: Option<JobId>, reason: &str) -> Result<bool, StoreError> {
        let paused = statement(
            "UPDATE jobs SET state = 'paused', reason = $1
             WHERE state = 'active' AND ($2 IS NULL OR id = $2) AND EXISTS (
                 SELECT 1 FROM chunks AS c
                 WHERE c.job_id = jobs.id AND c.state IN ('pending', 'running'))",
        )
        .bind(reason)
        .bind(job.map(|job| job.0))
        .execute(self.pools.write())
        .await?;
        Ok(paused > 0)
    }

    /// Ends a job's pause; whether it was paused.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn resume(&self, job: JobId) -> Result<bool, StoreError> {
        let resumed = statement(
            "UPDATE jobs SET state = 'active', reason = NULL WHERE id = $1 AND state = 'paused'",
        )
        .bind(job)
        .execute(self.pools.write())
        .await?;
        Ok(resumed > 0)
    }

    /// Calls a job off: its chunks that are not finished are cancelled, and whoever works on one is
    /// fenced. What was loaded stays. How many chunks were cancelled.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn cancel(
        &self,
        job: JobId,
        reason: &str,
        now: impl Into<Moment>,
    ) -> Result<u64, StoreError> {
        let to = ChunkState::Pending.after(ChunkEvent::Cancel)?;
        let mut transaction = self.pools.begin().await?;
        statement("UPDATE jobs SET state = 'cancelled', reason = $2 WHERE id = $1")
            .bind(job)
            .bind(reason)
            .execute(&mut transaction)
            .await?;
        let sql = format!(
            "UPDATE chunks SET state = $1, owner = NULL, lease_until = NULL, updated_at = {now}
             WHERE job_id = $3 AND state IN ('pending', 'running', 'dead')",
            now = self.pools.moment(2),
        );
        let cancelled = statement(sql)
            .bind(to.name())
            .bind(now.into())
            .bind(job)
            .execute(&mut transaction)
            .await?;
        transaction.commit().await?;
        Ok(cancelled)
    }

    /// Tries a job's dead chunks again, and those that wait for a retry at once; how many.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn retry(&self, job: JobId, now: impl Into<Moment>) -> Result<u64, StoreError> {
        let to = ChunkState::Dead.after(ChunkEvent::Revive)?;
        let sql = format!(
            "UPDATE chunks SET state = $1, failures = 0, due_at = {now}, updated_at = {now}
             WHERE job_id = $3 AND (state = 'dead' OR (state = 'pending' AND failures > 0))",
            now = self.pools.moment(2),
        );
        statement(sql)
            .bind(to.name())
            .bind(now.into())
            .bind(job)
            .execute(self.pools.write())
            .await
    }
}
