//! Serve: the page and its JSON, the installation's metrics and its health, and a fleet's reconciler, until
//! it is told to stop.

pub mod database;
mod figures;
pub mod watch;
pub mod concern;
mod refreshed;
pub mod maps;
mod token;
pub mod guard;
mod answer;
mod api;
mod page;
mod sign_in;
mod assets;
pub mod router;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use common::configuration::settings::Settings;
use common::progress::{JobsPublisher, PREFIX, Progress};
use common::queue::{NAMESPACE, RedisQueue};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use worker::monitor::{self, Dependencies, Readiness, Tell};
use worker::reconcile::Reconciler;
use worker::service::connect;

use self::database::Database;
use self::figures::{Fleet, Teller};
use self::guard::Guard;
use self::maps::Maps;
use self::router::{Site, router};
use self::watch::Watch;
use crate::exit::print;

/// How long the reconciler may take to end once it is told to.
const STOP_MAX: Duration = Duration::from_secs(10);

/// What runs side by side. None of it ends by itself but what says so by `Ok`.
type Tasks = JoinSet<anyhow::Result<()>>;

/// Serves until `stop`.
///
/// # Errors
/// A [`common::configuration::document::Refusal`] for an address that is taken, or that others reach
/// without a token; and for a server that isn't there. When a part of it ends by itself.
pub async fn serve(
    settings: &Settings,
    address: SocketAddr,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let token = settings.serve_token()?;
    let guard = Arc::new(Guard::new(token.as_ref(), address)?);
    let page = monitor::listen("BACKHAUL_SERVE_LISTEN, --listen", address).await?;
    let metrics = match settings.metrics_listen {
        Some(address) => Some(monitor::listen("BACKHAUL_METRICS_LISTEN", address).await?),
        None => None,
    };
    let database = database::open(settings).await?;
    let (mut tasks, mut stopping) = (Tasks::new(), Tasks::new());
    let opening = database::open_later(settings.clone(), Arc::clone(&database));
    tasks.spawn(async move {
        opening.await;
        Ok(())
    });
    let fleet = match settings.is_distributed() {
        true => Some(reconcile(settings, &database, &mut stopping, &stop).await?),
        false => None,
    };
    let redis = match &fleet {
        Some(_) => Some(connect(settings.require_redis_url()?).await?),
        None => None,
    };
    let readiness = Readiness::of(Dependencies {
        store: Arc::clone(&database),
        redis,
    });
    let progress = fleet.as_ref().map(|fleet| fleet.progress.clone());
    let site = Site {
        is_fleet: fleet.is_some(),
        watch: Arc::new(Watch::new(
            Arc::clone(&database),
            settings.budget_usd,
            progress,
        )),
        maps: Arc::new(Maps::new(Arc::clone(&database))),
    };
    keep(&mut tasks, "the watch", Arc::clone(&site.watch).keep_up());
    let tell = tell(Teller::new(
        Arc::clone(&database),
        settings.budget_usd,
        fleet,
    ));
    print(&format!("serving {}\n", urls(&page, metrics.as_ref())?))?;
    let monitor = || monitor::router(Arc::clone(&tell), readiness.clone());
    if let Some(listener) = metrics {
        let answering = monitor::answer(listener, monitor());
        keep(&mut tasks, "metrics and health", answering);
    }
    let answering = monitor::answer(page, router(site, guard, monitor()));
    keep(&mut tasks, "the page", answering);
    let ended = until(&stop, &mut tasks, &mut stopping).await;
    readiness.drain();
    // What knows of `stop` comes to an end of its own, if that doesn't take for ever.
    stop.cancel();
    let all = async { while stopping.join_next().await.is_some() {} };
    if timeout(STOP_MAX, all).await.is_err() {
        tracing::warn!("the reconciler didn't end, and was ended");
    }
    stopping.shutdown().await;
    tasks.shutdown().await;
    if let Some(store) = database.get() {
        store.close().await;
    }
    ended
}

/// Runs something that is not to end before `stop`.
fn keep(tasks: &mut Tasks, what: &'static str, task: impl Future<Output = ()> + Send + 'static) {
    tasks.spawn(async move {
        task.await;
        bail!("{what} ended by itself")
    });
}

/// Waits for `stop`, or for a task that should not have ended.
async fn until(
    stop: &CancellationToken,
    tasks: &mut Tasks,
    stopping: &mut Tasks,
) -> anyhow::Result<()> {
    loop {
        let ended = tokio::select! {
            biased;
            () = stop.cancelled() => return Ok(()),
            Some(ended) = tasks.join_next() => ended,
            Some(ended) = stopping.join_next() => ended,
        };
        ended.context("a part of `serve` broke off")??;
    }
}

/// Begins to keep the fleet's queue in step with the database.
async fn reconcile(
    settings: &Settings,
    database: &Database,
    tasks: &mut Tasks,
    stop: &CancellationToken,
) -> anyhow::Result<Fleet> {
    let url = settings.require_redis_url()?;
    let queue = RedisQueue::new(connect(url).await?, NAMESPACE);
    let progress = Progress::new(connect(url).await?, PREFIX);
    // A server's database is there once it is opened.
    if let Some(store) = database.get() {
        let jobs = JobsPublisher::new(progress.clone());
        let reconciler = Reconciler::new(Arc::clone(store), queue.clone(), jobs);
        keep(tasks, "the reconciler", reconciler.run(stop.clone()));
    }
    Ok(Fleet { queue, progress })
}

fn tell(teller: Teller) -> Tell {
    let teller = Arc::new(teller);
    Arc::new(move || {
        let teller = Arc::clone(&teller);
        Box::pin(async move { teller.tell().await })
    })
}

fn urls(page: &TcpListener, metrics: Option<&TcpListener>) -> anyhow::Result<String> {
    let page = format!("http://{}/", page.local_addr()?);
    Ok(match metrics {
        Some(metrics) => format!("{page} and http://{}/metrics", metrics.local_addr()?),
        None => page,
    })
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use super::*;

    /// What `until` comes to while one task goes on, one has ended as it may, and one does this.
    async fn beside(what: impl Future<Output = ()> + Send + 'static) -> anyhow::Result<()> {
        let (mut tasks, mut stopping) = (Tasks::new(), Tasks::new());
        tasks.spawn(ready(Ok(())));
        keep(&mut tasks, "the page", pending());
        keep(&mut stopping, "the reconciler", what);
        until(&CancellationToken::new(), &mut tasks, &mut stopping).await
    }

    #[tokio::test]
    async fn a_task_that_ends_or_breaks_off_ends_it_all_with_an_error() {
        let ended = beside(ready(())).await.unwrap_err();
        assert_eq!(ended.to_string(), "the reconciler ended by itself");
        let broken = beside(async { panic!("a bug") }).await.unwrap_err();
        assert_eq!(broken.to_string(), "a part of `serve` broke off");
    }

    #[tokio::test]
    async fn it_goes_on_until_it_is_told_to_stop() {
        let (mut tasks, mut stopping) = (Tasks::new(), Tasks::new());
        tasks.spawn(ready(Ok(())));
        keep(&mut tasks, "the page", pending());
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        tokio::spawn(async move { stopped.cancel() });
        until(&stop, &mut tasks, &mut stopping).await.unwrap();
    }
}
