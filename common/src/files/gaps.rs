//! Gaps: the days of a request that no file covers, and how people are told of them.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use super::coverage::Asked;
use super::delivery::Found;
use super::error::FilesError;
use crate::request::Symbols;
use crate::source::Uncovered;
use crate::time::{Day, DayRange, Span};

/// Gaps that one message names.
const GAPS_NAMED: usize = 3;
/// Symbols that one message names; of more, one.
const SYMBOLS_NAMED: usize = 4;

/// Days that no delivery covers, or not whole.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Gaps {
    /// The days, as ranges in order.
    days: Vec<DayRange>,
    /// Those of them of which a part is covered.
    in_part: Vec<Day>,
}

/// The days that spans don't cover whole.
fn gaps(days: DayRange, covered: &[Span]) -> Gaps {
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
    /// What of the request no file covers.
    ///
    /// # Errors
    /// [`FilesError::Refused`] when a file can't prove what it holds.
    pub fn gaps(&self, folder: &Path, asked: &Asked<'_>) -> Result<Vec<Uncovered>, FilesError> {
        let Some(days) = asked.span.whole_days() else {
            return Ok(Vec::new());
        };
        let Some(names) = asked.symbols.names() else {
            let found = gaps(days, &self.covered(asked, None)?);
            return Ok(describe(folder, asked, &Symbols::ALL, &found));
        };
        // Symbols that lack the same days are named together.
        let mut groups: BTreeMap<Gaps, Vec<String>> = BTreeMap::new();
        for name in names {
            let found = gaps(days, &self.covered(asked, Some(name))?);
            for days in &found.days {
                let wanted = asked.wanted();
                self.refuse_mixed(&wanted, name, days.span())?;
            }
            groups.entry(found).or_default().push(name.clone());
        }
        let described = groups
            .into_iter()
            .flat_map(|(found, names)| describe(folder, asked, &Symbols::named(names), &found));
        Ok(described.collect())
    }

    /// Refuses a request of which days are not covered.
    ///
    /// # Errors
    /// [`FilesError::NotCovered`], with the first of them.
    pub fn require(&self, folder: &Path, asked: &Asked<'_>) -> Result<(), FilesError> {
        let uncovered = self.gaps(folder, asked)?;
        if uncovered.is_empty() {
            return Ok(());
        }
        let named = uncovered.iter().take(GAPS_NAMED);
        let mut text: Vec<_> = named.map(|gap| gap.why.clone()).collect();
        if let Some(more @ 1..) = uncovered.len().checked_sub(GAPS_NAMED) {
            text.push(format!("and {more} gaps more"));
        }
        Err(FilesError::NotCovered(text.join("; ")))
    }
}

fn describe(folder: &Path, asked: &Asked<'_>, symbols: &Symbols, found: &Gaps) -> Vec<Uncovered> {
    let describe = |days: &DayRange| {
        let has = |day: &Day| days.start() <= *day && *day < days.end();
        Uncovered {
            symbols: symbols.clone(),
            days: *days,
            why: why(folder, asked, symbols, *days, found.in_part.iter().any(has)),
        }
    };
    found.days.iter().map(describe).collect()
}

fn why(
    folder: &Path,
    asked: &Asked<'_>,
    symbols: &Symbols,
    days: DayRange,
    in_part: bool,
) -> String {
    let whose = match symbols.names() {
        None => "all symbols".to_owned(),
        Some(names) if names.len() <= SYMBOLS_NAMED => names.join(", "),
        Some(names) => format!("{} and {} more", names[0], names.len() - 1),
    };
    let mut text = format!(
        "no file in {} covers {} ({} of {whose})",
        folder.display(),
        ForPeople(days),
        asked.schema,
    );
    if in_part {
        text.push_str(
            ": the files hold a part of a day, and what is planned are whole UTC days; of a \
             batch download, keep manifest.json and metadata.json beside the files",
        );
    }
    text
}

/// Days for people: the first and the last.
struct ForPeople(DayRange);

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
