//! The installation's settings: `configs/backhaul.yaml`, then the environment, then the flags.

pub mod environment;
pub mod log_format;
#[cfg(feature = "json-schema")]
mod shape;

use std::fmt;
use std::net::SocketAddr;
use std::ops::{Range, RangeInclusive};
use std::path::Path;
use std::time::Duration;

use serde::Deserialize;

use self::log_format::LogFormat;
use super::document::{Document, Refusal, given};
use super::files::ConfigFiles;
#[cfg(feature = "json-schema")]
use super::json_schema::dollars;
use crate::money::Usd;
use crate::quality::QuarantineLimit;
use crate::store::connection::is_postgres;

/// What a number of seconds, or of requests a second, can be.
const POSITIVE: Range<f64> = 0.001..1e9;
/// What the number of connections to the vendor can be.
const CONNECTIONS: RangeInclusive<usize> = 1..=10_000;
/// Characters of a token of `scheduler serve`.
const SERVE_TOKEN: RangeInclusive<usize> = 16..=256;
/// Chunks that a process can be told to work on at once.
const WORKERS_MAX: usize = 1024;

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

/// What whoever looks at `scheduler serve` has to show. It never prints itself.
#[derive(Clone, PartialEq, Eq)]
pub struct ServeToken(String);

impl ServeToken {
    /// Takes a token after checking its form: at least 16 characters, each of them visible ASCII.
    ///
    /// # Errors
    /// [`Refusal`], which does not repeat the text.
    pub fn new(text: &str) -> Result<Self, Refusal> {
        let text = text.trim();
        if SERVE_TOKEN.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Ok(Self(text.to_owned()));
        }
        Err(Refusal::of(
            "BACKHAUL_SERVE_TOKEN",
            "this is no token: it has fewer than 16 characters, or others than visible ASCII",
            "`openssl rand -hex 24` makes one",
        ))
    }

    /// The token itself, for what compares it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ServeToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ServeToken(…)")
    }
}

/// Settings, each with its unit. Unknown keys are errors. The defaults are those of [`Default`]; the
/// variables that set them stand in [`environment`].
#[derive(Clone, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// The database: `sqlite://` and a path, or `postgres://user:password@host/database`.
    pub database_url: String,
    /// The queue of a fleet of workers, for example `redis://host:6379`, or `rediss://` over TLS; none on one
    /// machine.
    #[serde(deserialize_with = "given")]
    #[cfg_attr(feature = "json-schema", schemars(with = "String"))]
    pub redis_url: Option<String>,
    /// Where received streams are kept, raw as they came, with a manifest each: `file://` and a
    /// folder, or `s3://bucket/prefix` where the program was built with the feature `s3`.
    pub archive_url: String,
    /// The vendor's address.
    pub databento_url: String,
    /// The vendor's key, from the environment alone.
    #[serde(skip)]
    pub api_key: Option<ApiKey>,
    /// Chunks worked on at once in a process; 0 means one per core, and with PostgreSQL two.
    #[cfg_attr(feature = "json-schema", schemars(schema_with = "shape::workers"))]
    pub workers: usize,
    /// Seconds a claim holds without being renewed. When left out 30, and 900 with SQLite: in one
    /// process leases are never waited for, and a long load of another chunk must not cost one.
    #[serde(deserialize_with = "given")]
    #[cfg_attr(feature = "json-schema", schemars(schema_with = "shape::positive"))]
    pub lease_seconds: Option<f64>,
    /// Seconds from a worker's first signal to stop until what it still works on is handed back.
    #[cfg_attr(feature = "json-schema", schemars(schema_with = "shape::positive"))]
    pub shutdown_grace_seconds: f64,
    /// Failed attempts until a chunk is dead.
    #[cfg_attr(feature = "json-schema", schemars(schema_with = "shape::attempts"))]
    pub attempts_max: u32,
    /// Seconds until the first retry; doubled each time.
    #[cfg_attr(feature = "json-schema", schemars(schema_with = "shape::positive"))]
    pub retry_seconds: f64,
    /// The longest wait between retries, in seconds.
    #[cfg_attr(feature = "json-schema", schemars(schema_with = "shape::positive"))]
    pub retry_seconds_max: f64,
    /// Seconds without a byte until a stream counts as stalled.
    #[cfg_attr(feature = "json-schema", schemars(schema_with = "shape::positive"))]
    pub read_timeout_seconds: f64,
    /// Metadata requests a second; the default is the vendor's limit for a team.
    #[cfg_attr(feature = "json-schema", schemars(schema_with = "shape::positive"))]
    pub metadata_requests_per_second: f64,
    /// Requests a second for streams of records; the default is the vendor's limit for a team.
    #[cfg_attr(feature = "json-schema", schemars(schema_with = "shape::positive"))]
    pub data_requests_per_second: f64,
    /// Symbology requests a second; the default is the vendor's limit for a team.
    #[cfg_attr(feature = "json-schema", schemars(schema_with = "shape::positive"))]
    pub symbology_requests_per_second: f64,
    /// Requests and open streams at once; the default is the vendor's limit for a team.
    #[cfg_attr(feature = "json-schema", schemars(schema_with = "shape::connections"))]
    pub vendor_connections_max: usize,
    /// The largest share of a chunk's records, in percent, that may be quarantined, where a job
    /// doesn't say otherwise: above it the chunk is given up and nothing of it loaded.
    #[cfg_attr(
        feature = "json-schema",
        schemars(schema_with = "shape::max_quarantine_percent")
    )]
    pub max_quarantine_percent: QuarantineLimit,
    /// The dollars that all jobs together may spend in a calendar month, in UTC; when left out, as
    /// many as they need. Every worker of a fleet needs the same.
    #[serde(deserialize_with = "given")]
    #[cfg_attr(feature = "json-schema", schemars(schema_with = "dollars"))]
    pub budget_usd: Option<Usd>,
    /// Where a worker, and `scheduler serve`, tell metrics and health by HTTP,
    /// for example `127.0.0.1:9464`; when left out, nobody listens.
    #[serde(deserialize_with = "given")]
    #[cfg_attr(feature = "json-schema", schemars(schema_with = "shape::address"))]
    pub metrics_listen: Option<SocketAddr>,
    /// Where `scheduler serve` listens.
    #[cfg_attr(feature = "json-schema", schemars(schema_with = "shape::address"))]
    pub serve_listen: SocketAddr,
    /// What whoever looks at `scheduler serve` has to show, from the environment alone: at least 16
    /// characters. It must be set where `serve_listen` is no address of this machine alone.
    #[serde(skip)]
    pub serve_token: Option<ServeToken>,
    /// How lines of the log look: `human` or `json`; when left out human on a terminal, else JSON.
    #[serde(deserialize_with = "given")]
    #[cfg_attr(feature = "json-schema", schemars(with = "LogFormat"))]
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
            serve_token: None,
            log_format: None,
        }
    }
}

