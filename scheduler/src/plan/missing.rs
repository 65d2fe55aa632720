//! What of a request is missing, by schema: symbols and whole days.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use common::chunk::ChunkId;
use common::request::{Request, Symbols};
use common::store::Held;
use common::time::{Day, DayRange, Span};
use common::vendor::{RangeRequest, Resolution};
use dbn::Schema;

/// What is known about one schema of a request.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// What the symbols mean; empty for `ALL_SYMBOLS`.
    pub resolution: Resolution,
    /// Slices that chunks hold.
    pub held: Vec<(Held, ChunkId)>,
    /// Symbols and days that are proven to hold nothing, by which chunks.
    pub empty: Vec<(ChunkId, Symbols, DayRange)>,
    /// Chunks of the same job that are not finished.
    pub outstanding: Vec<(Symbols, DayRange)>,
    /// Symbols and days that the source doesn't have, and of which it may not know what they mean.
    pub uncovered: Vec<(Symbols, DayRange)>,
}

/// Symbols and days that no chunk holds or works on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// The schema.
    pub schema: Schema,
    /// The symbols.
    pub symbols: Symbols,
    /// The days.
    pub days: DayRange,
}

/// What is missing, and what made the rest of it not missing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Missing {
    /// The missing pieces; no two of them hold the same symbol on the same day.
    pub pieces: Vec<Piece>,
    /// What is missing and not at the source yet; nothing of it is in the pieces.
    pub waiting: Vec<Piece>,
    /// The chunks that hold parts of the request already.
    pub covered: BTreeSet<ChunkId>,
}

/// What of one schema is missing within `days`.
#[must_use]
pub fn missing(request: &Request, schema: Schema, days: DayRange, known: &Known) -> Missing {
    let slices = Slices::new(&known.held);
    let mut missing = Missing::default();
    let piece = |symbols, days| Piece {
        schema,
        symbols,
        days,
    };
    let Some(names) = request.symbols.names() else {
        let free = free_days(&[days.span()], &slices.everything, &mut missing.covered);
        let busy = known.outstanding.iter().map(|(_, days)| *days);
        let free = subtract(&free, &busy.collect::<Vec<_>>());
        let uncovered = known.uncovered.iter().map(|(_, days)| *days);
        let uncovered = merge(uncovered.collect());
        for days in subtract(&free, &uncovered) {
            missing.pieces.push(piece(Symbols::ALL, days));
        }
        for days in overlaps(&free, &uncovered) {
            missing.waiting.push(piece(Symbols::ALL, days));
        }
        return missing;
    };
    let outstanding = by_symbol(
        known
            .outstanding
            .iter()
            .map(|(symbols, days)| (symbols, *days)),
    );
    let empty = by_symbol(
        known
            .empty
            .iter()
            .map(|(chunk, symbols, days)| (symbols, (*chunk, *days))),
    );
    let uncovered = Uncovered::new(known, days);
    let mut waiting: BTreeMap<Vec<DayRange>, Vec<String>> = BTreeMap::new();
    // Symbols that miss the same days go together. Untouched ones go together whatever their own
    // lifetimes: the vendor answers a request for many symbols at once.
    let mut groups: BTreeMap<Vec<DayRange>, Vec<String>> = BTreeMap::new();
    let mut untouched = Vec::new();
    let mut untouched_windows = Vec::new();
    for name in names {
        let windows = windows_within(known, name, days);
        let mut free = Vec::new();
        for (instrument_id, span) in &windows {
            let held = slices.of(*instrument_id);
            free.extend(free_days(&[*span], &held, &mut missing.covered));
        }
        let all: Vec<_> = windows
            .iter()
            .filter_map(|(_, span)| whole_days(*span))
            .collect();
        let (free, all) = (merge(free), merge(all));
        let mut taken = outstanding.get(name.as_str()).cloned().unwrap_or_default();
        for (chunk, days) in empty.get(name.as_str()).into_iter().flatten() {
            missing.covered.insert(*chunk);
            taken.push(*days);
        }
        let uncovered_days = uncovered.of(name);
        // Where nobody knows what the symbol means, nobody knows who holds it.
        let unknown = subtract(&uncovered_days, &all);
        let waits = overlaps(&merge([free.clone(), unknown].concat()), &uncovered_days);
        let waits = subtract(&waits, &taken);
        if !waits.is_empty() {
            waiting.entry(waits).or_default().push(name.clone());
        }
        taken.extend(&uncovered_days);
        let free = subtract(&free, &taken);
        // Those that others of the group could take to days that are not there stay by themselves.
        if free == all && uncovered_days.is_empty() {
            untouched_windows.extend(all);
            untouched.push(name.clone());
        } else {
            groups.entry(free).or_default().push(name.clone());
        }
    }
    let untouched_days = merge(untouched_windows);
    groups.entry(untouched_days).or_default().extend(untouched);
    // Definitions of continuous symbols come by asking for all: once is enough for any number.
    let asked = RangeRequest::new("", schema, request.stype_in, &request.symbols, days).symbols;
    let most = match asked {
        Symbols::All(_) => names.len(),
        Symbols::Named(_) => request.chunking.symbols_max,
    };
    for (groups, pieces) in [
        (groups, &mut missing.pieces),
        (waiting, &mut missing.waiting),
    ] {
        for (ranges, names) in groups {
            for group in Symbols::named(names).groups(most) {
                pieces.extend(ranges.iter().map(|days| piece(group.clone(), *days)));
            }
        }
    }
    missing
}

