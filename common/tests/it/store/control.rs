//! What an operator decides, and what the reconciler sees.

use common::store::settle::PutOff;
use common::store::{Store, StoreError};

use super::ground::{
    NOW, after, claim, claim_at, january, load, one_claim, planned, request, stored, submit,
};

on_every_engine! {
    a_paused_job_is_resumed_where_it_was
    a_cancelled_job_is_worked_on_no_more_and_keeps_what_it_has
    a_cancelled_job_that_is_submitted_again_plans_anew
    a_retry_revives_the_dead_and_hastens_what_waits
    what_is_due_anywhere_comes_by_priority
    what_runs_is_told_with_its_holder
    counts_are_those_of_the_chunks_and_folding_changes_none
    one_at_a_time_is_alone
}

async fn a_paused_job_is_resumed_where_it_was(store: &Store) {
    let (job, chunks) = submit(store, &request("one"), 2).await;
    assert!(!store.resume(job).await.unwrap(), "it is not paused");
    assert!(store.pause(Some(job), "by hand").await.unwrap());
    assert!(!store.pause(Some(job), "again").await.unwrap());
    assert_eq!(store.due(job, 9, NOW).await.unwrap(), []);
    assert!(store.resume(job).await.unwrap());
    assert_eq!(store.due(job, 9, NOW).await.unwrap(), chunks);
    assert_eq!(store.job(job).await.unwrap().unwrap().reason, None);
}

async fn a_cancelled_job_is_worked_on_no_more_and_keeps_what_it_has(store: &Store) {
    let (job, chunks) = submit(store, &request("one"), 4).await;
    load(store, &claim(store, chunks[0]).await).await.unwrap();
    let running = claim(store, chunks[1]).await;
    let dead = claim(store, chunks[2]).await;
    store.give_up(&dead, "it failed", NOW).await.unwrap();

    assert_eq!(store.cancel(job, "by hand", NOW).await.unwrap(), 3);

    let fenced = load(store, &running).await;
    assert!(matches!(fenced, Err(StoreError::Fenced(_))), "{fenced:?}");
    assert_eq!(store.due(job, 9, after(1_000)).await.unwrap(), []);
    assert!(claim_at(store, chunks[3], after(1_000)).await.is_none());
    let status = store.job(job).await.unwrap().unwrap();
    assert_eq!(status.state, "cancelled");
    assert_eq!((status.chunks.done, status.chunks.cancelled), (1, 3));
    assert_eq!(stored(store).await.len(), 3);
    assert_eq!(store.cancel(job, "again", NOW).await.unwrap(), 0);
}

async fn a_cancelled_job_that_is_submitted_again_plans_anew(store: &Store) {
    let (job, _) = submit(store, &request("one"), 2).await;
    store.cancel(job, "by hand", NOW).await.unwrap();
    let (again, chunks) = submit(store, &request("one"), 2).await;
    assert_eq!((again, chunks.len()), (job, 2));
    for chunk in chunks {
        load(store, &claim(store, chunk).await).await.unwrap();
    }
    let status = store.job(job).await.unwrap().unwrap();
    assert_eq!((status.state, status.complete), ("done", true));
    assert_eq!((status.chunks.done, status.chunks.cancelled), (2, 2));
    assert_eq!(status.records.expected, 6);
}

async fn a_retry_revives_the_dead_and_hastens_what_waits(store: &Store) {
    let (job, chunks) = submit(store, &request("one"), 3).await;
    let dead = claim(store, chunks[0]).await;
    store.give_up(&dead, "it failed", NOW).await.unwrap();
    let waiting = claim(store, chunks[1]).await;
    let why = PutOff::Failed("it broke".into());
    store
        .put_off(&waiting, &why, after(600), NOW)
        .await
        .unwrap();
    let not_yet = claim(store, chunks[2]).await;
    let why = PutOff::NotYet("tomorrow".into());
    store
        .put_off(&not_yet, &why, after(600), NOW)
        .await
        .unwrap();

    assert_eq!(store.retry(job, NOW).await.unwrap(), 2);

    assert_eq!(store.due(job, 9, NOW).await.unwrap(), chunks[..2]);
    assert_eq!(claim(store, chunks[0]).await.chunk.failures, 0);
}

async fn what_is_due_anywhere_comes_by_priority(store: &Store) {
    let (_, plain) = submit(store, &request("plain"), 2).await;
    let mut urgent = request("urgent");
    urgent.priority = 5;
    let (_, urgent) = submit(store, &urgent, 2).await;
    let mut paused = request("paused");
    paused.priority = 9;
    let (paused, _) = submit(store, &paused, 2).await;
    store.pause(Some(paused), "by hand").await.unwrap();
    let running = claim(store, plain[0]).await;
    let due = async |now, limit| {
        let due = store.due_anywhere(limit, now).await.unwrap();
        due.into_iter()
            .map(|due| (due.chunk, due.epoch))
            .collect::<Vec<_>>()
    };
    let now = [(urgent[0], 0), (urgent[1], 0), (plain[1], 0)];
    assert_eq!(due(NOW, 9).await, now);
    assert_eq!(due(NOW, 1).await, now[..1]);
    let orphaned = (running.chunk.id, running.epoch);
    let later = [now[0], now[1], orphaned, now[2]];
    assert_eq!(due(after(60), 9).await, later);
}

async fn what_runs_is_told_with_its_holder(store: &Store) {
    assert_eq!(store.running().await.unwrap(), []);
    let claimed = one_claim(store).await;
    let running = store.running().await.unwrap();
    assert_eq!(running.len(), 1);
    assert_eq!(
        (running[0].chunk, running[0].owner.as_str()),
        (claimed.chunk.id, "a worker")
    );
    store.give_up(&claimed, "it failed", NOW).await.unwrap();
    assert_eq!(store.running().await.unwrap(), []);
    let dead = store.dead(claimed.chunk.job, 9).await.unwrap();
    assert_eq!(dead, [(claimed.chunk.id, "it failed".to_owned())]);
}

async fn counts_are_those_of_the_chunks_and_folding_changes_none(store: &Store) {
    let (job, chunks) = submit(store, &request("one"), 5).await;
    let mut quotes = planned(january(1, 2));
    quotes.schema = dbn::Schema::Mbp1;
    store
        .submit(&request("one"), super::ground::ORIGIN, &[quotes], NOW)
        .await
        .unwrap();
    load(store, &claim(store, chunks[0]).await).await.unwrap();
    let dead = claim(store, chunks[1]).await;
    store.give_up(&dead, "it failed", NOW).await.unwrap();
    let _running = claim(store, chunks[2]).await;
    for folded in [false, true, true] {
        if folded {
            store.fold_counts().await.unwrap();
        }
        let counts = store.job(job).await.unwrap().unwrap().chunks;
        let by_state = [counts.pending, counts.running, counts.done, counts.dead];
        assert_eq!((counts.total, by_state), (6, [3, 1, 1, 1]), "{folded}");
        let schemas = store.schemas(job).await.unwrap();
        let totals: Vec<_> = schemas.iter().map(|of| of.chunks.total).collect();
        assert_eq!(totals, [5, 1]);
        assert_eq!(schemas[0].schema, dbn::Schema::Trades);
        assert_eq!(
            (schemas[0].records.expected, schemas[0].records.loaded),
            (15, 3)
        );
    }
}

async fn one_at_a_time_is_alone(store: &Store) {
    let mine = store.alone("tidying up").await.unwrap();
    assert!(mine.is_some());
    assert!(store.alone("something else").await.unwrap().is_some());
    drop(mine);
}
