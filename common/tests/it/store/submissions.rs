//! Submissions: twice is as once, and records of two origins never mix.

use common::chunk::ChunkState;
use common::money::Usd;
use common::request::{JobSource, Symbols};
use common::store::settle::PutOff;
use common::store::{PlannedChunk, Store, StoreError};
use dbn::{SType, Schema};

use super::ground::{
    NOW, ORIGIN, after, claim, held, january, load, picture, planned, request, slices, submit,
    symbols,
};

on_every_engine! {
    a_submission_makes_a_job_and_its_chunks
    submitting_again_changes_nothing
    submitting_again_revives_the_dead_and_nothing_else
    submitting_again_ends_a_pause_and_sets_the_limit
    a_request_for_something_else_is_a_job_of_its_own
    what_is_not_finished_is_outstanding_for_its_own_job
    a_chunk_keeps_what_was_planned
    records_of_two_origins_never_mix
    what_was_found_empty_is_known_to_other_jobs
    what_files_have_no_records_of_is_empty_for_jobs_of_the_same_files_alone
    a_job_of_files_is_one_of_its_own_and_its_chunks_know_their_folder
    what_waits_for_files_is_due_at_the_next_submission
}

async fn a_submission_makes_a_job_and_its_chunks(store: &Store) {
    let (job, chunks) = submit(store, &request("one"), 3).await;
    assert_eq!(chunks.len(), 3);
    let status = store.job(job).await.unwrap().unwrap();
    assert_eq!((status.name.as_str(), status.state), ("one", "pending"));
    assert_eq!(status.created_at, NOW);
    assert_eq!((status.chunks.total, status.chunks.pending), (3, 3));
    assert_eq!(status.records.expected, 9);
    assert!(!status.complete);
}

async fn submitting_again_changes_nothing(store: &Store) {
    let (job, chunks) = submit(store, &request("one"), 3).await;
    load(store, &claim(store, chunks[0]).await).await.unwrap();
    claim(store, chunks[1]).await;
    let before = picture(store).await;

    // With nothing planned, as a second run does; and with a plan made before the first was sent.
    let same: Vec<_> = (1..=3).map(|day| planned(january(day, day + 1))).collect();
    for plan in [&[], same.as_slice()] {
        let again = store.submit(&request("one"), ORIGIN, plan, after(5)).await;
        let again = again.unwrap();
        assert_eq!((again.job, again.added, again.revived), (job, 0, 0));
        assert_eq!(picture(store).await, before);
    }
}

async fn submitting_again_revives_the_dead_and_nothing_else(store: &Store) {
    let (job, chunks) = submit(store, &request("one"), 3).await;
    let (_, of_another_job) = submit(store, &request("two"), 1).await;
    for chunk in [chunks[1], of_another_job[0]] {
        let claim = claim(store, chunk).await;
        store.give_up(&claim, "it failed", NOW).await.unwrap();
    }
    load(store, &claim(store, chunks[0]).await).await.unwrap();

    let again = store.submit(&request("one"), ORIGIN, &[], after(5)).await;

    assert_eq!(again.unwrap().revived, 1);
    let counts = store.job(job).await.unwrap().unwrap().chunks;
    assert_eq!((counts.pending, counts.done, counts.dead), (2, 1, 0));
    assert_eq!(store.due(job, 9, NOW).await.unwrap(), [chunks[2]]);
    assert_eq!(
        store.due(job, 9, after(5)).await.unwrap(),
        [chunks[1], chunks[2]]
    );
    let revived = super::ground::claim_at(store, chunks[1], after(5)).await;
    let revived = revived.expect("it is due");
    assert_eq!((revived.chunk.failures, revived.epoch), (0, 2));
    let other = store.jobs(Some("two")).await.unwrap();
    assert_eq!(other[0].chunks.dead, 1);
}

