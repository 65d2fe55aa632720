//! What the stories stand on: a job's request, chunks, rows, and a picture of all that is stored.

use std::time::Duration;

use common::chunk::{ChunkId, JobId};
use common::configuration::files::ConfigFiles;
use common::configuration::mapping::Mapping;
use common::money::Usd;
use common::request::{Chunking, JobSource, Request, Symbols};
use common::store::rows::{ColumnValues, NULL, RowBlock};
use common::store::{
    Access, Claim, Held, Loaded, PlannedChunk, QuarantineFilter, QuarantinedRecord, Store,
    StoreError,
};
use common::time::{Day, DayRange, Nanos, Span};
use common::vendor::{Resolution, SymbolWindow};
use dbn::{SType, Schema};
use proptest::test_runner::Config;
use testkit::postgres::Postgres;
use testkit::sandbox::Sandbox;

pub const NOW: Nanos = Nanos(1_710_000_000_000_000_000);
pub const LEASE: Duration = Duration::from_secs(60);
pub const ORIGIN: &str = "the vendor";
pub const ES: u32 = 118;
pub const CL: u32 = 77;

/// A store in a folder of its own.
pub async fn sqlite() -> (Sandbox, Store) {
    let sandbox = Sandbox::new();
    let store = open(&sandbox).await.expect("a new store can be opened");
    (sandbox, store)
}

/// A store on a private server; `None` where none is installed.
pub async fn postgresql() -> Option<(Postgres, Store)> {
    let server = Postgres::start()?;
    Store::migrate(&server.url())
        .await
        .expect("tables can be made");
    let store = Store::open(&server.url(), Access::Work).await;
    let store = store.expect("the server answers");
    Some((server, store.expect("a server is always there")))
}

/// A store on a server with TimescaleDB; `None` where none is named.
pub async fn timescaledb() -> Option<Store> {
    let url = testkit::timescale::fresh_database().await?;
    Store::migrate(&url).await.expect("tables can be made");
    let store = Store::open(&url, Access::Work).await;
    let store = store.expect("the server answers");
    let store = store.expect("a server is always there");
    let version = store.timescaledb().await.expect("its version");
    assert!(version.is_some(), "the extension is there");
    Some(store)
}

pub async fn open(sandbox: &Sandbox) -> Result<Store, StoreError> {
    let url = sandbox.settings("").database_url;
    let store = Store::open(&url, Access::Work).await?;
    Ok(store.expect("a store to work on is made"))
}

/// For properties that open a database in each case.
pub fn few_cases(cases: u32) -> Config {
    Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    }
}

pub fn block_on<T>(story: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime can be made")
        .block_on(story)
}

pub fn after(seconds: u32) -> Nanos {
    NOW.plus_seconds(f64::from(seconds))
}

/// Days of January 2024, the end exclusive.
pub fn january(start: u32, end: u32) -> DayRange {
    let first = Day::from_ymd(2024, 1, 1).expect("a day");
    let day = |number: u32| first.plus(i64::from(number) - 1);
    DayRange::new(day(start), day(end)).expect("at least one day")
}

pub fn request(name: &str) -> Request {
    Request {
        name: name.to_owned(),
        dataset: "GLBX.MDP3".to_owned(),
        schemas: vec![Schema::Trades],
        symbols: symbols(),
        stype_in: SType::Continuous,
        days: january(1, 31),
        chunking: Chunking::default(),
        priority: 0,
        max_cost: None,
        quality: common::quality::Quality::default(),
        source: JobSource::Vendor,
    }
}

pub fn symbols() -> Symbols {
    Symbols::named(vec!["ES.c.0".to_owned(), "CL.c.0".to_owned()])
}

pub fn planned(days: DayRange) -> PlannedChunk {
    PlannedChunk {
        schema: Schema::Trades,
        symbols: symbols(),
        days,
        records: Some(3),
        billable_bytes: 144,
        cost: Usd(1_440),
        due_at: NOW,
    }
}

/// Submits a request with a chunk for each of its first days.
pub async fn submit(store: &Store, request: &Request, chunks: u32) -> (JobId, Vec<ChunkId>) {
    let planned: Vec<_> = (1..=chunks)
        .map(|day| planned(january(day, day + 1)))
        .collect();
    let submitted = store.submit(request, ORIGIN, &planned, NOW).await;
    let job = submitted.expect("a request can be submitted").job;
    let due = store.due(job, 1_000, NOW).await.expect("what is due");
    (job, due)
}

pub async fn claim_at(store: &Store, chunk: ChunkId, now: Nanos) -> Option<Claim> {
    let claimed = store.claim(chunk, "a worker", LEASE, now).await;
    claimed.expect("the store answers a claim")
}

