//! `query`: a symbol's day out of many trades: when its first row comes, and when its last, by the size
//! of the table.

use std::time::{Duration, Instant};

use anyhow::Context;
use common::query::Query;
use common::store::{Access, Store};
use common::time::{Day, DayRange};
use dbn::{SType, Schema};
use testkit::postgres::Postgres;
use testkit::sandbox::Sandbox;
use testkit::small::{load_trades, trades};

use crate::fleet::POSTGRES;
use crate::outcome::{Bound, Outcome};
use crate::samples::{Samples, per_second};

const ROUNDS: usize = 7;
/// Rows of the tables.
const SIZES: [i64; 3] = [500_000, 5_000_000, 50_000_000];
const SYMBOLS: u32 = 10;
const DAYS: i64 = 50;
const NANOS_PER_DAY: i64 = 86_400_000_000_000;
/// Rows that are inserted at once.
const BLOCK: i64 = 20_000;

/// Runs it.
pub fn run() -> anyhow::Result<Option<Outcome>> {
    let runtime = tokio::runtime::Runtime::new()?;
    let about =
        "One symbol's day of a table of trades (ten symbols, fifty days), through the library.";
    let mut outcome = Outcome::new(about, ROUNDS);
    for size in SIZES {
        let sandbox = Sandbox::new();
        let url = sandbox.settings("").database_url;
        runtime.block_on(measure(&mut outcome, "sqlite", &url, size))?;
        if let Some(server) = Postgres::start_with(&POSTGRES) {
            runtime.block_on(measure(&mut outcome, "postgresql", &server.url(), size))?;
        }
    }
    for engine in ["sqlite", "postgresql"] {
        outcome.target(key(engine, SIZES[2], "first_row_ms"), Bound::AtMost(50.0));
    }
    Ok(Some(outcome))
}

fn key(engine: &str, size: i64, what: &str) -> String {
    format!("{engine}_{size}_{what}")
}

async fn measure(outcome: &mut Outcome, engine: &str, url: &str, size: i64) -> anyhow::Result<()> {
    Store::migrate(url).await?;
    let store = Store::open(url, Access::Work).await?;
    let store = store.context("a database that was just made")?;
    let first = Day::from_ymd(2024, 1, 1).context("a day")?;
    let days = DayRange::new(first, first.plus(DAYS)).context("days")?;
    for number in 0..SYMBOLS {
        load(&store, number, days, size / i64::from(SYMBOLS)).await?;
    }
    let day = first.plus(DAYS / 2);
    let query = Query::new(Schema::Trades).days(day, day).symbol(symbol(3));
    let (mut firsts, mut speeds) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let (first, whole, rows) = ask(&store, &query).await?;
        let expected = u64::try_from(size / i64::from(SYMBOLS) / DAYS)?;
        anyhow::ensure!(rows == expected, "{rows} rows of {expected}");
        firsts.push(first.as_secs_f64() * 1_000.0);
        speeds.push(per_second(rows, whole));
    }
    outcome.figure(
        key(engine, size, "first_row_ms"),
        "ms",
        Samples::new(firsts),
    );
    outcome.figure(
        key(engine, size, "rows_per_second"),
        "rows/s",
        Samples::new(speeds),
    );
    store.close().await;
    Ok(())
}

fn symbol(number: u32) -> String {
    format!("S{number}.c.0")
}

/// Trades of one symbol, evenly over the days.
async fn load(store: &Store, number: u32, days: DayRange, count: i64) -> anyhow::Result<()> {
    let (start, instrument) = (days.span().start.0, 100 + number);
    let step = DAYS * NANOS_PER_DAY / count.max(1);
    let blocks = (0..count).step_by(usize::try_from(BLOCK)?).map(|from| {
        let numbers = from..(from + BLOCK).min(count);
        trades(instrument, numbers, |number| start + number * step)
    });
    let named = (&*symbol(number), SType::Continuous);
    load_trades(store, named, &[(instrument, days)], days, blocks).await;
    Ok(())
}

/// How long the first row took, and all of them; and how many there are.
async fn ask(store: &Store, query: &Query) -> anyhow::Result<(Duration, Duration, u64)> {
    let began = Instant::now();
    let mut answer = query.run(store).await?;
    let (mut first, mut rows) = (None, 0);
    while answer.next().await?.is_some() {
        first.get_or_insert_with(|| began.elapsed());
        rows += 1;
    }
    let first = first.context("there are rows")?;
    Ok((first, began.elapsed(), rows))
}