async fn submitting_again_ends_a_pause_and_sets_the_limit(store: &Store) {
    let (job, chunks) = submit(store, &request("one"), 1).await;
    store
        .pause(Some(job), "the operator said so")
        .await
        .unwrap();
    let mut cheaper = request("one");
    cheaper.max_cost = Some(Usd(1_439));
    store.submit(&cheaper, ORIGIN, &[], NOW).await.unwrap();
    let status = store.job(job).await.unwrap().unwrap();
    assert_eq!((status.state, status.reason), ("pending", None));
    let claim = claim(store, chunks[0]).await;
    let refused = store.reserve(&claim, NOW).await.unwrap_err();
    assert!(
        matches!(
            refused,
            StoreError::OverBudget {
                limit: Usd(1_439),
                ..
            }
        ),
        "{refused:?}"
    );
}

async fn a_request_for_something_else_is_a_job_of_its_own(store: &Store) {
    let (one, _) = submit(store, &request("one"), 1).await;
    let mut longer = request("one");
    longer.days = january(1, 30);
    let (other, _) = submit(store, &longer, 1).await;
    assert_ne!(one, other);
    assert_eq!(store.jobs(Some("one")).await.unwrap().len(), 2);
}

async fn what_is_not_finished_is_outstanding_for_its_own_job(store: &Store) {
    let (_, chunks) = submit(store, &request("one"), 5).await;
    load(store, &claim(store, chunks[0]).await).await.unwrap();
    let empty = claim(store, chunks[1]).await;
    store
        .settle_empty(&empty, &[], &Default::default(), NOW)
        .await
        .unwrap();
    let dead = claim(store, chunks[2]).await;
    store.give_up(&dead, "it failed", NOW).await.unwrap();
    claim(store, chunks[3]).await;

    let mut left = store
        .outstanding(&request("one").fingerprint())
        .await
        .unwrap();

    left.sort_by_key(|chunk| chunk.days);
    assert_eq!(left, [3, 4, 5].map(|day| planned(january(day, day + 1))));
    let of_another = store.outstanding(&request("two").fingerprint()).await;
    assert_eq!(of_another.unwrap(), []);
}

async fn a_chunk_keeps_what_was_planned(store: &Store) {
    let mut everything = request("all");
    everything.symbols = Symbols::ALL;
    everything.stype_in = SType::RawSymbol;
    let wanted = PlannedChunk {
        schema: Schema::Ohlcv1D,
        symbols: Symbols::ALL,
        records: None,
        billable_bytes: u64::from(u32::MAX),
        cost: Usd(7),
        ..planned(january(3, 9))
    };
    let plan = [wanted.clone()];
    let job = store
        .submit(&everything, ORIGIN, &plan, NOW)
        .await
        .unwrap()
        .job;
    let due = store.due(job, 9, NOW).await.unwrap();
    let chunk = claim(store, due[0]).await.chunk;
    assert_eq!((chunk.job, chunk.id), (job, due[0]));
    assert_eq!(chunk.dataset, "GLBX.MDP3");
    assert_eq!(
        (chunk.schema, chunk.stype_in),
        (wanted.schema, SType::RawSymbol)
    );
    assert_eq!((chunk.symbols, chunk.days), (wanted.symbols, wanted.days));
    assert_eq!((chunk.expected, chunk.failures), (None, 0));
    assert_eq!(
        (chunk.billable_bytes, chunk.cost),
        (wanted.billable_bytes, wanted.cost)
    );
}

async fn records_of_two_origins_never_mix(store: &Store) {
    store.check_origin("the demo").await.unwrap();
    submit(store, &request("one"), 1).await;
    store.check_origin(ORIGIN).await.unwrap();
    let before = picture(store).await;

    let plan = [planned(january(1, 2))];
    let refused = store.submit(&request("two"), "the demo", &plan, NOW).await;

    let refused = refused.unwrap_err();
    assert!(matches!(refused, StoreError::Origin(_)), "{refused:?}");
    let text = refused.to_string();
    assert!(text.contains(ORIGIN) && text.contains("the demo"), "{text}");
    assert_eq!(picture(store).await, before);
    let refused = store.check_origin("the demo").await.unwrap_err();
    assert!(matches!(refused, StoreError::Origin(_)), "{refused:?}");
}

