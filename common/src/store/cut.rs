//! Cuts: a claimed chunk becomes two at a midnight, each due by itself.

use std::time::Duration;

use super::clock::{Moment, nanoseconds};
use super::settle::fence;
use super::statement::statement;
use super::{Claim, Store, StoreError};
use crate::chunk::{ChunkEvent, ChunkState};
use crate::time::Day;

/// Where a chunk is cut, and when its second part is due; the first is due at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    /// The first day of the second part.
    pub at: Day,
    /// Why.
    pub why: String,
    /// Not to work on the second part before.
    pub second_due: Duration,
}

impl Store {
    /// Cuts a claimed chunk and gives it back: it keeps the days before the cut, and a new chunk of
    /// the same job has the others. What was expected of the whole is no longer known of either, so
    /// that both are counted and priced anew. No failure is counted.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] when the claim was lost; [`StoreError::Unreadable`] when the cut would
    /// leave one part without days.
    pub async fn cut(
        &self,
        claim: &Claim,
        cut: &Cut,
        now: impl Into<Moment>,
    ) -> Result<(), StoreError> {
        let days = claim.chunk.days;
        if cut.at <= days.start() || cut.at >= days.end() {
            let what = format!("a cut of {days} at {}", cut.at);
            return Err(StoreError::Unreadable(what));
        }
        let to = ChunkState::Running.after(ChunkEvent::PutOff)?;
        let now = now.into();
        let mut transaction = self.pools.begin().await?;
        let first = format!(
            "UPDATE chunks SET state = $1, end_ns = $2, due_at = {now},
                 expected_records = NULL, billable_bytes = 0, cost_nanousd = 0, error = $3,
                 archive_object = NULL, owner = NULL, lease_until = NULL, updated_at = {now}
             WHERE id = $5 AND epoch = $6 AND state = 'running'",
            now = self.pools.moment(4),
        );
        let updated = statement(first)
            .bind(to.name())
            .bind(cut.at.start())
            .bind(&cut.why)
            .bind(now)
            .bind(claim.chunk.id)
            .bind(claim.epoch)
            .execute(&mut transaction)
            .await?;
        fence(claim, updated)?;
        let second = format!(
            "INSERT INTO chunks (job_id, dataset, schema, stype_in, symbols_id, start_ns, end_ns,
                 priority, state, due_at, billable_bytes, cost_nanousd, error, updated_at)
             SELECT job_id, dataset, schema, stype_in, symbols_id, CAST($1 AS BIGINT),
                 CAST($2 AS BIGINT), priority, state, {now} + $3, 0, 0, error, updated_at
             FROM chunks WHERE id = $5
             ON CONFLICT DO NOTHING",
            now = self.pools.moment(4),
        );
        statement(second)
            .bind(cut.at.start())
            .bind(days.end().start())
            .bind(nanoseconds(cut.second_due))
            .bind(now)
            .bind(claim.chunk.id)
            .execute(&mut transaction)
            .await?;
        transaction.commit().await
    }
}
