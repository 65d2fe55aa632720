//! Settlements without rows: empty, put off, dead; and jobs that are paused.

use sqlx::{Sqlite, Transaction};

use super::coverage::{held_by_others, insert_slices, own_slices};
use super::symbology::{insert_windows, symbol_windows};
use super::{Claim, Held, Store, StoreError};
use crate::archive::Manifest;
use crate::chunk::{ChunkEvent, ChunkState, JobId};
use crate::request::JobSource;
use crate::time::Nanos;
use crate::vendor::Resolution;

/// Why a claim goes back to the queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PutOff {
    /// The attempt failed; it counts.
    Failed(String),
    /// The vendor doesn't have the days yet.
    NotYet(String),
    /// The worker stops, or may not spend; the chunk is as good as before.
    HandedBack(String),
}

impl Store {
    /// Settles a chunk that has no records: what nobody else holds of the slices is held all the
    /// same, so that nobody asks again. A chunk of files holds none: a file that was cut between
    /// two records is a proof for its own job alone.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] when the claim was lost.
    pub async fn settle_empty(
        &self,
        claim: &Claim,
        slices: &[Held],
        resolution: &Resolution,
        now: Nanos,
    ) -> Result<(), StoreError> {
        let event = ChunkEvent::FindEmpty;
        let slices = match claim.chunk.source {
            JobSource::Vendor => slices,
            JobSource::Files(_) => &[],
        };
        self.settle_without_rows(claim, event, slices, resolution, now)
            .await
    }

    /// Settles a chunk of which other chunks hold everything: it is done, and nothing is its own.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] when the claim was lost.
    pub async fn settle_held(
        &self,
        claim: &Claim,
        resolution: &Resolution,
        now: Nanos,
    ) -> Result<(), StoreError> {
        let event = ChunkEvent::Load;
        self.settle_without_rows(claim, event, &[], resolution, now)
            .await
    }

    async fn settle_without_rows(
        &self,
        claim: &Claim,
        event: ChunkEvent,
        slices: &[Held],
        resolution: &Resolution,
        now: Nanos,
    ) -> Result<(), StoreError> {
        let to = ChunkState::Running.after(event)?;
        let mut transaction = self.write.begin_with("BEGIN IMMEDIATE").await?;
        let updated = sqlx::query(
            "UPDATE chunks SET state = ?, expected_records = 0, error = NULL, owner = NULL,
                 lease_until = NULL, updated_at = ?
             WHERE id = ? AND epoch = ? AND state = 'running'",
        )
        .bind(to.name())
        .bind(now.0)
        .bind(claim.chunk.id.0)
        .bind(claim.epoch)
        .execute(&mut *transaction)
        .await?;
        fence(claim, updated.rows_affected())?;
        let others = held_by_others(&mut transaction, &claim.chunk).await?;
        let own = own_slices(slices, &others);
        insert_slices(&mut transaction, &claim.chunk, &own).await?;
        insert_windows(
            &mut transaction,
            &claim.chunk.dataset,
            &symbol_windows(&claim.chunk, resolution),
        )
        .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Gives a claim back: the chunk is pending again, and due at `due_at`.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] when the claim was lost.
    pub async fn put_off(
        &self,
        claim: &Claim,
        why: &PutOff,
        due_at: Nanos,
        now: Nanos,
    ) -> Result<(), StoreError> {
        let to = ChunkState::Running.after(ChunkEvent::PutOff)?;
        let (failed, error) = match why {
            PutOff::Failed(error) => (1, error),
            PutOff::NotYet(error) | PutOff::HandedBack(error) => (0, error),
        };
        let updated = sqlx::query(
            "UPDATE chunks SET state = ?, due_at = ?, failures = failures + ?,
                 error = ?, owner = NULL, lease_until = NULL, updated_at = ?
             WHERE id = ? AND epoch = ? AND state = 'running'",
        )
        .bind(to.name())
        .bind(due_at.0)
        .bind(failed)
        .bind(error)
        .bind(now.0)
        .bind(claim.chunk.id.0)
        .bind(claim.epoch)
        .execute(&self.write)
        .await?;
        fence(claim, updated.rows_affected())
    }

