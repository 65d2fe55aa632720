//! Goes through a job's archived streams again: swaps its chunks one by one, or rehearses it.

use std::collections::{BTreeMap, HashMap};
use std::io::IsTerminal;
use std::path::Path;
use std::sync::Arc;

use common::chunk::{ChunkId, JobId};
use common::configuration::document::Refusal;
use common::configuration::job_file::JobFile;
use common::configuration::mapping::Mapping;
use common::quality::Quality;
use common::store::replay::ReplayScope;
use common::store::{Difference, JobStatus, Replayable, Store, StoreError};
use dbn::Schema;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use tokio_util::sync::CancellationToken;
use worker::error::{ChunkError, chain};
use worker::replay::{ReplayEnvironment, advice, rehearse, replay};

use crate::session::{Session, check_switches};
use crate::submitted;

/// Chunks that are read from the ledger at once.
const CHUNKS_AT_ONCE: u32 = 256;

/// How a replay is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mode {
    /// Which chunks.
    pub scope: ReplayScope,
    /// Whether nothing is to be changed.
    pub dry_run: bool,
}

/// What the replay of one job came to.
#[derive(Debug, Serialize)]
pub struct Replayed {
    /// The job.
    pub job: JobId,
    /// Its name.
    pub name: String,
    /// Whether nothing was changed.
    pub dry_run: bool,
    /// Chunks that were swapped, or compared.
    pub chunks: u64,
    /// Of these, the chunks in which something changed, or would, as far as was compared.
    pub changed: u64,
    /// Chunks that were as they should be, and not touched.
    pub current: u64,
    /// Chunks that stay as they are, and why.
    pub kept: Vec<Kept>,
    /// Whether it was stopped before the last chunk.
    pub stopped: bool,
    /// By schema, what changed, or would.
    pub schemas: BTreeMap<String, Difference>,
    /// The mappings, to show values by.
    #[serde(skip)]
    pub mappings: HashMap<Schema, Mapping>,
}

/// A chunk that stays as it is.
#[derive(Debug, Serialize)]
pub struct Kept {
    /// The chunk.
    pub chunk: ChunkId,
    /// Its schema.
    pub schema: String,
    /// Its days.
    pub days: String,
    /// Why.
    pub error: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<&'static str>,
}

/// A submitted job by its job file, its name or its number; and what a job file decides today.
pub async fn find_job(
    session: &Session,
    store: &Store,
    wanted: &str,
) -> anyhow::Result<(JobStatus, Option<JobFile>)> {
    if let Some(file) = session.find_job_file(wanted)? {
        let job = match store.job_of(&file.request).await? {
            Some(id) => store.job(id).await?,
            None => None,
        };
        if let Some(job) = job {
            return Ok((job, Some(file)));
        }
        if Path::new(wanted).is_file() {
            let help = "`scheduler run` submits it; a job that was submitted before the file was \
                        changed is found by its name or number";
            let message = "this job was not submitted as it stands in the file";
            return Err(Refusal::of(wanted, message, help).into());
        }
    }
    Ok((submitted::find(store, wanted).await?, None))
}

/// Goes through a job's chunks.
pub async fn go(
    session: &Session,
    store: &Arc<Store>,
    job: JobStatus,
    file: Option<&JobFile>,
    mode: Mode,
    stop: &CancellationToken,
) -> anyhow::Result<Replayed> {
    let schemas = store.schemas(job.id).await?;
    let mut schemas: Vec<_> = schemas.into_iter().map(|status| status.schema).collect();
    // A schema that others hold all of has no chunks, and rules all the same.
    let asked = file.map(|file| file.request.schemas.as_slice());
    for schema in asked.unwrap_or_default() {
        if !schemas.contains(schema) {
            schemas.push(*schema);
        }
    }
    let mappings = session.mappings(&schemas, store).await?;
    let quality = file.map(|file| &file.request.quality);
    if let Some(file) = file {
        check_switches(file, &mappings)?;
    }
    if let (Some(quality), false) = (quality, mode.dry_run) {
        store.set_quality(job.id, quality).await?;
    }
    let environment = ReplayEnvironment {
        store: Arc::clone(store),
        // Objects are found by name, whatever their origin.
        archive: session.archive()?,
        mappings,
        limit: session.settings.max_quarantine_percent,
    };
    let mut replayed = Replayed {
        job: job.id,
        name: job.name,
        dry_run: mode.dry_run,
        chunks: 0,
        changed: 0,
        current: 0,
        kept: Vec::new(),
        stopped: false,
        schemas: BTreeMap::new(),
        mappings: HashMap::new(),
    };
    let bar = bar(store.count_replayable(job.id, mode.scope).await?);
    each_chunk(&environment, quality, mode, stop, &mut replayed, &bar).await?;
    bar.finish_and_clear();
    replayed.mappings = environment.mappings;
    Ok(replayed)
}

async fn each_chunk(
    environment: &ReplayEnvironment,
    quality: Option<&Quality>,
    mode: Mode,
    stop: &CancellationToken,
    replayed: &mut Replayed,
    bar: &ProgressBar,
) -> anyhow::Result<()> {
    let mut after = ChunkId(0);
    loop {
        let store = &environment.store;
        let job = replayed.job;
        let chunks = store
            .replayable(job, mode.scope, after, CHUNKS_AT_ONCE)
            .await?;
        let Some(last) = chunks.last() else {
            return Ok(());
        };
        after = last.claim.chunk.id;
        for mut chunk in chunks {
            if stop.is_cancelled() {
                replayed.stopped = true;
                return Ok(());
            }
            if let Some(quality) = quality {
                chunk.claim.chunk.quality = quality.clone();
            }
            one(environment, &chunk, mode, replayed).await?;
            bar.inc(1);
        }
    }
}

async fn one(
    environment: &ReplayEnvironment,
    chunk: &Replayable,
    mode: Mode,
    replayed: &mut Replayed,
) -> anyhow::Result<()> {
    let claimed = &chunk.claim.chunk;
    let mapping = environment.mappings.get(&claimed.schema);
    if !mode.dry_run && mapping.is_some_and(|mapping| chunk.is_current(mapping)) {
        replayed.current += 1;
        return Ok(());
    }
    let difference = match mode.dry_run {
        true => rehearse(environment, chunk).await,
        false => replay(environment, chunk).await,
    };
    match difference {
        Ok(difference) => {
            replayed.chunks += 1;
            replayed.changed += u64::from(!difference.is_nothing());
            let schema = claimed.schema.to_string();
            replayed.schemas.entry(schema).or_default().add(difference);
        }
        // A database that fails ends the command; what is wrong with one chunk concerns it alone.
        Err(ChunkError::Store(error @ (StoreError::Database(_) | StoreError::DiskFull))) => {
            return Err(error.into());
        }
        Err(error) => replayed.kept.push(Kept {
            chunk: claimed.id,
            schema: claimed.schema.to_string(),
            days: claimed.days.to_string(),
            error: chain(&error),
            help: advice(&error, chunk.state),
        }),
    }
    Ok(())
}

fn bar(chunks: u64) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let template = "{bar:30} {pos:>5}/{len:<5} chunks, {eta} left";
    let style = ProgressStyle::with_template(template);
    ProgressBar::new(chunks).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}
