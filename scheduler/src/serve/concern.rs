//! Concerns: what of an installation needs a person, and the command that helps.

use common::money::Usd;
use common::store::JobStatus;
use serde::Serialize;

use crate::overview::Overview;
use crate::progress::counted;

/// The share of a budget, in hundredths, above which somebody should know; `BudgetNearlySpent` among the
/// alerts has the same.
const BUDGET_PERCENT: i128 = 90;

/// What needs a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Concern {
    /// What it is, in a sentence.
    pub what: String,
    /// The command that helps, or shows more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
}

/// All that needs a person, the worst first.
#[must_use]
pub fn concerns(overview: &Overview, is_fleet: bool) -> Vec<Concern> {
    let mut all = Vec::new();
    let mut concern = |what: String, command: Option<String>| all.push(Concern { what, command });
    let totals = &overview.totals;
    for (what, command) in totals.troubled.iter().flat_map(troubles) {
        concern(what, Some(command));
    }
    let more = totals.troubled_in_all.saturating_sub(totals.troubled.len());
    if let Ok(count @ 1..) = u64::try_from(more) {
        let jobs = counted(count, "more job");
        let what = format!("{jobs} paused, or with chunks that were given up");
        concern(what, Some("scheduler status".into()));
    }
    let is_left = overview.is_left_alone;
    match &overview.workers {
        None if is_fleet => concern("Redis doesn't answer: no chunk is begun".into(), None),
        Some(_) if is_left => concern("no worker is heard of, and there is work".into(), None),
        None if is_left => {
            let what = "there is work, and nothing runs: scheduler run with the job's file goes on";
            concern(what.into(), None);
        }
        _ => {}
    }
    let lost = overview.running.iter();
    let lost = lost.filter(|run| run.working.lease_until < overview.at);
    if let Some(count @ 1..) = u64::try_from(lost.count()).ok().filter(|_| is_fleet) {
        let chunks = counted(count, "chunk");
        concern(
            format!("the lease of {chunks} ran out: their workers are gone"),
            None,
        );
    }
    let money = &overview.money;
    if let Some(budget) = money.budget
        && is_nearly_spent(money.spent.settled + money.spent.reserved, budget)
    {
        let what = format!("more than nine tenths of the budget of ${budget} are spent");
        concern(what, Some("scheduler spend".into()));
    }
    all
}

/// What of a job needs a person, with the command that helps.
fn troubles(job: &JobStatus) -> impl Iterator<Item = (String, String)> {
    let (id, name) = (job.id, &job.name);
    let dead = (job.chunks.dead > 0).then(|| {
        let chunks = counted(job.chunks.dead, "chunk");
        (
            format!("{chunks} of {name} given up"),
            format!("scheduler retry {id}"),
        )
    });
    let paused = (job.state == "paused").then(|| {
        let reason = job.reason.as_deref().unwrap_or("somebody decided so");
        (
            format!("{name} is paused: {reason}"),
            format!("scheduler resume {id}"),
        )
    });
    dead.into_iter().chain(paused)
}

fn is_nearly_spent(committed: Usd, budget: Usd) -> bool {
    i128::from(committed.0) * 100 > i128::from(budget.0) * BUDGET_PERCENT
}