async fn what_was_found_empty_is_known_to_other_jobs(store: &Store) {
    let (job, chunks) = submit(store, &request("one"), 2).await;
    let empty = claim(store, chunks[1]).await;
    store
        .settle_empty(&empty, &[], &Default::default(), NOW)
        .await
        .unwrap();
    let known = |stype, days: common::time::DayRange| {
        let vendor = &JobSource::Vendor;
        store.empty("GLBX.MDP3", Schema::Trades, stype, vendor, days.span())
    };
    let found = known(SType::Continuous, january(1, 31)).await.unwrap();
    assert_eq!(found, [(chunks[1], symbols(), january(2, 3))]);
    assert_eq!(known(SType::RawSymbol, january(1, 31)).await.unwrap(), []);
    assert_eq!(known(SType::Continuous, january(3, 31)).await.unwrap(), []);
    let status = store.job(job).await.unwrap().unwrap();
    assert_eq!((status.chunks.empty, status.records.expected), (1, 3));
    let left = store.unfinished(job, 9).await.unwrap();
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].state, ChunkState::Pending);
}

async fn what_files_have_no_records_of_is_empty_for_jobs_of_the_same_files_alone(store: &Store) {
    let mut of_files = request("files");
    of_files.source = JobSource::Files("/downloads".into());
    let (_, chunks) = submit(store, &of_files, 1).await;
    let empty = claim(store, chunks[0]).await;
    let asked = [held(7, january(1, 2))];
    store
        .settle_empty(&empty, &asked, &Default::default(), NOW)
        .await
        .unwrap();
    assert_eq!(slices(store).await, []);
    let known = async |source: &JobSource| {
        let days = january(1, 31).span();
        let stype = SType::Continuous;
        let found = store.empty("GLBX.MDP3", Schema::Trades, stype, source, days);
        found.await.unwrap()
    };
    let found = known(&of_files.source).await;
    assert_eq!(found, [(chunks[0], symbols(), january(1, 2))]);
    assert_eq!(known(&JobSource::Vendor).await, []);
    assert_eq!(known(&JobSource::Files("/elsewhere".into())).await, []);
}

async fn a_job_of_files_is_one_of_its_own_and_its_chunks_know_their_folder(store: &Store) {
    let vendors = request("one");
    let mut of_files = request("one");
    of_files.source = JobSource::Files("/downloads/one".into());
    let mut of_others = request("one");
    of_others.source = JobSource::Files("/downloads/two".into());
    let mut jobs = Vec::new();
    for request in [vendors, of_files, of_others] {
        let (job, chunks) = submit(store, &request, 1).await;
        let claim = claim(store, chunks[0]).await;
        assert_eq!(claim.chunk.source, request.source);
        jobs.push(job);
    }
    jobs.dedup();
    assert_eq!(jobs.len(), 3);
}

async fn what_waits_for_files_is_due_at_the_next_submission(store: &Store) {
    let mut of_files = request("files");
    of_files.source = JobSource::Files("/downloads".into());
    for (request, due) in [(of_files, 1), (request("vendor"), 0)] {
        let (job, chunks) = submit(store, &request, 1).await;
        let claim = claim(store, chunks[0]).await;
        let why = PutOff::NotYet("it is not there".to_owned());
        let put_off = store.put_off(&claim, &why, after(3_600), NOW).await;
        put_off.unwrap();
        let again = store.submit(&request, ORIGIN, &[], after(5)).await;
        assert_eq!(again.unwrap().job, job);
        assert_eq!(store.due(job, 9, after(5)).await.unwrap().len(), due);
    }
}
