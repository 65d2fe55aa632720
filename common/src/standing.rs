//! Standing: where a symbol's day stands, told from what is held and what the vendor said.
//!
//! Nothing is asked here: whoever calls brings what the database knows of one dataset and schema.
//! So a picture of what is held, and the question what is missing, rest on one decision.

use std::collections::{BTreeMap, HashMap};

use crate::request::Symbols;
use crate::store::Slice;
use crate::time::{Day, DayRange, Span};
use crate::vendor::{Condition, DayCondition, Resolution, SymbolWindow};

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

/// What the database knows of one dataset and schema, for symbols of one type.
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    /// What symbols meant, by symbology.
    pub resolution: Resolution,
    /// Symbols and days of which symbology was asked: those of chunks that are done or empty.
    /// Where it was asked and named nothing, there is nothing.
    pub asked: Vec<(Symbols, DayRange)>,
    /// Slices that chunks hold, and which of their days have records.
    pub held: Vec<Slice>,
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
    /// Slices by instrument, in the order of time.
    slices: HashMap<Option<u32>, Vec<&'a Slice>>,
    asked: BySymbol<'a>,
    empty: BySymbol<'a>,
    conditions: BTreeMap<Day, Condition>,
    /// Days on which any symbol meant something.
    named: Vec<DayRange>,
}

/// What is held of a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Holding {
    /// All of it, and there are no records.
    Nothing,
    /// All of it; whether there are records of the symbol isn't told by day.
    Untold,
    /// All of it, with records.
    Records,
}

/// One symbol's standings, or those of every instrument of the dataset.
#[derive(Clone, Copy, Debug)]
pub struct OfSymbol<'a> {
    all: &'a Standings<'a>,
    windows: &'a [SymbolWindow],
    asked: &'a [DayRange],
    empty: &'a [DayRange],
    is_all: bool,
}

impl<'a> Standings<'a> {
    /// What the evidence comes to.
    #[must_use]
    pub fn new(evidence: &'a Evidence) -> Self {
        let mut slices: HashMap<_, Vec<&Slice>> = HashMap::new();
        for slice in &evidence.held {
            let of_instrument = slices.entry(slice.held.instrument_id).or_default();
            of_instrument.push(slice);
        }
        for of_instrument in slices.values_mut() {
            of_instrument.sort_by_key(|slice| slice.held.span);
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
        self.symbol(symbol).on(day)
    }

    /// Where a day of every instrument of the dataset stands.
    #[must_use]
    pub fn of_all(&self, day: Day) -> Standing {
        self.all().on(day)
    }

    /// A symbol's standings: found once, for many days.
    #[must_use]
    pub fn symbol(&self, symbol: &str) -> OfSymbol<'_> {
        let windows = self.evidence.resolution.windows.get(symbol);
        OfSymbol {
            all: self,
            windows: windows.map_or(&[], Vec::as_slice),
            asked: self.asked.of(symbol),
            empty: self.empty.of(symbol),
            is_all: false,
        }
    }

    /// The standings of every instrument of the dataset.
    #[must_use]
    pub fn all(&self) -> OfSymbol<'_> {
        OfSymbol {
            all: self,
            windows: &[],
            asked: &[],
            empty: &[],
            is_all: true,
        }
    }

    /// What the vendor says of a day.
    #[must_use]
    pub fn condition(&self, day: Day) -> Option<Condition> {
        self.conditions.get(&day).copied()
    }

    /// The slices of an instrument, or of every one, that reach into a day.
    fn slices_on(&self, instrument: Option<u32>, day: Day) -> &[&'a Slice] {
        let of_instrument = self.slices.get(&instrument).map_or(&[][..], Vec::as_slice);
        // They don't overlap, so that their ends are in order as well.
        let first = of_instrument.partition_point(|slice| slice.held.span.end <= day.start());
        let rest = of_instrument.get(first..).unwrap_or_default();
        let end = day.plus(1).start();
        let count = rest.partition_point(|slice| slice.held.span.start < end);
        rest.get(..count).unwrap_or_default()
    }
}

