//! Claims: one worker at a time, and a fence behind each.

use common::chunk::ChunkId;
use common::store::settle::PutOff;
use common::store::{Claim, Store, StoreError};
use common::time::Nanos;

use super::ground::{
    LEASE, NOW, after, claim, claim_at, january, load, one_claim, picture, planned, request,
    resolution, submit, trades,
};

on_every_engine! {
    a_due_chunk_goes_to_one_worker
    of_many_who_claim_at_once_one_gets_the_chunk
    a_hint_that_comes_early_is_dropped
    a_hint_for_a_settled_or_unknown_chunk_is_dropped
    a_lease_that_ran_out_lets_another_claim
    a_renewed_lease_holds_and_a_lost_one_cannot_be_renewed
    the_former_holder_can_change_nothing
    a_settled_chunk_takes_no_second_settlement
    a_failed_attempt_counts_and_the_others_do_not
    a_chunk_that_is_put_off_is_due_again_at_its_time
    the_next_retry_is_the_first_of_the_failed_chunks
    a_paused_job_is_not_claimed_and_its_running_chunks_may_end
    a_pause_of_all_jobs_keeps_the_first_reason
}

async fn a_due_chunk_goes_to_one_worker(store: &Store) {
    let (job, chunks) = submit(store, &request("one"), 2).await;
    let first = claim_at(store, chunks[0], NOW).await;
    assert_eq!(first.map(|claim| claim.epoch), Some(1));
    let doubled = claim_at(store, chunks[0], NOW).await;
    assert!(doubled.is_none(), "{doubled:?}");
    assert_eq!(store.due(job, 9, NOW).await.unwrap(), [chunks[1]]);
    let counts = store.job(job).await.unwrap().unwrap().chunks;
    assert_eq!((counts.pending, counts.running), (1, 1));
}

async fn of_many_who_claim_at_once_one_gets_the_chunk(store: &Store) {
    let (_, chunks) = submit(store, &request("one"), 1).await;
    let all = (0..24).map(|_| claim_at(store, chunks[0], NOW));
    let claims = futures::future::join_all(all).await;
    let got: Vec<_> = claims.into_iter().flatten().collect();
    assert_eq!(got.len(), 1, "{got:?}");
    assert_eq!(got[0].epoch, 1);
}

async fn a_hint_that_comes_early_is_dropped(store: &Store) {
    let mut later = planned(january(1, 2));
    later.due_at = after(10);
    let submitted = store
        .submit(&request("one"), "the vendor", &[later], NOW)
        .await;
    let job = submitted.unwrap().job;
    let due = store.due(job, 9, after(10)).await.unwrap();
    let just_before = Nanos(after(10).0 - 1);
    assert_eq!(store.due(job, 9, just_before).await.unwrap(), []);

    assert!(claim_at(store, due[0], just_before).await.is_none());
    assert!(claim_at(store, due[0], after(10)).await.is_some());
}

async fn a_hint_for_a_settled_or_unknown_chunk_is_dropped(store: &Store) {
    let (_, chunks) = submit(store, &request("one"), 3).await;
    load(store, &claim(store, chunks[0]).await).await.unwrap();
    let empty = claim(store, chunks[1]).await;
    store
        .settle_empty(&empty, &[], &Default::default(), NOW)
        .await
        .unwrap();
    let dead = claim(store, chunks[2]).await;
    store.give_up(&dead, "it failed", NOW).await.unwrap();
    let before = picture(store).await;
    for chunk in [chunks[0], chunks[1], chunks[2], ChunkId(4_711)] {
        let late = claim_at(store, chunk, after(100_000)).await;
        assert!(late.is_none(), "{late:?}");
    }
    assert_eq!(picture(store).await, before);
}

