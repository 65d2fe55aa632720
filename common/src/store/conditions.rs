//! Conditions of days: the vendor's latest answer about how good its data of each day is.

use super::statement::{ROWS_PER_STATEMENT, Row, all_tuples, statement};
use super::symbology::parse_day;
use super::{Store, StoreError};
use crate::chunk::JobId;
use crate::request::JobSource;
use crate::time::{DayRange, Nanos};
use crate::vendor::{Condition, DayCondition};

impl Store {
    /// Keeps an answer about these days in the place of earlier ones: what it doesn't name has no
    /// condition any more. An older answer than the one that is kept changes nothing.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn note_conditions(
        &self,
        dataset: &str,
        days: DayRange,
        conditions: &[DayCondition],
        checked_at: Nanos,
    ) -> Result<(), StoreError> {
        let mut transaction = self.pools.begin().await?;
        // In one order everywhere: of two that meet, the second waits, and not each for the other.
        let mut conditions = conditions.to_vec();
        conditions.sort_unstable();
        conditions.dedup_by_key(|of| of.day);
        for some in conditions.chunks(ROWS_PER_STATEMENT) {
            let mut upsert = statement(format!(
                "INSERT INTO day_conditions (dataset, day, condition, last_modified, checked_at)
                 VALUES {} ON CONFLICT (dataset, day) DO UPDATE SET
                     condition = excluded.condition, last_modified = excluded.last_modified,
                     checked_at = excluded.checked_at
                 WHERE day_conditions.checked_at < excluded.checked_at",
                all_tuples(&transaction, some.len(), 5)
            ));
            for of in some {
                upsert = upsert
                    .bind(dataset)
                    .bind(of.day.to_string())
                    .bind(of.condition.name())
                    .bind(of.last_modified.map(|day| day.to_string()))
                    .bind(checked_at);
            }
            upsert.execute(&mut transaction).await?;
        }
        statement(
            "DELETE FROM day_conditions
             WHERE dataset = $1 AND day >= $2 AND day < $3 AND checked_at < $4",
        )
        .bind(dataset)
        .bind(days.start().to_string())
        .bind(days.end().to_string())
        .bind(checked_at)
        .execute(&mut transaction)
        .await?;
        transaction.commit().await
    }

    /// What is kept of these days, in their order.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn conditions(
        &self,
        dataset: &str,
        days: DayRange,
    ) -> Result<Vec<DayCondition>, StoreError> {
        let rows = statement(
            "SELECT day, condition, last_modified FROM day_conditions
             WHERE dataset = $1 AND day >= $2 AND day < $3 ORDER BY day",
        )
        .bind(dataset)
        .bind(days.start().to_string())
        .bind(days.end().to_string())
        .fetch_all(self.pools.read())
        .await?;
        rows.iter().map(read).collect()
    }

    /// The days that a job asks the vendor for and of which the vendor says that they are degraded,
    /// pending or missing.
    ///
    /// # Errors
    /// As [`Self::request`].
    pub async fn flagged_days(&self, job: JobId) -> Result<Vec<DayCondition>, StoreError> {
        let request = self.request(job).await?;
        if request.source != JobSource::Vendor {
            return Ok(Vec::new());
        }
        let mut flagged = self.conditions(&request.dataset, request.days).await?;
        flagged.retain(|of| of.condition != Condition::Available);
        Ok(flagged)
    }
}

fn read(row: &Row) -> Result<DayCondition, StoreError> {
    let condition: String = row.get("condition")?;
    let last_modified: Option<String> = row.get("last_modified")?;
    Ok(DayCondition {
        day: parse_day(&row.get::<String>("day")?)?,
        condition: Condition::of_name(&condition)
            .ok_or_else(|| StoreError::Unreadable(format!("the condition {condition:?}")))?,
        last_modified: last_modified.as_deref().map(parse_day).transpose()?,
    })
}
