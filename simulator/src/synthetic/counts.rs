//! How many synthetic records there are, without making them where that can be helped.

use std::{
    collections::HashMap,
    io,
    sync::{Mutex, PoisonError},
};

use dbn::Schema;

use super::{
    Recipe,
    activity::Activity,
    bars::{BarSize, Bars},
    definitions,
    generate::{instrument_source, window_on},
    instruments::Instrument,
    quotes::mbp_1_count,
    statistics,
    status::statuses,
};
use crate::{
    clock::{Day, NANOS_PER_HOUR},
    history::Slice,
    records::Layout,
};

/// Counts kept at most; they are forgotten all at once above that.
const KEPT_MAX: usize = 500_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Key {
    schema: u16,
    instrument_id: u32,
    day: Day,
    revision: u32,
}

/// Counts of whole days that took some work.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    kept: Mutex<HashMap<Key, u64>>,
}

impl Counts {
    pub(crate) fn of_slice(&self, recipe: &Recipe, slice: &Slice) -> io::Result<u64> {
        let mut count = 0;
        for day in slice.days().days() {
            let window = window_on(slice, day);
            let whole_day = window.start == day.midnight() && window.end == day.next().midnight();
            let revision = slice.conditions.revision(day);
            for instrument in recipe.selected(slice, day) {
                count += if slice.schema == Schema::Definition {
                    if window.contains(&day.midnight()) {
                        definition_count(&instrument, day)
                    } else {
                        0
                    }
                } else if whole_day {
                    self.of_day(recipe, &instrument, slice.schema, day, revision)
                } else {
                    made(recipe.activity(instrument, day, revision), slice)?
                };
            }
        }
        Ok(count)
    }

    fn of_day(
        &self,
        recipe: &Recipe,
        instrument: &Instrument,
        schema: Schema,
        day: Day,
        revision: u32,
    ) -> u64 {
        let activity = recipe.activity(*instrument, day, revision);
        if let Some(count) = known_at_once(&activity, schema) {
            return count;
        }
        let key = Key {
            schema: u16::from(schema),
            instrument_id: instrument.id(),
            day,
            revision,
        };
        if let Some(count) = self
            .kept
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&key)
        {
            return *count;
        }
        let count = counted(&activity, schema);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= KEPT_MAX {
            kept.clear();
        }
        kept.insert(key, count);
        count
    }
}

fn definition_count(instrument: &Instrument, day: Day) -> u64 {
    let published =
        instrument.listed().contains(day) && definitions::is_published(instrument.product, day);
    if published {
        definitions::records_per_copy(instrument)
    } else {
        0
    }
}

/// The count of a whole day where it follows from the number of trades an hour.
fn known_at_once(activity: &Activity, schema: Schema) -> Option<u64> {
    let hours_traded = || (0..24).filter(|hour| activity.trades_in(*hour) > 0).count();
    match schema {
        Schema::Trades | Schema::Tbbo if activity.revision == 0 => Some(
            (0..24)
                .map(|hour| u64::from(activity.trades_in(hour)))
                .sum(),
        ),
        Schema::Statistics => Some(if statistics::is_published(activity) {
            statistics::RECORDS_PER_DAY
        } else {
            0
        }),
        Schema::Status => u64::try_from(statuses(activity).len()).ok(),
        Schema::Ohlcv1H => u64::try_from(hours_traded()).ok(),
        Schema::Ohlcv1D | Schema::OhlcvEod => Some(u64::from(hours_traded() > 0)),
        _ => None,
    }
}

fn counted(activity: &Activity, schema: Schema) -> u64 {
    let hours = 0..24;
    match (schema, BarSize::of(schema)) {
        (Schema::Trades | Schema::Tbbo, _) => {
            hours.map(|hour| activity.trades_in_revised(hour)).sum()
        }
        (Schema::Mbp1, _) => hours.map(|hour| mbp_1_count(activity, hour)).sum(),
        (_, Some(size)) if size.nanos < NANOS_PER_HOUR => {
            u64::try_from(Bars::new(activity, size, hours).count()).unwrap_or(u64::MAX)
        }
        _ => 0,
    }
}

/// Counts the part of a day by making its records.
fn made(activity: Activity, slice: &Slice) -> io::Result<u64> {
    let window = window_on(slice, activity.day);
    let size = Layout::of(slice.schema).size;
    let mut source = instrument_source(activity, slice.schema, window);
    let mut block = Vec::new();
    let mut count = 0;
    loop {
        block.clear();
        source.refill(&mut block)?;
        if block.is_empty() {
            return Ok(count);
        }
        count += u64::try_from(block.len() / size).unwrap_or(u64::MAX);
    }
}
