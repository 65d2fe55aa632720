//! Filters, limits, files, and what is said where something is missing.

use std::process::Stdio;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};

use super::{Cells, column, query, rolls, rows};
use crate::installation::{Installation, said};

async fn loaded() -> Installation {
    let installation = Installation::synthetic().await;
    let job = installation.job(rolls::JOB);
    installation.succeed(&["run", &job]).await;
    installation
}

#[tokio::test]
async fn filters_keep_what_they_say_and_nothing_else() {
    let installation = loaded().await;
    let all = rows(&installation, &["--schema", "trades", "-s", "ES.c.0"]).await;
    let number = |row: &Cells, name: &str| row[name].clone().unwrap().parse::<i64>().unwrap();
    let text = |row: &Cells, name: &str| row[name].clone().unwrap();
    let kept = |keep: &dyn Fn(&Cells) -> bool| {
        all.iter()
            .filter(|row| keep(row))
            .cloned()
            .collect::<Vec<_>>()
    };
    let median = number(&all[all.len() / 2], "size");
    let (from, to) = (text(&all[10], "ts_recv"), text(&all[20], "ts_recv"));
    let after = common::time::Nanos(common::time::Nanos::exact(&from).unwrap().0 + 1).to_string();
    for (arguments, expected) in [
        (vec!["--side", "A"], kept(&|row| text(row, "side") == "A")),
        (
            vec!["--side", "ask,bid"],
            kept(&|row| text(row, "side") != "N"),
        ),
        (
            vec!["--min-size", "3"],
            kept(&|row| number(row, "size") >= 3),
        ),
        (
            vec!["--min-size", "2", "--max-size", "5", "--side", "b"],
            kept(&|row| (2..=5).contains(&number(row, "size")) && text(row, "side") == "B"),
        ),
        (vec!["--max-size", "0"], Vec::new()),
        (vec!["--limit", "7"], all[..7].to_vec()),
        (vec!["--limit", "0"], Vec::new()),
        (vec!["--asset", "ES"], all.clone()),
        (vec!["--asset", "CL"], Vec::new()),
        (vec!["--exchange", "XCME", "--asset", "CL,ES"], all.clone()),
        // Both ends belong to the period: a day whole, an instant to its nanosecond.
        (
            vec!["--start-date", &from, "--end-date", &to],
            all[10..=20].to_vec(),
        ),
        (
            vec!["--start-date", &after, "--end-date", &to],
            all[11..=20].to_vec(),
        ),
        (
            vec!["--start-date", "2024-01-16", "--end-date", "2024-01-17"],
            kept(&|row| ["2024-01-16", "2024-01-17"].contains(&&text(row, "ts_recv")[..10])),
        ),
        (vec!["--end-date", "2024-01-14"], Vec::new()),
    ] {
        let arguments = [&["--schema", "trades", "-s", "ES.c.0"], &arguments[..]].concat();
        assert_eq!(
            rows(&installation, &arguments).await,
            expected,
            "{arguments:?} {median}"
        );
        let newest = [&arguments[..], &["--order", "desc"]].concat();
        if !arguments.contains(&"--limit") {
            let mut found = rows(&installation, &newest).await;
            found.reverse();
            assert_eq!(found, expected, "{newest:?}");
        }
    }
}

#[tokio::test]
async fn statistics_are_told_by_name_or_number_and_bars_by_their_size() {
    let installation = loaded().await;
    let by = async |kind: &str| {
        let arguments = [
            "--schema",
            "statistics",
            "-s",
            "CL.c.0",
            "--stat-type",
            kind,
        ];
        rows(&installation, &arguments).await
    };
    let settlements = by("settlement-price").await;
    assert!(!settlements.is_empty());
    assert!(
        column(&settlements, "stat_type")
            .iter()
            .all(|kind| kind == "3")
    );
    assert_eq!(by("3").await, settlements);
    assert_eq!(by("SETTLEMENT_PRICE").await, settlements);
    assert_eq!(
        by("3,open-interest").await.len(),
        settlements.len() + by("9").await.len()
    );

    let bars = rows(&installation, &["--schema", "ohlcv"]).await;
    assert_eq!(
        rows(&installation, &["--schema", "ohlcv", "--granularity", "1d"]).await,
        bars
    );
    assert_eq!(rows(&installation, &["--schema", "ohlcv-1d"]).await, bars);
    assert!(!bars.is_empty());
}

