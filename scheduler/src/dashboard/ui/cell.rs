//! Cells of a row: a text in so many columns, cut where it is longer.

use common::money::Usd;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::super::palette::Palette;
use super::super::printable::printable;

/// A text in a column.
#[derive(Clone, Debug)]
pub struct Cell {
    text: String,
    width: u16,
    is_right: bool,
    style: Style,
}

impl Cell {
    /// Text, at the left.
    pub fn text(width: u16, text: impl AsRef<str>, style: Style) -> Self {
        Self {
            text: printed(text.as_ref()),
            width,
            is_right: false,
            style,
        }
    }

    /// A number, at the right.
    pub fn number(width: u16, text: impl AsRef<str>, style: Style) -> Self {
        Self {
            is_right: true,
            ..Self::text(width, text, style)
        }
    }
}

/// Text from elsewhere as a terminal may have it.
pub fn printed(text: &str) -> String {
    printable(text)
}

/// A row of cells, with a blank between two.
pub fn row(cells: Vec<Cell>) -> Line<'static> {
    let mut spans = Vec::with_capacity(2 * cells.len());
    for cell in cells {
        if !spans.is_empty() {
            spans.push(Span::raw(" "));
        }
        let text = cut(&cell.text, cell.width);
        let blanks = " ".repeat(usize::from(cell.width).saturating_sub(width(&text)));
        let (before, after) = match cell.is_right {
            true => (blanks, String::new()),
            false => (String::new(), blanks),
        };
        spans.push(Span::styled(format!("{before}{text}{after}"), cell.style));
    }
    Line::from(spans)
}

/// A row with a text, and at its right what to type, which is never cut.
pub fn with_command(
    columns: u16,
    sign: Cell,
    text: impl AsRef<str>,
    style: Style,
    command: &str,
    palette: Palette,
) -> Line<'static> {
    let command_columns = u16::try_from(width(command)).unwrap_or(u16::MAX);
    let rest = columns.saturating_sub(command_columns.saturating_add(5));
    row(vec![
        sign,
        Cell::text(rest, text, style),
        Cell::number(command_columns, command, palette.moving()),
    ])
}

/// A text that takes no more than so many columns.
pub fn cut(text: &str, columns: u16) -> String {
    let columns = usize::from(columns);
    if width(text) <= columns {
        return text.to_owned();
    }
    let mut kept = String::new();
    for character in text.chars() {
        kept.push(character);
        if width(&kept) + 1 > columns {
            kept.pop();
            break;
        }
    }
    if columns > 0 {
        kept.push('…');
    }
    kept
}

/// Columns that a text takes.
pub fn width(text: &str) -> usize {
    Span::raw(text).width()
}

/// How far something is, as a bar of so many columns; what was begun and what is not over shows.
pub fn bar(part: u64, whole: u64, columns: u16) -> String {
    let columns = u64::from(columns);
    let product = u128::from(part.min(whole)) * u128::from(columns);
    let full = product.checked_div(u128::from(whole)).unwrap_or(0);
    let full = u64::try_from(full).unwrap_or(columns);
    (0..columns)
        .map(|column| if column < full { '█' } else { '░' })
        .collect()
}

/// A number in few digits: 1,234, then 120 k, 2.5 M, 740 M, 12.3 G.
pub fn short(number: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(1_000_000_000, "G"), (1_000_000, "M"), (1_000, "k")];
    let found = UNITS.iter().find(|(unit, _)| number >= *unit);
    match found {
        Some((unit, name)) if number >= 10_000 => {
            let tenths = number / (unit / 10);
            match tenths {
                0..1_000 => format!("{}.{} {name}", tenths / 10, tenths % 10),
                _ => format!("{} {name}", tenths / 10),
            }
        }
        _ => crate::progress::thousands(number),
    }
}

/// Dollars to the cent, half a cent upwards; what is less and not nothing shows as that.
pub fn dollars(amount: Usd) -> String {
    const CENT: i64 = 10_000_000;
    let cents = amount.0.saturating_add(CENT / 2).div_euclid(CENT);
    match cents {
        0 if amount.0 > 0 => "<0.01".to_owned(),
        _ => Usd(cents.saturating_mul(CENT)).to_string(),
    }
}
