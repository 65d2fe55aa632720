//! Rows for `PostgreSQL`: every value is read back as it was, by the format's documentation and by
//! `PostgreSQL` itself.

use std::sync::Arc;

use common::chunk::ChunkId;
use common::configuration::files::ConfigFiles;
use common::configuration::mapping::Mapping;
use common::store::copy::CopyEncoder;
use common::store::rows::{ColumnValues, NULL, RowBlock};
use dbn::Schema;
use proptest::prelude::*;
use proptest::test_runner::Config;
use testkit::sandbox::Sandbox;

mod decoded;
mod postgresql;

const CHUNK: ChunkId = ChunkId(77);
const SECOND: i64 = 1_000_000_000;
const SECONDS_TO_2000: i64 = 946_684_800;
const CONSTANT_PRICE: i64 = -1_250_000_000;
const CONSTANT_INSTANT: i64 = 1_704_326_400_000_000_001;

/// One row, its values apart.
#[derive(Clone, Debug, PartialEq)]
struct Values {
    count: Option<i64>,
    price: Option<i64>,
    instant: Option<i64>,
    code: Option<u8>,
    text: Option<String>,
    record_number: i64,
}

/// A column of each type, and a constant of each.
fn mapping() -> Mapping {
    let sandbox = Sandbox::new();
    std::fs::create_dir(sandbox.path().join("schemas")).expect("an empty sandbox");
    sandbox.write(
        "schemas/own.yaml",
        "
schemas: [definition]
table: own
columns:
  - {name: count, field: leg_count}
  - {name: fixed_count, value: '42', type: integer}
  - {name: price, field: strike_price}
  - {name: fixed_price, value: '-1.25', type: price}
  - {name: instant, field: expiration}
  - {name: fixed_instant, value: '2024-01-04T00:00:00.000000001Z', type: timestamp}
  - {name: code, field: instrument_class}
  - {name: fixed_code, value: 'N', type: char}
  - {name: words, field: raw_symbol}
  - {name: fixed_words, value: 'as ever'}
",
    );
    let files = ConfigFiles::Folder(sandbox.path().to_owned());
    Mapping::load(&files, Schema::Definition).unwrap_or_else(|refusal| panic!("{refusal}"))
}

fn block(rows: &[Values]) -> RowBlock {
    let integers = |value: fn(&Values) -> Option<i64>| {
        let values = rows.iter().map(|row| value(row).unwrap_or(NULL));
        ColumnValues::Integers(values.collect())
    };
    let codes = rows.iter().map(|row| row.code.unwrap_or(0));
    let texts = rows.iter().map(|row| row.text.as_deref().map(Arc::from));
    RowBlock {
        columns: vec![
            integers(|row| row.count),
            ColumnValues::SameInteger(42),
            integers(|row| row.price),
            ColumnValues::SameInteger(CONSTANT_PRICE),
            integers(|row| row.instant),
            ColumnValues::SameInteger(CONSTANT_INSTANT),
            ColumnValues::Chars(codes.collect()),
            ColumnValues::SameText("N".into()),
            ColumnValues::Texts(texts.collect()),
            ColumnValues::SameText("as ever".into()),
        ],
        instrument_ids: vec![1; rows.len()],
        index_times: vec![0; rows.len()],
        record_numbers: rows.iter().map(|row| row.record_number).collect(),
    }
}

/// A whole file, its rows in blocks of this many.
fn file(rows: &[Values], rows_per_block: usize) -> Vec<u8> {
    let encoder = CopyEncoder::new(&mapping());
    let mut file = Vec::new();
    CopyEncoder::begin(&mut file);
    for rows in rows.chunks(rows_per_block) {
        encoder.encode(&block(rows), CHUNK, &mut file);
    }
    CopyEncoder::end(&mut file);
    file
}

