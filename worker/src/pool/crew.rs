//! A few slots that one apalis worker serves: it is started when there is work for it, and again when
//! it ends.
//!
//! Any trouble with Redis ends an apalis worker, and its name can't be used again for a while. So each
//! start has a name of its own, and the work on a hint is a task of its own, which goes on whatever
//! becomes of the worker.

use std::sync::Arc;
use std::time::Duration;

use apalis_core::worker::builder::WorkerBuilder;
use apalis_core::worker::context::WorkerContext;
use common::time::Nanos;
use common::vendor::retry::RetryDelays;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::{AbortOnDropHandle, TaskTracker};

use super::fleet::Fleet;
use super::intake::{Intake, Taken};
use crate::error::chain;

/// Slots of one apalis worker at most: with more than four times its batch, which is one, apalis
/// holds on to what it did and waits for itself when it is to stop.
pub(super) const SLOTS_MAX: usize = 4;

/// Waits between two starts of a worker that fails: at most five seconds with their jitter.
const RESTARTS: RetryDelays = RetryDelays {
    first: Duration::from_millis(100),
    longest: Duration::from_millis(3_300),
};
/// A worker that ran so long ran well: its next failure is the first.
const RAN_WELL: Duration = Duration::from_secs(10);
/// Heartbeats for which a worker stays that is not needed.
const HEARTBEATS_LINGERED: u32 = 2;
/// How long a worker may take to stop, and Redis to forget it.
pub(super) const STOP_MAX: Duration = Duration::from_secs(5);

/// A few slots, and the worker that serves them.
#[derive(Debug)]
pub(super) struct Crew {
    fleet: Fleet,
    /// Slots in use from which on it is needed: those of the crews before it.
    first: usize,
    slots: Arc<Semaphore>,
    at_work: TaskTracker,
    ended: CancellationToken,
}

/// Why a worker ended.
enum End {
    Asked,
    NotNeeded,
    Failed(String),
}

impl Crew {
    pub fn new(fleet: Fleet, first: usize, slots: usize, ended: CancellationToken) -> Self {
        Self {
            fleet,
            first,
            slots: Arc::new(Semaphore::new(slots)),
            at_work: TaskTracker::new(),
            ended,
        }
    }

    /// Runs workers, one after the other, until the end; then waits for the work at hand.
    pub async fn run(self) {
        let mut failures = 0;
        let mut last = None;
        while self.unless_ended(self.needed()).await.is_some() {
            let name = last.insert(self.new_name());
            let began = Instant::now();
            match self.serve_as(name).await {
                End::Asked => break,
                End::NotNeeded => failures = 0,
                End::Failed(error) => {
                    let ran_well = began.elapsed() >= RAN_WELL;
                    failures = if ran_well { 1 } else { failures + 1 };
                    tracing::warn!(error, name, "a worker of the queue ended, and starts again");
                    let pause = tokio::time::sleep(RESTARTS.after(failures));
                    self.unless_ended(pause).await;
                }
            }
            self.unless_ended(self.release_at_last(name)).await;
        }
        self.at_work.close();
        self.at_work.wait().await;
        if let Some(name) = last {
            self.release_in_time(&name).await;
        }
    }

    async fn unless_ended<T>(&self, future: impl Future<Output = T>) -> Option<T> {
        self.ended.run_until_cancelled(future).await
    }

    /// Returns when all slots of the crews before are in use.
    async fn needed(&self) {
        let mut busy = self.fleet.busy.subscribe();
        // It can't fail: the sender lives in the fleet.
        busy.wait_for(|busy| *busy >= self.first).await.ok();
    }

    /// Returns when nothing was to do for a while that the crews before could not do.
    async fn not_needed(&self) {
        let mut busy = self.fleet.busy.subscribe();
        let linger = self.fleet.heartbeat * HEARTBEATS_LINGERED;
        loop {
            busy.wait_for(|busy| *busy < self.first).await.ok();
            let idle = timeout(linger, self.needed()).await.is_err();
            if idle && self.at_work.is_empty() {
                return;
            }
        }
    }

    /// Runs a worker until it fails or has to stop.
    async fn serve_as(&self, name: &str) -> End {
        let fleet = &self.fleet;
        let context = WorkerContext::new(name);
        let storage = fleet.queue.storage(fleet.heartbeat);
        let slots = Arc::clone(&self.slots);
        let intake = Intake::new(storage, slots, Arc::clone(&fleet.busy), fleet.bell.clone());
        let worker = WorkerBuilder::new(&context)
            .backend(intake)
            .build(self.handler());
        let _counted = fleet.bell.count();
        // A task of its own: a panic stays in it.
        let mut running = AbortOnDropHandle::new(tokio::spawn(worker.run()));
        let end = tokio::select! {
            result = &mut running => return End::Failed(match result {
                Ok(Ok(())) => "it ended without being asked".to_owned(),
                Ok(Err(error)) => chain(&error),
                Err(error) => chain(&error),
            }),
            () = self.ended.cancelled() => End::Asked,
            () = self.not_needed() => End::NotNeeded,
        };
        // It refuses when it has not begun, and then takes nothing either.
        let _stopped = context.stop();
        if matches!(end, End::NotNeeded) && timeout(STOP_MAX, &mut running).await.is_ok() {
            return end;
        }
        running.abort();
        let _aborted = running.await;
        end
    }

    /// What the worker does with a message. It never fails, as apalis would try again by itself.
    fn handler(&self) -> impl FnMut(Taken) -> HandlerFuture + Clone + Send + use<> {
        let work = Arc::clone(&self.fleet.work);
        let dealt = Arc::clone(&self.fleet.dealt);
        let at_work = self.at_work.clone();
        move |Taken { hint, slot }| {
            let (work, dealt) = (Arc::clone(&work), Arc::clone(&dealt));
            let at_work = at_work.clone();
            Box::pin(async move {
                let done = at_work.spawn(async move {
                    match hint {
                        Some(hint) => work(hint).await,
                        // The database finds its chunk again, if there is one.
                        None => tracing::warn!("a message that can't be read was dropped"),
                    }
                    drop(slot);
                });
                if let Err(error) = done.await {
                    tracing::error!(?hint, %error, "the work on a hint failed");
                }
                dealt.notify_one();
            })
        }
    }

    /// A name that was never used: apalis refuses one that it saw a short while ago.
    fn new_name(&self) -> String {
        let Fleet { name, .. } = &self.fleet;
        format!("{name}-{}-{}", self.first / SLOTS_MAX, Nanos::now().0)
    }

    /// Releases a name, however long it takes: while Redis is away nothing can be started anyway.
    async fn release_at_last(&self, name: &str) {
        let mut failures = 0;
        while let Err(error) = self.fleet.queue.release_worker(name).await {
            failures += 1;
            tracing::debug!(error = chain(&error), name, "a name was not released yet");
            tokio::time::sleep(RESTARTS.after(failures)).await;
        }
    }

    /// Releases a name within a few seconds, or leaves it to the reconciler.
    async fn release_in_time(&self, name: &str) {
        match timeout(STOP_MAX, self.fleet.queue.release_worker(name)).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => {
                tracing::warn!(error = chain(&error), name, "a name was not released")
            }
            Err(_elapsed) => tracing::warn!(name, "a name was not released in time"),
        }
    }
}

type HandlerFuture = std::pin::Pin<Box<dyn Future<Output = ()> + Send>>;
