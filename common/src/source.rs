//! Sources: where chunks come from, and what the planner and the fetch ask of each.
//!
//! There are two: the vendor's service, and a folder of files that the vendor delivered. Nothing
//! that goes by this trait knows which it talks to.

mod sources;

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use dbn::{SType, Schema};
use futures::future::BoxFuture;

pub use sources::Sources;

use crate::files::FilesError;
use crate::money::Usd;
use crate::request::Symbols;
use crate::time::{DayRange, Span};
use crate::vendor::{DayCondition, RangeRequest, RangeStream, Resolution, Vendor, VendorError};

/// What a source answers, some time later.
pub type Answer<'a, T> = BoxFuture<'a, Result<T, SourceError>>;

/// Where chunks come from. The contract, which every source keeps:
///
/// - **Counts are the proof.** [`Self::record_count`] counts what the source holds by itself, not
///   by what [`Self::get_range`] sent: a stream is whole when its end is proven and the two agree.
///   Counts of whole days add up.
/// - **What isn't there is said.** Days of which a source has nothing, or nothing yet, have such a
///   [`Self::conditions`]; what else it doesn't have is [`Self::uncovered`]; a count of nothing for any other day proves that
///   there is nothing.
/// - **A stream is a DBN stream, compressed by zstd**, of the request's schema, in the order of index
///   time, with the header of the request. It may end early: whoever reads it proves its end.
/// - Metadata and counts cost nothing and may be asked for again; a stream costs what
///   [`Self::cost`] said, and is asked for after a reservation alone.
pub trait Source: fmt::Debug + Send + Sync {
    /// The datasets that there are.
    fn datasets(&self) -> Answer<'_, Vec<String>>;

    /// The schemas that the dataset has.
    fn schemas<'a>(&'a self, dataset: &'a str) -> Answer<'a, Vec<Schema>>;

    /// From when until when there can be records of the schema: what lies before will never be
    /// there, what lies after is not there yet.
    fn available<'a>(&'a self, dataset: &'a str, schema: Schema) -> Answer<'a, Span>;

    /// How good the data of each day is, whatever the schema, of those given. A day without a
    /// condition is as good as any.
    fn conditions<'a>(&'a self, dataset: &'a str, days: DayRange) -> Answer<'a, Vec<DayCondition>>;

    /// What to note of the days of a stream that is fetched, to know later whether they were
    /// rewritten since: their conditions, or those of a few minutes ago. Nothing, where that is not
    /// how it is known.
    fn recent_conditions<'a>(
        &'a self,
        _dataset: &'a str,
        _days: DayRange,
    ) -> Answer<'a, Vec<DayCondition>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    /// What symbols mean in a month that holds these days, as of now or a few minutes ago: enough to know
    /// that nothing of them is held. `None` where only the days themselves can be asked for.
    fn recent_meaning<'a>(
        &'a self,
        _dataset: &'a str,
        _stype_in: SType,
        _symbols: &'a [String],
        _days: DayRange,
    ) -> Answer<'a, Option<Arc<Resolution>>> {
        Box::pin(async { Ok(None) })
    }

    /// Whether a stream that was cut can be gone on from: whether the source answers a request that
    /// begins within a day, with the same records as before.
    fn is_resumable(&self) -> bool {
        false
    }

    /// The symbols and days of the request that are not there, and of which it may not even be
    /// known what they mean. They may come later.
    fn uncovered<'a>(&'a self, request: &'a RangeRequest) -> Answer<'a, Vec<Uncovered>>;

    /// What the answer's proof can't tell, where there is something; for people.
    ///
    /// # Errors
    /// [`SourceError`] when the request can't be answered.
    fn caveat(&self, request: &RangeRequest) -> Result<Option<String>, SourceError>;

    /// Which instruments the symbols mean over the days.
    fn resolve<'a>(
        &'a self,
        dataset: &'a str,
        stype_in: SType,
        symbols: &'a [String],
        days: DayRange,
    ) -> Answer<'a, Resolution>;

    /// How many records the request would bring.
    fn record_count<'a>(&'a self, request: &'a RangeRequest) -> Answer<'a, u64>;

    /// How many bytes of records the request would bring.
    fn billable_bytes<'a>(&'a self, request: &'a RangeRequest) -> Answer<'a, u64>;

    /// What the request would cost.
    fn cost<'a>(&'a self, request: &'a RangeRequest) -> Answer<'a, Usd>;

    /// Opens a stream of records. It is tried once: the caller decides about the next time.
    fn get_range<'a>(&'a self, request: &'a RangeRequest) -> Answer<'a, Box<dyn Pieces>>;

    /// What an archived answer to the request is told apart by; `None` is the installation's own
    /// vendor.
    ///
    /// # Errors
    /// [`SourceError`] when the request can't be answered.
    fn origin(&self, request: &RangeRequest) -> Result<Option<String>, SourceError>;
}

