//! Schemas, statistics and instants as people write them.

use chrono::NaiveDate;
use dbn::{Schema, StatType};

use super::QueryError;
use crate::nearest::did_you_mean;
use crate::request::SCHEMAS;
use crate::time::{Day, Nanos, NotAnInstant};

/// The schema of a name. `ohlcv` is short for `ohlcv-1d`, `definitions` for `definition`, and a
/// granularity makes of `ohlcv`, `bbo` or `cbbo` the schema of that size, such as `1m`.
///
/// # Errors
/// [`QueryError::BadParameter`] when there is no such schema.
pub fn schema(name: &str, granularity: Option<&str>) -> Result<Schema, QueryError> {
    let name = name.trim().to_ascii_lowercase();
    let full = match (name.as_str(), granularity) {
        ("ohlcv", None) => "ohlcv-1d".to_owned(),
        ("definitions", None) => "definition".to_owned(),
        (family, Some(size)) => {
            let size = size.trim().to_ascii_lowercase();
            let family = family.strip_suffix(&format!("-{size}")).unwrap_or(family);
            return of_size(family, &size);
        }
        (name, None) => name.to_owned(),
    };
    let known = SCHEMAS.iter().map(|schema| schema.as_str());
    let found = SCHEMAS.into_iter().find(|known| known.as_str() == full);
    found.ok_or_else(|| {
        let message = format!("there is no schema {name:?}");
        QueryError::bad("schema", message, did_you_mean(&full, known, "the schemas"))
    })
}

fn of_size(family: &str, size: &str) -> Result<Schema, QueryError> {
    let of_family = |known: &&Schema| {
        let family_of = known.as_str().rsplit_once('-').map(|(family, _)| family);
        family_of == Some(family) && granularity(**known).is_some()
    };
    let sizes: Vec<_> = SCHEMAS.iter().filter(of_family).collect();
    let found = sizes
        .iter()
        .find(|known| granularity(***known) == Some(size));
    found.map(|found| **found).ok_or_else(|| {
        let message = format!("{family:?} has no granularity {size:?}");
        let sizes: Vec<_> = sizes
            .iter()
            .filter_map(|known| granularity(**known))
            .collect();
        let help = match sizes.is_empty() {
            true => "only ohlcv, bbo and cbbo have one; leave it out".to_owned(),
            false => format!("it has {}", sizes.join(", ")),
        };
        QueryError::bad("granularity", message, help)
    })
}

/// The size of a bar, or how often a quote is sampled, where the table holds several.
pub(crate) fn granularity(schema: Schema) -> Option<&'static str> {
    match schema {
        Schema::Ohlcv1S | Schema::Bbo1S | Schema::Cbbo1S => Some("1s"),
        Schema::Ohlcv1M | Schema::Bbo1M | Schema::Cbbo1M => Some("1m"),
        Schema::Ohlcv1H => Some("1h"),
        Schema::Ohlcv1D => Some("1d"),
        Schema::OhlcvEod => Some("eod"),
        Schema::Trades
        | Schema::Tbbo
        | Schema::Mbp1
        | Schema::Mbp10
        | Schema::Mbo
        | Schema::Statistics
        | Schema::Definition
        | Schema::Status
        | Schema::Imbalance
        | Schema::Cmbp1
        | Schema::Tcbbo => None,
    }
}

/// The table of a schema's records.
pub(crate) fn table(schema: Schema) -> &'static str {
    match schema {
        Schema::Trades => "trades_data",
        Schema::Tbbo => "tbbo_data",
        Schema::Mbp1 => "mbp_1_data",
        Schema::Mbp10 => "mbp_10_data",
        Schema::Mbo => "mbo_data",
        Schema::Ohlcv1S
        | Schema::Ohlcv1M
        | Schema::Ohlcv1H
        | Schema::Ohlcv1D
        | Schema::OhlcvEod => "ohlcv_data",
        Schema::Statistics => "statistics_data",
        Schema::Definition => "definitions_data",
        Schema::Status => "status_data",
        Schema::Imbalance => "imbalance_data",
        Schema::Bbo1S | Schema::Bbo1M => "bbo_data",
        Schema::Cbbo1S | Schema::Cbbo1M => "cbbo_data",
        Schema::Cmbp1 => "cmbp_1_data",
        Schema::Tcbbo => "tcbbo_data",
    }
}

