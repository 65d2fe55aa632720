//! The pool: slots that take hints from the queue, claim their chunks and work them off.

use std::sync::Arc;
use std::time::Duration;

use apalis::layers::WorkerBuilderExt;
use apalis_core::error::WorkerError;
use apalis_core::worker::builder::WorkerBuilder;
use common::chunk::ChunkId;
use common::queue::{Hint, Hints, RedisQueue};
use common::store::{Claim, Moment, StoreError};
use common::time::Nanos;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, Span};

use crate::environment::{Environment, Event, Outcome};
use crate::error::{ChunkError, chain};
use crate::log;
use crate::measure;
use crate::patience::patiently;
use crate::pipeline;
use crate::settle::{note_lost, settle_error};
use crate::trace;

mod bell;
mod crew;
mod fleet;
mod intake;

pub use fleet::{Fleet, Work};

/// Told of every hint that was dealt with, whatever came of it.
pub type Dealt = Arc<dyn Fn(ChunkId) + Send + Sync>;

/// Works off hints until `ended`; what is being worked on then is finished first.
///
/// # Errors
/// [`WorkerError`] when the queue fails.
pub async fn run(
    environment: Environment,
    hints: Hints,
    dealt: Dealt,
    ended: CancellationToken,
) -> Result<(), WorkerError> {
    let slots = environment.settings.slots();
    let name = environment.worker.to_string();
    let handler = move |message: serde_json::Value| {
        let environment = environment.clone();
        let dealt = Arc::clone(&dealt);
        async move {
            // A message that can't be read is dropped: the database finds its chunk again.
            if let Ok(hint) = serde_json::from_value::<Hint>(message) {
                // A task of its own: a panic stays in it.
                let work = tokio::spawn(async move { attempt(&environment, hint.chunk).await });
                if let Err(error) = work.await {
                    tracing::error!(chunk = %hint.chunk, %error, "the work on a chunk failed");
                }
                dealt(hint.chunk);
            }
        }
    };
    WorkerBuilder::new(name)
        .backend(hints)
        .concurrency(slots)
        .build(handler)
        // The end of the hints alone does not end an apalis worker.
        .run_until(async move {
            ended.cancelled().await;
            Ok::<(), WorkerError>(())
        })
        .await
}

/// Works off the queue in Redis until `ended`; what is being worked on then is finished first, for as
/// long as the caller waits.
pub async fn serve(environment: Environment, queue: RedisQueue, ended: CancellationToken) {
    let (name, slots) = (
        Arc::clone(&environment.worker),
        environment.settings.slots(),
    );
    let work: Work = Arc::new(move |hint| {
        let environment = environment.clone();
        Box::pin(async move { attempt(&environment, hint.chunk).await })
    });
    Fleet::new(queue, &name, slots, work).run(ended).await;
}

/// One attempt at a chunk, if it is due: claim, work, settle.
async fn attempt(environment: &Environment, chunk: ChunkId) {
    if environment.stop.is_cancelled() {
        return;
    }
    let span = log::of_hint(chunk, &environment.worker);
    claim_and_work(environment, chunk).instrument(span).await;
}

async fn claim_and_work(environment: &Environment, chunk: ChunkId) {
    let lease = environment.settings.lease();
    let store = &environment.store;
    let claim = match store
        .claim(chunk, &environment.worker, lease, Moment::Now)
        .await
    {
        Ok(Some(claim)) => claim,
        Ok(None) => return,
        Err(error) => {
            report_store(environment, &error).await;
            return;
        }
    };
    let traced = begin_trace(environment, &claim).await;
    log::claimed(&Span::current(), claim.chunk.job, claim.epoch);
    traced.around(work_off(environment, &claim, lease)).await;
    traced.end();
}

/// The span of an attempt; where nothing is traced, the database isn't asked.
async fn begin_trace(environment: &Environment, claim: &Claim) -> trace::Span {
    if !trace::is_on() {
        return trace::Span::default();
    }
    // Without its submission it is a trace of its own.
    let traced = environment.store.traced(claim.chunk.id).await;
    let traced = traced.ok().flatten();
    trace::Span::of_attempt(claim, &environment.worker, traced.as_ref())
}

