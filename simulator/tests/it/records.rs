//! Trades and quotes.

use std::collections::{HashMap, HashSet};

use dbn::{Mbp1Msg, Record, TradeMsg, UNDEF_PRICE};
use simulator::Config;

use crate::ask::{self, count, glbx, record_bytes, records};

const SCHEMAS: [&str; 11] = [
    "trades",
    "tbbo",
    "mbp-1",
    "ohlcv-1s",
    "ohlcv-1m",
    "ohlcv-1h",
    "ohlcv-1d",
    "ohlcv-eod",
    "definition",
    "statistics",
    "status",
];

fn size(schema: &str) -> usize {
    match schema {
        "trades" => 48,
        "definition" => 520,
        "status" => 40,
        "tbbo" | "mbp-1" | "statistics" => 80,
        _ => 56,
    }
}

#[tokio::test]
async fn counts_are_those_of_the_stream_for_every_schema_and_cut() {
    let simulator = ask::small().await;
    for schema in SCHEMAS {
        for (symbols, stype) in [
            ("ES.FUT", "parent"),
            ("CL.c.0", "continuous"),
            ("ALL_SYMBOLS", "raw_symbol"),
        ] {
            for (start, end) in [
                ("2024-01-05", "2024-01-09"),
                ("2024-01-04T13:37:11", "2024-01-05T23:00"),
            ] {
                let query = glbx(schema, symbols, stype, start, end);
                let streamed = record_bytes(&simulator, &query).await.len() / size(schema);
                assert_eq!(
                    count(&simulator, &query).await,
                    u64::try_from(streamed).expect("few"),
                    "{query}"
                );
            }
        }
    }
}

#[tokio::test]
async fn a_holiday_is_empty_and_no_error() {
    let simulator = ask::small().await;
    for schema in SCHEMAS {
        let query = glbx(schema, "ES.c.0", "continuous", "2023-12-25", "2023-12-26");
        assert_eq!(record_bytes(&simulator, &query).await.len(), 0, "{schema}");
        assert_eq!(count(&simulator, &query).await, 0, "{schema}");
    }
}

#[tokio::test]
async fn two_trades_in_a_hundred_share_every_key_column() {
    let simulator = ask::simulator(Config {
        trades_per_day: 20_000,
        ..Config::default()
    })
    .await;
    let query = glbx("trades", "ES.c.0", "continuous", "2024-01-02", "2024-01-06");
    let trades: Vec<TradeMsg> = records(&simulator, &query).await;
    let (mut keys, mut whole) = (HashSet::new(), HashSet::new());
    let (mut repeated, mut identical) = (0, 0);
    for trade in &trades {
        repeated +=
            usize::from(!keys.insert((trade.hd.instrument_id, trade.hd.ts_event, trade.sequence)));
        identical += usize::from(!whole.insert(trade.clone()));
    }
    let share = repeated * 1_000 / trades.len();
    assert!(
        (17..=23).contains(&share),
        "{share} of a thousand share their key"
    );
    assert!(
        identical > 0 && identical < repeated,
        "{identical} of {repeated} are identical"
    );
}

#[tokio::test]
async fn repeated_trades_are_neighbours_and_times_are_in_order() {
    let simulator = ask::small().await;
    let trades: Vec<TradeMsg> = records(
        &simulator,
        &glbx("trades", "NQ.c.0", "continuous", "2024-01-02", "2024-01-06"),
    )
    .await;
    let mut last_index: HashMap<(u64, u32), usize> = HashMap::new();
    for (index, trade) in trades.iter().enumerate() {
        if let Some(before) = last_index.insert((trade.hd.ts_event, trade.sequence), index) {
            assert_eq!(before + 1, index, "a group is contiguous");
        }
        assert!(trade.hd.ts_event < trade.ts_recv);
        assert_eq!(trade.price % 250_000_000, 0, "prices are on the tick grid");
    }
    assert!(trades.is_sorted_by_key(|trade| trade.ts_recv));
}

