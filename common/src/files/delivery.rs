//! A delivery: what was asked for and what came, one file or all files of a batch download.
//!
//! What a delivery was asked for is what it proves: a day within its range, or a symbol on its list,
//! of which it holds nothing, holds nothing.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;

use dbn::{SType, Schema};

use super::error::FilesError;
use super::header::DataFile;
use super::proof::Facts;
use super::symbology::Symbology;
use crate::request::Symbols;
use crate::time::{DayRange, Nanos, Span};
use crate::vendor::SymbolWindow;

/// What was asked for, and the files that came.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// The dataset.
    pub dataset: String,
    /// The schema.
    pub schema: Schema,
    /// How the symbols are written.
    pub stype_in: SType,
    /// The symbols.
    pub symbols: Symbols,
    /// Index time.
    pub span: Span,
    /// Days within it that the vendor had not published whole.
    pub pending: Vec<Span>,
    /// The files, in the order of their names.
    pub files: Vec<Arc<DataFile>>,
    /// The file, or the batch download's folder.
    pub path: PathBuf,
    /// What the symbols mean; a parent's members stand under their own names.
    pub windows: BTreeMap<String, Vec<SymbolWindow>>,
    /// Why it proves nothing, and what to do.
    pub problem: Option<(PathBuf, &'static str, &'static str)>,
}

/// Symbols that are wanted of a dataset, all that one request asks for.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// The dataset.
    pub dataset: &'a str,
    /// How the symbols are written.
    pub stype_in: SType,
    /// The symbols; none of them where every symbol is wanted.
    pub names: &'a [String],
}

/// What lies in a folder.
#[derive(Debug, Default)]
pub struct Found {
    /// The deliveries.
    pub deliveries: Vec<Delivery>,
    /// Symbologies, each with the dataset that it is about.
    pub symbologies: Vec<(String, Symbology)>,
}

impl Found {
    /// Every file, with its delivery.
    pub fn files(&self) -> impl Iterator<Item = (&Delivery, &Arc<DataFile>)> {
        let deliveries = self.deliveries.iter();
        deliveries.flat_map(|delivery| delivery.files.iter().map(move |file| (delivery, file)))
    }
}

impl Delivery {
    /// What the files' headers say that the symbols mean. An instrument's number means itself.
    pub fn read_windows(&mut self) {
        if self.stype_in == SType::InstrumentId {
            let Some(days) = self.span.whole_days() else {
                return;
            };
            for symbol in self.symbols.names().unwrap_or_default() {
                if let Ok(instrument_id) = symbol.parse() {
                    let window = SymbolWindow {
                        instrument_id,
                        days,
                    };
                    self.windows.insert(symbol.clone(), vec![window]);
                }
            }
            return;
        }
        for file in &self.files {
            for mapping in &file.metadata.mappings {
                let windows = mapping.intervals.iter();
                let windows = windows.filter_map(|each| SymbolWindow::read(each).ok().flatten());
                let of_symbol = self.windows.entry(mapping.raw_symbol.clone()).or_default();
                of_symbol.extend(windows);
            }
        }
        for windows in self.windows.values_mut() {
            *windows = merged(std::mem::take(windows));
        }
    }

    /// Takes in what the symbology beside it says of its symbols.
    pub fn learn(&mut self, symbology: &Symbology) {
        let Some(asked) = self.symbols.names() else {
            return;
        };
        if symbology.stype_in != self.stype_in || symbology.symbols != self.symbols {
            return;
        }
        for (symbol, windows) in &symbology.windows {
            if self.stype_in == SType::Parent || asked.binary_search(symbol).is_ok() {
                let of_symbol = self.windows.entry(symbol.clone()).or_default();
                of_symbol.extend(windows.iter().cloned());
                *of_symbol = merged(std::mem::take(of_symbol));
            }
        }
    }

    /// The last instant that a record of the file can have. Of files that a batch download split,
    /// the header's end is the last record's own time.
    pub fn last_instant(&self, file: &DataFile) -> Nanos {
        let before = |end: Nanos| Nanos(end.0.saturating_sub(1));
        if self.is_one_file() {
            return before(file.span().end);
        }
        file.span().end.min(before(self.span.end))
    }

