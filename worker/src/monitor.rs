//! Monitor: what a process tells of itself by HTTP: `/metrics`, `/healthz` and `/readyz`.

mod answer;
mod patient;
pub mod health_check;
mod readiness;
mod recorder;

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use common::configuration::document::Refusal;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

pub use answer::answer;
pub use readiness::{Dependencies, Readiness};
pub use recorder::{installed, told};

/// The format of Prometheus' texts.
const PROMETHEUS_TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";
/// Between two times at which what histograms took in is added up, should nobody ask.
const UPKEEP: Duration = Duration::from_secs(5);

/// What `/metrics` answers, each time anew.
pub type Tell = Arc<dyn Fn() -> Telling + Send + Sync>;
/// An answer of `/metrics` that is being gathered.
pub type Telling = Pin<Box<dyn Future<Output = String> + Send>>;

/// The three paths: `/metrics`; `/healthz`, which looks at nothing but this process; and `/readyz`,
/// which looks at what it needs.
pub fn router(tell: Tell, readiness: Readiness) -> Router {
    Router::new()
        .route("/metrics", get(metrics))
        .with_state(tell)
        .route("/healthz", get(healthy))
        .route("/readyz", get(ready).with_state(readiness))
}

async fn metrics(State(tell): State<Tell>) -> Response {
    ([(CONTENT_TYPE, PROMETHEUS_TEXT)], tell().await).into_response()
}

async fn healthy() -> &'static str {
    "ok\n"
}

async fn ready(State(readiness): State<Readiness>) -> Response {
    match readiness.ask().await {
        Ok(()) => "ready\n".into_response(),
        Err(why) => (StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")).into_response(),
    }
}

/// Takes an address to listen at.
///
/// # Errors
/// [`Refusal`] that names the setting, when the address can't be had.
pub async fn listen(setting: &str, address: SocketAddr) -> Result<TcpListener, Refusal> {
    TcpListener::bind(address).await.map_err(|error| {
        let message = format!("nobody can listen at {address}: {error}");
        let help = "name another port, or end the program that has it";
        Refusal::of(setting, message, help)
    })
}

/// A worker's metrics and health, which nobody can ask for yet.
#[derive(Debug)]
pub struct WorkerMonitor {
    listener: TcpListener,
    readiness: Readiness,
}

/// A worker's metrics and health, while this lives.
#[derive(Debug)]
pub struct Answering {
    readiness: Readiness,
    _tasks: JoinSet<()>,
}

impl WorkerMonitor {
    /// Over a listener of [`listen`]; counting begins.
    #[must_use]
    pub fn new(listener: TcpListener, dependencies: Dependencies) -> Self {
        installed();
        crate::measure::begin();
        Self {
            listener,
            readiness: Readiness::of(dependencies),
        }
    }

    /// Answers from now on, in tasks of its own.
    #[must_use]
    pub fn start(self) -> Answering {
        let handle = installed();
        let mut tasks = JoinSet::new();
        tasks.spawn(keep_up(handle.clone()));
        let tell: Tell = Arc::new(move || {
            let text = handle.render();
            Box::pin(async move { text })
        });
        let router = router(tell, self.readiness.clone());
        if let Ok(address) = self.listener.local_addr() {
            tracing::info!(%address, "metrics and health are told");
        }
        tasks.spawn(answer(self.listener, router));
        Answering {
            readiness: self.readiness,
            _tasks: tasks,
        }
    }
}

impl Answering {
    /// From now on the process isn't ready: it stops.
    pub fn drain(&self) {
        self.readiness.drain();
    }
}

async fn keep_up(handle: PrometheusHandle) {
    let mut beat = tokio::time::interval(UPKEEP);
    loop {
        beat.tick().await;
        handle.run_upkeep();
    }
}
