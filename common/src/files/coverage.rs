//! Coverage: which days of a request deliveries hold, and what its symbols mean. Pure.

use std::collections::{BTreeMap, BTreeSet};

use dbn::{SType, Schema};

use super::delivery::{Delivery, Found, Wanted, merged};
use super::error::FilesError;
use crate::request::Symbols;
use crate::time::{DayRange, Span};
use crate::vendor::{RangeRequest, SymbolWindow, VendorError};

/// What a request asks for.
#[derive(Clone, Debug)]
pub struct Asked<'a> {
    /// The dataset.
    pub dataset: &'a str,
    /// The schema.
    pub schema: Schema,
    /// How the symbols are written.
    pub stype_in: SType,
    /// The symbols.
    pub symbols: &'a Symbols,
    /// Index time.
    pub span: Span,
}

impl<'a> Asked<'a> {
    /// A request, read.
    ///
    /// # Errors
    /// [`VendorError::Unreadable`] when a word of it is unknown.
    pub fn read(request: &'a RangeRequest) -> Result<Self, VendorError> {
        let unknown = |word: &str| VendorError::Unreadable(format!("unknown {word} in a request"));
        Ok(Self {
            dataset: &request.dataset,
            schema: request.schema.parse().map_err(|_| unknown("schema"))?,
            stype_in: request
                .stype_in
                .parse()
                .map_err(|_| unknown("symbol type"))?,
            symbols: &request.symbols,
            span: request.span,
        })
    }
}

impl Asked<'_> {
    /// The symbols that are asked for.
    pub fn wanted(&self) -> Wanted<'_> {
        Wanted {
            dataset: self.dataset,
            stype_in: self.stype_in,
            names: self.symbols.names().unwrap_or_default(),
        }
    }
}

impl Found {
    /// The deliveries that can answer a request; each can prove what it holds.
    ///
    /// # Errors
    /// [`FilesError::Refused`] when one can't.
    pub fn of(&self, asked: &Asked<'_>) -> Result<Vec<&Delivery>, FilesError> {
        let wanted = asked.wanted();
        let overlaps = |delivery: &&Delivery| {
            let names = wanted.names.iter();
            delivery.dataset == asked.dataset
                && delivery.schema == asked.schema
                && delivery.reaches(asked.span)
                && (delivery.symbols == Symbols::ALL
                    || names
                        .into_iter()
                        .any(|name| delivery.asked_for(&wanted, name)))
        };
        let found: Vec<_> = self.deliveries.iter().filter(overlaps).collect();
        let problem = found.iter().find_map(|delivery| delivery.problem.clone());
        match problem {
            Some((path, message, help)) => Err(FilesError::refuse(&path, message, help)),
            None => Ok(found),
        }
    }

    /// Refuses a symbol that was asked for only together with others that are not wanted, where
    /// nothing tells them apart.
    ///
    /// # Errors
    /// [`FilesError::Refused`] with the reason.
    pub fn refuse_mixed(
        &self,
        wanted: &Wanted<'_>,
        symbol: &str,
        within: Span,
    ) -> Result<(), FilesError> {
        let mixed = self.deliveries.iter().find(|delivery| {
            delivery.reaches(within)
                && delivery.asked_for(wanted, symbol)
                && delivery.mixes_in(wanted)
        });
        let Some(delivery) = mixed else {
            return Ok(());
        };
        let message = format!(
            "{symbol} was asked for together with other parents, and nothing in the file tells whose \
             members are whose: it answers for all of {} or for none",
            delivery.symbols
        );
        let help = "ask for all of these parents in one job, without cutting by symbols, or \
                    download each parent by itself";
        Err(FilesError::refuse(&delivery.path, message, help))
    }

