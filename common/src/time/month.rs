//! A calendar month in UTC, by which an installation's budget is counted.

use std::fmt;
use std::str::FromStr;

use chrono::Datelike;
use serde::{Serialize, Serializer};

use super::{Day, Nanos};

/// A calendar month in UTC. It prints as `2024-01`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month {
    year: i32,
    month: u32,
}

impl Month {
    /// The month that holds an instant.
    #[must_use]
    pub fn of(instant: Nanos) -> Self {
        let date = instant.day().date();
        Self {
            year: date.year(),
            month: date.month(),
        }
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}

impl Serialize for Month {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A text that is no month.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a month")]
pub struct NotAMonth;

impl FromStr for Month {
    type Err = NotAMonth;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (year, month) = text.split_once('-').ok_or(NotAMonth)?;
        let year = year.parse().map_err(|_| NotAMonth)?;
        let month = month.parse().map_err(|_| NotAMonth)?;
        Day::from_ymd(year, month, 1).ok_or(NotAMonth)?;
        Ok(Self { year, month })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_begins_with_its_first_nanosecond_and_prints_as_it_is_read() {
        let first: Nanos = "2024-03-01T00:00:00Z".parse().unwrap();
        assert_eq!(Month::of(first).to_string(), "2024-03");
        assert_eq!(Month::of(Nanos(first.0 - 1)).to_string(), "2024-02");
        assert_eq!("2024-03".parse(), Ok(Month::of(first)));
        assert_eq!("2024-13".parse::<Month>(), Err(NotAMonth));
        assert_eq!("march".parse::<Month>(), Err(NotAMonth));
    }
}
