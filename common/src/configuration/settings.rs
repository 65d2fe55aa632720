//! The installation's settings: `configs/backhaul.yaml`, then the environment, then the flags.

use std::fmt;
use std::net::SocketAddr;
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use serde::Deserialize;

use super::document::{Document, Refusal};
use super::files::ConfigFiles;
use crate::money::{NotDollars, Usd};
use crate::nearest::nearest;
use crate::quality::{NotAPercentage, QuarantineLimit};
use crate::store::connection::is_postgres;

/// The vendor's key. It never prints itself.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey(String);

impl ApiKey {
    /// Takes a key after checking its form: 32 ASCII characters that start with `db-`.
    ///
    /// # Errors
    /// [`Refusal`], which does not repeat the text.
    pub fn new(text: &str) -> Result<Self, Refusal> {
        let text = text.trim();
        if text.len() == 32 && text.is_ascii() && text.starts_with("db-") {
            return Ok(Self(text.to_owned()));
        }
        Err(Refusal::of(
            "DATABENTO_API_KEY",
            "this is not a Databento API key",
            "a key has 32 characters and starts with `db-`; find yours at https://databento.com/portal/keys",
        ))
    }

    /// The key itself, for the one header that carries it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey(…)")
    }
}

/// How lines of the log look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Human,
    /// A JSON object each, for programs.
    Json,
}

impl FromStr for LogFormat {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.trim() {
            "human" => Ok(Self::Human),
            "json" => Ok(Self::Json),
            _ => Err(()),
        }
    }
}

/// Settings, each with its unit and default. Unknown keys are errors.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// The database (`DATABASE_URL`). Default `sqlite://data/backhaul.db`.
    pub database_url: String,
    /// The queue of a fleet of workers (`REDIS_URL`), for example `redis://host:6379`; none on one
    /// machine.
    pub redis_url: Option<String>,
    /// Where received streams are kept (`ARCHIVE_URL`). Default `file://data/archive`.
    pub archive_url: String,
    /// The vendor's address (`DATABENTO_URL`). Default `https://hist.databento.com`.
    pub databento_url: String,
    /// The vendor's key (`DATABENTO_API_KEY`), from the environment alone.
    #[serde(skip)]
    pub api_key: Option<ApiKey>,
    /// Chunks worked on at once in a process (`BACKHAUL_WORKERS`); 0, the default, means one per core,
    /// and with PostgreSQL two.
    pub workers: usize,
    /// Seconds a claim holds without being renewed (`BACKHAUL_LEASE_SECONDS`). Default 30, and 900
    /// with SQLite: in one process leases are never waited for, and a long load of another chunk
    /// must not cost one.
    pub lease_seconds: Option<f64>,
    /// Seconds from a worker's first signal to stop until what it still works on is handed back
    /// (`BACKHAUL_SHUTDOWN_GRACE_SECONDS`). Default 30.
    pub shutdown_grace_seconds: f64,
    /// Failed attempts until a chunk is dead (`BACKHAUL_ATTEMPTS_MAX`). Default 10.
    pub attempts_max: u32,
    /// Seconds until the first retry (`BACKHAUL_RETRY_SECONDS`); doubled each time. Default 0.5.
    pub retry_seconds: f64,
    /// The longest wait between retries, in seconds (`BACKHAUL_RETRY_SECONDS_MAX`). Default 60.
    pub retry_seconds_max: f64,
    /// Seconds without a byte until a stream counts as stalled (`BACKHAUL_READ_TIMEOUT_SECONDS`).
    /// Default 60.
    pub read_timeout_seconds: f64,
    /// Metadata requests a second (`BACKHAUL_METADATA_REQUESTS_PER_SECOND`). Default 20, the
    /// vendor's limit for a team.
    pub metadata_requests_per_second: f64,
    /// Requests a second for streams of records (`BACKHAUL_DATA_REQUESTS_PER_SECOND`). Default 100,
    /// the vendor's limit for a team.
    pub data_requests_per_second: f64,
    /// Symbology requests a second (`BACKHAUL_SYMBOLOGY_REQUESTS_PER_SECOND`). Default 100, the
    /// vendor's limit for a team.
    pub symbology_requests_per_second: f64,
    /// Connections to the vendor at once (`BACKHAUL_VENDOR_CONNECTIONS_MAX`). Default 100, the
    /// vendor's limit for a team.
    pub vendor_connections_max: usize,
    /// The largest share of a chunk's records, in percent, that may be quarantined
    /// (`BACKHAUL_MAX_QUARANTINE_PERCENT`), where a job doesn't say otherwise: above it the chunk
    /// is given up and nothing of it loaded. Default 1.
    pub max_quarantine_percent: QuarantineLimit,
    /// The dollars that all jobs together may spend in a calendar month, in UTC
    /// (`BACKHAUL_BUDGET_USD`). None by default. Every worker of a fleet needs the same.
    pub budget_usd: Option<Usd>,
    /// Where a worker, and `scheduler serve`, tell metrics and health by HTTP
    /// (`BACKHAUL_METRICS_LISTEN`), for example `127.0.0.1:9464`. None by default: nobody listens.
    pub metrics_listen: Option<SocketAddr>,
    /// Where `scheduler serve` listens (`BACKHAUL_SERVE_LISTEN`). Default `127.0.0.1:8080`.
    pub serve_listen: SocketAddr,
    /// How lines of the log look (`BACKHAUL_LOG_FORMAT`): `human` or `json`. By default human on a
    /// terminal, else JSON.
    pub log_format: Option<LogFormat>,
}