/// A stream of compressed bytes, as it comes.
pub trait Pieces: Send {
    /// The next piece; `None` at the end.
    fn next(&mut self) -> Answer<'_, Option<Bytes>>;
}

/// Symbols and days that a source doesn't have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Uncovered {
    /// The symbols.
    pub symbols: Symbols,
    /// The days.
    pub days: DayRange,
    /// Why, for people.
    pub why: String,
}

/// Why a source did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The vendor's service.
    #[error(transparent)]
    Vendor(#[from] VendorError),
    /// A folder of files.
    #[error(transparent)]
    Files(#[from] FilesError),
}

impl Source for Vendor {
    fn datasets(&self) -> Answer<'_, Vec<String>> {
        Box::pin(async move { Ok(self.datasets().await?) })
    }

    fn schemas<'a>(&'a self, dataset: &'a str) -> Answer<'a, Vec<Schema>> {
        Box::pin(async move { Ok(self.schemas(dataset).await?) })
    }

    fn available<'a>(&'a self, dataset: &'a str, schema: Schema) -> Answer<'a, Span> {
        Box::pin(async move { Ok(self.available(dataset, schema).await?) })
    }

    fn conditions<'a>(&'a self, dataset: &'a str, days: DayRange) -> Answer<'a, Vec<DayCondition>> {
        Box::pin(async move { Ok(self.conditions(dataset, days).await?) })
    }

    fn recent_conditions<'a>(
        &'a self,
        dataset: &'a str,
        days: DayRange,
    ) -> Answer<'a, Vec<DayCondition>> {
        Box::pin(async move { Ok(self.recent_conditions(dataset, days).await?) })
    }

    fn recent_meaning<'a>(
        &'a self,
        dataset: &'a str,
        stype_in: SType,
        symbols: &'a [String],
        days: DayRange,
    ) -> Answer<'a, Option<Arc<Resolution>>> {
        Box::pin(async move {
            Ok(self
                .recent_meaning(dataset, stype_in, symbols, days)
                .await?)
        })
    }

    fn is_resumable(&self) -> bool {
        true
    }

    /// What the vendor doesn't have yet is pending for every symbol.
    fn uncovered<'a>(&'a self, _request: &'a RangeRequest) -> Answer<'a, Vec<Uncovered>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    /// None: the vendor counts by itself.
    fn caveat(&self, _request: &RangeRequest) -> Result<Option<String>, SourceError> {
        Ok(None)
    }

    fn resolve<'a>(
        &'a self,
        dataset: &'a str,
        stype_in: SType,
        symbols: &'a [String],
        days: DayRange,
    ) -> Answer<'a, Resolution> {
        Box::pin(async move { Ok(self.resolve(dataset, stype_in, symbols, days).await?) })
    }

    fn record_count<'a>(&'a self, request: &'a RangeRequest) -> Answer<'a, u64> {
        Box::pin(async move { Ok(self.record_count(request).await?) })
    }

    fn billable_bytes<'a>(&'a self, request: &'a RangeRequest) -> Answer<'a, u64> {
        Box::pin(async move { Ok(self.billable_bytes(request).await?) })
    }

    fn cost<'a>(&'a self, request: &'a RangeRequest) -> Answer<'a, Usd> {
        Box::pin(async move { Ok(self.cost(request).await?) })
    }

    fn get_range<'a>(&'a self, request: &'a RangeRequest) -> Answer<'a, Box<dyn Pieces>> {
        Box::pin(async move {
            let stream = self.get_range(request).await?;
            Ok(Box::new(stream) as Box<dyn Pieces>)
        })
    }

    fn origin(&self, _request: &RangeRequest) -> Result<Option<String>, SourceError> {
        Ok(None)
    }
}

impl Pieces for RangeStream {
    fn next(&mut self) -> Answer<'_, Option<Bytes>> {
        Box::pin(async move { Ok(self.next().await?) })
    }
}

/// An error with its causes, in one line.
#[must_use]
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let next = error.to_string();
        // Some libraries repeat their cause in their own words.
        if !text.contains(&next) {
            text.push_str(": ");
            text.push_str(&next);
        }
        cause = error.source();
    }
    text
}

/// An error's text in one line, as ledgers and logs want it: a refusal shows its place over several.
#[must_use]
pub fn one_line(text: &str) -> String {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join("; ")
}
