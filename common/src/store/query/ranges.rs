//! From a question to ranges: each an instrument's index time, under the symbol that was asked for.

use std::collections::HashMap;
use std::sync::Arc;

use dbn::{SType, Schema};

use super::super::engine::Transaction;
use super::definitions::{self, Attribute, Changes, changes, instruments_with, spans};
use super::held::{self, HeldDataset};
use super::symbols::{self, Meaning};
use crate::query::{Query, QueryError, UnknownSymbol};
use crate::time::{Nanos, Span};

/// An instrument's index time, to be read in order.
#[derive(Clone, Debug)]
pub(super) struct Range {
    pub(super) instrument: i64,
    pub(super) span: Span,
    /// Publishers whose records are of another instrument of the same number.
    pub(super) foreign_publishers: Arc<[i64]>,
    /// What the rows' symbol is at which time; the first that holds counts.
    labels: Vec<(Span, Arc<str>)>,
    /// What it is where none of them holds.
    otherwise: Arc<str>,
    /// The dataset whose definitions are still to be asked what the symbol is, and what it is where
    /// they don't say.
    pub(super) unlabelled: Option<Arc<str>>,
    spare_labels: Vec<(Span, Arc<str>)>,
}

/// What a question comes to.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) ranges: Vec<Range>,
    pub(super) unknown: Vec<UnknownSymbol>,
    /// Symbols that are known, but mean nothing at the time that was asked for.
    pub(super) without_records: Vec<String>,
}

/// Finds the ranges of a question.
pub(super) async fn find(
    on: &mut Transaction,
    query: &Query,
    table: &str,
) -> Result<Found, QueryError> {
    let datasets = held::datasets(on, query).await?;
    let mut found = match query.wants_everything() {
        true => everything(on, query, table, &datasets).await?,
        false => named(on, query, table, &datasets).await?,
    };
    for (attribute, values) in attributes(query) {
        if found.ranges.is_empty() {
            break;
        }
        // A definition says it itself, and its pages are filtered by it.
        let is_filtered = query.schema == Schema::Definition;
        if !is_filtered {
            found.ranges = narrowed(on, found.ranges, &datasets, attribute, values).await?;
        }
        if is_filtered || found.ranges.is_empty() {
            definitions::refuse_unknown(on, attribute, values).await?;
        }
    }
    Ok(found)
}

/// What definitions are to say, where anything is asked of them.
fn attributes(query: &Query) -> impl Iterator<Item = (Attribute, &Vec<String>)> {
    let all = [
        (Attribute::Asset, &query.assets),
        (Attribute::Exchange, &query.exchanges),
    ];
    all.into_iter().filter(|(_, values)| !values.is_empty())
}

async fn named(
    on: &mut Transaction,
    query: &Query,
    table: &str,
    datasets: &[HeldDataset],
) -> Result<Found, QueryError> {
    let meanings = symbols::resolve(on, &query.symbols, datasets, table).await?;
    let mut found = Found::default();
    for symbol in &query.symbols {
        let Some(meanings) = meanings.get(symbol) else {
            let near = Vec::new();
            found.unknown.push(UnknownSymbol {
                symbol: symbol.clone(),
                near,
            });
            continue;
        };
        let before = found.ranges.len();
        let label: Arc<str> = symbol.as_str().into();
        for ((dataset, instrument), spans) in merged(meanings) {
            let Some(dataset) = datasets.iter().find(|held| *held.name == *dataset) else {
                continue;
            };
            let within = spans
                .iter()
                .filter_map(|span| span.intersection(query.span));
            found.ranges.extend(within.map(|span| Range {
                instrument,
                span,
                foreign_publishers: Arc::clone(&dataset.foreign_publishers),
                labels: Vec::new(),
                otherwise: Arc::clone(&label),
                unlabelled: None,
                spare_labels: Vec::new(),
            }));
        }
        if found.ranges.len() == before {
            found.without_records.push(symbol.clone());
        }
    }
    if !found.unknown.is_empty() {
        let (near, sample) = symbols::near(on, &found.unknown, datasets).await?;
        found.unknown = near;
        if found.unknown.len() == query.symbols.len() {
            let unknown = found.unknown;
            return Err(QueryError::UnknownSymbols { unknown, sample });
        }
    }
    Ok(found)
}

/// A dataset, and an instrument's number in it.
type Instrument = (Arc<str>, i64);