fn read_back(tuple: &[decoded::Field]) -> Values {
    let [
        count,
        fixed_count,
        price,
        fixed_price,
        instant,
        instant_ns,
        fixed_instant,
        fixed_instant_ns,
        code,
        fixed_code,
        words,
        fixed_words,
        chunk,
        number,
    ] = tuple
    else {
        panic!("{} fields", tuple.len());
    };
    let narrow = |value: i128| i64::try_from(value).expect("a value of 64 bits");
    assert_eq!(decoded::bigint(fixed_count), Some(42));
    assert_eq!(decoded::numeric(fixed_price), Some(CONSTANT_PRICE.into()));
    let constant = decoded::instant(fixed_instant, fixed_instant_ns);
    assert_eq!(constant, Some(CONSTANT_INSTANT.into()));
    assert_eq!(decoded::text(fixed_code).as_deref(), Some("N"));
    assert_eq!(decoded::text(fixed_words).as_deref(), Some("as ever"));
    assert_eq!(decoded::bigint(chunk), Some(CHUNK.0));
    Values {
        count: decoded::bigint(count),
        price: decoded::numeric(price).map(narrow),
        instant: decoded::instant(instant, instant_ns).map(narrow),
        code: decoded::text(code).map(|text| match text.as_bytes() {
            [code] => *code,
            other => panic!("{other:?} is not one character"),
        }),
        text: decoded::text(words),
        record_number: decoded::bigint(number).expect("every row has a number"),
    }
}

/// Numbers at the ends of the range, around nothing, and round ones, as prices are.
fn number() -> impl Strategy<Value = i64> {
    prop_oneof![
        NULL + 1..=i64::MAX,
        Just(NULL + 1),
        Just(i64::MAX),
        -2_i64..=2,
        (-9_999_i64..=9_999, 0_u32..15).prop_map(|(digits, zeros)| digits * 10_i64.pow(zeros)),
    ]
}

fn instant() -> impl Strategy<Value = i64> {
    let near = |second: i64| (-2_001_i64..=2_001).prop_map(move |ns| second * SECOND + ns);
    prop_oneof![number(), near(0), near(SECONDS_TO_2000), near(-1)]
}

fn text() -> impl Strategy<Value = String> {
    let characters = proptest::collection::vec(any::<char>(), 0..80);
    characters.prop_map(String::from_iter)
}

prop_compose! {
    fn values()(
        count in proptest::option::of(number()),
        price in proptest::option::of(number()),
        instant in proptest::option::of(instant()),
        code in proptest::option::of(1_u8..128),
        text in proptest::option::of(text()),
        record_number in any::<i64>(),
    ) -> Values {
        Values { count, price, instant, code, text, record_number }
    }
}

proptest! {
    #![proptest_config(Config { failure_persistence: None, ..Config::default() })]

    #[test]
    fn every_value_is_read_back_as_it_was(
        rows in proptest::collection::vec(values(), 0..40),
        rows_per_block in 1_usize..20,
    ) {
        let tuples = decoded::tuples(&file(&rows, rows_per_block));
        let read: Vec<_> = tuples.iter().map(|tuple| read_back(tuple)).collect();
        prop_assert_eq!(read, rows);
    }
}

#[test]
fn a_timestamp_is_two_columns_and_the_rows_origin_comes_last() {
    let mapping = Mapping::load(&ConfigFiles::CompiledIn, Schema::Trades).unwrap();
    let encoder = CopyEncoder::new(&mapping);
    let columns = encoder.columns().iter();
    let columns: Vec<_> = columns
        .map(|column| format!("{} {}", column.name, column.sql_type))
        .collect();
    let expected = [
        "instrument_id bigint",
        "ts_recv timestamptz",
        "ts_recv_ns smallint",
        "publisher_id bigint",
        "ts_event timestamptz",
        "ts_event_ns smallint",
        "price numeric(20,9)",
        "size bigint",
        "action text",
        "side text",
        "flags bigint",
        "depth bigint",
        "ts_in_delta bigint",
        "sequence bigint",
        "chunk_id bigint",
        "row_number bigint",
    ];
    assert_eq!(columns, expected);
}

#[test]
fn a_block_without_rows_and_columns_adds_nothing() {
    let encoder = CopyEncoder::new(&mapping());
    let mut bytes = Vec::new();
    encoder.encode(&RowBlock::default(), CHUNK, &mut bytes);
    assert!(bytes.is_empty());
}