impl fmt::Debug for Settings {
    /// Not the addresses: they may hold passwords.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings").finish_non_exhaustive()
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            database_url: "sqlite://data/backhaul.db".to_owned(),
            redis_url: None,
            archive_url: "file://data/archive".to_owned(),
            databento_url: "https://hist.databento.com".to_owned(),
            api_key: None,
            workers: 0,
            lease_seconds: None,
            shutdown_grace_seconds: 30.0,
            attempts_max: 10,
            retry_seconds: 0.5,
            retry_seconds_max: 60.0,
            read_timeout_seconds: 60.0,
            metadata_requests_per_second: 20.0,
            data_requests_per_second: 100.0,
            symbology_requests_per_second: 100.0,
            vendor_connections_max: 100,
            max_quarantine_percent: QuarantineLimit::default(),
            budget_usd: None,
            metrics_listen: None,
            serve_listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            log_format: None,
        }
    }
}

/// Environment variables that are read, with the `BACKHAUL_` ones that are not settings.
const ENVIRONMENT: &[&str] = &[
    "DATABASE_URL",
    "REDIS_URL",
    "ARCHIVE_URL",
    "DATABENTO_URL",
    "DATABENTO_API_KEY",
    "BACKHAUL_WORKERS",
    "BACKHAUL_LEASE_SECONDS",
    "BACKHAUL_SHUTDOWN_GRACE_SECONDS",
    "BACKHAUL_ATTEMPTS_MAX",
    "BACKHAUL_RETRY_SECONDS",
    "BACKHAUL_RETRY_SECONDS_MAX",
    "BACKHAUL_READ_TIMEOUT_SECONDS",
    "BACKHAUL_METADATA_REQUESTS_PER_SECOND",
    "BACKHAUL_DATA_REQUESTS_PER_SECOND",
    "BACKHAUL_SYMBOLOGY_REQUESTS_PER_SECOND",
    "BACKHAUL_VENDOR_CONNECTIONS_MAX",
    "BACKHAUL_MAX_QUARANTINE_PERCENT",
    "BACKHAUL_BUDGET_USD",
    "BACKHAUL_METRICS_LISTEN",
    "BACKHAUL_SERVE_LISTEN",
    "BACKHAUL_CONFIG_DIR",
    "BACKHAUL_LOG",
    "BACKHAUL_LOG_FORMAT",
];

impl Settings {
    /// The settings of `configs/backhaul.yaml`, changed by the process's environment.
    ///
    /// # Errors
    /// [`Refusal`] with the file and line, or the variable, that is wrong.
    pub fn load(files: &ConfigFiles) -> Result<Self, Refusal> {
        Self::from_sources(
            files,
            std::env::vars_os().filter_map(|(name, value)| {
                Some((name.into_string().ok()?, value.into_string().ok()?))
            }),
        )
    }

