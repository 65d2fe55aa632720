//! Serve: the page and its JSON, the installation's metrics and its health, and a fleet's reconciler, until
//! it is told to stop.

pub mod database;
mod figures;
pub mod watch;
mod concern;
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

use common::configuration::settings::Settings;
use common::progress::{JobsPublisher, PREFIX, Progress};
use common::queue::{NAMESPACE, RedisQueue};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
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

/// Serves until `stop`.
///
/// # Errors
/// A [`common::configuration::document::Refusal`] for an address that is taken, or that others reach
/// without a token; and for a server that isn't there.
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
    let mut tasks = JoinSet::new();
    tasks.spawn(database::open_later(
        settings.clone(),
        Arc::clone(&database),
    ));
    let fleet = match settings.is_distributed() {
        true => Some(reconcile(settings, &database, &mut tasks, &stop).await?),
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
    tasks.spawn(Arc::clone(&site.watch).keep_up());
    let tell = tell(Teller::new(
        Arc::clone(&database),
        settings.budget_usd,
        fleet,
    ));
    print(&format!("serving {}\n", urls(&page, metrics.as_ref())?))?;
    let monitor = || monitor::router(Arc::clone(&tell), readiness.clone());
    if let Some(listener) = metrics {
        tasks.spawn(monitor::answer(listener, monitor()));
    }
    tasks.spawn(monitor::answer(page, router(site, guard, monitor())));
    stop.cancelled().await;
    readiness.drain();
    tasks.shutdown().await;
    if let Some(store) = database.get() {
        store.close().await;
    }
    Ok(())
}

/// Begins to keep the fleet's queue in step with the database.
async fn reconcile(
    settings: &Settings,
    database: &Database,
    tasks: &mut JoinSet<()>,
    stop: &CancellationToken,
) -> anyhow::Result<Fleet> {
    let url = settings.require_redis_url()?;
    let queue = RedisQueue::new(connect(url).await?, NAMESPACE);
    let progress = Progress::new(connect(url).await?, PREFIX);
    // A server's database is there once it is opened.
    if let Some(store) = database.get() {
        let jobs = JobsPublisher::new(progress.clone());
        let reconciler = Reconciler::new(Arc::clone(store), queue.clone(), jobs);
        tasks.spawn(reconciler.run(stop.clone()));
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