async fn a_lease_that_ran_out_lets_another_claim(store: &Store) {
    let (job, chunks) = submit(store, &request("one"), 1).await;
    claim(store, chunks[0]).await;
    let end = NOW.plus_seconds(LEASE.as_secs_f64());
    let just_before = Nanos(end.0 - 1);
    assert!(claim_at(store, chunks[0], just_before).await.is_none());
    assert_eq!(store.due(job, 9, just_before).await.unwrap(), []);
    assert_eq!(store.due(job, 9, end).await.unwrap(), chunks);
    let second = claim_at(store, chunks[0], end).await;
    assert_eq!(second.map(|claim| claim.epoch), Some(2));
    assert!(claim_at(store, chunks[0], end).await.is_none());
}

async fn a_renewed_lease_holds_and_a_lost_one_cannot_be_renewed(store: &Store) {
    let first = one_claim(store).await;
    let id = first.chunk.id;
    assert!(store.renew(&first, LEASE, after(59)).await.unwrap());
    assert!(claim_at(store, id, after(60)).await.is_none());
    assert!(claim_at(store, id, after(118)).await.is_none());
    let second = claim_at(store, id, after(119)).await.expect("it ran out");
    assert!(!store.renew(&first, LEASE, after(119)).await.unwrap());
    assert!(store.renew(&second, LEASE, after(119)).await.unwrap());
    store
        .give_up(&second, "it failed", after(119))
        .await
        .unwrap();
    assert!(!store.renew(&second, LEASE, after(119)).await.unwrap());
}

/// Every verb that a claim allows answers that the claim was lost, and changes nothing.
async fn assert_fenced(store: &Store, claim: &Claim) {
    let before = picture(store).await;
    let days = claim.chunk.days;
    let slices = [super::ground::held(super::ground::ES, days)];
    let meaning = resolution("ES.c.0", super::ground::ES, days);
    let answers = [
        store
            .put_off(claim, &PutOff::Failed("no".into()), NOW, NOW)
            .await,
        store
            .put_off(claim, &PutOff::NotYet("no".into()), NOW, NOW)
            .await,
        store
            .put_off(claim, &PutOff::HandedBack("stopped".into()), NOW, NOW)
            .await,
        store.give_up(claim, "no", NOW).await,
        store.settle_empty(claim, &slices, &meaning, NOW).await,
        store.begin_load(claim, &trades()).await.map(drop),
        load(store, claim).await,
    ];
    for answer in answers {
        let lost = matches!(answer, Err(StoreError::Fenced(chunk)) if chunk == claim.chunk.id);
        assert!(lost, "{answer:?}");
    }
    assert!(!store.renew(claim, LEASE, NOW).await.unwrap());
    assert_eq!(picture(store).await, before);
}

async fn the_former_holder_can_change_nothing(store: &Store) {
    let former = one_claim(store).await;
    let holder = claim_at(store, former.chunk.id, after(60)).await;
    let holder = holder.expect("the lease ran out");
    assert_fenced(store, &former).await;

    load(store, &holder)
        .await
        .expect("the holder is not disturbed");

    assert_fenced(store, &former).await;
}

async fn a_settled_chunk_takes_no_second_settlement(store: &Store) {
    let (_, chunks) = submit(store, &request("one"), 4).await;
    let done = claim(store, chunks[0]).await;
    load(store, &done).await.unwrap();
    let empty = claim(store, chunks[1]).await;
    store
        .settle_empty(&empty, &[], &Default::default(), NOW)
        .await
        .unwrap();
    let dead = claim(store, chunks[2]).await;
    store.give_up(&dead, "it failed", NOW).await.unwrap();
    let handed_back = claim(store, chunks[3]).await;
    store
        .put_off(
            &handed_back,
            &PutOff::HandedBack("stopped".into()),
            NOW,
            NOW,
        )
        .await
        .unwrap();
    for claim in [done, empty, dead, handed_back] {
        assert_fenced(store, &claim).await;
    }
}

