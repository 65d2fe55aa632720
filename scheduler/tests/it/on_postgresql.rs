//! The main journeys on `PostgreSQL`, in one process and without Redis: the same as on `SQLite`.

use std::collections::BTreeSet;
use std::time::Duration;

use common::time::Nanos;
use serde_json::Value;
use simulator::Config;
use testkit::engine::Engine;
use testkit::processes;
use testkit::shared_data::shared_data;

use crate::crashes::{self, Moments, WRONG, stricter_book, wait_for_requests};
use crate::golden::{read_sample, samples};
use crate::installation::{Installation, said};
use crate::quality::{self, assert_shows, json, stricter};

const JOB: &str = "
name: journey
dataset: GLBX.MDP3
schemas: [trades, ohlcv-1d, definition]
symbols: [ES.c.0, CL.c.0]
stype_in: continuous
start: 2024-01-04
end: 2024-01-10
chunking: {days: 1}
";

/// Every view of an installation, as text.
async fn views(installation: &Installation) -> Vec<(String, Vec<String>)> {
    let mut views = Vec::new();
    for view in installation.database.views().await {
        // None of a job's chunks overlap here: whichever comes first, each holds the same.
        let rows = installation.database.rows(&view, &[]).await;
        views.push((view, rows));
    }
    views
}

#[tokio::test]
async fn a_job_is_planned_run_shown_and_not_paid_twice() {
    let Some(engine) = Engine::postgresql() else {
        return;
    };
    let installation = Installation::synthetic_on(&engine).await;
    let job = installation.job(JOB);
    installation.succeed(&["migrate"]).await;
    let said = installation.succeed(&["plan", &job, "--json"]).await;
    let plan: Value = json(&said);
    assert_eq!(installation.data_requests(), []);
    let said = installation.succeed(&["run", &job]).await;
    assert_shows(&said.stdout, &["journey is complete"]);
    let status = installation.status().await;
    assert_eq!(status["complete"], true, "{status}");
    assert_eq!(status["chunks"]["total"], plan["chunks"]);
    assert_eq!(status["bytes_received"], plan["bytes"]);
    assert_eq!(status["spent_usd"], plan["cost_usd"]);
    let (tables, requests) = (
        installation.tables().await,
        installation.data_requests().len(),
    );
    assert!(tables["trades_data"].rows > 0, "{tables:?}");

    let said = installation.succeed(&["run", &job]).await;
    assert_shows(&said.stdout, &["spent by this run: $0.00"]);
    assert_eq!(installation.data_requests().len(), requests);
    assert_eq!(installation.tables().await, tables);

    let twin = Installation::synthetic().await;
    twin.succeed(&["run", &twin.job(JOB)]).await;
    assert_eq!(views(&twin).await, views(&installation).await);
}

#[tokio::test]
async fn kills_at_random_moments_change_nothing() {
    let Some(engine) = Engine::postgresql() else {
        return;
    };
    let undisturbed = Installation::synthetic_on(&engine).await;
    let job = undisturbed.job(crashes::JOB);
    undisturbed.succeed(&["run", &job]).await;
    let expected = undisturbed.tables().await;
    let all_requests = undisturbed.simulator.requests().len();

    let seed = Nanos::now().0.unsigned_abs();
    println!("seed {seed}");
    let mut moments = Moments(seed);
    let installation = Installation::synthetic_on(&engine).await;
    let job = installation.job(crashes::JOB);
    // What a killed process held is waited for.
    let lease = ("BACKHAUL_LEASE_SECONDS", "1");
    for _ in 0..5 {
        let seen = installation.simulator.requests().len();
        let mut run = installation.command(&["run", &job]);
        let mut child = run.env(lease.0, lease.1).spawn().unwrap();
        let more = moments.next(u64::try_from(all_requests).unwrap());
        let more = usize::try_from(more).unwrap() / 2;
        wait_for_requests(&installation, &mut child, seen + more).await;
        tokio::time::sleep(Duration::from_micros(moments.next(5_000))).await;
        child.kill().await.unwrap();
    }
    let mut last = installation.command(&["run", &job]);
    let last = said(last.env(lease.0, lease.1).output().await.unwrap());
    assert_eq!(last.code, Some(0), "seed {seed}: {last:#?}");
    assert_eq!(installation.tables().await, expected, "seed {seed}");
    assert_eq!(installation.status().await["complete"], true);
}

