//! Faults: what a simulator can be told to do wrong.

mod refused;

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use serde_json::json;

pub use self::refused::{Refused, Shape};

/// A way of going wrong. The names are those of the vendor's observed misbehaviour, in kebab case
/// on the command line and in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FaultKind {
    /// The answer begins `seconds` late (default 1).
    Latency,
    /// 429 with `Retry-After: seconds` (default 1).
    RateLimit,
    /// 401, as for a bad key.
    Unauthorized,
    /// 402, as for an account without funds.
    InsufficientFunds,
    /// 503 with a body of plain text.
    ServerErrorText,
    /// 502 with a body of HTML.
    ServerErrorHtml,
    /// The refusal that `refusal` describes; with `Retry-After` where there are `seconds`.
    Refusal,
    /// The connection is reset in the middle of a stream.
    Reset,
    /// `Content-Length` promises more than the stream gives.
    ShortLength,
    /// HTTP ends cleanly, the last zstd frame is incomplete.
    CutInFrame,
    /// HTTP and zstd end cleanly, records are missing.
    CutAtFrame,
    /// HTTP and zstd end cleanly in the middle of a record.
    CutInRecord,
    /// 200 with no body.
    EmptyBody,
    /// A complete DBN header and no records.
    MetadataOnly,
    /// The stream stops for `seconds` (default 3,600), then goes on.
    Stall,
    /// Bytes within the compressed stream are flipped.
    Corrupt,
    /// `get_record_count` is wrong by one to three.
    CountOff,
    /// From now on a day has more records than before, and a new `last_modified_date`.
    RevisedDay,
    /// From now on a day is reported as degraded; its records are the same.
    Degraded,
    /// From now on a day is reported as pending, and has no records.
    Pending,
    /// From now on a day is reported as missing, and has no records.
    Missing,
    /// From now on what is of a day or later needs a licence: 403, with the instant in the message.
    Licence,
    /// From now on what is of a day or later is refused: 422 without a payload, with the instant in
    /// the message.
    UnavailableRange,
    /// From now on a schema begins with a day: its range says so, and what reaches before is 422.
    SchemaBegins,
    /// From now on a schema ends before a day: its range says so, and what reaches beyond is 422.
    SchemaEnds,
}

impl FaultKind {
    /// The name on the command line, in JSON and in the request log.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Latency => "latency",
            Self::RateLimit => "rate-limit",
            Self::Unauthorized => "unauthorized",
            Self::InsufficientFunds => "insufficient-funds",
            Self::ServerErrorText => "server-error-text",
            Self::ServerErrorHtml => "server-error-html",
            Self::Refusal => "refusal",
            Self::Reset => "reset",
            Self::ShortLength => "short-length",
            Self::CutInFrame => "cut-in-frame",
            Self::CutAtFrame => "cut-at-frame",
            Self::CutInRecord => "cut-in-record",
            Self::EmptyBody => "empty-body",
            Self::MetadataOnly => "metadata-only",
            Self::Stall => "stall",
            Self::Corrupt => "corrupt",
            Self::CountOff => "count-off",
            Self::RevisedDay => "revised-day",
            Self::Degraded => "degraded",
            Self::Pending => "pending",
            Self::Missing => "missing",
            Self::Licence => "licence",
            Self::UnavailableRange => "unavailable-range",
            Self::SchemaBegins => "schema-begins",
            Self::SchemaEnds => "schema-ends",
        }
    }

    /// Whether it holds until faults are cleared, rather than for single requests.
    pub fn is_standing(self) -> bool {
        self.changes_a_day() || self.is_barrier()
    }

    /// Whether it changes a day's records or condition.
    pub fn changes_a_day(self) -> bool {
        matches!(
            self,
            Self::RevisedDay | Self::Degraded | Self::Pending | Self::Missing
        )
    }

    /// Whether it keeps back what lies on one side of a day's midnight.
    pub fn is_barrier(self) -> bool {
        matches!(
            self,
            Self::Licence | Self::UnavailableRange | Self::SchemaBegins | Self::SchemaEnds
        )
    }

    /// Whether it is a way to end a stream badly, which only `timeseries.get_range` can do.
    pub fn is_of_stream(self) -> bool {
        matches!(
            self,
            Self::Reset
                | Self::ShortLength
                | Self::CutInFrame
                | Self::CutAtFrame
                | Self::CutInRecord
                | Self::EmptyBody
                | Self::MetadataOnly
                | Self::Stall
                | Self::Corrupt
        )
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A fault and the requests or day that it strikes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// What goes wrong.
    pub kind: FaultKind,
    /// Strike the next so many requests that fit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<u64>,
    /// Strike each request that fits with this probability, 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probability: Option<f64>,
    /// Strike only requests whose path ends so, such as `timeseries.get_range`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Length of a latency or stall, or what `Retry-After` says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<f64>,
    /// Strike only requests for this dataset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dataset: Option<String>,
    /// Strike only requests for this schema.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<String>,
    /// The day, `YYYY-MM-DD`: which day is revised, degraded, pending or missing, or from which on
    /// something is kept back or a schema begins; for other kinds,
    /// strike only requests whose range touches it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<String>,
    /// The `last_modified_date` of a revised or degraded day, `YYYY-MM-DD`. Default today.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modified: Option<String>,
    /// What a `refusal` answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refusal: Option<Refused>,
}

