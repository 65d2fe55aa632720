//! Coverage: which chunk holds which slices, and which part of what it asks for is a chunk's own.

use std::collections::{HashMap, HashSet};

use super::engine::{Transaction, Turn};
use super::statement::{ROWS_PER_STATEMENT, all_tuples, statement, tuples};
use super::submit::EVERY_INSTRUMENT;
use super::{Chunk, Held, RecordedDays, Slice, StoreError};
use crate::request::Symbols;
use crate::time::Span;

/// The slices within a chunk's days that other chunks hold.
pub(super) async fn held_by_others(
    transaction: &mut Transaction,
    chunk: &Chunk,
) -> Result<Vec<Held>, StoreError> {
    let within = match transaction {
        Transaction::Sqlite(_) => SPAN,
        Transaction::Postgres(_) => SPAN_INDEXED,
    };
    let rows = statement(format!(
        "SELECT instrument_id, start_ns, end_ns FROM coverage
         WHERE dataset = $1 AND schema = $2 AND {within} AND chunk_id <> $5"
    ))
    .bind(&chunk.dataset)
    .bind(chunk.schema.as_str())
    .bind(chunk.days.span().start)
    .bind(chunk.days.span().end)
    .bind(chunk.id)
    .fetch_all(transaction)
    .await?;
    rows.iter().map(super::submit::held).collect()
}

/// Slices that reach into a span from `$3` to `$4`.
pub(super) const SPAN: &str = "start_ns < $4 AND end_ns > $3";
/// The same, as the index of the exclusion constraint finds them.
pub(super) const SPAN_INDEXED: &str = "int8range(start_ns, end_ns) && int8range($3, $4)";

/// Waits for the turn to settle what a chunk holds. Slices of one instrument can't overlap, by the
/// database's own constraint; what stands for every instrument is another row, and whoever adds such
/// a one settles alone, so that it and the others see each other.
pub(super) async fn take_turn(
    transaction: &mut Transaction,
    chunk: &Chunk,
) -> Result<(), StoreError> {
    let turn = match chunk.symbols {
        Symbols::All(_) => Turn::Alone,
        Symbols::Named(_) => Turn::Shared,
    };
    let at = format!("coverage {} {}", chunk.dataset, chunk.schema);
    transaction.turn(&at, turn).await
}

/// Takes the turn to settle, and checks that what a load took for the chunk's own is still nobody
/// else's: others may have settled while its rows were on their way. `before` is what others held
/// when the load asked.
pub(super) async fn check_ownership(
    transaction: &mut Transaction,
    chunk: &Chunk,
    slices: &[Held],
    before: Option<&[Held]>,
) -> Result<(), StoreError> {
    if matches!(transaction, Transaction::Sqlite(_)) {
        // Nobody else has written since the transaction began.
        return Ok(());
    }
    take_turn(transaction, chunk).await?;
    let others = held_by_others(transaction, chunk).await?;
    // A slice for every instrument can be held beside those of single ones: the records of these
    // are left out, so a new one counts.
    let everything = slices.iter().any(|slice| slice.instrument_id.is_none());
    let before: Option<HashSet<&Held>> = before.map(|held| held.iter().collect());
    let is_new = |held: &Held| before.as_ref().is_some_and(|before| !before.contains(held));
    let taken = own_slices(slices, &others) != slices || (everything && others.iter().any(is_new));
    match taken {
        true => Err(StoreError::Contended),
        false => Ok(()),
    }
}

/// Notes the slices that a chunk holds.
///
/// # Errors
/// [`StoreError::Contended`] when another chunk holds a part of them.
pub(super) async fn insert_slices(
    transaction: &mut Transaction,
    chunk: &Chunk,
    slices: &[Slice],
) -> Result<(), StoreError> {
    // In one order everywhere: of two that meet, the second waits, and not each for the other.
    let mut slices: Vec<_> = slices.iter().collect();
    slices.sort_by_key(|slice| (slice.held.instrument_id, slice.held.span));
    for slices in slices.chunks(ROWS_PER_STATEMENT) {
        let mut insert = statement(format!(
            "INSERT INTO coverage (dataset, schema, instrument_id, start_ns, end_ns, chunk_id,
                 days) VALUES {}",
            all_tuples(transaction, slices.len(), 7)
        ));
        for slice in slices {
            insert = insert
                .bind(&chunk.dataset)
                .bind(chunk.schema.as_str())
                .bind(number(slice.held))
                .bind(slice.held.span.start)
                .bind(slice.held.span.end)
                .bind(chunk.id)
                .bind(slice.days.as_ref().map(RecordedDays::to_text));
        }
        insert.execute(&mut *transaction).await?;
    }
    Ok(())
}

/// Notes anew which days of a chunk's slices hold records; the slices stay as they are.
pub(super) async fn update_days(
    transaction: &mut Transaction,
    chunk: &Chunk,
    slices: &[Slice],
) -> Result<(), StoreError> {
    for slices in slices.chunks(ROWS_PER_STATEMENT) {
        let mut update = statement(format!(
            "UPDATE coverage SET days = noted.column3 FROM (VALUES {}) AS noted
             WHERE dataset = $1 AND schema = $2 AND chunk_id = $3
                 AND instrument_id = noted.column1 AND start_ns = noted.column2",
            tuples(4, slices.len(), 3)
        ))
        .bind(&chunk.dataset)
        .bind(chunk.schema.as_str())
        .bind(chunk.id);
        for slice in slices {
            update = update
                .bind(number(slice.held))
                .bind(slice.held.span.start)
                .bind(slice.days.as_ref().map(RecordedDays::to_text));
        }
        update.execute(&mut *transaction).await?;
    }
    Ok(())
}

/// A slice's instrument as the table has it.
fn number(slice: Held) -> i64 {
    slice.instrument_id.map_or(EVERY_INSTRUMENT, i64::from)
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
