//! Quarantine and replay: what a chunk has is swapped whole, or stays as it is.

use common::archive::Manifest;
use common::chunk::ChunkId;
use common::quality::{RuleFailures, Severity};
use common::request::Symbols;
use common::store::replay::ReplayScope;
use common::store::rows::ColumnValues;
use common::store::{Claim, Held, Load, Loaded, QuarantineFilter, Replayable, Store, StoreError};

use super::ground::{
    CL, ES, NOW, claim, january, loaded, one_claim, picture, planned, quarantined, request, rows,
    slices, stored, submit, trades,
};

on_every_engine! {
    quarantined_records_come_with_the_load_and_are_found
    a_replay_swaps_rows_quarantine_and_counts
    a_replay_that_is_dropped_leaves_all_as_it_was
    of_two_replays_of_one_chunk_one_is_fenced
    a_replay_finds_the_rows_of_every_instrument
    a_replay_finds_rows_whose_time_is_not_their_index_time
    a_replay_is_refused_when_the_table_is_not_as_the_ledger_says
    a_rehearsal_tells_every_difference_and_changes_nothing
    a_rehearsal_of_the_same_rows_tells_none
    a_dead_chunk_can_be_replayed
    only_chunks_with_an_archived_stream_are_replayable
}

fn failed(rule: &str, severity: Severity, records: u64) -> RuleFailures {
    RuleFailures {
        rule: rule.to_owned(),
        severity,
        records,
    }
}

/// What a load of four rows, with two records in the quarantine, comes to.
fn with_quarantine(claim: &Claim) -> Loaded {
    Loaded {
        fetched: 6,
        quarantined: 2,
        failures: vec![
            failed("size_positive", Severity::Error, 2),
            failed("bid_not_above_ask", Severity::Warning, 3),
        ],
        ..loaded(claim, 4)
    }
}

async fn fill(load: &mut Load, claim: &Claim, count: u32, held_back: i64) {
    let start = claim.chunk.days.span().start;
    load.insert(&rows(ES, start, count)).await.unwrap();
    load.quarantine(&quarantined(held_back), NOW).await.unwrap();
}

/// A chunk with four rows and two records in the quarantine.
async fn done(store: &Store) -> Claim {
    let claim = one_claim(store).await;
    let mut load = store.begin_load(&claim, &trades()).await.unwrap();
    fill(&mut load, &claim, 4, 2).await;
    load.commit(&with_quarantine(&claim), NOW).await.unwrap();
    claim
}

fn manifest(claim: &Claim) -> Manifest {
    Manifest {
        key: "an object".to_owned(),
        origin: super::ground::ORIGIN.to_owned(),
        request: claim.chunk.range_request(),
        bytes: 1,
        records: 6,
        billable_bytes: 288,
        sha256: "0".to_owned(),
        first_index_time: None,
        last_index_time: None,
        fetched_at: NOW,
        parts: Vec::new(),
        revision: 1,
        conditions: Vec::new(),
    }
}

async fn replayable(store: &Store, claim: &Claim) -> Replayable {
    let (job, all) = (claim.chunk.job, ReplayScope::All);
    let mut found = store.replayable(job, all, ChunkId(0), 10).await.unwrap();
    assert_eq!(found.len(), 1);
    found.pop().unwrap()
}

