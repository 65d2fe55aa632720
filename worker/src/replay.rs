//! Replay: today's mapping and rules over a chunk's archived stream; the vendor is asked nothing.

use std::collections::HashMap;
use std::sync::Arc;

use common::archive::{Archive, Manifest};
use common::chunk::ChunkState;
use common::configuration::mapping::Mapping;
use common::quality::QuarantineLimit;
use common::store::{Difference, Held, Load, Loaded, Moment, Replayable, Store};
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
    let store = &environment.store;
    let mut opened = Opened::of(environment, chunk).await?;
    let before = store.chunk_failures(chunk.claim.chunk.id).await?;
    let mut load = store.begin_replay(chunk, opened.mapping).await?;
    fail::fail_point!("replay-begun", |_| Err(ChunkError::Panic(
        "replay-begun".into()
    )));
    let others = load.held_by_others().await?;
    opened.own(others);
    let (load, loaded) = opened.pour(load).await?;
    fail::fail_point!("replay-before-commit", |_| Err(ChunkError::Panic(
        "replay-before-commit".into()
    )));
    load.commit(&loaded, Moment::Now).await?;
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
    let store = &environment.store;
    let mut opened = Opened::of(environment, chunk).await?;
    let mut rehearsal = store.begin_rehearsal(chunk, opened.mapping).await?;
    let others = rehearsal.as_mut().held_by_others().await?;
    opened.own(others);
    let (rehearsal, loaded) = opened.pour(rehearsal).await?;
    Ok(rehearsal.compare(&loaded).await?)
}

/// A chunk's archived stream, open, and whose its records are.
struct Opened<'a> {
    chunk: &'a Replayable,
    mapping: &'a Mapping,
    manifest: Manifest,
    stream: Preparation,
    owned: Owned,
}

/// By what a chunk's own records are known.
enum Owned {
    /// It was loaded: by the slices that it holds.
    Slices(Vec<Held>),
    /// It was not: by what its symbols mean.
    Symbols(Resolution),
}

impl<'a> Opened<'a> {
    async fn of(
        environment: &'a ReplayEnvironment,
        replayable: &'a Replayable,
    ) -> Result<Self, ChunkError> {
        let chunk = &replayable.claim.chunk;
        let mapping = environment
            .mappings
            .get(&chunk.schema)
            .ok_or(ChunkError::NoMapping(chunk.schema))?;
        let found = environment
            .archive
            .manifest(&replayable.archive_object)
            .await;
        let manifest = found
            .map_err(ChunkError::Archive)?
            .ok_or(ChunkError::NotArchived)?;
        let limit = environment.limit;
        let encoder = environment.store.encoder(mapping, chunk);
        let archive = &environment.archive;
        let mut stream = Preparation::open(archive, mapping, chunk, &manifest, limit, encoder);
        let Some(metadata) = stream.metadata().await else {
            return Err(no_header(stream).await);
        };
        let owned = match resolution_in_stream(&replayable.claim, &manifest, &metadata) {
            _ if replayable.state == ChunkState::Done => {
                Owned::Slices(environment.store.slices_of(chunk.id).await?)
            }
            Some(resolution) => Owned::Symbols(resolution),
            None if chunk.symbols.names().is_none() => Owned::Symbols(Resolution::default()),
            // The vendor alone knows.
            None => return Err(ChunkError::Unresolved),
        };
        Ok(Self {
            chunk: replayable,
            mapping,
            manifest,
            stream,
            owned,
        })
    }

    fn own(&mut self, others: Vec<Held>) {
        let chunk = &self.chunk.claim.chunk;
        self.stream.own(match &self.owned {
            Owned::Slices(slices) => Ownership::kept(chunk, slices, others),
            Owned::Symbols(resolution) => Ownership::new(chunk, resolution, others)
                .among_others(self.manifest.request.symbols != chunk.symbols),
        });
    }

    /// Takes the whole stream into a load or a rehearsal.
    async fn pour<L: AsMut<Load>>(self, load: L) -> Result<(L, Loaded), ChunkError> {
        let mut loaded = Loaded {
            archive_object: self.manifest.key.clone(),
            ..Loaded::default()
        };
        let (load, prepared) = pour(self.stream, load, &self.manifest, &mut loaded, |_| ()).await?;
        prepared.account(&mut loaded);
        match self.owned {
            Owned::Symbols(resolution) => loaded.resolution = resolution,
            Owned::Slices(_) => {
                check_own(self.chunk, &loaded)?;
                // What others held of what it asked for stays theirs.
                loaded.filtered = self.chunk.filtered;
                loaded.covered = self.chunk.covered;
                loaded.fetched = loaded.loaded + loaded.quarantined + loaded.covered;
            }
        }
        Ok((load, loaded))
    }
}

/// A chunk that was done keeps its records; only what becomes of them changes.
fn check_own(chunk: &Replayable, loaded: &Loaded) -> Result<(), ChunkError> {
    let before = chunk.loaded + chunk.quarantined;
    let now = loaded.loaded + loaded.quarantined;
    let others = (
        chunk.covered + chunk.filtered,
        loaded.covered + loaded.filtered,
    );
    if before != now || others.0 != others.1 {
        return Err(ChunkError::OtherRecords { now, before });
    }
    Ok(())
}

/// What to do about a chunk that was not replayed.
#[must_use]
pub fn advice(error: &ChunkError, state: ChunkState) -> Option<&'static str> {
    match error {
        ChunkError::Quarantine(_) => {
            Some("mend the rule or the mapping, or raise max_quarantine_percent, and replay again")
        }
        ChunkError::NotArchived | ChunkError::Damaged(_) | ChunkError::Unresolved
            if state == ChunkState::Dead =>
        {
            Some("`scheduler run` takes it up, and asks for what is missing")
        }
        ChunkError::NotArchived | ChunkError::Damaged(_) => {
            Some("its rows are whole; put its object back into the archive from a copy")
        }
        _ => None,
    }
}
