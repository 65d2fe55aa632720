//! Sends batches of spans over HTTP, by the client that the program has anyway.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use common::configuration::settings::environment::of_traces;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use tokio::runtime::Handle;

/// How long a request may take, unless a variable says otherwise.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Longer is not waited, whatever a variable says.
const TIMEOUT_MAX: Duration = Duration::from_secs(60);

/// Sends requests from the thread of the exporter, on the program's own runtime.
#[derive(Debug)]
pub(super) struct Sender {
    client: reqwest::Client,
    runtime: Handle,
    /// Whether the log has been told that nobody takes the spans.
    has_complained: AtomicBool,
}

impl Sender {
    /// One that follows no redirections: what is sent is meant for one address.
    pub(super) fn new() -> reqwest::Result<Self> {
        // A second installation keeps the first.
        drop(rustls::crypto::ring::default_provider().install_default());
        let client = reqwest::Client::builder()
            .timeout(timeout())
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        Ok(Self {
            client,
            runtime: Handle::current(),
            has_complained: AtomicBool::new(false),
        })
    }

    /// Once: the same would be said every few seconds. Addresses and headers may hold secrets.
    fn complain(&self, why: &str) {
        if !self.has_complained.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                "traces are not taken ({why}); the work goes on without them, and this is said once"
            );
        }
    }
}

#[async_trait]
impl HttpClient for Sender {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let (head, body) = request.into_parts();
        let asked = self
            .client
            .request(head.method, head.uri.to_string())
            .headers(head.headers)
            .body(body);
        let answered = self.runtime.spawn(async move {
            let answer = asked.send().await?;
            let (status, headers) = (answer.status(), answer.headers().clone());
            Ok::<_, reqwest::Error>((status, headers, answer.bytes().await?))
        });
        let (status, headers, body) = match answered.await? {
            Ok(answer) => answer,
            Err(error) => {
                let why = if error.is_timeout() {
                    "the receiver takes too long"
                } else {
                    "the receiver can't be reached"
                };
                self.complain(why);
                return Err(error.without_url().into());
            }
        };
        if !status.is_success() {
            self.complain(&format!("the receiver answers {status}"));
        }
        let mut answer = Response::new(body);
        *answer.status_mut() = status;
        *answer.headers_mut() = headers;
        Ok(answer)
    }
}

fn timeout() -> Duration {
    let names = [
        "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT",
        "OTEL_EXPORTER_OTLP_TIMEOUT",
    ];
    let set = names.into_iter().find_map(of_traces);
    let milliseconds = set.and_then(|text| text.parse().ok());
    milliseconds.map_or(TIMEOUT, |number| {
        Duration::from_millis(number).min(TIMEOUT_MAX)
    })
}