async fn quarantined_records_come_with_the_load_and_are_found(store: &Store) {
    let claim = done(store).await;
    let find = async |filter: QuarantineFilter| store.quarantined(&filter, 10).await.unwrap();
    let all = find(QuarantineFilter::default()).await;
    assert_eq!(all.len(), 2);
    let first = &all[0];
    assert_eq!((first.chunk, first.record_number), (claim.chunk.id, 100));
    assert_eq!(
        (first.job_name.as_str(), first.schema.as_str()),
        ("one", "trades")
    );
    assert_eq!(
        (first.rule.as_str(), first.severity),
        ("size_positive", Severity::Error)
    );
    assert_eq!(
        first.failed,
        serde_json::json!(["size_positive", "side_known"])
    );
    assert_eq!(first.record, serde_json::json!({"number": 100}));
    assert_eq!(
        first.rules_version,
        trades().version(&claim.chunk.quality.rules)
    );
    let by = |rule: &str, job: &str| QuarantineFilter {
        rule: Some(rule.to_owned()),
        job: Some(job.to_owned()),
        ..QuarantineFilter::default()
    };
    assert_eq!(find(by("side_known", "one")).await.len(), 2);
    assert_eq!(find(by("side_known", "another")).await.len(), 0);
    assert_eq!(find(by("price_present", "one")).await.len(), 0);
    let counts = store
        .quarantined_by_rule(&QuarantineFilter::default())
        .await
        .unwrap();
    let counts: Vec<_> = counts
        .iter()
        .map(|count| (count.rule.as_str(), count.records))
        .collect();
    assert_eq!(counts, [("side_known", 2), ("size_positive", 2)]);
    let failures = store.rule_failures(claim.chunk.job).await.unwrap();
    assert_eq!(failures.len(), 2);
}

async fn a_replay_swaps_rows_quarantine_and_counts(store: &Store) {
    let claim = done(store).await;
    let chunk = replayable(store, &claim).await;
    let mut load = store.begin_replay(&chunk, &trades()).await.unwrap();
    fill(&mut load, &claim, 5, 1).await;
    let now = Loaded {
        fetched: 6,
        quarantined: 1,
        failures: vec![failed("size_positive", Severity::Error, 1)],
        ..loaded(&claim, 5)
    };
    load.commit(&now, NOW).await.unwrap();
    assert_eq!(stored(store).await.len(), 5);
    let everything = QuarantineFilter::default();
    assert_eq!(store.quarantined(&everything, 10).await.unwrap().len(), 1);
    assert_eq!(store.rule_failures(claim.chunk.job).await.unwrap().len(), 1);
    assert_eq!(slices(store).await.len(), 1);
    let status = store.job(claim.chunk.job).await.unwrap().unwrap();
    assert_eq!((status.records.loaded, status.records.quarantined), (5, 1));
    assert!(status.complete);
    let after = replayable(store, &claim).await;
    assert_eq!(after.claim.epoch, claim.epoch + 1);
}

async fn a_replay_that_is_dropped_leaves_all_as_it_was(store: &Store) {
    let claim = done(store).await;
    let before = picture(store).await;
    let chunk = replayable(store, &claim).await;
    let mut load = store.begin_replay(&chunk, &trades()).await.unwrap();
    fill(&mut load, &claim, 5, 1).await;
    drop(load);
    assert_eq!(picture(store).await, before);
    // What does not add up is as good as dropped.
    let mut load = store.begin_replay(&chunk, &trades()).await.unwrap();
    fill(&mut load, &claim, 5, 1).await;
    let refused = load.commit(&loaded(&claim, 5), NOW).await;
    assert!(matches!(refused, Err(StoreError::Accounts(_))));
    assert_eq!(picture(store).await, before);
}

async fn of_two_replays_of_one_chunk_one_is_fenced(store: &Store) {
    let claim = done(store).await;
    let chunk = replayable(store, &claim).await;
    let mut load = store.begin_replay(&chunk, &trades()).await.unwrap();
    fill(&mut load, &claim, 4, 2).await;
    load.commit(&with_quarantine(&claim), NOW).await.unwrap();
    let late = store.begin_replay(&chunk, &trades()).await;
    assert!(matches!(late, Err(StoreError::Fenced(_))));
    let late = store.begin_rehearsal(&chunk, &trades()).await;
    assert!(matches!(late, Err(StoreError::Fenced(_))));
}