/// A fault that makes no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FaultError {
    /// Not of the form, or with unknown kinds or keys.
    #[error("failed to read the fault: {0}")]
    Form(String),
    /// A kind that strikes requests, without or with too much of when.
    #[error("{0} needs one of `next` (a number of requests) and `probability` (0 to 1)")]
    When(FaultKind),
    /// A kind that changes a day, without the day.
    #[error("{0} needs `date` (YYYY-MM-DD) and no `next` or `probability`: it holds until cleared")]
    NoDate(FaultKind),
    /// A value that can't be.
    #[error("{0} has a bad `{1}`: {2}")]
    Value(FaultKind, &'static str, String),
    /// A refusal without its answer, or another kind with one.
    #[error("a refusal needs `refusal` with a `status` of 400 to 599, and no other kind has one")]
    Refusal,
}

impl Fault {
    /// Strikes the next `requests` requests.
    pub fn next(kind: FaultKind, requests: u64) -> Self {
        Self {
            next: Some(requests),
            ..Self::bare(kind)
        }
    }

    /// Strikes each request with a probability between 0 and 1.
    pub fn probability(kind: FaultKind, probability: f64) -> Self {
        Self {
            probability: Some(probability),
            ..Self::bare(kind)
        }
    }

    /// Concerns a day, `YYYY-MM-DD`, until faults are cleared: revised, degraded, pending, missing, or
    /// the first that is kept back.
    pub fn day(kind: FaultKind, date: impl Into<String>) -> Self {
        Self {
            date: Some(date.into()),
            ..Self::bare(kind)
        }
    }

    /// Refuses the next `requests` requests.
    pub fn refusing(refusal: Refused, requests: u64) -> Self {
        Self {
            refusal: Some(refusal),
            ..Self::next(FaultKind::Refusal, requests)
        }
    }

    fn bare(kind: FaultKind) -> Self {
        Self {
            kind,
            next: None,
            probability: None,
            path: None,
            seconds: None,
            dataset: None,
            schema: None,
            date: None,
            modified: None,
            refusal: None,
        }
    }

    /// Only for requests whose path ends with `path`.
    #[must_use]
    pub fn on_path(self, path: impl Into<String>) -> Self {
        Self {
            path: Some(path.into()),
            ..self
        }
    }

    /// With a length of `seconds`.
    #[must_use]
    pub fn lasting(self, seconds: f64) -> Self {
        Self {
            seconds: Some(seconds),
            ..self
        }
    }

    /// Only for one dataset.
    #[must_use]
    pub fn of_dataset(self, dataset: impl Into<String>) -> Self {
        Self {
            dataset: Some(dataset.into()),
            ..self
        }
    }

    /// Only for one schema.
    #[must_use]
    pub fn of_schema(self, schema: impl Into<String>) -> Self {
        Self {
            schema: Some(schema.into()),
            ..self
        }
    }

    /// Reads a fault from JSON, such as `{"kind": "cut-in-frame", "next": 5}`.
    ///
    /// # Errors
    /// Unknown kinds or keys, values out of range.
    pub fn from_json(json: &str) -> Result<Self, FaultError> {
        let fault: Self =
            serde_json::from_str(json).map_err(|error| FaultError::Form(error.to_string()))?;
        fault.checked()
    }

    /// The fault, if it makes sense.
    pub(crate) fn checked(self) -> Result<Self, FaultError> {
        if self.kind.is_standing() {
            if self.date.is_none() || self.next.is_some() || self.probability.is_some() {
                return Err(FaultError::NoDate(self.kind));
            }
        } else if self.next.is_some() == self.probability.is_some() {
            return Err(FaultError::When(self.kind));
        }
        let refuses = |refusal: &Refused| (400..600).contains(&refusal.status);
        let answered = self.refusal.as_ref().map(refuses);
        if answered != (self.kind == FaultKind::Refusal).then_some(true) {
            return Err(FaultError::Refusal);
        }
        let bad = |key, value: String| FaultError::Value(self.kind, key, value);
        if let Some(probability) = self.probability.filter(|p| !(0.0..=1.0).contains(p)) {
            return Err(bad(
                "probability",
                format!("{probability} is not between 0 and 1"),
            ));
        }
        if let Some(seconds) = self
            .seconds
            .filter(|seconds| !(0.0..=1e6).contains(seconds))
        {
            return Err(bad(
                "seconds",
                format!("{seconds} is not between 0 and a million"),
            ));
        }
        for (key, date) in [("date", &self.date), ("modified", &self.modified)] {
            if let Some(date) = date
                .as_ref()
                .filter(|date| crate::parameters::date(date).is_none())
            {
                return Err(bad(
                    key,
                    format!("{date} is no date of the form YYYY-MM-DD"),
                ));
            }
        }
        Ok(self)
    }
}

/// Reads the form of the command line, such as `latency:probability=0.1,seconds=2` or
/// `refusal:next=1,status=404,message=no data`.
impl FromStr for Fault {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Self, FaultError> {
        let (kind, rest) = text.split_once(':').unwrap_or((text, ""));
        let mut object = serde_json::Map::new();
        object.insert("kind".to_owned(), kind.into());
        for pair in rest.split(',').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair
                .split_once('=')
                .ok_or_else(|| FaultError::Form(format!("`{pair}` is not key=value")))?;
            let value = match key {
                "next" | "probability" | "seconds" | "status" => serde_json::from_str(value)
                    .map_err(|_| {
                        FaultError::Form(format!("`{value}` of `{key}` is not a number"))
                    })?,
                _ => serde_json::Value::from(value),
            };
            if ["status", "shape", "case", "message"].contains(&key) {
                object.entry("refusal").or_insert_with(|| json!({}))[key] = value;
            } else {
                object.insert(key.to_owned(), value);
            }
        }
        let json = serde_json::Value::Object(object);
        let fault: Self =
            serde_json::from_value(json).map_err(|error| FaultError::Form(error.to_string()))?;
        fault.checked()
    }
}
