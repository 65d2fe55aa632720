//! Which UTC days of a slice hold records: what tells a day with data from one without a session.

use super::{Held, StoreError};
use crate::time::{Day, DayRange, Nanos, Span};

/// A day with records, as the table has it.
const RECORDS: u8 = b'+';
/// A day without.
const NONE: u8 = b'-';

/// The UTC days that a slice touches, each with records or without. In the table it is a text of one
/// character a day, `+` or `-`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedDays {
    first_day: i64,
    days: Vec<u8>,
}

/// A slice that a chunk holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slice {
    /// Which it is.
    pub held: Held,
    /// Which of its days hold records; `None` where that was not noted, by earlier versions.
    pub days: Option<RecordedDays>,
}

impl From<Held> for Slice {
    /// A slice of which nobody noted its days.
    fn from(held: Held) -> Self {
        Self { held, days: None }
    }
}

impl Slice {
    /// A slice that is proven to hold no records.
    #[must_use]
    pub fn without_records(held: Held) -> Self {
        Self {
            held,
            days: Some(RecordedDays::none(held.span)),
        }
    }
}

impl RecordedDays {
    /// The days of a span, all without records.
    #[must_use]
    pub fn none(span: Span) -> Self {
        let days = span.whole_days();
        let count = days.map_or(0, DayRange::len_days);
        Self {
            first_day: span.start.day().number(),
            days: vec![NONE; usize::try_from(count).unwrap_or_default()],
        }
    }

    /// Notes that there is a record at an instant; what lies outside of the days is not noted.
    pub fn mark(&mut self, time: Nanos) {
        let index = usize::try_from(time.day().number() - self.first_day);
        if let Some(day) = index.ok().and_then(|index| self.days.get_mut(index)) {
            *day = RECORDS;
        }
    }

    /// Whether a day has records; none that lies outside has.
    #[must_use]
    pub fn has(&self, day: Day) -> bool {
        let index = usize::try_from(day.number() - self.first_day);
        let mark = index.ok().and_then(|index| self.days.get(index));
        mark == Some(&RECORDS)
    }

    /// The days from the first on: whether there are records.
    pub fn iter(&self) -> impl Iterator<Item = bool> {
        self.days.iter().map(|day| *day == RECORDS)
    }

    /// As the table has it.
    #[must_use]
    pub fn to_text(&self) -> String {
        self.days.iter().map(|day| char::from(*day)).collect()
    }

    /// Reads what the table has of a span's days.
    ///
    /// # Errors
    /// [`StoreError::Unreadable`] when it doesn't say one of the two for each.
    pub fn read(span: Span, text: String) -> Result<Self, StoreError> {
        let days = text.into_bytes();
        let expected = Self::none(span);
        let known = days.iter().all(|day| [RECORDS, NONE].contains(day));
        if !known || days.len() != expected.days.len() {
            let what = format!("days of the slice {span} that are not told one by one");
            return Err(StoreError::Unreadable(what));
        }
        Ok(Self { days, ..expected })
    }
}
