//! The map's place on the page: what the script draws in, a legend, and for browsers without scripts the
//! same part of the map as a table, with links that go closer and further.

use common::configuration::document::Refusal;
use common::time::{Day, DayRange};
use maud::{Markup, html};

use super::words::clock;
use crate::coverage::Cell;
use crate::progress::thousands;
use crate::serve::maps::choice::Which;
use crate::serve::maps::question::Question;
use crate::serve::maps::window::Window;
use crate::serve::maps::{Maps, Told};

/// What the table has at most.
const ROWS: usize = 30;
const COLUMNS: usize = 62;
/// What is said where a map couldn't be gathered, and what helps.
pub const FAILED: &str = "the map can't be gathered";
pub const FAILED_HELP: &str =
    "it is tried again while somebody asks; the log of `scheduler serve` says why";
/// Other maps that have a link.
const CHOICES_MAX: usize = 50;

/// The section, with the part of the map that the address asks for.
pub async fn section(question: &Question, maps: &Maps) -> Markup {
    let mut question = question.clone();
    question.rows = question.rows.min(ROWS);
    question.columns = question.columns.min(COLUMNS);
    match maps.window(&question).await {
        Ok(Told::There(window)) => {
            let others = others(maps).await;
            frame(&html! { (others) (table(&window)) })
        }
        Ok(Told::Gathering) => frame(&html! { p { "The map is being gathered." } }),
        Ok(Told::Failed) => frame(&html! { p.bad { (FAILED) "; " (FAILED_HELP) } }),
        Ok(Told::Nothing) => frame(&html! { p { "Nothing was asked for yet." } }),
        Err(refusal) => refused(&refusal),
    }
}

/// The section of a question that can't be answered.
pub fn refused(refusal: &Refusal) -> Markup {
    let help = refusal.help.as_deref().unwrap_or_default();
    frame(&html! { p.bad { (refusal.origin) ": " (refusal.message) "; " (help) } })
}

fn frame(without_script: &Markup) -> Markup {
    html! {
        section #map aria-labelledby="map-head" data-kept {
            h2 #map-head { "Coverage" }
            (controls())
            div #map-picture.scripted-only {
                canvas #map-canvas tabindex="0" role="application" aria-describedby="map-words map-keys"
                    aria-label="Map of symbols and days" {}
                p #map-tip hidden {}
            }
            p.scripted-only {
                span #map-words aria-live="polite" { "The map is being gathered." } " " span.quiet #map-as-of {}
            }
            div #map-detail.scripted-only aria-live="polite" {}
            noscript { (without_script) }
            (legend())
            p #map-keys.scripted-only.quiet {
                "Drag to move; click the map, then turn the wheel to zoom (with Shift symbols alone, with Alt days). "
                "Keys: arrows move the mark, " kbd { "+" } " and " kbd { "−" } " zoom, " kbd { "Enter" } " goes to the day, " kbd { "0" } " shows all."
            }
        }
    }
}

fn controls() -> Markup {
    html! {
        div #map-controls.scripted-only role="group" aria-label="The map's part" {
            label { "Map " select #map-which {} }
            label { "Symbol " input #map-symbol type="search" size="12" autocomplete="off" spellcheck="false"; }
            span.buttons {
                button type="button" data-map="in" title="Zoom in" aria-label="Zoom in" { "+" }
                button type="button" data-map="out" title="Zoom out" aria-label="Zoom out" { "−" }
                button type="button" data-map="left" title="Earlier days" aria-label="Earlier days" { "←" }
                button type="button" data-map="right" title="Later days" aria-label="Later days" { "→" }
                button type="button" data-map="up" title="Symbols before" aria-label="Symbols before" { "↑" }
                button type="button" data-map="down" title="Symbols after" aria-label="Symbols after" { "↓" }
                button type="button" data-map="all" { "All" }
            }
        }
    }
}

/// What the colours and letters mean, in the order of what is shown where a cell stands for several.
fn legend() -> Markup {
    html! {
        ul.legend aria-label="Legend" {
            @for cell in Cell::ALL.into_iter().rev() {
                li { span class={ "cell s-" (cell.name()) } data-state=(cell.name()) data-letter=(cell.letter()) { (sign(cell)) } " " (cell.meaning()) }
            }
        }
        p.quiet.order { "Where a cell stands for several days or symbols, it shows the first of these that one of them is." }
    }
}

/// A cell's sign for people, where it has room.
fn sign(cell: Cell) -> &'static str {
    match cell {
        Cell::NotAsked => "",
        Cell::NotListed => "-",
        Cell::NoSession => "·",
        Cell::Data => "",
        Cell::Held => "h",
        Cell::Degraded => "d",
        Cell::Missing => "×",
        Cell::Pending => "~",
        Cell::Running => ">",
        Cell::Gap => "o",
        Cell::Failed => "!",
    }
}

/// Links to the maps that there are.
async fn others(maps: &Maps) -> Markup {
    let Told::There(choices) = maps.choices().await else {
        return Markup::default();
    };
    html! {
        details {
            summary { "Other maps" }
            ul {
                @for choice in choices.iter().take(CHOICES_MAX) {
                    @let which = &choice.which;
                    li { a href={ "/?" (joined(&of_choice(which))) } {
                        (which.dataset) " " (which.schema) ", " (which.stype_in) ": "
                        @match (which.job, &choice.job_name) {
                            (Some(job), Some(name)) => { "job " (job) ", " (name) }
                            _ => { "all jobs" }
                        }
                    } }
                }
            }
        }
    }
}

