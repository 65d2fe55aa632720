//! What a job would cost, against its own limit and what is left of the month's budget.

use common::configuration::settings::Settings;
use common::money::Usd;
use common::request::Request;
use common::store::{Moment, Spending, Store};
use common::time::{Month, Nanos};

use crate::plan::Plan;

/// Why a planned job would be refused, and what to do about it; `None` when it is within its limit and
/// the budget.
///
/// Other open jobs' chunks are not counted: nobody knows when they will be fetched, in which month, and
/// whether the archive will have them by then. That the budget is not passed is kept request by request.
pub async fn refusal(
    settings: &Settings,
    store: Option<&Store>,
    request: &Request,
    plan: &Plan,
) -> anyhow::Result<Option<String>> {
    let cost = plan.cost();
    if cost <= Usd(0) {
        return Ok(None);
    }
    let known = Known::read(store, request).await?;
    let above_limit = request
        .max_cost
        .filter(|limit| known.settled + cost > *limit);
    if let Some(limit) = above_limit {
        return Ok(Some(above_job_limit(cost, known.settled, limit)));
    }
    let budget = settings.budget_usd;
    Ok(budget
        .filter(|budget| known.others + cost > *budget)
        .map(|budget| above_budget(cost, budget, &known)))
}

/// What is spent so far.
struct Known {
    /// By the job: what it has reserved is for chunks that its plan counts.
    settled: Usd,
    month: Month,
    /// In this month, or reserved, but for what the job itself has reserved.
    others: Usd,
}

impl Known {
    async fn read(store: Option<&Store>, request: &Request) -> anyhow::Result<Self> {
        let Some(store) = store else {
            return Ok(Self {
                settled: Usd(0),
                month: Month::of(Nanos::now()),
                others: Usd(0),
            });
        };
        let (month, committed) = store.this_month(Moment::Now).await?;
        let job = store.job_of(request).await?;
        let spending: Vec<Spending> = match job {
            Some(job) => store.spending(Some(job)).await?,
            None => Vec::new(),
        };
        let in_month = spending.iter().filter(|of| of.month == month);
        let reserved: Usd = in_month.map(|of| of.reserved_usd).sum();
        Ok(Self {
            settled: spending.iter().map(|of| of.settled_usd).sum(),
            month,
            others: committed - reserved,
        })
    }
}

fn above_job_limit(cost: Usd, settled: Usd, limit: Usd) -> String {
    let spent = match settled {
        Usd(0) => String::new(),
        settled => format!(", ${settled} are spent on it already"),
    };
    format!(
        "the job would cost ${cost}{spent}, and its limit is ${limit}\n  = help: raise \
         `max_cost_usd` (or --max-cost), or ask for fewer days, symbols or schemas"
    )
}

fn above_budget(cost: Usd, budget: Usd, known: &Known) -> String {
    let Known { month, others, .. } = known;
    let left = left(budget, *others);
    format!(
        "the job would cost ${cost}, and ${left} are left of the budget of ${budget} for {month}: \
         ${others} are spent or reserved; what other open jobs will yet cost is not counted\n  = help: \
         raise BACKHAUL_BUDGET_USD (or `budget_usd` in configs/backhaul.yaml), wait for the next \
         month, or ask for fewer days, symbols or schemas"
    )
}

/// What is left of a budget; nothing when it was lowered below what is spent.
#[must_use]
pub fn left(budget: Usd, committed: Usd) -> Usd {
    (budget - committed).max(Usd(0))
}
