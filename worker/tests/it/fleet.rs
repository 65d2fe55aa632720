//! A fleet for a test: private servers, a simulated vendor, and workers as real processes.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use common::chunk::JobId;
use common::configuration::settings::Settings;
use common::queue::{NAMESPACE, RedisQueue};
use common::request::Request;
use common::source::SourceError;
use common::store::{Access, JobStatus, PlannedChunk, Store};
use common::time::Nanos;
use common::vendor::{RangeRequest, Vendor, VendorError};
use dbn::SType;
use simulator::{Config, Fault, FaultKind, Simulator};
use testkit::postgres::Postgres;
use testkit::redis::Redis;
use testkit::sandbox::{API_KEY, Sandbox};
use tokio::process::{Child, Command};

use crate::installation::{DATASET, Piece, request};

/// Nothing takes so long but a test that fails.
pub const FOREVER: Duration = Duration::from_secs(120);

/// A fleet's servers, its vendor, and its database.
pub struct Fleet {
    pub postgres: Postgres,
    pub redis: Redis,
    pub simulator: Simulator,
    pub sandbox: Sandbox,
    pub store: Store,
    pub settings: Settings,
}

impl Fleet {
    /// With synthetic history of few trades; `None` where a server is not installed.
    pub async fn start() -> Option<Self> {
        let (postgres, redis) = (Postgres::start()?, Redis::start()?);
        let simulator = Simulator::start(Config {
            trades_per_day: 200,
            strikes: 1,
            ..Config::default()
        });
        let simulator = simulator.await.unwrap();
        let sandbox = Sandbox::new();
        let mut settings = sandbox.settings(&simulator.url());
        settings.database_url = postgres.url();
        settings.redis_url = Some(redis.url());
        Store::migrate(&settings.database_url).await.unwrap();
        let store = Store::open(&settings.database_url, Access::Work).await;
        Some(Self {
            store: store.unwrap().unwrap(),
            postgres,
            redis,
            simulator,
            sandbox,
            settings,
        })
    }

    /// A worker of this fleet, not started yet.
    pub fn worker(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_worker"));
        command
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("DATABASE_URL", &self.settings.database_url)
            .env("REDIS_URL", self.settings.redis_url.as_deref().unwrap())
            .env("ARCHIVE_URL", &self.settings.archive_url)
            .env("DATABENTO_URL", self.simulator.url())
            .env("DATABENTO_API_KEY", API_KEY)
            .env("BACKHAUL_RETRY_SECONDS", "0.05")
            .env("BACKHAUL_RETRY_SECONDS_MAX", "0.5")
            .current_dir(self.sandbox.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .kill_on_drop(true);
        self.log_to(&mut command, "worker.log");
        command
    }

    fn log_to(&self, command: &mut Command, name: &str) {
        let path = self.sandbox.path().join(name);
        let file = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(path);
        command.stderr(file.unwrap());
    }

    /// What the workers have logged.
    pub fn log(&self) -> String {
        let path: &Path = &self.sandbox.path().join("worker.log");
        std::fs::read_to_string(path).unwrap_or_default()
    }

    pub fn spawn(&self) -> Child {
        self.worker().spawn().unwrap()
    }

    /// Submits a job of these pieces, each a chunk, with the vendor's counts, and puts its hints into
    /// the queue.
    pub async fn submit(&self, name: &str, stype_in: SType, pieces: &[Piece]) -> JobId {
        let chunks = self.plan(stype_in, pieces).await;
        let request = request(name, stype_in, pieces[0].days);
        self.submit_planned(&request, &chunks).await
    }

    /// Pieces as the planner would plan them.
    pub async fn plan(&self, stype_in: SType, pieces: &[Piece]) -> Vec<PlannedChunk> {
        let vendor = Vendor::new(&self.settings).unwrap();
        let mut chunks = Vec::new();
        for piece in pieces {
            chunks.push(plan(&vendor, stype_in, piece).await);
        }
        chunks
    }

    /// Submits a planned job, and puts its hints into the queue.
    pub async fn submit_planned(&self, request: &Request, chunks: &[PlannedChunk]) -> JobId {
        let submitted = self
            .store
            .submit(request, self.settings.origin(), chunks, Nanos::now());
        let job = submitted.await.unwrap().job;
        let due = self.store.due_anywhere(500, Nanos::now()).await.unwrap();
        let hints: Vec<_> = due.into_iter().map(|due| due.hint()).collect();
        let connection = common::redis::connect(&self.redis.url()).await.unwrap();
        let queue = RedisQueue::new(connection, NAMESPACE);
        queue.push(&hints).await.unwrap();
        job
    }

    /// The vendor's next stream stands still for so many seconds.
    pub fn stall_next_stream(&self, seconds: f64) {
        let stall = Fault::next(FaultKind::Stall, 1).lasting(seconds);
        self.simulator
            .add_fault(stall.on_path("timeseries.get_range"));
    }

    /// Waits until the vendor was asked for records.
    pub async fn wait_for_stream(&self) {
        let deadline = tokio::time::Instant::now() + FOREVER;
        let asked = |path: &str| path.ends_with("timeseries.get_range");
        while !self
            .simulator
            .requests()
            .iter()
            .any(|sent| asked(&sent.path))
        {
            assert!(tokio::time::Instant::now() < deadline, "{}", self.log());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Waits until a job is as it should be.
    pub async fn wait_for(&self, job: JobId, wanted: impl Fn(&JobStatus) -> bool) -> JobStatus {
        let deadline = tokio::time::Instant::now() + FOREVER;
        loop {
            let status = self.store.job(job).await;
            if let Ok(Some(status)) = &status
                && wanted(status)
            {
                return status.clone();
            }
            // The database may just be killed.
            let late = tokio::time::Instant::now() > deadline;
            assert!(!late, "{status:#?}\n{}", self.log());
            // The database tells nobody when it changes.
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

async fn plan(vendor: &Vendor, stype_in: SType, piece: &Piece) -> PlannedChunk {
    let (schema, days) = (piece.schema, piece.days);
    let request = RangeRequest::new(DATASET, schema, stype_in, &piece.symbols, days);
    let planned = PlannedChunk {
        schema,
        symbols: piece.symbols.clone(),
        days,
        records: Some(0),
        billable_bytes: 0,
        cost: common::money::Usd(0),
        due_at: Nanos(0),
    };
    match vendor
        .record_count(&request)
        .await
        .map_err(SourceError::from)
    {
        Err(SourceError::Vendor(VendorError::NoSession { .. })) => planned,
        count => PlannedChunk {
            records: Some(count.unwrap()),
            billable_bytes: vendor.billable_bytes(&request).await.unwrap(),
            cost: vendor.cost(&request).await.unwrap(),
            ..planned
        },
    }
}
