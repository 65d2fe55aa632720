//! Moments as the clients write them: integers of nanoseconds, dates, and ISO 8601 with or without
//! a zone.

use crate::clock::{Day, NANOS_PER_DAY, NANOS_PER_HOUR, NANOS_PER_MINUTE, NANOS_PER_SECOND, Nanos};

/// A moment, and the unit in which it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Instant {
    pub(crate) at: Nanos,
    /// The nanoseconds of the last unit given, by which a missing end is filled in.
    pub(crate) resolution: u64,
}

/// Reads a moment. Without a zone it is UTC.
pub(crate) fn instant(text: &str) -> Option<Instant> {
    if text.len() > 4 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(Instant {
            at: Nanos(text.parse().ok()?),
            resolution: 1,
        });
    }
    let (date_text, time_text) = match text.find(['T', ' ']) {
        Some(at) => (text.get(..at)?, text.get(at + 1..)?),
        None => (text, ""),
    };
    let (day, resolution) = day_with_resolution(date_text)?;
    if time_text.is_empty() {
        return Some(Instant {
            at: day.midnight(),
            resolution,
        });
    }
    let (clock_text, zone_nanos) = split_zone(time_text)?;
    let (since_midnight, resolution) = time_of_day(clock_text)?;
    let at = i128::from(day.midnight().0) + i128::from(since_midnight) - i128::from(zone_nanos);
    Some(Instant {
        at: Nanos(u64::try_from(at).ok()?),
        resolution,
    })
}

/// Reads `YYYY-MM-DD`.
pub(crate) fn date(text: &str) -> Option<Day> {
    day_with_resolution(text)
        .filter(|_| text.len() == 10)
        .map(|(day, _)| day)
}

/// `YYYY`, `YYYY-MM` or `YYYY-MM-DD`; what is missing is the first.
fn day_with_resolution(text: &str) -> Option<(Day, u64)> {
    let mut parts = text.split('-');
    let year = digits(parts.next()?, 4)?;
    let (month, day) = (parts.next(), parts.next());
    if parts.next().is_some() {
        return None;
    }
    let first = Day::from_ymd(year, 1, 1)?;
    match (month, day) {
        (None, _) => {
            let next = Day::from_ymd(year + 1, 1, 1)?;
            Some((first, u64::from(next.0 - first.0) * NANOS_PER_DAY))
        }
        (Some(month), None) => {
            let month = digits(month, 2)?;
            let first = Day::from_ymd(year, month, 1)?;
            let next = if month == 12 {
                Day::from_ymd(year + 1, 1, 1)?
            } else {
                Day::from_ymd(year, month + 1, 1)?
            };
            Some((first, u64::from(next.0 - first.0) * NANOS_PER_DAY))
        }
        (Some(month), Some(day)) => Some((
            Day::from_ymd(year, digits(month, 2)?, digits(day, 2)?)?,
            NANOS_PER_DAY,
        )),
    }
}

fn digits(text: &str, length: usize) -> Option<u32> {
    (text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit()))
        .then(|| text.parse().ok())?
}

/// Separates `Z`, `+01:00`, `-0500` or nothing from the end of a time; the zone in nanoseconds east
/// of UTC.
fn split_zone(text: &str) -> Option<(&str, i64)> {
    if let Some(clock) = text.strip_suffix(['Z', 'z']) {
        return Some((clock, 0));
    }
    let Some(at) = text.rfind(['+', '-']) else {
        return Some((text, 0));
    };
    let (clock, zone) = text.split_at(at);
    let (hours, minutes) = match zone.len() {
        6 => (zone.get(1..3)?, zone.get(4..6)?),
        5 => (zone.get(1..3)?, zone.get(3..5)?),
        _ => return None,
    };
    let minutes = i64::from(digits(hours, 2)?) * 60 + i64::from(digits(minutes, 2)?);
    let east = minutes * i64::try_from(NANOS_PER_MINUTE).ok()?;
    Some((clock, if zone.starts_with('-') { -east } else { east }))
}

/// `HH`, `HH:MM`, `HH:MM:SS` or `HH:MM:SS.f` with one to nine digits.
fn time_of_day(text: &str) -> Option<(u64, u64)> {
    let mut parts = text.split(':');
    let hours = u64::from(digits(parts.next()?, 2).filter(|hour| *hour < 24)?) * NANOS_PER_HOUR;
    let Some(minutes) = parts.next() else {
        return Some((hours, NANOS_PER_HOUR));
    };
    let minutes =
        hours + u64::from(digits(minutes, 2).filter(|minute| *minute < 60)?) * NANOS_PER_MINUTE;
    let Some(seconds) = parts.next() else {
        return Some((minutes, NANOS_PER_MINUTE));
    };
    if parts.next().is_some() {
        return None;
    }
    let (seconds, fraction) = seconds.split_once('.').unwrap_or((seconds, ""));
    let whole =
        minutes + u64::from(digits(seconds, 2).filter(|second| *second < 60)?) * NANOS_PER_SECOND;
    if fraction.is_empty() {
        return Some((whole, NANOS_PER_SECOND));
    }
    let places = u32::try_from(fraction.len())
        .ok()
        .filter(|places| *places <= 9)?;
    let unit = 10_u64.pow(9 - places);
    Some((
        whole + u64::from(digits(fraction, fraction.len())?) * unit,
        unit,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_the_clients_is_the_same_moment() {
        let expected = Nanos(1_700_006_400_000_000_000);
        for text in [
            "1700006400000000000",
            "2023-11-15",
            "2023-11-15T00:00",
            "2023-11-15T00:00:00+00:00",
            "2023-11-15T01:00:00.000000+01:00",
            "2023-11-14T19:00:00-0500",
            "2023-11-15 00:00:00.000000000Z",
        ] {
            assert_eq!(
                instant(text).map(|instant| instant.at),
                Some(expected),
                "{text}"
            );
        }
    }

    #[test]
    fn nonsense_is_no_moment() {
        for text in [
            "",
            "yesterday",
            "2023-13-01",
            "2023-02-30",
            "2023-1-1",
            "2023-11-15T25:00",
            "2023-11-15T00:00:00.1234567890",
        ] {
            assert_eq!(instant(text), None, "{text}");
        }
    }
}