/// Slices by instrument, with the chunks that hold them.
struct Slices {
    everything: Vec<(Span, ChunkId)>,
    instruments: HashMap<u32, Vec<(Span, ChunkId)>>,
}

impl Slices {
    fn new(held: &[(Held, ChunkId)]) -> Self {
        let mut slices = Self {
            everything: Vec::new(),
            instruments: HashMap::new(),
        };
        for (held, chunk) in held {
            let list = match held.instrument_id {
                None => &mut slices.everything,
                Some(id) => slices.instruments.entry(id).or_default(),
            };
            list.push((held.span, *chunk));
        }
        slices
    }

    /// What is held of one instrument, by its own name or by that of all.
    fn of(&self, instrument_id: u32) -> Vec<(Span, ChunkId)> {
        let own = self.instruments.get(&instrument_id);
        own.into_iter()
            .flatten()
            .chain(&self.everything)
            .copied()
            .collect()
    }
}

/// A symbol's instruments, each with its time within the days.
fn windows_within(known: &Known, symbol: &str, days: DayRange) -> Vec<(u32, Span)> {
    let windows = known.resolution.windows.get(symbol);
    windows
        .into_iter()
        .flatten()
        .filter_map(|window| {
            let days = window.days.intersection(days)?;
            Some((window.instrument_id, days.span()))
        })
        .collect()
}

/// The days of the spans that the slices leave free, and the chunks whose slices lie in them.
fn free_days(
    spans: &[Span],
    held: &[(Span, ChunkId)],
    covered: &mut BTreeSet<ChunkId>,
) -> Vec<DayRange> {
    let mut free = Vec::new();
    for span in spans {
        let within = held
            .iter()
            .filter(|(slice, _)| span.intersection(*slice).is_some());
        let (slices, chunks): (Vec<_>, Vec<_>) = within.copied().unzip();
        covered.extend(chunks);
        free.extend(span.without(&slices).into_iter().filter_map(whole_days));
    }
    merge(free)
}

/// The days that the source doesn't have, by symbol.
struct Uncovered<'a> {
    by_symbol: HashMap<&'a str, Vec<DayRange>>,
    of_all: Vec<DayRange>,
}

impl<'a> Uncovered<'a> {
    fn new(known: &'a Known, within: DayRange) -> Self {
        let listed = || {
            known
                .uncovered
                .iter()
                .filter_map(move |(symbols, days)| Some((symbols, days.intersection(within)?)))
        };
        let of_all = listed().filter(|(symbols, _)| symbols.names().is_none());
        Self {
            by_symbol: by_symbol(listed()),
            of_all: of_all.map(|(_, days)| days).collect(),
        }
    }

    fn of(&self, symbol: &str) -> Vec<DayRange> {
        let own = self.by_symbol.get(symbol).into_iter().flatten();
        merge(own.chain(&self.of_all).copied().collect())
    }
}

/// The days that both lists hold.
fn overlaps(ranges: &[DayRange], others: &[DayRange]) -> Vec<DayRange> {
    let within = |range: &DayRange| {
        let range = *range;
        others
            .iter()
            .filter_map(move |other| other.intersection(range))
    };
    merge(ranges.iter().flat_map(within).collect())
}

/// The whole days that a span touches.
fn whole_days(span: Span) -> Option<DayRange> {
    let end = span.end.day();
    let end = if end.start() < span.end {
        end.plus(1)
    } else {
        end
    };
    DayRange::new(span.start.day(), end)
}

/// The same days as ranges that neither overlap nor touch, in order.
fn merge(mut ranges: Vec<DayRange>) -> Vec<DayRange> {
    ranges.sort_unstable();
    let mut merged: Vec<(Day, Day)> = Vec::new();
    for range in ranges {
        match merged.last_mut() {
            Some((_, end)) if *end >= range.start() => *end = (*end).max(range.end()),
            _ => merged.push((range.start(), range.end())),
        }
    }
    merged
        .into_iter()
        .filter_map(|(start, end)| DayRange::new(start, end))
        .collect()
}

/// The days of `ranges` that `others` leave.
pub(super) fn subtract(ranges: &[DayRange], others: &[DayRange]) -> Vec<DayRange> {
    let others: Vec<Span> = others.iter().map(|range| range.span()).collect();
    let left = ranges
        .iter()
        .flat_map(|range| range.span().without(&others));
    left.filter_map(whole_days).collect()
}

fn by_symbol<'a, T: Copy>(
    listed: impl Iterator<Item = (&'a Symbols, T)>,
) -> HashMap<&'a str, Vec<T>> {
    let mut by_symbol: HashMap<&str, Vec<T>> = HashMap::new();
    for (symbols, value) in listed {
        for name in symbols.names().unwrap_or_default() {
            by_symbol.entry(name).or_default().push(value);
        }
    }
    by_symbol
}
