//! Bars, against those computed here from the trades.

use std::collections::BTreeMap;

use dbn::{OhlcvMsg, TradeMsg};

use crate::ask::{self, glbx, records};

type Bar = (i64, i64, i64, i64, u64);

fn computed(trades: &[TradeMsg], nanos: u64) -> BTreeMap<(u64, u32), Bar> {
    let mut bars: BTreeMap<(u64, u32), Bar> = BTreeMap::new();
    for trade in trades {
        let start = trade.ts_recv / nanos * nanos;
        let size = u64::from(trade.size);
        bars.entry((start, trade.hd.instrument_id))
            .and_modify(|(_, high, low, close, volume)| {
                *high = (*high).max(trade.price);
                *low = (*low).min(trade.price);
                *close = trade.price;
                *volume += size;
            })
            .or_insert((trade.price, trade.price, trade.price, trade.price, size));
    }
    bars
}

#[tokio::test]
async fn bars_of_every_size_are_those_of_the_trades() {
    let simulator = ask::small().await;
    for (start, end) in [
        ("2024-01-04", "2024-01-09"),
        ("2024-01-04T14:00", "2024-01-05T15:00"),
    ] {
        let ask = |schema| glbx(schema, "ES.FUT", "parent", start, end);
        let trades: Vec<TradeMsg> = records(&simulator, &ask("trades")).await;
        for (schema, seconds) in [
            ("ohlcv-1s", 1),
            ("ohlcv-1m", 60),
            ("ohlcv-1h", 3_600),
            ("ohlcv-1d", 86_400),
        ] {
            if seconds == 86_400 && start.contains('T') {
                continue;
            }
            let bars: Vec<OhlcvMsg> = records(&simulator, &ask(schema)).await;
            let given: BTreeMap<(u64, u32), Bar> = bars
                .iter()
                .map(|bar| {
                    (
                        (bar.hd.ts_event, bar.hd.instrument_id),
                        (bar.open, bar.high, bar.low, bar.close, bar.volume),
                    )
                })
                .collect();
            assert_eq!(
                given.len(),
                bars.len(),
                "{schema}: an instrument has one bar at a time"
            );
            assert_eq!(
                given,
                computed(&trades, seconds * 1_000_000_000),
                "{schema} {start}"
            );
        }
    }
}

#[tokio::test]
async fn a_daily_bar_belongs_to_the_range_that_has_its_midnight() {
    let simulator = ask::small().await;
    let ask = |start, end| glbx("ohlcv-1d", "ES.c.0", "continuous", start, end);
    let bars: Vec<OhlcvMsg> =
        records(&simulator, &ask("2024-01-04T00:00", "2024-01-04T01:00")).await;
    assert_eq!(bars.len(), 1);
    let bars: Vec<OhlcvMsg> =
        records(&simulator, &ask("2024-01-04T01:00", "2024-01-04T23:00")).await;
    assert_eq!(bars.len(), 0);
}
