//! Where a job's trace goes on: kept with its submission, and found by its chunks.

use common::store::{Store, Traced};

use super::ground::{
    NOW, ORIGIN, after, january, open, planned, postgresql, request, sqlite, submit,
};

on_every_engine! {
    a_chunk_finds_the_context_of_the_last_submission_that_was_traced
}

const FIRST: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const SECOND: &str = "00-1bf7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

async fn a_chunk_finds_the_context_of_the_last_submission_that_was_traced(store: &Store) {
    let (_, chunks) = submit(store, &request("one"), 1).await;
    let traced = async || store.traced(chunks[0]).await.unwrap().unwrap();
    let untraced = Traced {
        traceparent: None,
        due_at: NOW,
    };
    assert_eq!(traced().await, untraced);
    let plan = [planned(january(1, 2))];
    for (context, kept) in [(Some(FIRST), FIRST), (Some(SECOND), SECOND), (None, SECOND)] {
        let request = request("one");
        let again = store.submit_traced(&request, ORIGIN, &plan, after(5), context);
        assert_eq!(again.await.unwrap().added, 0);
        assert_eq!(traced().await.traceparent.as_deref(), Some(kept));
    }
    let (_, others) = submit(store, &request("two"), 1).await;
    let other = store.traced(others[0]).await.unwrap().unwrap();
    assert_eq!(other.traceparent, None);
}

#[tokio::test]
async fn jobs_of_a_database_that_knew_no_traces_have_none() {
    let (sandbox, store) = sqlite().await;
    let (job, chunks) = submit(&store, &request("one"), 1).await;
    let before = store.job(job).await.unwrap();
    store.close().await;
    drop(store);
    for sql in [
        "ALTER TABLE jobs DROP COLUMN traceparent",
        "DELETE FROM _sqlx_migrations WHERE version = 14",
    ] {
        testkit::checksum::execute(&sandbox.database(), sql).await;
    }
    let store = open(&sandbox).await.unwrap();
    assert_eq!(store.job(job).await.unwrap(), before);
    let traced = store.traced(chunks[0]).await.unwrap().unwrap();
    assert_eq!(traced.traceparent, None);
}

#[tokio::test]
async fn jobs_of_a_server_that_knew_no_traces_have_none() {
    let Some((server, store)) = postgresql().await else {
        return;
    };
    let (job, chunks) = submit(&store, &request("one"), 1).await;
    let before = store.job(job).await.unwrap();
    let _ = server.psql(
        "ALTER TABLE jobs DROP COLUMN traceparent; DELETE FROM _sqlx_migrations WHERE version = 12",
    );
    Store::migrate(&server.url()).await.unwrap();
    assert_eq!(store.job(job).await.unwrap(), before);
    let traced = store.traced(chunks[0]).await.unwrap().unwrap();
    assert_eq!(traced.traceparent, None);
}
