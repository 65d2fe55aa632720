//! Transform: every field of every schema, at the ends of its range and undefined, against the
//! records' own structures.

use std::collections::BTreeSet;

use common::configuration::files::ConfigFiles;
use common::configuration::mapping::{Mapping, Source};
use common::expression::Parameters;
use common::request::SCHEMAS;
use common::store::rows::{ColumnValues, NULL, RowBlock};
use common::time::Nanos;
use dbn::encode::{CsvEncoder, EncodeRecord};
use dbn::{
    BboMsg, CbboMsg, Cmbp1Msg, ImbalanceMsg, InstrumentDefMsg, MboMsg, Mbp1Msg, Mbp10Msg, OhlcvMsg,
    Schema, StatMsg, StatusMsg, TradeMsg,
};
use testkit::sandbox::Sandbox;
use worker::decode::RecordBlock;
use worker::transform::{Unfit, parts};

#[macro_use]
mod independent;

use independent::{ALL_VALUES, Cell, Fields};

fn transform(mapping: &Mapping, block: RecordBlock) -> Result<RowBlock, Unfit> {
    worker::transform::transform(mapping, &block, ALWAYS)
}

const ALWAYS: Parameters = Parameters {
    chunk_start: Nanos(0),
    chunk_end: Nanos(i64::MAX),
};

fn mapping(schema: Schema) -> Mapping {
    Mapping::load(&ConfigFiles::CompiledIn, schema).unwrap()
}

fn block<R: AsRef<[u8]>>(records: &[R]) -> RecordBlock {
    RecordBlock {
        bytes: records
            .iter()
            .flat_map(|record| record.as_ref().to_vec())
            .collect(),
        index_times: (0..).take(records.len()).collect(),
        first_number: 7,
    }
}

fn cell(values: &ColumnValues, row: usize) -> Cell {
    match values {
        ColumnValues::Integers(values) => match values[row] {
            NULL => Cell::Null,
            value => Cell::Number(value),
        },
        ColumnValues::Chars(values) => match values[row] {
            0 => Cell::Null,
            code => Cell::Char(code),
        },
        ColumnValues::Texts(values) => match &values[row] {
            None => Cell::Null,
            Some(text) => Cell::Text(text.to_string()),
        },
        ColumnValues::SameText(text) => Cell::Text(text.to_string()),
        ColumnValues::SameInteger(number) => Cell::Number(*number),
    }
}

fn every_column_is_as_the_record_says<R: Fields>(schema: Schema) {
    let mapping = mapping(schema);
    let records = ALL_VALUES.map(|values| {
        let mut record = R::undefined(schema);
        record.fill(values);
        record
    });
    let rows = transform(&mapping, block(&records)).unwrap();
    assert_eq!(
        (rows.len(), rows.columns.len()),
        (records.len(), mapping.columns.len())
    );
    for (row, (record, values)) in records.iter().zip(ALL_VALUES).enumerate() {
        let cells = record.cells();
        for (column, held) in mapping.columns.iter().zip(&rows.columns) {
            let Source::Field { field, .. } = &column.source else {
                let size = schema.as_str().rsplit('-').next().unwrap();
                assert_eq!(cell(held, row), Cell::Text(size.to_owned()), "{schema}");
                continue;
            };
            let (_, expected) = cells.iter().find(|(name, _)| *name == field.name).unwrap();
            let name = &column.name;
            assert_eq!(
                cell(held, row),
                *expected,
                "{schema} {name} with {values:?} values"
            );
        }
        let id = Cell::Number(i64::from(rows.instrument_ids[row]));
        assert!(
            cells.contains(&("instrument_id".to_owned(), id)),
            "{schema}"
        );
        assert_eq!(rows.index_times[row], i64::try_from(row).unwrap());
        assert_eq!(rows.record_numbers[row], i64::try_from(row).unwrap() + 7);
    }
}

#[test]
fn every_column_of_every_schema_is_as_the_record_says() {
    for_each_schema!(every_column_is_as_the_record_says);
}

/// The columns that the vendor's own CSV would have.
fn vendors_columns<R: Fields>(schema: Schema) -> BTreeSet<String> {
    let mut csv = Vec::new();
    let mut encoder = CsvEncoder::builder(&mut csv)
        .write_header(true)
        .build()
        .unwrap();
    encoder.encode_record(&R::undefined(schema)).unwrap();
    encoder.flush().unwrap();
    drop(encoder);
    let csv = String::from_utf8(csv).unwrap();
    let header = csv.lines().next().unwrap();
    header.split(',').map(str::to_owned).collect()
}