/// The number of a kind of statistic, by its number or its name, such as `settlement-price` or
/// `OPEN_INTEREST`.
///
/// # Errors
/// [`QueryError::BadParameter`] when there is no such kind.
pub fn stat_type(text: &str) -> Result<u16, QueryError> {
    if let Ok(number) = text.trim().parse() {
        return Ok(number);
    }
    let wanted = text.trim().to_ascii_lowercase().replace(['-', ' '], "_");
    let kinds: Vec<_> = stat_types().collect();
    let found = kinds.iter().find(|(name, _)| *name == wanted);
    found.map(|(_, number)| *number).ok_or_else(|| {
        let known = kinds.iter().map(|(name, _)| name.as_str());
        let help = did_you_mean(&wanted, known, "the kinds of statistics");
        QueryError::bad("stat-type", format!("there is no statistic {text:?}"), help)
    })
}

/// The name of a kind of statistic, such as `settlement_price`.
#[must_use]
pub fn stat_type_name(number: u16) -> Option<String> {
    let kind = StatType::try_from(number).ok()?;
    // `SettlementPrice`, `MwcbLevel1`.
    let mut name = String::new();
    for letter in format!("{kind:?}").chars() {
        let begins_word = letter.is_ascii_uppercase() || letter.is_ascii_digit();
        if begins_word && !name.is_empty() {
            name.push('_');
        }
        name.push(letter.to_ascii_lowercase());
    }
    Some(name)
}

/// All kinds of statistics: names and numbers. The venues' own begin at 10,000.
fn stat_types() -> impl Iterator<Item = (String, u16)> {
    let numbers = (1..=99).chain(10_000..=10_099);
    numbers.filter_map(|number| Some((stat_type_name(number)?, number)))
}

/// The first instant of a period that begins at a day or an instant.
///
/// # Errors
/// [`QueryError::BadParameter`] when the text is neither.
pub fn start(text: &str) -> Result<Nanos, QueryError> {
    match day("start-date", text)? {
        Some(day) => Ok(day.start()),
        None => instant("start-date", text),
    }
}

/// The instant after a period that ends with a day, which belongs to it whole, or with an instant,
/// which belongs to it too.
///
/// # Errors
/// [`QueryError::BadParameter`] when the text is neither.
pub fn end(text: &str) -> Result<Nanos, QueryError> {
    match day("end-date", text)? {
        Some(day) => Ok(day.plus(1).start()),
        None => Ok(Nanos(instant("end-date", text)?.0.saturating_add(1))),
    }
}

fn day(parameter: &'static str, text: &str) -> Result<Option<Day>, QueryError> {
    let Ok(date) = text.trim().parse::<NaiveDate>() else {
        return Ok(None);
    };
    let day = Day::try_from(date);
    day.map(Some)
        .map_err(|error| QueryError::bad(parameter, error.to_string(), WRITE_A_DAY))
}

const WRITE_A_DAY: &str =
    "write a day, such as 2024-01-02, or an instant, such as 2024-01-02T14:30:00.000000001Z";

fn instant(parameter: &'static str, text: &str) -> Result<Nanos, QueryError> {
    Nanos::exact(text.trim()).map_err(|error| {
        let message = match error {
            NotAnInstant::Unreadable => format!("{text:?} is neither a day nor an instant"),
            NotAnInstant::OutOfRange => format!("{text:?} {error}"),
        };
        QueryError::bad(parameter, message, WRITE_A_DAY)
    })
}
