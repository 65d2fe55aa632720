//! Standing: where a symbol's day stands, told from what is held and what the vendor said.
//!
//! Nothing is asked here: whoever calls brings what the database knows of one dataset and schema.
//! So a picture of what is held, and the question what is missing, rest on one decision.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::request::Symbols;
use crate::store::Held;
use crate::time::{Day, DayRange, Span};
use crate::vendor::{Condition, DayCondition, Resolution};

/// Where one symbol's day stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Standing {
    /// Chunks hold the whole day of every instrument that the symbol meant.
    Held,
    /// Proven to hold nothing: no session, or no records of the symbol.
    Empty,
    /// The symbol meant nothing on that day, on which others did: it didn't exist, or not any more.
    UnknownSymbol,
    /// The vendor has no data of the day, and doesn't say that it will: a known gap.
    VendorMissing,
    /// The vendor doesn't have the day yet.
    VendorPending,
    /// Nothing is proven: to be fetched.
    NotFetched,
}

/// A slice that a chunk holds, with what is known of its days.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldSlice {
    /// The slice.
    pub held: Held,
    /// The days on which it holds records: none where its chunk was found empty; `None` where it
    /// isn't known which, and each of its days counts as held.
    pub records_on: Option<BTreeSet<Day>>,
}

/// What the database knows of one dataset and schema, for symbols of one type.
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    /// What symbols meant, by symbology.
    pub resolution: Resolution,
    /// Symbols and days of which symbology was asked: those of chunks that are done or empty.
    /// Where it was asked and named nothing, there is nothing.
    pub asked: Vec<(Symbols, DayRange)>,
    /// Slices that chunks hold.
    pub held: Vec<HeldSlice>,
    /// Symbols and days of chunks that were found empty. Where no session was held the vendor names
    /// no instruments, and such a chunk has no slice.
    pub empty: Vec<(Symbols, DayRange)>,
    /// Conditions of days, by the vendor's latest answer.
    pub conditions: Vec<DayCondition>,
}

/// The same, found quickly by symbol and day.
#[derive(Debug)]
pub struct Standings<'a> {
    evidence: &'a Evidence,
    slices: HashMap<Option<u32>, Vec<&'a HeldSlice>>,
    asked: BySymbol<'a>,
    empty: BySymbol<'a>,
    conditions: BTreeMap<Day, Condition>,
    /// Days on which any symbol meant something.
    named: Vec<DayRange>,
}

impl<'a> Standings<'a> {
    /// What the evidence comes to.
    #[must_use]
    pub fn new(evidence: &'a Evidence) -> Self {
        let mut slices: HashMap<_, Vec<&HeldSlice>> = HashMap::new();
        for slice in &evidence.held {
            let of_instrument = slices.entry(slice.held.instrument_id).or_default();
            of_instrument.push(slice);
        }
        let windows = evidence.resolution.windows.values().flatten();
        let conditions = evidence.conditions.iter();
        Self {
            evidence,
            slices,
            asked: BySymbol::new(&evidence.asked),
            empty: BySymbol::new(&evidence.empty),
            conditions: conditions.map(|of| (of.day, of.condition)).collect(),
            named: DayRange::merged(windows.map(|window| window.days).collect()),
        }
    }

    /// Where a symbol's day stands.
    ///
    /// Records that are held stay held whatever the vendor says of the day later. That nothing was
    /// found proves nothing on a day that the vendor doesn't have.
    #[must_use]
    pub fn of(&self, symbol: &str, day: Day) -> Standing {
        let windows = self.evidence.resolution.windows.get(symbol);
        let windows = windows.into_iter().flatten();
        let mut instruments: Vec<_> = windows
            .filter(|window| window.days.contains(day))
            .map(|window| Some(window.instrument_id))
            .collect();
        let means_nothing = instruments.is_empty();
        if means_nothing {
            // Whatever it meant, it is held where everything is.
            instruments.push(None);
        }
        let holding = self.holding(&instruments, day);
        let asked = self.asked.has(symbol, day) || self.empty.has(symbol, day);
        match (holding, self.conditions.get(&day)) {
            (Some(true), _) if !(means_nothing && asked) => Standing::Held,
            (_, Some(Condition::Missing)) => Standing::VendorMissing,
            (_, Some(Condition::Pending)) => Standing::VendorPending,
            _ if means_nothing && asked => match self.is_named(day) {
                true => Standing::UnknownSymbol,
                false => Standing::Empty,
            },
            (Some(_), _) => Standing::Empty,
            (None, _) if self.empty.has(symbol, day) || self.empty.has_all(day) => Standing::Empty,
            (None, _) => Standing::NotFetched,
        }
    }

    /// Where a day of every instrument of the dataset stands.
    #[must_use]
    pub fn of_all(&self, day: Day) -> Standing {
        let holding = self.holding(&[None], day);
        match (holding, self.conditions.get(&day)) {
            (Some(true), _) => Standing::Held,
            (_, Some(Condition::Missing)) => Standing::VendorMissing,
            (_, Some(Condition::Pending)) => Standing::VendorPending,
            (Some(false), _) => Standing::Empty,
            (None, _) if self.empty.has_all(day) => Standing::Empty,
            (None, _) => Standing::NotFetched,
        }
    }

    /// Whether the instruments' whole day is held, and if so, whether with records.
    fn holding(&self, instruments: &[Option<u32>], day: Day) -> Option<bool> {
        let whole = DayRange::new(day, day.plus(1))?.span();
        let mut with_records = false;
        for instrument in instruments {
            let everything = instrument.is_some().then_some(&None);
            let lists = [Some(instrument), everything].into_iter().flatten();
            let slices = lists.filter_map(|list| self.slices.get(list)).flatten();
            let slices: Vec<_> = slices
                .filter(|slice| slice.held.span.intersection(whole).is_some())
                .collect();
            let spans: Vec<Span> = slices.iter().map(|slice| slice.held.span).collect();
            if !whole.without(&spans).is_empty() {
                return None;
            }
            let holds = |slice: &&&HeldSlice| {
                let days = slice.records_on.as_ref();
                days.is_none_or(|days| days.contains(&day))
            };
            with_records |= slices.iter().any(|slice| holds(&slice));
        }
        Some(with_records)
    }

    fn is_named(&self, day: Day) -> bool {
        self.named.iter().any(|days| days.contains(day))
    }
}

/// Days by symbol, and those of every symbol.
#[derive(Debug)]
struct BySymbol<'a> {
    named: HashMap<&'a str, Vec<DayRange>>,
    all: Vec<DayRange>,
}

impl<'a> BySymbol<'a> {
    fn new(listed: &'a [(Symbols, DayRange)]) -> Self {
        let mut named: HashMap<&str, Vec<DayRange>> = HashMap::new();
        let mut all = Vec::new();
        for (symbols, days) in listed {
            match symbols.names() {
                None => all.push(*days),
                Some(names) => {
                    for name in names {
                        named.entry(name).or_default().push(*days);
                    }
                }
            }
        }
        for days in named.values_mut() {
            *days = DayRange::merged(std::mem::take(days));
        }
        let all = DayRange::merged(all);
        Self { named, all }
    }

    fn has(&self, symbol: &str, day: Day) -> bool {
        let days = self.named.get(symbol);
        days.is_some_and(|days| days.iter().any(|days| days.contains(day)))
    }

    fn has_all(&self, day: Day) -> bool {
        self.all.iter().any(|days| days.contains(day))
    }
}