fn no_field_is_lost<R: Fields>(schema: Schema) {
    let mapping = mapping(schema);
    let mut vendors = vendors_columns::<R>(schema);
    // The type is the schema itself.
    assert!(vendors.remove("rtype"));
    let laid_out = mapping.layout.fields.iter().map(|field| field.name.clone());
    assert_eq!(
        laid_out.collect::<BTreeSet<_>>(),
        vendors,
        "{schema}: laid out"
    );
    let mapped = mapping
        .columns
        .iter()
        .filter_map(|column| match &column.source {
            Source::Field { field, .. } => Some(field.name.clone()),
            Source::Constant(_) | Source::Expression(_) => None,
        });
    assert_eq!(mapped.collect::<BTreeSet<_>>(), vendors, "{schema}: mapped");
    let tested = R::undefined(schema).cells();
    let tested: BTreeSet<_> = tested.into_iter().map(|(name, _)| name).collect();
    assert_eq!(tested, vendors, "{schema}: tested");
}

#[test]
fn no_field_of_any_schema_is_lost() {
    for_each_schema!(no_field_is_lost);
}

#[test]
fn a_count_or_time_that_a_column_cannot_hold_is_refused_and_not_bent() {
    let too_large = i64::MAX.unsigned_abs() + 1;
    let volume = OhlcvMsg {
        volume: too_large,
        ..OhlcvMsg::default_for_schema(Schema::Ohlcv1D)
    };
    let undefined = OhlcvMsg {
        volume: u64::MAX,
        ..volume.clone()
    };
    let time = TradeMsg {
        ts_recv: u64::MAX - 1,
        ..TradeMsg::default()
    };
    let refusals = [
        (
            transform(&mapping(Schema::Ohlcv1D), block(&[volume])),
            "volume",
            too_large,
        ),
        // A count is never undefined.
        (
            transform(&mapping(Schema::Ohlcv1D), block(&[undefined])),
            "volume",
            u64::MAX,
        ),
        (
            transform(&mapping(Schema::Trades), block(&[time])),
            "ts_recv",
            u64::MAX - 1,
        ),
    ];
    for (rows, name, number) in refusals {
        let Err(Unfit::Value { field, value }) = rows else {
            panic!("{name} was taken: {rows:?}");
        };
        assert_eq!((field.as_str(), value), (name, number));
    }
}

#[test]
fn a_character_that_is_none_is_refused_and_not_bent() {
    let trade = TradeMsg {
        side: 0xC1_u8.cast_signed(),
        ..TradeMsg::default()
    };
    let rows = transform(&mapping(Schema::Trades), block(&[trade]));
    let unfit = rows.unwrap_err().to_string();
    assert_eq!(unfit, "side = 0xc1 is no ASCII character");
}

/// A mapping file of one's own.
fn own_mapping(schema: Schema, text: &str) -> Mapping {
    let sandbox = Sandbox::new();
    std::fs::create_dir(sandbox.path().join("schemas")).unwrap();
    sandbox.write("schemas/own.yaml", text);
    let files = ConfigFiles::Folder(sandbox.path().to_owned());
    Mapping::load(&files, schema).unwrap_or_else(|refusal| panic!("{refusal}"))
}

#[test]
fn defaults_stand_where_a_value_is_undefined_and_constants_everywhere() {
    let mapping = own_mapping(
        Schema::Definition,
        "
schemas: [definition]
table: definitions_data
columns:
  - {name: price, field: strike_price, default: '12.5'}
  - {name: expiration, default: '2024-01-04T00:00:00Z'}
  - {name: year, field: maturity_year, default: '1999'}
  - {name: class, field: instrument_class, default: 'N'}
  - {name: class_text, field: instrument_class, type: text, default: 'none'}
  - {name: symbol, field: raw_symbol, default: 'unknown'}
  - {name: leg_count}
  - {name: origin, value: 'vendor'}
  - {name: number, value: '42', type: integer}
  - {name: fee, value: '0.25', type: price}
",
    );
    let undefined = InstrumentDefMsg {
        instrument_class: 0,
        leg_count: u16::MAX,
        ..InstrumentDefMsg::default()
    };
    let mut symbol = [0; 71];
    symbol[0] = b'E'.cast_signed();
    let defined = InstrumentDefMsg {
        strike_price: 0,
        expiration: 0,
        maturity_year: 0,
        instrument_class: b'F'.cast_signed(),
        raw_symbol: symbol,
        leg_count: 0,
        ..InstrumentDefMsg::default()
    };
    let rows = transform(&mapping, block(&[undefined, defined])).unwrap();
    let row = |row| -> Vec<Cell> {
        rows.columns
            .iter()
            .map(|column| cell(column, row))
            .collect()
    };
    let text = |text: &str| Cell::Text(text.to_owned());
    let constants = [text("vendor"), Cell::Number(42), Cell::Number(250_000_000)];
    let mut expected = vec![
        Cell::Number(12_500_000_000),
        Cell::Number(1_704_326_400_000_000_000),
        Cell::Number(1999),
        Cell::Char(b'N'),
        text("none"),
        text("unknown"),
        // No number of legs means undefined.
        Cell::Number(65_535),
    ];
    expected.extend(constants.clone());
    assert_eq!(row(0), expected);
    let mut expected = vec![Cell::Number(0); 3];
    expected.extend([Cell::Char(b'F'), text("F"), text("E"), Cell::Number(0)]);
    expected.extend(constants);
    assert_eq!(row(1), expected);
}

