//! Small and large tables of trades and bars, loaded by the store's own verbs, without a source or a worker.

use std::time::Duration;

use common::configuration::files::ConfigFiles;
use common::configuration::mapping::Mapping;
use common::money::Usd;
use common::quality::Quality;
use common::request::{Chunking, JobSource, Request, Symbols};
use common::store::rows::{ColumnValues, NULL, RowBlock};
use common::store::{Access, Held, Loaded, Moment, PlannedChunk, Store};
use common::time::{Day, DayRange, Nanos};
use common::vendor::{Resolution, SymbolWindow};
use dbn::{SType, Schema};

use crate::sandbox::Sandbox;

/// The dataset of all of it.
pub const DATASET: &str = "GLBX.MDP3";

const MINUTE: i64 = 60_000_000_000;

/// A database with six trades of ES.c.0, three on 2024-01-02 and three on 2024-01-03.
#[derive(Debug)]
pub struct Small {
    sandbox: Sandbox,
}

impl Small {
    /// Its address.
    #[must_use]
    pub fn url(&self) -> String {
        self.sandbox.settings("").database_url
    }
}

/// Makes it.
///
/// # Panics
/// When it can't be made.
pub async fn database() -> Small {
    let small = Small {
        sandbox: Sandbox::new(),
    };
    let store = Store::open(&small.url(), Access::Work).await;
    let store = store.expect("it can be opened").expect("it is made");
    let days = january(2, 4);
    let mut block = RowBlock::default();
    for (day, numbers) in [(2, 0..3), (3, 3..6)] {
        let half_past_two = january(day, day + 1).start().start().0 + 870 * MINUTE;
        append(
            &mut block,
            trades(118, numbers, |number| half_past_two + number),
        );
    }
    let symbols = [("ES.c.0", SType::Continuous), ("ESH4", SType::RawSymbol)];
    for (number, (symbol, stype)) in symbols.into_iter().enumerate() {
        let rows = if number == 0 {
            vec![block.clone()]
        } else {
            Vec::new()
        };
        let windows = [(118, days)];
        load_trades(&store, (symbol, stype), &windows, days, rows).await;
    }
    store.close().await;
    small
}

/// Days of January 2024, the end exclusive.
///
/// # Panics
/// When there are none.
#[must_use]
pub fn january(start: u32, end: u32) -> DayRange {
    let first = Day::from_ymd(2024, 1, 1).expect("a day");
    let day = |number: u32| first.plus(i64::from(number) - 1);
    DayRange::new(day(start), day(end)).expect("at least one day")
}

/// Trades of an instrument, numbered so in their stream: sides, sizes and prices repeat.
///
/// # Panics
/// When the project's own mapping is wrong.
pub fn trades(
    instrument_id: u32,
    numbers: std::ops::Range<i64>,
    time: impl Fn(i64) -> i64,
) -> RowBlock {
    let column = |name: &str| {
        let value = |number: i64| match name {
            "instrument_id" => i64::from(instrument_id),
            "publisher_id" => 1,
            "ts_recv" => time(number),
            "ts_event" => NULL,
            "price" => 4_800_000_000_000 + 100_000_000 * (number % 6),
            "size" => 1 + number % 6,
            "sequence" => number,
            _ => 0,
        };
        let sides = |number: i64| if number % 2 == 0 { b'A' } else { b'B' };
        match name {
            "action" => ColumnValues::Chars(numbers.clone().map(|_| b'T').collect()),
            "side" => ColumnValues::Chars(numbers.clone().map(sides).collect()),
            _ => ColumnValues::Integers(numbers.clone().map(value).collect()),
        }
    };
    block(
        Schema::Trades,
        instrument_id,
        numbers.clone(),
        &time,
        column,
    )
}

fn append(block: &mut RowBlock, more: RowBlock) {
    if block.is_empty() {
        *block = more;
        return;
    }
    for (column, more) in block.columns.iter_mut().zip(more.columns) {
        match (column, more) {
            (ColumnValues::Integers(values), ColumnValues::Integers(more)) => values.extend(more),
            (ColumnValues::Chars(values), ColumnValues::Chars(more)) => values.extend(more),
            _ => unreachable!("blocks of one mapping"),
        }
    }
    block.instrument_ids.extend(more.instrument_ids);
    block.index_times.extend(more.index_times);
    block.record_numbers.extend(more.record_numbers);
}

