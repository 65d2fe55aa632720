//! A vendor that costs next to nothing: what the simulator answered once is answered again from memory,
//! after as much latency and at as much bandwidth as is asked for.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::StreamExt;
use simulator::{Config, Simulator};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::time::{Instant, sleep_until};

/// A question's longest body, in bytes.
const QUESTION_MAX: usize = 1 << 20;
/// Bytes that are sent at once.
const PIECE: usize = 64 * 1_024;

/// A vendor of the simulator's answers.
pub struct Vendor {
    address: SocketAddr,
    service: Arc<Service>,
    /// What it answers on, whatever the benchmark does.
    _runtime: Runtime,
}

/// How slow it is.
#[derive(Clone, Copy, Debug)]
struct Pace {
    latency: Duration,
    bytes_per_second: Option<u64>,
    /// When the line is free again.
    free_at: Option<Instant>,
}

/// What a question is known by: its path, and all that it asks.
type Question = (String, Bytes);
/// An answer: its status, what kind it is, and its bytes.
type Answer = (StatusCode, Option<HeaderValue>, Bytes);

struct Service {
    simulator: Simulator,
    client: reqwest::Client,
    known: Mutex<HashMap<Question, Answer>>,
    pace: Arc<Mutex<Pace>>,
}

impl Vendor {
    /// One that answers as a simulator with this configuration would.
    pub fn start(config: Config) -> anyhow::Result<Self> {
        let runtime = Runtime::new()?;
        // Whoever was first has chosen already.
        drop(rustls::crypto::ring::default_provider().install_default());
        let pace = Pace::of(Duration::ZERO, None);
        let service = Arc::new(Service {
            simulator: runtime.block_on(Simulator::start(config))?,
            client: reqwest::Client::new(),
            known: Mutex::default(),
            pace: Arc::new(Mutex::new(pace)),
        });
        let listener = runtime.block_on(TcpListener::bind(("127.0.0.1", 0)))?;
        let address = listener.local_addr()?;
        let router = Router::new()
            .fallback(answer)
            .with_state(Arc::clone(&service));
        runtime.spawn(async move {
            // It ends with the benchmark.
            drop(axum::serve(listener, router).await);
        });
        Ok(Self {
            address,
            service,
            _runtime: runtime,
        })
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// From now on each answer comes after so long, and all of them at most so fast together.
    pub fn slow_down(&self, latency: Duration, bytes_per_second: Option<u64>) {
        *locked(&self.service.pace) = Pace::of(latency, bytes_per_second);
    }

    /// Bytes of all the different answers that it has given.
    pub fn sent(&self) -> u64 {
        let known = locked(&self.service.known);
        let bytes = known
            .values()
            .map(|(_, _, bytes)| common::as_u64(bytes.len()));
        bytes.sum()
    }

    /// The longest of its answers.
    pub fn longest_answer(&self) -> Bytes {
        let known = locked(&self.service.known);
        let longest = known.values().max_by_key(|(_, _, bytes)| bytes.len());
        longest
            .map(|(_, _, bytes)| bytes.clone())
            .unwrap_or_default()
    }
}

async fn answer(State(service): State<Arc<Service>>, request: Request) -> Response {
    let latency = locked(&service.pace).latency;
    tokio::time::sleep(latency).await;
    match service.known_or_asked(request).await {
        Ok((status, kind, bytes)) => {
            let pace = Arc::clone(&service.pace);
            let mut response = (status, paced(bytes, pace)).into_response();
            if let Some(kind) = kind {
                response.headers_mut().insert(CONTENT_TYPE, kind);
            }
            response
        }
        Err(error) => (StatusCode::BAD_GATEWAY, error.to_string()).into_response(),
    }
}

impl Service {
    async fn known_or_asked(&self, request: Request) -> anyhow::Result<Answer> {
        let (parts, body) = request.into_parts();
        let body = to_bytes(body, QUESTION_MAX).await?;
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        let question = (format!("{} {path}", parts.method), body.clone());
        if let Some(answer) = locked(&self.known).get(&question) {
            return Ok(answer.clone());
        }
        let url = format!("{}{path}", self.simulator.url());
        let mut asked = self.client.request(parts.method, url).body(body);
        for name in [CONTENT_TYPE, axum::http::header::AUTHORIZATION] {
            if let Some(value) = parts.headers.get(&name) {
                asked = asked.header(name, value);
            }
        }
        let answered = asked.send().await?;
        let status = answered.status();
        let kind = answered.headers().get(CONTENT_TYPE).cloned();
        let answer = (status, kind, answered.bytes().await?);
        locked(&self.known).insert(question, answer.clone());
        Ok(answer)
    }
}

/// Bytes as fast as the line lets them through, which all answers share.
fn paced(bytes: Bytes, pace: Arc<Mutex<Pace>>) -> Body {
    let pieces = (0..bytes.len()).step_by(PIECE);
    let pieces = pieces.map(move |start| bytes.slice(start..bytes.len().min(start + PIECE)));
    let pieces: Vec<_> = pieces.collect();
    let pieces = futures::stream::iter(pieces).then(move |piece| {
        let free_at = locked(&pace).take(piece.len());
        async move {
            if let Some(free_at) = free_at {
                sleep_until(free_at).await;
            }
            Ok::<_, std::convert::Infallible>(piece)
        }
    });
    Body::from_stream(pieces)
}

/// Nobody panics while they hold one.
fn locked<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Pace {
    fn of(latency: Duration, bytes_per_second: Option<u64>) -> Self {
        Self {
            latency,
            bytes_per_second,
            free_at: None,
        }
    }

    /// When so many bytes have gone through the line; `None` where it has no limit.
    fn take(&mut self, bytes: usize) -> Option<Instant> {
        let per_second = self.bytes_per_second?;
        let nanos = common::as_u64(bytes).saturating_mul(1_000_000_000) / per_second;
        let now = Instant::now();
        let from = self.free_at.map_or(now, |free_at| free_at.max(now));
        let until = from + Duration::from_nanos(nanos);
        self.free_at = Some(until);
        Some(until)
    }
}
