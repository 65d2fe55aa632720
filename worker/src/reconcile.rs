//! The reconciler: what is due by the database and not in the queue is put in, and Redis shows what the
//! database says. It runs in every worker, one at a time.

use std::sync::Arc;
use std::time::Duration;

use common::progress::JobsPublisher;
use common::queue::{Hint, RedisQueue};
use common::store::{DueChunk, Moment, Store, StoreError};
use common::time::Nanos;
use redis::RedisError;
use tokio_util::sync::CancellationToken;

use crate::error::chain;

/// Due chunks in the queue at once. Priority is decided when they are put in, so that a few seconds'
/// work is enough; the rest waits in the database.
pub const WINDOW: usize = 500;

const INTERVAL: Duration = Duration::from_millis(500);
/// Passes between two sweeps of what dead workers left in the queue.
const PASSES_PER_SWEEP: u64 = 20;

/// What keeps the queue and Redis' keys in step with the database.
#[derive(Debug)]
pub struct Reconciler {
    store: Arc<Store>,
    queue: RedisQueue,
    jobs: JobsPublisher,
}

/// What a pass has repaired.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Repaired {
    /// Hints that were put in: for new work, or because they were lost.
    pub pushed: u64,
    /// Leavings of finished hints and dead workers.
    pub swept: u64,
}

/// Why a pass did not go through. The next one does it all.
#[derive(Debug, thiserror::Error)]
pub enum ReconcileError {
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Redis failed.
    #[error("Redis did not do what was asked")]
    Redis(#[from] RedisError),
}

impl Reconciler {
    /// A reconciler that has done nothing yet.
    #[must_use]
    pub fn new(store: Arc<Store>, queue: RedisQueue, jobs: JobsPublisher) -> Self {
        Self { store, queue, jobs }
    }

    /// Reconciles until `ended`, whenever no other process is at it.
    pub async fn run(mut self, ended: CancellationToken) {
        let mut beat = tokio::time::interval(INTERVAL);
        beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        for pass in 0.. {
            tokio::select! {
                _ = beat.tick() => {}
                () = ended.cancelled() => return,
            }
            if let Err(error) = self.pass(pass % PASSES_PER_SWEEP == 0).await {
                tracing::warn!(error = chain(&error), "the queue was not reconciled");
            }
        }
    }

    async fn pass(&mut self, sweep: bool) -> Result<(), ReconcileError> {
        let Some(turn) = self.store.alone("reconcile").await? else {
            return Ok(());
        };
        self.store.fold_counts().await?;
        self.push().await?;
        if sweep {
            self.queue.sweep().await?;
        }
        self.publish().await?;
        Ok(turn.end().await?)
    }

    /// Repairs everything at once, whoever else is at it.
    ///
    /// # Errors
    /// [`ReconcileError`]; what was done is done.
    pub async fn repair(&mut self) -> Result<Repaired, ReconcileError> {
        self.store.fold_counts().await?;
        let swept = self.queue.sweep().await?;
        let pushed = self.push().await?;
        self.jobs.forget();
        let jobs = self.store.jobs(None).await?;
        self.jobs.rebuild(&jobs, Nanos::now()).await?;
        self.publish().await?;
        Ok(Repaired { pushed, swept })
    }

    /// Puts in what is due and not there, the most urgent first.
    async fn push(&self) -> Result<u64, ReconcileError> {
        let due = self.store.due_anywhere(WINDOW, Moment::Now).await?;
        if due.is_empty() {
            return Ok(0);
        }
        let hints: Vec<Hint> = due.into_iter().map(DueChunk::hint).collect();
        let known = self.queue.known(&hints).await?;
        let missing = hints.into_iter().zip(known).filter(|(_, known)| !known);
        let missing: Vec<Hint> = missing.map(|(hint, _)| hint).collect();
        Ok(self.queue.push(&missing).await?)
    }

    async fn publish(&mut self) -> Result<(), ReconcileError> {
        let jobs = self.store.jobs(None).await?;
        self.jobs.publish(&jobs, Nanos::now()).await?;
        for job in self.jobs.dead_due() {
            let dead = self.store.dead(job, DEAD_TOLD).await?;
            self.jobs.publish_dead(job, &dead).await?;
        }
        let running = self.store.running().await?;
        let running: Vec<_> = running.iter().map(|of| (of.job, of.chunk)).collect();
        self.jobs.prune_running(&running).await?;
        Ok(())
    }
}

/// Dead chunks that Redis shows of a job.
const DEAD_TOLD: u32 = 1_000;