/// Each instrument's spans, which neither overlap nor touch: whoever means the same twice gets it once.
fn merged(meanings: &[Meaning]) -> Vec<(Instrument, Vec<Span>)> {
    let mut by_instrument: HashMap<Instrument, Vec<Span>> = HashMap::new();
    for meaning in meanings {
        let of = (Arc::clone(&meaning.dataset), meaning.instrument);
        by_instrument.entry(of).or_default().push(meaning.span);
    }
    let mut merged: Vec<_> = by_instrument.into_iter().collect();
    merged.sort_unstable_by(|(left, _), (right, _)| left.cmp(right));
    for (_, spans) in &mut merged {
        spans.sort_unstable();
        let mut joined: Vec<Span> = Vec::with_capacity(spans.len());
        for span in spans.drain(..) {
            match joined.last_mut() {
                Some(last) if span.start <= last.end => last.end = last.end.max(span.end),
                _ => joined.push(span),
            }
        }
        *spans = joined;
    }
    merged
}

/// Every instrument that the table has, each under its raw symbol at the time, or else another, or
/// else its number.
async fn everything(
    on: &mut Transaction,
    query: &Query,
    table: &str,
    datasets: &[HeldDataset],
) -> Result<Found, QueryError> {
    let mut instruments = held::instruments(on, table).await?;
    // Where no instrument is asked for by name, the definitions name those of an asset.
    for (attribute, values) in attributes(query) {
        if query.schema != Schema::Definition {
            let of_value = instruments_with(on, attribute, values).await?;
            if of_value.is_empty() {
                definitions::refuse_unknown(on, attribute, values).await?;
            }
            instruments.retain(|instrument| of_value.contains(instrument));
        }
    }
    let mut found = Found::default();
    for dataset in datasets {
        let mut raw: HashMap<i64, Vec<(Span, Arc<str>)>> = HashMap::new();
        let mut other: HashMap<i64, Vec<(Span, Arc<str>)>> = HashMap::new();
        for (stype, symbol, meaning) in symbols::all_windows(on, dataset).await? {
            let windows = if stype == SType::RawSymbol {
                &mut raw
            } else {
                &mut other
            };
            let label = (meaning.span, symbol);
            windows.entry(meaning.instrument).or_default().push(label);
        }
        found
            .ranges
            .extend(instruments.iter().map(|instrument| Range {
                instrument: *instrument,
                span: query.span,
                foreign_publishers: Arc::clone(&dataset.foreign_publishers),
                labels: raw.remove(instrument).unwrap_or_default(),
                otherwise: instrument.to_string().into(),
                unlabelled: Some(Arc::clone(&dataset.name)),
                spare_labels: other.remove(instrument).unwrap_or_default(),
            }));
    }
    Ok(found)
}

/// The parts of ranges in which an instrument's definition says one of these values.
async fn narrowed(
    on: &mut Transaction,
    ranges: Vec<Range>,
    datasets: &[HeldDataset],
    attribute: Attribute,
    values: &[String],
) -> Result<Vec<Range>, QueryError> {
    let mut instruments: Vec<_> = ranges.iter().map(|range| range.instrument).collect();
    instruments.sort_unstable();
    instruments.dedup();
    let changes = changes(on, attribute, &instruments).await?;
    let mut narrowed = Vec::new();
    for range in ranges {
        // Ranges of a dataset share its list.
        let of =
            |held: &&HeldDataset| Arc::ptr_eq(&held.foreign_publishers, &range.foreign_publishers);
        let Some(dataset) = datasets.iter().find(of) else {
            continue;
        };
        let said = changes.get(&(dataset.name.as_ref().to_owned(), range.instrument));
        for (value, span) in said.into_iter().flat_map(|said| spans(said)) {
            let Some(span) = span.intersection(range.span) else {
                continue;
            };
            if values.iter().any(|wanted| wanted == value) {
                narrowed.push(Range {
                    span,
                    ..range.clone()
                });
            }
        }
    }
    Ok(narrowed)
}

impl Range {
    /// The symbol of a row.
    pub(super) fn symbol_at(&self, time: Nanos) -> Arc<str> {
        let found = self.labels.iter().find(|(span, _)| span.contains(time));
        Arc::clone(found.map_or(&self.otherwise, |(_, label)| label))
    }

    /// Takes the raw symbols that the definitions say.
    pub(super) fn label(&mut self, dataset: &str, changes: &Changes) {
        let said = changes.get(&(dataset.to_owned(), self.instrument));
        for (symbol, span) in said.into_iter().flat_map(|said| spans(said)) {
            self.labels.push((span, symbol.into()));
        }
        self.labels.append(&mut self.spare_labels);
    }
}
