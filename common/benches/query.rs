//! A symbol's day out of many trades: when its first row comes, and when its last, on each engine that is
//! here. `cargo bench -p common --bench query` makes 50 million trades of ten symbols in fifty days; `-- N`
//! makes N.

use std::time::{Duration, Instant};

use common::query::Query;
use common::store::{Access, Store};
use common::time::{Day, DayRange};
use dbn::{SType, Schema};
use testkit::postgres::Postgres;
use testkit::sandbox::Sandbox;
use testkit::small::{load_trades, trades};

const TRADES: i64 = 50_000_000;
const SYMBOLS: u32 = 10;
const DAYS: i64 = 50;
const NANOS_PER_DAY: i64 = 86_400_000_000_000;
/// Rows that are inserted at once.
const BLOCK: i64 = 20_000;
/// Of so many questions the median is told.
const TIMES: usize = 7;

fn main() {
    let arguments = std::env::args().skip(1);
    let wanted = arguments
        .filter_map(|argument| argument.parse().ok())
        .next();
    let trades = wanted.unwrap_or(TRADES);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime can be made");
    let sandbox = Sandbox::new();
    let url = sandbox.settings("").database_url;
    runtime.block_on(measure("SQLite", &url, trades));
    if let Some(server) = Postgres::start() {
        runtime.block_on(measure("PostgreSQL", &server.url(), trades));
    }
}

async fn measure(engine: &str, url: &str, trades: i64) {
    Store::migrate(url).await.expect("tables can be made");
    let store = Store::open(url, Access::Work).await;
    let store = store.expect("it can be opened").expect("it is there");
    let first = Day::from_ymd(2024, 1, 1).expect("a day");
    let days = DayRange::new(first, first.plus(DAYS)).expect("days");
    let began = Instant::now();
    for number in 0..SYMBOLS {
        load(&store, number, days, trades / i64::from(SYMBOLS)).await;
    }
    println!(
        "{engine:<10} {trades} trades loaded in {:.0} s",
        began.elapsed().as_secs_f64()
    );
    let day = first.plus(DAYS / 2);
    let everything = Query::new(Schema::Trades).days(day, day);
    let ten = (0..SYMBOLS).map(symbol);
    for (what, query) in [
        ("a day of one symbol", everything.clone().symbol(symbol(3))),
        ("a day of ten symbols", everything.clone().symbols(ten)),
        ("a day of ALL_SYMBOLS", everything),
    ] {
        let mut all = Vec::new();
        for _ in 0..TIMES {
            all.push(ask(&store, &query).await);
        }
        all.sort_unstable();
        let (first, whole, rows) = all[TIMES / 2];
        println!("{engine:<10} {what:<22} first row {first:>9.2?}, all {rows} rows {whole:>9.2?}");
    }
    store.close().await;
}

fn symbol(number: u32) -> String {
    format!("S{number}.c.0")
}

/// Trades of one symbol, evenly over the days.
async fn load(store: &Store, number: u32, days: DayRange, count: i64) {
    let (start, instrument) = (days.span().start.0, 100 + number);
    let step = DAYS * NANOS_PER_DAY / count.max(1);
    let blocks = (0..count)
        .step_by(usize::try_from(BLOCK).expect("a size"))
        .map(|from| {
            let numbers = from..(from + BLOCK).min(count);
            trades(instrument, numbers, |number| start + number * step)
        });
    let named = (&*symbol(number), SType::Continuous);
    load_trades(store, named, &[(instrument, days)], days, blocks).await;
}

/// How long the first row took, and all of them; and how many there are.
async fn ask(store: &Store, query: &Query) -> (Duration, Duration, u64) {
    let began = Instant::now();
    let mut answer = query.run(store).await.expect("an answer");
    let (mut first, mut rows) = (None, 0);
    while answer.next().await.expect("a row").is_some() {
        first.get_or_insert_with(|| began.elapsed());
        rows += 1;
    }
    (first.expect("there are rows"), began.elapsed(), rows)
}
