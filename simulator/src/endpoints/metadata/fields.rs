//! The fields of each schema's records.

use dbn::{Encoding, Schema};
use serde_json::{Value, json};

const HEADER: &str = "rtype:uint8_t publisher_id:uint16_t instrument_id:uint32_t";
const TRADE: &str = "\
    ts_recv:uint64_t action:char side:char depth:uint8_t price:int64_t size:uint32_t \
    flags:uint8_t ts_in_delta:int32_t sequence:uint32_t";
const SAMPLED: &str = "\
    ts_recv:uint64_t side:char price:int64_t size:uint32_t flags:uint8_t sequence:uint32_t";
const CONSOLIDATED: &str = "\
    bid_px_00:int64_t ask_px_00:int64_t bid_sz_00:uint32_t ask_sz_00:uint32_t \
    bid_pb_00:uint16_t ask_pb_00:uint16_t";
const BAR: &str = "open:int64_t high:int64_t low:int64_t close:int64_t volume:uint64_t";
const ORDER: &str = "\
    ts_recv:uint64_t action:char side:char price:int64_t size:uint32_t channel_id:uint8_t \
    order_id:uint64_t flags:uint8_t ts_in_delta:int32_t sequence:uint32_t";
const STATISTIC: &str = "\
    ts_recv:uint64_t ts_ref:uint64_t price:int64_t quantity:int64_t sequence:uint32_t \
    ts_in_delta:int32_t stat_type:uint16_t channel_id:uint16_t update_action:uint8_t \
    stat_flags:uint8_t";
const STATUS: &str = "\
    ts_recv:uint64_t action:uint16_t reason:uint16_t trading_event:uint16_t is_trading:char \
    is_quoting:char is_short_sell_restricted:char";
const IMBALANCE: &str = "\
    ts_recv:uint64_t ref_price:int64_t auction_time:uint64_t cont_book_clr_price:int64_t \
    auct_interest_clr_price:int64_t ssr_filling_price:int64_t ind_match_price:int64_t \
    upper_collar:int64_t lower_collar:int64_t paired_qty:uint32_t total_imbalance_qty:uint32_t \
    market_imbalance_qty:uint32_t unpaired_qty:uint32_t auction_type:char side:char \
    auction_status:uint8_t freeze_status:uint8_t num_extensions:uint8_t unpaired_side:char \
    significant_imbalance:char";
const DEFINITION: &str = "\
    ts_recv:uint64_t raw_symbol:char[71] security_update_action:char instrument_class:char \
    min_price_increment:int64_t display_factor:int64_t expiration:uint64_t activation:uint64_t \
    high_limit_price:int64_t low_limit_price:int64_t max_price_variation:int64_t \
    unit_of_measure_qty:int64_t min_price_increment_amount:int64_t price_ratio:int64_t \
    inst_attrib_value:int32_t underlying_id:uint32_t raw_instrument_id:uint64_t \
    market_depth_implied:int32_t market_depth:int32_t market_segment_id:uint32_t \
    max_trade_vol:uint32_t min_lot_size:int32_t min_lot_size_block:int32_t \
    min_lot_size_round_lot:int32_t min_trade_vol:uint32_t contract_multiplier:int32_t \
    decay_quantity:int32_t original_contract_size:int32_t appl_id:int16_t \
    maturity_year:uint16_t decay_start_date:uint16_t channel_id:uint16_t currency:char[4] \
    settl_currency:char[4] secsubtype:char[6] group:char[21] exchange:char[5] asset:char[11] \
    cfi:char[7] security_type:char[7] unit_of_measure:char[31] underlying:char[21] \
    strike_price_currency:char[4] strike_price:int64_t match_algorithm:char \
    main_fraction:uint8_t price_display_format:uint8_t sub_fraction:uint8_t \
    underlying_product:uint8_t maturity_month:uint8_t maturity_day:uint8_t \
    maturity_week:uint8_t user_defined_instrument:char contract_multiplier_unit:int8_t \
    flow_schedule_type:int8_t tick_rule:uint8_t leg_count:uint16_t leg_index:uint16_t \
    leg_instrument_id:uint32_t leg_raw_symbol:char[71] leg_instrument_class:char leg_side:char \
    leg_price:int64_t leg_delta:int64_t leg_ratio_price_numerator:int32_t \
    leg_ratio_price_denominator:int32_t leg_ratio_qty_numerator:int32_t \
    leg_ratio_qty_denominator:int32_t leg_underlying_id:uint32_t";

/// The fields in the order of an encoding; DBN begins with the length.
pub(crate) fn fields(schema: Schema, encoding: Encoding) -> Value {
    let length = (encoding == Encoding::Dbn).then_some(("length", "uint8_t"));
    let mut fields: Vec<(String, String)> = Vec::new();
    let mut add = |(name, kind): (&str, &str)| fields.push((name.to_owned(), kind.to_owned()));
    length.into_iter().for_each(&mut add);
    parsed(HEADER).for_each(&mut add);
    add(("ts_event", "uint64_t"));
    for part in parts(schema) {
        parsed(part).for_each(&mut add);
    }
    for level in 0..levels(schema) {
        fields.extend(level_fields(level));
    }
    fields
        .iter()
        .map(|(name, kind)| json!({ "name": name, "type": kind }))
        .collect()
}

fn parts(schema: Schema) -> &'static [&'static str] {
    match schema {
        Schema::Mbo => &[ORDER],
        Schema::Trades | Schema::Tbbo | Schema::Mbp1 | Schema::Mbp10 => &[TRADE],
        Schema::Bbo1S | Schema::Bbo1M => &[SAMPLED],
        Schema::Cmbp1 | Schema::Tcbbo => &[TRADE, CONSOLIDATED],
        Schema::Cbbo1S | Schema::Cbbo1M => &[SAMPLED, CONSOLIDATED],
        Schema::Ohlcv1S
        | Schema::Ohlcv1M
        | Schema::Ohlcv1H
        | Schema::Ohlcv1D
        | Schema::OhlcvEod => &[BAR],
        Schema::Definition => &[DEFINITION],
        Schema::Statistics => &[STATISTIC],
        Schema::Status => &[STATUS],
        Schema::Imbalance => &[IMBALANCE],
    }
}

fn levels(schema: Schema) -> u32 {
    match schema {
        Schema::Tbbo | Schema::Mbp1 | Schema::Bbo1S | Schema::Bbo1M => 1,
        Schema::Mbp10 => 10,
        _ => 0,
    }
}

fn level_fields(level: u32) -> impl Iterator<Item = (String, String)> {
    let columns = [
        ("bid_px", "int64_t"),
        ("ask_px", "int64_t"),
        ("bid_sz", "uint32_t"),
        ("ask_sz", "uint32_t"),
        ("bid_ct", "uint32_t"),
        ("ask_ct", "uint32_t"),
    ];
    columns
        .into_iter()
        .map(move |(name, kind)| (format!("{name}_{level:02}"), kind.to_owned()))
}

fn parsed(fields: &'static str) -> impl Iterator<Item = (&'static str, &'static str)> {
    fields
        .split_whitespace()
        .filter_map(|field| field.split_once(':'))
}