fn of_choice(which: &Which) -> Vec<(&'static str, String)> {
    let mut pairs = vec![
        ("dataset", which.dataset.clone()),
        ("schema", which.schema.as_str().to_owned()),
        ("stype_in", which.stype_in.as_str().to_owned()),
    ];
    pairs.extend(which.job.map(|job| ("job", job.to_string())));
    pairs
}

/// The part as a table.
fn table(window: &Window) -> Markup {
    let columns: Vec<_> = match DayRange::new(window.start, window.end) {
        Some(days) => days
            .pieces(i64::try_from(window.days_per_column).unwrap_or(1))
            .collect(),
        None => Vec::new(),
    };
    html! {
        (closer(window))
        div.scroll {
            table.map {
                caption {
                    (window.dataset) " " (window.schema) ", " (window.stype_in) ": "
                    (window.start) " to " (window.end.plus(-1)) ", "
                    (window.days_per_column) " days a column, as of " (clock(window.gathered_at))
                }
                thead { tr {
                    th scope="col" { "symbol" }
                    @for (index, column) in columns.iter().enumerate() {
                        th scope="col" title=(column.start()) {
                            @if index % 7 == 0 { (column.start().to_string().get(5..).unwrap_or_default()) }
                        }
                    }
                } }
                tbody { @for row in &window.rows {
                    tr {
                        th scope="row" { (row.first) @if row.first != row.last { " … " (row.last) } }
                        @for (cell, column) in row.cells.chars().zip(&columns) {
                            @let cell = of_letter(cell);
                            td class={ "cell s-" (cell.name()) } title={ (column.start()) ": " (cell.meaning()) } { (sign(cell)) }
                        }
                    }
                } }
            }
        }
        p.quiet { (window.days.describe()) }
    }
}

fn of_letter(letter: char) -> Cell {
    let cell = Cell::ALL.into_iter().find(|cell| cell.letter() == letter);
    cell.unwrap_or(Cell::NotAsked)
}

/// Links to the window's halves, and to what is around it.
fn closer(window: &Window) -> Markup {
    let half = window.end.number().saturating_sub(window.start.number()) / 2;
    let middle = window.start.plus(half);
    let symbols = (window.first_symbol, window.symbols);
    let rows = symbols.1.div_ceil(2);
    let halves = [(symbols.0, rows), (symbols.0 + rows, symbols.1 - rows)];
    html! {
        form method="get" action="/" {
            @for (name, value) in which(window) { input type="hidden" name=(name) value=(value); }
            label { "Symbol " input name="symbol"; } " "
            label { "from " input name="start" value=(window.start) size="10"; } " "
            label { "to before " input name="end" value=(window.end) size="10"; } " "
            button { "Show" }
        }
        p.closer {
            a href={ "/?" (address(window, None, None)) } { "all" }
            @if half > 0 {
                " · " a href={ "/?" (address(window, Some(symbols), Some((window.start, middle)))) } { "earlier half" }
                " · " a href={ "/?" (address(window, Some(symbols), Some((middle, window.end)))) } { "later half" }
            }
            @if window.symbols > 1 {
                @let days = Some((window.start, window.end));
                " · " a href={ "/?" (address(window, Some(halves[0]), days)) } { "upper half" }
                " · " a href={ "/?" (address(window, Some(halves[1]), days)) } { "lower half" }
            }
            span.quiet { " " (thousands(u64::try_from(window.symbols).unwrap_or_default())) " of "
                (thousands(u64::try_from(window.whole.symbols).unwrap_or_default())) " symbols" }
        }
    }
}

fn which(window: &Window) -> Vec<(&'static str, String)> {
    let mut which = vec![
        ("dataset", window.dataset.clone()),
        ("schema", window.schema.to_owned()),
        ("stype_in", window.stype_in.to_owned()),
    ];
    which.extend(window.job.map(|job| ("job", job.to_string())));
    which
}

/// The address of a part: of so many symbols from one on, and of days.
fn address(window: &Window, symbols: Option<(usize, usize)>, days: Option<(Day, Day)>) -> String {
    let mut pairs = which(window);
    if let Some((first, count)) = symbols {
        pairs.push(("first_symbol", first.to_string()));
        pairs.push(("symbols", count.to_string()));
    }
    if let Some((start, end)) = days {
        pairs.push(("start", start.to_string()));
        pairs.push(("end", end.to_string()));
    }
    joined(&pairs)
}

/// Names and values as an address has them.
fn joined(pairs: &[(&str, String)]) -> String {
    let pairs = pairs.iter();
    let encoded = pairs.map(|(name, value)| format!("{name}={}", encoded(value)));
    encoded.collect::<Vec<_>>().join("&")
}

/// A value as an address takes it.
fn encoded(value: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    let encode = |byte| match plain(byte) {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02X}"),
    };
    value.bytes().map(encode).collect()
}
