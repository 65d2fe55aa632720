//! The worker as a process: works off the fleet's queue until it is told to stop.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use common::archive::Archive;
use common::configuration::document::{Refusal, Refusals};
use common::configuration::files::ConfigFiles;
use common::configuration::mapping::{Mapping, Mappings};
use common::configuration::settings::Settings;
use common::progress::{JobsPublisher, PREFIX, Progress, WorkerPublisher};
use common::queue::{NAMESPACE, RedisQueue};
use common::source::Sources;
use common::store::{Access, Store};
use common::vendor::Vendor;
use common::vendor::limiter::{FleetOptions, Limiter, Limits};
use dbn::Schema;
use redis::aio::ConnectionManager;
use tokio::sync::{OnceCell, mpsc};
use tokio_util::sync::CancellationToken;

use crate::activity::Activities;
use crate::environment::{Environment, Event};
use crate::monitor::{self, Dependencies, WorkerMonitor};
use crate::reconcile::Reconciler;
use crate::report::Reporter;
use crate::{pool, process};

/// Events between the slots and what tells them.
const EVENTS_AHEAD: usize = 1_024;
/// The last part of the grace: what is then handed back must be written down before its end.
const HAND_BACK: Duration = Duration::from_secs(5);

/// A worker that has all it needs.
pub struct Service {
    environment: Environment,
    events: mpsc::Receiver<Event>,
    queue: RedisQueue,
    reconciler: Reconciler,
    reporter: Reporter,
    monitor: Option<WorkerMonitor>,
}

impl Service {
    /// Connects to everything, and checks the mappings against the tables.
    ///
    /// # Errors
    /// A [`Refusal`] for what is configured wrongly; else what could not be reached.
    pub async fn prepare(settings: Settings, files: &ConfigFiles) -> anyhow::Result<Self> {
        if !settings.is_distributed() {
            return Err(needs_postgres().into());
        }
        let redis = settings.require_redis_url()?;
        // First: a port that is taken is known before anything is begun.
        let listener = match settings.metrics_listen {
            Some(address) => Some(monitor::listen("BACKHAUL_METRICS_LISTEN", address).await?),
            None => None,
        };
        let connect = async || connect(redis).await;
        let (url, connections) = (&settings.database_url, settings.worker_connections());
        let store = Store::open_with(url, Access::Work, connections).await?;
        let store = store.ok_or_else(needs_postgres)?;
        // Synthetic records of a trial, say, stay apart from the vendor's.
        store.check_origin(settings.origin()).await?;
        let store = Arc::new(store.within_budget(settings.budget_usd));
        let mappings = mappings(files, &store).await?;
        let limits = Limits::by(&settings);
        let limiter = Limiter::fleet(connect().await?, FleetOptions::default(), limits);
        let vendor = match settings.api_key {
            Some(_) => Some(Vendor::with_limiter(&settings, limiter)?),
            // Jobs of files need none.
            None => None,
        };
        let progress = Progress::new(connect().await?, PREFIX);
        let archive = Archive::open(&settings.archive_url, settings.origin())?;
        // Before anything is paid that could not be kept.
        archive.sweep()?;
        let monitor = match listener {
            Some(listener) => {
                let store = Arc::new(OnceCell::new_with(Some(Arc::clone(&store))));
                let redis = Some(connect().await?);
                Some(WorkerMonitor::new(listener, Dependencies { store, redis }))
            }
            None => None,
        };
        let name = process::name();
        let queue = RedisQueue::new(connect().await?, NAMESPACE);
        let jobs = JobsPublisher::new(progress.clone());
        let (sender, events) = mpsc::channel(EVENTS_AHEAD);
        let activities = Activities::default();
        let environment = Environment {
            store: Arc::clone(&store),
            archive,
            sources: Sources::new(vendor),
            mappings: Arc::new(mappings),
            events: sender,
            stop: CancellationToken::new(),
            abandon: CancellationToken::new(),
            activities: activities.clone(),
            worker: Arc::clone(&name),
            settings: Arc::new(settings),
        };
        Ok(Self {
            environment,
            events,
            reconciler: Reconciler::new(store, queue.clone(), jobs),
            queue,
            monitor,
            reporter: Reporter {
                worker: WorkerPublisher::new(progress.clone(), &name),
                progress,
                name: name.to_string(),
                activities,
            },
        })
    }