/// The domain of the vendor, whose hosts answer for it.
const VENDOR: &str = "databento.com";

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
                environment::apply(&mut settings, &name, &value)?;
            }
        }
        settings.check()?;
        Ok(settings)
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
            if !POSITIVE.contains(&value) {
                return Err(Refusal::of(
                    name,
                    format!("{value} is out of range"),
                    "write a number from 0.001 to below 1000000000",
                ));
            }
        }
        if !CONNECTIONS.contains(&self.vendor_connections_max) {
            return Err(Refusal::of(
                "vendor_connections_max",
                format!("{} is out of range", self.vendor_connections_max),
                "write a whole number from 1 to 10000",
            ));
        }
        if self.attempts_max == 0 || self.workers > WORKERS_MAX {
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

    /// Where records come from: the vendor, or whoever answers in its place at another address. What is
    /// of different origins never mixes, neither in a database nor in an archive.
    #[must_use]
    pub fn origin(&self) -> &'static str {
        let rest = self
            .databento_url
            .split_once("://")
            .map_or("", |(_, rest)| rest);
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let address = authority.rsplit('@').next().unwrap_or_default();
        let host = address.split(':').next().unwrap_or_default();
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        match host.strip_suffix(VENDOR) {
            Some(before) if before.is_empty() || before.ends_with('.') => "the vendor",
            _ => "a stand-in for the vendor",
        }
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

    /// Connections to the database that a worker of a fleet opens at most: a load, and what is asked
    /// beside it, for each slot; and the reconciler.
    #[must_use]
    pub fn worker_connections(&self) -> u32 {
        u32::try_from(2 * self.slots() + 4).unwrap_or(u32::MAX)
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

    /// What whoever looks at `scheduler serve` has to show, if anything.
    ///
    /// # Errors
    /// [`Refusal`] that says that this is no token.
    pub fn serve_token(&self) -> Result<Option<ServeToken>, Refusal> {
        let token = self.serve_token.as_ref();
        token
            .map(|token| ServeToken::new(token.expose()))
            .transpose()
    }

    /// Moves the database and the archive below one folder.
    pub fn use_data_dir(&mut self, folder: &Path) {
        self.database_url = format!("sqlite://{}", folder.join("backhaul.db").display());
        self.archive_url = format!("file://{}", folder.join("archive").display());
    }
}
