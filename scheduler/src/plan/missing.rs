//! What of a request is missing, by schema: symbols and whole days.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use common::chunk::ChunkId;
use common::request::{Request, Symbols};
use common::store::Held;
use common::time::{DayRange, Span};
use common::vendor::Resolution;
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
    let Some(names) = request.symbols.names() else {
        return missing_of_all(schema, days, known);
    };
    let lists = Lists::new(known, days);
    let mut missing = Missing::default();
    // Symbols that miss the same days go together. Untouched ones go together whatever their own
    // lifetimes: the vendor answers a request for many symbols at once.
    let mut groups: Groups = BTreeMap::new();
    let mut waiting: Groups = BTreeMap::new();
    let mut untouched = Vec::new();
    let mut untouched_windows = Vec::new();
    for name in names {
        let standing = lists.standing(name, days, &mut missing.covered);
        if !standing.waiting.is_empty() {
            waiting
                .entry(standing.waiting)
                .or_default()
                .push(name.clone());
        }
        if standing.untouched {
            untouched_windows.extend(standing.free);
            untouched.push(name.clone());
        } else {
            groups.entry(standing.free).or_default().push(name.clone());
        }
    }
    let untouched_days = DayRange::merged(untouched_windows);
    groups.entry(untouched_days).or_default().extend(untouched);
    // Definitions of continuous symbols come by asking for all: once is enough for any number.
    let asked = request
        .range_request(schema, &request.symbols, days)
        .symbols;
    let most = match asked {
        Symbols::All(_) => names.len(),
        Symbols::Named(_) => request.chunking.symbols_max,
    };
    missing.pieces = pieces(schema, groups, most);
    missing.waiting = pieces(schema, waiting, most);
    missing
}

/// What is missing of every instrument.
fn missing_of_all(schema: Schema, days: DayRange, known: &Known) -> Missing {
    let slices = Slices::new(&known.held);
    let mut missing = Missing::default();
    let free = free_days(&[days.span()], &slices.everything, &mut missing.covered);
    let mut taken: Vec<_> = known.outstanding.iter().map(|(_, days)| *days).collect();
    for (chunk, symbols, empty) in &known.empty {
        if symbols.names().is_none() {
            missing.covered.insert(*chunk);
            taken.push(*empty);
        }
    }
    let free = subtract(&free, &taken);
    let uncovered = known.uncovered.iter().map(|(_, days)| *days);
    let uncovered = DayRange::merged(uncovered.collect());
    let piece = |days| Piece {
        schema,
        symbols: Symbols::ALL,
        days,
    };
    let covered = subtract(&free, &uncovered).into_iter();
    missing.pieces = covered.map(piece).collect();
    let waiting = overlaps(&free, &uncovered).into_iter();
    missing.waiting = waiting.map(piece).collect();
    missing
}

/// Symbols by the days that they miss.
type Groups = BTreeMap<Vec<DayRange>, Vec<String>>;

fn pieces(schema: Schema, groups: Groups, symbols_max: usize) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for (ranges, names) in groups {
        for symbols in Symbols::named(names).groups(symbols_max) {
            pieces.extend(ranges.iter().map(|days| Piece {
                schema,
                symbols: symbols.clone(),
                days: *days,
            }));
        }
    }
    pieces
}

/// What is known, by symbol and instrument.
struct Lists<'a> {
    known: &'a Known,
    slices: Slices,
    outstanding: HashMap<&'a str, Vec<DayRange>>,
    empty: HashMap<&'a str, Vec<(ChunkId, DayRange)>>,
    uncovered: Uncovered<'a>,
}

/// Where one symbol stands.
struct Standing {
    /// Days that are missing and can be had.
    free: Vec<DayRange>,
    /// Days that are missing and that the source doesn't have.
    waiting: Vec<DayRange>,
    /// Whether the free days are all on which it means something, and the source has all of them.
    untouched: bool,
}

impl<'a> Lists<'a> {
    fn new(known: &'a Known, days: DayRange) -> Self {
        let outstanding = known.outstanding.iter();
        let empty = known.empty.iter();
        Self {
            known,
            slices: Slices::new(&known.held),
            outstanding: by_symbol(outstanding.map(|(symbols, days)| (symbols, *days))),
            empty: by_symbol(empty.map(|(chunk, symbols, days)| (symbols, (*chunk, *days)))),
            uncovered: Uncovered::new(known, days),
        }
    }

    fn standing(&self, name: &str, days: DayRange, covered: &mut BTreeSet<ChunkId>) -> Standing {
        let windows = windows_within(self.known, name, days);
        let mut free = Vec::new();
        for (instrument_id, span) in &windows {
            let held = self.slices.of(*instrument_id);
            free.extend(free_days(&[*span], &held, covered));
        }
        let all = windows.iter().filter_map(|(_, span)| span.whole_days());
        let (free, all) = (DayRange::merged(free), DayRange::merged(all.collect()));
        let mut taken = self.outstanding.get(name).cloned().unwrap_or_default();
        for (chunk, days) in self.empty.get(name).into_iter().flatten() {
            covered.insert(*chunk);
            taken.push(*days);
        }
        let uncovered = self.uncovered.of(name);
        // Where nobody knows what the symbol means, nobody knows who holds it.
        let unknown = subtract(&uncovered, &all);
        let missing = DayRange::merged([free.clone(), unknown].concat());
        let waiting = subtract(&overlaps(&missing, &uncovered), &taken);
        taken.extend(&uncovered);
        let free = subtract(&free, &taken);
        Standing {
            // With others of a group it could come to days that the source doesn't have.
            untouched: free == all && uncovered.is_empty(),
            free,
            waiting,
        }
    }
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
        free.extend(
            span.without(&slices)
                .into_iter()
                .filter_map(Span::whole_days),
        );
    }
    DayRange::merged(free)
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
        DayRange::merged(own.chain(&self.of_all).copied().collect())
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
    DayRange::merged(ranges.iter().flat_map(within).collect())
}

/// The days of `ranges` that `others` leave.
pub(super) fn subtract(ranges: &[DayRange], others: &[DayRange]) -> Vec<DayRange> {
    let others: Vec<Span> = others.iter().map(|range| range.span()).collect();
    let left = ranges
        .iter()
        .flat_map(|range| range.span().without(&others));
    left.filter_map(Span::whole_days).collect()
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
