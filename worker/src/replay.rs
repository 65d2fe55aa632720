//! Replay: today's mapping and rules over a chunk's archived stream; the vendor is asked nothing.

use std::collections::HashMap;
use std::sync::Arc;

use common::archive::{Archive, Manifest};
use common::chunk::ChunkState;
use common::configuration::mapping::Mapping;
use common::quality::QuarantineLimit;
use common::store::{Difference, Loaded, Replayable, Store};
use common::time::Nanos;
use common::vendor::Resolution;
use dbn::Schema;

use crate::error::ChunkError;
use crate::load::{no_header, pour, resolution_in_stream};
use crate::ownership::Ownership;
use crate::prepare::Preparation;

/// All that a replay may touch. No vendor is among it.
#[derive(Clone, Debug)]
pub struct ReplayEnvironment {
    /// The database.
    pub store: Arc<Store>,
    /// Received streams.
    pub archive: Archive,
    /// Today's mappings and rules.
    pub mappings: HashMap<Schema, Mapping>,
    /// How much of a chunk may be quarantined where its job doesn't say.
    pub limit: QuarantineLimit,
}

/// Swaps a chunk's rows for what today's mapping and rules make of its archived stream, in one
/// transaction; and tells the numbers before and after.
///
/// # Errors
/// [`ChunkError`]; the chunk is as it was.
pub async fn replay(
    environment: &ReplayEnvironment,
    chunk: &Replayable,
) -> Result<Difference, ChunkError> {
    let mut opened = Opened::of(environment, chunk).await?;
    let mut load = environment
        .store
        .begin_replay(chunk, opened.mapping)
        .await?;
    fail::fail_point!("replay-begun", |_| Err(ChunkError::Panic(
        "replay-begun".into()
    )));
    let others = load.held_by_others().await?;
    opened.own(chunk, others);
    let mut loaded = opened.loaded;
    let (load, prepared) = pour(opened.stream, load, &opened.manifest, &mut loaded).await?;
    prepared.account(&mut loaded);
    check_own(chunk, &loaded)?;
    fail::fail_point!("replay-before-commit", |_| Err(ChunkError::Panic(
        "replay-before-commit".into()
    )));
    let store = &environment.store;
    let before = store.chunk_failures(chunk.claim.chunk.id).await?;
    load.commit(&loaded, Nanos::now()).await?;
    Ok(Difference::of_counts(chunk, &before, &loaded))
}

/// What a replay of the chunk would change; nothing is changed.
///
/// # Errors
/// [`ChunkError`], as a replay would have.
pub async fn rehearse(
    environment: &ReplayEnvironment,
    chunk: &Replayable,
) -> Result<Difference, ChunkError> {
    let mut opened = Opened::of(environment, chunk).await?;
    let mut rehearsal = environment
        .store
        .begin_rehearsal(chunk, opened.mapping)
        .await?;
    let others = rehearsal.as_mut().held_by_others().await?;
    opened.own(chunk, others);
    let mut loaded = opened.loaded;
    let (rehearsal, prepared) =
        pour(opened.stream, rehearsal, &opened.manifest, &mut loaded).await?;
    prepared.account(&mut loaded);
    check_own(chunk, &loaded)?;
    Ok(rehearsal.compare(&loaded).await?)
}

/// A chunk's archived stream, open, and what its symbols mean.
struct Opened<'a> {
    mapping: &'a Mapping,
    manifest: Manifest,
    stream: Preparation,
    loaded: Loaded,
}

impl<'a> Opened<'a> {
    async fn of(
        environment: &'a ReplayEnvironment,
        replayable: &Replayable,
    ) -> Result<Self, ChunkError> {
        let chunk = &replayable.claim.chunk;
        let mapping = environment
            .mappings
            .get(&chunk.schema)
            .ok_or(ChunkError::NoMapping(chunk.schema))?;
        let found = environment.archive.manifest(&replayable.archive_object);
        let manifest = found
            .map_err(ChunkError::Archive)?
            .ok_or(ChunkError::NotArchived)?;
        let limit = environment.limit;
        let mut stream = Preparation::open(&environment.archive, mapping, chunk, &manifest, limit)?;
        let Some(metadata) = stream.metadata().await else {
            return Err(no_header(stream).await);
        };
        let resolution = match resolution_in_stream(&replayable.claim, &metadata) {
            Some(resolution) => resolution,
            None if chunk.symbols.names().is_none() => Resolution::default(),
            // What a chunk noted when it was done is all that it asked for: its own count proves it.
            None if replayable.state == ChunkState::Done => {
                environment.store.known_resolution(chunk).await?
            }
            // What others noted may be a part.
            None => return Err(ChunkError::Unresolved),
        };
        let loaded = Loaded {
            archive_object: manifest.key.clone(),
            resolution,
            ..Loaded::default()
        };
        Ok(Self {
            mapping,
            manifest,
            stream,
            loaded,
        })
    }

    fn own(&mut self, replayable: &Replayable, others: Vec<common::store::Held>) {
        let chunk = &replayable.claim.chunk;
        let ownership = Ownership::new(chunk, &self.loaded.resolution, others);
        self.stream.own(ownership);
    }
}

/// A chunk that was done keeps its records; only what becomes of them changes.
fn check_own(chunk: &Replayable, loaded: &Loaded) -> Result<(), ChunkError> {
    let before = chunk.loaded + chunk.quarantined;
    let now = loaded.loaded + loaded.quarantined;
    if chunk.state == ChunkState::Done && before != now {
        return Err(ChunkError::OtherRecords { now, before });
    }
    Ok(())
}
