//! Coverage: which chunk holds which slices, and which part of what it asks for is a chunk's own.

use std::collections::HashMap;

use sqlx::SqliteConnection;

use super::submit::EVERY_INSTRUMENT;
use super::{Chunk, Held, StoreError};
use crate::time::Span;

/// The slices within a chunk's days that other chunks hold.
pub(super) async fn held_by_others(
    connection: &mut SqliteConnection,
    chunk: &Chunk,
) -> Result<Vec<Held>, StoreError> {
    let span = chunk.days.span();
    let rows = sqlx::query(
        "SELECT instrument_id, start_ns, end_ns FROM coverage
         WHERE dataset = ? AND schema = ? AND start_ns < ? AND end_ns > ? AND chunk_id <> ?",
    )
    .bind(&chunk.dataset)
    .bind(chunk.schema.as_str())
    .bind(span.end.0)
    .bind(span.start.0)
    .bind(chunk.id.0)
    .fetch_all(connection)
    .await?;
    rows.iter().map(super::submit::held).collect()
}

/// Notes the slices that a chunk holds.
pub(super) async fn insert_slices(
    connection: &mut SqliteConnection,
    chunk: &Chunk,
    slices: &[Held],
) -> Result<(), StoreError> {
    for slice in slices {
        sqlx::query(
            "INSERT INTO coverage (dataset, schema, instrument_id, start_ns, end_ns, chunk_id)
             VALUES (?, ?, ?, ?, ?, ?)",
        )
        .bind(&chunk.dataset)
        .bind(chunk.schema.as_str())
        .bind(slice.instrument_id.map_or(EVERY_INSTRUMENT, i64::from))
        .bind(slice.span.start.0)
        .bind(slice.span.end.0)
        .bind(chunk.id.0)
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// A chunk's own part of the slices that it asked for: what no other chunk holds.
#[must_use]
pub fn own_slices(asked: &[Held], others: &[Held]) -> Vec<Held> {
    let mut by_instrument: HashMap<Option<u32>, Vec<Span>> = HashMap::new();
    for other in others {
        by_instrument
            .entry(other.instrument_id)
            .or_default()
            .push(other.span);
    }
    let every = by_instrument.remove(&None).unwrap_or_default();
    let mut own: Vec<Held> = Vec::new();
    for slice in asked {
        let mut taken = every.clone();
        if let Some(held) = slice
            .instrument_id
            .and_then(|id| by_instrument.get(&Some(id)))
        {
            taken.extend_from_slice(held);
        }
        // Two symbols of one request can mean one instrument: it is held once.
        let earlier = own
            .iter()
            .filter(|held| held.instrument_id == slice.instrument_id);
        taken.extend(earlier.map(|held| held.span));
        let instrument_id = slice.instrument_id;
        let free = slice.span.without(&taken).into_iter();
        own.extend(free.map(|span| Held {
            instrument_id,
            span,
        }));
    }
    own
}
