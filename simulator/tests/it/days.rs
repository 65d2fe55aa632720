//! Days that are revised, degraded, pending or missing.

use std::collections::HashMap;

use dbn::{OhlcvMsg, TradeMsg};
use simulator::{Fault, FaultKind, Simulator};

use crate::{
    ask::{self, count, glbx, range, records},
    wire::get,
};

const WEEK: (&str, &str) = ("2024-01-02", "2024-01-06");

async fn condition(simulator: &Simulator, date: &str) -> serde_json::Value {
    let target = format!(
        "/v0/metadata.get_dataset_condition?dataset=GLBX.MDP3&start_date={date}&end_date={date}"
    );
    get(simulator, &target).await.json()[0].clone()
}

fn trades_of(days: (&str, &str)) -> String {
    glbx("trades", "ESH4", "raw_symbol", days.0, days.1)
}

#[tokio::test]
async fn pending_and_missing_days_have_a_condition_and_no_records() {
    for (kind, name) in [
        (FaultKind::Pending, "pending"),
        (FaultKind::Missing, "missing"),
    ] {
        let simulator = ask::small().await;
        let week = count(&simulator, &trades_of(WEEK)).await;
        let day = count(&simulator, &trades_of(("2024-01-04", "2024-01-05"))).await;
        simulator.add_fault(Fault::day(kind, "2024-01-04"));
        assert_eq!(count(&simulator, &trades_of(WEEK)).await, week - day);
        assert_eq!(
            count(&simulator, &trades_of(("2024-01-04", "2024-01-05"))).await,
            0
        );
        let streamed: Vec<TradeMsg> = records(&simulator, &trades_of(WEEK)).await;
        assert_eq!(u64::try_from(streamed.len()).expect("few"), week - day);
        let told = condition(&simulator, "2024-01-04").await;
        assert_eq!(
            (&told["condition"], &told["last_modified_date"]),
            (&name.into(), &serde_json::Value::Null)
        );
        simulator.clear_faults();
        assert_eq!(count(&simulator, &trades_of(WEEK)).await, week);
    }
}

#[tokio::test]
async fn degraded_days_are_told_of_and_warned_of() {
    let simulator = ask::small().await;
    let before = count(&simulator, &trades_of(WEEK)).await;
    simulator.add_fault(Fault::day(FaultKind::Degraded, "2024-01-04"));
    assert_eq!(count(&simulator, &trades_of(WEEK)).await, before);
    assert_eq!(
        condition(&simulator, "2024-01-04").await["condition"],
        "degraded"
    );
    assert_eq!(
        condition(&simulator, "2024-01-05").await["condition"],
        "available"
    );
    let warning = range(&simulator, &trades_of(WEEK))
        .await
        .header("x-warning")
        .map(str::to_owned)
        .expect("a warning");
    let texts: Vec<String> = serde_json::from_str(&warning).expect("a list of texts");
    assert!(
        texts[0].ends_with("reduced quality: 2024-01-04 (degraded)."),
        "{}",
        texts[0]
    );
    assert_eq!(
        range(&simulator, &trades_of(("2024-01-05", "2024-01-06")))
            .await
            .header("x-warning"),
        None
    );
}

#[tokio::test]
async fn a_revised_day_keeps_its_trades_and_gains_some() {
    let simulator = ask::small().await;
    let before: Vec<TradeMsg> = records(&simulator, &trades_of(WEEK)).await;
    simulator.add_fault(Fault {
        modified: Some("2024-05-06".to_owned()),
        ..Fault::day(FaultKind::RevisedDay, "2024-01-04")
    });
    let after: Vec<TradeMsg> = records(&simulator, &trades_of(WEEK)).await;
    assert!(after.len() > before.len());
    assert_eq!(
        count(&simulator, &trades_of(WEEK)).await,
        u64::try_from(after.len()).expect("few")
    );
    let mut remaining: HashMap<TradeMsg, usize> = HashMap::new();
    after
        .into_iter()
        .for_each(|trade| *remaining.entry(trade).or_default() += 1);
    for trade in &before {
        let left = remaining
            .get_mut(trade)
            .filter(|left| **left > 0)
            .expect("no trade is lost");
        *left -= 1;
    }
    let told = condition(&simulator, "2024-01-04").await;
    assert_eq!(
        (&told["condition"], &told["last_modified_date"]),
        (&"available".into(), &"2024-05-06".into())
    );
}

#[tokio::test]
async fn the_other_schemas_of_a_revised_day_agree_with_its_trades() {
    let simulator = ask::small().await;
    simulator.add_fault(Fault::day(FaultKind::RevisedDay, "2024-01-04"));
    let day = ("2024-01-04", "2024-01-05");
    let trades: Vec<TradeMsg> = records(&simulator, &trades_of(day)).await;
    let bars: Vec<OhlcvMsg> = records(
        &simulator,
        &glbx("ohlcv-1d", "ESH4", "raw_symbol", day.0, day.1),
    )
    .await;
    assert_eq!(
        bars[0].volume,
        trades
            .iter()
            .map(|trade| u64::from(trade.size))
            .sum::<u64>()
    );
    for schema in ["tbbo", "mbp-1", "ohlcv-1s"] {
        let query = glbx(schema, "ESH4", "raw_symbol", day.0, day.1);
        let size = if schema == "ohlcv-1s" { 56 } else { 80 };
        let streamed = ask::record_bytes(&simulator, &query).await.len() / size;
        assert_eq!(
            count(&simulator, &query).await,
            u64::try_from(streamed).expect("few"),
            "{schema}"
        );
    }
}
