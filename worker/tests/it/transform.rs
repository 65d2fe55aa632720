//! Transform: every field of every schema, at the ends of its range and undefined, against the
//! records' own structures.

use std::collections::BTreeSet;
use std::ffi::c_char;

use common::configuration::files::ConfigFiles;
use common::configuration::job_file::SCHEMAS;
use common::configuration::mapping::{Mapping, Source};
use common::store::rows::{ColumnValues, NULL};
use dbn::encode::{CsvEncoder, DbnEncodable, EncodeRecord};
use dbn::{
    BboMsg, CbboMsg, Cmbp1Msg, FlagSet, ImbalanceMsg, InstrumentDefMsg, MboMsg, Mbp1Msg, Mbp10Msg,
    OhlcvMsg, Schema, StatMsg, StatusMsg, TradeMsg,
};
use testkit::sandbox::Sandbox;
use worker::decode::RecordBlock;
use worker::error::ChunkError;
use worker::transform::transform;

/// What a table's cell is to hold.
#[derive(Clone, Debug, PartialEq)]
enum Cell {
    Null,
    Number(i64),
    Char(u8),
    Text(String),
}

/// Which values a record's fields have.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Values {
    /// Each field another, so that none can be taken for another.
    Different,
    /// The smallest that a table can hold.
    Smallest,
    /// The largest that means itself.
    Largest,
    /// What the vendor writes for undefined; the largest where nothing does.
    Undefined,
}

const ALL_VALUES: [Values; 4] = [
    Values::Different,
    Values::Smallest,
    Values::Largest,
    Values::Undefined,
];

/// An integer that means itself, whatever it is.
trait Plain {
    fn set(&mut self, values: Values, number: usize);
    fn cell(&self) -> Cell;
}

macro_rules! plain_integers {
    ($($type:ty),*) => {$(
        impl Plain for $type {
            fn set(&mut self, values: Values, number: usize) {
                *self = match values {
                    Values::Different => <$type>::try_from(number).unwrap(),
                    Values::Smallest => <$type>::MIN,
                    Values::Largest | Values::Undefined => <$type>::MAX,
                };
            }

            fn cell(&self) -> Cell {
                Cell::Number(i64::from(*self))
            }
        }
    )*};
}

plain_integers!(u8, u16, u32, i32);

/// An integer of which the largest value means undefined.
trait OrNull {
    fn set_or_null(&mut self, values: Values, number: usize);
    fn cell_or_null(&self) -> Cell;
}

macro_rules! integers_or_null {
    ($($type:ty: $smallest:expr),*) => {$(
        impl OrNull for $type {
            fn set_or_null(&mut self, values: Values, number: usize) {
                *self = match values {
                    Values::Different => <$type>::try_from(number).unwrap(),
                    Values::Smallest => $smallest,
                    Values::Largest => <$type>::MAX - 1,
                    Values::Undefined => <$type>::MAX,
                };
            }

            fn cell_or_null(&self) -> Cell {
                match *self {
                    <$type>::MAX => Cell::Null,
                    value => Cell::Number(i64::from(value)),
                }
            }
        }
    )*};
}

// The smallest 64 bits stand for NULL on the way to the table; no price is that low.
integers_or_null!(
    u8: 0, u16: 0, u32: 0, i8: i8::MIN, i16: i16::MIN, i32: i32::MIN, i64: i64::MIN + 1
);

/// Sets a field, by its kind.
macro_rules! set {
    (int $field:expr, $values:expr, $number:expr) => {
        Plain::set(&mut $field, $values, $number)
    };
    (opt $field:expr, $values:expr, $number:expr) => {
        OrNull::set_or_null(&mut $field, $values, $number)
    };
    (flags $field:expr, $values:expr, $number:expr) => {{
        let mut raw = 0_u8;
        Plain::set(&mut raw, $values, $number);
        $field = FlagSet::new(raw);
    }};
    (time $field:expr, $values:expr, $number:expr) => {
        $field = match $values {
            Values::Different => u64::try_from($number).unwrap(),
            Values::Smallest => 0,
            Values::Largest => i64::MAX.unsigned_abs(),
            Values::Undefined => u64::MAX,
        }
    };
    (count $field:expr, $values:expr, $number:expr) => {
        $field = match $values {
            Values::Different => u64::try_from($number).unwrap(),
            Values::Smallest => 0,
            Values::Largest | Values::Undefined => i64::MAX.unsigned_abs(),
        }
    };
    (id $field:expr, $values:expr, $number:expr) => {
        $field = match $values {
            Values::Different => u64::try_from($number).unwrap(),
            Values::Smallest => 0,
            Values::Largest | Values::Undefined => u64::MAX,
        }
    };
    (char $field:expr, $values:expr, $number:expr) => {
        $field = match $values {
            Values::Different => b'!' + u8::try_from($number % 90).unwrap(),
            Values::Smallest => 1,
            Values::Largest => 127,
            Values::Undefined => 0,
        }
        .cast_signed()
    };
    (text $field:expr, $values:expr, $number:expr) => {
        set_text(&mut $field, $values, $number)
    };
}

