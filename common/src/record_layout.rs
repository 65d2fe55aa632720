//! Where each field lies in the vendor's records, and what an undefined value looks like there.
//!
//! The vendor marks what is undefined by the largest value of a type; here each becomes NULL:
//!
//! | field | undefined |
//! |---|---|
//! | price | `i64::MAX` |
//! | timestamp | `u64::MAX` |
//! | a size, a quantity, most numbers of a definition | the type's largest value (`…_OR_NULL`) |
//! | character | 0 (`~` and `N` are values of the vendor's and stay) |
//! | text | empty |
//!
//! Ids that the venue gives as 64 unsigned bits (`Id64`) become decimal text: they are compared, never
//! counted with, and a signed column can't hold them all.

use std::mem::{offset_of, size_of};

use dbn::{
    BboMsg, BidAskPair, CbboMsg, Cmbp1Msg, ConsolidatedBidAskPair, ImbalanceMsg, InstrumentDefMsg,
    MboMsg, Mbp1Msg, Mbp10Msg, OhlcvMsg, Schema, StatMsg, StatusMsg, TradeMsg,
};

use FieldKind::{Char, Id64, Price, Signed, Text, Timestamp, Unsigned};

/// One field of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// The vendor's name; levels carry their number: `bid_px_00`.
    pub name: String,
    /// Bytes from the start of the record.
    pub offset: usize,
    /// How its bytes are read.
    pub kind: FieldKind,
}

/// How a field's bytes are read. Numbers are little endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldKind {
    /// Billionths, signed, 8 bytes.
    Price,
    /// Nanoseconds since 1970-01-01 UTC, 8 bytes.
    Timestamp,
    /// An unsigned number.
    Unsigned {
        /// 1, 2, 4 or 8.
        bytes: usize,
        /// Whether the type's largest value means undefined.
        or_null: bool,
    },
    /// A signed number.
    Signed {
        /// 1, 2, 4 or 8.
        bytes: usize,
        /// Whether the type's largest value means undefined.
        or_null: bool,
    },
    /// An id of the venue's, 8 bytes.
    Id64,
    /// One ASCII character.
    Char,
    /// Text that ends at the first zero byte, in this many bytes.
    Text(usize),
}

impl Field {
    /// Whether a record may leave it undefined.
    #[must_use]
    pub fn can_be_undefined(&self) -> bool {
        match self.kind {
            Price | Timestamp | Char | Text(_) => true,
            Unsigned { or_null, .. } | Signed { or_null, .. } => or_null,
            Id64 => false,
        }
    }
}

impl FieldKind {
    /// The least and the greatest number that a column can take from it.
    #[must_use]
    pub fn bounds(self) -> (i64, i64) {
        match self {
            Unsigned { bytes, .. } if bytes < 8 => (0, (1 << (8 * bytes)) - 1),
            Unsigned { .. } | Timestamp => (0, i64::MAX),
            Signed { bytes, .. } if bytes < 8 => {
                let beyond = 1 << (8 * bytes - 1);
                (-beyond, beyond - 1)
            }
            // The least is what stands for NULL.
            Price | Signed { .. } | Id64 | Char | Text(_) => (-i64::MAX, i64::MAX),
        }
    }
}

const U8: FieldKind = unsigned(1, false);
const U16: FieldKind = unsigned(2, false);
const U32: FieldKind = unsigned(4, false);
const U64: FieldKind = unsigned(8, false);
const U8_OR_NULL: FieldKind = unsigned(1, true);
const U16_OR_NULL: FieldKind = unsigned(2, true);
const U32_OR_NULL: FieldKind = unsigned(4, true);
const I32: FieldKind = signed(4, false);
const I8_OR_NULL: FieldKind = signed(1, true);
const I16_OR_NULL: FieldKind = signed(2, true);
const I32_OR_NULL: FieldKind = signed(4, true);
const I64_OR_NULL: FieldKind = signed(8, true);

const fn unsigned(bytes: usize, or_null: bool) -> FieldKind {
    Unsigned { bytes, or_null }
}

const fn signed(bytes: usize, or_null: bool) -> FieldKind {
    Signed { bytes, or_null }
}

/// The records of one schema, in the current version of the format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordLayout {
    /// Bytes of a record.
    pub record_bytes: usize,
    /// Its fields, without padding.
    pub fields: Vec<Field>,
    /// The field that the vendor sorts, filters and cuts by; it is never undefined.
    pub index_time: &'static str,
}