    /// Works until `told_to_stop`, and for the grace after it; whether it ended because it was told.
    pub async fn run(self, told_to_stop: CancellationToken) -> bool {
        let environment = self.environment;
        let (slots, name) = (
            environment.settings.slots(),
            Arc::clone(&environment.worker),
        );
        tracing::info!(worker = %name, slots, "the worker begins");
        let answering = self.monitor.map(WorkerMonitor::start);
        let ended = CancellationToken::new();
        let reporter = tokio::spawn(self.reporter.run(self.events));
        let reconciler = tokio::spawn(self.reconciler.run(ended.clone()));
        let (stop, abandon) = (environment.stop.clone(), environment.abandon.clone());
        let grace = Duration::from_secs_f64(environment.settings.shutdown_grace_seconds);
        let store = Arc::clone(&environment.store);
        // The environment goes with it, and with the environment the sending end of the events.
        let mut work = tokio::spawn(pool::serve(environment, self.queue, ended.clone()));
        let told = tokio::select! {
            () = told_to_stop.cancelled() => true,
            // The disk of the archive is full, say: this process can't go on.
            () = stop.cancelled() => false,
            _ = &mut work => false,
        };
        if let Some(answering) = &answering {
            answering.drain();
        }
        ended.cancel();
        if !work.is_finished() {
            tracing::info!(worker = %name, "no more chunks are taken; those at hand are finished");
            let steps = [
                (grace.saturating_sub(HAND_BACK), &stop),
                (HAND_BACK.min(grace) / 2, &abandon),
                (HAND_BACK.min(grace) / 2, &abandon),
            ];
            for (wait, token) in steps {
                if tokio::time::timeout(wait, &mut work).await.is_ok() {
                    break;
                }
                token.cancel();
            }
            work.abort();
        }
        // Redis or the database may be away, and the grace is over.
        let late = Duration::from_secs(1);
        for mut task in [reconciler, reporter] {
            if tokio::time::timeout(late, &mut task).await.is_err() {
                task.abort();
            }
        }
        let _late = tokio::time::timeout(late, store.close()).await;
        tracing::info!(worker = %name, "the worker ends");
        told
    }
}

/// A connection to the fleet's Redis.
///
/// # Errors
/// [`Refusal`] when nobody answers there; it doesn't show the address, which may hold a password.
pub async fn connect(url: &str) -> Result<ConnectionManager, Refusal> {
    // Not the library's words alone: they don't say which address, and the address holds a password.
    common::redis::connect(url).await.map_err(|error| {
        let message = format!("Redis can't be reached: {}", error.category());
        Refusal::of(
            "REDIS_URL",
            message,
            "write for example redis://host:6379, and see that it runs",
        )
    })
}

fn needs_postgres() -> Refusal {
    Refusal::of(
        "DATABASE_URL",
        "a worker of a fleet needs a PostgreSQL server, and this is none",
        "export DATABASE_URL=postgres://user:password@host:5432/database; on one machine \
         `scheduler run` works alone",
    )
}

/// All mappings of the configuration, checked against the tables that they fill.
async fn mappings(files: &ConfigFiles, store: &Store) -> anyhow::Result<HashMap<Schema, Mapping>> {
    let mut found = Mappings::load(files)?;
    found.check_against(store).await?;
    if !found.refusals.is_empty() {
        return Err(Refusals(found.refusals).into());
    }
    let by_schema = found.mappings.into_iter();
    Ok(by_schema.map(|mapping| (mapping.schema, mapping)).collect())
}
