//! Absence: that a source counts nothing proves nothing on days that it doesn't have.

use common::request::JobSource;
use common::store::Chunk;
use common::time::Nanos;
use common::vendor::DayCondition;

use crate::environment::Environment;
use crate::error::ChunkError;

/// Asks how good the source's days of a chunk are, and keeps the answer.
///
/// # Errors
/// [`ChunkError::Absent`] when one of the days is pending or missing.
pub(crate) async fn check_absence(
    environment: &Environment,
    chunk: &Chunk,
) -> Result<(), ChunkError> {
    let source = environment.sources.of(&chunk.source).await?;
    let asked_at = Nanos::now();
    let conditions = source.conditions(&chunk.dataset, chunk.days).await?;
    if chunk.source == JobSource::Vendor {
        let store = &environment.store;
        let (dataset, days) = (&chunk.dataset, chunk.days);
        let noted = store.note_conditions(dataset, days, &conditions, asked_at);
        noted.await?;
    }
    none_absent(&conditions)
}

/// Refuses days of which one is pending or missing.
///
/// # Errors
/// [`ChunkError::Absent`] for the first.
pub(crate) fn none_absent(conditions: &[DayCondition]) -> Result<(), ChunkError> {
    match conditions
        .iter()
        .filter(|of| of.condition.is_absent())
        .min()
    {
        Some(DayCondition { day, condition, .. }) => Err(ChunkError::Absent {
            day: *day,
            condition: *condition,
        }),
        None => Ok(()),
    }
}
