//! Refresh: a settled chunk comes to what the vendor has today, whole or not at all, paid for once.

use common::chunk::{ChunkId, ChunkState, JobId};
use common::store::{Refreshable, StoreError};
use common::time::Nanos;
use common::vendor::Resolution;
use dbn::{SType, Schema};
use simulator::{Fault, FaultKind};
use testkit::engine::Engine;
use testkit::on_every_engine;
use worker::error::ChunkError;
use worker::refresh::{Refreshed, refresh};

use crate::failpoints::REFRESH_FAILPOINTS;
use crate::installation::{Installation, january, piece};

on_every_engine! {
    a_refreshed_chunk_has_the_tables_of_a_fresh_load
    a_refresh_that_fails_anywhere_leaves_the_chunk_as_it_was_and_is_paid_for_once
    what_the_vendor_has_no_more_is_empty_and_comes_back
    a_chunk_that_changed_meanwhile_is_left_alone
    a_refresh_is_refused_by_the_budget
}

async fn loaded(engine: &Engine) -> (Installation, JobId) {
    let mut installation = Installation::synthetic(engine).await;
    let job = submit(&installation).await;
    installation.work_off(job).await;
    assert_eq!(installation.chunks("done").await, 2);
    (installation, job)
}

async fn submit(installation: &Installation) -> JobId {
    let pieces = [
        piece(Schema::Trades, &["ES.c.0", "CL.c.0"], january(4, 5)),
        piece(Schema::Trades, &["ES.c.0", "CL.c.0"], january(5, 6)),
    ];
    installation.submit("job", SType::Continuous, &pieces).await
}

async fn first(installation: &Installation, job: JobId) -> Refreshable {
    let store = &installation.environment.store;
    let found = store.refreshable(job, ChunkId(0), 1).await.unwrap();
    found.into_iter().next().unwrap()
}

fn revised() -> Fault {
    Fault::day(FaultKind::RevisedDay, "2024-01-04")
}

async fn a_refreshed_chunk_has_the_tables_of_a_fresh_load(engine: &Engine) {
    let mut fresh = Installation::synthetic(engine).await;
    fresh.simulator.add_fault(revised());
    let job = submit(&fresh).await;
    fresh.work_off(job).await;
    let expected = fresh.tables().await;
    drop(fresh);

    let (installation, job) = loaded(engine).await;
    assert_ne!(installation.tables().await, expected);
    installation.simulator.add_fault(revised());
    let chunk = first(&installation, job).await;
    let refreshed = refresh(&installation.environment, &chunk.chunk, 2).await;
    let Ok(Refreshed::Swapped {
        manifest,
        difference,
    }) = refreshed
    else {
        panic!("{refreshed:?}");
    };
    assert_eq!(manifest.revision, 2);
    assert!(difference.rows_after > difference.rows_before);
    assert_eq!(installation.tables().await, expected);
    // The former answer is still there, and can be read.
    let archive = &installation.environment.archive;
    let former = chunk.chunk.archive_object.clone();
    assert_ne!(former, manifest.key);
    let read = archive.objects().verify(&former).unwrap().unwrap();
    assert_eq!(read.records, chunk.chunk.loaded);
    let job = installation.environment.store.job(job).await.unwrap();
    let job = job.unwrap();
    assert!(job.complete, "{job:?}");
    assert_eq!(job.records.loaded, job.records.expected);
}

async fn a_refresh_that_fails_anywhere_leaves_the_chunk_as_it_was_and_is_paid_for_once(
    engine: &Engine,
) {
    let (installation, job) = loaded(engine).await;
    let before = installation.tables().await;
    installation.simulator.add_fault(revised());
    let requests = installation.data_requests().len();
    for failpoint in REFRESH_FAILPOINTS {
        for _ in 0..2 {
            fail::cfg(failpoint, "return").unwrap();
            let chunk = first(&installation, job).await;
            let failed = refresh(&installation.environment, &chunk.chunk, 2).await;
            assert!(matches!(failed, Err(ChunkError::Panic(_))), "{failed:?}");
            fail::remove(failpoint);
            assert_eq!(installation.tables().await, before, "{failpoint}");
        }
    }
    let chunk = first(&installation, job).await;
    refresh(&installation.environment, &chunk.chunk, 2)
        .await
        .unwrap();
    assert_ne!(installation.tables().await, before);
    assert_eq!(installation.data_requests().len(), requests + 1);
}

async fn what_the_vendor_has_no_more_is_empty_and_comes_back(engine: &Engine) {
    let (installation, job) = loaded(engine).await;
    let before = installation.tables().await;
    let chunk = first(&installation, job).await;
    let store = &installation.environment.store;
    let held = store.slices_of(chunk.chunk.claim.chunk.id).await.unwrap();
    let mapping = &installation.environment.mappings[&Schema::Trades];
    let nothing = Resolution::default();
    store
        .settle_emptied(&chunk.chunk, mapping, &held, &nothing, Nanos::now())
        .await
        .unwrap();
    let rows = "SELECT count(*) FROM trades_data WHERE chunk_id = 1";
    assert_eq!(installation.number(rows).await, 0);
    assert_eq!(installation.chunks("empty").await, 1);
    let slices = "SELECT count(*) FROM coverage WHERE chunk_id = 1";
    assert_eq!(installation.number(slices).await, 2);

    let requests = installation.data_requests().len();
    let empty = first(&installation, job).await;
    assert_eq!(empty.chunk.state, ChunkState::Empty);
    refresh(&installation.environment, &empty.chunk, 1)
        .await
        .unwrap();
    assert_eq!(installation.chunks("done").await, 2);
    assert_eq!(installation.tables().await, before);
    // Its stream was in the archive.
    assert_eq!(installation.data_requests().len(), requests);
}

async fn a_chunk_that_changed_meanwhile_is_left_alone(engine: &Engine) {
    let (installation, job) = loaded(engine).await;
    installation.simulator.add_fault(revised());
    let chunk = first(&installation, job).await;
    refresh(&installation.environment, &chunk.chunk, 2)
        .await
        .unwrap();
    let tables = installation.tables().await;
    let again = refresh(&installation.environment, &chunk.chunk, 2).await;
    let fenced = matches!(again, Err(ChunkError::Store(StoreError::Fenced(_))));
    assert!(fenced, "{again:?}");
    assert_eq!(installation.tables().await, tables);
}

async fn a_refresh_is_refused_by_the_budget(engine: &Engine) {
    let (installation, job) = loaded(engine).await;
    let before = installation.tables().await;
    installation.simulator.add_fault(revised());
    installation
        .execute("UPDATE jobs SET max_cost_nanousd = 1")
        .await;
    let requests = installation.data_requests().len();
    let chunk = first(&installation, job).await;
    let refused = refresh(&installation.environment, &chunk.chunk, 2).await;
    let refused_by = matches!(
        refused,
        Err(ChunkError::Store(StoreError::OverBudget { .. }))
    );
    assert!(refused_by, "{refused:?}");
    assert_eq!(installation.data_requests().len(), requests);
    assert_eq!(installation.tables().await, before);
}
