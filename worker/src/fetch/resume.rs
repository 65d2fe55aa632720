//! Resume: what there is of a stream already, and what of it can still be built on.

use std::io::ErrorKind;

use common::archive::{Archive, Objects, Orphan, Partial, StreamName};
use common::source::Source;
use common::vendor::DayCondition;
use dbn::Schema;

use super::intake::Receiving;
use crate::error::ChunkError;
use crate::log;

/// What there is of a stream, including what a killed process left behind; what is of no use is
/// removed. `conditions` are those of its days by now.
pub(super) async fn kept(
    source: &dyn Source,
    archive: &Archive,
    stream: &StreamName,
    schema: Schema,
    conditions: Vec<DayCondition>,
) -> Result<Partial, ChunkError> {
    let (objects, name) = (archive.objects(), stream.clone());
    let partial = on_thread(move || gather(&objects, &name, schema)).await?;
    let stands = match source.is_resumable() {
        true => !is_rewritten(&partial, &conditions),
        // It is asked for as a whole, so that a part can't be gone on from.
        false => partial.ended,
    };
    if stands && !partial.parts.is_empty() {
        return Ok(partial);
    }
    forget(archive, stream, &partial).await?;
    Ok(Partial {
        parts: Vec::new(),
        tied: 0,
        ended: false,
        fruitless: 0,
        conditions,
        ..partial
    })
}

/// Forgets parts that can't be built on: the next attempt begins anew.
pub(super) async fn forget(
    archive: &Archive,
    stream: &StreamName,
    partial: &Partial,
) -> Result<(), ChunkError> {
    if partial.parts.is_empty() {
        return Ok(());
    }
    let (objects, stream, partial) = (archive.objects(), stream.clone(), partial.clone());
    on_thread(move || {
        let forgotten = objects.forget_parts(&stream, &partial);
        forgotten.map_err(ChunkError::Archive)
    })
    .await
}

/// Does something on a thread that may block.
pub(super) async fn on_thread<T: Send + 'static>(
    verb: impl FnOnce() -> Result<T, ChunkError> + Send + 'static,
) -> Result<T, ChunkError> {
    let done = log::on_thread(verb).await;
    done.map_err(|error| ChunkError::Panic(error.to_string()))?
}

/// Whether the vendor has changed a day since, of those of which records are kept.
fn is_rewritten(partial: &Partial, now: &[DayCondition]) -> bool {
    let last = partial.resumes_at().day();
    let kept = |of: &&DayCondition| of.day <= last;
    let before = partial.conditions.iter().filter(kept);
    // Of parts that were found without a note nothing is known.
    !partial.conditions.is_empty() && !before.eq(now.iter().filter(kept))
}

/// The parts that are noted, and those that fit to them.
fn gather(objects: &Objects, stream: &StreamName, schema: Schema) -> Result<Partial, ChunkError> {
    let partial = objects.partial(stream).map_err(ChunkError::Archive)?;
    let mut receiving = Receiving {
        objects: objects.clone(),
        stream: stream.clone(),
        partial,
        schema,
        records_max: None,
    };
    loop {
        let orphans = objects.orphans(stream, &receiving.partial);
        let mut orphans = orphans.map_err(ChunkError::Archive)?.into_iter();
        let Some(orphan) = orphans.next() else {
            return Ok(receiving.partial);
        };
        match adopted(&receiving, &orphan)? {
            Some(partial) => receiving.partial = partial,
            None => objects.remove(&orphan).map_err(ChunkError::Archive)?,
        }
    }
}

fn adopted(receiving: &Receiving, orphan: &Orphan) -> Result<Option<Partial>, ChunkError> {
    let partial = &receiving.partial;
    let goes_on = match partial.parts.is_empty() {
        true => orphan.from.is_none(),
        false => orphan.from == Some(partial.resumes_at()),
    };
    if !goes_on {
        return Ok(None);
    }
    match receiving.clone().adopt(orphan) {
        // Another that was here first has removed it.
        Err(ChunkError::Archive(error)) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error @ (ChunkError::Archive(_) | ChunkError::Panic(_))) => Err(error),
        // Damaged, or no longer what the vendor sends.
        Err(_) => Ok(None),
        adopted => adopted,
    }
}
