//! What was spent, added up by job, month, dataset and schema.

use serde::Serialize;

use super::super::clock::Moment;
use super::super::engine::Transaction;
use super::super::rows::unsigned;
use super::super::statement::{Target, statement};
use super::super::{Chunk, Store, StoreError};
use crate::chunk::JobId;
use crate::money::Usd;
use crate::time::Month;

/// What one job spent in one month on one dataset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Spending {
    /// The job's number.
    pub job: JobId,
    /// Its name.
    pub name: String,
    /// The month of the reservations, and of the claims that the archive answered.
    pub month: Month,
    /// The dataset.
    pub dataset: String,
    /// Reserved for requests that are not settled: they are open, or their worker died before it could
    /// tell what it received. They count as spent.
    pub reserved_usd: Usd,
    /// Settled by what was received, failed attempts included.
    pub settled_usd: Usd,
    /// What requests would have cost that the archive answered.
    pub saved_usd: Usd,
    /// Uncompressed bytes of records that were received.
    pub bytes: u64,
}

/// A change of the totals, in billionths of a US dollar and bytes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Change {
    pub(super) reserved: i64,
    pub(super) settled: i64,
    pub(super) saved: i64,
    pub(super) bytes: i64,
}

/// What is settled or reserved, as a sum.
const COMMITTED: &str = "CAST(coalesce(sum(reserved_nanousd + settled_nanousd), 0) AS BIGINT)";

impl Change {
    /// Counts it for a chunk's job, dataset and schema in a month.
    pub(super) async fn count(
        self,
        transaction: &mut Transaction,
        chunk: &Chunk,
        month: Month,
    ) -> Result<(), StoreError> {
        statement(
            "INSERT INTO spend_totals AS t (job_id, month, dataset, schema, reserved_nanousd,
                 settled_nanousd, saved_nanousd, bytes)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
             ON CONFLICT (job_id, month, dataset, schema) DO UPDATE SET
                 reserved_nanousd = t.reserved_nanousd + excluded.reserved_nanousd,
                 settled_nanousd = t.settled_nanousd + excluded.settled_nanousd,
                 saved_nanousd = t.saved_nanousd + excluded.saved_nanousd,
                 bytes = t.bytes + excluded.bytes",
        )
        .bind(chunk.job)
        .bind(month.to_string())
        .bind(&chunk.dataset)
        .bind(chunk.schema.as_str())
        .bind(self.reserved)
        .bind(self.settled)
        .bind(self.saved)
        .bind(self.bytes)
        .execute(transaction)
        .await?;
        Ok(())
    }
}

/// What is settled or reserved of a job.
pub(super) async fn committed_by_job(
    on: impl Into<Target<'_>>,
    job: JobId,
) -> Result<Usd, StoreError> {
    let sql = format!("SELECT {COMMITTED} FROM spend_totals WHERE job_id = $1");
    let row = statement(sql).bind(job).fetch_one(on).await?;
    Ok(Usd(row.at(0)?))
}

/// What is settled or reserved of all jobs in a month.
pub(super) async fn committed_in(
    on: impl Into<Target<'_>>,
    month: Month,
) -> Result<Usd, StoreError> {
    let sql = format!("SELECT {COMMITTED} FROM spend_totals WHERE month = $1");
    let row = statement(sql).bind(month.to_string()).fetch_one(on).await?;
    Ok(Usd(row.at(0)?))
}

impl Store {
    /// What a job has spent, or reserved and not settled, and the bytes received for it.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn spent(&self, job: JobId) -> Result<(Usd, u64), StoreError> {
        let sql = format!(
            "SELECT {COMMITTED}, CAST(coalesce(sum(bytes), 0) AS BIGINT)
             FROM spend_totals WHERE job_id = $1"
        );
        let row = statement(sql)
            .bind(job)
            .fetch_one(self.pools.read())
            .await?;
        Ok((Usd(row.at(0)?), unsigned(row.at(1)?)))
    }

    /// What was spent and saved by job, month and dataset, in the order of jobs and months; of one
    /// job, or of all.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn spending(&self, job: Option<JobId>) -> Result<Vec<Spending>, StoreError> {
        let rows = statement(
            "SELECT t.job_id, j.name, t.month, t.dataset,
                 CAST(sum(t.reserved_nanousd) AS BIGINT) AS reserved,
                 CAST(sum(t.settled_nanousd) AS BIGINT) AS settled,
                 CAST(sum(t.saved_nanousd) AS BIGINT) AS saved,
                 CAST(sum(t.bytes) AS BIGINT) AS bytes
             FROM spend_totals AS t JOIN jobs AS j ON j.id = t.job_id
             WHERE $1 IS NULL OR t.job_id = $1
             GROUP BY t.job_id, j.name, t.month, t.dataset
             ORDER BY t.job_id, t.month, t.dataset",
        )
        .bind(job.map(|job| job.0))
        .fetch_all(self.pools.read())
        .await?;
        rows.iter()
            .map(|row| {
                Ok(Spending {
                    job: JobId(row.get("job_id")?),
                    name: row.get("name")?,
                    month: super::super::claim::parse(&row.get::<String>("month")?)?,
                    dataset: row.get("dataset")?,
                    reserved_usd: Usd(row.get("reserved")?),
                    settled_usd: Usd(row.get("settled")?),
                    saved_usd: Usd(row.get("saved")?),
                    bytes: unsigned(row.get("bytes")?),
                })
            })
            .collect()
    }

    /// The month that it is, by the clock that reservations go by, and what is settled or reserved in
    /// it by all jobs.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn this_month(&self, now: impl Into<Moment>) -> Result<(Month, Usd), StoreError> {
        let month = Month::of(self.instant(self.pools.read(), now.into()).await?);
        Ok((month, committed_in(self.pools.read(), month).await?))
    }
}
