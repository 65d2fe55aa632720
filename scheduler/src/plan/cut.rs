//! Cuts: a missing piece in chunks of the right size, by the source's counts and with few questions.
//!
//! By records, at most N a chunk: days are halved until each part fits or is one day, and a day
//! that doesn't fit is cut by symbols until each part fits or is one symbol. Then neighbours are
//! joined again, so that these two rules hold:
//!
//! - A chunk of more than N records is one symbol's one day, or one day that can't be cut.
//! - Two chunks of the same days that are neighbours in the order of symbols, or of the same symbols
//!   whose days touch, hold more than N together.
//!
//! Equal answers give equal chunks: nothing else decides.

use std::collections::BTreeMap;

use common::request::{ChunkLength, Request, Symbols};
use common::source::{Source, SourceError};
use common::time::DayRange;
use common::vendor::{Resolution, VendorError};
use dbn::Schema;

use super::missing::Piece;

/// What the cuts of one schema go by.
#[derive(Clone, Copy, Debug)]
pub struct Cutting<'a> {
    /// The request.
    pub request: &'a Request,
    /// Who counts.
    pub source: &'a dyn Source,
    /// What the symbols mean.
    pub resolution: &'a Resolution,
}

/// A part of a piece and its records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The symbols.
    pub symbols: Symbols,
    /// The days.
    pub days: DayRange,
    /// The source's count.
    pub records: u64,
}

/// A piece's days, cut.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parts {
    /// The source's count of the whole. Those of the parts add up to it, or to more where two symbols
    /// mean one instrument.
    pub records: u64,
    /// The parts, in the order of days and symbols.
    pub list: Vec<Part>,
}

