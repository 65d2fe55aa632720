//! Ownership: which records of a stream are the chunk's to load.
//!
//! A record is loaded when the chunk asked for its instrument at its index time and no other chunk
//! holds that slice; it is counted as covered when another does. Market columns play no part in it:
//! real feeds hold identical records.

use std::collections::HashMap;

use common::store::coverage::own_slices;
use common::store::rows::RowBlock;
use common::store::{Chunk, Held, RecordedDays, Slice};
use common::time::{Nanos, Span};
use common::vendor::Resolution;

use crate::error::ChunkError;

/// What is to become of one record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Load,
    Covered,
    Filtered,
}

/// The slices that a chunk asked for, and those that others hold.
#[derive(Debug)]
pub struct Ownership {
    asked: Asked,
    others: HashMap<u32, Vec<Span>>,
    others_everything: Vec<Span>,
    own: Vec<Held>,
    /// Which days of its own have records, slice by slice.
    own_days: Vec<RecordedDays>,
    /// Of each instrument, the chunk's own spans and their places among its own.
    own_spans: HashMap<u32, Vec<(Span, usize)>>,
    /// The same of every instrument.
    own_everything: Vec<(Span, usize)>,
    /// What the last record's instrument and time were found to be, and until when it holds.
    last: Option<(u32, Span, Fate)>,
    /// Records that came along and were not asked for.
    pub filtered: u64,
    /// Records that another chunk holds.
    pub covered: u64,
}

/// What a record was found to be, and the span around it in which others of its instrument are the
/// same.
enum Found {
    /// The chunk's own, in the slice at this place among its own.
    Own(Span, usize),
    /// Another's, or nobody's.
    Other(Span, Fate),
}

#[derive(Debug)]
enum Asked {
    Everything,
    /// Instruments and their times; whether other records are to be expected in the stream.
    Instruments {
        spans: HashMap<u32, Vec<Span>>,
        filtered: bool,
    },
}

impl Ownership {
    /// The ownership of a chunk whose symbols mean what `resolution` says.
    #[must_use]
    pub fn new(chunk: &Chunk, resolution: &Resolution, others: Vec<Held>) -> Self {
        let asked_slices = asked_slices(chunk, resolution);
        let own = own_slices(&asked_slices, &others);
        let asked = match chunk.symbols.names() {
            None => Asked::Everything,
            Some(_) => Asked::Instruments {
                spans: by_instrument(&asked_slices),
                filtered: chunk.range_request().symbols != chunk.symbols,
            },
        };
        let others_everything = others.iter().filter(|held| held.instrument_id.is_none());
        Self {
            asked,
            own_days: without_records(&own),
            own_spans: places_by_instrument(&own),
            own_everything: places(&own, None).collect(),
            own,
            others_everything: others_everything.map(|held| held.span).collect(),
            others: by_instrument(&others),
            last: None,
            filtered: 0,
            covered: 0,
        }
    }

    /// The same, where the stream answers for other symbols than the chunk's: records of other
    /// instruments are then to be expected in it.
    #[must_use]
    pub fn among_others(mut self, among_others: bool) -> Self {
        if let Asked::Instruments { filtered, .. } = &mut self.asked {
            *filtered = *filtered || among_others;
        }
        self
    }

    /// The ownership of a chunk that was loaded before: what it holds stays its own, whatever others
    /// have come to hold since. Others' parts of what it asked for count as filtered, unless it
    /// asked for every instrument: then what they hold of single ones was theirs before.
    #[must_use]
    pub fn kept(chunk: &Chunk, slices: &[Held], others: Vec<Held>) -> Self {
        if chunk.symbols.names().is_none() {
            return Self::new(chunk, &Resolution::default(), others);
        }
        Self {
            asked: Asked::Instruments {
                spans: by_instrument(slices),
                filtered: true,
            },
            own_days: without_records(slices),
            own_spans: places_by_instrument(slices),
            own_everything: Vec::new(),
            own: slices.to_vec(),
            others_everything: Vec::new(),
            others: HashMap::new(),
            last: None,
            filtered: 0,
            covered: 0,
        }
    }

    /// The slices that the chunk holds once it is loaded.
    #[must_use]
    pub fn own(&self) -> &[Held] {
        &self.own
    }

    /// The same, and which of their days had records so far.
    #[must_use]
    pub fn slices(&self) -> Vec<Slice> {
        let slices = self.own.iter().zip(&self.own_days);
        let slice = |(held, days): (&Held, &RecordedDays)| Slice {
            held: *held,
            days: Some(days.clone()),
        };
        slices.map(slice).collect()
    }

    /// The rows of a block that are the chunk's to load; the rest is counted.
    ///
    /// # Errors
    /// [`ChunkError::Unmapped`] for a record that the symbols do not account for.
    pub fn claim(&mut self, block: RowBlock) -> Result<RowBlock, ChunkError> {
        let nothing_to_sort_out = matches!(self.asked, Asked::Everything)
            && self.others.is_empty()
            && self.others_everything.is_empty();
        if nothing_to_sort_out {
            self.mark_all(&block.index_times);
            return Ok(block);
        }
        let mut flags = Vec::with_capacity(block.len());
        for (instrument_id, time) in block.instrument_ids.iter().zip(&block.index_times) {
            let fate = self.fate(*instrument_id, Nanos(*time))?;
            match fate {
                Fate::Load => {}
                Fate::Covered => self.covered += 1,
                Fate::Filtered => self.filtered += 1,
            }
            flags.push(fate == Fate::Load);
        }
        if flags.iter().all(|keep| *keep) {
            return Ok(block);
        }
        Ok(block.keep(&flags))
    }