#[tokio::test]
async fn a_terminated_run_hands_back_and_the_next_one_completes() {
    let Some(engine) = Engine::postgresql() else {
        return;
    };
    let installation = Installation::synthetic_on(&engine).await;
    let job = installation.job(crashes::JOB);
    let mut child = installation.spawn(&["run", &job]);
    while installation.data_requests().is_empty() && child.try_wait().unwrap().is_none() {
        tokio::task::yield_now().await;
    }
    processes::signal("TERM", &[child.id().unwrap()]);
    let first = said(child.wait_with_output().await.unwrap());
    assert!(matches!(first.code, Some(0 | 3)), "{first:?}");
    let status = installation.status().await;
    assert_eq!(status["chunks"]["running"], 0, "{status}");
    assert_eq!(status["chunks"]["dead"], 0, "{status}");
    // Within a lease: nobody waits for what was handed back.
    installation.succeed(&["run", &job]).await;
    assert_eq!(installation.status().await["complete"], true);
}

#[tokio::test]
async fn a_database_that_is_lost_is_loaded_from_the_archive_without_a_paid_request() {
    let Some(engine) = Engine::postgresql() else {
        return;
    };
    let mut installation = Installation::synthetic_on(&engine).await;
    let job = installation.job(JOB);
    installation.succeed(&["run", &job]).await;
    let expected = installation.tables().await;
    let requests = installation.data_requests().len();
    installation.database = engine.database(&installation.sandbox).await;
    installation.succeed(&["run", &job]).await;
    assert_eq!(installation.tables().await, expected);
    assert_eq!(installation.data_requests().len(), requests);
    assert_eq!(installation.status().await["spent_usd"], "0.00");
}

#[tokio::test]
async fn a_replay_is_shown_then_done_and_undone() {
    let Some(engine) = Engine::postgresql() else {
        return;
    };
    let installation = Installation::synthetic_on(&engine).await;
    let job = installation.job(&format!("{}max_quarantine_percent: 100\n", quality::JOB));
    installation.succeed(&["run", &job]).await;
    let before = installation.tables().await;
    let small = "SELECT count(*) FROM trades_data WHERE size <= 1";
    let small: u64 = installation.database.scalar(small).await;
    assert!(small > 0);
    let requests = installation.simulator.requests().len();
    let config = installation.config("trades", |text| {
        stricter(text).replace("{name: price}", "{name: price, scale: 0.5}")
    });
    let replay = ["replay", "quality", "--config-dir", &config];
    let said = installation
        .succeed(&[&replay[..], &["--dry-run", "--json"]].concat())
        .await;
    let trades = json(&said)["jobs"][0]["schemas"]["trades"].clone();
    assert_eq!(trades["left"], small);
    assert_eq!(trades["columns"]["price"]["changed"], trades["rows_after"]);
    assert_eq!(installation.tables().await, before);

    let said = installation.succeed(&replay).await;
    assert_shows(&said.stdout, &["swapped", "size_positive"]);
    let held_back = "SELECT count(*) FROM quarantine";
    assert_eq!(installation.database.scalar::<u64>(held_back).await, small);
    let said = installation.succeed(&["replay", &job]).await;
    assert_shows(&said.stdout, &["swapped"]);
    assert_eq!(installation.tables().await, before);
    assert_eq!(installation.simulator.requests().len(), requests);
}

#[tokio::test]
async fn replays_that_are_killed_leave_each_chunk_as_it_was_or_as_it_will_be() {
    let Some(engine) = Engine::postgresql() else {
        return;
    };
    let seed = Nanos::now().0.unsigned_abs();
    println!("seed {seed}");
    let mut moments = Moments(seed);
    let installation = Installation::synthetic_on(&engine).await;
    let file = installation.job(&format!("{}max_quarantine_percent: 100\n", crashes::JOB));
    let strict = installation.config("mbp-1", stricter_book);
    installation
        .succeed(&["run", &file, "--config-dir", &strict])
        .await;
    let expected = installation.tables().await;
    installation.succeed(&["replay", "crashes"]).await;
    assert_ne!(installation.tables().await, expected);
    let swapped = "SELECT coalesce(sum(epoch), 0) FROM chunks";
    for kill in 0..4 {
        let before: u64 = installation.database.scalar(swapped).await;
        let mut replay = vec!["replay", "crashes"];
        if kill % 2 == 0 {
            replay.extend(["--config-dir", &strict]);
        }
        let mut child = installation.spawn(&replay);
        let more = moments.next(8);
        while installation.database.scalar::<u64>(swapped).await < before + more
            && child.try_wait().unwrap().is_none()
        {
            tokio::task::yield_now().await;
        }
        tokio::time::sleep(Duration::from_micros(moments.next(20_000))).await;
        child.kill().await.unwrap();
        let wrong: u64 = installation.database.scalar(WRONG).await;
        assert_eq!(wrong, 0, "seed {seed}");
    }
    installation
        .succeed(&["replay", "crashes", "--config-dir", &strict])
        .await;
    assert_eq!(installation.tables().await, expected, "seed {seed}");
    assert_eq!(installation.status().await["complete"], true);
}

