//! Traces: the context of a job's submission, which the work on its chunks goes on from.

use super::statement::{Target, statement};
use super::{Store, StoreError};
use crate::chunk::{ChunkId, JobId};
use crate::time::Nanos;

/// Where the trace of an attempt at a chunk begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Traced {
    /// The W3C context of its job's submission, where that was traced.
    pub traceparent: Option<String>,
    /// From when on it waited in the queue.
    pub due_at: Nanos,
}

impl Store {
    /// Where the trace of a chunk goes on; `None` when there is no such chunk.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn traced(&self, chunk: ChunkId) -> Result<Option<Traced>, StoreError> {
        let row = statement(
            "SELECT j.traceparent, c.due_at FROM chunks AS c JOIN jobs AS j ON j.id = c.job_id
             WHERE c.id = $1",
        )
        .bind(chunk)
        .fetch_optional(self.pools.read())
        .await?;
        row.map(|row| {
            Ok(Traced {
                traceparent: row.get("traceparent")?,
                due_at: Nanos(row.get("due_at")?),
            })
        })
        .transpose()
    }
}

/// Keeps the context of a job's submission; of one that was submitted again, the last that was traced.
pub(super) async fn keep(
    on: impl Into<Target<'_>>,
    job: JobId,
    traceparent: &str,
) -> Result<(), StoreError> {
    statement("UPDATE jobs SET traceparent = $2 WHERE id = $1")
        .bind(job)
        .bind(traceparent)
        .execute(on)
        .await?;
    Ok(())
}
