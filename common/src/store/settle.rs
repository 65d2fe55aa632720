//! Settlements without rows: empty, put off, dead.

use super::clock::{Due, Moment, nanoseconds};
use super::coverage::{held_by_others, insert_slices, own_slices, take_turn};
use super::engine::Transaction;
use super::statement::statement;
use super::symbology::{insert_windows, symbol_windows};
use super::{Claim, Held, Slice, Store, StoreError};
use crate::archive::Manifest;
use crate::chunk::{ChunkEvent, ChunkId, ChunkState};
use crate::request::JobSource;
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
        now: impl Into<Moment>,
    ) -> Result<(), StoreError> {
        let event = ChunkEvent::FindEmpty;
        let slices = match claim.chunk.source {
            JobSource::Vendor => slices,
            JobSource::Files(_) => &[],
        };
        self.settle_without_rows(claim, event, slices, resolution, now.into())
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
        now: impl Into<Moment>,
    ) -> Result<(), StoreError> {
        let event = ChunkEvent::Load;
        self.settle_without_rows(claim, event, &[], resolution, now.into())
            .await
    }

    async fn settle_without_rows(
        &self,
        claim: &Claim,
        event: ChunkEvent,
        slices: &[Held],
        resolution: &Resolution,
        now: Moment,
    ) -> Result<(), StoreError> {
        let to = ChunkState::Running.after(event)?;
        let mut transaction = self.pools.begin().await?;
        let updated = statement(format!(
            "UPDATE chunks SET state = $1, expected_records = 0, error = NULL, owner = NULL,
                 lease_until = NULL, updated_at = {}
             WHERE id = $3 AND epoch = $4 AND state = 'running'",
            self.pools.moment(2)
        ))
        .bind(to.name())
        .bind(now)
        .bind(claim.chunk.id)
        .bind(claim.epoch)
        .execute(&mut transaction)
        .await?;
        fence(claim, updated)?;
        end_turns(&mut transaction, claim).await?;
        take_turn(&mut transaction, &claim.chunk).await?;
        let others = held_by_others(&mut transaction, &claim.chunk).await?;
        let own = own_slices(slices, &others).into_iter();
        let own: Vec<_> = own.map(Slice::without_records).collect();
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

    /// Gives a claim back: the chunk is pending again, and due as `due` says.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] when the claim was lost.
    pub async fn put_off(
        &self,
        claim: &Claim,
        why: &PutOff,
        due: impl Into<Due>,
        now: impl Into<Moment>,
    ) -> Result<(), StoreError> {
        let to = ChunkState::Running.after(ChunkEvent::PutOff)?;
        let (failed, error) = match why {
            PutOff::Failed(error) => (1_i64, error),
            PutOff::NotYet(error) | PutOff::HandedBack(error) => (0, error),
        };
        let (at, after) = match due.into() {
            Due::At(time) => (Some(time.0), 0),
            Due::After(delay) => (None, nanoseconds(delay)),
        };
        let sql = format!(
            "UPDATE chunks SET state = $1, due_at = coalesce($2, {now}) + $3,
                 failures = failures + $4, error = $5, owner = NULL, lease_until = NULL,
                 updated_at = {now}
             WHERE id = $7 AND epoch = $8 AND state = 'running'",
            now = self.pools.moment(6),
        );
        let updated = statement(sql)
            .bind(to.name())
            .bind(at)
            .bind(after)
            .bind(failed)
            .bind(error)
            .bind(now.into())
            .bind(claim.chunk.id)
            .bind(claim.epoch)
            .execute(self.pools.write())
            .await?;
        fence(claim, updated)
    }

    /// Calls a claimed chunk off: the source has nothing of its days, and doesn't say that it will.
    /// It counts for nothing any more, and a later submission plans its days anew.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] when the claim was lost.
    pub async fn call_off(
        &self,
        claim: &Claim,
        why: &str,
        now: impl Into<Moment>,
    ) -> Result<(), StoreError> {
        let to = ChunkState::Running.after(ChunkEvent::Cancel)?;
        let updated = statement(format!(
            "UPDATE chunks SET state = $1, expected_records = NULL, error = $2, owner = NULL,
                 lease_until = NULL, updated_at = {}
             WHERE id = $4 AND epoch = $5 AND state = 'running'",
            self.pools.moment(3)
        ))
        .bind(to.name())
        .bind(why)
        .bind(now.into())
        .bind(claim.chunk.id)
        .bind(claim.epoch)
        .execute(self.pools.write())
        .await?;
        fence(claim, updated)
    }

    /// Whether a claim has settled its chunk: what to ask when a commit's answer was lost.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn is_settled(&self, claim: &Claim) -> Result<bool, StoreError> {
        let settled = statement(
            "SELECT 1 FROM chunks WHERE id = $1 AND epoch = $2 AND state IN ('done', 'empty')",
        )
        .bind(claim.chunk.id)
        .bind(claim.epoch)
        .fetch_optional(self.pools.read())
        .await?;
        Ok(settled.is_some())
    }

    /// Whether a chunk was called off.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn is_cancelled(&self, chunk: ChunkId) -> Result<bool, StoreError> {
        let cancelled = statement("SELECT 1 FROM chunks WHERE id = $1 AND state = 'cancelled'")
            .bind(chunk)
            .fetch_optional(self.pools.read())
            .await?;
        Ok(cancelled.is_some())
    }

    /// Gives a chunk up, with the reason.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] when the claim was lost.
    pub async fn give_up(
        &self,
        claim: &Claim,
        error: &str,
        now: impl Into<Moment>,
    ) -> Result<(), StoreError> {
        let to = ChunkState::Running.after(ChunkEvent::GiveUp)?;
        let updated = statement(format!(
            "UPDATE chunks SET state = $1, failures = failures + 1, error = $2, owner = NULL,
                 lease_until = NULL, updated_at = {}
             WHERE id = $4 AND epoch = $5 AND state = 'running'",
            self.pools.moment(3)
        ))
        .bind(to.name())
        .bind(error)
        .bind(now.into())
        .bind(claim.chunk.id)
        .bind(claim.epoch)
        .execute(self.pools.write())
        .await?;
        fence(claim, updated)
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
        let mut transaction = self.pools.begin().await?;
        statement(
            "INSERT INTO archive_objects
                 (key, request, bytes, records, billable_bytes, sha256, fetched_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7)
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
        .bind(manifest.fetched_at)
        .execute(&mut transaction)
        .await?;
        statement(
            "UPDATE chunks SET archive_object = $1 WHERE id = $2 AND epoch = $3 AND state = 'running'",
        )
        .bind(&manifest.key)
        .bind(claim.chunk.id)
        .bind(claim.epoch)
        .execute(&mut transaction)
        .await?;
        end_turns(&mut transaction, claim).await?;
        transaction.commit().await?;
        Ok(())
    }
}

