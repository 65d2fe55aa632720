//! Rows that were loaded in each minute of the last hour.

use ratatui::layout::Rect;
use ratatui::widgets::{RenderDirection, Sparkline, Widget};

use super::Canvas;
use super::cell::short;

impl Canvas<'_> {
    /// The hour, the current minute at the right.
    pub fn draw_throughput(&mut self, area: Rect) {
        let minutes = &self.picture.overview.throughput;
        let area = self.title(area, "Rows a minute, the last hour", None);
        let (most, now) = (
            minutes.iter().map(|minute| minute.rows).max(),
            minutes.last().map(|minute| minute.rows),
        );
        let all: u64 = minutes.iter().map(|minute| minute.rows).sum();
        let text = format!(
            "{} in the hour, at most {}, now {}",
            short(all),
            short(most.unwrap_or(0)),
            short(now.unwrap_or(0)),
        );
        self.line(area, 0, &text, self.palette.plain());
        let rest = Rect {
            y: area.y + 1,
            height: area.height.saturating_sub(1),
            ..area
        };
        // The last minute first, from the right: where there is less room, the oldest are left out.
        let columns = (usize::from(rest.width) / minutes.len().max(1)).clamp(1, 3);
        let newest_first = minutes.iter().rev();
        let bars = newest_first.flat_map(|minute| std::iter::repeat_n(minute.rows, columns));
        Sparkline::default()
            .data(bars.take(rest.width.into()).collect::<Vec<_>>())
            .direction(RenderDirection::RightToLeft)
            .style(self.palette.good())
            .render(rest, self.buffer);
    }
}
