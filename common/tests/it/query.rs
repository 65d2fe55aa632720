//! Queries through the library: how they are read, and what they mean, on every engine.

#![expect(
    clippy::unwrap_used,
    reason = "a story fails its test by panicking, though it is no test by itself"
)]

use common::query::{Order, Query, QueryError, Row};
use common::store::Store;
use common::time::{Day, DayRange, Nanos};
use dbn::{SType, Schema};
use testkit::small::{self, bars, january, load_trades, trades};

use crate::store::ground;

/// Runs stories, which are functions that take a store, on each engine that there is.
macro_rules! on_both_engines {
    ($($story:ident)*) => {
        mod on_sqlite {
            $(
                #[tokio::test]
                async fn $story() {
                    let (_sandbox, store) = super::ground::sqlite().await;
                    super::$story(&store).await;
                }
            )*
        }

        mod on_postgresql {
            $(
                #[tokio::test]
                async fn $story() {
                    if let Some((_server, store)) = super::ground::postgresql().await {
                        super::$story(&store).await;
                    }
                }
            )*
        }
    };
}

on_both_engines! {
    a_day_of_a_symbol_is_read_by_the_index_and_nothing_is_sorted
    large_bars_are_found_without_the_small_ones_between_them
    many_rows_pass_through_a_few_pages
    many_instruments_are_merged_by_time
    nanoseconds_count_at_both_ends_and_in_the_order
    a_symbol_that_rolls_has_each_instrument_in_its_own_days
    what_is_wrong_is_told_apart
}

const ES: u32 = 118;
const NQ: u32 = 119;

fn first_nanos(days: DayRange) -> i64 {
    days.span().start.0
}

/// One trade a second from the beginning of days.
async fn load(store: &Store, symbol: &str, instrument: u32, days: DayRange, count: i64) {
    let start = first_nanos(days);
    let blocks = (0..count).step_by(10_000).map(move |from| {
        let numbers = from..(from + 10_000).min(count);
        trades(instrument, numbers, |number| start + number * 1_000_000_000)
    });
    load_trades(
        store,
        (symbol, SType::Continuous),
        &[(instrument, days)],
        days,
        blocks,
    )
    .await;
}

async fn all(store: &Store, query: &Query) -> Vec<Row> {
    let mut answer = query.run(store).await.unwrap();
    let mut rows = Vec::new();
    while let Some(row) = answer.next().await.unwrap() {
        rows.push(row);
    }
    rows
}

fn times(rows: &[Row]) -> Vec<i64> {
    let times = rows
        .iter()
        .map(|row| row.get::<Nanos>("ts_recv").unwrap().0);
    times.collect()
}

async fn a_day_of_a_symbol_is_read_by_the_index_and_nothing_is_sorted(store: &Store) {
    load(store, "ES.c.0", ES, january(1, 5), 2_000).await;
    load(store, "NQ.c.0", NQ, january(1, 5), 2_000).await;
    let day = Day::from_ymd(2024, 1, 2).unwrap();
    let query = Query::new(Schema::Trades).symbol("ES.c.0").days(day, day);
    for query in [
        query.clone(),
        query.clone().order(Order::Descending),
        query.clone().side('A').min_size(2),
        query.limit(1),
    ] {
        let plan = query.run(store).await.unwrap().explain().await.unwrap();
        let plan = plan.join("\n");
        // The key of SQLite is the order; the index of PostgreSQL knows microseconds, and only what
        // lies within one is put in order.
        let by_index = plan.contains("SEARCH trades_data USING PRIMARY KEY (instrument_id=?")
            || (plan.contains("using trades_data_by_instrument")
                && plan.contains("Incremental Sort"));
        assert!(by_index, "{plan}");
        for costly in ["TEMP B-TREE", "SCAN", "Seq Scan", "Bitmap", "->  Sort"] {
            assert!(!plan.contains(costly), "{costly}: {plan}");
        }
    }
}

