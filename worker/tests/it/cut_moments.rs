//! Moments around a cut: processes that are stopped, lose their lease or fail while they keep what was
//! received; and a vendor whose records change meanwhile.

use std::collections::BTreeMap;

use common::time::Nanos;
use dbn::{SType, Schema};
use simulator::{Fault, FaultKind};
use testkit::checksum::TableSum;
use testkit::engine::Engine;
use tokio_util::sync::CancellationToken;
use worker::environment::Outcome;

use crate::cuts::{asked_from, cut, long_days, one_day, sent};
use crate::dbn_stream::{frame, header, trade};
use crate::failpoints::CUT_FAILPOINTS;
use crate::installation::{Installation, day, january, outcomes, piece, request};

const ENGINE: Engine = Engine::Sqlite;

/// What an undisturbed run holds, and the bytes that it took.
async fn undisturbed() -> (BTreeMap<String, TableSum>, u64) {
    let mut installation = long_days(&ENGINE, 3_000).await;
    let job = installation
        .submit("job", SType::Continuous, &one_day())
        .await;
    installation.work_off(job).await;
    (
        installation.tables().await,
        sent(&installation.data_requests()),
    )
}

/// Waits until bytes of a stream that stands still are in the archive's folder.
async fn received(installation: &Installation) {
    let folder = installation.sandbox.path().join("archive/parts");
    let bytes = || {
        let entries = std::fs::read_dir(&folder).into_iter().flatten().flatten();
        let lengths = entries.map(|entry| entry.metadata().map_or(0, |found| found.len()));
        lengths.sum::<u64>()
    };
    while bytes() == 0 || sent(&installation.data_requests()) == 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn work_that_is_stopped_keeps_what_was_received() {
    let (expected, _) = undisturbed().await;
    let mut installation = long_days(&ENGINE, 3_000).await;
    let job = installation
        .submit("job", SType::Continuous, &one_day())
        .await;
    cut(&installation, FaultKind::Stall);
    let mut environment = installation.environment.clone();
    environment.stop = CancellationToken::new();
    let stop = environment.stop.clone();
    let worked = Installation::work_once(environment, job);
    let stopped = async {
        received(&installation).await;
        stop.cancel();
    };
    tokio::join!(worked, stopped);
    installation.work_off(job).await;
    assert_eq!(installation.chunks("done").await, 1);
    assert_eq!(installation.tables().await, expected);
    assert_eq!(installation.parts(), 0);
}

#[tokio::test]
async fn work_that_is_let_go_keeps_what_was_received() {
    let (expected, _) = undisturbed().await;
    let mut installation = long_days(&ENGINE, 3_000).await;
    let job = installation
        .submit("job", SType::Continuous, &one_day())
        .await;
    cut(&installation, FaultKind::Stall);
    let claim = installation.claim(job).await;
    let environment = installation.environment.clone();
    let work = tokio::spawn(async move { worker::pipeline::run(&environment, &claim).await });
    received(&installation).await;
    // As the pool does when a lease is lost.
    work.abort();
    while installation.parts() > 0 {
        tokio::task::yield_now().await;
    }
    installation
        .execute("UPDATE chunks SET state = 'pending'")
        .await;
    installation.work_off(job).await;
    assert_eq!(installation.chunks("done").await, 1);
    assert_eq!(installation.tables().await, expected);
    assert_eq!(installation.data_requests().len(), 2);
}

#[tokio::test]
async fn attempts_that_fail_around_a_cut_once_or_twice_change_nothing() {
    let (expected, whole) = undisturbed().await;
    for name in CUT_FAILPOINTS
        .iter()
        .chain(&["part-durable", "before-manifest"])
    {
        for times in 1..=2 {
            let mut installation = long_days(&ENGINE, 3_000).await;
            let job = installation
                .submit("job", SType::Continuous, &one_day())
                .await;
            for _ in 0..times {
                cut(&installation, FaultKind::CutInRecord);
            }
            fail::cfg(*name, &format!("{times}*return")).unwrap();
            installation.work_off(job).await;
            assert_eq!(installation.chunks("done").await, 1, "{name}");
            assert_eq!(installation.tables().await, expected, "{name} {times}");
            let again = sent(&installation.data_requests()) - whole;
            assert!(again <= 6 * 80, "{name} {times}: {again} bytes again");
            assert_eq!(installation.parts(), 0, "{name}");
        }
    }
}

#[tokio::test]
async fn a_day_that_is_rewritten_between_two_attempts_is_fetched_anew() {
    let rewritten = || Fault::day(FaultKind::RevisedDay, "2024-01-04");
    let mut fresh = long_days(&ENGINE, 3_000).await;
    fresh.simulator.add_fault(rewritten());
    let job = fresh.submit("job", SType::Continuous, &one_day()).await;
    fresh.work_off(job).await;
    let expected = fresh.tables().await;
    drop(fresh);
    let mut installation = long_days(&ENGINE, 3_000).await;
    let job = installation
        .submit("job", SType::Continuous, &one_day())
        .await;
    cut(&installation, FaultKind::CutInRecord);
    Installation::work_once(installation.environment.clone(), job).await;
    installation.simulator.add_fault(rewritten());
    installation.work_off(job).await;
    assert_eq!(installation.chunks("done").await, 1);
    assert_eq!(installation.tables().await, expected);
}

/// Keeps a part by hand that the vendor's records don't go on from.
#[tokio::test]
async fn records_that_differ_from_those_that_are_kept_are_never_joined_to_them() {
    let (expected, _) = undisturbed().await;
    let mut installation = long_days(&ENGINE, 3_000).await;
    let pieces = [piece(Schema::Mbp1, &["ES.c.0"], january(4, 5))];
    let job = installation.submit("job", SType::Continuous, &pieces).await;
    let asked = installation.claim(job).await.chunk.range_request();
    installation
        .execute("UPDATE chunks SET state = 'pending'")
        .await;
    let objects = installation.environment.archive.objects();
    let stream = objects.stream(&asked, 1);
    let mut partial = objects.partial(&stream).unwrap();
    let mut other = dbn::Mbp1Msg::default();
    let rtype = dbn::RType::Mbp1 as u8;
    other.hd = dbn::RecordHeader::new::<dbn::Mbp1Msg>(rtype, 1, 7, 0);
    other.ts_recv = trade(1).ts_recv;
    let mut bytes = header(Schema::Mbp1, 3);
    bytes.extend_from_slice(other.as_ref());
    let mut receipt = objects.begin(&stream, &partial, "by hand").unwrap();
    receipt.write(&frame(&bytes)).unwrap();
    let at = Nanos(i64::try_from(other.ts_recv).unwrap());
    let facts = common::archive::StreamFacts {
        records: 1,
        billable_bytes: 80,
        index_times: Some((at, at)),
    };
    partial.parts.push(receipt.keep(facts, 0).unwrap());
    partial.tied = 1;
    objects.keep(&stream, &partial).unwrap();
    let told = installation.work_off(job).await;
    let outcomes = outcomes(&told);
    let [Outcome::Retry { error }, Outcome::Done { .. }] = &outcomes[..] else {
        panic!("{outcomes:?}");
    };
    assert!(error.contains("it is begun anew"), "{error}");
    assert_eq!(installation.tables().await, expected);
    let requests = installation.data_requests();
    assert_eq!(asked_from(&requests[0]), at);
    assert_eq!(asked_from(&requests[1]), day(1, 4).start());
}

#[tokio::test]
async fn a_stream_with_more_records_than_were_paid_for_is_paid_for_piece_by_piece() {
    let (expected, whole) = undisturbed().await;
    let mut installation = long_days(&ENGINE, 3_000).await;
    let [piece] = &one_day()[..] else { return };
    let mut planned = installation.plan(SType::Continuous, piece).await;
    let records = planned.records.unwrap();
    // The plan is old: the vendor has twice as many now.
    planned.records = Some(records / 2);
    planned.billable_bytes = records / 2 * 80;
    planned.cost = planned.cost.share(1, 2);
    let request = request("job", SType::Continuous, piece.days);
    let job = installation.submit_planned(&request, &[planned]).await;
    let told = installation.work_off(job).await;
    let outcomes = outcomes(&told);
    assert!(
        matches!(outcomes[..], [Outcome::Done { .. }]),
        "{outcomes:?}"
    );
    assert_eq!(installation.tables().await, expected);
    let spent = installation.number("SELECT count(*) FROM spend").await;
    assert_eq!(spent, 2);
    let reserved = installation
        .number("SELECT sum(reserved_nanousd) FROM spend")
        .await;
    let settled = installation
        .number("SELECT sum(settled_nanousd) FROM spend")
        .await;
    assert!(
        settled <= reserved + reserved / 2,
        "{settled} of {reserved}"
    );
    let bytes = installation.number("SELECT sum(bytes) FROM spend").await;
    assert!(bytes.unsigned_abs() < whole + 10 * 80, "{bytes} of {whole}");
}
