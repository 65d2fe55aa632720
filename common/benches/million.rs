//! A million chunks: how long their submission takes, a second one, and then a status and a claim, on
//! each engine that is here. `cargo bench -p common --bench million`.

use std::time::{Duration, Instant};

use common::money::Usd;
use common::request::{Chunking, JobSource, Request, Symbols};
use common::store::{Access, Moment, PlannedChunk, Store};
use common::time::{Day, DayRange, Nanos};
use dbn::{SType, Schema};
use testkit::postgres::Postgres;
use testkit::sandbox::Sandbox;

const SYMBOLS: i64 = 2_000;
const DAYS: i64 = 500;

fn main() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime can be made");
    let sandbox = Sandbox::new();
    let url = sandbox.settings("").database_url;
    runtime.block_on(measure("SQLite", &url));
    if let Some(server) = Postgres::start() {
        runtime.block_on(measure("PostgreSQL", &server.url()));
    }
}

async fn measure(engine: &str, url: &str) {
    Store::migrate(url).await.expect("tables can be made");
    let store = Store::open(url, Access::Work).await;
    let store = store.expect("it can be opened").expect("it is there");
    let first = Day::from_ymd(2020, 1, 1).expect("a day");
    let days = |start, end| DayRange::new(first.plus(start), first.plus(end)).expect("days");
    let request = Request {
        name: "a million".to_owned(),
        dataset: "GLBX.MDP3".to_owned(),
        schemas: vec![Schema::Trades],
        symbols: Symbols::ALL,
        stype_in: SType::RawSymbol,
        days: days(0, DAYS),
        chunking: Chunking::default(),
        priority: 0,
        max_cost: None,
        quality: common::quality::Quality::default(),
        source: JobSource::Vendor,
    };
    let chunk = |symbol: i64, day: i64| PlannedChunk {
        schema: Schema::Trades,
        symbols: Symbols::named(vec![format!("SYMBOL{symbol}")]),
        days: days(day, day + 1),
        records: Some(1_000),
        billable_bytes: 48_000,
        cost: Usd(1_000),
        due_at: Nanos(0),
    };
    let chunks: Vec<_> = (0..DAYS)
        .flat_map(|day| (0..SYMBOLS).map(move |symbol| (symbol, day)))
        .map(|(symbol, day)| chunk(symbol, day))
        .collect();
    let report = |what: &str, took: Duration| {
        println!("{engine:<10} {what:<28} {:>9.3} s", took.as_secs_f64());
    };
    for what in ["submit 1,000,000 chunks", "submit them again"] {
        let began = Instant::now();
        let submitted = store.submit(&request, "the vendor", &chunks, Nanos::now());
        let added = submitted.await.expect("it is submitted").added;
        report(&format!("{what}, {added} new"), began.elapsed());
    }
    let began = Instant::now();
    let jobs = store.jobs(None).await.expect("a status");
    report("status", began.elapsed());
    assert_eq!(jobs[0].chunks.pending, 1_000_000);
    let began = Instant::now();
    let due = store.due_anywhere(500, Moment::Now).await.expect("due");
    report("500 that are due", began.elapsed());
    let began = Instant::now();
    for due in &due {
        let lease = Duration::from_secs(30);
        let claim = store.claim(due.chunk, "bench", lease, Moment::Now).await;
        assert!(claim.expect("a claim").is_some());
    }
    report("claim these 500", began.elapsed());
    let began = Instant::now();
    store.fold_counts().await.expect("counts");
    report("fold the counts", began.elapsed());
    store.close().await;
}
