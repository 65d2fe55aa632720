//! A fleet for measuring: servers set up as in earnest, a vendor, and the release binaries.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use common::store::{Access, JobStatus, Store};
use simulator::Config;
use tempfile::TempDir;
use testkit::port::Port;
use testkit::postgres::Postgres;
use testkit::redis::Redis;
use testkit::sandbox::API_KEY;
use testkit::scrape::Scrape;

use crate::programs::{Running, Taken, binary, run};
use crate::servers::Done;
use crate::vendor::Vendor;

/// Not those of tests: what is committed is on the disk, and there is room for a load's log.
pub const POSTGRES: [(&str, &str); 6] = [
    ("fsync", "on"),
    ("full_page_writes", "on"),
    ("shared_buffers", "1GB"),
    ("max_wal_size", "8GB"),
    ("checkpoint_timeout", "1h"),
    ("max_connections", "300"),
];
/// What a server with TimescaleDB needs besides.
const TIMESCALE: [(&str, &str); 2] = [
    ("shared_preload_libraries", "timescaledb"),
    ("timescaledb.telemetry_level", "off"),
];
/// Between two looks at how far a job is.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// A job that takes longer has failed.
const FOREVER: Duration = Duration::from_secs(1_800);

/// Servers, and a vendor.
pub struct Fleet {
    pub postgres: Postgres,
    pub redis: Redis,
    pub vendor: Arc<Vendor>,
}

/// A database, an archive and a job of their own.
pub struct Installation<'a> {
    fleet: &'a Fleet,
    folder: TempDir,
    /// The database's address.
    pub database: String,
    /// Settings beside the usual, as variables.
    pub settings: Vec<(&'static str, String)>,
}

/// How a job was worked off.
#[derive(Debug)]
pub struct Worked {
    /// From the first worker's start until the last commit.
    pub took: Duration,
    /// What each worker took, and told.
    pub workers: Vec<Ended>,
    /// What the servers did meanwhile.
    pub servers: Done,
    /// How the job stands.
    pub job: JobStatus,
}

/// A worker at the end of its work.
#[derive(Debug)]
pub struct Ended {
    /// What it took.
    pub taken: Taken,
    /// Its metrics.
    pub told: Scrape,
}

impl Fleet {
    /// A fleet whose vendor has this history; `None` where a server is not installed.
    pub fn start(history: Config) -> anyhow::Result<Option<Self>> {
        let vendor = Arc::new(Vendor::start(history)?);
        Ok(Self::with_servers(&POSTGRES, vendor))
    }

    fn with_servers(settings: &[(&str, &str)], vendor: Arc<Vendor>) -> Option<Self> {
        Some(Self {
            postgres: Postgres::start_with(settings)?,
            redis: Redis::start()?,
            vendor,
        })
    }

    /// One with TimescaleDB, and the same vendor; `None` where it is not installed.
    pub fn with_timescale(&self) -> Option<Self> {
        let asked = "SELECT count(*) FROM pg_available_extensions WHERE name = 'timescaledb'";
        if self.postgres.psql(asked).trim() == "0" {
            return None;
        }
        let settings = [POSTGRES.as_slice(), &TIMESCALE].concat();
        Self::with_servers(&settings, Arc::clone(&self.vendor))
    }

    /// An empty installation with its tables.
    pub fn installation(&self) -> anyhow::Result<Installation<'_>> {
        self.redis.flush_all();
        let installation = Installation {
            fleet: self,
            folder: tempfile::tempdir()?,
            database: self.postgres.fresh_database(),
            settings: Vec::new(),
        };
        run(installation.program("scheduler")?.arg("migrate"))?;
        Ok(installation)
    }

    /// What its servers have done until now.
    fn done(&self) -> anyhow::Result<Done> {
        Done::until_now(&self.postgres, &self.redis)
    }

    /// Lets the server write down what it has, so that nobody pays for another.
    pub fn settle(&self) {
        let _ = self.postgres.psql("CHECKPOINT;");
    }
}

