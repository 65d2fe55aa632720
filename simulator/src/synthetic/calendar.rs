//! When the synthetic venues are open.
//!
//! Times of day are those of US summer time all year round (Chicago at UTC-5, New York at UTC-4),
//! so that every session of a venue opens and closes at the same hour of UTC.

use crate::clock::{Day, Weekday};

/// A venue's hours. A set of hours is a number with bit `h` set where the hour from `h`:00 UTC is
/// open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Venue {
    /// Sunday 23:00 to Friday 22:00, closed for an hour at 22:00.
    Globex,
    /// Monday to Friday, 08:00 to 24:00.
    Nasdaq,
}

const HOURS_ALL: u32 = (1 << 24) - 1;
const HOURS_TO_22: u32 = (1 << 22) - 1;
const HOUR_23: u32 = 1 << 23;
const HOURS_FROM_8: u32 = HOURS_ALL & !((1 << 8) - 1);

/// How the trades of a full day fall on its hours.
const GLOBEX_WEIGHTS: [u32; 24] = [
    3, 3, 2, 2, 2, 2, 3, 6, 6, 5, 4, 5, 8, 22, 24, 18, 13, 11, 12, 26, 12, 3, 0, 2,
];
const NASDAQ_WEIGHTS: [u32; 24] = [
    0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 3, 22, 24, 16, 12, 10, 12, 30, 4, 2, 1, 1,
];

impl Venue {
    /// The hours of `day` during which there are trades.
    pub(crate) fn open_hours(self, day: Day) -> u32 {
        if is_holiday(self, day) {
            return 0;
        }
        match (self, day.weekday()) {
            (_, Weekday::Saturday) | (Self::Nasdaq, Weekday::Sunday) => 0,
            (Self::Globex, Weekday::Sunday) => HOUR_23,
            (Self::Globex, Weekday::Friday) => HOURS_TO_22,
            (Self::Globex, _) => HOURS_TO_22 | HOUR_23,
            (Self::Nasdaq, _) => HOURS_FROM_8,
        }
    }

    /// Whether symbols resolve on `day`: every day of the trading week, holidays too, on which
    /// there are no records.
    pub(crate) fn is_listed_day(self, day: Day) -> bool {
        match day.weekday() {
            Weekday::Saturday => false,
            Weekday::Sunday => self == Self::Globex,
            _ => true,
        }
    }

    pub(crate) fn hour_weights(self) -> &'static [u32; 24] {
        match self {
            Self::Globex => &GLOBEX_WEIGHTS,
            Self::Nasdaq => &NASDAQ_WEIGHTS,
        }
    }
}

/// Whether the hour `hour` is among `hours`; false from 24 on.
pub(crate) fn is_open(hours: u32, hour: u32) -> bool {
    hour < 24 && hours & (1 << hour) != 0
}

/// New Year's Day, Good Friday and Christmas; for shares also Independence Day and Thanksgiving. On
/// their dates, without the substitute days that exchanges keep when one falls on a weekend.
fn is_holiday(venue: Venue, day: Day) -> bool {
    let date = day.date();
    let month_day = (u8::from(date.month()), date.day());
    if matches!(month_day, (1, 1) | (12, 25))
        || Some(day) == easter_sunday(day.year()).map(|easter| easter.minus(2))
    {
        return true;
    }
    let thanksgiving =
        month_day.0 == 11 && day.weekday() == Weekday::Thursday && (22..=28).contains(&month_day.1);
    venue == Venue::Nasdaq && (month_day == (7, 4) || thanksgiving)
}

/// Easter Sunday by the anonymous Gregorian computus.
fn easter_sunday(year: u32) -> Option<Day> {
    let golden = year % 19;
    let (century, year_of_century) = (year / 100, year % 100);
    let leap_correction = (century + 8) / 25;
    let epact_correction = (century - leap_correction + 1) / 3;
    let epact = (19 * golden + century - century / 4 - epact_correction + 15) % 30;
    let weekday =
        (32 + 2 * (century % 4) + 2 * (year_of_century / 4) - epact - year_of_century % 4) % 7;
    let shift = (golden + 11 * epact + 22 * weekday) / 451;
    let days = epact + weekday + 114 - 7 * shift;
    Day::from_ymd(year, days / 31, days % 31 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good_friday_and_christmas_have_no_session() {
        for (year, month, day) in [(2023, 4, 7), (2024, 3, 29), (2023, 12, 25), (2024, 1, 1)] {
            let day = Day::from_ymd(year, month, day).expect("a date");
            assert_eq!(Venue::Globex.open_hours(day), 0, "{day}");
            assert!(Venue::Globex.is_listed_day(day), "{day}");
        }
    }
}
