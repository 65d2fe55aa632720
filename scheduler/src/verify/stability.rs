//! Operational-stability: how the chunks ended, as far as the ledger knows.
//!
//! The figure: of the chunks of jobs that were not cancelled, those that are done or empty, by those
//! that ended in any way. Ended are done, empty and dead ones, and those that run under a lease which
//! has ended, for whoever worked on them is gone. What a chunk went through before it was done doesn't
//! count: retries are what the work is made for. They are told beside the figure, with what waits, why,
//! and how near the limits of money are.

use common::chunk::ChunkState;
use common::money::Usd;
use common::store::{JobSpending, Moment, Reason, Workings};
use common::time::Nanos;
use serde::{Deserialize, Serialize};

use super::Scope;
use super::aspect::{Outcome, percent};
use crate::progress::{counted, thousands};

/// Of a hundred chunks that ended so many are to have ended well.
const PERCENT_TARGET: u64 = 95;
/// A chunk that is due for longer than so many seconds is told.
const DUE_SECONDS_MAX: f64 = 3_600.0;
/// A limit of which so many percent are spent is told.
const SPENT_PERCENT: i128 = 90;

/// How the work goes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stability {
    /// Chunks that are done or empty.
    pub settled: u64,
    /// Chunks that were given up.
    pub dead: u64,
    /// Chunks that run.
    pub running: u64,
    /// Those of them whose lease has ended.
    pub abandoned: u64,
    /// Chunks that wait and are due.
    pub due: u64,
    /// For how long the one is due that is due the longest.
    pub oldest_due_seconds: Option<f64>,
    /// Failed attempts that count against a chunk.
    pub failed_attempts: u64,
    /// Claims beyond each chunk's last and its failed attempts: leases that were lost, chunks that were
    /// handed back, put off, retried by hand or replayed. The ledger doesn't tell them apart.
    pub other_claims: u64,
    /// Why chunks wait for a retry.
    pub retries: Vec<Told>,
    /// Why chunks are dead.
    pub given_up: Vec<Told>,
    /// What an operator should look at.
    pub notes: Vec<String>,
}

/// An error that chunks name as their last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// The error.
    pub error: String,
    /// How many chunks.
    pub chunks: u64,
}

/// Asks the ledger.
///
/// # Errors
/// When the database fails.
pub async fn check(scope: &Scope<'_>) -> anyhow::Result<Stability> {
    let (store, job) = (scope.store, scope.job.as_ref().map(|job| job.id));
    let workings = store.workings(job, Moment::Now).await?;
    let retries = store.reasons(job, ChunkState::Pending).await?;
    let given_up = store.reasons(job, ChunkState::Dead).await?;
    let mut spent = store
        .limited_jobs(job)
        .await?
        .iter()
        .filter_map(near)
        .collect::<Vec<_>>();
    if let (Some(budget), None) = (scope.session.settings.budget_usd, job) {
        let (month, committed) = store.this_month(Moment::Now).await?;
        let whose = format!("the budget for {month}");
        spent.extend(near_limit(&whose, committed, budget));
    }
    Ok(Stability::of(workings, retries, given_up, spent))
}

impl Stability {
    fn of(
        workings: Workings,
        retries: Vec<Reason>,
        given_up: Vec<Reason>,
        spent: Vec<String>,
    ) -> Self {
        let told = |reasons: Vec<Reason>| {
            let reasons = reasons.into_iter();
            let told = reasons.map(|reason| Told {
                error: reason.error,
                chunks: reason.chunks,
            });
            told.collect()
        };
        let mut notes = waiting(&workings);
        notes.extend(spent);
        let waits = |since: Nanos| workings.now.seconds_since(since).floor();
        Self {
            settled: workings.settled,
            dead: workings.dead,
            running: workings.running,
            abandoned: workings.abandoned,
            due: workings.due,
            oldest_due_seconds: workings.oldest_due.map(waits),
            failed_attempts: workings.failures,
            other_claims: workings
                .claims
                .saturating_sub(workings.claimed + workings.failures),
            retries: told(retries),
            given_up: told(given_up),
            notes,
        }
    }