async fn large_bars_are_found_without_the_small_ones_between_them(store: &Store) {
    const SECOND: i64 = 1_000_000_000;
    let days = january(1, 5);
    let start = first_nanos(days);
    for (schema, count, length) in [
        (Schema::Ohlcv1S, 20_000, SECOND),
        (Schema::Ohlcv1D, 4, 86_400 * SECOND),
    ] {
        let block = bars(schema, ES, 0..count, |number| start + number * length);
        let symbol = ("ES.c.0", SType::Continuous);
        small::load(store, schema, symbol, &[(ES, days)], days, [block]).await;
    }
    for order in [Order::Ascending, Order::Descending] {
        let query = Query::new(Schema::Ohlcv1D).symbol("ES.c.0").order(order);
        let rows = all(store, &query).await;
        let mut volumes: Vec<i64> = rows.iter().map(|row| row.get("volume").unwrap()).collect();
        volumes.sort_unstable();
        assert_eq!(volumes, [1, 2, 3, 4]);
        let plan = query.run(store).await.unwrap().explain().await.unwrap();
        let plan = plan.join("\n");
        assert!(plan.contains("ohlcv_data_coarse"), "{plan}");
        for costly in ["TEMP B-TREE", "SCAN", "Seq Scan", "Bitmap", "->  Sort"] {
            assert!(!plan.contains(costly), "{costly}: {plan}");
        }
    }
    let seconds = Query::new(Schema::Ohlcv1S).symbol("ES.c.0");
    assert_eq!(all(store, &seconds).await.len(), 20_000);
}

async fn many_rows_pass_through_a_few_pages(store: &Store) {
    const ROWS: i64 = 200_000;
    load(store, "ES.c.0", ES, january(1, 5), ROWS).await;
    let mut answer = Query::new(Schema::Trades)
        .symbol("ES.c.0")
        .run(store)
        .await
        .unwrap();
    assert_eq!(answer.rows_in_memory(), 0);
    let first = answer.next().await.unwrap().unwrap();
    assert_eq!(first.get::<u32>("sequence"), Ok(0));
    assert!(
        answer.rows_in_memory() < 100,
        "the first waits for no other"
    );
    let (mut rows, mut most) = (1, 0);
    while let Some(row) = answer.next().await.unwrap() {
        assert_eq!(row.get::<i64>("sequence"), Ok(rows));
        rows += 1;
        most = most.max(answer.rows_in_memory());
    }
    assert_eq!(rows, ROWS);
    assert!(most <= 4_096, "{most} rows in memory at once");
}

async fn many_instruments_are_merged_by_time(store: &Store) {
    let days = january(2, 3);
    let start = first_nanos(days);
    let mut expected = Vec::new();
    for instrument in 1..=40_u32 {
        // Each begins later, some at the same instants; every tenth has nothing.
        let count = if instrument % 10 == 0 { 0 } else { 100 };
        let time = |number| start + i64::from(instrument % 7) * 1_000 + number * 5_000_000;
        expected.extend((0..count).map(time));
        let block = (count > 0).then(|| trades(instrument, 0..count, time));
        let symbol = format!("S{instrument}");
        load_trades(
            store,
            (&symbol, SType::RawSymbol),
            &[(instrument, days)],
            days,
            block,
        )
        .await;
    }
    expected.sort_unstable();
    let everything = Query::new(Schema::Trades);
    let by_name = everything
        .clone()
        .symbols((1..=40).map(|number| format!("S{number}")));
    let rows = all(store, &everything).await;
    assert_eq!(times(&rows), expected);
    assert_eq!(all(store, &by_name).await, rows);
    for row in rows.iter().step_by(97) {
        let instrument: u32 = row.get("instrument_id").unwrap();
        assert_eq!(row.symbol(), format!("S{instrument}"));
    }
    let mut newest_first = all(store, &by_name.clone().order(Order::Descending)).await;
    newest_first.reverse();
    assert_eq!(newest_first, rows);
    let some = all(store, &by_name.limit(150)).await;
    assert_eq!(some, rows[..150]);
}