/// A definition's columns, scaled, cast and derived.
const COMPUTED: &str = "
schemas: [definition]
table: definitions_data
columns:
  - {name: strike_price}
  - {name: cents, field: strike_price, scale: 100, type: integer}
  - {name: halved, field: strike_price, scale: 0.5}
  - {name: whole, field: strike_price, type: integer, default: '-1'}
  - {name: maturity_year}
  - {name: year_as_price, field: maturity_year, type: price}
  - {name: expiration}
  - {name: expiration_ns, field: expiration, type: integer}
  - {name: class, field: instrument_class, type: text}
  - {name: year_as_text, field: maturity_year, type: text}
  - {name: twice, expression: 'strike_price * 2 - 1'}
  - {name: left, expression: chunk_end - expiration}
  - {name: same, expression: class}
";

fn definition(strike_price: i64) -> InstrumentDefMsg {
    InstrumentDefMsg {
        strike_price,
        maturity_year: 2024,
        expiration: 1_704_326_400_000_000_000,
        instrument_class: b'C'.cast_signed(),
        ..InstrumentDefMsg::default()
    }
}

#[test]
fn columns_are_scaled_cast_and_derived_exactly() {
    let mapping = own_mapping(Schema::Definition, COMPUTED);
    let undefined = InstrumentDefMsg {
        instrument_class: 0,
        maturity_year: u16::MAX,
        ..InstrumentDefMsg::default()
    };
    let records = block(&[definition(-42_000_000_000), undefined]);
    let days = Parameters {
        chunk_start: Nanos(0),
        chunk_end: Nanos(1_704_326_400_000_000_005),
    };
    let rows = worker::transform::transform(&mapping, &records, days).unwrap();
    let row = |row| -> Vec<Cell> {
        let columns = rows.columns.iter();
        columns.map(|column| cell(column, row)).collect()
    };
    let text = |text: &str| Cell::Text(text.to_owned());
    assert_eq!(
        row(0),
        [
            Cell::Number(-42_000_000_000),
            Cell::Number(-4_200),
            Cell::Number(-21_000_000_000),
            Cell::Number(-42),
            Cell::Number(2024),
            Cell::Number(2_024_000_000_000),
            Cell::Number(1_704_326_400_000_000_000),
            Cell::Number(1_704_326_400_000_000_000),
            text("C"),
            text("2024"),
            Cell::Number(-85_000_000_000),
            Cell::Number(5),
            text("C"),
        ]
    );
    let mut nothing = vec![Cell::Null; rows.columns.len()];
    nothing[3] = Cell::Number(-1);
    assert_eq!(row(1), nothing);
}

#[test]
fn a_value_that_is_not_exact_in_its_column_is_refused_with_its_record() {
    let mapping = own_mapping(Schema::Definition, COMPUTED);
    let records = [definition(1_000_000_000), definition(1_000_000_001)];
    let error = transform(&mapping, block(&records)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "cents: 100.0000001 can't be held exactly as integer"
    );
    // What does not fit is no more exact than what has too many decimals.
    let error = transform(&mapping, block(&[definition(i64::MAX - 1)])).unwrap_err();
    assert!(matches!(error, Unfit::NotExact { .. }), "{error:?}");
}

#[test]
fn records_that_fit_are_rows_and_the_others_are_told_apart() {
    let mapping = own_mapping(Schema::Definition, COMPUTED);
    let whole = 1_000_000_000;
    for bad in [
        vec![],
        vec![0],
        vec![99],
        vec![3, 4, 50],
        (0..100).collect(),
    ] {
        let records: Vec<_> = (0..100)
            .map(|number| definition(whole + i64::from(bad.contains(&number))))
            .collect();
        let (mut rows, mut unfit) = (Vec::new(), Vec::new());
        for part in parts(&mapping, block(&records), ALWAYS) {
            let records = part.records;
            assert_eq!(records.len(), part.rows.len());
            match part.unfit {
                None => rows.extend(part.rows.record_numbers),
                Some(_) => {
                    assert_eq!(records.len(), 1);
                    let bytes = records.record(records.first_number, mapping.layout.record_bytes);
                    assert_eq!(bytes, definition(whole + 1).as_ref());
                    unfit.push(records.first_number);
                }
            }
        }
        // Records are numbered from 7 on here.
        let bad: Vec<_> = bad.iter().map(|number| i64::from(*number) + 7).collect();
        assert_eq!(unfit, bad);
        let good: Vec<_> = (7..107).filter(|number| !bad.contains(number)).collect();
        assert_eq!(rows, good);
    }
}
