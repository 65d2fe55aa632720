//! A list of items of some lines each, moved so that the one under the cursor is seen.

use std::ops::Range;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

/// The sign at the item under the cursor; each line leaves a column for it.
const CURSOR: &str = "›";

/// An item's lines.
pub type Item = Vec<Line<'static>>;

/// Draws the items around the cursor; there is none where another list has it.
pub fn draw(buffer: &mut Buffer, area: Rect, items: &[Item], cursor: usize, has_keys: bool) {
    let heights: Vec<_> = items.iter().map(Vec::len).collect();
    let shown = window(&heights, cursor, area.height.into());
    let mut y = area.y;
    for (index, item) in items.iter().enumerate().take(shown.end).skip(shown.start) {
        if has_keys && index == cursor && y < area.bottom() {
            buffer.set_string(area.x, y, CURSOR, ratatui::style::Style::new());
        }
        for line in item {
            if y < area.bottom() {
                buffer.set_line(area.x + 1, y, line, area.width.saturating_sub(1));
                y += 1;
            }
        }
    }
    let (before, after) = (shown.start > 0, shown.end < items.len());
    let sign = |buffer: &mut Buffer, y, sign| {
        buffer.set_string(
            area.right().saturating_sub(1),
            y,
            sign,
            ratatui::style::Style::new(),
        );
    };
    if before {
        sign(buffer, area.y, "↑");
    }
    if after && area.height > 0 {
        sign(buffer, area.bottom() - 1, "↓");
    }
}

/// The items that are seen: from the first on, as far as the one at the cursor is among them.
fn window(heights: &[usize], cursor: usize, room: usize) -> Range<usize> {
    let mut start = 0;
    let until_cursor = |start: usize| heights.iter().take(cursor + 1).skip(start).sum::<usize>();
    while start < cursor && until_cursor(start) > room {
        start += 1;
    }
    let mut taken = 0;
    let fits = |height: &&usize| {
        taken += **height;
        taken <= room
    };
    let fitting = heights.iter().skip(start).take_while(fits).count();
    // Of an item that is higher than the room, its beginning.
    start..(start + fitting.max(1)).min(heights.len())
}

#[cfg(test)]
mod tests {
    use super::window;

    #[test]
    fn the_item_at_the_cursor_is_always_among_those_that_are_seen() {
        assert_eq!(window(&[1, 1, 1, 1], 0, 2), 0..2);
        assert_eq!(window(&[1, 1, 1, 1], 3, 2), 2..4);
        assert_eq!(window(&[2, 2, 2], 1, 3), 1..2);
        assert_eq!(window(&[2, 2, 2], 2, 1), 2..3);
        assert_eq!(window(&[], 0, 3), 0..0);
    }
}