/// The claim fetches nothing any more. What ends otherwise is taken over by whoever comes next.
async fn end_turns(transaction: &mut Transaction, claim: &Claim) -> Result<(), StoreError> {
    statement("DELETE FROM fetches WHERE chunk_id = $1 AND epoch = $2")
        .bind(claim.chunk.id)
        .bind(claim.epoch)
        .execute(transaction)
        .await?;
    Ok(())
}

/// One row was changed, or the claim is not ours any more.
pub(super) fn fence(claim: &Claim, rows_changed: u64) -> Result<(), StoreError> {
    match rows_changed {
        1 => Ok(()),
        _ => Err(StoreError::Fenced(claim.chunk.id)),
    }
}

/// Checks the fence before work is done inside a transaction; the settlement checks it again.
pub(super) async fn check_fence(
    transaction: &mut Transaction,
    claim: &Claim,
    state: ChunkState,
) -> Result<(), StoreError> {
    let held = statement("SELECT 1 FROM chunks WHERE id = $1 AND epoch = $2 AND state = $3")
        .bind(claim.chunk.id)
        .bind(claim.epoch)
        .bind(state.name())
        .fetch_optional(transaction)
        .await?;
    held.map(|_| ()).ok_or(StoreError::Fenced(claim.chunk.id))
}