#[tokio::test]
async fn what_is_not_there_is_said_with_what_to_do() {
    let installation = Installation::synthetic().await;
    let refused = async |arguments: &[&str], parts: &[&str]| {
        let said = installation.run(&[&["query"], arguments].concat()).await;
        assert_eq!(said.code, Some(2), "{arguments:?}: {said:#?}");
        assert_eq!(said.stdout, "");
        for part in parts {
            assert!(
                said.stderr.contains(part),
                "{arguments:?}: {part}: {said:#?}"
            );
        }
    };
    let trades = ["--schema", "trades"];
    refused(&trades, &["there is no database yet", "scheduler run JOB"]).await;
    installation.succeed(&["migrate"]).await;
    refused(&trades, &["nothing of trades is held", "scheduler run JOB"]).await;
    let job = installation.job(rolls::JOB);
    installation.succeed(&["run", &job]).await;
    let schema = "--schema";
    refused(
        &[schema, "mbo"],
        &["nothing of mbo is held; there is definition, ohlcv-1d"],
    )
    .await;
    refused(&[schema, "tradse"], &["did you mean `trades`?"]).await;
    refused(
        &[schema, "trades", "-s", "ES.c.O"],
        &["near it: ES.c.0", "for example CL.c.0"],
    )
    .await;
    refused(
        &[schema, "trades", "--dataset", "GLBX.MDP4"],
        &["did you mean `GLBX.MDP3`?"],
    )
    .await;
    refused(&[schema, "ohlcv", "--side", "A"], &["ohlcv-1d has no side"]).await;
    refused(
        &[schema, "ohlcv", "--min-size", "1"],
        &["ohlcv-1d has no size"],
    )
    .await;
    refused(
        &[schema, "trades", "--stat-type", "3"],
        &["trades has no stat_type"],
    )
    .await;
    refused(
        &[schema, "trades", "--side", "X"],
        &["no side \"X\"", "write A (ask)"],
    )
    .await;
    refused(
        &[schema, "trades", "--granularity", "1m"],
        &["no granularity", "leave it out"],
    )
    .await;
    refused(
        &[schema, "ohlcv", "--granularity", "2m"],
        &["it has 1s, 1m, 1h, 1d"],
    )
    .await;
    refused(
        &[schema, "statistics", "--stat-type", "setlement"],
        &["settlement_price"],
    )
    .await;
    for of in ["trades", "definitions"] {
        let near = ["asset", "did you mean `ES`?"];
        refused(&[schema, of, "--asset", "ESS"], &near).await;
    }
    refused(
        &[schema, "trades", "--start-date", "yesterday"],
        &["write a day"],
    )
    .await;
    refused(
        &[schema, "trades", "--start-date", "2024-02-30"],
        &["write a day"],
    )
    .await;
    let backwards = ["--start-date", "2024-01-05", "--end-date", "2024-01-04"];
    refused(
        &[&trades[..], &backwards].concat(),
        &["ends before it begins"],
    )
    .await;
    refused(
        &[schema, "trades", "-s", "ALL_SYMBOLS,ES.c.0"],
        &["name it alone"],
    )
    .await;
    refused(
        &[schema, "trades", "-o", "absent/x.csv"],
        &["no such folder"],
    )
    .await;
    refused(&[schema, "trades", "-o", "."], &["this is a folder"]).await;

    // What is partly there is delivered, with a warning.
    let said = query(
        &installation,
        &["--schema", "trades", "-s", "ES.c.0,ES.c.9"],
        "csv",
    )
    .await;
    assert!(
        said.stderr
            .contains("warning: no such symbol is held: \"ES.c.9\""),
        "{said:#?}"
    );
    assert!(said.stdout.lines().count() > 100);
    let then = [
        "--schema",
        "trades",
        "-s",
        "ES.c.0",
        "--start-date",
        "2030-01-01",
    ];
    let said = query(&installation, &then, "csv").await;
    assert!(
        said.stderr
            .contains("ES.c.0: known, but nothing is held for this time"),
        "{said:#?}"
    );
    assert!(said.stderr.contains("0 rows in "), "{said:#?}");
}