    /// What it comes to.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        let ended = self.settled + self.dead + self.abandoned;
        if ended == 0 {
            return Outcome::not_checked("no chunk has ended yet");
        }
        let mut figure = format!(
            "{} of {} ended well",
            thousands(self.settled),
            counted(ended, "chunk")
        );
        if self.dead > 0 {
            figure.push_str(&format!(", {} dead", thousands(self.dead)));
        }
        if self.abandoned > 0 {
            figure.push_str(&format!(", {} abandoned", thousands(self.abandoned)));
        }
        let met = self.settled * 100 >= ended * PERCENT_TARGET;
        Outcome::checked(met, percent(self.settled, ended), figure)
    }
}

/// What waits for too long, in words.
fn waiting(workings: &Workings) -> Vec<String> {
    let mut notes = Vec::new();
    if workings.abandoned > 0 {
        notes.push(format!(
            "{} under a lease that has ended: no worker takes them up; start one, or `scheduler run`",
            match workings.abandoned {
                1 => "1 chunk runs".to_owned(),
                many => format!("{} chunks run", thousands(many)),
            },
        ));
    }
    let seconds = workings
        .oldest_due
        .map(|since| workings.now.seconds_since(since));
    if let Some(seconds) = seconds.filter(|seconds| *seconds > DUE_SECONDS_MAX) {
        notes.push(format!(
            "{} due, the oldest for {:.1} hours: start workers, or `scheduler run`",
            counted(workings.due, "chunk"),
            seconds / 3_600.0
        ));
    }
    notes
}

fn near(job: &JobSpending) -> Option<String> {
    near_limit(
        &format!("the limit of {}", job.name),
        job.committed,
        job.limit,
    )
}

/// What is said of a limit that is nearly reached. One of nothing is for those who spend nothing.
fn near_limit(whose: &str, spent: Usd, limit: Usd) -> Option<String> {
    let is_near = i128::from(spent.0) * 100 >= i128::from(limit.0) * SPENT_PERCENT;
    (is_near && spent.0 > 0)
        .then(|| format!("${spent} of {whose}, ${limit}, are spent or reserved"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verify::aspect::Verdict;

    const NOW: Nanos = Nanos(100 * 3_600 * 1_000_000_000);

    fn workings() -> Workings {
        Workings {
            settled: 95,
            dead: 5,
            running: 3,
            abandoned: 0,
            due: 0,
            oldest_due: None,
            claims: 110,
            claimed: 103,
            failures: 4,
            now: NOW,
        }
    }

    fn stability(workings: Workings) -> Stability {
        Stability::of(workings, Vec::new(), Vec::new(), Vec::new())
    }

    #[test]
    fn five_of_a_hundred_may_end_badly_and_not_six() {
        let well = stability(workings());
        assert_eq!(well.outcome().verdict, Verdict::Met);
        assert_eq!(well.outcome().score, Some(95.0));
        assert_eq!(well.other_claims, 3);
        let badly = stability(Workings {
            abandoned: 1,
            ..workings()
        });
        assert_eq!(badly.outcome().verdict, Verdict::Missed);
        assert_eq!(badly.outcome().score, Some(94.0));
        assert!(
            badly.notes[0].starts_with("1 chunk runs under a lease"),
            "{:?}",
            badly.notes
        );
        let nothing = Workings {
            settled: 0,
            dead: 0,
            ..workings()
        };
        assert_eq!(stability(nothing).outcome().verdict, Verdict::NotChecked);
    }

    #[test]
    fn what_waits_long_and_limits_that_are_near_are_told() {
        let due = |seconds: f64| Workings {
            due: 2,
            oldest_due: Some(NOW.plus_seconds(-seconds)),
            ..workings()
        };
        assert_eq!(stability(due(60.0)).notes, [""; 0]);
        let waits = stability(due(7_200.0));
        assert!(waits.notes[0].contains("2 chunks due, the oldest for 2.0 hours"));
        assert_eq!(near_limit("it", Usd(89), Usd(100)), None);
        assert!(near_limit("it", Usd(90), Usd(100)).is_some());
        assert_eq!(near_limit("it", Usd(0), Usd(0)), None);
    }
}