    /// Whether it is one file with nothing but its header.
    pub fn is_one_file(&self) -> bool {
        self.files.iter().any(|file| file.path == self.path)
    }

    /// Whether it was asked for records within a span; without an end, for all from its start on.
    pub fn reaches(&self, span: Span) -> bool {
        let endless = self.span.end <= self.span.start;
        self.span.start < span.end && (endless || span.start < self.span.end)
    }

    /// The index time of which it holds all that was asked for.
    pub fn complete(&self) -> Vec<Span> {
        self.span.without(&self.pending)
    }

    /// What of a span it holds all of.
    pub fn complete_within(&self, span: Span) -> Vec<Span> {
        let complete = self.complete().into_iter();
        complete
            .filter_map(|each| each.intersection(span))
            .collect()
    }

    /// Whether the symbol was asked for by its own name, and its records can be told from those of
    /// symbols that nobody wants.
    pub fn names(&self, wanted: &Wanted<'_>, symbol: &str) -> bool {
        self.asked_for(wanted, symbol) && !self.mixes_in(wanted)
    }

    /// Whether the symbol was asked for by its own name.
    pub fn asked_for(&self, wanted: &Wanted<'_>, symbol: &str) -> bool {
        let asked = self.symbols.names().unwrap_or_default();
        let found = asked.binary_search_by(|name| name.as_str().cmp(symbol));
        self.dataset == wanted.dataset && self.stype_in == wanted.stype_in && found.is_ok()
    }

    /// Whether it mixes in what is not wanted: of several parents' members nothing tells whose they
    /// are, and they can be taken only all together.
    pub fn mixes_in(&self, wanted: &Wanted<'_>) -> bool {
        let asked = self.symbols.names().unwrap_or_default();
        self.stype_in == SType::Parent
            && asked.len() > 1
            && !asked.iter().all(|parent| wanted.names.contains(parent))
    }

    /// What a symbol that was asked for by its own name means: the members of a parent.
    pub fn meaning(&self, symbol: &str) -> impl Iterator<Item = (&str, &[SymbolWindow])> {
        let parent = self.stype_in == SType::Parent;
        self.windows
            .iter()
            .filter(move |(name, _)| parent || name.as_str() == symbol)
            .map(|(name, windows)| (name.as_str(), windows.as_slice()))
    }

    /// Every record of a file is of an instrument that one of the symbols means on its day: what
    /// can't be attributed would be lost without a word.
    ///
    /// # Errors
    /// [`FilesError::Refused`].
    pub fn accounts_for(&self, file: &DataFile, facts: &Facts) -> Result<(), FilesError> {
        if self.symbols == Symbols::ALL {
            return Ok(());
        }
        let mut meant: HashMap<u32, Vec<DayRange>> = HashMap::new();
        for window in self.windows.values().flatten() {
            meant
                .entry(window.instrument_id)
                .or_default()
                .push(window.days);
        }
        for (day, counts) in &facts.counts {
            for instrument_id in counts.keys() {
                let days = meant.get(instrument_id).into_iter().flatten();
                let mut days = days.filter(|days| days.start() <= *day && *day < days.end());
                if days.next().is_none() {
                    let message = format!(
                        "the file holds records of instrument {instrument_id} on {day}, which none of \
                         its symbols means"
                    );
                    return Err(FilesError::refuse(
                        &file.path,
                        message,
                        "download the file again",
                    ));
                }
            }
        }
        Ok(())
    }
}

/// The same windows, in order, without those that repeat or only continue another.
pub fn merged(windows: Vec<SymbolWindow>) -> Vec<SymbolWindow> {
    let mut days: BTreeMap<u32, Vec<DayRange>> = BTreeMap::new();
    for window in windows {
        days.entry(window.instrument_id)
            .or_default()
            .push(window.days);
    }
    let windows = days.into_iter().flat_map(|(instrument_id, days)| {
        let days = DayRange::merged(days).into_iter();
        days.map(move |days| SymbolWindow {
            instrument_id,
            days,
        })
    });
    let mut merged: Vec<_> = windows.collect();
    merged.sort_by_key(|window| (window.days, window.instrument_id));
    merged
}
