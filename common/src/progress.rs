//! Progress in Redis, for people with Redis tools: how far each job is, what runs, what is dead.
//!
//! Nothing in Backhaul reads these keys to decide anything, and all but the events are derived from
//! the database. A failure here is logged by the caller and is never in the way of work.
//!
//! | key | type | holds |
//! |---|---|---|
//! | `jobs` | sorted set | job → when it was submitted, in seconds |
//! | `job:<id>` | hash | state, counts, money, `percent`, `eta_seconds`, `updated_at`: when any of it last changed |
//! | `job:<id>:running` | hash | chunk → worker, attempt, stage, records so far, since: as JSON |
//! | `job:<id>:dead` | hash | chunk → error |
//! | `events` | stream, capped | every change of state |
//! | `workers` | sorted set | worker → last heartbeat, in seconds |
//! | `publisher` | string | who published jobs last, and a count |
//!
//! **Only what changed is written**, so a publisher remembers what it wrote, and has to notice when
//! that is gone: Redis was wiped, came back with an older state, or somebody else published
//! meanwhile. So with every change it writes a mark that is new, and reads in the same transaction
//! whether the last one is still there: [`JobsPublisher`] the key `publisher`, [`WorkerPublisher`]
//! its heartbeat. If not, or if a command failed, so that nobody knows what was done, it writes
//! everything. A single key that somebody deleted by hand comes back when it changes, or by
//! [`JobsPublisher::rebuild`].
//!
//! **Cost**, when nothing changes: one command each time that jobs are published, and five commands
//! each five seconds for a worker. No key or field is a chunk's but for those that run or are dead.

mod jobs;
mod fields;
mod pace;
mod eta;
mod running;
mod prune;
mod seen;

use std::fmt;

use redis::aio::ConnectionManager;
use redis::streams::StreamMaxlen;
use redis::{FromRedisValue, Pipeline, RedisError};

pub use self::eta::Eta;
pub use self::jobs::{DEAD_MAX, JobsPublisher};
pub use self::pace::Pace;
pub use self::running::{RunningChunk, WorkerPublisher};
pub use self::seen::{Heard, Seen};
use crate::chunk::{ChunkId, ChunkState, JobId};
use crate::time::Nanos;

/// What the keys start with in production.
pub const PREFIX: &str = "backhaul:";
/// A worker that was silent for longer, in seconds, counts as gone.
pub const HEARD_WITHIN_SECONDS: i64 = 30;
/// Events kept, about: Redis cuts whole nodes of its stream.
const EVENTS_MAX: usize = 10_000;

/// Where progress is written. What needs a memory besides is in [`JobsPublisher`] and
/// [`WorkerPublisher`].
#[derive(Clone)]
pub struct Progress {
    connection: ConnectionManager,
    prefix: String,
}

/// A change of a chunk's state.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// The job.
    pub job: JobId,
    /// The chunk.
    pub chunk: ChunkId,
    /// The state before.
    pub from: ChunkState,
    /// The state after.
    pub to: ChunkState,
    /// Whose doing it was; empty when no worker's.
    pub worker: String,
    /// Records that the change is about: loaded, say.
    pub records: u64,
    /// How long the chunk was in the state before, in seconds.
    pub seconds: f64,
}

impl Progress {
    /// Progress under keys that start with `prefix`; in production [`PREFIX`].
    #[must_use]
    pub fn new(connection: ConnectionManager, prefix: &str) -> Self {
        Self {
            connection,
            prefix: prefix.to_owned(),
        }
    }

    /// Appends to the stream of events, in one round trip. Of more than it keeps, the last.
    ///
    /// # Errors
    /// [`RedisError`] when Redis can't be reached or refuses. Events that were written are not
    /// rebuilt when Redis loses them.
    pub async fn publish_events(&self, events: &[Change]) -> Result<(), RedisError> {
        let last = &events[events.len().saturating_sub(EVENTS_MAX)..];
        if last.is_empty() {
            return Ok(());
        }
        let mut pipeline = Pipeline::with_capacity(last.len());
        for event in last {
            let fields = [
                ("job", event.job.to_string()),
                ("chunk", event.chunk.to_string()),
                ("from", event.from.to_string()),
                ("to", event.to.to_string()),
                ("worker", event.worker.clone()),
                ("records", event.records.to_string()),
                ("seconds", format!("{:.3}", event.seconds)),
            ];
            let kept = StreamMaxlen::Approx(EVENTS_MAX);
            pipeline
                .xadd_maxlen(self.key("events"), kept, "*", &fields)
                .ignore();
        }
        self.send(&pipeline).await
    }

    /// How many workers were heard of within so many seconds before `now`.
    ///
    /// # Errors
    /// [`RedisError`] when Redis can't be reached.
    pub async fn workers_heard(&self, now: Nanos, within_seconds: i64) -> Result<u64, RedisError> {
        let seconds = now.0.div_euclid(1_000_000_000);
        redis::cmd("ZCOUNT")
            .arg(self.key("workers"))
            .arg(seconds - within_seconds)
            .arg("+inf")
            .query_async(&mut self.connection.clone())
            .await
    }

    async fn send<T: FromRedisValue>(&self, pipeline: &Pipeline) -> Result<T, RedisError> {
        pipeline.query_async(&mut self.connection.clone()).await
    }

    fn key(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    fn job_key(&self, job: JobId) -> String {
        format!("{}job:{job}", self.prefix)
    }

    fn running_key(&self, job: JobId) -> String {
        format!("{}job:{job}:running", self.prefix)
    }

    fn dead_key(&self, job: JobId) -> String {
        format!("{}job:{job}:dead", self.prefix)
    }
}

impl fmt::Debug for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Progress")
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}
