//! Streams of synthetic records: days one after the other, within a day the instruments merged by
//! time, within an instrument an hour at a time.

use std::{io, ops::Range};

use dbn::Schema;

use super::{
    Recipe,
    activity::Activity,
    bars::{BarSize, Bars},
    calendar::is_open,
    definitions,
    instruments::Instrument,
    quotes::{HourQuotes, traded},
    statistics::statistics,
    status::statuses,
    trades::HourTrades,
};
use crate::{
    clock::{Day, NANOS_PER_HOUR, Nanos},
    history::Slice,
    records::{BLOCK_RECORDS, Layout, Ready, Source, merge::Merge},
};

/// The records of one day.
pub(crate) struct DaySource;

impl DaySource {
    /// Opens the part of `slice` that falls on `day`.
    pub(crate) fn open(recipe: &Recipe, slice: &Slice, day: Day) -> Box<dyn Source> {
        let window = window_on(slice, day);
        let instruments = recipe.selected(slice, day);
        if slice.schema == Schema::Definition {
            return Box::new(DefinitionCopies::new(instruments, day, &window));
        }
        let revision = slice.conditions.revision(day);
        let recipe = *recipe;
        let schema = slice.schema;
        let sources = instruments.into_iter().map(move |instrument| {
            instrument_source(
                recipe.activity(instrument, day, revision),
                schema,
                window.clone(),
            )
        });
        Box::new(Merge::new(Layout::of(schema), sources))
    }
}

/// The part of a slice's time that falls on `day`.
pub(crate) fn window_on(slice: &Slice, day: Day) -> Range<Nanos> {
    slice.start.max(day.midnight())..slice.end.min(day.next().midnight())
}

/// The records of one instrument on one day.
pub(crate) fn instrument_source(
    activity: Activity,
    schema: Schema,
    window: Range<Nanos>,
) -> Box<dyn Source> {
    match schema {
        Schema::Trades | Schema::Tbbo | Schema::Mbp1 => {
            Box::new(Ticks::new(activity, schema, window))
        }
        Schema::Statistics => ready(statistics(&activity), schema, &window),
        Schema::Status => ready(statuses(&activity), schema, &window),
        _ => match BarSize::of(schema) {
            Some(size) => Box::new(BarSource::new(&activity, size, window)),
            None => Box::new(Ready(Vec::new())),
        },
    }
}

fn ready<R: AsRef<[u8]>>(
    records: Vec<R>,
    schema: Schema,
    window: &Range<Nanos>,
) -> Box<dyn Source> {
    let layout = Layout::of(schema);
    let mut bytes = Vec::with_capacity(records.len() * layout.size);
    for record in &records {
        if window.contains(&layout.index_time(record.as_ref())) {
            bytes.extend_from_slice(record.as_ref());
        }
    }
    Box::new(Ready(bytes))
}

/// The hours of `day` that a window touches.
fn hours_of(window: &Range<Nanos>, day: Day) -> Range<u32> {
    if window.is_empty() {
        return 0..0;
    }
    let midnight = day.midnight().0;
    let hour = |nanos: u64| u32::try_from(nanos / NANOS_PER_HOUR).unwrap_or(24).min(24);
    hour(window.start.0 - midnight)
        ..hour((window.end.0 - midnight).div_ceil(NANOS_PER_HOUR) * NANOS_PER_HOUR)
}

/// Trades, or quotes and trades, of one instrument on one day.
struct Ticks {
    activity: Activity,
    schema: Schema,
    window: Range<Nanos>,
    hours: Range<u32>,
    current: Hour,
}

enum Hour {
    None,
    Trades(Box<HourTrades>),
    Quotes(Box<HourQuotes>),
}

impl Ticks {
    fn new(activity: Activity, schema: Schema, window: Range<Nanos>) -> Self {
        let hours = hours_of(&window, activity.day);
        Self {
            activity,
            schema,
            window,
            hours,
            current: Hour::None,
        }
    }

