//! What the symbols of a request stand for, and how that is told.

use std::collections::HashMap;

use dbn::{MappingInterval, SType, SymbolMapping};
use serde_json::{Map, Value, json};

use crate::{
    clock::{Day, DayRange},
    history::{History, Mapping},
    parameters::Symbols,
    refusal::Refusal,
};

/// The symbols of a request, resolved.
#[derive(Debug, Clone, Default)]
pub(crate) struct Resolution {
    pub(crate) mappings: Vec<Mapping>,
    /// Symbols without a mapping on some day that has a session.
    pub(crate) partial: Vec<String>,
    /// Symbols without a mapping on any day.
    pub(crate) not_found: Vec<String>,
}

/// Resolves symbols over days.
///
/// # Errors
/// Pairs of symbology types that the vendor doesn't convert.
pub(crate) fn resolve(
    history: &dyn History,
    dataset: &str,
    (stype_in, stype_out): (SType, SType),
    symbols: &Symbols,
    days: DayRange,
) -> Result<Resolution, Refusal> {
    check_types(stype_in, stype_out)?;
    let symbols = match symbols {
        Symbols::All => {
            let mappings = history.resolve_all(dataset, days);
            return Ok(Resolution {
                mappings,
                ..Resolution::default()
            });
        }
        Symbols::Some(symbols) => symbols,
    };
    let listed: Vec<Day> = days
        .days()
        .filter(|day| history.is_listed_day(dataset, *day))
        .collect();
    let mut resolution = Resolution::default();
    for symbol in symbols {
        let found = history.resolve(dataset, stype_in, symbol, days);
        if listed.is_empty() || found.is_empty() {
            resolution.not_found.push(symbol.clone());
            continue;
        }
        if !covers(&found, &listed) {
            resolution.partial.push(symbol.clone());
        }
        resolution.mappings.extend(found);
    }
    Ok(resolution)
}

fn check_types(stype_in: SType, stype_out: SType) -> Result<(), Refusal> {
    let known = match stype_out {
        SType::InstrumentId => {
            matches!(
                stype_in,
                SType::RawSymbol | SType::Continuous | SType::Parent | SType::InstrumentId
            )
        }
        SType::RawSymbol => stype_in == SType::InstrumentId,
        _ => false,
    };
    if known {
        return Ok(());
    }
    let message =
        format!("Resolving from stype_in={stype_in} to stype_out={stype_out} is not supported.");
    Err(Refusal::business(422, "symbology_invalid_request", message))
}

fn covers(mappings: &[Mapping], listed: &[Day]) -> bool {
    match mappings {
        [only] => {
            listed.first().is_some_and(|day| only.days.contains(*day))
                && listed.last().is_some_and(|day| only.days.contains(*day))
        }
        _ => listed
            .iter()
            .all(|day| mappings.iter().any(|mapping| mapping.days.contains(*day))),
    }
}

impl Resolution {
    /// The resolution, unless there is nothing in it.
    pub(crate) fn or_refuse(self) -> Result<Self, Refusal> {
        if self.mappings.is_empty() {
            let message = format!(
                "None of the symbols could be resolved: {}",
                self.not_found.join(", ")
            );
            return Err(Refusal::business(422, "symbology_invalid_request", message));
        }
        Ok(self)
    }

    pub(crate) fn is_whole(&self) -> bool {
        self.partial.is_empty() && self.not_found.is_empty()
    }

    /// The mappings as the header of a stream carries them, in the order in which they were asked
    /// for.
    pub(crate) fn symbol_mappings(&self, stype_out: SType) -> Vec<SymbolMapping> {
        let mut grouped: Vec<SymbolMapping> = Vec::new();
        let mut places: HashMap<&str, usize> = HashMap::new();
        for mapping in &self.mappings {
            let interval = MappingInterval {
                start_date: mapping.days.first.date(),
                end_date: mapping.days.end.date(),
                symbol: match stype_out {
                    SType::RawSymbol => mapping.raw_symbol.clone(),
                    _ => mapping.instrument_id.to_string(),
                },
            };
            let place = *places.entry(&mapping.key).or_insert(grouped.len());
            if place == grouped.len() {
                grouped.push(SymbolMapping {
                    raw_symbol: mapping.key.clone(),
                    intervals: Vec::new(),
                });
            }
            grouped[place].intervals.push(interval);
        }
        grouped
    }

    /// The mappings as `symbology.resolve` tells them.
    pub(crate) fn result(&self, stype_out: SType) -> Value {
        let mut result = Map::new();
        for mapping in self.symbol_mappings(stype_out) {
            let intervals = mapping.intervals.iter().map(|interval| {
                let (d0, d1) = (
                    interval.start_date.to_string(),
                    interval.end_date.to_string(),
                );
                json!({ "d0": d0, "d1": d1, "s": interval.symbol })
            });
            let list = result
                .entry(mapping.raw_symbol)
                .or_insert_with(|| Value::Array(Vec::new()));
            if let Value::Array(list) = list {
                list.extend(intervals);
            }
        }
        for symbol in &self.not_found {
            result
                .entry(symbol.clone())
                .or_insert_with(|| Value::Array(Vec::new()));
        }
        Value::Object(result)
    }
}
