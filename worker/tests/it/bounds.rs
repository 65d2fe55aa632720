//! Bounds: what the vendor has of a chunk is loaded now, the rest when it is there, and a known gap is
//! left out; from the simulated vendor to the tables.

use common::chunk::JobId;
use common::money::Usd;
use common::store::{JobStatus, PlannedChunk};
use common::time::{DayRange, Nanos};
use common::vendor::Condition;
use dbn::{SType, Schema};
use simulator::{Fault, FaultKind};
use testkit::engine::Engine;
use testkit::on_every_engine;

use crate::installation::{Installation, january, piece, request};

on_every_engine! {
    what_a_licence_covers_is_loaded_now_and_the_rest_day_by_day
    every_refusal_of_an_end_cuts_a_chunk_whether_it_is_counted_or_streamed
    a_chunk_of_which_no_whole_day_is_there_waits_as_it_is
    what_lies_before_a_schema_begins_is_called_off
    a_day_that_went_missing_is_left_out_and_never_taken_for_empty
    a_day_that_went_pending_waits_and_is_never_taken_for_empty
    a_session_that_is_lost_whole_is_no_empty_one
}

/// A week with a weekend in it, the 6th and 7th.
fn week() -> DayRange {
    january(3, 10)
}

/// Submits trades of the week as one chunk, counted or not.
async fn submit(installation: &Installation, counted: bool) -> JobId {
    let piece = piece(Schema::Trades, &["ES.c.0"], week());
    let planned = installation.plan(SType::Continuous, &piece).await;
    let planned = match counted {
        true => planned,
        false => PlannedChunk {
            records: None,
            billable_bytes: 0,
            cost: Usd(0),
            ..planned
        },
    };
    let request = request("job", SType::Continuous, week());
    installation.submit_planned(&request, &[planned]).await
}

/// Records of the week by the undisturbed vendor's count.
async fn records(installation: &Installation, days: DayRange) -> u64 {
    let piece = piece(Schema::Trades, &["ES.c.0"], days);
    let planned = installation.plan(SType::Continuous, &piece).await;
    planned.records.unwrap()
}

async fn status(installation: &Installation, job: JobId) -> JobStatus {
    let status = installation.environment.store.job(job).await.unwrap();
    status.unwrap()
}

/// The days of chunks by state, with what their error says.
async fn days(installation: &Installation, state: &str) -> Vec<String> {
    let columns = "SELECT start_ns || ' ' || end_ns FROM chunks";
    let mut found = Vec::new();
    for offset in 0..installation.chunks(state).await {
        let sql =
            format!("{columns} WHERE state = '{state}' ORDER BY start_ns LIMIT 1 OFFSET {offset}");
        let text = installation.text(&sql).await;
        let ends: Vec<_> = text.split(' ').collect();
        let day = |text: &str| Nanos(text.parse().unwrap()).day();
        found.push(
            DayRange::new(day(ends[0]), day(ends[1]))
                .unwrap()
                .to_string(),
        );
    }
    found
}

async fn make_due(installation: &Installation) {
    let sql = "UPDATE chunks SET due_at = 0 WHERE state = 'pending'";
    installation.execute(sql).await;
}