    /// Gives a chunk up, with the reason.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] when the claim was lost.
    pub async fn give_up(&self, claim: &Claim, error: &str, now: Nanos) -> Result<(), StoreError> {
        let to = ChunkState::Running.after(ChunkEvent::GiveUp)?;
        let updated = sqlx::query(
            "UPDATE chunks SET state = ?, failures = failures + 1, error = ?, owner = NULL,
                 lease_until = NULL, updated_at = ?
             WHERE id = ? AND epoch = ? AND state = 'running'",
        )
        .bind(to.name())
        .bind(error)
        .bind(now.0)
        .bind(claim.chunk.id.0)
        .bind(claim.epoch)
        .execute(&self.write)
        .await?;
        fence(claim, updated.rows_affected())
    }

    /// Notes a stream that is in the archive, whole, and that a claimed chunk's records are in it.
    /// Not fenced: the stream is there whoever asks.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn record_archived(
        &self,
        claim: &Claim,
        manifest: &Manifest,
    ) -> Result<(), StoreError> {
        let mut transaction = self.write.begin_with("BEGIN IMMEDIATE").await?;
        sqlx::query(
            "INSERT INTO archive_objects
                 (key, request, bytes, records, billable_bytes, sha256, fetched_at)
             VALUES (?, ?, ?, ?, ?, ?, ?)
             ON CONFLICT (key) DO UPDATE SET bytes = excluded.bytes, records = excluded.records,
                 billable_bytes = excluded.billable_bytes, sha256 = excluded.sha256,
                 fetched_at = excluded.fetched_at",
        )
        .bind(&manifest.key)
        .bind(manifest.request.canonical())
        .bind(super::rows::count(manifest.bytes))
        .bind(super::rows::count(manifest.records))
        .bind(super::rows::count(manifest.billable_bytes))
        .bind(&manifest.sha256)
        .bind(manifest.fetched_at.0)
        .execute(&mut *transaction)
        .await?;
        sqlx::query(
            "UPDATE chunks SET archive_object = ? WHERE id = ? AND epoch = ? AND state = 'running'",
        )
        .bind(&manifest.key)
        .bind(claim.chunk.id.0)
        .bind(claim.epoch)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Pauses one job, or all that have chunks left: these are not claimed any more.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn pause(&self, job: Option<JobId>, reason: &str) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE jobs SET state = 'paused', reason = ?
             WHERE state = 'active' AND (?2 IS NULL OR id = ?2) AND EXISTS (
                 SELECT 1 FROM chunks AS c
                 WHERE c.job_id = jobs.id AND c.state IN ('pending', 'running'))",
        )
        .bind(reason)
        .bind(job.map(|job| job.0))
        .execute(&self.write)
        .await?;
        Ok(())
    }
}

/// One row was changed, or the claim is not ours any more.
pub(super) fn fence(claim: &Claim, rows_affected: u64) -> Result<(), StoreError> {
    match rows_affected {
        1 => Ok(()),
        _ => Err(StoreError::Fenced(claim.chunk.id)),
    }
}

/// Checks the fence before work is done inside a transaction; the settlement checks it again.
pub(super) async fn check_fence(
    transaction: &mut Transaction<'static, Sqlite>,
    claim: &Claim,
    state: ChunkState,
) -> Result<(), StoreError> {
    let held: Option<i64> =
        sqlx::query_scalar("SELECT 1 FROM chunks WHERE id = ? AND epoch = ? AND state = ?")
            .bind(claim.chunk.id.0)
            .bind(claim.epoch)
            .bind(state.name())
            .fetch_optional(&mut **transaction)
            .await?;
    held.map(|_| ()).ok_or(StoreError::Fenced(claim.chunk.id))
}
