//! Files: a folder of DBN files as a source of chunks, with the proof from the files' own metadata.
//!
//! The vendor writes into each file's header what was asked for; a batch download brings a list of
//! its files with their hashes, and its request. What these can't prove is refused, by name.

pub mod batch;
mod coverage;
mod delivery;
mod error;
mod folder;
mod gaps;
mod gather;
pub mod header;
mod merge;
mod proof;
mod selection;
mod stream;
pub mod symbology;
mod written;

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use dbn::{SType, Schema};
use sha2::{Digest, Sha256};

pub use error::FilesError;

use crate::money::Usd;
use crate::record_layout::RecordLayout;
use crate::source::{Answer, Pieces, Source, SourceError, Uncovered};
use crate::time::{DayRange, Nanos, Span};
use crate::vendor::{DayCondition, RangeRequest, Resolution};
use coverage::Asked;
use delivery::{Delivery, Found, Wanted};
use header::DataFile;
use merge::Input;
use proof::facts;
use selection::open_at_once;
use stream::FileStream;

/// A folder of DBN files.
pub struct Files {
    folder: PathBuf,
    found: Found,
}

impl fmt::Debug for Files {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Files")
            .field("folder", &self.folder)
            .finish_non_exhaustive()
    }
}

impl Files {
    /// Looks through the folder and reads every file's header.
    ///
    /// # Errors
    /// [`FilesError::Refused`] when something in it can't prove what it is.
    pub async fn open(folder: &Path) -> Result<Self, FilesError> {
        let folder = folder.to_path_buf();
        tokio::task::spawn_blocking(move || Self::look_through(folder))
            .await
            .map_err(|error| FilesError::Panic(error.to_string()))?
    }

    fn look_through(folder: PathBuf) -> Result<Self, FilesError> {
        let mut found = Found::default();
        for listing in folder::walk(&folder)? {
            found.take(&folder, &listing)?;
        }
        if found.deliveries.is_empty() {
            let message = "the folder holds no DBN file";
            let help = "name a folder with files that end in .dbn or .dbn.zst";
            return Err(FilesError::refuse(&folder, message, help));
        }
        Ok(Self { folder, found })
    }

    /// Takes over the counts of files that are still what they were; whether the rest of their proof
    /// still holds is looked at anew: symbols and lists beside them may have changed.
    pub(crate) fn keep_proofs_of(&mut self, before: &Self) {
        let known: HashMap<&Path, (&Delivery, &DataFile)> = before
            .found
            .files()
            .map(|(delivery, file)| (file.path.as_path(), (delivery, &**file)))
            .collect();
        for (delivery, file) in self.found.files() {
            if let Some((delivery_before, before)) = known.get(file.path.as_path())
                && before.is_same(file)
                && delivery_before.last_instant(before) == delivery.last_instant(file)
                && let Some(facts) = before.facts.get()
                && delivery.accounts_for(file, facts).is_ok()
            {
                // Nobody has read this one yet.
                let _unread = file.facts.set(Arc::clone(facts));
            }
        }
    }

    async fn count(&self, request: &RangeRequest) -> Result<u64, SourceError> {
        let asked = Asked::read(request)?;
        self.found.require(&self.folder, &asked)?;
        let shares = self.found.shares(&asked)?;
        open_at_once(&asked, &shares)?;
        let mut count = 0;
        for share in shares {
            for file in &share.delivery.files {
                if share.taken.reaches(file) {
                    count += share.taken.count(&*facts(share.delivery, file).await?);
                }
            }
        }
        Ok(count)
    }

    async fn stream(&self, request: &RangeRequest) -> Result<FileStream, SourceError> {
        let asked = Asked::read(request)?;
        self.found.require(&self.folder, &asked)?;
        let mut inputs = Vec::new();
        let shares = self.found.shares(&asked)?;
        open_at_once(&asked, &shares)?;
        for share in shares {
            let taken = Arc::new(share.taken);
            for file in &share.delivery.files {
                if taken.reaches(file) {
                    // Proven whole before its records are used, whoever counted them.
                    let facts = facts(share.delivery, file).await?;
                    if let Some(start) = facts.start.filter(|_| taken.count(&facts) > 0) {
                        inputs.push(Input {
                            file: Arc::clone(file),
                            taken: Arc::clone(&taken),
                            start,
                            in_order: facts.in_order,
                        });
                    }
                }
            }
        }
        let metadata = stream::header(&self.found, &asked);
        Ok(FileStream::begin(metadata, inputs))
    }