/// Bars of an instrument, of the size that the schema says, numbered so in their stream.
///
/// # Panics
/// When the project's own mapping is wrong.
#[must_use]
pub fn bars(
    schema: Schema,
    instrument_id: u32,
    numbers: std::ops::Range<i64>,
    time: impl Fn(i64) -> i64,
) -> RowBlock {
    let size = schema.as_str().trim_start_matches("ohlcv-");
    let column = |name: &str| {
        let value = |number: i64| match name {
            "instrument_id" => i64::from(instrument_id),
            "publisher_id" => 1,
            "ts_event" => time(number),
            "volume" => 1 + number,
            _ => 4_800_000_000_000,
        };
        match name {
            "granularity" => ColumnValues::SameText(size.into()),
            _ => ColumnValues::Integers(numbers.clone().map(value).collect()),
        }
    };
    block(schema, instrument_id, numbers.clone(), &time, column)
}

/// Rows of an instrument with the columns of the schema's mapping, each as `column` says by its name.
fn block(
    schema: Schema,
    instrument_id: u32,
    numbers: std::ops::Range<i64>,
    time: impl Fn(i64) -> i64,
    column: impl Fn(&str) -> ColumnValues,
) -> RowBlock {
    let mapping = mapping(schema);
    let columns = mapping.columns.iter().map(|mapped| column(&mapped.name));
    RowBlock {
        columns: columns.collect(),
        instrument_ids: numbers.clone().map(|_| instrument_id).collect(),
        index_times: numbers.clone().map(time).collect(),
        record_numbers: numbers.collect(),
    }
}

/// Loads trades as one chunk of one symbol, which means these instruments over these days.
///
/// # Panics
/// When the store refuses them.
pub async fn load_trades(
    store: &Store,
    symbol: (&str, SType),
    windows: &[(u32, DayRange)],
    days: DayRange,
    blocks: impl IntoIterator<Item = RowBlock>,
) {
    load(store, Schema::Trades, symbol, windows, days, blocks).await;
}

/// The same for rows of any schema.
///
/// # Panics
/// When the store refuses them.
pub async fn load(
    store: &Store,
    schema: Schema,
    (symbol, stype_in): (&str, SType),
    windows: &[(u32, DayRange)],
    days: DayRange,
    blocks: impl IntoIterator<Item = RowBlock>,
) {
    let symbols = Symbols::named(vec![symbol.to_owned()]);
    let request = Request {
        name: format!("{symbol} {schema} {days}"),
        dataset: DATASET.to_owned(),
        schemas: vec![schema],
        symbols: symbols.clone(),
        stype_in,
        days,
        chunking: Chunking::default(),
        priority: 0,
        max_cost: None,
        quality: Quality::default(),
        source: JobSource::Vendor,
    };
    let planned = PlannedChunk {
        schema,
        symbols,
        days,
        records: None,
        billable_bytes: 0,
        cost: Usd(0),
        due_at: Nanos(0),
    };
    let planned = [planned];
    let submitted = store.submit(&request, "the vendor", &planned, Nanos::now());
    let job = submitted.await.expect("it is submitted").job;
    let due = store.due(job, 1, Moment::Now).await.expect("what is due");
    let claim = store.claim(due[0], "a loader", Duration::from_secs(3_600), Moment::Now);
    let claim = claim.await.expect("an answer").expect("it is due");
    let mut load = store
        .begin_load(&claim, &mapping(schema))
        .await
        .expect("a load");
    let others = load.held_by_others().await.expect("what others hold");
    let mut rows = 0;
    for block in blocks {
        rows += u64::try_from(block.len()).expect("a count fits");
        load.insert(&block).await.expect("rows are taken");
    }
    let asked: Vec<_> = windows
        .iter()
        .map(|(instrument_id, days)| Held {
            instrument_id: Some(*instrument_id),
            span: days.span(),
        })
        .collect();
    let window = |(instrument_id, days): &(u32, DayRange)| SymbolWindow {
        instrument_id: *instrument_id,
        days: *days,
    };
    let loaded = Loaded {
        fetched: rows,
        loaded: rows,
        slices: common::store::coverage::own_slices(&asked, &others)
            .into_iter()
            .map(Into::into)
            .collect(),
        resolution: Resolution {
            windows: [(symbol.to_owned(), windows.iter().map(window).collect())].into(),
        },
        archive_object: "an object".to_owned(),
        ..Loaded::default()
    };
    let committed = load.commit(&loaded, Nanos::now()).await;
    committed.expect("it is committed");
}

fn mapping(schema: Schema) -> Mapping {
    Mapping::load(&ConfigFiles::CompiledIn, schema).expect("the project maps every schema")
}