    /// What a symbol means, by the headers of whatever was asked for it and by the symbologies; a
    /// parent's members under their own names.
    pub fn windows(
        &self,
        wanted: &Wanted<'_>,
        symbol: &str,
        days: DayRange,
    ) -> BTreeMap<String, Vec<SymbolWindow>> {
        if wanted.stype_in == SType::InstrumentId {
            let window = symbol.parse().map(|instrument_id| SymbolWindow {
                instrument_id,
                days,
            });
            let windows = window.map(|window| (symbol.to_owned(), vec![window]));
            return windows.into_iter().collect();
        }
        let mut meaning: BTreeMap<String, Vec<SymbolWindow>> = BTreeMap::new();
        let mut take = |name: &str, windows: &[SymbolWindow]| {
            let within = windows.iter().filter_map(|window| {
                Some(SymbolWindow {
                    instrument_id: window.instrument_id,
                    days: window.days.intersection(days)?,
                })
            });
            let of_name = meaning.entry(name.to_owned()).or_default();
            of_name.extend(within);
        };
        for delivery in &self.deliveries {
            if delivery.span.intersection(days.span()).is_some() && delivery.names(wanted, symbol) {
                for (name, windows) in delivery.meaning(symbol) {
                    take(name, windows);
                }
            }
        }
        for (about, symbology) in &self.symbologies {
            if about == wanted.dataset
                && let Some(windows) = symbology.meaning(wanted.stype_in, symbol)
            {
                take(symbol, windows);
            }
        }
        meaning.retain(|_, windows| !windows.is_empty());
        for windows in meaning.values_mut() {
            *windows = merged(std::mem::take(windows));
        }
        meaning
    }

    /// When it is known what a symbol means: also that it means nothing.
    fn known(&self, asked: &Asked<'_>, symbol: &str) -> Vec<Span> {
        if asked.stype_in == SType::InstrumentId {
            return vec![asked.span];
        }
        let by_header = self
            .deliveries
            .iter()
            .filter(|delivery| {
                delivery.span.intersection(asked.span).is_some()
                    && delivery.names(&asked.wanted(), symbol)
            })
            .map(|delivery| delivery.span);
        let by_symbology = self
            .symbologies
            .iter()
            .filter(|(about, symbology)| {
                about == asked.dataset && symbology.knows(asked.stype_in, symbol)
            })
            .map(|(_, symbology)| symbology.days.span());
        by_header.chain(by_symbology).collect()
    }

    /// The index time of which deliveries hold every record of a symbol, or of all.
    pub fn covered(
        &self,
        asked: &Asked<'_>,
        symbol: Option<&str>,
    ) -> Result<Vec<Span>, FilesError> {
        let deliveries = self.of(asked)?;
        let everything = deliveries
            .iter()
            .filter(|delivery| delivery.symbols == Symbols::ALL)
            .flat_map(|delivery| delivery.complete());
        let Some(symbol) = symbol else {
            return Ok(everything.collect());
        };
        let known = self.known(asked, symbol);
        let mut covered = Vec::new();
        for span in everything {
            covered.extend(known.iter().filter_map(|known| known.intersection(span)));
        }
        let wanted = asked.wanted();
        let named = deliveries
            .iter()
            .filter(|delivery| delivery.names(&wanted, symbol));
        covered.extend(named.flat_map(|delivery| delivery.complete()));
        Ok(covered)
    }

    /// A file that no list names proves by its header what it should hold, and by its own end that
    /// it ends between two records; whether more should follow, nothing says.
    ///
    /// # Errors
    /// [`FilesError::Refused`] when the request can't be answered.
    pub fn by_headers_alone(&self, asked: &Asked<'_>) -> Result<Option<String>, FilesError> {
        let mut alone = BTreeSet::new();
        for share in self.shares(asked)? {
            let mut files = share.delivery.files.iter();
            if share.delivery.is_one_file() && files.any(|file| share.taken.reaches(file)) {
                alone.insert(&share.delivery.path);
            }
        }
        let schema = asked.schema;
        let which = match alone.len() {
            0 => return Ok(None),
            1 => format!("1 file of {schema} is proven by its header alone"),
            files => format!("{files} files of {schema} are proven by their headers alone"),
        };
        Ok(Some(format!(
            "{which}: one that was cut exactly between two records passes for a whole one; keep a \
             batch's manifest.json and metadata.json beside its files"
        )))
    }
}
