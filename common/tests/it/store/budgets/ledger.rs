//! The ledger under any interleaving: nothing that is committed passes a limit, and the totals are the
//! sums of the rows.

use std::collections::BTreeMap;

use common::chunk::JobId;
use common::money::Usd;
use common::store::{Claim, Reservation, Store};
use common::time::{Month, Nanos};
use proptest::prelude::*;
use testkit::database::Database;
use testkit::postgres::Postgres;

use super::super::ground::{NOW, block_on, few_cases, sqlite};
use super::claims;

/// Jobs, and claims of each.
const JOBS: usize = 3;
const CLAIMS: usize = 4;
/// Months in which is reserved.
const MONTHS: usize = 2;

#[derive(Clone, Debug)]
enum Step {
    /// Reserves for a claim in a month, by the price of the part that is still to be fetched, in
    /// percent of the whole.
    Reserve {
        claim: usize,
        month: usize,
        part: u64,
    },
    /// Settles one of the open reservations, with so many percent of its bytes received.
    Settle { which: usize, percent: u64 },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0..JOBS * CLAIMS, 0..MONTHS, 1_u64..=100)
            .prop_map(|(claim, month, part)| Step::Reserve { claim, month, part }),
        2 => (any::<usize>(), 0_u64..=100)
            .prop_map(|(which, percent)| Step::Settle { which, percent }),
    ]
}

/// Limits and prices, in billionths of a dollar.
#[derive(Clone, Debug)]
struct Terms {
    budget: i64,
    limits: Vec<Option<i64>>,
    costs: Vec<i64>,
}

fn terms() -> impl Strategy<Value = Terms> {
    let limits = prop::collection::vec(prop::option::of(0_i64..3_000), JOBS);
    let costs = prop::collection::vec(0_i64..900, CLAIMS);
    (0_i64..6_000, limits, costs).prop_map(|(budget, limits, costs)| Terms {
        budget,
        limits,
        costs,
    })
}

impl Terms {
    async fn claims(&self, store: &Store) -> Vec<Claim> {
        let mut all = Vec::new();
        for (job, limit) in self.limits.iter().enumerate() {
            all.extend(claims(store, &format!("job-{job}"), &self.costs, *limit).await);
        }
        all
    }
}

fn month(number: usize) -> Nanos {
    let days = i32::try_from(number).expect("a few") * 31;
    NOW.plus_seconds(f64::from(days) * 86_400.0)
}

/// The claim of what is left of a chunk.
fn rest_of(claim: &Claim, percent: u64) -> Claim {
    let mut claim = claim.clone();
    claim.chunk.cost = claim.chunk.cost.share(percent, 100);
    claim.chunk.billable_bytes = percent;
    claim
}

/// What is committed, by job and by month, as a model of the ledger has it.
#[derive(Debug, Default)]
struct Model {
    jobs: BTreeMap<JobId, i64>,
    months: BTreeMap<Month, i64>,
}

impl Model {
    fn add(&mut self, job: JobId, month: Month, amount: i64) {
        *self.jobs.entry(job).or_default() += amount;
        *self.months.entry(month).or_default() += amount;
    }

    fn fits(&self, job: JobId, limit: Option<i64>, month: Month, budget: i64, cost: i64) -> bool {
        let of_job = self.jobs.get(&job).copied().unwrap_or_default();
        let of_month = self.months.get(&month).copied().unwrap_or_default();
        cost == 0 || (limit.is_none_or(|limit| of_job + cost <= limit) && of_month + cost <= budget)
    }
}

/// What is in the rows and not in the totals, or the other way round: nothing.
const DIFFERENCES: &str = "SELECT count(*) FROM (
        SELECT s.job_id AS job_id, c.dataset AS dataset, c.schema AS schema,
            sum(CASE WHEN s.settled_nanousd IS NULL THEN s.reserved_nanousd ELSE 0 END) AS reserved,
            sum(coalesce(s.settled_nanousd, 0)) AS settled, sum(coalesce(s.bytes, 0)) AS bytes
        FROM spend AS s JOIN chunks AS c ON c.id = s.chunk_id
        GROUP BY s.job_id, c.dataset, c.schema) AS r
    FULL JOIN (
        SELECT job_id, dataset, schema, sum(reserved_nanousd) AS reserved,
            sum(settled_nanousd) AS settled, sum(bytes) AS bytes
        FROM spend_totals GROUP BY job_id, dataset, schema) AS t
    ON t.job_id = r.job_id AND t.dataset = r.dataset AND t.schema = r.schema
        AND t.reserved = r.reserved AND t.settled = r.settled AND t.bytes = r.bytes
    WHERE r.job_id IS NULL OR t.job_id IS NULL";

