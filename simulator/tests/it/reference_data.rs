//! Definitions, statistics and status.

use std::collections::{BTreeSet, HashSet};

use dbn::{
    InstrumentDefMsg, StatMsg, StatusMsg, SymbolIndex, TradeMsg, UNDEF_PRICE, UNDEF_STAT_QUANTITY,
};

use crate::ask::{self, count, decoded, glbx, records};

#[tokio::test]
async fn definitions_are_copied_at_midnight_of_every_day() {
    let simulator = ask::small().await;
    let query = glbx("definition", "ES.FUT", "parent", "2024-01-04", "2024-01-09");
    let (metadata, definitions) = decoded::<InstrumentDefMsg>(&simulator, &query).await;
    let map = metadata.symbol_map().expect("mappings");
    let mut days = BTreeSet::new();
    for definition in &definitions {
        assert_eq!(definition.ts_recv % 86_400_000_000_000, 0);
        days.insert(definition.ts_recv);
        assert_eq!(
            map.get_for_rec(definition).map(String::as_str),
            definition.raw_symbol().ok()
        );
    }
    assert_eq!(days.len(), 4, "Thursday, Friday, Sunday and Monday");
    let spread = definitions
        .iter()
        .find(|found| found.raw_symbol().ok() == Some("ESH4-ESM4"))
        .expect("a spread");
    assert_eq!(
        (spread.leg_count, spread.leg_raw_symbol().ok()),
        (2, Some("ESH4"))
    );
}

#[tokio::test]
async fn all_symbols_have_thousands_and_continuous_ones_have_none() {
    let simulator = ask::small().await;
    let all = glbx(
        "definition",
        "ALL_SYMBOLS",
        "raw_symbol",
        "2024-01-04",
        "2024-01-05",
    );
    let definitions: Vec<InstrumentDefMsg> = records(&simulator, &all).await;
    assert!(definitions.len() > 1_000, "{}", definitions.len());
    let ids: HashSet<u32> = definitions
        .iter()
        .map(|definition| definition.hd.instrument_id)
        .collect();
    assert!(ids.len() > 1_000);
    let continuous = glbx(
        "definition",
        "ES.c.0",
        "continuous",
        "2024-01-04",
        "2024-01-05",
    );
    assert_eq!(count(&simulator, &continuous).await, 0);
    assert_eq!(
        records::<InstrumentDefMsg>(&simulator, &continuous)
            .await
            .len(),
        0
    );
}

#[tokio::test]
async fn statistics_are_of_ten_types_and_tell_of_the_trades() {
    let simulator = ask::small().await;
    let ask = |schema| glbx(schema, "ESH4", "raw_symbol", "2024-01-04", "2024-01-05");
    let statistics: Vec<StatMsg> = records(&simulator, &ask("statistics")).await;
    let types: BTreeSet<u16> = statistics
        .iter()
        .map(|statistic| statistic.stat_type)
        .collect();
    assert_eq!(
        types.into_iter().collect::<Vec<_>>(),
        [1, 3, 4, 5, 6, 7, 8, 9, 10, 11]
    );
    let trades: Vec<TradeMsg> = records(&simulator, &ask("trades")).await;
    let last = |kind: u16| {
        statistics
            .iter()
            .rfind(|statistic| statistic.stat_type == kind)
            .expect("there")
    };
    assert_eq!(last(1).price, trades[0].price);
    assert_eq!(
        Some(last(5).price),
        trades.iter().map(|trade| trade.price).max()
    );
    assert_eq!(
        Some(last(4).price),
        trades.iter().map(|trade| trade.price).min()
    );
    assert_eq!(
        (last(9).price, last(5).quantity),
        (UNDEF_PRICE, UNDEF_STAT_QUANTITY)
    );
    assert!(statistics.is_sorted_by_key(|statistic| statistic.ts_recv));
}

#[tokio::test]
async fn status_tells_of_open_and_close() {
    let simulator = ask::small().await;
    let query = glbx("status", "ESH4", "raw_symbol", "2024-01-04", "2024-01-05");
    let statuses: Vec<StatusMsg> = records(&simulator, &query).await;
    let actions: Vec<u16> = statuses.iter().map(|status| status.action).collect();
    assert_eq!(
        actions,
        [12, 1, 7],
        "close at 22:00, pre-open at 22:45, open at 23:00"
    );
}
