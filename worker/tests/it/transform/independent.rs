//! An independent reading of the records' own structures: what each field holds, and what its cell
//! in a table is to hold.

use std::ffi::c_char;

use dbn::encode::DbnEncodable;
use dbn::{
    BboMsg, CbboMsg, Cmbp1Msg, FlagSet, ImbalanceMsg, InstrumentDefMsg, MboMsg, Mbp1Msg, Mbp10Msg,
    OhlcvMsg, Schema, StatMsg, StatusMsg, TradeMsg,
};

/// What a table's cell is to hold.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Cell {
    Null,
    Number(i64),
    Char(u8),
    Text(String),
}

/// Which values a record's fields have.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Values {
    /// Each field another, so that none can be taken for another.
    Different,
    /// The smallest that a table can hold.
    Smallest,
    /// The largest that means itself.
    Largest,
    /// What the vendor writes for undefined; the largest where nothing does.
    Undefined,
}

pub(super) const ALL_VALUES: [Values; 4] = [
    Values::Different,
    Values::Smallest,
    Values::Largest,
    Values::Undefined,
];

/// An integer that means itself, whatever it is.
pub(super) trait Plain {
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
pub(super) trait OrNull {
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

pub(super) fn set_text(field: &mut [c_char], values: Values, number: usize) {
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

pub(super) fn text_cell(field: &[c_char]) -> Cell {
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
pub(super) trait Fields: DbnEncodable + Clone + AsRef<[u8]> {
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

pub(super) fn default<R: Default>(_schema: Schema) -> R {
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
