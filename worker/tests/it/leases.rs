//! Leases and the end of the work: what is lost is let go, and nothing waits for what won't come.

use std::time::Duration;

use common::time::Nanos;
use dbn::{SType, Schema};
use simulator::{Fault, FaultKind};
use worker::environment::Outcome;

use crate::installation::{Installation, january, outcomes, piece};

/// Long enough for any machine; only a test that fails waits for it.
const FOREVER: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_claim_that_is_lost_lets_its_stream_go_and_the_new_holder_loads_all() {
    let pieces = [piece(Schema::Mbp1, &["ES.c.0"], january(4, 5))];
    let expected = {
        let mut undisturbed = Installation::synthetic().await;
        let job = undisturbed.submit("job", SType::Continuous, &pieces).await;
        undisturbed.work_off(job).await;
        undisturbed.tables().await
    };
    let mut installation = Installation::with(|settings| {
        settings.lease_seconds = 0.15;
        settings.read_timeout_seconds = 600.0;
        settings.workers = 1;
    })
    .await;
    let job = installation.submit("job", SType::Continuous, &pieces).await;
    let stall = Fault::next(FaultKind::Stall, 1).lasting(3_600.0);
    installation
        .simulator
        .add_fault(stall.on_path("timeseries.get_range"));
    let environment = installation.environment.clone();
    let due = environment.store.due(job, 1, Nanos::now()).await.unwrap()[0];
    // Somebody for whom it is tomorrow takes the chunk over, once the stream stands still.
    let thief = async {
        let streams = |installation: &Installation| {
            let sent = installation.data_requests();
            sent.first().is_some_and(|request| request.records > 0)
        };
        while !streams(&installation) {
            tokio::task::yield_now().await;
        }
        let tomorrow = Nanos::now().plus_seconds(86_400.0);
        let store = &environment.store;
        let taken = store.claim(due, "thief", Duration::from_secs(900), tomorrow);
        taken.await.unwrap().unwrap()
    };
    let (mut queue, hints) = common::queue::EmbeddedQueue::new(1);
    assert!(queue.push(common::queue::Hint { chunk: due }));
    let ended = tokio_util::sync::CancellationToken::new();
    let dealt = {
        let ended = ended.clone();
        std::sync::Arc::new(move |_| ended.cancel())
    };
    let pool = worker::pool::run(environment.clone(), hints, dealt, ended);
    let both = async { tokio::join!(pool, thief) };
    let (pool, claim) = tokio::time::timeout(FOREVER, both).await.unwrap();
    pool.unwrap();
    let epochs = (
        claim.epoch,
        installation.number("SELECT epoch FROM chunks").await,
    );
    assert_eq!(epochs, (2, 2));
    // The part that was let go is removed by the thread that wrote it.
    while installation.parts() > 0 {
        tokio::task::yield_now().await;
    }
    // What the stalled stream cost can't be known: it stays reserved, and counts.
    let open = "SELECT count(*) FROM spend WHERE settled_nanousd IS NULL";
    assert_eq!(installation.number(open).await, 1);
    let outcome = worker::pipeline::run(&environment, &claim).await.unwrap();
    assert!(
        matches!(
            outcome,
            Outcome::Done {
                from_archive: false,
                ..
            }
        ),
        "{outcome:?}"
    );
    let told = installation.work_off(job).await;
    assert_eq!(outcomes(&told), [&Outcome::HandedBack]);

    assert_eq!(installation.tables().await, expected);
}

#[tokio::test]
async fn a_stop_lets_a_stream_go_that_stands_still() {
    stops_while(Fault::next(FaultKind::Stall, 1).lasting(3_600.0), 1).await;
}

#[tokio::test]
async fn a_stop_does_not_wait_for_an_answer() {
    stops_while(Fault::next(FaultKind::Latency, 1).lasting(3_600.0), 1).await;
}

#[tokio::test]
async fn a_stop_does_not_wait_for_the_vendors_retry_after() {
    stops_while(Fault::next(FaultKind::RateLimit, 1).lasting(3_600.0), 2).await;
}

/// Stops the pool once the fault has struck, which ends it, with its chunks handed back.
async fn stops_while(fault: Fault, chunks: u32) {
    let mut installation = Installation::with(|settings| {
        settings.workers = 1;
        settings.read_timeout_seconds = 7_200.0;
    })
    .await;
    let pieces: Vec<_> = (4..4 + chunks)
        .map(|of| piece(Schema::Mbp1, &["ES.c.0"], january(of, of + 1)))
        .collect();
    let job = installation.submit("job", SType::Continuous, &pieces).await;
    installation
        .simulator
        .add_fault(fault.on_path("timeseries.get_range"));
    let environment = installation.environment.clone();
    let started = i64::from(chunks);
    let stop = async {
        // With two chunks, the second one is held back by what the vendor told the first.
        let sql = "SELECT coalesce(sum(epoch), 0) FROM chunks";
        let database = installation.sandbox.path().join("backhaul.db");
        while testkit::checksum::scalar::<i64>(&database, sql).await < started
            || testkit::checksum::scalar::<i64>(&database, "SELECT count(*) FROM spend").await
                < started
        {
            tokio::task::yield_now().await;
        }
        while installation
            .simulator
            .requests()
            .iter()
            .all(|request| request.fault.is_none())
        {
            tokio::task::yield_now().await;
        }
        environment.stop.cancel();
    };
    let (mut queue, hints) = common::queue::EmbeddedQueue::new(8);
    for chunk in environment.store.due(job, 8, Nanos::now()).await.unwrap() {
        assert!(queue.push(common::queue::Hint { chunk }));
    }
    let ended = tokio_util::sync::CancellationToken::new();
    let left = std::sync::atomic::AtomicU32::new(chunks);
    let dealt = {
        let ended = ended.clone();
        std::sync::Arc::new(move |_| {
            if left.fetch_sub(1, std::sync::atomic::Ordering::Relaxed) == 1 {
                ended.cancel();
            }
        })
    };
    let pool = worker::pool::run(environment.clone(), hints, dealt, ended);
    let both = async { tokio::join!(pool, stop) };
    let (pool, ()) = tokio::time::timeout(FOREVER, both).await.unwrap();
    pool.unwrap();
    assert_eq!(installation.chunks("pending").await, started);
    assert_eq!(installation.data_requests().len(), 1);
    let open = "SELECT count(*) FROM spend WHERE settled_nanousd IS NULL";
    assert_eq!(installation.number(open).await, 0);
    let told = installation.work_off(job).await;
    let outcomes = outcomes(&told);
    assert_eq!(outcomes.last(), Some(&&Outcome::HandedBack), "{outcomes:?}");
}
