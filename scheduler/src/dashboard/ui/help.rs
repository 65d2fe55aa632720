//! What the keys and the signs mean.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::super::palette::Palette;
use super::draw_box;

const HINT: &str = " q leave   Tab next list   ↑ ↓ move   Enter all of it   ? help";

const HELP: &[&str] = &[
    "q, Esc, Ctrl-C     leave; jobs and workers go on",
    "Tab, ← →           to the next list, or the one before",
    "↑ ↓, j k           move; PgUp, PgDn, Home, End",
    "Enter              all that is known of the item at ›",
    "Ctrl-L             draw the screen anew",
    "",
    "·  waits           ▶  runs            ✓  done or proven empty",
    "‖  paused          !  incomplete, or a lease that ran out",
    "✗  given up        ↻  failed, and is tried again by itself",
    "?  its worker was not heard of for half a minute",
    "–  cancelled",
    "",
    "rows/s and time left are of the last minute; a chunk counts once it is settled.",
];

/// The line that names the keys.
pub fn draw_hint(buffer: &mut Buffer, area: Rect, palette: Palette) {
    buffer.set_stringn(area.x, area.y, HINT, area.width.into(), palette.faint());
}

/// All of them.
pub fn draw(buffer: &mut Buffer, area: Rect, palette: Palette) {
    let lines = HELP.iter();
    let lines = lines.map(|line| Line::styled(*line, palette.plain()));
    draw_box(buffer, area, "Help", lines.collect());
}
