//! Ownership: what is loaded, what another chunk holds, what was not asked for.

use common::chunk::{ChunkId, JobId};
use common::money::Usd;
use common::request::{JobSource, Symbols};
use common::store::rows::{ColumnValues, RowBlock};
use common::store::{Chunk, Held};
use common::time::{DayRange, Nanos, Span};
use common::vendor::{Resolution, SymbolWindow};
use dbn::{SType, Schema};
use proptest::prelude::*;
use testkit::engine::Engine;
use testkit::on_every_engine;
use worker::error::ChunkError;
use worker::ownership::Ownership;

use crate::installation::{DATASET, Installation, day, january, outcomes, piece};

on_every_engine! {
    two_overlapping_jobs_load_together_what_one_would_have_loaded
    definitions_of_continuous_symbols_count_what_came_along
}

fn chunk(schema: Schema, stype_in: SType, symbols: &[&str], days: DayRange) -> Chunk {
    Chunk {
        id: ChunkId(1),
        job: JobId(1),
        dataset: DATASET.to_owned(),
        schema,
        stype_in,
        symbols: piece(schema, symbols, days).symbols,
        days,
        expected: None,
        billable_bytes: 0,
        cost: Usd(0),
        failures: 0,
        quality: common::quality::Quality::default(),
        source: JobSource::Vendor,
    }
}

fn meaning(windows: &[(&str, u32, DayRange)]) -> Resolution {
    let mut resolution = Resolution::default();
    for (symbol, instrument_id, days) in windows {
        let window = SymbolWindow {
            instrument_id: *instrument_id,
            days: *days,
        };
        let windows = resolution.windows.entry((*symbol).to_owned());
        windows.or_default().push(window);
    }
    resolution
}

fn held(instrument_id: impl Into<Option<u32>>, days: DayRange) -> Held {
    Held {
        instrument_id: instrument_id.into(),
        span: days.span(),
    }
}

/// Rows of these instruments and times; their one column numbers them.
fn rows(records: &[(u32, Nanos)]) -> RowBlock {
    RowBlock {
        columns: vec![ColumnValues::Integers((0..).take(records.len()).collect())],
        instrument_ids: records.iter().map(|(id, _)| *id).collect(),
        index_times: records.iter().map(|(_, time)| time.0).collect(),
        record_numbers: (0..).take(records.len()).collect(),
    }
}

fn numbers(block: &RowBlock) -> Vec<i64> {
    match &block.columns[0] {
        ColumnValues::Integers(values) => values.clone(),
        other => panic!("{other:?}"),
    }
}

fn noon(month: u32, of: u32) -> Nanos {
    day(month, of).start().plus_seconds(43_200.0)
}

#[test]
fn records_that_another_chunk_holds_are_covered_and_not_loaded() {
    let days = january(4, 7);
    let chunk = chunk(Schema::Trades, SType::RawSymbol, &["A", "B"], days);
    let resolution = meaning(&[("A", 7, days), ("B", 8, days)]);
    let others = vec![held(7, january(5, 6))];
    let mut ownership = Ownership::new(&chunk, &resolution, others);
    let last_before = Nanos(day(1, 5).start().0 - 1);
    let block = rows(&[
        (7, noon(1, 4)),
        (7, last_before),
        (7, day(1, 5).start()),
        (8, day(1, 5).start()),
        (7, Nanos(day(1, 6).start().0 - 1)),
        (7, day(1, 6).start()),
    ]);
    let own = ownership.claim(block).unwrap();
    assert_eq!(numbers(&own), [0, 1, 3, 5]);
    assert_eq!((ownership.covered, ownership.filtered), (2, 0));
    let slices = [
        held(7, january(4, 5)),
        held(7, january(6, 7)),
        held(8, days),
    ];
    assert_eq!(ownership.own(), slices);
}

#[test]
fn a_record_that_no_symbol_accounts_for_is_an_error() {
    let chunk = chunk(Schema::Trades, SType::RawSymbol, &["A"], january(4, 7));
    let resolution = meaning(&[("A", 7, january(4, 6))]);
    for stray in [(8, noon(1, 4)), (7, noon(1, 6)), (7, day(1, 6).start())] {
        let mut ownership = Ownership::new(&chunk, &resolution, Vec::new());
        let error = ownership
            .claim(rows(&[(7, noon(1, 4)), stray]))
            .unwrap_err();
        let ChunkError::Unmapped {
            instrument_id,
            time,
        } = error
        else {
            panic!("{stray:?}: {error}");
        };
        assert_eq!((instrument_id, time), stray);
    }
}

