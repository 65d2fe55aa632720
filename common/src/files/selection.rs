//! Selection: which records of which file answer a request, each record of one file alone. Pure.

use std::collections::{BTreeMap, HashMap};

use super::coverage::Asked;
use super::delivery::{Delivery, Found};
use super::error::FilesError;
use super::header::DataFile;
use super::proof::Facts;
use crate::request::Symbols;
use crate::time::{DayRange, Nanos, Span};

/// Files that are open at a time at most: each needs a few buffers, and the system has a limit too.
const FILES_OPEN_MAX: i32 = 256;

/// What of one delivery answers a request.
#[derive(Clone, Debug)]
pub struct Share<'a> {
    /// The delivery.
    pub delivery: &'a Delivery,
    /// What is taken of its files.
    pub taken: Taken,
}

/// Which records are taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Index time.
    pub span: Span,
    /// Each instrument's index time; `None` takes all instruments.
    pub instruments: Option<BTreeMap<u32, Vec<Span>>>,
}

impl Taken {
    /// Whether a record is taken.
    pub fn takes(&self, instrument_id: u32, index_time: Nanos) -> bool {
        self.span.contains(index_time)
            && match &self.instruments {
                None => true,
                Some(instruments) => instruments
                    .get(&instrument_id)
                    .is_some_and(|spans| spans.iter().any(|span| span.contains(index_time))),
            }
    }

    /// How many of a file's records are taken. Its own range apart, what is taken is cut at
    /// midnight, as its counts are.
    pub fn count(&self, facts: &Facts) -> u64 {
        let mut taken = 0;
        for (day, counts) in &facts.counts {
            let Some(day) = DayRange::new(*day, day.plus(1)).map(DayRange::span) else {
                continue;
            };
            if self.span.intersection(day).is_none() {
                continue;
            }
            match &self.instruments {
                None => taken += counts.values().sum::<u64>(),
                Some(instruments) => {
                    for (instrument_id, spans) in instruments {
                        if spans.iter().any(|span| span.intersection(day).is_some()) {
                            taken += counts.get(instrument_id).copied().unwrap_or(0);
                        }
                    }
                }
            }
        }
        taken
    }

    /// Whether a file can hold records that are taken.
    pub fn reaches(&self, file: &DataFile) -> bool {
        let range = file.span();
        range.start < self.span.end && self.span.start <= range.end
    }
}

impl Found {
    /// What answers the request.
    ///
    /// # Errors
    /// [`FilesError::Refused`] when two deliveries hold the same records.
    pub fn shares(&self, asked: &Asked<'_>) -> Result<Vec<Share<'_>>, FilesError> {
        let mut deliveries = self.of(asked)?;
        deliveries.sort_by(|left, right| left.path.cmp(&right.path));
        match asked.symbols.names() {
            None => shares_of_all(asked, deliveries),
            Some(names) => self.shares_of(asked, names, &deliveries),
        }
    }

    /// An instrument that several of the symbols mean is taken from one delivery, the first.
    fn shares_of<'a>(
        &self,
        asked: &Asked<'_>,
        names: &[String],
        deliveries: &[&'a Delivery],
    ) -> Result<Vec<Share<'a>>, FilesError> {
        let Some(days) = asked.span.whole_days() else {
            return Ok(Vec::new());
        };
        let mut instruments: Vec<BTreeMap<u32, Vec<Span>>> =
            vec![BTreeMap::new(); deliveries.len()];
        let mut given: HashMap<u32, Vec<Span>> = HashMap::new();
        let wanted = asked.wanted();
        for symbol in names {
            let claims = |delivery: &Delivery| {
                delivery.symbols == Symbols::ALL || delivery.names(&wanted, symbol)
            };
            let claimants = deliveries.iter().copied().filter(|each| claims(each));
            no_doubles(asked, Some(symbol), &claimants.collect::<Vec<_>>())?;
            let meaning = self.windows(&wanted, symbol, days);
            for (delivery, instruments) in deliveries.iter().zip(&mut instruments) {
                if !claims(delivery) {
                    continue;
                }
                let ranges = delivery.complete_within(asked.span);
                let windows = meaning.values().flatten();
                let claimed = windows.flat_map(|window| {
                    let within = window.days.span();
                    let ranges = ranges.iter();
                    ranges.filter_map(move |range| Some((window, range.intersection(within)?)))
                });
                for (window, claimed) in claimed {
                    let given = given.entry(window.instrument_id).or_default();
                    let own = claimed.without(given);
                    cut_at_midnight(delivery, claimed, &own)?;
                    given.extend(&own);
                    let spans = instruments.entry(window.instrument_id).or_default();
                    spans.extend(own);
                }
            }
        }
        let mut shares = Vec::new();
        for (delivery, instruments) in deliveries.iter().zip(instruments) {
            if instruments.values().any(|spans| !spans.is_empty()) {
                let taken = Taken {
                    span: asked.span,
                    instruments: Some(instruments),
                };
                shares.push(Share { delivery, taken });
            }
        }
        Ok(shares)
    }
}

