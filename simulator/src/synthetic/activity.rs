//! How much an instrument trades on a day, hour by hour, without any trade being made.

use super::{calendar::is_open, instruments::Instrument};
use crate::{
    clock::{Day, NANOS_PER_HOUR, Nanos},
    random::{Random, mix},
};

/// A revised day has an additional trade after one of this many.
const REVISED_EVERY: u64 = 64;

/// Sequence numbers from one trade to the next, with room for the quote changes between them.
pub(crate) const SEQUENCE_STEP: u32 = 8;

/// Each further contract trades this many times less.
const DECAY_PER_RANK: u64 = 8;

/// How much an instrument trades on a day, and what all its records of the day derive from.
#[derive(Debug, Clone)]
pub(crate) struct Activity {
    pub(crate) seed: u64,
    pub(crate) instrument: Instrument,
    pub(crate) day: Day,
    /// 0 for the day as first delivered.
    pub(crate) revision: u32,
    pub(crate) hours: u32,
    /// Trades before each hour, without those that a revision adds.
    before: [u32; 25],
}

impl Activity {
    pub(crate) fn new(
        seed: u64,
        trades_per_day: u32,
        instrument: Instrument,
        day: Day,
        revision: u32,
    ) -> Self {
        let venue = instrument.product.venue;
        let listed = instrument.has_trades() && instrument.listed().contains(day);
        let hours = if listed { venue.open_hours(day) } else { 0 };
        let weights = venue.hour_weights();
        let weight_of = |hour: u32| {
            let weight = usize::try_from(hour)
                .ok()
                .and_then(|hour| weights.get(hour))
                .copied()
                .unwrap_or(0);
            if is_open(hours, hour) {
                u64::from(weight)
            } else {
                0
            }
        };
        let full_day: u64 = weights.iter().map(|weight| u64::from(*weight)).sum();
        let trades = if hours == 0 {
            0
        } else {
            full_day_trades(seed, trades_per_day, &instrument, day)
        };
        let mut before = [0; 25];
        let mut weight = 0;
        for (hour, slot) in (0..).zip(before.iter_mut()) {
            *slot = u32::try_from(trades * weight / full_day).unwrap_or(u32::MAX);
            weight += weight_of(hour);
        }
        Self {
            seed,
            instrument,
            day,
            revision,
            hours,
            before,
        }
    }

    /// Trades before `hour`, 0 to 24.
    fn trades_before(&self, hour: u32) -> u32 {
        usize::try_from(hour)
            .ok()
            .and_then(|hour| self.before.get(hour))
            .copied()
            .unwrap_or(0)
    }

    /// Trades of an hour as first delivered.
    pub(crate) fn trades_in(&self, hour: u32) -> u32 {
        self.trades_before(hour + 1) - self.trades_before(hour)
    }

    /// Trades of an hour, those of a revision among them.
    pub(crate) fn trades_in_revised(&self, hour: u32) -> u64 {
        let trades = self.trades_in(hour);
        let added = (0..trades)
            .filter(|index| self.revision_adds_after(hour, *index))
            .count();
        u64::from(trades) + u64::try_from(added).expect("fewer than trades")
    }

    /// The key of everything random in an hour.
    pub(crate) fn hour_key(&self, hour: u32) -> u64 {
        mix(&[
            self.seed,
            u64::from(self.instrument.id()),
            u64::from(self.day.0),
            u64::from(hour),
        ])
    }

    pub(crate) fn hour_start(&self, hour: u32) -> Nanos {
        Nanos(self.day.midnight().0 + u64::from(hour) * NANOS_PER_HOUR)
    }

    /// The sequence number of the `index`th trade of an hour.
    pub(crate) fn sequence(&self, hour: u32, index: u32) -> u32 {
        (self.trades_before(hour) + index + 1).wrapping_mul(SEQUENCE_STEP)
    }

    /// Whether trading went on without a break from the hour before.
    pub(crate) fn continues_into(&self, hour: u32) -> bool {
        match hour {
            0 => is_open(
                self.instrument.product.venue.open_hours(self.day.minus(1)),
                23,
            ),
            hour => is_open(self.hours, hour - 1),
        }
    }

    pub(crate) fn revision_adds_after(&self, hour: u32, index: u32) -> bool {
        let drawn = || {
            mix(&[
                self.hour_key(hour),
                u64::from(self.revision),
                u64::from(index),
                3,
            ])
        };
        self.revision > 0 && (index == 0 || drawn().is_multiple_of(REVISED_EVERY))
    }
}

fn full_day_trades(seed: u64, trades_per_day: u32, instrument: &Instrument, day: Day) -> u64 {
    let rank = instrument.liquidity_rank(day);
    let share = u64::from(trades_per_day) * instrument.product.liquidity_permille / 1000;
    let share = DECAY_PER_RANK
        .checked_pow(rank)
        .map_or(0, |decay| share / decay);
    // The days of one instrument differ by up to 10 %.
    let drawn = Random::new(mix(&[
        seed,
        u64::from(instrument.id()),
        u64::from(day.0),
        1,
    ]))
    .below(101);
    share * (950 + drawn) / 1000
}