async fn what_a_licence_covers_is_loaded_now_and_the_rest_day_by_day(engine: &Engine) {
    let mut installation = Installation::synthetic(engine).await;
    let all = records(&installation, week()).await;
    let first = records(&installation, january(3, 5)).await;
    let job = submit(&installation, true).await;
    let licence = |until| {
        let fault = Fault::day(FaultKind::Licence, until);
        fault.on_path("timeseries.get_range")
    };
    installation.simulator.add_fault(licence("2024-01-05"));

    installation.work_off(job).await;
    assert_eq!(
        days(&installation, "done").await,
        ["2024-01-03..2024-01-05"]
    );
    assert_eq!(
        days(&installation, "pending").await,
        ["2024-01-05..2024-01-10"]
    );
    let now = status(&installation, job).await;
    assert_eq!(
        (now.chunks.total, now.chunks.done, now.chunks.pending),
        (2, 1, 1)
    );
    assert_eq!((now.records.expected, now.records.loaded), (first, first));
    assert!(!now.complete);
    let sql = "SELECT failures FROM chunks WHERE state = 'pending'";
    assert_eq!(installation.number(sql).await, 0);
    let sql = "SELECT due_at FROM chunks WHERE state = 'pending'";
    let due = Nanos(installation.number(sql).await);
    assert!(
        due.seconds_since(Nanos::now()) > 86_000.0,
        "in a day: {due}"
    );
    let sql = "SELECT error FROM chunks WHERE state = 'pending'";
    let why = installation.text(sql).await;
    assert!(why.contains("license is required"), "{why}");

    // A day later.
    installation.simulator.clear_faults();
    installation.simulator.add_fault(licence("2024-01-06"));
    make_due(&installation).await;
    installation.work_off(job).await;
    assert_eq!(
        days(&installation, "done").await,
        ["2024-01-03..2024-01-05", "2024-01-05..2024-01-06"]
    );
    assert_eq!(
        days(&installation, "pending").await,
        ["2024-01-06..2024-01-10"]
    );

    installation.simulator.clear_faults();
    make_due(&installation).await;
    installation.work_off(job).await;
    let end = status(&installation, job).await;
    assert!(end.complete, "{end:?}");
    assert_eq!((end.records.expected, end.records.loaded), (all, all));
    let rows = installation
        .number("SELECT count(*) FROM trades_data")
        .await;
    assert_eq!(u64::try_from(rows), Ok(all));
    // What was refused cost nothing, and nothing was paid twice.
    let billed: u64 = installation
        .data_requests()
        .iter()
        .map(|request| request.bytes)
        .sum();
    assert!(
        end.bytes_received <= billed && end.bytes_received == all * 48,
        "{end:?}"
    );
}

async fn every_refusal_of_an_end_cuts_a_chunk_whether_it_is_counted_or_streamed(engine: &Engine) {
    for kind in [
        FaultKind::Licence,
        FaultKind::UnavailableRange,
        FaultKind::SchemaEnds,
    ] {
        for counted in [true, false] {
            let mut installation = Installation::synthetic(engine).await;
            let job = submit(&installation, counted).await;
            installation
                .simulator
                .add_fault(Fault::day(kind, "2024-01-05"));
            installation.work_off(job).await;
            assert_eq!(
                days(&installation, "done").await,
                ["2024-01-03..2024-01-05"],
                "{kind}"
            );
            assert_eq!(
                days(&installation, "pending").await,
                ["2024-01-05..2024-01-10"],
                "{kind}"
            );
        }
    }
}

async fn a_chunk_of_which_no_whole_day_is_there_waits_as_it_is(engine: &Engine) {
    let mut installation = Installation::synthetic(engine).await;
    let job = submit(&installation, true).await;
    installation
        .simulator
        .add_fault(Fault::day(FaultKind::Licence, "2024-01-03"));
    installation.work_off(job).await;
    assert_eq!(
        days(&installation, "pending").await,
        ["2024-01-03..2024-01-10"]
    );
    assert_eq!(status(&installation, job).await.chunks.total, 1);
}

async fn what_lies_before_a_schema_begins_is_called_off(engine: &Engine) {
    let mut installation = Installation::synthetic(engine).await;
    let rest = records(&installation, january(5, 10)).await;
    let job = submit(&installation, true).await;
    installation
        .simulator
        .add_fault(Fault::day(FaultKind::SchemaBegins, "2024-01-05"));
    installation.work_off(job).await;
    assert_eq!(
        days(&installation, "cancelled").await,
        ["2024-01-03..2024-01-05"]
    );
    assert_eq!(
        days(&installation, "done").await,
        ["2024-01-05..2024-01-10"]
    );
    let end = status(&installation, job).await;
    assert!(end.complete, "{end:?}");
    assert_eq!(end.records.loaded, rest);
}

/// The vendor has lost all of the week's days but the weekend, with the session of Sunday evening.
fn lose_days(installation: &Installation, kind: FaultKind) {
    for day in ["03", "04", "05", "08", "09"] {
        let fault = Fault::day(kind, format!("2024-01-{day}"));
        installation.simulator.add_fault(fault);
    }
}

