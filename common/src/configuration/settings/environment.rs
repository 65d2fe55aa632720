//! The environment's variables: which setting each one sets, and how its text is read.

use std::net::SocketAddr;

use super::log_format::LogFormat;
use super::{ApiKey, ServeToken, Settings};
use crate::configuration::document::Refusal;
use crate::money::{NotDollars, Usd};
use crate::nearest::nearest;
use crate::quality::{NotAPercentage, QuarantineLimit};

/// The variable that names a folder of configuration.
pub const CONFIG_DIR: &str = "BACKHAUL_CONFIG_DIR";
/// The variable that says what is logged.
pub const LOG: &str = "BACKHAUL_LOG";

/// Variables that are read and set no setting, and what each is for.
pub const OTHERS: &[(&str, &str)] = &[
    (
        CONFIG_DIR,
        "A folder laid out as `configs/`. Default `./configs`, where it is there, else the files that \
         are compiled in.",
    ),
    (
        LOG,
        "What is logged to stderr, for example `debug`, or `info,worker=trace`. Default `warn` on a \
         terminal, `info` elsewhere.",
    ),
];

/// Whether the terminal that `TERM` names can move its cursor.
#[must_use]
#[expect(
    clippy::disallowed_methods,
    reason = "this is the door; what a terminal is sets no setting"
)]
pub fn can_cursor_move() -> bool {
    std::env::var_os("TERM").is_some_and(|name| !name.is_empty() && name != "dumb")
}

/// Variables that describe the server of an archive at `s3://…`, where the program was built with the
/// feature `s3`; the standard ones.
pub const BUCKET: &[(&str, &str)] = &[
    ("AWS_ACCESS_KEY_ID", "The key's name."),
    ("AWS_SECRET_ACCESS_KEY", "The key's secret."),
    (
        "AWS_SESSION_TOKEN",
        "What a temporary key has beside its secret.",
    ),
    ("AWS_REGION", "The bucket's region. Default `us-east-1`."),
    (
        "AWS_ENDPOINT_URL",
        "The server, where it isn't Amazon's. Unencrypted only where this begins with `http://`.",
    ),
];

/// Variables of OpenTelemetry that say whether and where traces go, where the program was built with the
/// feature `otel`; the standard ones.
pub const TRACES: &[(&str, &str)] = &[
    (
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "The receiver, for example `http://collector:4318`; traces go to `/v1/traces` there. Nothing is \
         traced where neither this nor the next is set, unless `OTEL_TRACES_EXPORTER` is `otlp`: traces \
         then go to `http://localhost:4318`.",
    ),
    (
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
        "The same for traces alone, as the whole address.",
    ),
    (
        "OTEL_EXPORTER_OTLP_HEADERS",
        "Headers of each request, `name=value` with commas between: a token, say.",
    ),
    (
        "OTEL_EXPORTER_OTLP_TRACES_HEADERS",
        "The same for traces alone.",
    ),
    (
        "OTEL_EXPORTER_OTLP_TIMEOUT",
        "How long a request may take, in milliseconds. Default 10000.",
    ),
    (
        "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT",
        "The same for traces alone.",
    ),
    (
        "OTEL_EXPORTER_OTLP_PROTOCOL",
        "`http/protobuf`, which is the one that there is.",
    ),
    (
        "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
        "The same for traces alone.",
    ),
    (
        "OTEL_SERVICE_NAME",
        "The service's name. Default `backhaul-scheduler` or `backhaul-worker`.",
    ),
    (
        "OTEL_RESOURCE_ATTRIBUTES",
        "What else describes the service, `key=value` with commas between.",
    ),
    (
        "OTEL_TRACES_SAMPLER",
        "Which traces are kept: a job's submission decides for all its chunks. Default \
         `parentbased_always_on`.",
    ),
    (
        "OTEL_TRACES_SAMPLER_ARG",
        "For the samplers by ratio: the share, from 0 to 1.",
    ),
    (
        "OTEL_TRACES_EXPORTER",
        "`none` or `otlp`; `otlp` without an address means `http://localhost:4318`.",
    ),
    (
        "OTEL_BSP_MAX_QUEUE_SIZE",
        "Spans that wait to be sent; what is beyond is lost. Default 2048.",
    ),
    ("OTEL_SDK_DISABLED", "`true`: nothing is traced."),
];

/// One of [`TRACES`] as it is set; an empty variable is none.
#[must_use]
#[expect(
    clippy::disallowed_methods,
    reason = "this is the door; these set no setting of ours"
)]
pub fn of_traces(name: &str) -> Option<String> {
    debug_assert!(TRACES.iter().any(|(known, _)| *known == name), "{name}");
    let value = std::env::var(name).ok()?;
    let value = value.trim();
    (!value.is_empty()).then(|| value.to_owned())
}

macro_rules! variables {
    ($($variable:literal => $setting:ident,)*) => {
        /// The variables that set a setting: the name of each, and of its setting.
        pub const SETTINGS: &[(&str, &str)] = &[$(($variable, stringify!($setting))),*];

        /// Sets what the variable of this name is for; whether there is one.
        fn set(settings: &mut Settings, name: &str, value: &str) -> Result<bool, Refusal> {
            match name {
                $($variable => settings.$setting = FromVariable::read(name, value)?,)*
                _ => return Ok(false),
            }
            Ok(true)
        }
    };
}

