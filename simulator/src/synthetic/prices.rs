//! Where prices are at any hour, as a function of the date alone: no day needs the days before it.

use super::{
    instruments::{Instrument, Kind},
    products::Product,
};
use crate::{clock::Day, random::noise_ppm};

const HOURS_PER_DAY: u64 = 24;

/// The instrument's mid price in ticks at the beginning of an hour (0 to 24) of a day. Spreads may
/// be below zero.
pub(crate) fn level_ticks(seed: u64, instrument: &Instrument, day: Day, hour: u32) -> i64 {
    let hours = u64::from(day.0) * HOURS_PER_DAY + u64::from(hour);
    let product = instrument.product;
    match instrument.kind {
        Kind::Share => product_level(seed, product, hours),
        Kind::Outright { cycle } => outright_level(seed, product, cycle, hours),
        Kind::Spread { near, distance } => {
            let difference = outright_level(seed, product, near, hours)
                - outright_level(seed, product, near + distance, hours);
            let key = seed ^ u64::from(instrument.id());
            difference + scaled(product.carry_per_month.abs() / 4, noise_ppm(key, hours, 5))
        }
        Kind::Option { .. } => 1,
    }
}

fn outright_level(seed: u64, product: &Product, cycle: u32, hours: u64) -> i64 {
    let expiry_hours = u64::from(product.expiry_day(cycle).0) * HOURS_PER_DAY;
    let hours_left = i64::try_from(expiry_hours.saturating_sub(hours)).expect("some years");
    product_level(seed, product, hours) + product.carry_per_month * hours_left / (30 * 24)
}

/// Slow and quick movements around the product's level, at most 28 % away from it.
fn product_level(seed: u64, product: &Product, hours: u64) -> i64 {
    let key = seed ^ (u64::from(product.index) << 32);
    [
        (8760, 180_000),
        (720, 80_000),
        (96, 12_000),
        (7, 4_000),
        (1, 1_500),
    ]
    .iter()
    .fold(product.level, |level, (period, amplitude_ppm)| {
        level
            + scaled(
                scaled(product.level, *amplitude_ppm),
                noise_ppm(key, hours, *period),
            )
    })
}

fn scaled(value: i64, ppm: i64) -> i64 {
    let wide = i128::from(value) * i128::from(ppm) / 1_000_000;
    i64::try_from(wide).expect("ppm is at most a million")
}
