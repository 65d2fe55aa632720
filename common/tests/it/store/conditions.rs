//! Conditions of days as they are kept, chunks that are cut, and chunks that are called off.

use std::time::Duration;

use common::chunk::ChunkId;
use common::store::cut::Cut;
use common::store::{Claim, Store, StoreError};
use common::time::{Day, Nanos};
use common::vendor::{Condition, DayCondition};

use super::ground::{NOW, after, claim, claim_at, january, planned, request, submit};

on_every_engine! {
    the_latest_answer_about_a_day_is_kept
    a_jobs_flagged_days_are_those_of_its_days
    a_claimed_chunk_is_cut_at_a_midnight_and_both_parts_are_counted_anew
    a_cut_is_fenced_and_leaves_no_part_without_days
    what_is_called_off_counts_for_nothing_and_is_planned_anew
}

fn day(number: u32) -> Day {
    january(number, number + 1).start()
}

fn condition(number: u32, condition: Condition) -> DayCondition {
    DayCondition {
        day: day(number),
        condition,
        last_modified: Some(day(20)).filter(|_| condition == Condition::Degraded),
    }
}

async fn the_latest_answer_about_a_day_is_kept(store: &Store) {
    let (dataset, week) = ("GLBX.MDP3", january(2, 9));
    let first = [
        condition(2, Condition::Available),
        condition(3, Condition::Degraded),
        condition(4, Condition::Pending),
    ];
    store
        .note_conditions(dataset, week, &first, NOW)
        .await
        .unwrap();
    store
        .note_conditions("XNAS.ITCH", week, &first[..1], NOW)
        .await
        .unwrap();
    assert_eq!(store.conditions(dataset, week).await.unwrap(), first);

    // A later answer about some of the days, which doesn't name one of them any more.
    let later = [condition(4, Condition::Missing)];
    let some = january(3, 5);
    store
        .note_conditions(dataset, some, &later, after(9))
        .await
        .unwrap();
    let kept = [first[0], later[0]];
    assert_eq!(store.conditions(dataset, week).await.unwrap(), kept);

    // What was asked before that and comes late.
    store
        .note_conditions(dataset, some, &first[1..], after(5))
        .await
        .unwrap();
    let found = store.conditions(dataset, some).await.unwrap();
    assert_eq!(found, [first[1], later[0]]);
    assert_eq!(
        store.conditions("XNAS.ITCH", week).await.unwrap(),
        first[..1]
    );
}

async fn a_jobs_flagged_days_are_those_of_its_days(store: &Store) {
    let mut asked = request("one");
    asked.days = january(3, 6);
    let (job, _) = submit(store, &asked, 1).await;
    assert_eq!(store.flagged_days(job).await.unwrap(), []);
    let answer = [
        condition(2, Condition::Degraded),
        condition(3, Condition::Available),
        condition(4, Condition::Degraded),
        condition(5, Condition::Missing),
        condition(6, Condition::Pending),
    ];
    let noted = store.note_conditions("GLBX.MDP3", january(1, 9), &answer, NOW);
    noted.await.unwrap();
    assert_eq!(store.flagged_days(job).await.unwrap(), answer[2..4]);
}

/// A job of one chunk of these days, and its claim.
async fn claimed(store: &Store, first: u32, end: u32) -> Claim {
    let (request, chunks) = (request("one"), [planned(january(first, end))]);
    let submitted = store.submit(&request, "the vendor", &chunks, NOW);
    let job = submitted.await.unwrap().job;
    let due = store.due(job, 9, NOW).await.unwrap();
    claim(store, due[0]).await
}

fn cut_at(number: u32) -> Cut {
    Cut {
        at: day(number),
        why: "the licence ends there".to_owned(),
        second_due: Duration::from_secs(60),
    }
}

async fn due_at(store: &Store, seconds: u32, held: &Claim) -> Vec<ChunkId> {
    let due = store.due(held.chunk.job, 9, after(seconds)).await;
    due.unwrap()
}

async fn a_claimed_chunk_is_cut_at_a_midnight_and_both_parts_are_counted_anew(store: &Store) {
    let held = claimed(store, 2, 9).await;
    let before = store.job(held.chunk.job).await.unwrap().unwrap();
    assert_eq!(before.records.expected, 3);
    store.cut(&held, &cut_at(5), NOW).await.unwrap();

    let status = store.job(held.chunk.job).await.unwrap().unwrap();
    assert_eq!((status.chunks.total, status.chunks.pending), (2, 2));
    assert_eq!(status.records.expected, 0);
    assert_eq!(due_at(store, 59, &held).await, [held.chunk.id]);
    let first = claim(store, held.chunk.id).await;
    assert_eq!((first.chunk.days, first.epoch), (january(2, 5), 2));
    assert_eq!((first.chunk.expected, first.chunk.failures), (None, 0));
    assert_eq!((first.chunk.cost.0, first.chunk.billable_bytes), (0, 0));
    let due = due_at(store, 60, &held).await;
    let other = due.into_iter().find(|chunk| *chunk != held.chunk.id);
    let second = claim_at(store, other.unwrap(), after(60)).await.unwrap();
    assert_eq!(second.chunk.days, january(5, 9));
    assert_eq!(second.chunk.symbols, held.chunk.symbols);
    assert_eq!((second.chunk.expected, second.epoch), (None, 1));
    // Planned again it is as it was.
    let whole = store
        .outstanding(&request("one").fingerprint())
        .await
        .unwrap();
    assert_eq!(whole.len(), 2);
}

async fn a_cut_is_fenced_and_leaves_no_part_without_days(store: &Store) {
    let held = claimed(store, 2, 9).await;
    for number in [1, 2, 9, 10] {
        let refused = store.cut(&held, &cut_at(number), NOW).await;
        assert!(
            matches!(refused, Err(StoreError::Unreadable(_))),
            "{refused:?}"
        );
    }
    // Its lease ran out, and another has it.
    let other = claim_at(store, held.chunk.id, after(1_000)).await.unwrap();
    let refused = store.cut(&held, &cut_at(5), NOW).await;
    assert!(matches!(refused, Err(StoreError::Fenced(_))), "{refused:?}");
    assert_eq!(
        store
            .job(held.chunk.job)
            .await
            .unwrap()
            .unwrap()
            .chunks
            .total,
        1
    );
    let later: Nanos = after(1_001);
    store.cut(&other, &cut_at(5), later).await.unwrap();
}

async fn what_is_called_off_counts_for_nothing_and_is_planned_anew(store: &Store) {
    let held = claimed(store, 2, 3).await;
    let job = held.chunk.job;
    store
        .call_off(&held, "the vendor has no data of it", NOW)
        .await
        .unwrap();
    let again = store.call_off(&held, "twice", NOW).await;
    assert!(matches!(again, Err(StoreError::Fenced(_))), "{again:?}");
    let status = store.job(job).await.unwrap().unwrap();
    assert!(status.complete && status.state == "done", "{status:?}");
    assert_eq!(status.chunks.cancelled, 1);
    assert!(store.unfinished(job, 9).await.unwrap().is_empty());
    assert_eq!(
        store
            .outstanding(&request("one").fingerprint())
            .await
            .unwrap(),
        []
    );
    let anew = claimed(store, 2, 3).await;
    assert_ne!(anew.chunk.id, held.chunk.id);
}