impl RecordLayout {
    /// The field of this name.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// The layout of a schema's records.
    #[must_use]
    pub fn of(schema: Schema) -> Self {
        match schema {
            Schema::Trades => layout::<TradeMsg>(trade_fields()),
            Schema::Tbbo | Schema::Mbp1 => layout::<Mbp1Msg>(mbp1_fields()),
            Schema::Mbp10 => layout::<Mbp10Msg>(mbp10_fields()),
            Schema::Mbo => layout::<MboMsg>(mbo_fields()),
            Schema::Bbo1S | Schema::Bbo1M => layout::<BboMsg>(bbo_fields()),
            Schema::Cmbp1 | Schema::Tcbbo => layout::<Cmbp1Msg>(cmbp1_fields()),
            Schema::Cbbo1S | Schema::Cbbo1M => layout::<CbboMsg>(cbbo_fields()),
            Schema::Ohlcv1S
            | Schema::Ohlcv1M
            | Schema::Ohlcv1H
            | Schema::Ohlcv1D
            | Schema::OhlcvEod => layout::<OhlcvMsg>(ohlcv_fields()),
            Schema::Status => layout::<StatusMsg>(status_fields()),
            Schema::Statistics => layout::<StatMsg>(statistics_fields()),
            Schema::Imbalance => layout::<ImbalanceMsg>(imbalance_fields()),
            Schema::Definition => layout::<InstrumentDefMsg>(definition_fields()),
        }
    }
}

fn layout<R>(fields: Vec<Field>) -> RecordLayout {
    let received = fields.iter().any(|field| field.name == "ts_recv");
    RecordLayout {
        record_bytes: size_of::<R>(),
        fields,
        index_time: if received { "ts_recv" } else { "ts_event" },
    }
}

/// Lists fields by name; all records begin with the same header.
macro_rules! fields {
    ($record:ty { $($name:ident => $kind:expr),* $(,)? }) => {{
        let mut fields = vec![
            field("publisher_id", offset_of!($record, hd.publisher_id), U16),
            field("instrument_id", offset_of!($record, hd.instrument_id), U32),
            field("ts_event", offset_of!($record, hd.ts_event), Timestamp),
        ];
        fields.extend([$(field(stringify!($name), offset_of!($record, $name), $kind)),*]);
        fields
    }};
}

/// The fields that trades share with books of prices.
macro_rules! trade_fields {
    ($record:ty) => {
        fields!($record {
            price => Price,
            size => U32_OR_NULL,
            action => Char,
            side => Char,
            flags => U8,
            depth => U8,
            ts_recv => Timestamp,
            ts_in_delta => I32,
            sequence => U32,
        })
    };
}

fn field(name: &str, offset: usize, kind: FieldKind) -> Field {
    Field {
        name: name.to_owned(),
        offset,
        kind,
    }
}

fn trade_fields() -> Vec<Field> {
    trade_fields!(TradeMsg)
}

fn mbp1_fields() -> Vec<Field> {
    let mut fields = trade_fields!(Mbp1Msg);
    fields.extend(levels(offset_of!(Mbp1Msg, levels), 1));
    fields
}

fn mbp10_fields() -> Vec<Field> {
    let mut fields = trade_fields!(Mbp10Msg);
    fields.extend(levels(offset_of!(Mbp10Msg, levels), 10));
    fields
}

/// Price levels, best first.
fn levels(start: usize, count: usize) -> impl Iterator<Item = Field> {
    (0..count).flat_map(move |level| {
        let at = start + level * size_of::<BidAskPair>();
        [
            ("bid_px", offset_of!(BidAskPair, bid_px), Price),
            ("ask_px", offset_of!(BidAskPair, ask_px), Price),
            ("bid_sz", offset_of!(BidAskPair, bid_sz), U32),
            ("ask_sz", offset_of!(BidAskPair, ask_sz), U32),
            ("bid_ct", offset_of!(BidAskPair, bid_ct), U32),
            ("ask_ct", offset_of!(BidAskPair, ask_ct), U32),
        ]
        .map(|(name, offset, kind)| field(&format!("{name}_{level:02}"), at + offset, kind))
    })
}

/// The best bid and ask of several venues, each with its publisher.
fn consolidated_level(start: usize) -> impl Iterator<Item = Field> {
    [
        (
            "bid_px_00",
            offset_of!(ConsolidatedBidAskPair, bid_px),
            Price,
        ),
        (
            "ask_px_00",
            offset_of!(ConsolidatedBidAskPair, ask_px),
            Price,
        ),
        ("bid_sz_00", offset_of!(ConsolidatedBidAskPair, bid_sz), U32),
        ("ask_sz_00", offset_of!(ConsolidatedBidAskPair, ask_sz), U32),
        ("bid_pb_00", offset_of!(ConsolidatedBidAskPair, bid_pb), U16),
        ("ask_pb_00", offset_of!(ConsolidatedBidAskPair, ask_pb), U16),
    ]
    .into_iter()
    .map(move |(name, offset, kind)| field(name, start + offset, kind))
}

fn mbo_fields() -> Vec<Field> {
    fields!(MboMsg {
        order_id => Id64,
        price => Price,
        size => U32_OR_NULL,
        flags => U8,
        channel_id => U8_OR_NULL,
        action => Char,
        side => Char,
        ts_recv => Timestamp,
        ts_in_delta => I32,
        sequence => U32,
    })
}

fn bbo_fields() -> Vec<Field> {
    let mut fields = fields!(BboMsg {
        price => Price,
        size => U32_OR_NULL,
        side => Char,
        flags => U8,
        ts_recv => Timestamp,
        sequence => U32,
    });
    fields.extend(levels(offset_of!(BboMsg, levels), 1));
    fields
}

