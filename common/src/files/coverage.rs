//! Coverage: which days of a request deliveries hold, and what its symbols mean. Pure.

use std::collections::BTreeMap;
use std::fmt;

use dbn::{SType, Schema};

use super::delivery::{Delivery, Found, Wanted, merged};
use super::error::FilesError;
use crate::request::Symbols;
use crate::time::{Day, DayRange, Span};
use crate::vendor::{RangeRequest, SymbolWindow, VendorError};

/// What a request asks for.
#[derive(Clone, Debug)]
pub struct Asked<'a> {
    /// The dataset.
    pub dataset: &'a str,
    /// The schema.
    pub schema: Schema,
    /// How the symbols are written.
    pub stype_in: SType,
    /// The symbols.
    pub symbols: &'a Symbols,
    /// Index time.
    pub span: Span,
}

impl<'a> Asked<'a> {
    /// A request, read.
    ///
    /// # Errors
    /// [`VendorError::Unreadable`] when a word of it is unknown.
    pub fn read(request: &'a RangeRequest) -> Result<Self, VendorError> {
        let unknown = |word: &str| VendorError::Unreadable(format!("unknown {word} in a request"));
        Ok(Self {
            dataset: &request.dataset,
            schema: request.schema.parse().map_err(|_| unknown("schema"))?,
            stype_in: request
                .stype_in
                .parse()
                .map_err(|_| unknown("symbol type"))?,
            symbols: &request.symbols,
            span: request.span,
        })
    }
}

impl Asked<'_> {
    /// The symbols that are asked for.
    pub fn wanted(&self) -> Wanted<'_> {
        Wanted {
            dataset: self.dataset,
            stype_in: self.stype_in,
            names: self.symbols.names().unwrap_or_default(),
        }
    }
}

/// Days that no delivery covers, or not whole.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Gaps {
    /// The days, as ranges in order.
    pub days: Vec<DayRange>,
    /// Those of them of which a part is covered.
    pub in_part: Vec<Day>,
}

/// The days that spans don't cover whole.
pub fn gaps(days: DayRange, covered: &[Span]) -> Gaps {
    let mut gaps = Gaps::default();
    for gap in days.span().without(covered) {
        let Some(touched) = gap.whole_days() else {
            continue;
        };
        match gaps.days.last_mut() {
            Some(last) if touched.start() <= last.end() => {
                *last = DayRange::new(last.start(), touched.end()).unwrap_or(*last);
            }
            _ => gaps.days.push(touched),
        }
        for day in [touched.start(), touched.end().plus(-1)] {
            let Some(whole) = DayRange::new(day, day.plus(1)) else {
                continue;
            };
            let partly = covered
                .iter()
                .any(|span| span.intersection(whole.span()).is_some());
            if partly && gaps.in_part.last() != Some(&day) {
                gaps.in_part.push(day);
            }
        }
    }
    gaps
}

impl Found {
    /// The deliveries that can answer a request; each can prove what it holds.
    ///
    /// # Errors
    /// [`FilesError::Refused`] when one can't.
    pub fn of(&self, asked: &Asked<'_>) -> Result<Vec<&Delivery>, FilesError> {
        let wanted = asked.wanted();
        let overlaps = |delivery: &&Delivery| {
            let names = wanted.names.iter();
            delivery.dataset == asked.dataset
                && delivery.schema == asked.schema
                && delivery.reaches(asked.span)
                && (delivery.symbols == Symbols::ALL
                    || names
                        .into_iter()
                        .any(|name| delivery.asked_for(&wanted, name)))
        };
        let found: Vec<_> = self.deliveries.iter().filter(overlaps).collect();
        let problem = found.iter().find_map(|delivery| delivery.problem.clone());
        match problem {
            Some((path, message, help)) => Err(FilesError::refuse(&path, message, help)),
            None => Ok(found),
        }
    }

    /// Refuses a symbol that was asked for only together with others that are not wanted, where
    /// nothing tells them apart.
    ///
    /// # Errors
    /// [`FilesError::Refused`] with the reason.
    pub fn refuse_mixed(
        &self,
        wanted: &Wanted<'_>,
        symbol: &str,
        within: Span,
    ) -> Result<(), FilesError> {
        let mixed = self.deliveries.iter().find(|delivery| {
            delivery.reaches(within)
                && delivery.asked_for(wanted, symbol)
                && delivery.mixes_in(wanted)
        });
        let Some(delivery) = mixed else {
            return Ok(());
        };
        let message = format!(
            "{symbol} was asked for together with other parents, and nothing in the file tells whose \
             members are whose: it answers for all of {} or for none",
            delivery.symbols
        );
        let help = "ask for all of these parents in one job, without cutting by symbols, or \
                    download each parent by itself";
        Err(FilesError::refuse(&delivery.path, message, help))
    }

