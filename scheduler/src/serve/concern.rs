//! Concerns: what of an installation needs a person, and the command that helps.

use common::chunk::{ChunkState, JobId};
use common::money::Usd;
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
    for job in overview.jobs.iter().map(|job| &job.status) {
        let (id, name) = (job.id, &job.name);
        if job.chunks.dead > 0 && job.state != "cancelled" {
            let chunks = counted(job.chunks.dead, "chunk");
            let what = format!("{chunks} of {name} given up");
            concern(what, Some(format!("scheduler retry {id}")));
        }
        if job.state == "paused" {
            let reason = job.reason.as_deref().unwrap_or("somebody decided so");
            let what = format!("{name} is paused: {reason}");
            concern(what, Some(format!("scheduler resume {id}")));
        }
    }
    let is_open = |state: &str| matches!(state, "pending" | "running");
    let open = overview.jobs.iter().any(|job| is_open(job.status.state));
    match &overview.workers {
        None if is_fleet => concern("Redis doesn't answer: no chunk is begun".into(), None),
        Some(workers) if workers.is_empty() && open => {
            concern("no worker is heard of, and there is work".into(), None);
        }
        None if open && overview.running.is_empty() => {
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

/// The command for a chunk that failed: another try where it was given up, else what is known of it.
#[must_use]
pub fn command_after(state: ChunkState, job: JobId) -> String {
    match state {
        ChunkState::Dead => format!("scheduler retry {job}"),
        _ => format!("scheduler status {job}"),
    }
}

fn is_nearly_spent(committed: Usd, budget: Usd) -> bool {
    i128::from(committed.0) * 100 > i128::from(budget.0) * BUDGET_PERCENT
}