fn cmbp1_fields() -> Vec<Field> {
    let mut fields = fields!(Cmbp1Msg {
        price => Price,
        size => U32_OR_NULL,
        action => Char,
        side => Char,
        flags => U8,
        ts_recv => Timestamp,
        ts_in_delta => I32,
    });
    fields.extend(consolidated_level(offset_of!(Cmbp1Msg, levels)));
    fields
}

fn cbbo_fields() -> Vec<Field> {
    let mut fields = fields!(CbboMsg {
        price => Price,
        size => U32_OR_NULL,
        side => Char,
        flags => U8,
        ts_recv => Timestamp,
    });
    fields.extend(consolidated_level(offset_of!(CbboMsg, levels)));
    fields
}

fn ohlcv_fields() -> Vec<Field> {
    fields!(OhlcvMsg {
        open => Price,
        high => Price,
        low => Price,
        close => Price,
        volume => U64,
    })
}

fn status_fields() -> Vec<Field> {
    fields!(StatusMsg {
        ts_recv => Timestamp,
        action => U16,
        reason => U16,
        trading_event => U16,
        is_trading => Char,
        is_quoting => Char,
        is_short_sell_restricted => Char,
    })
}

fn statistics_fields() -> Vec<Field> {
    fields!(StatMsg {
        ts_recv => Timestamp,
        ts_ref => Timestamp,
        price => Price,
        quantity => I64_OR_NULL,
        sequence => U32,
        ts_in_delta => I32,
        stat_type => U16,
        channel_id => U16_OR_NULL,
        update_action => U8,
        stat_flags => U8,
    })
}

fn imbalance_fields() -> Vec<Field> {
    fields!(ImbalanceMsg {
        ts_recv => Timestamp,
        ref_price => Price,
        auction_time => Timestamp,
        cont_book_clr_price => Price,
        auct_interest_clr_price => Price,
        ssr_filling_price => Price,
        ind_match_price => Price,
        upper_collar => Price,
        lower_collar => Price,
        paired_qty => U32_OR_NULL,
        total_imbalance_qty => U32_OR_NULL,
        market_imbalance_qty => U32_OR_NULL,
        unpaired_qty => U32_OR_NULL,
        auction_type => Char,
        side => Char,
        auction_status => U8,
        freeze_status => U8,
        num_extensions => U8,
        unpaired_side => Char,
        significant_imbalance => Char,
    })
}

fn definition_fields() -> Vec<Field> {
    fields!(InstrumentDefMsg {
        ts_recv => Timestamp,
        min_price_increment => Price,
        display_factor => Price,
        expiration => Timestamp,
        activation => Timestamp,
        high_limit_price => Price,
        low_limit_price => Price,
        max_price_variation => Price,
        unit_of_measure_qty => Price,
        min_price_increment_amount => Price,
        price_ratio => Price,
        strike_price => Price,
        raw_instrument_id => Id64,
        leg_price => Price,
        leg_delta => Price,
        inst_attrib_value => I32_OR_NULL,
        underlying_id => U32,
        market_depth_implied => I32_OR_NULL,
        market_depth => I32_OR_NULL,
        market_segment_id => U32_OR_NULL,
        max_trade_vol => U32_OR_NULL,
        min_lot_size => I32_OR_NULL,
        min_lot_size_block => I32_OR_NULL,
        min_lot_size_round_lot => I32_OR_NULL,
        min_trade_vol => U32_OR_NULL,
        contract_multiplier => I32_OR_NULL,
        decay_quantity => I32_OR_NULL,
        original_contract_size => I32_OR_NULL,
        leg_instrument_id => U32,
        leg_ratio_price_numerator => I32,
        leg_ratio_price_denominator => I32,
        leg_ratio_qty_numerator => I32,
        leg_ratio_qty_denominator => I32,
        leg_underlying_id => U32,
        appl_id => I16_OR_NULL,
        maturity_year => U16_OR_NULL,
        decay_start_date => U16_OR_NULL,
        channel_id => U16_OR_NULL,
        leg_count => U16,
        leg_index => U16,
        currency => Text(4),
        settl_currency => Text(4),
        secsubtype => Text(6),
        raw_symbol => Text(71),
        group => Text(21),
        exchange => Text(5),
        asset => Text(11),
        cfi => Text(7),
        security_type => Text(7),
        unit_of_measure => Text(31),
        underlying => Text(21),
        strike_price_currency => Text(4),
        leg_raw_symbol => Text(71),
        instrument_class => Char,
        match_algorithm => Char,
        main_fraction => U8_OR_NULL,
        price_display_format => U8_OR_NULL,
        sub_fraction => U8_OR_NULL,
        underlying_product => U8_OR_NULL,
        security_update_action => Char,
        maturity_month => U8_OR_NULL,
        maturity_day => U8_OR_NULL,
        maturity_week => U8_OR_NULL,
        user_defined_instrument => Char,
        contract_multiplier_unit => I8_OR_NULL,
        flow_schedule_type => I8_OR_NULL,
        tick_rule => U8_OR_NULL,
        leg_instrument_class => Char,
        leg_side => Char,
    })
}
