//! The installation's budget for a month: never passed, by any number of jobs and workers.

use common::chunk::JobId;
use common::money::Usd;
use common::store::{Budget, Claim, Moment, PlannedChunk, Reservation, Store, StoreError};
use common::time::{Month, Nanos};

use super::ground::{
    NOW, claim, january, one_claim, picture, planned, postgresql, request, sqlite, submit,
};

mod ledger;

/// What the stories' installation may spend in a month.
const BUDGET: Usd = Usd(10_000);

/// Stories of a store with a budget, on each engine.
macro_rules! within_a_budget {
    ($($story:ident)*) => {
        mod on_sqlite {
            $(
                #[tokio::test]
                async fn $story() {
                    let (_sandbox, store) = super::sqlite().await;
                    super::$story(&store.within_budget(Some(super::BUDGET))).await;
                }
            )*
        }

        mod on_postgresql {
            $(
                #[tokio::test]
                async fn $story() {
                    if let Some((_server, store)) = super::postgresql().await {
                        super::$story(&store.within_budget(Some(super::BUDGET))).await;
                    }
                }
            )*
        }
    };
}

within_a_budget! {
    jobs_share_the_months_budget
    of_fifty_at_once_as_many_reserve_as_the_budget_holds
    a_new_month_begins_with_its_first_nanosecond
    a_settlement_counts_in_the_month_of_its_reservation
    what_costs_nothing_passes_no_budget
    a_settlement_above_its_reservation_is_counted
    the_month_that_it_is_is_told_with_what_is_committed
    what_the_archive_saved_is_told_and_takes_no_room
}

/// A job's claims of chunks that cost so much each, for 100 bytes.
async fn claims(store: &Store, name: &str, costs: &[i64], limit: Option<i64>) -> Vec<Claim> {
    let mut limited = request(name);
    // Another name alone is no other job.
    limited.symbols = common::request::Symbols::named(vec![name.to_owned()]);
    limited.max_cost = limit.map(Usd);
    let plan = (1..).zip(costs).map(|(day, cost)| chunk(day, *cost));
    let plan: Vec<_> = plan.collect();
    let submitted = store.submit(&limited, "the vendor", &plan, NOW);
    let job = submitted.await.expect("it is submitted").job;
    let mut claims = Vec::new();
    for chunk in store.due(job, 100, NOW).await.expect("what is due") {
        claims.push(claim(store, chunk).await);
    }
    claims
}

fn chunk(day: u32, cost: i64) -> PlannedChunk {
    PlannedChunk {
        cost: Usd(cost),
        billable_bytes: 100,
        ..planned(january(day, day + 1))
    }
}

/// What refused it: which budget, and what was spent of it.
fn refusal(reserved: Result<Reservation, StoreError>) -> (Budget, Usd) {
    match reserved {
        Err(StoreError::OverBudget { budget, spent, .. }) => (budget, spent),
        other => panic!("{other:?}"),
    }
}

fn at(text: &str) -> Nanos {
    text.parse().expect("an instant")
}

async fn jobs_share_the_months_budget(store: &Store) {
    let one = claims(store, "one", &[6_000], None).await;
    let two = claims(store, "two", &[4_001, 4_000], None).await;
    store.reserve(&one[0], NOW).await.unwrap();
    let before = picture(store).await;
    let refused = store.reserve(&two[0], NOW).await;
    let text = refused.as_ref().unwrap_err().to_string();
    assert_eq!(
        text,
        "0.000004001 more dollars would pass the installation's budget for 2024-03 of 0.00001: \
         0.000006 are spent or reserved"
    );
    assert_eq!(
        refusal(refused),
        (Budget::Month(Month::of(NOW)), Usd(6_000))
    );
    assert_eq!(picture(store).await, before, "it reserves nothing");
    store
        .reserve(&two[1], NOW)
        .await
        .expect("to the last billionth");
}

async fn of_fifty_at_once_as_many_reserve_as_the_budget_holds(store: &Store) {
    let mut all = Vec::new();
    for number in 0..50 {
        all.extend(claims(store, &format!("job-{number}"), &[3_000], None).await);
    }
    let tried = all.iter().map(|claim| store.reserve(claim, NOW));
    let tried = futures::future::join_all(tried).await;
    let reserved = tried.iter().filter(|reserved| reserved.is_ok()).count();
    assert_eq!(reserved, 3, "{tried:?}");
    assert_eq!(store.this_month(NOW).await.unwrap().1, Usd(9_000));
}

async fn a_new_month_begins_with_its_first_nanosecond(store: &Store) {
    let claims = claims(store, "one", &[10_000, 10_000, 1], None).await;
    let february = at("2024-02-01T00:00:00Z");
    let last = Nanos(february.0 - 1);
    store.reserve(&claims[0], last).await.unwrap();
    let (budget, _) = refusal(store.reserve(&claims[2], last).await);
    assert_eq!(budget.to_string(), "the installation's budget for 2024-01");
    store
        .reserve(&claims[1], february)
        .await
        .expect("a new month");
    let (budget, spent) = refusal(store.reserve(&claims[2], february).await);
    assert_eq!(budget.to_string(), "the installation's budget for 2024-02");
    assert_eq!(spent, BUDGET);
}

async fn a_settlement_counts_in_the_month_of_its_reservation(store: &Store) {
    let claims = claims(store, "one", &[10_000, 5_000], None).await;
    let (january, february) = (at("2024-01-31T23:00:00Z"), at("2024-02-01T01:00:00Z"));
    let reserved = store.reserve(&claims[0], january).await.unwrap();
    assert_eq!(reserved.amount(), Usd(10_000));
    let settled = store.settle_spend(&claims[0], reserved, 50, february);
    settled.await.unwrap();
    let months = [(january, Usd(5_000)), (february, Usd(0))];
    for (moment, committed) in months {
        let told = store.this_month(moment).await.unwrap();
        assert_eq!(told, (Month::of(moment), committed));
    }
    let room = store.reserve(&claims[1], january).await;
    room.expect("what was not received is free again");
}