/// What the table is to hold of a field, by its kind.
macro_rules! cell {
    (int $field:expr) => {
        Plain::cell(&$field)
    };
    (opt $field:expr) => {
        OrNull::cell_or_null(&$field)
    };
    (flags $field:expr) => {
        Cell::Number(i64::from($field.raw()))
    };
    (time $field:expr) => {
        match $field {
            u64::MAX => Cell::Null,
            time => Cell::Number(i64::try_from(time).unwrap()),
        }
    };
    (count $field:expr) => {
        Cell::Number(i64::try_from($field).unwrap())
    };
    (id $field:expr) => {
        Cell::Text($field.to_string())
    };
    (char $field:expr) => {
        match $field.cast_unsigned() {
            0 => Cell::Null,
            code => Cell::Char(code),
        }
    };
    (text $field:expr) => {
        text_cell(&$field)
    };
}

fn set_text(field: &mut [c_char], values: Values, number: usize) {
    let length = field.len();
    let text = match values {
        Values::Different => format!("{number:03}").chars().take(length - 1).collect(),
        Values::Smallest => "~".to_owned(),
        // No room for the zero at the end.
        Values::Largest => "Z".repeat(length),
        Values::Undefined => String::new(),
    };
    field.fill(0);
    for (to, from) in field.iter_mut().zip(text.bytes()) {
        *to = from.cast_signed();
    }
    // What lies behind the end is not part of it.
    for to in field.iter_mut().skip(text.len() + 1) {
        *to = b'?'.cast_signed();
    }
}

fn text_cell(field: &[c_char]) -> Cell {
    let text: String = field
        .iter()
        .map(|code| char::from(code.cast_unsigned()))
        .collect();
    match text.split('\0').next() {
        None | Some("") => Cell::Null,
        Some(text) => Cell::Text(text.to_owned()),
    }
}

/// A record's fields, each with its kind: how it is filled, and what the table is to hold.
trait Fields: DbnEncodable + Clone + AsRef<[u8]> {
    fn undefined(schema: Schema) -> Self;
    fn fill(&mut self, values: Values);
    fn cells(&self) -> Vec<(String, Cell)>;
}

macro_rules! fields {
    ($record:ty, $default:expr; $($kind:ident: $($name:ident),*;)* $(@levels $($level_kind:ident $level_field:ident),*)?) => {
        impl Fields for $record {
            fn undefined(schema: Schema) -> Self {
                $default(schema)
            }

            fn fill(&mut self, values: Values) {
                let mut number = 1;
                let mut next = || {
                    number += 1;
                    number
                };
                set!(int self.hd.publisher_id, values, next());
                set!(int self.hd.instrument_id, values, next());
                set!(time self.hd.ts_event, values, next());
                $($(set!($kind self.$name, values, next());)*)*
                $(for level in &mut self.levels {
                    $(set!($level_kind level.$level_field, values, next());)*
                })?
            }

            fn cells(&self) -> Vec<(String, Cell)> {
                let mut cells = vec![
                    ("publisher_id".to_owned(), cell!(int self.hd.publisher_id)),
                    ("instrument_id".to_owned(), cell!(int self.hd.instrument_id)),
                    ("ts_event".to_owned(), cell!(time self.hd.ts_event)),
                ];
                $($(cells.push((stringify!($name).to_owned(), cell!($kind self.$name)));)*)*
                $(for (number, level) in self.levels.iter().enumerate() {
                    $(
                        let name = format!("{}_{number:02}", stringify!($level_field));
                        cells.push((name, cell!($level_kind level.$level_field)));
                    )*
                })?
                cells
            }
        }
    };
}

fn default<R: Default>(_schema: Schema) -> R {
    R::default()
}

