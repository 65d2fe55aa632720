//! Symbols, days and instants, as the vendor's documents write them.

use chrono::{NaiveDate, NaiveDateTime};
use serde_json::Value;

use crate::request::Symbols;
use crate::time::{Day, Nanos};

/// Symbols as the vendor's documents write them: a list, one text with commas, or all.
pub fn symbols(value: &Value) -> Option<Symbols> {
    let names: Vec<String> = match value {
        Value::String(text) => text.split(',').map(|name| name.trim().to_owned()).collect(),
        Value::Array(values) => {
            let name = |value: &Value| match value {
                Value::String(text) => Some(text.clone()),
                Value::Number(number) => Some(number.to_string()),
                _ => None,
            };
            values.iter().map(name).collect::<Option<_>>()?
        }
        Value::Number(number) => vec![number.to_string()],
        _ => return None,
    };
    if names.is_empty() || names.iter().any(|name| name == "ALL_SYMBOLS") {
        return Some(Symbols::ALL);
    }
    Some(Symbols::named(names))
}

/// A date as a day.
pub fn day(date: NaiveDate) -> Option<Day> {
    date.try_into().ok()
}

/// An instant as the vendor's documents write it: nanoseconds, or ISO text of a day or a time.
pub fn instant(value: &Value) -> Option<Nanos> {
    let text = match value {
        Value::Number(number) => return number.as_i64().map(Nanos),
        Value::String(text) => text.as_str(),
        _ => return None,
    };
    if let Ok(nanos) = text.parse::<i64>() {
        return Some(Nanos(nanos));
    }
    if let Ok(instant) = text.parse() {
        return Some(instant);
    }
    if let Ok(date) = text.parse::<NaiveDate>() {
        return Some(day(date)?.start());
    }
    let naive = text.replacen(' ', "T", 1).parse::<NaiveDateTime>().ok()?;
    naive.and_utc().timestamp_nanos_opt().map(Nanos)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_instant_is_read_as_the_vendor_writes_it() {
        let wanted = Day::from_ymd(2024, 1, 4).map(Day::start);
        for written in [
            json!(1_704_326_400_000_000_000_i64),
            json!("1704326400000000000"),
            json!("2024-01-04"),
            json!("2024-01-04T00:00:00"),
            json!("2024-01-04T00:00:00.000000000Z"),
            json!("2024-01-04 00:00:00+00:00"),
        ] {
            assert_eq!(instant(&written), wanted, "{written}");
        }
        assert_eq!(instant(&json!(null)), None);
        assert_eq!(instant(&json!("soon")), None);
    }

    #[test]
    fn symbols_are_read_as_the_vendor_writes_them() {
        let two = Symbols::named(vec!["A".to_owned(), "B".to_owned()]);
        assert_eq!(symbols(&json!(["B", "A"])), Some(two.clone()));
        assert_eq!(symbols(&json!("A,B")), Some(two));
        assert_eq!(symbols(&json!("ALL_SYMBOLS")), Some(Symbols::ALL));
        assert_eq!(symbols(&json!([118])), symbols(&json!("118")));
        assert_eq!(symbols(&json!({})), None);
    }
}
