//! Symbols, their instruments and their days.

use std::collections::BTreeSet;

use dbn::{OhlcvMsg, Record, SymbolIndex, TradeMsg};
use serde_json::Value;
use simulator::Simulator;

use crate::{
    ask::{self, decoded, glbx},
    wire::get,
};

async fn resolve(
    simulator: &Simulator,
    symbols: &str,
    types: (&str, &str),
    days: (&str, &str),
) -> Value {
    let (stype_in, stype_out) = types;
    let query = format!(
        "dataset=GLBX.MDP3&symbols={symbols}&stype_in={stype_in}&stype_out={stype_out}&\
         start_date={}&end_date={}",
        days.0, days.1
    );
    get(simulator, &format!("/v0/symbology.resolve?{query}"))
        .await
        .json()
}

#[tokio::test]
async fn a_symbol_of_one_digit_is_another_contract_each_decade() {
    let simulator = ask::small().await;
    let raw = ("raw_symbol", "instrument_id");
    let id = |answer: &Value| {
        answer["result"]["ESH4"][0]["s"]
            .as_str()
            .map(str::to_owned)
            .expect("an id")
    };
    let old = id(&resolve(&simulator, "ESH4", raw, ("2014-01-02", "2014-01-03")).await);
    let new = id(&resolve(&simulator, "ESH4", raw, ("2024-01-02", "2024-01-03")).await);
    assert_ne!(old, new);
    let both = resolve(&simulator, "ESH4", raw, ("2014-01-02", "2024-01-03")).await;
    assert_eq!(both["result"]["ESH4"].as_array().map(Vec::len), Some(2));
    assert_eq!(both["partial"][0], "ESH4");
    assert_eq!(
        (&both["message"], &both["status"]),
        (&Value::from("Partially resolved"), &Value::from(1))
    );
}

#[tokio::test]
async fn ids_resolve_back_to_raw_symbols() {
    let simulator = ask::small().await;
    let days = ("2024-01-04", "2024-01-05");
    for symbol in ["ESH4", "CLG4", "ESH4-ESM4", "ESH4%20C60"] {
        let plain = symbol.replace("%20", " ");
        let there = resolve(&simulator, symbol, ("raw_symbol", "instrument_id"), days).await;
        let id = there["result"][&plain][0]["s"]
            .as_str()
            .unwrap_or_else(|| panic!("{symbol}: {there}"))
            .to_owned();
        let back = resolve(&simulator, &id, ("instrument_id", "raw_symbol"), days).await;
        assert_eq!(back["result"][&id][0]["s"], plain.as_str());
    }
}

#[tokio::test]
async fn ranks_are_different_contracts_and_volume_rolls_first() {
    let simulator = ask::small().await;
    let types = ("continuous", "instrument_id");
    let answer = resolve(
        &simulator,
        "ES.c.0,ES.c.1,ES.v.0,ES.n.0,ES.c.9",
        types,
        ("2024-03-11", "2024-03-12"),
    )
    .await;
    let id = |symbol: &str| answer["result"][symbol][0]["s"].clone();
    assert_ne!(id("ES.c.0"), id("ES.c.1"));
    assert_eq!(
        id("ES.v.0"),
        id("ES.c.1"),
        "volume has moved on in the week before the expiry"
    );
    assert_eq!(answer["not_found"][0], "ES.c.9");
}

#[tokio::test]
async fn a_parent_is_its_outrights_and_spreads() {
    let simulator = ask::small().await;
    let query = glbx("ohlcv-1d", "ES.FUT", "parent", "2024-01-04", "2024-01-05");
    let (metadata, bars) = decoded::<OhlcvMsg>(&simulator, &query).await;
    let map = metadata.symbol_map().expect("mappings");
    let mut spreads_below_zero = 0;
    for bar in &bars {
        let symbol = map.get_for_rec(bar).expect("every record has a symbol");
        if symbol.contains('-') {
            spreads_below_zero += usize::from(bar.low < 0);
        } else {
            assert!(bar.low > 0, "{symbol}");
        }
    }
    assert!(spreads_below_zero > 0);
    assert!(
        metadata
            .mappings
            .iter()
            .any(|mapping| mapping.raw_symbol == "ESH4")
    );
}

#[tokio::test]
async fn options_are_named_under_their_own_parent() {
    let simulator = ask::small().await;
    let answer = resolve(
        &simulator,
        "ES.OPT",
        ("parent", "instrument_id"),
        ("2024-01-04", "2024-01-05"),
    )
    .await;
    assert_eq!(
        answer["result"].as_object().map(serde_json::Map::len),
        Some(4 * 20 * 2)
    );
}

#[tokio::test]
async fn every_record_is_covered_by_a_mapping_of_its_day() {
    let simulator = ask::small().await;
    for (symbols, stype) in [
        ("ES.c.0,CL.c.0,NG.v.1", "continuous"),
        ("CL.FUT", "parent"),
        ("ESH4,ESM4", "raw_symbol"),
    ] {
        let query = glbx("trades", symbols, stype, "2024-02-15", "2024-02-22");
        let (metadata, trades) = decoded::<TradeMsg>(&simulator, &query).await;
        let map = metadata.symbol_map().expect("mappings");
        assert!(!trades.is_empty());
        for trade in &trades {
            assert!(
                map.get_for_rec(trade).is_some(),
                "{symbols}: {}",
                trade.instrument_id()
            );
        }
    }
}

#[tokio::test]
async fn no_two_live_instruments_share_an_id() {
    let simulator = ask::small().await;
    let answer = resolve(
        &simulator,
        "ALL_SYMBOLS",
        ("raw_symbol", "instrument_id"),
        ("2024-01-04", "2024-01-05"),
    )
    .await;
    let result = answer["result"].as_object().expect("mappings");
    let ids: BTreeSet<&str> = result
        .values()
        .filter_map(|windows| windows[0]["s"].as_str())
        .collect();
    assert_eq!(ids.len(), result.len());
    assert!(ids.len() > 1_000);
}

#[tokio::test]
async fn symbols_missing_in_part_make_a_partial_answer() {
    let simulator = ask::small().await;
    let query = glbx(
        "trades",
        "ESH4,NOPE",
        "raw_symbol",
        "2024-03-14",
        "2024-03-20",
    );
    let answer = ask::range(&simulator, &query).await;
    assert_eq!(answer.status, 206);
    let (metadata, _) = decoded::<TradeMsg>(&simulator, &query).await;
    assert_eq!(
        (metadata.partial, metadata.not_found),
        (vec!["ESH4".to_owned()], vec!["NOPE".to_owned()])
    );
}

#[tokio::test]
async fn unsupported_pairs_of_types_are_refused() {
    let simulator = ask::small().await;
    let answer = resolve(
        &simulator,
        "ES.c.0",
        ("continuous", "raw_symbol"),
        ("2024-01-04", "2024-01-05"),
    )
    .await;
    assert_eq!(answer["detail"]["case"], "symbology_invalid_request");
}
