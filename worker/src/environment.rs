//! All that a chunk's work may touch.

use std::collections::HashMap;
use std::sync::Arc;

use common::archive::Archive;
use common::chunk::{ChunkId, JobId};
use common::configuration::mapping::Mapping;
use common::configuration::settings::Settings;
use common::source::Sources;
use common::store::Store;
use common::time::DayRange;
use dbn::Schema;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::activity::Activities;

/// All that a chunk's work may touch. Clones share it.
#[derive(Clone, Debug)]
pub struct Environment {
    /// Settings of the installation.
    pub settings: Arc<Settings>,
    /// The database.
    pub store: Arc<Store>,
    /// Received streams.
    pub archive: Archive,
    /// The sources of jobs: the vendor's service, folders of files.
    pub sources: Sources,
    /// The mappings of the schemas that are worked on.
    pub mappings: Arc<HashMap<Schema, Mapping>>,
    /// Tells whoever follows what happens.
    pub events: mpsc::Sender<Event>,
    /// Ends the work: no further claims, streams are let go, loads are finished.
    pub stop: CancellationToken,
    /// Ends the loads too: time is up, and what isn't settled is handed back.
    pub abandon: CancellationToken,
    /// What is being worked on, for whoever shows it.
    pub activities: Activities,
    /// This process's name, new with every start.
    pub worker: Arc<str>,
}

/// Something that happened to a chunk.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// Work on it began.
    Started {
        /// Its job.
        job: JobId,
        /// The chunk.
        chunk: ChunkId,
        /// The claim's number.
        attempt: i64,
        /// Its schema.
        schema: Schema,
        /// Its days.
        days: DayRange,
    },
    /// It stands as follows.
    Settled {
        /// Its job.
        job: JobId,
        /// The chunk.
        chunk: ChunkId,
        /// Its schema.
        schema: Schema,
        /// Its days.
        days: DayRange,
        /// The claim's number.
        attempt: i64,
        /// What became of it.
        outcome: Outcome,
        /// How long this attempt took.
        seconds: f64,
    },
    /// Work that costs money stopped, in one job or in all.
    Paused {
        /// Why.
        reason: String,
    },
    /// This process can't go on.
    Failed {
        /// Why.
        reason: String,
    },
}

/// What became of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Loaded, and proven complete.
    Done {
        /// Records fetched.
        records: u64,
        /// Whether the archive had them already.
        from_archive: bool,
    },
    /// Proven to hold no records.
    Empty,
    /// To be tried again.
    Retry {
        /// Why.
        error: String,
    },
    /// Another is fetching its stream: it waits for that.
    Waits,
    /// The vendor doesn't have it yet.
    NotYet {
        /// The vendor's words.
        error: String,
    },
    /// The vendor doesn't have it, and doesn't say that it will: a known gap.
    Gap {
        /// Which.
        reason: String,
    },
    /// Given up.
    Dead {
        /// Why.
        error: String,
    },
    /// Back in the queue as it was.
    HandedBack,
}