    /// The settings of `configs/backhaul.yaml`, changed by the variables given.
    ///
    /// # Errors
    /// [`Refusal`] with the file and line, or the variable, that is wrong.
    pub fn from_sources(
        files: &ConfigFiles,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, Refusal> {
        let document = files.read("backhaul.yaml")?;
        Self::of(document.as_ref(), environment)
    }

    /// The settings of a document, changed by the variables given.
    ///
    /// # Errors
    /// As [`Self::from_sources`].
    pub fn of(
        document: Option<&Document>,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, Refusal> {
        let mut settings = match document {
            Some(document) if !document.text.trim().is_empty() => document.parse()?,
            _ => Self::default(),
        };
        for (name, value) in environment {
            // An empty variable is how many shells and manifests say "not set".
            if !value.is_empty() {
                settings.set_from_environment(&name, &value)?;
            }
        }
        settings.check()?;
        Ok(settings)
    }

    fn set_from_environment(&mut self, name: &str, value: &str) -> Result<(), Refusal> {
        match name {
            "DATABASE_URL" => value.clone_into(&mut self.database_url),
            "REDIS_URL" => self.redis_url = Some(value.to_owned()),
            "ARCHIVE_URL" => value.clone_into(&mut self.archive_url),
            "DATABENTO_URL" => value.clone_into(&mut self.databento_url),
            // Its form is checked once a command needs it.
            "DATABENTO_API_KEY" => self.api_key = Some(ApiKey(value.trim().to_owned())),
            "BACKHAUL_WORKERS" => self.workers = number(name, value)?,
            "BACKHAUL_LEASE_SECONDS" => self.lease_seconds = Some(number(name, value)?),
            "BACKHAUL_SHUTDOWN_GRACE_SECONDS" => {
                self.shutdown_grace_seconds = number(name, value)?;
            }
            "BACKHAUL_ATTEMPTS_MAX" => self.attempts_max = number(name, value)?,
            "BACKHAUL_RETRY_SECONDS" => self.retry_seconds = number(name, value)?,
            "BACKHAUL_RETRY_SECONDS_MAX" => self.retry_seconds_max = number(name, value)?,
            "BACKHAUL_READ_TIMEOUT_SECONDS" => self.read_timeout_seconds = number(name, value)?,
            "BACKHAUL_METADATA_REQUESTS_PER_SECOND" => {
                self.metadata_requests_per_second = number(name, value)?;
            }
            "BACKHAUL_DATA_REQUESTS_PER_SECOND" => {
                self.data_requests_per_second = number(name, value)?;
            }
            "BACKHAUL_SYMBOLOGY_REQUESTS_PER_SECOND" => {
                self.symbology_requests_per_second = number(name, value)?;
            }
            "BACKHAUL_VENDOR_CONNECTIONS_MAX" => {
                self.vendor_connections_max = number(name, value)?;
            }
            "BACKHAUL_MAX_QUARANTINE_PERCENT" => {
                self.max_quarantine_percent = value.parse().map_err(|error: NotAPercentage| {
                    let message = format!("{value:?}: {error}");
                    Refusal::of(name, message, "write for example 0.5")
                })?;
            }
            "BACKHAUL_BUDGET_USD" => {
                self.budget_usd = Some(value.parse().map_err(|_: NotDollars| {
                    let message = format!("{value:?} is not an amount of dollars");
                    Refusal::of(name, message, "write for example 25.00")
                })?);
            }
            "BACKHAUL_METRICS_LISTEN" => self.metrics_listen = Some(listen(name, value)?),
            "BACKHAUL_SERVE_LISTEN" => self.serve_listen = listen(name, value)?,
            "BACKHAUL_LOG_FORMAT" => {
                self.log_format = Some(value.parse().map_err(|()| {
                    let message = format!("{value:?} is no format of the log");
                    Refusal::of(name, message, "write human or json")
                })?);
            }
            name if name.starts_with("BACKHAUL_") && !ENVIRONMENT.contains(&name) => {
                return Err(unknown_variable(name));
            }
            _ => {}
        }
        Ok(())
    }

    fn check(&self) -> Result<(), Refusal> {
        let positive = [
            ("lease_seconds", self.lease().as_secs_f64()),
            ("shutdown_grace_seconds", self.shutdown_grace_seconds),
            ("retry_seconds", self.retry_seconds),
            ("retry_seconds_max", self.retry_seconds_max),
            ("read_timeout_seconds", self.read_timeout_seconds),
            (
                "metadata_requests_per_second",
                self.metadata_requests_per_second,
            ),
            ("data_requests_per_second", self.data_requests_per_second),
            (
                "symbology_requests_per_second",
                self.symbology_requests_per_second,
            ),
        ];
        for (name, value) in positive {
            if !(0.001..1e9).contains(&value) {
                return Err(Refusal::of(
                    name,
                    format!("{value} is out of range"),
                    "write a number from 0.001 to below 1000000000",
                ));
            }
        }
        if !(1..=10_000).contains(&self.vendor_connections_max) {
            return Err(Refusal::of(
                "vendor_connections_max",
                format!("{} is out of range", self.vendor_connections_max),
                "write a whole number from 1 to 10000",
            ));
        }
        if self.attempts_max == 0 || self.workers > 1024 {
            return Err(Refusal::of(
                "attempts_max, workers",
                "the number is out of range",
                "write at least 1 for attempts_max and at most 1024 for workers",
            ));
        }
        Ok(())
    }

    /// Whether the installation is one of many workers, by its database.
    #[must_use]
    pub fn is_distributed(&self) -> bool {
        is_postgres(&self.database_url)
    }

    /// How long a claim holds without being renewed.
    #[must_use]
    pub fn lease(&self) -> Duration {
        let default = if self.is_distributed() { 30.0 } else { 900.0 };
        // What is no duration is refused when the settings are read.
        let seconds = self.lease_seconds.unwrap_or(default);
        Duration::try_from_secs_f64(seconds).unwrap_or_default()
    }

    /// Chunks worked on at once: the setting, or by the number of cores.
    #[must_use]
    pub fn slots(&self) -> usize {
        let cores = || std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        match self.workers {
            // While one waits for the network or the database, the other keeps the core busy.
            0 if self.is_distributed() => 2 * cores(),
            0 => cores(),
            count => count,
        }
    }

    /// The address of the fleet's Redis.
    ///
    /// # Errors
    /// [`Refusal`] that says how to give one.
    pub fn require_redis_url(&self) -> Result<&str, Refusal> {
        self.redis_url.as_deref().ok_or_else(|| {
            Refusal::of(
                "REDIS_URL",
                "there is no address of a Redis server, and this command needs the fleet's queue",
                "export REDIS_URL=redis://host:6379; on one machine `scheduler run` needs none",
            )
        })
    }

    /// The vendor's key.
    ///
    /// # Errors
    /// [`Refusal`] that says how to give one, or that this is none.
    pub fn require_api_key(&self) -> Result<&ApiKey, Refusal> {
        let key = self.api_key.as_ref().ok_or_else(|| {
            Refusal::of(
                "DATABENTO_API_KEY",
                "there is no API key, and this command asks the vendor",
                "export DATABENTO_API_KEY=db-…, or try `scheduler demo`, which needs none",
            )
        })?;
        ApiKey::new(key.expose())?;
        Ok(key)
    }

    /// Moves the database and the archive below one folder.
    pub fn use_data_dir(&mut self, folder: &Path) {
        self.database_url = format!("sqlite://{}", folder.join("backhaul.db").display());
        self.archive_url = format!("file://{}", folder.join("archive").display());
    }
}

fn unknown_variable(name: &str) -> Refusal {
    let help = match nearest(name, ENVIRONMENT.iter().copied()) {
        Some(near) => format!("did you mean {near}?"),
        None => format!("the variables are {}", ENVIRONMENT.join(", ")),
    };
    Refusal::of(name, "there is no such setting", &help)
}

/// An address to listen at.
fn listen(name: &str, value: &str) -> Result<SocketAddr, Refusal> {
    value.trim().parse().map_err(|_| {
        let message = format!("{value:?} is not an address to listen at");
        let help = "write an IP address and a port, for example 127.0.0.1:9464";
        Refusal::of(name, message, help)
    })
}

fn number<T: FromStr>(name: &str, value: &str) -> Result<T, Refusal> {
    value.trim().parse().map_err(|_| {
        Refusal::of(
            name,
            format!("{value:?} is not a number that fits here"),
            "write a plain number, for example 8",
        )
    })
}