    /// Appends the hour's next record where it is in the window; false at the end of the hour.
    fn push_next(&mut self, block: &mut Vec<u8>) -> bool {
        let instrument = &self.activity.instrument;
        match &mut self.current {
            Hour::None => false,
            Hour::Trades(trades) => {
                let Some(trade) = trades.next() else {
                    return false;
                };
                if self.window.contains(&Nanos(trade.ts_recv)) {
                    match self.schema {
                        Schema::Trades => {
                            block.extend_from_slice(trade.record(instrument).as_ref())
                        }
                        _ => block.extend_from_slice(traded(instrument, &trade).as_ref()),
                    }
                }
                true
            }
            Hour::Quotes(quotes) => {
                let Some(record) = quotes.next() else {
                    return false;
                };
                if self.window.contains(&Nanos(record.ts_recv)) {
                    block.extend_from_slice(record.as_ref());
                }
                true
            }
        }
    }

    fn next_hour(&mut self) -> bool {
        let Some(hour) = self.hours.next() else {
            return false;
        };
        self.current = match self.schema {
            Schema::Mbp1 => Hour::Quotes(Box::new(HourQuotes::new(&self.activity, hour))),
            _ if is_open(self.activity.hours, hour) => {
                Hour::Trades(Box::new(HourTrades::new(&self.activity, hour)))
            }
            _ => Hour::None,
        };
        true
    }
}

impl Source for Ticks {
    fn refill(&mut self, block: &mut Vec<u8>) -> io::Result<()> {
        let full = BLOCK_RECORDS * Layout::of(self.schema).size;
        while block.len() < full {
            if !self.push_next(block) && !self.next_hour() {
                break;
            }
        }
        Ok(())
    }
}

/// Bars that begin in a window.
struct BarSource {
    bars: Bars,
    size: usize,
    window: Range<Nanos>,
}

impl BarSource {
    fn new(activity: &Activity, size: BarSize, window: Range<Nanos>) -> Self {
        let hours = if size.nanos <= NANOS_PER_HOUR {
            hours_of(&window, activity.day)
        } else if window.contains(&activity.day.midnight()) {
            0..24
        } else {
            0..0
        };
        Self {
            bars: Bars::new(activity, size, hours),
            size: Layout::of(Schema::Ohlcv1D).size,
            window,
        }
    }
}

impl Source for BarSource {
    fn refill(&mut self, block: &mut Vec<u8>) -> io::Result<()> {
        let full = BLOCK_RECORDS * self.size;
        while block.len() < full {
            let Some(bar) = self.bars.next() else { break };
            if self.window.contains(&Nanos(bar.hd.ts_event)) {
                block.extend_from_slice(bar.as_ref());
            }
        }
        Ok(())
    }
}

/// The midnight copies of many instruments, which all have the same time.
struct DefinitionCopies {
    instruments: std::vec::IntoIter<Instrument>,
    day: Day,
}

impl DefinitionCopies {
    fn new(instruments: Vec<Instrument>, day: Day, window: &Range<Nanos>) -> Self {
        let in_window = window.contains(&day.midnight());
        let instruments = if in_window { instruments } else { Vec::new() };
        Self {
            instruments: instruments.into_iter(),
            day,
        }
    }
}

impl Source for DefinitionCopies {
    fn refill(&mut self, block: &mut Vec<u8>) -> io::Result<()> {
        let full = BLOCK_RECORDS * Layout::of(Schema::Definition).size;
        while block.len() < full {
            let Some(instrument) = self.instruments.next() else {
                break;
            };
            let listed = instrument.listed().contains(self.day);
            if listed && definitions::is_published(instrument.product, self.day) {
                for record in definitions::definitions(&instrument, self.day) {
                    block.extend_from_slice(record.as_ref());
                }
            }
        }
        Ok(())
    }
}
