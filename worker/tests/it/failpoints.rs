//! Attempts that fail at every named place: the tables come out the same, and nothing is paid twice.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use dbn::{SType, Schema};
use testkit::checksum::TableSum;
use testkit::engine::Engine;
use testkit::on_every_engine;
use worker::environment::Outcome;

use crate::installation::{Installation, Piece, january, outcomes, piece};

on_every_engine! {
    attempts_that_fail_twice_anywhere_change_nothing
    one_chunk_that_fails_twice_in_a_row_is_done_the_third_time
    a_panic_anywhere_changes_nothing
    failures_at_all_places_in_one_run_change_nothing
}

/// Every failpoint of the worker, in the order in which an attempt passes them.
const FAILPOINTS: [&str; 8] = [
    "claimed",
    "reserved",
    "part-durable",
    "before-manifest",
    "archived",
    "load-begun",
    "before-commit",
    "after-commit",
];

/// Those of an attempt at a stream that was cut.
pub const CUT_FAILPOINTS: [&str; 1] = ["part-kept"];

/// Those of a refresh.
pub const REFRESH_FAILPOINTS: [&str; 2] = ["refresh-fetched", "refresh-before-commit"];

/// Those of a replay.
pub const REPLAY_FAILPOINTS: [&str; 2] = ["replay-begun", "replay-before-commit"];

fn pieces() -> [Piece; 4] {
    let symbols = ["ES.c.0", "CL.c.0"];
    [
        piece(Schema::Trades, &symbols, january(4, 5)),
        piece(Schema::Trades, &symbols, january(5, 6)),
        piece(Schema::Tbbo, &symbols, january(4, 6)),
        piece(Schema::Definition, &symbols, january(4, 5)),
    ]
}

async fn undisturbed(engine: &Engine) -> BTreeMap<String, TableSum> {
    let mut installation = Installation::synthetic(engine).await;
    let job = installation
        .submit("job", SType::Continuous, &pieces())
        .await;
    let told = installation.work_off(job).await;
    let done = |outcome: &&Outcome| matches!(outcome, Outcome::Done { .. });
    assert!(outcomes(&told).iter().all(done), "{told:?}");
    let tables = installation.tables().await;
    let held: Vec<_> = tables.keys().map(String::as_str).collect();
    let wanted = [
        "coverage",
        "definitions_data",
        "rule_failures",
        "symbology",
        "tbbo_data",
        "trades_data",
    ];
    assert_eq!(held, wanted);
    tables
}

/// Works the job off with these failpoints on; `failures` attempts of all chunks together fail.
async fn disturbed(
    engine: &Engine,
    expected: &BTreeMap<String, TableSum>,
    set: &[(&str, &str)],
    failures: usize,
) {
    let mut installation = Installation::synthetic(engine).await;
    let job = installation
        .submit("job", SType::Continuous, &pieces())
        .await;
    for (name, action) in set {
        fail::cfg(*name, action).unwrap();
    }
    let told = installation.work_off(job).await;
    let outcomes = outcomes(&told);
    let failed = outcomes.iter().filter(|outcome| {
        // After the commit there is nothing left to try again.
        matches!(outcome, Outcome::Retry { .. } | Outcome::HandedBack)
    });
    assert_eq!(failed.count(), failures, "{set:?}: {outcomes:?}");
    assert_eq!(installation.chunks("done").await, 4, "{set:?}");
    assert_eq!(&installation.tables().await, expected, "{set:?}");
    // None of the places lies between a request's first byte and the archive: one request a chunk.
    assert_eq!(installation.data_requests().len(), 4, "{set:?}");
    assert_eq!(installation.parts(), 0, "{set:?}");
}

/// On `PostgreSQL` those that fail twice speak for it: every place costs a database.
#[tokio::test]
async fn an_attempt_that_fails_once_anywhere_changes_nothing() {
    let engine = Engine::Sqlite;
    let expected = undisturbed(&engine).await;
    for name in FAILPOINTS {
        disturbed(&engine, &expected, &[(name, "1*return")], 1).await;
    }
}

async fn attempts_that_fail_twice_anywhere_change_nothing(engine: &Engine) {
    let expected = undisturbed(engine).await;
    for name in FAILPOINTS {
        disturbed(engine, &expected, &[(name, "2*return")], 2).await;
    }
}

async fn one_chunk_that_fails_twice_in_a_row_is_done_the_third_time(engine: &Engine) {
    // What is archived is not archived again, and what is committed is done.
    for name in ["claimed", "reserved", "load-begun", "before-commit"] {
        let mut installation = Installation::synthetic(engine).await;
        let [first, ..] = pieces();
        let job = installation
            .submit("job", SType::Continuous, &[first])
            .await;
        fail::cfg(name, "2*return").unwrap();
        let told = installation.work_off(job).await;
        assert_eq!(outcomes(&told).len(), 3, "{name}: {told:?}");
        assert_eq!(installation.chunks("done").await, 1, "{name}");
        assert_eq!(installation.data_requests().len(), 1, "{name}");
        let epoch = installation.number("SELECT epoch FROM chunks").await;
        let failures = installation.number("SELECT failures FROM chunks").await;
        assert_eq!((epoch, failures), (3, 2), "{name}");
    }
}

async fn a_panic_anywhere_changes_nothing(engine: &Engine) {
    let expected = undisturbed(engine).await;
    for name in FAILPOINTS {
        disturbed(engine, &expected, &[(name, "1*panic")], 1).await;
    }
}

async fn failures_at_all_places_in_one_run_change_nothing(engine: &Engine) {
    let expected = undisturbed(engine).await;
    let returns = FAILPOINTS.map(|name| (name, "2*return"));
    disturbed(engine, &expected, &returns, 16).await;
    let panics = FAILPOINTS.map(|name| (name, "1*panic"));
    disturbed(engine, &expected, &panics, 8).await;
}

#[test]
fn every_failpoint_of_the_source_is_tested() {
    let mut found = BTreeSet::new();
    let mut left = vec![PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/src"))];
    while let Some(path) = left.pop() {
        if path.is_dir() {
            let entries = std::fs::read_dir(path).unwrap();
            left.extend(entries.map(|entry| entry.unwrap().path()));
            continue;
        }
        let text = std::fs::read_to_string(path).unwrap();
        for rest in text.split("fail_point!").skip(1) {
            found.insert(rest.split('"').nth(1).unwrap().to_owned());
        }
    }
    let tested = FAILPOINTS.iter().chain(&CUT_FAILPOINTS);
    let tested = tested.chain(&REPLAY_FAILPOINTS).chain(&REFRESH_FAILPOINTS);
    assert_eq!(found, tested.map(|name| (*name).to_owned()).collect());
}