    /// Notes the days of records that are all the chunk's own, in the slice of every instrument.
    fn mark_all(&mut self, times: &[i64]) {
        let (Some(first), Some(last)) = (times.iter().min(), times.iter().max()) else {
            return;
        };
        let one_day = Nanos(*first).day() == Nanos(*last).day();
        let marked = if one_day { &[*first][..] } else { times };
        for days in &mut self.own_days {
            for time in marked {
                days.mark(Nanos(*time));
            }
        }
    }

    fn fate(&mut self, instrument_id: u32, time: Nanos) -> Result<Fate, ChunkError> {
        if let Some((last_id, span, fate)) = self.last
            && last_id == instrument_id
            && span.contains(time)
        {
            return Ok(fate);
        }
        let (span, fate) = match self.find(instrument_id, time)? {
            Found::Own(span, place) => {
                self.own_days[place].mark(time);
                (within_its_day(span, time), Fate::Load)
            }
            Found::Other(span, fate) => (span, fate),
        };
        self.last = Some((instrument_id, span, fate));
        Ok(fate)
    }

    /// The fate of a record, and the span around it in which it is the same.
    fn find(&self, instrument_id: u32, time: Nanos) -> Result<Found, ChunkError> {
        let instant = Span {
            start: time,
            end: Nanos(time.0.saturating_add(1)),
        };
        let mut asked = None;
        if let Asked::Instruments { spans, filtered } = &self.asked {
            let spans = spans.get(&instrument_id).into_iter().flatten();
            asked = spans.copied().find(|span| span.contains(time));
            if asked.is_none() {
                return match filtered {
                    true => Ok(Found::Other(instant, Fate::Filtered)),
                    false => Err(ChunkError::Unmapped {
                        instrument_id,
                        time,
                    }),
                };
            }
        }
        let others = self.others.get(&instrument_id);
        let others = others.into_iter().flatten().chain(&self.others_everything);
        if let Some(span) = others.copied().find(|span| span.contains(time)) {
            // The other's slice may reach beyond what was asked for.
            let span = asked.map_or(Some(span), |asked| span.intersection(asked));
            return Ok(Found::Other(span.unwrap_or(instant), Fate::Covered));
        }
        let own = match self.asked {
            Asked::Everything => Some(&self.own_everything),
            Asked::Instruments { .. } => self.own_spans.get(&instrument_id),
        };
        let mut own = own.into_iter().flatten();
        Ok(match own.find(|(span, _)| span.contains(time)) {
            // It may surround what others hold of the instrument.
            Some((_, place)) if asked.is_none() => Found::Own(instant, *place),
            Some((span, place)) => Found::Own(*span, *place),
            None => Found::Other(instant, Fate::Load),
        })
    }
}

/// The slices that a chunk's symbols stand for.
#[must_use]
pub fn asked_slices(chunk: &Chunk, resolution: &Resolution) -> Vec<Held> {
    let span = chunk.days.span();
    if chunk.symbols.names().is_none() {
        return vec![Held {
            instrument_id: None,
            span,
        }];
    }
    let windows = resolution.windows.values().flatten();
    let mut slices: Vec<Held> = windows
        .filter_map(|window| {
            Some(Held {
                instrument_id: Some(window.instrument_id),
                span: window.days.span().intersection(span)?,
            })
        })
        .collect();
    slices.sort_by_key(|slice| (slice.instrument_id, slice.span));
    slices.dedup();
    slices
}

fn without_records(slices: &[Held]) -> Vec<RecordedDays> {
    let slices = slices.iter();
    slices.map(|slice| RecordedDays::none(slice.span)).collect()
}

/// The part of a span that lies on an instant's day: beyond it, another day has records.
fn within_its_day(span: Span, time: Nanos) -> Span {
    let day = time.day();
    let day = Span {
        start: day.start(),
        end: day.plus(1).start(),
    };
    span.intersection(day).unwrap_or(span)
}

/// The spans of one instrument's slices, each with its place.
fn places(slices: &[Held], id: Option<u32>) -> impl Iterator<Item = (Span, usize)> {
    let slices = slices.iter().enumerate();
    slices
        .filter(move |(_, slice)| slice.instrument_id == id)
        .map(|(place, slice)| (slice.span, place))
}

fn places_by_instrument(slices: &[Held]) -> HashMap<u32, Vec<(Span, usize)>> {
    let mut places: HashMap<_, Vec<_>> = HashMap::new();
    for (place, slice) in slices.iter().enumerate() {
        if let Some(instrument_id) = slice.instrument_id {
            places
                .entry(instrument_id)
                .or_default()
                .push((slice.span, place));
        }
    }
    places
}

fn by_instrument(slices: &[Held]) -> HashMap<u32, Vec<Span>> {
    let mut spans: HashMap<u32, Vec<Span>> = HashMap::new();
    for slice in slices {
        if let Some(instrument_id) = slice.instrument_id {
            spans.entry(instrument_id).or_default().push(slice.span);
        }
    }
    spans
}
