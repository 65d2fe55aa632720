//! What workers say of themselves, for whoever watches: who was heard of, and how far their chunks are.

use std::collections::HashMap;

use redis::{Pipeline, RedisError};
use serde::Deserialize;

use super::Progress;
use crate::chunk::{ChunkId, JobId};
use crate::time::Nanos;

/// A worker that was heard of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    /// Its name.
    pub worker: String,
    /// When it was last heard of, to the second.
    pub at: Nanos,
}

/// How far a worker says that a chunk is.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Seen {
    /// The worker's name.
    pub worker: String,
    /// The claim's epoch.
    pub attempt: i64,
    /// Where in the pipeline it is.
    pub stage: String,
    /// Records so far.
    pub records: u64,
}

impl Progress {
    /// The workers that were heard of within so many seconds before `now`, by name.
    ///
    /// # Errors
    /// [`RedisError`] when Redis can't be reached.
    pub async fn heard(&self, now: Nanos, within_seconds: i64) -> Result<Vec<Heard>, RedisError> {
        let seconds = now.0.div_euclid(1_000_000_000);
        let found: Vec<(String, i64)> = redis::cmd("ZRANGEBYSCORE")
            .arg(self.key("workers"))
            .arg(seconds - within_seconds)
            .arg("+inf")
            .arg("WITHSCORES")
            .query_async(&mut self.connection.clone())
            .await?;
        let heard = found.into_iter().map(|(worker, seconds)| Heard {
            worker,
            at: Nanos(seconds.saturating_mul(1_000_000_000)),
        });
        let mut heard: Vec<_> = heard.collect();
        heard.sort_by(|one, other| one.worker.cmp(&other.worker));
        Ok(heard)
    }

    /// How far the chunks of jobs are that run, by their workers. An entry that can't be read is left
    /// out.
    ///
    /// # Errors
    /// [`RedisError`] when Redis can't be reached.
    pub async fn seen(&self, jobs: &[JobId]) -> Result<HashMap<ChunkId, Seen>, RedisError> {
        if jobs.is_empty() {
            return Ok(HashMap::new());
        }
        let mut question = Pipeline::with_capacity(jobs.len());
        for job in jobs {
            question.hgetall(self.running_key(*job));
        }
        let hashes: Vec<HashMap<String, String>> = self.send(&question).await?;
        let entries = hashes.into_iter().flatten();
        let readable = entries.filter_map(|(chunk, entry)| {
            let chunk = ChunkId(chunk.parse().ok()?);
            Some((chunk, serde_json::from_str(&entry).ok()?))
        });
        Ok(readable.collect())
    }
}
