//! Money: reserved before a request goes out, settled by what was received.

use super::rows::{count, unsigned};
use super::settle::check_fence;
use super::statement::{Target, statement};
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
    /// [`StoreError::OverBudget`] when it would; [`StoreError::Fenced`] when the claim was lost.
    pub async fn reserve(&self, claim: &Claim, now: Nanos) -> Result<Reservation, StoreError> {
        let chunk = &claim.chunk;
        let mut transaction = self.pools.begin().await?;
        // Who has lost the claim sends no request that another pays for too.
        check_fence(&mut transaction, claim, claim.state).await?;
        // Locked before the sum is read: of two workers at once the second sees the first's.
        let sql = format!(
            "SELECT max_cost_nanousd FROM jobs WHERE id = $1{}",
            self.pools.for_update()
        );
        let row = statement(sql)
            .bind(chunk.job)
            .fetch_one(&mut transaction)
            .await?;
        let limit: Option<i64> = row.at(0)?;
        let (spent, _) = spent(&mut transaction, chunk.job).await?;
        if let Some(limit) = limit.map(Usd)
            && spent + chunk.cost > limit
        {
            return Err(StoreError::OverBudget {
                needed: chunk.cost,
                limit,
                spent,
            });
        }
        let reserved = statement(
            "INSERT INTO spend (job_id, chunk_id, epoch, reserved_nanousd, reserved_at)
             VALUES ($1, $2, $3, $4, $5) RETURNING id",
        )
        .bind(chunk.job)
        .bind(chunk.id)
        .bind(claim.epoch)
        .bind(chunk.cost)
        .bind(now)
        .fetch_one(&mut transaction)
        .await?;
        let id = reserved.at(0)?;
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
        let mut transaction = self.pools.begin().await?;
        let settled = statement(
            "UPDATE spend SET settled_nanousd = $1, bytes = $2, settled_at = $3
             WHERE id = $4 AND settled_nanousd IS NULL",
        )
        .bind(paid)
        .bind(count(bytes))
        .bind(now)
        .bind(reservation.id)
        .execute(&mut transaction)
        .await?;
        // Settled twice, as when the first time's answer was lost, it counts once.
        if settled == 1 {
            statement("UPDATE chunks SET bytes_received = bytes_received + $1 WHERE id = $2")
                .bind(count(bytes))
                .bind(claim.chunk.id)
                .execute(&mut transaction)
                .await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// What a job has spent, or reserved and not settled, and the bytes received for it.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn spent(&self, job: JobId) -> Result<(Usd, u64), StoreError> {
        spent(self.pools.read(), job).await
    }
}

async fn spent(on: impl Into<Target<'_>>, job: JobId) -> Result<(Usd, u64), StoreError> {
    let row = statement(
        "SELECT CAST(coalesce(sum(coalesce(settled_nanousd, reserved_nanousd)), 0) AS BIGINT),
             CAST(coalesce(sum(bytes), 0) AS BIGINT)
         FROM spend WHERE job_id = $1",
    )
    .bind(job)
    .fetch_one(on)
    .await?;
    Ok((Usd(row.at(0)?), unsigned(row.at(1)?)))
}
