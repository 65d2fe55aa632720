//! Load: archive → decode → transform → own → validate → database, one transaction.

use common::archive::Manifest;
use common::as_u64;
use common::store::{Claim, Load, Loaded, Moment, StoreError};
use common::time::Nanos;
use common::vendor::{Resolution, SymbolWindow, VendorError};
use dbn::Metadata;
use tokio::time::Instant;

use crate::environment::Environment;
use crate::error::ChunkError;
use crate::measure;
use crate::ownership::{Ownership, asked_slices};
use crate::patience::patiently;
use crate::prepare::{Preparation, Prepared, Rows};

/// Loads an archived stream; what the tables hold afterwards is what it returns.
///
/// # Errors
/// [`ChunkError`]; the tables are as before.
pub async fn load(
    environment: &Environment,
    claim: &Claim,
    manifest: &Manifest,
) -> Result<Loaded, ChunkError> {
    match load_undamaged(environment, claim, manifest).await {
        Err(error) => Err(damaged(environment, manifest, error).await),
        loaded => loaded,
    }
}

async fn load_undamaged(
    environment: &Environment,
    claim: &Claim,
    manifest: &Manifest,
) -> Result<Loaded, ChunkError> {
    let chunk = &claim.chunk;
    let mapping = environment
        .mappings
        .get(&chunk.schema)
        .ok_or(ChunkError::NoMapping(chunk.schema))?;
    let limit = environment.settings.max_quarantine_percent;
    let encoder = environment.store.encoder(mapping, chunk);
    let archive = &environment.archive;
    let mut stream = Preparation::open(archive, mapping, chunk, manifest, limit, encoder);
    let Some(metadata) = stream.metadata().await else {
        return Err(no_header(stream).await);
    };
    let resolution = match resolution_in_stream(claim, manifest, &metadata) {
        Some(resolution) => resolution,
        None => crate::fetch::resolve(environment, claim).await?,
    };
    let mut loaded = Loaded {
        archive_object: manifest.key.clone(),
        resolution,
        ..Loaded::default()
    };
    if manifest.records == 0 {
        let slices = asked_slices(chunk, &loaded.resolution);
        environment
            .store
            .settle_empty(claim, &slices, &loaded.resolution, Moment::Now)
            .await?;
        return Ok(loaded);
    }
    check_meaning(claim, &loaded.resolution)?;
    let began = Instant::now();
    let mut load = environment.store.begin_load(claim, mapping).await?;
    fail::fail_point!("load-begun", |_| Err(ChunkError::Panic(
        "load-begun".into()
    )));
    let others = load.held_by_others().await?;
    let comes_along = manifest.request.symbols != chunk.symbols;
    stream.own(Ownership::new(chunk, &loaded.resolution, others).among_others(comes_along));
    let reached = |records| environment.activities.reached(chunk.id, records);
    let (load, prepared) = pour(stream, load, manifest, &mut loaded, reached).await?;
    prepared.account(&mut loaded);
    measure::stage("prepare", prepared.took);
    measure::stage("load", began.elapsed());
    let began = Instant::now();
    fail::fail_point!("before-commit", |_| Err(ChunkError::Panic(
        "before-commit".into()
    )));
    match load.commit(&loaded, Moment::Now).await {
        // The answer was lost, not the commit, if the chunk is settled by this claim.
        Err(StoreError::Away(error)) => {
            let settled = patiently(environment, || environment.store.is_settled(claim)).await?;
            if !settled {
                return Err(StoreError::Away(error).into());
            }
        }
        committed => committed?,
    }
    measure::stage("commit", began.elapsed());
    fail::fail_point!("after-commit", |_| Err(ChunkError::Panic(
        "after-commit".into()
    )));
    Ok(loaded)
}