    /// What a symbol means, by the headers of whatever was asked for it and by the symbologies; a
    /// parent's members under their own names.
    pub fn windows(
        &self,
        wanted: &Wanted<'_>,
        symbol: &str,
        days: DayRange,
    ) -> BTreeMap<String, Vec<SymbolWindow>> {
        if wanted.stype_in == SType::InstrumentId {
            let window = symbol.parse().map(|instrument_id| SymbolWindow {
                instrument_id,
                days,
            });
            let windows = window.map(|window| (symbol.to_owned(), vec![window]));
            return windows.into_iter().collect();
        }
        let mut meaning: BTreeMap<String, Vec<SymbolWindow>> = BTreeMap::new();
        let mut take = |name: &str, windows: &[SymbolWindow]| {
            let within = windows.iter().filter_map(|window| {
                Some(SymbolWindow {
                    instrument_id: window.instrument_id,
                    days: window.days.intersection(days)?,
                })
            });
            let of_name = meaning.entry(name.to_owned()).or_default();
            of_name.extend(within);
        };
        for delivery in &self.deliveries {
            if delivery.span.intersection(days.span()).is_some() && delivery.names(wanted, symbol) {
                for (name, windows) in delivery.meaning(symbol) {
                    take(name, windows);
                }
            }
        }
        for (about, symbology) in &self.symbologies {
            if about == wanted.dataset
                && let Some(windows) = symbology.meaning(wanted.stype_in, symbol)
            {
                take(symbol, windows);
            }
        }
        meaning.retain(|_, windows| !windows.is_empty());
        for windows in meaning.values_mut() {
            *windows = merged(std::mem::take(windows));
        }
        meaning
    }

    /// When it is known what a symbol means: also that it means nothing.
    fn known(&self, asked: &Asked<'_>, symbol: &str) -> Vec<Span> {
        if asked.stype_in == SType::InstrumentId {
            return vec![asked.span];
        }
        let by_header = self
            .deliveries
            .iter()
            .filter(|delivery| {
                delivery.span.intersection(asked.span).is_some()
                    && delivery.names(&asked.wanted(), symbol)
            })
            .map(|delivery| delivery.span);
        let by_symbology = self
            .symbologies
            .iter()
            .filter(|(about, symbology)| {
                about == asked.dataset && symbology.knows(asked.stype_in, symbol)
            })
            .map(|(_, symbology)| symbology.days.span());
        by_header.chain(by_symbology).collect()
    }

    /// The index time of which deliveries hold every record of a symbol, or of all.
    pub fn covered(
        &self,
        asked: &Asked<'_>,
        symbol: Option<&str>,
    ) -> Result<Vec<Span>, FilesError> {
        let deliveries = self.of(asked)?;
        let everything = deliveries
            .iter()
            .filter(|delivery| delivery.symbols == Symbols::ALL)
            .flat_map(|delivery| delivery.complete());
        let Some(symbol) = symbol else {
            return Ok(everything.collect());
        };
        let known = self.known(asked, symbol);
        let mut covered = Vec::new();
        for span in everything {
            covered.extend(known.iter().filter_map(|known| known.intersection(span)));
        }
        let wanted = asked.wanted();
        let named = deliveries
            .iter()
            .filter(|delivery| delivery.names(&wanted, symbol));
        covered.extend(named.flat_map(|delivery| delivery.complete()));
        Ok(covered)
    }
}

/// Days for people: the first and the last.
pub struct ForPeople(pub DayRange);

impl fmt::Display for ForPeople {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (first, last) = (self.0.start(), self.0.end().plus(-1));
        match first == last {
            true => write!(f, "{first}"),
            false => write!(f, "{first} to {last}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::time::Nanos;

    const HOUR: i64 = 3_600_000_000_000;

    fn day(number: i64) -> Day {
        Nanos(number * 24 * HOUR).day()
    }

    fn days(start: i64, end: i64) -> DayRange {
        DayRange::new(day(start), day(end)).expect("some days")
    }

    fn hours(start: i64, end: i64) -> Span {
        Span {
            start: Nanos(start * HOUR),
            end: Nanos(end * HOUR),
        }
    }

    #[test]
    fn two_halves_cover_a_day() {
        let covered = [hours(0, 12), hours(12, 24)];
        assert_eq!(gaps(days(0, 1), &covered), Gaps::default());
    }

    #[test]
    fn a_day_of_which_an_hour_is_missing_is_a_gap_in_part() {
        let found = gaps(days(0, 3), &[hours(0, 47), hours(48, 72)]);
        assert_eq!(found.days, [days(1, 2)]);
        assert_eq!(found.in_part, [day(1)]);
    }

    #[test]
    fn a_day_without_any_file_is_a_gap_that_is_whole() {
        let found = gaps(days(0, 3), &[hours(0, 24), hours(48, 72)]);
        assert_eq!(found.days, [days(1, 2)]);
        assert_eq!(found.in_part, []);
    }

    proptest! {
        #[test]
        fn a_day_is_a_gap_when_an_hour_of_it_is_not_covered(
            spans in prop::collection::vec((0_i64..200, 1_i64..60), 0..8),
        ) {
            let covered: Vec<_> = spans
                .into_iter()
                .map(|(start, length)| hours(start, start + length))
                .collect();
            let found = gaps(days(0, 8), &covered);
            for number in 0..8 {
                let hour_is_covered = |hour: i64| {
                    covered.iter().any(|span| span.contains(Nanos(hour * HOUR)))
                };
                let held = (number * 24..number * 24 + 24).filter(|hour| hour_is_covered(*hour)).count();
                let is_gap = found
                    .days
                    .iter()
                    .any(|range| range.start() <= day(number) && day(number) < range.end());
                prop_assert_eq!(is_gap, held < 24);
                prop_assert_eq!(found.in_part.contains(&day(number)), held > 0 && held < 24);
            }
            prop_assert!(found.days.windows(2).all(|two| two[0].end() < two[1].start()));
        }
    }
}
