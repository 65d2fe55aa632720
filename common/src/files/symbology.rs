//! A symbology beside files, in the form of an answer to `symbology.resolve`.

use std::collections::BTreeMap;
use std::path::Path;

use chrono::NaiveDate;
use dbn::SType;
use serde::Deserialize;
use serde_json::Value;

use super::batch::read;
use super::error::FilesError;
use super::folder::Listing;
use super::written::{day, symbols};
use crate::request::Symbols;
use crate::time::DayRange;
use crate::vendor::SymbolWindow;

/// A symbology that lies beside files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Symbology {
    /// How its symbols are written.
    pub stype_in: SType,
    /// The symbols that it was asked for.
    pub symbols: Symbols,
    /// The days that it was asked for.
    pub days: DayRange,
    /// What each symbol means.
    pub windows: BTreeMap<String, Vec<SymbolWindow>>,
}

impl Symbology {
    /// The symbology in a folder; `None` where there is none that tells instruments.
    ///
    /// # Errors
    /// [`FilesError::Refused`] when it can't be read.
    pub fn beside(listing: &Listing) -> Result<Option<Self>, FilesError> {
        let Some(path) = listing.beside("symbology.json") else {
            return Ok(None);
        };
        Self::parse(&path, &read(&path)?)
    }

    /// The symbology in a file's bytes; `None` where it doesn't tell instruments.
    ///
    /// # Errors
    /// As [`Self::beside`].
    pub fn parse(path: &Path, bytes: &[u8]) -> Result<Option<Self>, FilesError> {
        let written: Written = serde_json::from_slice(bytes).map_err(|error| {
            let help = "download it again: it has the form of an answer to symbology.resolve";
            FilesError::refuse(path, format!("the symbology can't be read: {error}"), help)
        })?;
        Ok(written.symbology())
    }

    /// Whether it says what a symbol means, or that it means nothing. Of a parent it names the
    /// members, and not whose they are.
    pub fn knows(&self, stype_in: SType, symbol: &str) -> bool {
        self.stype_in == stype_in
            && stype_in != SType::Parent
            && self
                .symbols
                .names()
                .is_none_or(|names| names.iter().any(|name| name == symbol))
    }

    /// What a symbol means.
    pub fn meaning(&self, stype_in: SType, symbol: &str) -> Option<&[SymbolWindow]> {
        let windows = self.windows.get(symbol)?;
        self.knows(stype_in, symbol).then_some(windows)
    }
}

#[derive(Deserialize)]
struct Written {
    result: BTreeMap<String, Vec<WrittenWindow>>,
    #[serde(default)]
    symbols: Option<Value>,
    #[serde(default)]
    stype_in: Option<String>,
    #[serde(default)]
    stype_out: Option<String>,
    #[serde(default)]
    start_date: Option<NaiveDate>,
    #[serde(default)]
    end_date: Option<NaiveDate>,
}

#[derive(Deserialize)]
struct WrittenWindow {
    d0: NaiveDate,
    d1: NaiveDate,
    s: Value,
}

impl Written {
    fn symbology(self) -> Option<Symbology> {
        if self.stype_out.is_some_and(|stype| stype != "instrument_id") {
            return None;
        }
        let stype_in = match self.stype_in {
            None => SType::RawSymbol,
            Some(text) => text.parse().ok()?,
        };
        let symbols = match self.symbols.as_ref().and_then(symbols) {
            Some(symbols) => symbols,
            // It was asked for nothing, and says nothing.
            None if self.result.is_empty() => return None,
            None => Symbols::named(self.result.keys().cloned().collect()),
        };
        let mut windows: BTreeMap<String, Vec<SymbolWindow>> = BTreeMap::new();
        for (symbol, written) in &self.result {
            let read = written.iter().filter_map(WrittenWindow::window);
            windows.insert(symbol.clone(), read.collect());
        }
        let all = || windows.values().flatten().map(|window| window.days);
        let first = self.start_date.and_then(day);
        let end = self.end_date.and_then(day);
        let days = DayRange::new(
            first.or_else(|| all().map(DayRange::start).min())?,
            end.or_else(|| all().map(DayRange::end).max())?,
        )?;
        Some(Symbology {
            stype_in,
            symbols,
            days,
            windows,
        })
    }
}

impl WrittenWindow {
    fn window(&self) -> Option<SymbolWindow> {
        Some(SymbolWindow {
            instrument_id: match &self.s {
                Value::String(text) => text.parse().ok()?,
                other => other.as_u64()?.try_into().ok()?,
            },
            days: DayRange::new(day(self.d0)?, day(self.d1)?)?,
        })
    }
}