#[tokio::test]
async fn quarantined_records_are_listed_shown_and_decided_about_again() {
    let Some(engine) = Engine::postgresql() else {
        return;
    };
    let installation = Installation::synthetic_on(&engine).await;
    let config = installation.config("trades", stricter);
    let job = installation.job(&format!("{}max_quarantine_percent: 100\n", quality::JOB));
    installation
        .succeed(&["run", &job, "--config-dir", &config])
        .await;
    let held_back = "SELECT count(*) FROM quarantine";
    let held_back: u64 = installation.database.scalar(held_back).await;
    assert!(held_back > 10);
    let status = installation.status().await;
    assert_eq!(status["records"]["quarantined"], held_back);
    assert_eq!(status["rules"][0]["rule"], "size_positive");
    let listed = installation
        .succeed(&["quarantine", "list", "--limit", "5", "--json"])
        .await;
    let listed = json(&listed);
    assert_eq!(listed["rules"][0]["records"], held_back);
    let first = &listed["records"][0];
    assert_eq!(first["found"], "size = 1");
    let record = format!("{}:{}", first["chunk"], first["record_number"]);
    let said = installation.succeed(&["quarantine", "show", &record]).await;
    assert_shows(&said.stdout, &["size_positive", "\"size\": 1", ".dbn.zst"]);

    let requests = installation.simulator.requests().len();
    installation
        .succeed(&["quarantine", "retry", "quality"])
        .await;
    let said = installation.succeed(&["quarantine", "list"]).await;
    assert_eq!(said.stdout, "no quarantined records\n");
    assert_eq!(installation.simulator.requests().len(), requests);
}

#[tokio::test]
async fn real_records_of_each_schema_show_the_same_on_both_engines() {
    let Some(folder) = shared_data() else { return };
    let Some(postgresql) = Engine::postgresql() else {
        return;
    };
    let folder = folder.join("databento-samples");
    let mut shown = Vec::new();
    for engine in [&Engine::Sqlite, &postgresql] {
        let config = Config {
            data: Some(folder.clone()),
            ..Config::default()
        };
        let installation = Installation::with_on(engine, config).await;
        let mut schemas = BTreeSet::new();
        for path in samples(&folder) {
            let sample = read_sample(&path);
            if !schemas.insert(sample.schema) {
                continue;
            }
            let job = installation.job(&format!(
                "{{name: {0}, dataset: {1}, schemas: [{0}], symbols: ALL_SYMBOLS, \
                 start: {2}, end: {3}, chunking: {{days: 30}}}}",
                sample.schema,
                sample.dataset,
                sample.first_day,
                sample.last_day.plus(1)
            ));
            installation.succeed(&["run", &job]).await;
        }
        assert_eq!(schemas.len(), 17, "{schemas:?}");
        shown.push(views(&installation).await);
    }
    let [sqlite, postgresql] = &shown[..] else {
        panic!("two engines were asked");
    };
    assert_eq!(sqlite.len(), postgresql.len());
    for ((view, ours), (_, theirs)) in sqlite.iter().zip(postgresql) {
        let there_are_samples = !["cmbp_1", "tcbbo"].contains(&view.as_str());
        assert_eq!(ours.len() > 1, there_are_samples, "{view}");
        assert_eq!(ours.len(), theirs.len(), "{view}");
        let differing = ours
            .iter()
            .zip(theirs)
            .find(|(ours, theirs)| ours != theirs);
        assert_eq!(differing, None, "{view}");
    }
}