    /// The folder and what the answer is made of: the state of its files, what is taken of them, and
    /// what the stream's header says. Another answer is not this one.
    fn origin_of(&self, request: &RangeRequest) -> Result<String, SourceError> {
        let asked = Asked::read(request)?;
        self.found.require(&self.folder, &asked)?;
        let mut hash = Sha256::new();
        for mapping in stream::mappings(&self.found, &asked) {
            hash.update(format!("{mapping:?}\n").as_bytes());
        }
        for share in self.found.shares(&asked)? {
            hash.update(format!("{:?}\n", share.taken).as_bytes());
            for file in &share.delivery.files {
                if share.taken.reaches(file) {
                    let modified = file.stamp.modified;
                    let modified = modified.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
                    let modified = modified.map(|since| since.as_nanos());
                    let line = format!("{} {} {modified:?}\n", file.name, file.stamp.bytes);
                    hash.update(line.as_bytes());
                }
            }
        }
        let folder = self.folder.display();
        let files = crate::hex(&hash.finalize());
        Ok(format!("files in {folder} ({})", &files[..16]))
    }

    fn resolve_all(
        &self,
        dataset: &str,
        stype_in: SType,
        symbols: &[String],
        days: DayRange,
    ) -> Result<Resolution, FilesError> {
        let wanted = Wanted {
            dataset,
            stype_in,
            names: symbols,
        };
        let mut resolution = Resolution::default();
        for symbol in symbols {
            let meaning = self.found.windows(&wanted, symbol, days);
            if meaning.is_empty() {
                self.found.refuse_mixed(&wanted, symbol, days.span())?;
            }
            let mut windows: Vec<_> = meaning.into_values().flatten().collect();
            windows.sort_by_key(|window| (window.days, window.instrument_id));
            windows.dedup();
            resolution.windows.insert(symbol.clone(), windows);
        }
        Ok(resolution)
    }
}

impl Source for Files {
    fn datasets(&self) -> Answer<'_, Vec<String>> {
        let deliveries = self.found.deliveries.iter();
        let mut datasets: Vec<_> = deliveries.map(|each| each.dataset.clone()).collect();
        datasets.sort();
        datasets.dedup();
        Box::pin(async { Ok(datasets) })
    }

    fn schemas<'a>(&'a self, dataset: &'a str) -> Answer<'a, Vec<Schema>> {
        let mut schemas = Vec::new();
        for delivery in &self.found.deliveries {
            if delivery.dataset == dataset && !schemas.contains(&delivery.schema) {
                schemas.push(delivery.schema);
            }
        }
        Box::pin(async { Ok(schemas) })
    }

    /// Until the latest end of the files. Files of any earlier day can be added: what is not there
    /// is [`Source::uncovered`].
    fn available<'a>(&'a self, dataset: &'a str, schema: Schema) -> Answer<'a, Span> {
        let deliveries = self.found.deliveries.iter();
        let of_schema = deliveries.filter(|each| {
            each.dataset == dataset && each.schema == schema && each.problem.is_none()
        });
        let end = of_schema.map(|delivery| delivery.span.end).max();
        Box::pin(async move {
            Ok(Span {
                start: Nanos(0),
                end: end.unwrap_or(Nanos(0)),
            })
        })
    }

    /// None: what is not there is [`Source::uncovered`], by symbol.
    /// None: what a batch says of its days is a matter of which days it covers.
    fn conditions<'a>(
        &'a self,
        _dataset: &'a str,
        _days: DayRange,
    ) -> Answer<'a, Vec<DayCondition>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn uncovered<'a>(&'a self, request: &'a RangeRequest) -> Answer<'a, Vec<Uncovered>> {
        Box::pin(async move {
            let asked = Asked::read(request)?;
            let uncovered = self.found.gaps(&self.folder, &asked)?;
            // Records that would come double are refused before anything is planned.
            self.found.shares(&asked)?;
            Ok(uncovered)
        })
    }

    fn caveat(&self, request: &RangeRequest) -> Result<Option<String>, SourceError> {
        Ok(self.found.by_headers_alone(&Asked::read(request)?)?)
    }

    fn resolve<'a>(
        &'a self,
        dataset: &'a str,
        stype_in: SType,
        symbols: &'a [String],
        days: DayRange,
    ) -> Answer<'a, Resolution> {
        Box::pin(async move { Ok(self.resolve_all(dataset, stype_in, symbols, days)?) })
    }

    fn record_count<'a>(&'a self, request: &'a RangeRequest) -> Answer<'a, u64> {
        Box::pin(self.count(request))
    }

    fn billable_bytes<'a>(&'a self, request: &'a RangeRequest) -> Answer<'a, u64> {
        Box::pin(async move {
            let schema = Asked::read(request)?.schema;
            let of_record = u64::try_from(RecordLayout::of(schema).record_bytes).unwrap_or(0);
            Ok(self.count(request).await? * of_record)
        })
    }

    /// Nothing: it was paid when it was downloaded.
    fn cost<'a>(&'a self, _request: &'a RangeRequest) -> Answer<'a, Usd> {
        Box::pin(async { Ok(Usd(0)) })
    }

    fn get_range<'a>(&'a self, request: &'a RangeRequest) -> Answer<'a, Box<dyn Pieces>> {
        Box::pin(async move { Ok(Box::new(self.stream(request).await?) as Box<dyn Pieces>) })
    }

    fn origin(&self, request: &RangeRequest) -> Result<Option<String>, SourceError> {
        Ok(Some(self.origin_of(request)?))
    }
}
