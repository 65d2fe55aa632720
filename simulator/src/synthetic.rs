//! Synthetic history: made from a seed whenever it is asked for, never stored.
//!
//! A record depends on the seed, the configured trades per day, its instrument and its UTC day
//! alone, so that any cut of a range gives the same records.

pub(crate) mod calendar;
pub(crate) mod products;
pub(crate) mod instruments;
pub(crate) mod symbols;
pub(crate) mod prices;
pub(crate) mod activity;
pub(crate) mod trades;
pub(crate) mod quotes;
pub(crate) mod bars;
pub(crate) mod definitions;
pub(crate) mod statistics;
pub(crate) mod status;
pub(crate) mod generate;
pub(crate) mod counts;

use std::io;

use dbn::{SType, Schema};

use self::{
    activity::Activity,
    counts::Counts,
    generate::DaySource,
    instruments::{Instrument, Listing, listed_on},
    products::Product,
};
use crate::{
    clock::{Day, DayRange, Nanos, now},
    history::{Availability, History, Mapping, Slice},
    records::{Source, chain::Chain},
};

/// The schemas that can be made.
pub(crate) const SCHEMAS: [Schema; 11] = [
    Schema::Mbp1,
    Schema::Tbbo,
    Schema::Trades,
    Schema::Ohlcv1S,
    Schema::Ohlcv1M,
    Schema::Ohlcv1H,
    Schema::Ohlcv1D,
    Schema::OhlcvEod,
    Schema::Definition,
    Schema::Statistics,
    Schema::Status,
];

/// Strikes that the ids have room for.
pub(crate) const STRIKES_MAX: u32 = instruments::OPTIONS_PER_CONTRACT / 2;

/// What a synthetic history is made from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Recipe {
    pub(crate) seed: u64,
    pub(crate) trades_per_day: u32,
    /// Strikes of which each of the front contracts has a call and a put.
    pub(crate) strikes: u32,
    /// The end of what is available; `None` for the last midnight.
    pub(crate) available_end: Option<Nanos>,
}

impl Recipe {
    pub(crate) fn activity(&self, instrument: Instrument, day: Day, revision: u32) -> Activity {
        Activity::new(self.seed, self.trades_per_day, instrument, day, revision)
    }

    /// The instruments of a dataset with records of `schema` on `day`, in the order of their ids.
    fn instruments(&self, dataset: &str, schema: Schema, day: Day) -> Vec<Instrument> {
        let today = DayRange::new(day, day.next());
        products::of_dataset(dataset)
            .flat_map(|product| {
                let options = if schema == Schema::Definition {
                    self.strikes
                } else {
                    0
                };
                let traded = listed_on(product, today, Listing::Traded, options);
                traded
                    .into_iter()
                    .chain(listed_on(product, today, Listing::Options, options))
            })
            .filter(|instrument| instrument.listed().contains(day))
            .collect()
    }

    /// The selected instruments on `day`.
    pub(crate) fn selected(&self, slice: &Slice, day: Day) -> Vec<Instrument> {
        if slice.conditions.is_absent(day) {
            return Vec::new();
        }
        match slice.selection.ids_on(day) {
            None => self.instruments(&slice.dataset, slice.schema, day),
            Some(ids) => ids.into_iter().filter_map(Instrument::from_id).collect(),
        }
    }
}

/// Synthetic history behind the interface of any history.
#[derive(Debug)]
pub(crate) struct Synthetic {
    recipe: Recipe,
    counts: Counts,
}

impl Synthetic {
    pub(crate) fn new(recipe: Recipe) -> Self {
        Self {
            recipe,
            counts: Counts::default(),
        }
    }
}

/// The first day of each dataset, as at the vendor.
fn first_day(dataset: &str) -> Option<Day> {
    match dataset {
        "GLBX.MDP3" => Day::from_ymd(2010, 6, 6),
        "XNAS.ITCH" => Day::from_ymd(2018, 5, 1),
        _ => None,
    }
}

impl History for Synthetic {
    fn datasets(&self) -> Vec<String> {
        vec!["GLBX.MDP3".to_owned(), "XNAS.ITCH".to_owned()]
    }

    fn available(&self, dataset: &str) -> Option<Availability> {
        let start = first_day(dataset)?.midnight();
        let end = self
            .recipe
            .available_end
            .unwrap_or_else(|| now().day().midnight());
        let schemas = SCHEMAS.iter().map(|schema| (*schema, start, end)).collect();
        Some(Availability {
            start,
            end,
            schemas,
        })
    }

    fn resolve(
        &self,
        dataset: &str,
        stype_in: SType,
        symbol: &str,
        days: DayRange,
    ) -> Vec<Mapping> {
        symbols::resolve(dataset, stype_in, symbol, days, self.recipe.strikes)
    }

    fn resolve_all(&self, dataset: &str, days: DayRange) -> Vec<Mapping> {
        symbols::all(dataset, days, self.recipe.strikes)
    }

    fn is_listed_day(&self, dataset: &str, day: Day) -> bool {
        products::of_dataset(dataset).any(|product: &Product| product.venue.is_listed_day(day))
    }

    fn count(&self, slice: &Slice) -> io::Result<u64> {
        self.counts.of_slice(&self.recipe, slice)
    }

    fn open(&self, slice: &Slice) -> io::Result<Box<dyn Source>> {
        let recipe = self.recipe;
        let slice = slice.clone();
        let days = slice.days().days();
        Ok(Box::new(Chain::new(days.map(move |day| {
            Ok(DaySource::open(&recipe, &slice, day))
        }))))
    }
}