variables! {
    "DATABASE_URL" => database_url,
    "REDIS_URL" => redis_url,
    "ARCHIVE_URL" => archive_url,
    "DATABENTO_URL" => databento_url,
    "DATABENTO_API_KEY" => api_key,
    "BACKHAUL_WORKERS" => workers,
    "BACKHAUL_LEASE_SECONDS" => lease_seconds,
    "BACKHAUL_SHUTDOWN_GRACE_SECONDS" => shutdown_grace_seconds,
    "BACKHAUL_ATTEMPTS_MAX" => attempts_max,
    "BACKHAUL_RETRY_SECONDS" => retry_seconds,
    "BACKHAUL_RETRY_SECONDS_MAX" => retry_seconds_max,
    "BACKHAUL_READ_TIMEOUT_SECONDS" => read_timeout_seconds,
    "BACKHAUL_METADATA_REQUESTS_PER_SECOND" => metadata_requests_per_second,
    "BACKHAUL_DATA_REQUESTS_PER_SECOND" => data_requests_per_second,
    "BACKHAUL_SYMBOLOGY_REQUESTS_PER_SECOND" => symbology_requests_per_second,
    "BACKHAUL_VENDOR_CONNECTIONS_MAX" => vendor_connections_max,
    "BACKHAUL_MAX_QUARANTINE_PERCENT" => max_quarantine_percent,
    "BACKHAUL_BUDGET_USD" => budget_usd,
    "BACKHAUL_METRICS_LISTEN" => metrics_listen,
    "BACKHAUL_SERVE_LISTEN" => serve_listen,
    "BACKHAUL_SERVE_TOKEN" => serve_token,
    "BACKHAUL_LOG_FORMAT" => log_format,
}

/// Changes the settings by one variable; those of other programs are passed over.
pub(super) fn apply(settings: &mut Settings, name: &str, value: &str) -> Result<(), Refusal> {
    let known = set(settings, name, value)? || OTHERS.iter().any(|(other, _)| *other == name);
    match known || !name.starts_with("BACKHAUL_") {
        true => Ok(()),
        false => Err(unknown(name)),
    }
}

fn unknown(name: &str) -> Refusal {
    let names = || SETTINGS.iter().chain(OTHERS).map(|(name, _)| *name);
    let help = match nearest(name, names()) {
        Some(near) => format!("did you mean {near}?"),
        None => {
            let names: Vec<_> = names().collect();
            format!("the variables are {}", names.join(", "))
        }
    };
    Refusal::of(name, "there is no such setting", &help)
}

/// What a variable's text can be read as.
trait FromVariable: Sized {
    fn read(name: &str, value: &str) -> Result<Self, Refusal>;
}

impl FromVariable for String {
    fn read(_: &str, value: &str) -> Result<Self, Refusal> {
        Ok(value.to_owned())
    }
}

impl FromVariable for ApiKey {
    /// Its form is checked once a command needs it.
    fn read(_: &str, value: &str) -> Result<Self, Refusal> {
        Ok(Self(value.trim().to_owned()))
    }
}

impl FromVariable for ServeToken {
    /// As with a key, its form is checked by the command that needs it.
    fn read(_: &str, value: &str) -> Result<Self, Refusal> {
        Ok(Self(value.trim().to_owned()))
    }
}

impl<T: FromVariable> FromVariable for Option<T> {
    fn read(name: &str, value: &str) -> Result<Self, Refusal> {
        T::read(name, value).map(Some)
    }
}

impl FromVariable for QuarantineLimit {
    fn read(name: &str, value: &str) -> Result<Self, Refusal> {
        value.parse().map_err(|error: NotAPercentage| {
            let message = format!("{value:?}: {error}");
            Refusal::of(name, message, "write for example 0.5")
        })
    }
}

impl FromVariable for Usd {
    fn read(name: &str, value: &str) -> Result<Self, Refusal> {
        value.parse().map_err(|_: NotDollars| {
            let message = format!("{value:?} is not an amount of dollars");
            Refusal::of(name, message, "write for example 25.00")
        })
    }
}

impl FromVariable for SocketAddr {
    fn read(name: &str, value: &str) -> Result<Self, Refusal> {
        value.trim().parse().map_err(|_| {
            let message = format!("{value:?} is not an address to listen at");
            let help = "write an IP address and a port, for example 127.0.0.1:9464";
            Refusal::of(name, message, help)
        })
    }
}

impl FromVariable for LogFormat {
    fn read(name: &str, value: &str) -> Result<Self, Refusal> {
        match value.trim() {
            "human" => Ok(Self::Human),
            "json" => Ok(Self::Json),
            _ => {
                let message = format!("{value:?} is no format of the log");
                Err(Refusal::of(name, message, "write human or json"))
            }
        }
    }
}

macro_rules! numbers {
    ($($number:ty),*) => {$(
        impl FromVariable for $number {
            fn read(name: &str, value: &str) -> Result<Self, Refusal> {
                value.trim().parse().map_err(|_| {
                    let message = format!("{value:?} is not a number that fits here");
                    Refusal::of(name, message, "write a plain number, for example 8")
                })
            }
        }
    )*};
}

numbers!(f64, u32, usize);
