//! A Redis server, jobs as the database tells of them, and what the keys hold.

use common::chunk::{ChunkId, JobId};
use common::money::Usd;
use common::progress::{JobsPublisher, Progress, RunningChunk, WorkerPublisher};
use common::store::{ChunkCounts, JobStatus, RecordCounts};
use common::time::Nanos;
use testkit::redis::Redis;

/// 2023-11-14T22:13:20Z.
pub const NOW: Nanos = Nanos(1_700_000_000_000_000_000);
/// The line that the client prints for a list without entries.
pub const NOTHING: &str = "";
pub const PREFIX: &str = "test:";

/// So many seconds after [`NOW`].
pub fn after(seconds: i64) -> Nanos {
    Nanos(NOW.0 + seconds * 1_000_000_000)
}

pub async fn progress(redis: &Redis) -> Progress {
    Progress::new(common::redis::connect(&redis.url()).await.unwrap(), PREFIX)
}

pub async fn jobs_publisher(redis: &Redis) -> JobsPublisher {
    JobsPublisher::new(progress(redis).await)
}

pub async fn worker_publisher(redis: &Redis, worker: &str) -> WorkerPublisher {
    WorkerPublisher::new(progress(redis).await, worker)
}

/// A running job, submitted so many seconds after [`NOW`] as its number is, with these finished chunks
/// of 200.
pub fn job(id: i64, done: u64) -> JobStatus {
    JobStatus {
        id: JobId(id),
        name: format!("job-{id}"),
        created_at: after(id),
        state: "running",
        reason: None,
        complete: false,
        chunks: ChunkCounts {
            total: 200,
            pending: 200 - done - 1,
            running: 1,
            done,
            ..ChunkCounts::default()
        },
        records: RecordCounts {
            expected: 2_000,
            fetched: done * 10,
            loaded: done * 10,
            ..RecordCounts::default()
        },
        bytes_received: done * 1_000,
        spent_usd: Usd(i64::try_from(done).unwrap() * 1_234_000_000),
    }
}

/// A job as before, a number of whose pending chunks is dead instead.
pub fn with_dead(mut job: JobStatus, dead: u64) -> JobStatus {
    job.chunks.pending -= dead;
    job.chunks.dead = dead;
    job
}

/// A job that has nothing left to do.
pub fn finished(id: i64) -> JobStatus {
    let mut job = job(id, 199);
    (job.chunks.done, job.chunks.running) = (200, 0);
    (job.state, job.complete) = ("done", true);
    job
}

pub fn running(job: i64, chunk: i64, records: u64) -> RunningChunk {
    RunningChunk {
        job: JobId(job),
        chunk: ChunkId(chunk),
        attempt: 1,
        stage: "fetch",
        records,
        since: NOW,
    }
}

/// What the client prints, by lines.
pub fn lines(redis: &Redis, command: &[&str]) -> Vec<String> {
    redis.cli(command).lines().map(str::to_owned).collect()
}

/// The running chunks of job 1.
pub fn running_chunks(redis: &Redis) -> Vec<String> {
    let mut chunks = lines(redis, &["hkeys", "test:job:1:running"]);
    chunks.sort();
    chunks
}

pub fn field(redis: &Redis, key: &str, name: &str) -> String {
    redis.cli(&["hget", key, name]).trim_end().to_owned()
}

/// All that Redis holds, by key, but for the mark and when a hash was written.
pub fn picture(redis: &Redis) -> Vec<(String, Vec<String>)> {
    let mut keys = lines(redis, &["keys", "*"]);
    keys.retain(|key| !key.ends_with(":publisher"));
    keys.sort();
    let held = |key: String| {
        let values = match redis.cli(&["type", &key]).trim() {
            "hash" => {
                let mut values: Vec<String> = lines(redis, &["hgetall", &key])
                    .chunks(2)
                    .map(|pair| pair.join(" = "))
                    .filter(|pair| !pair.starts_with("updated_at"))
                    .collect();
                values.sort();
                values
            }
            _ => lines(redis, &["zrange", &key, "0", "-1", "withscores"]),
        };
        (key, values)
    };
    keys.into_iter().map(held).collect()
}

/// Commands that Redis did since it had done `before`, which was asked as this is.
pub fn commands_since(redis: &Redis, before: u64) -> u64 {
    redis.commands_processed() - before - 1
}
