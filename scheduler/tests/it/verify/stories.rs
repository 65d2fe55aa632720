//! What verify finds: all well, a row that is lost, a symbol that is missing, queries that fail or never
//! end; and what is asked for of it.

use serde_json::json;
use testkit::engine::Engine;
use testkit::on_every_engine;

use super::{but, loaded, summary, verified};
use crate::installation::Installation;
use crate::quality::{JOB as TWO_SCHEMAS, assert_shows, json, stricter};

on_every_engine! {
    a_job_that_is_whole_passes_in_all_its_aspects
    a_lost_row_fails_integrity_by_the_check_that_found_it
    a_symbol_that_is_missing_is_named_with_what_loads_it
    a_query_that_fails_is_told_in_its_own_words
    a_query_and_a_check_that_never_end_are_ended
    an_installation_without_data_fails_availability_alone
}

async fn a_job_that_is_whole_passes_in_all_its_aspects(engine: &Engine) {
    let installation = loaded(engine).await;
    let (tables, requests) = (
        installation.tables().await,
        installation.simulator.requests().len(),
    );
    let said = installation.succeed(&["verify"]).await;
    assert_eq!(said.stderr, "");
    assert_shows(
        &said.stdout,
        &[
            "✓ data-availability      100.0  14 of 14 symbols by schema present",
            "✓ query-performance      100.0",
            "✓ data-integrity         100.0  0.000 % of records quarantined; 44 of 44 SQL checks passed",
            "✓ operational-stability  100.0",
            "score 100.0 of 100, by data-availability 0.35, query-performance 0.30",
            "verified: all targets are met\nkept as ",
        ],
    );
    let (_, document) = verified(&installation, &[], 0).await;
    assert_eq!(document["score"], 100.0);
    assert_eq!(document["availability"]["missing"], json!([]));
    // The weekend is known, and told.
    let gaps = document["availability"]["known_gaps"].as_object().unwrap();
    assert!(gaps.contains_key("no session, or no records"), "{gaps:?}");
    let queries = document["performance"]["queries"].as_array().unwrap();
    assert!(queries.len() >= 7 * 3, "{}", queries.len());
    let with_rows = queries.iter().filter(|run| run["rows"].as_u64() > Some(0));
    for run in with_rows {
        let (first, whole) = (&run["first_row_seconds"], &run["seconds"]);
        assert!(first.as_f64().unwrap() <= whole.as_f64().unwrap(), "{run}");
    }
    let schemas = [
        "trades",
        "mbp-1",
        "ohlcv-1m",
        "ohlcv-1d",
        "statistics",
        "definition",
        "status",
    ];
    for schema in schemas {
        let title = format!("GLBX.MDP3 {schema}: a day of one symbol");
        let run = queries.iter().find(|run| run["title"] == title.as_str());
        assert!(run.unwrap()["rows"].as_u64().unwrap() > 0, "{run:?}");
    }

    // Nothing was changed, and the vendor asked nothing.
    assert_eq!(installation.tables().await, tables);
    assert_eq!(installation.simulator.requests().len(), requests);

    // A job alone, and one aspect alone.
    let (_, document) = verified(
        &installation,
        &["verified", "--check", "data-availability"],
        0,
    )
    .await;
    assert_eq!(document["job"], json!({"id": 1, "name": "verified"}));
    assert_eq!(document["checks"].as_array().unwrap().len(), 1);
    assert_eq!(summary(&document, "data-availability")["share"], 1.0);
    assert_eq!(document["integrity"], json!(null));
}

async fn a_lost_row_fails_integrity_by_the_check_that_found_it(engine: &Engine) {
    let installation = loaded(engine).await;
    let lost = "DELETE FROM trades_data WHERE row_number = 0";
    installation.execute(lost).await;
    let only = ["--check", "data-integrity"];
    let (_, document) = verified(&installation, &only, 4).await;
    assert_eq!(but(&document, "passed"), ["rows_are_as_loaded"]);
    let said = installation
        .run(&["verify", "--check", "data-integrity"])
        .await;
    assert_eq!(said.code, Some(4));
    assert_shows(
        &said.stdout,
        &[
            "✗ data-integrity",
            "✗ rows_are_as_loaded: failed",
            "\"loaded_records\":",
            "= help: the tables were changed by something else",
            "not verified: a target is missed, or was not checked",
        ],
    );
    let said = installation
        .run(&["verify", "--check", "data-integrity", "--report-only"])
        .await;
    assert_eq!(said.code, Some(0));
    assert_shows(
        &said.stdout,
        &["✗ rows_are_as_loaded: failed", "not verified"],
    );
    let said = installation
        .run(&["verify", "--check", "data-integrity", "--verbose"])
        .await;
    assert_shows(&said.stdout, &["✓ slices_do_not_overlap: passed"]);
}

