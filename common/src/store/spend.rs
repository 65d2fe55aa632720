//! Money: reserved before a request goes out, settled by what was received.
//!
//! What is *committed* is what was settled, and what is reserved and not settled yet. A reservation is
//! refused that would take what is committed above the job's limit, or above the installation's budget
//! for the month of the reservation. All reservations of an installation take turns, so that of two the
//! second sees the first; a settlement needs none: within its reservation it only makes room.
//!
//! A settlement counts what it is, also above its reservation: hidden money would be spent twice. Whoever
//! receives a stream lets it go before that, so that the limits hold.

mod totals;

pub use totals::Spending;

use std::fmt;

use super::clock::Moment;
use super::engine::{Transaction, Turn};
use super::rows::count;
use super::settle::check_fence;
use super::statement::{Target, statement};
use super::{Chunk, Claim, Store, StoreError};
use crate::chunk::JobId;
use crate::money::Usd;
use crate::time::{Month, Nanos};
use totals::Change;

/// All reservations of an installation take their turn at this.
const TURN: &str = "the budget";

/// Money that is set aside for one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reservation {
    id: i64,
    amount: Usd,
    billable_bytes: u64,
    month: Month,
}

impl Reservation {
    /// The most that its request may cost.
    #[must_use]
    pub fn amount(&self) -> Usd {
        self.amount
    }
}

/// What a request would pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Budget {
    /// The job's own limit.
    Job,
    /// The installation's, for a calendar month in UTC.
    Month(Month),
}

impl fmt::Display for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Job => f.write_str("the job's limit"),
            Self::Month(month) => write!(f, "the installation's budget for {month}"),
        }
    }
}

impl Store {
    /// The same database with a budget for each calendar month in UTC, which no reservation passes.
    #[must_use]
    pub fn within_budget(mut self, monthly: Option<Usd>) -> Self {
        self.budget = monthly;
        self
    }

    /// Sets money aside for the claim's request, unless the job's limit or the month's budget would be
    /// passed. The month is that of `now`: on a server give [`Moment::Now`], for workers' clocks differ.
    ///
    /// # Errors
    /// [`StoreError::OverBudget`] when it would; [`StoreError::Fenced`] when the claim was lost.
    pub async fn reserve(
        &self,
        claim: &Claim,
        now: impl Into<Moment>,
    ) -> Result<Reservation, StoreError> {
        let chunk = &claim.chunk;
        let mut transaction = self.pools.begin().await?;
        transaction.turn(TURN, Turn::Alone).await?;
        // Who has lost the claim sends no request that another pays for too.
        check_fence(&mut transaction, claim, claim.state).await?;
        let now = self.instant(&mut transaction, now.into()).await?;
        let month = Month::of(now);
        self.check_limits(&mut transaction, chunk, month).await?;
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
        let change = Change {
            reserved: chunk.cost.0,
            ..Change::default()
        };
        change.count(&mut transaction, chunk, month).await?;
        transaction.commit().await?;
        Ok(Reservation {
            id: reserved.at(0)?,
            amount: chunk.cost,
            billable_bytes: chunk.billable_bytes,
            month,
        })
    }

    /// Settles a reservation by the uncompressed bytes of records that were received, whether or
    /// not they were of use: that is what the vendor bills. What it came to is the answer. Not fenced: what is paid is paid. It counts
    /// in the month of the reservation.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn settle_spend(
        &self,
        claim: &Claim,
        reservation: Reservation,
        bytes: u64,
        now: impl Into<Moment>,
    ) -> Result<Usd, StoreError> {
        let paid = reservation.price_of(bytes);
        let mut transaction = self.pools.begin().await?;
        let now = self.instant(&mut transaction, now.into()).await?;
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
            let change = Change {
                reserved: -reservation.amount.0,
                settled: paid.0,
                bytes: count(bytes),
                ..Change::default()
            };
            let (chunk, month) = (&claim.chunk, reservation.month);
            // Last: others wait for this row.
            change.count(&mut transaction, chunk, month).await?;
        }
        transaction.commit().await?;
        Ok(paid)
    }

    /// Counts what a claim's request would have cost, had the archive not answered it: all of it, or
    /// the part that was kept of a stream that was cut. Each claim that is answered so counts, a retry
    /// after a crash as well: a program without an archive would have paid again.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn record_saved(&self, claim: &Claim, saved: Usd) -> Result<(), StoreError> {
        if saved.0 <= 0 {
            return Ok(());
        }
        let mut transaction = self.pools.begin().await?;
        let now = self.instant(&mut transaction, Moment::Now).await?;
        let change = Change {
            saved: saved.0,
            ..Change::default()
        };
        let month = Month::of(now);
        change.count(&mut transaction, &claim.chunk, month).await?;
        transaction.commit().await
    }

    /// A moment as an instant, by the database's clock where it is a server's.
    pub(super) async fn instant(
        &self,
        on: impl Into<Target<'_>>,
        moment: Moment,
    ) -> Result<Nanos, StoreError> {
        let sql = format!("SELECT CAST({} AS BIGINT)", self.pools.moment(1));
        let row = statement(sql).bind(moment).fetch_one(on).await?;
        Ok(Nanos(row.at(0)?))
    }

    /// Refuses what would pass the job's limit, or the month's budget. What costs nothing passes
    /// neither, though a limit that was lowered may lie below what is spent.
    async fn check_limits(
        &self,
        transaction: &mut Transaction,
        chunk: &Chunk,
        month: Month,
    ) -> Result<(), StoreError> {
        if chunk.cost <= Usd(0) {
            return Ok(());
        }
        let limit = job_limit(&mut *transaction, chunk.job).await?;
        let of_job = totals::committed_by_job(&mut *transaction, chunk.job).await?;
        let of_month = totals::committed_in(transaction, month).await?;
        let limits = [
            (Budget::Job, limit, of_job),
            (Budget::Month(month), self.budget, of_month),
        ];
        for (budget, limit, spent) in limits {
            if let Some(limit) = limit
                && spent + chunk.cost > limit
            {
                return Err(StoreError::OverBudget {
                    budget,
                    needed: chunk.cost,
                    limit,
                    spent,
                });
            }
        }
        Ok(())
    }
}

async fn job_limit(transaction: &mut Transaction, job: JobId) -> Result<Option<Usd>, StoreError> {
    let row = statement("SELECT max_cost_nanousd FROM jobs WHERE id = $1")
        .bind(job)
        .fetch_one(transaction)
        .await?;
    let limit: Option<i64> = row.at(0)?;
    Ok(limit.map(Usd))
}

impl Reservation {
    /// What so many bytes cost at the reservation's price, rounded up. Where that price is unknown,
    /// anything that was received costs all of it.
    fn price_of(&self, bytes: u64) -> Usd {
        match (self.billable_bytes, bytes) {
            (_, 0) => Usd(0),
            (0, _) => self.amount,
            (whole, bytes) => self.amount.share(bytes, whole),
        }
    }
}