/// Refuses a request for which too many files would be open at a time.
///
/// # Errors
/// [`FilesError::Refused`].
pub fn open_at_once(asked: &Asked<'_>, shares: &[Share<'_>]) -> Result<(), FilesError> {
    let mut turns = Vec::new();
    for share in shares {
        for file in share.delivery.files.iter() {
            if share.taken.reaches(file) {
                let span = file.span();
                // At one instant files are closed before others are opened.
                turns.push((span.start.max(asked.span.start), 1, &file.path));
                turns.push((span.end.min(asked.span.end), -1, &file.path));
            }
        }
    }
    turns.sort_unstable();
    let mut open = 0;
    for (_, change, path) in turns {
        open += change;
        if open > FILES_OPEN_MAX {
            let message = format!(
                "{} of {} would need more than {FILES_OPEN_MAX} files open at a time",
                asked.schema, asked.span
            );
            let help = "cut the job by symbols, for example `chunking: {symbols: 100}`, or ask for \
                        fewer days at a time";
            return Err(FilesError::refuse(path, message, help));
        }
    }
    Ok(())
}

fn shares_of_all<'a>(
    asked: &Asked<'_>,
    mut deliveries: Vec<&'a Delivery>,
) -> Result<Vec<Share<'a>>, FilesError> {
    deliveries.retain(|delivery| delivery.symbols == Symbols::ALL);
    no_doubles(asked, None, &deliveries)?;
    let shares = |delivery: &'a Delivery| {
        let ranges = delivery.complete_within(asked.span).into_iter();
        ranges.map(move |span| {
            let taken = Taken {
                span,
                instruments: None,
            };
            Share { delivery, taken }
        })
    };
    Ok(deliveries.into_iter().flat_map(shares).collect())
}

/// No two of the deliveries hold the same symbol over the same time: a day that was pending when one
/// was made may be in another.
fn no_doubles(
    asked: &Asked<'_>,
    symbol: Option<&str>,
    claimants: &[&Delivery],
) -> Result<(), FilesError> {
    let complete = claimants.iter().flat_map(|delivery| {
        let spans = delivery.complete().into_iter();
        spans.map(move |span| (span, *delivery))
    });
    let mut complete: Vec<_> = complete.collect();
    complete.sort_by_key(|(span, _)| *span);
    let mut reaching: Option<(Span, &Delivery)> = None;
    for (span, delivery) in complete {
        if let Some((until, other)) = reaching
            && let Some(both) = until.intersection(span)
        {
            let message = format!(
                "the file and {} both hold {} of {} from {} to {}: its records would come double",
                other.path.display(),
                asked.schema,
                symbol.unwrap_or("all symbols"),
                both.start,
                both.end
            );
            let help = "move one of the two elsewhere";
            return Err(FilesError::refuse(&delivery.path, message, help));
        }
        if reaching.is_none_or(|(until, _)| until.end < span.end) {
            reaching = Some((span, delivery));
        }
    }
    Ok(())
}

/// An instrument that two symbols mean is taken from the first file, by whole days: a file's
/// records are counted by the day.
fn cut_at_midnight(delivery: &Delivery, claimed: Span, own: &[Span]) -> Result<(), FilesError> {
    let midnight = |instant: Nanos| instant.day().start() == instant;
    let fits = |span: &Span| {
        (span.start == claimed.start || midnight(span.start))
            && (span.end == claimed.end || midnight(span.end))
    };
    if own.iter().all(fits) {
        return Ok(());
    }
    let message = "another file holds a part of a day of the same instrument under another symbol";
    let help = "move one of the two elsewhere";
    Err(FilesError::refuse(&delivery.path, message, help))
}
