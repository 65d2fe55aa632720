//! A worker's heartbeat and the chunks that it runs: what changed since they were last published.

use std::collections::BTreeMap;

use redis::{Cmd, Pipeline, RedisError, cmd};

use super::Progress;
use crate::chunk::{ChunkId, JobId};
use crate::time::Nanos;

/// Between the heartbeats of a worker that runs nothing.
const HEARTBEAT_SECONDS: f64 = 5.0;
/// A worker that was silent for this long is no longer listed.
const SILENT_SECONDS: i64 = 300;
/// After this, the running chunks of a job are gone where no worker says that it runs one: of workers
/// that were killed, if nobody prunes.
const RUNNING_EXPIRY_SECONDS: i64 = 300;

/// A chunk that this worker runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunningChunk {
    /// The job.
    pub job: JobId,
    /// The chunk.
    pub chunk: ChunkId,
    /// The claim's epoch.
    pub attempt: i64,
    /// Where in the pipeline it is.
    pub stage: &'static str,
    /// Records so far.
    pub records: u64,
    /// When it was claimed.
    pub since: Nanos,
}

/// Publishes what one worker does.
#[derive(Debug)]
pub struct WorkerPublisher {
    progress: Progress,
    worker: String,
    /// The last heartbeat, which Redis holds if all is as it was left; `None` when all is to be
    /// written.
    heartbeat: Option<Nanos>,
    written: BTreeMap<(JobId, ChunkId), String>,
}

impl WorkerPublisher {
    /// One for a worker of this name, which no other has.
    #[must_use]
    pub fn new(progress: Progress, worker: &str) -> Self {
        Self {
            progress,
            worker: worker.to_owned(),
            heartbeat: None,
            written: BTreeMap::new(),
        }
    }

    /// Publishes the worker's heartbeat and all that it runs now. Where that is nothing, as before, it
    /// asks Redis only each 5 seconds. To be called each second or so.
    ///
    /// # Errors
    /// [`RedisError`] when Redis can't be reached or refuses. The next time all is written.
    pub async fn publish(
        &mut self,
        running: &[RunningChunk],
        now: Nanos,
    ) -> Result<(), RedisError> {
        let entries: BTreeMap<_, _> = running
            .iter()
            .map(|chunk| ((chunk.job, chunk.chunk), self.entry(chunk)))
            .collect();
        let fresh = |last: Nanos| (0.0..HEARTBEAT_SECONDS).contains(&now.seconds_since(last));
        if entries.is_empty() && self.written.is_empty() && self.heartbeat.is_some_and(fresh) {
            return Ok(());
        }
        if !self.write(&entries, now).await? {
            // What was remembered is not there any more.
            self.write(&entries, now).await?;
        }
        self.written = entries;
        Ok(())
    }

    /// Takes the worker and what it ran off the lists: it ends.
    ///
    /// # Errors
    /// [`RedisError`] when Redis can't be reached or refuses. Others will remove them in a while.
    pub async fn leave(&mut self) -> Result<(), RedisError> {
        self.heartbeat = None;
        let mut commands = Pipeline::new();
        commands
            .atomic()
            .zrem(self.progress.key("workers"), &self.worker)
            .ignore();
        for ended in self.ended(&BTreeMap::new()) {
            commands.add_command(ended).ignore();
        }
        self.progress.send::<()>(&commands).await?;
        self.written.clear();
        Ok(())
    }

    fn entry(&self, chunk: &RunningChunk) -> String {
        serde_json::json!({
            "worker": self.worker,
            "attempt": chunk.attempt,
            "stage": chunk.stage,
            "records": chunk.records,
            "since": chunk.since.to_string(),
        })
        .to_string()
    }

    /// Writes in one transaction. Whether all that is remembered was still there, or doesn't matter,
    /// for this is the whole.
    async fn write(
        &mut self,
        entries: &BTreeMap<(JobId, ChunkId), String>,
        now: Nanos,
    ) -> Result<bool, RedisError> {
        // Until it is known that it was done, nothing is.
        let left = self.heartbeat.take();
        let workers = self.progress.key("workers");
        let mut transaction = Pipeline::new();
        transaction
            .atomic()
            .zscore(&workers, &self.worker)
            .zadd(&workers, &self.worker, seconds(now))
            .ignore()
            .zrembyscore(&workers, "-inf", seconds(now) - SILENT_SECONDS)
            .ignore();
        for command in self.ended(entries) {
            transaction.add_command(command).ignore();
        }
        for command in self.changed(entries, left.is_none()) {
            transaction.add_command(command).ignore();
        }
        let (found,): (Option<String>,) = self.progress.send(&transaction).await?;
        let there = match left {
            Some(left) => found == Some(seconds(left).to_string()),
            None => true,
        };
        if there {
            self.heartbeat = Some(now);
        }
        Ok(there)
    }

    fn changed(&self, entries: &BTreeMap<(JobId, ChunkId), String>, whole: bool) -> Vec<Cmd> {
        let mut by_job: BTreeMap<JobId, Vec<(i64, &str)>> = BTreeMap::new();
        for (id, entry) in entries {
            let changed = by_job.entry(id.0).or_default();
            if whole || self.written.get(id) != Some(entry) {
                changed.push((id.1.0, entry));
            }
        }
        let mut commands = Vec::new();
        for (job, changed) in by_job {
            let key = self.progress.running_key(job);
            if !changed.is_empty() {
                commands.push(cmd("HSET").arg(&key).arg(&changed).take());
            }
            commands.push(Cmd::expire(&key, RUNNING_EXPIRY_SECONDS));
        }
        commands
    }

    fn ended(&self, entries: &BTreeMap<(JobId, ChunkId), String>) -> Vec<Cmd> {
        self.written
            .iter()
            .filter(|(id, _)| !entries.contains_key(id))
            .map(|((job, chunk), entry)| {
                let key = self.progress.running_key(*job);
                delete_same(&key, &chunk.to_string(), entry)
            })
            .collect()
    }
}

/// Deletes a field of a hash if it still holds this: another worker may have put its own there.
pub(super) fn delete_same(key: &str, field: &str, value: &str) -> Cmd {
    cmd("EVAL")
        .arg(include_str!("delete_same.lua"))
        .arg(1)
        .arg(key)
        .arg(field)
        .arg(value)
        .take()
}

fn seconds(instant: Nanos) -> i64 {
    instant.0.div_euclid(1_000_000_000)
}
