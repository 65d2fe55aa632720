//! Money: reserved before a request goes out, settled by what was received.

use super::rows::{count, unsigned};
use super::{Claim, Store, StoreError};
use crate::chunk::JobId;
use crate::money::Usd;
use crate::time::Nanos;

/// Money that is set aside for one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reservation {
    id: i64,
    amount: Usd,
    billable_bytes: u64,
}

impl Store {
    /// Sets money aside for the claim's request, unless the job's limit would be passed.
    ///
    /// # Errors
    /// [`StoreError::OverBudget`] when it would.
    pub async fn reserve(&self, claim: &Claim, now: Nanos) -> Result<Reservation, StoreError> {
        let chunk = &claim.chunk;
        let mut transaction = self.write.begin_with("BEGIN IMMEDIATE").await?;
        let spent: i64 = sqlx::query_scalar(
            "SELECT coalesce(sum(coalesce(settled_nanousd, reserved_nanousd)), 0)
             FROM spend WHERE job_id = ?",
        )
        .bind(chunk.job.0)
        .fetch_one(&mut *transaction)
        .await?;
        let limit: Option<i64> =
            sqlx::query_scalar("SELECT max_cost_nanousd FROM jobs WHERE id = ?")
                .bind(chunk.job.0)
                .fetch_one(&mut *transaction)
                .await?;
        if let Some(limit) = limit.map(Usd)
            && Usd(spent) + chunk.cost > limit
        {
            return Err(StoreError::OverBudget {
                needed: chunk.cost,
                limit,
                spent: Usd(spent),
            });
        }
        let id = sqlx::query_scalar(
            "INSERT INTO spend (job_id, chunk_id, epoch, reserved_nanousd, reserved_at)
             VALUES (?, ?, ?, ?, ?) RETURNING id",
        )
        .bind(chunk.job.0)
        .bind(chunk.id.0)
        .bind(claim.epoch)
        .bind(chunk.cost.0)
        .bind(now.0)
        .fetch_one(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(Reservation {
            id,
            amount: chunk.cost,
            billable_bytes: chunk.billable_bytes,
        })
    }

    /// Settles a reservation by the uncompressed bytes of records that were received, whether or
    /// not they were of use: that is what the vendor bills. Not fenced: what is paid is paid.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn settle_spend(
        &self,
        claim: &Claim,
        reservation: Reservation,
        bytes: u64,
        now: Nanos,
    ) -> Result<(), StoreError> {
        let paid = reservation.amount.share(bytes, reservation.billable_bytes);
        let mut transaction = self.write.begin_with("BEGIN IMMEDIATE").await?;
        sqlx::query("UPDATE spend SET settled_nanousd = ?, bytes = ?, settled_at = ? WHERE id = ?")
            .bind(paid.0)
            .bind(count(bytes))
            .bind(now.0)
            .bind(reservation.id)
            .execute(&mut *transaction)
            .await?;
        sqlx::query("UPDATE chunks SET bytes_received = bytes_received + ? WHERE id = ?")
            .bind(count(bytes))
            .bind(claim.chunk.id.0)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// What a job has spent, or reserved and not settled, and the bytes received for it.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn spent(&self, job: JobId) -> Result<(Usd, u64), StoreError> {
        let (spent, bytes): (i64, i64) = sqlx::query_as(
            "SELECT coalesce(sum(coalesce(settled_nanousd, reserved_nanousd)), 0),
                 coalesce(sum(bytes), 0)
             FROM spend WHERE job_id = ?",
        )
        .bind(job.0)
        .fetch_one(&self.read)
        .await?;
        Ok((Usd(spent), unsigned(bytes)))
    }
}
