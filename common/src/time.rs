//! Instants, days and ranges in UTC, and the one door to the clock.
//!
//! Market time is counted in nanoseconds since 1970-01-01 UTC and cut at UTC midnight, where the
//! vendor cuts too.

mod month;

pub use month::{Month, NotAMonth};

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Datelike, NaiveDate, SecondsFormat, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

const NANOS_PER_DAY: i64 = 86_400_000_000_000;
/// A minute, in nanoseconds.
pub const MINUTE: i64 = 60_000_000_000;

/// An instant, in nanoseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Nanos(pub i64);

impl Nanos {
    /// The instant by the machine's clock.
    #[must_use]
    pub fn now() -> Self {
        #[expect(
            clippy::disallowed_methods,
            reason = "this is the one door to the clock"
        )]
        let now = Utc::now();
        Self(now.timestamp_nanos_opt().unwrap_or(i64::MAX))
    }

    /// This instant and a number of seconds; at the ends of the range it stays there.
    #[must_use]
    pub fn plus_seconds(self, seconds: f64) -> Self {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a float to integer cast saturates, which is what is wanted here"
        )]
        let nanos = (seconds * 1e9) as i64;
        Self(self.0.saturating_add(nanos))
    }

    /// The instant that a text of RFC 3339 means, where 64 bits hold it.
    ///
    /// # Errors
    /// [`NotAnInstant`] when it is none, or outside of the range.
    pub fn exact(text: &str) -> Result<Self, NotAnInstant> {
        match text.parse() {
            Err(_) => Err(NotAnInstant::Unreadable),
            // What 64 bits can't hold is read as the first or the last instant.
            Ok(Self(i64::MIN | i64::MAX)) => Err(NotAnInstant::OutOfRange),
            Ok(instant) => Ok(instant),
        }
    }

    /// The UTC day that holds this instant.
    #[must_use]
    pub fn day(self) -> Day {
        Day(self.0.div_euclid(NANOS_PER_DAY))
    }

    /// The first UTC day that begins at this instant or after it.
    #[must_use]
    pub fn next_midnight(self) -> Day {
        let day = self.day();
        match day.start() < self {
            true => day.plus(1),
            false => day,
        }
    }

    /// Seconds from `earlier` to this instant, negative when it is before.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        reason = "a duration for people, not for arithmetic"
    )]
    pub fn seconds_since(self, earlier: Self) -> f64 {
        (self.0.saturating_sub(earlier.0)) as f64 / 1e9
    }
}

impl fmt::Display for Nanos {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = DateTime::from_timestamp_nanos(self.0);
        f.write_str(&text.to_rfc3339_opts(SecondsFormat::Nanos, true))
    }
}

impl FromStr for Nanos {
    type Err = chrono::ParseError;

    /// Reads RFC 3339, with `T` or a blank between date and time. What 64 bits can't hold becomes
    /// the first or the last instant.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let instant = DateTime::parse_from_rfc3339(text)?;
        let end = if instant.timestamp() < 0 {
            i64::MIN
        } else {
            i64::MAX
        };
        Ok(Self(instant.timestamp_nanos_opt().unwrap_or(end)))
    }
}

/// Why a text is no instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAnInstant {
    /// It is not written as one.
    #[error("is not an instant")]
    Unreadable,
    /// Nanoseconds in 64 bits can't hold it.
    #[error("is outside of the years 1677 to 2262")]
    OutOfRange,
}

/// A UTC day, in days since 1970-01-01.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "NaiveDate", into = "NaiveDate")]
pub struct Day(i64);

impl Day {
    /// The first instant of the day.
    #[must_use]
    pub fn start(self) -> Nanos {
        Nanos(self.0.saturating_mul(NANOS_PER_DAY))
    }

    /// The day `days` later, or earlier when negative.
    #[must_use]
    pub fn plus(self, days: i64) -> Self {
        Self(self.0.saturating_add(days))
    }

    /// The day as a calendar date.
    #[must_use]
    pub fn date(self) -> NaiveDate {
        NaiveDate::default() + TimeDelta::days(self.0)
    }

    /// Days since 1970-01-01.
    #[must_use]
    pub fn number(self) -> i64 {
        self.0
    }

    /// The day by its year, month and day of the month, or `None` when there is no such day.
    #[must_use]
    pub fn from_ymd(year: i32, month: u32, day: u32) -> Option<Self> {
        NaiveDate::from_ymd_opt(year, month, day)?.try_into().ok()
    }
}

