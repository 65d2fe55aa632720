//! Points in time as the vendor counts them, and the one door to the clock.

use std::fmt;

use time::{Date, Month};

pub(crate) const NANOS_PER_SECOND: u64 = 1_000_000_000;
pub(crate) const NANOS_PER_MINUTE: u64 = 60 * NANOS_PER_SECOND;
pub(crate) const NANOS_PER_HOUR: u64 = 60 * NANOS_PER_MINUTE;
pub(crate) const NANOS_PER_DAY: u64 = 24 * NANOS_PER_HOUR;

/// The Julian day number of 1970-01-01.
const UNIX_EPOCH_JULIAN_DAY: i32 = 2_440_588;

/// Nanoseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Nanos(pub(crate) u64);

impl Nanos {
    /// The UTC day that this moment falls on.
    pub(crate) fn day(self) -> Day {
        Day(u32::try_from(self.0 / NANOS_PER_DAY).expect("2^64 ns are about 213,504 days"))
    }

    /// The first UTC midnight at or after this moment.
    pub(crate) fn day_ceil(self) -> Day {
        let day = self.day();
        if day.midnight() == self {
            day
        } else {
            day.next()
        }
    }
}

impl fmt::Display for Nanos {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let within = self.0 % NANOS_PER_DAY;
        write!(
            f,
            "{}T{:02}:{:02}:{:02}.{:09}Z",
            self.day(),
            within / NANOS_PER_HOUR,
            within / NANOS_PER_MINUTE % 60,
            within / NANOS_PER_SECOND % 60,
            within % NANOS_PER_SECOND
        )
    }
}

/// A UTC day, counted from 1970-01-01.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Day(pub(crate) u32);

/// The days of the week, in the order in which [`Day::weekday`] numbers them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Weekday {
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

impl Day {
    pub(crate) fn from_date(date: Date) -> Option<Self> {
        u32::try_from(date.to_julian_day() - UNIX_EPOCH_JULIAN_DAY)
            .ok()
            .map(Self)
    }

    /// The day of a date that is known to exist, such as the third of any month.
    pub(crate) fn from_ymd(year: u32, month: u32, day: u32) -> Option<Self> {
        let month = Month::try_from(u8::try_from(month).ok()?).ok()?;
        let date =
            Date::from_calendar_date(i32::try_from(year).ok()?, month, u8::try_from(day).ok()?);
        Self::from_date(date.ok()?)
    }

    pub(crate) fn date(self) -> Date {
        let julian = i32::try_from(self.0).expect("days fit") + UNIX_EPOCH_JULIAN_DAY;
        Date::from_julian_day(julian).expect("every u64 of nanoseconds is in range")
    }

    pub(crate) fn midnight(self) -> Nanos {
        Nanos(u64::from(self.0) * NANOS_PER_DAY)
    }

    pub(crate) fn next(self) -> Self {
        self.plus(1)
    }

    pub(crate) fn plus(self, days: u32) -> Self {
        Self(self.0 + days)
    }

    pub(crate) fn minus(self, days: u32) -> Self {
        Self(self.0.saturating_sub(days))
    }

    pub(crate) fn year(self) -> u32 {
        u32::try_from(self.date().year()).expect("days count from 1970")
    }

    pub(crate) fn month(self) -> u32 {
        u32::from(u8::from(self.date().month()))
    }

    pub(crate) fn weekday(self) -> Weekday {
        // 1970-01-01 was a Thursday.
        match (self.0 + 3) % 7 {
            0 => Weekday::Monday,
            1 => Weekday::Tuesday,
            2 => Weekday::Wednesday,
            3 => Weekday::Thursday,
            4 => Weekday::Friday,
            5 => Weekday::Saturday,
            _ => Weekday::Sunday,
        }
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let date = self.date();
        write!(
            f,
            "{:04}-{:02}-{:02}",
            date.year(),
            u8::from(date.month()),
            date.day()
        )
    }
}

/// The days from `first` up to but not including `end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DayRange {
    pub(crate) first: Day,
    pub(crate) end: Day,
}

impl DayRange {
    pub(crate) fn new(first: Day, end: Day) -> Self {
        Self { first, end }
    }

    /// The days that a range of time touches.
    pub(crate) fn touched_by(start: Nanos, end: Nanos) -> Self {
        Self::new(start.day(), end.day_ceil())
    }

    pub(crate) fn contains(&self, day: Day) -> bool {
        self.first <= day && day < self.end
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.end <= self.first
    }

    pub(crate) fn intersect(&self, other: &Self) -> Self {
        Self::new(self.first.max(other.first), self.end.min(other.end))
    }

    pub(crate) fn days(&self) -> impl Iterator<Item = Day> + use<> {
        (self.first.0..self.end.0).map(Day)
    }
}

/// The time of day by the machine's clock.
#[expect(
    clippy::disallowed_methods,
    reason = "this crate's one door to the clock"
)]
pub(crate) fn now() -> Nanos {
    let since = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap_or_default();
    Nanos(u64::try_from(since.as_nanos()).unwrap_or(u64::MAX))
}
