//! What is being worked on: each claimed chunk's stage and records so far, for whoever shows it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use common::chunk::{ChunkId, JobId};
use common::store::Claim;
use common::time::Nanos;

/// How far a chunk is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Its records come from their source into the archive.
    Fetch,
    /// They go from the archive into the database.
    Load,
}

impl Stage {
    /// Its name for people.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Fetch => "fetch",
            Self::Load => "load",
        }
    }
}

/// The chunks that are being worked on in this process. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Activities(Arc<Mutex<HashMap<ChunkId, Arc<Activity>>>>);

/// The work on one chunk.
#[derive(Debug)]
pub struct Activity {
    /// Its job.
    pub job: JobId,
    /// The claim's number.
    pub attempt: i64,
    /// When it was claimed.
    pub since: Nanos,
    stage: AtomicU8,
    records: AtomicU64,
}

impl Activity {
    /// How far it is.
    #[must_use]
    pub fn stage(&self) -> Stage {
        match self.stage.load(Ordering::Relaxed) {
            0 => Stage::Fetch,
            _ => Stage::Load,
        }
    }

    /// Records so far in its stage.
    #[must_use]
    pub fn records(&self) -> u64 {
        self.records.load(Ordering::Relaxed)
    }
}

/// An activity that ends when this is dropped.
#[derive(Debug)]
pub struct Begun {
    activities: Activities,
    chunk: ChunkId,
}

impl Drop for Begun {
    fn drop(&mut self) {
        self.activities.lock().remove(&self.chunk);
    }
}

impl Activities {
    /// Work on a claim begins.
    #[must_use]
    pub fn begin(&self, claim: &Claim, since: Nanos) -> Begun {
        let activity = Activity {
            job: claim.chunk.job,
            attempt: claim.epoch,
            since,
            stage: AtomicU8::new(0),
            records: AtomicU64::new(0),
        };
        self.lock().insert(claim.chunk.id, Arc::new(activity));
        Begun {
            activities: self.clone(),
            chunk: claim.chunk.id,
        }
    }

    /// A chunk's load begins, from its first record.
    pub fn loads(&self, chunk: ChunkId) {
        if let Some(activity) = self.lock().get(&chunk) {
            activity.records.store(0, Ordering::Relaxed);
            activity.stage.store(1, Ordering::Relaxed);
        }
    }

    /// So many records of a chunk have come this far.
    pub fn reached(&self, chunk: ChunkId, records: u64) {
        if let Some(activity) = self.lock().get(&chunk) {
            activity.records.store(records, Ordering::Relaxed);
        }
    }

    /// All that is being worked on.
    #[must_use]
    pub fn all(&self) -> Vec<(ChunkId, Arc<Activity>)> {
        let activities = self.lock();
        let all = activities.iter();
        all.map(|(chunk, activity)| (*chunk, Arc::clone(activity)))
            .collect()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ChunkId, Arc<Activity>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