async fn nanoseconds_count_at_both_ends_and_in_the_order(store: &Store) {
    let days = january(2, 3);
    // Across a microsecond, one nanosecond apart, and each instant three times.
    let start = first_nanos(days) + 7_990;
    let block = trades(ES, 0..60, |number| start + number / 3);
    load_trades(
        store,
        ("ES.c.0", SType::Continuous),
        &[(ES, days)],
        days,
        [block],
    )
    .await;
    let query = Query::new(Schema::Trades).symbol("ES.c.0");
    let rows = all(store, &query).await;
    let sequence: Vec<i64> = rows
        .iter()
        .map(|row| row.get("sequence").unwrap())
        .collect();
    assert_eq!(sequence, (0..60).collect::<Vec<_>>());
    for (from, to) in [(0, 20), (5, 15), (9, 10), (10, 11), (11, 11 + 1), (19, 20)] {
        let within = query
            .clone()
            .since(Nanos(start + from))
            .until(Nanos(start + to));
        let expected: Vec<_> = (from * 3..to * 3)
            .map(|number| start + number / 3)
            .collect();
        assert_eq!(times(&all(store, &within).await), expected, "{from}..{to}");
        let mut backwards = all(store, &within.clone().order(Order::Descending)).await;
        backwards.reverse();
        assert_eq!(backwards, all(store, &within).await, "{from}..{to}");
    }
}

async fn a_symbol_that_rolls_has_each_instrument_in_its_own_days(store: &Store) {
    let all_days = january(1, 5);
    for instrument in [ES, NQ] {
        let symbol = format!("R{instrument}");
        let start = first_nanos(all_days);
        let block = trades(instrument, 0..96, |number| {
            start + number * 3_600_000_000_000
        });
        let windows = [(instrument, all_days)];
        load_trades(
            store,
            (&symbol, SType::RawSymbol),
            &windows,
            all_days,
            [block],
        )
        .await;
    }
    // The front is one instrument for two days, and the other after them.
    let windows = [(ES, january(1, 3)), (NQ, january(3, 5))];
    let nothing = Vec::new();
    load_trades(
        store,
        ("F.c.0", SType::Continuous),
        &windows,
        all_days,
        nothing,
    )
    .await;
    let rows = all(store, &Query::new(Schema::Trades).symbol("F.c.0")).await;
    let instruments: Vec<u32> = rows
        .iter()
        .map(|row| row.get("instrument_id").unwrap())
        .collect();
    assert_eq!(instruments, [[ES; 48], [NQ; 48]].concat());
    assert!(rows.iter().all(|row| row.symbol() == "F.c.0"));
}

async fn what_is_wrong_is_told_apart(store: &Store) {
    let trades = Query::new(Schema::Trades);
    let nothing = trades.run(store).await;
    assert!(matches!(nothing, Err(QueryError::NothingHeld { held, .. }) if held.is_empty()));
    load(store, "ES.c.0", ES, january(1, 2), 10).await;
    match trades.clone().symbols(["ES.c.1", "XYZ"]).run(store).await {
        Err(QueryError::UnknownSymbols { unknown, sample }) => {
            assert_eq!(unknown[0].near, ["ES.c.0"]);
            assert_eq!(unknown.len(), 2);
            assert_eq!(sample, ["ES.c.0"]);
        }
        other => panic!("{other:?}"),
    }
    let some = trades.clone().symbols(["ES.c.0", "XYZ"]).run(store).await;
    assert_eq!(some.unwrap().unknown()[0].symbol, "XYZ");
    let later = trades
        .clone()
        .symbol("ES.c.0")
        .since(january(9, 10).span().start);
    assert_eq!(later.run(store).await.unwrap().not_then(), ["ES.c.0"]);
    for query in [
        trades.clone().side('X'),
        trades.clone().stat_type(3),
        trades.clone().symbol(""),
        trades.clone().symbol("a\0b"),
        trades.clone().symbol("x".repeat(1_000)),
        trades
            .clone()
            .symbols((0..20_000).map(|number| number.to_string())),
        trades.clone().min_size(3).max_size(2),
        trades.clone().dataset("XNAS.ITCH"),
        trades.clone().asset("ES"),
        Query::new(Schema::Statistics).stat_type(99),
        trades.since(Nanos(1)).until(Nanos(1)),
    ] {
        let answer = query.run(store).await;
        assert!(
            matches!(answer, Err(QueryError::BadParameter { .. })),
            "{query:?}: {answer:?}"
        );
    }
    store.close().await;
    let closed = Query::new(Schema::Trades).run(store).await;
    assert!(
        matches!(closed, Err(QueryError::Connection(_))),
        "{closed:?}"
    );
}
