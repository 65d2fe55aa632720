//! Verify: whether all is there, fast and right, and whether the work goes well.
//!
//! Four aspects, each with a figure, a target and a score of 0 to 100. What could not be checked is
//! said, and has no score: it neither helps nor counts as passed. The score of all is the mean of those
//! that were checked, by their weights.
//!
//! | aspect | weight | target |
//! |---|---|---|
//! | data-availability | 0.35 | every day of every symbol and schema asked for is held, or a known gap |
//! | query-performance | 0.30 | at least 80 % of the standard queries, run by this program, end within 5 seconds |
//! | data-integrity | 0.25 | below 1 % of the records fetched are quarantined, and no SQL check finds an error |
//! | operational-stability | 0.10 | at least 95 % of the chunks that ended did so well |

pub mod aspect;
pub mod document;
pub mod availability;
pub mod queries;
pub mod performance;
pub mod integrity;
pub mod stability;
pub mod comparison;
pub mod kept;
pub mod text;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use common::store::{JobStatus, Store};
use common::time::Nanos;

pub use self::aspect::Aspect;
use self::aspect::{Outcome, Verdict, shares, total};
use self::availability::Availability;
use self::document::{AspectReport, Document, FORMAT, Job, VERSION};
use crate::session::Session;

/// What is verified, and how long its parts may take.
#[derive(Debug)]
pub struct Scope<'a> {
    /// The configuration.
    pub session: &'a Session,
    /// The folder of configuration that was asked for: queries are run with it.
    pub config_dir: Option<&'a std::path::Path>,
    /// The database.
    pub store: &'a Store,
    /// The job that alone is meant; all when left out.
    pub job: Option<JobStatus>,
    /// The aspects, each once.
    pub aspects: Vec<Aspect>,
    /// After so long a query is ended.
    pub query_limit: Duration,
    /// After so long an SQL check is ended.
    pub check_limit: Duration,
}

/// Why nothing but the availability can be told of an installation without data.
const NOTHING_ASKED_FOR: &str = "nothing was asked for yet";

impl Scope<'_> {
    /// Checks all aspects, one after the other.
    ///
    /// # Errors
    /// When the database fails: what it can't answer of a single check is told there.
    pub async fn verify(&self) -> anyhow::Result<Document> {
        let (at, began) = (Nanos::now(), Instant::now());
        let jobs = match &self.job {
            Some(job) => vec![job.clone()],
            None => self.store.jobs(None).await?,
        };
        if jobs.is_empty() {
            return Ok(Document::of_nothing(self.session, &self.aspects));
        }
        let mut document = self.begin(at);
        let mut outcomes = BTreeMap::new();
        // The one that reads the tables whole comes first: a damaged database is told once, by it, and
        // not again by each query.
        let mut in_order = self.aspects.clone();
        in_order.sort_by_key(|aspect| *aspect != Aspect::DataIntegrity);
        for aspect in in_order {
            outcomes.insert(aspect, self.check(aspect, &jobs, &mut document).await?);
        }
        document.conclude(outcomes);
        document.seconds = rounded(began.elapsed());
        Ok(document)
    }

    /// A document of this scope in which nothing is told yet.
    #[must_use]
    pub fn begin(&self, at: Nanos) -> Document {
        let job = self.job.as_ref().map(|job| Job {
            id: job.id,
            name: job.name.clone(),
        });
        Document::new(at, self.session, job)
    }

    async fn check(
        &self,
        aspect: Aspect,
        jobs: &[JobStatus],
        document: &mut Document,
    ) -> anyhow::Result<Outcome> {
        Ok(match aspect {
            Aspect::DataAvailability => {
                let found = availability::check(self, jobs).await?;
                document.availability.insert(found).outcome()
            }
            Aspect::QueryPerformance => {
                let found = performance::check(self).await?;
                document.performance.insert(found).outcome()
            }
            Aspect::DataIntegrity => {
                let found = integrity::check(self, jobs).await?;
                document.integrity.insert(found).outcome()
            }
            Aspect::OperationalStability => {
                let found = stability::check(self).await?;
                document.stability.insert(found).outcome()
            }
        })
    }
}

impl Document {
    /// The document of an installation that nothing was asked of yet.
    #[must_use]
    pub fn of_nothing(session: &Session, aspects: &[Aspect]) -> Self {
        let mut document = Self::new(Nanos::now(), session, None);
        let outcomes = aspects.iter().map(|aspect| {
            let outcome = match aspect {
                Aspect::DataAvailability => {
                    let found = Availability::of_nothing();
                    document.availability.insert(found).outcome()
                }
                Aspect::QueryPerformance | Aspect::DataIntegrity | Aspect::OperationalStability => {
                    Outcome::not_checked(NOTHING_ASKED_FOR)
                }
            };
            (*aspect, outcome)
        });
        let outcomes = outcomes.collect();
        document.conclude(outcomes);
        document
    }

    fn new(at: Nanos, session: &Session, job: Option<Job>) -> Self {
        let engine = match session.settings.is_distributed() {
            true => "postgresql",
            false => "sqlite",
        };
        Self {
            format: FORMAT.to_owned(),
            version: VERSION,
            at: at.to_string(),
            seconds: 0.0,
            program: env!("CARGO_PKG_VERSION").to_owned(),
            engine: engine.to_owned(),
            job,
            passed: false,
            score: None,
            checks: Vec::new(),
            availability: None,
            performance: None,
            integrity: None,
            stability: None,
            comparison: None,
        }
    }

    /// Sums up what came of the aspects.
    fn conclude(&mut self, outcomes: BTreeMap<Aspect, Outcome>) {
        let scores: Vec<_> = outcomes
            .iter()
            .map(|(aspect, outcome)| (*aspect, outcome.score))
            .collect();
        self.score = total(&scores);
        self.passed = outcomes
            .values()
            .all(|outcome| outcome.verdict == Verdict::Met);
        let shares = shares(&scores);
        let of_aspects = outcomes.into_iter().zip(shares);
        self.checks = of_aspects
            .map(|((aspect, outcome), share)| AspectReport {
                check: aspect,
                weight: aspect.weight(),
                share: share.map(|share| (share * 1e4).round() / 1e4),
                verdict: outcome.verdict,
                score: outcome.score,
                target: aspect.target().to_owned(),
                figure: outcome.figure,
            })
            .collect();
    }
}

/// Seconds, to the millisecond.
fn rounded(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e3).round() / 1e3
}
