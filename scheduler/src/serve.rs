//! Serve: the fleet's reconciler, the installation's metrics and its health, until it is told to stop.

mod figures;

use std::net::SocketAddr;
use std::sync::Arc;

use common::configuration::document::Refusal;
use common::configuration::settings::Settings;
use common::progress::{JobsPublisher, PREFIX, Progress};
use common::queue::{NAMESPACE, RedisQueue};
use common::store::{Access, Store};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use worker::monitor::{self, Dependencies, Readiness, Tell};
use worker::reconcile::Reconciler;
use worker::service::connect;

use self::figures::{Fleet, Teller};
use crate::exit::print;

/// Serves until `stop`.
///
/// # Errors
/// A [`Refusal`] for an address that is taken or a server that isn't there.
pub async fn serve(
    settings: &Settings,
    address: SocketAddr,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let page = monitor::listen("BACKHAUL_SERVE_LISTEN, --listen", address).await?;
    let metrics = match settings.metrics_listen {
        Some(address) => Some(monitor::listen("BACKHAUL_METRICS_LISTEN", address).await?),
        None => None,
    };
    let store = open(settings).await?;
    let mut tasks = JoinSet::new();
    let (fleet, redis) = match settings.is_distributed() {
        true => {
            let url = settings.require_redis_url()?;
            let queue = RedisQueue::new(connect(url).await?, NAMESPACE);
            let progress = Progress::new(connect(url).await?, PREFIX);
            let jobs = JobsPublisher::new(progress.clone());
            let reconciler = Reconciler::new(Arc::clone(&store), queue.clone(), jobs);
            tasks.spawn(reconciler.run(stop.clone()));
            (Some(Fleet { queue, progress }), Some(connect(url).await?))
        }
        false => (None, None),
    };
    let teller = Arc::new(Teller::new(Arc::clone(&store), settings.budget_usd, fleet));
    let tell: Tell = Arc::new(move || {
        let teller = Arc::clone(&teller);
        Box::pin(async move { teller.tell().await })
    });
    let readiness = Readiness::of(Dependencies {
        store: Arc::clone(&store),
        redis,
    });
    print(&format!("serving {}\n", urls(&page, metrics.as_ref())?))?;
    for listener in [Some(page), metrics].into_iter().flatten() {
        let router = monitor::router(Arc::clone(&tell), readiness.clone());
        tasks.spawn(monitor::answer(listener, router));
    }
    stop.cancelled().await;
    readiness.drain();
    tasks.shutdown().await;
    store.close().await;
    Ok(())
}

async fn open(settings: &Settings) -> anyhow::Result<Arc<Store>> {
    let access = match settings.is_distributed() {
        // The reconciler folds counts.
        true => Access::Control,
        false => Access::Read,
    };
    let store = Store::open(&settings.database_url, access).await?;
    let help = "`scheduler run` or `scheduler submit` makes one";
    let none = || Refusal::of("DATABASE_URL", "there is no database yet", help);
    Ok(Arc::new(store.ok_or_else(none)?))
}

fn urls(page: &TcpListener, metrics: Option<&TcpListener>) -> anyhow::Result<String> {
    let listeners = [Some(page), metrics].into_iter().flatten();
    let urls = listeners.map(|of| Ok(format!("http://{}/metrics", of.local_addr()?)));
    Ok(urls.collect::<anyhow::Result<Vec<_>>>()?.join(" and "))
}