async fn what_costs_nothing_passes_no_budget(store: &Store) {
    let spent = claims(store, "one", &[10_000], None).await;
    store.reserve(&spent[0], NOW).await.unwrap();
    let free = claims(store, "free", &[0], Some(0)).await;
    store.reserve(&free[0], NOW).await.expect("files, say");
}

async fn a_settlement_above_its_reservation_is_counted(store: &Store) {
    let claims = claims(store, "one", &[4_000, 4_000], Some(9_000)).await;
    let reserved = store.reserve(&claims[0], NOW).await.unwrap();
    let settled = store.settle_spend(&claims[0], reserved, 200, NOW);
    settled.await.unwrap();
    assert_eq!(store.this_month(NOW).await.unwrap().1, Usd(8_000));
    let refused = store.reserve(&claims[1], NOW).await;
    assert_eq!(refusal(refused), (Budget::Job, Usd(8_000)));
}

async fn the_month_that_it_is_is_told_with_what_is_committed(store: &Store) {
    let claim = one_claim(store).await;
    let (before, _) = store.this_month(Moment::Now).await.unwrap();
    store.reserve(&claim, Moment::Now).await.unwrap();
    let (month, committed) = store.this_month(Moment::Now).await.unwrap();
    // The test may run at the end of a month.
    assert!(committed == Usd(1_440) || month != before, "{month}");
    let spending = store.spending(None).await.unwrap();
    assert!((before..=month).contains(&spending[0].month));
}

async fn what_the_archive_saved_is_told_and_takes_no_room(store: &Store) {
    let claims = claims(store, "one", &[10_000, 1_000], None).await;
    let job = claims[0].chunk.job;
    store.record_saved(&claims[1], Usd(1_000)).await.unwrap();
    store.record_saved(&claims[1], Usd(0)).await.unwrap();
    store.record_saved(&claims[1], Usd(1_000)).await.unwrap();
    store.reserve(&claims[0], Moment::Now).await.unwrap();
    let told = store.spending(Some(job)).await.unwrap();
    let sums = told.iter().fold((0, 0, 0), |sums, of| {
        let (reserved, settled, saved) = sums;
        (
            reserved + of.reserved_usd.0,
            settled + of.settled_usd.0,
            saved + of.saved_usd.0,
        )
    });
    assert_eq!(sums, (10_000, 0, 2_000));
    assert_eq!(told[0].name, "one");
    assert_eq!(store.spending(Some(JobId(99))).await.unwrap(), []);
}

#[tokio::test]
async fn what_was_spent_before_there_were_totals_is_in_them() {
    let (sandbox, store) = sqlite().await;
    let told = spend_some(&store).await;
    store.close().await;
    drop(store);
    for sql in [
        "DROP TABLE spend_totals",
        "DELETE FROM _sqlx_migrations WHERE version = 9",
    ] {
        testkit::checksum::execute(&sandbox.database(), sql).await;
    }
    let store = super::ground::open(&sandbox).await.unwrap();
    assert_eq!(store.spending(None).await.unwrap(), told);
}

#[tokio::test]
async fn what_was_spent_on_a_server_before_there_were_totals_is_in_them() {
    let Some((server, store)) = postgresql().await else {
        return;
    };
    let told = spend_some(&store).await;
    let _ = server.psql(
        "DROP TABLE spend_totals; DELETE FROM _sqlx_migrations WHERE version = 7;
         SET timezone = 'Asia/Tokyo'",
    );
    Store::migrate(&server.url()).await.unwrap();
    assert_eq!(store.spending(None).await.unwrap(), told);
}

/// Two jobs' spending in two months, all of it settled; as it is told.
async fn spend_some(store: &Store) -> Vec<common::store::Spending> {
    let midnight = at("2024-02-01T00:00:00Z");
    for name in ["one", "two"] {
        let claims = claims(store, name, &[1_000, 2_000], None).await;
        for (claim, now) in claims.iter().zip([Nanos(midnight.0 - 1), midnight]) {
            let reserved = store.reserve(claim, now).await.unwrap();
            let settled = store.settle_spend(claim, reserved, 33, now);
            settled.await.unwrap();
        }
    }
    let told = store.spending(None).await.unwrap();
    let lines = told.iter().map(|of| {
        let (job, month, settled) = (&of.name, of.month, of.settled_usd);
        format!("{job} {month} {settled} {}", of.bytes)
    });
    assert_eq!(
        lines.collect::<Vec<_>>(),
        [
            "one 2024-01 0.00000033 33",
            "one 2024-02 0.00000066 33",
            "two 2024-01 0.00000033 33",
            "two 2024-02 0.00000066 33",
        ]
    );
    told
}

#[tokio::test]
async fn a_dead_process_reservations_become_spent_in_the_totals_too() {
    let (sandbox, store) = sqlite().await;
    let (job, chunks) = submit(&store, &request("one"), 1).await;
    let claim = claim(&store, chunks[0]).await;
    store.reserve(&claim, NOW).await.unwrap();
    drop(store);
    let store = super::ground::open(&sandbox).await.unwrap();
    let told = store.spending(Some(job)).await.unwrap();
    assert_eq!(
        (told[0].reserved_usd, told[0].settled_usd),
        (Usd(0), Usd(1_440))
    );
}