async fn a_replay_finds_the_rows_of_every_instrument(store: &Store) {
    let mut planned = planned(january(1, 2));
    planned.symbols = Symbols::ALL;
    let mut all = request("all");
    all.symbols = Symbols::ALL;
    let job = store
        .submit(&all, super::ground::ORIGIN, &[planned], NOW)
        .await
        .unwrap()
        .job;
    let due = store.due(job, 10, NOW).await.unwrap();
    let claim = claim(store, due[0]).await;
    let start = claim.chunk.days.span().start;
    let every = Held {
        instrument_id: None,
        span: claim.chunk.days.span(),
    };
    let mut load = store.begin_load(&claim, &trades()).await.unwrap();
    for (instrument, first) in [(ES, 0), (CL, 3), (u32::MAX, 6)] {
        let mut block = rows(instrument, start, 3);
        block.record_numbers = (first..first + 3).collect();
        load.insert(&block).await.unwrap();
    }
    let everything = Loaded {
        slices: vec![every.into()],
        ..loaded(&claim, 9)
    };
    load.commit(&everything, NOW).await.unwrap();
    let chunk = replayable(store, &claim).await;
    let mut load = store.begin_replay(&chunk, &trades()).await.unwrap();
    load.insert(&rows(CL, start, 9)).await.unwrap();
    load.commit(&everything, NOW).await.unwrap();
    assert_eq!(stored(store).await.len(), 9);
}

async fn a_replay_finds_rows_whose_time_is_not_their_index_time(store: &Store) {
    let claim = one_claim(store).await;
    let outside = claim.chunk.days.span().end;
    let mut load = store.begin_load(&claim, &trades()).await.unwrap();
    load.insert(&rows(ES, outside, 3)).await.unwrap();
    load.commit(&loaded(&claim, 3), NOW).await.unwrap();
    let chunk = replayable(store, &claim).await;
    let mut load = store.begin_replay(&chunk, &trades()).await.unwrap();
    load.insert(&rows(ES, outside, 3)).await.unwrap();
    load.commit(&loaded(&claim, 3), NOW).await.unwrap();
    assert_eq!(stored(store).await.len(), 3);
    let chunk = replayable(store, &claim).await;
    let mut rehearsal = store.begin_rehearsal(&chunk, &trades()).await.unwrap();
    rehearsal
        .as_mut()
        .insert(&rows(ES, outside, 3))
        .await
        .unwrap();
    let difference = rehearsal.compare(&loaded(&claim, 3)).await.unwrap();
    assert!(difference.is_nothing(), "{difference:?}");
}

async fn a_replay_is_refused_when_the_table_is_not_as_the_ledger_says(store: &Store) {
    let claim = done(store).await;
    let before = picture(store).await;
    let mut chunk = replayable(store, &claim).await;
    chunk.loaded += 1;
    let refused = store.begin_replay(&chunk, &trades()).await;
    assert!(
        matches!(refused, Err(StoreError::Accounts(_))),
        "{refused:?}"
    );
    let refused = store.begin_rehearsal(&chunk, &trades()).await;
    assert!(
        matches!(refused, Err(StoreError::Accounts(_))),
        "{refused:?}"
    );
    assert_eq!(picture(store).await, before);
}