/// The work on a claim, told from its beginning to its settlement.
async fn work_off(environment: &Environment, claim: &Claim, lease: Duration) {
    let began = Nanos::now();
    let _activity = environment.activities.begin(claim, began);
    send(environment, started(claim)).await;
    // The lease is prolonged until the chunk is settled, however long a failing database takes.
    let outcome = tokio::select! {
        outcome = work_and_settle(environment, claim) => outcome,
        () = lease_lost(environment, claim, lease) => {
            note_lost(environment, claim).await;
            tracing::warn!("the lease of a chunk was lost; what was done of it is let go");
            Outcome::HandedBack
        }
    };
    measure::settled(claim.chunk.schema, &outcome);
    let seconds = Nanos::now().seconds_since(began);
    send(environment, settled(claim, outcome, seconds)).await;
}

/// What a claim comes to, written down.
async fn work_and_settle(environment: &Environment, claim: &Claim) -> Outcome {
    let failures = claim.chunk.failures;
    let result = tokio::select! {
        biased;
        () = std::future::ready(()), if failures >= environment.settings.attempts_max => {
            Err(ChunkError::WorkersLost(failures))
        }
        result = guarded(environment, claim) => result,
        () = environment.abandon.cancelled() => Err(ChunkError::Stopped),
    };
    let error = match result {
        Ok(outcome) => return outcome,
        Err(error) => error,
    };
    match patiently(environment, || settle_error(environment, claim, &error)).await {
        Ok(outcome) => outcome,
        // It was settled or claimed elsewhere meanwhile: nothing to add.
        Err(StoreError::Fenced(_)) => {
            note_lost(environment, claim).await;
            Outcome::HandedBack
        }
        Err(error) => {
            report_store(environment, &error).await;
            Outcome::HandedBack
        }
    }
}

/// The pipeline in a task of its own, so that a panic in it is an error like others.
async fn guarded(environment: &Environment, claim: &Claim) -> Result<Outcome, ChunkError> {
    let (environment, claim) = (environment.clone(), claim.clone());
    let mut task = tokio::task::JoinSet::new();
    let work = async move { pipeline::run(&environment, &claim).await };
    task.spawn(trace::carried(work.in_current_span()));
    match task.join_next().await {
        Some(Ok(result)) => result,
        Some(Err(error)) => Err(ChunkError::Panic(error.to_string())),
        None => Err(ChunkError::Stopped),
    }
}

/// Prolongs the lease while the work lasts; returns when it is lost, or could not be prolonged for so
/// long that it must be.
async fn lease_lost(environment: &Environment, claim: &Claim, lease: Duration) {
    let mut beat = tokio::time::interval(lease / 3);
    beat.tick().await;
    let mut prolonged = Instant::now();
    while prolonged.elapsed() < lease {
        beat.tick().await;
        match environment.store.renew(claim, lease, Moment::Now).await {
            Ok(true) => prolonged = Instant::now(),
            Ok(false) => match environment.store.is_settled(claim).await {
                // By this claim, just now: the work is about to say so.
                Ok(true) => prolonged = Instant::now(),
                Ok(false) => return,
                Err(error) => tracing::warn!(error = chain(&error), "a claim was not looked up"),
            },
            Err(error) => tracing::warn!(error = chain(&error), "a lease was not prolonged"),
        }
    }
}

async fn report_store(environment: &Environment, error: &StoreError) {
    let reason = chain(error);
    tracing::error!(reason, "the database did not take a chunk's state");
    if matches!(error, StoreError::DiskFull) {
        environment.stop.cancel();
        send(environment, Event::Failed { reason }).await;
    }
}

async fn send(environment: &Environment, event: Event) {
    // Nobody may be following.
    let _follower_gone = environment.events.send(event).await;
}

fn started(claim: &Claim) -> Event {
    Event::Started {
        job: claim.chunk.job,
        chunk: claim.chunk.id,
        attempt: claim.epoch,
        schema: claim.chunk.schema,
        days: claim.chunk.days,
    }
}

fn settled(claim: &Claim, outcome: Outcome, seconds: f64) -> Event {
    Event::Settled {
        job: claim.chunk.job,
        chunk: claim.chunk.id,
        attempt: claim.epoch,
        schema: claim.chunk.schema,
        days: claim.chunk.days,
        outcome,
        seconds,
    }
}
