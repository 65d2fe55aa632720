//! Answer: HTTP for a few clients, with a limit on everything.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn};
use axum::response::IntoResponse;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::patient::Patient;

/// Between two tries after a connection could not be taken: no file may be left to open.
const PAUSE: Duration = Duration::from_millis(100);

/// How many clients are answered, and how long they are waited for.
#[derive(Clone, Copy, Debug)]
struct Limits {
    /// Connections at once; more wait.
    connections: usize,
    /// How long a client may take to ask, or say nothing between two questions.
    headers: Duration,
    /// How long an answer may take to begin; what it reads of the question is in that.
    answer: Duration,
    /// How long a client may read nothing of its answer.
    unread: Duration,
}

const LIMITS: Limits = Limits {
    connections: 64,
    headers: Duration::from_secs(30),
    answer: Duration::from_secs(60),
    unread: Duration::from_secs(60),
};

/// Answers whoever connects, until it is dropped; its connections end with it.
pub async fn answer(listener: TcpListener, router: Router) {
    answer_within(LIMITS, listener, router).await;
}

async fn answer_within(limits: Limits, listener: TcpListener, router: Router) {
    let router = router.layer(from_fn(move |request: Request, next: Next| async move {
        let answer = timeout(limits.answer, next.run(request)).await;
        answer.unwrap_or_else(|_| {
            let message = "the answer took too long\n";
            (StatusCode::SERVICE_UNAVAILABLE, message).into_response()
        })
    }));
    let free = Arc::new(Semaphore::new(limits.connections));
    let mut connections = JoinSet::new();
    loop {
        // It is never closed.
        let permit = Arc::clone(&free).acquire_owned().await;
        while connections.try_join_next().is_some() {}
        let stream = match listener.accept().await {
            Ok((stream, _)) => Patient::new(stream, limits.unread),
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
                .header_read_timeout(limits.headers);
            let served = http.serve_connection(TokioIo::new(stream), service).await;
            if let Err(error) = served {
                tracing::debug!(%error, "a connection ended early");
            }
            drop(permit);
        });
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use axum::routing::{get, post};
    use testkit::http::Question;
    use tokio::io::AsyncWriteExt;
    use tokio::net::TcpStream;

    use super::*;

    /// More than two machines keep between them for who doesn't read.
    const LONG: usize = 64 * 1024 * 1024;

    /// Takes one client at a time, and waits for none of them for long.
    async fn impatient() -> (SocketAddr, JoinSet<()>) {
        let limits = Limits {
            connections: 1,
            headers: Duration::from_millis(200),
            answer: Duration::from_millis(200),
            unread: Duration::from_millis(200),
        };
        let router = Router::new()
            .route("/healthz", get(|| async { "ok\n" }))
            .route("/long", get(|| async { vec![b'x'; LONG] }))
            .route("/body", post(|body: String| async { body }));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut task = JoinSet::new();
        task.spawn(answer_within(limits, listener, router));
        (address, task)
    }

    #[tokio::test]
    async fn who_stalls_gives_its_place_to_the_next() {
        let (address, _task) = impatient().await;
        let mut stalled = Vec::new();
        for question in [
            "GET /healthz HTTP/1.1\r\nhost: x",
            "POST /body HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\nfour",
            "GET /long HTTP/1.1\r\nhost: x\r\n\r\n",
        ] {
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(question.as_bytes()).await.unwrap();
            stalled.push(stream);
        }
        let next = Question::new("GET", "/healthz").ask(address).await;
        assert_eq!(next.map(|answer| answer.status), Some(200));
    }
}