async fn a_rehearsal_tells_every_difference_and_changes_nothing(store: &Store) {
    let claim = done(store).await;
    let before = picture(store).await;
    let chunk = replayable(store, &claim).await;
    let mut rehearsal = store.begin_rehearsal(&chunk, &trades()).await.unwrap();
    // Record 0 leaves the table for the quarantine, record 100 the other way; two have new values.
    let mut block = rows(ES, claim.chunk.days.span().start, 4);
    block.record_numbers = vec![1, 2, 3, 100];
    let names = trades();
    let position = |name| {
        names
            .columns
            .iter()
            .position(|column| column.name == name)
            .unwrap()
    };
    block.columns[position("ts_recv")] = ColumnValues::Integers(
        (1..5)
            .map(|n| claim.chunk.days.span().start.0 + n)
            .collect(),
    );
    block.columns[position("price")] = ColumnValues::Integers(vec![-499_999_999, 7, 8, 9]);
    for name in [
        "publisher_id",
        "size",
        "flags",
        "depth",
        "ts_in_delta",
        "sequence",
    ] {
        block.columns[position(name)] = ColumnValues::Integers(vec![1, 2, 3, 4]);
    }
    rehearsal.as_mut().insert(&block).await.unwrap();
    let mut records = quarantined(2);
    records[0].record_number = 0;
    rehearsal.as_mut().quarantine(&records, NOW).await.unwrap();
    let now = Loaded {
        failures: vec![failed("size_positive", Severity::Warning, 5)],
        ..with_quarantine(&claim)
    };
    let difference = rehearsal.compare(&now).await.unwrap();
    assert_eq!((difference.rows_before, difference.rows_after), (4, 4));
    let moved = (difference.entered, difference.left, difference.changed);
    assert_eq!(moved, (Some(1), Some(1), Some(2)));
    let columns: Vec<_> = difference.columns.iter().collect();
    assert_eq!(columns.len(), 1, "{columns:?}");
    let (name, price) = columns[0];
    assert_eq!((name.as_str(), price.changed), ("price", 2));
    // As the table counts: in billionths, or in dollars.
    let examples = (
        price.example_before.as_deref(),
        price.example_after.as_deref(),
    );
    let either = [
        (Some("-499999998"), Some("7")),
        (Some("-0.499999998"), Some("0.000000007")),
    ];
    assert!(either.contains(&examples), "{examples:?}");
    let rule = &difference.rules["size_positive"];
    assert_eq!((rule.failing_before, rule.failing_after), (2, 5));
    assert_eq!(
        (rule.entered_quarantine, rule.left_quarantine),
        (Some(1), Some(1))
    );
    let severities = (rule.severity_before, rule.severity_after);
    assert_eq!(severities, (Some(Severity::Error), Some(Severity::Warning)));
    let gone = &difference.rules["bid_not_above_ask"];
    assert_eq!((gone.failing_before, gone.failing_after), (3, 0));
    assert_eq!(picture(store).await, before);
    // The connection is as good as before.
    let chunk = replayable(store, &claim).await;
    for _ in 0..6 {
        drop(store.begin_rehearsal(&chunk, &trades()).await.unwrap());
    }
}

async fn a_rehearsal_of_the_same_rows_tells_none(store: &Store) {
    let claim = done(store).await;
    let chunk = replayable(store, &claim).await;
    let mut rehearsal = store.begin_rehearsal(&chunk, &trades()).await.unwrap();
    fill(rehearsal.as_mut(), &claim, 4, 2).await;
    let difference = rehearsal.compare(&with_quarantine(&claim)).await.unwrap();
    assert!(difference.is_nothing(), "{difference:?}");
    assert_eq!(
        (difference.rows_before, difference.quarantined_before),
        (4, 2)
    );
}

async fn a_dead_chunk_can_be_replayed(store: &Store) {
    let claim = one_claim(store).await;
    let (job, all) = (claim.chunk.job, ReplayScope::All);
    store
        .record_archived(&claim, &manifest(&claim))
        .await
        .unwrap();
    store.give_up(&claim, "too many fail", NOW).await.unwrap();
    assert_eq!(
        store
            .replayable(job, all, ChunkId(0), 10)
            .await
            .unwrap()
            .len(),
        1
    );
    let chunk = replayable(store, &claim).await;
    let mut load = store.begin_replay(&chunk, &trades()).await.unwrap();
    fill(&mut load, &claim, 4, 2).await;
    load.commit(&with_quarantine(&claim), NOW).await.unwrap();
    let status = store.job(claim.chunk.job).await.unwrap().unwrap();
    assert_eq!((status.chunks.done, status.chunks.dead), (1, 0));
    assert!(status.complete);
}

async fn only_chunks_with_an_archived_stream_are_replayable(store: &Store) {
    let (job, chunks) = submit(store, &request("three"), 3).await;
    let held_by_others = claim(store, chunks[0]).await;
    let nothing = common::vendor::Resolution::default();
    store
        .settle_held(&held_by_others, &nothing, NOW)
        .await
        .unwrap();
    let _running = claim(store, chunks[1]).await;
    for scope in [ReplayScope::All, ReplayScope::Quarantined] {
        let found = store.replayable(job, scope, ChunkId(0), 10).await.unwrap();
        assert!(found.is_empty(), "{found:?}");
    }
}