/// A day that nanoseconds in 64 bits can't hold.
#[derive(Debug, thiserror::Error)]
#[error("{0} is outside of 1970 to 2261")]
pub struct DayOutOfRange(NaiveDate);

impl TryFrom<NaiveDate> for Day {
    type Error = DayOutOfRange;

    fn try_from(date: NaiveDate) -> Result<Self, Self::Error> {
        if (1970..=2261).contains(&date.year()) {
            Ok(Self((date - NaiveDate::default()).num_days()))
        } else {
            Err(DayOutOfRange(date))
        }
    }
}

impl From<Day> for NaiveDate {
    fn from(day: Day) -> Self {
        day.date()
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.date().format("%Y-%m-%d"))
    }
}

/// Whole UTC days, start inclusive, end exclusive, at least one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct DayRange {
    start: Day,
    end: Day,
}

impl DayRange {
    /// The days from `start` up to, not including, `end`; `None` when there are none.
    #[must_use]
    pub fn new(start: Day, end: Day) -> Option<Self> {
        (start < end).then_some(Self { start, end })
    }

    /// The first day.
    #[must_use]
    pub fn start(self) -> Day {
        self.start
    }

    /// The day after the last.
    #[must_use]
    pub fn end(self) -> Day {
        self.end
    }

    /// How many days, at least 1.
    #[must_use]
    pub fn len_days(self) -> i64 {
        self.end.0 - self.start.0
    }

    /// The same range in nanoseconds.
    #[must_use]
    pub fn span(self) -> Span {
        Span {
            start: self.start.start(),
            end: self.end.start(),
        }
    }

    /// Whether the day is one of them.
    #[must_use]
    pub fn contains(self, day: Day) -> bool {
        self.start <= day && day < self.end
    }

    /// The days that both ranges hold.
    #[must_use]
    pub fn intersection(self, other: Self) -> Option<Self> {
        Self::new(self.start.max(other.start), self.end.min(other.end))
    }

    /// The same days as ranges that neither overlap nor touch, in order.
    #[must_use]
    pub fn merged(mut ranges: Vec<Self>) -> Vec<Self> {
        ranges.sort_unstable();
        let mut merged: Vec<Self> = Vec::with_capacity(ranges.len());
        for range in ranges {
            match merged.last_mut() {
                Some(last) if last.end >= range.start => last.end = last.end.max(range.end),
                _ => merged.push(range),
            }
        }
        merged
    }

    /// This range in pieces of at most `days` days.
    pub fn pieces(self, days: i64) -> impl Iterator<Item = Self> {
        let step = days.max(1);
        let mut start = self.start;
        std::iter::from_fn(move || {
            let piece = Self::new(start, start.plus(step).min(self.end))?;
            start = piece.end;
            Some(piece)
        })
    }
}

impl fmt::Display for DayRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..{}", self.start, self.end)
    }
}

/// A range of index time in nanoseconds, start inclusive, end exclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Span {
    /// The first instant.
    pub start: Nanos,
    /// The instant after the last.
    pub end: Nanos,
}

impl Span {
    /// Whether the instant lies inside.
    #[must_use]
    pub fn contains(self, instant: Nanos) -> bool {
        self.start <= instant && instant < self.end
    }

    /// The whole days that it touches; `None` when it is empty.
    #[must_use]
    pub fn whole_days(self) -> Option<DayRange> {
        let end = self.end.day();
        let end = if end.start() < self.end {
            end.plus(1)
        } else {
            end
        };
        DayRange::new(self.start.day(), end)
    }

    /// The part that both spans hold; `None` when there is none.
    #[must_use]
    pub fn intersection(self, other: Self) -> Option<Self> {
        let start = self.start.max(other.start);
        let end = self.end.min(other.end);
        (start < end).then_some(Self { start, end })
    }

    /// What is left of this span without `others`, in order.
    #[must_use]
    pub fn without(self, others: &[Self]) -> Vec<Self> {
        let mut taken: Vec<Self> = others
            .iter()
            .filter_map(|other| self.intersection(*other))
            .collect();
        taken.sort_unstable();
        let mut left = Vec::new();
        let mut start = self.start;
        for other in taken {
            if start < other.start {
                left.push(Self {
                    start,
                    end: other.start,
                });
            }
            start = start.max(other.end);
        }
        if start < self.end {
            left.push(Self {
                start,
                end: self.end,
            });
        }
        left
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..{}", self.start, self.end)
    }
}