#[tokio::test]
async fn tbbo_is_each_trade_with_its_quote_and_mbp_1_has_the_same_records() {
    let simulator = ask::small().await;
    for symbols in ["ESH4", "ESH4-ESM4", "NGH4"] {
        let ask = |schema| glbx(schema, symbols, "raw_symbol", "2024-01-04", "2024-01-09");
        let trades: Vec<TradeMsg> = records(&simulator, &ask("trades")).await;
        let tbbo: Vec<Mbp1Msg> = records(&simulator, &ask("tbbo")).await;
        let mbp_1: Vec<Mbp1Msg> = records(&simulator, &ask("mbp-1")).await;
        let key = |record: &Mbp1Msg| {
            (
                record.hd.ts_event,
                record.ts_recv,
                record.price,
                record.size,
                record.side,
                record.sequence,
            )
        };
        let from_trades: Vec<_> = trades
            .iter()
            .map(|t| {
                (
                    t.hd.ts_event,
                    t.ts_recv,
                    t.price,
                    t.size,
                    t.side,
                    t.sequence,
                )
            })
            .collect();
        assert_eq!(tbbo.iter().map(key).collect::<Vec<_>>(), from_trades);
        let traded: Vec<Mbp1Msg> = mbp_1
            .iter()
            .filter(|record| record.action().ok() == Some(dbn::Action::Trade))
            .cloned()
            .collect();
        assert_eq!(traded, tbbo);
        assert!(mbp_1.len() > trades.len());
        assert!(mbp_1.is_sorted_by_key(|record| record.ts_recv));
        for pair in mbp_1.windows(2) {
            if pair[1].action().ok() == Some(dbn::Action::Trade) {
                assert_eq!(
                    pair[0].levels, pair[1].levels,
                    "a trade happens at the quote before it"
                );
            }
        }
    }
}

#[tokio::test]
async fn quotes_have_empty_and_crossed_sides_as_real_ones_do() {
    let simulator = ask::small().await;
    let quotes: Vec<Mbp1Msg> = records(
        &simulator,
        &glbx("mbp-1", "ESH4", "raw_symbol", "2024-01-02", "2024-01-06"),
    )
    .await;
    let crossed = |quote: &Mbp1Msg| {
        quote.levels[0].bid_px != UNDEF_PRICE && quote.levels[0].bid_px > quote.levels[0].ask_px
    };
    assert!(quotes.iter().any(crossed));
    let empty: Vec<_> = quotes
        .iter()
        .filter(|quote| quote.levels[0].bid_px == UNDEF_PRICE)
        .collect();
    assert!(!empty.is_empty());
    assert!(empty.iter().all(|quote| quote.levels[0].bid_sz == 0));
    assert!(quotes.iter().any(|quote| quote.flags.is_snapshot()));
}

#[tokio::test]
async fn several_instruments_are_merged_by_time() {
    let simulator = ask::small().await;
    let trades: Vec<TradeMsg> = records(
        &simulator,
        &glbx(
            "trades",
            "ES.c.0,CL.c.0,NG.c.0",
            "continuous",
            "2024-01-04",
            "2024-01-09",
        ),
    )
    .await;
    assert!(trades.is_sorted_by_key(|trade| trade.ts_recv));
    let instruments: HashSet<u64> = trades.iter().map(Record::instrument_id).collect();
    assert_eq!(instruments.len(), 3);
}

#[tokio::test]
async fn prices_go_on_from_day_to_day() {
    let simulator = ask::small().await;
    let trades: Vec<TradeMsg> = records(
        &simulator,
        &glbx("trades", "ESH4", "raw_symbol", "2024-01-02", "2024-02-01"),
    )
    .await;
    for pair in trades.windows(2) {
        let change = (pair[1].price - pair[0].price).abs();
        assert!(
            change * 20 < pair[0].price,
            "from {} to {}",
            pair[0].price,
            pair[1].price
        );
    }
}

#[tokio::test]
async fn another_seed_is_another_history() {
    let query = glbx("trades", "ESH4", "raw_symbol", "2024-01-04", "2024-01-05");
    let one = record_bytes(&ask::small().await, &query).await;
    let again = record_bytes(&ask::small().await, &query).await;
    let config = Config {
        trades_per_day: 400,
        seed: 2,
        ..Config::default()
    };
    let other = record_bytes(&ask::simulator(config).await, &query).await;
    assert_eq!(one, again);
    assert_ne!(one, other);
}