#[test]
fn another_chunks_longer_slice_does_not_hide_a_record_that_no_symbol_accounts_for() {
    let chunk = chunk(Schema::Trades, SType::RawSymbol, &["A"], january(4, 7));
    // The instrument is the symbol's for one day; the other chunk holds it for all.
    let resolution = meaning(&[("A", 7, january(4, 5))]);
    let others = vec![held(7, january(4, 7))];
    let mut ownership = Ownership::new(&chunk, &resolution, others);
    let error = ownership.claim(rows(&[(7, noon(1, 4)), (7, noon(1, 5))]));
    assert!(
        matches!(error, Err(ChunkError::Unmapped { .. })),
        "{error:?}"
    );
}

#[test]
fn definitions_of_instruments_that_were_not_asked_for_are_filtered() {
    let days = january(4, 7);
    let chunk = chunk(Schema::Definition, SType::Continuous, &["A.c.0"], days);
    let resolution = meaning(&[("A.c.0", 7, january(4, 6)), ("A.c.0", 9, january(6, 7))]);
    for others in [Vec::new(), vec![held(7, days)], vec![held(None, days)]] {
        let covered = if others.is_empty() { 0 } else { 1 };
        let mut ownership = Ownership::new(&chunk, &resolution, others.clone());
        // After the roll the old contract is not asked for any more, whoever holds it.
        let block = rows(&[
            (8, noon(1, 4)),
            (7, noon(1, 5)),
            (7, noon(1, 6)),
            (9, noon(1, 5)),
        ]);
        let own = ownership.claim(block).unwrap();
        let counts = (own.len(), ownership.covered, ownership.filtered);
        assert_eq!(
            counts,
            (1 - usize::try_from(covered).unwrap(), covered, 3),
            "{others:?}"
        );
    }
}

#[test]
fn a_chunk_of_all_symbols_leaves_alone_what_others_hold() {
    let days = january(4, 6);
    let chunk = chunk(Schema::Trades, SType::RawSymbol, &[], days);
    assert_eq!(chunk.symbols, Symbols::ALL);
    let block = || rows(&[(7, noon(1, 4)), (8, noon(1, 4)), (7, noon(1, 5))]);
    let mut alone = Ownership::new(&chunk, &Resolution::default(), Vec::new());
    assert_eq!(numbers(&alone.claim(block()).unwrap()), [0, 1, 2]);
    assert_eq!(alone.own(), [held(None, days)]);
    let others = vec![held(7, january(4, 5)), held(None, january(5, 6))];
    let mut second = Ownership::new(&chunk, &Resolution::default(), others);
    assert_eq!(numbers(&second.claim(block()).unwrap()), [1]);
    assert_eq!((second.covered, second.filtered), (2, 0));
    assert_eq!(second.own(), [held(None, january(4, 5))]);
}

/// The days of each slice, as the table has them.
fn days_told(ownership: &Ownership) -> Vec<String> {
    let slices = ownership.slices().into_iter();
    slices.map(|slice| slice.days.unwrap().to_text()).collect()
}

#[test]
fn each_slice_tells_which_of_its_days_have_records_of_the_chunks_own() {
    let days = january(4, 8);
    let of_two = chunk(Schema::Trades, SType::RawSymbol, &["A", "B"], days);
    let resolution = meaning(&[("A", 7, days), ("B", 8, january(5, 8))]);
    let others = vec![held(7, january(5, 6))];
    let mut ownership = Ownership::new(&of_two, &resolution, others);
    assert_eq!(days_told(&ownership), ["-", "--", "---"]);
    let last_of_day = Nanos(day(1, 8).start().0 - 1);
    // What another holds is no record of this chunk's; and the days of two take turns.
    let first = [(7, noon(1, 4)), (7, noon(1, 5)), (8, noon(1, 6))];
    let then = [(7, noon(1, 7)), (8, noon(1, 7)), (7, last_of_day)];
    for block in [first, then] {
        ownership.claim(rows(&block)).unwrap();
    }
    assert_eq!(days_told(&ownership), ["+", "-+", "-++"]);
}

#[test]
fn the_slice_of_every_instrument_tells_the_days_with_records_of_any() {
    let days = january(4, 9);
    let all = chunk(Schema::Ohlcv1D, SType::RawSymbol, &[], days);
    let block = || rows(&[(7, noon(1, 4)), (8, noon(1, 4)), (7, noon(1, 8))]);
    let mut alone = Ownership::new(&all, &Resolution::default(), Vec::new());
    alone.claim(block()).unwrap();
    assert_eq!(days_told(&alone), ["+---+"]);
    let others = vec![held(7, january(8, 9)), held(None, january(5, 6))];
    let mut beside = Ownership::new(&all, &Resolution::default(), others);
    beside.claim(block()).unwrap();
    assert_eq!(days_told(&beside), ["+", "---"]);
}

