//! Starting and stopping a simulator.

use std::{
    net::SocketAddr,
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};

use axum::{Extension, Router};
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::{JoinHandle, JoinSet},
};

use crate::{
    clock::Day,
    config::Config,
    error::Error,
    fault::Fault,
    faults::Faults,
    history::History,
    parameters::date,
    recorded::{Recorded, Skipped},
    requests::{RequestLog, Requests},
    server::{
        Service,
        connection::{Breaker, Connection},
        router,
    },
    synthetic::{Recipe, STRIKES_MAX, Synthetic},
    tls::Tls,
};

/// Answers in progress may take this long when a simulator is stopped.
const STOP_GRACE: Duration = Duration::from_secs(1);

/// A running simulator. Dropping it stops it at once.
pub struct Simulator {
    address: SocketAddr,
    is_https: bool,
    service: Arc<Service>,
    skipped: Vec<Skipped>,
    stop: watch::Sender<bool>,
    serving: JoinHandle<()>,
}

impl Simulator {
    /// Listens and serves until it is stopped or dropped. Needs a tokio runtime.
    ///
    /// # Errors
    /// An address that can't be listened on, a data folder that can't be read, faults that make no
    /// sense, a certificate that can't be written.
    pub async fn start(config: Config) -> Result<Self, Error> {
        let faults: Vec<Fault> = config
            .faults
            .iter()
            .cloned()
            .map(Fault::checked)
            .collect::<Result<_, _>>()?;
        let (history, skipped) = history(&config)?;
        let tls = config.tls_dir.as_deref().map(Tls::new).transpose()?;
        let is_https = tls.is_some();
        let not_listening = |source| Error::Listen {
            address: config.listen,
            source,
        };
        let listener = TcpListener::bind(config.listen)
            .await
            .map_err(not_listening)?;
        let address = listener.local_addr().map_err(not_listening)?;
        let service = Arc::new(Service {
            history,
            key: config.key,
            faults: Faults::new(config.seed, faults),
            requests: Requests::new(config.requests_kept),
            answered: AtomicU64::new(0),
        });
        let (stop, stopped) = watch::channel(false);
        let serving = tokio::spawn(listen(listener, tls, router(Arc::clone(&service)), stopped));
        Ok(Self {
            address,
            is_https,
            service,
            skipped,
            stop,
            serving,
        })
    }

    /// Where it listens, such as `http://127.0.0.1:49152`; with TLS `https://localhost:49152`.
    pub fn url(&self) -> String {
        if self.is_https {
            format!("https://localhost:{}", self.address.port())
        } else {
            format!("http://{}", self.address)
        }
    }

    /// The files of the data folder that it doesn't serve.
    pub fn skipped(&self) -> &[Skipped] {
        &self.skipped
    }

    /// Puts a fault in force, as `POST /sim/faults` does. One that makes no sense never strikes.
    pub fn add_fault(&self, fault: Fault) {
        self.service.faults.add(fault);
    }

    /// Ends all faults, as `DELETE /sim/faults` does.
    pub fn clear_faults(&self) {
        self.service.faults.clear();
    }

    /// The requests so far, as `GET /sim/requests` gives them.
    pub fn requests(&self) -> Vec<RequestLog> {
        self.service.requests.all()
    }

    /// Stops listening, gives the answers in progress a second, and ends.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        // An abort of the task is all that it could fail of, and then it has stopped.
        let _stopped = (&mut self.serving).await;
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl std::fmt::Debug for Simulator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Simulator")
            .field("url", &self.url())
            .finish_non_exhaustive()
    }
}

/// The history that a configuration asks for, and the files that it leaves out.
fn history(config: &Config) -> Result<(Box<dyn History>, Vec<Skipped>), Error> {
    if let Some(folder) = &config.data {
        let (recorded, skipped) = Recorded::open(folder)?;
        return Ok((Box::new(recorded), skipped));
    }
    let end_of = |text: &String| {
        date(text)
            .map(Day::midnight)
            .ok_or_else(|| Error::AvailableEnd(text.clone()))
    };
    let recipe = Recipe {
        seed: config.seed,
        trades_per_day: config.trades_per_day,
        strikes: config.strikes.min(STRIKES_MAX),
        available_end: config.available_end.as_ref().map(end_of).transpose()?,
    };
    Ok((Box::new(Synthetic::new(recipe)), Vec::new()))
}

/// Takes connections until stopped. Dropping this ends them all.
async fn listen(
    listener: TcpListener,
    tls: Option<Tls>,
    router: Router,
    mut stopped: watch::Receiver<bool>,
) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            _ = stopped.changed() => break,
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
            accepted = listener.accept() => {
                // A connection that is gone before it is accepted concerns nobody.
                let Ok((stream, _)) = accepted else { continue };
                connections.spawn(connection(stream, tls.clone(), router.clone(), stopped.clone()));
            }
        }
    }
    drop(listener);
    // What is not at its end by then is cut.
    let _over = tokio::time::timeout(STOP_GRACE, async {
        while connections.join_next().await.is_some() {}
    })
    .await;
}

async fn connection(
    stream: TcpStream,
    tls: Option<Tls>,
    router: Router,
    stopped: watch::Receiver<bool>,
) {
    let breaker = Breaker::default();
    // Small answers would wait for nothing; where it can't be set, they do.
    let _unset = stream.set_nodelay(true);
    let stream = Connection::new(stream, breaker.clone());
    let router = router.layer(Extension(breaker));
    match tls {
        None => serve_http(stream, router, stopped).await,
        Some(tls) => {
            if let Ok(stream) = tls.accept(stream).await {
                serve_http(stream, router, stopped).await;
            }
        }
    }
}

async fn serve_http<S>(stream: S, router: Router, mut stopped: watch::Receiver<bool>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = TowerToHyperService::new(router);
    let connection =
        hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        _ = stopped.changed() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    // A client that hangs up, or a fault that breaks the connection, is no error of the server.
    drop(ended);
}
