//! Leases and the end of the work: what is lost is let go, and nothing waits for what won't come.

use std::time::Duration;

use common::time::Nanos;
use dbn::{SType, Schema};
use simulator::{Fault, FaultKind};
use testkit::engine::Engine;
use testkit::on_every_engine;
use worker::environment::Outcome;

use crate::installation::{Installation, january, outcomes, piece};

on_every_engine! {
    a_claim_that_is_lost_lets_its_stream_go_and_the_new_holder_loads_all
    a_stop_lets_a_stream_go_that_stands_still
    a_stop_does_not_wait_for_an_answer
    a_stop_does_not_wait_for_the_vendors_retry_after
}

/// Long enough for any machine; only a test that fails waits for it.
const FOREVER: Duration = Duration::from_secs(60);

async fn a_claim_that_is_lost_lets_its_stream_go_and_the_new_holder_loads_all(engine: &Engine) {
    let pieces = [piece(Schema::Mbp1, &["ES.c.0"], january(4, 5))];
    let expected = {
        let mut undisturbed = Installation::synthetic(engine).await;
        let job = undisturbed.submit("job", SType::Continuous, &pieces).await;
        undisturbed.work_off(job).await;
        undisturbed.tables().await
    };
    let mut installation = Installation::with(engine, |settings| {
        settings.lease_seconds = Some(0.15);
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
    let pool = Installation::work_once(environment.clone(), job);
    let both = async { tokio::join!(pool, thief).1 };
    let claim = tokio::time::timeout(FOREVER, both).await.unwrap();
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

async fn a_stop_lets_a_stream_go_that_stands_still(engine: &Engine) {
    stops_while(engine, Fault::next(FaultKind::Stall, 1).lasting(3_600.0), 1).await;
}

async fn a_stop_does_not_wait_for_an_answer(engine: &Engine) {
    stops_while(
        engine,
        Fault::next(FaultKind::Latency, 1).lasting(3_600.0),
        1,
    )
    .await;
}

async fn a_stop_does_not_wait_for_the_vendors_retry_after(engine: &Engine) {
    stops_while(
        engine,
        Fault::next(FaultKind::RateLimit, 1).lasting(3_600.0),
        2,
    )
    .await;
}

/// Stops the pool once the fault has struck, which ends it, with its chunks handed back.
async fn stops_while(engine: &Engine, fault: Fault, chunks: u32) {
    let mut installation = Installation::with(engine, |settings| {
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
        // The second of two chunks is held back by what the vendor told the first.
        let reserved = "SELECT count(*) FROM spend";
        let struck = |installation: &Installation| {
            let requests = installation.simulator.requests();
            requests.iter().any(|request| request.fault.is_some())
        };
        while installation.number(reserved).await < started || !struck(&installation) {
            tokio::task::yield_now().await;
        }
        environment.stop.cancel();
    };
    let pool = Installation::work_once(environment.clone(), job);
    let both = async { tokio::join!(pool, stop) };
    tokio::time::timeout(FOREVER, both).await.unwrap();
    assert_eq!(installation.chunks("pending").await, started);
    assert_eq!(installation.data_requests().len(), 1);
    let open = "SELECT count(*) FROM spend WHERE settled_nanousd IS NULL";
    assert_eq!(installation.number(open).await, 0);
    let told = installation.work_off(job).await;
    let outcomes = outcomes(&told);
    assert_eq!(outcomes.last(), Some(&&Outcome::HandedBack), "{outcomes:?}");
}
