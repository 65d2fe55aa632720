//! Every way to write a parameter.

use dbn::TradeMsg;

use crate::{
    ask::{self, count, glbx, records},
    wire::{get, post},
};

#[tokio::test]
async fn moments_of_every_form_select_the_same_records() {
    let simulator = ask::small().await;
    let expected = count(
        &simulator,
        &glbx(
            "trades",
            "ESH4",
            "raw_symbol",
            "2024-01-04T14:00",
            "2024-01-04T15:30",
        ),
    )
    .await;
    assert!(expected > 0);
    for (start, end) in [
        ("1704376800000000000", "1704382200000000000"),
        ("2024-01-04T14", "2024-01-04T15:30:00"),
        (
            "2024-01-04T14%3A00%3A00%2B00%3A00",
            "2024-01-04T16%3A30%3A00.000000%2B01%3A00",
        ),
        ("2024-01-04+14:00", "2024-01-04T10:30:00-05:00"),
        ("2024-01-04T14:00:00.000000000Z", "2024-01-04T15:30:00.0Z"),
    ] {
        let found = count(
            &simulator,
            &glbx("trades", "ESH4", "raw_symbol", start, end),
        )
        .await;
        assert_eq!(found, expected, "{start} to {end}");
    }
}

#[tokio::test]
async fn a_missing_end_is_a_unit_of_the_start_later() {
    let simulator = ask::small().await;
    for (start, end) in [
        ("2024-01-04", "2024-01-05"),
        ("2024-01-04T14", "2024-01-04T15"),
        ("2024-01-04T14:30", "2024-01-04T14:31"),
        ("2024-01", "2024-02-01"),
    ] {
        let open = format!("dataset=GLBX.MDP3&schema=trades&symbols=ESH4&start={start}");
        let closed = glbx("trades", "ESH4", "raw_symbol", start, end);
        assert_eq!(
            count(&simulator, &open).await,
            count(&simulator, &closed).await,
            "{start}"
        );
    }
}

#[tokio::test]
async fn get_and_post_and_defaults_are_alike() {
    let simulator = ask::small().await;
    let form = "dataset=GLBX.MDP3&symbols=ESH4%2CESM4&start=2024-01-04";
    let posted = post(&simulator, "/v0/metadata.get_record_count", form)
        .await
        .text();
    let gotten = get(&simulator, &format!("/v0/metadata.get_record_count?{form}"))
        .await
        .text();
    assert_eq!(posted, gotten);
    let csv = post(&simulator, "/v0/timeseries.get_range", form).await;
    assert_eq!(csv.header("content-type"), Some("text/csv"));
    let lines = csv.text().lines().count();
    assert_eq!(
        (lines - 1).to_string(),
        gotten,
        "CSV is the default encoding"
    );
}

#[tokio::test]
async fn letter_case_of_symbols_and_flags_is_forgiven() {
    let simulator = ask::small().await;
    let expected = count(
        &simulator,
        &glbx("trades", "ES.c.0", "continuous", "2024-01-04", "2024-01-05"),
    )
    .await;
    for symbol in ["es.C.0", "ES.C.0", "es.c.0"] {
        let query = glbx("trades", symbol, "continuous", "2024-01-04", "2024-01-05");
        assert_eq!(count(&simulator, &query).await, expected, "{symbol}");
    }
    for flag in ["True", "true", "False", "false"] {
        let target = format!(
            "/v0/timeseries.get_range?dataset=GLBX.MDP3&symbols=ESH4&start=2024-01-04&\
             pretty_px={flag}"
        );
        assert_eq!(get(&simulator, &target).await.status, 200, "{flag}");
    }
}

#[tokio::test]
async fn a_limit_takes_the_first_records() {
    let simulator = ask::small().await;
    let query = glbx("trades", "ES.FUT", "parent", "2024-01-04", "2024-01-09");
    let all: Vec<TradeMsg> = records(&simulator, &query).await;
    let limited: Vec<TradeMsg> = records(&simulator, &format!("{query}&limit=100")).await;
    assert_eq!(limited, all[..100]);
    assert_eq!(count(&simulator, &format!("{query}&limit=100")).await, 100);
}

#[tokio::test]
async fn records_come_as_json_lines_too() {
    let simulator = ask::small().await;
    let target = "/v0/timeseries.get_range?dataset=GLBX.MDP3&symbols=ESH4&start=2024-01-04&\
                  encoding=json&limit=3";
    let answer = get(&simulator, target).await;
    let lines: Vec<serde_json::Value> = answer
        .text()
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    assert_eq!(lines.len(), 3);
    assert!(lines[0]["price"].is_string());
}