fields!(TradeMsg, default;
    opt: price, size; char: action, side; flags: flags; time: ts_recv;
    int: depth, ts_in_delta, sequence;
);
fields!(Mbp1Msg, default;
    opt: price, size; char: action, side; flags: flags; time: ts_recv;
    int: depth, ts_in_delta, sequence;
    @levels opt bid_px, opt ask_px, int bid_sz, int ask_sz, int bid_ct, int ask_ct
);
fields!(Mbp10Msg, default;
    opt: price, size; char: action, side; flags: flags; time: ts_recv;
    int: depth, ts_in_delta, sequence;
    @levels opt bid_px, opt ask_px, int bid_sz, int ask_sz, int bid_ct, int ask_ct
);
fields!(MboMsg, default;
    id: order_id; opt: price, size, channel_id; char: action, side; flags: flags;
    time: ts_recv; int: ts_in_delta, sequence;
);
fields!(BboMsg, BboMsg::default_for_schema;
    opt: price, size; char: side; flags: flags; time: ts_recv; int: sequence;
    @levels opt bid_px, opt ask_px, int bid_sz, int ask_sz, int bid_ct, int ask_ct
);
fields!(Cmbp1Msg, Cmbp1Msg::default_for_schema;
    opt: price, size; char: action, side; flags: flags; time: ts_recv; int: ts_in_delta;
    @levels opt bid_px, opt ask_px, int bid_sz, int ask_sz, int bid_pb, int ask_pb
);
fields!(CbboMsg, CbboMsg::default_for_schema;
    opt: price, size; char: side; flags: flags; time: ts_recv;
    @levels opt bid_px, opt ask_px, int bid_sz, int ask_sz, int bid_pb, int ask_pb
);
fields!(OhlcvMsg, OhlcvMsg::default_for_schema;
    opt: open, high, low, close; count: volume;
);
fields!(StatusMsg, default;
    time: ts_recv; int: action, reason, trading_event;
    char: is_trading, is_quoting, is_short_sell_restricted;
);
fields!(StatMsg, default;
    time: ts_recv, ts_ref; opt: price, quantity, channel_id;
    int: sequence, ts_in_delta, stat_type, update_action, stat_flags;
);
fields!(ImbalanceMsg, default;
    time: ts_recv, auction_time;
    opt: ref_price, cont_book_clr_price, auct_interest_clr_price, ssr_filling_price,
        ind_match_price, upper_collar, lower_collar, paired_qty, total_imbalance_qty,
        market_imbalance_qty, unpaired_qty;
    char: auction_type, side, unpaired_side, significant_imbalance;
    int: auction_status, freeze_status, num_extensions;
);
fields!(InstrumentDefMsg, default;
    time: ts_recv, expiration, activation;
    id: raw_instrument_id;
    opt: min_price_increment, display_factor, high_limit_price, low_limit_price,
        max_price_variation, unit_of_measure_qty, min_price_increment_amount, price_ratio,
        strike_price, leg_price, leg_delta, inst_attrib_value, market_depth_implied, market_depth,
        market_segment_id, max_trade_vol, min_lot_size, min_lot_size_block,
        min_lot_size_round_lot, min_trade_vol, contract_multiplier, decay_quantity,
        original_contract_size, appl_id, maturity_year, decay_start_date, channel_id,
        main_fraction, price_display_format, sub_fraction, underlying_product, maturity_month,
        maturity_day, maturity_week, contract_multiplier_unit, flow_schedule_type, tick_rule;
    int: underlying_id, leg_instrument_id, leg_ratio_price_numerator,
        leg_ratio_price_denominator, leg_ratio_qty_numerator, leg_ratio_qty_denominator,
        leg_underlying_id, leg_count, leg_index;
    text: currency, settl_currency, secsubtype, raw_symbol, group, exchange, asset, cfi,
        security_type, unit_of_measure, underlying, strike_price_currency, leg_raw_symbol;
    char: instrument_class, match_algorithm, security_update_action, user_defined_instrument,
        leg_instrument_class, leg_side;
);

/// Runs a story for the record of each schema.
macro_rules! for_each_schema {
    ($story:ident) => {
        for schema in SCHEMAS {
            match schema {
                Schema::Trades => $story::<TradeMsg>(schema),
                Schema::Tbbo | Schema::Mbp1 => $story::<Mbp1Msg>(schema),
                Schema::Mbp10 => $story::<Mbp10Msg>(schema),
                Schema::Mbo => $story::<MboMsg>(schema),
                Schema::Bbo1S | Schema::Bbo1M => $story::<BboMsg>(schema),
                Schema::Cmbp1 | Schema::Tcbbo => $story::<Cmbp1Msg>(schema),
                Schema::Cbbo1S | Schema::Cbbo1M => $story::<CbboMsg>(schema),
                Schema::Ohlcv1S
                | Schema::Ohlcv1M
                | Schema::Ohlcv1H
                | Schema::Ohlcv1D
                | Schema::OhlcvEod => $story::<OhlcvMsg>(schema),
                Schema::Status => $story::<StatusMsg>(schema),
                Schema::Statistics => $story::<StatMsg>(schema),
                Schema::Imbalance => $story::<ImbalanceMsg>(schema),
                Schema::Definition => $story::<InstrumentDefMsg>(schema),
            }
        }
    };
}

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
            Source::Constant(_) => None,
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
        let Err(ChunkError::Value { field, value }) = rows else {
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
    let Err(ChunkError::Value { field, value }) = rows else {
        panic!("{rows:?}");
    };
    assert_eq!((field.as_str(), value), ("side", 0xC1));
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
  - {name: leg_count, default: '7'}
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
