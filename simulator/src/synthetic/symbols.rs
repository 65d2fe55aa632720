//! How symbols become instruments and back, day by day.

use dbn::SType;

use super::{
    instruments::{Instrument, Kind, Listing, cycle_at_rank, cycles_of_code, listed_on},
    products::{self, Product},
};
use crate::{
    clock::{Day, DayRange},
    history::Mapping,
};

/// Open interest follows volume this many days later.
const OPEN_INTEREST_LAG_DAYS: u32 = 2;

/// The mappings of one symbol over `days`; empty where it is unknown.
pub(crate) fn resolve(
    dataset: &str,
    stype: SType,
    symbol: &str,
    days: DayRange,
    strikes: u32,
) -> Vec<Mapping> {
    match stype {
        SType::RawSymbol => raw_instruments(dataset, symbol, strikes)
            .iter()
            .filter_map(|found| mapping(symbol, found, days))
            .collect(),
        SType::InstrumentId => {
            let found = symbol.parse().ok().and_then(Instrument::from_id);
            let found =
                found.filter(|found| found.product.dataset == dataset && exists(found, strikes));
            found
                .and_then(|found| mapping(symbol, &found, days))
                .into_iter()
                .collect()
        }
        SType::Continuous => continuous(dataset, symbol, days),
        SType::Parent => parent(dataset, symbol, days, strikes),
        _ => Vec::new(),
    }
}

/// Every instrument of a dataset over `days`.
pub(crate) fn all(dataset: &str, days: DayRange, strikes: u32) -> Vec<Mapping> {
    products::of_dataset(dataset)
        .flat_map(|product| {
            [Listing::Traded, Listing::Options]
                .into_iter()
                .flat_map(move |kind| listed_on(product, days, kind, strikes))
        })
        .filter_map(|found| mapping(&found.symbol(), &found, days))
        .collect()
}

fn exists(instrument: &Instrument, strikes: u32) -> bool {
    match instrument.kind {
        Kind::Option { strike, .. } => strike < strikes,
        Kind::Spread { distance, .. } => (1..=2).contains(&distance),
        _ => true,
    }
}

fn mapping(key: &str, instrument: &Instrument, days: DayRange) -> Option<Mapping> {
    let days = instrument.listed().intersect(&days);
    (!days.is_empty()).then(|| Mapping {
        key: key.to_owned(),
        instrument_id: instrument.id(),
        raw_symbol: instrument.symbol(),
        days,
    })
}

/// The instruments that ever bore a raw symbol.
fn raw_instruments(dataset: &str, symbol: &str, strikes: u32) -> Vec<Instrument> {
    products::of_dataset(dataset)
        .flat_map(|product| {
            let kinds = match symbol.strip_prefix(product.root) {
                Some("") if product.months.is_empty() => vec![Kind::Share],
                Some(rest) => kinds_of(product, rest, strikes),
                None => Vec::new(),
            };
            kinds
                .into_iter()
                .map(move |kind| Instrument { product, kind })
        })
        .collect()
}

/// What `H4`, `H4-ESM4` or `H4 C120` mean after the root.
fn kinds_of(product: &Product, rest: &str, strikes: u32) -> Vec<Kind> {
    if let Some((near, far)) = rest.split_once('-') {
        let fars = cycles_of_code(product, far.strip_prefix(product.root).unwrap_or_default());
        let spread = |near: u32| {
            let distance = (1..=2).find(|distance| fars.contains(&(near + distance)))?;
            Some(Kind::Spread { near, distance })
        };
        return cycles_of_code(product, near)
            .into_iter()
            .filter_map(spread)
            .collect();
    }
    if let Some((code, option)) = rest.split_once(' ') {
        let put = option.starts_with('P');
        let number = option
            .strip_prefix(['P', 'C'])
            .and_then(|number| number.parse::<u32>().ok());
        let strike = number
            .and_then(|number| number.checked_sub(50))
            .filter(|strike| *strike < strikes);
        let cycles = cycles_of_code(product, code).into_iter();
        return strike
            .map(|strike| {
                cycles
                    .map(|cycle| Kind::Option { cycle, strike, put })
                    .collect()
            })
            .unwrap_or_default();
    }
    cycles_of_code(product, rest)
        .into_iter()
        .map(|cycle| Kind::Outright { cycle })
        .collect()
}

/// `ROOT.c.N` by calendar, `ROOT.v.N` by volume, `ROOT.n.N` by open interest.
fn continuous(dataset: &str, symbol: &str, days: DayRange) -> Vec<Mapping> {
    let mut parts = symbol.split('.');
    let (Some(root), Some(rule), Some(rank), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Vec::new();
    };
    let (Some(product), Ok(rank)) = (Product::by_root(dataset, root), rank.parse::<u32>()) else {
        return Vec::new();
    };
    let roll_days = match rule {
        "c" => 0,
        "v" => product.roll_days,
        "n" => product.roll_days.saturating_sub(OPEN_INTEREST_LAG_DAYS),
        _ => return Vec::new(),
    };
    if product.months.is_empty() || rank >= product.listed {
        return Vec::new();
    }
    windows(days, |day| cycle_at_rank(product, rank, day, roll_days))
        .into_iter()
        .map(|(days, cycle)| {
            let found = Instrument {
                product,
                kind: Kind::Outright { cycle },
            };
            Mapping {
                key: symbol.to_owned(),
                instrument_id: found.id(),
                raw_symbol: found.symbol(),
                days,
            }
        })
        .collect()
}

/// The runs of days on which `cycle_on` gives the same contract.
fn windows(days: DayRange, cycle_on: impl Fn(Day) -> u32) -> Vec<(DayRange, u32)> {
    let mut windows: Vec<(DayRange, u32)> = Vec::new();
    for day in days.days() {
        let cycle = cycle_on(day);
        match windows.last_mut() {
            Some((run, last)) if *last == cycle => run.end = day.next(),
            _ => windows.push((DayRange::new(day, day.next()), cycle)),
        }
    }
    windows
}

/// `ROOT.FUT` is the outrights and their spreads, `ROOT.OPT` the options; each under its own raw
/// symbol.
fn parent(dataset: &str, symbol: &str, days: DayRange, strikes: u32) -> Vec<Mapping> {
    let Some((root, kind)) = symbol.split_once('.') else {
        return Vec::new();
    };
    let listing = match kind {
        "FUT" => Listing::Traded,
        "OPT" => Listing::Options,
        _ => return Vec::new(),
    };
    let Some(product) =
        Product::by_root(dataset, root).filter(|product| !product.months.is_empty())
    else {
        return Vec::new();
    };
    listed_on(product, days, listing, strikes)
        .iter()
        .filter_map(|found| mapping(&found.symbol(), found, days))
        .collect()
}