async fn a_symbol_that_is_missing_is_named_with_what_loads_it(engine: &Engine) {
    let installation = loaded(engine).await;
    let lost = "DELETE FROM coverage WHERE schema = 'trades' AND instrument_id IN (
        SELECT instrument_id FROM symbology WHERE symbol = 'CL.c.0')";
    installation.execute(lost).await;
    let dead = "UPDATE chunks SET state = 'dead', failures = 10, error = 'the vendor says no'
        WHERE schema = 'status' AND start_ns = (SELECT min(start_ns) FROM chunks)";
    installation.execute(dead).await;
    installation
        .execute("DELETE FROM coverage WHERE schema = 'status'")
        .await;
    let only = [
        "--check",
        "data-availability",
        "--check",
        "operational-stability",
    ];
    let (said, document) = verified(&installation, &only, 4).await;
    let availability = &document["availability"];
    assert_eq!(availability["symbols"], 14);
    assert_eq!(availability["symbols_present"], 11, "{}", said.stdout);
    let missing = availability["missing"].as_array().unwrap();
    let of_trades: Vec<_> = missing
        .iter()
        .filter(|of| of["schema"] == "trades")
        .collect();
    for of in &of_trades {
        assert_eq!(
            (&of["symbol"], &of["why"]),
            (&json!("CL.c.0"), &json!("not held"))
        );
    }
    assert_eq!(of_trades[0]["first_day"], "2024-01-04");
    assert_eq!(of_trades[0]["last_day"], "2024-01-05");
    assert!(
        missing.iter().any(|of| of["why"] == "failed"),
        "{missing:?}"
    );
    let load = availability["load"].as_array().unwrap();
    assert_eq!(load[0], "scheduler retry verified");
    assert!(
        load[1]
            .as_str()
            .unwrap()
            .ends_with("FILE, with the job file of verified")
    );
    let score = summary(&document, "data-availability")["score"]
        .as_f64()
        .unwrap();
    assert!(score > 50.0 && score < 100.0, "{score}");
    let stability = &document["stability"];
    assert_eq!(stability["dead"], 1);
    assert_eq!(stability["given_up"][0]["error"], "the vendor says no");
    let shares: f64 = document["checks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|report| report["share"].as_f64().unwrap())
        .sum();
    assert!((shares - 1.0).abs() < 1e-9);

    // A job that was called off asks for nothing.
    installation.succeed(&["cancel", "verified", "--yes"]).await;
    let (_, document) = verified(&installation, &["--check", "data-availability"], 4).await;
    assert_eq!(document["availability"]["symbols"], 0);
}

/// Puts something in the place of a market table.
async fn replace_trades(installation: &Installation, sqlite: &str, postgres: &str) {
    let script = match installation.database.url().starts_with("sqlite") {
        true => sqlite,
        false => postgres,
    };
    installation.database.execute_all(script).await;
}

async fn a_query_that_fails_is_told_in_its_own_words(engine: &Engine) {
    let installation = loaded(engine).await;
    replace_trades(
        &installation,
        "DROP TABLE trades_data",
        "DROP TABLE trades_data CASCADE",
    )
    .await;
    let only = ["--check", "query-performance"];
    let (_, document) = verified(&installation, &only, 4).await;
    let queries = document["performance"]["queries"].as_array().unwrap();
    let failed: Vec<_> = queries
        .iter()
        .filter(|run| run["passed"] == false)
        .collect();
    assert!(!failed.is_empty());
    for run in failed {
        assert!(
            run["title"].as_str().unwrap().contains(" trades: "),
            "{run}"
        );
        let error = run["error"].as_str().unwrap();
        assert!(error.starts_with("error: "), "{run}");
    }
    // The checks that read the table can't be run, and the others can.
    let (_, document) = verified(&installation, &["--check", "data-integrity"], 4).await;
    let not_checked = but(&document, "passed");
    assert!(
        not_checked.contains(&"rows_are_as_loaded"),
        "{not_checked:?}"
    );
    assert!(
        !not_checked.contains(&"chunk_counts_add_up"),
        "{not_checked:?}"
    );
    assert_eq!(but(&document, "not_checked").len() + not_checked.len(), 44);
}