#[tokio::test]
async fn a_file_is_written_whole_or_not_at_all() {
    let installation = loaded().await;
    let folder = installation.sandbox.path();
    let path = folder.join("rows.csv");
    let arguments = ["--schema", "trades", "-s", "ES.c.0"];
    let printed = query(&installation, &arguments, "csv").await;
    std::fs::write(&path, "what was there before").unwrap();
    let to_file = [&arguments[..], &["--output", "rows.csv"]].concat();
    let said = query(&installation, &to_file, "csv").await;
    assert_eq!(said.stdout, "");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), printed.stdout);
    let count = printed.stdout.lines().count() - 1;
    assert!(
        said.stderr
            .replace(',', "")
            .starts_with(&format!("{count} rows in ")),
        "{said:#?}"
    );

    // What fails on its way leaves what was there, and nothing beside it: here no file may be large.
    let whole =
        installation.command(&[&["query", "--output-format", "csv"], &to_file[..]].concat());
    let script = "trap '' XFSZ; ulimit -f 100; exec \"$0\" \"$@\"";
    let mut limited = tokio::process::Command::new("sh");
    limited
        .args(["-c", script])
        .arg(whole.as_std().get_program())
        .args(whole.as_std().get_args());
    limited.env_clear().current_dir(folder);
    for (name, value) in whole.as_std().get_envs() {
        limited.env(name, value.unwrap());
    }
    let failed = crate::installation::said(limited.output().await.unwrap());
    assert_eq!(failed.code, Some(1), "{failed:#?}");
    assert!(failed.stderr.contains("error: "), "{failed:#?}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), printed.stdout);
    let left = std::fs::read_dir(folder).unwrap();
    let names = left.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert_eq!(names.filter(|name| name.contains("partial")).count(), 0);
}

#[tokio::test]
async fn who_stops_reading_ends_it_quietly() {
    let installation = loaded().await;
    let arguments = ["query", "--schema", "trades", "--output-format", "ndjson"];
    let mut child = installation
        .command(&arguments)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let first = lines.next_line().await.unwrap().unwrap();
    drop(lines);
    serde_json::from_str::<Value>(&first).unwrap();
    let mut stderr = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut stderr)
        .await
        .unwrap();
    assert_eq!(child.wait().await.unwrap().code(), Some(0), "{stderr}");
    assert!(!stderr.contains("error"), "{stderr}");
}

#[tokio::test]
async fn ctrl_c_ends_it_quietly() {
    let installation = loaded().await;
    let arguments = ["query", "--schema", "trades", "--output-format", "json"];
    let mut child = installation.command(&arguments).spawn().unwrap();
    let mut stdout = child.stdout.take().unwrap();
    // It has begun, and nobody takes the rest for now: it is in the middle.
    let mut first = [0];
    stdout.read_exact(&mut first).await.unwrap();
    testkit::processes::signal("INT", &[child.id().unwrap()]);
    let mut rest = String::new();
    stdout.read_to_string(&mut rest).await.unwrap();
    let ended = said(child.wait_with_output().await.unwrap());
    assert_eq!(ended.code, Some(130), "{ended:#?}");
    assert_eq!(ended.stderr, "");
}
