//! The planner's rule, stated once more in the plainest way: an oracle for the properties.

use std::collections::BTreeSet;

use common::request::{Request, Symbols};
use common::time::{Day, Nanos};
use scheduler::plan::missing::Known;

use super::{QUARTER, each_day, has};

/// The rule at the head of the properties, day by day and quarter by quarter.
pub struct Rule<'a> {
    pub request: &'a Request,
    pub known: &'a Known,
}

impl Rule<'_> {
    /// The instruments that the symbol means on the day; `None` stands for all of them.
    pub fn instruments(&self, symbol: &str, day: Day) -> Vec<Option<u32>> {
        if self.request.symbols == Symbols::ALL {
            return vec![None];
        }
        let windows = self.known.resolution.windows.get(symbol);
        let windows = windows.into_iter().flatten();
        let on_day = windows.filter(|window| has(window.days, day));
        on_day.map(|window| Some(window.instrument_id)).collect()
    }

    pub fn is_held(&self, instrument_id: Option<u32>, instant: Nanos) -> bool {
        let held = self.known.held.iter().map(|(held, _)| held);
        let mut ours =
            held.filter(|held| held.instrument_id.is_none() || held.instrument_id == instrument_id);
        ours.any(|held| held.span.contains(instant))
    }

    pub fn is_taken(&self, symbol: &str, day: Day) -> bool {
        let all = self.request.symbols == Symbols::ALL;
        let ours = |symbols: &Symbols| match symbols.names() {
            Some(names) => names.iter().any(|name| name == symbol),
            None => all,
        };
        let mut outstanding = self.known.outstanding.iter();
        let mut empty = self.known.empty.iter();
        outstanding.any(|(symbols, days)| (all || ours(symbols)) && has(*days, day))
            || empty.any(|(_, symbols, days)| ours(symbols) && has(*days, day))
    }

    pub fn is_missing(&self, symbol: &str, day: Day) -> bool {
        let quarters = || (0..4).map(|quarter| Nanos(day.start().0 + quarter * QUARTER));
        let instruments = self.instruments(symbol, day);
        let mut instants = instruments
            .iter()
            .flat_map(|id| quarters().map(move |at| (*id, at)));
        instants.any(|(id, at)| !self.is_held(id, at)) && !self.is_taken(symbol, day)
    }

    pub fn symbols(&self) -> Vec<&str> {
        match self.request.symbols.names() {
            Some(names) => names.iter().map(String::as_str).collect(),
            None => vec!["ALL_SYMBOLS"],
        }
    }

    pub fn meant_days(&self, symbol: &str) -> Vec<Day> {
        let days = each_day(self.request.days);
        days.filter(|day| !self.instruments(symbol, *day).is_empty())
            .collect()
    }

    pub fn planned(&self) -> BTreeSet<(String, Day)> {
        let symbols = self.symbols();
        let mut planned = BTreeSet::new();
        for symbol in &symbols {
            let meant = self.meant_days(symbol).into_iter();
            let missing = meant.filter(|day| self.is_missing(symbol, *day));
            planned.extend(missing.map(|day| ((*symbol).to_owned(), day)));
        }
        let untouched = |symbol: &&str| {
            let meant = self.meant_days(symbol);
            meant.into_iter().all(|day| self.is_missing(symbol, day))
        };
        let untouched: Vec<&str> = symbols.into_iter().filter(untouched).collect();
        let together: BTreeSet<Day> = untouched
            .iter()
            .flat_map(|symbol| self.meant_days(symbol))
            .collect();
        for symbol in untouched {
            planned.extend(together.iter().map(|day| (symbol.to_owned(), *day)));
        }
        planned
    }
}