async fn a_query_and_a_check_that_never_end_are_ended(engine: &Engine) {
    let installation = Installation::synthetic_on(engine).await;
    let job = installation.job(&TWO_SCHEMAS.replace("[trades, tbbo]", "[trades]"));
    installation.succeed(&["run", &job]).await;
    replace_trades(
        &installation,
        "ALTER TABLE trades_data RENAME TO held_trades;
         CREATE VIEW trades_data AS
         WITH RECURSIVE endless (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM endless)
         SELECT h.* FROM held_trades AS h CROSS JOIN endless WHERE x < 0;",
        "ALTER TABLE trades_data RENAME TO held_trades;
         CREATE VIEW trades_data AS SELECT * FROM held_trades WHERE pg_sleep(3600) IS NULL;",
    )
    .await;
    let limits = ["--query-limit-seconds", "1", "--check-limit-seconds", "1"];
    let (_, document) = verified(&installation, &limits, 4).await;
    for run in document["performance"]["queries"].as_array().unwrap() {
        assert_eq!(run["passed"], false);
        assert_eq!(run["error"], "took longer than 1 s, and was ended", "{run}");
    }
    assert_eq!(summary(&document, "query-performance")["verdict"], "missed");
    assert_eq!(summary(&document, "query-performance")["score"], 0.0);
    let ended = but(&document, "passed");
    assert!(ended.contains(&"rows_are_there_once"), "{ended:?}");
    assert!(!ended.contains(&"slices_do_not_overlap"), "{ended:?}");
    let checks = document["integrity"]["checks"].as_array().unwrap();
    for check in checks.iter().filter(|check| check["result"] != "passed") {
        assert_eq!(check["result"], "not_checked", "{check}");
        let help = check["help"].as_str().unwrap();
        assert!(help.contains("--check-limit-seconds"), "{help}");
    }
    // The server isn't left working for those who are gone.
    if !installation.database.url().starts_with("sqlite") {
        let sleeping = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'";
        while installation.database.scalar::<u64>(sleeping).await > 0 {
            tokio::task::yield_now().await;
        }
    }
}

async fn an_installation_without_data_fails_availability_alone(engine: &Engine) {
    let installation = Installation::synthetic_on(engine).await;
    installation.succeed(&["migrate"]).await;
    let (_, document) = verified(&installation, &[], 4).await;
    assert_eq!(summary(&document, "data-availability")["verdict"], "missed");
    assert_eq!(document["score"], 0.0);
    for other in [
        "query-performance",
        "data-integrity",
        "operational-stability",
    ] {
        let report = summary(&document, other);
        assert_eq!(report["verdict"], "not_checked");
        assert_eq!(report["share"], json!(null));
        assert_eq!(report["figure"], "nothing was asked for yet");
    }
    let said = installation.run(&["verify"]).await;
    assert_shows(
        &said.stdout,
        &[
            "✗ data-availability",
            "load it: scheduler demo",
            "load it: scheduler run JOB",
            "– data-integrity             –  not checked: nothing was asked for yet",
        ],
    );
}

#[tokio::test]
async fn a_rule_that_holds_back_more_than_one_percent_fails_integrity() {
    let installation = Installation::synthetic().await;
    let config = installation.config("trades", stricter);
    let job = installation.job(&format!("{TWO_SCHEMAS}max_quarantine_percent: 100\n"));
    installation
        .succeed(&["run", &job, "--config-dir", &config])
        .await;
    let said = installation
        .run(&["verify", "--check", "data-integrity", "--json"])
        .await;
    assert_eq!(said.code, Some(4), "{said:#?}");
    let document = json(&said);
    let rule = &document["integrity"]["rules"][0];
    assert_eq!(rule["rule"], "size_positive");
    assert_eq!(
        rule["records"],
        document["integrity"]["records_quarantined"]
    );
    assert_eq!(but(&document, "passed"), [""; 0]);
}
