//! Window: a part of a grid, in as many cells as there is room for. A cell that stands for several days or
//! symbols tells of the one that tells most, in the order of [`Cell`].

use common::chunk::JobId;
use common::configuration::document::Refusal;
use common::nearest::nearest;
use common::time::{Day, DayRange, Nanos};
use serde::Serialize;

use super::choice::Choice;
use super::grid::Grid;
use super::question::Question;
use crate::coverage::{Cell, Counts};
use crate::serve::api::as_text;

/// A part of a map.
#[derive(Debug, Serialize)]
pub struct Window {
    /// The dataset.
    pub dataset: String,
    /// The schema.
    pub schema: &'static str,
    /// How symbols are written.
    pub stype_in: &'static str,
    /// The job, where it is of one.
    pub job: Option<JobId>,
    /// When the map was gathered.
    #[serde(serialize_with = "as_text")]
    pub gathered_at: Nanos,
    /// What the whole map has.
    pub whole: Whole,
    /// The first row, from 0.
    pub first_symbol: usize,
    /// So many symbols.
    pub symbols: usize,
    /// Symbols that a row stands for; the last may stand for fewer.
    pub symbols_per_row: usize,
    /// The first UTC day.
    pub start: Day,
    /// The UTC day after the last.
    pub end: Day,
    /// Days that a column stands for; the last may stand for fewer.
    pub days_per_column: usize,
    /// The rows.
    pub rows: Vec<WindowRow>,
    /// How many days of the window stand how.
    #[serde(serialize_with = "counts")]
    pub days: Counts,
}

/// A whole map.
#[derive(Debug, Serialize)]
pub struct Whole {
    /// So many symbols.
    pub symbols: usize,
    /// Symbols beyond those, for which there is no room.
    pub symbols_left_out: usize,
    /// The first UTC day.
    pub start: Day,
    /// The UTC day after the last.
    pub end: Day,
}

/// A row of a window.
#[derive(Debug, Serialize)]
pub struct WindowRow {
    /// Its first symbol.
    pub first: String,
    /// Its last symbol.
    pub last: String,
    /// A letter a column.
    pub cells: String,
}

impl Window {
    /// The part of a grid that is wanted.
    ///
    /// # Errors
    /// [`Refusal`] when there is no such symbol or day.
    pub fn of(choice: &Choice, grid: &Grid, question: &Question) -> Result<Self, Refusal> {
        let (first_symbol, symbols) = rows(grid, question)?;
        let days = columns(grid, question)?;
        let first = grid.column(days.start()).unwrap_or_default();
        let count = usize::try_from(days.len_days()).unwrap_or_default();
        let symbols_per_row = symbols.div_ceil(question.rows).max(1);
        let days_per_column = count.div_ceil(question.columns).max(1);
        let mut totals = [0_i64; Cell::ALL.len()];
        let mut shown = Vec::new();
        for from in (first_symbol..first_symbol + symbols).step_by(symbols_per_row) {
            let end = (from + symbols_per_row).min(first_symbol + symbols);
            let mut most = vec![0; count.div_ceil(days_per_column)];
            for symbol in from..end {
                let row = grid.row(symbol, first, count);
                for (cell, days) in most.iter_mut().zip(row.chunks(days_per_column)) {
                    *cell = days.iter().fold(*cell, |most, day| most.max(*day));
                }
                add_up(&mut totals, row);
            }
            let name = |symbol: usize| grid.symbols.get(symbol).cloned().unwrap_or_default();
            shown.push(WindowRow {
                first: name(from),
                last: name(end.saturating_sub(1)),
                cells: most
                    .into_iter()
                    .map(|cell| Cell::at(cell).letter())
                    .collect(),
            });
        }
        Ok(Self {
            dataset: choice.which.dataset.clone(),
            schema: choice.which.schema.as_str(),
            stype_in: choice.which.stype_in.as_str(),
            job: choice.which.job,
            gathered_at: grid.gathered_at,
            whole: Whole {
                symbols: grid.symbols.len(),
                symbols_left_out: grid.left_out,
                start: grid.days.start(),
                end: grid.days.end(),
            },
            first_symbol,
            symbols,
            symbols_per_row,
            start: days.start(),
            end: days.end(),
            days_per_column,
            rows: shown,
            days: counted(totals),
        })
    }
}

/// The rows that are wanted: the first, and how many.
fn rows(grid: &Grid, question: &Question) -> Result<(usize, usize), Refusal> {
    let all = grid.symbols.len();
    if let Some(symbol) = &question.symbol {
        let row = grid.find(symbol).ok_or_else(|| no_symbol(grid, symbol))?;
        return Ok((row, 1));
    }
    let first = question.first_symbol.min(all.saturating_sub(1));
    let count = question.symbols.unwrap_or(all).min(all - first);
    Ok((first, count))
}

/// A symbol that the map doesn't have.
pub fn no_symbol(grid: &Grid, symbol: &str) -> Refusal {
    let help = match nearest(symbol, grid.symbols.iter().map(String::as_str)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "leave it out to see all of them".to_owned(),
    };
    Refusal::of("symbol", format!("the map has no symbol {symbol:?}"), &help)
}

/// The days that are wanted.
fn columns(grid: &Grid, question: &Question) -> Result<DayRange, Refusal> {
    let start = question.start.unwrap_or(grid.days.start());
    let end = question.end.unwrap_or(grid.days.end());
    let wanted = DayRange::new(start, end).and_then(|days| days.intersection(grid.days));
    wanted.ok_or_else(|| {
        let (first, last) = (grid.days.start(), grid.days.end().plus(-1));
        let help = format!("it has the days from {first} to {last}");
        Refusal::of("start, end", "the map has none of these days", &help)
    })
}

fn add_up(totals: &mut [i64; Cell::ALL.len()], row: &[u8]) {
    for cell in row {
        if let Some(total) = totals.get_mut(usize::from(*cell)) {
            *total += 1;
        }
    }
}

fn counted(totals: [i64; Cell::ALL.len()]) -> Counts {
    let mut counts = Counts::default();
    for (cell, days) in Cell::ALL.into_iter().zip(totals) {
        counts.add(cell, days);
    }
    counts
}

fn counts<S: serde::Serializer>(counts: &Counts, serializer: S) -> Result<S::Ok, S::Error> {
    counts.document().serialize(serializer)
}