async fn a_failed_attempt_counts_and_the_others_do_not(store: &Store) {
    let mut claimed = one_claim(store).await;
    let job = claimed.chunk.job;
    let reasons = [
        (PutOff::HandedBack("stopped".into()), 0, Some("stopped")),
        (
            PutOff::Failed("the stream broke".into()),
            1,
            Some("the stream broke"),
        ),
        (PutOff::NotYet("tomorrow".into()), 1, Some("tomorrow")),
        (PutOff::HandedBack("stopped".into()), 1, Some("stopped")),
        (PutOff::Failed("again".into()), 2, Some("again")),
    ];
    for (epoch, (why, failures, error)) in (2..).zip(reasons) {
        store.put_off(&claimed, &why, NOW, NOW).await.unwrap();
        let left = store.unfinished(job, 9).await.unwrap();
        assert_eq!(left[0].error.as_deref(), error);
        claimed = claim(store, claimed.chunk.id).await;
        assert_eq!(
            (claimed.chunk.failures, claimed.epoch),
            (failures, epoch),
            "{why:?}"
        );
    }
}

async fn a_chunk_that_is_put_off_is_due_again_at_its_time(store: &Store) {
    let claimed = one_claim(store).await;
    let (job, id) = (claimed.chunk.job, claimed.chunk.id);
    let why = PutOff::NotYet("tomorrow".into());
    store.put_off(&claimed, &why, after(30), NOW).await.unwrap();
    assert_eq!(store.due(job, 9, after(29)).await.unwrap(), []);
    assert!(claim_at(store, id, after(29)).await.is_none());
    assert!(claim_at(store, id, after(30)).await.is_some());
}

async fn the_next_retry_is_the_first_of_the_failed_chunks(store: &Store) {
    let (job, chunks) = submit(store, &request("one"), 4).await;
    let put_off = async |chunk, why, due_at| {
        let claim = claim(store, chunk).await;
        store.put_off(&claim, &why, due_at, NOW).await.unwrap();
    };
    put_off(chunks[0], PutOff::NotYet("later".into()), after(3_600)).await;
    assert_eq!(store.next_retry(job).await.unwrap(), None);
    // Not a failure, and not the vendor's future either.
    let waits = PutOff::HandedBack("another fetches its stream".into());
    put_off(chunks[3], waits, after(40)).await;
    assert_eq!(store.next_retry(job).await.unwrap(), Some(after(40)));
    put_off(chunks[1], PutOff::Failed("it broke".into()), after(30)).await;
    put_off(chunks[2], PutOff::Failed("it broke".into()), after(20)).await;
    assert_eq!(store.next_retry(job).await.unwrap(), Some(after(20)));
    assert!(claim_at(store, chunks[2], after(20)).await.is_some());
    assert_eq!(store.next_retry(job).await.unwrap(), Some(after(30)));
}

async fn a_paused_job_is_not_claimed_and_its_running_chunks_may_end(store: &Store) {
    let (job, chunks) = submit(store, &request("one"), 2).await;
    let (other, of_other) = submit(store, &request("two"), 1).await;
    let running = claim(store, chunks[0]).await;

    store.pause(Some(job), "the budget is spent").await.unwrap();

    assert_eq!(store.due(job, 9, after(100)).await.unwrap(), []);
    assert!(claim_at(store, chunks[1], NOW).await.is_none());
    assert!(claim_at(store, chunks[0], after(100)).await.is_none());
    let status = store.job(job).await.unwrap().unwrap();
    assert_eq!(status.state, "paused");
    assert_eq!(status.reason.as_deref(), Some("the budget is spent"));
    assert_eq!(store.due(other, 9, NOW).await.unwrap(), of_other);
    load(store, &running).await.expect("what runs may end");

    store
        .submit(&request("one"), "the vendor", &[], NOW)
        .await
        .unwrap();
    assert!(claim_at(store, chunks[1], NOW).await.is_some());
}

async fn a_pause_of_all_jobs_keeps_the_first_reason(store: &Store) {
    let (one, _) = submit(store, &request("one"), 1).await;
    let (two, _) = submit(store, &request("two"), 1).await;
    store.pause(Some(one), "its budget is spent").await.unwrap();
    store.pause(None, "the key is refused").await.unwrap();
    let reason = async |job| store.job(job).await.unwrap().unwrap().reason;
    assert_eq!(reason(one).await.as_deref(), Some("its budget is spent"));
    assert_eq!(reason(two).await.as_deref(), Some("the key is refused"));
}