impl Installation<'_> {
    /// One of our programs, for this installation.
    pub fn program(&self, name: &str) -> anyhow::Result<Command> {
        let mut command = program(name, self.path(), &self.database, &self.fleet.vendor)?;
        command.env("REDIS_URL", self.fleet.redis.url());
        command.envs(self.settings.iter().map(|(name, value)| (name, value)));
        Ok(command)
    }

    /// One more setting, for what is started from now on.
    pub fn set(&mut self, variable: &'static str, value: impl Into<String>) {
        self.settings.push((variable, value.into()));
    }

    /// Rows that its tables hold, as the ledger has them; an error where it isn't so.
    pub fn check_rows(&self, table: &str, worked: &Worked) -> anyhow::Result<u64> {
        let asked = format!("SELECT count(*), count(DISTINCT (chunk_id, row_number)) FROM {table}");
        let told = self.fleet.postgres.psql_at(&self.database, &asked);
        let loaded = worked.job.records.loaded;
        ensure!(
            told.trim() == format!("{loaded}|{loaded}"),
            "the table has {told} rows, and the ledger {loaded}"
        );
        Ok(loaded)
    }

    /// Its folder.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Submits a job, of a file with this text.
    pub fn submit(&self, job: &str) -> anyhow::Result<()> {
        let path: PathBuf = self.path().join("job.yaml");
        std::fs::write(&path, job)?;
        run(self.program("scheduler")?.arg("submit").arg(&path))?;
        Ok(())
    }

    /// Lets so many workers work off what was submitted.
    pub fn work_off(&self, workers: usize) -> anyhow::Result<Worked> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        runtime.block_on(async {
            let store = Store::open(&self.database, Access::Read).await?;
            let store = store.context("the database is there")?;
            let before = self.fleet.done()?;
            let began = Instant::now();
            let mut running = Vec::new();
            let ports: Vec<_> = (0..workers).map(|_| Port::claim()).collect();
            for port in &ports {
                let listen = port.address().to_string();
                let mut worker = self.program("worker")?;
                worker.env("BACKHAUL_METRICS_LISTEN", listen);
                running.push(Running::start(&mut worker)?);
            }
            let job = until_done(&store, &mut running, began).await?;
            let took = began.elapsed();
            let servers = self.fleet.done()?.since(before);
            store.close().await;
            let mut ended = Vec::new();
            for (worker, port) in running.into_iter().zip(&ports) {
                let taken = worker.taken()?;
                let told = Scrape::of(port.address()).await;
                ended.push(Ended { taken, told });
                worker.stop()?;
            }
            Ok(Worked {
                took,
                workers: ended,
                servers,
                job,
            })
        })
    }
}

/// One of our programs, with an archive in this folder; this vendor has no limits.
pub fn program(
    name: &str,
    folder: &Path,
    database: &str,
    vendor: &Vendor,
) -> anyhow::Result<Command> {
    let mut command = binary(name)?;
    let archive = folder.join("archive");
    command
        .current_dir(folder)
        .env("DATABASE_URL", database)
        .env("ARCHIVE_URL", format!("file://{}", archive.display()))
        .env("DATABENTO_URL", vendor.url())
        .env("DATABENTO_API_KEY", API_KEY)
        .env("BACKHAUL_LOG", "warn");
    for limit in ["METADATA", "DATA", "SYMBOLOGY"] {
        let variable = format!("BACKHAUL_{limit}_REQUESTS_PER_SECOND");
        command.env(variable, "100000");
    }
    command.env("BACKHAUL_VENDOR_CONNECTIONS_MAX", "1000");
    Ok(command)
}

/// A history of so many trades on a full day of the busiest contract.
pub fn trades_per_day(trades_per_day: u32) -> Config {
    Config {
        trades_per_day,
        ..Config::default()
    }
}

async fn until_done(
    store: &Store,
    workers: &mut [Running],
    began: Instant,
) -> anyhow::Result<JobStatus> {
    loop {
        let jobs = store.jobs(None).await?;
        let job = jobs.into_iter().next().context("a job was submitted")?;
        if job.complete {
            return Ok(job);
        }
        if job.chunks.dead > 0 || began.elapsed() > FOREVER {
            bail!("the job doesn't come to its end: {job:?}");
        }
        if !workers.iter_mut().all(Running::is_running) {
            bail!("a worker has ended: {job:?}");
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}
