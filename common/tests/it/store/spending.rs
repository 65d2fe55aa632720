//! Money: set aside before it is spent, never beyond the job's limit.

use common::chunk::JobId;
use common::money::Usd;
use common::store::settle::PutOff;
use common::store::{Claim, PlannedChunk, Store, StoreError};
use proptest::prelude::*;

use super::ground::{
    NOW, after, block_on, claim, claim_at, few_cases, january, one_claim, picture, planned,
    request, sqlite, submit,
};

on_every_engine! {
    a_reservation_counts_until_it_is_settled_and_then_what_was_received
    a_request_that_would_pass_the_limit_is_refused_and_reserves_nothing
    a_job_without_a_limit_is_never_refused
    another_jobs_money_does_not_count
    what_is_paid_is_paid_though_the_claim_was_lost
    failed_attempts_count
}

/// A job with a limit, and a claim of one chunk of this cost.
async fn with_limit(store: &Store, limit: i64, cost: i64) -> Claim {
    let mut limited = request("limited");
    limited.max_cost = Some(Usd(limit));
    let plan = [PlannedChunk {
        cost: Usd(cost),
        billable_bytes: 100,
        ..planned(january(1, 2))
    }];
    let submitted = store.submit(&limited, "the vendor", &plan, NOW).await;
    let job = submitted.expect("it is submitted").job;
    let due = store.due(job, 9, NOW).await.expect("what is due");
    claim(store, due[0]).await
}

async fn spent(store: &Store, job: JobId) -> (i64, u64) {
    let (spent, bytes) = store.spent(job).await.expect("what was spent");
    (spent.0, bytes)
}

async fn a_reservation_counts_until_it_is_settled_and_then_what_was_received(store: &Store) {
    let claim = with_limit(store, 1_000, 1_000).await;
    let job = claim.chunk.job;
    assert_eq!(spent(store, job).await, (0, 0));
    let reservation = store.reserve(&claim, NOW).await.unwrap();
    assert_eq!(spent(store, job).await, (1_000, 0));
    store
        .settle_spend(&claim, reservation, 25, NOW)
        .await
        .unwrap();
    assert_eq!(spent(store, job).await, (250, 25));
    let status = store.job(job).await.unwrap().unwrap();
    assert_eq!((status.spent_usd, status.bytes_received), (Usd(250), 25));
}

async fn a_request_that_would_pass_the_limit_is_refused_and_reserves_nothing(store: &Store) {
    let claim = with_limit(store, 1_999, 1_000).await;
    store.reserve(&claim, NOW).await.unwrap();
    let before = picture(store).await;
    let refused = store.reserve(&claim, NOW).await.unwrap_err();
    assert_eq!(
        refused.to_string(),
        "0.000001 more dollars would pass the job's limit of 0.000001999: 0.000001 are spent or reserved"
    );
    assert_eq!(picture(store).await, before);
}

async fn a_job_without_a_limit_is_never_refused(store: &Store) {
    let claim = one_claim(store).await;
    for _ in 0..5 {
        store.reserve(&claim, NOW).await.unwrap();
    }
    assert_eq!(spent(store, claim.chunk.job).await, (5 * 1_440, 0));
}

async fn another_jobs_money_does_not_count(store: &Store) {
    let other = one_claim(store).await;
    store.reserve(&other, NOW).await.unwrap();
    let claim = with_limit(store, 1_000, 1_000).await;
    store
        .reserve(&claim, NOW)
        .await
        .expect("its own limit is untouched");
}

async fn what_is_paid_is_paid_though_the_claim_was_lost(store: &Store) {
    let former = with_limit(store, 2_000, 1_000).await;
    let reservation = store.reserve(&former, NOW).await.unwrap();
    let holder = claim_at(store, former.chunk.id, after(60)).await;
    let holder = holder.expect("the lease ran out");
    store
        .settle_spend(&former, reservation, 100, NOW)
        .await
        .unwrap();
    assert_eq!(spent(store, former.chunk.job).await, (1_000, 100));
    store.reserve(&holder, NOW).await.expect("up to the limit");
    let refused = store.reserve(&holder, NOW).await;
    assert!(
        matches!(refused, Err(StoreError::OverBudget { .. })),
        "{refused:?}"
    );
}

async fn failed_attempts_count(store: &Store) {
    let (job, chunks) = submit(store, &request("one"), 1).await;
    for attempt in 1..=3 {
        let claim = claim(store, chunks[0]).await;
        let reservation = store.reserve(&claim, NOW).await.unwrap();
        store
            .settle_spend(&claim, reservation, 72, NOW)
            .await
            .unwrap();
        let why = PutOff::Failed("the stream broke".into());
        store.put_off(&claim, &why, NOW, NOW).await.unwrap();
        assert_eq!(
            spent(store, job).await,
            (attempt * 720, u64::try_from(attempt).unwrap() * 72)
        );
    }
}

#[derive(Clone, Debug)]
enum Step {
    Reserve(usize),
    /// Settles one of the open reservations, with so many of its bytes received.
    Settle(usize, u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => (0_usize..4).prop_map(Step::Reserve),
        2 => (any::<usize>(), 0_u64..=100).prop_map(|(which, bytes)| Step::Settle(which, bytes)),
    ];
    prop::collection::vec(step, 0..40)
}

proptest! {
    #![proptest_config(few_cases(12))]

    #[test]
    fn whatever_is_reserved_and_settled_the_sum_never_passes_the_limit(
        limit in 0_i64..3_000,
        costs in prop::collection::vec(0_i64..900, 4),
        steps in steps(),
    ) {
        block_on(async {
            let (_sandbox, store) = sqlite().await;
            let mut limited = request("limited");
            limited.max_cost = Some(Usd(limit));
            let plan: Vec<_> = (1..).zip(&costs).map(|(day, cost)| PlannedChunk {
                cost: Usd(*cost),
                billable_bytes: 100,
                ..planned(january(day, day + 1))
            }).collect();
            let submitted = store.submit(&limited, "the vendor", &plan, NOW).await;
            let job = submitted.expect("it is submitted").job;
            let mut claims = Vec::new();
            for chunk in store.due(job, 9, NOW).await.expect("what is due") {
                claims.push(claim(&store, chunk).await);
            }
            let (mut open, mut sum) = (Vec::new(), 0);
            for step in steps {
                match step {
                    Step::Reserve(which) => {
                        let fits = sum + costs[which] <= limit;
                        let reserved = store.reserve(&claims[which], NOW).await;
                        prop_assert_eq!(reserved.is_ok(), fits, "{:?}", reserved);
                        if let Ok(reservation) = reserved {
                            sum += costs[which];
                            open.push((which, reservation));
                        }
                    }
                    Step::Settle(_, _) if open.is_empty() => {}
                    Step::Settle(at, bytes) => {
                        let (which, reservation) = open.swap_remove(at % open.len());
                        let settled = store.settle_spend(&claims[which], reservation, bytes, NOW);
                        settled.await.expect("what is paid is paid");
                        let share = Usd(costs[which]).share(bytes, 100);
                        sum += share.0 - costs[which];
                    }
                }
                prop_assert_eq!(spent(&store, job).await.0, sum);
                prop_assert!(sum <= limit, "{} of {}", sum, limit);
            }
            Ok(())
        })?;
    }
}