#[test]
fn a_chunk_that_was_loaded_tells_its_days_again() {
    let days = january(4, 7);
    let loaded = chunk(Schema::Trades, SType::RawSymbol, &["A", "B"], days);
    let slices = [
        held(7, january(4, 5)),
        held(7, january(6, 7)),
        held(8, days),
    ];
    let mut kept = Ownership::kept(&loaded, &slices, vec![held(7, january(5, 6))]);
    let block = rows(&[(7, noon(1, 5)), (8, noon(1, 5)), (7, noon(1, 6))]);
    kept.claim(block).unwrap();
    assert_eq!(days_told(&kept), ["-", "+", "-+-"]);
}

#[test]
fn an_instrument_that_two_symbols_mean_is_held_and_loaded_once() {
    let chunk = chunk(
        Schema::Trades,
        SType::Continuous,
        &["A.c.0", "A.v.0"],
        january(4, 7),
    );
    let resolution = meaning(&[("A.c.0", 7, january(4, 6)), ("A.v.0", 7, january(5, 7))]);
    let mut ownership = Ownership::new(&chunk, &resolution, Vec::new());
    assert_eq!(
        ownership.own(),
        [held(7, january(4, 6)), held(7, january(6, 7))]
    );
    let own = ownership.claim(rows(&[(7, noon(1, 4)), (7, noon(1, 5)), (7, noon(1, 6))]));
    assert_eq!(numbers(&own.unwrap()), [0, 1, 2]);
    assert_eq!(ownership.covered, 0);
}

const INSTRUMENTS: u32 = 4;

fn some_days() -> impl Strategy<Value = DayRange> {
    (1_u32..10, 1_u32..6).prop_map(|(first, length)| january(first, first + length))
}

/// Instruments of the chunk's symbols, each for some days.
fn windows() -> impl Strategy<Value = Vec<(u32, DayRange)>> {
    prop::collection::vec((0..INSTRUMENTS, some_days()), 0..6)
}

/// Slices that other chunks hold. As in the table, one instrument's never overlap.
fn others() -> impl Strategy<Value = Vec<Held>> {
    let slice = (prop::option::weighted(0.8, 0..INSTRUMENTS), some_days());
    prop::collection::vec(slice, 0..5).prop_map(|slices| {
        let mut kept: Vec<Held> = Vec::new();
        for (instrument_id, days) in slices {
            let slice = held(instrument_id, days);
            let overlaps = |other: &Held| {
                let shared = other.span.intersection(slice.span);
                other.instrument_id == instrument_id && shared.is_some()
            };
            if !kept.iter().any(overlaps) {
                kept.push(slice);
            }
        }
        kept
    })
}

/// Records in the order of their time, some on the first instant of a day.
fn records() -> impl Strategy<Value = Vec<(u32, Nanos)>> {
    let time = (
        1_u32..16,
        prop_oneof![Just(0_i64), 0..86_400_000_000_000_i64],
    );
    let record = (
        0..INSTRUMENTS,
        time.prop_map(|(of, nanos)| Nanos(day(1, of).start().0 + nanos)),
    );
    prop::collection::vec(record, 0..60).prop_map(|mut records| {
        records.sort_by_key(|(_, time)| *time);
        records
    })
}

