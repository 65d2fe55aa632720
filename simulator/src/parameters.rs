//! The parameters of a request in every encoding that the official clients use.

pub(crate) mod instant;

use std::{collections::BTreeMap, num::NonZeroU64, str::FromStr};

use dbn::{Compression, Encoding, SType, Schema};

pub(crate) use self::instant::date;
use self::instant::{Instant, instant};
use crate::{
    clock::{Day, DayRange, Nanos},
    refusal::Refusal,
};

/// The vendor's limit on the symbols of one request.
const SYMBOLS_MAX: usize = 2_000;

/// The parameters by name, decoded.
#[derive(Debug, Clone, Default)]
pub(crate) struct Parameters(BTreeMap<String, String>);

/// The symbols of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Symbols {
    All,
    /// In the order of the request, without repetitions, in the vendor's letter case.
    Some(Vec<String>),
}

impl Parameters {
    /// Reads a query string and a form; the form wins.
    pub(crate) fn read(query: &str, form: &[u8]) -> Self {
        let pairs = form_urlencoded::parse(query.as_bytes()).chain(form_urlencoded::parse(form));
        Self(
            pairs
                .map(|(name, value)| (name.into_owned(), value.into_owned()))
                .collect(),
        )
    }

    pub(crate) fn as_map(&self) -> &BTreeMap<String, String> {
        &self.0
    }

    /// A parameter that isn't empty.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    pub(crate) fn required(&self, name: &'static str) -> Result<&str, Refusal> {
        self.get(name)
            .ok_or_else(|| Refusal::field(name, "Field required", "missing"))
    }

    fn parsed<T: FromStr>(&self, name: &'static str, default: T) -> Result<T, Refusal> {
        match self.get(name) {
            None => Ok(default),
            Some(text) => text.parse().map_err(|_| invalid(name, text)),
        }
    }

    pub(crate) fn schema(&self) -> Result<Schema, Refusal> {
        self.parsed("schema", Schema::Trades)
    }

    pub(crate) fn stype_in(&self) -> Result<SType, Refusal> {
        self.parsed("stype_in", SType::RawSymbol)
    }

    pub(crate) fn stype_out(&self) -> Result<SType, Refusal> {
        self.parsed("stype_out", SType::InstrumentId)
    }

    /// The encoding of records; the service's default is CSV.
    pub(crate) fn encoding(&self) -> Result<Encoding, Refusal> {
        self.parsed("encoding", Encoding::Csv)
    }

    pub(crate) fn compression(&self) -> Result<Compression, Refusal> {
        match self.get("compression") {
            None | Some("none" | "None") => Ok(Compression::None),
            Some(text) => text.parse().map_err(|_| invalid("compression", text)),
        }
    }

    /// `true` and `false` as Rust and Python spell them.
    pub(crate) fn flag(&self, name: &'static str) -> Result<bool, Refusal> {
        match self.get(name) {
            None | Some("false" | "False" | "0") => Ok(false),
            Some("true" | "True" | "1") => Ok(true),
            Some(text) => Err(Refusal::field(
                name,
                &format!("Input should be a valid boolean, not '{text}'"),
                "bool_parsing",
            )),
        }
    }

    pub(crate) fn limit(&self) -> Result<Option<NonZeroU64>, Refusal> {
        let Some(text) = self.get("limit") else {
            return Ok(None);
        };
        let limit = text.parse().map_err(|_| {
            Refusal::field("limit", "Input should be a valid integer", "int_parsing")
        })?;
        Ok(NonZeroU64::new(limit))
    }

    pub(crate) fn symbols(&self, stype: SType) -> Result<Symbols, Refusal> {
        let Some(text) = self.get("symbols").filter(|text| *text != "ALL_SYMBOLS") else {
            return Ok(Symbols::All);
        };
        let mut symbols: Vec<String> = Vec::new();
        let mut seen = std::collections::HashSet::new();
        for symbol in text
            .split(',')
            .map(str::trim)
            .filter(|symbol| !symbol.is_empty())
        {
            let symbol = in_vendors_case(symbol, stype);
            if seen.insert(symbol.clone()) {
                symbols.push(symbol);
            }
        }
        if symbols.len() > SYMBOLS_MAX {
            return Err(Refusal::business(
                422,
                "symbology_too_many_symbols",
                format!(
                    "The number of symbols ({}) exceeds the limit of {SYMBOLS_MAX} per request.",
                    symbols.len()
                ),
            ));
        }
        Ok(Symbols::Some(symbols))
    }

    /// `start` and `end`; a missing end is one unit of the start's resolution later.
    pub(crate) fn time_range(&self) -> Result<(Nanos, Nanos), Refusal> {
        let start = self
            .instant("start")?
            .ok_or_else(|| Refusal::field("start", "Field required", "missing"))?;
        let end = self
            .instant("end")?
            .map_or(start.at.0.saturating_add(start.resolution), |end| end.at.0);
        Ok((start.at, Nanos(end)))
    }

    fn instant(&self, name: &'static str) -> Result<Option<Instant>, Refusal> {
        self.get(name)
            .map(|text| {
                instant(text).ok_or_else(|| {
                    Refusal::field(
                        name,
                        &format!("`{text}` is not a valid time"),
                        "datetime_parsing",
                    )
                })
            })
            .transpose()
    }

    pub(crate) fn day(&self, name: &'static str) -> Result<Option<Day>, Refusal> {
        Ok(self.instant(name)?.map(|instant| instant.at.day()))
    }

    /// `start_date` and `end_date`, the end exclusive; a missing end is the day after the start.
    pub(crate) fn date_range(&self) -> Result<DayRange, Refusal> {
        let start = self
            .day("start_date")?
            .ok_or_else(|| Refusal::field("start_date", "Field required", "missing"))?;
        let end = self.day("end_date")?.unwrap_or_else(|| start.next());
        Ok(DayRange::new(start, end))
    }
}

fn invalid(name: &'static str, text: &str) -> Refusal {
    Refusal::field(name, &format!("`{text}` is not a valid {name}"), "enum")
}

/// Symbols are upper case, apart from the rule letter of a continuous one.
fn in_vendors_case(symbol: &str, stype: SType) -> String {
    match (stype, symbol.split_once('.')) {
        (SType::Continuous, Some((root, rest))) => format!(
            "{}.{}",
            root.to_ascii_uppercase(),
            rest.to_ascii_lowercase()
        ),
        (SType::InstrumentId, _) => symbol.to_owned(),
        _ => symbol.to_ascii_uppercase(),
    }
}