/// The chunk's symbols mean something: the plan knew what, so that an answer that knows nothing of them is
/// passing. Loaded by it, none of the records would be the chunk's, and it would look complete.
fn check_meaning(claim: &Claim, resolution: &Resolution) -> Result<(), ChunkError> {
    let chunk = &claim.chunk;
    match chunk.symbols.names() {
        Some(_) if asked_slices(chunk, resolution).is_empty() => {
            let message = format!(
                "its symbols mean nothing on {}, and records came",
                chunk.days
            );
            Err(VendorError::NoSession { message }.into())
        }
        _ => Ok(()),
    }
}

/// Takes all blocks of a stream into an open load, and counts them.
///
/// # Errors
/// [`ChunkError`]; the load is closed, and leaves nothing behind.
pub(crate) async fn pour<L: AsMut<Load>>(
    mut stream: Preparation,
    load: L,
    manifest: &Manifest,
    loaded: &mut Loaded,
    reached: impl Fn(u64),
) -> Result<(L, Prepared), ChunkError> {
    // Given up, the load is closed at once, for others wait to write; the rest is only counted.
    let mut open = Some(load);
    while let Some(block) = stream.next().await {
        if block.given_up {
            open = None;
        }
        if let Some(load) = &mut open {
            let load = load.as_mut();
            loaded.loaded += block.rows.count();
            loaded.quarantined += as_u64(block.quarantined.len());
            match block.rows {
                Rows::Plain(rows) => load.insert(&rows).await?,
                Rows::Encoded(rows) => load.insert_encoded(rows).await?,
            }
            reached(loaded.loaded + loaded.quarantined);
            load.quarantine(&block.quarantined, Nanos::now()).await?;
        }
    }
    let prepared = stream.finish().await?;
    if prepared.facts.records != manifest.records {
        return Err(ChunkError::Count {
            received: prepared.facts.records,
            counted: manifest.records,
        });
    }
    match open {
        Some(load) => Ok((load, prepared)),
        None => Err(ChunkError::Panic(
            "a load was given up within its limit".into(),
        )),
    }
}

/// Why there was not even a header.
pub(crate) async fn no_header(stream: Preparation) -> ChunkError {
    match stream.finish().await {
        Err(error) => error,
        Ok(_) => ChunkError::Panic("a stream without a header was taken for whole".into()),
    }
}

/// The stream was whole when it was archived: what can't be read now was damaged since, and is to
/// be fetched again. Values that don't fit are the mapping's matter, not the archive's.
async fn damaged(environment: &Environment, manifest: &Manifest, error: ChunkError) -> ChunkError {
    let text = match error {
        ChunkError::Damaged(text) => text,
        error @ (ChunkError::Stream(_) | ChunkError::Count { .. }) => crate::error::chain(&error),
        other => return other,
    };
    match environment.archive.forget(manifest).await {
        Ok(()) => ChunkError::Damaged(text),
        Err(error) => ChunkError::Archive(error),
    }
}

/// What the chunk's symbols mean, where the stream says so itself.
pub(crate) fn resolution_in_stream(
    claim: &Claim,
    manifest: &Manifest,
    metadata: &Metadata,
) -> Option<Resolution> {
    // What was asked for by other symbols than the chunk's own says nothing about them.
    let own_symbols = manifest.request.symbols == claim.chunk.symbols;
    let in_stream = from_metadata(metadata);
    let says = own_symbols && claim.chunk.symbols.names().is_some();
    (says && !in_stream.windows.is_empty()).then_some(in_stream)
}

fn from_metadata(metadata: &Metadata) -> Resolution {
    let mut resolution = Resolution::default();
    for mapping in &metadata.mappings {
        let windows = mapping.intervals.iter();
        let windows = windows.filter_map(|interval| SymbolWindow::read(interval).ok().flatten());
        let windows: Vec<_> = windows.collect();
        if !windows.is_empty() {
            resolution
                .windows
                .insert(mapping.raw_symbol.clone(), windows);
        }
    }
    resolution
}
