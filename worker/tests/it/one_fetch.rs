//! One fetch: whatever number of chunks and workers need a stream, it is paid for once.

use common::store::settle::PutOff;
use common::time::Nanos;
use dbn::{SType, Schema};
use simulator::{Fault, FaultKind};
use testkit::engine::Engine;
use testkit::on_every_engine;
use worker::environment::Outcome;
use worker::error::ChunkError;

use crate::installation::{DATASET, Installation, january, outcomes, piece};

on_every_engine! {
    two_workers_that_need_the_same_definitions_pay_once
    definitions_of_some_symbols_are_taken_from_those_of_all
}

async fn two_workers_that_need_the_same_definitions_pay_once(engine: &Engine) {
    let installation = Installation::synthetic(engine).await;
    let pieces =
        ["ES.c.0", "CL.c.0"].map(|symbol| piece(Schema::Definition, &[symbol], january(4, 5)));
    let job = installation.submit("job", SType::Continuous, &pieces).await;
    let late = Fault::next(FaultKind::Latency, 1).lasting(1.0);
    installation
        .simulator
        .add_fault(late.on_path("timeseries.get_range"));
    let one = installation.environment.clone();
    let mut other = installation.environment.clone();
    other.worker = "another-worker".into();
    let claims = [installation.claim(job).await, installation.claim(job).await];
    let (first, second) = tokio::join!(
        worker::pipeline::run(&one, &claims[0]),
        worker::pipeline::run(&other, &claims[1])
    );
    let (waiting, done) = match first.is_ok() {
        true => (second, first),
        false => (first, second),
    };
    assert!(matches!(done, Ok(Outcome::Done { .. })), "{done:?}");
    assert!(
        matches!(waiting, Err(ChunkError::NotOurTurn)),
        "{waiting:?}"
    );
    let (store, now) = (&installation.environment.store, Nanos::now());
    for claim in &claims {
        let why = PutOff::HandedBack("it waits".into());
        // Refused for the one that is done.
        let _settled = store.put_off(claim, &why, now, now).await;
    }
    Installation::work_once(installation.environment.clone(), job).await;
    assert_eq!(installation.chunks("done").await, 2);
    assert_eq!(installation.data_requests().len(), 1);
    let failures = installation
        .number("SELECT sum(failures) FROM chunks")
        .await;
    assert_eq!(failures, 0);
    let turns = "SELECT count(*) FROM fetches";
    assert_eq!(installation.number(turns).await, 0, "{DATASET}");
}

async fn definitions_of_some_symbols_are_taken_from_those_of_all(engine: &Engine) {
    let some = [piece(Schema::Definition, &["ES.FUT"], january(4, 5))];
    let mut asked = Installation::synthetic(engine).await;
    let job = asked.submit("job", SType::Parent, &some).await;
    asked.work_off(job).await;
    let loaded = "SELECT sum(loaded_records) FROM chunks";
    let expected = asked.number(loaded).await;
    assert!(expected > 0);
    drop(asked);

    let mut all = Installation::synthetic(engine).await;
    let everything = [piece(Schema::Definition, &[], january(4, 5))];
    let job = all.submit("job", SType::RawSymbol, &everything).await;
    all.work_off(job).await;
    // Another installation with the same archive holds nothing of it yet.
    let folder = all.sandbox.path().join("archive");
    let kept = testkit::sandbox::Sandbox::new();
    let archive = kept.path().join("archive");
    std::fs::rename(folder, &archive).unwrap();
    drop(all);
    let mut installation = Installation::with(engine, |settings| {
        settings.archive_url = format!("file://{}", archive.display());
    })
    .await;
    let job = installation.submit("job", SType::Parent, &some).await;
    let told = installation.work_off(job).await;
    let outcomes = outcomes(&told);
    let [
        Outcome::Done {
            from_archive: true, ..
        },
    ] = outcomes[..]
    else {
        panic!("{outcomes:?}");
    };
    assert_eq!(installation.data_requests().len(), 0);
    assert_eq!(installation.number(loaded).await, expected);
    let filtered = "SELECT filtered_records FROM chunks";
    assert!(installation.number(filtered).await > 0);
}
