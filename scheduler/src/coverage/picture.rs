//! Picture: a map as text, a row a symbol and a sign a day or a month.

use std::collections::BTreeSet;

use chrono::Datelike;
use common::time::{Day, DayRange};

use super::{Cell, Counts, Rows, Run, SchemaMap};
use crate::progress::thousands;

/// Columns where the output is no terminal.
pub const COLUMNS_PIPED: usize = 120;
/// Rows that are shown unless all are wanted.
const ROWS_SHOWN: usize = 40;
/// Characters of a symbol that are shown.
const NAME_MAX: usize = 32;

/// How wide a sign is in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum By {
    /// A sign a UTC day
    Day,
    /// A sign a month: the day of it that tells most
    Month,
}

/// How to draw.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    /// Columns of the terminal.
    pub columns: usize,
    /// Whether it takes colours.
    pub colours: bool,
    /// A sign a day or a month; what fits when left open.
    pub by: Option<By>,
    /// Whether all rows are shown.
    pub all_rows: bool,
}

/// Draws one map; what signs it has is added to `seen`.
#[must_use]
pub fn draw(map: &SchemaMap, style: Style, seen: &mut BTreeSet<Cell>) -> String {
    let shown = match style.all_rows {
        true => map.names.len(),
        false => map.names.len().min(ROWS_SHOWN),
    };
    let names = || map.names.iter().take(shown).map(|name| cut(name));
    let width = names().map(|name| name.chars().count()).max().unwrap_or(0);
    let by = style.by.unwrap_or_else(|| {
        let days = usize::try_from(map.days.len_days()).unwrap_or(usize::MAX);
        match days <= style.columns.saturating_sub(width + 3) {
            true => By::Day,
            false => By::Month,
        }
    });
    let columns = columns(map.days, by);
    let (dataset, schema, stype) = (&map.dataset, map.schema, map.stype_in);
    let unit = match by {
        By::Day => "day",
        By::Month => "month",
    };
    let mut text = format!(
        "{dataset} {schema}, {stype}: {} to {}, by {unit}\n",
        map.days.start(),
        map.days.end().plus(-1)
    );
    for line in head(&columns, by) {
        text.push_str(&format!("  {:width$} {}\n", "", line.trim_end()));
    }
    let rows = Rows::of(map);
    let mut totals = Counts::default();
    for (index, name) in map.names.iter().enumerate() {
        let runs = rows.row(name);
        for run in &runs {
            totals.add(run.cell, run.days.len_days());
            seen.insert(run.cell);
        }
        if index < shown {
            let signs = paint(&cells(&runs, &columns), style.colours);
            text.push_str(&format!("  {:width$} {signs}\n", cut(name)));
        }
    }
    if let Some(more @ 1..) = map.names.len().checked_sub(shown) {
        let more = thousands(u64::try_from(more).unwrap_or(u64::MAX));
        text.push_str(&format!("  and {more} more symbols; --all shows them\n"));
    }
    text.push_str(&format!("  days: {}\n", totals.describe()));
    text
}

/// What the signs mean.
#[must_use]
pub fn legend(seen: &BTreeSet<Cell>, colours: bool) -> String {
    let signs = seen.iter().filter(|cell| **cell != Cell::NotAsked);
    let signs = signs.map(|cell| format!("{} {}", paint(&[*cell], colours), cell.meaning()));
    let signs: Vec<_> = signs.collect();
    format!("{}\n", signs.join("   "))
}

/// The days of each sign.
fn columns(days: DayRange, by: By) -> Vec<DayRange> {
    match by {
        By::Day => days.pieces(1).collect(),
        By::Month => {
            let mut start = days.start();
            let next = || {
                let month = DayRange::new(start, next_month(start).min(days.end()))?;
                start = month.end();
                Some(month)
            };
            std::iter::from_fn(next).collect()
        }
    }
}

/// The first day of the month after.
fn next_month(day: Day) -> Day {
    let date = day.date();
    let (year, month) = match date.month() {
        12 => (date.year() + 1, 1),
        month => (date.year(), month + 1),
    };
    Day::from_ymd(year, month, 1).unwrap_or_else(|| day.plus(31))
}

/// The lines above the signs: the months or years, and a digit or letter a sign.
fn head(columns: &[DayRange], by: By) -> [String; 2] {
    let mut above = String::new();
    let mut signs = String::new();
    for (index, column) in columns.iter().enumerate() {
        let date = column.start().date();
        let (begins, label, sign) = match by {
            By::Day => {
                let digit = char::from_digit(date.day() % 10, 10);
                (date.day() == 1, date.format("%Y-%m"), digit)
            }
            By::Month => {
                let letter = "JFMAMJJASOND".chars().nth(date.month0() as usize);
                (date.month() == 1, date.format("%Y"), letter)
            }
        };
        // A label that would run into the one before is left out.
        if index == 0 || (begins && above.len() < index) {
            above.push_str(&format!("{:1$}", "", index - above.len()));
            above.push_str(&label.to_string());
        }
        signs.push(sign.unwrap_or(' '));
    }
    [above, signs]
}

/// The sign of each column: of its days the one that tells most.
fn cells(runs: &[Run], columns: &[DayRange]) -> Vec<Cell> {
    let mut first = 0;
    let mut cells = Vec::with_capacity(columns.len());
    for column in columns {
        while runs
            .get(first)
            .is_some_and(|run| run.days.end() <= column.start())
        {
            first += 1;
        }
        let rest = runs.iter().skip(first);
        let within = rest.take_while(|run| run.days.start() < column.end());
        let most = within.map(|run| run.cell).max();
        cells.push(most.unwrap_or(Cell::NotAsked));
    }
    cells
}

/// The signs, each in its colour where the terminal takes colours.
fn paint(cells: &[Cell], colours: bool) -> String {
    let mut text = String::new();
    let mut last = None;
    for cell in cells {
        let colour = cell.colour().filter(|_| colours);
        if colour != last {
            text.push_str(&format!("\x1b[{}m", colour.unwrap_or(0)));
            last = colour;
        }
        text.push(cell.glyph());
    }
    if last.is_some() {
        text.push_str("\x1b[0m");
    }
    match colours {
        true => text,
        false => text.trim_end().to_owned(),
    }
}

fn cut(name: &str) -> String {
    name.chars().take(NAME_MAX).collect()
}
