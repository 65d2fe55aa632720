//! Refresh: what the vendor has of a settled chunk's days today, fetched as a later revision of its
//! stream and swapped for what the tables have, in one transaction.

use common::archive::Manifest;
use common::store::{Claim, Difference, Loaded, Moment, Replayable};
use common::time::Nanos;
use common::vendor::retry::RetryDelays;

use crate::environment::Environment;
use crate::error::ChunkError;
use crate::fetch::{Fetched, fetch_revision, resolve};
use crate::load::{no_header, pour, resolution_in_stream};
use crate::ownership::{Ownership, asked_slices};
use crate::prepare::Preparation;
use crate::settle::{Decision, RETRY_WAIT_MAX, decide};

/// What a refresh came to.
#[derive(Clone, Debug)]
pub enum Refreshed {
    /// The chunk has the rows of this stream now.
    Swapped {
        /// What is known of the stream.
        manifest: Box<Manifest>,
        /// Rows and quarantine, before and after.
        difference: Difference,
    },
    /// The vendor has no records there.
    Empty {
        /// Rows and quarantine, before and after.
        difference: Difference,
    },
}

/// Brings a settled chunk to what the vendor has today: an answer of this revision at least.
///
/// # Errors
/// [`ChunkError`]; the chunk is as it was, and what was received is kept.
pub async fn refresh(
    environment: &Environment,
    chunk: &Replayable,
    at_least: u32,
) -> Result<Refreshed, ChunkError> {
    let manifest = match fetch_again(environment, &chunk.claim, at_least).await? {
        Some(manifest) if manifest.records > 0 => manifest,
        _ => return emptied(environment, chunk).await,
    };
    fail::fail_point!("refresh-fetched", |_| Err(ChunkError::Panic(
        "refresh-fetched".into()
    )));
    swap(environment, chunk, manifest).await
}

/// Fetches an answer of this revision at least to a settled chunk's request, at today's price and
/// within the budget, unless the archive has it; `None` when the vendor has no records.
///
/// # Errors
/// [`ChunkError`], when trying again doesn't help, or was tried often enough.
pub async fn fetch_again(
    environment: &Environment,
    claim: &Claim,
    at_least: u32,
) -> Result<Option<Manifest>, ChunkError> {
    let mut claim = claim.clone();
    // What was counted and priced for the last time says nothing about today.
    claim.chunk.expected = None;
    let mut failures = 0;
    loop {
        let error = match fetch_revision(environment, &claim, at_least).await {
            Ok(Fetched::Archived { manifest, .. }) => return Ok(Some(*manifest)),
            Ok(Fetched::Nothing { .. } | Fetched::Held { .. }) => return Ok(None),
            Err(error) => error,
        };
        let asked_for = match decide(&error) {
            Decision::Retry(wait) => wait.unwrap_or_default(),
            Decision::Resume | Decision::AfterOutage | Decision::AwaitTurn => {
                std::time::Duration::ZERO
            }
            _ => return Err(error),
        };
        // What goes on from a cut has brought something: it ends.
        failures += u32::from(decide(&error) != Decision::Resume);
        if failures >= environment.settings.attempts_max {
            return Err(error);
        }
        let delay = RetryDelays::by(&environment.settings).after(failures.max(1));
        tokio::select! {
            () = tokio::time::sleep(delay.max(asked_for).min(RETRY_WAIT_MAX)) => {}
            () = environment.stop.cancelled() => return Err(ChunkError::Stopped),
        }
    }
}

/// Whether an error would meet every other request as well: the account, the key, the disk.
#[must_use]
pub fn concerns_all(error: &ChunkError) -> bool {
    matches!(decide(error), Decision::PauseAll | Decision::EndProcess)
}

async fn emptied(environment: &Environment, chunk: &Replayable) -> Result<Refreshed, ChunkError> {
    let (store, claimed) = (&environment.store, &chunk.claim.chunk);
    let mapping = environment
        .mappings
        .get(&claimed.schema)
        .ok_or(ChunkError::NoMapping(claimed.schema))?;
    let before = store.chunk_failures(claimed.id).await?;
    let resolution = resolve(environment, &chunk.claim).await?;
    let slices = asked_slices(claimed, &resolution);
    let settled = store.settle_emptied(chunk, mapping, &slices, &resolution, Nanos::now());
    settled.await?;
    let difference = Difference::of_counts(chunk, &before, &Loaded::default());
    Ok(Refreshed::Empty { difference })
}

async fn swap(
    environment: &Environment,
    replayable: &Replayable,
    manifest: Manifest,
) -> Result<Refreshed, ChunkError> {
    let (store, claim) = (&environment.store, &replayable.claim);
    let chunk = &claim.chunk;
    let mapping = environment
        .mappings
        .get(&chunk.schema)
        .ok_or(ChunkError::NoMapping(chunk.schema))?;
    let limit = environment.settings.max_quarantine_percent;
    let encoder = store.encoder(mapping, chunk);
    let archive = &environment.archive;
    let mut stream = Preparation::open(archive, mapping, chunk, &manifest, limit, encoder);
    let Some(metadata) = stream.metadata().await else {
        return Err(no_header(stream).await);
    };
    // A rewritten day can have instruments that it did not have before.
    let resolution = match resolution_in_stream(claim, &manifest, &metadata) {
        Some(resolution) => resolution,
        None => resolve(environment, claim).await?,
    };
    let before = store.chunk_failures(chunk.id).await?;
    let mut load = store.begin_refresh(replayable, mapping).await?;
    let others = load.held_by_others().await?;
    let comes_along = manifest.request.symbols != chunk.symbols;
    stream.own(Ownership::new(chunk, &resolution, others).among_others(comes_along));
    let mut loaded = Loaded {
        archive_object: manifest.key.clone(),
        resolution,
        ..Loaded::default()
    };
    let (load, prepared) = pour(stream, load, &manifest, &mut loaded, |_| ()).await?;
    prepared.account(&mut loaded);
    fail::fail_point!("refresh-before-commit", |_| Err(ChunkError::Panic(
        "refresh-before-commit".into()
    )));
    load.commit(&loaded, Moment::Now).await?;
    Ok(Refreshed::Swapped {
        manifest: Box::new(manifest),
        difference: Difference::of_counts(replayable, &before, &loaded),
    })
}
