//! Replays as the data's owner meets them: shown first, then done, from the archive and for nothing.

use crate::installation::Installation;
use crate::quality::{JOB, assert_shows, json, number, stricter};

#[tokio::test]
async fn a_replay_is_first_shown_then_done_and_costs_nothing() {
    let installation = Installation::synthetic().await;
    let job = installation.job(&format!("{JOB}max_quarantine_percent: 100\n"));
    installation.succeed(&["run", &job]).await;
    let before = installation.tables().await;
    let small = number(
        &installation,
        "SELECT count(*) FROM trades_data WHERE size <= 1",
    )
    .await;
    let requests = installation.simulator.requests().len();
    let config = installation.config("trades", |text| {
        stricter(text).replace("{name: price}", "{name: price, scale: 0.5}")
    });

    let dry = ["replay", "quality", "--dry-run", "--config-dir", &config];
    let said = installation.succeed(&dry).await;
    assert_shows(
        &said.stdout,
        &[
            "without --dry-run",
            "trades.price",
            "size_positive",
            "$0.00",
        ],
    );
    let said = installation
        .succeed(&[&dry[..], &["--json"]].concat())
        .await;
    let trades = json(&said)["jobs"][0]["schemas"]["trades"].clone();
    assert_eq!(trades["left"], small);
    assert_eq!(
        trades["rules"]["size_positive"]["entered_quarantine"],
        small
    );
    assert_eq!(trades["columns"]["price"]["changed"], trades["rows_after"]);
    assert_eq!(installation.tables().await, before);

    let said = installation
        .succeed(&["replay", "1", "--config-dir", &config])
        .await;
    assert_shows(&said.stdout, &["swapped", "size_positive"]);
    // What is as it should be is left alone.
    let again = installation
        .succeed(&["replay", "1", "--config-dir", &config])
        .await;
    assert_shows(&again.stdout, &["4 chunks as they should be already"]);
    assert_eq!(
        number(&installation, "SELECT count(*) FROM quarantine").await,
        small
    );
    let said = installation.succeed(&dry).await;
    assert_shows(&said.stdout, &["a replay would change nothing in them"]);
    let said = installation.succeed(&["replay", &job]).await;
    assert_shows(&said.stdout, &["swapped"]);
    assert_eq!(installation.tables().await, before);
    assert_eq!(installation.simulator.requests().len(), requests);
    assert_eq!(installation.status().await["complete"], true);

    // A job file decides anew how much may be quarantined; a chunk above it stays as it is.
    let job = installation.job(JOB);
    let said = installation
        .run(&["replay", &job, "--config-dir", &config])
        .await;
    assert_eq!(said.code, Some(3), "{said:#?}");
    assert_shows(
        &said.stdout,
        &["stays as it is: chunk 1 trades", "at most 1 % may"],
    );
    assert_eq!(installation.tables().await, before);
}

#[tokio::test]
async fn a_replay_of_what_is_not_there_says_what_to_do() {
    let installation = Installation::synthetic().await;
    for arguments in [
        &["replay", "quality"][..],
        &["replay", "quality", "--dry-run"],
    ] {
        let said = installation.run(arguments).await;
        assert_eq!(said.code, Some(2));
        assert_shows(&said.stderr, &["no database yet", "scheduler run"]);
        assert!(!installation.sandbox.database().exists());
    }
}

#[tokio::test]
async fn a_replay_knows_the_rules_of_schemas_that_others_hold_and_tells_moves_and_severities() {
    let installation = Installation::synthetic().await;
    let job = installation.job(JOB);
    installation.succeed(&["run", &job]).await;
    // Another job, all of whose trades the first holds.
    let other = JOB
        .replace("name: quality", "name: other")
        .replace("[trades, tbbo]", "[trades, ohlcv-1d]");
    let other = installation.job(&format!("{other}rules: {{size_positive: off}}\n"));
    installation.succeed(&["run", &other]).await;
    let said = installation.succeed(&["replay", &other]).await;
    assert_shows(&said.stdout, &["other (2)"]);
    let changed = installation.config("tbbo", |text| {
        text.replace("severity: info", "severity: warning")
    });
    let dry = ["replay", "quality", "--dry-run", "--config-dir", &changed];
    let said = installation.succeed(&dry).await;
    assert_shows(&said.stdout, &["info → warning", "without --dry-run"]);
    let moved = installation.config("tbbo", |text| {
        text.replace("table: tbbo_data", "table: mbp_1_data")
    });
    let said = installation
        .succeed(&["replay", "quality", "--dry-run", "--config-dir", &moved])
        .await;
    assert_shows(
        &said.stdout,
        &["the rows would move from tbbo_data to mbp_1_data"],
    );
    installation
        .succeed(&["replay", "quality", "--config-dir", &moved])
        .await;
    let left = number(&installation, "SELECT count(*) FROM tbbo_data").await;
    let there = number(&installation, "SELECT count(*) FROM mbp_1_data").await;
    assert!(left == 0 && there > 0, "{left}, {there}");
    installation.succeed(&["replay", "quality"]).await;
    assert_eq!(
        number(&installation, "SELECT count(*) FROM tbbo_data").await,
        there
    );
}

#[tokio::test]
async fn a_table_that_is_not_as_the_ledger_says_concerns_its_chunk_alone() {
    let installation = Installation::synthetic().await;
    let job = installation.job(&format!("{JOB}max_quarantine_percent: 100\n"));
    installation.succeed(&["run", &job]).await;
    installation
        .execute("DELETE FROM trades_data WHERE chunk_id = 1 AND row_number = 0")
        .await;
    let config = installation.config("trades", stricter);
    let said = installation
        .run(&["replay", "quality", "--config-dir", &config])
        .await;
    assert_eq!(said.code, Some(3), "{said:#?}");
    assert_shows(
        &said.stdout,
        &[
            "1 chunk swapped; 2 chunks as they should be already; 1 chunk left",
            "chunk 1 trades",
            "the ledger counts",
        ],
    );
}
