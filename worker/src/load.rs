//! Load: archive → decode → transform → database, one transaction.

use common::archive::{Manifest, StreamFacts};
use common::configuration::mapping::Mapping;
use common::store::rows::RowBlock;
use common::store::{Claim, Loaded};
use common::time::Nanos;
use common::vendor::{Resolution, SymbolWindow};
use dbn::Metadata;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::decode::{Decoded, decode};
use crate::environment::Environment;
use crate::error::ChunkError;
use crate::hashing::Hashing;
use crate::ownership::{Ownership, asked_slices};
use crate::transform::transform;

/// Blocks between the decoding thread and the database.
const BLOCKS_AHEAD: usize = 4;

/// Loads an archived stream; what the tables hold afterwards is what it returns.
///
/// # Errors
/// [`ChunkError`]; the tables are as before.
pub async fn load(
    environment: &Environment,
    claim: &Claim,
    manifest: &Manifest,
) -> Result<Loaded, ChunkError> {
    let chunk = &claim.chunk;
    let mapping = environment
        .mappings
        .get(&chunk.schema)
        .ok_or(ChunkError::NoMapping(chunk.schema))?;
    let mut stream = Stream::open(environment, mapping, manifest)?;
    let Some(metadata) = stream.metadata().await else {
        return Err(stream.fail(environment, manifest).await);
    };
    let resolution = resolve(environment, claim, &metadata).await?;
    let mut loaded = Loaded {
        archive_object: manifest.key.clone(),
        resolution,
        ..Loaded::default()
    };
    if manifest.records == 0 {
        let slices = asked_slices(chunk, &loaded.resolution);
        environment
            .store
            .settle_empty(claim, &slices, &loaded.resolution, Nanos::now())
            .await?;
        return Ok(loaded);
    }
    let mut load = environment.store.begin_load(claim, mapping).await?;
    fail::fail_point!("load-begun", |_| Err(ChunkError::Panic(
        "load-begun".into()
    )));
    let others = load.held_by_others().await?;
    let mut ownership = Ownership::new(chunk, &loaded.resolution, others);
    while let Some(block) = stream.rows().await {
        let own = match ownership.claim(block) {
            Ok(own) => own,
            Err(error) => return Err(stream.explain(environment, manifest, error).await),
        };
        load.insert(&own).await?;
        loaded.loaded += u64::try_from(own.len()).unwrap_or(0);
    }
    let facts = match stream.finish().await {
        Ok(facts) => facts,
        Err(error) => return Err(damaged(environment, manifest, error)),
    };
    if facts.records != manifest.records {
        let error = ChunkError::Count {
            received: facts.records,
            counted: manifest.records,
        };
        return Err(damaged(environment, manifest, error));
    }
    loaded.covered = ownership.covered;
    loaded.filtered = ownership.filtered;
    loaded.fetched = facts.records - ownership.filtered;
    loaded.slices = ownership.own().to_vec();
    fail::fail_point!("before-commit", |_| Err(ChunkError::Panic(
        "before-commit".into()
    )));
    load.commit(&loaded, Nanos::now()).await?;
    fail::fail_point!("after-commit", |_| Err(ChunkError::Panic(
        "after-commit".into()
    )));
    Ok(loaded)
}

/// A stream that is decoded and transformed on a thread of its own, a few blocks ahead.
struct Stream {
    metadata: mpsc::Receiver<Metadata>,
    rows: mpsc::Receiver<RowBlock>,
    thread: JoinHandle<Result<StreamFacts, ChunkError>>,
}

impl Stream {
    fn open(
        environment: &Environment,
        mapping: &Mapping,
        manifest: &Manifest,
    ) -> Result<Self, ChunkError> {
        let file = environment
            .archive
            .read(manifest)
            .map_err(ChunkError::Archive)?;
        let (metadata_sender, metadata) = mpsc::channel(1);
        let (rows_sender, rows) = mpsc::channel(BLOCKS_AHEAD);
        let mapping = mapping.clone();
        let archived = manifest.sha256.clone();
        let thread = tokio::task::spawn_blocking(move || {
            let mut failed = None;
            let mut file = Hashing::new(file);
            let facts = decode(&mut file, mapping.schema, |decoded| match decoded {
                Decoded::Metadata(metadata) => metadata_sender.blocking_send(*metadata).is_ok(),
                Decoded::Records(block) => match transform(&mapping, block) {
                    Ok(rows) => rows_sender.blocking_send(rows).is_ok(),
                    Err(error) => {
                        failed = Some(error);
                        false
                    }
                },
            });
            // Not every change is one that the decoder could notice; and what it, or anything after
            // it, took exception to may be the change.
            match file.sha256().map_err(ChunkError::Archive)? == archived {
                true => failed.map_or(facts, Err),
                false => Err(ChunkError::Damaged(
                    "its bytes are not those that were archived".into(),
                )),
            }
        });
        Ok(Self {
            metadata,
            rows,
            thread,
        })
    }

    async fn metadata(&mut self) -> Option<Metadata> {
        self.metadata.recv().await
    }

    async fn rows(&mut self) -> Option<RowBlock> {
        self.rows.recv().await
    }

    async fn finish(self) -> Result<StreamFacts, ChunkError> {
        match self.thread.await {
            Ok(facts) => facts,
            Err(error) => Err(ChunkError::Panic(error.to_string())),
        }
    }

    /// Why there was not even a header.
    async fn fail(self, environment: &Environment, manifest: &Manifest) -> ChunkError {
        match self.finish().await {
            Err(error) => damaged(environment, manifest, error),
            Ok(_) => ChunkError::Panic("a stream without a header was taken for whole".into()),
        }
    }

    /// Why a record is not as it should be: the archived stream's damage, if it is damaged.
    async fn explain(
        mut self,
        environment: &Environment,
        manifest: &Manifest,
        error: ChunkError,
    ) -> ChunkError {
        self.rows.close();
        match self.finish().await {
            Err(ChunkError::Stopped) | Ok(_) => error,
            Err(error) => damaged(environment, manifest, error),
        }
    }
}

/// The stream was whole when it was archived: what can't be read now was damaged since, and is to
/// be fetched again. Values that don't fit are the mapping's matter, not the archive's.
fn damaged(environment: &Environment, manifest: &Manifest, error: ChunkError) -> ChunkError {
    let text = match error {
        ChunkError::Damaged(text) => text,
        error @ (ChunkError::Stream(_) | ChunkError::Count { .. }) => crate::error::chain(&error),
        other => return other,
    };
    match environment.archive.forget(manifest) {
        Ok(()) => ChunkError::Damaged(text),
        Err(error) => ChunkError::Archive(error),
    }
}

/// What the chunk's symbols mean: the stream says so itself, but for `ALL_SYMBOLS`.
async fn resolve(
    environment: &Environment,
    claim: &Claim,
    metadata: &Metadata,
) -> Result<Resolution, ChunkError> {
    // What was asked for by other symbols than the chunk's own says nothing about them.
    let own_symbols = claim.chunk.range_request().symbols == claim.chunk.symbols;
    let in_stream = from_metadata(metadata);
    if own_symbols && claim.chunk.symbols.names().is_some() && !in_stream.windows.is_empty() {
        return Ok(in_stream);
    }
    crate::fetch::resolve(environment, claim).await
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
