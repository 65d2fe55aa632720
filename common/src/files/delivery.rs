//! A delivery: what was asked for and what came, one file or all files of a batch download.
//!
//! What a delivery was asked for is what it proves: a day within its range, or a symbol on its list,
//! of which it holds nothing, holds nothing.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use dbn::{SType, Schema};

use super::batch::{Manifest, Query, pending_days};
use super::error::FilesError;
use super::folder::Listing;
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

    /// Takes in one folder's files.
    ///
    /// # Errors
    /// [`FilesError::Refused`] when one of them can't be used.
    pub fn take(&mut self, root: &Path, listing: &Listing) -> Result<(), FilesError> {
        if listing.files.is_empty() && listing.beside("metadata.json").is_none() {
            return Ok(());
        }
        let manifest = Manifest::beside(listing)?;
        let symbology = Symbology::beside(listing)?;
        let mut files = Vec::with_capacity(listing.files.len());
        for path in &listing.files {
            let mut file = DataFile::read(root, path)?;
            let listed = manifest.as_ref();
            file.listed_sha256 = listed.and_then(|manifest| manifest.sha256(path));
            files.push(Arc::new(file));
        }
        let query = match &manifest {
            None => None,
            Some(manifest) => Query::beside(listing, manifest)?
                .filter(|_| manifest.is_all_dbn())
                .map(|query| (manifest, query)),
        };
        let asked = query.as_ref().map(|(_, query)| query.dataset.as_str());
        let about = match symbology {
            None => None,
            Some(symbology) => one_dataset(listing, asked, &files)?.zip(Some(symbology)),
        };
        let before = self.deliveries.len();
        let (of_batch, single): (Vec<_>, Vec<_>) = files.into_iter().partition(|file| {
            let listed = query.as_ref();
            listed.is_some_and(|(manifest, _)| manifest.lists(&file.path))
        });
        if let Some((_, query)) = query {
            self.deliveries.push(batch(listing, query, of_batch)?);
        }
        self.deliveries.extend(single.into_iter().map(one_file));
        if let Some((dataset, symbology)) = about {
            for delivery in &mut self.deliveries[before..] {
                delivery.learn(&symbology);
            }
            self.symbologies.push((dataset, symbology));
        }
        Ok(())
    }
}

/// The dataset that the symbology beside files is about.
fn one_dataset(
    listing: &Listing,
    asked: Option<&str>,
    files: &[Arc<DataFile>],
) -> Result<Option<String>, FilesError> {
    let of_files = files.iter().map(|file| file.metadata.dataset.as_str());
    let mut datasets: Vec<_> = asked.into_iter().chain(of_files).collect();
    datasets.sort_unstable();
    datasets.dedup();
    if let [_, _, ..] = datasets[..] {
        let message = format!(
            "nothing says which of the datasets beside it the symbology is about: {}",
            datasets.join(", ")
        );
        let help = "give each batch download a folder of its own";
        let path = listing.folder.join("symbology.json");
        return Err(FilesError::refuse(&path, message, help));
    }
    Ok(datasets.first().map(|dataset| (*dataset).to_owned()))
}

fn one_file(file: Arc<DataFile>) -> Delivery {
    let problem = file
        .problem()
        .map(|(message, help)| (file.path.clone(), message, help));
    let mut delivery = Delivery {
        dataset: file.metadata.dataset.clone(),
        schema: file.schema,
        stype_in: file.stype_in().unwrap_or(SType::RawSymbol),
        symbols: file.symbols(),
        span: file.span(),
        pending: Vec::new(),
        path: file.path.clone(),
        files: vec![file],
        windows: BTreeMap::new(),
        problem,
    };
    delivery.read_windows();
    delivery
}

fn batch(
    listing: &Listing,
    query: Query,
    files: Vec<Arc<DataFile>>,
) -> Result<Delivery, FilesError> {
    let fits = |file: &&Arc<DataFile>| {
        file.metadata.dataset == query.dataset && file.schema == query.schema
    };
    if let Some(foreign) = files.iter().find(|file| !fits(file)) {
        let message = format!(
            "the file holds {} of {}, and metadata.json beside it speaks of {} of {}",
            foreign.schema, foreign.metadata.dataset, query.schema, query.dataset
        );
        let help = "give each batch download a folder of its own";
        return Err(FilesError::refuse(&foreign.path, message, help));
    }
    let strange = |file: &&Arc<DataFile>| {
        let (range, asked) = (file.span(), query.span);
        let within = asked.start <= range.start && range.end <= asked.end;
        let stype_in = file.stype_in();
        file.problem().is_none() && !(within && stype_in == Some(query.stype_in))
    };
    if let Some(strange) = files.iter().find(strange) {
        let message = format!(
            "the file's header speaks of {} as {}, and metadata.json beside it of {} as {}",
            strange.span(),
            strange.stype_in().map_or("nothing", |stype| stype.as_str()),
            query.span,
            query.stype_in.as_str(),
        );
        let help = "download the batch again, all of it, into a folder of its own";
        return Err(FilesError::refuse(&strange.path, message, help));
    }
    let of_file = |file: &Arc<DataFile>| {
        let (message, help) = file.problem()?;
        Some((file.path.clone(), message, help))
    };
    let limited = query.limited.then_some((
        listing.folder.join("metadata.json"),
        "the batch was asked for with a limit: what lies beyond it is not in it",
        "download the range again without `limit`, or move the folder elsewhere",
    ));
    let too_early = (query.span.end > Nanos::now()).then_some((
        listing.folder.join("metadata.json"),
        "the batch was asked for until a time that is yet to come: what follows is not in it",
        "download it again once the time is past, or move the folder elsewhere",
    ));
    let mut delivery = Delivery {
        dataset: query.dataset,
        schema: query.schema,
        stype_in: query.stype_in,
        symbols: query.symbols,
        span: query.span,
        pending: pending_days(listing)?,
        path: listing.folder.clone(),
        problem: limited
            .or(too_early)
            .or_else(|| files.iter().find_map(of_file)),
        files,
        windows: BTreeMap::new(),
    };
    delivery.read_windows();
    Ok(delivery)
}

impl Delivery {
    /// What the files' headers say that the symbols mean. An instrument's number means itself.
    fn read_windows(&mut self) {
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
    fn learn(&mut self, symbology: &Symbology) {
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
pub fn merged(mut windows: Vec<SymbolWindow>) -> Vec<SymbolWindow> {
    windows.sort_by_key(|window| (window.instrument_id, window.days));
    let mut merged: Vec<SymbolWindow> = Vec::with_capacity(windows.len());
    for window in windows {
        if let Some(last) = merged.last_mut()
            && last.instrument_id == window.instrument_id
            && window.days.start() <= last.days.end()
        {
            let end = last.days.end().max(window.days.end());
            last.days = DayRange::new(last.days.start(), end).unwrap_or(last.days);
        } else {
            merged.push(window);
        }
    }
    merged.sort_by_key(|window| (window.days, window.instrument_id));
    merged
}