impl Cutting<'_> {
    /// Days of a piece in chunks, by the chunking that was asked for.
    ///
    /// # Errors
    /// [`SourceError`] when the source doesn't count.
    pub async fn parts(&self, piece: &Piece, days: DayRange) -> Result<Parts, SourceError> {
        match self.request.chunking.length {
            // Jobs of other ranges share each day's answer.
            _ if piece.schema == Schema::Definition && self.asks_for_all(piece) => {
                self.by_days(piece, days, 1).await
            }
            ChunkLength::Days(length) => self.by_days(piece, days, i64::from(length)).await,
            ChunkLength::Records(most) => self.by_records(piece, days, most).await,
        }
    }

    async fn by_days(
        &self,
        piece: &Piece,
        days: DayRange,
        length: i64,
    ) -> Result<Parts, SourceError> {
        let mut parts = Parts::default();
        for days in days.pieces(length) {
            let part = self.part(piece.schema, &piece.symbols, days).await?;
            parts.records += part.records;
            parts.list.push(part);
        }
        Ok(parts)
    }

    async fn by_records(
        &self,
        piece: &Piece,
        days: DayRange,
        most: u64,
    ) -> Result<Parts, SourceError> {
        let whole = self.part(piece.schema, &piece.symbols, days).await?;
        let records = whole.records;
        let mut list = Vec::new();
        let mut open = vec![whole];
        while let Some(part) = open.pop() {
            let middle = part.days.start().plus(part.days.len_days() / 2);
            let halves = (
                DayRange::new(part.days.start(), middle),
                DayRange::new(middle, part.days.end()),
            );
            match halves {
                _ if part.records <= most => list.push(part),
                (Some(left), Some(right)) => {
                    let left = self.part(piece.schema, &part.symbols, left).await?;
                    // Counts of whole days add up: no second question.
                    let right = match part.records.checked_sub(left.records) {
                        Some(records) => Part {
                            days: right,
                            records,
                            ..part
                        },
                        None => self.part(piece.schema, &part.symbols, right).await?,
                    };
                    open.extend([right, left]);
                }
                _ => list.extend(self.by_symbols(piece, part, most).await?),
            }
        }
        let list = joined_days(list, most);
        Ok(Parts { records, list })
    }

    /// One day in parts of fewer symbols. Both halves are asked for: two symbols can mean one
    /// instrument, and then their counts don't add up.
    async fn by_symbols(
        &self,
        piece: &Piece,
        day: Part,
        most: u64,
    ) -> Result<Vec<Part>, SourceError> {
        let (days, records) = (day.days, day.records);
        let mut smallest = Vec::new();
        let mut open = vec![day];
        while let Some(part) = open.pop() {
            let halves = match part.records > most {
                true => self.halves(piece, &part),
                false => None,
            };
            let Some((left, right)) = halves else {
                smallest.push(part);
                continue;
            };
            let left = self.part(piece.schema, &left, days).await?;
            let right = self.part(piece.schema, &right, days).await?;
            open.extend([right, left]);
        }
        let sum: u64 = smallest.iter().map(|part| part.records).sum();
        let mut joined: Vec<Part> = Vec::new();
        for part in smallest {
            let last = joined.last_mut();
            match last.filter(|last| last.records.saturating_add(part.records) <= most) {
                None => joined.push(part),
                Some(last) if sum == records => {
                    last.symbols = both(&last.symbols, &part.symbols);
                    last.records += part.records;
                }
                Some(last) => {
                    let symbols = both(&last.symbols, &part.symbols);
                    *last = self.part(piece.schema, &symbols, days).await?;
                }
            }
        }
        Ok(joined)
    }

    /// A day's symbols in two halves, each with symbols that mean something on that day; `None` where
    /// there is but one such, or where all are asked for at once whatever they are.
    fn halves(&self, piece: &Piece, part: &Part) -> Option<(Symbols, Symbols)> {
        let names = part.symbols.names().filter(|_| !self.asks_for_all(piece))?;
        let means_something = |name: &String| {
            let windows = self.resolution.windows.get(name).into_iter().flatten();
            let mut windows = windows.map(|window| window.days);
            windows.any(|days| days.intersection(part.days).is_some())
        };
        let known: Vec<_> = (0..names.len())
            .filter(|index| means_something(&names[*index]))
            .collect();
        let middle = *known.get(known.len() / 2).filter(|_| known.len() > 1)?;
        let (left, right) = names.split_at(middle);
        Some((
            Symbols::Named(left.to_vec()),
            Symbols::Named(right.to_vec()),
        ))
    }

    /// Whether the piece is asked for as every instrument of the dataset.
    fn asks_for_all(&self, piece: &Piece) -> bool {
        let asked = self
            .request
            .range_request(piece.schema, &piece.symbols, piece.days);
        asked.symbols.names().is_none()
    }

    async fn part(
        &self,
        schema: Schema,
        symbols: &Symbols,
        days: DayRange,
    ) -> Result<Part, SourceError> {
        let request = self.request.range_request(schema, symbols, days);
        let records = match self.source.record_count(&request).await {
            // A window without sessions: nothing to count.
            Err(SourceError::Vendor(VendorError::NoSession { .. })) => 0,
            counted => counted?,
        };
        let symbols = symbols.clone();
        Ok(Part {
            symbols,
            days,
            records,
        })
    }
}

/// Parts of the same symbols whose days touch, joined while they fit: the counts of whole days add up.
fn joined_days(mut parts: Vec<Part>, most: u64) -> Vec<Part> {
    parts.sort_by_key(|part| part.days);
    let mut by_symbols: BTreeMap<Symbols, Vec<Part>> = BTreeMap::new();
    for part in parts {
        let list = by_symbols.entry(part.symbols.clone()).or_default();
        let last = list.last_mut();
        let fits = |last: &&mut Part| {
            last.days.end() == part.days.start()
                && last.records.saturating_add(part.records) <= most
        };
        let joined = last.filter(fits).and_then(|last| {
            last.days = DayRange::new(last.days.start(), part.days.end())?;
            last.records += part.records;
            Some(())
        });
        if joined.is_none() {
            list.push(part);
        }
    }
    let mut joined: Vec<_> = by_symbols.into_values().flatten().collect();
    joined.sort_by(|one, other| (one.days, &one.symbols).cmp(&(other.days, &other.symbols)));
    joined
}

/// The symbols of both.
fn both(some: &Symbols, others: &Symbols) -> Symbols {
    match (some.names(), others.names()) {
        (Some(some), Some(others)) => Symbols::named([some, others].concat()),
        _ => Symbols::ALL,
    }
}
