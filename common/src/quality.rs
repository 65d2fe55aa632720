//! Vocabulary of data quality: how severe a rule is, which rules a job applies, and how much of a
//! chunk may end in the quarantine.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// The name of the one rule that always applies: every value of a record can be kept, exactly, in
/// the column that it is mapped to. No other rule can have it.
pub const VALUE_FITS_COLUMN: &str = "value_fits_column";

/// What becomes of a record that fails a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// It goes to the quarantine instead of the table.
    Error,
    /// It is loaded and counted, and the counts are told as warnings.
    Warning,
    /// It is loaded and counted.
    Info,
}

impl Severity {
    /// The name that files, tables and commands use.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Info => "info",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Severity {
    type Err = UnknownSeverity;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        [Self::Error, Self::Warning, Self::Info]
            .into_iter()
            .find(|severity| severity.name() == name)
            .ok_or_else(|| UnknownSeverity(name.to_owned()))
    }
}

/// A severity's name that this version does not know.
#[derive(Debug, thiserror::Error)]
#[error("unknown severity {0:?}")]
pub struct UnknownSeverity(String);

/// How often a rule failed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct RuleFailures {
    /// The rule.
    pub rule: String,
    /// What became of the records.
    pub severity: Severity,
    /// Records that failed it.
    pub records: u64,
}

/// What a job decides about quality, beside the rules themselves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Quality {
    /// Rules that the job turns on or off, by name; the others are as their file says.
    pub rules: BTreeMap<String, bool>,
    /// How much of a chunk may be quarantined; the installation's setting where it is not given.
    pub limit: Option<QuarantineLimit>,
}

/// The largest share of a chunk's records that may be quarantined, in millionths; written as a
/// percentage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct QuarantineLimit(u32);

impl QuarantineLimit {
    /// A limit in millionths; at most all.
    #[must_use]
    pub fn from_millionths(millionths: u32) -> Self {
        Self(millionths.min(1_000_000))
    }

    /// The limit in millionths.
    #[must_use]
    pub fn millionths(self) -> u32 {
        self.0
    }

    /// The most of `records` that may be quarantined.
    #[must_use]
    pub fn most_of(self, records: u64) -> u64 {
        let most = u128::from(self.0) * u128::from(records) / 1_000_000;
        u64::try_from(most).unwrap_or(u64::MAX)
    }

    /// Whether so many quarantined records are more than the limit allows of `records`.
    #[must_use]
    pub fn passed_by(self, quarantined: u64, records: u64) -> bool {
        u128::from(quarantined) * 1_000_000 > u128::from(self.0) * u128::from(records)
    }
}

impl Default for QuarantineLimit {
    /// One in a hundred.
    fn default() -> Self {
        Self(10_000)
    }
}

impl FromStr for QuarantineLimit {
    type Err = NotAPercentage;

    /// A percentage from 0 to 100 with at most four decimals.
    fn from_str(text: &str) -> Result<Self, NotAPercentage> {
        let percent: Decimal = text.trim().parse().map_err(|_| NotAPercentage)?;
        let millionths = percent.checked_mul(Decimal::from(10_000));
        let whole = millionths.filter(Decimal::is_integer);
        match whole.and_then(|millionths| u32::try_from(millionths).ok()) {
            Some(millionths @ 0..=1_000_000) => Ok(Self(millionths)),
            _ => Err(NotAPercentage),
        }
    }
}

impl TryFrom<String> for QuarantineLimit {
    type Error = NotAPercentage;

    fn try_from(text: String) -> Result<Self, NotAPercentage> {
        text.parse()
    }
}

impl fmt::Display for QuarantineLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = Decimal::new(i64::from(self.0), 4).normalize();
        write!(f, "{percent} %")
    }
}

/// Text that is no percentage from 0 to 100 with at most four decimals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a percentage is a number from 0 to 100 with at most 4 decimals")]
pub struct NotAPercentage;
