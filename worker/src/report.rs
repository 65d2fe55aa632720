//! What a worker tells of itself: a log line for each chunk, events and what it runs in Redis.

use std::time::Duration;

use common::chunk::ChunkState;
use common::progress::{Change, Progress, RunningChunk, WorkerPublisher};
use common::time::{DayRange, Nanos};
use dbn::Schema;
use redis::RedisError;
use tokio::sync::mpsc;

use crate::activity::Activities;
use crate::environment::{Event, Outcome};
use crate::error::chain;
use crate::log::of_chunk;

/// How often what runs is written.
const INTERVAL: Duration = Duration::from_secs(1);
/// Events written at once.
const EVENTS_AT_ONCE: usize = 256;

/// What a worker tells, and where.
pub struct Reporter {
    /// Where events go to.
    pub progress: Progress,
    /// Where what runs goes to.
    pub worker: WorkerPublisher,
    /// The worker's name.
    pub name: String,
    /// What runs.
    pub activities: Activities,
}

impl Reporter {
    /// Tells until there are no more events. Redis is never waited for by the work itself, and when
    /// it is away the log has it all.
    pub async fn run(mut self, mut events: mpsc::Receiver<Event>) {
        let mut beat = tokio::time::interval(INTERVAL);
        beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut some = Vec::with_capacity(EVENTS_AT_ONCE);
        loop {
            tokio::select! {
                _ = beat.tick() => warn(self.worker.publish(&self.running(), Nanos::now()).await),
                count = events.recv_many(&mut some, EVENTS_AT_ONCE) => {
                    if count == 0 {
                        break;
                    }
                    some.iter().for_each(|event| log(event, &self.name));
                    let changes: Vec<_> = some.drain(..).filter_map(|event| self.change(&event)).collect();
                    warn(self.progress.publish_events(&changes).await);
                }
            }
        }
        warn(self.worker.leave().await);
    }

    fn running(&self) -> Vec<RunningChunk> {
        let all = self.activities.all().into_iter();
        all.map(|(chunk, activity)| RunningChunk {
            job: activity.job,
            chunk,
            attempt: activity.attempt,
            stage: activity.stage().name(),
            records: activity.records(),
            since: activity.since,
        })
        .collect()
    }

    fn change(&self, event: &Event) -> Option<Change> {
        let (job, chunk, from, to, records, seconds) = match event {
            Event::Started { job, chunk, .. } => {
                (job, chunk, ChunkState::Pending, ChunkState::Running, 0, 0.0)
            }
            Event::Settled {
                job,
                chunk,
                outcome,
                seconds,
                ..
            } => {
                let (to, records) = match outcome {
                    Outcome::Done { records, .. } => (ChunkState::Done, *records),
                    Outcome::Empty => (ChunkState::Empty, 0),
                    Outcome::Gap { .. } => (ChunkState::Cancelled, 0),
                    Outcome::Dead { .. } => (ChunkState::Dead, 0),
                    Outcome::Retry { .. }
                    | Outcome::Waits
                    | Outcome::NotYet { .. }
                    | Outcome::HandedBack => (ChunkState::Pending, 0),
                };
                (job, chunk, ChunkState::Running, to, records, *seconds)
            }
            Event::Paused { .. } | Event::Failed { .. } => return None,
        };
        Some(Change {
            job: *job,
            chunk: *chunk,
            from,
            to,
            worker: self.name.clone(),
            records,
            seconds,
        })
    }
}

fn warn(written: Result<(), RedisError>) {
    if let Err(error) = written {
        tracing::debug!(error = chain(&error), "progress was not written to Redis");
    }
}

/// A line of its own, with the fields of the attempt that it is about.
fn log(event: &Event, worker: &str) {
    match event {
        Event::Started {
            job,
            chunk,
            attempt,
            schema,
            days,
        } => of_chunk(*job, *chunk, *attempt, worker).in_scope(|| {
            tracing::debug!(%schema, %days, "a chunk was claimed");
        }),
        Event::Settled {
            job,
            chunk,
            attempt,
            schema,
            days,
            outcome,
            seconds,
        } => of_chunk(*job, *chunk, *attempt, worker)
            .in_scope(|| log_outcome(*schema, *days, outcome, *seconds)),
        Event::Paused { reason } => tracing::error!(reason, "paid work is paused"),
        Event::Failed { reason } => tracing::error!(reason, "this worker can't go on"),
    }
}

fn log_outcome(schema: Schema, days: DayRange, outcome: &Outcome, seconds: f64) {
    match outcome {
        Outcome::Done {
            records,
            from_archive,
        } => tracing::info!(
            %schema, %days, records, from_archive, seconds, "a chunk is done"
        ),
        Outcome::Empty => tracing::info!(%schema, %days, "a chunk is empty"),
        Outcome::Retry { error } => {
            tracing::warn!(%schema, %days, error, "a chunk will be tried again");
        }
        Outcome::Waits => tracing::debug!(%schema, %days, "a chunk waits for a stream"),
        Outcome::NotYet { error } => {
            tracing::info!(%schema, %days, error, "a chunk is not there yet");
        }
        Outcome::Gap { reason } => {
            tracing::warn!(%schema, %days, reason, "a chunk is a known gap");
        }
        Outcome::Dead { error } => tracing::error!(%schema, %days, error, "a chunk is dead"),
        Outcome::HandedBack => tracing::info!(%schema, %days, "a chunk was handed back"),
    }
}
