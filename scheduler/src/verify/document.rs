//! The document of a verification: what `--json` prints and what is kept.

use common::chunk::JobId;
use serde::{Deserialize, Serialize};

use super::aspect::{Aspect, Verdict};
use super::availability::Availability;
use super::comparison::Comparison;
use super::integrity::Integrity;
use super::performance::Performance;
use super::stability::Stability;

/// What a document says it is.
pub const FORMAT: &str = "backhaul verify report";
/// The version of its form. A field that is new and may be left out doesn't change it.
pub const VERSION: u32 = 1;

/// What was verified, and what came of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Document {
    /// [`FORMAT`].
    pub format: String,
    /// [`VERSION`].
    pub version: u32,
    /// When it began; RFC 3339, UTC.
    pub at: String,
    /// How long it took.
    pub seconds: f64,
    /// The version of the program.
    pub program: String,
    /// `sqlite` or `postgresql`.
    pub engine: String,
    /// The job that alone was looked at.
    pub job: Option<Job>,
    /// Whether all targets are met.
    pub passed: bool,
    /// 0 to 100; null where nothing could be checked.
    pub score: Option<f64>,
    /// The aspects that were asked for.
    pub checks: Vec<AspectReport>,
    /// What was found of data-availability.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub availability: Option<Availability>,
    /// What was found of query-performance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub performance: Option<Performance>,
    /// What was found of data-integrity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub integrity: Option<Integrity>,
    /// What was found of operational-stability.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stability: Option<Stability>,
    /// What has changed since an earlier report, where that was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comparison: Option<Comparison>,
}

/// A job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// Its number.
    pub id: JobId,
    /// Its name.
    pub name: String,
}

/// One aspect, summed up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AspectReport {
    /// Which it is.
    pub check: Aspect,
    /// Its weight, where all are checked.
    pub weight: f64,
    /// Its share of this score; null where it was not checked.
    pub share: Option<f64>,
    /// Whether its target is met.
    pub verdict: Verdict,
    /// 0 to 100; null where it was not checked.
    pub score: Option<f64>,
    /// The target, in words.
    pub target: String,
    /// What was reached, in words, or why it was not checked.
    pub figure: String,
}