fn holds(slices: &[Held], (instrument_id, time): (u32, Nanos)) -> bool {
    slices.iter().any(|slice| {
        slice.instrument_id.is_none_or(|id| id == instrument_id) && slice.span.contains(time)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_record_is_loaded_covered_or_filtered(
        windows in windows(),
        others in others(),
        records in records(),
        everything in any::<bool>(),
    ) {
        let days = january(1, 16);
        let symbols = if everything { vec![] } else { vec!["A.c.0"] };
        let chunk = chunk(Schema::Definition, SType::Continuous, &symbols, days);
        let windows: Vec<_> = windows.iter().map(|(id, days)| ("A.c.0", *id, *days)).collect();
        let asked: Vec<_> = match everything {
            true => vec![held(None, days)],
            false => windows.iter().map(|(_, id, days)| held(*id, *days)).collect(),
        };
        let mut ownership = Ownership::new(&chunk, &meaning(&windows), others.clone());
        let own = ownership.claim(rows(&records)).unwrap();

        let loaded = |record: &(u32, Nanos)| holds(&asked, *record) && !holds(&others, *record);
        let expected = (0..).zip(&records).filter(|(_, record)| loaded(record));
        let expected: Vec<i64> = expected.map(|(number, _)| number).collect();
        prop_assert_eq!(numbers(&own), expected);
        let covered = |record: &&(u32, Nanos)| holds(&asked, **record) && holds(&others, **record);
        let covered = records.iter().filter(covered).count();
        prop_assert_eq!(ownership.covered, u64::try_from(covered).unwrap());
        let all = u64::try_from(own.len()).unwrap() + ownership.covered + ownership.filtered;
        prop_assert_eq!(all, u64::try_from(records.len()).unwrap());
    }

    #[test]
    fn two_overlapping_chunks_hold_disjoint_slices_and_load_each_record_once(
        first in windows(),
        second in windows(),
        records in records(),
    ) {
        let name = |windows: &[(u32, DayRange)]| {
            let windows: Vec<_> = windows.iter().map(|(id, days)| ("A.c.0", *id, *days)).collect();
            meaning(&windows)
        };
        let days = january(1, 16);
        let chunk = chunk(Schema::Definition, SType::Continuous, &["A.c.0"], days);
        let mut one = Ownership::new(&chunk, &name(&first), Vec::new());
        let mut two = Ownership::new(&chunk, &name(&second), one.own().to_vec());
        let held: Vec<Held> = one.own().iter().chain(two.own()).copied().collect();
        for (number, slice) in held.iter().enumerate() {
            for other in &held[..number] {
                let shared: Option<Span> = slice.span.intersection(other.span);
                let shared = shared.filter(|_| slice.instrument_id == other.instrument_id);
                prop_assert_eq!(shared, None, "{:?} and {:?}", slice, other);
            }
        }
        let mut loaded = numbers(&one.claim(rows(&records)).unwrap());
        loaded.extend(numbers(&two.claim(rows(&records)).unwrap()));
        loaded.sort_unstable();
        let asked = |(id, time): (u32, Nanos)| {
            let windows = first.iter().chain(&second);
            windows.into_iter().any(|(of, days)| *of == id && days.span().contains(time))
        };
        let expected = (0..).zip(&records).filter(|(_, record)| asked(**record));
        let expected: Vec<i64> = expected.map(|(number, _)| number).collect();
        prop_assert_eq!(loaded, expected);
    }
}

/// How many trades there are, and sums of their prices and times, whose digits the view shows on
/// every engine.
const TRADES: &str = "
    SELECT count(*) || ' ' || sum(CAST(replace(price, '.', '') AS BIGINT)) || ' ' ||
        sum(CAST(substr(ts_recv, 9, 2) || substr(ts_recv, 12, 2) || substr(ts_recv, 15, 2)
            || substr(ts_recv, 18, 2) || substr(ts_recv, 21, 9) AS BIGINT) % 1000003)
    FROM trades";

async fn two_overlapping_jobs_load_together_what_one_would_have_loaded(engine: &Engine) {
    let whole = async |pieces: &[(&str, &[crate::installation::Piece])]| {
        let mut installation = Installation::synthetic(engine).await;
        for (name, pieces) in pieces {
            let job = installation.submit(name, SType::Continuous, pieces).await;
            let told = installation.work_off(job).await;
            assert_eq!(outcomes(&told).len(), pieces.len(), "{told:?}");
        }
        let covered = installation
            .number("SELECT sum(covered_records) FROM chunks")
            .await;
        (installation.text(TRADES).await, covered)
    };
    let both = ["ES.c.0", "CL.c.0"];
    let expected = whole(&[("one", &[piece(Schema::Trades, &both, january(4, 9))])]).await;
    assert_eq!(expected.1, 0);
    let pieces = [
        (
            "first",
            &[piece(Schema::Trades, &["ES.c.0"], january(5, 9))] as &[_],
        ),
        ("second", &[piece(Schema::Trades, &both, january(4, 9))]),
        ("third", &[piece(Schema::Trades, &both, january(3, 9))]),
    ];
    let (trades, covered) = whole(&pieces[..2]).await;
    assert_eq!(trades, expected.0);
    assert!(covered > 0);
    // A third job adds its one new day and nothing else.
    let day = whole(&[("day", &[piece(Schema::Trades, &both, january(3, 4))])]).await;
    let (trades, _) = whole(&pieces).await;
    let rows = |text: &str| text.split(' ').next().unwrap().parse::<u64>().unwrap();
    assert_eq!(rows(&trades), rows(&expected.0) + rows(&day.0));
}

async fn definitions_of_continuous_symbols_count_what_came_along(engine: &Engine) {
    let mut installation = Installation::synthetic(engine).await;
    let pieces = [piece(Schema::Definition, &["ES.c.0"], january(4, 5))];
    let job = installation.submit("job", SType::Continuous, &pieces).await;
    let told = installation.work_off(job).await;
    assert_eq!(outcomes(&told).len(), 1, "{told:?}");
    let rows = installation
        .number("SELECT count(*) FROM definitions_data")
        .await;
    let sql = "SELECT fetched_records FROM chunks";
    assert_eq!((rows, installation.number(sql).await), (1, 1));
    let filtered = installation
        .number("SELECT filtered_records FROM chunks")
        .await;
    let archived = installation
        .number("SELECT records FROM archive_objects")
        .await;
    assert_eq!(filtered, archived - 1);
    assert!(filtered > 10);
}