pub async fn claim(store: &Store, chunk: ChunkId) -> Claim {
    claim_at(store, chunk, NOW).await.expect("the chunk is due")
}

/// Submits one chunk and claims it.
pub async fn one_claim(store: &Store) -> Claim {
    let (_, chunks) = submit(store, &request("one"), 1).await;
    claim(store, chunks[0]).await
}

pub fn trades() -> Mapping {
    let mapping = Mapping::load(&ConfigFiles::CompiledIn, Schema::Trades);
    mapping.expect("the project maps trades")
}

/// Trades of one instrument, a nanosecond apart.
pub fn rows(instrument_id: u32, start: Nanos, count: u32) -> RowBlock {
    let number = |name: &str, row: u32| match name {
        "instrument_id" => i64::from(instrument_id),
        "ts_recv" => start.0 + i64::from(row),
        "ts_event" => NULL,
        "price" => -500_000_000 + i64::from(row),
        _ => i64::from(row),
    };
    let column = |name: &str| match name {
        "action" => ColumnValues::Chars(vec![b'T'; count as usize]),
        "side" => ColumnValues::Chars(vec![0; count as usize]),
        name => ColumnValues::Integers((0..count).map(|row| number(name, row)).collect()),
    };
    let mapping = trades();
    RowBlock {
        columns: mapping
            .columns
            .iter()
            .map(|mapped| column(&mapped.name))
            .collect(),
        instrument_ids: vec![instrument_id; count as usize],
        index_times: (0..count).map(|row| start.0 + i64::from(row)).collect(),
        record_numbers: (0..i64::from(count)).collect(),
    }
}

pub fn held(instrument_id: u32, days: DayRange) -> Held {
    Held {
        instrument_id: Some(instrument_id),
        span: days.span(),
    }
}

pub fn resolution(symbol: &str, instrument_id: u32, days: DayRange) -> Resolution {
    let window = SymbolWindow {
        instrument_id,
        days,
    };
    Resolution {
        windows: [(symbol.to_owned(), vec![window])].into(),
    }
}

/// What a load of so many rows of ES comes to.
pub fn loaded(claim: &Claim, rows: u64) -> Loaded {
    let days = claim.chunk.days;
    Loaded {
        fetched: rows,
        loaded: rows,
        slices: vec![held(ES, days).into()],
        resolution: resolution("ES.c.0", ES, days),
        archive_object: "an object".to_owned(),
        ..Loaded::default()
    }
}

/// Loads three trades of ES and commits.
pub async fn load(store: &Store, claim: &Claim) -> Result<(), StoreError> {
    let mut load = store.begin_load(claim, &trades()).await?;
    let block = rows(ES, claim.chunk.days.span().start, 3);
    load.insert(&block).await?;
    load.commit(&loaded(claim, 3), NOW).await
}

pub async fn slices(store: &Store) -> Vec<(Held, ChunkId)> {
    let always = Span {
        start: Nanos(i64::MIN),
        end: Nanos(i64::MAX),
    };
    let held = store.held("GLBX.MDP3", Schema::Trades, always).await;
    let mut held = held.expect("what is held can be read");
    held.sort_by_key(|(slice, _)| (slice.instrument_id, slice.span));
    held
}

/// The rows of the trades' view, as text.
pub async fn stored(store: &Store) -> Vec<Vec<String>> {
    let sample = store.sample("trades", 100_000).await;
    sample.expect("rows can be read").rows
}

/// All that a reader can see of jobs, chunks, slices, rows and the quarantine.
pub async fn picture(store: &Store) -> String {
    let mut picture = format!("{:#?}\n{:#?}\n", slices(store).await, stored(store).await);
    let everything = QuarantineFilter::default();
    let quarantined = store.quarantined(&everything, 1_000).await;
    picture.push_str(&format!("{:#?}\n", quarantined.expect("the quarantine")));
    for job in store.jobs(None).await.expect("jobs can be read") {
        let schemas = store.schemas(job.id).await.expect("schemas can be read");
        let failures = store.rule_failures(job.id).await;
        picture.push_str(&format!("{:#?}\n", failures.expect("failures can be read")));
        let unfinished = store.unfinished(job.id, 1_000).await;
        let unfinished = unfinished.expect("chunks can be read");
        picture += &format!("{job:#?}\n{schemas:#?}\n{unfinished:#?}\n");
    }
    picture
}

/// Records on their way into the quarantine, numbered from 100.
pub fn quarantined(count: i64) -> Vec<QuarantinedRecord> {
    (100..100 + count)
        .map(|record_number| QuarantinedRecord {
            record_number,
            instrument_id: ES,
            index_time: NOW.0,
            failed: vec!["size_positive".into(), "side_known".into()],
            found: "size = 0".to_owned(),
            record: format!("{{\"number\":{record_number}}}"),
        })
        .collect()
}