const LOST: [&str; 5] = [
    "2024-01-03..2024-01-04",
    "2024-01-04..2024-01-05",
    "2024-01-05..2024-01-06",
    "2024-01-08..2024-01-09",
    "2024-01-09..2024-01-10",
];

async fn a_day_that_went_missing_is_left_out_and_never_taken_for_empty(engine: &Engine) {
    for counted in [true, false] {
        let mut installation = Installation::synthetic(engine).await;
        let all = records(&installation, week()).await;
        let weekend = records(&installation, january(6, 8)).await;
        let job = submit(&installation, counted).await;
        lose_days(&installation, FaultKind::Missing);
        installation.work_off(job).await;
        assert_eq!(days(&installation, "cancelled").await, LOST);
        assert_eq!(
            days(&installation, "done").await,
            ["2024-01-06..2024-01-08"]
        );
        let end = status(&installation, job).await;
        assert!(end.complete && end.chunks.total == 6, "{end:?}");
        assert_eq!(end.records.loaded, weekend);
        let store = &installation.environment.store;
        let flagged = store.flagged_days(job).await.unwrap();
        assert!(
            flagged.iter().all(|of| of.condition == Condition::Missing),
            "{flagged:?}"
        );
        assert_eq!(flagged.len(), 5);

        // The vendor has them after all: they are planned and loaded as if for the first time.
        installation.simulator.clear_faults();
        let mut anew = Vec::new();
        for days in [january(3, 6), january(8, 10)] {
            let piece = piece(Schema::Trades, &["ES.c.0"], days);
            anew.push(installation.plan(SType::Continuous, &piece).await);
        }
        let request = request("job", SType::Continuous, week());
        assert_eq!(installation.submit_planned(&request, &anew).await, job);
        installation.work_off(job).await;
        let end = status(&installation, job).await;
        assert!(end.complete, "{end:?}");
        assert_eq!((end.records.expected, end.records.loaded), (all, all));
    }
}

async fn a_day_that_went_pending_waits_and_is_never_taken_for_empty(engine: &Engine) {
    for counted in [true, false] {
        let mut installation = Installation::synthetic(engine).await;
        let all = records(&installation, week()).await;
        let job = submit(&installation, counted).await;
        lose_days(&installation, FaultKind::Pending);
        installation.work_off(job).await;
        assert_eq!(days(&installation, "pending").await, LOST);
        assert_eq!(
            days(&installation, "done").await,
            ["2024-01-06..2024-01-08"]
        );
        let why = "SELECT error FROM chunks WHERE state = 'pending' ORDER BY start_ns LIMIT 1";
        let why = installation.text(why).await;
        assert!(why.contains("2024-01-03 is pending"), "{why}");

        installation.simulator.clear_faults();
        make_due(&installation).await;
        installation.work_off(job).await;
        let end = status(&installation, job).await;
        assert!(end.complete, "{end:?}");
        assert_eq!((end.records.expected, end.records.loaded), (all, all));
    }
}

async fn a_session_that_is_lost_whole_is_no_empty_one(engine: &Engine) {
    for kind in [FaultKind::Pending, FaultKind::Missing] {
        for counted in [true, false] {
            let mut installation = Installation::synthetic(engine).await;
            let one = piece(Schema::Trades, &["ES.c.0"], january(4, 5));
            let mut planned = installation.plan(SType::Continuous, &one).await;
            planned.records = planned.records.filter(|_| counted);
            let request = request("job", SType::Continuous, january(4, 5));
            let job = installation.submit_planned(&request, &[planned]).await;
            installation
                .simulator
                .add_fault(Fault::day(kind, "2024-01-04"));
            installation.work_off(job).await;
            let state = if kind == FaultKind::Pending {
                "pending"
            } else {
                "cancelled"
            };
            assert_eq!(
                days(&installation, state).await,
                ["2024-01-04..2024-01-05"],
                "{kind}"
            );
            assert_eq!(
                installation.number("SELECT count(*) FROM coverage").await,
                0
            );
            assert_eq!(
                installation
                    .number("SELECT count(*) FROM archive_objects")
                    .await,
                0
            );
        }
    }
}