impl<'a> OfSymbol<'a> {
    /// Where a day stands; see [`Standings::of`].
    #[must_use]
    pub fn on(&self, day: Day) -> Standing {
        self.on_day(day).0
    }

    /// Where a day stands, and what is held of it.
    #[must_use]
    pub fn on_day(&self, day: Day) -> (Standing, Option<Holding>) {
        let holding = self.holding(day);
        (self.standing(day, holding), holding)
    }

    fn standing(&self, day: Day, holding: Option<Holding>) -> Standing {
        let means_nothing = !self.is_all && self.instruments(day).next().is_none();
        let is_held = holding.is_some_and(|holding| holding != Holding::Nothing);
        let asked = has(self.asked, day) || has(self.empty, day);
        match (holding, self.all.conditions.get(&day)) {
            (Some(_), _) if is_held && !(means_nothing && asked) => Standing::Held,
            (_, Some(Condition::Missing)) => Standing::VendorMissing,
            (_, Some(Condition::Pending)) => Standing::VendorPending,
            // Others meant something then, or the vendor vouches for the day: there was a session.
            (_, of) if means_nothing && asked => match has(&self.all.named, day) || of.is_some() {
                true => Standing::UnknownSymbol,
                false => Standing::Empty,
            },
            (Some(_), _) => Standing::Empty,
            (None, _) if has(self.empty, day) || has(&self.all.empty.all, day) => Standing::Empty,
            (None, _) => Standing::NotFetched,
        }
    }

    /// What is held of a day, of all that the symbol meant; `None` where a part of it isn't.
    fn holding(&self, day: Day) -> Option<Holding> {
        let mut instruments = self.instruments(day).map(Some).peekable();
        if instruments.peek().is_none() {
            // Whatever it meant, it is held where everything is.
            return self.holding_of(None, day);
        }
        instruments.try_fold(Holding::Nothing, |most, instrument| {
            Some(most.max(self.holding_of(instrument, day)?))
        })
    }

    /// The slices that reach into a day of what the symbol meant.
    pub fn slices(&self, day: Day) -> impl Iterator<Item = &'a Slice> {
        let instruments = self.instruments(day).map(Some).chain([None]);
        let slices = instruments.flat_map(move |instrument| self.all.slices_on(instrument, day));
        slices.copied()
    }

    fn instruments(&self, day: Day) -> impl Iterator<Item = u32> {
        let windows = self.windows.iter();
        let on_day = windows.filter(move |window| window.days.contains(day));
        on_day.map(|window| window.instrument_id)
    }

    /// What is held of an instrument's whole day, by its own slices and those of every one.
    fn holding_of(&self, instrument: Option<u32>, day: Day) -> Option<Holding> {
        let whole = DayRange::new(day, day.plus(1))?.span();
        let own = match instrument {
            Some(_) => self.all.slices_on(instrument, day),
            None => &[],
        };
        let everything = self.all.slices_on(None, day);
        let slices = || own.iter().chain(everything);
        let is_whole = |slice: &&&Slice| whole.intersection(slice.held.span) == Some(whole);
        if !slices().any(|slice| is_whole(&slice)) {
            let spans: Vec<Span> = slices().map(|slice| slice.held.span).collect();
            if !whole.without(&spans).is_empty() {
                return None;
            }
        }
        slices().map(|slice| self.told_by(slice, day)).max()
    }

    /// What a slice tells of a day.
    fn told_by(&self, slice: &Slice, day: Day) -> Holding {
        match &slice.days {
            None => Holding::Untold,
            Some(days) if !days.has(day) => Holding::Nothing,
            // Of every instrument's records none may be the symbol's.
            Some(_) if slice.held.instrument_id.is_none() && !self.is_all => Holding::Untold,
            Some(_) => Holding::Records,
        }
    }
}

/// Whether ranges in order hold a day.
fn has(ranges: &[DayRange], day: Day) -> bool {
    let after = ranges.partition_point(|range| range.start() <= day);
    let last = after.checked_sub(1).and_then(|last| ranges.get(last));
    last.is_some_and(|range| range.contains(day))
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

    fn of(&self, symbol: &str) -> &[DayRange] {
        self.named.get(symbol).map_or(&[], Vec::as_slice)
    }
}
