//! Definitions: a copy of every listed instrument at midnight of each day with a session, spreads
//! with one record a leg.

use std::ffi::c_char;

use dbn::{InstrumentDefMsg, RecordHeader, record::str_to_c_chars, rtype};

use super::{
    instruments::{Instrument, Kind, contract_symbol},
    products::Product,
};
use crate::clock::{Day, NANOS_PER_HOUR, NANOS_PER_MINUTE};

/// Expiring contracts stop trading at this time of their last day.
const EXPIRY_NANOS: u64 = 13 * NANOS_PER_HOUR + 30 * NANOS_PER_MINUTE;

/// How many records define an instrument on one day.
pub(crate) fn records_per_copy(instrument: &Instrument) -> u64 {
    if matches!(instrument.kind, Kind::Spread { .. }) {
        2
    } else {
        1
    }
}

/// Whether a copy of the definitions is published on `day`.
pub(crate) fn is_published(product: &Product, day: Day) -> bool {
    product.venue.open_hours(day) != 0
}

/// The records that define an instrument on `day`.
pub(crate) fn definitions(instrument: &Instrument, day: Day) -> Vec<InstrumentDefMsg> {
    let record = definition(instrument, day);
    let Kind::Spread { near, distance } = instrument.kind else {
        return vec![record];
    };
    [(near, b'B'), (near + distance, b'A')]
        .into_iter()
        .zip(0..)
        .map(|((cycle, side), index)| {
            let leg = Instrument {
                product: instrument.product,
                kind: Kind::Outright { cycle },
            };
            InstrumentDefMsg {
                leg_count: 2,
                leg_index: index,
                leg_instrument_id: leg.id(),
                leg_raw_symbol: chars(&leg.symbol()),
                leg_instrument_class: char_of(b'F'),
                leg_side: char_of(side),
                leg_ratio_qty_numerator: 1,
                leg_ratio_qty_denominator: 1,
                ..record.clone()
            }
        })
        .collect()
}

fn definition(instrument: &Instrument, day: Day) -> InstrumentDefMsg {
    let product = instrument.product;
    let common = InstrumentDefMsg {
        hd: RecordHeader::new::<InstrumentDefMsg>(
            rtype::INSTRUMENT_DEF,
            product.publisher_id,
            instrument.id(),
            listed_at(instrument, day),
        ),
        ts_recv: day.midnight().0,
        min_price_increment: product.tick,
        raw_instrument_id: u64::from(instrument.id()),
        min_lot_size_round_lot: i32::try_from(product.lot).unwrap_or(i32::MAX),
        channel_id: 0,
        currency: chars("USD"),
        raw_symbol: chars(&instrument.symbol()),
        group: chars(product.group),
        exchange: chars(product.exchange),
        instrument_class: char_of(class_of(instrument.kind)),
        match_algorithm: char_of(b'F'),
        security_update_action: char_of(b'A'),
        user_defined_instrument: char_of(b'N'),
        ..InstrumentDefMsg::default()
    };
    if instrument.kind == Kind::Share {
        common
    } else {
        with_contract(instrument, common)
    }
}

/// What contracts have and shares don't.
fn with_contract(instrument: &Instrument, common: InstrumentDefMsg) -> InstrumentDefMsg {
    let product = instrument.product;
    let (cycle, security_type, underlying) = match instrument.kind {
        Kind::Share => return common,
        Kind::Outright { cycle } => (cycle, "FUT", None),
        Kind::Spread { near, .. } => (near, "FUT", None),
        Kind::Option { cycle, .. } => (cycle, "OOF", Some(cycle)),
    };
    let (year, month) = product.cycle_month(cycle);
    let underlying_contract = underlying.map(|cycle| Instrument {
        product,
        kind: Kind::Outright { cycle },
    });
    InstrumentDefMsg {
        display_factor: 10_000_000,
        expiration: product.expiry_day(cycle).midnight().0 + EXPIRY_NANOS,
        activation: instrument.listed().first.midnight().0 + EXPIRY_NANOS,
        unit_of_measure_qty: product.unit_quantity * 1_000_000_000,
        min_price_increment_amount: product.tick.saturating_mul(product.unit_quantity),
        strike_price: instrument.strike_price().unwrap_or(dbn::UNDEF_PRICE),
        underlying_id: underlying_contract.map_or(0, |contract| contract.id()),
        market_depth: 10,
        market_depth_implied: 0,
        market_segment_id: 64,
        max_trade_vol: 3_000,
        min_trade_vol: 1,
        min_lot_size: 0,
        min_lot_size_block: 0,
        min_lot_size_round_lot: 0,
        appl_id: 310,
        maturity_year: u16::try_from(year).unwrap_or(u16::MAX),
        maturity_month: u8::try_from(month).unwrap_or(u8::MAX),
        asset: chars(product.root),
        cfi: chars(product.cfi),
        security_type: chars(security_type),
        unit_of_measure: chars(product.unit_of_measure),
        underlying: chars(
            &underlying
                .map(|cycle| contract_symbol(product, cycle))
                .unwrap_or_default(),
        ),
        strike_price_currency: chars(if underlying.is_some() { "USD" } else { "" }),
        underlying_product: 5,
        ..common
    }
}

/// The venue had announced the instrument days before, on the Sunday; shares carry 0.
fn listed_at(instrument: &Instrument, day: Day) -> u64 {
    if instrument.kind == Kind::Share {
        return 0;
    }
    let days_since_sunday = (day.0 + 4) % 7;
    day.minus(days_since_sunday).midnight().0 + 16 * NANOS_PER_HOUR - 7 * NANOS_PER_HOUR
        + u64::from(instrument.id() % 997)
}

fn class_of(kind: Kind) -> u8 {
    match kind {
        Kind::Share => b'K',
        Kind::Outright { .. } => b'F',
        Kind::Spread { .. } => b'S',
        Kind::Option { put: true, .. } => b'P',
        Kind::Option { put: false, .. } => b'C',
    }
}

fn char_of(byte: u8) -> c_char {
    c_char::from_ne_bytes([byte])
}

fn chars<const N: usize>(text: &str) -> [c_char; N] {
    str_to_c_chars(text).expect("symbols and names of the tables fit")
}
