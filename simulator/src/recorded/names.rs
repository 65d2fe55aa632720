//! The symbols of a recorded dataset: the mappings of all its files as one.

use std::collections::{BTreeMap, HashMap};

use dbn::{Metadata, SType};

use crate::{
    clock::{Day, DayRange},
    history::Mapping,
};

/// The mappings of a dataset.
#[derive(Debug, Default)]
pub(crate) struct Names {
    raw: BTreeMap<String, Vec<Window>>,
    continuous: BTreeMap<String, Vec<Window>>,
    /// The raw symbols below a parent.
    parents: BTreeMap<String, Vec<String>>,
    by_id: HashMap<u32, Vec<(DayRange, String)>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Window {
    days: DayRange,
    instrument_id: u32,
}

impl Names {
    /// Adds the mappings of a file.
    pub(crate) fn add(&mut self, metadata: &Metadata) {
        for mapping in &metadata.mappings {
            for interval in &mapping.intervals {
                let (Some(first), Some(end)) = (
                    Day::from_date(interval.start_date),
                    Day::from_date(interval.end_date),
                ) else {
                    continue;
                };
                let days = DayRange::new(first, end);
                let (symbol, id) = match metadata.stype_in {
                    Some(SType::InstrumentId) => (&interval.symbol, &mapping.raw_symbol),
                    _ => (&mapping.raw_symbol, &interval.symbol),
                };
                let Ok(instrument_id) = id.parse() else {
                    continue;
                };
                let window = Window {
                    days,
                    instrument_id,
                };
                if metadata.stype_in == Some(SType::Continuous) {
                    insert(self.continuous.entry(symbol.clone()).or_default(), window);
                } else {
                    self.add_raw(symbol, window);
                }
            }
            self.add_to_parents(metadata, &mapping.raw_symbol);
        }
    }

    fn add_raw(&mut self, symbol: &str, window: Window) {
        insert(self.raw.entry(symbol.to_owned()).or_default(), window);
        self.by_id
            .entry(window.instrument_id)
            .or_default()
            .push((window.days, symbol.to_owned()));
    }

    fn add_to_parents(&mut self, metadata: &Metadata, symbol: &str) {
        // Of several parents in one file, the one whose root begins the symbol.
        let of_symbol = |parent: &&String| {
            let root = parent.split('.').next().unwrap_or_default();
            metadata.symbols.len() == 1 || symbol.starts_with(root)
        };
        if metadata.stype_in == Some(SType::Parent)
            && let Some(parent) = metadata.symbols.iter().find(of_symbol)
        {
            let members = self.parents.entry(parent.clone()).or_default();
            if members.last().is_none_or(|last| last != symbol) {
                members.push(symbol.to_owned());
            }
        }
    }

    /// Makes sure that an instrument has a raw symbol on a day: its id if no file has a better one.
    pub(crate) fn name_if_unnamed(&mut self, instrument_id: u32, day: Day) {
        let named = self
            .by_id
            .get(&instrument_id)
            .is_some_and(|names| names.iter().any(|(days, _)| days.contains(day)));
        if !named {
            let days = DayRange::new(day, day.next());
            self.add_raw(
                &instrument_id.to_string(),
                Window {
                    days,
                    instrument_id,
                },
            );
        }
    }

    pub(crate) fn resolve(&self, stype_in: SType, symbol: &str, days: DayRange) -> Vec<Mapping> {
        match stype_in {
            SType::RawSymbol => self.of_raw(symbol, days),
            SType::Continuous => self.of_windows(symbol, self.continuous.get(symbol), days),
            SType::InstrumentId => self.of_id(symbol, days),
            SType::Parent => {
                let mut members = self.parents.get(symbol).cloned().unwrap_or_default();
                members.sort();
                members.dedup();
                members
                    .iter()
                    .flat_map(|member| self.of_raw(member, days))
                    .collect()
            }
            _ => Vec::new(),
        }
    }

    pub(crate) fn resolve_all(&self, days: DayRange) -> Vec<Mapping> {
        self.raw
            .keys()
            .flat_map(|symbol| self.of_raw(symbol, days))
            .collect()
    }

    fn of_raw(&self, symbol: &str, days: DayRange) -> Vec<Mapping> {
        self.of_windows(symbol, self.raw.get(symbol), days)
    }

    fn of_windows(&self, key: &str, windows: Option<&Vec<Window>>, days: DayRange) -> Vec<Mapping> {
        let within = windows
            .into_iter()
            .flatten()
            .map(|window| (window.days.intersect(&days), window.instrument_id));
        within
            .filter(|(days, _)| !days.is_empty())
            .map(|(days, instrument_id)| Mapping {
                key: key.to_owned(),
                instrument_id,
                raw_symbol: self
                    .raw_symbol(instrument_id, days.first)
                    .unwrap_or(key)
                    .to_owned(),
                days,
            })
            .collect()
    }

    fn of_id(&self, id: &str, days: DayRange) -> Vec<Mapping> {
        let Ok(instrument_id) = id.parse::<u32>() else {
            return Vec::new();
        };
        let mut symbols: Vec<&String> = self
            .by_id
            .get(&instrument_id)
            .into_iter()
            .flatten()
            .map(|(_, symbol)| symbol)
            .collect();
        symbols.sort();
        symbols.dedup();
        let mut mappings: Vec<Mapping> = symbols
            .into_iter()
            .flat_map(|symbol| self.of_raw(symbol, days))
            .filter(|mapping| mapping.instrument_id == instrument_id)
            .map(|mapping| Mapping {
                key: id.to_owned(),
                ..mapping
            })
            .collect();
        mappings.sort_by_key(|mapping| mapping.days.first);
        mappings
    }

    fn raw_symbol(&self, instrument_id: u32, day: Day) -> Option<&str> {
        let names = self.by_id.get(&instrument_id)?;
        names
            .iter()
            .find(|(days, _)| days.contains(day))
            .map(|(_, symbol)| symbol.as_str())
    }
}

/// Adds a window, joining it with those of the same instrument that it touches.
fn insert(windows: &mut Vec<Window>, mut window: Window) {
    windows.retain(|other| {
        let same = other.instrument_id == window.instrument_id;
        let touches = other.days.first <= window.days.end && window.days.first <= other.days.end;
        if same && touches {
            window.days.first = window.days.first.min(other.days.first);
            window.days.end = window.days.end.max(other.days.end);
        }
        !(same && touches)
    });
    let at = windows.partition_point(|other| other.days.first <= window.days.first);
    windows.insert(at, window);
}