proptest! {
    #![proptest_config(few_cases(16))]

    #[test]
    fn whatever_jobs_reserve_and_settle_no_limit_is_passed_and_the_totals_are_the_rows(
        terms in terms(),
        steps in prop::collection::vec(step(), 0..60),
    ) {
        block_on(async {
            let (sandbox, store) = sqlite().await;
            let database = Database::File(sandbox.database());
            let store = store.within_budget(Some(Usd(terms.budget)));
            let claims = terms.claims(&store).await;
            let (mut model, mut open) = (Model::default(), Vec::<(Claim, Reservation, Month)>::new());
            for step in steps {
                match step {
                    Step::Reserve { claim, month: number, part } => {
                        let limit = terms.limits[claim / CLAIMS];
                        let claim = rest_of(&claims[claim], part);
                        let (job, cost) = (claim.chunk.job, claim.chunk.cost.0);
                        let when = Month::of(month(number));
                        let fits = model.fits(job, limit, when, terms.budget, cost);
                        let reserved = store.reserve(&claim, month(number)).await;
                        prop_assert_eq!(reserved.is_ok(), fits, "{:?} of {:?}", reserved, model);
                        if let Ok(reservation) = reserved {
                            model.add(job, when, cost);
                            open.push((claim, reservation, when));
                        }
                    }
                    Step::Settle { .. } if open.is_empty() => {}
                    Step::Settle { which, percent } => {
                        let (claim, reservation, when) = open.swap_remove(which % open.len());
                        let chunk = &claim.chunk;
                        let bytes = chunk.billable_bytes * percent / 100;
                        let settled = store.settle_spend(&claim, reservation, bytes, NOW);
                        settled.await.expect("what is paid is paid");
                        let paid = chunk.cost.share(bytes, chunk.billable_bytes).0;
                        model.add(chunk.job, when, paid - chunk.cost.0);
                    }
                }
                for (job, committed) in &model.jobs {
                    prop_assert_eq!(store.spent(*job).await.expect("it is told").0, Usd(*committed));
                }
                for number in 0..MONTHS {
                    let (when, committed) = store.this_month(month(number)).await.expect("it is told");
                    prop_assert_eq!(committed.0, model.months.get(&when).copied().unwrap_or_default());
                    prop_assert!(committed.0 <= terms.budget, "{} of {:?}", committed, terms);
                }
            }
            prop_assert_eq!(database.scalar::<i64>(DIFFERENCES).await, 0);
            Ok(())
        })?;
    }
}

/// What passes a limit by the rows, at one moment: nothing.
fn passed(terms: &Terms) -> String {
    let committed = "sum(coalesce(settled_nanousd, reserved_nanousd))";
    format!(
        "SELECT (SELECT count(*) FROM (
             SELECT 1 FROM spend GROUP BY
                 to_char(to_timestamp(reserved_at / 1000000000) AT TIME ZONE 'UTC', 'YYYY-MM')
             HAVING {committed} > {}) AS months)
         + (SELECT count(*) FROM (
             SELECT 1 FROM spend JOIN jobs ON jobs.id = spend.job_id GROUP BY jobs.id
             HAVING {committed} > max_cost_nanousd) AS over)",
        terms.budget
    )
}

/// One of many workers: its steps one after the other, and a look at the rows after each reservation.
async fn work(
    store: &Store,
    claims: &[Claim],
    steps: &[Step],
    database: &Database,
    passed: &str,
) -> Result<(), TestCaseError> {
    let mut open = Vec::new();
    for step in steps {
        match step {
            Step::Reserve {
                claim,
                month: number,
                part,
            } => {
                let claim = rest_of(&claims[*claim], *part);
                if let Ok(reservation) = store.reserve(&claim, month(*number)).await {
                    open.push((claim, reservation));
                    prop_assert_eq!(database.scalar::<i64>(passed).await, 0);
                }
            }
            Step::Settle { .. } if open.is_empty() => {}
            Step::Settle { which, percent } => {
                let (claim, reservation) = open.swap_remove(which % open.len());
                let bytes = claim.chunk.billable_bytes * percent / 100;
                let settled = store.settle_spend(&claim, reservation, bytes, NOW);
                settled.await.expect("what is paid is paid");
            }
        }
    }
    Ok(())
}

/// Workers that reserve and settle at once.
const WORKERS: usize = 50;

#[test]
fn whatever_fifty_workers_do_at_once_no_limit_is_passed_and_the_totals_are_the_rows() {
    let Some(server) = Postgres::start() else {
        return;
    };
    let works = prop::collection::vec(prop::collection::vec(step(), 1..8), WORKERS);
    proptest!(few_cases(2), |(terms in terms(), works in works)| {
        block_on(async {
            let url = server.fresh_database();
            Store::migrate(&url).await.expect("tables can be made");
            let open = || async {
                let store = Store::open(&url, common::store::Access::Work).await;
                let store = store.expect("the server answers").expect("it is there");
                store.within_budget(Some(Usd(terms.budget)))
            };
            // As many processes would, each with connections of its own.
            let stores = futures::future::join_all((0..4).map(|_| open())).await;
            let claims = terms.claims(&stores[0]).await;
            let (database, passed) = (Database::OnServer(url.clone()), passed(&terms));
            let workers = works.iter().enumerate().map(|(number, steps)| {
                let store = &stores[number % stores.len()];
                work(store, &claims, steps, &database, &passed)
            });
            for worked in futures::future::join_all(workers).await {
                worked?;
            }
            prop_assert_eq!(database.scalar::<i64>(DIFFERENCES).await, 0);
            for store in stores {
                store.close().await;
            }
            Ok(())
        })?;
    });
}
