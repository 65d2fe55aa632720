//! Works a submitted job off in this process: due chunks to the queue, slots that work, to the end.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use common::archive::Archive;
use common::chunk::{ChunkId, JobId};
use common::configuration::mapping::Mapping;
use common::configuration::settings::Settings;
use common::queue::{EmbeddedQueue, Hint};
use common::source::Sources;
use common::store::{Moment, Store, StoreError};
use common::time::Nanos;
use dbn::Schema;
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;
use worker::activity::Activities;
use worker::environment::{Environment, Event};
use worker::process;

/// Events between the slots and whoever follows them.
const EVENTS_AHEAD: usize = 1_024;
/// Hints in the queue for each slot: enough that none waits for the next.
const HINTS_PER_SLOT: usize = 4;

/// Between two looks at what other processes work on, with nothing to do here.
const OTHERS_SECONDS: f64 = 0.5;

/// What the work needs and what follows it.
pub struct Backfill {
    environment: Environment,
    job: JobId,
}

impl Backfill {
    /// The work of one job; and the events that it will tell.
    #[must_use]
    pub fn new(
        settings: &Settings,
        mappings: HashMap<Schema, Mapping>,
        archive: Archive,
        job: JobId,
        store: Arc<Store>,
        sources: Sources,
        stop: CancellationToken,
    ) -> (Self, mpsc::Receiver<Event>) {
        let (events, followed) = mpsc::channel(EVENTS_AHEAD);
        let environment = Environment {
            settings: Arc::new(settings.clone()),
            store,
            archive,
            sources,
            mappings: Arc::new(mappings),
            events,
            stop,
            abandon: CancellationToken::new(),
            activities: Activities::default(),
            worker: process::name(),
        };
        (Self { environment, job }, followed)
    }

    /// The name of who works, for the log.
    #[must_use]
    pub fn worker(&self) -> Arc<str> {
        Arc::clone(&self.environment.worker)
    }

    /// Works until nothing is due within the time that a retry may take, or the work is stopped.
    pub async fn work_off(self) -> anyhow::Result<()> {
        let slots = self.environment.settings.slots();
        let (mut queue, hints) = EmbeddedQueue::new(slots * HINTS_PER_SLOT);
        let admission = Arc::new(Admission::default());
        let dealt = {
            let admission = Arc::clone(&admission);
            Arc::new(move |chunk| admission.dealt_with(chunk))
        };
        let ended = CancellationToken::new();
        let pool = worker::pool::run(self.environment.clone(), hints, dealt, ended.clone());
        let admit = async {
            let admitted = self
                .admit(&admission, &mut queue, slots * HINTS_PER_SLOT)
                .await;
            ended.cancel();
            admitted.map_err(anyhow::Error::from)
        };
        tokio::try_join!(admit, async { pool.await.map_err(anyhow::Error::from) })?;
        Ok(())
    }

    /// Puts due chunks into the queue, a few at a time, until there are no more.
    async fn admit(
        &self,
        admission: &Admission,
        queue: &mut EmbeddedQueue,
        window: usize,
    ) -> Result<(), StoreError> {
        let store = &self.environment.store;
        let stop = &self.environment.stop;
        // What is further off than any retry waits for the vendor: the next run takes it up.
        let patience = worker::settle::RETRY_WAIT_MAX.as_secs_f64();
        loop {
            let now = Nanos::now();
            if !stop.is_cancelled() {
                for chunk in store.due(self.job, window * 2, Moment::Now).await? {
                    if admission.len() < window && admission.admit(chunk) {
                        let pushed = queue.push(Hint {
                            chunk,
                            generation: 0,
                        });
                        if !pushed {
                            admission.dealt_with(chunk);
                        }
                    }
                }
            }
            let in_queue = admission.len() > 0;
            let next_retry = match stop.is_cancelled() {
                true => None,
                false => store.next_retry(self.job).await?,
            };
            let wait = next_retry.map(|due| due.seconds_since(now).max(0.0));
            let wait = wait.filter(|seconds| *seconds <= patience);
            let wait = match wait {
                None if !in_queue && self.others_work().await? => Some(OTHERS_SECONDS),
                None if !in_queue => return Ok(()),
                wait => wait,
            };
            // With a full queue what is due has to wait for a slot; look again when one is free.
            let wait = wait.filter(|seconds| *seconds > 0.0 || !in_queue);
            tokio::select! {
                () = admission.changed.notified() => {}
                () = sleep(wait) => {}
                () = stop.cancelled(), if !stop.is_cancelled() => {}
            }
        }
    }
}

impl Backfill {
    /// Whether other processes have chunks of the job, which may come back to be worked on.
    async fn others_work(&self) -> Result<bool, StoreError> {
        let environment = &self.environment;
        if environment.stop.is_cancelled() || !environment.settings.is_distributed() {
            return Ok(false);
        }
        let job = environment.store.job(self.job).await?;
        Ok(job.is_some_and(|job| job.chunks.running > 0))
    }
}

async fn sleep(seconds: Option<f64>) {
    match seconds {
        Some(seconds) => tokio::time::sleep(Duration::from_secs_f64(seconds + 0.001)).await,
        None => std::future::pending().await,
    }
}

/// The chunks that are in the queue or being worked on.
#[derive(Default)]
struct Admission {
    chunks: Mutex<HashSet<ChunkId>>,
    changed: Notify,
}

impl Admission {
    fn chunks(&self) -> std::sync::MutexGuard<'_, HashSet<ChunkId>> {
        self.chunks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn len(&self) -> usize {
        self.chunks().len()
    }

    fn admit(&self, chunk: ChunkId) -> bool {
        self.chunks().insert(chunk)
    }

    fn dealt_with(&self, chunk: ChunkId) {
        self.chunks().remove(&chunk);
        self.changed.notify_one();
    }
}
