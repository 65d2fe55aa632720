//! Our days and instants as the vendor's client writes them, and back.

use crate::time::{Day, DayRange, Nanos};

/// The days from `start` up to `end`, as the vendor's dates give them; `None` when there are none.
pub fn day_range(start: time::Date, end: time::Date) -> Option<DayRange> {
    DayRange::new(from_date(start)?, from_date(end)?)
}

pub fn from_date(date: time::Date) -> Option<Day> {
    let month = u32::from(u8::from(date.month()));
    Day::from_ymd(date.year(), month, u32::from(date.day()))
}

/// What 64 bits can't hold becomes the first or the last instant.
pub fn nanos(instant: time::OffsetDateTime) -> Nanos {
    let nanos = instant.unix_timestamp_nanos();
    let end = if nanos < 0 { i64::MIN } else { i64::MAX };
    Nanos(i64::try_from(nanos).unwrap_or(end))
}

pub fn offset(instant: Nanos) -> time::OffsetDateTime {
    time::OffsetDateTime::UNIX_EPOCH + time::Duration::nanoseconds(instant.0)
}

pub fn date(day: Day) -> time::Date {
    offset(day.start()).date()
}
