//! Answer: HTTP for a few clients, with a limit on everything.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// Connections at once; more wait.
const CONNECTIONS_MAX: usize = 64;
/// How long a client may take to ask, or say nothing between two questions.
const HEADERS_MAX: Duration = Duration::from_secs(30);
/// Between two tries after a connection could not be taken: no file may be left to open.
const PAUSE: Duration = Duration::from_millis(100);

/// Answers whoever connects, until it is dropped; its connections end with it.
pub async fn answer(listener: TcpListener, router: Router) {
    let free = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut connections = JoinSet::new();
    loop {
        // It is never closed.
        let permit = Arc::clone(&free).acquire_owned().await;
        while connections.try_join_next().is_some() {}
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::debug!(%error, "a connection was not taken");
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        let service = TowerToHyperService::new(router.clone());
        connections.spawn(async move {
            let mut http = http1::Builder::new();
            http.timer(TokioTimer::new())
                .header_read_timeout(HEADERS_MAX);
            let served = http.serve_connection(TokioIo::new(stream), service).await;
            if let Err(error) = served {
                tracing::debug!(%error, "a connection ended early");
            }
            drop(permit);
        });
    }
}
